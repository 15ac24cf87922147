// SPDX-License-Identifier: GPL-2.0
/*
 * Holding a VM's vCPUs: see hold.h.
 *
 * vm->holds is raised before a vCPU is asked to leave.  LODGE_RUN reads it first, under
 * vcpu->lock: so whoever has had that lock after the rise has seen the last run that
 * began before it, and each later one sees the rise.
 */
#include <linux/atomic.h>
#include <linux/limits.h>
#include <linux/mutex.h>

#include "hold.h"
#include "request.h"
#include "vcpu.h"
#include "vm.h"

static int hold_wait(struct lodge_vm *vm)
{
	unsigned int i;

	for (i = 0; i < READ_ONCE(vm->nr_vcpus); i++) {
		struct lodge_vcpu *vcpu = lodge_vcpu_find(vm, i);

		if (!vcpu)
			continue;
		if (mutex_lock_killable(&vcpu->lock))
			return -EINTR;
		mutex_unlock(&vcpu->lock);
	}
	return 0;
}

long lodge_hold_begin(struct lodge_vm *vm)
{
	unsigned int i;
	int error;

	/* A full barrier: a vCPU that is not found below sees it in its first run. */
	if (!atomic_add_unless(&vm->holds, 1, INT_MAX))
		return -EOVERFLOW;
	for (i = 0; i < READ_ONCE(vm->nr_vcpus); i++) {
		struct lodge_vcpu *vcpu = lodge_vcpu_find(vm, i);

		if (vcpu)
			lodge_vcpu_request(vcpu, LODGE_REQ_HOLD);
	}
	error = hold_wait(vm);
	if (error)
		lodge_hold_end(vm);
	return error;
}

void lodge_hold_end(struct lodge_vm *vm)
{
	atomic_dec(&vm->holds);
}

long lodge_hold_user(struct lodge_vm *vm)
{
	long error = lodge_hold_begin(vm);

	if (!error)
		atomic_inc(&vm->user_holds);
	return error;
}

long lodge_hold_release(struct lodge_vm *vm)
{
	if (atomic_dec_if_positive(&vm->user_holds) < 0)
		return -EINVAL;
	lodge_hold_end(vm);
	return 0;
}

void lodge_hold_release_all(struct lodge_vm *vm)
{
	atomic_sub(atomic_xchg(&vm->user_holds, 0), &vm->holds);
}
