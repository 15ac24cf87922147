// SPDX-License-Identifier: GPL-2.0
/*
 * The local APIC's timer: one-shot, periodic and TSC-deadline.
 *
 * A host timer runs for it.  The bus clock is 1 GHz, so that a count lasts the
 * divisor in nanoseconds; the current count is worked out when it is read.
 *
 * A deadline that comes later than the one for which the host timer is queued
 * leaves that timer alone: when it expires it finds that the time has not come
 * and queues itself anew.  So a guest that puts its next event off, as guests
 * mostly do, costs no host timer operation, and an interrupt is never early.
 *
 * If the processor can leave the guest at a given time (@by_processor), it
 * watches the deadline, which then stands in *apic->watched too; the host's timer
 * does that only while the vCPU sleeps, and lets an expiry at another time pass.
 *
 * A periodic timer's host timer rests after each tick, until the guest has taken
 * that tick's interrupt, and while its LVT entry is masked: whatever ticks would
 * come meanwhile merge with the pending one, or interrupt nobody.  So a vCPU
 * that no thread runs costs the host one tick at most.
 *
 * Intel SDM vol. 3, section 10.5.4; AMD APM vol. 2, section 16.4.1.
 */
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/time64.h>
#include <asm/barrier.h>
#include <asm/tsc.h>

#include "apic.h"
#include "compat.h"
#include "lapic.h"
#include "tsc.h"

/* A guest may not keep the host busy with shorter periods. */
#define TIMER_MIN_PERIOD (200 * NSEC_PER_USEC)
/* The longest that the host timer is queued for; it then looks again. */
#define TIMER_MAX_MSEC (86400ULL * MSEC_PER_SEC)

static u32 lapic_timer_mode(const struct lodge_apic *apic)
{
	return READ_ONCE(apic->lvt[LAPIC_LVT_TIMER]) & LAPIC_TIMER_MODE;
}

static bool lapic_mode_counts(u32 mode)
{
	return mode == APIC_LVT_TIMER_ONESHOT ||
	       mode == APIC_LVT_TIMER_PERIODIC;
}

/* Binary logarithm of the divisor: the code 0 is 2, 6 is 128, 7 is 1. */
static u32 lapic_timer_shift(const struct lodge_apic *apic)
{
	u32 code = (apic->divide & 3) | (apic->divide & 8) >> 1;

	return (code + 1) & 7;
}

static u64 lapic_timer_ns(const struct lodge_apic *apic, u32 count)
{
	return (u64)count << lapic_timer_shift(apic);
}

/* The time until the guest's TSC gets to @deadline, ns; 0: it is there. */
static u64 lapic_deadline_wait(const struct lodge_apic *apic, u64 deadline)
{
	u64 now = lodge_tsc_scaled(apic->tsc, lodge_tsc()) +
		  READ_ONCE(*apic->tsc_offset);
	const u32 khz = READ_ONCE(apic->tsc->khz);
	u64 left;

	if (deadline <= now)
		return 0;
	left = min(deadline - now, TIMER_MAX_MSEC * khz);
	return mul_u64_u32_div(left, NSEC_PER_MSEC, khz) + 1;
}

static enum hrtimer_restart lapic_deadline_expired(struct lodge_apic *apic)
{
	u64 deadline, wait;

	/*
	 * The timer is off its queue, and only then the deadlines are read; the
	 * owner writes them first and then looks at the queue.
	 */
	smp_mb();
	deadline = READ_ONCE(apic->deadline);
	if (!deadline || READ_ONCE(*apic->watched))
		return HRTIMER_NORESTART;
	wait = lapic_deadline_wait(apic, deadline);
	if (!wait) {
		/* In this order: whoever finds no deadline finds the interrupt. */
		lodge_lapic_local(apic, LAPIC_LVT_TIMER);
		cmpxchg(&apic->deadline, deadline, 0);
		return HRTIMER_NORESTART;
	}
	WRITE_ONCE(apic->armed, deadline);
	hrtimer_set_expires(&apic->timer, ktime_add_ns(ktime_get(), wait));
	return HRTIMER_RESTART;
}

static enum hrtimer_restart lapic_timer_expired(struct hrtimer *timer)
{
	struct lodge_apic *apic = container_of(timer, struct lodge_apic, timer);

	if (lapic_timer_mode(apic) == APIC_LVT_TIMER_TSCDEADLINE)
		return lapic_deadline_expired(apic);
	/* Off its queue first, then the LVT entry: see lodge_lapic_timer_tick(). */
	smp_mb();
	lodge_lapic_local(apic, LAPIC_LVT_TIMER);
	return HRTIMER_NORESTART;
}

/* Pinned: the owner arms it, and there the vCPU will most likely be running. */
static void lapic_timer_queue(struct lodge_apic *apic, u64 expires)
{
	hrtimer_start(&apic->timer, ns_to_ktime(expires),
		      HRTIMER_MODE_ABS_PINNED_HARD);
}

static void lapic_deadline_store(struct lodge_apic *apic, u64 deadline)
{
	WRITE_ONCE(apic->deadline, deadline);
	if (apic->by_processor)
		WRITE_ONCE(*apic->watched, deadline);
}

/*
 * Stop the host's timer, and raise the interrupt if its time has come.
 *
 * Return: how long it is still to wait, ns; 0: there is no deadline any more.
 */
static u64 lapic_deadline_settle(struct lodge_apic *apic)
{
	u64 wait = 0;

	hrtimer_cancel(&apic->timer);
	/* Before it was cancelled it may have fired for this very deadline. */
	if (apic->deadline) {
		wait = lapic_deadline_wait(apic, apic->deadline);
		if (!wait)
			lodge_lapic_local(apic, LAPIC_LVT_TIMER);
	}
	if (!wait)
		lapic_deadline_store(apic, 0);
	return wait;
}

/* Have the host's timer watch the deadline, which has just been written. */
static void lapic_deadline_queue(struct lodge_apic *apic)
{
	u64 wait;

	/* Pairs with lapic_deadline_expired(). */
	smp_mb();
	if (hrtimer_is_queued(&apic->timer)) {
		smp_rmb();
		if (READ_ONCE(apic->armed) <= apic->deadline)
			return;
	}
	wait = lapic_deadline_settle(apic);
	if (!wait)
		return;
	apic->armed = apic->deadline;
	lapic_timer_queue(apic, ktime_get_ns() + wait);
}

/*
 * The timer of lapic_timer_expired() leaves its queue before it looks at the LVT
 * entry and at the request; the owner has changed one of these before it looks at
 * the queue.  So the tick finds the change, or the owner the timer at rest.
 */
void lodge_lapic_timer_tick(struct lodge_apic *apic)
{
	u64 rest;

	smp_mb();
	if (!apic->period || hrtimer_is_queued(&apic->timer) ||
	    READ_ONCE(apic->lvt[LAPIC_LVT_TIMER]) & APIC_LVT_MASKED)
		return;
	div64_u64_rem(ktime_get_ns() - apic->start, apic->period, &rest);
	lapic_timer_queue(apic, ktime_get_ns() + apic->period - rest);
}

/* The time until the counter is zero, ns; @waiting: the host timer has not fired. */
static u64 lapic_left(const struct lodge_apic *apic, bool waiting)
{
	u64 elapsed;

	if (!apic->period)
		return 0;
	elapsed = ktime_get_ns() - apic->start;
	if (elapsed >= apic->period) {
		if (lapic_timer_mode(apic) != APIC_LVT_TIMER_PERIODIC)
			return waiting;
		div64_u64_rem(elapsed, apic->period, &elapsed);
	}
	return apic->period - elapsed;
}

u32 lodge_lapic_timer_count_of(const struct lodge_apic *apic, u64 left)
{
	left += lapic_timer_ns(apic, 1) - 1;
	return min_t(u64, left >> lapic_timer_shift(apic), apic->initial_count);
}

static u32 lapic_count_stop(struct lodge_apic *apic)
{
	bool waiting = hrtimer_cancel(&apic->timer);

	return lodge_lapic_timer_count_of(apic, lapic_left(apic, waiting));
}

static u64 lapic_period(const struct lodge_apic *apic)
{
	u64 period = lapic_timer_ns(apic, apic->initial_count);

	if (lapic_timer_mode(apic) == APIC_LVT_TIMER_PERIODIC)
		period = max_t(u64, period, TIMER_MIN_PERIOD);
	return period;
}

static void lapic_resume(struct lodge_apic *apic, u64 left)
{
	apic->period = lapic_period(apic);
	apic->start = ktime_get_ns() + left - apic->period;
	lapic_timer_queue(apic, apic->start + apic->period);
}

static void lapic_count_resume(struct lodge_apic *apic, u32 count)
{
	u32 done;

	count = min(count, apic->initial_count);
	if (!count) {
		apic->period = 0;
		return;
	}
	done = apic->initial_count - count;
	lapic_resume(apic, lapic_period(apic) - lapic_timer_ns(apic, done));
}

void lodge_lapic_timer_init(struct lodge_apic *apic)
{
	hrtimer_setup(&apic->timer, lapic_timer_expired, CLOCK_MONOTONIC,
		      HRTIMER_MODE_ABS_HARD);
}

void lodge_lapic_timer_stop(struct lodge_apic *apic)
{
	hrtimer_cancel(&apic->timer);
	apic->period = 0;
	lapic_deadline_store(apic, 0);
}

u64 lodge_lapic_timer_left(const struct lodge_apic *apic)
{
	return lapic_left(apic, hrtimer_active(&apic->timer));
}

u32 lodge_lapic_timer_count(const struct lodge_apic *apic)
{
	return lodge_lapic_timer_count_of(apic, lodge_lapic_timer_left(apic));
}

void lodge_lapic_timer_set_lvt(struct lodge_apic *apic, u32 value)
{
	u32 *lvt = &apic->lvt[LAPIC_LVT_TIMER];
	u32 mode = value & LAPIC_TIMER_MODE;
	u32 count;

	if (mode == lapic_timer_mode(apic)) {
		WRITE_ONCE(*lvt, value);
		if (mode == APIC_LVT_TIMER_PERIODIC)
			lodge_lapic_timer_tick(apic);
		return;
	}
	count = lapic_count_stop(apic);
	if (lapic_mode_counts(mode) &&
	    lapic_mode_counts(lapic_timer_mode(apic))) {
		WRITE_ONCE(*lvt, value);
		lapic_count_resume(apic, count);
		return;
	}
	WRITE_ONCE(*lvt, value);
	apic->initial_count = 0;
	apic->period = 0;
	lapic_deadline_store(apic, 0);
}

void lodge_lapic_timer_set_count(struct lodge_apic *apic, u32 value)
{
	if (!lapic_mode_counts(lapic_timer_mode(apic)))
		return;
	hrtimer_cancel(&apic->timer);
	apic->initial_count = value;
	lapic_count_resume(apic, value);
}

void lodge_lapic_timer_set_divide(struct lodge_apic *apic, u32 value)
{
	u32 count;

	if (!lapic_mode_counts(lapic_timer_mode(apic))) {
		apic->divide = value;
		return;
	}
	count = lapic_count_stop(apic);
	apic->divide = value;
	lapic_count_resume(apic, count);
}

void lodge_lapic_timer_set_deadline(struct lodge_apic *apic, u64 value)
{
	if (lapic_timer_mode(apic) != APIC_LVT_TIMER_TSCDEADLINE)
		return;
	lapic_deadline_store(apic, value);
	if (value && !apic->by_processor)
		lapic_deadline_queue(apic);
}

void lodge_lapic_sleep(struct lodge_apic *apic)
{
	if (!*apic->watched)
		return;
	WRITE_ONCE(*apic->watched, 0);
	lapic_deadline_queue(apic);
}

/* The host's timer may have made the deadline zero, or be about to. */
void lodge_lapic_wake(struct lodge_apic *apic)
{
	if (apic->by_processor)
		WRITE_ONCE(*apic->watched, READ_ONCE(apic->deadline));
}

void lodge_lapic_deadline(struct lodge_apic *apic)
{
	if (*apic->watched)
		lapic_deadline_settle(apic);
}

void lodge_lapic_timer_load(struct lodge_apic *apic, u32 initial_count,
			    u32 divide, u32 count, u64 left)
{
	lodge_lapic_timer_stop(apic);
	apic->initial_count = initial_count;
	apic->divide = divide;
	if (!lapic_mode_counts(lapic_timer_mode(apic)))
		return;
	if (left && initial_count)
		lapic_resume(apic, min(left, lapic_period(apic)));
	else
		lapic_count_resume(apic, count);
}

void lodge_lapic_tsc_changed(struct lodge_apic *apic)
{
	if (!apic || lapic_timer_mode(apic) != APIC_LVT_TIMER_TSCDEADLINE)
		return;
	/* The guest's TSC reaches the deadline at another time now. */
	hrtimer_cancel(&apic->timer);
	if (!apic->by_processor)
		lapic_deadline_queue(apic);
}
