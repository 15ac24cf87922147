// SPDX-License-Identifier: GPL-2.0
/*
 * Guest state whose fields depend on each other, in the combinations that tell
 * rules apart.  As in sweep.c, what enters must come back.
 */
#include <linux/kernel.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/vmx.h>

#include "oracle.h"

/* Segments: ES is 0, CS 1, SS 2, DS 3, LDTR 6, TR 7. */
#define SELECTOR(index) (GUEST_ES_SELECTOR + 2 * (index))
#define LIMIT(index) (GUEST_ES_LIMIT + 2 * (index))
#define ACCESS(index) (GUEST_ES_AR_BYTES + 2 * (index))
#define DPL(level) ((level) << VMX_AR_DPL_SHIFT)

static void combine_access(void)
{
	int preset, index;
	u32 byte;

	for (preset = 0; preset < ORACLE_NR_PRESETS; preset++) {
		if (!(ORACLE_GUESTS & BIT(preset)))
			continue;
		for (index = 0; index < 8; index++) {
			u32 access =
				oracle_preset_value(preset, ACCESS(index)) &
				~(0xffU | VMX_AR_UNUSABLE_MASK);

			for (byte = 0; byte < 256; byte++)
				ATTEMPT(preset,
					{ ACCESS(index), access | byte });
		}
	}
}

/* With and without G; LDTR is made usable. */
static void combine_limit(enum oracle_preset preset, int index, u32 limit)
{
	u32 access = oracle_preset_value(preset, ACCESS(index));

	if (index == 6)
		access = 0x82;
	ATTEMPT(preset, { LIMIT(index), limit },
		{ ACCESS(index), access & ~VMX_AR_G_MASK });
	ATTEMPT(preset, { LIMIT(index), limit },
		{ ACCESS(index), access | VMX_AR_G_MASK });
}

static void combine_limits(void)
{
	static const u32 limits[] = { 0,	  0xfff,      0x1000,
				      0xfffff,	  0x100000,   0x1fffff,
				      0x200000,	  0xfff00fff, ~0U,
				      0xfffffffe, 0xfffff000 };
	u32 i;
	int index;

	for (index = 0; index < 8; index++)
		for (i = 0; i < ARRAY_SIZE(limits); i++) {
			combine_limit(ORACLE_LONG, index, limits[i]);
			combine_limit(ORACLE_PAE, index, limits[i]);
			combine_limit(ORACLE_REAL, index, limits[i]);
		}
}

/* @levels has CS.DPL, SS.DPL, CS.RPL and SS.RPL, two bits each. */
static void combine_levels(enum oracle_preset preset, u8 type, u32 levels,
			   u32 unusable)
{
	u32 code = oracle_preset_value(preset, ACCESS(1)) & ~0xffU;
	u32 stack = oracle_preset_value(preset, ACCESS(2));

	ATTEMPT(preset, { ACCESS(1), code | type | DPL(levels & 3) },
		{ ACCESS(2), stack | unusable | DPL(levels >> 2 & 3) },
		{ SELECTOR(1), 8 | (levels >> 4 & 3) },
		{ SELECTOR(2), 8 | (levels >> 6 & 3) });
}

static void combine_privileges(void)
{
	static const u8 types[] = { 0x9b, 0x9f, 0x93, 0x99 };
	static const enum oracle_preset presets[] = { ORACLE_LONG, ORACLE_PAE,
						      ORACLE_RESTRICTED,
						      ORACLE_REAL };
	u32 i, j, levels;

	for (i = 0; i < ARRAY_SIZE(presets); i++)
		for (j = 0; j < ARRAY_SIZE(types); j++)
			for (levels = 0; levels < 256; levels++) {
				combine_levels(presets[i], types[j], levels, 0);
				combine_levels(presets[i], types[j], levels,
					       VMX_AR_UNUSABLE_MASK);
			}
}

static void combine_data_privileges(void)
{
	static const u32 types[] = { 0x91, 0x93, 0x9b, 0x9f };
	static const enum oracle_preset presets[] = { ORACLE_PAE,
						      ORACLE_RESTRICTED };
	u32 i, type, levels;
	int index;

	for (i = 0; i < ARRAY_SIZE(presets); i++)
		for (type = 0; type < ARRAY_SIZE(types); type++)
			for (levels = 0; levels < 16; levels++)
				for (index = 3; index < 6; index++)
					ATTEMPT(presets[i],
						{ ACCESS(index),
						  0xc000 | types[type] |
							  DPL(levels & 3) },
						{ SELECTOR(index),
						  8 | levels >> 2 });
}

/* A stack that is null in 64-bit mode, as the SYSCALL instruction leaves none. */
static void combine_null_stack(void)
{
	static const u32 stacks[] = { 0xc093, 0x93,    0xc092, 0xc083, 0xc013,
				      0xc0b3, 0x1c093, 0xc193, 0xc09b };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(stacks); i++) {
		ATTEMPT(ORACLE_LONG, { SELECTOR(2), 0 },
			{ ACCESS(2), stacks[i] });
		ATTEMPT(ORACLE_LONG, { SELECTOR(2), 3 },
			{ ACCESS(2), stacks[i] });
		ATTEMPT(ORACLE_LONG, { SELECTOR(2), 0 },
			{ ACCESS(2), stacks[i] },
			{ GUEST_SS_BASE, BIT_ULL(32) });
		ATTEMPT(ORACLE_LONG, { SELECTOR(2), 0 },
			{ ACCESS(2), stacks[i] }, { LIMIT(2), 0xfffffffe });
	}
}

static void combine_selectors(void)
{
	u32 selector;

	for (selector = 0; selector < 16; selector++) {
		ATTEMPT(ORACLE_LONG, { SELECTOR(6), selector });
		ATTEMPT(ORACLE_LONG, { SELECTOR(6), selector },
			{ ACCESS(6), 0x82 });
		ATTEMPT(ORACLE_LONG, { SELECTOR(7), selector });
		ATTEMPT(ORACLE_LONG, { SELECTOR(6), selector },
			{ ACCESS(6), 0x82 }, { GUEST_LDTR_BASE, BIT_ULL(47) });
	}
}

/* Activity, blocking, events and single steps.  The timer ends what waits. */
static void combine_one_state(u32 activity, u32 blocking, u32 event, u32 flags)
{
	const u64 rflags = X86_EFLAGS_FIXED | when(flags & 1, X86_EFLAGS_IF) |
			   when(flags & 2, X86_EFLAGS_TF);

	/* It would wait for ever, and does not where there is an event. */
	if (activity == GUEST_ACTIVITY_WAIT_SIPI && !event)
		return;
	ATTEMPT(ORACLE_TIMER, { GUEST_ACTIVITY_STATE, activity },
		{ GUEST_INTERRUPTIBILITY_INFO, blocking },
		{ VM_ENTRY_INTR_INFO_FIELD, event },
		{ VM_ENTRY_INSTRUCTION_LEN, 1 }, { GUEST_RFLAGS, rflags },
		{ GUEST_PENDING_DBG_EXCEPTIONS, flags & 4 ? BIT(14) : 0 },
		{ GUEST_IA32_DEBUGCTL, flags & 8 ? DEBUGCTLMSR_BTF : 0 });
}

static void combine_state(void)
{
	static const u32 blockings[] = { 0, 1, 2, 3, 4, 8, 9, 10, 16, 18 };
	static const u32 events[] = {
		0,
		EVENT(EXT_INTR, 0x30),
		EVENT(EXT_INTR, 18),
		EVENT(NMI_INTR, 2),
		EVENT(HARD_EXCEPTION, 1),
		EVENT(HARD_EXCEPTION, 6),
		EVENT(HARD_EXCEPTION, 18),
		EVENT(SOFT_INTR, 18),
		EVENT(SOFT_INTR, 0x80),
	};
	u32 activity, i, j, flags;

	for (activity = 0; activity < 4; activity++)
		for (i = 0; i < ARRAY_SIZE(blockings); i++)
			for (j = 0; j < ARRAY_SIZE(events); j++)
				for (flags = 0; flags < 16; flags++)
					combine_one_state(activity,
							  blockings[i],
							  events[j], flags);
}

/* HLT is for privilege level 0. */
static void combine_hlt_privilege(void)
{
	u32 level;

	for (level = 0; level < 4; level++)
		ATTEMPT(ORACLE_TIMER,
			{ GUEST_ACTIVITY_STATE, GUEST_ACTIVITY_HLT },
			{ GUEST_CS_AR_BYTES, 0xc09b | DPL(level) },
			{ GUEST_CS_SELECTOR, 8 | level },
			{ GUEST_SS_AR_BYTES, 0xc093 | DPL(level) },
			{ GUEST_SS_SELECTOR, 8 | level });
}

static void combine_link_pointer(void)
{
	const u64 phys = BIT_ULL(oracle_host.phys_bits);
	const u64 links[] = { ~0ULL,
			      oracle_pages.linked,
			      oracle_pages.shadow,
			      oracle_pages.zero,
			      oracle_pages.vmcs,
			      oracle_pages.linked | 1,
			      oracle_pages.linked | 0x800,
			      oracle_pages.linked | phys,
			      ~0xfffULL };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(links); i++) {
		ATTEMPT(ORACLE_LONG, { VMCS_LINK_POINTER, links[i] });
		ATTEMPT(ORACLE_ALL, { VMCS_LINK_POINTER, links[i] });
	}
}

/* Without EPT they are in memory: a page of zeros, and one of ones. */
static void combine_pdptes(void)
{
	int bit, n;

	for (n = 0; n < 4; n++)
		for (bit = 0; bit < 64; bit++)
			ATTEMPT(ORACLE_PAE,
				{ GUEST_PDPTR0 + 2 * n, BIT_ULL(bit) | 1 });
	ATTEMPT(ORACLE_RESTRICTED, { SECONDARY_VM_EXEC_CONTROL, 0 });
	ATTEMPT(ORACLE_RESTRICTED, { SECONDARY_VM_EXEC_CONTROL, 0 },
		{ GUEST_CR3, oracle_pages.msrs });
	ATTEMPT(ORACLE_RESTRICTED, { SECONDARY_VM_EXEC_CONTROL, 0 },
		{ GUEST_CR3, oracle_pages.msrs }, { GUEST_CR4, X86_CR4_VMXE });
}

/* Of virtual-8086 mode, each register by itself. */
static void combine_v86(void)
{
	static const u64 rflags[] = { X86_EFLAGS_VM | X86_EFLAGS_FIXED,
				      X86_EFLAGS_FIXED };
	u32 i, paging;
	int index;

	for (i = 0; i < ARRAY_SIZE(rflags); i++)
		for (index = 0; index < 6; index++)
			for (paging = 0; paging < 4; paging++)
				ATTEMPT(ORACLE_V86, { GUEST_RFLAGS, rflags[i] },
					{ GUEST_CR0,
					  X86_CR0_NE |
						  when(paging & 1, X86_CR0_PE) |
						  when(paging & 2,
						       X86_CR0_PG) },
					{ SELECTOR(index), 0x123 ^ i });
}

static const struct oracle_combination oracle_combinations[] = {
	{ "segments' types", combine_access },
	{ "segments' limits", combine_limits },
	{ "privileges of code and stack", combine_privileges },
	{ "privileges of data", combine_data_privileges },
	{ "null stack", combine_null_stack },
	{ "LDTR and TR", combine_selectors },
	{ "virtual-8086 mode", combine_v86 },
	{ "activity, blocking, events, steps", combine_state },
	{ "privilege of HLT", combine_hlt_privilege },
	{ "link pointer", combine_link_pointer },
	{ "PDPTEs", combine_pdptes },
};

void oracle_combine_guest(void)
{
	oracle_combine(oracle_combinations, ARRAY_SIZE(oracle_combinations));
}
