// SPDX-License-Identifier: GPL-2.0
/*
 * The entry rules about VM-execution controls, one row each: Intel SDM vol. 3C,
 * section 27.2.1.1.
 */
#include "vmx/check_rules.h"

/* The virtual task-priority register, on the virtual-APIC page. */
#define VMX_VTPR_OFFSET 0x80

static bool vmx_pin_controls(const struct vmx_checker *check, u64 value)
{
	return vmx_check_not_allowed(check->host->pin, value);
}

static bool vmx_proc_controls(const struct vmx_checker *check, u64 value)
{
	return vmx_check_not_allowed(check->host->proc, value);
}

static bool vmx_proc2_controls(const struct vmx_checker *check, u64 value)
{
	return vmx_check_not_allowed(check->host->proc2, value);
}

static bool vmx_cr3_targets(const struct vmx_checker *check, u64 value)
{
	return value > (u64)vmx_misc_cr3_count(check->host->misc);
}

static bool vmx_tpr_threshold(const struct vmx_checker *check, u64 value)
{
	return !vmx_check_has(check, VMX_WORD_PROC2,
			      SECONDARY_EXEC_VIRTUAL_INTR_DELIVERY) &&
	       (value & ~0xfULL);
}

static bool vmx_tpr_threshold_vtpr(const struct vmx_checker *check, u64 value)
{
	u64 page, vtpr;

	if (vmx_check_has(check, VMX_WORD_PROC2,
			  SECONDARY_EXEC_VIRTUAL_INTR_DELIVERY) ||
	    vmx_check_has(check, VMX_WORD_PROC2,
			  SECONDARY_EXEC_VIRTUALIZE_APIC_ACCESSES))
		return false;
	page = check->read(check->context, VIRTUAL_APIC_PAGE_ADDR);
	if (vmx_check_not_page(check, page) || !check->host->memory ||
	    !check->host->memory(check->context, page + VMX_VTPR_OFFSET, &vtpr))
		return false;
	return (value & 0xf) > ((vtpr >> 4) & 0xf);
}

static bool vmx_apic_tpr_shadow(const struct vmx_checker *check, u64 value)
{
	const u64 needing = SECONDARY_EXEC_VIRTUALIZE_X2APIC_MODE |
			    SECONDARY_EXEC_APIC_REGISTER_VIRT |
			    SECONDARY_EXEC_VIRTUAL_INTR_DELIVERY;

	return (check->controls[VMX_WORD_PROC2] & needing) &&
	       !vmx_check_has(check, VMX_WORD_PROC, CPU_BASED_TPR_SHADOW);
}

static bool vmx_broken(const struct vmx_checker *check, u64 value)
{
	return true;
}

static bool vmx_posted_descriptor(const struct vmx_checker *check, u64 value)
{
	return value & (vmx_check_beyond(check) | 0x3f);
}

static bool vmx_zero(const struct vmx_checker *check, u64 value)
{
	return value == 0;
}

static bool vmx_eptp_memory_type(const struct vmx_checker *check, u64 value)
{
	switch (value & VMX_EPTP_MT_MASK) {
	case 0:
		return !(check->host->ept_vpid & VMX_EPTP_UC_BIT);
	case 6:
		return !(check->host->ept_vpid & VMX_EPTP_WB_BIT);
	}
	return true;
}

static bool vmx_eptp_walk(const struct vmx_checker *check, u64 value)
{
	switch (value & VMX_EPTP_PWL_MASK) {
	case VMX_EPTP_PWL_4:
		return !(check->host->ept_vpid & VMX_EPT_PAGE_WALK_4_BIT);
	case VMX_EPTP_PWL_5:
		return !(check->host->ept_vpid & VMX_EPT_PAGE_WALK_5_BIT);
	}
	return true;
}

static bool vmx_eptp_accessed_dirty(const struct vmx_checker *check, u64 value)
{
	return (value & VMX_EPTP_AD_ENABLE_BIT) &&
	       !(check->host->ept_vpid & VMX_EPT_AD_BIT);
}

/* Bit 23 of the capability: supervisor shadow-stack control, bit 7 of EPTP. */
static bool vmx_eptp_shadow_stack(const struct vmx_checker *check, u64 value)
{
	return (value & BIT(7)) && !(check->host->ept_vpid & BIT(23));
}

static bool vmx_eptp_reserved(const struct vmx_checker *check, u64 value)
{
	return value &
	       (GENMASK_ULL(63, check->host->phys_bits) | GENMASK_ULL(11, 8));
}

static bool vmx_no_ept(const struct vmx_checker *check)
{
	return !vmx_check_has(check, VMX_WORD_PROC2, SECONDARY_EXEC_ENABLE_EPT);
}

static bool vmx_needs_ept(const struct vmx_checker *check, u64 value)
{
	const u64 needing = SECONDARY_EXEC_UNRESTRICTED_GUEST |
			    SECONDARY_EXEC_ENABLE_PML |
			    SECONDARY_EXEC_MODE_BASED_EPT_EXEC | VMX_PROC2_SPP |
			    SECONDARY_EXEC_PT_USE_GPA;

	return (check->controls[VMX_WORD_PROC2] & needing) && vmx_no_ept(check);
}

static bool vmx_proc3_needs_ept(const struct vmx_checker *check, u64 value)
{
	const u64 needing = VMX_PROC3_HLAT | VMX_PROC3_PAGING_WRITE |
			    VMX_PROC3_VERIFY_PAGING;

	return (check->controls[VMX_WORD_PROC3] & needing) && vmx_no_ept(check);
}

static bool vmx_pt_guest_physical(const struct vmx_checker *check, u64 value)
{
	return !vmx_check_has(check, VMX_WORD_ENTRY,
			      VM_ENTRY_LOAD_IA32_RTIT_CTL) ||
	       !vmx_check_has(check, VMX_WORD_EXIT,
			      VM_EXIT_CLEAR_IA32_RTIT_CTL);
}

static bool vmx_pt_tracing(const struct vmx_checker *check, u64 value)
{
	return check->host->tracing;
}

static bool vmx_hlatp(const struct vmx_checker *check, u64 value)
{
	return value & (GENMASK_ULL(63, check->host->phys_bits) |
			GENMASK_ULL(11, 5) | GENMASK_ULL(2, 0));
}

static bool vmx_pid_table(const struct vmx_checker *check, u64 value)
{
	return value & (vmx_check_beyond(check) | 7);
}

static bool vmx_pid_table_end(const struct vmx_checker *check, u64 value)
{
	u64 last = check->read(check->context, LAST_PID_POINTER_INDEX);

	return !vmx_pid_table(check, value) &&
	       ((value + last * 8) & vmx_check_beyond(check));
}

static const struct vmx_rule vmx_control_rules[] = {
	{ VMX_RULE_PIN_CONTROLS, "pin controls",
	  "bits must be as the processor allows them (27.2.1.1)",
	  PIN_BASED_VM_EXEC_CONTROL, VMX_ALWAYS, vmx_pin_controls },
	{ VMX_RULE_PROC_CONTROLS, "proc controls",
	  "bits must be as the processor allows them (27.2.1.1)",
	  CPU_BASED_VM_EXEC_CONTROL, VMX_ALWAYS, vmx_proc_controls },
	{ VMX_RULE_PROC2_CONTROLS, "proc controls 2",
	  "bits must be as the processor allows them (27.2.1.1)",
	  SECONDARY_VM_EXEC_CONTROL,
	  VMX_WITH(PROC, CPU_BASED_ACTIVATE_SECONDARY_CONTROLS),
	  vmx_proc2_controls },
	{ VMX_RULE_PROC3_CONTROLS, "proc controls 3",
	  "bits must be as the processor allows them (27.2.1.1)",
	  TERTIARY_VM_EXEC_CONTROL,
	  VMX_WITH(PROC, CPU_BASED_ACTIVATE_TERTIARY_CONTROLS),
	  VMX_KNOWN(proc3) },
	{ VMX_RULE_CR3_TARGETS, "CR3 targets",
	  "must be no more than the processor has (27.2.1.1)", CR3_TARGET_COUNT,
	  VMX_ALWAYS, vmx_cr3_targets },
	{ VMX_RULE_IO_BITMAP, "I/O bitmap A",
	  "must be the address of a page (27.2.1.1)", IO_BITMAP_A,
	  VMX_WITH(PROC, CPU_BASED_USE_IO_BITMAPS), vmx_check_not_page },
	{ VMX_RULE_IO_BITMAP, "I/O bitmap B",
	  "must be the address of a page (27.2.1.1)", IO_BITMAP_B,
	  VMX_WITH(PROC, CPU_BASED_USE_IO_BITMAPS), vmx_check_not_page },
	{ VMX_RULE_MSR_BITMAP, "MSR bitmap",
	  "must be the address of a page (27.2.1.1)", MSR_BITMAP,
	  VMX_WITH(PROC, CPU_BASED_USE_MSR_BITMAPS), vmx_check_not_page },
	{ VMX_RULE_VIRTUAL_APIC, "virtual APIC",
	  "must be the address of a page (27.2.1.1)", VIRTUAL_APIC_PAGE_ADDR,
	  VMX_WITH(PROC, CPU_BASED_TPR_SHADOW), vmx_check_not_page },
	{ VMX_RULE_TPR_THRESHOLD, "TPR threshold",
	  "bits 31:4 must be zero (27.2.1.1)", TPR_THRESHOLD,
	  VMX_WITH(PROC, CPU_BASED_TPR_SHADOW), vmx_tpr_threshold },
	{ VMX_RULE_TPR_THRESHOLD_VTPR, "TPR threshold",
	  "must not exceed bits 7:4 of the virtual TPR (27.2.1.1)",
	  TPR_THRESHOLD, VMX_WITH(PROC, CPU_BASED_TPR_SHADOW),
	  vmx_tpr_threshold_vtpr },
	{ VMX_RULE_VIRTUAL_NMIS, "pin controls",
	  "virtual NMIs need NMI exiting (27.2.1.1)", PIN_BASED_VM_EXEC_CONTROL,
	  VMX_WITH(PIN, PIN_BASED_VIRTUAL_NMIS),
	  VMX_ONE(PIN_BASED_NMI_EXITING) },
	{ VMX_RULE_NMI_WINDOW, "proc controls",
	  "NMI-window exiting needs virtual NMIs (27.2.1.1)",
	  CPU_BASED_VM_EXEC_CONTROL,
	  VMX_WITH(PROC, CPU_BASED_NMI_WINDOW_EXITING),
	  VMX_NEEDS(PIN, PIN_BASED_VIRTUAL_NMIS) },
	{ VMX_RULE_APIC_ACCESS, "APIC access",
	  "must be the address of a page (27.2.1.1)", APIC_ACCESS_ADDR,
	  VMX_WITH(PROC2, SECONDARY_EXEC_VIRTUALIZE_APIC_ACCESSES),
	  vmx_check_not_page },
	{ VMX_RULE_APIC_TPR_SHADOW, "proc controls 2",
	  "virtual APIC controls need the TPR shadow (27.2.1.1)",
	  SECONDARY_VM_EXEC_CONTROL,
	  VMX_WITH(PROC, CPU_BASED_ACTIVATE_SECONDARY_CONTROLS),
	  vmx_apic_tpr_shadow },
	{ VMX_RULE_IPI_TPR_SHADOW, "proc controls 3",
	  "IPI virtualization needs the TPR shadow (27.2.1.1)",
	  TERTIARY_VM_EXEC_CONTROL, VMX_WITH(PROC3, TERTIARY_EXEC_IPI_VIRT),
	  VMX_NEEDS(PROC, CPU_BASED_TPR_SHADOW) },
	{ VMX_RULE_X2APIC_MODE, "proc controls 2",
	  "x2APIC mode excludes virtual APIC accesses (27.2.1.1)",
	  SECONDARY_VM_EXEC_CONTROL,
	  VMX_WITH(PROC2, SECONDARY_EXEC_VIRTUALIZE_X2APIC_MODE |
				  SECONDARY_EXEC_VIRTUALIZE_APIC_ACCESSES),
	  vmx_broken },
	{ VMX_RULE_INTERRUPT_DELIVERY, "proc controls 2",
	  "virtual delivery needs external-interrupt exits (27.2.1.1)",
	  SECONDARY_VM_EXEC_CONTROL,
	  VMX_WITH(PROC2, SECONDARY_EXEC_VIRTUAL_INTR_DELIVERY),
	  VMX_NEEDS(PIN, PIN_BASED_EXT_INTR_MASK) },
	{ VMX_RULE_POSTED_DELIVERY, "pin controls",
	  "posted interrupts need virtual delivery (27.2.1.1)",
	  PIN_BASED_VM_EXEC_CONTROL, VMX_WITH(PIN, PIN_BASED_POSTED_INTR),
	  VMX_NEEDS(PROC2, SECONDARY_EXEC_VIRTUAL_INTR_DELIVERY) },
	{ VMX_RULE_POSTED_ACKNOWLEDGE, "exit controls",
	  "posted interrupts need acknowledge on exit (27.2.1.1)",
	  VM_EXIT_CONTROLS, VMX_WITH(PIN, PIN_BASED_POSTED_INTR),
	  VMX_ONE(VM_EXIT_ACK_INTR_ON_EXIT) },
	{ VMX_RULE_POSTED_VECTOR, "posted vector",
	  "bits 15:8 must be zero (27.2.1.1)", POSTED_INTR_NV,
	  VMX_WITH(PIN, PIN_BASED_POSTED_INTR), VMX_ZERO(~0xffULL) },
	{ VMX_RULE_POSTED_DESCRIPTOR, "posted desc",
	  "must be a physical address, a multiple of 64 (27.2.1.1)",
	  POSTED_INTR_DESC_ADDR, VMX_WITH(PIN, PIN_BASED_POSTED_INTR),
	  vmx_posted_descriptor },
	{ VMX_RULE_VPID, "VPID", "0 belongs to the host (27.2.1.1)",
	  VIRTUAL_PROCESSOR_ID, VMX_WITH(PROC2, SECONDARY_EXEC_ENABLE_VPID),
	  vmx_zero },
	{ VMX_RULE_EPTP_MEMORY_TYPE, "EPTP",
	  "memory type must be one the processor has (27.2.1.1)", EPT_POINTER,
	  VMX_WITH(PROC2, SECONDARY_EXEC_ENABLE_EPT), vmx_eptp_memory_type },
	{ VMX_RULE_EPTP_WALK, "EPTP",
	  "walk length must be one the processor has (27.2.1.1)", EPT_POINTER,
	  VMX_WITH(PROC2, SECONDARY_EXEC_ENABLE_EPT), vmx_eptp_walk },
	{ VMX_RULE_EPTP_ACCESSED_DIRTY, "EPTP",
	  "the processor has no accessed and dirty flags (27.2.1.1)",
	  EPT_POINTER, VMX_WITH(PROC2, SECONDARY_EXEC_ENABLE_EPT),
	  vmx_eptp_accessed_dirty },
	{ VMX_RULE_EPTP_SHADOW_STACK, "EPTP",
	  "the processor has no shadow-stack control (27.2.1.1)", EPT_POINTER,
	  VMX_WITH(PROC2, SECONDARY_EXEC_ENABLE_EPT), vmx_eptp_shadow_stack },
	{ VMX_RULE_EPTP_RESERVED, "EPTP",
	  "bits 11:8 and those beyond an address must be 0 (27.2.1.1)",
	  EPT_POINTER, VMX_WITH(PROC2, SECONDARY_EXEC_ENABLE_EPT),
	  vmx_eptp_reserved },
	{ VMX_RULE_NEEDS_EPT, "proc controls 2",
	  "a control is set that needs EPT (27.2.1.1)",
	  SECONDARY_VM_EXEC_CONTROL,
	  VMX_WITH(PROC, CPU_BASED_ACTIVATE_SECONDARY_CONTROLS),
	  vmx_needs_ept },
	{ VMX_RULE_PROC3_NEEDS_EPT, "proc controls 3",
	  "a control is set that needs EPT (27.2.1.1)",
	  TERTIARY_VM_EXEC_CONTROL,
	  VMX_WITH(PROC, CPU_BASED_ACTIVATE_TERTIARY_CONTROLS),
	  vmx_proc3_needs_ept },
	{ VMX_RULE_PML_ADDRESS, "PML address",
	  "must be the address of a page (27.2.1.1)", PML_ADDRESS,
	  VMX_WITH(PROC2, SECONDARY_EXEC_ENABLE_PML), vmx_check_not_page },
	{ VMX_RULE_SPPTP, "SPPTP", "must be the address of a page (27.2.1.1)",
	  VMX_FIELD_SPPTP, VMX_WITH(PROC2, VMX_PROC2_SPP), vmx_check_not_page },
	{ VMX_RULE_VMFUNC_CONTROLS, "VMFUNC controls",
	  "bits must be as the processor allows them (27.2.1.1)",
	  VM_FUNCTION_CONTROL, VMX_WITH(PROC2, SECONDARY_EXEC_ENABLE_VMFUNC),
	  VMX_KNOWN(vmfunc) },
	{ VMX_RULE_EPTP_SWITCHING, "VMFUNC controls",
	  "EPTP switching needs EPT (27.2.1.1)", VM_FUNCTION_CONTROL,
	  VMX_WITH(VMFUNC, VMX_VMFUNC_EPTP_SWITCHING),
	  VMX_NEEDS(PROC2, SECONDARY_EXEC_ENABLE_EPT) },
	{ VMX_RULE_EPTP_LIST, "EPTP list",
	  "must be the address of a page (27.2.1.1)", EPTP_LIST_ADDRESS,
	  VMX_WITH(VMFUNC, VMX_VMFUNC_EPTP_SWITCHING), vmx_check_not_page },
	{ VMX_RULE_VMCS_SHADOWING, "VMREAD bitmap",
	  "must be the address of a page (27.2.1.1)", VMREAD_BITMAP,
	  VMX_WITH(PROC2, SECONDARY_EXEC_SHADOW_VMCS), vmx_check_not_page },
	{ VMX_RULE_VMCS_SHADOWING, "VMWRITE bitmap",
	  "must be the address of a page (27.2.1.1)", VMWRITE_BITMAP,
	  VMX_WITH(PROC2, SECONDARY_EXEC_SHADOW_VMCS), vmx_check_not_page },
	{ VMX_RULE_VE_INFORMATION, "#VE information",
	  "must be the address of a page (27.2.1.1)", VMX_FIELD_VE_INFORMATION,
	  VMX_WITH(PROC2, VMCS_CONTROL_BIT(EPT_VIOLATION_VE)),
	  vmx_check_not_page },
	{ VMX_RULE_PT_GUEST_PHYSICAL, "proc controls 2",
	  "PT by guest address needs load and clear of RTIT (27.2.1.1)",
	  SECONDARY_VM_EXEC_CONTROL, VMX_WITH(PROC2, SECONDARY_EXEC_PT_USE_GPA),
	  vmx_pt_guest_physical },
	{ VMX_RULE_PT_TRACING, "entry controls",
	  "RTIT_CTL cannot be loaded while PT traces (27.2.1.1)",
	  VM_ENTRY_CONTROLS, VMX_WITH(ENTRY, VM_ENTRY_LOAD_IA32_RTIT_CTL),
	  vmx_pt_tracing },
	{ VMX_RULE_TSC_MULTIPLIER, "TSC multiplier",
	  "must not be zero (27.2.1.1)", TSC_MULTIPLIER,
	  VMX_WITH(PROC2, SECONDARY_EXEC_TSC_SCALING), vmx_zero },
	{ VMX_RULE_PASID_DIRECTORY, "PASID low",
	  "must be the address of a page (27.2.1.1)", VMX_FIELD_PASID_LOW,
	  VMX_WITH(PROC2, VMX_PROC2_PASID), vmx_check_not_page },
	{ VMX_RULE_PASID_DIRECTORY, "PASID high",
	  "must be the address of a page (27.2.1.1)", VMX_FIELD_PASID_HIGH,
	  VMX_WITH(PROC2, VMX_PROC2_PASID), vmx_check_not_page },
	{ VMX_RULE_HLATP, "HLATP",
	  "bits 2:0, 11:5, those beyond an address must be 0 (27.2.1.1)",
	  VMX_FIELD_HLATP, VMX_WITH(PROC3, VMX_PROC3_HLAT), vmx_hlatp },
	{ VMX_RULE_PID_TABLE, "PID table",
	  "must be a physical address, a multiple of 8 (27.2.1.1)",
	  PID_POINTER_TABLE, VMX_WITH(PROC3, TERTIARY_EXEC_IPI_VIRT),
	  vmx_pid_table },
	{ VMX_RULE_PID_TABLE_END, "PID table",
	  "must end within physical addresses (27.2.1.1)", PID_POINTER_TABLE,
	  VMX_WITH(PROC3, TERTIARY_EXEC_IPI_VIRT), vmx_pid_table_end },
};

void vmx_check_controls(struct vmx_checker *check)
{
	vmx_check_table(check, vmx_control_rules,
			ARRAY_SIZE(vmx_control_rules));
	vmx_check_transitions(check);
}
