/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Statistics of a vCPU: what is counted, and the points where that happens.
 *
 * Only the owner writes, and each counter is one word that it changes by one
 * instruction: no lock, no line of the cache that another CPU writes.  Anyone may
 * read.  What takes the time of a vCPU is in vcputime.h.
 */
#ifndef LODGE_STATS_H
#define LODGE_STATS_H

#include <linux/types.h>
#include <asm/local64.h>

#include <lodge_netlink.h>

#include "backend.h"

/* Only a build that shows what counting costs goes without. */
#ifdef LODGE_NO_STATS
#define LODGE_COUNTS false
#else
#define LODGE_COUNTS true
#endif

/**
 * struct lodge_stats - counters of a vCPU, from its creation on
 *
 * See enum lodge_stats_attr.  What has mapped a page is counted where it does that: see
 * struct lodge_npt_cache.
 *
 * @exits: by enum lodge_stat_exit, which is enum lodge_vmexit_kind without ANSWERED
 * @answered: what the last exit was that became LODGE_VMEXIT_ANSWERED
 * @interrupts: external interrupts given to the processor for delivery
 * @nmis: NMIs, likewise
 * @exceptions: exceptions, likewise
 * @flushes: flushes of the TLB, of the guest's own translations or the nested ones
 * @halts: waits in HLT that have begun
 * @polls_won: waits that ended while the vCPU polled
 * @polls_lost: waits that polled first and then slept
 * @wakeups: sleeps that have ended
 * @returns: returns of lodge_vcpu_run()
 */
struct lodge_stats {
	local64_t exits[LODGE_NR_STAT_EXITS];
	enum lodge_vmexit_kind answered;
	local64_t interrupts;
	local64_t nmis;
	local64_t exceptions;
	local64_t flushes;
	local64_t halts;
	local64_t polls_won;
	local64_t polls_lost;
	local64_t wakeups;
	local64_t returns;
};

static __always_inline void lodge_count(local64_t *counter)
{
	if (LODGE_COUNTS)
		local64_inc(counter);
}

/* @kind: what the backend has said */
static __always_inline void lodge_count_exit(struct lodge_stats *stats,
					     enum lodge_vmexit_kind kind)
{
	lodge_count(&stats->exits[kind]);
}

/* An event is counted as it is given to the processor for the first time. */
static inline void lodge_count_event(struct lodge_stats *stats,
				     enum lodge_event_type type)
{
	switch (type) {
	case LODGE_EVENT_NONE:
		break;
	case LODGE_EVENT_EXTERNAL:
		lodge_count(&stats->interrupts);
		break;
	case LODGE_EVENT_NMI:
		lodge_count(&stats->nmis);
		break;
	case LODGE_EVENT_FAULT:
		lodge_count(&stats->exceptions);
		break;
	}
}

static inline void lodge_count_flush(struct lodge_stats *stats)
{
	lodge_count(&stats->flushes);
}

static inline void lodge_count_halt(struct lodge_stats *stats)
{
	lodge_count(&stats->halts);
}

static inline void lodge_count_return(struct lodge_stats *stats)
{
	lodge_count(&stats->returns);
}

/**
 * lodge_count_wait() - a wait has ended
 * @has_polled: it began with polling
 * @has_slept: it ended with a sleep
 */
static inline void lodge_count_wait(struct lodge_stats *stats, bool has_polled,
				    bool has_slept)
{
	if (has_slept)
		lodge_count(&stats->wakeups);
	if (has_polled)
		lodge_count(has_slept ? &stats->polls_lost : &stats->polls_won);
}

/* stats.c */

struct lodge_vcpu;
struct lodge_vcputime;

/**
 * struct lodge_stats_times - times of a vCPU, ns; see enum lodge_vcpu_attr
 */
struct lodge_stats_times {
	u64 guest;
	u64 host;
	u64 wait;
	u64 steal;
};

/**
 * lodge_stats_exits() - exits by enum lodge_stat_exit
 *
 * Any thread.  Return: how many there were in all; 0: none yet.
 */
u64 lodge_stats_exits(const struct lodge_stats *stats,
		      u64 exits[LODGE_NR_STAT_EXITS]);

/**
 * lodge_stats_last() - the last exit; only if there was one
 * @exit: what the vCPU says of it
 *
 * Any thread.
 */
enum lodge_stat_exit lodge_stats_last(const struct lodge_stats *stats,
				      const struct lodge_vmexit *exit);

/**
 * lodge_stats_outside() - LODGE_STATS_HISTOGRAM
 *
 * Any thread.  Return: the sum of all buckets, which is the number of entries but for
 * those after an exit that was answered with interrupts off.
 */
u64 lodge_stats_outside(const struct lodge_vcputime *time,
			u64 buckets[LODGE_STAT_BUCKETS]);

/**
 * lodge_stats_times() - times up to now, none of them less than any call has told before
 *
 * Any thread.
 */
void lodge_stats_times(struct lodge_vcpu *vcpu,
		       struct lodge_stats_times *times);

#endif
