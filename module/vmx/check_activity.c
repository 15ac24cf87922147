// SPDX-License-Identifier: GPL-2.0
/*
 * The entry rules about guest state that is no register, one row each: Intel SDM
 * vol. 3C, section 27.3.1.5.
 */
#include "vmx/check_rules.h"

#define VMX_BLOCKING_KNOWN                                \
	(GUEST_INTR_STATE_STI | GUEST_INTR_STATE_MOV_SS | \
	 GUEST_INTR_STATE_SMI | GUEST_INTR_STATE_NMI |    \
	 GUEST_INTR_STATE_ENCLAVE_INTR)
#define VMX_BLOCKING_SHADOW (GUEST_INTR_STATE_STI | GUEST_INTR_STATE_MOV_SS)

/* Pending debug exceptions: B0 to B3, bus lock, enabled breakpoint, BS, RTM. */
#define VMX_PENDING_BUS_LOCK BIT_ULL(11)
#define VMX_PENDING_ENABLED BIT_ULL(12)
#define VMX_PENDING_BS BIT_ULL(14)
#define VMX_PENDING_RTM BIT_ULL(16)
#define VMX_PENDING_KNOWN \
	(GENMASK_ULL(3, 0) | VMX_PENDING_ENABLED | VMX_PENDING_BS)

#define VMX_NO_LINK (~0ULL)
#define VMX_REVISION_MASK GENMASK_ULL(30, 0)
#define VMX_REVISION_SHADOW BIT_ULL(31)

static u64 vmx_activity_state(const struct vmx_checker *check)
{
	return check->read(check->context, GUEST_ACTIVITY_STATE);
}

static u64 vmx_blocking_state(const struct vmx_checker *check)
{
	return check->read(check->context, GUEST_INTERRUPTIBILITY_INFO);
}

/* IA32_VMX_MISC tells the states from bit 6 on, but for the active one. */
static bool vmx_activity(const struct vmx_checker *check, u64 value)
{
	if (value == GUEST_ACTIVITY_ACTIVE)
		return false;
	return value > GUEST_ACTIVITY_WAIT_SIPI ||
	       !(check->host->misc & BIT_ULL(5 + value));
}

static bool vmx_activity_hlt(const struct vmx_checker *check, u64 value)
{
	return value == GUEST_ACTIVITY_HLT &&
	       VMX_AR_DPL(check->segments[VMX_SS].access);
}

static bool vmx_activity_blocking(const struct vmx_checker *check, u64 value)
{
	return value != GUEST_ACTIVITY_ACTIVE &&
	       (vmx_blocking_state(check) & VMX_BLOCKING_SHADOW);
}

static bool vmx_injects_exception(const struct vmx_checker *check, u8 vector)
{
	return vmx_check_injects(check, INTR_TYPE_HARD_EXCEPTION) &&
	       (check->event & INTR_INFO_VECTOR_MASK) == vector;
}

static bool vmx_activity_event(const struct vmx_checker *check, u64 value)
{
	if (!check->event)
		return false;
	switch (value) {
	case GUEST_ACTIVITY_HLT:
		return !vmx_check_injects(check, INTR_TYPE_EXT_INTR) &&
		       !vmx_check_injects(check, INTR_TYPE_NMI_INTR) &&
		       !vmx_check_injects(check, INTR_TYPE_OTHER_EVENT) &&
		       !vmx_injects_exception(check, 1) &&
		       !vmx_injects_exception(check, 18);
	case GUEST_ACTIVITY_SHUTDOWN:
		return !vmx_check_injects(check, INTR_TYPE_NMI_INTR) &&
		       !vmx_injects_exception(check, 18);
	case GUEST_ACTIVITY_WAIT_SIPI:
		return true;
	}
	return false;
}

static bool vmx_blocking_both(const struct vmx_checker *check, u64 value)
{
	return (value & VMX_BLOCKING_SHADOW) == VMX_BLOCKING_SHADOW;
}

static bool vmx_blocking_sti(const struct vmx_checker *check, u64 value)
{
	return (value & GUEST_INTR_STATE_STI) &&
	       !(check->rflags & X86_EFLAGS_IF);
}

static bool vmx_blocking_interrupt(const struct vmx_checker *check, u64 value)
{
	return (value & VMX_BLOCKING_SHADOW) &&
	       vmx_check_injects(check, INTR_TYPE_EXT_INTR);
}

static bool vmx_blocking_nmi_mov_ss(const struct vmx_checker *check, u64 value)
{
	return (value & GUEST_INTR_STATE_MOV_SS) &&
	       vmx_check_injects(check, INTR_TYPE_NMI_INTR);
}

static bool vmx_blocking_nmi_sti(const struct vmx_checker *check, u64 value)
{
	return (value & GUEST_INTR_STATE_STI) && check->host->sti_blocks_nmi &&
	       vmx_check_injects(check, INTR_TYPE_NMI_INTR);
}

static bool vmx_blocking_nmi(const struct vmx_checker *check, u64 value)
{
	return (value & GUEST_INTR_STATE_NMI) &&
	       vmx_check_has(check, VMX_WORD_PIN, PIN_BASED_VIRTUAL_NMIS) &&
	       vmx_check_injects(check, INTR_TYPE_NMI_INTR);
}

static bool vmx_blocking_enclave(const struct vmx_checker *check, u64 value)
{
	return (value & GUEST_INTR_STATE_ENCLAVE_INTR) &&
	       (!check->host->sgx || (value & GUEST_INTR_STATE_MOV_SS));
}

static bool vmx_pending_reserved(const struct vmx_checker *check, u64 value)
{
	u64 known = VMX_PENDING_KNOWN;

	if (check->host->bus_lock)
		known |= VMX_PENDING_BUS_LOCK;
	if (check->host->rtm)
		known |= VMX_PENDING_RTM;
	return value & ~known;
}

/* True if a single step is due, which these states would not lose. */
static bool vmx_pending_must_tell(const struct vmx_checker *check)
{
	return (vmx_blocking_state(check) & VMX_BLOCKING_SHADOW) ||
	       vmx_activity_state(check) == GUEST_ACTIVITY_HLT;
}

static bool vmx_single_steps(const struct vmx_checker *check)
{
	return (check->rflags & X86_EFLAGS_TF) &&
	       !(check->read(check->context, GUEST_IA32_DEBUGCTL) &
		 DEBUGCTLMSR_BTF);
}

static bool vmx_pending_bs_missing(const struct vmx_checker *check, u64 value)
{
	return !(value & VMX_PENDING_BS) && vmx_pending_must_tell(check) &&
	       vmx_single_steps(check);
}

static bool vmx_pending_bs_excess(const struct vmx_checker *check, u64 value)
{
	return (value & VMX_PENDING_BS) && vmx_pending_must_tell(check) &&
	       !vmx_single_steps(check);
}

static bool vmx_pending_rtm(const struct vmx_checker *check, u64 value)
{
	return check->host->rtm && (value & VMX_PENDING_RTM) &&
	       (value != (VMX_PENDING_RTM | VMX_PENDING_ENABLED) ||
		(vmx_blocking_state(check) & GUEST_INTR_STATE_MOV_SS));
}

static bool vmx_link_address(const struct vmx_checker *check, u64 value)
{
	return value != VMX_NO_LINK && vmx_check_not_page(check, value);
}

static bool vmx_link_revision(const struct vmx_checker *check, u64 value)
{
	u64 expected = check->host->basic & VMX_REVISION_MASK;
	u64 head;

	if (value == VMX_NO_LINK || vmx_check_not_page(check, value) ||
	    !check->host->memory ||
	    !check->host->memory(check->context, value, &head))
		return false;
	if (vmx_check_has(check, VMX_WORD_PROC2, SECONDARY_EXEC_SHADOW_VMCS))
		expected |= VMX_REVISION_SHADOW;
	return (u32)head != expected;
}

static bool vmx_link_current(const struct vmx_checker *check, u64 value)
{
	return value != VMX_NO_LINK && value == check->host->vmcs;
}

static const struct vmx_rule vmx_activity_rules[] = {
	{ VMX_RULE_ACTIVITY, "activity state",
	  "must be one that the processor has (27.3.1.5)", GUEST_ACTIVITY_STATE,
	  VMX_ALWAYS, vmx_activity },
	{ VMX_RULE_ACTIVITY_HLT, "activity state",
	  "HLT needs SS.DPL 0 (27.3.1.5)", GUEST_ACTIVITY_STATE, VMX_ALWAYS,
	  vmx_activity_hlt },
	{ VMX_RULE_ACTIVITY_BLOCKING, "activity state",
	  "must be active with blocking by STI or MOV SS (27.3.1.5)",
	  GUEST_ACTIVITY_STATE, VMX_ALWAYS, vmx_activity_blocking },
	{ VMX_RULE_ACTIVITY_EVENT, "activity state",
	  "blocks the event that is injected (27.3.1.5)", GUEST_ACTIVITY_STATE,
	  VMX_ALWAYS, vmx_activity_event },
	{ VMX_RULE_BLOCKING_RESERVED, "interrupt state",
	  "bits 31:5 must be zero (27.3.1.5)", GUEST_INTERRUPTIBILITY_INFO,
	  VMX_ALWAYS, VMX_ZERO(~(u64)VMX_BLOCKING_KNOWN) },
	{ VMX_RULE_BLOCKING_BOTH, "interrupt state",
	  "STI and MOV SS must not both block (27.3.1.5)",
	  GUEST_INTERRUPTIBILITY_INFO, VMX_ALWAYS, vmx_blocking_both },
	{ VMX_RULE_BLOCKING_STI, "interrupt state",
	  "blocking by STI needs RFLAGS.IF (27.3.1.5)",
	  GUEST_INTERRUPTIBILITY_INFO, VMX_ALWAYS, vmx_blocking_sti },
	{ VMX_RULE_BLOCKING_INTERRUPT, "interrupt state",
	  "blocks the interrupt that is injected (27.3.1.5)",
	  GUEST_INTERRUPTIBILITY_INFO, VMX_ALWAYS, vmx_blocking_interrupt },
	{ VMX_RULE_BLOCKING_NMI_MOV_SS, "interrupt state",
	  "MOV SS blocks the NMI that is injected (27.3.1.5)",
	  GUEST_INTERRUPTIBILITY_INFO, VMX_ALWAYS, vmx_blocking_nmi_mov_ss },
	{ VMX_RULE_BLOCKING_NMI_STI, "interrupt state",
	  "STI blocks the NMI that is injected (27.3.1.5)",
	  GUEST_INTERRUPTIBILITY_INFO, VMX_ALWAYS, vmx_blocking_nmi_sti },
	{ VMX_RULE_BLOCKING_SMI, "interrupt state",
	  "SMIs are blocked in SMM only (27.3.1.5)",
	  GUEST_INTERRUPTIBILITY_INFO, VMX_ALWAYS,
	  VMX_ZERO(GUEST_INTR_STATE_SMI) },
	{ VMX_RULE_BLOCKING_NMI, "interrupt state",
	  "blocks the virtual NMI that is injected (27.3.1.5)",
	  GUEST_INTERRUPTIBILITY_INFO, VMX_ALWAYS, vmx_blocking_nmi },
	{ VMX_RULE_BLOCKING_ENCLAVE, "interrupt state",
	  "enclave interruption needs SGX, excludes MOV SS (27.3.1.5)",
	  GUEST_INTERRUPTIBILITY_INFO, VMX_ALWAYS, vmx_blocking_enclave },
	{ VMX_RULE_PENDING_RESERVED, "pending debug",
	  "bits unknown to the processor must be zero (27.3.1.5)",
	  GUEST_PENDING_DBG_EXCEPTIONS, VMX_ALWAYS, vmx_pending_reserved },
	{ VMX_RULE_PENDING_BS_MISSING, "pending debug",
	  "BS must be set: TF is, BTF clear, after STI etc. (27.3.1.5)",
	  GUEST_PENDING_DBG_EXCEPTIONS, VMX_ALWAYS, vmx_pending_bs_missing },
	{ VMX_RULE_PENDING_BS_EXCESS, "pending debug",
	  "BS must be clear: TF is, or BTF set, after STI (27.3.1.5)",
	  GUEST_PENDING_DBG_EXCEPTIONS, VMX_ALWAYS, vmx_pending_bs_excess },
	{ VMX_RULE_PENDING_RTM, "pending debug",
	  "RTM needs bit 12 and no other, and no MOV SS (27.3.1.5)",
	  GUEST_PENDING_DBG_EXCEPTIONS, VMX_ALWAYS, vmx_pending_rtm },
	{ VMX_RULE_LINK_ADDRESS, "link pointer",
	  "must be all ones or the address of a page (27.3.1.5)",
	  VMCS_LINK_POINTER, VMX_ALWAYS, vmx_link_address },
	{ VMX_RULE_LINK_REVISION, "link pointer",
	  "no VMCS is there of our revision and kind (27.3.1.5)",
	  VMCS_LINK_POINTER, VMX_ALWAYS, vmx_link_revision },
	{ VMX_RULE_LINK_CURRENT, "link pointer",
	  "must not be the VMCS itself (27.3.1.5)", VMCS_LINK_POINTER,
	  VMX_ALWAYS, vmx_link_current },
};

void vmx_check_non_registers(struct vmx_checker *check)
{
	vmx_check_table(check, vmx_activity_rules,
			ARRAY_SIZE(vmx_activity_rules));
}
