/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest's MSRs: the rules that say which it finds, and where their values are.
 * Between msr.c and msr_rules.c.
 */
#ifndef LODGE_MSR_H
#define LODGE_MSR_H

#include <linux/bits.h>
#include <linux/types.h>
#include <asm/msr-index.h>

#include <lodge.h>

struct lodge_vcpu;

#define LODGE_MTRR_NR_FIXED 11
#define LODGE_MTRR_NR_VARIABLE 8

/* Performance counters, of 48 bits, that all of AMD's processors have. */
#define LODGE_AMD_NR_COUNTERS 4

#define LODGE_MISC_ENABLE_RESET                                                \
	(MSR_IA32_MISC_ENABLE_FAST_STRING | MSR_IA32_MISC_ENABLE_BTS_UNAVAIL | \
	 MSR_IA32_MISC_ENABLE_PEBS_UNAVAIL)

/* HWCR: TSC counts at the rate of P-state 0; Linux complains otherwise. */
#define LODGE_HWCR_TSC_FREQ BIT_ULL(24)

/* MSRs that only store, and that no register group has. */
struct lodge_msr_values {
	u64 mcg_status;
	u64 syscfg;
	u64 hwcr;
	u64 top_mem;
	u64 top_mem2;
	u64 perf_select[LODGE_AMD_NR_COUNTERS];
	u64 perf_counter[LODGE_AMD_NR_COUNTERS];
	u64 mtrr_fixed[LODGE_MTRR_NR_FIXED];
	u64 mtrr_variable[2 * LODGE_MTRR_NR_VARIABLE];
};

enum msr_kind {
	MSR_READ_ONLY, /* reads @value */
	MSR_IGNORED, /* reads @value; a write of other bits than @mask: #GP */
	MSR_STORED, /* in struct lodge_msr_values at @offset */
	MSR_NAMED, /* in struct lodge_msrs at @offset */
	MSR_CALLED, /* @read and @write; without one #GP */
};

/**
 * struct lodge_msr_rule - what an MSR, or a range of them, does
 * @first: first index
 * @last: last index; consecutive values stand in consecutive members
 * @vendors: whose processors have it
 * @kind: enum msr_kind
 * @offset: where its value is
 * @value: what it reads as
 * @mask: bits that may be set by a write
 * @present: whether this vCPU has it; NULL: it has
 * @valid: whether it can hold a value; NULL: any within @mask
 * @read: answers 0, or 1 for #GP
 * @write: answers 0, or 1 for #GP
 */
struct lodge_msr_rule {
	u32 first;
	u32 last;
	u8 vendors;
	u8 kind;
	u16 offset;
	u64 value;
	u64 mask;
	bool (*present)(const struct lodge_vcpu *vcpu);
	bool (*valid)(const struct lodge_vcpu *vcpu, u32 index, u64 value);
	int (*read)(struct lodge_vcpu *vcpu, u32 index, u64 *value);
	int (*write)(struct lodge_vcpu *vcpu, u32 index, u64 value);
};

/**
 * lodge_msr_rules_sorted() - whether lodge_msr_rule_find() can find all of them
 */
bool lodge_msr_rules_sorted(void);

/**
 * lodge_msr_rule_find() - the rule of an MSR, or NULL: this vCPU has it not
 */
const struct lodge_msr_rule *lodge_msr_rule_find(const struct lodge_vcpu *vcpu,
						 u32 index);

/**
 * lodge_msr_set_tsc_offset() - guest's TSC less lodge_tsc(), from now on
 */
void lodge_msr_set_tsc_offset(struct lodge_vcpu *vcpu, u64 offset);

#endif
