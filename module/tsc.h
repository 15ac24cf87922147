/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The host's time stamp counter as guests are to see it, and the one place that turns its
 * ticks into those of a guest whose counter has another rate.  While the host is
 * suspended it stands still, whatever becomes of the processor's own, which may be
 * reset, go on or go on from anywhere.  So do the host's timers and the clock
 * ktime_get(), and with all three the guests' time goes on without a jump.
 */
#ifndef LODGE_TSC_H
#define LODGE_TSC_H

#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/types.h>
#include <asm/tsc.h>

/* Added to the processor's; changes in a suspend only, when nothing else runs. */
extern u64 lodge_tsc_moved;

static inline u64 lodge_tsc(void)
{
	return rdtsc() + lodge_tsc_moved;
}

static inline u64 lodge_tsc_ordered(void)
{
	return rdtsc_ordered() + lodge_tsc_moved;
}

/*
 * The processor's own counter in the halves in which RDTSC gives it: for who only
 * stores it.
 */
static __always_inline void lodge_tsc_halves(u32 *low, u32 *high)
{
#ifdef __KERNEL__
	asm volatile("rdtsc" : "=a"(*low), "=d"(*high));
#else
	u64 now = rdtsc();

	*low = now;
	*high = now >> 32;
#endif
}

/*
 * User space knows the processor's own counter, which these turn into lodge_tsc()
 * and back.
 */
static inline u64 lodge_tsc_to_user(u64 tsc)
{
	return tsc - lodge_tsc_moved;
}

static inline u64 lodge_tsc_from_user(u64 host_tsc)
{
	return host_tsc + lodge_tsc_moved;
}

/**
 * struct lodge_tsc_scale - a guest's counter that has another rate than the host's
 * @khz: rate of the guest's
 * @host_khz: that of the host's, once it was another one
 * @shift: how many bits of @ratio are behind the point
 * @ratio: ticks of the guest's to one of lodge_tsc()'s, rounded down; 0: the same rate
 * @by_processor: the processor shows the guest this rate; else RDTSC leaves the guest
 *
 * Changes only before a vCPU has run.  It is read by anyone, without a lock: whoever divides
 * by @khz reads it once, since a quotient that does not fit is a fault of the host's.
 */
struct lodge_tsc_scale {
	u32 khz;
	u32 host_khz;
	u8 shift;
	bool by_processor;
	u64 ratio;
};

/* Behind the point, where the processor has no scaling: up to 65535 ticks to one. */
#define LODGE_TSC_SHIFT 48

/**
 * lodge_tsc_scale_init() - work the ratio out
 * @khz: rate of the guest's counter; tsc_khz, the host's, stands for no scaling
 * @shift: bits behind the point of the processor's ratios, 32 to 48; 0: it has none
 * @bits: bits of its ratios
 *
 * Return: 0; -EINVAL @khz is zero, or 65536 times the host's.
 */
int lodge_tsc_scale_init(struct lodge_tsc_scale *scale, u32 khz,
			 unsigned int shift, unsigned int bits);

/**
 * lodge_tsc_scaled() - ticks of the host as ticks of the guest
 *
 * Never goes backwards.  A guest's counter is this of lodge_tsc(), and its offset.
 */
static inline u64 lodge_tsc_scaled(const struct lodge_tsc_scale *scale,
				   u64 ticks)
{
	if (likely(!scale->ratio))
		return ticks;
	return mul_u64_u64_shr(ticks, scale->ratio, scale->shift);
}

/**
 * lodge_tsc_moved_scaled() - lodge_tsc_moved in the guest's ticks; it may be negative
 */
static inline u64 lodge_tsc_moved_scaled(const struct lodge_tsc_scale *scale)
{
	if ((s64)lodge_tsc_moved < 0)
		return -lodge_tsc_scaled(scale, -lodge_tsc_moved);
	return lodge_tsc_scaled(scale, lodge_tsc_moved);
}

/**
 * lodge_tsc_unscaled() - how many ticks of the host last as long as @ticks of the guest,
 * rounded down; 49 days at the most
 */
static inline u64 lodge_tsc_unscaled(const struct lodge_tsc_scale *scale,
				     u64 ticks)
{
	const u32 khz = READ_ONCE(scale->khz);

	if (likely(!scale->ratio))
		return ticks;
	return mul_u64_u32_div(min(ticks, (u64)khz << 32), scale->host_khz,
			       khz);
}

/**
 * lodge_tsc_suspend() - last of all, with interrupts off, on the only CPU
 */
void lodge_tsc_suspend(void);

/**
 * lodge_tsc_resume() - first of all, on that CPU
 *
 * The kernel has other CPUs follow its counter before they run anything.
 */
void lodge_tsc_resume(void);

#endif
