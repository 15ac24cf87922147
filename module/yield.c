// SPDX-License-Identifier: GPL-2.0
/*
 * Directed yield: see yield.h.
 */
#include <linux/nospec.h>
#include <linux/rcupdate.h>
#include <linux/rcuwait.h>
#include <linux/sched.h>
#include <linux/sched/task.h>

#include "vcpu.h"
#include "vm.h"
#include "yield.h"

/* After so many processors with nobody waiting, the others count as idle, too. */
#define LODGE_YIELD_TRIES 3

/* True if the vCPU's thread is neither in the guest nor asleep in HLT. */
static bool lodge_yield_may_wait(struct lodge_vcpu *vcpu)
{
	return READ_ONCE(vcpu->mode) != LODGE_IN_GUEST &&
	       !rcuwait_active(&vcpu->wait);
}

/* Return: as yield_to(), which knows whether the thread runs. */
static int lodge_yield_to(struct lodge_vcpu *vcpu)
{
	struct task_struct *thread;
	int answer = 0;

	/* The thread clears vcpu->thread before it can end. */
	rcu_read_lock();
	thread = rcu_dereference(vcpu->thread);
	if (thread)
		get_task_struct(thread);
	rcu_read_unlock();
	if (!thread)
		return 0;
	answer = yield_to(thread, true);
	put_task_struct(thread);
	return answer;
}

void lodge_yield(struct lodge_vcpu *vcpu)
{
	struct lodge_vm *vm = vcpu->vm;
	u32 nr = READ_ONCE(vm->nr_vcpus), id = READ_ONCE(vm->yield_turn), i;
	unsigned int tries = LODGE_YIELD_TRIES;
	struct lodge_vcpu *other;
	int answer;

	/* Each in its turn: which one holds the lock is not known. */
	for (i = 0; i < nr; i++) {
		id = id + 1 < nr ? id + 1 : 0;
		id = array_index_nospec(id, LODGE_MAX_VCPUS);
		other = READ_ONCE(vm->vcpus[id]);
		if (!other || other == vcpu || !lodge_yield_may_wait(other))
			continue;
		answer = lodge_yield_to(other);
		if (answer > 0) {
			WRITE_ONCE(vm->yield_turn, id);
			return;
		}
		if (answer == -ESRCH && !--tries)
			break;
	}
	yield();
}
