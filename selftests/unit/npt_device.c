// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of device entries in nested page tables: setting and removing them, and the
 * limit on their number.
 */
#include "npt_fixture.h"

/* A guest physical address whose page needs tables of its own at all levels. */
#define FAR(n) ((u64)(n) << 39)

FIXTURE_VARIANT_ADD(npt, amd){};
FIXTURE_VARIANT_ADD(npt, ept){ .ept = CAP_ALL };
FIXTURE_VARIANT_ADD(npt, old_ept){ .ept = CAP_OLD };

static bool device_map(struct lodge_npt *npt, struct lodge_npt_cache *cache,
		       u64 gpa)
{
	return !lodge_npt_cache_fill(cache) &&
	       lodge_npt_map_device(npt, cache, gpa);
}

#define MAP_DEVICE(gpa) device_map(&self->npt, &self->cache, gpa)

#define IS_DEVICE(gpa) lodge_npt_is_device(&self->format, ENTRY(gpa))

/*
 * Setting them
 */

TEST_F(npt, an_entry_covers_its_page_and_no_neighbour)
{
	EXPECT_TRUE(MAP_DEVICE(0xfec00123));
	EXPECT_TRUE(IS_DEVICE(0xfec00000));
	EXPECT_EQ(0, ENTRY(0xfebff000));
	EXPECT_EQ(0, ENTRY(0xfec01000));
}

TEST_F(npt, an_entry_is_neither_leaf_nor_table)
{
	u64 entry;

	ASSERT_TRUE(MAP_DEVICE(0x5000));
	entry = ENTRY(0x5000);
	EXPECT_FALSE(lodge_npt_is_leaf(&self->format, entry, 1));
	EXPECT_FALSE(lodge_npt_is_table(&self->format, entry, 1));
	EXPECT_EQ(~0ULL, npt_translate(&self->npt, 0x5000));
}

TEST_F(npt, a_walk_meets_the_entry)
{
	struct lodge_npt_iter iter;
	int met = 0;

	ASSERT_TRUE(MAP_DEVICE(0x5000));
	lodge_npt_iter_start(&iter, &self->npt, 0, ~0ULL);
	while (lodge_npt_iter_next(&iter)) {
		if (iter.level > 1)
			continue;
		EXPECT_EQ(0x5000, iter.gpa);
		EXPECT_TRUE(lodge_npt_is_device(&self->format, iter.value));
		met++;
	}
	EXPECT_EQ(1, met);
}

TEST_F(npt, mapping_a_device_again_changes_nothing)
{
	EXPECT_TRUE(MAP_DEVICE(0x5000));
	EXPECT_TRUE(MAP_DEVICE(0x5fff));
	EXPECT_EQ(3, self->npt.device_tables);
	EXPECT_EQ(4, self->npt.tables);
}

TEST_F(npt, memory_does_not_become_a_device)
{
	MAP(0x5000, 0x7000, 1, RWX);
	MAP(MIB2, MIB2, 2, RWX);
	EXPECT_FALSE(MAP_DEVICE(0x5000));
	EXPECT_FALSE(MAP_DEVICE(MIB2 + 5 * KIB4));
	EXPECT_EQ(0x7000, npt_translate(&self->npt, 0x5000));
	EXPECT_EQ(2, LEVEL(MIB2));
}

TEST_F(npt, no_entry_comes_beyond_the_address_space)
{
	EXPECT_TRUE(MAP_DEVICE((1ULL << 48) - 1));
	EXPECT_FALSE(MAP_DEVICE(1ULL << 48));
	EXPECT_FALSE(MAP_DEVICE(~0ULL));
	EXPECT_EQ(0, ENTRY(0));
}

TEST_F(npt, a_cache_with_too_few_tables_changes_nothing)
{
	ASSERT_EQ(0, lodge_npt_cache_fill(&self->cache));
	while (self->cache.nr > 2)
		lodge_table_free(self->cache.table[--self->cache.nr]);
	EXPECT_FALSE(lodge_npt_map_device(&self->npt, &self->cache, 0x5000));
	EXPECT_EQ(2, self->cache.nr);
	EXPECT_EQ(1, self->npt.tables);
	EXPECT_EQ(0, self->npt.device_tables);
}

TEST_F(npt, a_format_without_device_entries_gets_none)
{
	self->format.device = 0;
	EXPECT_FALSE(device_map(&self->npt, &self->cache, 0x5000));
	EXPECT_EQ(1, self->npt.tables);
}

/*
 * Removing them
 */

TEST_F(npt, memory_takes_a_devices_place_without_a_flush)
{
	ASSERT_TRUE(MAP_DEVICE(0x5000));
	EXPECT_EQ(0, MAP(0x5000, 0x7000, 1, RWX));
	EXPECT_EQ(0x7000, npt_translate(&self->npt, 0x5000));
}

TEST_F(npt, a_large_leaf_takes_the_place_of_a_table_of_devices)
{
	ASSERT_TRUE(MAP_DEVICE(MIB2 + 5 * KIB4));
	EXPECT_EQ(3, self->npt.device_tables);
	EXPECT_EQ(1, MAP(MIB2, MIB2, 2, RWX));
	EXPECT_EQ(MIB2 + 5 * KIB4, npt_translate(&self->npt, MIB2 + 5 * KIB4));
	npt_flush(&self->npt);
	EXPECT_EQ(2, self->npt.device_tables);
}

TEST_F(npt, unmapping_removes_the_entry_without_a_flush)
{
	ASSERT_TRUE(MAP_DEVICE(0x5000));
	ASSERT_TRUE(MAP_DEVICE(0x6000));
	EXPECT_FALSE(lodge_npt_unmap(&self->npt, 0x5000, 0x6000));
	EXPECT_EQ(0, ENTRY(0x5000));
	EXPECT_TRUE(IS_DEVICE(0x6000));
}

TEST_F(npt, unmapping_memory_among_devices_needs_a_flush)
{
	ASSERT_TRUE(MAP_DEVICE(0x5000));
	MAP(0x6000, 0x6000, 1, RWX);
	EXPECT_TRUE(lodge_npt_unmap(&self->npt, 0x4000, 0x8000));
	EXPECT_EQ(0, ENTRY(0x5000));
	EXPECT_EQ(0, ENTRY(0x6000));
}

/* The processor may have cached the entry that points to the table. */
TEST_F(npt, unmapping_a_table_of_devices_needs_a_flush)
{
	ASSERT_TRUE(MAP_DEVICE(MIB2));
	EXPECT_TRUE(lodge_npt_unmap(&self->npt, MIB2, 2 * MIB2));
	EXPECT_EQ(3, self->npt.device_tables);
	npt_flush(&self->npt);
	EXPECT_EQ(2, self->npt.device_tables);
}

TEST_F(npt, protecting_does_not_touch_the_entry)
{
	ASSERT_TRUE(MAP_DEVICE(0x5000));
	EXPECT_FALSE(lodge_npt_protect(&self->npt, 0, ~0ULL));
	EXPECT_TRUE(IS_DEVICE(0x5000));
}

TEST_F(npt, a_device_has_no_age)
{
	ASSERT_TRUE(MAP_DEVICE(0x5000));
	EXPECT_FALSE(lodge_npt_age(&self->npt, 0, ~0ULL, false));
	EXPECT_FALSE(lodge_npt_age(&self->npt, 0, ~0ULL, true));
	EXPECT_TRUE(IS_DEVICE(0x5000));
}

/*
 * The limit
 */

/* Maps devices that share no tables until this is refused.  Return: their number. */
static u32 map_far_devices(struct lodge_npt *npt, struct lodge_npt_cache *cache)
{
	u32 n = 1;

	while (n < 512 && device_map(npt, cache, FAR(n)))
		n++;
	return n - 1;
}

TEST_F(npt, a_guest_that_touches_everything_gets_a_fixed_number_of_tables)
{
	EXPECT_EQ(LODGE_NPT_MAX_DEVICE_TABLES / 3,
		  map_far_devices(&self->npt, &self->cache));
	EXPECT_GE(LODGE_NPT_MAX_DEVICE_TABLES, self->npt.device_tables);
	EXPECT_EQ(self->npt.device_tables + 1, self->npt.tables);
}

TEST_F(npt, what_is_refused_changes_nothing)
{
	u64 tables;

	map_far_devices(&self->npt, &self->cache);
	tables = self->npt.tables;
	EXPECT_FALSE(MAP_DEVICE(FAR(500)));
	EXPECT_EQ(tables, self->npt.tables);
	EXPECT_EQ(0, ENTRY(FAR(500)));
}

TEST_F(npt, tables_that_are_there_take_devices_beyond_the_limit)
{
	map_far_devices(&self->npt, &self->cache);
	EXPECT_TRUE(MAP_DEVICE(FAR(1) + KIB4));
	EXPECT_TRUE(IS_DEVICE(FAR(1) + KIB4));
}

TEST_F(npt, tables_for_memory_do_not_count)
{
	u32 n;

	for (n = 0; n < LODGE_NPT_MAX_DEVICE_TABLES; n++)
		ASSERT_EQ(0, MAP(n * MIB2, n * MIB2, 1, RWX));
	EXPECT_EQ(0, self->npt.device_tables);
	EXPECT_TRUE(MAP_DEVICE(KIB4));
	EXPECT_EQ(0, self->npt.device_tables);
}

TEST_F(npt, memory_in_a_table_of_devices_does_not_hide_it)
{
	ASSERT_TRUE(MAP_DEVICE(0x5000));
	MAP(0x6000, 0x6000, 1, RWX);
	EXPECT_EQ(3, self->npt.device_tables);
	lodge_npt_unmap(&self->npt, 0, ~0ULL);
	npt_flush(&self->npt);
	EXPECT_EQ(0, self->npt.device_tables);
}

TEST_F(npt, tables_that_go_make_room_for_others)
{
	u32 n = map_far_devices(&self->npt, &self->cache);

	EXPECT_TRUE(lodge_npt_unmap(&self->npt, 0, ~0ULL));
	npt_flush(&self->npt);
	EXPECT_EQ(0, self->npt.device_tables);
	EXPECT_EQ(n, map_far_devices(&self->npt, &self->cache));
}

TEST_HARNESS_MAIN
