/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The cases of the tests of VT-x's entry rules: a few writes to a valid VMCS, and the
 * rules that they break.  A program includes it once, after kselftest_harness.h.
 */
#ifndef LODGE_UNIT_VMX_CASES_H
#define LODGE_UNIT_VMX_CASES_H

#include "vmx_fixture.h"

/* Cases omit members that are zero. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#define MAX_SETS 6
#define MAX_ALSO 4

enum processor {
	/* Has every feature, and enforces every rule */
	CPU_FULL,
	/* Lacks features without a control, such as EPT's accessed flags */
	CPU_PLAIN,
	/* As CPU_FULL, with Intel PT on */
	CPU_TRACING,
	/* As CPU_FULL, with the features that remove rules */
	CPU_LENIENT,
};

static struct vmx_check_host processor(enum processor kind)
{
	struct vmx_check_host host = full;

	if (kind == CPU_PLAIN) {
		host.ept_vpid = VMX_EPTP_WB_BIT | VMX_EPT_PAGE_WALK_4_BIT;
		host.misc = 4 << 16;
		host.sgx = host.rtm = host.bus_lock = false;
		host.proc &= ~(CPU_BASED_MONITOR_TRAP_FLAG << 32);
		host.sti_blocks_nmi = false;
		host.memory = NULL;
		host.vmcs = ~0ULL;
	}
	if (kind == CPU_LENIENT) {
		host.basic |= VMX_BASIC_ANY_ERROR_CODE |
			      VMX_BASIC_NESTED_EXCEPTION;
		host.misc |= VMX_MISC_ZERO_LEN_INS;
		host.cr3_lam = 3ULL << 61;
	}
	host.tracing = kind == CPU_TRACING;
	return host;
}

/* A write to the VMCS.  Field 0, the VPID, stands for no write. */
struct set {
	u32 field;
	u64 value;
};

/**
 * struct breakage - a VMCS that breaks a rule
 * @id: enum vmx_rule_id
 * @field: encoding of the field in the report
 * @name: name of that field
 * @sets: writes to the valid VMCS
 * @mode: enum guest_mode of the valid VMCS
 * @on: enum processor
 * @also: other rules that the writes break
 */
struct breakage {
	u32 id;
	u32 field;
	const char *name;
	struct set sets[MAX_SETS];
	enum guest_mode mode;
	enum processor on;
	u32 also[MAX_ALSO];
};

static void break_vmcs(const struct breakage *breakage)
{
	int i;

	valid_vmcs(breakage->mode);
	for (i = 0; i < MAX_SETS && breakage->sets[i].field; i++)
		set(breakage->sets[i].field, breakage->sets[i].value);
}

static bool breakage_expects(const struct breakage *breakage, u32 id)
{
	int i;

	for (i = 0; i < MAX_ALSO && breakage->also[i]; i++)
		if (breakage->also[i] == id)
			return true;
	return id == breakage->id;
}

static u32 breakage_count(const struct breakage *breakage)
{
	u32 count = 1;

	while (count <= MAX_ALSO && breakage->also[count - 1])
		count++;
	return count;
}

/* Breaks the VMCS and expects @id, the rules in @also, and no others. */
static void expect_breakage(struct __test_metadata *_metadata,
			    const struct breakage *breakage)
{
	const struct vmx_check_host host = processor(breakage->on);
	struct lodge_rule rules[MAX_RULES];
	u32 i, found;
	bool named = false;

	break_vmcs(breakage);
	memset(rules, 0xff, sizeof(rules));
	found = vmx_check(fake_read, &vmcs, &host, rules, MAX_RULES);
	EXPECT_EQ(breakage_count(breakage), found)
	{
		TH_LOG("rule %u, %s", breakage->id, breakage->name);
	}
	for (i = 0; i < found; i++) {
		EXPECT_TRUE(breakage_expects(breakage, rules[i].id))
		{
			TH_LOG("rule %u takes %u along", breakage->id,
			       rules[i].id);
		}
		EXPECT_EQ(0U, rules[i].reserved);
		EXPECT_GT(sizeof(rules[i].text),
			  strnlen(rules[i].text, sizeof(rules[i].text)));
		EXPECT_TRUE(strstr(rules[i].text, "(27."));
		if (rules[i].id != breakage->id ||
		    strncmp(rules[i].field, breakage->name,
			    sizeof(rules[i].field)))
			continue;
		named = true;
		EXPECT_EQ(vmcs.fields[breakage->field], rules[i].value);
	}
	EXPECT_TRUE(named)
	{
		TH_LOG("rule %u does not name %s", breakage->id,
		       breakage->name);
	}
}

static void expect_valid(struct __test_metadata *_metadata,
			 const struct breakage *legal)
{
	const struct vmx_check_host host = processor(legal->on);
	struct lodge_rule rules[MAX_RULES];
	u32 i, found;

	break_vmcs(legal);
	found = vmx_check(fake_read, &vmcs, &host, rules, MAX_RULES);
	EXPECT_EQ(0U, found);
	for (i = 0; i < found; i++)
		TH_LOG("%s: rule %u: %s: %s", legal->name, rules[i].id,
		       rules[i].field, rules[i].text);
}

/* Expects that each rule from @first to before @end is broken by some case. */
static void expect_all_covered(struct __test_metadata *_metadata,
			       const struct breakage *cases, size_t count,
			       u32 first, u32 end)
{
	size_t i;
	u32 id;

	for (id = first; id < end; id++) {
		bool found = false;

		for (i = 0; i < count && !found; i++)
			found = cases[i].id == id;
		EXPECT_TRUE(found)
		{
			TH_LOG("no case breaks rule %u", id);
		}
	}
}

#endif
