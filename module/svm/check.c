// SPDX-License-Identifier: GPL-2.0
/*
 * The entry rules of VMRUN, one row each: AMD APM vol. 2, section 15.5.1.
 *
 * Reads the control block as the processor does, and nothing else: the answer
 * is the same whether it was refused or not.
 */
#include "svm/check.h"

#include "processor.h"

/**
 * struct svm_checker - a control block as the rules see it
 * @control: its first part
 * @save: its second part
 * @host: the processor's features
 */
struct svm_checker {
	const struct svm_vmcb_control *control;
	const struct svm_vmcb_save *save;
	const struct svm_check_host *host;
};

static bool svm_long_mode(const struct svm_checker *check)
{
	return (check->save->efer & EFER_LME) &&
	       (check->save->cr0 & X86_CR0_PG);
}

static bool svm_64bit_mode(const struct svm_checker *check)
{
	return svm_long_mode(check) &&
	       (check->save->cs.attrib & SVM_SELECTOR_L_MASK);
}

static bool svm_nested_paging(const struct svm_checker *check)
{
	return check->control->nested_ctl & SVM_NP_ENABLE;
}

static bool svm_high_half(const struct svm_checker *check, u64 value)
{
	return value & GENMASK_ULL(63, 32);
}

static bool svm_beyond_phys(const struct svm_checker *check, u64 value)
{
	return value & GENMASK_ULL(63, check->host->phys_bits);
}

static bool svm_efer_svme(const struct svm_checker *check, u64 value)
{
	return !(value & EFER_SVME);
}

static bool svm_cr0_nw(const struct svm_checker *check, u64 value)
{
	return (value & (X86_CR0_CD | X86_CR0_NW)) == X86_CR0_NW;
}

static bool svm_cr4_mbz(const struct svm_checker *check, u64 value)
{
	return value & ~check->host->cr4;
}

static bool svm_efer_mbz(const struct svm_checker *check, u64 value)
{
	return value & ~(check->host->efer | EFER_LME | EFER_LMA);
}

static bool svm_efer_no_long_mode(const struct svm_checker *check, u64 value)
{
	return value & ~check->host->efer & (EFER_LME | EFER_LMA);
}

static bool svm_long_mode_pae(const struct svm_checker *check, u64 value)
{
	return svm_long_mode(check) && !(value & X86_CR4_PAE);
}

static bool svm_long_mode_pe(const struct svm_checker *check, u64 value)
{
	return svm_long_mode(check) && !(value & X86_CR0_PE);
}

static bool svm_cs_l_and_d(const struct svm_checker *check, u64 value)
{
	return svm_64bit_mode(check) && (check->save->cr4 & X86_CR4_PAE) &&
	       (value & SVM_SELECTOR_DB_MASK);
}

static bool svm_vmrun_intercept(const struct svm_checker *check, u64 value)
{
	return !(value & BIT_ULL(INTERCEPT_VMRUN % 32));
}

/* The processor ignores the low bits of a map's address. */
static bool svm_map_extends(const struct svm_checker *check, u64 address,
			    u64 size)
{
	return (address & ~0xfffULL) > BIT_ULL(check->host->phys_bits) - size;
}

static bool svm_iopm_address(const struct svm_checker *check, u64 value)
{
	return svm_map_extends(check, value, SVM_IOPM_SIZE);
}

static bool svm_msrpm_address(const struct svm_checker *check, u64 value)
{
	return svm_map_extends(check, value, SVM_MSRPM_SIZE);
}

static bool svm_event_type(const struct svm_checker *check, u64 value)
{
	if (!(value & SVM_EVTINJ_VALID))
		return false;
	switch (value & SVM_EVTINJ_TYPE_MASK) {
	case SVM_EVTINJ_TYPE_INTR:
	case SVM_EVTINJ_TYPE_NMI:
	case SVM_EVTINJ_TYPE_EXEPT:
	case SVM_EVTINJ_TYPE_SOFT:
		return false;
	}
	return true;
}

/* Answers the vector of an injected exception, or -1. */
static int svm_injected_exception(u64 event)
{
	if (!(event & SVM_EVTINJ_VALID) ||
	    (event & SVM_EVTINJ_TYPE_MASK) != SVM_EVTINJ_TYPE_EXEPT)
		return -1;
	return event & SVM_EVTINJ_VEC_MASK;
}

static bool svm_event_vector(const struct svm_checker *check, u64 value)
{
	int vector = svm_injected_exception(value);

	return vector == 2 || vector > 31;
}

/* INTO and BOUND, which raise #OF and #BR, are not in 64-bit mode. */
static bool svm_event_mode(const struct svm_checker *check, u64 value)
{
	int vector = svm_injected_exception(value);

	return (vector == 4 || vector == 5) && svm_64bit_mode(check);
}

static bool svm_asid_zero(const struct svm_checker *check, u64 value)
{
	return value == 0;
}

static bool svm_asid_range(const struct svm_checker *check, u64 value)
{
	return value && value >= check->host->nr_asids;
}

static bool svm_s_cet_mbz(const struct svm_checker *check, u64 value)
{
	return check->host->s_cet && (value & ~check->host->s_cet);
}

static bool svm_cet_without_wp(const struct svm_checker *check, u64 value)
{
	return (check->save->cr4 & check->host->cr4 & X86_CR4_CET) &&
	       !(value & X86_CR0_WP);
}

static bool svm_nested_cr3_mbz(const struct svm_checker *check, u64 value)
{
	return svm_nested_paging(check) && svm_beyond_phys(check, value);
}

static bool svm_g_pat_type(const struct svm_checker *check, u64 value)
{
	return svm_nested_paging(check) && !lodge_pat_valid(value);
}

/**
 * struct svm_rule - one entry rule
 * @id: enum svm_rule_id
 * @field: name of the member that breaks it
 * @text: the rule, in short, with its section of the manual
 * @offset: of the member in struct svm_vmcb
 * @size: of the member, in bytes
 * @broken: true if this value of the member breaks the rule
 */
struct svm_rule {
	u32 id;
	char field[16];
	char text[64];
	u16 offset;
	u8 size;
	bool (*broken)(const struct svm_checker *check, u64 value);
};

#define SVM_MEMBER(member)                           \
	.offset = offsetof(struct svm_vmcb, member), \
	.size = sizeof(((struct svm_vmcb *)0)->member)

static const struct svm_rule svm_rules[] = {
	{ SVM_RULE_EFER_SVME, "EFER", "SVME must be set (15.5.1)",
	  SVM_MEMBER(save.efer), svm_efer_svme },
	{ SVM_RULE_CR0_NW, "CR0",
	  "NW must not be set while CD is clear (15.5.1)", SVM_MEMBER(save.cr0),
	  svm_cr0_nw },
	{ SVM_RULE_CR0_HIGH, "CR0", "bits 63:32 must be zero (15.5.1)",
	  SVM_MEMBER(save.cr0), svm_high_half },
	{ SVM_RULE_CR3_MBZ, "CR3",
	  "bits beyond a physical address must be zero (15.5.1)",
	  SVM_MEMBER(save.cr3), svm_beyond_phys },
	{ SVM_RULE_CR4_MBZ, "CR4",
	  "bits unknown to the processor must be zero (15.5.1)",
	  SVM_MEMBER(save.cr4), svm_cr4_mbz },
	{ SVM_RULE_DR6_HIGH, "DR6", "bits 63:32 must be zero (15.5.1)",
	  SVM_MEMBER(save.dr6), svm_high_half },
	{ SVM_RULE_DR7_HIGH, "DR7", "bits 63:32 must be zero (15.5.1)",
	  SVM_MEMBER(save.dr7), svm_high_half },
	{ SVM_RULE_EFER_MBZ, "EFER",
	  "bits unknown to the processor must be zero (15.5.1)",
	  SVM_MEMBER(save.efer), svm_efer_mbz },
	{ SVM_RULE_EFER_NO_LONG_MODE, "EFER",
	  "LME and LMA need a processor with long mode (15.5.1)",
	  SVM_MEMBER(save.efer), svm_efer_no_long_mode },
	{ SVM_RULE_LONG_MODE_PAE, "CR4",
	  "PAE must be set with EFER.LME and CR0.PG (15.5.1)",
	  SVM_MEMBER(save.cr4), svm_long_mode_pae },
	{ SVM_RULE_LONG_MODE_PE, "CR0",
	  "PE must be set with EFER.LME and CR0.PG (15.5.1)",
	  SVM_MEMBER(save.cr0), svm_long_mode_pe },
	{ SVM_RULE_CS_L_AND_D, "CS.attrib",
	  "L and D must not both be set in long mode (15.5.1)",
	  SVM_MEMBER(save.cs.attrib), svm_cs_l_and_d },
	{ SVM_RULE_VMRUN_INTERCEPT, "intercepts[4]",
	  "VMRUN must be intercepted (15.5.1)",
	  SVM_MEMBER(control.intercepts[INTERCEPT_VMRUN / 32]),
	  svm_vmrun_intercept },
	{ SVM_RULE_IOPM_ADDRESS, "iopm_base_pa",
	  "the I/O map must fit the physical address width (15.5.1)",
	  SVM_MEMBER(control.iopm_base_pa), svm_iopm_address },
	{ SVM_RULE_MSRPM_ADDRESS, "msrpm_base_pa",
	  "the MSR map must fit the physical address width (15.5.1)",
	  SVM_MEMBER(control.msrpm_base_pa), svm_msrpm_address },
	{ SVM_RULE_EVENT_TYPE, "event_inj",
	  "the event's type is reserved (15.20)", SVM_MEMBER(control.event_inj),
	  svm_event_type },
	{ SVM_RULE_EVENT_VECTOR, "event_inj",
	  "the exception's vector is not that of an exception (15.20)",
	  SVM_MEMBER(control.event_inj), svm_event_vector },
	{ SVM_RULE_EVENT_MODE, "event_inj",
	  "#OF and #BR cannot happen in 64-bit mode (15.20)",
	  SVM_MEMBER(control.event_inj), svm_event_mode },
	{ SVM_RULE_ASID_ZERO, "asid", "0 belongs to the host (15.5.1)",
	  SVM_MEMBER(control.asid), svm_asid_zero },
	{ SVM_RULE_ASID_RANGE, "asid",
	  "must be one that the processor has (15.16)",
	  SVM_MEMBER(control.asid), svm_asid_range },
	{ SVM_RULE_S_CET_MBZ, "S_CET",
	  "bits unknown to the processor must be zero (15.5.1)",
	  SVM_MEMBER(save.s_cet), svm_s_cet_mbz },
	{ SVM_RULE_CET_WITHOUT_WP, "CR0",
	  "WP must be set with CR4.CET (15.5.1)", SVM_MEMBER(save.cr0),
	  svm_cet_without_wp },
	{ SVM_RULE_NESTED_CR3_MBZ, "nested_cr3",
	  "bits beyond a physical address must be zero (15.25)",
	  SVM_MEMBER(control.nested_cr3), svm_nested_cr3_mbz },
	{ SVM_RULE_G_PAT_TYPE, "g_pat",
	  "each byte must be a memory type: 0, 1, 4, 5, 6 or 7 (15.25)",
	  SVM_MEMBER(save.g_pat), svm_g_pat_type },
};

u32 svm_check_vmcb(const struct svm_vmcb *vmcb,
		   const struct svm_check_host *host, struct lodge_rule *rules,
		   u32 max)
{
	const struct svm_checker check = {
		.control = &vmcb->control,
		.save = &vmcb->save,
		.host = host,
	};
	u32 found = 0;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(svm_rules) && found < max; i++) {
		const struct svm_rule *rule = &svm_rules[i];
		struct lodge_rule *out = &rules[found];
		u64 value = 0;

		memcpy(&value, (const u8 *)vmcb + rule->offset, rule->size);
		if (!rule->broken(&check, value))
			continue;
		memset(out, 0, sizeof(*out));
		out->id = rule->id;
		out->value = value;
		memcpy(out->field, rule->field, sizeof(out->field));
		memcpy(out->text, rule->text, sizeof(out->text));
		found++;
	}
	return found;
}
