// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of VT-x's entry rules about host state.  Each is broken alone, or with the rules
 * that necessarily break with it, and reported with its field and value.  Values just
 * within the rules break none.
 */
#include "vmx/check.h"

#include "kselftest_harness.h"
#include "vmx_cases.h"

#define SET_EXIT(bits)                          \
	{                                       \
		VM_EXIT_CONTROLS, EXIT | (bits) \
	}
#define HOST_CET SET_EXIT(VMX_EXIT_LOAD_CET)
#define HOST_32BIT                                                     \
	{                                                              \
		VM_EXIT_CONTROLS, EXIT & ~VM_EXIT_HOST_ADDR_SPACE_SIZE \
	}
#define CLEAR_HOST_EFER           \
	{                         \
		HOST_IA32_EFER, 0 \
	}

static const struct breakage host_cases[] = {
	{ VMX_RULE_HOST_CR0,
	  HOST_CR0,
	  "host CR0",
	  { { HOST_CR0, GUEST_CR0_VALUE & ~X86_CR0_NE } } },
	{ VMX_RULE_HOST_CR0,
	  HOST_CR0,
	  "host CR0",
	  { { HOST_CR0, GUEST_CR0_VALUE | BIT_ULL(32) } } },
	{ VMX_RULE_HOST_CR4, HOST_CR4, "host CR4", { { HOST_CR4, 0x20 } } },
	{ VMX_RULE_HOST_CR4,
	  HOST_CR4,
	  "host CR4",
	  { { HOST_CR4, GUEST_CR4_VALUE | BIT(15) } } },
	{ VMX_RULE_HOST_CET_WP,
	  HOST_CR0,
	  "host CR0",
	  { { HOST_CR0, GUEST_CR0_VALUE & ~X86_CR0_WP },
	    { HOST_CR4, GUEST_CR4_VALUE | X86_CR4_CET } } },
	{ VMX_RULE_HOST_CR3,
	  HOST_CR3,
	  "host CR3",
	  { { HOST_CR3, NOT_PHYSICAL } } },
	{ VMX_RULE_HOST_CR3,
	  HOST_CR3,
	  "host CR3",
	  { { HOST_CR3, BIT_ULL(63) } },
	  .on = CPU_LENIENT },
	{ VMX_RULE_HOST_SYSENTER,
	  HOST_IA32_SYSENTER_ESP,
	  "host SYSENT.ESP",
	  { { HOST_IA32_SYSENTER_ESP, NOT_CANONICAL } } },
	{ VMX_RULE_HOST_SYSENTER,
	  HOST_IA32_SYSENTER_EIP,
	  "host SYSENT.EIP",
	  { { HOST_IA32_SYSENTER_EIP, BIT_ULL(63) } } },
	{ VMX_RULE_HOST_SSP_TABLE,
	  VMX_FIELD_HOST_SSP_TABLE,
	  "host SSP table",
	  { HOST_CET, { VMX_FIELD_HOST_SSP_TABLE, NOT_CANONICAL } } },
	{ VMX_RULE_HOST_PERF,
	  HOST_IA32_PERF_GLOBAL_CTRL,
	  "host PERF_CTRL",
	  { SET_EXIT(VM_EXIT_LOAD_IA32_PERF_GLOBAL_CTRL),
	    { HOST_IA32_PERF_GLOBAL_CTRL, BIT(8) } } },
	{
		VMX_RULE_HOST_PAT,
		HOST_IA32_PAT,
		"host PAT",
		{ { HOST_IA32_PAT, (PAT_VALUE & ~0xffULL) | 2 } },
	},
	{ VMX_RULE_HOST_EFER_RESERVED,
	  HOST_IA32_EFER,
	  "host EFER",
	  { { HOST_IA32_EFER, LONG_EFER | BIT(1) } } },
	{ VMX_RULE_HOST_EFER_MODE,
	  HOST_IA32_EFER,
	  "host EFER",
	  { { HOST_IA32_EFER, LONG_EFER & ~EFER_LME } } },
	{ VMX_RULE_HOST_EFER_MODE,
	  HOST_IA32_EFER,
	  "host EFER",
	  { { HOST_IA32_EFER, LONG_EFER & ~EFER_LMA } } },
	{ VMX_RULE_HOST_S_CET_RESERVED,
	  VMX_FIELD_HOST_S_CET,
	  "host S_CET",
	  { HOST_CET, { VMX_FIELD_HOST_S_CET, BIT(6) } } },
	{ VMX_RULE_HOST_S_CET_TRACKER,
	  VMX_FIELD_HOST_S_CET,
	  "host S_CET",
	  { HOST_CET, { VMX_FIELD_HOST_S_CET, VMX_S_CET_TRACKER } } },
	{ VMX_RULE_HOST_SSP_ALIGNED,
	  VMX_FIELD_HOST_SSP,
	  "host SSP",
	  { HOST_CET, { VMX_FIELD_HOST_SSP, 2 } } },
	{ VMX_RULE_HOST_PKRS,
	  VMX_FIELD_HOST_PKRS,
	  "host PKRS",
	  { SET_EXIT(VMX_EXIT_LOAD_PKRS),
	    { VMX_FIELD_HOST_PKRS, BIT_ULL(32) } } },
	{ VMX_RULE_HOST_SELECTOR,
	  HOST_ES_SELECTOR,
	  "host ES",
	  { { HOST_ES_SELECTOR, 1 } } },
	{ VMX_RULE_HOST_SELECTOR,
	  HOST_CS_SELECTOR,
	  "host CS",
	  { { HOST_CS_SELECTOR, 0x13 } } },
	{ VMX_RULE_HOST_SELECTOR,
	  HOST_SS_SELECTOR,
	  "host SS",
	  { { HOST_SS_SELECTOR, 4 } } },
	{ VMX_RULE_HOST_SELECTOR,
	  HOST_DS_SELECTOR,
	  "host DS",
	  { { HOST_DS_SELECTOR, 0x2b } } },
	{ VMX_RULE_HOST_SELECTOR,
	  HOST_FS_SELECTOR,
	  "host FS",
	  { { HOST_FS_SELECTOR, 2 } } },
	{ VMX_RULE_HOST_SELECTOR,
	  HOST_GS_SELECTOR,
	  "host GS",
	  { { HOST_GS_SELECTOR, 3 } } },
	{ VMX_RULE_HOST_SELECTOR,
	  HOST_TR_SELECTOR,
	  "host TR",
	  { { HOST_TR_SELECTOR, 0x44 } } },
	{ VMX_RULE_HOST_NULL,
	  HOST_CS_SELECTOR,
	  "host CS",
	  { { HOST_CS_SELECTOR, 0 } } },
	{ VMX_RULE_HOST_NULL,
	  HOST_TR_SELECTOR,
	  "host TR",
	  { { HOST_TR_SELECTOR, 0 } } },
	{ VMX_RULE_HOST_NULL_SS,
	  HOST_SS_SELECTOR,
	  "host SS",
	  { HOST_32BIT, CLEAR_HOST_EFER, { HOST_SS_SELECTOR, 0 } },
	  GUEST_PAE,
	  CPU_FULL,
	  { VMX_RULE_HOST_64BIT } },
	{ VMX_RULE_HOST_BASE,
	  HOST_FS_BASE,
	  "host FS.base",
	  { { HOST_FS_BASE, NOT_CANONICAL } } },
	{ VMX_RULE_HOST_BASE,
	  HOST_GS_BASE,
	  "host GS.base",
	  { { HOST_GS_BASE, NOT_CANONICAL } } },
	{ VMX_RULE_HOST_BASE,
	  HOST_TR_BASE,
	  "host TR.base",
	  { { HOST_TR_BASE, ~NOT_CANONICAL } } },
	{ VMX_RULE_HOST_BASE,
	  HOST_GDTR_BASE,
	  "host GDTR.base",
	  { { HOST_GDTR_BASE, BIT_ULL(48) } } },
	{ VMX_RULE_HOST_BASE,
	  HOST_IDTR_BASE,
	  "host IDTR.base",
	  { { HOST_IDTR_BASE, BIT_ULL(62) } } },
	{ VMX_RULE_HOST_64BIT,
	  VM_EXIT_CONTROLS,
	  "exit controls",
	  { HOST_32BIT, CLEAR_HOST_EFER },
	  GUEST_PAE },
	{ VMX_RULE_HOST_32BIT_GUEST,
	  VM_ENTRY_CONTROLS,
	  "entry controls",
	  { HOST_32BIT, CLEAR_HOST_EFER },
	  GUEST_LONG,
	  CPU_FULL,
	  { VMX_RULE_HOST_64BIT } },
	{ VMX_RULE_HOST_32BIT_PCIDE,
	  HOST_CR4,
	  "host CR4",
	  { HOST_32BIT,
	    CLEAR_HOST_EFER,
	    { HOST_CR4, GUEST_CR4_VALUE | X86_CR4_PCIDE } },
	  GUEST_PAE,
	  CPU_FULL,
	  { VMX_RULE_HOST_64BIT } },
	{ VMX_RULE_HOST_32BIT_HIGH,
	  HOST_RIP,
	  "host RIP",
	  { HOST_32BIT, CLEAR_HOST_EFER, { HOST_RIP, BIT_ULL(32) } },
	  GUEST_PAE,
	  CPU_FULL,
	  { VMX_RULE_HOST_64BIT } },
	{ VMX_RULE_HOST_32BIT_HIGH,
	  VMX_FIELD_HOST_S_CET,
	  "host S_CET",
	  { { VM_EXIT_CONTROLS,
	      (EXIT & ~VM_EXIT_HOST_ADDR_SPACE_SIZE) | VMX_EXIT_LOAD_CET },
	    CLEAR_HOST_EFER,
	    { VMX_FIELD_HOST_S_CET, BIT_ULL(32) } },
	  GUEST_PAE,
	  CPU_FULL,
	  { VMX_RULE_HOST_64BIT } },
	{ VMX_RULE_HOST_32BIT_HIGH,
	  VMX_FIELD_HOST_SSP,
	  "host SSP",
	  { { VM_EXIT_CONTROLS,
	      (EXIT & ~VM_EXIT_HOST_ADDR_SPACE_SIZE) | VMX_EXIT_LOAD_CET },
	    CLEAR_HOST_EFER,
	    { VMX_FIELD_HOST_SSP, BIT_ULL(32) } },
	  GUEST_PAE,
	  CPU_FULL,
	  { VMX_RULE_HOST_64BIT } },
	{ VMX_RULE_HOST_64BIT_PAE,
	  HOST_CR4,
	  "host CR4",
	  { { HOST_CR4, X86_CR4_VMXE } } },
	{ VMX_RULE_HOST_64BIT_CANONICAL,
	  HOST_RIP,
	  "host RIP",
	  { { HOST_RIP, NOT_CANONICAL } } },
	{ VMX_RULE_HOST_64BIT_CANONICAL,
	  VMX_FIELD_HOST_S_CET,
	  "host S_CET",
	  { HOST_CET, { VMX_FIELD_HOST_S_CET, NOT_CANONICAL } } },
	{ VMX_RULE_HOST_64BIT_CANONICAL,
	  VMX_FIELD_HOST_SSP,
	  "host SSP",
	  { HOST_CET, { VMX_FIELD_HOST_SSP, NOT_CANONICAL } } },
};

static const struct breakage legal_cases[] = {
	{ .name = "host CR0 with CD and NW",
	  .sets = { { HOST_CR0, GUEST_CR0_VALUE | X86_CR0_CD | X86_CR0_NW } } },
	{ .name = "host CR3 with low bits",
	  .sets = { { HOST_CR3, LAST_PAGE | 0xfff } } },
	{ .name = "host CR3 with bits of LAM",
	  .on = CPU_LENIENT,
	  .sets = { { HOST_CR3, 3ULL << 61 } } },
	{ .name = "host addresses at the edge",
	  .sets = { { HOST_FS_BASE, NOT_CANONICAL - 1 },
		    { HOST_GS_BASE, ~(NOT_CANONICAL - 1) },
		    { HOST_RIP, ~0ULL } } },
	{ .name = "host SS of 0", .sets = { { HOST_SS_SELECTOR, 0 } } },
	{ .name = "host state that is not loaded",
	  .sets = { { VM_EXIT_CONTROLS, 0x36dfb | VM_EXIT_HOST_ADDR_SPACE_SIZE },
		    { HOST_IA32_PAT, ~0ULL },
		    { HOST_IA32_EFER, ~0ULL },
		    { HOST_IA32_PERF_GLOBAL_CTRL, ~0ULL } } },
};

TEST(each_rule_about_host_state_is_named_when_it_is_broken)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(host_cases); i++)
		expect_breakage(_metadata, &host_cases[i]);
}

TEST(every_rule_about_host_state_is_broken_by_a_case)
{
	expect_all_covered(_metadata, host_cases, ARRAY_SIZE(host_cases),
			   VMX_RULE_HOST_CR0, VMX_RULE_HOST_END);
}

TEST(values_just_within_the_rules_break_none)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(legal_cases); i++)
		expect_valid(_metadata, &legal_cases[i]);
}

TEST(a_57_bit_processor_knows_more_canonical_addresses)
{
	struct vmx_check_host wide = full;
	struct lodge_rule rule;

	wide.linear_bits = 57;
	valid_vmcs(GUEST_LONG);
	set(HOST_FS_BASE, BIT_ULL(55));
	EXPECT_EQ(0U, vmx_check(fake_read, &vmcs, &wide, &rule, 1));
	set(HOST_FS_BASE, BIT_ULL(56));
	EXPECT_EQ(1U, vmx_check(fake_read, &vmcs, &wide, &rule, 1));
}

TEST_HARNESS_MAIN
