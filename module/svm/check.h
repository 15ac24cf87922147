/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The entry rules: why VMRUN refuses a control block.
 *
 * Pure: builds in user space too, where its test breaks rule by rule.
 */
#ifndef LODGE_SVM_CHECK_H
#define LODGE_SVM_CHECK_H

#include <lodge.h>

#include "pure.h"
#include "svm/vmcb.h"

/* Sizes of the permission maps, in bytes (APM vol. 2, 15.10.1 and 15.11). */
#define SVM_IOPM_SIZE 0x3000
#define SVM_MSRPM_SIZE 0x2000

/**
 * enum svm_rule_id - struct lodge_rule.id; numbers are never used again
 */
enum svm_rule_id {
	SVM_RULE_EFER_SVME = 1,
	SVM_RULE_CR0_NW = 2,
	SVM_RULE_CR0_HIGH = 3,
	SVM_RULE_CR3_MBZ = 4,
	SVM_RULE_CR4_MBZ = 5,
	SVM_RULE_DR6_HIGH = 6,
	SVM_RULE_DR7_HIGH = 7,
	SVM_RULE_EFER_MBZ = 8,
	SVM_RULE_EFER_NO_LONG_MODE = 9,
	SVM_RULE_LONG_MODE_PAE = 10,
	SVM_RULE_LONG_MODE_PE = 11,
	SVM_RULE_CS_L_AND_D = 12,
	SVM_RULE_VMRUN_INTERCEPT = 13,
	SVM_RULE_IOPM_ADDRESS = 14,
	SVM_RULE_MSRPM_ADDRESS = 15,
	SVM_RULE_EVENT_TYPE = 16,
	SVM_RULE_EVENT_VECTOR = 17,
	SVM_RULE_EVENT_MODE = 18,
	SVM_RULE_ASID_ZERO = 19,
	SVM_RULE_ASID_RANGE = 20,
	SVM_RULE_S_CET_MBZ = 21,
	SVM_RULE_CET_WITHOUT_WP = 22,
	SVM_RULE_NESTED_CR3_MBZ = 23,
	SVM_RULE_G_PAT_TYPE = 24,
};

/**
 * struct svm_check_host - the processor's features
 * @phys_bits: width of a physical address
 * @nr_asids: ASIDs it has, 0 among them
 * @cr4: bits of CR4 that it knows
 * @efer: bits of EFER that it knows, SVME among them
 * @s_cet: bits of MSR S_CET that it knows; 0: it has no such register
 */
struct svm_check_host {
	u8 phys_bits;
	u32 nr_asids;
	u64 cr4;
	u64 efer;
	u64 s_cet;
};

/**
 * svm_check_vmcb() - find the entry rules that a control block breaks
 * @vmcb: the control block
 * @host: the processor's features
 * @rules: filled in, in the manual's order; may be NULL when @max is 0
 * @max: how many @rules holds
 *
 * The rules are those of AMD APM vol. 2, section 15.5.1, with the sections it
 * refers to: 15.20 for injected events, 15.25 for nested paging.
 *
 * Return: rules stored, at most @max.
 */
u32 svm_check_vmcb(const struct svm_vmcb *vmcb,
		   const struct svm_check_host *host, struct lodge_rule *rules,
		   u32 max);

#endif
