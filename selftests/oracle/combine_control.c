// SPDX-License-Identifier: GPL-2.0
/*
 * Controls that depend on each other, in the combinations that tell rules apart.
 * As in sweep.c, what enters must come back.
 */
#include <linux/kernel.h>
#include <asm/msr-index.h>
#include <asm/page_types.h>
#include <asm/processor-flags.h>
#include <asm/vmx.h>

#include "oracle.h"

/* A bit that is set or not. */
struct toggle {
	u32 field;
	u64 bit;
};

#define ORACLE_MAX_TOGGLES 8

/* Each subset of some bits. */
static void combine_toggles(enum oracle_preset preset,
			    const struct toggle *toggles, u32 count)
{
	struct oracle_set sets[ORACLE_MAX_TOGGLES];
	u32 which, i, j;

	for (which = 0; which < BIT(count); which++) {
		for (i = 0; i < count; i++) {
			u32 field = toggles[i].field;

			sets[i].field = field;
			sets[i].value = oracle_preset_value(preset, field);
			for (j = 0; j < count; j++) {
				if (toggles[j].field != field)
					continue;
				sets[i].value &= ~toggles[j].bit;
				if (which & BIT(j))
					sets[i].value |= toggles[j].bit;
			}
		}
		oracle_attempt(preset, sets, count, false);
	}
}

static void combine_apic_controls(void)
{
	static const struct toggle toggles[] = {
		{ SECONDARY_VM_EXEC_CONTROL,
		  SECONDARY_EXEC_VIRTUALIZE_APIC_ACCESSES },
		{ SECONDARY_VM_EXEC_CONTROL,
		  SECONDARY_EXEC_VIRTUALIZE_X2APIC_MODE },
		{ SECONDARY_VM_EXEC_CONTROL,
		  SECONDARY_EXEC_APIC_REGISTER_VIRT },
		{ SECONDARY_VM_EXEC_CONTROL,
		  SECONDARY_EXEC_VIRTUAL_INTR_DELIVERY },
		{ CPU_BASED_VM_EXEC_CONTROL, CPU_BASED_TPR_SHADOW },
		{ PIN_BASED_VM_EXEC_CONTROL, PIN_BASED_EXT_INTR_MASK },
	};

	combine_toggles(ORACLE_LONG, toggles, ARRAY_SIZE(toggles));
}

/* The virtual TPR is 0x50. */
static void combine_tpr_threshold(void)
{
	static const struct toggle toggles[] = {
		{ SECONDARY_VM_EXEC_CONTROL,
		  SECONDARY_EXEC_VIRTUALIZE_APIC_ACCESSES },
		{ SECONDARY_VM_EXEC_CONTROL,
		  SECONDARY_EXEC_VIRTUAL_INTR_DELIVERY },
		{ CPU_BASED_VM_EXEC_CONTROL, CPU_BASED_TPR_SHADOW },
		{ TPR_THRESHOLD, BIT(0) },
		{ TPR_THRESHOLD, BIT(1) },
		{ TPR_THRESHOLD, BIT(2) },
		{ TPR_THRESHOLD, BIT(3) },
		{ TPR_THRESHOLD, BIT(4) },
	};

	combine_toggles(ORACLE_LONG, toggles, ARRAY_SIZE(toggles));
}

static void combine_nmi_controls(void)
{
	static const struct toggle toggles[] = {
		{ PIN_BASED_VM_EXEC_CONTROL, PIN_BASED_NMI_EXITING },
		{ PIN_BASED_VM_EXEC_CONTROL, PIN_BASED_VIRTUAL_NMIS },
		{ CPU_BASED_VM_EXEC_CONTROL, CPU_BASED_NMI_WINDOW_EXITING },
	};

	combine_toggles(ORACLE_LONG, toggles, ARRAY_SIZE(toggles));
}

static void combine_ept_controls(void)
{
	static const struct toggle toggles[] = {
		{ SECONDARY_VM_EXEC_CONTROL, SECONDARY_EXEC_ENABLE_EPT },
		{ SECONDARY_VM_EXEC_CONTROL,
		  SECONDARY_EXEC_UNRESTRICTED_GUEST },
		{ SECONDARY_VM_EXEC_CONTROL, SECONDARY_EXEC_ENABLE_PML },
		{ SECONDARY_VM_EXEC_CONTROL, SECONDARY_EXEC_ENABLE_VMFUNC },
		{ VM_FUNCTION_CONTROL, VMX_VMFUNC_EPTP_SWITCHING },
		{ VM_FUNCTION_CONTROL, BIT(1) },
		{ SECONDARY_VM_EXEC_CONTROL, SECONDARY_EXEC_ENABLE_VPID },
		{ VIRTUAL_PROCESSOR_ID, 1 },
	};

	combine_toggles(ORACLE_LONG, toggles, ARRAY_SIZE(toggles));
}

static void combine_ept_pointer(void)
{
	const u64 phys = BIT_ULL(oracle_host.phys_bits);
	u32 low, walk;

	for (walk = 0; walk < 8; walk++)
		for (low = 0; low < 8; low++) {
			ATTEMPT(ORACLE_LONG,
				{ EPT_POINTER,
				  oracle_pages.zero | walk << 3 | low });
			ATTEMPT(ORACLE_LONG,
				{ EPT_POINTER, oracle_pages.zero |
						       VMX_EPTP_AD_ENABLE_BIT |
						       walk << 3 | low });
		}
	ATTEMPT(ORACLE_LONG,
		{ EPT_POINTER, (phys - PAGE_SIZE) | VMX_EPTP_PWL_4 | 6 });
	ATTEMPT(ORACLE_LONG, { EPT_POINTER, phys | VMX_EPTP_PWL_4 | 6 });
}

static void combine_timer_controls(void)
{
	static const struct toggle toggles[] = {
		{ PIN_BASED_VM_EXEC_CONTROL, PIN_BASED_VMX_PREEMPTION_TIMER },
		{ VM_EXIT_CONTROLS, VM_EXIT_SAVE_VMX_PREEMPTION_TIMER },
	};

	combine_toggles(ORACLE_LONG, toggles, ARRAY_SIZE(toggles));
}

/* Without secondary controls their word is not looked at. */
static void combine_no_secondary(void)
{
	static const u64 words[] = { 0, 1, BIT(31), 0xffffffff };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		ATTEMPT(ORACLE_LONG,
			{ CPU_BASED_VM_EXEC_CONTROL,
			  oracle_preset_value(ORACLE_LONG,
					      CPU_BASED_VM_EXEC_CONTROL) &
				  ~CPU_BASED_ACTIVATE_SECONDARY_CONTROLS },
			{ SECONDARY_VM_EXEC_CONTROL, words[i] });
}

/*
 * Of the area for entry, the first MSR cannot be loaded, which is an exit.  The
 * areas for exit cannot be tried where they would be used.
 */
static void combine_msr_areas(void)
{
	static const u32 counts[] = {
		0, 1, 2, 256, 257, 0x10000000, 0xffffffff
	};
	const u64 phys = BIT_ULL(oracle_host.phys_bits);
	const u64 addresses[] = { oracle_pages.msrs,
				  oracle_pages.msrs + 8,
				  oracle_pages.msrs | 1,
				  phys - PAGE_SIZE,
				  phys - 16,
				  phys,
				  ~0xfULL };
	u32 i, j;

	for (i = 0; i < ARRAY_SIZE(counts); i++)
		for (j = 0; j < ARRAY_SIZE(addresses); j++)
			ATTEMPT(ORACLE_LONG,
				{ VM_ENTRY_MSR_LOAD_COUNT, counts[i] },
				{ VM_ENTRY_MSR_LOAD_ADDR, addresses[j] });
	for (j = 1; j < ARRAY_SIZE(addresses); j++) {
		u32 count = addresses[j] < phys && !(addresses[j] & 0xf) ? 257 :
									   1;

		ATTEMPT(ORACLE_LONG, { VM_EXIT_MSR_LOAD_COUNT, count },
			{ VM_EXIT_MSR_LOAD_ADDR, addresses[j] });
		ATTEMPT(ORACLE_LONG, { VM_EXIT_MSR_STORE_COUNT, count },
			{ VM_EXIT_MSR_STORE_ADDR, addresses[j] });
	}
}

static void combine_event(enum oracle_preset preset, u32 event, u32 code,
			  u32 length)
{
	ATTEMPT(preset, { VM_ENTRY_INTR_INFO_FIELD, event },
		{ VM_ENTRY_EXCEPTION_ERROR_CODE, code },
		{ VM_ENTRY_INSTRUCTION_LEN, length },
		{ GUEST_RFLAGS,
		  oracle_preset_value(preset, GUEST_RFLAGS) | X86_EFLAGS_IF });
}

static void combine_events(void)
{
	static const enum oracle_preset presets[] = { ORACLE_LONG, ORACLE_REAL,
						      ORACLE_RESTRICTED };
	u32 i, type, vector, event;

	for (i = 0; i < ARRAY_SIZE(presets); i++)
		for (type = 0; type < 8; type++)
			for (vector = 0; vector < 36; vector++) {
				event = INTR_INFO_VALID_MASK | type << 8 |
					vector;
				combine_event(presets[i], event, 0, 1);
				event |= INTR_INFO_DELIVER_CODE_MASK;
				combine_event(presets[i], event, 0, 1);
			}
}

static void combine_event_codes(void)
{
	u32 bit, length;

	for (bit = 0; bit < 32; bit++)
		combine_event(ORACLE_LONG,
			      EVENT(HARD_EXCEPTION, 14) |
				      INTR_INFO_DELIVER_CODE_MASK,
			      BIT(bit), 0);
	for (length = 0; length < 20; length++) {
		combine_event(ORACLE_LONG, EVENT(SOFT_INTR, 0x80), 0, length);
		combine_event(ORACLE_LONG, EVENT(SOFT_EXCEPTION, 3), 0, length);
		combine_event(ORACLE_LONG, EVENT(PRIV_SW_EXCEPTION, 1), 0,
			      length);
		combine_event(ORACLE_LONG, EVENT(EXT_INTR, 0x30), ~0, length);
	}
}

/* Exceptions have no error code in real mode, whether it is allowed or not. */
static void combine_real_mode_codes(void)
{
	u32 code, vector;

	for (vector = 0; vector < 32; vector++)
		for (code = 0; code < 2; code++)
			ATTEMPT(ORACLE_RESTRICTED,
				{ VM_ENTRY_INTR_INFO_FIELD,
				  EVENT(HARD_EXCEPTION, vector) |
					  when(code,
					       INTR_INFO_DELIVER_CODE_MASK) },
				{ GUEST_CR0, X86_CR0_NE });
}

/* Modes: what is 64-bit, paged and protected, by control and by register. */
static void combine_modes(void)
{
	static const struct toggle toggles[] = {
		{ VM_ENTRY_CONTROLS, VM_ENTRY_IA32E_MODE },
		{ GUEST_IA32_EFER, EFER_LME },
		{ GUEST_IA32_EFER, EFER_LMA },
		{ GUEST_CR0, X86_CR0_PE },
		{ GUEST_CR0, X86_CR0_PG },
		{ GUEST_CR4, X86_CR4_PAE },
		{ GUEST_CR4, X86_CR4_PCIDE },
	};

	combine_toggles(ORACLE_PAE, toggles, ARRAY_SIZE(toggles));
}

static const struct oracle_combination oracle_combinations[] = {
	{ "virtual APIC controls", combine_apic_controls },
	{ "TPR threshold and virtual TPR", combine_tpr_threshold },
	{ "NMI controls", combine_nmi_controls },
	{ "EPT controls", combine_ept_controls },
	{ "EPT pointer's fields", combine_ept_pointer },
	{ "timer controls", combine_timer_controls },
	{ "no secondary controls", combine_no_secondary },
	{ "MSR areas", combine_msr_areas },
	{ "types and vectors of events", combine_events },
	{ "error codes and lengths of events", combine_event_codes },
	{ "error codes in real mode", combine_real_mode_codes },
	{ "modes", combine_modes },
};

void oracle_combine_controls(void)
{
	oracle_combine(oracle_combinations, ARRAY_SIZE(oracle_combinations));
}
