// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of ARCH_CAPABILITIES, which tells a guest the bugs that its processor lacks.
 */
#include "arch_caps.h"

#include "kselftest_harness.h"

#define ALL_BUGS (BIT(LODGE_NR_ARCH_BUGS) - 1)

TEST(a_processor_with_all_bugs_and_no_such_register_promises_nothing)
{
	EXPECT_EQ(0, lodge_arch_caps(0, ALL_BUGS));
}

TEST(what_the_kernel_knows_to_be_absent_is_promised)
{
	EXPECT_EQ(ARCH_CAP_RDCL_NO | ARCH_CAP_SSB_NO | ARCH_CAP_MDS_NO |
			  ARCH_CAP_TAA_NO | ARCH_CAP_GDS_NO | ARCH_CAP_RFDS_NO |
			  ARCH_CAP_ITS_NO | ARCH_CAP_PSCHANGE_MC_NO,
		  lodge_arch_caps(0, 0));
	EXPECT_EQ(ARCH_CAP_MDS_NO,
		  lodge_arch_caps(0, ALL_BUGS & ~BIT(LODGE_BUG_MDS)));
	EXPECT_EQ(ARCH_CAP_ITS_NO,
		  lodge_arch_caps(0, ALL_BUGS & ~BIT(LODGE_BUG_ITS)));
}

TEST(what_the_processor_says_against_itself_is_passed_on)
{
	const u64 bad = ARCH_CAP_RSBA | ARCH_CAP_RRSBA;

	EXPECT_EQ(bad, lodge_arch_caps(bad, ALL_BUGS));
	EXPECT_EQ(bad, bad & lodge_arch_caps(bad, 0));
}

TEST(what_the_processor_says_for_itself_is_passed_on)
{
	const u64 good = ARCH_CAP_IBRS_ALL | ARCH_CAP_BHI_NO |
			 ARCH_CAP_FB_CLEAR | ARCH_CAP_RFDS_CLEAR |
			 ARCH_CAP_PBRSB_NO | ARCH_CAP_SBDR_SSDP_NO |
			 ARCH_CAP_FBSDP_NO | ARCH_CAP_PSDP_NO |
			 ARCH_CAP_RDCL_NO;

	EXPECT_EQ(good, lodge_arch_caps(good, ALL_BUGS));
}

TEST(registers_that_no_guest_has_are_not_announced)
{
	const u64 registers = ARCH_CAP_TSX_CTRL_MSR | ARCH_CAP_FB_CLEAR_CTRL |
			      ARCH_CAP_GDS_CTRL | BIT(9) | BIT(10) | BIT(11) |
			      BIT(12) | BIT(21);

	EXPECT_EQ(0, lodge_arch_caps(registers, ALL_BUGS));
}

TEST_HARNESS_MAIN
