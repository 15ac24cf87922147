// SPDX-License-Identifier: GPL-2.0
/*
 * The VM: its file, its calls, its lifetime.
 *
 * A VM lives as long as its file or one of its vCPUs' files is open.  A vCPU that
 * is closed gives up all that it takes to run; what others may reach lives as long
 * as its VM, so that interrupts can be sent without a lock.
 */
#include <linux/anon_inodes.h>
#include <linux/cpumask.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include "apic.h"
#include "hw.h"
#include "ioctl.h"
#include "mem.h"
#include "pv.h"
#include "tsc.h"
#include "user.h"
#include "vm.h"

static void lodge_vm_destroy(struct lodge_vm *vm)
{
	unsigned int i;

	/* The notifier goes first: it reads slots and flushes vCPUs. */
	lodge_iobus_fini(vm);
	lodge_mem_fini(vm);
	for (i = 0; i < LODGE_MAX_VCPUS; i++)
		if (vm->vcpus[i])
			lodge_vcpu_free(vm->vcpus[i]);
	free_cpumask_var(vm->flush_mask);
	lodge_user_put_vm(vm->user);
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

void lodge_vm_kill(struct lodge_vm *vm)
{
	unsigned int i;

	WRITE_ONCE(vm->dead, true);
	for (i = 0; i < READ_ONCE(vm->nr_vcpus); i++) {
		struct lodge_vcpu *vcpu = READ_ONCE(vm->vcpus[i]);

		if (vcpu)
			lodge_vcpu_request(vcpu, LODGE_REQ_KICK);
	}
}

int lodge_vm_usable(const struct lodge_vm *vm)
{
	if (vm->mm != current->mm || READ_ONCE(vm->dead))
		return -EIO;
	return 0;
}

static void lodge_vm_flush_ack(void *unused)
{
}

/*
 * The request is set before the mode is read; a vCPU sets its mode before it
 * reads requests.  So either it sees the request or it is interrupted here.
 */
void lodge_vm_flush_tlbs(struct lodge_vm *vm)
{
	unsigned int i;

	lockdep_assert_held(&vm->npt_lock);
	preempt_disable();
	cpumask_clear(vm->flush_mask);
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

static long lodge_vm_call_memory(void *object, void *argument)
{
	return lodge_mem_set(object, argument);
}

static long lodge_vm_call_vcpu(void *object, void *argument)
{
	const struct lodge_vcpu_create *create = argument;

	if (create->flags || create->id >= LODGE_MAX_VCPUS)
		return -EINVAL;
	return lodge_vcpu_create(object, create->id);
}

static long lodge_vm_call_msi(void *object, void *argument)
{
	return lodge_irq_msi(object, argument);
}

static long lodge_vm_call_get_clock(void *object, void *argument)
{
	struct lodge_clock *clock = argument;

	if (clock->flags)
		return -EINVAL;
	clock->ns = lodge_pv_clock_now(object, &clock->host_tsc);
	clock->host_tsc = lodge_tsc_to_user(clock->host_tsc);
	return 0;
}

static long lodge_vm_call_set_clock(void *object, void *argument)
{
	const struct lodge_clock *clock = argument;

	if (clock->flags)
		return -EINVAL;
	return lodge_pv_clock_set(object, clock->ns, clock->host_tsc);
}

static const struct lodge_call lodge_vm_calls[] = {
	LODGE_CALL(LODGE_SEND_MSI, lodge_msi, false, lodge_vm_call_msi),
	LODGE_CALL(LODGE_SET_MEMORY, lodge_memory, true, lodge_vm_call_memory),
	LODGE_CALL(LODGE_CREATE_VCPU, lodge_vcpu_create, true,
		   lodge_vm_call_vcpu),
	LODGE_CALL(LODGE_GET_CLOCK, lodge_clock, true, lodge_vm_call_get_clock),
	LODGE_CALL(LODGE_SET_CLOCK, lodge_clock, true, lodge_vm_call_set_clock),
};

static long lodge_vm_ioctl(struct file *file, unsigned int cmd,
			   unsigned long argument)
{
	struct lodge_vm *vm = file->private_data;
	int error = lodge_vm_usable(vm);

	if (error)
		return error;
	return lodge_ioctl(lodge_vm_calls, ARRAY_SIZE(lodge_vm_calls), vm,
			   &vm->lock, cmd, argument);
}

static int lodge_vm_release(struct inode *inode, struct file *file)
{
	lodge_vm_put(file->private_data);
	return 0;
}

static const struct file_operations lodge_vm_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = lodge_vm_ioctl,
	.compat_ioctl = lodge_vm_ioctl,
	.release = lodge_vm_release,
	.llseek = noop_llseek,
};

static int lodge_vm_init(struct lodge_vm *vm)
{
	kref_init(&vm->ref);
	mutex_init(&vm->lock);
	spin_lock_init(&vm->npt_lock);
	vm->mm = current->mm;
	/* The guest's TSC starts at zero, and its clock with it. */
	vm->tsc_offset = -lodge_tsc_ordered();
	if (!zalloc_cpumask_var(&vm->flush_mask, GFP_KERNEL_ACCOUNT))
		return -ENOMEM;
	lodge_pv_clock_init(vm);
	if (lodge_backend->vm_init)
		lodge_backend->vm_init();
	return lodge_mem_init(vm);
}

/* Return: a VM that is zero but for its user, or an error pointer. */
static struct lodge_vm *lodge_vm_alloc(void)
{
	struct lodge_user *user = lodge_user_get_vm();
	struct lodge_vm *vm;

	if (IS_ERR(user))
		return ERR_CAST(user);
	vm = kvzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	if (!vm) {
		lodge_user_put_vm(user);
		return ERR_PTR(-ENOMEM);
	}
	vm->user = user;
	return vm;
}

int lodge_vm_create(void)
{
	struct lodge_vm *vm;
	int answer;

	answer = lodge_hw_get();
	if (answer)
		return answer;
	vm = lodge_vm_alloc();
	if (IS_ERR(vm)) {
		lodge_hw_put();
		return PTR_ERR(vm);
	}
	answer = lodge_vm_init(vm);
	/* The descriptor comes last: who has it has a VM that is whole. */
	if (!answer)
		answer = anon_inode_getfd("lodge-vm", &lodge_vm_fops, vm,
					  O_RDWR | O_CLOEXEC);
	if (answer < 0)
		lodge_vm_destroy(vm);
	return answer;
}
