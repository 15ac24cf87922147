// SPDX-License-Identifier: GPL-2.0
/*
 * The values of a guest's MSRs: read, written, reset.  msr_rules.c says which values
 * each can hold.
 */
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/processor.h>

#include "backend.h"
#include "lapic.h"
#include "msr.h"
#include "policy.h"
#include "pv.h"
#include "request.h"
#include "tsc.h"
#include "vcpu.h"
#include "vm.h"

/* Each type where firmware and Linux expect it: WB, WT, UC-, UC, twice. */
#define PAT_RESET 0x0007040600070406ULL

u64 *lodge_msr_value(struct lodge_vcpu *vcpu, const struct lodge_msr_rule *rule,
		     u32 index)
{
	void *values = rule->kind == MSR_NAMED ? (void *)&vcpu->regs.msrs :
						 (void *)vcpu->msr;

	/* In speculation, @index may be any number that the guest has given. */
	index = array_index_nospec(index - rule->first,
				   rule->last - rule->first + 1);
	return (u64 *)(values + rule->offset) + index;
}

bool lodge_msr_read(struct lodge_vcpu *vcpu, u32 index, u64 *value)
{
	const struct lodge_msr_rule *rule;

	if (lapic_has_msr(index))
		return lodge_lapic_msr_read(vcpu->apic, index, value);
	rule = lodge_msr_rule_find(vcpu, index);
	if (!rule)
		return true;
	switch ((enum msr_kind)rule->kind) {
	case MSR_READ_ONLY:
	case MSR_IGNORED:
		*value = rule->value;
		return false;
	case MSR_NAMED:
		lodge_backend->get_state(vcpu, LODGE_GROUP_MSRS);
		fallthrough;
	case MSR_STORED:
		*value = *lodge_msr_value(vcpu, rule, index);
		return false;
	case MSR_CALLED:
		return rule->read ? rule->read(vcpu, index, value) : true;
	}
	return true;
}

bool lodge_msr_write(struct lodge_vcpu *vcpu, u32 index, u64 value)
{
	const struct lodge_msr_rule *rule;

	if (lapic_has_msr(index))
		return lodge_lapic_msr_write(vcpu->apic, index, value);
	rule = lodge_msr_rule_find(vcpu, index);
	if (!rule || rule->kind == MSR_READ_ONLY)
		return true;
	if (rule->kind == MSR_CALLED)
		return rule->write ? rule->write(vcpu, index, value) : true;

	if (rule->drops)
		value &= rule->mask;
	if (!lodge_msr_rule_allows(vcpu, rule, index, value))
		return true;
	if (rule->kind == MSR_IGNORED)
		return false;
	if (rule->kind == MSR_NAMED)
		lodge_backend->get_state(vcpu, LODGE_GROUP_MSRS);
	*lodge_msr_value(vcpu, rule, index) = value;
	if (rule->kind == MSR_NAMED)
		lodge_backend->set_state(vcpu, LODGE_GROUP_MSRS);
	return false;
}

void lodge_msr_load_tsc(struct lodge_vcpu *vcpu)
{
	if (vcpu->tsc_moved != lodge_tsc_moved)
		lodge_vcputime_rebase(&vcpu->time);
	vcpu->tsc_moved = lodge_tsc_moved;
	lodge_backend->tsc_offset(
		vcpu,
		vcpu->tsc_offset + lodge_tsc_moved_scaled(&vcpu->vm->tsc));
}

void lodge_msr_set_tsc_offset(struct lodge_vcpu *vcpu, u64 offset)
{
	WRITE_ONCE(vcpu->tsc_offset, offset);
	lodge_msr_load_tsc(vcpu);
	lodge_lapic_tsc_changed(vcpu->apic);
	set_bit(LODGE_REQ_CLOCK, &vcpu->requests);
}

u64 lodge_msr_tsc(const struct lodge_vcpu *vcpu, u64 host_tsc)
{
	return lodge_tsc_scaled(&vcpu->vm->tsc, host_tsc) + vcpu->tsc_offset;
}

u64 lodge_msr_tsc_now(const struct lodge_vcpu *vcpu)
{
	return lodge_msr_tsc(vcpu, lodge_tsc_ordered());
}

void lodge_msr_get_state(struct lodge_vcpu *vcpu)
{
	struct lodge_msrs *msrs = &vcpu->regs.msrs;
	u64 now = lodge_tsc();

	msrs->tsc = lodge_msr_tsc(vcpu, now);
	msrs->host_tsc = lodge_tsc_to_user(now);
}

void lodge_msr_set_tsc(struct lodge_vcpu *vcpu, const struct lodge_msrs *msrs)
{
	u64 then = msrs->host_tsc ? lodge_tsc_from_user(msrs->host_tsc) :
				    lodge_tsc();

	lodge_msr_set_tsc_offset(
		vcpu, msrs->tsc - lodge_tsc_scaled(&vcpu->vm->tsc, then));
}

void lodge_msr_set_state(struct lodge_vcpu *vcpu)
{
	set_bit(LODGE_REQ_CLOCK, &vcpu->requests);
	/* The CPU has the old TSC_AUX until the vCPU is loaded again. */
	lodge_vcpu_unload(vcpu);
}

int lodge_msr_init(struct lodge_vcpu *vcpu)
{
	vcpu->msr = kcalloc(lodge_msr_nr_stored, sizeof(*vcpu->msr),
			    GFP_KERNEL_ACCOUNT);
	return vcpu->msr ? 0 : -ENOMEM;
}

void lodge_msr_free(struct lodge_vcpu *vcpu)
{
	kfree(vcpu->msr);
	vcpu->msr = NULL;
}

static void msr_reset_stored(struct lodge_vcpu *vcpu)
{
	const struct lodge_msr_rule *rule;
	unsigned int i;

	for (i = 0; (rule = lodge_msr_rule_at(i)); i++)
		if (rule->kind == MSR_STORED)
			memset64(lodge_msr_value(vcpu, rule, rule->first),
				 rule->value, rule->last - rule->first + 1);
}

void lodge_msr_reset(struct lodge_vcpu *vcpu, bool init)
{
	struct lodge_msrs *msrs = &vcpu->regs.msrs;

	if (init)
		return;
	msr_reset_stored(vcpu);
	memset(msrs, 0, sizeof(*msrs));
	msrs->pat = PAT_RESET;
	msrs->misc_enable = lodge_misc_enable_reset(vcpu->features.intel);
	lodge_vcpu_unload(vcpu);
}
