// SPDX-License-Identifier: GPL-2.0
/*
 * Statistics of a vCPU for those who read them: see stats.h and vcputime.h.
 */
#include <linux/build_bug.h>
#include <linux/irqflags.h>
#include <linux/math64.h>
#include <linux/time64.h>
#include <asm/tsc.h>

#include "stats.h"
#include "vcputime.h"

/* The name and the number of each kind are the same for user space. */
#define STATS_SAME(kind) \
	static_assert((int)LODGE_STAT_##kind == (int)LODGE_VMEXIT_##kind)

STATS_SAME(UNKNOWN);
STATS_SAME(HOST_EVENT);
STATS_SAME(CPUID);
STATS_SAME(MSR);
STATS_SAME(IO);
STATS_SAME(FAULT);
STATS_SAME(HLT);
STATS_SAME(PAUSE);
STATS_SAME(WINDOW);
STATS_SAME(TIMER);
STATS_SAME(CR);
STATS_SAME(DR);
STATS_SAME(XSETBV);
STATS_SAME(HYPERCALL);
STATS_SAME(RDPMC);
STATS_SAME(INVD);
STATS_SAME(MONITOR);
STATS_SAME(UD);
STATS_SAME(EXCEPTION);
STATS_SAME(TASK_SWITCH);
STATS_SAME(SHUTDOWN);
STATS_SAME(IGNORED);
STATS_SAME(INVALID);
static_assert(LODGE_NR_STAT_EXITS == LODGE_VMEXIT_INVALID + 1);

/* lodge_vcputime_enter() has a bucket for each power of two from here on. */
static_assert(LODGE_STAT_FIRST_BUCKET == 10);
static_assert(LODGE_STAT_BUCKETS <= LODGE_NR_TIME_BUCKETS);

void lodge_vcputime_init(struct lodge_vcputime *time)
{
	/* No x86-64 processor has a TSC so slow that this would overflow. */
	time->scale = div64_u64((u64)NSEC_PER_MSEC << 44, tsc_khz) << 11;
	time->created = lodge_tsc();
}

u64 lodge_stats_exits(const struct lodge_stats *stats,
		      u64 exits[LODGE_NR_STAT_EXITS])
{
	u64 sum = 0;
	int i;

	for (i = 0; i < LODGE_NR_STAT_EXITS; i++) {
		exits[i] = local64_read(&stats->exits[i]);
		sum += exits[i];
	}
	return sum;
}

u64 lodge_stats_outside(const struct lodge_vcputime *time,
			u64 buckets[LODGE_STAT_BUCKETS])
{
	u64 sum = 0, number;
	int i;

	memset(buckets, 0, LODGE_STAT_BUCKETS * sizeof(*buckets));
	for (i = 0; i < LODGE_NR_TIME_BUCKETS; i++) {
		number = local64_read(&time->outside[i]);
		buckets[min(i, LODGE_STAT_BUCKETS - 1)] += number;
		sum += number;
	}
	return sum;
}

/* A span that goes on counts up to @now; CPUs' counters may differ a little. */
static s64 stats_ticks(s64 sum, s64 base, u64 now)
{
	return sum < base ? max_t(s64, sum + now, base) : sum;
}

/*
 * The same for a span that may begin on one CPU and end on another one.  If their
 * counters differ much, a sum of spans that have ended may be negative, too, but is
 * nowhere near the moment of the vCPU's creation.
 */
static s64 stats_ticks_far(const struct lodge_vcputime *time, s64 sum, u64 now)
{
	if (sum < 0 && sum >= -(s64)(time->created / 2))
		return 0;
	return stats_ticks(sum, 0, now);
}

static u64 stats_ns(u64 ticks)
{
	return mul_u64_u32_div(ticks, NSEC_PER_MSEC, tsc_khz);
}

/*
 * The owner may go on meanwhile.  What it does between the first read and the last
 * makes the host's time wrong by no more than that takes, because interrupts are off.
 */
void lodge_stats_times(const struct lodge_vcputime *time,
		       struct lodge_stats_times *times)
{
	s64 run, guest, wait;
	unsigned long flags;
	u64 now;

	local_irq_save(flags);
	guest = local64_read(&time->guest);
	wait = local64_read(&time->wait);
	run = local64_read(&time->run);
	now = rdtsc_ordered();
	local_irq_restore(flags);

	guest = stats_ticks(guest, READ_ONCE(time->base), now);
	now = lodge_tsc_from_user(now);
	run = stats_ticks_far(time, run, now);
	wait = stats_ticks_far(time, wait, now);
	times->guest = stats_ns(guest);
	times->wait = stats_ns(wait);
	times->host = stats_ns(max_t(s64, run - guest - wait, 0));
	times->steal = min_t(u64, local64_read(&time->steal), times->host);
}
