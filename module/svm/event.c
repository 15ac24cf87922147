// SPDX-License-Identifier: GPL-2.0
/*
 * Delivery of events by AMD-V: injection, what blocks it, the window's opening,
 * and NMI blocking, which older processors leave to software.
 *
 * The guest cannot take a further NMI until the IRET of its NMI handler has
 * completed.  IRET is intercepted meanwhile; at that exit it has not executed
 * yet, so the block ends at a later exit with another RIP, or, when an NMI is
 * waiting, after a single step over it.
 */
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "processor.h"
#include "request.h"
#include "svm/svm.h"

static void svm_inject_cancel(struct svm_vcpu *svm)
{
	struct svm_vmcb_control *control = &svm->vmcb->control;

	if ((control->event_inj & SVM_EVTINJ_TYPE_MASK) ==
	    SVM_EVTINJ_TYPE_NMI) {
		svm->nmi_blocked = false;
		svm_intercept(svm, INTERCEPT_IRET, false);
	}
	control->event_inj = 0;
}

void svm_inject(struct lodge_vcpu *vcpu, const struct lodge_event *event)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	u32 inj = event->vector | SVM_EVTINJ_VALID;

	switch ((enum lodge_event_type)event->type) {
	case LODGE_EVENT_NONE:
		svm_inject_cancel(svm);
		return;
	case LODGE_EVENT_EXTERNAL:
		inj |= SVM_EVTINJ_TYPE_INTR;
		break;
	case LODGE_EVENT_NMI:
		inj |= SVM_EVTINJ_TYPE_NMI;
		svm->nmi_blocked = true;
		svm->iret_seen = false;
		svm_intercept(svm, INTERCEPT_IRET, true);
		break;
	case LODGE_EVENT_FAULT:
		inj |= SVM_EVTINJ_TYPE_EXEPT;
		svm->injected_rip = vcpu->regs.general.rip;
		break;
	}
	if (event->has_error)
		inj |= SVM_EVTINJ_VALID_ERR;
	svm->vmcb->control.event_inj = inj;
	svm->vmcb->control.event_inj_err = event->error;
}

/* An INT3 or INTO that the guest itself has executed; not what was injected. */
static bool svm_event_is_soft(const struct lodge_vcpu *vcpu, u8 vector)
{
	const struct lodge_event *injected = &vcpu->delivery.in_flight;

	if (injected->type == LODGE_EVENT_FAULT && injected->vector == vector &&
	    to_svm(vcpu)->injected_rip == vcpu->regs.general.rip)
		return false;
	return vector == X86_TRAP_BP || vector == X86_TRAP_OF;
}

/*
 * An INT n, INT3 or INTO whose delivery was cut short is executed again, since
 * RIP still points at it; everything else is delivered again by injection.
 */
void svm_event_interrupted(struct lodge_vcpu *vcpu, struct lodge_event *event)
{
	const struct svm_vmcb_control *control = &to_svm(vcpu)->vmcb->control;
	u32 info = control->exit_int_info;
	u8 vector = info & SVM_EXITINTINFO_VEC_MASK;

	event->type = LODGE_EVENT_NONE;
	switch (info & SVM_EXITINTINFO_TYPE_MASK) {
	case SVM_EXITINTINFO_TYPE_INTR:
		event->type = LODGE_EVENT_EXTERNAL;
		break;
	case SVM_EXITINTINFO_TYPE_NMI:
		event->type = LODGE_EVENT_NMI;
		break;
	case SVM_EXITINTINFO_TYPE_EXEPT:
		if (!svm_event_is_soft(vcpu, vector))
			event->type = LODGE_EVENT_FAULT;
		break;
	}
	event->vector = vector;
	event->has_error = info & SVM_EXITINTINFO_VALID_ERR;
	event->error = control->exit_int_info_err;
}

u32 svm_interruptibility(struct lodge_vcpu *vcpu)
{
	const struct svm_vcpu *svm = to_svm(vcpu);
	u32 flags = 0;

	if (svm->vmcb->control.int_state & SVM_INTERRUPT_SHADOW_MASK)
		flags |= LODGE_EVENT_SHADOW;
	if (svm->nmi_blocked)
		flags |= LODGE_EVENT_NMI_BLOCKED;
	return flags;
}

static void svm_set_dr6(struct svm_vcpu *svm, u64 dr6)
{
	if (svm->vmcb->save.dr6 == dr6)
		return;
	svm->vmcb->save.dr6 = dr6;
	svm_dirty(svm, SVM_CLEAN_DR);
}

/*
 * Lodge's TF is only in the VMCB: the emulator and user space find the guest's own TF
 * in vcpu->regs.  DR6.BS is cleared, since that of an earlier step of the guest would
 * look like the end of Lodge's.
 */
void svm_event_step_load(struct lodge_vcpu *vcpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	struct svm_vmcb_save *save = &svm->vmcb->save;

	svm->stepping_flags = vcpu->regs.general.rflags & X86_EFLAGS_TF;
	save->rflags |= X86_EFLAGS_TF;
	svm->stepping_dr6 = save->dr6 & DR_STEP;
	svm_set_dr6(svm, save->dr6 & ~DR_STEP);
}

void svm_event_step_save(struct lodge_vcpu *vcpu)
{
	const struct svm_vcpu *svm = to_svm(vcpu);
	struct lodge_general *general = &vcpu->regs.general;

	/* IRET has loaded the guest's own TF already. */
	if (svm->iret_seen && svm->iret_rip != general->rip)
		return;
	if (!svm->stepping_flags)
		general->rflags &= ~X86_EFLAGS_TF;
}

static void svm_nmi_window(struct lodge_vcpu *vcpu, bool wanted)
{
	struct svm_vcpu *svm = to_svm(vcpu);

	svm->nmi_wanted = wanted;
	/* While the handler runs, the exit at its IRET comes first. */
	svm->stepping = wanted && (!svm->nmi_blocked || svm->iret_seen);
}

void svm_window(struct lodge_vcpu *vcpu, u32 wanted)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	struct svm_vmcb_control *control = &svm->vmcb->control;
	u32 request = V_IRQ_MASK | V_IGN_TPR_MASK | V_INTR_PRIO_MASK;
	bool interrupt = wanted & LODGE_BLOCK_INTERRUPT;

	/* A virtual interrupt that is never taken: its intercept comes first. */
	if (interrupt != !!(control->int_ctl & V_IRQ_MASK)) {
		control->int_ctl ^= request;
		control->int_vector = 0;
		svm_intercept(svm, INTERCEPT_VINTR, interrupt);
		svm_dirty(svm, SVM_CLEAN_INTERRUPT);
	}
	svm_intercept(svm, INTERCEPT_CR8_WRITE, wanted & LODGE_BLOCK_PRIORITY);
	svm_nmi_window(vcpu, wanted & LODGE_BLOCK_NMI);
}

void svm_event_iret(struct lodge_vcpu *vcpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);

	svm_intercept(svm, INTERCEPT_IRET, false);
	svm->iret_seen = true;
	svm->iret_rip = vcpu->regs.general.rip;
	svm->stepping = svm->nmi_wanted;
}

void svm_event_after_exit(struct lodge_vcpu *vcpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);

	svm_set_dr6(svm, svm->vmcb->save.dr6 | svm->stepping_dr6);
	svm->stepping_dr6 = 0;
	if (svm->iret_seen && svm->iret_rip != vcpu->regs.general.rip) {
		svm->nmi_blocked = false;
		svm->stepping = false;
		svm->iret_seen = false;
		if (svm->nmi_wanted)
			set_bit(LODGE_REQ_EVENT, &vcpu->requests);
	}
}

bool svm_event_step_done(struct lodge_vcpu *vcpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	struct svm_vmcb_save *save = &svm->vmcb->save;

	if (!svm->stepping || !(save->dr6 & DR_STEP))
		return false;
	svm->stepping = false;
	if (svm->stepping_flags)
		return false;
	svm_set_dr6(svm, save->dr6 & ~DR_STEP);
	return true;
}
