/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest's MSRs: the rules that say which it finds, and where their values are.
 * Between msr.c, msr_list.c and msr_rules.c.
 */
#ifndef LODGE_MSR_H
#define LODGE_MSR_H

#include <linux/bits.h>
#include <linux/types.h>
#include <asm/msr-index.h>

#include <lodge.h>

struct lodge_vcpu;

#define LODGE_MISC_ENABLE_RESET                                                \
	(MSR_IA32_MISC_ENABLE_FAST_STRING | MSR_IA32_MISC_ENABLE_BTS_UNAVAIL | \
	 MSR_IA32_MISC_ENABLE_PEBS_UNAVAIL)

/**
 * lodge_misc_enable_reset() - MSR MISC_ENABLE after a reset
 * @intel: the vCPU is Intel's by its CPUID; no other one has the MSR
 */
static inline u64 lodge_misc_enable_reset(bool intel)
{
	return intel ? LODGE_MISC_ENABLE_RESET : 0;
}

enum msr_kind {
	MSR_READ_ONLY, /* reads @value */
	MSR_IGNORED, /* reads @value; a write of other bits than @mask: #GP */
	MSR_STORED, /* in vcpu->msr at @offset, and on user space's list */
	MSR_NAMED, /* in struct lodge_msrs at @offset */
	MSR_CALLED, /* @read and @write; without one #GP */
};

/**
 * struct lodge_msr_rule - how an MSR, or a range of them, behaves
 * @first: first index
 * @last: last index; consecutive values stand in consecutive members
 * @vendors: whose processors have it
 * @kind: enum msr_kind
 * @drops: a write drops other bits than @mask, and raises no #GP for them
 * @offset: of its value; lodge_msr_rules_init() sets that of MSR_STORED
 * @value: what it reads as; MSR_STORED: after reset
 * @mask: bits that may be set by a write
 * @feature: the byte of struct lodge_features, by its offset, that is not 0 if the
 *	vCPU has it; 0: each has
 * @valid: true if it can hold a value; NULL: any within @mask
 * @read: true for #GP
 * @write: true for #GP
 */
struct lodge_msr_rule {
	u32 first;
	u32 last;
	u8 vendors;
	u8 kind;
	bool drops;
	u8 feature;
	u16 offset;
	u64 value;
	u64 mask;
	bool (*valid)(const struct lodge_vcpu *vcpu, u32 index, u64 value);
	bool (*read)(struct lodge_vcpu *vcpu, u32 index, u64 *value);
	bool (*write)(struct lodge_vcpu *vcpu, u32 index, u64 value);
};

/* msr_rules.c */

/* Number of values in vcpu->msr; set by lodge_msr_rules_init(). */
extern unsigned int lodge_msr_nr_stored;

/**
 * lodge_msr_rule_at() - a rule by its place in the table, or NULL behind the last
 */
const struct lodge_msr_rule *lodge_msr_rule_at(unsigned int place);

/**
 * lodge_msr_rule_applies() - true if this vCPU has the rule's MSRs
 */
bool lodge_msr_rule_applies(const struct lodge_vcpu *vcpu,
			    const struct lodge_msr_rule *rule);

/**
 * lodge_msr_rule_allows() - true if an MSR of the rule can hold @value
 */
bool lodge_msr_rule_allows(const struct lodge_vcpu *vcpu,
			   const struct lodge_msr_rule *rule, u32 index,
			   u64 value);

/**
 * lodge_msr_rule_find() - the rule of an MSR, or NULL if this vCPU does not have it
 */
const struct lodge_msr_rule *lodge_msr_rule_find(const struct lodge_vcpu *vcpu,
						 u32 index);

/* msr.c */

/**
 * lodge_msr_value() - the value of an MSR_NAMED or MSR_STORED
 * @index: a number within the rule's range; any other one is forced into it
 */
u64 *lodge_msr_value(struct lodge_vcpu *vcpu, const struct lodge_msr_rule *rule,
		     u32 index);

/**
 * lodge_msr_set_tsc_offset() - guest's TSC less lodge_tsc() in its ticks, from now on
 */
void lodge_msr_set_tsc_offset(struct lodge_vcpu *vcpu, u64 offset);

#endif
