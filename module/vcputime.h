/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where a vCPU's time goes: to the guest, to the host, or to waiting.
 *
 * A time is a sum of ticks of the TSC.  When a span of it begins, that moment is
 * subtracted, and when it ends, that moment is added.  So one word holds the spans that
 * have ended and the beginning of one that goes on, which makes it negative: a sum is
 * less than the age of its vCPU, and that is less than any moment of its life.  Only
 * the owner writes, each time by one instruction; anyone may read.
 *
 * Moments are lodge_tsc(), which goes on over a suspend of the host.  Those of entries
 * and exits are the processor's own counter, which is an instruction less, and which
 * may begin anew in a suspend.  No run spans one: the first entry after it notes what
 * the guest's sum is, and what that grows by from then on is again less than any moment.
 *
 * The host's time has no sum of its own: it is what is left of the time in
 * lodge_vcpu_run().
 */
#ifndef LODGE_VCPUTIME_H
#define LODGE_VCPUTIME_H

#include <linux/math64.h>
#include <linux/sched.h>
#include <linux/types.h>
#include <asm/local64.h>

#include "pure.h"
#include "stats.h"
#include "tsc.h"

/* __fls() has so many answers. */
#define LODGE_NR_TIME_BUCKETS 64

/**
 * struct lodge_vcputime - times of a vCPU
 * @run: in lodge_vcpu_run(), ticks
 * @guest: in the guest, ticks
 * @base: what @guest was after the last suspend; less than that means that it runs
 * @wait: in HLT, or waiting for a start-up IPI, ticks
 * @steal: for which its thread was ready to run, but did not, ns
 * @outside: number of entries by the time before them, since the exit before or the
 *	beginning of the run, without @wait: bucket N has times below 2^(N + 10) ns
 * @left: moment at which the guest was left, or the run began, by the processor's own
 *	counter; later by what the vCPU has waited since
 * @delayed: of the thread, in all: the kernel's sum that @steal follows
 * @scale: a tick in units of 2^-55 ns
 * @created: moment of the vCPU's creation
 */
struct lodge_vcputime {
	local64_t run;
	local64_t guest;
	s64 base;
	local64_t wait;
	local64_t steal;
	local64_t outside[LODGE_NR_TIME_BUCKETS];
	u64 left;
	u64 delayed;
	u64 scale;
	u64 created;
};

/* Ready to run, but not running: so much of that the thread has had, ns. */
static inline u64 lodge_vcputime_delay(void)
{
#ifdef CONFIG_SCHED_INFO
	return current->sched_info.run_delay;
#else
	return 0;
#endif
}

/* stats.c */

/**
 * lodge_vcputime_init() - of a new vCPU
 */
void lodge_vcputime_init(struct lodge_vcputime *time);

/* The guest does not run.  Done at least once between a suspend and its next entry. */
static inline void lodge_vcputime_rebase(struct lodge_vcputime *time)
{
	WRITE_ONCE(time->base, local64_read(&time->guest));
}

/* The run begins. */
static inline void lodge_vcputime_begin(struct lodge_vcputime *time)
{
	u64 now;

	if (!LODGE_COUNTS)
		return;
	now = rdtsc();
	time->left = now;
	local64_sub(lodge_tsc_from_user(now), &time->run);
	time->delayed = lodge_vcputime_delay();
}

/* The run ends. */
static inline void lodge_vcputime_end(struct lodge_vcputime *time)
{
	if (LODGE_COUNTS)
		local64_add(lodge_tsc(), &time->run);
}

/*
 * The bucket that a time falls into: the highest bit that is set in it, in units of
 * 2^9 ns, so that the first bucket is the one of 0 and 1.
 *
 * BSR leaves its destination alone if there is no such bit, as the kernel's fls64()
 * wants it, too.  With __int128 and __fls() the compiler would align the stack of the
 * run loop for the product, and take a register from it.
 */
static __always_inline u64 vcputime_bucket(u64 ticks, u64 scale)
{
	u64 units;

	asm("mulq %[scale]\n\t"
	    "bsrq %%rdx, %%rdx"
	    : "+a"(ticks), "=&d"(units)
	    : [scale] "rm"(scale)
	    : "cc");
	return units;
}

/* The guest is entered.  Interrupts are off. */
static __always_inline void lodge_vcputime_enter(struct lodge_vcputime *time)
{
	u64 now, bucket;

	if (!LODGE_COUNTS)
		return;
	now = rdtsc();
	local64_sub(now, &time->guest);
	bucket = vcputime_bucket(now - time->left, time->scale);
	local64_inc(&time->outside[bucket]);
}

/* The guest has left.  Interrupts are off. */
static __always_inline void lodge_vcputime_leave(struct lodge_vcputime *time)
{
	u64 now;

	if (!LODGE_COUNTS)
		return;
	now = rdtsc();
	local64_add(now, &time->guest);
	time->left = now;
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

/* A wait ends. */
static inline void lodge_vcputime_wake(struct lodge_vcputime *time, u64 slept)
{
	u64 now;

	if (!LODGE_COUNTS)
		return;
	now = lodge_tsc();
	local64_add(now, &time->wait);
	time->left += now - slept;
}

/* The thread runs again after another one may have had its CPU. */
static inline void lodge_vcputime_resume(struct lodge_vcputime *time)
{
	u64 now;

	if (!LODGE_COUNTS)
		return;
	now = lodge_vcputime_delay();
	local64_add(now - time->delayed, &time->steal);
	time->delayed = now;
}

#endif
