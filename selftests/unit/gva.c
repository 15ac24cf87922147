// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of segmentation, and of the guest page walk with tables in a small memory:
 * translations, all rights, all error codes, accessed and dirty bits.
 */
#include "gva.h"

#include "kselftest_harness.h"

#define GP 13
#define SS 12
#define PF 14

#define CR0_PE_PG 0x80000001ULL
#define CR0_WP 0x10000ULL
#define CR4_PSE 0x10ULL
#define CR4_PAE 0x20ULL
#define CR4_LA57 0x1000ULL
#define CR4_SMEP 0x100000ULL
#define CR4_SMAP 0x200000ULL
#define CR4_PKE 0x400000ULL
#define EFER_LMA 0x400ULL
#define EFER_NXE 0x800ULL
#define RFLAGS_AC 0x40000ULL

#define P 0x1ULL
#define W 0x2ULL
#define U 0x4ULL
#define A 0x20ULL
#define D 0x40ULL
#define PS 0x80ULL
#define NX (1ULL << 63)

#define READ LODGE_ACCESS_READ
#define WRITE LODGE_ACCESS_WRITE
#define FETCH LODGE_ACCESS_FETCH
#define IMPLICIT LODGE_ACCESS_IMPLICIT

#define MEMORY_BYTES 0x8000
#define FAR_AWAY -ENXIO

/* Guest memory, and its changes by other processors. */
struct guest {
	u8 memory[MEMORY_BYTES];
	int reads;
	int updates;
	int races; /* number of updates that find the entry changed */
	struct lodge_paging paging;
};

static int guest_read(void *opaque, u64 gpa, u64 *entry, size_t size)
{
	struct guest *g = opaque;

	g->reads++;
	if (gpa > MEMORY_BYTES - size)
		return FAR_AWAY;
	*entry = 0;
	memcpy(entry, g->memory + gpa, size);
	return 0;
}

static int guest_update(void *opaque, u64 gpa, u64 old, u64 new, size_t size)
{
	struct guest *g = opaque;

	if (gpa > MEMORY_BYTES - size)
		return FAR_AWAY;
	if (g->races) {
		g->races--;
		return -EAGAIN;
	}
	g->updates++;
	if (memcmp(g->memory + gpa, &old, size))
		return -EAGAIN;
	memcpy(g->memory + gpa, &new, size);
	return 0;
}

static void put64(struct guest *g, u64 gpa, u64 entry)
{
	memcpy(g->memory + gpa, &entry, 8);
}

static u64 get64(const struct guest *g, u64 gpa)
{
	u64 entry;

	memcpy(&entry, g->memory + gpa, 8);
	return entry;
}

static void put32(struct guest *g, u64 gpa, u32 entry)
{
	memcpy(g->memory + gpa, &entry, 4);
}

static u32 get32(const struct guest *g, u64 gpa)
{
	u32 entry;

	memcpy(&entry, g->memory + gpa, 4);
	return entry;
}

static struct lodge_paging paging(struct guest *g)
{
	return (struct lodge_paging){
		.cr0 = CR0_PE_PG | CR0_WP,
		.cr3 = 0x1000,
		.phys_bits = 40,
		.huge_1g = true,
		.read = guest_read,
		.update = guest_update,
		.opaque = g,
	};
}

/* LINEAR, and the addresses of its entries in the tables of the fixtures. */
#define LINEAR 0x0000008040201abcULL
#define PML4E 0x1008
#define PDPTE 0x2008
#define PDE 0x3008
#define PTE 0x4008
#define FRAME 0x5000ULL

FIXTURE(long_mode)
{
	struct guest g;
	struct lodge_translation t;
	struct lodge_fault fault;
};

FIXTURE_SETUP(long_mode)
{
	memset(self, 0, sizeof(*self));
	self->g.paging = paging(&self->g);
	self->g.paging.cr4 = CR4_PAE;
	self->g.paging.efer = EFER_LMA | EFER_NXE;
	put64(&self->g, PML4E, 0x2000 | P | W | U);
	put64(&self->g, PDPTE, 0x3000 | P | W | U);
	put64(&self->g, PDE, 0x4000 | P | W | U);
	put64(&self->g, PTE, FRAME | P | W | U);
}

FIXTURE_TEARDOWN(long_mode)
{
}

#define WALK(access)                                                \
	lodge_gva_walk(&self->g.paging, LINEAR, (access), &self->t, \
		       &self->fault)

/* Expects that the walk faults with error code @code. */
#define EXPECT_PF(access, code)                            \
	do {                                               \
		ASSERT_EQ(LODGE_FAULT, WALK(access));      \
		EXPECT_EQ(PF, self->fault.vector);         \
		EXPECT_TRUE(self->fault.has_error);        \
		EXPECT_EQ((u32)(code), self->fault.error); \
		EXPECT_EQ(LINEAR, self->fault.address);    \
	} while (0)

TEST_F(long_mode, small_page_is_found)
{
	ASSERT_EQ(0, WALK(READ));
	EXPECT_EQ(FRAME | 0xabc, self->t.gpa);
	EXPECT_EQ(0x1000U, self->t.page_size);
	EXPECT_EQ(4, self->g.reads);
}

TEST_F(long_mode, page_of_2_mib_is_found)
{
	put64(&self->g, PDE, 0x2345600000 | P | W | U | PS);
	ASSERT_EQ(0, WALK(READ));
	EXPECT_EQ(0x2345600000U | 0x1abc, self->t.gpa);
	EXPECT_EQ(0x200000U, self->t.page_size);
}

TEST_F(long_mode, page_of_1_gib_is_found)
{
	put64(&self->g, PDPTE, 0xc0000000 | P | W | U | PS);
	ASSERT_EQ(0, WALK(READ));
	EXPECT_EQ(0xc0201abcU, self->t.gpa);
	EXPECT_EQ(0x40000000U, self->t.page_size);
}

TEST_F(long_mode, page_of_1_gib_is_reserved_where_there_is_none)
{
	self->g.paging.huge_1g = false;
	put64(&self->g, PDPTE, 0xc0000000 | P | W | U | PS);
	EXPECT_PF(READ, 0x09);
}

TEST_F(long_mode, missing_entry_faults_at_every_level)
{
	static const u16 entries[] = { PTE, PDE, PDPTE, PML4E };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(entries); i++) {
		put64(&self->g, entries[i], ~P & 0xffffffff);
		EXPECT_PF(READ, 0);
		EXPECT_PF(WRITE, 0x02);
		EXPECT_PF(FETCH, 0x10);
	}
	self->g.paging.cpl = 3;
	EXPECT_PF(READ | WRITE, 0x06);
}

TEST_F(long_mode, fetch_bit_needs_nxe_or_smep)
{
	put64(&self->g, PTE, 0);
	self->g.paging.efer = EFER_LMA;
	EXPECT_PF(FETCH, 0);
	self->g.paging.cr4 |= CR4_SMEP;
	EXPECT_PF(FETCH, 0x10);
}

TEST_F(long_mode, reserved_bits_fault_at_every_level)
{
	static const u16 entries[] = { PTE, PDE, PDPTE, PML4E };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(entries); i++) {
		put64(&self->g, entries[i], 0x5000 | P | 1ULL << 40);
		EXPECT_PF(WRITE, 0x0b);
		put64(&self->g, entries[i], 0x5000 | P | 1ULL << 51);
		EXPECT_PF(READ, 0x09);
	}
}

TEST_F(long_mode, all_52_bits_can_be_used)
{
	self->g.paging.phys_bits = 52;
	put64(&self->g, PTE, 0xffffffffff000 | P);
	ASSERT_EQ(0, WALK(READ));
	EXPECT_EQ(0xffffffffffabcU, self->t.gpa);
}

TEST_F(long_mode, large_pages_have_reserved_address_bits)
{
	put64(&self->g, PDE, 0x202000 | P | PS);
	EXPECT_PF(READ, 0x09);
	put64(&self->g, PDE, 0x201000 | P | PS); /* bit 12 is PAT */
	EXPECT_EQ(0, WALK(READ));
}

TEST_F(long_mode, size_bit_is_reserved_in_the_root)
{
	put64(&self->g, PML4E, 0x2000 | P | W | U | PS);
	EXPECT_PF(READ, 0x09);
}

TEST_F(long_mode, nx_is_reserved_without_nxe)
{
	self->g.paging.efer = EFER_LMA;
	put64(&self->g, PTE, FRAME | P | NX);
	EXPECT_PF(READ, 0x09);
}

TEST_F(long_mode, nx_at_any_level_forbids_only_fetches)
{
	put64(&self->g, PDPTE, 0x3000 | P | W | U | NX);
	EXPECT_PF(FETCH, 0x11);
	EXPECT_EQ(0, WALK(READ | WRITE));
}

TEST_F(long_mode, user_needs_the_user_bit_at_every_level)
{
	self->g.paging.cpl = 3;
	EXPECT_EQ(0, WALK(READ));
	put64(&self->g, PDE, 0x4000 | P | W);
	EXPECT_PF(READ, 0x05);
	EXPECT_PF(FETCH, 0x15);
}

TEST_F(long_mode, implicit_access_is_supervisor_at_any_level)
{
	self->g.paging.cpl = 3;
	put64(&self->g, PDE, 0x4000 | P | W);
	EXPECT_EQ(0, WALK(READ | IMPLICIT));
	put64(&self->g, PTE, 0);
	EXPECT_PF(WRITE | IMPLICIT, 0x02);
}

TEST_F(long_mode, write_to_a_read_only_page_faults)
{
	put64(&self->g, PML4E, 0x2000 | P | U);
	EXPECT_PF(WRITE, 0x03);
	EXPECT_PF(READ | WRITE, 0x03);
	EXPECT_EQ(0, WALK(READ));
}

TEST_F(long_mode, without_wp_only_users_heed_read_only)
{
	put64(&self->g, PTE, FRAME | P | U);
	self->g.paging.cr0 &= ~CR0_WP;
	EXPECT_EQ(0, WALK(WRITE));
	self->g.paging.cpl = 3;
	EXPECT_PF(WRITE, 0x07);
}

TEST_F(long_mode, smep_forbids_the_supervisor_to_fetch_from_user_pages)
{
	self->g.paging.cr4 |= CR4_SMEP;
	EXPECT_PF(FETCH, 0x11);
	EXPECT_EQ(0, WALK(READ));
	self->g.paging.cpl = 3;
	EXPECT_EQ(0, WALK(FETCH));
}

TEST_F(long_mode, smap_forbids_the_supervisor_to_touch_user_data)
{
	self->g.paging.cr4 |= CR4_SMAP;
	EXPECT_PF(READ, 0x01);
	EXPECT_EQ(0, WALK(FETCH));
	put64(&self->g, PTE, FRAME | P | W);
	EXPECT_EQ(0, WALK(READ));
}

TEST_F(long_mode, ac_lifts_smap_but_not_for_implicit_accesses)
{
	self->g.paging.cr4 |= CR4_SMAP;
	self->g.paging.rflags = RFLAGS_AC;
	EXPECT_EQ(0, WALK(WRITE));
	EXPECT_PF(READ | IMPLICIT, 0x01);
	self->g.paging.cpl = 3;
	EXPECT_PF(READ | IMPLICIT, 0x01);
}

TEST_F(long_mode, protection_key_forbids_access)
{
	self->g.paging.cr4 |= CR4_PKE;
	self->g.paging.pkru = 1 << (2 * 5);
	put64(&self->g, PTE, FRAME | P | W | U | 5ULL << 59);
	EXPECT_PF(READ, 0x21);
	EXPECT_PF(WRITE, 0x23);
	EXPECT_EQ(0, WALK(FETCH));
	self->g.paging.cr4 &= ~CR4_PKE;
	EXPECT_EQ(0, WALK(READ));
}

TEST_F(long_mode, protection_key_forbids_writes)
{
	self->g.paging.cr4 |= CR4_PKE;
	self->g.paging.pkru = 2U << (2 * 15);
	put64(&self->g, PTE, FRAME | P | W | U | 15ULL << 59);
	EXPECT_EQ(0, WALK(READ));
	EXPECT_PF(WRITE, 0x23);
	self->g.paging.cr0 &= ~CR0_WP;
	EXPECT_EQ(0, WALK(WRITE));
	self->g.paging.cpl = 3;
	EXPECT_PF(WRITE, 0x27);
}

TEST_F(long_mode, protection_keys_leave_supervisor_pages_alone)
{
	self->g.paging.cr4 |= CR4_PKE;
	self->g.paging.pkru = ~0U;
	put64(&self->g, PTE, FRAME | P | W);
	EXPECT_EQ(0, WALK(WRITE));
}

TEST_F(long_mode, read_sets_accessed_at_every_level)
{
	ASSERT_EQ(0, WALK(READ));
	EXPECT_EQ(0x2000 | P | W | U | A, get64(&self->g, PML4E));
	EXPECT_EQ(0x3000 | P | W | U | A, get64(&self->g, PDPTE));
	EXPECT_EQ(0x4000 | P | W | U | A, get64(&self->g, PDE));
	EXPECT_EQ(FRAME | P | W | U | A, get64(&self->g, PTE));
}

TEST_F(long_mode, write_sets_dirty_in_the_leaf_only)
{
	ASSERT_EQ(0, WALK(WRITE));
	EXPECT_EQ(0x4000 | P | W | U | A, get64(&self->g, PDE));
	EXPECT_EQ(FRAME | P | W | U | A | D, get64(&self->g, PTE));
}

TEST_F(long_mode, bits_already_set_are_not_written_again)
{
	ASSERT_EQ(0, WALK(WRITE));
	self->g.updates = 0;
	ASSERT_EQ(0, WALK(READ | WRITE));
	EXPECT_EQ(0, self->g.updates);
}

TEST_F(long_mode, fault_leaves_the_tables_unchanged)
{
	put64(&self->g, PTE, FRAME | P | U);
	EXPECT_PF(WRITE, 0x03);
	EXPECT_EQ(0, self->g.updates);
	EXPECT_EQ(0x2000 | P | W | U, get64(&self->g, PML4E));
}

TEST_F(long_mode, walk_starts_over_when_an_entry_has_changed)
{
	self->g.races = 3;
	ASSERT_EQ(0, WALK(READ));
	EXPECT_EQ(16, self->g.reads);
	EXPECT_EQ(FRAME | P | W | U | A, get64(&self->g, PTE));
}

TEST_F(long_mode, walk_gives_up_when_entries_keep_changing)
{
	self->g.races = 1000000;
	EXPECT_EQ(-EBUSY, WALK(READ));
	EXPECT_LT(900000, self->g.races);
}

TEST_F(long_mode, errors_of_the_callbacks_are_passed_on)
{
	put64(&self->g, PDE, 0x40000000 | P | W | U);
	EXPECT_EQ(FAR_AWAY, WALK(READ));
}

TEST_F(long_mode, la57_is_refused)
{
	self->g.paging.cr4 |= CR4_LA57;
	EXPECT_EQ(-EOPNOTSUPP, WALK(READ));
}

TEST_F(long_mode, without_paging_addresses_are_physical)
{
	self->g.paging.cr0 = 1;
	ASSERT_EQ(0, lodge_gva_walk(&self->g.paging, 0xfee00020, WRITE,
				    &self->t, &self->fault));
	EXPECT_EQ(0xfee00020U, self->t.gpa);
	EXPECT_EQ(0, self->g.reads);
}

#undef LINEAR
#define LINEAR 0x40601abcULL

FIXTURE(pae)
{
	struct guest g;
	struct lodge_translation t;
	struct lodge_fault fault;
};

FIXTURE_SETUP(pae)
{
	memset(self, 0, sizeof(*self));
	self->g.paging = paging(&self->g);
	self->g.paging.cr3 = 0x1020;
	self->g.paging.cr4 = CR4_PAE;
	put64(&self->g, 0x1028, 0x3000 | P);
	put64(&self->g, 0x3018, 0x4000 | P | W | U);
	put64(&self->g, PTE, 0x8000005000 | P | W | U);
}

FIXTURE_TEARDOWN(pae)
{
}

TEST_F(pae, root_is_32_byte_aligned_and_has_no_rights)
{
	self->g.paging.cpl = 3;
	ASSERT_EQ(0, WALK(WRITE));
	EXPECT_EQ(0x8000005abcU, self->t.gpa);
	EXPECT_EQ(0x3000 | P, get64(&self->g, 0x1028));
	EXPECT_EQ(0x8000005000 | P | W | U | A | D, get64(&self->g, PTE));
}

TEST_F(pae, root_entry_has_reserved_bits)
{
	put64(&self->g, 0x1028, 0x3000 | P | W);
	EXPECT_PF(READ, 0x09);
	put64(&self->g, 0x1028, 0x3000 | P | 1ULL << 63);
	EXPECT_PF(READ, 0x09);
}

TEST_F(pae, page_of_2_mib_is_found)
{
	put64(&self->g, 0x3018, 0x8000200000 | P | PS);
	ASSERT_EQ(0, WALK(READ));
	EXPECT_EQ(0x8000201abcU, self->t.gpa);
	EXPECT_EQ(0x200000U, self->t.page_size);
}

TEST_F(pae, high_bits_of_entries_are_reserved)
{
	put64(&self->g, PTE, 0x5000 | P | 1ULL << 59);
	EXPECT_PF(READ, 0x09);
}

TEST_F(pae, address_is_cut_to_32_bits)
{
	ASSERT_EQ(0, lodge_gva_walk(&self->g.paging, 0xffff00000000 | LINEAR,
				    READ, &self->t, &self->fault));
	EXPECT_EQ(0x8000005abcU, self->t.gpa);
}

#undef LINEAR
#define LINEAR 0x00402abcULL

FIXTURE(two_level)
{
	struct guest g;
	struct lodge_translation t;
	struct lodge_fault fault;
};

FIXTURE_SETUP(two_level)
{
	memset(self, 0, sizeof(*self));
	self->g.paging = paging(&self->g);
	put32(&self->g, 0x1004, 0x4000 | P | W | U);
	put32(&self->g, 0x4008, 0x5000 | P | W | U);
	put32(&self->g, 0x400c, 0x11111111);
}

FIXTURE_TEARDOWN(two_level)
{
}

TEST_F(two_level, small_page_is_found)
{
	ASSERT_EQ(0, WALK(WRITE));
	EXPECT_EQ(0x5abcU, self->t.gpa);
	EXPECT_EQ(0x5000 | P | W | U | A | D, get32(&self->g, 0x4008));
	EXPECT_EQ(0x11111111U, get32(&self->g, 0x400c));
}

TEST_F(two_level, size_bit_needs_pse)
{
	put32(&self->g, 0x1004, 0x4000 | P | W | U | PS);
	ASSERT_EQ(0, WALK(READ));
	EXPECT_EQ(0x1000U, self->t.page_size);
}

TEST_F(two_level, page_of_4_mib_has_40_address_bits)
{
	self->g.paging.cr4 = CR4_PSE;
	put32(&self->g, 0x1004, 0x80000000 | 0xabU << 13 | P | W | U | PS);
	ASSERT_EQ(0, WALK(READ));
	EXPECT_EQ(0xab80002abcU, self->t.gpa);
	EXPECT_EQ(0x400000U, self->t.page_size);
}

TEST_F(two_level, page_of_4_mib_has_reserved_bits)
{
	self->g.paging.cr4 = CR4_PSE;
	put32(&self->g, 0x1004, 1 << 21 | P | PS);
	EXPECT_PF(READ, 0x09);
	self->g.paging.phys_bits = 36;
	put32(&self->g, 0x1004, 1 << 17 | P | PS);
	EXPECT_PF(READ, 0x09);
	put32(&self->g, 0x1004, 1 << 16 | P | PS);
	EXPECT_EQ(0, WALK(READ));
}

TEST_F(two_level, there_is_no_nx)
{
	self->g.paging.efer = EFER_NXE;
	EXPECT_EQ(0, WALK(FETCH));
	put32(&self->g, 0x4008, 0);
	EXPECT_PF(FETCH, 0);
}

#define CODE 0xc9b
#define CODE_EXECUTE_ONLY 0xc99
#define DATA 0xc93
#define DATA_READ_ONLY 0xc91
#define DATA_DOWN 0xc97
#define DATA_DOWN_16 0x097

FIXTURE(segment)
{
	struct lodge_segments segs;
	struct lodge_segmentation s;
	struct lodge_fault fault;
	u64 linear;
};

FIXTURE_SETUP(segment)
{
	memset(self, 0, sizeof(*self));
	self->s.segs = &self->segs;
	self->s.mode = LODGE_MODE_32;
	self->s.protect = true;
	self->segs.seg[LODGE_DS] = (struct lodge_segment){ .base = 0x10000,
							   .limit = 0xfff,
							   .attr = DATA };
	self->segs.seg[LODGE_SS] = self->segs.seg[LODGE_DS];
	self->segs.seg[LODGE_CS] = self->segs.seg[LODGE_DS];
	self->segs.seg[LODGE_CS].attr = CODE;
}

FIXTURE_TEARDOWN(segment)
{
}

#define LINEAR_OF(seg, offset, size, access)                      \
	lodge_linear(&self->s, (seg), (offset), (size), (access), \
		     &self->linear, &self->fault)

TEST_F(segment, base_is_added)
{
	ASSERT_EQ(0, LINEAR_OF(LODGE_DS, 0xffc, 4, READ | WRITE));
	EXPECT_EQ(0x10ffcU, self->linear);
}

TEST_F(segment, last_byte_must_be_within_the_limit)
{
	ASSERT_EQ(LODGE_FAULT, LINEAR_OF(LODGE_DS, 0xffd, 4, READ));
	EXPECT_EQ(GP, self->fault.vector);
	EXPECT_TRUE(self->fault.has_error);
	EXPECT_EQ(0U, self->fault.error);
	EXPECT_EQ(LODGE_FAULT, LINEAR_OF(LODGE_DS, ~0ULL, 2, READ));
}

TEST_F(segment, stack_has_its_own_fault)
{
	ASSERT_EQ(LODGE_FAULT, LINEAR_OF(LODGE_SS, 0x1000, 1, READ));
	EXPECT_EQ(SS, self->fault.vector);
}

TEST_F(segment, null_segment_cannot_be_used)
{
	EXPECT_EQ(LODGE_FAULT, LINEAR_OF(LODGE_ES, 0, 1, READ));
}

TEST_F(segment, type_limits_the_access)
{
	EXPECT_EQ(0, LINEAR_OF(LODGE_CS, 0, 1, READ));
	EXPECT_EQ(0, LINEAR_OF(LODGE_CS, 0, 1, FETCH));
	EXPECT_EQ(LODGE_FAULT, LINEAR_OF(LODGE_CS, 0, 1, WRITE));
	EXPECT_EQ(LODGE_FAULT, LINEAR_OF(LODGE_DS, 0, 1, FETCH));
	self->segs.seg[LODGE_CS].attr = CODE_EXECUTE_ONLY;
	EXPECT_EQ(LODGE_FAULT, LINEAR_OF(LODGE_CS, 0, 1, READ));
	self->segs.seg[LODGE_DS].attr = DATA_READ_ONLY;
	EXPECT_EQ(LODGE_FAULT, LINEAR_OF(LODGE_DS, 0, 1, READ | WRITE));
	EXPECT_EQ(0, LINEAR_OF(LODGE_DS, 0, 1, READ));
}

TEST_F(segment, real_mode_ignores_the_type)
{
	self->s.protect = false;
	EXPECT_EQ(0, LINEAR_OF(LODGE_CS, 0, 1, WRITE));
	EXPECT_EQ(LODGE_FAULT, LINEAR_OF(LODGE_CS, 0x1000, 1, WRITE));
}

TEST_F(segment, expand_down_begins_above_the_limit)
{
	self->segs.seg[LODGE_DS].attr = DATA_DOWN;
	EXPECT_EQ(LODGE_FAULT, LINEAR_OF(LODGE_DS, 0xfff, 1, READ));
	EXPECT_EQ(0, LINEAR_OF(LODGE_DS, 0x1000, 1, READ));
	EXPECT_EQ(0, LINEAR_OF(LODGE_DS, 0xfffffffc, 4, READ));
	EXPECT_EQ(LODGE_FAULT, LINEAR_OF(LODGE_DS, 0xfffffffd, 4, READ));
	self->segs.seg[LODGE_DS].attr = DATA_DOWN_16;
	EXPECT_EQ(0, LINEAR_OF(LODGE_DS, 0xffff, 1, READ));
	EXPECT_EQ(LODGE_FAULT, LINEAR_OF(LODGE_DS, 0xffff, 2, READ));
}

TEST_F(segment, linear_address_wraps_at_4_gib)
{
	self->segs.seg[LODGE_DS].base = 0xfffff000;
	self->segs.seg[LODGE_DS].limit = 0xffffffff;
	ASSERT_EQ(0, LINEAR_OF(LODGE_DS, 0x1234, 4, READ));
	EXPECT_EQ(0x234U, self->linear);
}

TEST_F(segment, in_64_bit_mode_only_fs_and_gs_have_a_base)
{
	self->s.mode = LODGE_MODE_64;
	self->segs.seg[LODGE_GS].base = 0xffff800000000000;
	ASSERT_EQ(0, LINEAR_OF(LODGE_DS, 0x12345678, 8, WRITE));
	EXPECT_EQ(0x12345678U, self->linear);
	ASSERT_EQ(0, LINEAR_OF(LODGE_GS, 0x10, 8, WRITE));
	EXPECT_EQ(0xffff800000000010U, self->linear);
}

TEST_F(segment, in_64_bit_mode_every_byte_must_be_canonical)
{
	self->s.mode = LODGE_MODE_64;
	EXPECT_EQ(0, LINEAR_OF(LODGE_DS, 0x7ffffffffff8, 8, READ));
	EXPECT_EQ(LODGE_FAULT, LINEAR_OF(LODGE_DS, 0x7ffffffffff9, 8, READ));
	EXPECT_EQ(GP, self->fault.vector);
	EXPECT_EQ(LODGE_FAULT, LINEAR_OF(LODGE_SS, 0x800000000000, 8, READ));
	EXPECT_EQ(SS, self->fault.vector);
	EXPECT_EQ(0, LINEAR_OF(LODGE_DS, 0xffff800000000000, 8, READ));
	EXPECT_EQ(LODGE_FAULT, LINEAR_OF(LODGE_DS, ~0ULL, 2, READ));
}

TEST_HARNESS_MAIN
