// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of features of processors: what one lacks is told by its name.
 */
#include "machine/features.h"

#include "kselftest_harness.h"

#define AVX2 (1U << 5)
#define AVX (1U << 28)
#define PSFD (1U << 28)

static struct cpu_state own = {
	.nr_leaves = 3,
	.leaves = { { .leaf = 1, .ecx = AVX },
		    { .leaf = 7, .flags = LODGE_CPUID_SUBLEAF, .ebx = AVX2 },
		    { .leaf = 0x80000008 } },
};
static char name[FEATURE_NAME_SIZE];

TEST(the_same_processor_lacks_nothing)
{
	EXPECT_FALSE(features_lack(&own, &own, name));
}

TEST(fewer_features_are_no_lack)
{
	struct cpu_state wanted = own;

	wanted.leaves[1].ebx = 0;
	EXPECT_FALSE(features_lack(&own, &wanted, name));
	wanted.nr_leaves = 0;
	EXPECT_FALSE(features_lack(&own, &wanted, name));
}

TEST(what_is_lacking_has_its_name)
{
	struct cpu_state wanted = own;

	own.leaves[1].ebx = 0;
	ASSERT_TRUE(features_lack(&own, &wanted, name));
	EXPECT_STREQ("avx2", name);
	own.nr_leaves = 0;
	ASSERT_TRUE(features_lack(&own, &wanted, name));
	EXPECT_STREQ("avx", name);
}

TEST(what_has_no_name_is_told_by_its_place)
{
	struct cpu_state wanted = own;

	wanted.leaves[2].ebx = PSFD;
	ASSERT_TRUE(features_lack(&own, &wanted, name));
	EXPECT_STREQ("bit 28 of EBX of CPUID 0x80000008.0", name);
}

TEST(what_is_no_feature_may_differ)
{
	struct cpu_state wanted = own;

	wanted.leaves[0].eax = 0xffffffff;
	wanted.leaves[0].ebx = 0xffffffff;
	EXPECT_FALSE(features_lack(&own, &wanted, name));
}

TEST_HARNESS_MAIN
