// SPDX-License-Identifier: GPL-2.0
/*
 * Register groups between vcpu->regs and the VMCB's state-save area.
 */
#include <linux/mem_encrypt.h>
#include <asm/cpufeature.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "state.h"
#include "svm/svm.h"

/* The two registers of the system; the others stand in the order of the ABI. */
static_assert(offsetof(struct svm_vmcb_save, es) +
		      LODGE_GS * sizeof(struct svm_vmcb_seg) ==
	      offsetof(struct svm_vmcb_save, gs));

static struct svm_vmcb_seg *svm_user_segs(struct svm_vmcb_save *save)
{
	return (void *)save + offsetof(struct svm_vmcb_save, es);
}

static void svm_get_segment(const struct svm_vmcb_seg *from,
			    struct lodge_segment *to)
{
	to->base = from->base;
	to->limit = from->limit;
	to->selector = from->selector;
	to->attr = from->attrib;
}

static void svm_set_segment(struct svm_vmcb_seg *to,
			    const struct lodge_segment *from)
{
	to->base = from->base;
	to->limit = from->limit;
	to->selector = from->selector;
	to->attrib = from->attr;
}

/* The privilege level is where the ABI has it, also for a null SS. */
static void svm_get_mode(struct lodge_vcpu *vcpu)
{
	struct svm_vmcb_save *save = &to_svm(vcpu)->vmcb->save;
	struct lodge_segments *segs = &vcpu->regs.segments;
	struct lodge_segment *ss = &segs->seg[LODGE_SS];

	svm_get_segment(&save->cs, &segs->seg[LODGE_CS]);
	svm_get_segment(&save->ss, ss);
	ss->attr = (ss->attr & ~LODGE_SEG_DPL) | save->cpl
							 << LODGE_SEG_DPL_SHIFT;
}

static void svm_get_segments(struct lodge_vcpu *vcpu)
{
	struct svm_vmcb_save *save = &to_svm(vcpu)->vmcb->save;
	struct lodge_segments *segs = &vcpu->regs.segments;
	unsigned int i;

	for (i = LODGE_ES; i <= LODGE_GS; i++)
		svm_get_segment(&svm_user_segs(save)[i], &segs->seg[i]);
	svm_get_segment(&save->ldtr, &segs->seg[LODGE_LDTR]);
	svm_get_segment(&save->tr, &segs->seg[LODGE_TR]);
	svm_get_mode(vcpu);
	segs->gdt.base = save->gdtr.base;
	segs->gdt.limit = save->gdtr.limit;
	segs->idt.base = save->idtr.base;
	segs->idt.limit = save->idtr.limit;
}

static void svm_set_segments(struct lodge_vcpu *vcpu)
{
	struct svm_vmcb_save *save = &to_svm(vcpu)->vmcb->save;
	const struct lodge_segments *segs = &vcpu->regs.segments;
	unsigned int i;

	for (i = LODGE_ES; i <= LODGE_GS; i++)
		svm_set_segment(&svm_user_segs(save)[i], &segs->seg[i]);
	svm_set_segment(&save->ldtr, &segs->seg[LODGE_LDTR]);
	svm_set_segment(&save->tr, &segs->seg[LODGE_TR]);
	save->cpl = (segs->seg[LODGE_SS].attr & LODGE_SEG_DPL) >>
		    LODGE_SEG_DPL_SHIFT;
	save->gdtr.base = segs->gdt.base;
	save->gdtr.limit = segs->gdt.limit;
	save->idtr.base = segs->idt.base;
	save->idtr.limit = segs->idt.limit;
	svm_dirty(to_svm(vcpu), SVM_CLEAN_SEGMENTS | SVM_CLEAN_TABLES);
}

static void svm_get_control(struct lodge_vcpu *vcpu)
{
	const struct svm_vmcb_save *save = &to_svm(vcpu)->vmcb->save;
	struct lodge_control *control = &vcpu->regs.control;

	control->cr2 = save->cr2;
	control->cr3 = save->cr3;
}

/*
 * The guest's caches and machine checks are the host's business: CD, NW and MCE
 * are shown to the guest, but never reach the processor.
 */
static void svm_set_control(struct lodge_vcpu *vcpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	struct svm_vmcb_save *save = &svm->vmcb->save;
	const struct lodge_control *control = &vcpu->regs.control;
	u64 uncached = control->cr0 & (X86_CR0_CD | X86_CR0_NW);

	save->cr0 = control->cr0 & ~(X86_CR0_CD | X86_CR0_NW);
	svm_intercept(svm, INTERCEPT_CR0_READ, uncached);
	save->cr2 = control->cr2;
	save->cr3 = control->cr3;
	save->cr4 = lodge_state_hardware_cr4(control->cr4);
	svm_intercept(svm, INTERCEPT_CR4_READ, save->cr4 != control->cr4);
	save->efer = control->efer | EFER_SVME;
	svm_dirty(svm, SVM_CLEAN_CR | SVM_CLEAN_CR2);
}

static void svm_set_debug(struct lodge_vcpu *vcpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);

	svm->vmcb->save.dr6 = vcpu->regs.debug.dr6;
	svm->vmcb->save.dr7 = vcpu->regs.debug.dr7;
	svm_dirty(svm, SVM_CLEAN_DR);
}

static void svm_get_debug(struct lodge_vcpu *vcpu)
{
	vcpu->regs.debug.dr6 = to_svm(vcpu)->vmcb->save.dr6;
	vcpu->regs.debug.dr7 = to_svm(vcpu)->vmcb->save.dr7;
}

/*
 * Without an exit the guest can set bits that its CPUID does not announce and the
 * processor has.  They are not part of its state.
 */
static void svm_get_spec_ctrl(struct lodge_vcpu *vcpu)
{
	const struct svm_vcpu *svm = to_svm(vcpu);
	u64 value = svm->entry.guest_spec_ctrl;

	if (cpu_feature_enabled(X86_FEATURE_V_SPEC_CTRL))
		value = svm->vmcb->save.spec_ctrl;
	vcpu->regs.msrs.spec_ctrl = value & vcpu->features.spec_ctrl_bits;
}

/*
 * From the first value on that is not 0 the guest reaches SPEC_CTRL without an
 * exit: kernels with legacy IBRS write it twice a system call.  Others need not pay
 * for reading it at each exit.
 */
static void svm_set_spec_ctrl(struct lodge_vcpu *vcpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	u64 value = vcpu->regs.msrs.spec_ctrl;

	svm->vmcb->save.spec_ctrl = value;
	if (svm_switches_spec_ctrl())
		svm->entry.guest_spec_ctrl = value;
	if (!value)
		return;
	svm->entry.own_spec_ctrl = svm_switches_spec_ctrl();
	svm->vmcb->control.msrpm_base_pa = __sme_set(svm_bitmap_msr(true));
	svm_dirty(svm, SVM_CLEAN_PERMISSIONS);
}

static void svm_get_msrs(struct lodge_vcpu *vcpu)
{
	const struct svm_vmcb_save *save = &to_svm(vcpu)->vmcb->save;
	struct lodge_msrs *msrs = &vcpu->regs.msrs;

	msrs->star = save->star;
	msrs->lstar = save->lstar;
	msrs->cstar = save->cstar;
	msrs->sfmask = save->sfmask;
	msrs->kernel_gs_base = save->kernel_gs_base;
	msrs->sysenter_cs = save->sysenter_cs;
	msrs->sysenter_esp = save->sysenter_esp;
	msrs->sysenter_eip = save->sysenter_eip;
	msrs->pat = save->g_pat;
	svm_get_spec_ctrl(vcpu);
}

static void svm_set_msrs(struct lodge_vcpu *vcpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	struct svm_vmcb_save *save = &svm->vmcb->save;
	const struct lodge_msrs *msrs = &vcpu->regs.msrs;

	save->star = msrs->star;
	save->lstar = msrs->lstar;
	save->cstar = msrs->cstar;
	save->sfmask = msrs->sfmask;
	save->kernel_gs_base = msrs->kernel_gs_base;
	save->sysenter_cs = msrs->sysenter_cs;
	save->sysenter_esp = msrs->sysenter_esp;
	save->sysenter_eip = msrs->sysenter_eip;
	save->g_pat = msrs->pat;
	svm_set_spec_ctrl(vcpu);
	svm_dirty(svm, SVM_CLEAN_NESTED);
}

static void svm_set_events(struct lodge_vcpu *vcpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	u32 flags = vcpu->regs.events.flags;

	svm->nmi_blocked = flags & LODGE_EVENT_NMI_BLOCKED;
	svm->iret_seen = false;
	svm->nmi_wanted = false;
	svm->stepping = false;
	svm_intercept(svm, INTERCEPT_IRET, svm->nmi_blocked);
	if (flags & LODGE_EVENT_SHADOW)
		svm->vmcb->control.int_state |= SVM_INTERRUPT_SHADOW_MASK;
	else
		svm->vmcb->control.int_state &= ~SVM_INTERRUPT_SHADOW_MASK;
}

void svm_get_state(struct lodge_vcpu *vcpu, u64 groups)
{
	if (groups & LODGE_GROUP_MODE)
		svm_get_mode(vcpu);
	if (groups & LODGE_GROUP_SEGMENTS)
		svm_get_segments(vcpu);
	if (groups & LODGE_GROUP_CONTROL)
		svm_get_control(vcpu);
	if (groups & LODGE_GROUP_DEBUG)
		svm_get_debug(vcpu);
	if (groups & LODGE_GROUP_MSRS)
		svm_get_msrs(vcpu);
}

void svm_set_state(struct lodge_vcpu *vcpu, u64 groups)
{
	if (groups & LODGE_GROUP_SEGMENTS)
		svm_set_segments(vcpu);
	if (groups & LODGE_GROUP_CONTROL)
		svm_set_control(vcpu);
	if (groups & LODGE_GROUP_DEBUG)
		svm_set_debug(vcpu);
	if (groups & LODGE_GROUP_MSRS)
		svm_set_msrs(vcpu);
	if (groups & LODGE_GROUP_EVENTS)
		svm_set_events(vcpu);
}
