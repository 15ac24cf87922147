// SPDX-License-Identifier: GPL-2.0
/*
 * Bochs 3.0 is not always as the manual says.  Each difference is a prediction
 * that must come true, so that the list stays right.
 */
#include <linux/kernel.h>
#include <linux/string.h>
#include <asm/processor-flags.h>
#include <asm/vmx.h>

#include "oracle.h"

/**
 * struct oracle_difference - a way in which Bochs is not as the manual says
 * @text: what it does
 * @rule: a rule that it does not enforce, as the next one; 0: none
 * @rule2: another
 * @when: for which breakages of them; NULL: for all
 * @refuses: what it makes of the VMCS in place of that, or though it breaks no
 *	rule: enum oracle_outcome, 0: nothing; may be NULL
 */
struct oracle_difference {
	const char *text;
	u32 rule;
	u32 rule2;
	bool (*when)(const struct lodge_rule *rule);
	u32 (*refuses)(void);
};

static bool oracle_ia32e(void)
{
	return oracle_read(VM_ENTRY_CONTROLS) & VM_ENTRY_IA32E_MODE;
}

static bool oracle_unrestricted(void)
{
	return (oracle_read(CPU_BASED_VM_EXEC_CONTROL) &
		CPU_BASED_ACTIVATE_SECONDARY_CONTROLS) &&
	       (oracle_read(SECONDARY_VM_EXEC_CONTROL) &
		SECONDARY_EXEC_UNRESTRICTED_GUEST);
}

static bool enters_smm(const struct lodge_rule *rule)
{
	return !(rule->value & VM_ENTRY_DEACT_DUAL_MONITOR);
}

static u32 refuses_smm(void)
{
	return oracle_read(VM_ENTRY_CONTROLS) & VM_ENTRY_SMM ? ORACLE_GUEST : 0;
}

static bool count_overflows(const struct lodge_rule *rule)
{
	u32 bytes = oracle_read(VM_ENTRY_MSR_LOAD_COUNT) * 16;

	return !((rule->value + bytes - 1) >> oracle_host.phys_bits);
}

/* An exception that has an error code, where only the control would take it. */
static bool oracle_real_mode_exception(void)
{
	const u32 codes = BIT(8) | GENMASK(14, 10) | BIT(17);
	u32 event = oracle_read(VM_ENTRY_INTR_INFO_FIELD);

	return (event & INTR_INFO_VALID_MASK) &&
	       (event & INTR_INFO_INTR_TYPE_MASK) == INTR_TYPE_HARD_EXCEPTION &&
	       (event & INTR_INFO_VECTOR_MASK) < 32 &&
	       (codes & BIT(event & INTR_INFO_VECTOR_MASK)) &&
	       !(oracle_read(GUEST_CR0) & X86_CR0_PE) && !oracle_unrestricted();
}

static bool code_in_real_mode(const struct lodge_rule *rule)
{
	return oracle_real_mode_exception();
}

static u32 refuses_no_code_in_real_mode(void)
{
	if (oracle_real_mode_exception() &&
	    !(oracle_read(VM_ENTRY_INTR_INFO_FIELD) &
	      INTR_INFO_DELIVER_CODE_MASK))
		return ORACLE_CONTROL;
	return 0;
}

static bool is_null_stack(const struct lodge_rule *rule)
{
	return !strncmp(rule->field, "SS.", 3) && oracle_ia32e() &&
	       (oracle_read(GUEST_CS_AR_BYTES) & VMX_AR_L_MASK) &&
	       !(oracle_read(GUEST_SS_SELECTOR) & ~3ULL);
}

static bool is_real_mode(const struct lodge_rule *rule)
{
	return !oracle_ia32e();
}

/* In shutdown it looks at the vector only, of any event. */
static bool wakes_anyhow(const struct lodge_rule *rule)
{
	u32 event = oracle_read(VM_ENTRY_INTR_INFO_FIELD);

	return rule->value == GUEST_ACTIVITY_HLT ||
	       (rule->value == GUEST_ACTIVITY_SHUTDOWN &&
		(event & INTR_INFO_VECTOR_MASK) == 18);
}

/* Bits 3:0, 12 and 14 are not reserved. */
static bool is_in_high_half(const struct lodge_rule *rule)
{
	return !(rule->value & 0xffffaff0);
}

static const struct oracle_difference oracle_differences[] = {
	{ "an entry to SMM is refused as guest state", VMX_RULE_ENTRY_SMM,
	  .when = enters_smm, .refuses = refuses_smm },
	{ "the size of an MSR area is computed in 32 bits",
	  VMX_RULE_ENTRY_LOAD_END, .when = count_overflows },
	{ "error codes in real mode are left to unrestricted guests",
	  VMX_RULE_EVENT_CODE_EXCESS, .when = code_in_real_mode,
	  .refuses = refuses_no_code_in_real_mode },
	{ "the host's PERF_GLOBAL_CTRL may hold anything", VMX_RULE_HOST_PERF },
	{ "PERF_GLOBAL_CTRL may hold anything", VMX_RULE_PERF },
	{ "DEBUGCTL may hold anything", VMX_RULE_DEBUGCTL },
	{ "IA-32e mode needs no paging", VMX_RULE_IA32E_PG },
	{ "a null SS may be of any type in 64-bit mode", VMX_RULE_SS_TYPE,
	  VMX_RULE_SEGMENT_S, is_null_stack },
	{ "a null SS need not be present in 64-bit mode",
	  VMX_RULE_SEGMENT_PRESENT, .when = is_null_stack },
	{ "a null SS may have reserved bits in 64-bit mode",
	  VMX_RULE_SEGMENT_RESERVED, .when = is_null_stack },
	{ "a null SS may have any limit in 64-bit mode",
	  VMX_RULE_SEGMENT_G_EXCESS, VMX_RULE_SEGMENT_G_MISSING,
	  is_null_stack },
	{ "a null SS may have any base in 64-bit mode", VMX_RULE_SEGMENT_HIGH,
	  .when = is_null_stack },
	{ "bits of RIP beyond a linear address may be any",
	  VMX_RULE_RIP_WIDTH },
	{ "RFLAGS.VM may be set in real mode", VMX_RULE_RFLAGS_VM,
	  .when = is_real_mode },
	{ "any event wakes from HLT, and any of vector 18 from shutdown",
	  VMX_RULE_ACTIVITY_EVENT, .when = wakes_anyhow },
	{ "a virtual NMI is injected while they are blocked",
	  VMX_RULE_BLOCKING_NMI },
	{ "bits 63:32 of pending debug exceptions may be any",
	  VMX_RULE_PENDING_RESERVED, .when = is_in_high_half },
	{ "a single step need not be pending, nor be due",
	  VMX_RULE_PENDING_BS_MISSING, VMX_RULE_PENDING_BS_EXCESS },
};

static u32 oracle_seen[ARRAY_SIZE(oracle_differences)];
/* Those that had a part in the last answer. */
static u64 oracle_applied;

static u32 oracle_kinds(const struct lodge_rule *rules, u32 count, u64 ignored)
{
	u32 kinds = 0;
	u32 i;

	for (i = 0; i < count; i++) {
		if (ignored & BIT_ULL(i))
			continue;
		switch (vmx_check_kind(rules[i].id)) {
		case VMX_CHECK_CONTROL:
			kinds |= ORACLE_CONTROL;
			break;
		case VMX_CHECK_HOST:
			kinds |= ORACLE_HOST;
			break;
		case VMX_CHECK_GUEST:
			kinds |= ORACLE_GUEST;
			break;
		}
	}
	return kinds;
}

/* Guest state comes last; controls and host state in any order. */
static u32 oracle_outcomes(u32 kinds)
{
	if (kinds & (ORACLE_CONTROL | ORACLE_HOST))
		return kinds & (ORACLE_CONTROL | ORACLE_HOST);
	return kinds ? kinds : ORACLE_ENTERED;
}

u32 oracle_manual_outcomes(const struct lodge_rule *rules, u32 count)
{
	return oracle_outcomes(oracle_kinds(rules, count, 0));
}

static bool oracle_does_not_enforce(const struct oracle_difference *difference,
				    const struct lodge_rule *rule)
{
	if (rule->id != difference->rule && rule->id != difference->rule2)
		return false;
	return !difference->when || difference->when(rule);
}

u32 oracle_emulator_outcomes(const struct lodge_rule *rules, u32 count)
{
	u64 ignored = 0;
	u32 kinds = 0;
	u32 i, j, refused;

	oracle_applied = 0;
	for (i = 0; i < ARRAY_SIZE(oracle_differences); i++) {
		const struct oracle_difference *difference =
			&oracle_differences[i];

		for (j = 0; j < count; j++) {
			if (!oracle_does_not_enforce(difference, &rules[j]))
				continue;
			ignored |= BIT_ULL(j);
			oracle_applied |= BIT_ULL(i);
		}
		refused = difference->refuses ? difference->refuses() : 0;
		if (refused)
			oracle_applied |= BIT_ULL(i);
		kinds |= refused;
	}
	return oracle_outcomes(kinds | oracle_kinds(rules, count, ignored));
}

/* Bochs does not enforce that IA-32e mode has paging, and cannot be without PE. */
static bool oracle_lacks_protection(void)
{
	return oracle_ia32e() && !(oracle_read(GUEST_CR0) & X86_CR0_PE);
}

/*
 * Nor that an event of the type of monitor traps needs the control of that name,
 * and cannot deliver it.
 */
static bool oracle_traps_without_monitor(void)
{
	u32 event = oracle_read(VM_ENTRY_INTR_INFO_FIELD);

	return (event & INTR_INFO_VALID_MASK) &&
	       (event & INTR_INFO_INTR_TYPE_MASK) == INTR_TYPE_OTHER_EVENT &&
	       !(oracle_host.proc >> 32 & CPU_BASED_MONITOR_TRAP_FLAG);
}

bool oracle_emulator_stops(void)
{
	return oracle_lacks_protection() || oracle_traps_without_monitor();
}

/* With several, which of them it was cannot be told. */
void oracle_emulator_differed(void)
{
	if (hweight64(oracle_applied) == 1)
		oracle_seen[__ffs(oracle_applied)]++;
}

void oracle_emulator_report(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(oracle_differences); i++)
		oracle_test(oracle_seen[i], "a known difference of Bochs: %s",
			    oracle_differences[i].text);
}
