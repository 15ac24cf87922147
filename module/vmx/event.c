// SPDX-License-Identifier: GPL-2.0
/*
 * Delivery of events by VT-x: injection, what blocks it, and the window's
 * opening (Intel SDM vol. 3, sections 25.8.3, 27.6 and 28.2.4).
 *
 * The processor knows when an NMI handler has ended, as long as it has virtual
 * NMIs.  Without them the guest counts as in the handler until it lets interrupts
 * in again.
 */
#include <asm/processor-flags.h>

#include "vmx/vmx.h"

static bool vmx_has_virtual_nmis(void)
{
	return vmx_caps.pin & PIN_BASED_VIRTUAL_NMIS;
}

static void vmx_set_nmi_blocked(struct vmx_vcpu *vmx, bool blocked)
{
	if (!vmx_has_virtual_nmis())
		vmx->nmi_blocked = blocked;
	else if (blocked)
		vmx->interruptibility |= GUEST_INTR_STATE_NMI;
	else
		vmx->interruptibility &= ~GUEST_INTR_STATE_NMI;
}

void vmx_inject(struct lodge_vcpu *vcpu, const struct lodge_event *event)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	u32 info = event->vector | INTR_INFO_VALID_MASK;

	switch ((enum lodge_event_type)event->type) {
	case LODGE_EVENT_NONE:
		info = 0;
		if ((vmx->event & INTR_INFO_INTR_TYPE_MASK) ==
		    INTR_TYPE_NMI_INTR)
			vmx->nmi_blocked = false;
		break;
	case LODGE_EVENT_EXTERNAL:
		info |= INTR_TYPE_EXT_INTR;
		break;
	case LODGE_EVENT_NMI:
		/* Its delivery itself blocks further ones. */
		info |= INTR_TYPE_NMI_INTR;
		vmx_set_nmi_blocked(vmx, !vmx_has_virtual_nmis());
		break;
	case LODGE_EVENT_FAULT:
		info |= INTR_TYPE_HARD_EXCEPTION;
		break;
	}
	vmx->event = info;
	vmx_begin(vcpu);
	if (event->has_error && info) {
		info |= INTR_INFO_DELIVER_CODE_MASK;
		vmx_write(VM_ENTRY_EXCEPTION_ERROR_CODE, event->error);
	}
	vmx_write(VM_ENTRY_INTR_INFO_FIELD, info);
	vmx_end();
}

/*
 * An INT n, INT3 or INTO whose delivery was cut short is executed again, since
 * RIP still points at it; everything else is delivered again by injection.
 */
void vmx_event_interrupted(struct lodge_vcpu *vcpu, u32 info,
			   struct lodge_event *event)
{
	switch (info & VECTORING_INFO_TYPE_MASK) {
	case INTR_TYPE_EXT_INTR:
		event->type = LODGE_EVENT_EXTERNAL;
		break;
	case INTR_TYPE_NMI_INTR:
		event->type = LODGE_EVENT_NMI;
		/* It has not begun: it can be injected. */
		vmx_set_nmi_blocked(to_vmx(vcpu), false);
		break;
	case INTR_TYPE_HARD_EXCEPTION:
		event->type = LODGE_EVENT_FAULT;
		break;
	default:
		return;
	}
	event->vector = info & VECTORING_INFO_VECTOR_MASK;
	event->has_error = info & VECTORING_INFO_DELIVER_CODE_MASK;
	event->error = event->has_error ? vmx_read(IDT_VECTORING_ERROR_CODE) :
					  0;
}

void vmx_event_iret(struct vmx_vcpu *vmx)
{
	vmx_set_nmi_blocked(vmx, true);
}

u32 vmx_interruptibility(struct lodge_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	u32 flags = 0;

	if (vmx->interruptibility & VMX_SHADOW)
		flags |= LODGE_EVENT_SHADOW;
	else if (vcpu->regs.general.rflags & X86_EFLAGS_IF &&
		 vcpu->delivery.in_flight.type != LODGE_EVENT_NMI)
		vmx->nmi_blocked = false;
	if (vmx->interruptibility & GUEST_INTR_STATE_NMI || vmx->nmi_blocked)
		flags |= LODGE_EVENT_NMI_BLOCKED;
	return flags;
}

void vmx_window(struct lodge_vcpu *vcpu, u32 wanted)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	u32 proc = vmx->proc_fixed;

	/* An NMI's window may open in the shadow of STI; that of interrupts does not. */
	if (wanted & LODGE_BLOCK_NMI &&
	    (!vmx_has_virtual_nmis() ||
	     vmx->interruptibility & GUEST_INTR_STATE_STI))
		wanted |= LODGE_BLOCK_INTERRUPT;
	else if (wanted & LODGE_BLOCK_NMI)
		proc |= CPU_BASED_NMI_WINDOW_EXITING;
	if (wanted & LODGE_BLOCK_INTERRUPT)
		proc |= CPU_BASED_INTR_WINDOW_EXITING;
	if (wanted & LODGE_BLOCK_PRIORITY)
		proc |= CPU_BASED_CR8_LOAD_EXITING;
	if (proc == vmx->proc)
		return;
	vmx->proc = proc;
	vmx_begin(vcpu);
	vmx_write(CPU_BASED_VM_EXEC_CONTROL, proc);
	vmx_end();
}
