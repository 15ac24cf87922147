// SPDX-License-Identifier: GPL-2.0
/*
 * Judges a VMCS by the tables of entry rules, one row each: Intel SDM vol. 3C,
 * sections 27.2 and 27.3.
 *
 * Reads the VMCS as the processor does, and nothing else: the answer is the
 * same whether it was refused or not.
 */
#include "vmx/check_rules.h"

bool vmx_check_not_page(const struct vmx_checker *check, u64 value)
{
	return value & (vmx_check_beyond(check) | 0xfff);
}

bool vmx_check_not_canonical(const struct vmx_checker *check, u64 value)
{
	return !lodge_is_canonical_in(value, check->host->linear_bits);
}

bool vmx_check_not_pat(const struct vmx_checker *check, u64 value)
{
	return !lodge_pat_valid(value);
}

bool vmx_check_not_cr3(const struct vmx_checker *check, u64 value)
{
	return value & GENMASK_ULL(63, check->host->phys_bits) &
	       ~check->host->cr3_lam;
}

bool vmx_check_not_cr4(const struct vmx_checker *check, u64 value)
{
	return (value & ~check->host->cr4_fixed1) ||
	       (~value & check->host->cr4_fixed0);
}

bool vmx_check_tracker_suppressed(const struct vmx_checker *check, u64 value)
{
	return (value & VMX_S_CET_TRACKER) == VMX_S_CET_TRACKER;
}

void vmx_check_found(struct vmx_checker *check, u32 id, const char *name,
		     const char *text, u64 value)
{
	struct lodge_rule *rule;

	if (check->found == check->max)
		return;
	rule = &check->rules[check->found++];
	memset(rule, 0, sizeof(*rule));
	rule->id = id;
	rule->value = value;
	memcpy(rule->field, name, sizeof(rule->field));
	memcpy(rule->text, text, sizeof(rule->text));
}

static bool vmx_check_breaks(const struct vmx_checker *check,
			     const struct vmx_rule *rule, u64 value)
{
	u64 zero = rule->zero;

	if (rule->broken)
		return rule->broken(check, value);
	if (rule->known)
		zero = ~*(const u64 *)((const u8 *)check->host + rule->known);
	return (value & zero) || (~value & rule->one) ||
	       !vmx_check_has(check, rule->needs_word, rule->needs);
}

void vmx_check_table(struct vmx_checker *check, const struct vmx_rule *table,
		     u32 count)
{
	u32 i;

	for (i = 0; i < count; i++) {
		const struct vmx_rule *rule = &table[i];
		u64 value;

		if (!vmx_check_has(check, rule->word, rule->with))
			continue;
		value = check->read(check->context, rule->field);
		if (vmx_check_breaks(check, rule, value))
			vmx_check_found(check, rule->id, rule->name, rule->text,
					value);
	}
}

static u64 vmx_check_word(const struct vmx_checker *check, u32 field,
			  u64 capability)
{
	return check->read(check->context, field) & (capability >> 32);
}

static void vmx_check_read_controls(struct vmx_checker *check)
{
	const struct vmx_check_host *host = check->host;
	u64 *controls = check->controls;

	controls[VMX_WORD_PIN] =
		vmx_check_word(check, PIN_BASED_VM_EXEC_CONTROL, host->pin);
	controls[VMX_WORD_PROC] =
		vmx_check_word(check, CPU_BASED_VM_EXEC_CONTROL, host->proc);
	controls[VMX_WORD_EXIT] =
		vmx_check_word(check, VM_EXIT_CONTROLS, host->exit);
	controls[VMX_WORD_ENTRY] =
		vmx_check_word(check, VM_ENTRY_CONTROLS, host->entry);
	if (vmx_check_has(check, VMX_WORD_PROC,
			  CPU_BASED_ACTIVATE_SECONDARY_CONTROLS))
		controls[VMX_WORD_PROC2] = vmx_check_word(
			check, SECONDARY_VM_EXEC_CONTROL, host->proc2);
	if (vmx_check_has(check, VMX_WORD_PROC,
			  CPU_BASED_ACTIVATE_TERTIARY_CONTROLS))
		controls[VMX_WORD_PROC3] =
			check->read(check->context, TERTIARY_VM_EXEC_CONTROL) &
			host->proc3;
	if (vmx_check_has(check, VMX_WORD_PROC2, SECONDARY_EXEC_ENABLE_VMFUNC))
		controls[VMX_WORD_VMFUNC] =
			check->read(check->context, VM_FUNCTION_CONTROL) &
			host->vmfunc;
	if (vmx_check_has(check, VMX_WORD_EXIT, VMX_EXIT_SECONDARY))
		controls[VMX_WORD_EXIT2] =
			check->read(check->context, VMX_FIELD_EXIT2_CONTROLS) &
			host->exit2;
}

static void vmx_check_read_guest(struct vmx_checker *check)
{
	u32 event = check->read(check->context, VM_ENTRY_INTR_INFO_FIELD);
	int i;

	if (event & INTR_INFO_VALID_MASK)
		check->event = event;
	check->cr0 = check->read(check->context, GUEST_CR0);
	check->cr4 = check->read(check->context, GUEST_CR4);
	check->rflags = check->read(check->context, GUEST_RFLAGS);
	for (i = 0; i < VMX_NR_SEGMENTS; i++) {
		struct vmx_segment *segment = &check->segments[i];
		u32 next = 2 * i;

		segment->selector =
			check->read(check->context, GUEST_ES_SELECTOR + next);
		segment->limit =
			check->read(check->context, GUEST_ES_LIMIT + next);
		segment->access =
			check->read(check->context, GUEST_ES_AR_BYTES + next);
		segment->base =
			check->read(check->context, GUEST_ES_BASE + next);
	}
}

u32 vmx_check(vmx_check_read_fn read, void *context,
	      const struct vmx_check_host *host, struct lodge_rule *rules,
	      u32 max)
{
	struct vmx_checker check = {
		.read = read,
		.context = context,
		.host = host,
		.rules = rules,
		.max = max,
	};

	vmx_check_read_controls(&check);
	vmx_check_read_guest(&check);
	vmx_check_controls(&check);
	vmx_check_host_state(&check);
	vmx_check_guest_state(&check);
	return check.found;
}

enum vmx_check_kind vmx_check_kind(u32 rule_id)
{
	if (rule_id < VMX_RULE_HOST_CR0)
		return VMX_CHECK_CONTROL;
	if (rule_id < VMX_RULE_CR0)
		return VMX_CHECK_HOST;
	return VMX_CHECK_GUEST;
}
