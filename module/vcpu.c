// SPDX-License-Identifier: GPL-2.0
/*
 * The vCPU: its file, its run page, its calls, and how others get its attention.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <trace/events/ipi.h>

#include "apic.h"
#include "event.h"
#include "inject.h"
#include "ioctl.h"
#include "policy.h"
#include "state.h"
#include "user.h"
#include "vm.h"

static atomic64_t lodge_vcpu_serial;

void lodge_vcpu_kick(struct lodge_vcpu *vcpu)
{
	int cpu, here;

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

static long lodge_vcpu_call_get_state(void *object, void *argument)
{
	return lodge_state_get(object, argument);
}

static long lodge_vcpu_call_set_state(void *object, void *argument)
{
	return lodge_state_set(object, argument);
}

static long lodge_vcpu_call_get_cpuid(void *object, void *argument)
{
	return lodge_cpuid_get(object, argument);
}

static long lodge_vcpu_call_set_cpuid(void *object, void *argument)
{
	return lodge_cpuid_set(object, argument);
}

static long lodge_vcpu_call_get_msr_list(void *object, void *argument)
{
	return lodge_msr_list_get(object, argument);
}

static long lodge_vcpu_call_set_msr_list(void *object, void *argument)
{
	return lodge_msr_list_set(object, argument);
}

static long lodge_vcpu_call_extint(void *object, void *argument)
{
	const struct lodge_extint *extint = argument;

	if (extint->flags || extint->vector > U8_MAX)
		return -EINVAL;
	return lodge_event_extint(object, extint->vector);
}

static const struct lodge_call lodge_vcpu_calls[] = {
	LODGE_CALL(LODGE_GET_STATE, lodge_state, true,
		   lodge_vcpu_call_get_state),
	LODGE_CALL(LODGE_SET_STATE, lodge_state, true,
		   lodge_vcpu_call_set_state),
	LODGE_CALL(LODGE_EXTINT, lodge_extint, false, lodge_vcpu_call_extint),
	LODGE_CALL(LODGE_GET_CPUID, lodge_cpuid, true,
		   lodge_vcpu_call_get_cpuid),
	LODGE_CALL(LODGE_SET_CPUID, lodge_cpuid, true,
		   lodge_vcpu_call_set_cpuid),
	LODGE_CALL(LODGE_GET_MSR_LIST, lodge_msr_list, true,
		   lodge_vcpu_call_get_msr_list),
	LODGE_CALL(LODGE_SET_MSR_LIST, lodge_msr_list, true,
		   lodge_vcpu_call_set_msr_list),
};

static long lodge_vcpu_call_run(struct lodge_vcpu *vcpu)
{
	long answer;

	if (mutex_lock_killable(&vcpu->lock))
		return -EINTR;
	answer = lodge_vcpu_run(vcpu);
	mutex_unlock(&vcpu->lock);
	return answer;
}

static long lodge_vcpu_ioctl(struct file *file, unsigned int cmd,
			     unsigned long argument)
{
	struct lodge_vcpu *vcpu = file->private_data;
	int error = lodge_vm_usable(vcpu->vm);

	if (error)
		return error;
	/* The two calls without an argument; the first is the fast path. */
	if (likely(cmd == LODGE_RUN))
		return lodge_vcpu_call_run(vcpu);
	if (cmd == LODGE_NMI) {
		lodge_event_nmi(vcpu);
		return 0;
	}
	return lodge_ioctl(lodge_vcpu_calls, ARRAY_SIZE(lodge_vcpu_calls), vcpu,
			   &vcpu->lock, cmd, argument);
}

static int lodge_vcpu_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct lodge_vcpu *vcpu = file->private_data;

	if (vma->vm_pgoff || vma->vm_end - vma->vm_start != LODGE_RUN_SIZE)
		return -EINVAL;
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP | VM_DONTCOPY);
	return vm_insert_page(vma, vma->vm_start, virt_to_page(vcpu->run));
}

/*
 * Give up all that only running takes; also of one that was never whole.  Others
 * may find the vCPU still, and send it what its APIC and its requests note.
 */
static void lodge_vcpu_close(struct lodge_vcpu *vcpu)
{
	lodge_lapic_close(vcpu);
	if (vcpu->backend)
		lodge_backend->vcpu_fini(vcpu);
	lodge_msr_free(vcpu);
	lodge_cpuid_free(vcpu);
	lodge_npt_cache_free(&vcpu->npt_cache);
	lodge_fpu_fini(vcpu);
	if (vcpu->run)
		put_page(virt_to_page(vcpu->run));
	vcpu->run = NULL;
	lodge_user_put_vcpu(vcpu->vm->user);
}

void lodge_vcpu_free(struct lodge_vcpu *vcpu)
{
	lodge_lapic_free(vcpu);
	kfree(vcpu);
}

static int lodge_vcpu_release(struct inode *inode, struct file *file)
{
	struct lodge_vcpu *vcpu = file->private_data;
	struct lodge_vm *vm = vcpu->vm;

	lodge_vcpu_close(vcpu);
	lodge_vm_put(vm);
	return 0;
}

static const struct file_operations lodge_vcpu_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = lodge_vcpu_ioctl,
	.compat_ioctl = lodge_vcpu_ioctl,
	.mmap = lodge_vcpu_mmap,
	.release = lodge_vcpu_release,
	.llseek = noop_llseek,
};

/* The order matters: each step reads what those before it have set. */
static int lodge_vcpu_init(struct lodge_vcpu *vcpu)
{
	int error;

	vcpu->run = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!vcpu->run || lodge_fpu_init(vcpu))
		return -ENOMEM;
	error = lodge_cpuid_init(vcpu);
	if (!error)
		error = lodge_msr_init(vcpu);
	if (!error)
		error = lodge_lapic_init(vcpu);
	if (!error)
		error = lodge_backend->vcpu_init(vcpu);
	if (!error)
		lodge_state_reset(vcpu, false);
	return error;
}

static struct lodge_vcpu *lodge_vcpu_new(struct lodge_vm *vm, u32 id)
{
	struct lodge_vcpu *vcpu;
	int error;

	error = lodge_user_get_vcpu(vm->user);
	if (error)
		return ERR_PTR(error);
	vcpu = kzalloc(sizeof(*vcpu), GFP_KERNEL_ACCOUNT);
	if (!vcpu) {
		lodge_user_put_vcpu(vm->user);
		return ERR_PTR(-ENOMEM);
	}
	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->serial = atomic64_inc_return(&lodge_vcpu_serial);
	vcpu->cpu = -1;
	lodge_vcpu_unload(vcpu);
	vcpu->tsc_offset = vm->tsc_offset;
	/* What it finds in the TLB is none of its own. */
	vcpu->requests = BIT(LODGE_REQ_FLUSH);
	mutex_init(&vcpu->lock);
	rcuwait_init(&vcpu->wait);
	error = lodge_vcpu_init(vcpu);
	if (error) {
		lodge_vcpu_close(vcpu);
		lodge_vcpu_free(vcpu);
		return ERR_PTR(error);
	}
	return vcpu;
}

/* From here on interrupts, invalidations and the VM's end find it. */
static void lodge_vcpu_publish(struct lodge_vcpu *vcpu)
{
	struct lodge_vm *vm = vcpu->vm;

	lockdep_assert_held(&vm->lock);
	/* Whoever finds it in the table finds it complete. */
	smp_store_release(&vm->vcpus[vcpu->id], vcpu);
	WRITE_ONCE(vm->nr_vcpus, max(vm->nr_vcpus, vcpu->id + 1));
}

/*
 * The descriptor comes last: who has it can run the vCPU, of whose translations
 * lodge_vm_flush_tlbs() must know by then.  Nothing fails once it is published.
 */
int lodge_vcpu_create(struct lodge_vm *vm, u32 id)
{
	struct lodge_vcpu *vcpu;
	struct file *file;
	int fd;

	id = array_index_nospec(id, LODGE_MAX_VCPUS);
	if (vm->vcpus[id])
		return -EEXIST;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	vcpu = lodge_vcpu_new(vm, id);
	if (IS_ERR(vcpu)) {
		put_unused_fd(fd);
		return PTR_ERR(vcpu);
	}
	file = anon_inode_getfile("lodge-vcpu", &lodge_vcpu_fops, vcpu, O_RDWR);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		lodge_vcpu_close(vcpu);
		lodge_vcpu_free(vcpu);
		return PTR_ERR(file);
	}
	lodge_vm_get(vm);
	lodge_vcpu_publish(vcpu);
	lodge_inject_delay(&lodge_inject.publish_ms);
	fd_install(fd, file);
	return fd;
}
