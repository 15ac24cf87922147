/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of this folder share: the vendor part of a CPU and of a vCPU.
 */
#ifndef LODGE_VMX_VMX_H
#define LODGE_VMX_VMX_H

#include <linux/percpu.h>

#include "tag.h"
#include "vcpu.h"
#include "vmx/caps.h"
#include "vmx/counters.h"
#include "vmx/entry.h"
#include "vmx/vmcs.h"

/* What keeps events from the guest for one instruction. */
#define VMX_SHADOW (GUEST_INTR_STATE_STI | GUEST_INTR_STATE_MOV_SS)

/* In @reason, beside the basic reason in bits 15:0: the guest was not entered. */
#define VMX_EXIT_REFUSED BIT(31)

/* The longest time to which the preemption timer can be set, in its own ticks. */
#define VMX_TIMER_MAX U32_MAX

/**
 * struct vmx_host - what the VMCS was told of the host, and what it cannot hold
 * @cr3: in the VMCS
 * @cr4: in the VMCS
 * @fs_base: in the VMCS
 * @debugctl: of the CPU; to be restored after each exit, which clears it
 * @kernel_gs_base: of the thread; to be restored after each exit
 * @ds: selectors of the thread that the VMCS cannot hold; 0: it holds them
 * @es: the same
 * @fs: the same
 * @gs: the same
 */
struct vmx_host {
	u64 cr3;
	u64 cr4;
	u64 fs_base;
	u64 debugctl;
	u64 kernel_gs_base;
	u16 ds;
	u16 es;
	u16 fs;
	u16 gs;
};

/**
 * struct vmx_vcpu - vendor part of a vCPU; its owner's
 * @vmcs: its VMCS
 * @entry: argument of vmx_enter()
 * @host: of the thread and CPU that run it
 * @counters: of the CPU on which it runs
 * @msrs: lists of the MSRs that entry and exit load; NULL: they load none
 * @virtual_apic: page in which the processor keeps CR8, with a TPR shadow
 * @fresh: groups of vcpu->regs that are as the VMCS has them
 * @rip: what the VMCS has
 * @rsp: what the VMCS has
 * @rflags: what the VMCS has
 * @interruptibility: what the guest's next entry is to begin with
 * @vmcs_interruptibility: what the VMCS has
 * @proc_fixed: primary processor-based controls that no window changes
 * @proc: those in the VMCS
 * @timer: VMX-preemption timer in the VMCS; all ones without it
 * @entry_controls: VM-entry controls in the VMCS
 * @event: the last one handed over, as in the VMCS without its error code
 * @vpid: its VPID
 * @flush: its own translations must go before the next entry
 * @flush_nested: those of the nested tables must go, too
 * @used: others than the guest may have used the L1 data cache since its flush
 * @switches: how often the thread had given way by then
 * @nmi_blocked: without virtual NMIs: an NMI was delivered
 * @reason: of the last exit: that of the VMCS; VMX_EXIT_REFUSED alone if @failed
 * @failed: the last entry did not come about
 */
struct vmx_vcpu {
	struct vmx_vmcs vmcs;
	struct vmx_entry entry;
	struct vmx_host host;
	struct vmx_counters counters;
	void *virtual_apic;
	struct vmx_msr_lists *msrs;
	u64 fresh;
	u64 rip;
	u64 rsp;
	u64 rflags;
	u32 interruptibility;
	u32 vmcs_interruptibility;
	u32 proc_fixed;
	u32 proc;
	u32 timer;
	u32 entry_controls;
	u32 event;
	struct lodge_tag vpid;
	unsigned long switches;
	u32 reason;
	bool flush;
	bool flush_nested;
	bool used;
	bool nmi_blocked;
	bool failed;
};

/* Bits behind the point of the TSC multiplier. */
#define VMX_TSC_SHIFT 48

/* Where EFER stands in vmx_vcpu.msrs, with processors that do not switch it. */
#define VMX_MSRS_EFER 0

/**
 * struct vmx_cpu - vendor part of a host CPU; touched only on it, preemption off
 * @vmxon: page for VMX operation's own use
 * @loaded: the VMCSs that this CPU holds; interrupts off
 * @vpids: VPIDs that it gives out
 */
struct vmx_cpu {
	u32 *vmxon;
	struct list_head loaded;
	struct lodge_tags vpids;
};

DECLARE_PER_CPU(struct vmx_cpu, vmx_cpu);

static inline struct vmx_vcpu *to_vmx(const struct lodge_vcpu *vcpu)
{
	return vcpu->backend;
}

static inline void vmx_begin(struct lodge_vcpu *vcpu)
{
	vmx_vmcs_begin(&to_vmx(vcpu)->vmcs);
}

static inline void vmx_end(void)
{
	vmx_vmcs_end();
}

/* vmx.c */

/**
 * vmx_load_syscall() - give this CPU the guest's MSRs of SYSCALL
 *
 * They are its own until it returns to user mode.  A guest that has switched SYSCALL off
 * does not notice whose they are: only exits reach them.  Preemption is off.
 */
void vmx_load_syscall(struct lodge_vcpu *vcpu);

/* vmcs.c */

/**
 * vmx_vmcs_init() - what stays the same in a VMCS for the vCPU's life
 */
void vmx_vmcs_init(struct lodge_vcpu *vcpu);

/**
 * vmx_vmcs_scale_tsc() - have the guest see the rate of vm->tsc
 *
 * Between vmx_begin() and vmx_end().
 */
void vmx_vmcs_scale_tsc(struct lodge_vcpu *vcpu);

/**
 * vmx_vmcs_init_cpu() - what of the host is the same for all of a CPU's threads
 *
 * The VMCS is current on that CPU.
 */
void vmx_vmcs_init_cpu(int cpu);

/* run.c */

/**
 * vmx_run_load() - tell the VMCS of the thread that will run the vCPU
 */
void vmx_run_load(struct vmx_vcpu *vmx);
void vmx_run(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit, bool again);

/* flush.c */

/**
 * vmx_flush_setup() - what this host wants to have flushed
 *
 * Return: 0 or -ENOMEM.
 */
int vmx_flush_setup(void);
void vmx_flush_teardown(void);

/**
 * vmx_flush_warn() - say once where a flush cannot be enough
 */
void vmx_flush_warn(void);

/* False on processors for which vmx_flush() has nothing to do. */
extern bool vmx_flush_wanted;
/* True if it may have something to do where the host has had no interrupt and no work. */
extern bool vmx_flush_always;

/**
 * vmx_flush() - flush what the next entry must not leave to the guest
 *
 * Interrupts are off.
 */
void vmx_flush(struct lodge_vcpu *vcpu);

/* exit.c */

/**
 * vmx_exit_translate() - from the VMCS's exit fields to the neutral exit
 */
void vmx_exit_translate(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit);

/* state.c */
void vmx_get_state(struct lodge_vcpu *vcpu, u64 groups);
void vmx_set_state(struct lodge_vcpu *vcpu, u64 groups);
void vmx_set_pdptes(struct lodge_vcpu *vcpu, const u64 pdptes[4]);

/* event.c */
void vmx_inject(struct lodge_vcpu *vcpu, const struct lodge_event *event);
u32 vmx_interruptibility(struct lodge_vcpu *vcpu);
void vmx_window(struct lodge_vcpu *vcpu, u32 wanted);

/**
 * vmx_event_interrupted() - the event whose delivery this exit has cut short
 * @info: IDT-vectoring information, which is valid
 */
void vmx_event_interrupted(struct lodge_vcpu *vcpu, u32 info,
			   struct lodge_event *event);

/**
 * vmx_event_iret() - an IRET that faulted has ended the blocking of NMIs early
 */
void vmx_event_iret(struct vmx_vcpu *vmx);

/* vpid.c */

/**
 * vmx_vpid_cpu_init() - this CPU starts with no VPID in use
 */
void vmx_vpid_cpu_init(struct vmx_cpu *cpu);

/**
 * vmx_vpid_is_stale() - true if vmx_vpid_prepare() has anything to do
 */
static inline bool vmx_vpid_is_stale(const struct vmx_vcpu *vmx,
				     const struct vmx_cpu *cpu)
{
	return vmx->flush || vmx->flush_nested ||
	       lodge_tag_is_stale(&vmx->vpid, &cpu->vpids);
}

/**
 * vmx_vpid_prepare() - give the vCPU a VPID and flush what it must not find
 *
 * Intel SDM vol. 3, section 29.4.  The VMCS is current, interrupts are off.
 */
void vmx_vpid_prepare(struct lodge_vcpu *vcpu, struct vmx_cpu *cpu);
void vmx_flush_tlb(struct lodge_vcpu *vcpu, bool nested);

/* bitmap.c */

/**
 * vmx_bitmap_init() - allocate the MSR bitmaps that all VMs share
 */
int vmx_bitmap_init(void);
void vmx_bitmap_exit(void);

/**
 * vmx_bitmap_msr() - physical address of an MSR bitmap
 * @spec_ctrl: of the one with which the guest reaches SPEC_CTRL without an exit
 */
u64 vmx_bitmap_msr(bool spec_ctrl);

#endif
