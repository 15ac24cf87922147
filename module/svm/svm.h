/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The vendor part of a CPU and of a vCPU, which the files of this folder share.
 */
#ifndef LODGE_SVM_H
#define LODGE_SVM_H

#include <linux/percpu.h>
#include <asm/asm.h>

#include "tag.h"
#include "vcpu.h"
#include "svm/entry.h"
#include "svm/vmcb.h"

/* Bits of svm_vmcb_control.clean: what the processor may keep cached. */
enum svm_clean {
	SVM_CLEAN_INTERCEPTS = BIT(0),
	SVM_CLEAN_PERMISSIONS = BIT(1),
	SVM_CLEAN_ASID = BIT(2),
	SVM_CLEAN_INTERRUPT = BIT(3),
	SVM_CLEAN_NESTED = BIT(4),
	SVM_CLEAN_CR = BIT(5),
	SVM_CLEAN_DR = BIT(6),
	SVM_CLEAN_TABLES = BIT(7),
	SVM_CLEAN_SEGMENTS = BIT(8),
	SVM_CLEAN_CR2 = BIT(9),
	SVM_CLEAN_ALL = GENMASK(9, 0),
};

/**
 * struct svm_vcpu - vendor part of a vCPU; its owner's
 * @vmcb: its VMCB
 * @entry: argument of svm_enter()
 * @asid: its ASID
 * @flush: its translations must go before the next entry
 * @nmi_blocked: an NMI was delivered and its IRET has not completed
 * @iret_rip: with @iret_seen, the address of that IRET
 * @iret_seen: the IRET is about to be executed
 * @stepping: the guest runs with RFLAGS.TF, to see its next instruction complete
 * @stepping_flags: the guest's own TF at the last entry with @stepping
 * @stepping_dr6: its DR6.BS then, which stays until the guest clears it
 * @nmi_wanted: an NMI waits for the window
 * @tsc_ratio: MSR TSC_RATIO while it runs
 * @injected_rip: where the exception that was injected last interrupts the guest
 */
struct svm_vcpu {
	struct svm_vmcb *vmcb;
	struct svm_entry entry;
	struct lodge_tag asid;
	bool flush;
	bool nmi_blocked;
	bool iret_seen;
	bool stepping;
	bool nmi_wanted;
	u64 stepping_flags;
	u64 stepping_dr6;
	u64 iret_rip;
	u64 tsc_ratio;
	u64 injected_rip;
};

/**
 * struct svm_cpu - vendor part of a host CPU; touched only on it, preemption off
 * @host_save: page for VMRUN's own use (MSR VM_HSAVE_PA)
 * @host_state: page into which VMSAVE puts what VMRUN does not save
 * @found_hsave: MSR VM_HSAVE_PA as we found it
 * @asids: ASIDs that it gives out
 * @tsc_ratio: MSR TSC_RATIO, which guests alone notice
 * @vcpu: whose state @host_state and the MSRs were prepared for
 */
struct svm_cpu {
	struct page *host_save;
	struct page *host_state;
	u64 found_hsave;
	struct lodge_tags asids;
	u64 tsc_ratio;
	struct lodge_vcpu *vcpu;
};

DECLARE_PER_CPU(struct svm_cpu, svm_cpu);

static inline struct svm_vcpu *to_svm(const struct lodge_vcpu *vcpu)
{
	return vcpu->backend;
}

/* True if the world switch is what switches SPEC_CTRL, not the processor itself. */
static inline bool svm_switches_spec_ctrl(void)
{
	return cpu_feature_enabled(X86_FEATURE_MSR_SPEC_CTRL) &&
	       !cpu_feature_enabled(X86_FEATURE_V_SPEC_CTRL);
}

static inline void svm_dirty(struct svm_vcpu *svm, u32 clean)
{
	svm->vmcb->control.clean &= ~clean;
}

static inline void svm_intercept(struct svm_vcpu *svm, unsigned int bit,
				 bool on)
{
	u32 *word = &svm->vmcb->control.intercepts[bit / 32];
	u32 mask = BIT(bit % 32);
	u32 value = on ? *word | mask : *word & ~mask;

	if (value == *word)
		return;
	*word = value;
	svm_dirty(svm, SVM_CLEAN_INTERCEPTS);
}

/* Of these three nothing happens once somebody has switched SVM off (reboot). */
static inline void svm_clgi(void)
{
	asm volatile("1:	clgi\n2:\n" _ASM_EXTABLE(1b, 2b)
		     :
		     :
		     : "memory");
}

static inline void svm_stgi(void)
{
	asm volatile("1:	stgi\n2:\n" _ASM_EXTABLE(1b, 2b)
		     :
		     :
		     : "memory");
}

static inline void svm_vmsave(u64 pa)
{
	asm volatile("1:	vmsave %%rax\n2:\n" _ASM_EXTABLE(1b, 2b)
		     :
		     : "a"(pa)
		     : "memory");
}

/* exit_code when VMRUN itself has faulted. */
#define SVM_EXIT_NOT_ENTERED 0xfffffffeULL

/* vmcb.c */

/**
 * svm_vmcb_init() - what stays the same in a VMCB for the vCPU's life
 */
void svm_vmcb_init(struct lodge_vcpu *vcpu);

/**
 * svm_tsc_scale() - have the guest see the rate of vm->tsc
 */
void svm_tsc_scale(struct lodge_vcpu *vcpu);

/* cpu.c; as struct lodge_backend has them */
bool svm_cpu_busy(void);
int svm_cpu_enable(void);
void svm_cpu_disable(void);

/**
 * svm_set_tsc_ratio() - write MSR TSC_RATIO of this CPU
 */
void svm_set_tsc_ratio(struct svm_cpu *cpu, u64 ratio);

/* run.c */
void svm_run(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit, bool again);

/* exit.c */

/**
 * svm_exit_translate() - from the VMCB's exit fields to the neutral exit
 */
void svm_exit_translate(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit);

/* state.c */
void svm_get_state(struct lodge_vcpu *vcpu, u64 groups);
void svm_set_state(struct lodge_vcpu *vcpu, u64 groups);

/* event.c */
void svm_inject(struct lodge_vcpu *vcpu, const struct lodge_event *event);
u32 svm_interruptibility(struct lodge_vcpu *vcpu);
void svm_window(struct lodge_vcpu *vcpu, u32 wanted);

/**
 * svm_event_interrupted() - the event whose delivery this exit has cut short
 */
void svm_event_interrupted(struct lodge_vcpu *vcpu, struct lodge_event *event);

/**
 * svm_event_iret() - the guest is about to return from its NMI handler
 */
void svm_event_iret(struct lodge_vcpu *vcpu);

/**
 * svm_event_step_load() - while stepping: after the flags went to the VMCB
 */
void svm_event_step_load(struct lodge_vcpu *vcpu);

/**
 * svm_event_step_save() - while stepping: after they came back
 */
void svm_event_step_save(struct lodge_vcpu *vcpu);

/**
 * svm_event_after_exit() - note that the NMI handler's IRET has completed, and
 * give the guest its DR6 back
 *
 * After svm_exit_translate(), which asks whether the step was ours.
 */
void svm_event_after_exit(struct lodge_vcpu *vcpu);

/**
 * svm_event_step_done() - a #DB exit: was it our own single step?
 */
bool svm_event_step_done(struct lodge_vcpu *vcpu);

/* asid.c */

/**
 * svm_asid_cpu_init() - this CPU starts with no ASID in use
 */
void svm_asid_cpu_init(struct svm_cpu *cpu);

/**
 * svm_asid_prepare() - give the vCPU an ASID and the TLB control of this entry
 *
 * AMD APM vol. 2, sections 15.15.1 and 15.16.
 */
void svm_asid_prepare(struct svm_vcpu *svm, struct svm_cpu *cpu);
void svm_flush_tlb(struct lodge_vcpu *vcpu, bool nested);

/* bitmap.c */

/**
 * svm_bitmap_init() - allocate the permission maps that all VMs share
 */
int svm_bitmap_init(void);
void svm_bitmap_exit(void);

/**
 * svm_bitmap_msr() - physical address of an MSR permission map
 * @spec_ctrl: of the one with which the guest reaches SPEC_CTRL without an exit
 */
u64 svm_bitmap_msr(bool spec_ctrl);

/**
 * svm_bitmap_io() - physical address of the I/O permission map
 */
u64 svm_bitmap_io(void);

#endif
