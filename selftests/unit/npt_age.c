// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of nested page tables in each format: removing write access, and finding used
 * pages, even where the processor has no accessed bits.
 */
#include "npt_fixture.h"

FIXTURE_VARIANT_ADD(npt, amd){};
FIXTURE_VARIANT_ADD(npt, ept){ .ept = CAP_ALL };
FIXTURE_VARIANT_ADD(npt, old_ept){ .ept = CAP_OLD };

TEST_F(npt, protecting_takes_only_the_right_to_write)
{
	u64 before;

	MAP(0x4000, 0x4000, 1, RWX | LODGE_NPT_ACCESSED | LODGE_NPT_DIRTY);
	MAP(0x5000, 0x5000, 1, RWX);
	before = ENTRY(0x4000);
	EXPECT_TRUE(lodge_npt_protect(&self->npt, 0x4000, 0x5000));
	EXPECT_EQ(before & ~self->format.write, ENTRY(0x4000));
	EXPECT_TRUE(ENTRY(0x5000) & self->format.write);
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
		EXPECT_EQ(iter.level > 1, !!(iter.value & self->format.write));
}

TEST_F(npt, protecting_reaches_a_large_leaf)
{
	MAP(MIB2, MIB2, 2, RWX);
	EXPECT_TRUE(
		lodge_npt_protect(&self->npt, MIB2 + KIB4, MIB2 + 2 * KIB4));
	EXPECT_EQ(0, ENTRY(MIB2) & self->format.write);
}

TEST_F(npt, protecting_single_pages_leaves_those_between_writable)
{
	u64 base = 2 * MIB2 - 32 * KIB4, pages = 0x8000000180000005, i;

	for (i = 0; i < 64; i++)
		MAP(base + i * KIB4, base + i * KIB4, 1, RWX);
	EXPECT_TRUE(lodge_npt_protect_pages(&self->npt, base, pages));
	for (i = 0; i < 64; i++)
		EXPECT_EQ(pages >> i & 1,
			  !(ENTRY(base + i * KIB4) & self->format.write));
	EXPECT_FALSE(lodge_npt_protect_pages(&self->npt, base, pages));
	EXPECT_FALSE(lodge_npt_protect_pages(&self->npt, base, 0));
}

TEST_F(npt, protecting_single_pages_passes_holes_and_reaches_a_large_leaf)
{
	MAP(MIB2, MIB2, 2, RWX);
	MAP(2 * MIB2, 2 * MIB2, 2, RWX);
	MAP(3 * MIB2 + KIB4, MIB2, 1, RWX);
	EXPECT_FALSE(lodge_npt_protect_pages(&self->npt, 3 * MIB2, 1));
	EXPECT_TRUE(lodge_npt_protect_pages(&self->npt, 3 * MIB2, ~0ULL));
	EXPECT_EQ(0, ENTRY(3 * MIB2 + KIB4) & self->format.write);
	EXPECT_TRUE(lodge_npt_protect_pages(&self->npt, MIB2 - KIB4, 0x6));
	EXPECT_EQ(0, ENTRY(MIB2) & self->format.write);
	EXPECT_TRUE(ENTRY(2 * MIB2) & self->format.write);
	EXPECT_FALSE(lodge_npt_protect_pages(&self->npt, GIB1, ~0ULL));
}

TEST_F(npt, written_pages_are_told_once_and_stay_writable)
{
	u64 pages = 0x8000000000000007, dirty, all = pages;

	MAP(0, MIB2, 1, RWX | LODGE_NPT_DIRTY);
	MAP(KIB4, MIB2, 1, RWX);
	MAP(2 * KIB4, MIB2, 1, RX);
	MAP(63 * KIB4, MIB2, 1, RWX | LODGE_NPT_DIRTY);
	if (!self->format.dirty)
		all = 0;
	EXPECT_EQ(all & ~4ULL,
		  lodge_npt_clean_pages(&self->npt, 0, pages, &dirty));
	EXPECT_EQ(all & ~6ULL, dirty);
	EXPECT_EQ(all & ~4ULL,
		  lodge_npt_clean_pages(&self->npt, 0, pages, &dirty));
	EXPECT_EQ(0, dirty);
	EXPECT_TRUE(ENTRY(0) & self->format.write);
	EXPECT_FALSE(ENTRY(0) & all & self->format.dirty);
}

TEST_F(npt, only_small_pages_are_known_not_to_be_written)
{
	u64 dirty;

	MAP(0, MIB2, 1, RX);
	MAP(2 * KIB4, MIB2, 1, RWX | LODGE_NPT_DIRTY);
	MAP(MIB2, MIB2, 2, RWX);
	EXPECT_EQ(self->format.dirty ? 1 : 0,
		  lodge_npt_unwritten_pages(&self->npt, 0, 7));
	EXPECT_EQ(0, lodge_npt_unwritten_pages(&self->npt, MIB2, 7));
	EXPECT_EQ(0, lodge_npt_unwritten_pages(&self->npt, GIB1, 7));
	EXPECT_EQ(0, lodge_npt_clean_pages(&self->npt, MIB2, 7, &dirty));
	EXPECT_EQ(0, lodge_npt_clean_pages(&self->npt, GIB1, 7, &dirty));
}

TEST_F(npt, memory_is_small_where_a_table_of_small_pages_is)
{
	MAP(MIB2, MIB2, 2, RWX);
	MAP(2 * MIB2 + KIB4, MIB2, 1, RWX);
	EXPECT_FALSE(lodge_npt_is_small(&self->npt, 0));
	EXPECT_FALSE(lodge_npt_is_small(&self->npt, MIB2));
	EXPECT_TRUE(lodge_npt_is_small(&self->npt, 2 * MIB2));
	EXPECT_FALSE(lodge_npt_is_small(&self->npt, GIB1));
}

TEST_F(npt, an_accessed_page_is_young_until_that_is_forgotten)
{
	MAP(0x4000, 0x4000, 1, RWX | LODGE_NPT_ACCESSED | LODGE_NPT_DIRTY);
	EXPECT_TRUE(lodge_npt_age(&self->npt, 0x4000, 0x5000, false));
	EXPECT_TRUE(lodge_npt_age(&self->npt, 0x4000, 0x5000, true));
	EXPECT_FALSE(lodge_npt_age(&self->npt, 0x4000, 0x5000, false));
	EXPECT_FALSE(lodge_npt_age(&self->npt, 0x4000, 0x5000, true));
}

TEST_F(npt, a_page_is_resident_while_it_is_mapped)
{
	MAP(0x4000, 0x4000, 1, RWX | LODGE_NPT_ACCESSED);
	MAP(MIB2, MIB2, 2, RWX | LODGE_NPT_ACCESSED);
	EXPECT_EQ(513, lodge_npt_resident(&self->npt));
	lodge_npt_age(&self->npt, 0, MIB2, true);
	EXPECT_EQ(512 + !!ENTRY(0x4000), lodge_npt_resident(&self->npt));
	lodge_npt_age(&self->npt, 0, 2 * MIB2, true);
	EXPECT_EQ((ENTRY(MIB2) ? 512 : 0) + !!ENTRY(0x4000),
		  lodge_npt_resident(&self->npt));
}

TEST_F(npt, nothing_is_resident_once_all_tables_are_gone)
{
	MAP(MIB2, MIB2, 2, RWX);
	MAP(2 * MIB2, GIB1, 2, RWX);
	/* Splits the first one. */
	MAP(MIB2, GIB1, 1, RWX);
	EXPECT_EQ(1024, lodge_npt_resident(&self->npt));
	EXPECT_TRUE(lodge_npt_unmap(&self->npt, 0, 4 * GIB1));
	npt_flush(&self->npt);
	EXPECT_EQ(0, lodge_npt_resident(&self->npt));
}

TEST_F(npt, a_page_is_young_again_once_it_is_mapped_again)
{
	MAP(0x4000, 0x4000, 1, RWX | LODGE_NPT_ACCESSED);
	EXPECT_TRUE(lodge_npt_age(&self->npt, 0x4000, 0x5000, true));
	EXPECT_TRUE(lodge_npt_unmap(&self->npt, 0, MIB2));
	EXPECT_EQ(0, MAP(0x4000, 0x4000, 1, RWX | LODGE_NPT_ACCESSED));
	EXPECT_TRUE(lodge_npt_age(&self->npt, 0x4000, 0x5000, false));
}

TEST_F(npt, forgetting_reaches_every_page_of_the_range)
{
	MAP(0x4000, 0x4000, 1, RX | LODGE_NPT_ACCESSED);
	MAP(0x5000, 0x5000, 1, RX | LODGE_NPT_ACCESSED);
	MAP(0x6000, 0x6000, 1, RX | LODGE_NPT_ACCESSED);
	EXPECT_TRUE(lodge_npt_age(&self->npt, 0x4000, 0x6000, true));
	EXPECT_FALSE(lodge_npt_age(&self->npt, 0x4000, 0x6000, false));
	EXPECT_TRUE(lodge_npt_age(&self->npt, 0x6000, 0x7000, false));
}

TEST_F(npt, forgetting_reaches_a_large_leaf)
{
	MAP(MIB2, MIB2, 2, RX | LODGE_NPT_ACCESSED);
	EXPECT_TRUE(lodge_npt_age(&self->npt, MIB2 + 5 * KIB4, MIB2 + 6 * KIB4,
				  true));
	EXPECT_FALSE(lodge_npt_age(&self->npt, MIB2, 2 * MIB2, false));
}

TEST_F(npt, asking_for_the_age_changes_nothing)
{
	u64 before;

	MAP(0x4000, 0x4000, 1, RWX | LODGE_NPT_ACCESSED | LODGE_NPT_DIRTY);
	before = ENTRY(0x4000);
	EXPECT_TRUE(lodge_npt_age(&self->npt, 0, MIB2, false));
	EXPECT_EQ(before, ENTRY(0x4000));
}

TEST_F(npt, an_empty_range_is_old)
{
	MAP(0x4000, 0x4000, 1, RX | LODGE_NPT_ACCESSED);
	EXPECT_FALSE(lodge_npt_age(&self->npt, 0x5000, MIB2, true));
	EXPECT_EQ(0x4000, npt_translate(&self->npt, 0x4000));
}

TEST_F(npt, forgetting_takes_no_table)
{
	u64 tables;

	MAP(0x4000, 0x4000, 1, RX | LODGE_NPT_ACCESSED);
	tables = self->npt.tables;
	EXPECT_TRUE(lodge_npt_age(&self->npt, 0, ~0ULL, true));
	EXPECT_EQ(tables, self->npt.tables);
	EXPECT_EQ(NULL, self->npt.removed);
}

TEST_F(npt, what_was_not_accessed_is_old_where_the_processor_can_tell)
{
	MAP(0x4000, 0x4000, 1, RWX);
	EXPECT_EQ(!self->format.accessed,
		  lodge_npt_age(&self->npt, 0, ~0ULL, false));
}

TEST_F(npt, forgetting_takes_the_accessed_bit_or_for_want_of_one_the_leaf)
{
	u64 before;

	MAP(0x4000, 0x4000, 1, RWX | LODGE_NPT_ACCESSED | LODGE_NPT_DIRTY);
	before = ENTRY(0x4000);
	EXPECT_TRUE(lodge_npt_age(&self->npt, 0, MIB2, true));
	EXPECT_EQ(self->format.accessed ? before & ~self->format.accessed : 0,
		  ENTRY(0x4000));
}

TEST_HARNESS_MAIN
