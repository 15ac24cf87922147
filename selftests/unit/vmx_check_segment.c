// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of VT-x's entry rules about segment registers.  Each is broken by each of its
 * registers, alone, and reported with the register's field and value.  Values just
 * within the rules break none.
 */
#include "vmx/check.h"

#include "kselftest_harness.h"
#include "vmx_cases.h"

/* A data segment of DPL 3. */
#define USER_DATA 0xc0f3

/**
 * struct segment_breakage - segment registers that break a rule
 * @id: enum vmx_rule_id
 * @registers: the registers that can break it, as bits by enum vmx_segment_index
 * @field: the field that gets @value, for ES
 * @value: a value that breaks the rule
 * @mode: enum guest_mode
 * @sets: other writes
 */
struct segment_breakage {
	u32 id;
	u32 registers;
	u32 field;
	u64 value;
	enum guest_mode mode;
	struct set sets[2];
};

#define DATA (BIT(VMX_DS) | BIT(VMX_ES) | BIT(VMX_FS) | BIT(VMX_GS))
#define PLAIN (BIT(VMX_CS) | BIT(VMX_SS) | DATA)
#define SELECTOR GUEST_ES_SELECTOR
#define BASE GUEST_ES_BASE
#define LIMIT GUEST_ES_LIMIT
#define ACCESS GUEST_ES_AR_BYTES
#define USABLE_LDTR                       \
	{                                 \
		GUEST_LDTR_AR_BYTES, 0x82 \
	}

static const struct segment_breakage segment_cases[] = {
	{ VMX_RULE_SEGMENT_TI, BIT(VMX_TR), SELECTOR, 0x1c },
	{ VMX_RULE_SEGMENT_TI,
	  BIT(VMX_LDTR),
	  SELECTOR,
	  0x1c,
	  GUEST_LONG,
	  { USABLE_LDTR } },
	{ VMX_RULE_SS_RPL,
	  BIT(VMX_SS),
	  SELECTOR,
	  0x13,
	  GUEST_RESTRICTED,
	  { { GUEST_SS_AR_BYTES, USER_DATA }, { GUEST_CS_AR_BYTES, 0xc0fb } } },
	{ VMX_RULE_V86_BASE, PLAIN, BASE, 0x1231, GUEST_V86 },
	{ VMX_RULE_SEGMENT_CANONICAL, BIT(VMX_TR) | BIT(VMX_FS) | BIT(VMX_GS),
	  BASE, NOT_CANONICAL },
	{ VMX_RULE_SEGMENT_CANONICAL,
	  BIT(VMX_LDTR),
	  BASE,
	  NOT_CANONICAL,
	  GUEST_LONG,
	  { USABLE_LDTR } },
	{ VMX_RULE_SEGMENT_CANONICAL,
	  BIT(VMX_FS),
	  BASE,
	  NOT_CANONICAL,
	  GUEST_LONG,
	  { { GUEST_FS_AR_BYTES, VMX_AR_UNUSABLE_MASK } } },
	{ VMX_RULE_SEGMENT_HIGH,
	  BIT(VMX_CS) | BIT(VMX_SS) | BIT(VMX_DS) | BIT(VMX_ES), BASE,
	  BIT_ULL(32) },
	{ VMX_RULE_V86_LIMIT, PLAIN, LIMIT, 0xfffff, GUEST_V86 },
	{ VMX_RULE_V86_ACCESS, PLAIN, ACCESS, 0x93, GUEST_V86 },
	{ VMX_RULE_CS_TYPE, BIT(VMX_CS), ACCESS, 0xa09a },
	{ VMX_RULE_CS_TYPE, BIT(VMX_CS), ACCESS, 0xc091 },
	{ VMX_RULE_CS_TYPE, BIT(VMX_CS), ACCESS, 0xc093, GUEST_RESTRICTED },
	{ VMX_RULE_SS_TYPE, BIT(VMX_SS), ACCESS, 0xc091 },
	{ VMX_RULE_SS_TYPE, BIT(VMX_SS), ACCESS, 0xc09b },
	{ VMX_RULE_DATA_ACCESSED, DATA, ACCESS, 0xc092 },
	{ VMX_RULE_DATA_READABLE, DATA, ACCESS, 0xc099 },
	{ VMX_RULE_SEGMENT_S, DATA | BIT(VMX_SS), ACCESS, 0xc083 },
	{ VMX_RULE_SEGMENT_S, BIT(VMX_CS), ACCESS, 0xa08b },
	{ VMX_RULE_CS_DATA_DPL,
	  BIT(VMX_CS),
	  ACCESS,
	  0xc0b3,
	  GUEST_REAL,
	  { { GUEST_CS_LIMIT, ~0U } } },
	{ VMX_RULE_CS_DPL, BIT(VMX_CS), ACCESS, 0xa0fb },
	{ VMX_RULE_CS_DPL,
	  BIT(VMX_CS),
	  ACCESS,
	  0xa09b,
	  GUEST_LONG,
	  { { GUEST_SS_AR_BYTES, USER_DATA } } },
	{ VMX_RULE_CS_CONFORMING_DPL, BIT(VMX_CS), ACCESS, 0xa0bf },
	{ VMX_RULE_SS_DPL,
	  BIT(VMX_SS),
	  ACCESS,
	  USER_DATA,
	  GUEST_RESTRICTED,
	  { { GUEST_CS_AR_BYTES, 0xc0fb } } },
	{ VMX_RULE_SS_DPL,
	  BIT(VMX_SS),
	  ACCESS,
	  VMX_AR_UNUSABLE_MASK | 0x60,
	  GUEST_RESTRICTED,
	  { { GUEST_CS_AR_BYTES, 0xc0fb } } },
	{ VMX_RULE_SS_DPL_ZERO, BIT(VMX_SS), ACCESS, 0xf3, GUEST_REAL },
	{ VMX_RULE_SS_DPL_ZERO,
	  BIT(VMX_SS),
	  ACCESS,
	  USER_DATA,
	  GUEST_PAE,
	  { { GUEST_CS_AR_BYTES, 0xc093 } } },
	{ VMX_RULE_DATA_DPL, DATA, SELECTOR, 0x13, GUEST_RESTRICTED },
	{ VMX_RULE_SEGMENT_PRESENT, DATA | BIT(VMX_SS), ACCESS, 0xc013 },
	{ VMX_RULE_SEGMENT_PRESENT, BIT(VMX_CS), ACCESS, 0xa01b },
	{ VMX_RULE_SEGMENT_PRESENT, BIT(VMX_TR), ACCESS, 0xb },
	{ VMX_RULE_SEGMENT_PRESENT, BIT(VMX_LDTR), ACCESS, 2 },
	{ VMX_RULE_SEGMENT_RESERVED, DATA | BIT(VMX_SS), ACCESS, 0xc193 },
	{ VMX_RULE_SEGMENT_RESERVED, BIT(VMX_CS), ACCESS, 0xa89b },
	{ VMX_RULE_SEGMENT_RESERVED, BIT(VMX_CS), ACCESS, 0x8000a09bULL },
	{ VMX_RULE_SEGMENT_RESERVED, BIT(VMX_TR), ACCESS, 0x2008b },
	{ VMX_RULE_SEGMENT_RESERVED, BIT(VMX_LDTR), ACCESS, 0x482 },
	{ VMX_RULE_CS_L_AND_D, BIT(VMX_CS), ACCESS, 0xe09b },
	{ VMX_RULE_SEGMENT_G_EXCESS, PLAIN, LIMIT, 0xfffffffe },
	{ VMX_RULE_SEGMENT_G_EXCESS, BIT(VMX_TR), ACCESS, 0x808b },
	{ VMX_RULE_SEGMENT_G_EXCESS, BIT(VMX_LDTR), ACCESS, 0x8082 },
	{ VMX_RULE_SEGMENT_G_MISSING, PLAIN, LIMIT, 0x100000, GUEST_REAL },
	{ VMX_RULE_SEGMENT_G_MISSING, BIT(VMX_TR), LIMIT, 0x100000 },
	{ VMX_RULE_SEGMENT_G_MISSING,
	  BIT(VMX_LDTR),
	  LIMIT,
	  0x100000,
	  GUEST_LONG,
	  { USABLE_LDTR } },
	{ VMX_RULE_TR_TYPE, BIT(VMX_TR), ACCESS, 0x83 },
	{ VMX_RULE_TR_TYPE, BIT(VMX_TR), ACCESS, 0x89 },
	{ VMX_RULE_TR_TYPE, BIT(VMX_TR), ACCESS, 0x81, GUEST_PAE },
	{ VMX_RULE_TR_USABLE, BIT(VMX_TR), ACCESS,
	  VMX_AR_UNUSABLE_MASK | 0x8b },
	{ VMX_RULE_LDTR_TYPE, BIT(VMX_LDTR), ACCESS, 0x83 },
	{ VMX_RULE_SYSTEM_S, BIT(VMX_TR), ACCESS, 0x9b },
	{ VMX_RULE_SYSTEM_S, BIT(VMX_LDTR), ACCESS, 0x92 },
	{ VMX_RULE_SEGMENT_PRESENT, BIT(VMX_TR), ACCESS, 0xb, GUEST_V86 },
};

static const struct breakage legal_cases[] = {
	{ .name = "unusable registers that hold anything",
	  .sets = { { GUEST_ES_AR_BYTES, VMX_AR_UNUSABLE_MASK | 0xfffe0f00 },
		    { GUEST_SS_AR_BYTES, VMX_AR_UNUSABLE_MASK },
		    { GUEST_ES_BASE, ~0ULL },
		    { GUEST_LDTR_SELECTOR, 0xffff },
		    { GUEST_LDTR_BASE, NOT_CANONICAL },
		    { GUEST_FS_AR_BYTES, ~0U } } },
	{ .name = "16-bit TSS outside IA-32e mode",
	  .mode = GUEST_PAE,
	  .sets = { { GUEST_TR_AR_BYTES, 0x83 } } },
	{ .name = "conforming code of a higher privilege",
	  .sets = { { GUEST_CS_AR_BYTES, 0xa09f },
		    { GUEST_SS_AR_BYTES, USER_DATA } } },
	{ .name = "stack that expands down",
	  .mode = GUEST_PAE,
	  .sets = { { GUEST_SS_AR_BYTES, 0xc097 } } },
	{ .name = "conforming code as data, whatever its privilege",
	  .mode = GUEST_RESTRICTED,
	  .sets = { { GUEST_DS_AR_BYTES, 0xc09f },
		    { GUEST_DS_SELECTOR, 0x13 } } },
	{ .name = "L and D outside IA-32e mode",
	  .mode = GUEST_PAE,
	  .sets = { { GUEST_CS_AR_BYTES, 0xe09b } } },
	{ .name = "any privilege of an unrestricted guest's data",
	  .mode = GUEST_PAE,
	  .sets = { { GUEST_DS_SELECTOR, 0x13 },
		    { GUEST_SS_SELECTOR, 0x13 } } },
	{ .name = "limit below 1 MiB with either G",
	  .sets = { { GUEST_DS_LIMIT, 0xfff },
		    { GUEST_ES_LIMIT, 0xfffff },
		    { GUEST_ES_AR_BYTES, 0x4093 } } },
};

/* Return: the field that the report names. */
static u32 shown_field(const struct segment_breakage *breakage)
{
	switch (breakage->id) {
	case VMX_RULE_DATA_DPL:
	case VMX_RULE_SEGMENT_G_EXCESS:
	case VMX_RULE_SEGMENT_G_MISSING:
		return ACCESS;
	}
	return breakage->field;
}

static const char *part_name(u32 field)
{
	switch (field) {
	case SELECTOR:
		return "selector";
	case BASE:
		return "base";
	case LIMIT:
		return "limit";
	default:
		return "access";
	}
}

static void expect_segment_breakage(struct __test_metadata *_metadata,
				    const struct segment_breakage *from,
				    int index)
{
	static const char *const names[VMX_NR_SEGMENTS] = { "ES",   "CS", "SS",
							    "DS",   "FS", "GS",
							    "LDTR", "TR" };
	char name[32];
	struct breakage breakage = {
		.id = from->id,
		.field = shown_field(from) + 2 * index,
		.name = name,
		.sets = { { from->field + 2 * index, from->value },
			  from->sets[0],
			  from->sets[1] },
		.mode = from->mode,
	};

	snprintf(name, sizeof(name), "%s.%s", names[index],
		 part_name(shown_field(from)));
	expect_breakage(_metadata, &breakage);
}

TEST(each_rule_is_named_when_a_register_breaks_it)
{
	size_t i;
	int index;

	for (i = 0; i < ARRAY_SIZE(segment_cases); i++)
		for (index = 0; index < VMX_NR_SEGMENTS; index++)
			if (segment_cases[i].registers & BIT(index))
				expect_segment_breakage(
					_metadata, &segment_cases[i], index);
}

TEST(every_rule_is_broken_by_a_case)
{
	struct breakage cases[ARRAY_SIZE(segment_cases)] = {};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(segment_cases); i++)
		cases[i].id = segment_cases[i].id;
	expect_all_covered(_metadata, cases, ARRAY_SIZE(cases),
			   VMX_RULE_SEGMENT_TI, VMX_RULE_SYSTEM_S + 1);
}

TEST(values_just_within_the_rules_break_none)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(legal_cases); i++)
		expect_valid(_metadata, &legal_cases[i]);
}

TEST_HARNESS_MAIN
