/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The host's time stamp counter as guests are to see it: while the host is
 * suspended it stands still, whatever becomes of the processor's own, which may be
 * reset, go on or go on from anywhere.  So do the host's timers and the clock
 * ktime_get(), and with all three the guests' time goes on without a jump.
 */
#ifndef LODGE_TSC_H
#define LODGE_TSC_H

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
