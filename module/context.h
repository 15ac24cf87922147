/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tells the kernel that a guest is entered: see guest_state_enter_irqoff().
 */
#ifndef LODGE_CONTEXT_H
#define LODGE_CONTEXT_H

#include <linux/context_tracking.h>
#include <linux/ftrace.h>
#include <linux/instrumentation.h>
#include <linux/irqflags.h>
#include <linux/jiffies.h>
#include <linux/kvm_host.h>

/**
 * lodge_context_enter() - guest_state_enter_irqoff(), with RCU told once a tick
 * @told: the vCPU's own: jiffies when RCU was told last
 *
 * Running a guest is a quiescent state, and to report it takes longer than all else
 * that an entry does in C.  For a grace period, the first report after its start is
 * enough, and a CPU that has the tick comes by here after each one.  Where the
 * kernel tracks contexts, because a CPU may have no tick, each entry reports.
 */
static __always_inline void lodge_context_enter(unsigned long *told)
{
	unsigned long now = READ_ONCE(jiffies);

	if (*told != now || context_tracking_enabled_this_cpu()) {
		*told = now;
		guest_state_enter_irqoff();
		return;
	}
	instrumentation_begin();
	trace_hardirqs_on_prepare();
	lockdep_hardirqs_on_prepare();
	instrumentation_end();
	lockdep_hardirqs_on(CALLER_ADDR0);
}

#endif
