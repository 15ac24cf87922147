// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the machine check that a guest can cause by an erratum of the processor.
 */
#include "svm/erratum.h"

#include "kselftest_harness.h"

#define MULTIMATCH 0xb600000000010015ULL

TEST(a_double_match_in_the_tlb_is_the_guests_doing)
{
	EXPECT_TRUE(svm_is_multimatch(MULTIMATCH));
}

TEST(so_it_is_where_it_was_not_the_first)
{
	EXPECT_TRUE(svm_is_multimatch(MULTIMATCH | BIT_ULL(62)));
}

/* No error, a corrected one, other states of the address, other errors. */
TEST(any_other_machine_check_is_the_hosts)
{
	unsigned int i;

	EXPECT_FALSE(svm_is_multimatch(0));
	for (i = 0; i < 64; i++) {
		if (i == 62)
			continue;
		EXPECT_FALSE(svm_is_multimatch(MULTIMATCH ^ BIT_ULL(i)))
		{
			TH_LOG("bit %u", i);
		}
	}
}

TEST_HARNESS_MAIN
