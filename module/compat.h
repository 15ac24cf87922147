/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The only place that knows one kernel from another.  Kbuild looks the features
 * up in the target's headers and Module.symvers and defines LODGE_HAVE_*.
 */
#ifndef LODGE_COMPAT_H
#define LODGE_COMPAT_H

#include <linux/cc_platform.h>
#include <linux/cgroup.h>
#include <linux/cpu.h>
#include <linux/eventfd.h>
#include <linux/hrtimer.h>
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/module.h>
#include <linux/perf_event.h>
#include <linux/syscore_ops.h>
#ifdef LODGE_HAVE_ENTRY_VIRT
#include <linux/entry-virt.h>
#else
#include <linux/entry-kvm.h>
#endif
#include <net/genetlink.h>
#include <asm/cpu.h>
#include <asm/cpufeature.h>
#ifdef LODGE_HAVE_CPUID_API
#include <asm/cpuid/api.h>
#else
#include <asm/cpuid.h>
#endif
#include <asm/mce.h>
#include <asm/msr.h>
#include <asm/nospec-branch.h>
#include <asm/reboot.h>

#ifndef LODGE_HAVE_RDMSRQ
#define rdmsrq rdmsrl
#define wrmsrq wrmsrl
#define rdmsrq_safe rdmsrl_safe
#define wrmsrq_safe wrmsrl_safe
#define native_wrmsrq native_wrmsrl
#endif

/* An eventfd's own memory is less.  The VM may be the last to hold it. */
#define LODGE_EVENTFD_BYTES 128

/* lodge_eventfd_signal() - add one to an eventfd's counter */
static inline void lodge_eventfd_signal(struct eventfd_ctx *eventfd)
{
#ifdef LODGE_HAVE_EVENTFD_SIGNAL_COUNT
	eventfd_signal(eventfd, 1);
#else
	eventfd_signal(eventfd);
#endif
}

#ifndef LODGE_HAVE_HRTIMER_SETUP
static inline void
hrtimer_setup(struct hrtimer *timer,
	      enum hrtimer_restart (*function)(struct hrtimer *),
	      clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}
#endif

#ifndef LODGE_HAVE_VM_FLAGS_SET
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}
#endif

/* lodge_is_shadow_stack() - only calls and returns write there */
static inline bool lodge_is_shadow_stack(const struct vm_area_struct *vma)
{
#ifdef VM_SHADOW_STACK
	return vma->vm_flags & VM_SHADOW_STACK;
#else
	return false;
#endif
}

/*
 * lodge_guest_has_run() - the branch predictor holds what a guest has put there:
 * where the processor needs it, the return to user space clears it.
 */
static inline void lodge_guest_has_run(void)
{
#ifdef LODGE_HAVE_IBPB_EXIT_TO_USER
	if (cpu_feature_enabled(X86_FEATURE_IBPB_EXIT_TO_USER))
		this_cpu_write(x86_ibpb_exit_to_user, true);
#endif
}

/*
 * lodge_handle_work() - signals, rescheduling and the like, before a guest runs on
 *
 * Return: 0, or -EINTR when the thread must go back to user space.
 */
static inline int lodge_handle_work(void)
{
#ifdef LODGE_HAVE_ENTRY_VIRT
	return xfer_to_guest_mode_handle_work();
#else
	/* If a signal came, the call notes it here.  Nobody reads that. */
	static struct kvm_run page;
	static struct kvm_vcpu vcpu = { .run = &page };

	return xfer_to_guest_mode_handle_work(&vcpu);
#endif
}

/*
 * lodge_ibpb() - have the branch predictor forget what it has learnt, where the
 * host has its processes part so
 */
static inline void lodge_ibpb(void)
{
#ifdef LODGE_HAVE_IBPB
	indirect_branch_prediction_barrier();
#else
	if (cpu_feature_enabled(X86_FEATURE_IBPB))
		wrmsrq(MSR_IA32_PRED_CMD, PRED_CMD_IBPB);
#endif
}

/*
 * lodge_predict_less() - set BP_SPEC_REDUCE while guests may run on this CPU
 *
 * If the kernel has chosen this mitigation of speculative return stack overflow, it
 * leaves the bit to the hypervisor.
 */
static inline void lodge_predict_less(bool on)
{
#ifdef X86_FEATURE_SRSO_BP_SPEC_REDUCE
	const u64 bit = BIT_ULL(MSR_ZEN4_BP_CFG_BP_SPEC_REDUCE_BIT);
	u64 value;

	if (!boot_cpu_has(X86_FEATURE_SRSO_BP_SPEC_REDUCE))
		return;
	rdmsrq(MSR_ZEN4_BP_CFG, value);
	wrmsrq(MSR_ZEN4_BP_CFG, on ? value | bit : value & ~bit);
#endif
}

/*
 * lodge_perf_guest_msrs() - the MSRs that perf wants changed while a guest runs here
 *
 * perf must be told of the guest's own recording of events, of which there is
 * none.  Return: @count of them; NULL: there is no answer, and @count undefined.
 */
static inline const struct perf_guest_switch_msr *
lodge_perf_guest_msrs(int *count)
{
#ifdef LODGE_HAVE_GUEST_PEBS
	static struct x86_guest_pebs none;
#else
	static struct kvm_pmu none;
#endif

	return perf_guest_get_msrs(count, &none);
}

/*
 * lodge_host_has_stale_data() - a guest that reaches a device's memory could read
 * old data of the host's, and the kernel leaves it to the hypervisor to clear the
 * buffers
 */
static inline bool lodge_host_has_stale_data(void)
{
#ifdef LODGE_HAVE_MMIO_STALE_DATA_CLEAR
	return static_branch_unlikely(&mmio_stale_data_clear);
#else
	return boot_cpu_has_bug(X86_BUG_MMIO_STALE_DATA) &&
	       !cpu_mitigations_off();
#endif
}

/*
 * lodge_host_has_gds() - AVX's gathers leak, and the microcode does not prevent it
 */
static inline bool lodge_host_has_gds(void)
{
	if (!boot_cpu_has_bug(X86_BUG_GDS))
		return false;
#ifdef LODGE_HAVE_GDS_MITIGATED
	return !gds_ucode_mitigated();
#else
	return true;
#endif
}

/* lodge_host_has_snp() - AMD's secure nested paging is on */
static inline bool lodge_host_has_snp(void)
{
#ifdef LODGE_HAVE_HOST_SNP
	return cc_platform_has(CC_ATTR_HOST_SEV_SNP);
#else
	return false;
#endif
}

/*
 * lodge_host_machine_check() - the kernel's handler of machine checks
 *
 * A kernel without one leaves CR4.MCE clear: then there are none.
 */
static inline void lodge_host_machine_check(struct pt_regs *regs)
{
#ifdef CONFIG_X86_MCE
	do_machine_check(regs);
#endif
}

/*
 * lodge_has_lost_page() - a machine check has hit what this thread has just read
 *
 * The kernel takes the page away on the thread's way to user mode.  It panics when
 * the thread reads it too often until then.
 */
static inline bool lodge_has_lost_page(void)
{
#if defined(CONFIG_X86_MCE) && defined(LODGE_HAVE_MCE_COUNT)
	return READ_ONCE(current->mce_count);
#else
	return false;
#endif
}

/*
 * lodge_handle_split_lock() - a guest has locked memory across two cache lines,
 * which the host does not like
 *
 * Return: true if it has dealt with it.  It is asked on Intel's processors only,
 * and kernels that keep this to KVM keep VT-x to it, too.
 */
static inline bool lodge_handle_split_lock(unsigned long rip)
{
#ifdef LODGE_HAVE_SPLIT_LOCK
	return handle_guest_split_lock(rip);
#else
	return false;
#endif
}

/*
 * lodge_host_has_fred() - events do not come by the IDT: an NMI cannot be handed
 * on by INT 2
 */
static inline bool lodge_host_has_fred(void)
{
#ifdef X86_FEATURE_FRED
	return cpu_feature_enabled(X86_FEATURE_FRED);
#else
	return false;
#endif
}

/*
 * lodge_crash_hook_register() - have @hook switch virtualization off on a CPU whose
 * host goes down without warning; unregistering waits for all CPUs.
 */
static inline void lodge_crash_hook_register(void (*hook)(void))
{
#ifdef LODGE_HAVE_CRASH_HOOK
	cpu_emergency_register_virt_callback(hook);
#endif
}

static inline void lodge_crash_hook_unregister(void (*hook)(void))
{
#ifdef LODGE_HAVE_CRASH_HOOK
	cpu_emergency_unregister_virt_callback(hook);
#endif
}

/*
 * lodge_kvm_asks_late() - KVM asks for that hook when it takes the processor, not
 * when its vendor's part is loaded
 */
static inline bool lodge_kvm_asks_late(void)
{
#if defined(LODGE_HAVE_CRASH_HOOK) && defined(LODGE_HAVE_KVM_ASKS_LATE)
	return true;
#else
	return false;
#endif
}

/* lodge_dump_attrs() - a generic netlink dump's attributes */
static inline struct nlattr **lodge_dump_attrs(struct netlink_callback *cb)
{
#ifdef LODGE_HAVE_GENL_INFO_DUMP
	return genl_info_dump(cb)->attrs;
#else
	return genl_dumpit_info(cb)->attrs;
#endif
}

/*
 * lodge_task_cgroup() - ID of a thread's cgroup in the unified hierarchy; 0: none
 *
 * Under RCU.
 */
static inline u64 lodge_task_cgroup(struct task_struct *task)
{
#ifdef CONFIG_CGROUPS
	return cgroup_id(task_dfl_cgroup(task));
#else
	return 0;
#endif
}

/* The type that the "young" callbacks of struct mmu_notifier_ops return. */
#ifdef LODGE_HAVE_YOUNG_BOOL
typedef bool lodge_young_t;
#else
typedef int lodge_young_t;
#endif

/*
 * LODGE_SYSCORE() - define what runs on the last CPU at suspend, resume and
 * shutdown.
 */
#ifdef LODGE_HAVE_SYSCORE_DATA
#define LODGE_SYSCORE(name, on_suspend, on_resume, on_shutdown) \
	static int name##_suspend(void *unused)                 \
	{                                                       \
		return on_suspend();                            \
	}                                                       \
	static void name##_resume(void *unused)                 \
	{                                                       \
		on_resume();                                    \
	}                                                       \
	static void name##_shutdown(void *unused)               \
	{                                                       \
		on_shutdown();                                  \
	}                                                       \
	static const struct syscore_ops name##_ops = {          \
		.suspend = name##_suspend,                      \
		.resume = name##_resume,                        \
		.shutdown = name##_shutdown,                    \
	};                                                      \
	static struct syscore name = { .ops = &name##_ops }
#define lodge_syscore_register register_syscore
#define lodge_syscore_unregister unregister_syscore
#else
#define LODGE_SYSCORE(name, on_suspend, on_resume, on_shutdown) \
	static struct syscore_ops name = {                      \
		.suspend = on_suspend,                          \
		.resume = on_resume,                            \
		.shutdown = on_shutdown,                        \
	}
#define lodge_syscore_register register_syscore_ops
#define lodge_syscore_unregister unregister_syscore_ops
#endif

#endif
