// SPDX-License-Identifier: GPL-2.0
/*
 * Nested page tables: AMD's entries, the walk, and every change of a leaf, with
 * the tables that come and go with it.
 */
#include "pure.h"

#include "npt/npt.h"
#include "npt/table.h"

#include "kselftest_harness.h"

#define KIB4 0x1000ULL
#define MIB2 0x200000ULL
#define GIB1 0x40000000ULL

/* AMD APM vol. 2, section 5.3. */
#define P BIT_ULL(0)
#define RW BIT_ULL(1)
#define US BIT_ULL(2)
#define PCD BIT_ULL(4)
#define A BIT_ULL(5)
#define D BIT_ULL(6)
#define PS BIT_ULL(7)
#define NX BIT_ULL(63)

#define RX (LODGE_NPT_READ | LODGE_NPT_EXEC)
#define RWX (RX | LODGE_NPT_WRITE)

/* The entry that covers @gpa: a leaf, or zero; @level of a leaf. */
static u64 npt_entry(const struct lodge_npt *npt, u64 gpa, u8 *level)
{
	struct lodge_npt_iter iter;

	lodge_npt_iter_start(&iter, npt, gpa, gpa + KIB4);
	while (lodge_npt_iter_next(&iter)) {
		if (!lodge_npt_is_leaf(npt->format, iter.value, iter.level))
			continue;
		*level = iter.level;
		return iter.value;
	}
	*level = 0;
	return 0;
}

/* Where @gpa leads to, or all ones. */
static u64 npt_translate(const struct lodge_npt *npt, u64 gpa)
{
	u8 level;
	u64 entry = npt_entry(npt, gpa, &level);

	if (!entry)
		return ~0ULL;
	return (entry & npt->format->address) +
	       (gpa & (lodge_npt_size(level) - 1));
}

FIXTURE(npt)
{
	struct lodge_npt_format format;
	struct lodge_npt npt;
	struct lodge_npt_cache cache;
};

FIXTURE_SETUP(npt)
{
	memset(&self->cache, 0, sizeof(self->cache));
	lodge_npt_format_amd(&self->format, 4, true);
	ASSERT_EQ(0, lodge_npt_init(&self->npt, &self->format));
}

FIXTURE_TEARDOWN(npt)
{
	lodge_npt_fini(&self->npt);
	lodge_npt_cache_free(&self->cache);
}

static int npt_map(struct lodge_npt *npt, struct lodge_npt_cache *cache,
		   u64 gpa, u64 pa, u8 level, u32 attr)
{
	int err = lodge_npt_cache_fill(cache);

	return err ?: lodge_npt_map(npt, cache, gpa, pa, level, attr);
}

#define MAP(gpa, pa, level, attr) \
	npt_map(&self->npt, &self->cache, gpa, pa, level, attr)

#define ENTRY(gpa)                                   \
	({                                           \
		u8 _level;                           \
		npt_entry(&self->npt, gpa, &_level); \
	})
#define LEVEL(gpa)                                   \
	({                                           \
		u8 _level;                           \
		npt_entry(&self->npt, gpa, &_level); \
		_level;                              \
	})

/*
 * AMD's entry
 */

TEST_F(npt, a_leaf_is_present_and_a_users)
{
	EXPECT_EQ(0, MAP(0x5000, 0x123456789000, 1, RX));
	EXPECT_EQ(0x123456789000 | P | US, ENTRY(0x5000));
}

TEST_F(npt, a_writable_leaf_has_rw)
{
	EXPECT_EQ(0, MAP(0x5000, 0x7000, 1, RWX));
	EXPECT_EQ(0x7000 | P | US | RW, ENTRY(0x5000));
}

TEST_F(npt, a_leaf_without_exec_has_nx)
{
	EXPECT_EQ(0, MAP(0x5000, 0x7000, 1, LODGE_NPT_READ));
	EXPECT_EQ(0x7000 | P | US | NX, ENTRY(0x5000));
}

TEST_F(npt, a_leaf_can_start_accessed_and_dirty)
{
	EXPECT_EQ(0, MAP(0x5000, 0x7000, 1,
			 RWX | LODGE_NPT_ACCESSED | LODGE_NPT_DIRTY));
	EXPECT_EQ(0x7000 | P | US | RW | A | D, ENTRY(0x5000));
}

TEST_F(npt, device_memory_is_not_cached)
{
	EXPECT_EQ(0, MAP(0x5000, 0x7000, 1, RWX | LODGE_NPT_UNCACHED));
	EXPECT_EQ(0x7000 | P | US | RW | PCD, ENTRY(0x5000));
}

TEST_F(npt, a_large_leaf_has_ps)
{
	EXPECT_EQ(0, MAP(MIB2, 4 * MIB2, 2, RX));
	EXPECT_EQ((4 * MIB2) | P | US | PS, ENTRY(MIB2));
	EXPECT_EQ(0, MAP(GIB1, 4 * GIB1, 3, RX));
	EXPECT_EQ((4 * GIB1) | P | US | PS, ENTRY(GIB1));
}

TEST_F(npt, every_table_entry_lets_users_write)
{
	struct lodge_npt_iter iter;
	int tables = 0;

	EXPECT_EQ(0, MAP(0x5000, 0x7000, 1, RX));
	lodge_npt_iter_start(&iter, &self->npt, 0, KIB4 * 512);
	while (lodge_npt_iter_next(&iter)) {
		if (iter.level == 1)
			continue;
		EXPECT_EQ(P | RW | US, iter.value & (P | RW | US | PS | NX));
		tables++;
	}
	EXPECT_EQ(3, tables);
}

TEST_F(npt, the_root_is_what_the_processor_is_told)
{
	EXPECT_EQ((u64)(uintptr_t)self->npt.root, lodge_npt_root(&self->npt));
}

TEST(the_format_says_how_wide_an_address_is)
{
	struct lodge_npt_format format;

	lodge_npt_format_amd(&format, 4, true);
	EXPECT_EQ(48, lodge_npt_bits(&format));
	lodge_npt_format_amd(&format, 5, true);
	EXPECT_EQ(57, lodge_npt_bits(&format));
}

TEST(the_format_says_how_large_a_leaf_may_be)
{
	struct lodge_npt_format format;

	lodge_npt_format_amd(&format, 4, false);
	EXPECT_EQ(2, format.max_leaf);
	lodge_npt_format_amd(&format, 4, true);
	EXPECT_EQ(3, format.max_leaf);
}

/*
 * The walk
 */

TEST_F(npt, a_walk_over_empty_tables_finds_nothing)
{
	struct lodge_npt_iter iter;

	lodge_npt_iter_start(&iter, &self->npt, 0, ~0ULL);
	EXPECT_FALSE(lodge_npt_iter_next(&iter));
	EXPECT_FALSE(lodge_npt_iter_next(&iter));
}

TEST_F(npt, a_walk_meets_tables_before_what_is_in_them)
{
	static const struct {
		u64 gpa;
		u8 level;
	} expected[] = {
		{ 0, 4 },
		{ 0, 3 },
		{ 0, 2 },
		{ 0x1000, 1 },
		{ 0x3000, 1 },
		{ MIB2, 2 },
		{ GIB1, 3 },
		{ 2 * GIB1, 3 },
		{ 2 * GIB1 + MIB2, 2 },
		{ 2 * GIB1 + MIB2, 1 },
	};
	struct lodge_npt_iter iter;
	size_t i;

	MAP(2 * GIB1 + MIB2, 0x4000, 1, RX);
	MAP(GIB1, 0, 3, RX);
	MAP(MIB2, 0, 2, RX);
	MAP(0x3000, 0x3000, 1, RX);
	MAP(0x1000, 0x1000, 1, RX);
	lodge_npt_iter_start(&iter, &self->npt, 0, ~0ULL);
	for (i = 0; i < ARRAY_SIZE(expected); i++) {
		ASSERT_TRUE(lodge_npt_iter_next(&iter));
		EXPECT_EQ(expected[i].gpa, iter.gpa);
		EXPECT_EQ(expected[i].level, iter.level);
		EXPECT_EQ(iter.value, *iter.entry);
	}
	EXPECT_FALSE(lodge_npt_iter_next(&iter));
}

TEST_F(npt, a_walk_keeps_to_its_range)
{
	struct lodge_npt_iter iter;
	int leaves = 0;
	u64 gpa;

	for (gpa = MIB2 - 4 * KIB4; gpa < MIB2 + 4 * KIB4; gpa += KIB4)
		MAP(gpa, gpa, 1, RX);
	lodge_npt_iter_start(&iter, &self->npt, MIB2 - KIB4, MIB2 + 2 * KIB4);
	while (lodge_npt_iter_next(&iter)) {
		if (iter.level > 1)
			continue;
		EXPECT_LE(MIB2 - KIB4, iter.gpa);
		EXPECT_GT(MIB2 + 2 * KIB4, iter.gpa);
		leaves++;
	}
	EXPECT_EQ(3, leaves);
}

TEST_F(npt, a_walk_that_starts_within_a_large_leaf_meets_it)
{
	struct lodge_npt_iter iter;
	bool met = false;

	MAP(MIB2, 0, 2, RX);
	lodge_npt_iter_start(&iter, &self->npt, MIB2 + 5 * KIB4,
			     MIB2 + 6 * KIB4);
	while (lodge_npt_iter_next(&iter)) {
		if (iter.level == 2 && (iter.value & PS)) {
			EXPECT_EQ(MIB2, iter.gpa);
			met = true;
		}
	}
	EXPECT_TRUE(met);
}

TEST_F(npt, a_walk_does_not_enter_a_table_that_was_taken_out)
{
	struct lodge_npt_iter iter;
	u64 table = 0;

	MAP(0x1000, 0x1000, 1, RX);
	MAP(GIB1, GIB1, 1, RX);
	lodge_npt_iter_start(&iter, &self->npt, 0, ~0ULL);
	while (lodge_npt_iter_next(&iter)) {
		EXPECT_FALSE(iter.level < 3 && iter.gpa < GIB1);
		if (iter.level == 3 && !iter.gpa) {
			table = iter.value;
			*iter.entry = 0;
		}
	}
	/* Put it back: the tables own it. */
	ASSERT_NE(0, table);
	lodge_npt_iter_start(&iter, &self->npt, 0, KIB4);
	ASSERT_TRUE(lodge_npt_iter_next(&iter));
	lodge_table_va(iter.value & self->npt.format->address)[0] = table;
}

TEST_F(npt, the_last_page_of_the_address_space_can_be_mapped)
{
	u64 last = (1ULL << 48) - KIB4;

	EXPECT_EQ(0, MAP(last, 0x7000, 1, RX));
	EXPECT_EQ(0x7000, npt_translate(&self->npt, last));
	EXPECT_EQ(~0ULL, npt_translate(&self->npt, last - KIB4));
	EXPECT_TRUE(lodge_npt_unmap(&self->npt, last, last + KIB4));
	EXPECT_EQ(~0ULL, npt_translate(&self->npt, last));
}

TEST(five_levels_reach_beyond_48_bits)
{
	struct lodge_npt_cache cache = {};
	struct lodge_npt_format format;
	struct lodge_npt npt;
	u64 gpa = (1ULL << 51) + MIB2 + KIB4;

	lodge_npt_format_amd(&format, 5, true);
	ASSERT_EQ(0, lodge_npt_init(&npt, &format));
	EXPECT_EQ(0, npt_map(&npt, &cache, gpa, 0x7000, 1, RX));
	EXPECT_EQ(0x7000, npt_translate(&npt, gpa));
	EXPECT_EQ(~0ULL, npt_translate(&npt, gpa & GENMASK_ULL(47, 0)));
	EXPECT_EQ(5, npt.tables);
	EXPECT_TRUE(lodge_npt_unmap(&npt, 0, ~0ULL));
	lodge_npt_free_removed(&npt, lodge_npt_take_removed(&npt));
	EXPECT_EQ(1, npt.tables);
	lodge_npt_fini(&npt);
	lodge_npt_cache_free(&cache);
}

/*
 * Mapping
 */

TEST_F(npt, a_page_maps_itself_and_no_neighbour)
{
	EXPECT_EQ(0, MAP(MIB2 + KIB4, 0x9000, 1, RX));
	EXPECT_EQ(0x9000, npt_translate(&self->npt, MIB2 + KIB4));
	EXPECT_EQ(~0ULL, npt_translate(&self->npt, MIB2));
	EXPECT_EQ(~0ULL, npt_translate(&self->npt, MIB2 + 2 * KIB4));
}

TEST_F(npt, a_large_leaf_maps_all_its_pages)
{
	EXPECT_EQ(0, MAP(GIB1, 3 * GIB1, 3, RX));
	EXPECT_EQ(3 * GIB1, npt_translate(&self->npt, GIB1));
	EXPECT_EQ(4 * GIB1 - KIB4, npt_translate(&self->npt, 2 * GIB1 - KIB4));
	EXPECT_EQ(~0ULL, npt_translate(&self->npt, 2 * GIB1));
}

TEST_F(npt, mapping_counts_tables_and_leaves)
{
	EXPECT_EQ(1, self->npt.tables);
	MAP(0, 0, 1, RX);
	EXPECT_EQ(4, self->npt.tables);
	MAP(KIB4, 0, 1, RX);
	EXPECT_EQ(4, self->npt.tables);
	MAP(MIB2, 0, 2, RX);
	EXPECT_EQ(4, self->npt.tables);
	EXPECT_EQ(2, self->npt.leaves[0]);
	EXPECT_EQ(1, self->npt.leaves[1]);
	EXPECT_EQ(0, self->npt.leaves[2]);
}

TEST_F(npt, an_empty_cache_refuses_and_changes_nothing)
{
	EXPECT_EQ(-ENOMEM,
		  lodge_npt_map(&self->npt, &self->cache, 0, 0, 1, RX));
	EXPECT_EQ(1, self->npt.tables);
	EXPECT_EQ(~0ULL, npt_translate(&self->npt, 0));
}

TEST_F(npt, a_cache_with_too_few_tables_refuses_and_keeps_them)
{
	ASSERT_EQ(0, lodge_npt_cache_fill(&self->cache));
	while (self->cache.nr > 2)
		lodge_table_free(self->cache.table[--self->cache.nr]);
	EXPECT_EQ(-ENOMEM,
		  lodge_npt_map(&self->npt, &self->cache, 0, 0, 1, RX));
	EXPECT_EQ(2, self->cache.nr);
	EXPECT_EQ(1, self->npt.tables);
	EXPECT_EQ(0, lodge_npt_map(&self->npt, &self->cache, 0, 0, 2, RX));
}

TEST_F(npt, a_cache_gives_only_what_is_needed)
{
	MAP(0, 0, 1, RX);
	ASSERT_EQ(0, lodge_npt_cache_fill(&self->cache));
	EXPECT_EQ(4, self->cache.nr);
	EXPECT_EQ(0, lodge_npt_map(&self->npt, &self->cache, MIB2, 0, 1, RX));
	EXPECT_EQ(3, self->cache.nr);
	EXPECT_EQ(0, lodge_npt_map(&self->npt, &self->cache, MIB2 + KIB4, 0, 1,
				   RX));
	EXPECT_EQ(3, self->cache.nr);
}

TEST_F(npt, mapping_the_same_again_changes_nothing)
{
	EXPECT_EQ(0, MAP(0x5000, 0x7000, 1, RWX));
	EXPECT_EQ(0, MAP(0x5000, 0x7000, 1, RWX));
	EXPECT_EQ(1, self->npt.leaves[0]);
}

TEST_F(npt, a_lesser_right_to_the_same_place_keeps_the_greater)
{
	EXPECT_EQ(0, MAP(0x5000, 0x7000, 1, RWX));
	EXPECT_EQ(0, MAP(0x5000, 0x7000, 1, RX));
	EXPECT_EQ(RW, ENTRY(0x5000) & RW);
}

TEST_F(npt, a_greater_right_needs_no_flush)
{
	EXPECT_EQ(0, MAP(0x5000, 0x7000, 1, LODGE_NPT_READ));
	EXPECT_EQ(0, MAP(0x5000, 0x7000, 1, RX));
	EXPECT_EQ(0, ENTRY(0x5000) & NX);
	EXPECT_EQ(0, MAP(0x5000, 0x7000, 1, RWX));
	EXPECT_EQ(RW, ENTRY(0x5000) & RW);
}

TEST_F(npt, another_place_needs_a_flush)
{
	EXPECT_EQ(0, MAP(0x5000, 0x7000, 1, RWX));
	EXPECT_EQ(1, MAP(0x5000, 0x8000, 1, RWX));
	EXPECT_EQ(0x8000, npt_translate(&self->npt, 0x5000));
}

TEST_F(npt, another_memory_type_needs_a_flush)
{
	EXPECT_EQ(0, MAP(0x5000, 0x7000, 1, RWX));
	EXPECT_EQ(1, MAP(0x5000, 0x7000, 1, RWX | LODGE_NPT_UNCACHED));
	EXPECT_EQ(PCD, ENTRY(0x5000) & PCD);
}

TEST_F(npt, a_large_leaf_takes_the_place_of_a_table)
{
	EXPECT_EQ(0, MAP(MIB2, MIB2, 1, RX));
	EXPECT_EQ(4, self->npt.tables);
	EXPECT_EQ(1, MAP(MIB2, MIB2, 2, RX));
	EXPECT_EQ(2, LEVEL(MIB2));
	EXPECT_EQ(4, self->npt.tables);
	lodge_npt_free_removed(&self->npt, lodge_npt_take_removed(&self->npt));
	EXPECT_EQ(3, self->npt.tables);
}

TEST_F(npt, a_gigabyte_leaf_takes_the_place_of_a_tree)
{
	u64 gpa;

	for (gpa = GIB1; gpa < GIB1 + 8 * MIB2; gpa += MIB2)
		EXPECT_EQ(0, MAP(gpa, gpa, 1, RX));
	EXPECT_EQ(11, self->npt.tables);
	EXPECT_EQ(1, MAP(GIB1, GIB1, 3, RX));
	lodge_npt_free_removed(&self->npt, lodge_npt_take_removed(&self->npt));
	EXPECT_EQ(2, self->npt.tables);
	EXPECT_EQ(GIB1 + MIB2, npt_translate(&self->npt, GIB1 + MIB2));
}

TEST_F(npt, a_removed_table_stays_whole_until_it_is_freed)
{
	u64 *table;
	u8 level;
	u64 leaf;

	MAP(MIB2 + KIB4, 0x7000, 1, RX);
	leaf = npt_entry(&self->npt, MIB2 + KIB4, &level);
	EXPECT_EQ(1, MAP(MIB2, MIB2, 2, RX));
	table = self->npt.removed;
	ASSERT_NE(NULL, table);
	EXPECT_EQ(leaf, table[1]);
}

TEST_F(npt, a_small_leaf_splits_a_large_one)
{
	EXPECT_EQ(0, MAP(MIB2, 3 * MIB2, 2, RWX | LODGE_NPT_ACCESSED));
	EXPECT_EQ(1, MAP(MIB2 + 7 * KIB4, 0x9000, 1, RX));
	EXPECT_EQ(0x9000, npt_translate(&self->npt, MIB2 + 7 * KIB4));
	EXPECT_EQ((3 * MIB2 + 6 * KIB4) | P | US | RW | A,
		  ENTRY(MIB2 + 6 * KIB4));
	EXPECT_EQ((4 * MIB2 - KIB4) | P | US | RW | A, ENTRY(2 * MIB2 - KIB4));
	EXPECT_EQ(1, LEVEL(MIB2));
}

TEST_F(npt, a_small_leaf_splits_a_gigabyte_twice)
{
	EXPECT_EQ(0, MAP(GIB1, 3 * GIB1, 3, RX));
	EXPECT_EQ(1, MAP(GIB1 + 5 * MIB2 + KIB4, 0x9000, 1, RX));
	EXPECT_EQ(1, LEVEL(GIB1 + 5 * MIB2));
	EXPECT_EQ(2, LEVEL(GIB1 + 4 * MIB2));
	EXPECT_EQ(3 * GIB1 + 5 * MIB2,
		  npt_translate(&self->npt, GIB1 + 5 * MIB2));
	EXPECT_EQ((3 * GIB1 + 4 * MIB2) | P | US | PS, ENTRY(GIB1 + 4 * MIB2));
	EXPECT_EQ(4 * GIB1 - KIB4, npt_translate(&self->npt, 2 * GIB1 - KIB4));
}

TEST_F(npt, a_small_leaf_that_a_large_one_covers_does_not_split_it)
{
	EXPECT_EQ(0, MAP(MIB2, 3 * MIB2, 2, RWX));
	EXPECT_EQ(0, MAP(MIB2 + KIB4, 3 * MIB2 + KIB4, 1, RX));
	EXPECT_EQ(2, LEVEL(MIB2 + KIB4));
}

/*
 * Unmapping
 */

TEST_F(npt, unmapping_nothing_needs_no_flush)
{
	MAP(0x5000, 0x7000, 1, RX);
	EXPECT_FALSE(lodge_npt_unmap(&self->npt, 0x6000, 0x9000));
	EXPECT_FALSE(lodge_npt_unmap(&self->npt, 0x5000, 0x5000));
	EXPECT_EQ(0x7000, npt_translate(&self->npt, 0x5000));
}

TEST_F(npt, unmapping_a_page_leaves_its_neighbours)
{
	MAP(0x4000, 0x4000, 1, RX);
	MAP(0x5000, 0x5000, 1, RX);
	MAP(0x6000, 0x6000, 1, RX);
	EXPECT_TRUE(lodge_npt_unmap(&self->npt, 0x5000, 0x6000));
	EXPECT_EQ(0x4000, npt_translate(&self->npt, 0x4000));
	EXPECT_EQ(~0ULL, npt_translate(&self->npt, 0x5000));
	EXPECT_EQ(0x6000, npt_translate(&self->npt, 0x6000));
	EXPECT_EQ(NULL, self->npt.removed);
}

TEST_F(npt, unmapping_part_of_a_large_leaf_removes_all_of_it)
{
	MAP(MIB2, MIB2, 2, RX);
	EXPECT_TRUE(lodge_npt_unmap(&self->npt, 2 * MIB2 - KIB4, 2 * MIB2));
	EXPECT_EQ(~0ULL, npt_translate(&self->npt, MIB2));
}

TEST_F(npt, unmapping_what_a_table_covers_removes_the_table)
{
	MAP(MIB2 + KIB4, 0, 1, RX);
	MAP(2 * MIB2 + KIB4, 0, 1, RX);
	EXPECT_EQ(5, self->npt.tables);
	EXPECT_TRUE(lodge_npt_unmap(&self->npt, MIB2, 2 * MIB2));
	EXPECT_EQ(5, self->npt.tables);
	lodge_npt_free_removed(&self->npt, lodge_npt_take_removed(&self->npt));
	EXPECT_EQ(4, self->npt.tables);
	EXPECT_EQ(0, npt_translate(&self->npt, 2 * MIB2 + KIB4));
}

TEST_F(npt, unmapping_spares_a_table_that_reaches_out_of_the_range)
{
	MAP(MIB2, 0x1000, 1, RX);
	MAP(2 * MIB2 - KIB4, 0x2000, 1, RX);
	EXPECT_TRUE(lodge_npt_unmap(&self->npt, MIB2 + KIB4, 3 * MIB2));
	EXPECT_EQ(0x1000, npt_translate(&self->npt, MIB2));
	EXPECT_EQ(~0ULL, npt_translate(&self->npt, 2 * MIB2 - KIB4));
	EXPECT_TRUE(lodge_npt_unmap(&self->npt, 0, 2 * MIB2 - KIB4));
	EXPECT_EQ(~0ULL, npt_translate(&self->npt, MIB2));
	EXPECT_EQ(NULL, self->npt.removed);
}

TEST_F(npt, unmapping_everything_leaves_the_root_alone)
{
	MAP(0, 0, 1, RX);
	MAP(GIB1, 0, 2, RX);
	MAP(1ULL << 40, 0, 3, RX);
	EXPECT_TRUE(lodge_npt_unmap(&self->npt, 0, ~0ULL));
	lodge_npt_free_removed(&self->npt, lodge_npt_take_removed(&self->npt));
	EXPECT_EQ(1, self->npt.tables);
	EXPECT_FALSE(lodge_npt_unmap(&self->npt, 0, ~0ULL));
}

TEST_F(npt, the_end_frees_removed_tables_as_well)
{
	MAP(0, 0, 1, RX);
	MAP(GIB1, 0, 1, RX);
	EXPECT_TRUE(lodge_npt_unmap(&self->npt, 0, MIB2));
	EXPECT_TRUE(lodge_npt_unmap(&self->npt, 0, GIB1));
	lodge_npt_fini(&self->npt);
	EXPECT_EQ(0, self->npt.tables);
	lodge_npt_fini(&self->npt);
}

/*
 * Write protection and age
 */

TEST_F(npt, protecting_takes_only_the_right_to_write)
{
	MAP(0x4000, 0x4000, 1, RWX | LODGE_NPT_ACCESSED | LODGE_NPT_DIRTY);
	MAP(0x5000, 0x5000, 1, RWX);
	EXPECT_TRUE(lodge_npt_protect(&self->npt, 0x4000, 0x5000));
	EXPECT_EQ(0x4000 | P | US | A | D, ENTRY(0x4000));
	EXPECT_EQ(RW, ENTRY(0x5000) & RW);
}

TEST_F(npt, protecting_what_cannot_be_written_needs_no_flush)
{
	MAP(0x4000, 0x4000, 1, RX);
	EXPECT_FALSE(lodge_npt_protect(&self->npt, 0, MIB2));
}

TEST_F(npt, protecting_leaves_tables_writable)
{
	struct lodge_npt_iter iter;

	MAP(0x4000, 0x4000, 1, RWX);
	lodge_npt_protect(&self->npt, 0, ~0ULL);
	lodge_npt_iter_start(&iter, &self->npt, 0, ~0ULL);
	while (lodge_npt_iter_next(&iter))
		EXPECT_EQ(iter.level > 1, !!(iter.value & RW));
}

TEST_F(npt, protecting_reaches_a_large_leaf)
{
	MAP(MIB2, MIB2, 2, RWX);
	EXPECT_TRUE(
		lodge_npt_protect(&self->npt, MIB2 + KIB4, MIB2 + 2 * KIB4));
	EXPECT_EQ(0, ENTRY(MIB2) & RW);
}

TEST_F(npt, an_accessed_page_is_young_until_that_is_forgotten)
{
	MAP(0x4000, 0x4000, 1, RWX | LODGE_NPT_ACCESSED | LODGE_NPT_DIRTY);
	EXPECT_TRUE(lodge_npt_age(&self->npt, 0x4000, 0x5000, false));
	EXPECT_TRUE(lodge_npt_age(&self->npt, 0x4000, 0x5000, true));
	EXPECT_FALSE(lodge_npt_age(&self->npt, 0x4000, 0x5000, true));
	EXPECT_EQ(0x4000 | P | US | RW | D, ENTRY(0x4000));
}

TEST_F(npt, a_page_that_was_not_accessed_is_old)
{
	MAP(0x4000, 0x4000, 1, RWX);
	EXPECT_FALSE(lodge_npt_age(&self->npt, 0, ~0ULL, false));
}

TEST_F(npt, forgetting_reaches_every_page_of_the_range)
{
	MAP(0x4000, 0x4000, 1, RX | LODGE_NPT_ACCESSED);
	MAP(0x5000, 0x5000, 1, RX | LODGE_NPT_ACCESSED);
	MAP(0x6000, 0x6000, 1, RX | LODGE_NPT_ACCESSED);
	EXPECT_TRUE(lodge_npt_age(&self->npt, 0x4000, 0x6000, true));
	EXPECT_EQ(0, ENTRY(0x4000) & A);
	EXPECT_EQ(0, ENTRY(0x5000) & A);
	EXPECT_EQ(A, ENTRY(0x6000) & A);
}

/*
 * All of it against a plain array
 */

#define MODEL_PAGES 2048
#define MODEL_BASE (GIB1 - 2 * MIB2)
#define MODEL_STEPS 20000

struct model_page {
	u64 pa;
	u8 level; /* of its leaf; 0: not mapped */
	bool writable;
};

static u32 model_random(u64 *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return *seed >> 33;
}

static u32 model_group(const struct model_page *page, u32 i)
{
	return page[i].level == 2 ? i & ~511U : i;
}

static u32 model_group_size(const struct model_page *page, u32 i)
{
	return page[i].level == 2 ? 512 : 1;
}

static void model_map(struct model_page *page, u32 first, u64 pa, u8 level,
		      bool writable)
{
	u32 count = level == 2 ? 512 : 1;
	u32 i;

	if (page[first].level >= level && page[first].pa == pa &&
	    page[first].writable >= writable)
		return;
	if (page[first].level > level) {
		for (i = first & ~511U; i <= (first | 511); i++)
			page[i].level = 1;
	}
	for (i = 0; i < count; i++) {
		page[first + i].pa = pa + i * KIB4;
		page[first + i].level = level;
		page[first + i].writable = writable;
	}
}

/* Every leaf that touches the range goes, or only its right to write. */
static bool model_range(struct model_page *page, u32 first, u32 end,
			bool protect)
{
	bool changed = false;
	u32 i, j, group, size;

	for (i = first; i < end; i++) {
		if (!page[i].level || (protect && !page[i].writable))
			continue;
		changed = true;
		group = model_group(page, i);
		size = model_group_size(page, i);
		for (j = group; j < group + size; j++) {
			if (protect)
				page[j].writable = false;
			else
				page[j].level = 0;
		}
	}
	return changed;
}

TEST_F(npt, any_sequence_of_changes_ends_as_in_a_plain_array)
{
	static struct model_page page[MODEL_PAGES];
	u64 seed = 1;
	u32 step, i, first, end;
	bool flush, changed;
	u8 level;

	memset(page, 0, sizeof(page));
	for (step = 0; step < MODEL_STEPS; step++) {
		u32 what = model_random(&seed) % 16;
		bool writable = model_random(&seed) & 1;
		u64 place = (1 + model_random(&seed) % 2) * GIB1;

		level = what < 9 ? 1 : 2;
		first = model_random(&seed) % MODEL_PAGES;
		end = first + 1 + model_random(&seed) % (MODEL_PAGES - first);
		if (model_random(&seed) & 1)
			end = first + 1;
		if (what < 11) {
			if (level == 2)
				first &= ~511U;
			place += first * KIB4;
			ASSERT_LE(0, MAP(MODEL_BASE + first * KIB4, place,
					 level, writable ? RWX : RX));
			model_map(page, first, place, level, writable);
		} else if (what < 13) {
			flush = lodge_npt_protect(&self->npt,
						  MODEL_BASE + first * KIB4,
						  MODEL_BASE + end * KIB4);
			changed = model_range(page, first, end, true);
			ASSERT_EQ(changed, flush);
		} else {
			flush = lodge_npt_unmap(&self->npt,
						MODEL_BASE + first * KIB4,
						MODEL_BASE + end * KIB4);
			changed = model_range(page, first, end, false);
			/* A table that goes needs a flush, empty or not. */
			ASSERT_TRUE(flush || !changed);
		}
		lodge_npt_free_removed(&self->npt,
				       lodge_npt_take_removed(&self->npt));
		for (i = step % 61; i < MODEL_PAGES; i += 61) {
			u64 gpa = MODEL_BASE + i * KIB4;
			u64 entry = npt_entry(&self->npt, gpa, &level);

			ASSERT_EQ(page[i].level, level);
			if (!level)
				continue;
			ASSERT_EQ(page[i].pa, npt_translate(&self->npt, gpa));
			ASSERT_EQ(page[i].writable, !!(entry & RW));
		}
	}
}

TEST_HARNESS_MAIN
