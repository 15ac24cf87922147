/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parts of the kernel, of its <asm/apicdef.h> and of its timers that the local
 * APIC's files use, for user space.  Included after kernel.h.
 */
#ifndef LODGE_UNIT_KERNEL_APIC_H
#define LODGE_UNIT_KERNEL_APIC_H

#include "kernel.h"

#define array_index_nospec(index, size) ((index) < (size) ? (index) : 0)

#define BITS_PER_LONG 64
#define BITS_TO_LONGS(bits) (((bits) + 63) / 64)
#define DECLARE_BITMAP(name, bits) unsigned long name[BITS_TO_LONGS(bits)]
#define __ffs(word) ((unsigned long)__builtin_ctzl(word))

/* Not atomic: others may access the word in between. */
static inline void __set_bit(long number, unsigned long *bits)
{
	unsigned long word = bits[number / 64];

	kernel_shared();
	bits[number / 64] = word | BIT(number % 64);
}

static inline void __clear_bit(long number, unsigned long *bits)
{
	unsigned long word = bits[number / 64];

	kernel_shared();
	bits[number / 64] = word & ~BIT(number % 64);
}

static inline void bitmap_zero(unsigned long *bits, unsigned int count)
{
	memset(bits, 0, BITS_TO_LONGS(count) * sizeof(*bits));
}

static inline bool bitmap_empty(const unsigned long *bits, unsigned int count)
{
	for (unsigned int i = 0; i < BITS_TO_LONGS(count); i++)
		if (bits[i])
			return false;
	return true;
}

static inline void bitmap_to_arr32(u32 *words, const unsigned long *bits,
				   unsigned int count)
{
	memcpy(words, bits, count / 8);
}

static inline void bitmap_from_arr32(unsigned long *bits, const u32 *words,
				     unsigned int count)
{
	memcpy(bits, words, count / 8);
}

static inline void *memchr_inv(const void *from, int byte, size_t size)
{
	const u8 *at = from;

	for (; size; at++, size--)
		if (*at != (u8)byte)
			return (void *)at;
	return NULL;
}

/* Memory is sequentially consistent here; tests act between two accesses. */
#define smp_mb() kernel_shared()
#define smp_rmb() kernel_shared()
#define smp_wmb() kernel_shared()
#define smp_store_release(where, value) WRITE_ONCE(*(where), value)
#define xchg(where, value) \
	(kernel_shared(), __atomic_exchange_n(where, value, __ATOMIC_SEQ_CST))
#define cmpxchg(where, old, new)                                      \
	({                                                            \
		__typeof__(*(where)) seen = (old);                    \
		kernel_shared();                                      \
		__atomic_compare_exchange_n(where, &seen, new, false, \
					    __ATOMIC_SEQ_CST,         \
					    __ATOMIC_SEQ_CST);        \
		seen;                                                 \
	})
#define container_of(pointer, type, member) \
	((type *)((char *)(pointer)-offsetof(type, member)))

#define PAGE_SHIFT 12
#define NSEC_PER_USEC 1000L
#define MSEC_PER_SEC 1000L

static inline u64 div64_u64_rem(u64 dividend, u64 divisor, u64 *remainder)
{
	*remainder = dividend % divisor;
	return dividend / divisor;
}

/* The host's clock and its timers: a test moves the clock, which fires the timers. */
typedef u64 ktime_t;

enum hrtimer_restart { HRTIMER_NORESTART, HRTIMER_RESTART };
enum hrtimer_mode { HRTIMER_MODE_ABS_HARD, HRTIMER_MODE_ABS_PINNED_HARD };

#define CLOCK_MONOTONIC 1

struct hrtimer {
	enum hrtimer_restart (*function)(struct hrtimer *timer);
	u64 expires;
	bool queued;
	bool running;
};

/* Called where code waits for a timer's function, which never ends here: tests leave. */
__attribute__((weak)) void kernel_waits(void);

u64 ktime_get_ns(void);

#define ktime_get() ktime_get_ns()
#define ns_to_ktime(ns) (ns)
#define ktime_add_ns(time, ns) ((time) + (ns))

static inline void
hrtimer_setup(struct hrtimer *timer,
	      enum hrtimer_restart (*function)(struct hrtimer *timer),
	      int clock, enum hrtimer_mode mode)
{
	timer->function = function;
	timer->queued = false;
}

static inline void hrtimer_set_expires(struct hrtimer *timer, ktime_t expires)
{
	timer->expires = expires;
}

static inline void hrtimer_start(struct hrtimer *timer, ktime_t expires,
				 enum hrtimer_mode mode)
{
	kernel_shared();
	timer->expires = expires;
	__atomic_store_n(&timer->queued, true, __ATOMIC_SEQ_CST);
}

static inline bool hrtimer_is_queued(struct hrtimer *timer)
{
	kernel_shared();
	return __atomic_load_n(&timer->queued, __ATOMIC_SEQ_CST);
}

static inline bool hrtimer_active(const struct hrtimer *timer)
{
	return timer->queued || timer->running;
}

/* The kernel's function uses what hrtimer_setup() has set. */
static inline bool hrtimer_cancel(struct hrtimer *timer)
{
	if (!timer->function)
		__builtin_trap();
	kernel_shared();
	if (timer->running)
		kernel_waits();
	return __atomic_exchange_n(&timer->queued, false, __ATOMIC_SEQ_CST);
}

#define MSR_IA32_APICBASE 0x1b
#define MSR_IA32_APICBASE_BSP (1 << 8)
#define X2APIC_ENABLE (1UL << 10)
#define MSR_IA32_APICBASE_ENABLE (1 << 11)
#define MSR_IA32_TSC_DEADLINE 0x6e0

#define APIC_ID 0x20
#define APIC_LVR 0x30
#define APIC_TASKPRI 0x80
#define APIC_ARBPRI 0x90
#define APIC_PROCPRI 0xa0
#define APIC_EOI 0xb0
#define APIC_RRR 0xc0
#define APIC_LDR 0xd0
#define APIC_DFR 0xe0
#define APIC_SPIV 0xf0
#define APIC_ISR 0x100
#define APIC_TMR 0x180
#define APIC_IRR 0x200
#define APIC_ESR 0x280
#define APIC_ICR 0x300
#define APIC_ICR2 0x310
#define APIC_LVTT 0x320
#define APIC_LVTTHMR 0x330
#define APIC_LVTPC 0x340
#define APIC_LVT0 0x350
#define APIC_LVT1 0x360
#define APIC_LVTERR 0x370
#define APIC_TMICT 0x380
#define APIC_TMCCT 0x390
#define APIC_TDCR 0x3e0

#define APIC_DFR_CLUSTER 0x0fffffffUL
#define APIC_DFR_FLAT 0xffffffffUL
#define APIC_SPIV_APIC_ENABLED (1 << 8)
#define APIC_ESR_SEND_ACC 0x04
#define APIC_ESR_RECV_ACC 0x08
#define APIC_ESR_SENDILL 0x20
#define APIC_ESR_RECVILL 0x40
#define APIC_ESR_ILLREGA 0x80
#define APIC_ICR_BUSY 0x1000
#define APIC_INT_ASSERT 0x4000
#define APIC_INT_LEVELTRIG 0x8000
#define APIC_DEST_LOGICAL 0x800
#define APIC_DEST_SELF 0x40000
#define APIC_DEST_ALLBUT 0xc0000
#define APIC_DM_FIXED 0x000
#define APIC_DM_LOWEST 0x100
#define APIC_DM_NMI 0x400
#define APIC_DM_INIT 0x500
#define APIC_DM_STARTUP 0x600
#define APIC_DM_EXTINT 0x700
#define APIC_MODE_MASK 0x700
#define APIC_VECTOR_MASK 0xff
#define APIC_LVT_MASKED (1 << 16)
#define APIC_LVT_TIMER_ONESHOT (0 << 17)
#define APIC_LVT_TIMER_PERIODIC (1 << 17)
#define APIC_LVT_TIMER_TSCDEADLINE (2 << 17)

#endif
