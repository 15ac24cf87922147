// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the entries of nested page tables, bit by bit according to the manuals, and
 * of the formats for a processor's capabilities.
 */
#include "npt_fixture.h"

FIXTURE_VARIANT_ADD(npt, ept){ .ept = CAP_ALL };

/* AMD APM vol. 2, section 5.3. */
#define AMD_P BIT_ULL(0)
#define AMD_RW BIT_ULL(1)
#define AMD_US BIT_ULL(2)
#define AMD_PCD BIT_ULL(4)
#define AMD_A BIT_ULL(5)
#define AMD_D BIT_ULL(6)
#define AMD_PS BIT_ULL(7)
#define AMD_NX BIT_ULL(63)

/* Intel SDM vol. 3C, section 29.3.2. */
#define EPT_R BIT_ULL(0)
#define EPT_W BIT_ULL(1)
#define EPT_X BIT_ULL(2)
#define EPT_WB (6ULL << 3)
#define EPT_IPAT BIT_ULL(6)
#define EPT_PS BIT_ULL(7)
#define EPT_A BIT_ULL(8)
#define EPT_D BIT_ULL(9)

#define PA 0x123456789000ULL

static struct lodge_npt_format amd(void)
{
	struct lodge_npt_format format;

	lodge_npt_format_amd(&format, 4, true, AMD_RESERVED);
	return format;
}

/* Return: the format, or all zero if there is none for these capabilities. */
static struct lodge_npt_format ept(u64 capabilities, u8 phys_bits)
{
	struct lodge_npt_format format = {};

	lodge_npt_format_ept(&format, capabilities, phys_bits, true);
	return format;
}

/* Return: EPT's format on a processor whose page walks do not snoop the caches. */
static struct lodge_npt_format ept_incoherent(void)
{
	struct lodge_npt_format format = {};

	lodge_npt_format_ept(&format, CAP_ALL, 46, false);
	return format;
}

/* Return: the entry for @gpa at @level. */
static u64 entry_at(const struct lodge_npt *npt, u64 gpa, u8 level)
{
	struct lodge_npt_iter iter;

	lodge_npt_iter_start(&iter, npt, gpa, gpa + KIB4);
	while (lodge_npt_iter_next(&iter))
		if (iter.level == level)
			return iter.value;
	return 0;
}

/* Maps @pa at @level in empty tables.  Return: the entry, or -errno. */
static u64 leaf(struct lodge_npt_format format, u64 pa, u8 level, u32 attr)
{
	struct lodge_npt_cache cache = {};
	struct lodge_npt npt;
	int err = lodge_npt_init(&npt, &format);
	u64 entry = 0;

	if (!err)
		err = npt_map(&npt, &cache, GIB1, pa, level, attr);
	if (!err)
		entry = entry_at(&npt, GIB1, level);
	lodge_npt_fini(&npt);
	lodge_npt_cache_free(&cache);
	return err ? (u64)err : entry;
}

/* Return: an entry at @level that points to a table. */
static u64 table(struct lodge_npt_format format, u8 level)
{
	struct lodge_npt_cache cache = {};
	struct lodge_npt npt;
	u64 entry = 0;

	if (!lodge_npt_init(&npt, &format) &&
	    !npt_map(&npt, &cache, GIB1, PA, 1, RX))
		entry = entry_at(&npt, GIB1, level) & ~format.address;
	lodge_npt_fini(&npt);
	lodge_npt_cache_free(&cache);
	return entry;
}

/* Splits a leaf at @level by changing its second half.  Return: a leaf below it. */
static u64 split(struct lodge_npt_format format, u64 pa, u8 level, u32 attr)
{
	u64 half = lodge_npt_size(level) / 2;
	struct lodge_npt_cache cache = {};
	struct lodge_npt npt;
	u64 entry = 0;

	if (!lodge_npt_init(&npt, &format) &&
	    !npt_map(&npt, &cache, GIB1, pa, level, attr) &&
	    npt_map(&npt, &cache, GIB1 + half, 0, level - 1, attr) == 1)
		entry = entry_at(&npt, GIB1, level - 1);
	lodge_npt_fini(&npt);
	lodge_npt_cache_free(&cache);
	return entry;
}

/*
 * AMD's entry
 */

TEST(amds_leaf_is_present_and_a_users)
{
	EXPECT_EQ(PA | AMD_P | AMD_US, leaf(amd(), PA, 1, RX));
}

TEST(amds_writable_leaf_has_rw)
{
	EXPECT_EQ(PA | AMD_P | AMD_US | AMD_RW, leaf(amd(), PA, 1, RWX));
}

TEST(amds_leaf_without_exec_has_nx)
{
	EXPECT_EQ(PA | AMD_P | AMD_US | AMD_NX,
		  leaf(amd(), PA, 1, LODGE_NPT_READ));
}

TEST(amds_leaf_can_start_accessed_and_dirty)
{
	EXPECT_EQ(PA | AMD_P | AMD_US | AMD_RW | AMD_A | AMD_D,
		  leaf(amd(), PA, 1,
		       RWX | LODGE_NPT_ACCESSED | LODGE_NPT_DIRTY));
}

TEST(amds_device_memory_is_not_cached)
{
	EXPECT_EQ(PA | AMD_P | AMD_US | AMD_RW | AMD_PCD,
		  leaf(amd(), PA, 1, RWX | LODGE_NPT_UNCACHED));
}

TEST(amds_large_leaf_has_ps)
{
	EXPECT_EQ((4 * MIB2) | AMD_P | AMD_US | AMD_PS,
		  leaf(amd(), 4 * MIB2, 2, RX));
	EXPECT_EQ((4 * GIB1) | AMD_P | AMD_US | AMD_PS,
		  leaf(amd(), 4 * GIB1, 3, RX));
}

TEST(amds_tables_let_users_write_at_every_level)
{
	u8 level;

	for (level = 2; level <= 4; level++)
		EXPECT_EQ(AMD_P | AMD_RW | AMD_US | AMD_A, table(amd(), level));
}

TEST(amds_leaf_that_is_split_loses_ps_only_in_pages)
{
	EXPECT_EQ((4 * GIB1) | AMD_P | AMD_US | AMD_PS | AMD_PCD,
		  split(amd(), 4 * GIB1, 3, RX | LODGE_NPT_UNCACHED));
	EXPECT_EQ((4 * MIB2) | AMD_P | AMD_US | AMD_PCD,
		  split(amd(), 4 * MIB2, 2, RX | LODGE_NPT_UNCACHED));
}

TEST(amds_leaf_is_readable_or_nothing)
{
	EXPECT_EQ((u64)-EINVAL, leaf(amd(), PA, 1, LODGE_NPT_EXEC));
	EXPECT_EQ((u64)-EINVAL,
		  leaf(amd(), PA, 1, LODGE_NPT_EXEC | LODGE_NPT_WRITE));
	EXPECT_EQ((u64)-EINVAL, leaf(amd(), PA, 1, 0));
}

TEST(amds_format_follows_the_host)
{
	struct lodge_npt_format format;

	lodge_npt_format_amd(&format, 4, true, AMD_RESERVED);
	EXPECT_EQ(48, lodge_npt_bits(&format));
	EXPECT_EQ(3, format.max_leaf);
	lodge_npt_format_amd(&format, 5, false, AMD_RESERVED);
	EXPECT_EQ(57, lodge_npt_bits(&format));
	EXPECT_EQ(2, format.max_leaf);
}

TEST(amds_device_entry_is_present_and_has_a_reserved_bit)
{
	EXPECT_EQ(AMD_P | AMD_RESERVED, amd().device);
}

TEST(amds_processor_with_all_address_bits_has_no_device_entry)
{
	struct lodge_npt_format format;

	lodge_npt_format_amd(&format, 4, true, 0);
	EXPECT_EQ(0, format.device);
}

/*
 * Intel's entry
 */

TEST(intels_leaf_has_a_bit_for_each_right)
{
	struct lodge_npt_format format = ept(CAP_ALL, 46);

	EXPECT_EQ(PA | EPT_WB | EPT_R, leaf(format, PA, 1, LODGE_NPT_READ));
	EXPECT_EQ(PA | EPT_WB | EPT_R | EPT_X, leaf(format, PA, 1, RX));
	EXPECT_EQ(PA | EPT_WB | EPT_R | EPT_W,
		  leaf(format, PA, 1, LODGE_NPT_READ | LODGE_NPT_WRITE));
	EXPECT_EQ(PA | EPT_WB | EPT_R | EPT_W | EPT_X,
		  leaf(format, PA, 1, RWX));
}

TEST(intels_leaf_can_start_accessed_and_dirty)
{
	EXPECT_EQ(PA | EPT_WB | EPT_R | EPT_W | EPT_X | EPT_A | EPT_D,
		  leaf(ept(CAP_ALL, 46), PA, 1,
		       RWX | LODGE_NPT_ACCESSED | LODGE_NPT_DIRTY));
}

TEST(without_accessed_bits_no_entry_has_one)
{
	struct lodge_npt_format format = ept(CAP_OLD, 46);

	EXPECT_EQ(PA | EPT_WB | EPT_R | EPT_W | EPT_X,
		  leaf(format, PA, 1,
		       RWX | LODGE_NPT_ACCESSED | LODGE_NPT_DIRTY));
	EXPECT_EQ(EPT_R | EPT_W | EPT_X, table(format, 2));
}

TEST(intels_device_memory_is_uc_unless_the_guest_combines_writes)
{
	EXPECT_EQ(PA | EPT_R | EPT_W | EPT_X,
		  leaf(ept(CAP_ALL, 46), PA, 1, RWX | LODGE_NPT_UNCACHED));
	EXPECT_EQ(PA | EPT_R | EPT_W | EPT_X,
		  leaf(ept_incoherent(), PA, 1, RWX | LODGE_NPT_UNCACHED));
}

TEST(the_guests_pat_is_ignored_where_memory_types_are_not_coherent)
{
	EXPECT_EQ(PA | EPT_WB | EPT_IPAT | EPT_R | EPT_X,
		  leaf(ept_incoherent(), PA, 1, RX));
	EXPECT_EQ((4 * MIB2) | EPT_WB | EPT_IPAT | EPT_PS | EPT_R | EPT_X,
		  leaf(ept_incoherent(), 4 * MIB2, 2, RX));
}

TEST(intels_large_leaf_has_bit_7)
{
	EXPECT_EQ((4 * MIB2) | EPT_WB | EPT_PS | EPT_R | EPT_X,
		  leaf(ept(CAP_ALL, 46), 4 * MIB2, 2, RX));
	EXPECT_EQ((4 * GIB1) | EPT_WB | EPT_PS | EPT_R | EPT_X,
		  leaf(ept(CAP_ALL, 46), 4 * GIB1, 3, RX));
}

TEST(intels_tables_have_all_rights_and_no_memory_type)
{
	u8 level;

	for (level = 2; level <= 4; level++)
		EXPECT_EQ(EPT_R | EPT_W | EPT_X | EPT_A,
			  table(ept(CAP_ALL, 46), level));
}

TEST(intels_leaf_that_is_split_keeps_its_memory_type)
{
	u64 all = EPT_WB | EPT_IPAT | EPT_A | EPT_D | EPT_R | EPT_W | EPT_X;
	u32 attr = RWX | LODGE_NPT_ACCESSED | LODGE_NPT_DIRTY;

	EXPECT_EQ((4 * GIB1) | EPT_PS | all,
		  split(ept_incoherent(), 4 * GIB1, 3, attr));
	EXPECT_EQ((4 * MIB2) | all, split(ept_incoherent(), 4 * MIB2, 2, attr));
}

TEST(a_leaf_may_be_for_execution_only_where_the_processor_can)
{
	EXPECT_EQ(PA | EPT_WB | EPT_X,
		  leaf(ept(CAP_ALL, 46), PA, 1, LODGE_NPT_EXEC));
	EXPECT_EQ((4 * MIB2) | EPT_WB | EPT_PS | EPT_X,
		  leaf(ept(CAP_ALL, 46), 4 * MIB2, 2, LODGE_NPT_EXEC));
	EXPECT_EQ((u64)-EINVAL, leaf(ept(CAP_OLD, 46), PA, 1, LODGE_NPT_EXEC));
}

TEST(no_leaf_is_a_misconfiguration)
{
	struct lodge_npt_format format = ept(CAP_ALL, 46);

	EXPECT_EQ((u64)-EINVAL, leaf(format, PA, 1, LODGE_NPT_WRITE));
	EXPECT_EQ((u64)-EINVAL,
		  leaf(format, PA, 1, LODGE_NPT_WRITE | LODGE_NPT_EXEC));
	EXPECT_EQ((u64)-EINVAL, leaf(format, PA, 1, 0));
}

TEST(a_device_entry_is_a_misconfiguration_that_leads_nowhere)
{
	EXPECT_EQ(EPT_W | EPT_X | GENMASK_ULL(51, 12), ept(CAP_ALL, 46).device);
	EXPECT_EQ(ept(CAP_ALL, 46).device, ept(CAP_OLD, 46).device);
}

/*
 * Execution only
 */

TEST_F(npt, a_page_for_execution_only_is_a_leaf)
{
	EXPECT_EQ(0, MAP(0x5000, 0x7000, 1, LODGE_NPT_EXEC));
	EXPECT_EQ(0x7000, npt_translate(&self->npt, 0x5000));
	EXPECT_FALSE(lodge_npt_protect(&self->npt, 0, MIB2));
	EXPECT_TRUE(lodge_npt_unmap(&self->npt, 0x5000, 0x6000));
	EXPECT_EQ(~0ULL, npt_translate(&self->npt, 0x5000));
}

TEST_F(npt, a_right_to_read_is_added_without_a_flush)
{
	EXPECT_EQ(0, MAP(0x5000, 0x7000, 1, LODGE_NPT_EXEC));
	EXPECT_EQ(0, MAP(0x5000, 0x7000, 1, RX));
	EXPECT_EQ(0x7000 | EPT_WB | EPT_R | EPT_X, ENTRY(0x5000));
}

TEST_F(npt, a_right_to_read_stays_when_only_execution_is_asked_for)
{
	EXPECT_EQ(0, MAP(0x5000, 0x7000, 1, RX));
	EXPECT_EQ(0, MAP(0x5000, 0x7000, 1, LODGE_NPT_EXEC));
	EXPECT_EQ(0x7000 | EPT_WB | EPT_R | EPT_X, ENTRY(0x5000));
}

TEST_F(npt, a_page_that_may_be_read_splits_a_leaf_for_execution_only)
{
	EXPECT_EQ(0, MAP(MIB2, MIB2, 2, LODGE_NPT_EXEC));
	EXPECT_EQ(1, MAP(MIB2, MIB2, 1, RX));
	EXPECT_EQ(MIB2 | EPT_WB | EPT_R | EPT_X, ENTRY(MIB2));
	EXPECT_EQ((MIB2 + KIB4) | EPT_WB | EPT_X, ENTRY(MIB2 + KIB4));
}

TEST_F(npt, what_no_leaf_can_be_changes_nothing)
{
	u64 before;

	EXPECT_EQ(0, MAP(0x5000, 0x7000, 1, RX));
	before = ENTRY(0x5000);
	EXPECT_EQ(-EINVAL, MAP(0x5000, 0x7000, 1, LODGE_NPT_WRITE));
	EXPECT_EQ(-EINVAL, MAP(GIB1, 0x7000, 1, LODGE_NPT_WRITE));
	EXPECT_EQ(before, ENTRY(0x5000));
	EXPECT_EQ(4, self->npt.tables);
}

/*
 * Capabilities of the processor
 */

TEST(ept_needs_a_walk_of_four_levels_or_five)
{
	struct lodge_npt_format format;

	EXPECT_EQ(-EOPNOTSUPP,
		  lodge_npt_format_ept(&format, CAP_ALL & ~CAP_WALK_4, 46,
				       true));
	EXPECT_EQ(0, lodge_npt_format_ept(&format, CAP_ALL, 46, true));
	EXPECT_EQ(0, lodge_npt_format_ept(&format,
					  (CAP_ALL & ~CAP_WALK_4) | CAP_WALK_5,
					  46, true));
	EXPECT_EQ(5, format.levels);
}

TEST(ept_needs_tables_that_are_cached)
{
	struct lodge_npt_format format;

	EXPECT_EQ(-EOPNOTSUPP,
		  lodge_npt_format_ept(&format, CAP_ALL & ~CAP_WB, 46, true));
}

TEST(ept_has_five_levels_only_where_four_do_not_reach)
{
	EXPECT_EQ(4, ept(CAP_ALL | CAP_WALK_5, 46).levels);
	EXPECT_EQ(4, ept(CAP_ALL | CAP_WALK_5, 48).levels);
	EXPECT_EQ(5, ept(CAP_ALL | CAP_WALK_5, 49).levels);
	EXPECT_EQ(5, ept(CAP_ALL | CAP_WALK_5, 52).levels);
	EXPECT_EQ(4, ept(CAP_ALL, 52).levels);
}

TEST(ept_has_the_leaves_that_the_processor_has)
{
	u64 none = CAP_WALK_4 | CAP_WB;

	EXPECT_EQ(1, ept(none, 46).max_leaf);
	EXPECT_EQ(1, ept(none | CAP_1G, 46).max_leaf);
	EXPECT_EQ(2, ept(none | CAP_2M, 46).max_leaf);
	EXPECT_EQ(3, ept(none | CAP_2M | CAP_1G, 46).max_leaf);
}

/* Intel SDM vol. 3C, section 25.6.11. */
TEST(the_ept_pointer_says_how_to_walk)
{
	struct lodge_npt_format format = ept(CAP_ALL | CAP_WALK_5, 52);
	struct lodge_npt npt;

	ASSERT_EQ(0, lodge_npt_init(&npt, &format));
	EXPECT_EQ(lodge_npt_root(&npt) | 6 | 4 << 3 | 1 << 6,
		  lodge_npt_eptp(&npt));
	format = ept(CAP_ALL, 46);
	EXPECT_EQ(lodge_npt_root(&npt) | 6 | 3 << 3 | 1 << 6,
		  lodge_npt_eptp(&npt));
	format = ept(CAP_OLD, 46);
	EXPECT_EQ(lodge_npt_root(&npt) | 6 | 3 << 3, lodge_npt_eptp(&npt));
	lodge_npt_fini(&npt);
}

/* Maps, finds and removes a page above 48 bits. */
static void reach_beyond_48_bits(struct __test_metadata *_metadata,
				 struct lodge_npt_format format)
{
	struct lodge_npt_cache cache = {};
	struct lodge_npt npt;
	u64 gpa = (1ULL << 51) + MIB2 + KIB4;

	ASSERT_EQ(0, lodge_npt_init(&npt, &format));
	EXPECT_EQ(0, npt_map(&npt, &cache, gpa, 0x7000, 1, RX));
	EXPECT_EQ(0x7000, npt_translate(&npt, gpa));
	EXPECT_EQ(~0ULL, npt_translate(&npt, gpa & GENMASK_ULL(47, 0)));
	EXPECT_EQ(5, npt.tables);
	EXPECT_TRUE(lodge_npt_unmap(&npt, 0, ~0ULL));
	npt_flush(&npt);
	EXPECT_EQ(1, npt.tables);
	lodge_npt_fini(&npt);
	lodge_npt_cache_free(&cache);
}

TEST(amds_five_levels_reach_beyond_48_bits)
{
	struct lodge_npt_format format;

	lodge_npt_format_amd(&format, 5, true, AMD_RESERVED);
	reach_beyond_48_bits(_metadata, format);
}

TEST(intels_five_levels_reach_beyond_48_bits)
{
	reach_beyond_48_bits(_metadata, ept(CAP_ALL | CAP_WALK_5, 52));
}

TEST_HARNESS_MAIN
