/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where a vCPU's time goes: to the guest, to the host, or to waiting.
 *
 * The guest's time is counted here, by the processor's own counter, with as few
 * instructions as there can be: an exit only notes its moment, and an entry adds the
 * time that has passed since to a sum.  Only the owner writes, and anyone may read.
 *
 * That counter may begin anew in a suspend of the host, and no run spans one: the first
 * entry after it takes another origin.  Other moments are lodge_tsc(), which goes on.
 *
 * The host's time is the scheduler's: what the vCPU's thread has had of a CPU, in the
 * kernel and in user space, but for the guest's time.  So is what was stolen from it.
 */
#ifndef LODGE_VCPUTIME_H
#define LODGE_VCPUTIME_H

#include <linux/math64.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <asm/local64.h>

#include "pure.h"
#include "stats.h"
#include "tsc.h"

/* BSR has so many answers. */
#define LODGE_NR_TIME_BUCKETS 64

/* The high half of lodge_vcputime.left while the guest runs.  No counter gets there. */
#define LODGE_TIME_IN_GUEST (~0U)
/* And while the owner writes another moment and another origin. */
#define LODGE_TIME_CHANGES (~0U - 1)

/**
 * union lodge_vcputime_left - the moment at which the guest was left
 *
 * It is written by halves, the low one first.  Whoever reads the whole finds
 * LODGE_TIME_IN_GUEST until both are there.
 */
union lodge_vcputime_left {
	u64 moment;
	struct {
		u32 low;
		u32 high;
	};
};

/**
 * struct lodge_threadtime - what the scheduler has counted of a thread, ns
 * @cpu: on a CPU
 * @delay: ready, while another thread ran
 */
struct lodge_threadtime {
	u64 cpu;
	u64 delay;
};

/**
 * struct lodge_vcputime - times of a vCPU
 * @left: moment at which the guest was left, by the processor's own counter; later by
 *	what the vCPU has waited since; at first the vCPU's creation
 * @origin: when the guest would have begun if it had run ever since: @left, or now, is
 *	later by the time in the guest
 * @outside: number of entries by the time before them, since the exit before, without
 *	@wait: bucket N has times from 2^N ticks on
 * @wait: in HLT, or waiting for a start-up IPI: a sum of ticks, from which the moment is
 *	subtracted when a wait begins, and to which it is added when that ends
 * @created: moment of the vCPU's creation
 * @lock: guards what follows
 * @thread: the last one that was in lodge_vcpu_run(), with a reference; NULL: none
 * @began: its times when it came
 * @before: of all threads before it, while they were @thread
 * @told: the most that was told of each: no time is told to be less
 */
struct lodge_vcputime {
	union lodge_vcputime_left left;
	local64_t origin;
	local64_t outside[LODGE_NR_TIME_BUCKETS];
	local64_t wait;
	u64 created;
	spinlock_t lock;
	struct task_struct *thread;
	struct lodge_threadtime began;
	struct lodge_threadtime before;
	struct lodge_stats_times told;
};

/* stats.c */

/**
 * lodge_vcputime_init() - of a new vCPU
 */
void lodge_vcputime_init(struct lodge_vcputime *time);

/**
 * lodge_vcputime_fini() - the vCPU ends, and no thread runs it; its times stay
 */
void lodge_vcputime_fini(struct lodge_vcputime *time);

/**
 * lodge_vcputime_move() - let the guest have been left at another moment
 *
 * For the owner, outside the guest.  The guest's time stays what it is.
 */
void lodge_vcputime_move(struct lodge_vcputime *time, u64 left);

/**
 * lodge_vcputime_rebase() - the processor's own counter may have begun anew
 *
 * The owner calls this between a suspend and the next entry.
 */
void lodge_vcputime_rebase(struct lodge_vcputime *time);

/**
 * lodge_vcputime_adopt() - from now on the calling thread's time is the vCPU's
 */
void lodge_vcputime_adopt(struct lodge_vcputime *time);

/*
 * The highest bit that is set.  BSR leaves its destination alone if there is none, as
 * the kernel's fls64() wants it, too.
 */
static __always_inline u64 vcputime_bucket(u64 ticks)
{
	asm("bsrq %[ticks], %[ticks]" : [ticks] "+r"(ticks) : : "cc");
	return ticks;
}

/* The guest is entered.  Interrupts are off. */
static __always_inline void lodge_vcputime_enter(struct lodge_vcputime *time)
{
	u64 outside;

	if (!LODGE_COUNTS)
		return;
	outside = rdtsc() - time->left.moment;
	local64_add(outside, &time->origin);
	WRITE_ONCE(time->left.high, LODGE_TIME_IN_GUEST);
	local64_inc(&time->outside[vcputime_bucket(outside)]);
}

/* The guest has left.  Interrupts are off. */
static __always_inline void lodge_vcputime_leave(struct lodge_vcputime *time)
{
	u32 low, high;

	if (!LODGE_COUNTS)
		return;
	lodge_tsc_halves(&low, &high);
	WRITE_ONCE(time->left.low, low);
	WRITE_ONCE(time->left.high, high);
}

/**
 * lodge_vcputime_sleep() - a wait begins
 *
 * Return: its moment, for lodge_vcputime_wake().
 */
static inline u64 lodge_vcputime_sleep(struct lodge_vcputime *time)
{
	u64 now;

	if (!LODGE_COUNTS)
		return 0;
	now = lodge_tsc();
	local64_sub(now, &time->wait);
	return now;
}

/* A wait ends.  It is neither the guest's nor between an exit and an entry. */
static inline void lodge_vcputime_wake(struct lodge_vcputime *time, u64 slept)
{
	u64 now, waited;

	if (!LODGE_COUNTS)
		return;
	now = lodge_tsc();
	waited = now - slept;
	local64_add(now, &time->wait);
	lodge_vcputime_move(time, time->left.moment + waited);
}

#endif
