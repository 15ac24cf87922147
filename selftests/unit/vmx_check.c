// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of checking a VMCS by VT-x's entry rules: the order and kind of the reports,
 * the room for them, and the fields that are read.  vmx_check_control, vmx_check_host
 * and vmx_check_guest test the rules.
 */
#include "vmx/check.h"

#include "kselftest_harness.h"
#include "vmx_fixture.h"

TEST(a_valid_vmcs_breaks_no_rule)
{
	struct lodge_rule rule;
	int mode;

	for (mode = GUEST_LONG; mode <= GUEST_RESTRICTED; mode++) {
		valid_vmcs(mode);
		EXPECT_EQ(0U, vmx_check(fake_read, &vmcs, &full, &rule, 1))
		{
			TH_LOG("mode %d: rule %u: %s", mode, rule.id,
			       rule.text);
		}
	}
}

TEST(a_field_that_the_processor_lacks_is_never_read)
{
	struct vmx_check_host minimal = { .cr0_fixed1 = ~0ULL,
					  .cr4_fixed1 = ~0ULL,
					  .phys_bits = 36,
					  .linear_bits = 48 };
	struct lodge_rule rules[MAX_RULES];

	/* All controls are set, and the processor has none of them. */
	memset(vmcs.fields, 0xff, sizeof(vmcs.fields));
	vmcs.minimal = true;
	EXPECT_LT(0U, vmx_check(fake_read, &vmcs, &minimal, rules, MAX_RULES));
	EXPECT_EQ(0U, vmcs.misread);
}

TEST(a_rule_tells_how_the_processor_refuses)
{
	EXPECT_EQ(VMX_CHECK_CONTROL, vmx_check_kind(VMX_RULE_PIN_CONTROLS));
	EXPECT_EQ(VMX_CHECK_CONTROL, vmx_check_kind(VMX_RULE_ENTRY_SMM));
	EXPECT_EQ(VMX_CHECK_HOST, vmx_check_kind(VMX_RULE_HOST_CR0));
	EXPECT_EQ(VMX_CHECK_HOST,
		  vmx_check_kind(VMX_RULE_HOST_64BIT_CANONICAL));
	EXPECT_EQ(VMX_CHECK_GUEST, vmx_check_kind(VMX_RULE_CR0));
	EXPECT_EQ(VMX_CHECK_GUEST, vmx_check_kind(VMX_RULE_PDPTE_MEMORY));
}

TEST(an_empty_vmcs_breaks_its_rules_in_the_order_of_the_manual)
{
	struct lodge_rule rules[MAX_RULES];
	u32 i, found;

	memset(&vmcs, 0, sizeof(vmcs));
	found = vmx_check(fake_read, &vmcs, &full, rules, MAX_RULES);
	ASSERT_LT(10U, found);
	EXPECT_EQ((u32)VMX_RULE_PIN_CONTROLS, rules[0].id);
	for (i = 1; i < found; i++)
		EXPECT_LE(rules[i - 1].id, rules[i].id);
}

TEST(no_more_rules_are_stored_than_there_is_room_for)
{
	struct lodge_rule rules[3];

	memset(&vmcs, 0, sizeof(vmcs));
	memset(rules, 0xff, sizeof(rules));
	EXPECT_EQ(2U, vmx_check(fake_read, &vmcs, &full, rules, 2));
	EXPECT_EQ(0xffffffff, rules[2].id);
	EXPECT_EQ(0U, vmx_check(fake_read, &vmcs, &full, NULL, 0));
}

TEST_HARNESS_MAIN
