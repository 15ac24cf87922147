// SPDX-License-Identifier: GPL-2.0
/*
 * The VM and its lifetime.
 *
 * A VM lives as long as who has made it, or one of its vCPUs, holds a reference.  A
 * vCPU that has ended gives up all that it takes to run; what others may reach lives
 * as long as its VM, so that interrupts can be sent without a lock.
 */
#include <linux/cpumask.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include "apic.h"
#include "backend.h"
#include "hold.h"
#include "hw.h"
#include "iobus.h"
#include "ioeventfd.h"
#include "irqfd.h"
#include "mem.h"
#include "msr.h"
#include "notify.h"
#include "pv.h"
#include "request.h"
#include "slots.h"
#include "tsc.h"
#include "user.h"
#include "vcpu.h"
#include "vm.h"

/* The most stops that are told in a time, in jiffies. */
#define LODGE_VM_STOPS 20
#define LODGE_VM_STOPS_TIME (5 * HZ)

/* Bytes of kernel memory that a VM holds, with the most slots that it may have. */
static u64 lodge_vm_kernel(void)
{
	return sizeof(struct lodge_vm) + cpumask_size() +
	       sizeof(struct lodge_slots) +
	       LODGE_MAX_SLOTS * sizeof(struct lodge_slot);
}

static void lodge_vm_destroy(struct lodge_vm *vm)
{
	unsigned int i;

	lodge_registry_remove(vm);
	lodge_irqfd_fini(vm);
	lodge_iobus_fini(vm);
	/* The notifier goes before the vCPUs: it reads slots and flushes them. */
	lodge_mem_fini(vm);
	for (i = 0; i < LODGE_MAX_VCPUS; i++)
		if (vm->vcpus[i])
			lodge_vcpu_free(vm->vcpus[i]);
	free_cpumask_var(vm->flush_mask);
	lodge_identity_fini(&vm->identity);
	lodge_user_put_vm(vm->user, lodge_vm_kernel());
	kvfree(vm);
	lodge_hw_put();
}

static void lodge_vm_release_ref(struct kref *ref)
{
	lodge_vm_destroy(container_of(ref, struct lodge_vm, ref));
}

struct lodge_vm *lodge_vm_get(struct lodge_vm *vm)
{
	kref_get(&vm->ref);
	return vm;
}

void lodge_vm_put(struct lodge_vm *vm)
{
	kref_put(&vm->ref, lodge_vm_release_ref);
}

/* The first reason counts. */
static void lodge_vm_stop(struct lodge_vm *vm, enum lodge_vm_state state)
{
	unsigned int i;

	if (cmpxchg(&vm->state, LODGE_VM_ALIVE, state) != LODGE_VM_ALIVE)
		return;
	lodge_notify_vm(vm, state == LODGE_VM_KILLED ? LODGE_NEWS_VM_KILLED :
						       LODGE_NEWS_VM_BROKEN);
	for (i = 0; i < READ_ONCE(vm->nr_vcpus); i++) {
		struct lodge_vcpu *vcpu = READ_ONCE(vm->vcpus[i]);

		if (vcpu)
			lodge_vcpu_request(vcpu, LODGE_REQ_KICK);
	}
}

void lodge_vm_kill(struct lodge_vm *vm)
{
	lodge_vm_stop(vm, LODGE_VM_KILLED);
}

void lodge_vm_break(struct lodge_vm *vm)
{
	lodge_vm_stop(vm, LODGE_VM_BROKEN);
}

int lodge_vm_usable(const struct lodge_vm *vm)
{
	return vm->mm == current->mm ? lodge_vm_error(vm) : -EIO;
}

static void lodge_vm_flush_ack(void *unused)
{
}

/*
 * The request is set before the mode is read; a vCPU sets its mode before it
 * reads requests.  So either it sees the request or it is interrupted here.  A vCPU
 * that is published too late to be found reads the tables as they are by now.
 */
void lodge_vm_flush_tlbs(struct lodge_vm *vm)
{
	unsigned int i;

	lockdep_assert_held(&vm->npt_lock);
	preempt_disable();
	cpumask_clear(vm->flush_mask);
	/* The tables were changed by plain stores. */
	smp_mb();
	for (i = 0; i < READ_ONCE(vm->nr_vcpus); i++) {
		struct lodge_vcpu *vcpu = READ_ONCE(vm->vcpus[i]);

		if (!vcpu)
			continue;
		set_bit(LODGE_REQ_FLUSH, &vcpu->requests);
		smp_mb__after_atomic();
		if (READ_ONCE(vcpu->mode) == LODGE_IN_GUEST)
			cpumask_set_cpu(READ_ONCE(vcpu->cpu), vm->flush_mask);
	}
	smp_call_function_many(vm->flush_mask, lodge_vm_flush_ack, NULL, true);
	preempt_enable();
}

static bool lodge_vm_has_run(const struct lodge_vm *vm)
{
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++)
		if (vm->vcpus[i] && READ_ONCE(vm->vcpus[i]->has_run))
			return true;
	return false;
}

/* Its descriptor may be closed meanwhile, which takes the lock, too. */
static int lodge_vm_scale_vcpu(const struct lodge_vm *vm,
			       struct lodge_vcpu *vcpu)
{
	if (mutex_lock_killable(&vcpu->lock))
		return -EINTR;
	if (!vcpu->ended) {
		lodge_backend->tsc_scale(vcpu);
		lodge_msr_set_tsc_offset(vcpu, vm->tsc_offset);
	}
	mutex_unlock(&vcpu->lock);
	return 0;
}

static int lodge_vm_scale_tsc(struct lodge_vm *vm,
			      const struct lodge_tsc_scale *tsc)
{
	unsigned int i;
	int error = 0;

	vm->tsc = *tsc;
	vm->tsc_offset = -lodge_tsc_scaled(tsc, lodge_tsc_ordered());
	for (i = 0; i < vm->nr_vcpus && !error; i++) {
		struct lodge_vcpu *vcpu = lodge_vcpu_find(vm, i);

		if (vcpu)
			error = lodge_vm_scale_vcpu(vm, vcpu);
	}
	return error;
}

long lodge_vm_set_tsc_rate(struct lodge_vm *vm,
			   const struct lodge_tsc_rate *rate)
{
	struct lodge_tsc_scale tsc;
	long error;

	if (rate->flags)
		return -EINVAL;
	error = lodge_tsc_scale_init(&tsc, rate->khz, lodge_backend->tsc_shift,
				     lodge_backend->tsc_bits);
	if (!error)
		error = lodge_hold_begin(vm);
	if (error)
		return error;
	if (lodge_vm_has_run(vm))
		error = -EBUSY;
	else
		error = lodge_vm_scale_tsc(vm, &tsc);
	lodge_hold_end(vm);
	return error;
}

static int lodge_vm_init(struct lodge_vm *vm, const char *name)
{
	int error;

	kref_init(&vm->ref);
	mutex_init(&vm->lock);
	spin_lock_init(&vm->npt_lock);
	vm->mm = current->mm;
	lodge_ioeventfd_init(&vm->ioeventfds);
	lodge_irqfd_init(&vm->irqfds);
	lodge_identity_init(&vm->identity);
	ratelimit_state_init(&vm->stops, LODGE_VM_STOPS_TIME, LODGE_VM_STOPS);
	/* Nobody is told of what is left out. */
	ratelimit_set_flags(&vm->stops, RATELIMIT_MSG_ON_RELEASE);
	/* The guest's TSC starts at zero, and its clock with it. */
	vm->tsc.khz = tsc_khz;
	vm->tsc_offset = -lodge_tsc_ordered();
	if (!zalloc_cpumask_var(&vm->flush_mask, GFP_KERNEL_ACCOUNT))
		return -ENOMEM;
	lodge_pv_clock_init(vm);
	if (lodge_backend->vm_init)
		lodge_backend->vm_init();
	error = lodge_mem_init(vm);
	if (error)
		return error;
	/* Last: from then on others find it. */
	return lodge_registry_add(vm, name);
}

/* Return: a VM that is zero but for its user, or an error pointer. */
static struct lodge_vm *lodge_vm_alloc(void)
{
	const struct lodge_owner owner = lodge_owner_current();
	struct lodge_user *user = lodge_user_get_vm(
		lodge_owner_host_uid(&owner), lodge_vm_kernel());
	struct lodge_vm *vm;

	if (IS_ERR(user))
		return ERR_CAST(user);
	vm = kvzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	if (!vm) {
		lodge_user_put_vm(user, lodge_vm_kernel());
		return ERR_PTR(-ENOMEM);
	}
	vm->user = user;
	return vm;
}

struct lodge_vm *lodge_vm_new(const char *name)
{
	struct lodge_vm *vm;
	int error;

	if (!lodge_name_valid(name))
		return ERR_PTR(-EINVAL);
	/* The clock and the timers divide by it. */
	if (!tsc_khz)
		return ERR_PTR(-ENODEV);
	error = lodge_hw_get();
	if (error)
		return ERR_PTR(error);
	vm = lodge_vm_alloc();
	if (IS_ERR(vm)) {
		lodge_hw_put();
		return vm;
	}
	error = lodge_vm_init(vm, name);
	if (error) {
		lodge_vm_put(vm);
		return ERR_PTR(error);
	}
	return vm;
}
