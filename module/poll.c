// SPDX-License-Identifier: GPL-2.0
/*
 * Halt polling: see poll.h.
 */
#include <linux/ktime.h>
#include <linux/moduleparam.h>
#include <linux/rcuwait.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/stat.h>
#include <asm/cpufeature.h>

#include "apic.h"
#include "compat.h"
#include "event.h"
#include "poll.h"
#include "trace.h"
#include "vcpu.h"

/*
 * A sleep and its wake-up, with the exit from the processor's first idle
 * states, cost about this.  Polling for as long as a sleep would cost never
 * costs more than twice the cheaper choice.
 */
#define LODGE_POLL_DEFAULT_NS 50000

static int poll_max_ns = -1;
module_param_named(halt_poll_ns, poll_max_ns, int, 0644);
MODULE_PARM_DESC(
	halt_poll_ns,
	"longest time a halted vCPU polls before it sleeps, ns; 0: none; -1: 50000, or 0 where the host is itself a guest (-1)");

/*
 * A host that is a guest seems busy to its own hypervisor while it polls, and so
 * takes time from others, perhaps from the very one that would end the wait.
 */
static u32 lodge_poll_max(void)
{
	int max = READ_ONCE(poll_max_ns);

	if (max >= 0)
		return min(max, LODGE_POLL_LIMIT_NS);
	return boot_cpu_has(X86_FEATURE_HYPERVISOR) ? 0 : LODGE_POLL_DEFAULT_NS;
}

/* Any request ends a wait: a sender whose request is set already does not kick. */
static bool lodge_poll_ends(struct lodge_vcpu *vcpu)
{
	return lodge_event_wakes(&vcpu->delivery) ||
	       READ_ONCE(vcpu->requests) || __xfer_to_guest_mode_work_pending();
}

/*
 * Return: true if the wait is over.  The processor is not kept from another thread
 * that could use it.
 */
static bool lodge_poll(struct lodge_vcpu *vcpu, u64 end)
{
	do {
		if (lodge_poll_ends(vcpu))
			return true;
		cpu_relax();
	} while (single_task_running() && !need_resched() &&
		 ktime_get_ns() < end);
	return false;
}

void lodge_poll_wait(struct lodge_vcpu *vcpu)
{
	const u32 max = lodge_poll_max();
	const u32 window = min(vcpu->poll_window, max);
	const u64 begin = max ? ktime_get_ns() : 0;
	bool polled;
	u64 waited, slept;

	if (vcpu->delivery.mp_state == LODGE_MP_HALTED)
		lodge_count_halt(&vcpu->stats);
	slept = lodge_vcputime_sleep(&vcpu->time);
	/* From here on the timer comes by an interrupt, also while polling. */
	lodge_lapic_sleep(vcpu->apic);
	polled = window && lodge_poll(vcpu, begin + window);
	if (!polled)
		rcuwait_wait_event(&vcpu->wait, lodge_poll_ends(vcpu),
				   TASK_INTERRUPTIBLE);
	lodge_lapic_wake(vcpu->apic);
	lodge_vcputime_wake(&vcpu->time, slept);
	lodge_count_wait(&vcpu->stats, window, !polled);

	waited = max ? ktime_get_ns() - begin : 0;
	vcpu->poll_window = lodge_poll_next(window, waited, max);
	trace_lodge_halt(vcpu->id, polled, window, waited);
}
