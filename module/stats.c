// SPDX-License-Identifier: GPL-2.0
/*
 * Statistics of a vCPU for those who read them: see stats.h and vcputime.h.
 */
#include <linux/build_bug.h>
#include <linux/math64.h>
#include <linux/sched/task.h>
#include <linux/spinlock.h>
#include <linux/time64.h>
#include <asm/tsc.h>

#include "stats.h"
#include "vcpu.h"
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
STATS_SAME(RDTSC);
static_assert(LODGE_NR_STAT_EXITS == (int)LODGE_VMEXIT_ANSWERED);

static_assert(LODGE_STAT_FIRST_BUCKET + LODGE_STAT_BUCKETS <=
	      LODGE_NR_TIME_BUCKETS);

void lodge_vcputime_init(struct lodge_vcputime *time)
{
	time->left.moment = rdtsc();
	local64_set(&time->origin, time->left.moment);
	time->created = lodge_tsc();
	spin_lock_init(&time->lock);
}

/* The thread's sums lag by no more than a tick of the timer. */
static struct lodge_threadtime threadtime_of(const struct task_struct *thread)
{
	return (struct lodge_threadtime){
		.cpu = data_race(READ_ONCE(thread->se.sum_exec_runtime)),
#ifdef CONFIG_SCHED_INFO
		.delay = data_race(READ_ONCE(thread->sched_info.run_delay)),
#endif
	};
}

/* All that threads have spent for the vCPU.  Under the lock. */
static struct lodge_threadtime threadtime_sum(const struct lodge_vcputime *time)
{
	struct lodge_threadtime now;

	if (!time->thread)
		return time->before;
	now = threadtime_of(time->thread);
	return (struct lodge_threadtime){
		.cpu = time->before.cpu + now.cpu - time->began.cpu,
		.delay = time->before.delay + now.delay - time->began.delay,
	};
}

/* For the owner, outside the guest. */
static u64 vcputime_guest(const struct lodge_vcputime *time)
{
	return time->left.moment - local64_read(&time->origin);
}

static u64 stats_ns(u64 ticks)
{
	return mul_u64_u32_div(ticks, NSEC_PER_MSEC, tsc_khz);
}

/*
 * @thread: the next one, or NULL.  The one before has had the CPU for the guest and for
 * what was told of the host's time, even if the scheduler has not added that up yet.
 */
static void vcputime_hand_over(struct lodge_vcputime *time,
			       struct task_struct *thread)
{
	const u64 guest = stats_ns(vcputime_guest(time));
	struct task_struct *old;

	spin_lock(&time->lock);
	time->before = threadtime_sum(time);
	time->before.cpu = max(time->before.cpu, guest + time->told.host);
	old = time->thread;
	time->thread = thread;
	if (thread)
		time->began = threadtime_of(thread);
	spin_unlock(&time->lock);
	if (old)
		put_task_struct(old);
}

void lodge_vcputime_adopt(struct lodge_vcputime *time)
{
	get_task_struct(current);
	vcputime_hand_over(time, current);
}

void lodge_vcputime_fini(struct lodge_vcputime *time)
{
	vcputime_hand_over(time, NULL);
}

/* Whoever reads in between waits, so that the thread must not be preempted there. */
void lodge_vcputime_move(struct lodge_vcputime *time, u64 left)
{
	u64 origin = left - vcputime_guest(time);

	preempt_disable();
	WRITE_ONCE(time->left.high, LODGE_TIME_CHANGES);
	smp_wmb();
	local64_set(&time->origin, origin);
	smp_wmb();
	WRITE_ONCE(time->left.moment, left);
	preempt_enable();
}

void lodge_vcputime_rebase(struct lodge_vcputime *time)
{
	lodge_vcputime_move(time, rdtsc());
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

enum lodge_stat_exit lodge_stats_last(const struct lodge_stats *stats,
				      const struct lodge_vmexit *exit)
{
	enum lodge_vmexit_kind kind = READ_ONCE(exit->kind);

	if (kind == LODGE_VMEXIT_ANSWERED)
		kind = READ_ONCE(stats->answered);
	return (enum lodge_stat_exit)kind;
}

/* The first bucket has all times below its bound, and the last one all above. */
u64 lodge_stats_outside(const struct lodge_vcputime *time,
			u64 buckets[LODGE_STAT_BUCKETS])
{
	u64 sum = 0, number;
	int i;

	memset(buckets, 0, LODGE_STAT_BUCKETS * sizeof(*buckets));
	for (i = 0; i < LODGE_NR_TIME_BUCKETS; i++) {
		number = local64_read(&time->outside[i]);
		buckets[clamp(i + 1 - LODGE_STAT_FIRST_BUCKET, 0,
			      LODGE_STAT_BUCKETS - 1)] += number;
		sum += number;
	}
	return sum;
}

/*
 * True if the owner may have written @origin, but not yet @left, which goes with it.
 * An entry writes both by two instructions and has no time to say so: all of guest mode
 * that is not in the guest counts as between them.
 */
static bool stats_is_half(const struct lodge_vcpu *vcpu,
			  union lodge_vcputime_left left)
{
	return left.high == LODGE_TIME_CHANGES ||
	       (LODGE_COUNTS && left.high != LODGE_TIME_IN_GUEST &&
		READ_ONCE(vcpu->mode) == LODGE_IN_GUEST);
}

/* Return: the time in ticks; negative if it must be read again. */
static s64 stats_try_guest(const struct lodge_vcpu *vcpu)
{
	const struct lodge_vcputime *time = &vcpu->time;
	union lodge_vcputime_left left;
	s64 origin, moment;

	origin = local64_read(&time->origin);
	smp_rmb();
	left.moment = READ_ONCE(time->left.moment);
	moment = left.high == LODGE_TIME_IN_GUEST ? rdtsc_ordered() :
						    left.moment;
	smp_rmb();
	if (stats_is_half(vcpu, left))
		return -1;
	smp_rmb();
	if (origin != local64_read(&time->origin) ||
	    left.moment != READ_ONCE(time->left.moment))
		return -1;
	/* CPUs' counters may differ a little. */
	return max_t(s64, moment - origin, 0);
}

/*
 * The owner's CPU may be stopped for long where it must be waited for: by an SMI, or by a
 * hypervisor below.  Then what was told before is told again.
 */
#define STATS_TRIES 1000

static u64 stats_guest(const struct lodge_vcpu *vcpu)
{
	unsigned int tries = STATS_TRIES;
	s64 guest;

	while ((guest = stats_try_guest(vcpu)) < 0 && tries--)
		cpu_relax();
	return stats_ns(max_t(s64, guest, 0));
}

/*
 * A wait that goes on makes the sum negative, and it counts up to now.  A wait that
 * began on one CPU and ended on another one of which the counter is far behind does
 * so, too, but by nothing like the moment of the vCPU's creation.
 */
static u64 stats_wait(const struct lodge_vcputime *time)
{
	s64 wait, waited;

	do {
		wait = local64_read(&time->wait);
		waited = wait;
		if (wait < -(s64)(time->created / 2))
			waited += lodge_tsc_ordered();
		smp_rmb();
	} while (wait != local64_read(&time->wait));
	return stats_ns(max_t(s64, waited, 0));
}

static void stats_raise(u64 *told, u64 now)
{
	*told = max(*told, now);
}

/*
 * The scheduler's sum lags, and the guest's time does not: the difference would step
 * back.  So could the others, by as much as CPUs' counters differ.
 */
void lodge_stats_times(struct lodge_vcpu *vcpu, struct lodge_stats_times *times)
{
	struct lodge_vcputime *time = &vcpu->time;
	struct lodge_stats_times *told = &time->told;
	struct lodge_threadtime thread;

	spin_lock(&time->lock);
	thread = threadtime_sum(time);
	stats_raise(&told->guest, stats_guest(vcpu));
	stats_raise(&told->wait, stats_wait(time));
	stats_raise(&told->host, thread.cpu - min(thread.cpu, told->guest));
	stats_raise(&told->steal, thread.delay);
	*times = *told;
	spin_unlock(&time->lock);
}
