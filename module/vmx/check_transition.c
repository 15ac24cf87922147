// SPDX-License-Identifier: GPL-2.0
/*
 * The entry rules about VM-exit and VM-entry controls, one row each: Intel SDM
 * vol. 3C, sections 27.2.1.2 and 27.2.1.3.
 */
#include "vmx/check_rules.h"

/* Vectors of the exceptions that push an error code: #DF, #TS to #PF, #AC. */
#define VMX_CODE_VECTORS (BIT(8) | GENMASK_ULL(14, 10) | BIT(17))

static bool vmx_exit_controls(const struct vmx_checker *check, u64 value)
{
	return vmx_check_not_allowed(check->host->exit, value);
}

/* Areas of MSRs, of 16 bytes each; where the count is 0 there is none. */
static bool vmx_area(const struct vmx_checker *check, u64 address,
		     u32 count_field)
{
	return check->read(check->context, count_field) &&
	       (address & (vmx_check_beyond(check) | 0xf));
}

static bool vmx_area_end(const struct vmx_checker *check, u64 address,
			 u32 count_field)
{
	u64 count = check->read(check->context, count_field);

	return count && !vmx_area(check, address, count_field) &&
	       ((address + count * 16 - 1) & vmx_check_beyond(check));
}

static bool vmx_exit_store(const struct vmx_checker *check, u64 value)
{
	return vmx_area(check, value, VM_EXIT_MSR_STORE_COUNT);
}

static bool vmx_exit_store_end(const struct vmx_checker *check, u64 value)
{
	return vmx_area_end(check, value, VM_EXIT_MSR_STORE_COUNT);
}

static bool vmx_exit_load(const struct vmx_checker *check, u64 value)
{
	return vmx_area(check, value, VM_EXIT_MSR_LOAD_COUNT);
}

static bool vmx_exit_load_end(const struct vmx_checker *check, u64 value)
{
	return vmx_area_end(check, value, VM_EXIT_MSR_LOAD_COUNT);
}

static bool vmx_entry_controls(const struct vmx_checker *check, u64 value)
{
	return vmx_check_not_allowed(check->host->entry, value);
}

static bool vmx_event_type(const struct vmx_checker *check, u64 value)
{
	return vmx_check_injects(check, INTR_TYPE_RESERVED) ||
	       (vmx_check_injects(check, INTR_TYPE_OTHER_EVENT) &&
		!(check->host->proc >> 32 & CPU_BASED_MONITOR_TRAP_FLAG));
}

static bool vmx_event_vector(const struct vmx_checker *check, u64 value)
{
	u8 vector = value & INTR_INFO_VECTOR_MASK;

	if (vmx_check_injects(check, INTR_TYPE_NMI_INTR))
		return vector != 2;
	if (vmx_check_injects(check, INTR_TYPE_HARD_EXCEPTION))
		return vector > 31;
	if (vmx_check_injects(check, INTR_TYPE_OTHER_EVENT))
		return vector != 0;
	return false;
}

/* True if the processor tells by the vector if there is an error code. */
static bool vmx_code_by_vector(const struct vmx_checker *check)
{
	return !(check->host->basic & VMX_BASIC_ANY_ERROR_CODE);
}

static bool vmx_vector_has_code(u64 value)
{
	u8 vector = value & INTR_INFO_VECTOR_MASK;

	return vector < 32 && (VMX_CODE_VECTORS & BIT(vector));
}

/* An exception in protected mode: others have no error code. */
static bool vmx_event_may_have_code(const struct vmx_checker *check)
{
	return vmx_check_injects(check, INTR_TYPE_HARD_EXCEPTION) &&
	       (check->cr0 & X86_CR0_PE);
}

static bool vmx_event_code_missing(const struct vmx_checker *check, u64 value)
{
	return !(value & INTR_INFO_DELIVER_CODE_MASK) &&
	       vmx_event_may_have_code(check) && vmx_code_by_vector(check) &&
	       vmx_vector_has_code(value);
}

static bool vmx_event_code_excess(const struct vmx_checker *check, u64 value)
{
	return (check->event & INTR_INFO_DELIVER_CODE_MASK) &&
	       (!vmx_event_may_have_code(check) ||
		(vmx_code_by_vector(check) && !vmx_vector_has_code(value)));
}

static bool vmx_event_reserved(const struct vmx_checker *check, u64 value)
{
	u32 reserved = INTR_INFO_RESVD_BITS_MASK;

	if (check->host->basic & VMX_BASIC_NESTED_EXCEPTION)
		reserved &= ~BIT(13);
	return check->event & reserved;
}

static bool vmx_event_code(const struct vmx_checker *check, u64 value)
{
	return (check->event & INTR_INFO_DELIVER_CODE_MASK) &&
	       (value & ~0xffffULL);
}

static bool vmx_event_length(const struct vmx_checker *check, u64 value)
{
	if (!vmx_check_injects(check, INTR_TYPE_SOFT_INTR) &&
	    !vmx_check_injects(check, INTR_TYPE_PRIV_SW_EXCEPTION) &&
	    !vmx_check_injects(check, INTR_TYPE_SOFT_EXCEPTION))
		return false;
	if (value == 0)
		return !(check->host->misc & VMX_MISC_ZERO_LEN_INS);
	return value > 15;
}

static bool vmx_entry_load(const struct vmx_checker *check, u64 value)
{
	return vmx_area(check, value, VM_ENTRY_MSR_LOAD_COUNT);
}

static bool vmx_entry_load_end(const struct vmx_checker *check, u64 value)
{
	return vmx_area_end(check, value, VM_ENTRY_MSR_LOAD_COUNT);
}

static bool vmx_entry_smm(const struct vmx_checker *check, u64 value)
{
	return check->controls[VMX_WORD_ENTRY] &
	       (VM_ENTRY_SMM | VM_ENTRY_DEACT_DUAL_MONITOR);
}

static const struct vmx_rule vmx_transition_rules[] = {
	{ VMX_RULE_EXIT_CONTROLS, "exit controls",
	  "bits must be as the processor allows them (27.2.1.2)",
	  VM_EXIT_CONTROLS, VMX_ALWAYS, vmx_exit_controls },
	{ VMX_RULE_EXIT2_CONTROLS, "exit controls 2",
	  "bits must be as the processor allows them (27.2.1.2)",
	  VMX_FIELD_EXIT2_CONTROLS, VMX_WITH(EXIT, VMX_EXIT_SECONDARY),
	  VMX_KNOWN(exit2) },
	{ VMX_RULE_SAVE_TIMER, "exit controls",
	  "saving the preemption timer needs the timer (27.2.1.2)",
	  VM_EXIT_CONTROLS, VMX_WITH(EXIT, VM_EXIT_SAVE_VMX_PREEMPTION_TIMER),
	  VMX_NEEDS(PIN, PIN_BASED_VMX_PREEMPTION_TIMER) },
	{ VMX_RULE_EXIT_STORE, "exit MSR store",
	  "must be a physical address, a multiple of 16 (27.2.1.2)",
	  VM_EXIT_MSR_STORE_ADDR, VMX_ALWAYS, vmx_exit_store },
	{ VMX_RULE_EXIT_STORE_END, "exit MSR store",
	  "must end within physical addresses (27.2.1.2)",
	  VM_EXIT_MSR_STORE_ADDR, VMX_ALWAYS, vmx_exit_store_end },
	{ VMX_RULE_EXIT_LOAD, "exit MSR load",
	  "must be a physical address, a multiple of 16 (27.2.1.2)",
	  VM_EXIT_MSR_LOAD_ADDR, VMX_ALWAYS, vmx_exit_load },
	{ VMX_RULE_EXIT_LOAD_END, "exit MSR load",
	  "must end within physical addresses (27.2.1.2)",
	  VM_EXIT_MSR_LOAD_ADDR, VMX_ALWAYS, vmx_exit_load_end },
	{ VMX_RULE_ENTRY_CONTROLS, "entry controls",
	  "bits must be as the processor allows them (27.2.1.3)",
	  VM_ENTRY_CONTROLS, VMX_ALWAYS, vmx_entry_controls },
	{ VMX_RULE_EVENT_TYPE, "entry event",
	  "the event's type is reserved (27.2.1.3)", VM_ENTRY_INTR_INFO_FIELD,
	  VMX_ALWAYS, vmx_event_type },
	{ VMX_RULE_EVENT_VECTOR, "entry event",
	  "the vector does not fit the event's type (27.2.1.3)",
	  VM_ENTRY_INTR_INFO_FIELD, VMX_ALWAYS, vmx_event_vector },
	{ VMX_RULE_EVENT_CODE_MISSING, "entry event",
	  "the exception must have an error code (27.2.1.3)",
	  VM_ENTRY_INTR_INFO_FIELD, VMX_ALWAYS, vmx_event_code_missing },
	{ VMX_RULE_EVENT_CODE_EXCESS, "entry event",
	  "the event cannot have an error code (27.2.1.3)",
	  VM_ENTRY_INTR_INFO_FIELD, VMX_ALWAYS, vmx_event_code_excess },
	{ VMX_RULE_EVENT_RESERVED, "entry event",
	  "bits 30:12 must be zero (27.2.1.3)", VM_ENTRY_INTR_INFO_FIELD,
	  VMX_ALWAYS, vmx_event_reserved },
	{ VMX_RULE_EVENT_CODE, "entry code",
	  "bits 31:16 must be zero (27.2.1.3)", VM_ENTRY_EXCEPTION_ERROR_CODE,
	  VMX_ALWAYS, vmx_event_code },
	{ VMX_RULE_EVENT_LENGTH, "entry length",
	  "must be that of an instruction, up to 15 (27.2.1.3)",
	  VM_ENTRY_INSTRUCTION_LEN, VMX_ALWAYS, vmx_event_length },
	{ VMX_RULE_ENTRY_LOAD, "entry MSR load",
	  "must be a physical address, a multiple of 16 (27.2.1.3)",
	  VM_ENTRY_MSR_LOAD_ADDR, VMX_ALWAYS, vmx_entry_load },
	{ VMX_RULE_ENTRY_LOAD_END, "entry MSR load",
	  "must end within physical addresses (27.2.1.3)",
	  VM_ENTRY_MSR_LOAD_ADDR, VMX_ALWAYS, vmx_entry_load_end },
	{ VMX_RULE_ENTRY_SMM, "entry controls",
	  "SMM and dual monitor are for entries from SMM (27.2.1.3)",
	  VM_ENTRY_CONTROLS, VMX_ALWAYS, vmx_entry_smm },
};

void vmx_check_transitions(struct vmx_checker *check)
{
	vmx_check_table(check, vmx_transition_rules,
			ARRAY_SIZE(vmx_transition_rules));
}
