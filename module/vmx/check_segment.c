// SPDX-License-Identifier: GPL-2.0
/*
 * The entry rules about the guest's segment registers, one row each, which is
 * for one register or for several: Intel SDM vol. 3C, section 27.3.1.2.
 */
#include "vmx/check_rules.h"

#define VMX_DATA_SEGMENTS \
	(BIT(VMX_DS) | BIT(VMX_ES) | BIT(VMX_FS) | BIT(VMX_GS))
#define VMX_PLAIN_SEGMENTS (BIT(VMX_CS) | BIT(VMX_SS) | VMX_DATA_SEGMENTS)
#define VMX_SYSTEM_SEGMENTS (BIT(VMX_LDTR) | BIT(VMX_TR))

/* Access rights of every register in virtual-8086 mode: data, DPL 3. */
#define VMX_V86_ACCESS 0xf3

/* Types: accessed, writable data; the bits that make code conforming. */
#define VMX_TYPE_DATA 3
#define VMX_TYPE_CONFORMING (VMX_AR_TYPE_CODE_MASK | BIT(2))

/* The field of a register that breaks a rule. */
enum vmx_segment_part {
	VMX_SELECTOR,
	VMX_BASE,
	VMX_LIMIT,
	VMX_ACCESS,
	VMX_NR_PARTS,
};

/**
 * enum vmx_segment_scope - the guests for which a rule is
 * @VMX_ANY: all
 * @VMX_V86: those in virtual-8086 mode
 * @VMX_NOT_V86: the others
 */
enum vmx_segment_scope {
	VMX_ANY,
	VMX_V86,
	VMX_NOT_V86,
};

/**
 * struct vmx_segment_rule - one entry rule about segment registers
 * @id: enum vmx_rule_id
 * @text: the rule, in short, with its section of the manual
 * @segments: the registers that it is for, as bits
 * @if_usable: of these, those for which it is only while they are usable
 * @scope: enum vmx_segment_scope
 * @part: enum vmx_segment_part
 * @broken: true if @segment breaks the rule; NULL: @zero and @one decide
 * @zero: bits of @part that must be zero
 * @one: bits of @part that must be one
 */
struct vmx_segment_rule {
	u32 id;
	char text[64];
	u8 segments;
	u8 if_usable;
	u8 scope;
	u8 part;
	bool (*broken)(const struct vmx_checker *check,
		       const struct vmx_segment *segment);
	u64 zero;
	u64 one;
};

#define VMX_EQUAL(value) .zero = ~(u64)(value), .one = (value)

static const char vmx_segment_names[VMX_NR_SEGMENTS][VMX_NR_PARTS][16] = {
	{ "ES.selector", "ES.base", "ES.limit", "ES.access" },
	{ "CS.selector", "CS.base", "CS.limit", "CS.access" },
	{ "SS.selector", "SS.base", "SS.limit", "SS.access" },
	{ "DS.selector", "DS.base", "DS.limit", "DS.access" },
	{ "FS.selector", "FS.base", "FS.limit", "FS.access" },
	{ "GS.selector", "GS.base", "GS.limit", "GS.access" },
	{ "LDTR.selector", "LDTR.base", "LDTR.limit", "LDTR.access" },
	{ "TR.selector", "TR.base", "TR.limit", "TR.access" },
};

static u8 vmx_type(const struct vmx_segment *segment)
{
	return segment->access & VMX_AR_TYPE_MASK;
}

static u8 vmx_dpl(const struct vmx_segment *segment)
{
	return VMX_AR_DPL(segment->access);
}

static u8 vmx_rpl(const struct vmx_segment *segment)
{
	return segment->selector & 3;
}

static bool vmx_ss_rpl(const struct vmx_checker *check,
		       const struct vmx_segment *segment)
{
	return !vmx_check_unrestricted(check) &&
	       vmx_rpl(segment) != vmx_rpl(&check->segments[VMX_CS]);
}

static bool vmx_v86_base(const struct vmx_checker *check,
			 const struct vmx_segment *segment)
{
	return segment->base != (u64)segment->selector << 4;
}

static bool vmx_segment_canonical(const struct vmx_checker *check,
				  const struct vmx_segment *segment)
{
	return vmx_check_not_canonical(check, segment->base);
}

static bool vmx_cs_type(const struct vmx_checker *check,
			const struct vmx_segment *segment)
{
	const u8 accessed = VMX_AR_TYPE_CODE_MASK | VMX_AR_TYPE_ACCESSES_MASK;

	if (vmx_type(segment) == VMX_TYPE_DATA)
		return !vmx_check_unrestricted(check);
	return (vmx_type(segment) & accessed) != accessed;
}

static bool vmx_ss_type(const struct vmx_checker *check,
			const struct vmx_segment *segment)
{
	return vmx_type(segment) != 3 && vmx_type(segment) != 7;
}

static bool vmx_data_readable(const struct vmx_checker *check,
			      const struct vmx_segment *segment)
{
	return (vmx_type(segment) & VMX_AR_TYPE_CODE_MASK) &&
	       !(vmx_type(segment) & VMX_AR_TYPE_READABLE_MASK);
}

static bool vmx_is_code(const struct vmx_segment *segment)
{
	return vmx_type(segment) & VMX_AR_TYPE_CODE_MASK;
}

static bool vmx_is_conforming(const struct vmx_segment *segment)
{
	return (vmx_type(segment) & VMX_TYPE_CONFORMING) == VMX_TYPE_CONFORMING;
}

static bool vmx_cs_data_dpl(const struct vmx_checker *check,
			    const struct vmx_segment *segment)
{
	return vmx_type(segment) == VMX_TYPE_DATA && vmx_dpl(segment) != 0;
}

static bool vmx_cs_dpl(const struct vmx_checker *check,
		       const struct vmx_segment *segment)
{
	return vmx_is_code(segment) && !vmx_is_conforming(segment) &&
	       vmx_dpl(segment) != vmx_dpl(&check->segments[VMX_SS]);
}

static bool vmx_cs_conforming_dpl(const struct vmx_checker *check,
				  const struct vmx_segment *segment)
{
	return vmx_is_conforming(segment) &&
	       vmx_dpl(segment) > vmx_dpl(&check->segments[VMX_SS]);
}

static bool vmx_ss_dpl(const struct vmx_checker *check,
		       const struct vmx_segment *segment)
{
	return !vmx_check_unrestricted(check) &&
	       vmx_dpl(segment) != vmx_rpl(segment);
}

static bool vmx_ss_dpl_zero(const struct vmx_checker *check,
			    const struct vmx_segment *segment)
{
	const struct vmx_segment *cs = &check->segments[VMX_CS];

	return vmx_dpl(segment) != 0 &&
	       (vmx_type(cs) == VMX_TYPE_DATA || !(check->cr0 & X86_CR0_PE));
}

static bool vmx_data_dpl(const struct vmx_checker *check,
			 const struct vmx_segment *segment)
{
	return !vmx_check_unrestricted(check) && !vmx_is_conforming(segment) &&
	       vmx_dpl(segment) < vmx_rpl(segment);
}

static bool vmx_cs_l_and_d(const struct vmx_checker *check,
			   const struct vmx_segment *segment)
{
	return vmx_check_64bit_guest(check) &&
	       (segment->access & VMX_AR_DB_MASK);
}

static bool vmx_segment_g_excess(const struct vmx_checker *check,
				 const struct vmx_segment *segment)
{
	return (segment->access & VMX_AR_G_MASK) &&
	       (segment->limit & 0xfff) != 0xfff;
}

static bool vmx_segment_g_missing(const struct vmx_checker *check,
				  const struct vmx_segment *segment)
{
	return !(segment->access & VMX_AR_G_MASK) &&
	       (segment->limit & 0xfff00000);
}

static bool vmx_tr_type(const struct vmx_checker *check,
			const struct vmx_segment *segment)
{
	if (vmx_type(segment) == VMX_AR_TYPE_BUSY_16_TSS)
		return vmx_check_ia32e_guest(check);
	return vmx_type(segment) != VMX_AR_TYPE_BUSY_32_TSS;
}

static bool vmx_ldtr_type(const struct vmx_checker *check,
			  const struct vmx_segment *segment)
{
	return vmx_type(segment) != VMX_AR_TYPE_LDT;
}

/* CS and TR are always judged, others mostly while they are usable. */
#define VMX_USABLE(which) \
	.segments = (which), .if_usable = (which) & ~(BIT(VMX_CS) | BIT(VMX_TR))
#define VMX_EVEN_UNUSABLE(which) .segments = (which), .if_usable = 0

static const struct vmx_segment_rule vmx_segment_rules[] = {
	{ VMX_RULE_SEGMENT_TI, "TI must be zero (27.3.1.2)",
	  VMX_USABLE(VMX_SYSTEM_SEGMENTS), VMX_ANY, VMX_SELECTOR, VMX_ZERO(4) },
	{ VMX_RULE_SS_RPL, "RPL must be that of CS (27.3.1.2)",
	  VMX_EVEN_UNUSABLE(BIT(VMX_SS)), VMX_NOT_V86, VMX_SELECTOR,
	  vmx_ss_rpl },
	{ VMX_RULE_V86_BASE,
	  "must be 16 times the selector in virtual-8086 mode (27.3.1.2)",
	  VMX_EVEN_UNUSABLE(VMX_PLAIN_SEGMENTS), VMX_V86, VMX_BASE,
	  vmx_v86_base },
	{ VMX_RULE_SEGMENT_CANONICAL, "must be a canonical address (27.3.1.2)",
	  .segments = BIT(VMX_TR) | BIT(VMX_FS) | BIT(VMX_GS) | BIT(VMX_LDTR),
	  .if_usable = BIT(VMX_LDTR), VMX_ANY, VMX_BASE,
	  vmx_segment_canonical },
	{ VMX_RULE_SEGMENT_HIGH, "bits 63:32 must be zero (27.3.1.2)",
	  VMX_USABLE(BIT(VMX_CS) | BIT(VMX_SS) | BIT(VMX_DS) | BIT(VMX_ES)),
	  VMX_ANY, VMX_BASE, VMX_ZERO(VMX_HIGH_HALF) },
	{ VMX_RULE_V86_LIMIT, "must be 0xffff in virtual-8086 mode (27.3.1.2)",
	  VMX_EVEN_UNUSABLE(VMX_PLAIN_SEGMENTS), VMX_V86, VMX_LIMIT,
	  VMX_EQUAL(0xffff) },
	{ VMX_RULE_V86_ACCESS, "must be 0xf3 in virtual-8086 mode (27.3.1.2)",
	  VMX_EVEN_UNUSABLE(VMX_PLAIN_SEGMENTS), VMX_V86, VMX_ACCESS,
	  VMX_EQUAL(VMX_V86_ACCESS) },
	{ VMX_RULE_CS_TYPE, "type must be accessed code (27.3.1.2)",
	  VMX_USABLE(BIT(VMX_CS)), VMX_NOT_V86, VMX_ACCESS, vmx_cs_type },
	{ VMX_RULE_SS_TYPE, "type must be accessed, writable data (27.3.1.2)",
	  VMX_USABLE(BIT(VMX_SS)), VMX_NOT_V86, VMX_ACCESS, vmx_ss_type },
	{ VMX_RULE_DATA_ACCESSED, "type must be accessed (27.3.1.2)",
	  VMX_USABLE(VMX_DATA_SEGMENTS), VMX_NOT_V86, VMX_ACCESS,
	  VMX_ONE(VMX_AR_TYPE_ACCESSES_MASK) },
	{ VMX_RULE_DATA_READABLE,
	  "type must be readable, if it is code (27.3.1.2)",
	  VMX_USABLE(VMX_DATA_SEGMENTS), VMX_NOT_V86, VMX_ACCESS,
	  vmx_data_readable },
	{ VMX_RULE_SEGMENT_S, "S must be set (27.3.1.2)",
	  VMX_USABLE(VMX_PLAIN_SEGMENTS), VMX_NOT_V86, VMX_ACCESS,
	  VMX_ONE(VMX_AR_S_MASK) },
	{ VMX_RULE_CS_DATA_DPL, "DPL must be 0, as it is data (27.3.1.2)",
	  VMX_USABLE(BIT(VMX_CS)), VMX_NOT_V86, VMX_ACCESS, vmx_cs_data_dpl },
	{ VMX_RULE_CS_DPL, "DPL must be that of SS (27.3.1.2)",
	  VMX_USABLE(BIT(VMX_CS)), VMX_NOT_V86, VMX_ACCESS, vmx_cs_dpl },
	{ VMX_RULE_CS_CONFORMING_DPL,
	  "DPL must not exceed that of SS (27.3.1.2)", VMX_USABLE(BIT(VMX_CS)),
	  VMX_NOT_V86, VMX_ACCESS, vmx_cs_conforming_dpl },
	{ VMX_RULE_SS_DPL, "DPL must be the selector's RPL (27.3.1.2)",
	  VMX_EVEN_UNUSABLE(BIT(VMX_SS)), VMX_NOT_V86, VMX_ACCESS, vmx_ss_dpl },
	{ VMX_RULE_SS_DPL_ZERO,
	  "DPL must be 0 in real mode, and with CS of data (27.3.1.2)",
	  VMX_EVEN_UNUSABLE(BIT(VMX_SS)), VMX_NOT_V86, VMX_ACCESS,
	  vmx_ss_dpl_zero },
	{ VMX_RULE_DATA_DPL,
	  "DPL must not be below the selector's RPL (27.3.1.2)",
	  VMX_USABLE(VMX_DATA_SEGMENTS), VMX_NOT_V86, VMX_ACCESS,
	  vmx_data_dpl },
	{ VMX_RULE_SEGMENT_PRESENT, "P must be set (27.3.1.2)",
	  VMX_USABLE(VMX_PLAIN_SEGMENTS | VMX_SYSTEM_SEGMENTS), VMX_NOT_V86,
	  VMX_ACCESS, VMX_ONE(VMX_AR_P_MASK) },
	{ VMX_RULE_SEGMENT_RESERVED,
	  "bits 11:8 and 31:17 must be zero (27.3.1.2)",
	  VMX_USABLE(VMX_PLAIN_SEGMENTS | VMX_SYSTEM_SEGMENTS), VMX_NOT_V86,
	  VMX_ACCESS, VMX_ZERO(VMX_AR_RESERVD_MASK) },
	{ VMX_RULE_CS_L_AND_D,
	  "L and D must not both be set in IA-32e mode (27.3.1.2)",
	  VMX_USABLE(BIT(VMX_CS)), VMX_NOT_V86, VMX_ACCESS, vmx_cs_l_and_d },
	{ VMX_RULE_SEGMENT_G_EXCESS,
	  "G must be clear: the limit is not of whole pages (27.3.1.2)",
	  VMX_USABLE(VMX_PLAIN_SEGMENTS | VMX_SYSTEM_SEGMENTS), VMX_NOT_V86,
	  VMX_ACCESS, vmx_segment_g_excess },
	{ VMX_RULE_SEGMENT_G_MISSING,
	  "G must be set: the limit is 1 MiB or more (27.3.1.2)",
	  VMX_USABLE(VMX_PLAIN_SEGMENTS | VMX_SYSTEM_SEGMENTS), VMX_NOT_V86,
	  VMX_ACCESS, vmx_segment_g_missing },
	{ VMX_RULE_TR_TYPE,
	  "type must be a busy TSS, in IA-32e mode 11 (27.3.1.2)",
	  VMX_USABLE(BIT(VMX_TR)), VMX_ANY, VMX_ACCESS, vmx_tr_type },
	{ VMX_RULE_TR_USABLE, "must not be unusable (27.3.1.2)",
	  VMX_USABLE(BIT(VMX_TR)), VMX_ANY, VMX_ACCESS,
	  VMX_ZERO(VMX_AR_UNUSABLE_MASK) },
	{ VMX_RULE_LDTR_TYPE, "type must be an LDT (27.3.1.2)",
	  VMX_USABLE(BIT(VMX_LDTR)), VMX_ANY, VMX_ACCESS, vmx_ldtr_type },
	{ VMX_RULE_SYSTEM_S, "S must be clear (27.3.1.2)",
	  VMX_USABLE(VMX_SYSTEM_SEGMENTS), VMX_ANY, VMX_ACCESS,
	  VMX_ZERO(VMX_AR_S_MASK) },
};

static u64 vmx_segment_value(const struct vmx_segment *segment,
			     enum vmx_segment_part part)
{
	switch (part) {
	case VMX_SELECTOR:
		return segment->selector;
	case VMX_BASE:
		return segment->base;
	case VMX_LIMIT:
		return segment->limit;
	default:
		return segment->access;
	}
}

/* The scope is about the registers that virtual-8086 mode redefines. */
static bool vmx_segment_judged(const struct vmx_checker *check,
			       const struct vmx_segment_rule *rule, int index)
{
	u32 bit = BIT(index);
	bool v86 = check->rflags & X86_EFLAGS_VM;

	if (!(rule->segments & bit))
		return false;
	if ((rule->if_usable & bit) &&
	    (check->segments[index].access & VMX_AR_UNUSABLE_MASK))
		return false;
	return rule->scope == VMX_ANY || (VMX_SYSTEM_SEGMENTS & bit) ||
	       (rule->scope == VMX_V86) == v86;
}

static bool vmx_segment_breaks(const struct vmx_checker *check,
			       const struct vmx_segment_rule *rule, int index)
{
	const struct vmx_segment *segment = &check->segments[index];
	u64 value = vmx_segment_value(segment, rule->part);

	if (rule->broken)
		return rule->broken(check, segment);
	return (value & rule->zero) || (~value & rule->one);
}

void vmx_check_segments(struct vmx_checker *check)
{
	u32 i;
	int index;

	for (i = 0; i < ARRAY_SIZE(vmx_segment_rules); i++) {
		const struct vmx_segment_rule *rule = &vmx_segment_rules[i];

		for (index = 0; index < VMX_NR_SEGMENTS; index++) {
			if (!vmx_segment_judged(check, rule, index) ||
			    !vmx_segment_breaks(check, rule, index))
				continue;
			vmx_check_found(
				check, rule->id,
				vmx_segment_names[index][rule->part],
				rule->text,
				vmx_segment_value(&check->segments[index],
						  rule->part));
		}
	}
}
