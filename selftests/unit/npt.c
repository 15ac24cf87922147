// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of nested page tables in each format: the walk, setting and removing leaves,
 * and allocating and freeing tables.
 */
#include "npt_fixture.h"

FIXTURE_VARIANT_ADD(npt, amd){};
FIXTURE_VARIANT_ADD(npt, ept){ .ept = CAP_ALL };
FIXTURE_VARIANT_ADD(npt, old_ept){ .ept = CAP_OLD };

TEST_F(npt, the_root_is_what_the_processor_is_told)
{
	EXPECT_EQ((u64)(uintptr_t)self->npt.root, lodge_npt_root(&self->npt));
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
		if (iter.level == 2 && (iter.value & self->format.large)) {
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
	/* Restore the entry: the tables own the table. */
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
	EXPECT_EQ(2, self->cache.leaves[0]);
	EXPECT_EQ(1, self->cache.leaves[1]);
	EXPECT_EQ(0, self->cache.leaves[2]);
}

TEST_F(npt, an_empty_cache_refuses_and_changes_nothing)
{
	EXPECT_EQ(-ENOMEM,
		  lodge_npt_map(&self->npt, &self->cache, 0, 0, 1, RX));
	EXPECT_EQ(1, self->npt.tables);
	EXPECT_EQ(~0ULL, npt_translate(&self->npt, 0));
	EXPECT_EQ(0, self->cache.leaves[0]);
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
	EXPECT_EQ(1, self->cache.leaves[0]);
}

TEST_F(npt, a_lesser_right_to_the_same_place_keeps_the_greater)
{
	EXPECT_EQ(0, MAP(0x5000, 0x7000, 1, RWX));
	EXPECT_EQ(0, MAP(0x5000, 0x7000, 1, RX));
	EXPECT_TRUE(ENTRY(0x5000) & self->format.write);
}

TEST_F(npt, a_greater_right_needs_no_flush)
{
	EXPECT_EQ(0, MAP(0x5000, 0x7000, 1, LODGE_NPT_READ));
	EXPECT_EQ(0, MAP(0x5000, 0x7000, 1, RX));
	EXPECT_EQ(self->format.exec, ENTRY(0x5000) & self->format.exec);
	EXPECT_EQ(0, ENTRY(0x5000) & self->format.no_exec);
	EXPECT_EQ(0, MAP(0x5000, 0x7000, 1, RWX));
	EXPECT_TRUE(ENTRY(0x5000) & self->format.write);
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
	EXPECT_EQ(self->format.uncached,
		  ENTRY(0x5000) &
			  (self->format.cached | self->format.uncached));
}

TEST_F(npt, a_large_leaf_takes_the_place_of_a_table)
{
	EXPECT_EQ(0, MAP(MIB2, MIB2, 1, RX));
	EXPECT_EQ(4, self->npt.tables);
	EXPECT_EQ(1, MAP(MIB2, MIB2, 2, RX));
	EXPECT_EQ(2, LEVEL(MIB2));
	EXPECT_EQ(4, self->npt.tables);
	npt_flush(&self->npt);
	EXPECT_EQ(3, self->npt.tables);
}

TEST_F(npt, a_gigabyte_leaf_takes_the_place_of_a_tree)
{
	u64 gpa;

	for (gpa = GIB1; gpa < GIB1 + 8 * MIB2; gpa += MIB2)
		EXPECT_EQ(0, MAP(gpa, gpa, 1, RX));
	EXPECT_EQ(11, self->npt.tables);
	EXPECT_EQ(1, MAP(GIB1, GIB1, 3, RX));
	npt_flush(&self->npt);
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
	u64 attr;

	EXPECT_EQ(0, MAP(MIB2, 3 * MIB2, 2, RWX | LODGE_NPT_ACCESSED));
	attr = ENTRY(MIB2) & ~self->format.address & ~self->format.large;
	EXPECT_EQ(1, MAP(MIB2 + 7 * KIB4, 0x9000, 1, RX));
	EXPECT_EQ(0x9000, npt_translate(&self->npt, MIB2 + 7 * KIB4));
	EXPECT_EQ((3 * MIB2 + 6 * KIB4) | attr, ENTRY(MIB2 + 6 * KIB4));
	EXPECT_EQ((4 * MIB2 - KIB4) | attr, ENTRY(2 * MIB2 - KIB4));
	EXPECT_EQ(1, LEVEL(MIB2));
}

TEST_F(npt, a_small_leaf_splits_a_gigabyte_twice)
{
	u64 attr;

	EXPECT_EQ(0, MAP(GIB1, 3 * GIB1, 3, RX));
	attr = ENTRY(GIB1) & ~self->format.address;
	EXPECT_EQ(1, MAP(GIB1 + 5 * MIB2 + KIB4, 0x9000, 1, RX));
	EXPECT_EQ(1, LEVEL(GIB1 + 5 * MIB2));
	EXPECT_EQ(2, LEVEL(GIB1 + 4 * MIB2));
	EXPECT_EQ(3 * GIB1 + 5 * MIB2,
		  npt_translate(&self->npt, GIB1 + 5 * MIB2));
	EXPECT_EQ((3 * GIB1 + 4 * MIB2) | attr, ENTRY(GIB1 + 4 * MIB2));
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
	npt_flush(&self->npt);
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
	npt_flush(&self->npt);
	EXPECT_EQ(1, self->npt.tables);
	EXPECT_FALSE(lodge_npt_unmap(&self->npt, 0, ~0ULL));
}

TEST_F(npt, what_several_have_is_counted_from_the_first_to_the_last)
{
	struct lodge_npt_cache cache = {};
	struct lodge_npt other;
	struct lodge_npt_total all = {}, total = { .above = &all };

	ASSERT_EQ(0, MAP(GIB1, 0x7000, 1, RWX));
	lodge_npt_count_into(&self->npt, &total);
	EXPECT_EQ(self->npt.tables, total.tables);
	ASSERT_EQ(0, lodge_npt_init(&other, self->npt.format));
	lodge_npt_count_into(&other, &total);
	ASSERT_EQ(0, npt_map(&other, &cache, MIB2, 0x7000, 1, RWX));
	EXPECT_EQ(self->npt.tables + other.tables, total.tables);
	EXPECT_TRUE(lodge_npt_unmap(&self->npt, 0, ~0ULL));
	npt_flush(&self->npt);
	EXPECT_EQ(1 + other.tables, total.tables);
	EXPECT_EQ(total.tables, all.tables);
	lodge_npt_fini(&other);
	EXPECT_EQ(1, total.tables);
	EXPECT_EQ(1, all.tables);
	/* total ends with this function, before the fixture does. */
	self->npt.total = NULL;
	lodge_npt_cache_free(&cache);
}

static unsigned int rests;

/* Replaces the C library's function, for lodge_table_rest(). */
int sched_yield(void)
{
	rests++;
	return 0;
}

TEST_F(npt, whoever_may_sleep_rests_while_tables_are_freed)
{
	for (u64 i = 0; i < 64; i++)
		MAP(i * GIB1, 0, 1, RX);
	EXPECT_TRUE(lodge_npt_unmap(&self->npt, 0, 64 * GIB1));
	rests = 0;
	lodge_npt_free_removed(&self->npt, lodge_npt_take_removed(&self->npt),
			       true);
	EXPECT_LE(64, rests);
}

TEST_F(npt, whoever_may_not_sleep_does_not_rest)
{
	for (u64 i = 0; i < 64; i++)
		MAP(i * GIB1, 0, 1, RX);
	EXPECT_TRUE(lodge_npt_unmap(&self->npt, 0, 64 * GIB1));
	rests = 0;
	lodge_npt_free_removed(&self->npt, lodge_npt_take_removed(&self->npt),
			       false);
	EXPECT_EQ(0, rests);
}

TEST_F(npt, the_end_rests_while_it_frees)
{
	for (u64 i = 0; i < 64; i++)
		MAP(i * GIB1, 0, 1, RX);
	rests = 0;
	lodge_npt_fini(&self->npt);
	EXPECT_LE(64, rests);
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

TEST_HARNESS_MAIN
