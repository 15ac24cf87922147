// SPDX-License-Identifier: GPL-2.0
/*
 * VMs and vCPUs as user space sees them: file descriptors, ioctls and the run page.
 *
 * User space writes to the run page at any time.  What it gives is read once, as
 * LODGE_RUN begins; nothing that the kernel has put there is ever read back.
 */
#include <linux/anon_inodes.h>
#include <linux/build_bug.h>
#include <linux/container_of.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/nospec.h>

#include "apic.h"
#include "compat.h"
#include "dirty.h"
#include "event.h"
#include "face.h"
#include "hold.h"
#include "inject.h"
#include "ioctl.h"
#include "ioeventfd.h"
#include "irqfd.h"
#include "mem.h"
#include "policy.h"
#include "pv.h"
#include "state.h"
#include "tsc.h"
#include "vcpu.h"
#include "vm.h"

/* The vCPU's buffer is the data area of its run page. */
static struct lodge_run *lodge_face_page(const struct lodge_vcpu *vcpu)
{
	return container_of(vcpu->data, struct lodge_run, data);
}

/* Take a device's answer if one is due: vcpu->answer tells, not the run page. */
static void lodge_face_take_answer(struct lodge_vcpu *vcpu,
				   const struct lodge_run *run)
{
	struct lodge_answer *answer = &vcpu->answer;

	BUILD_BUG_ON(sizeof(run->exit) != sizeof(answer->exit));
	if (answer->reason == LODGE_EXIT_MMIO && !answer->exit.mmio.write)
		memcpy(answer->exit.mmio.data, run->exit.mmio.data,
		       sizeof(answer->exit.mmio.data));
}

/* Two exits are frequent, and copied by parts; for others the whole union is. */
static void lodge_face_give_exit(struct lodge_run *run,
				 const struct lodge_answer *answer)
{
	run->reason = answer->reason;
	run->window_open = answer->window_open;
	switch ((enum lodge_exit_reason)answer->reason) {
	case LODGE_EXIT_INTERRUPTED:
		break;
	case LODGE_EXIT_IO:
		run->exit.io = answer->exit.io;
		break;
	case LODGE_EXIT_MMIO:
		run->exit.mmio = answer->exit.mmio;
		break;
	default:
		run->exit = answer->exit;
		break;
	}
}

static int lodge_face_load(struct lodge_vcpu *vcpu, struct lodge_run *run,
			   u64 groups)
{
	int error = lodge_state_load(vcpu, groups, &run->regs);

	if (!error)
		WRITE_ONCE(run->load, 0);
	return error;
}

/*
 * What the caller has answered or loaded stays where it is.  With nothing of that, the
 * vCPU may be left as with no hold.
 */
static long lodge_face_run_held(const struct lodge_vcpu *vcpu,
				struct lodge_run *run)
{
	WRITE_ONCE(run->reason, LODGE_EXIT_INTERRUPTED);
	if (READ_ONCE(run->immediate_exit) && !READ_ONCE(run->load) &&
	    vcpu->completion == LODGE_COMPLETE_NONE)
		return -EINTR;
	return -EAGAIN;
}

static long lodge_face_run(struct lodge_vcpu *vcpu)
{
	struct lodge_run *run = lodge_face_page(vcpu);
	u64 load, save;
	int error;

	if (lodge_hold_is_on(vcpu->vm))
		return lodge_face_run_held(vcpu, run);
	load = READ_ONCE(run->load);
	if (unlikely(load)) {
		error = lodge_face_load(vcpu, run, load);
		if (error)
			return error;
	}
	lodge_face_take_answer(vcpu, run);
	error = lodge_vcpu_run(vcpu, READ_ONCE(run->request_window),
			       READ_ONCE(run->immediate_exit));
	lodge_face_give_exit(run, &vcpu->answer);
	save = READ_ONCE(run->save) & LODGE_GROUPS_INLINE;
	if (save)
		lodge_state_get_inline(vcpu, save, &run->regs);
	return error;
}

static long lodge_face_nmi(struct lodge_vcpu *vcpu)
{
	lodge_event_nmi(&vcpu->delivery);
	return 0;
}

static long lodge_face_extint(struct lodge_vcpu *vcpu,
			      const struct lodge_extint *extint)
{
	if (extint->flags || extint->vector > U8_MAX)
		return -EINVAL;
	return lodge_event_extint(&vcpu->delivery, extint->vector);
}

/* clang-format off */
#define LODGE_FACE_VCPU_CALLS(CALL, GROWN, PLAIN)                              \
	PLAIN(RUN, LODGE_LOCK_VCPU, lodge_face_run)                            \
	PLAIN(NMI, LODGE_LOCK_NONE, lodge_face_nmi)                            \
	CALL(GET_STATE, lodge_state, LODGE_LOCK_VCPU, 0, lodge_state_get)      \
	CALL(SET_STATE, lodge_state, LODGE_LOCK_VCPU, 0, lodge_state_set)      \
	CALL(EXTINT, lodge_extint, LODGE_LOCK_NONE, 0, lodge_face_extint)      \
	CALL(GET_CPUID, lodge_cpuid, LODGE_LOCK_VCPU, LODGE_CALL_TELLS_SIZE,   \
	     lodge_cpuid_get)                                                  \
	CALL(SET_CPUID, lodge_cpuid, LODGE_LOCK_VCPU, 0, lodge_cpuid_set)      \
	CALL(GET_MSR_LIST, lodge_msr_list, LODGE_LOCK_VCPU,                    \
	     LODGE_CALL_TELLS_SIZE, lodge_msr_list_get)                        \
	CALL(SET_MSR_LIST, lodge_msr_list, LODGE_LOCK_VCPU, 0,                 \
	     lodge_msr_list_set)
/* clang-format on */

LODGE_CALLS(lodge_face_vcpu_calls, LODGE_FACE_VCPU_CALLS);

static noinline long lodge_face_vcpu_call(struct lodge_vcpu *vcpu,
					  unsigned int cmd,
					  unsigned long argument)
{
	const struct lodge_subject subject = {
		.object = vcpu,
		.lock[LODGE_LOCK_VM] = &vcpu->vm->lock,
		.lock[LODGE_LOCK_VCPU] = &vcpu->lock,
	};

	return lodge_ioctl(lodge_face_vcpu_calls,
			   ARRAY_SIZE(lodge_face_vcpu_calls), &subject, cmd,
			   argument);
}

static long lodge_face_vcpu_ioctl(struct file *file, unsigned int cmd,
				  unsigned long argument)
{
	const struct lodge_call *run = lodge_face_vcpu_calls;
	struct lodge_vcpu *vcpu = file->private_data;
	int error = lodge_vm_usable(vcpu->vm);

	if (error)
		return error;
	/*
	 * The first row, LODGE_RUN's, is named, so that the compiler knows its
	 * contents.
	 */
	if (likely(cmd == run->cmd && run->lock == LODGE_LOCK_VCPU))
		return lodge_ioctl_locked(run, vcpu, &vcpu->lock, NULL);
	return lodge_face_vcpu_call(vcpu, cmd, argument);
}

static int lodge_face_vcpu_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct lodge_run *run = lodge_face_page(file->private_data);

	if (vma->vm_pgoff || vma->vm_end - vma->vm_start != LODGE_RUN_SIZE)
		return -EINVAL;
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP | VM_DONTCOPY);
	return vm_insert_page(vma, vma->vm_start, virt_to_page(run));
}

/* A mapping keeps the page. */
static void lodge_face_end_vcpu(struct lodge_vcpu *vcpu)
{
	struct lodge_run *run = lodge_face_page(vcpu);

	lodge_vcpu_end(vcpu);
	put_page(virt_to_page(run));
}

static int lodge_face_vcpu_release(struct inode *inode, struct file *file)
{
	lodge_face_end_vcpu(file->private_data);
	return 0;
}

static const struct file_operations lodge_face_vcpu_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = lodge_face_vcpu_ioctl,
	.compat_ioctl = lodge_face_vcpu_ioctl,
	.mmap = lodge_face_vcpu_mmap,
	.release = lodge_face_vcpu_release,
	.llseek = noop_llseek,
};

static struct lodge_vcpu *lodge_face_new_vcpu(struct lodge_vm *vm, u32 id)
{
	struct lodge_run *run = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	struct lodge_vcpu *vcpu;

	BUILD_BUG_ON(sizeof(*run) != LODGE_RUN_SIZE);
	BUILD_BUG_ON(LODGE_RUN_SIZE != PAGE_SIZE);
	if (!run)
		return ERR_PTR(-ENOMEM);
	vcpu = lodge_vcpu_new(vm, id, run->data);
	if (IS_ERR(vcpu))
		free_page((unsigned long)run);
	return vcpu;
}

/* A vCPU that nobody else can find yet, in a file that no descriptor names yet. */
static struct file *lodge_face_vcpu_file(struct lodge_vm *vm, u32 id)
{
	struct lodge_vcpu *vcpu = lodge_face_new_vcpu(vm, id);
	struct file *file;

	if (IS_ERR(vcpu))
		return ERR_CAST(vcpu);
	file = anon_inode_getfile("lodge-vcpu", &lodge_face_vcpu_fops, vcpu,
				  O_RDWR);
	if (IS_ERR(file))
		lodge_face_end_vcpu(vcpu);
	return file;
}

/*
 * The descriptor comes last: whoever has it can run the vCPU, and by then
 * lodge_vm_flush_tlbs() must reach the vCPU.  Nothing fails once it is
 * published.
 */
static long lodge_face_create_vcpu(struct lodge_vm *vm,
				   const struct lodge_vcpu_create *create)
{
	struct file *file;
	int fd;

	if (create->flags || create->id >= LODGE_MAX_VCPUS)
		return -EINVAL;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	file = lodge_face_vcpu_file(vm, array_index_nospec(create->id,
							   LODGE_MAX_VCPUS));
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	lodge_vcpu_publish(file->private_data);
	lodge_inject_delay(&lodge_inject.publish_ms);
	fd_install(fd, file);
	return fd;
}

static long lodge_face_send_msi(struct lodge_vm *vm,
				const struct lodge_msi *msi)
{
	return lodge_irq_msi(&vm->apics, msi);
}

static long lodge_face_get_clock(struct lodge_vm *vm, struct lodge_clock *clock)
{
	u64 host_tsc;

	if (clock->flags)
		return -EINVAL;
	clock->ns = lodge_pv_clock_now(vm, &host_tsc);
	clock->host_tsc = lodge_tsc_to_user(host_tsc);
	return 0;
}

static long lodge_face_set_clock(struct lodge_vm *vm,
				 const struct lodge_clock *clock)
{
	if (clock->flags)
		return -EINVAL;
	return lodge_pv_clock_set(vm, clock->ns, clock->host_tsc);
}

/* clang-format off */
#define LODGE_FACE_VM_CALLS(CALL, GROWN, PLAIN)                                \
	CALL(SEND_MSI, lodge_msi, LODGE_LOCK_NONE, 0, lodge_face_send_msi)     \
	CALL(SET_MEMORY, lodge_memory, LODGE_LOCK_VM, 0, lodge_mem_set)        \
	CALL(SET_DIRTY_LOG, lodge_dirty_log, LODGE_LOCK_VM, 0,                 \
	     lodge_dirty_set_log)                                              \
	CALL(GET_DIRTY, lodge_dirty, LODGE_LOCK_VM, 0, lodge_dirty_collect)    \
	PLAIN(HOLD, LODGE_LOCK_NONE, lodge_hold_user)                          \
	PLAIN(RELEASE, LODGE_LOCK_NONE, lodge_hold_release)                    \
	CALL(RESET, lodge_reset, LODGE_LOCK_VM, 0, lodge_dirty_reset)          \
	CALL(CREATE_VCPU, lodge_vcpu_create, LODGE_LOCK_VM, 0,                 \
	     lodge_face_create_vcpu)                                           \
	CALL(SET_IOEVENTFD, lodge_ioeventfd, LODGE_LOCK_VM, 0,                 \
	     lodge_ioeventfd_set)                                              \
	CALL(SET_IRQFD, lodge_irqfd, LODGE_LOCK_VM, 0, lodge_irqfd_set)        \
	CALL(SET_TSC_RATE, lodge_tsc_rate, LODGE_LOCK_VM, 0,                   \
	     lodge_vm_set_tsc_rate)                                            \
	CALL(GET_CLOCK, lodge_clock, LODGE_LOCK_VM, 0, lodge_face_get_clock)   \
	CALL(SET_CLOCK, lodge_clock, LODGE_LOCK_VM, 0, lodge_face_set_clock)
/* clang-format on */

LODGE_CALLS(lodge_face_vm_calls, LODGE_FACE_VM_CALLS);

static long lodge_face_vm_ioctl(struct file *file, unsigned int cmd,
				unsigned long argument)
{
	struct lodge_vm *vm = file->private_data;
	const struct lodge_subject subject = {
		.object = vm,
		.lock[LODGE_LOCK_VM] = &vm->lock,
	};
	int error = lodge_vm_usable(vm);

	if (error)
		return error;
	return lodge_ioctl(lodge_face_vm_calls, ARRAY_SIZE(lodge_face_vm_calls),
			   &subject, cmd, argument);
}

static int lodge_face_vm_release(struct inode *inode, struct file *file)
{
	lodge_hold_release_all(file->private_data);
	lodge_vm_put(file->private_data);
	return 0;
}

static const struct file_operations lodge_face_vm_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = lodge_face_vm_ioctl,
	.compat_ioctl = lodge_face_vm_ioctl,
	.release = lodge_face_vm_release,
	.llseek = noop_llseek,
};

int lodge_face_create_vm(const char *name)
{
	struct lodge_vm *vm = lodge_vm_new(name);
	int fd;

	if (IS_ERR(vm))
		return PTR_ERR(vm);
	/* The descriptor comes last: whoever has it has a complete VM. */
	fd = anon_inode_getfd("lodge-vm", &lodge_face_vm_fops, vm,
			      O_RDWR | O_CLOEXEC);
	if (fd < 0)
		lodge_vm_put(vm);
	return fd;
}
