// SPDX-License-Identifier: GPL-2.0
/*
 * One entry into the guest (Intel SDM vol. 3, chapters 27 and 28), and what of
 * the host the VMCS must know for the way back.
 */
#include <linux/kvm_host.h>
#include <linux/sched.h>
#include <asm/cpufeature.h>
#include <asm/debugreg.h>
#include <asm/desc.h>
#include <asm/fsgsbase.h>
#include <asm/nospec-branch.h>
#include <asm/processor.h>
#include <asm/tlbflush.h>

#include "compat.h"
#include "context.h"
#include "tsc.h"
#include "vm.h"
#include "vmx/vmx.h"

/* A selector that an exit cannot load: of the LDT, or not of privilege level 0. */
#define VMX_SELECTOR_BITS 7

/* Where the page keeps the task priority, which is CR8 in bits 7:4. */
#define VMX_VIRTUAL_TPR 0x80

static void vmx_load_selector(u16 *kept, u32 field, u16 selector)
{
	u16 kept_now = selector & VMX_SELECTOR_BITS ? selector : 0;

	/* What it cannot hold stands there as null, as it does from the start. */
	*kept = kept_now;
	vmx_write(field, kept_now ? 0 : selector);
}

/*
 * The thread changes these in user mode only, or is not the one that was here
 * last: both end in vcpu_load.
 */
void vmx_run_load(struct vmx_vcpu *vmx)
{
	struct vmx_host *host = &vmx->host;
	u64 fs_base;
	u16 ds, es, fs, gs;

	savesegment(ds, ds);
	savesegment(es, es);
	savesegment(fs, fs);
	savesegment(gs, gs);
	if (unlikely((ds | es | fs | gs | host->ds | host->es | host->fs |
		      host->gs))) {
		vmx_load_selector(&host->ds, HOST_DS_SELECTOR, ds);
		vmx_load_selector(&host->es, HOST_ES_SELECTOR, es);
		vmx_load_selector(&host->fs, HOST_FS_SELECTOR, fs);
		vmx_load_selector(&host->gs, HOST_GS_SELECTOR, gs);
	}
	fs_base = x86_fsbase_read_cpu();
	if (host->fs_base != fs_base) {
		host->fs_base = fs_base;
		vmx_write(HOST_FS_BASE, fs_base);
	}
	vmx->used = true;
}

/* The thread's own value. */
static void vmx_load_spec_ctrl(struct vmx_entry *entry)
{
	if (cpu_feature_enabled(X86_FEATURE_MSR_SPEC_CTRL))
		entry->host_spec_ctrl = this_cpu_read(x86_spec_ctrl_current);
}

/*
 * With interrupts off nothing changes these any more, however often the guest is
 * entered.
 */
static void vmx_load_host(struct vmx_vcpu *vmx)
{
	u64 cr3 = __read_cr3();
	u64 cr4 = cr4_read_shadow();

	vmx_load_spec_ctrl(&vmx->entry);
	/* perf changes it by an interrupt, the kernel with the thread. */
	vmx->host.debugctl = __rdmsr(MSR_IA32_DEBUGCTLMSR);
	if (unlikely(vmx->host.cr3 != cr3)) {
		vmx->host.cr3 = cr3;
		vmx_write(HOST_CR3, cr3);
	}
	if (unlikely(vmx->host.cr4 != cr4)) {
		vmx->host.cr4 = cr4;
		vmx_write(HOST_CR4, cr4);
	}
}

/* An exit leaves null selectors, whose bases loading them would clear. */
static void vmx_restore_selectors(const struct vmx_host *host)
{
	if (host->ds)
		loadsegment(ds, host->ds);
	if (host->es)
		loadsegment(es, host->es);
	if (host->fs) {
		loadsegment(fs, host->fs);
		wrmsrq(MSR_FS_BASE, host->fs_base);
	}
	if (host->gs) {
		load_gs_index(host->gs);
		wrmsrq(MSR_KERNEL_GS_BASE, host->kernel_gs_base);
	}
}

static void vmx_restore_host(const struct vmx_host *host)
{
	/* The LDT first: a selector may be one of its. */
#ifdef CONFIG_MODIFY_LDT_SYSCALL
	if (unlikely(READ_ONCE(current->mm->context.ldt)))
		asm volatile("lldt %w0" : : "q"(GDT_ENTRY_LDT * 8));
#endif
	if (unlikely(host->ds | host->es | host->fs | host->gs))
		vmx_restore_selectors(host);
}

/*
 * KERNEL_GS_BASE is live: the guest's while it runs.  Where the instructions for
 * it exist they are far quicker than RDMSR and WRMSR.
 */
static __always_inline u64 vmx_swap_kernel_gs(u64 base)
{
	u64 old;

	if (cpu_feature_enabled(X86_FEATURE_FSGSBASE)) {
		asm volatile("swapgs\n\t"
			     "rdgsbase %[old]\n\t"
			     "wrgsbase %[base]\n\t"
			     "swapgs"
			     : [old] "=&r"(old)
			     : [base] "r"(base)
			     : "memory");
	} else {
		old = __rdmsr(MSR_KERNEL_GS_BASE);
		native_wrmsrq(MSR_KERNEL_GS_BASE, base);
	}
	return old;
}

/*
 * NMIs are blocked from the exit that one has caused until the next IRET: its
 * handler is called by its gate, before anything can fault.
 */
static __always_inline void vmx_host_nmi(u32 reason)
{
	u32 info;

	if ((u16)reason != EXIT_REASON_EXCEPTION_NMI)
		return;
	info = vmx_read(VM_EXIT_INTR_INFO);
	if ((info & INTR_INFO_INTR_TYPE_MASK) == INTR_TYPE_NMI_INTR)
		asm volatile("int $2");
}

static noinstr void vmx_switch(struct vmx_vcpu *vmx, struct lodge_vcpu *vcpu)
{
	struct lodge_control *control = &vcpu->regs.control;
	struct lodge_msrs *msrs = &vcpu->regs.msrs;

	lodge_context_enter(&vcpu->context_told);
	if (control->cr2 != native_read_cr2())
		native_write_cr2(control->cr2);
	vmx->host.kernel_gs_base = vmx_swap_kernel_gs(msrs->kernel_gs_base);

	vmx->failed = !vmx_enter(&vmx->entry);

	msrs->kernel_gs_base = vmx_swap_kernel_gs(vmx->host.kernel_gs_base);
	control->cr2 = native_read_cr2();
	if (likely(!vmx->failed)) {
		vmx->reason = vmx_read(VM_EXIT_REASON);
		vmx_host_nmi(vmx->reason);
	} else {
		vmx->reason = VMX_EXIT_REFUSED;
	}
	guest_state_exit_irqoff();
}

/*
 * Section 27.3.1.5: the trap of TF waits for a shadow's end, and only for that
 * (Bochs, 2.7, lets it wait after an exit in the middle of an instruction, too);
 * and STI has no shadow where it has not set the flag.
 */
static void vmx_load_shadow(struct vmx_vcpu *vmx, u64 rflags)
{
	u64 pending = 0;

	if (vmx->interruptibility & GUEST_INTR_STATE_STI &&
	    !(rflags & X86_EFLAGS_IF)) {
		vmx->interruptibility &= ~GUEST_INTR_STATE_STI;
		vmx->interruptibility |= GUEST_INTR_STATE_MOV_SS;
	}
	if (vmx->interruptibility & VMX_SHADOW) {
		pending = vmx_read(GUEST_PENDING_DBG_EXCEPTIONS) & ~DR_STEP;
		if (rflags & X86_EFLAGS_TF)
			pending |= DR_STEP;
	}
	vmx_write(GUEST_PENDING_DBG_EXCEPTIONS, pending);
}

static void vmx_load_registers(struct lodge_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	const struct lodge_general *general = &vcpu->regs.general;

	if (vmx->rip != general->rip)
		vmx_write(GUEST_RIP, general->rip);
	if (vmx->rsp != general->gpr[LODGE_RSP])
		vmx_write(GUEST_RSP, general->gpr[LODGE_RSP]);
	if (vmx->rflags != general->rflags)
		vmx_write(GUEST_RFLAGS, general->rflags);
	if (unlikely(general->rflags & X86_EFLAGS_TF ||
		     vmx->interruptibility & VMX_SHADOW))
		vmx_load_shadow(vmx, general->rflags);
	if (vmx->interruptibility != vmx->vmcs_interruptibility)
		vmx_write(GUEST_INTERRUPTIBILITY_INFO, vmx->interruptibility);
	if (vmx->virtual_apic)
		*(u8 *)(vmx->virtual_apic + VMX_VIRTUAL_TPR) =
			vcpu->regs.control.cr8 << 4;
}

/* Rounded up: an exit is late by a tick at most, and never early. */
static u32 vmx_ticks_left(const struct lodge_vcpu *vcpu)
{
	const struct lodge_tsc_scale *tsc = &vcpu->vm->tsc;
	u64 now = lodge_tsc_scaled(tsc, lodge_tsc()) + vcpu->tsc_offset;
	u64 left;

	if (vcpu->deadline <= now)
		return 0;
	left = lodge_tsc_unscaled(tsc, vcpu->deadline - now) >>
	       vmx_caps.timer_shift;
	return left < VMX_TIMER_MAX ? left + 1 : VMX_TIMER_MAX;
}

/*
 * The preemption timer (section 26.5.1) always runs.  Without a deadline, or long before
 * one, it causes an exit that nobody needs, but rarely.
 */
static void vmx_load_timer(struct lodge_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	u32 left = VMX_TIMER_MAX;

	if (vcpu->deadline)
		left = vmx_ticks_left(vcpu);
	if (vmx->timer != left) {
		vmx->timer = left;
		vmx_write(VMX_PREEMPTION_TIMER_VALUE, left);
	}
}

static void vmx_save_registers(struct lodge_vcpu *vcpu)
{
	const u64 rip = vmx_read(GUEST_RIP);
	const u64 rsp = vmx_read(GUEST_RSP);
	const u64 rflags = vmx_read(GUEST_RFLAGS);
	const u32 interruptibility = vmx_read(GUEST_INTERRUPTIBILITY_INFO);
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	struct lodge_general *general = &vcpu->regs.general;

	vmx->rip = rip;
	vmx->rsp = rsp;
	vmx->rflags = rflags;
	general->rip = rip;
	general->gpr[LODGE_RSP] = rsp;
	general->rflags = rflags;
	vmx->vmcs_interruptibility = interruptibility;
	vmx->interruptibility = interruptibility;
	if (vmx->virtual_apic)
		vcpu->regs.control.cr8 =
			*(u8 *)(vmx->virtual_apic + VMX_VIRTUAL_TPR) >> 4;
	vmx->fresh = 0;
}

/*
 * Where the host's counters use buffers in its memory, the processor must not
 * write to them while addresses are the guest's.  perf answers what to change.
 */
static noinline void
vmx_switch_counters(struct vmx_vcpu *vmx,
		    const struct perf_guest_switch_msr *msrs, int count,
		    u32 first)
{
	const bool by_control = vmx_caps.entry &
				VM_ENTRY_LOAD_IA32_PERF_GLOBAL_CTRL;
	struct vmx_counters now = vmx->counters;

	if (unlikely(vmx_counters_fill(vmx->msrs, first, msrs, count,
				       by_control, &now)))
		wrmsrq(MSR_IA32_PEBS_ENABLE, 0);
	if (unlikely(now.guest_ctrl != vmx->counters.guest_ctrl))
		vmx_write(GUEST_IA32_PERF_GLOBAL_CTRL, now.guest_ctrl);
	if (unlikely(now.host_ctrl != vmx->counters.host_ctrl))
		vmx_write(HOST_IA32_PERF_GLOBAL_CTRL, now.host_ctrl);
	if (unlikely(now.nr != vmx->counters.nr)) {
		vmx_write(VM_ENTRY_MSR_LOAD_COUNT, now.nr);
		vmx_write(VM_EXIT_MSR_LOAD_COUNT, now.nr);
	}
	vmx->counters = now;
}

static noinline void vmx_load_counters(struct vmx_vcpu *vmx)
{
	const u32 first = vmx_caps.switches_efer ? 0 : VMX_MSRS_EFER + 1;
	const struct perf_guest_switch_msr *msrs;
	int count;

	msrs = lodge_perf_guest_msrs(&count);
	/* Without an answer nothing is switched, as before. */
	if (msrs || unlikely(vmx->counters.nr != first))
		vmx_switch_counters(vmx, msrs, count, first);
}

/* An entry that its controls make fail has loaded no MSR, and no exit loads them. */
static void vmx_restore_counters(const struct vmx_vcpu *vmx)
{
	const struct vmx_msr_entry *host = vmx->msrs ? vmx->msrs->host : NULL;
	u32 i;

	for (i = 0; host && i < vmx->counters.nr; i++)
		if (host[i].index == MSR_IA32_PEBS_ENABLE)
			wrmsrq(MSR_IA32_PEBS_ENABLE, host[i].value);
}

/* True if there may be something to flush. */
static bool vmx_flush_due(const struct lodge_vcpu *vcpu, bool again)
{
	return again && !vcpu->host_worked ? vmx_flush_always :
					     vmx_flush_wanted;
}

void vmx_run(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit, bool again)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	if (!again)
		vmx_load_host(vmx);
	vmx_load_registers(vcpu);
	if (unlikely(vmx_vpid_is_stale(vmx, this_cpu_ptr(&vmx_cpu))))
		vmx_vpid_prepare(vcpu, this_cpu_ptr(&vmx_cpu));
	vmx->entry.launched = vmx->vmcs.launched;
	if (vmx_caps.has_counters)
		vmx_load_counters(vmx);
	if (unlikely(vmx_flush_due(vcpu, again)))
		vmx_flush(vcpu);
	vmx_load_timer(vcpu);

	vmx_switch(vmx, vcpu);

	if (unlikely(vmx->failed))
		vmx_restore_counters(vmx);
	if (unlikely(vmx->host.debugctl))
		update_debugctlmsr(vmx->host.debugctl);
	vmx_restore_host(&vmx->host);
	vmx_save_registers(vcpu);
	vmx_exit_translate(vcpu, exit);
}
