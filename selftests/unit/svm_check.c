// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the entry rules of VMRUN: a valid control block breaks none; if one rule is
 * broken, only this one is reported.
 */
#include <asm/processor-flags.h>

#include "processor.h"
#include "svm/check.h"

#include "kselftest_harness.h"

#define MAX_RULES 32

/* A processor with 48-bit physical addresses, long mode and shadow stacks. */
static const struct svm_check_host host = {
	.phys_bits = 48,
	.nr_asids = 16,
	.cr4 = X86_CR4_PAE | X86_CR4_PGE | X86_CR4_OSXSAVE | BIT_ULL(23),
	.efer = BIT_ULL(0) | EFER_LME | EFER_LMA | BIT_ULL(11) | EFER_SVME,
	.s_cet = 3,
};

/* Return: the valid control block of a guest in 64-bit mode. */
static struct svm_vmcb valid_vmcb(void)
{
	struct svm_vmcb vmcb = {
		.control = {
			.intercepts[INTERCEPT_VMRUN / 32] = 1,
			.iopm_base_pa = 0x100000,
			.msrpm_base_pa = 0x200000,
			.asid = 1,
			.nested_ctl = SVM_NP_ENABLE,
			.nested_cr3 = 0x300000,
		},
		.save = {
			.cs = { .selector = 8, .attrib = 0x29b },
			.efer = EFER_SVME | EFER_LME | EFER_LMA,
			.cr4 = X86_CR4_PAE,
			.cr3 = 0x400000,
			.cr0 = X86_CR0_PG | X86_CR0_WP | X86_CR0_PE,
			.dr7 = 0x400,
			.dr6 = 0xffff0ff0,
			.rflags = 2,
			.g_pat = 0x0007040600070406,
		},
	};

	return vmcb;
}

static struct svm_vmcb real_mode_vmcb(void)
{
	struct svm_vmcb vmcb = valid_vmcb();

	vmcb.save.efer = EFER_SVME;
	vmcb.save.cr0 = X86_CR0_ET | X86_CR0_CD | X86_CR0_NW;
	vmcb.save.cr3 = 0;
	vmcb.save.cr4 = 0;
	vmcb.save.cs.attrib = 0x9b;
	return vmcb;
}

static u32 event(u32 type, u32 vector)
{
	return SVM_EVTINJ_VALID | type | vector;
}

static void expect_none(struct __test_metadata *_metadata,
			const struct svm_vmcb *vmcb)
{
	struct lodge_rule rules[MAX_RULES];

	EXPECT_EQ(0U, svm_check_vmcb(vmcb, &host, rules, MAX_RULES));
}

static void expect_only_on(struct __test_metadata *_metadata,
			   const struct svm_vmcb *vmcb,
			   const struct svm_check_host *on, u32 id,
			   const char *field, u64 value)
{
	struct lodge_rule rules[MAX_RULES];

	memset(rules, 0xff, sizeof(rules));
	ASSERT_EQ(1U, svm_check_vmcb(vmcb, on, rules, MAX_RULES));
	EXPECT_EQ(id, rules[0].id);
	EXPECT_EQ(0U, rules[0].reserved);
	EXPECT_EQ(value, rules[0].value);
	EXPECT_STREQ(field, rules[0].field);
	EXPECT_LT(0U, strnlen(rules[0].text, sizeof(rules[0].text)));
	EXPECT_GT(sizeof(rules[0].text),
		  strnlen(rules[0].text, sizeof(rules[0].text)));
}

static void expect_only(struct __test_metadata *_metadata,
			const struct svm_vmcb *vmcb, u32 id, const char *field,
			u64 value)
{
	expect_only_on(_metadata, vmcb, &host, id, field, value);
}

TEST(a_valid_long_mode_guest_breaks_no_rule)
{
	struct svm_vmcb vmcb = valid_vmcb();

	expect_none(_metadata, &vmcb);
}

TEST(a_valid_real_mode_guest_breaks_no_rule)
{
	struct svm_vmcb vmcb = real_mode_vmcb();

	expect_none(_metadata, &vmcb);
}

TEST(paged_real_mode_is_allowed)
{
	struct svm_vmcb vmcb = real_mode_vmcb();

	vmcb.save.cr0 = X86_CR0_PG;
	expect_none(_metadata, &vmcb);
}

TEST(clear_efer_svme_is_named)
{
	struct svm_vmcb vmcb = valid_vmcb();

	vmcb.save.efer &= ~EFER_SVME;
	expect_only(_metadata, &vmcb, SVM_RULE_EFER_SVME, "EFER", 0x500);
}

TEST(nw_without_cd_is_named)
{
	struct svm_vmcb vmcb = valid_vmcb();

	vmcb.save.cr0 |= X86_CR0_NW;
	expect_only(_metadata, &vmcb, SVM_RULE_CR0_NW, "CR0", vmcb.save.cr0);
}

TEST(cd_without_nw_is_allowed)
{
	struct svm_vmcb vmcb = valid_vmcb();

	vmcb.save.cr0 |= X86_CR0_CD;
	expect_none(_metadata, &vmcb);
}

TEST(high_half_of_cr0_is_named)
{
	struct svm_vmcb vmcb = valid_vmcb();

	vmcb.save.cr0 |= BIT_ULL(32);
	expect_only(_metadata, &vmcb, SVM_RULE_CR0_HIGH, "CR0", vmcb.save.cr0);
}

TEST(cr3_beyond_a_physical_address_is_named)
{
	struct svm_vmcb vmcb = valid_vmcb();

	vmcb.save.cr3 = BIT_ULL(48);
	expect_only(_metadata, &vmcb, SVM_RULE_CR3_MBZ, "CR3", BIT_ULL(48));
}

TEST(highest_page_in_cr3_is_allowed)
{
	struct svm_vmcb vmcb = valid_vmcb();

	vmcb.save.cr3 = BIT_ULL(48) - 4096;
	expect_none(_metadata, &vmcb);
}

TEST(unknown_bit_of_cr4_is_named)
{
	struct svm_vmcb vmcb = valid_vmcb();

	vmcb.save.cr4 |= X86_CR4_VMXE;
	expect_only(_metadata, &vmcb, SVM_RULE_CR4_MBZ, "CR4", vmcb.save.cr4);
}

TEST(high_half_of_dr6_is_named)
{
	struct svm_vmcb vmcb = valid_vmcb();

	vmcb.save.dr6 |= BIT_ULL(63);
	expect_only(_metadata, &vmcb, SVM_RULE_DR6_HIGH, "DR6", vmcb.save.dr6);
}

TEST(high_half_of_dr7_is_named)
{
	struct svm_vmcb vmcb = valid_vmcb();

	vmcb.save.dr7 |= BIT_ULL(32);
	expect_only(_metadata, &vmcb, SVM_RULE_DR7_HIGH, "DR7", vmcb.save.dr7);
}

TEST(unknown_bit_of_efer_is_named)
{
	struct svm_vmcb vmcb = valid_vmcb();

	vmcb.save.efer |= EFER_LMSLE;
	expect_only(_metadata, &vmcb, SVM_RULE_EFER_MBZ, "EFER",
		    vmcb.save.efer);
}

TEST(lma_without_a_long_mode_processor_is_named)
{
	struct svm_check_host old = host;
	struct svm_vmcb vmcb = real_mode_vmcb();

	old.efer &= ~(u64)(EFER_LME | EFER_LMA);
	vmcb.save.efer |= EFER_LMA;
	expect_only_on(_metadata, &vmcb, &old, SVM_RULE_EFER_NO_LONG_MODE,
		       "EFER", EFER_SVME | EFER_LMA);
}

TEST(lme_without_a_long_mode_processor_is_named)
{
	struct svm_check_host old = host;
	struct svm_vmcb vmcb = real_mode_vmcb();

	old.efer &= ~(u64)(EFER_LME | EFER_LMA);
	vmcb.save.efer |= EFER_LME;
	expect_only_on(_metadata, &vmcb, &old, SVM_RULE_EFER_NO_LONG_MODE,
		       "EFER", EFER_SVME | EFER_LME);
}

TEST(long_mode_without_pae_is_named)
{
	struct svm_vmcb vmcb = valid_vmcb();

	vmcb.save.cr4 = 0;
	expect_only(_metadata, &vmcb, SVM_RULE_LONG_MODE_PAE, "CR4", 0);
}

TEST(long_mode_without_pe_is_named)
{
	struct svm_vmcb vmcb = valid_vmcb();

	vmcb.save.cr0 &= ~X86_CR0_PE;
	expect_only(_metadata, &vmcb, SVM_RULE_LONG_MODE_PE, "CR0",
		    vmcb.save.cr0);
}

TEST(code_segment_with_l_and_d_is_named)
{
	struct svm_vmcb vmcb = valid_vmcb();

	vmcb.save.cs.attrib |= SVM_SELECTOR_DB_MASK;
	expect_only(_metadata, &vmcb, SVM_RULE_CS_L_AND_D, "CS.attrib", 0x69b);
}

TEST(code_segment_with_l_and_d_is_allowed_outside_long_mode)
{
	struct svm_vmcb vmcb = real_mode_vmcb();

	vmcb.save.cs.attrib |= SVM_SELECTOR_DB_MASK | SVM_SELECTOR_L_MASK;
	expect_none(_metadata, &vmcb);
}

TEST(missing_vmrun_intercept_is_named)
{
	struct svm_vmcb vmcb = valid_vmcb();

	vmcb.control.intercepts[4] = 0xfffffffe;
	expect_only(_metadata, &vmcb, SVM_RULE_VMRUN_INTERCEPT, "intercepts[4]",
		    0xfffffffe);
}

TEST(io_map_beyond_physical_addresses_is_named)
{
	struct svm_vmcb vmcb = valid_vmcb();

	vmcb.control.iopm_base_pa = BIT_ULL(48) - 0x2000;
	expect_only(_metadata, &vmcb, SVM_RULE_IOPM_ADDRESS, "iopm_base_pa",
		    vmcb.control.iopm_base_pa);
}

TEST(io_map_at_the_highest_address_of_all_is_named)
{
	struct svm_vmcb vmcb = valid_vmcb();

	vmcb.control.iopm_base_pa = ~0ULL;
	expect_only(_metadata, &vmcb, SVM_RULE_IOPM_ADDRESS, "iopm_base_pa",
		    ~0ULL);
}

TEST(msr_map_beyond_physical_addresses_is_named)
{
	struct svm_vmcb vmcb = valid_vmcb();

	vmcb.control.msrpm_base_pa = BIT_ULL(48) - 0x1000;
	expect_only(_metadata, &vmcb, SVM_RULE_MSRPM_ADDRESS, "msrpm_base_pa",
		    vmcb.control.msrpm_base_pa);
}

TEST(maps_that_end_with_physical_addresses_are_allowed)
{
	struct svm_vmcb vmcb = valid_vmcb();

	/* The low twelve bits are ignored. */
	vmcb.control.iopm_base_pa = BIT_ULL(48) - 0x3000 + 0xfff;
	vmcb.control.msrpm_base_pa = BIT_ULL(48) - 0x2000 + 0xfff;
	expect_none(_metadata, &vmcb);
}

TEST(reserved_event_types_are_named)
{
	static const u32 types[] = { 1, 5, 6, 7 };
	struct svm_vmcb vmcb = valid_vmcb();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		vmcb.control.event_inj =
			event(types[i] << SVM_EVTINJ_TYPE_SHIFT, 13);
		expect_only(_metadata, &vmcb, SVM_RULE_EVENT_TYPE, "event_inj",
			    vmcb.control.event_inj);
	}
}

TEST(exception_with_the_nmi_vector_is_named)
{
	struct svm_vmcb vmcb = valid_vmcb();

	vmcb.control.event_inj = event(SVM_EVTINJ_TYPE_EXEPT, 2);
	expect_only(_metadata, &vmcb, SVM_RULE_EVENT_VECTOR, "event_inj",
		    vmcb.control.event_inj);
}

TEST(exception_with_a_vector_above_31_is_named)
{
	struct svm_vmcb vmcb = valid_vmcb();

	vmcb.control.event_inj = event(SVM_EVTINJ_TYPE_EXEPT, 32);
	expect_only(_metadata, &vmcb, SVM_RULE_EVENT_VECTOR, "event_inj",
		    vmcb.control.event_inj);
}

TEST(bound_exception_in_64_bit_mode_is_named)
{
	struct svm_vmcb vmcb = valid_vmcb();

	vmcb.control.event_inj = event(SVM_EVTINJ_TYPE_EXEPT, 5);
	expect_only(_metadata, &vmcb, SVM_RULE_EVENT_MODE, "event_inj",
		    vmcb.control.event_inj);
}

TEST(overflow_exception_in_64_bit_mode_is_named)
{
	struct svm_vmcb vmcb = valid_vmcb();

	vmcb.control.event_inj = event(SVM_EVTINJ_TYPE_EXEPT, 4);
	expect_only(_metadata, &vmcb, SVM_RULE_EVENT_MODE, "event_inj",
		    vmcb.control.event_inj);
}

TEST(bound_exception_in_real_mode_is_allowed)
{
	struct svm_vmcb vmcb = real_mode_vmcb();

	vmcb.control.event_inj = event(SVM_EVTINJ_TYPE_EXEPT, 5);
	expect_none(_metadata, &vmcb);
}

TEST(events_of_every_type_are_allowed)
{
	static const u32 events[] = {
		SVM_EVTINJ_TYPE_INTR | 255,
		SVM_EVTINJ_TYPE_NMI | 2,
		SVM_EVTINJ_TYPE_EXEPT | SVM_EVTINJ_VALID_ERR | 14,
		SVM_EVTINJ_TYPE_SOFT | 128,
	};
	struct svm_vmcb vmcb = valid_vmcb();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(events); i++) {
		vmcb.control.event_inj = SVM_EVTINJ_VALID | events[i];
		expect_none(_metadata, &vmcb);
	}
}

TEST(an_event_that_is_not_valid_is_not_judged)
{
	struct svm_vmcb vmcb = valid_vmcb();

	vmcb.control.event_inj = ~SVM_EVTINJ_VALID;
	expect_none(_metadata, &vmcb);
}

TEST(asid_zero_is_named)
{
	struct svm_vmcb vmcb = valid_vmcb();

	vmcb.control.asid = 0;
	expect_only(_metadata, &vmcb, SVM_RULE_ASID_ZERO, "asid", 0);
}

TEST(asid_that_the_processor_lacks_is_named)
{
	struct svm_vmcb vmcb = valid_vmcb();

	vmcb.control.asid = 16;
	expect_only(_metadata, &vmcb, SVM_RULE_ASID_RANGE, "asid", 16);
}

TEST(reserved_bit_of_s_cet_is_named)
{
	struct svm_vmcb vmcb = valid_vmcb();

	vmcb.save.s_cet = 4;
	expect_only(_metadata, &vmcb, SVM_RULE_S_CET_MBZ, "S_CET", 4);
}

TEST(s_cet_is_not_judged_where_the_processor_lacks_it)
{
	struct svm_check_host old = host;
	struct svm_vmcb vmcb = valid_vmcb();
	struct lodge_rule rule;

	old.s_cet = 0;
	vmcb.save.s_cet = 4;
	EXPECT_EQ(0U, svm_check_vmcb(&vmcb, &old, &rule, 1));
}

TEST(cet_without_write_protection_is_named)
{
	struct svm_vmcb vmcb = valid_vmcb();

	vmcb.save.cr4 |= BIT_ULL(23);
	vmcb.save.cr0 &= ~X86_CR0_WP;
	expect_only(_metadata, &vmcb, SVM_RULE_CET_WITHOUT_WP, "CR0",
		    vmcb.save.cr0);
}

TEST(nested_cr3_beyond_a_physical_address_is_named)
{
	struct svm_vmcb vmcb = valid_vmcb();

	vmcb.control.nested_cr3 = BIT_ULL(63);
	expect_only(_metadata, &vmcb, SVM_RULE_NESTED_CR3_MBZ, "nested_cr3",
		    BIT_ULL(63));
}

TEST(memory_types_that_do_not_exist_are_named)
{
	static const u64 types[] = { 2, 3, 8, 0x80 };
	struct svm_vmcb vmcb = valid_vmcb();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		vmcb.save.g_pat = types[i] << 56;
		expect_only(_metadata, &vmcb, SVM_RULE_G_PAT_TYPE, "g_pat",
			    vmcb.save.g_pat);
	}
}

TEST(nested_fields_are_not_judged_without_nested_paging)
{
	struct svm_vmcb vmcb = valid_vmcb();

	vmcb.control.nested_ctl = 0;
	vmcb.control.nested_cr3 = ~0ULL;
	vmcb.save.g_pat = ~0ULL;
	expect_none(_metadata, &vmcb);
}

TEST(an_empty_page_breaks_its_rules_in_the_order_of_the_manual)
{
	static const struct svm_vmcb vmcb;
	struct lodge_rule rules[MAX_RULES];

	ASSERT_EQ(3U, svm_check_vmcb(&vmcb, &host, rules, MAX_RULES));
	EXPECT_EQ((u32)SVM_RULE_EFER_SVME, rules[0].id);
	EXPECT_EQ((u32)SVM_RULE_VMRUN_INTERCEPT, rules[1].id);
	EXPECT_EQ((u32)SVM_RULE_ASID_ZERO, rules[2].id);
}

TEST(no_more_rules_are_stored_than_there_is_room_for)
{
	static const struct svm_vmcb vmcb;
	struct lodge_rule rules[3];

	memset(rules, 0xff, sizeof(rules));
	EXPECT_EQ(2U, svm_check_vmcb(&vmcb, &host, rules, 2));
	EXPECT_EQ(0xffffffff, rules[2].id);
	EXPECT_EQ(0U, svm_check_vmcb(&vmcb, &host, NULL, 0));
}

TEST_HARNESS_MAIN
