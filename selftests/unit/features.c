// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of features of processors: what one lacks is told by its name.
 */
#include "machine/features.h"

#include <stdlib.h>
#include <string.h>

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

TEST(narrower_addresses_are_told)
{
	struct cpu_state wanted = own;

	own.nr_leaves = wanted.nr_leaves = 3;
	wanted.leaves[2].eax = 40;
	own.leaves[2].eax = 39;
	ASSERT_TRUE(features_lack(&own, &wanted, name));
	EXPECT_STREQ("physical addresses of 40 bits", name);
	EXPECT_FALSE(features_lack(&wanted, &own, name));
}

#define XSAVE (1U << 26)
#define SSSE3 (1U << 9)
#define AVX512F (1U << 16)
#define PKU (1U << 3)
#define SYSCALL (1U << 11)
#define FXSR (1U << 24)

/* A processor with all of XSAVE's components that there are. */
static struct cpu_state host(void)
{
	return (struct cpu_state){
		.nr_leaves = 10,
		.leaves = {
			{ .leaf = 0, .ebx = 1 },
			{ .leaf = 1, .eax = 0x123,
			  .ecx = XSAVE | AVX | SSSE3, .edx = FXSR | 1 },
			{ .leaf = 7, .eax = 2,
			  .ebx = AVX2 | AVX512F, .ecx = PKU },
			{ .leaf = 7, .subleaf = 1, .eax = 1 << 4 },
			{ .leaf = 7, .subleaf = 2, .edx = 1 },
			{ .leaf = 0xd, .eax = 0x2e7 },
			{ .leaf = 0xd, .subleaf = 1, .eax = 0xf },
			{ .leaf = 0xd, .subleaf = 2, .eax = 256 },
			{ .leaf = 0xd, .subleaf = 9, .eax = 8 },
			{ .leaf = 0x80000001, .edx = SYSCALL | FXSR | 1 },
		},
	};
}

static struct feature_set named(const char *const *names)
{
	struct feature_set set = { 0 };

	for (; *names; names++)
		if (!features_add(&set, *names, strlen(*names)))
			abort();
	return set;
}

static const struct lodge_cpuid_entry *leaf(const struct cpu_state *state,
					    uint32_t number, uint32_t subleaf)
{
	for (uint32_t i = 0; i < state->nr_leaves; i++)
		if (state->leaves[i].leaf == number &&
		    state->leaves[i].subleaf == subleaf)
			return &state->leaves[i];
	return NULL;
}

TEST(features_of_a_processor_are_listed_by_name)
{
	struct cpu_state state = host();
	struct feature_set set;
	unsigned int at = 0, count = 0;
	bool avx2 = false;
	const char *found;

	features_of(&set, &state);
	while ((found = features_next(&set, &at))) {
		avx2 |= !strcmp(found, "avx2");
		count++;
	}
	EXPECT_TRUE(avx2);
	/* fpu fxsr xsave avx ssse3 avx2 avx512f pku avx_vnni, XSAVE's four, syscall */
	EXPECT_EQ(14, count);
}

TEST(name_that_is_the_beginning_of_another_is_not_it)
{
	struct feature_set set = { 0 };

	EXPECT_FALSE(features_add(&set, "avx5", 4));
	EXPECT_FALSE(features_add(&set, "avx2x", 5));
	EXPECT_TRUE(features_add(&set, "avx2x", 4));
	EXPECT_FALSE(features_add(&set, "", 0));
}

TEST(what_is_not_kept_is_gone_and_the_rest_stays)
{
	static const char *const kept[] = { "fpu", "fxsr", "ssse3", "syscall",
					    NULL };
	const struct feature_set set = named(kept);
	struct cpu_state state = host();

	features_keep(&state, &set);
	EXPECT_EQ(NULL, features_miss(&set, &state));
	EXPECT_EQ(SSSE3, leaf(&state, 1, 0)->ecx);
	EXPECT_EQ(FXSR | 1, leaf(&state, 1, 0)->edx);
	EXPECT_EQ(0x123, leaf(&state, 1, 0)->eax);
	EXPECT_EQ(1, leaf(&state, 0, 0)->ebx);
	EXPECT_EQ(0, leaf(&state, 7, 0)->ebx);
	EXPECT_EQ(0, leaf(&state, 7, 0)->ecx);
	/* What AMD repeats. */
	EXPECT_EQ(SYSCALL | FXSR | 1, leaf(&state, 0x80000001, 0)->edx);
}

TEST(components_of_xsave_go_with_their_features)
{
	static const char *const kept[] = { "xsave", "avx", "xsaveopt", NULL };
	const struct feature_set set = named(kept);
	struct cpu_state state = host();

	features_keep(&state, &set);
	EXPECT_EQ(7, leaf(&state, 0xd, 0)->eax);
	EXPECT_EQ(1, leaf(&state, 0xd, 1)->eax);
	EXPECT_NE(NULL, leaf(&state, 0xd, 2));
	EXPECT_EQ(NULL, leaf(&state, 0xd, 9));
}

TEST(without_xsave_there_are_no_components)
{
	static const char *const kept[] = { "fpu", NULL };
	const struct feature_set set = named(kept);
	struct cpu_state state = host();

	features_keep(&state, &set);
	EXPECT_EQ(NULL, leaf(&state, 0xd, 0));
	EXPECT_EQ(NULL, leaf(&state, 0xd, 2));
}

TEST(number_of_subleaves_follows_what_is_in_them)
{
	static const char *const kept[] = { "avx_vnni", NULL };
	const struct feature_set set = named(kept), none = { 0 };
	struct cpu_state state = host();

	features_keep(&state, &set);
	EXPECT_EQ(1, leaf(&state, 7, 0)->eax);
	features_keep(&state, &none);
	EXPECT_EQ(0, leaf(&state, 7, 0)->eax);
}

TEST(what_is_missed_is_named)
{
	static const char *const wanted[] = { "fpu", "sse4a", NULL };
	const struct feature_set set = named(wanted);
	struct cpu_state state = host();

	EXPECT_STREQ("sse4a", features_miss(&set, &state));
}

TEST_HARNESS_MAIN
