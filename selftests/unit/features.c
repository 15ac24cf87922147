// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of features of processors: what one lacks is told by its name.
 */
#include "machine/features.h"

#include <ctype.h>
#include <stdio.h>
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

TEST(bits_that_amd_repeats_are_no_lack_of_intels)
{
	struct cpu_state intel = host(), amd = host();

	intel.leaves[9].edx = SYSCALL;
	EXPECT_FALSE(features_lack(&intel, &amd, name));
	EXPECT_FALSE(features_lack(&amd, &intel, name));
	/* But one that it has not at all. */
	intel.leaves[1].edx = 1;
	amd.leaves[1].edx = 1;
	EXPECT_TRUE(features_lack(&intel, &amd, name));
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

/*
 * Against the module's table, as it is written: which bit a name stands for is the kernel's
 * to say, but the words and their names must be the same.
 */

#define TABLE "module/cpuid_default.c"
#define MAX_NAMES 32
#define NAME_SIZE 32

/**
 * struct row - a row of the module's table
 * @leaf: of CPUID
 * @subleaf: of it
 * @reg: number of the register
 * @names: of its features, as features_lack() has them
 * @count: number of these
 */
struct row {
	unsigned int leaf;
	unsigned int subleaf;
	unsigned int reg;
	char names[MAX_NAMES][NAME_SIZE];
	size_t count;
};

/* Features that the kernel calls by another name. */
static const char *const renamed[][2] = {
	{ "xmm", "sse" },	   { "xmm2", "sse2" },
	{ "xmm3", "sse3" },	   { "xmm4_1", "sse4_1" },
	{ "xmm4_2", "sse4_2" },	   { "gbpages", "pdpe1gb" },
	{ "amd_ibpb", "ibpb" },	   { "amd_ibrs", "ibrs" },
	{ "amd_stibp", "stibp" },  { "amd_ssbd", "ssbd" },
	{ "fdp_excptn_only", "" }, { "zero_fcs_fds", "" },
	{ "amd_ssb_no", "" },	   { "amd_stibp_always_on", "" },
	{ "btc_no", "" },	   { "amd_ibpb_ret", "" },
	{ "verw_clear", "" },	   { "sbpb", "" },
	{ "ibpb_brtype", "" },	   { "srso_no", "" },
};

/* Adds a feature by the kernel's name; those that have none are told by their place. */
static void add_name(struct row *row, const char *text, size_t length)
{
	char *to = row->names[row->count];

	snprintf(to, NAME_SIZE, "%.*s", (int)length, text);
	for (char *at = to; *at; at++)
		*at = tolower(*at);
	for (size_t i = 0; i < sizeof(renamed) / sizeof(renamed[0]); i++)
		if (!strcmp(to, renamed[i][0]))
			strcpy(to, renamed[i][1]);
	row->count += !!*to;
}

/* Return: where the row ends, which begins at @text; NULL: none does. */
static const char *read_row(struct row *row, const char *text)
{
	static const char *const regs[] = { "EAX", "EBX", "ECX", "EDX" };
	const char *end = strchr(text, '}');
	char reg[4];

	memset(row, 0, sizeof(*row));
	if (!end || sscanf(text, "{ %i, %u, %3[A-Z],", (int *)&row->leaf,
			   &row->subleaf, reg) != 3)
		return NULL;
	while (row->reg < 4 && strcmp(reg, regs[row->reg]))
		row->reg++;
	for (const char *at = text; (at = strstr(at, "F(")) && at < end;
	     at += 2)
		if (row->count < MAX_NAMES)
			add_name(row, at + 2, strcspn(at + 2, ")"));
	return end;
}

/* Return: what the lack of a bit is called; empty: it is none. */
static const char *name_of_bit(const struct row *row, unsigned int bit)
{
	static const struct cpu_state none;
	struct cpu_state wanted = { .nr_leaves = 1 };
	struct lodge_cpuid_entry *entry = &wanted.leaves[0];
	uint32_t *const regs[] = { &entry->eax, &entry->ebx, &entry->ecx,
				   &entry->edx };

	entry->leaf = row->leaf;
	entry->subleaf = row->subleaf;
	*regs[row->reg] = 1U << bit;
	return features_lack(&none, &wanted, name) ? name : "";
}

/* True if the module gives a guest that feature by other means than the table. */
static bool is_elsewhere(const char *own)
{
	return !strncmp(own, "bit ", 4) || !strcmp(own, "arch_capabilities");
}

/* Return: how many of the word's features have a name; none is another than the row's. */
static size_t compare(struct __test_metadata *_metadata, const struct row *row)
{
	size_t count = 0;

	for (unsigned int bit = 0; bit < 32; bit++) {
		const char *own = name_of_bit(row, bit);
		size_t i = 0;

		EXPECT_NE('\0', *own);
		if (is_elsewhere(own))
			continue;
		while (i < row->count && strcmp(own, row->names[i]))
			i++;
		EXPECT_GT(row->count, i)
		TH_LOG("%s is no feature of the module's", own);
		count++;
	}
	return count;
}

TEST(the_words_and_their_names_are_those_of_the_module)
{
	static char text[1 << 16];
	FILE *file = fopen(TABLE, "r");
	const char *at;
	unsigned int rows = 0;
	struct row row;

	ASSERT_NE(NULL, file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	at = strstr(text, "cpuid_words[] = {");
	ASSERT_NE(NULL, at);
	for (at = strchr(at, '{') + 1;
	     (at += strspn(at, " \t\n,")) && *at == '{'; at++) {
		at = read_row(&row, at);
		ASSERT_NE(NULL, at);
		EXPECT_EQ(row.count, compare(_metadata, &row))
		TH_LOG("leaf %#x: a feature has no name", row.leaf);
		rows++;
	}
	EXPECT_EQ(';', at[1]);
	EXPECT_LE(14, rows);
}

TEST_HARNESS_MAIN
