// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of descriptors: reading and decoding them, and each check before a segment
 * register is loaded, with its exception and the order of the checks.
 */
#include "descriptor.h"
#include "processor.h"

#include "kselftest_harness.h"

#define TS X86_TRAP_TS
#define NP X86_TRAP_NP
#define SS X86_TRAP_SS
#define GP X86_TRAP_GP
#define PF 14

#define MEMORY_BYTES 0x1000
#define GDT 0x100U
#define GDT_BYTES 0x80U
#define LDT 0x203U /* not a multiple of 8 */
#define SELECTOR 0x28
#define LOCAL 0x1c /* index 3 */

/* Access bytes. */
#define P 0x80
#define DPL(n) ((n) << 5)
#define DATA_RO 0x10
#define DATA 0x12
#define CODE_X 0x18
#define CODE 0x1a
#define CONFORMING 0x1e
#define A 0x01

#define BITS64 0x2 /* flags */
#define BITS32 0x4
#define PAGES 0x8

struct guest {
	u8 memory[MEMORY_BYTES];
	int answer; /* result of the next read */
	int reads;
	int updates;
	bool race; /* an update finds that the descriptor has changed */
	struct lodge_segments segs;
	struct lodge_descriptors t;
};

static int guest_read(void *opaque, u64 linear, void *data, size_t size,
		      struct lodge_fault *fault)
{
	struct guest *g = opaque;

	g->reads++;
	if (g->answer == LODGE_FAULT)
		*fault = (struct lodge_fault){ PF, true, 0, linear };
	if (g->answer)
		return g->answer;
	if (linear > MEMORY_BYTES - size)
		return -ENXIO;
	memcpy(data, g->memory + linear, size);
	return 0;
}

static int guest_update(void *opaque, u64 linear, u8 old, u8 new,
			struct lodge_fault *fault)
{
	struct guest *g = opaque;

	if (linear >= MEMORY_BYTES)
		return -ENXIO;
	if (g->race || g->memory[linear] != old)
		return -EBUSY;
	g->updates++;
	g->memory[linear] = new;
	return 0;
}

static void put(struct guest *g, u16 selector, u64 base, u32 limit, u8 access,
		u8 flags)
{
	u32 at = (selector & LODGE_SELECTOR_TI ? LDT : GDT) + (selector & ~7U);
	u64 raw = (limit & 0xffff) | (base & 0xffffff) << 16 |
		  (u64)access << 40 | (u64)(limit >> 16 & 0xf) << 48 |
		  (u64)flags << 52 | (base >> 24 & 0xff) << 56;

	memcpy(g->memory + at, &raw, sizeof(raw));
}

static u8 access_byte(const struct guest *g, u16 selector)
{
	u32 at = (selector & LODGE_SELECTOR_TI ? LDT : GDT) + (selector & ~7U);

	return g->memory[at + 5];
}

FIXTURE(descriptor)
{
	struct guest g;
	struct lodge_descriptor d;
	struct lodge_segment s;
	struct lodge_fault fault;
};

FIXTURE_SETUP(descriptor)
{
	struct guest *g = &self->g;

	memset(self, 0, sizeof(*self));
	g->segs.gdt.base = GDT;
	g->segs.gdt.limit = GDT_BYTES - 1;
	g->segs.seg[LODGE_LDTR] = (struct lodge_segment){
		.base = LDT, .limit = 0x3f, .attr = LODGE_SEG_P | 2
	};
	g->t.segs = &g->segs;
	g->t.vector = GP;
	g->t.read = guest_read;
	g->t.update = guest_update;
	g->t.opaque = g;
}

FIXTURE_TEARDOWN(descriptor)
{
}

#define READ(selector) \
	lodge_descriptor_read(&self->g.t, selector, &self->d, &self->fault)
#define LOAD(seg, selector)                                           \
	lodge_descriptor_load_data(&self->g.t, LODGE_##seg, selector, \
				   &self->s, &self->fault)
#define LOAD_LDT(selector) \
	lodge_descriptor_load_ldt(&self->g.t, selector, &self->s, &self->fault)
#define LOAD_TSS(selector) \
	lodge_descriptor_load_tss(&self->g.t, selector, &self->s, &self->fault)
#define PUT(selector, access) put(&self->g, selector, 0x1000, 0xfff, access, 0)

#define EXPECT_FAULT(v, code, call)                        \
	do {                                               \
		EXPECT_EQ(LODGE_FAULT, (call));            \
		EXPECT_EQ(v, self->fault.vector);          \
		EXPECT_TRUE(self->fault.has_error);        \
		EXPECT_EQ((u32)(code), self->fault.error); \
	} while (0)

TEST_F(descriptor, base_limit_and_attributes_are_put_together)
{
	put(&self->g, SELECTOR, 0x89abcdef, 0xfedcb, P | DATA, BITS32);
	ASSERT_EQ(0, READ(SELECTOR | 3));
	EXPECT_EQ(0x89abcdefU, self->d.segment.base);
	EXPECT_EQ(0xfedcbU, self->d.segment.limit);
	EXPECT_EQ(SELECTOR | 3, self->d.segment.selector);
	EXPECT_EQ(P | DATA | LODGE_SEG_DB, self->d.segment.attr);
}

TEST_F(descriptor, limit_in_pages_becomes_bytes)
{
	put(&self->g, SELECTOR, 0, 0xfffff, P | CODE, BITS64 | PAGES);
	ASSERT_EQ(0, READ(SELECTOR));
	EXPECT_EQ(0xffffffffU, self->d.segment.limit);
	EXPECT_EQ(P | CODE | LODGE_SEG_L | LODGE_SEG_G, self->d.segment.attr);
	put(&self->g, SELECTOR, 0, 0, P | CODE, PAGES);
	ASSERT_EQ(0, READ(SELECTOR));
	EXPECT_EQ(0xfffU, self->d.segment.limit);
}

TEST_F(descriptor, local_selector_reads_the_local_table)
{
	put(&self->g, LOCAL, 0x1234, 0x10, P | DATA, 0);
	ASSERT_EQ(0, READ(LOCAL | 1));
	EXPECT_EQ(0x1234U, self->d.segment.base);
	self->g.segs.seg[LODGE_LDTR].attr = 0;
	EXPECT_FAULT(GP, LOCAL, READ(LOCAL | 1));
}

TEST_F(descriptor, selector_beyond_the_limit_is_a_violation)
{
	self->g.segs.gdt.limit = SELECTOR + 6;
	EXPECT_FAULT(GP, SELECTOR, READ(SELECTOR | 3));
	EXPECT_EQ(0, self->g.reads);
	self->g.segs.gdt.limit = SELECTOR + 7;
	EXPECT_EQ(0, READ(SELECTOR));
}

TEST_F(descriptor, null_selector_has_no_descriptor)
{
	int rpl;

	for (rpl = 0; rpl < 4; rpl++)
		EXPECT_FAULT(GP, 0, READ(rpl));
	/* Index 0 of the local table is not a null selector. */
	EXPECT_EQ(0, READ(LODGE_SELECTOR_TI));
}

TEST_F(descriptor, error_code_says_that_the_event_was_external)
{
	self->g.t.external = true;
	self->g.t.vector = TS;
	EXPECT_FAULT(TS, 0x101, READ(0x103));
	EXPECT_FAULT(TS, 1, LOAD(SS, 0));
}

TEST_F(descriptor, faults_and_errors_of_a_read_are_passed_on)
{
	self->g.answer = LODGE_FAULT;
	EXPECT_FAULT(PF, 0, READ(SELECTOR));
	EXPECT_EQ(GDT + SELECTOR, self->fault.address);
	self->g.answer = -EAGAIN;
	EXPECT_EQ(-EAGAIN, LOAD(DS, SELECTOR));
}

TEST_F(descriptor, tables_wrap_at_4_gib_outside_long_mode)
{
	self->g.segs.gdt.base = 0xffffffe0;
	PUT(SELECTOR, P | DATA);
	memcpy(self->g.memory + 8, self->g.memory + GDT + SELECTOR, 8);
	EXPECT_EQ(0, READ(SELECTOR));
	EXPECT_EQ(P | DATA, self->d.segment.attr);
	self->g.t.long_mode = true;
	EXPECT_EQ(-ENXIO, READ(SELECTOR));
}

TEST_F(descriptor, system_descriptors_have_16_bytes_in_long_mode)
{
	self->g.t.long_mode = true;
	put(&self->g, SELECTOR, 0x12345678, 0x67, P | LODGE_SYSTEM_TSS, 0);
	self->g.memory[GDT + SELECTOR + 8] = 0x7f;
	ASSERT_EQ(0, READ(SELECTOR));
	EXPECT_EQ(0x7f12345678ULL, self->d.segment.base);
	/* Descriptors of code and data have eight bytes. */
	self->g.segs.gdt.limit = SELECTOR + 14;
	EXPECT_FAULT(GP, SELECTOR, READ(SELECTOR));
	PUT(SELECTOR, P | DATA);
	EXPECT_EQ(0, READ(SELECTOR));
}

TEST_F(descriptor, upper_half_must_not_look_like_a_descriptor)
{
	self->g.t.long_mode = true;
	PUT(SELECTOR, P | LODGE_SYSTEM_TSS);
	self->g.memory[GDT + SELECTOR + 13] = 0x02;
	EXPECT_FAULT(GP, SELECTOR, READ(SELECTOR));
}

TEST_F(descriptor, loading_marks_the_segment_accessed_once)
{
	PUT(SELECTOR, P | DATA);
	ASSERT_EQ(0, LOAD(DS, SELECTOR));
	EXPECT_EQ(P | DATA | A, access_byte(&self->g, SELECTOR));
	EXPECT_EQ(P | DATA | A, self->s.attr);
	ASSERT_EQ(0, LOAD(ES, SELECTOR));
	EXPECT_EQ(1, self->g.updates);
}

TEST_F(descriptor, lost_race_loads_nothing)
{
	PUT(SELECTOR, P | DATA);
	self->g.race = true;
	self->s.base = 0x77;
	EXPECT_EQ(-EBUSY, LOAD(DS, SELECTOR));
	EXPECT_EQ(0x77U, self->s.base);
}

TEST_F(descriptor, data_segments_and_readable_code_can_be_loaded)
{
	static const u8 good[] = { DATA_RO, DATA, CODE, CONFORMING };
	static const u8 bad[] = { CODE_X, LODGE_SYSTEM_LDT, LODGE_SYSTEM_TSS,
				  LODGE_SYSTEM_CALL, 0 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		PUT(SELECTOR, P | good[i]);
		EXPECT_EQ(0, LOAD(FS, SELECTOR));
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		PUT(SELECTOR, P | bad[i]);
		EXPECT_FAULT(GP, SELECTOR, LOAD(FS, SELECTOR));
		EXPECT_EQ(P | bad[i], access_byte(&self->g, SELECTOR));
	}
}

TEST_F(descriptor, data_needs_the_privilege_of_cpl_and_rpl)
{
	u8 cpl, rpl, dpl;

	for (cpl = 0; cpl < 4; cpl++)
		for (rpl = 0; rpl < 4; rpl++)
			for (dpl = 0; dpl < 4; dpl++) {
				self->g.t.cpl = cpl;
				PUT(SELECTOR, P | DATA | DPL(dpl));
				EXPECT_EQ(cpl <= dpl && rpl <= dpl ?
						  0 :
						  LODGE_FAULT,
					  LOAD(GS, SELECTOR | rpl));
			}
}

TEST_F(descriptor, conforming_code_is_readable_at_any_level)
{
	self->g.t.cpl = 3;
	PUT(SELECTOR, P | CONFORMING);
	EXPECT_EQ(0, LOAD(DS, SELECTOR | 3));
	PUT(SELECTOR, P | CODE);
	EXPECT_FAULT(GP, SELECTOR, LOAD(DS, SELECTOR | 3));
}

TEST_F(descriptor, absent_segments_are_found_after_violations)
{
	PUT(SELECTOR, DATA);
	EXPECT_FAULT(NP, SELECTOR, LOAD(DS, SELECTOR));
	EXPECT_FAULT(SS, SELECTOR, LOAD(SS, SELECTOR));
	PUT(SELECTOR, CODE_X);
	EXPECT_FAULT(GP, SELECTOR, LOAD(DS, SELECTOR));
	EXPECT_FAULT(GP, SELECTOR, LOAD(SS, SELECTOR));
	EXPECT_EQ(0, self->g.updates);
}

TEST_F(descriptor, stack_must_be_writable_data_of_the_same_level)
{
	static const u8 bad[] = { DATA_RO, CODE, CONFORMING, LODGE_SYSTEM_LDT };
	u8 cpl, rpl, dpl;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		PUT(SELECTOR, P | bad[i]);
		EXPECT_FAULT(GP, SELECTOR, LOAD(SS, SELECTOR));
	}
	for (cpl = 0; cpl < 4; cpl++)
		for (rpl = 0; rpl < 4; rpl++)
			for (dpl = 0; dpl < 4; dpl++) {
				self->g.t.cpl = cpl;
				PUT(SELECTOR, P | DATA | DPL(dpl));
				EXPECT_EQ(cpl == dpl && rpl == dpl ?
						  0 :
						  LODGE_FAULT,
					  LOAD(SS, SELECTOR | rpl));
			}
}

TEST_F(descriptor, null_data_segment_cannot_be_used)
{
	self->s.attr = P | DATA;
	ASSERT_EQ(0, LOAD(ES, 3));
	EXPECT_EQ(3, self->s.selector);
	EXPECT_EQ(0, self->s.attr);
	EXPECT_EQ(0, self->g.reads);
}

TEST_F(descriptor, null_stack_is_for_64_bit_mode_below_level_3)
{
	EXPECT_FAULT(GP, 0, LOAD(SS, 0));
	self->g.t.mode64 = true;
	EXPECT_EQ(0, LOAD(SS, 0));
	EXPECT_FAULT(GP, 0, LOAD(SS, 1));
	self->g.t.cpl = 2;
	ASSERT_EQ(0, LOAD(SS, 2));
	EXPECT_EQ(DPL(2), self->s.attr);
	self->g.t.cpl = 3;
	EXPECT_FAULT(GP, 0, LOAD(SS, 3));
}

/* True if CS may be loaded, according to CPL, RPL and DPL. */
static bool code_allowed(u8 cpl, u8 rpl, u8 dpl, bool conforming,
			 enum lodge_code_load load)
{
	switch (load) {
	case LODGE_CODE_BRANCH:
		return conforming ? dpl <= cpl : rpl <= cpl && dpl == cpl;
	case LODGE_CODE_GATE:
		return dpl <= cpl;
	case LODGE_CODE_RETURN:
		return rpl >= cpl && (conforming ? dpl <= rpl : dpl == rpl);
	default:
		return conforming ? dpl <= rpl : dpl == rpl;
	}
}

static int check_code(struct guest *g, u16 selector, enum lodge_code_load load,
		      struct lodge_fault *fault)
{
	struct lodge_descriptor d;
	int error = lodge_descriptor_read(&g->t, selector, &d, fault);

	if (!error)
		error = lodge_descriptor_check_code(&g->t, &d, load, fault);
	return error;
}

TEST_F(descriptor, code_needs_its_privileges)
{
	unsigned int n;

	for (n = 0; n < 4 * 4 * 4 * 4 * 2; n++) {
		u8 cpl = n & 3, rpl = n >> 2 & 3, dpl = n >> 4 & 3;
		enum lodge_code_load load = n >> 6 & 3;
		bool conforming = n >> 8;

		self->g.t.cpl = cpl;
		PUT(SELECTOR,
		    P | DPL(dpl) | (conforming ? CONFORMING : CODE_X));
		EXPECT_EQ(code_allowed(cpl, rpl, dpl, conforming, load) ?
				  0 :
				  LODGE_FAULT,
			  check_code(&self->g, SELECTOR | rpl, load,
				     &self->fault));
	}
}

TEST_F(descriptor, code_must_be_code_and_then_present)
{
	struct guest *g = &self->g;

	PUT(SELECTOR, DATA);
	EXPECT_FAULT(GP, SELECTOR,
		     check_code(g, SELECTOR, LODGE_CODE_BRANCH, &self->fault));
	PUT(SELECTOR, CODE | DPL(1));
	EXPECT_FAULT(GP, SELECTOR,
		     check_code(g, SELECTOR, LODGE_CODE_BRANCH, &self->fault));
	PUT(SELECTOR, CODE);
	EXPECT_FAULT(NP, SELECTOR,
		     check_code(g, SELECTOR, LODGE_CODE_BRANCH, &self->fault));
	self->g.t.vector = TS;
	PUT(SELECTOR, P | DATA);
	EXPECT_FAULT(TS, SELECTOR,
		     check_code(g, SELECTOR, LODGE_CODE_TASK, &self->fault));
}

TEST_F(descriptor, code_of_64_and_32_bits_at_once_is_a_violation_in_long_mode)
{
	struct guest *g = &self->g;

	put(g, SELECTOR, 0, 0, P | CODE, BITS64 | BITS32);
	EXPECT_EQ(0, check_code(g, SELECTOR, LODGE_CODE_BRANCH, &self->fault));
	g->t.long_mode = true;
	EXPECT_FAULT(GP, SELECTOR,
		     check_code(g, SELECTOR, LODGE_CODE_BRANCH, &self->fault));
}

TEST_F(descriptor, ldt_is_a_present_ldt_of_the_global_table)
{
	PUT(SELECTOR, P | LODGE_SYSTEM_LDT);
	ASSERT_EQ(0, LOAD_LDT(SELECTOR));
	EXPECT_EQ(0x1000U, self->s.base);
	EXPECT_EQ(0, self->g.updates);
	put(&self->g, LOCAL, 0, 0, P | LODGE_SYSTEM_LDT, 0);
	EXPECT_FAULT(GP, LOCAL, LOAD_LDT(LOCAL));
	PUT(SELECTOR, P | LODGE_SYSTEM_TSS);
	EXPECT_FAULT(GP, SELECTOR, LOAD_LDT(SELECTOR));
	PUT(SELECTOR, P | DATA);
	EXPECT_FAULT(GP, SELECTOR, LOAD_LDT(SELECTOR));
	PUT(SELECTOR, LODGE_SYSTEM_LDT);
	EXPECT_FAULT(NP, SELECTOR, LOAD_LDT(SELECTOR));
	self->g.t.vector = TS;
	EXPECT_FAULT(TS, SELECTOR, LOAD_LDT(SELECTOR));
}

TEST_F(descriptor, bases_of_64_bits_are_canonical)
{
	self->g.t.long_mode = true;
	PUT(SELECTOR, P | LODGE_SYSTEM_LDT);
	self->g.memory[GDT + SELECTOR + 10] = 0x80; /* bit 55 */
	EXPECT_FAULT(GP, SELECTOR, LOAD_LDT(SELECTOR));
	PUT(SELECTOR, P | LODGE_SYSTEM_TSS);
	EXPECT_FAULT(GP, SELECTOR, LOAD_TSS(SELECTOR));
	EXPECT_EQ(P | LODGE_SYSTEM_TSS, access_byte(&self->g, SELECTOR));
	memset(self->g.memory + GDT + SELECTOR + 8, 0xff, 4);
	self->g.memory[GDT + SELECTOR + 9] = 0x80;
	EXPECT_EQ(0, LOAD_TSS(SELECTOR));
	EXPECT_EQ(0xffff80ff00001000U, self->s.base);
}

TEST_F(descriptor, null_ldt_is_none)
{
	self->s.attr = P;
	ASSERT_EQ(0, LOAD_LDT(0));
	EXPECT_EQ(0, self->s.attr);
}

TEST_F(descriptor, loading_a_tss_makes_it_busy)
{
	PUT(SELECTOR, P | LODGE_SYSTEM_TSS);
	ASSERT_EQ(0, LOAD_TSS(SELECTOR));
	EXPECT_EQ(P | LODGE_SYSTEM_TSS_BUSY, access_byte(&self->g, SELECTOR));
	EXPECT_EQ(P | LODGE_SYSTEM_TSS_BUSY, self->s.attr);
	EXPECT_FAULT(GP, SELECTOR, LOAD_TSS(SELECTOR));
	PUT(SELECTOR, P | LODGE_SYSTEM_TSS16);
	self->g.t.long_mode = true;
	EXPECT_FAULT(GP, SELECTOR, LOAD_TSS(SELECTOR));
	self->g.t.long_mode = false;
	EXPECT_EQ(0, LOAD_TSS(SELECTOR));
}

TEST_F(descriptor, tss_is_a_present_one_of_the_global_table)
{
	EXPECT_FAULT(GP, 0, LOAD_TSS(0));
	put(&self->g, LOCAL, 0, 0, P | LODGE_SYSTEM_TSS, 0);
	EXPECT_FAULT(GP, LOCAL, LOAD_TSS(LOCAL));
	PUT(SELECTOR, LODGE_SYSTEM_TSS);
	EXPECT_FAULT(NP, SELECTOR, LOAD_TSS(SELECTOR));
	PUT(SELECTOR, P | LODGE_SYSTEM_LDT);
	EXPECT_FAULT(GP, SELECTOR, LOAD_TSS(SELECTOR));
}

TEST_F(descriptor, a_task_returns_to_a_busy_tss)
{
	PUT(SELECTOR, P | LODGE_SYSTEM_TSS_BUSY);
	ASSERT_EQ(0, READ(SELECTOR));
	EXPECT_EQ(0, lodge_descriptor_check_tss(&self->g.t, &self->d, true,
						&self->fault));
	ASSERT_EQ(0, lodge_descriptor_change_type(&self->g.t, &self->d, 0,
						  LODGE_SYSTEM_BUSY,
						  &self->fault));
	EXPECT_EQ(P | LODGE_SYSTEM_TSS, access_byte(&self->g, SELECTOR));
	EXPECT_FAULT(GP, SELECTOR,
		     lodge_descriptor_check_tss(&self->g.t, &self->d, true,
						&self->fault));
}

TEST_HARNESS_MAIN
