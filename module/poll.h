/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Halt polling: a halted vCPU polls for a while, and then sleeps.
 *
 * A sleep and its wake-up cost some microseconds, and more where the processor goes
 * to a deep state.  An interrupt that comes sooner than that is cheaper to poll for.
 * The time of the last waits decides how long a vCPU polls.
 */
#ifndef LODGE_POLL_H
#define LODGE_POLL_H

#include "pure.h"

struct lodge_vcpu;

/* The first window; a shrinking one ends below it. */
#define LODGE_POLL_START_NS 10000
/* No parameter makes a thread poll longer. */
#define LODGE_POLL_LIMIT_NS 1000000

/**
 * lodge_poll_next() - how long to poll at the next wait
 * @window: how long it was at this one, ns
 * @waited: from the start of the wait until something woke the vCPU, ns
 * @max: the longest window; 0: none
 *
 * A window that was long enough stays.  It doubles after a wait that a longer one
 * would have covered, and halves after one that none would have.
 */
static inline u32 lodge_poll_next(u32 window, u64 waited, u32 max)
{
	if (window > max)
		window = max;
	if (waited <= window)
		return window;
	if (waited > max)
		return window / 2 < LODGE_POLL_START_NS ? 0 : window / 2;
	if (window > max / 2)
		return max;
	if (window)
		return 2 * window;
	return max < LODGE_POLL_START_NS ? max : LODGE_POLL_START_NS;
}

/**
 * lodge_poll_wait() - wait until something wakes the vCPU, or a signal comes
 *
 * Called by the owner, with interrupts on.
 */
void lodge_poll_wait(struct lodge_vcpu *vcpu);

#endif
