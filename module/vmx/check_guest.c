// SPDX-License-Identifier: GPL-2.0
/*
 * The entry rules about the guest's registers, one row each: Intel SDM vol. 3C,
 * sections 27.3.1.1, 27.3.1.3, 27.3.1.4 and 27.3.1.6.
 */
#include "vmx/check_rules.h"

static bool vmx_cr0(const struct vmx_checker *check, u64 value)
{
	const struct vmx_check_host *host = check->host;
	u64 unchecked = VMX_CR0_UNCHECKED;
	u64 missing = ~value & host->cr0_fixed0;

	if (vmx_check_unrestricted(check))
		missing &= ~(u64)(X86_CR0_PE | X86_CR0_PG);
	return ((value & ~host->cr0_fixed1) | missing) & ~unchecked;
}

static bool vmx_cr0_pg_pe(const struct vmx_checker *check, u64 value)
{
	return (value & X86_CR0_PG) && !(value & X86_CR0_PE);
}

static bool vmx_cet_wp(const struct vmx_checker *check, u64 value)
{
	return !(value & X86_CR0_WP) && (check->cr4 & X86_CR4_CET);
}

static bool vmx_pcide(const struct vmx_checker *check, u64 value)
{
	return (value & X86_CR4_PCIDE) && !vmx_check_ia32e_guest(check);
}

static bool vmx_efer_lma(const struct vmx_checker *check, u64 value)
{
	return !!(value & EFER_LMA) != vmx_check_ia32e_guest(check);
}

static bool vmx_efer_lme(const struct vmx_checker *check, u64 value)
{
	return (check->cr0 & X86_CR0_PG) &&
	       !(value & EFER_LMA) != !(value & EFER_LME);
}

static bool vmx_bndcfgs_base(const struct vmx_checker *check, u64 value)
{
	return vmx_check_not_canonical(check, value & ~0xfffULL);
}

static bool vmx_not_64bit_high(const struct vmx_checker *check, u64 value)
{
	return !vmx_check_64bit_guest(check) && (value & VMX_HIGH_HALF);
}

/* Not quite canonical: bits beyond the width only need to be alike. */
static bool vmx_64bit_width(const struct vmx_checker *check, u64 value)
{
	u64 high = GENMASK_ULL(63, check->host->linear_bits);

	return vmx_check_64bit_guest(check) && (value & high) &&
	       (value & high) != high;
}

static bool vmx_rflags_reserved(const struct vmx_checker *check, u64 value)
{
	return (value & ~LODGE_RFLAGS_BITS) != X86_EFLAGS_FIXED;
}

static bool vmx_rflags_vm(const struct vmx_checker *check, u64 value)
{
	return (value & X86_EFLAGS_VM) &&
	       (vmx_check_ia32e_guest(check) || !(check->cr0 & X86_CR0_PE));
}

static bool vmx_rflags_if(const struct vmx_checker *check, u64 value)
{
	return vmx_check_injects(check, INTR_TYPE_EXT_INTR) &&
	       !(value & X86_EFLAGS_IF);
}

static bool vmx_pae_paging(const struct vmx_checker *check)
{
	return (check->cr0 & X86_CR0_PG) && (check->cr4 & X86_CR4_PAE) &&
	       !vmx_check_ia32e_guest(check);
}

static bool vmx_pdpte_reserved(const struct vmx_checker *check, u64 pdpte)
{
	u64 beyond = GENMASK_ULL(63, check->host->phys_bits);

	return (pdpte & LODGE_PDPTE_PRESENT) &&
	       (pdpte & (beyond | LODGE_PDPTE_RESERVED));
}

static bool vmx_pdpte(const struct vmx_checker *check, u64 value)
{
	return vmx_pae_paging(check) && vmx_pdpte_reserved(check, value);
}

/* Without EPT, the entries are those in memory that CR3 points to. */
static bool vmx_pdpte_memory(const struct vmx_checker *check, u64 value)
{
	u64 table = value & GENMASK_ULL(31, 5);
	u64 pdpte;
	int i;

	if (!vmx_pae_paging(check) || !check->host->memory ||
	    vmx_check_has(check, VMX_WORD_PROC2, SECONDARY_EXEC_ENABLE_EPT))
		return false;
	for (i = 0; i < 4; i++)
		if (check->host->memory(check->context, table + 8 * i,
					&pdpte) &&
		    vmx_pdpte_reserved(check, pdpte))
			return true;
	return false;
}

static const struct vmx_rule vmx_register_rules[] = {
	{ VMX_RULE_CR0, "CR0",
	  "bits must be as VMX operation allows them (27.3.1.1)", GUEST_CR0,
	  VMX_ALWAYS, vmx_cr0 },
	{ VMX_RULE_CR0_PG_PE, "CR0", "PE must be set with PG (27.3.1.1)",
	  GUEST_CR0, VMX_ALWAYS, vmx_cr0_pg_pe },
	{ VMX_RULE_CR4, "CR4",
	  "bits must be as VMX operation allows them (27.3.1.1)", GUEST_CR4,
	  VMX_ALWAYS, vmx_check_not_cr4 },
	{ VMX_RULE_CET_WP, "CR0", "WP must be set with CR4.CET (27.3.1.1)",
	  GUEST_CR0, VMX_ALWAYS, vmx_cet_wp },
	{ VMX_RULE_DEBUGCTL, "DEBUGCTL",
	  "bits unknown to the processor must be zero (27.3.1.1)",
	  GUEST_IA32_DEBUGCTL, VMX_WITH(ENTRY, VM_ENTRY_LOAD_DEBUG_CONTROLS),
	  VMX_KNOWN(debugctl) },
	{ VMX_RULE_IA32E_PG, "CR0",
	  "PG must be set for an IA-32e mode guest (27.3.1.1)", GUEST_CR0,
	  VMX_WITH(ENTRY, VM_ENTRY_IA32E_MODE), VMX_ONE(X86_CR0_PG) },
	{ VMX_RULE_IA32E_PAE, "CR4",
	  "PAE must be set for an IA-32e mode guest (27.3.1.1)", GUEST_CR4,
	  VMX_WITH(ENTRY, VM_ENTRY_IA32E_MODE), VMX_ONE(X86_CR4_PAE) },
	{ VMX_RULE_PCIDE, "CR4",
	  "PCIDE must be clear outside IA-32e mode (27.3.1.1)", GUEST_CR4,
	  VMX_ALWAYS, vmx_pcide },
	{ VMX_RULE_CR3, "CR3",
	  "bits beyond a physical address must be zero (27.3.1.1)", GUEST_CR3,
	  VMX_ALWAYS, vmx_check_not_cr3 },
	{ VMX_RULE_DR7, "DR7", "bits 63:32 must be zero (27.3.1.1)", GUEST_DR7,
	  VMX_WITH(ENTRY, VM_ENTRY_LOAD_DEBUG_CONTROLS),
	  VMX_ZERO(VMX_HIGH_HALF) },
	{ VMX_RULE_SYSENTER, "SYSENTER_ESP",
	  "must be a canonical address (27.3.1.1)", GUEST_SYSENTER_ESP,
	  VMX_ALWAYS, vmx_check_not_canonical },
	{ VMX_RULE_SYSENTER, "SYSENTER_EIP",
	  "must be a canonical address (27.3.1.1)", GUEST_SYSENTER_EIP,
	  VMX_ALWAYS, vmx_check_not_canonical },
	{ VMX_RULE_CET_CANONICAL, "S_CET",
	  "must be a canonical address (27.3.1.1)", VMX_FIELD_S_CET,
	  VMX_WITH(ENTRY, VMX_ENTRY_LOAD_CET), vmx_check_not_canonical },
	{ VMX_RULE_CET_CANONICAL, "SSP table",
	  "must be a canonical address (27.3.1.1)", VMX_FIELD_SSP_TABLE,
	  VMX_WITH(ENTRY, VMX_ENTRY_LOAD_CET), vmx_check_not_canonical },
	{ VMX_RULE_PERF, "PERF_GLOBAL_CTR",
	  "bits unknown to the processor must be zero (27.3.1.1)",
	  GUEST_IA32_PERF_GLOBAL_CTRL,
	  VMX_WITH(ENTRY, VM_ENTRY_LOAD_IA32_PERF_GLOBAL_CTRL),
	  VMX_KNOWN(perf_global_ctrl) },
	{ VMX_RULE_PAT, "PAT",
	  "bytes must be memory types: 0, 1, 4, 5, 6, 7 (27.3.1.1)",
	  GUEST_IA32_PAT, VMX_WITH(ENTRY, VM_ENTRY_LOAD_IA32_PAT),
	  vmx_check_not_pat },
	{ VMX_RULE_EFER_RESERVED, "EFER",
	  "bits unknown to the processor must be zero (27.3.1.1)",
	  GUEST_IA32_EFER, VMX_WITH(ENTRY, VM_ENTRY_LOAD_IA32_EFER),
	  VMX_KNOWN(efer) },
	{ VMX_RULE_EFER_LMA, "EFER",
	  "LMA must be the control IA-32e mode guest (27.3.1.1)",
	  GUEST_IA32_EFER, VMX_WITH(ENTRY, VM_ENTRY_LOAD_IA32_EFER),
	  vmx_efer_lma },
	{ VMX_RULE_EFER_LME, "EFER",
	  "LMA and LME must be the same with CR0.PG (27.3.1.1)",
	  GUEST_IA32_EFER, VMX_WITH(ENTRY, VM_ENTRY_LOAD_IA32_EFER),
	  vmx_efer_lme },
	{ VMX_RULE_BNDCFGS_RESERVED, "BNDCFGS",
	  "bits 11:2 must be zero (27.3.1.1)", GUEST_BNDCFGS,
	  VMX_WITH(ENTRY, VM_ENTRY_LOAD_BNDCFGS),
	  VMX_ZERO(GENMASK_ULL(11, 2)) },
	{ VMX_RULE_BNDCFGS_BASE, "BNDCFGS",
	  "the base must be a canonical address (27.3.1.1)", GUEST_BNDCFGS,
	  VMX_WITH(ENTRY, VM_ENTRY_LOAD_BNDCFGS), vmx_bndcfgs_base },
	{ VMX_RULE_RTIT_CTL, "RTIT_CTL",
	  "bits unknown to the processor must be zero (27.3.1.1)",
	  GUEST_IA32_RTIT_CTL, VMX_WITH(ENTRY, VM_ENTRY_LOAD_IA32_RTIT_CTL),
	  VMX_KNOWN(rtit_ctl) },
	{ VMX_RULE_S_CET_RESERVED, "S_CET",
	  "bits unknown to the processor must be zero (27.3.1.1)",
	  VMX_FIELD_S_CET, VMX_WITH(ENTRY, VMX_ENTRY_LOAD_CET),
	  VMX_KNOWN(s_cet) },
	{ VMX_RULE_S_CET_TRACKER, "S_CET",
	  "SUPPRESS and TRACKER must not both be set (27.3.1.1)",
	  VMX_FIELD_S_CET, VMX_WITH(ENTRY, VMX_ENTRY_LOAD_CET),
	  vmx_check_tracker_suppressed },
	{ VMX_RULE_LBR_CTL, "LBR_CTL",
	  "bits unknown to the processor must be zero (27.3.1.1)",
	  VMX_FIELD_LBR_CTL, VMX_WITH(ENTRY, VMX_ENTRY_LOAD_LBR_CTL),
	  VMX_KNOWN(lbr_ctl) },
	{ VMX_RULE_PKRS, "PKRS", "bits 63:32 must be zero (27.3.1.1)",
	  VMX_FIELD_PKRS, VMX_WITH(ENTRY, VMX_ENTRY_LOAD_PKRS),
	  VMX_ZERO(VMX_HIGH_HALF) },
	{ VMX_RULE_UINV, "UINV", "bits 15:8 must be zero (27.3.1.1)",
	  VMX_FIELD_UINV, VMX_WITH(ENTRY, VMX_ENTRY_LOAD_UINV),
	  VMX_ZERO(~0xffULL) },
};

static const struct vmx_rule vmx_table_rules[] = {
	{ VMX_RULE_TABLE_BASE, "GDTR.base",
	  "must be a canonical address (27.3.1.3)", GUEST_GDTR_BASE, VMX_ALWAYS,
	  vmx_check_not_canonical },
	{ VMX_RULE_TABLE_BASE, "IDTR.base",
	  "must be a canonical address (27.3.1.3)", GUEST_IDTR_BASE, VMX_ALWAYS,
	  vmx_check_not_canonical },
	{ VMX_RULE_TABLE_LIMIT, "GDTR.limit",
	  "bits 31:16 must be zero (27.3.1.3)", GUEST_GDTR_LIMIT, VMX_ALWAYS,
	  VMX_ZERO(~0xffffULL) },
	{ VMX_RULE_TABLE_LIMIT, "IDTR.limit",
	  "bits 31:16 must be zero (27.3.1.3)", GUEST_IDTR_LIMIT, VMX_ALWAYS,
	  VMX_ZERO(~0xffffULL) },
	{ VMX_RULE_RIP_HIGH, "RIP",
	  "bits 63:32 must be zero outside 64-bit mode (27.3.1.4)", GUEST_RIP,
	  VMX_ALWAYS, vmx_not_64bit_high },
	{ VMX_RULE_RIP_WIDTH, "RIP",
	  "bits beyond a linear address must be alike (27.3.1.4)", GUEST_RIP,
	  VMX_ALWAYS, vmx_64bit_width },
	{ VMX_RULE_RFLAGS_RESERVED, "RFLAGS",
	  "bits 63:22, 15, 5, 3 must be zero, bit 1 set (27.3.1.4)",
	  GUEST_RFLAGS, VMX_ALWAYS, vmx_rflags_reserved },
	{ VMX_RULE_RFLAGS_VM, "RFLAGS",
	  "VM must be clear in IA-32e mode and in real mode (27.3.1.4)",
	  GUEST_RFLAGS, VMX_ALWAYS, vmx_rflags_vm },
	{ VMX_RULE_RFLAGS_IF, "RFLAGS",
	  "IF must be set for an external interrupt (27.3.1.4)", GUEST_RFLAGS,
	  VMX_ALWAYS, vmx_rflags_if },
	{ VMX_RULE_SSP_ALIGNED, "SSP", "bits 1:0 must be zero (27.3.1.4)",
	  VMX_FIELD_SSP, VMX_WITH(ENTRY, VMX_ENTRY_LOAD_CET), VMX_ZERO(3) },
	{ VMX_RULE_SSP_HIGH, "SSP",
	  "bits 63:32 must be zero outside 64-bit mode (27.3.1.4)",
	  VMX_FIELD_SSP, VMX_WITH(ENTRY, VMX_ENTRY_LOAD_CET),
	  vmx_not_64bit_high },
	{ VMX_RULE_SSP_WIDTH, "SSP",
	  "bits beyond a linear address must be alike (27.3.1.4)",
	  VMX_FIELD_SSP, VMX_WITH(ENTRY, VMX_ENTRY_LOAD_CET), vmx_64bit_width },
};

static const struct vmx_rule vmx_pdpte_rules[] = {
	{ VMX_RULE_PDPTE, "PDPTE0", "reserved bits must be zero (27.3.1.6)",
	  GUEST_PDPTR0, VMX_WITH(PROC2, SECONDARY_EXEC_ENABLE_EPT), vmx_pdpte },
	{ VMX_RULE_PDPTE, "PDPTE1", "reserved bits must be zero (27.3.1.6)",
	  GUEST_PDPTR1, VMX_WITH(PROC2, SECONDARY_EXEC_ENABLE_EPT), vmx_pdpte },
	{ VMX_RULE_PDPTE, "PDPTE2", "reserved bits must be zero (27.3.1.6)",
	  GUEST_PDPTR2, VMX_WITH(PROC2, SECONDARY_EXEC_ENABLE_EPT), vmx_pdpte },
	{ VMX_RULE_PDPTE, "PDPTE3", "reserved bits must be zero (27.3.1.6)",
	  GUEST_PDPTR3, VMX_WITH(PROC2, SECONDARY_EXEC_ENABLE_EPT), vmx_pdpte },
	{ VMX_RULE_PDPTE_MEMORY, "CR3",
	  "reserved bits of its PDPTEs must be zero (27.3.1.6)", GUEST_CR3,
	  VMX_ALWAYS, vmx_pdpte_memory },
};

void vmx_check_guest_state(struct vmx_checker *check)
{
	vmx_check_table(check, vmx_register_rules,
			ARRAY_SIZE(vmx_register_rules));
	vmx_check_segments(check);
	vmx_check_table(check, vmx_table_rules, ARRAY_SIZE(vmx_table_rules));
	vmx_check_non_registers(check);
	vmx_check_table(check, vmx_pdpte_rules, ARRAY_SIZE(vmx_pdpte_rules));
}
