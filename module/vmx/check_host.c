// SPDX-License-Identifier: GPL-2.0
/*
 * The entry rules about host state, one row each: Intel SDM vol. 3C, sections
 * 27.2.2 to 27.2.4.
 */
#include "vmx/check_rules.h"

static bool vmx_host_64bit(const struct vmx_checker *check)
{
	return vmx_check_has(check, VMX_WORD_EXIT,
			     VM_EXIT_HOST_ADDR_SPACE_SIZE);
}

static bool vmx_host_cr0(const struct vmx_checker *check, u64 value)
{
	const struct vmx_check_host *host = check->host;

	return ((value & ~host->cr0_fixed1) | (~value & host->cr0_fixed0)) &
	       ~VMX_CR0_UNCHECKED;
}

static bool vmx_host_cet_wp(const struct vmx_checker *check, u64 value)
{
	return !(value & X86_CR0_WP) &&
	       (check->read(check->context, HOST_CR4) & X86_CR4_CET);
}

static bool vmx_host_efer_mode(const struct vmx_checker *check, u64 value)
{
	u64 mode = vmx_host_64bit(check) ? EFER_LME | EFER_LMA : 0;

	return (value & (EFER_LME | EFER_LMA)) != mode;
}

static bool vmx_host_null(const struct vmx_checker *check, u64 value)
{
	return value == 0;
}

static bool vmx_host_null_ss(const struct vmx_checker *check, u64 value)
{
	return value == 0 && !vmx_host_64bit(check);
}

static bool vmx_host_32bit_pcide(const struct vmx_checker *check, u64 value)
{
	return !vmx_host_64bit(check) && (value & X86_CR4_PCIDE);
}

static bool vmx_host_32bit_high(const struct vmx_checker *check, u64 value)
{
	return !vmx_host_64bit(check) && (value & VMX_HIGH_HALF);
}

static const struct vmx_rule vmx_host_rules[] = {
	{ VMX_RULE_HOST_CR0, "host CR0",
	  "bits must be as VMX operation allows them (27.2.2)", HOST_CR0,
	  VMX_ALWAYS, vmx_host_cr0 },
	{ VMX_RULE_HOST_CR4, "host CR4",
	  "bits must be as VMX operation allows them (27.2.2)", HOST_CR4,
	  VMX_ALWAYS, vmx_check_not_cr4 },
	{ VMX_RULE_HOST_CET_WP, "host CR0",
	  "WP must be set with CR4.CET (27.2.2)", HOST_CR0, VMX_ALWAYS,
	  vmx_host_cet_wp },
	{ VMX_RULE_HOST_CR3, "host CR3",
	  "bits beyond a physical address must be zero (27.2.2)", HOST_CR3,
	  VMX_ALWAYS, vmx_check_not_cr3 },
	{ VMX_RULE_HOST_SYSENTER, "host SYSENT.ESP",
	  "must be a canonical address (27.2.2)", HOST_IA32_SYSENTER_ESP,
	  VMX_ALWAYS, vmx_check_not_canonical },
	{ VMX_RULE_HOST_SYSENTER, "host SYSENT.EIP",
	  "must be a canonical address (27.2.2)", HOST_IA32_SYSENTER_EIP,
	  VMX_ALWAYS, vmx_check_not_canonical },
	{ VMX_RULE_HOST_SSP_TABLE, "host SSP table",
	  "must be a canonical address (27.2.2)", VMX_FIELD_HOST_SSP_TABLE,
	  VMX_WITH(EXIT, VMX_EXIT_LOAD_CET), vmx_check_not_canonical },
	{ VMX_RULE_HOST_PERF, "host PERF_CTRL",
	  "bits unknown to the processor must be zero (27.2.2)",
	  HOST_IA32_PERF_GLOBAL_CTRL,
	  VMX_WITH(EXIT, VM_EXIT_LOAD_IA32_PERF_GLOBAL_CTRL),
	  VMX_KNOWN(perf_global_ctrl) },
	{ VMX_RULE_HOST_PAT, "host PAT",
	  "bytes must be memory types: 0, 1, 4, 5, 6, 7 (27.2.2)",
	  HOST_IA32_PAT, VMX_WITH(EXIT, VM_EXIT_LOAD_IA32_PAT),
	  vmx_check_not_pat },
	{ VMX_RULE_HOST_EFER_RESERVED, "host EFER",
	  "bits unknown to the processor must be zero (27.2.2)", HOST_IA32_EFER,
	  VMX_WITH(EXIT, VM_EXIT_LOAD_IA32_EFER), VMX_KNOWN(efer) },
	{ VMX_RULE_HOST_EFER_MODE, "host EFER",
	  "LME and LMA must be the host's address-space size (27.2.2)",
	  HOST_IA32_EFER, VMX_WITH(EXIT, VM_EXIT_LOAD_IA32_EFER),
	  vmx_host_efer_mode },
	{ VMX_RULE_HOST_S_CET_RESERVED, "host S_CET",
	  "bits unknown to the processor must be zero (27.2.2)",
	  VMX_FIELD_HOST_S_CET, VMX_WITH(EXIT, VMX_EXIT_LOAD_CET),
	  VMX_KNOWN(s_cet) },
	{ VMX_RULE_HOST_S_CET_TRACKER, "host S_CET",
	  "SUPPRESS and TRACKER must not both be set (27.2.2)",
	  VMX_FIELD_HOST_S_CET, VMX_WITH(EXIT, VMX_EXIT_LOAD_CET),
	  vmx_check_tracker_suppressed },
	{ VMX_RULE_HOST_SSP_ALIGNED, "host SSP",
	  "bits 1:0 must be zero (27.2.2)", VMX_FIELD_HOST_SSP,
	  VMX_WITH(EXIT, VMX_EXIT_LOAD_CET), VMX_ZERO(3) },
	{ VMX_RULE_HOST_PKRS, "host PKRS", "bits 63:32 must be zero (27.2.2)",
	  VMX_FIELD_HOST_PKRS, VMX_WITH(EXIT, VMX_EXIT_LOAD_PKRS),
	  VMX_ZERO(VMX_HIGH_HALF) },
	{ VMX_RULE_HOST_SELECTOR, "host ES", "RPL and TI must be zero (27.2.3)",
	  HOST_ES_SELECTOR, VMX_ALWAYS, VMX_ZERO(7) },
	{ VMX_RULE_HOST_SELECTOR, "host CS", "RPL and TI must be zero (27.2.3)",
	  HOST_CS_SELECTOR, VMX_ALWAYS, VMX_ZERO(7) },
	{ VMX_RULE_HOST_SELECTOR, "host SS", "RPL and TI must be zero (27.2.3)",
	  HOST_SS_SELECTOR, VMX_ALWAYS, VMX_ZERO(7) },
	{ VMX_RULE_HOST_SELECTOR, "host DS", "RPL and TI must be zero (27.2.3)",
	  HOST_DS_SELECTOR, VMX_ALWAYS, VMX_ZERO(7) },
	{ VMX_RULE_HOST_SELECTOR, "host FS", "RPL and TI must be zero (27.2.3)",
	  HOST_FS_SELECTOR, VMX_ALWAYS, VMX_ZERO(7) },
	{ VMX_RULE_HOST_SELECTOR, "host GS", "RPL and TI must be zero (27.2.3)",
	  HOST_GS_SELECTOR, VMX_ALWAYS, VMX_ZERO(7) },
	{ VMX_RULE_HOST_SELECTOR, "host TR", "RPL and TI must be zero (27.2.3)",
	  HOST_TR_SELECTOR, VMX_ALWAYS, VMX_ZERO(7) },
	{ VMX_RULE_HOST_NULL, "host CS", "must not be null (27.2.3)",
	  HOST_CS_SELECTOR, VMX_ALWAYS, vmx_host_null },
	{ VMX_RULE_HOST_NULL, "host TR", "must not be null (27.2.3)",
	  HOST_TR_SELECTOR, VMX_ALWAYS, vmx_host_null },
	{ VMX_RULE_HOST_NULL_SS, "host SS",
	  "must not be null for a 32-bit host (27.2.3)", HOST_SS_SELECTOR,
	  VMX_ALWAYS, vmx_host_null_ss },
	{ VMX_RULE_HOST_BASE, "host FS.base",
	  "must be a canonical address (27.2.3)", HOST_FS_BASE, VMX_ALWAYS,
	  vmx_check_not_canonical },
	{ VMX_RULE_HOST_BASE, "host GS.base",
	  "must be a canonical address (27.2.3)", HOST_GS_BASE, VMX_ALWAYS,
	  vmx_check_not_canonical },
	{ VMX_RULE_HOST_BASE, "host TR.base",
	  "must be a canonical address (27.2.3)", HOST_TR_BASE, VMX_ALWAYS,
	  vmx_check_not_canonical },
	{ VMX_RULE_HOST_BASE, "host GDTR.base",
	  "must be a canonical address (27.2.3)", HOST_GDTR_BASE, VMX_ALWAYS,
	  vmx_check_not_canonical },
	{ VMX_RULE_HOST_BASE, "host IDTR.base",
	  "must be a canonical address (27.2.3)", HOST_IDTR_BASE, VMX_ALWAYS,
	  vmx_check_not_canonical },
	/* Lodge enters guests in IA-32e mode only. */
	{ VMX_RULE_HOST_64BIT, "exit controls",
	  "the host's address space must be 64-bit (27.2.4)", VM_EXIT_CONTROLS,
	  VMX_ALWAYS, VMX_NEEDS(EXIT, VM_EXIT_HOST_ADDR_SPACE_SIZE) },
	{ VMX_RULE_HOST_32BIT_GUEST, "entry controls",
	  "an IA-32e mode guest needs a 64-bit host (27.2.4)",
	  VM_ENTRY_CONTROLS, VMX_WITH(ENTRY, VM_ENTRY_IA32E_MODE),
	  VMX_NEEDS(EXIT, VM_EXIT_HOST_ADDR_SPACE_SIZE) },
	{ VMX_RULE_HOST_32BIT_PCIDE, "host CR4",
	  "PCIDE must be clear for a 32-bit host (27.2.4)", HOST_CR4,
	  VMX_ALWAYS, vmx_host_32bit_pcide },
	{ VMX_RULE_HOST_32BIT_HIGH, "host RIP",
	  "bits 63:32 must be zero for a 32-bit host (27.2.4)", HOST_RIP,
	  VMX_ALWAYS, vmx_host_32bit_high },
	{ VMX_RULE_HOST_32BIT_HIGH, "host S_CET",
	  "bits 63:32 must be zero for a 32-bit host (27.2.4)",
	  VMX_FIELD_HOST_S_CET, VMX_WITH(EXIT, VMX_EXIT_LOAD_CET),
	  vmx_host_32bit_high },
	{ VMX_RULE_HOST_32BIT_HIGH, "host SSP",
	  "bits 63:32 must be zero for a 32-bit host (27.2.4)",
	  VMX_FIELD_HOST_SSP, VMX_WITH(EXIT, VMX_EXIT_LOAD_CET),
	  vmx_host_32bit_high },
	{ VMX_RULE_HOST_64BIT_PAE, "host CR4",
	  "PAE must be set for a 64-bit host (27.2.4)", HOST_CR4,
	  VMX_WITH(EXIT, VM_EXIT_HOST_ADDR_SPACE_SIZE), VMX_ONE(X86_CR4_PAE) },
	{ VMX_RULE_HOST_64BIT_CANONICAL, "host RIP",
	  "must be canonical for a 64-bit host (27.2.4)", HOST_RIP,
	  VMX_WITH(EXIT, VM_EXIT_HOST_ADDR_SPACE_SIZE),
	  vmx_check_not_canonical },
	{ VMX_RULE_HOST_64BIT_CANONICAL, "host S_CET",
	  "must be canonical for a 64-bit host (27.2.4)", VMX_FIELD_HOST_S_CET,
	  VMX_WITH(EXIT, VMX_EXIT_LOAD_CET | VM_EXIT_HOST_ADDR_SPACE_SIZE),
	  vmx_check_not_canonical },
	{ VMX_RULE_HOST_64BIT_CANONICAL, "host SSP",
	  "must be canonical for a 64-bit host (27.2.4)", VMX_FIELD_HOST_SSP,
	  VMX_WITH(EXIT, VMX_EXIT_LOAD_CET | VM_EXIT_HOST_ADDR_SPACE_SIZE),
	  vmx_check_not_canonical },
};

void vmx_check_host_state(struct vmx_checker *check)
{
	vmx_check_table(check, vmx_host_rules, ARRAY_SIZE(vmx_host_rules));
}
