// SPDX-License-Identifier: GPL-2.0
/*
 * The vCPU: its lifetime, and how others get its attention.
 */
#include <linux/slab.h>
#include <linux/smp.h>
#include <trace/events/ipi.h>

#include "apic.h"
#include "backend.h"
#include "emulate.h"
#include "emulation.h"
#include "fpu.h"
#include "lapic.h"
#include "msr.h"
#include "npt/npt.h"
#include "policy.h"
#include "request.h"
#include "state.h"
#include "user.h"
#include "vcpu.h"
#include "vm.h"

static atomic64_t lodge_vcpu_serial;

void lodge_vcpu_kick(struct lodge_vcpu *vcpu)
{
	int cpu, here;

	/* Its own thread looks before it waits or enters the guest. */
	if (in_task() && rcu_access_pointer(vcpu->thread) == current)
		return;
	if (rcuwait_wake_up(&vcpu->wait))
		return;
	here = get_cpu();
	cpu = READ_ONCE(vcpu->cpu);
	if (READ_ONCE(vcpu->mode) == LODGE_IN_GUEST && cpu != here)
		smp_send_reschedule(cpu);
	put_cpu();
}

/*
 * Setting the bit orders it before the read of the mode: see
 * lodge_vm_flush_tlbs().
 */
void lodge_vcpu_request(struct lodge_vcpu *vcpu, enum lodge_request request)
{
	if (!test_and_set_bit(request, &vcpu->requests))
		lodge_vcpu_kick(vcpu);
}

/* Bytes of kernel memory that a vCPU holds as long as others may find it. */
static u64 vcpu_lasting_memory(void)
{
	return sizeof(struct lodge_vcpu) + sizeof(struct lodge_apic);
}

/* The most that it holds on top of that until it ends. */
static u64 vcpu_running_memory(void)
{
	const struct lodge_npt_cache *cache;

	return LODGE_RUN_SIZE + sizeof(struct lodge_emulation) +
	       lodge_cpuid_memory() + lodge_msr_nr_stored * sizeof(u64) +
	       lodge_state_xsave_size() + ARRAY_SIZE(cache->table) * PAGE_SIZE +
	       lodge_backend->vcpu_size;
}

void lodge_vcpu_free(struct lodge_vcpu *vcpu)
{
	lodge_user_put_kernel(vcpu->vm->user, vcpu_lasting_memory());
	kfree(vcpu->apic);
	kfree(vcpu);
}

void lodge_vcpu_end(struct lodge_vcpu *vcpu)
{
	struct lodge_vm *vm = vcpu->vm;

	/* Whoever has found it and has its lock works on a complete one: see there. */
	mutex_lock(&vcpu->lock);
	WRITE_ONCE(vcpu->ended, true);
	mutex_unlock(&vcpu->lock);
	lodge_registry_changed();
	lodge_lapic_close(vcpu->apic);
	if (vcpu->backend)
		lodge_backend->vcpu_fini(vcpu);
	lodge_msr_free(vcpu);
	lodge_cpuid_free(vcpu);
	lodge_npt_cache_free(&vcpu->npt_cache);
	lodge_fpu_fini(vcpu);
	lodge_emulate_fini(vcpu);
	lodge_vcputime_fini(&vcpu->time);
	lodge_user_put_vcpu(vm->user, vcpu_running_memory());
	if (READ_ONCE(vm->vcpus[vcpu->id]) != vcpu)
		lodge_vcpu_free(vcpu);
	lodge_vm_put(vm);
}

/* Return: a vCPU that is zero but for what cannot fail, or an error pointer. */
static struct lodge_vcpu *lodge_vcpu_alloc(struct lodge_vm *vm, u32 id)
{
	u64 memory = vcpu_lasting_memory() + vcpu_running_memory();
	int error = lodge_user_get_vcpu(vm->user, memory);
	struct lodge_vcpu *vcpu;

	if (error)
		return ERR_PTR(error);
	vcpu = kzalloc(sizeof(*vcpu), GFP_KERNEL_ACCOUNT);
	if (!vcpu) {
		lodge_user_put_vcpu(vm->user, memory);
		return ERR_PTR(-ENOMEM);
	}
	vcpu->vm = lodge_vm_get(vm);
	vcpu->id = id;
	vcpu->serial = atomic64_inc_return(&lodge_vcpu_serial);
	vcpu->cpu = -1;
	vcpu->delivery.vcpu = vcpu;
	vcpu->delivery.regs = &vcpu->regs;
	vcpu->delivery.requests = &vcpu->requests;
	vcpu->delivery.stats = &vcpu->stats;
	lodge_vcputime_init(&vcpu->time);
	vcpu->tsc_offset = vm->tsc_offset;
	/* Translations that the TLB already has are another vCPU's. */
	vcpu->requests = BIT(LODGE_REQ_FLUSH);
	lodge_vcpu_unload(vcpu);
	mutex_init(&vcpu->lock);
	rcuwait_init(&vcpu->wait);
	return vcpu;
}

static int lodge_vcpu_init_apic(struct lodge_vcpu *vcpu)
{
	struct lodge_apic *apic = kzalloc(sizeof(*apic), GFP_KERNEL_ACCOUNT);

	if (!apic)
		return -ENOMEM;
	vcpu->apic = apic;
	vcpu->delivery.apic = apic;
	apic->vcpu = vcpu;
	apic->id = vcpu->id;
	apic->delivery = &vcpu->delivery;
	apic->bus = &vcpu->vm->apics;
	apic->base = &vcpu->regs.control.apic_base;
	apic->features = &vcpu->features;
	apic->requests = &vcpu->requests;
	apic->tsc = &vcpu->vm->tsc;
	apic->tsc_offset = &vcpu->tsc_offset;
	apic->watched = &vcpu->deadline;
	apic->by_processor = lodge_backend->has_timer;
	return lodge_lapic_init(apic);
}

/* The order matters: each step reads what those before it have set. */
static int lodge_vcpu_init(struct lodge_vcpu *vcpu)
{
	int error;

	if (lodge_fpu_init(vcpu))
		return -ENOMEM;
	error = lodge_emulate_init(vcpu);
	if (!error)
		error = lodge_cpuid_init(vcpu);
	if (!error)
		error = lodge_msr_init(vcpu);
	if (!error)
		error = lodge_vcpu_init_apic(vcpu);
	if (!error)
		error = lodge_backend->vcpu_init(vcpu);
	if (!error)
		lodge_state_reset(vcpu, false);
	return error;
}

struct lodge_vcpu *lodge_vcpu_new(struct lodge_vm *vm, u32 id, void *data)
{
	struct lodge_vcpu *vcpu;
	int error;

	lockdep_assert_held(&vm->lock);
	if (vm->vcpus[id])
		return ERR_PTR(-EEXIST);
	vcpu = lodge_vcpu_alloc(vm, id);
	if (IS_ERR(vcpu))
		return vcpu;
	vcpu->data = data;
	error = lodge_vcpu_init(vcpu);
	if (error) {
		lodge_vcpu_end(vcpu);
		return ERR_PTR(error);
	}
	return vcpu;
}

struct lodge_vcpu *lodge_vcpu_find(const struct lodge_vm *vm, u32 id)
{
	struct lodge_vcpu *vcpu = smp_load_acquire(&vm->vcpus[id]);

	return vcpu && !READ_ONCE(vcpu->ended) ? vcpu : NULL;
}

void lodge_vcpu_publish(struct lodge_vcpu *vcpu)
{
	struct lodge_vm *vm = vcpu->vm;

	lockdep_assert_held(&vm->lock);
	/* Whoever finds it in the table finds it complete. */
	smp_store_release(&vm->vcpus[vcpu->id], vcpu);
	WRITE_ONCE(vm->nr_vcpus, max(vm->nr_vcpus, vcpu->id + 1));
	lodge_irq_connect(&vm->apics, vcpu->apic);
	lodge_registry_changed();
}
