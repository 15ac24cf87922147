// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of instructions that emul_native.c cannot run: loads of segment registers,
 * branches, the stack outside 64-bit mode, system instructions, and their faults.
 */
#include "emul_fixture.h"

#define DE 0
#define UD 6
#define NP 11

#define GDT 0x100U
#define DATA_SEL 0x10
#define CODE_SEL 0x18
#define TSS_SEL 0x20
#define LDT_SEL 0x30
#define ABSENT_SEL 0x40
#define STACK_TOP 0x8000U
#define OPERAND 0x3000U

FIXTURE(system)
{
	struct guest g;
};

FIXTURE_SETUP(system)
{
	struct guest *g = &self->g;

	guest_setup(g);
	g->segs.gdt.base = GDT;
	g->segs.gdt.limit = 0x4f;
	g->segs.idt.base = 0x12345678;
	g->segs.idt.limit = 0x7ff;
	g->segs.seg[LODGE_CS].attr = 0xc9b;
	g->segs.seg[LODGE_CS].selector = 8;
	put(g, GDT + DATA_SEL, 0x00cf92000000ffff, 8);
	put(g, GDT + CODE_SEL, 0x00cf9a000000ffff, 8);
	put(g, GDT + TSS_SEL, 0x0000890020000067, 8);
	put(g, GDT + LDT_SEL, 0x0000820030000067, 8);
	put(g, GDT + ABSENT_SEL, 0x00cf12000000ffff, 8);
	g->regs.gpr[LODGE_RSP] = STACK_TOP;
	g->regs.gpr[LODGE_RBX] = OPERAND;
}

FIXTURE_TEARDOWN(system)
{
}

#define SELECTOR(value) put(&self->g, OPERAND, value, 2)
#define EXPECT_FAULT(v, code)                                                \
	do {                                                                 \
		struct lodge_general _before = self->g.regs;                 \
                                                                             \
		ASSERT_EQ(LODGE_FAULT, STEP());                              \
		EXPECT_EQ(v, self->g.e.fault.vector);                        \
		EXPECT_EQ((u32)(code), self->g.e.fault.error);               \
		EXPECT_EQ(0,                                                 \
			  memcmp(&_before, &self->g.regs, sizeof(_before))); \
	} while (0)

TEST_F(system, segment_register_is_loaded_from_memory)
{
	LOAD(LODGE_MODE_32, 0x8e, 0x23);
	SELECTOR(DATA_SEL);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(DATA_SEL, self->g.segs.seg[LODGE_FS].selector);
	EXPECT_EQ(0xc93, self->g.segs.seg[LODGE_FS].attr);
	EXPECT_EQ(RIP + 2U, self->g.regs.rip);
	SELECTOR(ABSENT_SEL);
	EXPECT_FAULT(NP, ABSENT_SEL);
	SELECTOR(0x80);
	EXPECT_FAULT(GP, 0x80);
}

/* The table may be on a device or in read-only memory. */
TEST_F(system, selectors_in_registers_are_loaded_from_memory_too)
{
	GPR(RAX) = DATA_SEL;
	LOAD(LODGE_MODE_32, 0x8e, 0xe0); /* mov %eax, %fs */
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(DATA_SEL, self->g.segs.seg[LODGE_FS].selector);
	EXPECT_EQ(0x93U, get(&self->g, GDT + DATA_SEL + 5, 1));
	GPR(RAX) = TSS_SEL;
	LOAD(LODGE_MODE_32, 0x0f, 0x00, 0xd8); /* ltr %ax */
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(TSS_SEL, self->g.segs.seg[LODGE_TR].selector);
	EXPECT_EQ(0x8bU, get(&self->g, GDT + TSS_SEL + 5, 1));
	LOAD(LODGE_MODE_32, 0x0f, 0x01, 0xe0); /* smsw %eax */
	EXPECT_EQ(-EOPNOTSUPP, STEP());
}

TEST_F(system, real_mode_makes_the_base_of_the_selector)
{
	self->g.e.segmentation.protect = false;
	self->g.segs.seg[LODGE_ES].limit = 0xfffff;
	LOAD(LODGE_MODE_16, 0x8e, 0x07);
	SELECTOR(0x1234);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0x12340U, self->g.segs.seg[LODGE_ES].base);
	EXPECT_EQ(0xfffffU, self->g.segs.seg[LODGE_ES].limit);
}

TEST_F(system, far_pointer_is_loaded_whole_or_not_at_all)
{
	LOAD(LODGE_MODE_32, 0x0f, 0xb2, 0x0b);
	put(&self->g, OPERAND, 0x12345678, 4);
	put(&self->g, OPERAND + 4, DATA_SEL, 2);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0x12345678U, GPR(RCX));
	EXPECT_EQ(DATA_SEL, self->g.segs.seg[LODGE_SS].selector);
	put(&self->g, OPERAND + 4, 0, 2);
	EXPECT_FAULT(GP, 0);
}

TEST_F(system, far_call_pushes_segment_and_address)
{
	LOAD(LODGE_MODE_32, 0xff, 0x1b);
	put(&self->g, OPERAND, 0x5000, 4);
	put(&self->g, OPERAND + 4, CODE_SEL | 3, 2);
	EXPECT_FAULT(GP, CODE_SEL);
	put(&self->g, OPERAND + 4, CODE_SEL, 2);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0x5000U, self->g.regs.rip);
	EXPECT_EQ(CODE_SEL, self->g.segs.seg[LODGE_CS].selector);
	EXPECT_EQ(STACK_TOP - 8U, GPR(RSP));
	EXPECT_EQ(8U, get(&self->g, STACK_TOP - 4, 4));
	EXPECT_EQ(RIP + 2U, get(&self->g, STACK_TOP - 8, 4));
	/* The return. */
	self->g.segs.seg[LODGE_CS].selector = CODE_SEL;
	put(&self->g, STACK_TOP - 4, CODE_SEL, 4);
	LOAD(LODGE_MODE_32, 0xca, 0x10, 0x00);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(RIP + 2U, self->g.regs.rip);
	EXPECT_EQ(STACK_TOP + 0x10U, GPR(RSP));
}

TEST_F(system, real_mode_branches_far)
{
	self->g.e.segmentation.protect = false;
	LOAD(LODGE_MODE_16, 0xff, 0x2f);
	put(&self->g, OPERAND, 0x12345678, 4);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0x5678U, self->g.regs.rip);
	EXPECT_EQ(0x12340U, self->g.segs.seg[LODGE_CS].base);
}

TEST_F(system, near_branches_keep_within_their_segment)
{
	self->g.segs.seg[LODGE_CS].limit = 0xffff;
	LOAD(LODGE_MODE_32, 0xff, 0x13);
	put(&self->g, OPERAND, 0x10000, 4);
	EXPECT_FAULT(GP, 0);
	EXPECT_EQ(0, self->g.writes);
	put(&self->g, OPERAND, 0x4000, 4);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0x4000U, self->g.regs.rip);
	EXPECT_EQ(RIP + 2U, get(&self->g, STACK_TOP - 4, 4));
	LOAD(LODGE_MODE_32, 0xc2, 0x08, 0x00);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(RIP + 2U, self->g.regs.rip);
	EXPECT_EQ(STACK_TOP + 8U, GPR(RSP));
}

TEST_F(system, near_branches_of_64_bit_mode_are_canonical)
{
	self->g.control.efer = 0x500;
	self->g.segs.seg[LODGE_CS].attr = 0xa9b;
	LOAD(LODGE_MODE_64, 0xff, 0x23);
	put(&self->g, OPERAND, 0x800000000000, 8);
	EXPECT_FAULT(GP, 0);
	put(&self->g, OPERAND, 0xffff800000000000, 8);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0xffff800000000000, self->g.regs.rip);
}

TEST_F(system, relative_call_counts_from_the_next_instruction)
{
	LOAD(LODGE_MODE_32, 0xe8, 0xfb, 0xff, 0xff, 0xff);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(RIP, self->g.regs.rip);
	EXPECT_EQ(RIP + 5U, get(&self->g, STACK_TOP - 4, 4));
	self->g.regs.rip = 0xfff0;
	LOAD(LODGE_MODE_16, 0xe8, 0x20, 0x00);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0x13U, self->g.regs.rip);
}

TEST_F(system, all_registers_are_pushed_and_popped)
{
	int i;

	for (i = 0; i < 8; i++)
		if (i != LODGE_RSP)
			self->g.regs.gpr[i] = 0x1000 + i;
	LOAD(LODGE_MODE_32, 0x60);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(STACK_TOP - 32U, GPR(RSP));
	EXPECT_EQ(STACK_TOP, get(&self->g, STACK_TOP - 20, 4));
	EXPECT_EQ(0x1007U, get(&self->g, STACK_TOP - 32, 4));
	memset(self->g.regs.gpr, 0xff, 4 * 8);
	GPR(RSP) = STACK_TOP - 32;
	LOAD(LODGE_MODE_32, 0x61);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(STACK_TOP, GPR(RSP));
	EXPECT_EQ(0x1000U, GPR(RAX));
	EXPECT_EQ(0x1007U, GPR(RDI));
}

TEST_F(system, pusha_that_faults_writes_nothing)
{
	self->g.segs.seg[LODGE_SS].limit = 0xfff;
	GPR(RSP) = 0x1010;
	LOAD(LODGE_MODE_32, 0x60);
	EXPECT_FAULT(SS, 0);
	EXPECT_EQ(0, self->g.writes);
}

TEST_F(system, popf_changes_what_the_privilege_level_may)
{
	put(&self->g, STACK_TOP, 0x3ffffd7, 4);
	LOAD(LODGE_MODE_32, 0x9d);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0x247fd7U, self->g.regs.rflags);
	GPR(RSP) = STACK_TOP;
	self->g.regs.rflags = 2;
	self->g.e.cpl = 3;
	LOAD(LODGE_MODE_32, 0x9d);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0x244dd7U, self->g.regs.rflags);
}

TEST_F(system, popf_keeps_the_flags_of_virtual_interrupts)
{
	self->g.regs.rflags = 0x180002;
	put(&self->g, STACK_TOP, 0x2, 4);
	LOAD(LODGE_MODE_32, 0x9d);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0x180002U, self->g.regs.rflags);
}

TEST_F(system, pushf_hides_resume_and_virtual_mode)
{
	self->g.regs.rflags = 0x10202;
	LOAD(LODGE_MODE_32, 0x9c);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0x202U, get(&self->g, STACK_TOP - 4, 4));
}

TEST_F(system, machine_status_word)
{
	self->g.control.cr0 = 0x80050033;
	LOAD(LODGE_MODE_32, 0x0f, 0x01, 0x23);
	put(&self->g, OPERAND, 0xffffffff, 4);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0xffff0033U, get(&self->g, OPERAND, 4));
	/* LMSW does not clear PE. */
	LOAD(LODGE_MODE_32, 0x0f, 0x01, 0x33);
	SELECTOR(6);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0x80050037U, self->g.control.cr0);
	SELECTOR(8);
	EXPECT_FAULT(GP, 0);
	self->g.e.cpl = 1;
	EXPECT_FAULT(GP, 0);
}

TEST_F(system, user_mode_instruction_prevention)
{
	self->g.control.cr4 = 1 << 11;
	LOAD(LODGE_MODE_32, 0x0f, 0x01, 0x0b);
	ASSERT_EQ(0, STEP());
	self->g.e.cpl = 3;
	EXPECT_FAULT(GP, 0);
	LOAD(LODGE_MODE_32, 0x0f, 0x00, 0x03);
	EXPECT_FAULT(GP, 0);
	LOAD(LODGE_MODE_32, 0x0f, 0x01, 0x23);
	EXPECT_FAULT(GP, 0);
}

TEST_F(system, descriptor_table_registers)
{
	LOAD(LODGE_MODE_32, 0x0f, 0x01, 0x0b);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0x1234567807ffU, get(&self->g, OPERAND, 8));
	LOAD(LODGE_MODE_32, 0x0f, 0x01, 0x13);
	put(&self->g, OPERAND, 0x876543210123, 6);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0x87654321U, self->g.segs.gdt.base);
	EXPECT_EQ(0x123U, self->g.segs.gdt.limit);
	LOAD(LODGE_MODE_32, 0x66, 0x0f, 0x01, 0x1b);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0x654321U, self->g.segs.idt.base);
	LOAD(LODGE_MODE_64, 0x0f, 0x01, 0x13);
	put(&self->g, OPERAND + 2, 0x800000000000, 8);
	EXPECT_FAULT(GP, 0);
	self->g.e.cpl = 3;
	EXPECT_FAULT(GP, 0);
}

TEST_F(system, task_register_and_local_table)
{
	LOAD(LODGE_MODE_32, 0x0f, 0x00, 0x1b);
	SELECTOR(TSS_SEL);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(TSS_SEL, self->g.segs.seg[LODGE_TR].selector);
	EXPECT_EQ(0x8b, self->g.segs.seg[LODGE_TR].attr);
	EXPECT_EQ(0x8bU, get(&self->g, GDT + TSS_SEL + 5, 1));
	EXPECT_FAULT(GP, TSS_SEL);
	LOAD(LODGE_MODE_32, 0x0f, 0x00, 0x13);
	SELECTOR(LDT_SEL);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0x3000U, self->g.segs.seg[LODGE_LDTR].base);
	LOAD(LODGE_MODE_32, 0x0f, 0x00, 0x0b);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ((u64)TSS_SEL, get(&self->g, OPERAND, 2));
	self->g.e.cpl = 3;
	LOAD(LODGE_MODE_32, 0x0f, 0x00, 0x1b);
	EXPECT_FAULT(GP, 0);
	self->g.e.segmentation.protect = false;
	EXPECT_FAULT(UD, 0);
}

#define ZF() (!!(self->g.regs.rflags & X86_EFLAGS_ZF))

TEST_F(system, questions_about_selectors_do_not_fault)
{
	SELECTOR(DATA_SEL);
	LOAD(LODGE_MODE_32, 0x0f, 0x02, 0x0b);
	ASSERT_EQ(0, STEP());
	EXPECT_TRUE(ZF());
	EXPECT_EQ(0xcf9200U, GPR(RCX));
	LOAD(LODGE_MODE_32, 0x0f, 0x03, 0x0b);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0xffffffffU, GPR(RCX));
	LOAD(LODGE_MODE_32, 0x0f, 0x00, 0x2b);
	ASSERT_EQ(0, STEP());
	EXPECT_TRUE(ZF());
	SELECTOR(CODE_SEL);
	ASSERT_EQ(0, STEP());
	EXPECT_FALSE(ZF());
	LOAD(LODGE_MODE_32, 0x0f, 0x00, 0x23);
	ASSERT_EQ(0, STEP());
	EXPECT_TRUE(ZF());
	SELECTOR(0x80);
	ASSERT_EQ(0, STEP());
	EXPECT_FALSE(ZF());
	SELECTOR(DATA_SEL);
	self->g.e.cpl = 3;
	ASSERT_EQ(0, STEP());
	EXPECT_FALSE(ZF());
}

TEST_F(system, arpl_raises_the_requested_level)
{
	SELECTOR(0x11);
	GPR(RCX) = 3;
	LOAD(LODGE_MODE_32, 0x63, 0x0b);
	ASSERT_EQ(0, STEP());
	EXPECT_TRUE(ZF());
	EXPECT_EQ(0x13U, get(&self->g, OPERAND, 2));
	ASSERT_EQ(0, STEP());
	EXPECT_FALSE(ZF());
}

TEST_F(system, quotients_that_do_not_fit_are_divide_errors)
{
	static const u8 modrm[] = { 0x33, 0x3b };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(modrm); i++) {
		LOAD(LODGE_MODE_32, 0xf7, modrm[i]);
		GPR(RDX) = 0;
		put(&self->g, OPERAND, 0, 4);
		EXPECT_FAULT(DE, 0);
		GPR(RDX) = 1;
		put(&self->g, OPERAND, 1, 4);
		EXPECT_FAULT(DE, 0);
	}
	/* The smallest number divided by -1. */
	GPR(RAX) = 0x80000000;
	GPR(RDX) = 0xffffffff;
	put(&self->g, OPERAND, 0xffffffff, 4);
	EXPECT_FAULT(DE, 0);
	put(&self->g, OPERAND, 1, 4);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0x80000000U, GPR(RAX));
}

TEST_F(system, bound_raises_its_exception_outside_the_limits)
{
	LOAD(LODGE_MODE_32, 0x62, 0x0b);
	put(&self->g, OPERAND, 0xfffffff0, 4);
	put(&self->g, OPERAND + 4, 5, 4);
	GPR(RCX) = 5;
	ASSERT_EQ(0, STEP());
	GPR(RCX) = 6;
	EXPECT_FAULT(5, 0);
	GPR(RCX) = 0xffffffef;
	EXPECT_FAULT(5, 0);
}

TEST_F(system, vex_is_undefined_without_avx_and_without_protection)
{
	LOAD(LODGE_MODE_64, 0xc5, 0xfe, 0x7f, 0x0b);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(2, self->g.writes);
	EXPECT_EQ(0x8101U, get(&self->g, OPERAND + 15, 2));
	self->g.e.features = 0;
	EXPECT_FAULT(UD, 0);
	self->g.e.features = LODGE_EMUL_AVX;
	self->g.e.segmentation.protect = false;
	EXPECT_FAULT(UD, 0);
}

TEST_F(system, aligned_moves_of_32_bytes_need_32)
{
	LOAD(LODGE_MODE_64, 0xc5, 0xfd, 0x7f, 0x0b);
	GPR(RBX) = OPERAND + 16;
	EXPECT_FAULT(GP, 0);
	LOAD(LODGE_MODE_64, 0xc5, 0xf9, 0x7f, 0x0b);
	EXPECT_EQ(0, STEP());
}

TEST_F(system, long_moves_are_checked_before_their_first_piece)
{
	self->g.answer = LODGE_FAULT;
	LOAD(LODGE_MODE_64, 0xc5, 0xfe, 0x7f, 0x0b);
	EXPECT_FAULT(PF, 2);
	EXPECT_EQ(1, self->g.probes);
	EXPECT_EQ(0, self->g.writes);
}

/*
 * x87 and MXCSR.  x87_native.c tests the conversion of values.
 */

static void fpu_set_up(struct guest *g)
{
	lodge_x87_set_control(&g->fpu, 0x37f);
	g->fpu.mxcsr = 0x1f80;
}

TEST_F(system, x87_moves_a_value_of_64_bits_in_one_access)
{
	fpu_set_up(&self->g);
	LOAD(LODGE_MODE_32, 0xdf, 0x2b); /* fildll (%ebx) */
	put(&self->g, OPERAND, 0x1122334455667788, 8);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(1, self->g.reads);
	EXPECT_EQ(RIP + 2, self->g.regs.rip);
	EXPECT_EQ(0x80, self->g.fpu.tw);
	put(&self->g, OPERAND, 0, 8);
	LOAD(LODGE_MODE_32, 0xdf, 0x3b); /* fistpll (%ebx) */
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(1, self->g.writes);
	EXPECT_EQ(0x1122334455667788U, get(&self->g, OPERAND, 8));
	EXPECT_EQ(0, self->g.fpu.tw);
}

TEST_F(system, x87_notes_the_instruction_for_handlers)
{
	fpu_set_up(&self->g);
	LOAD(LODGE_MODE_64, 0xdd, 0x03); /* fldl (%rbx) */
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0x503, self->g.fpu.op);
	EXPECT_EQ(RIP, self->g.fpu.ip);
	EXPECT_EQ(OPERAND, self->g.fpu.dp);
}

TEST_F(system, x87_notes_the_operand_without_its_segment)
{
	fpu_set_up(&self->g);
	self->g.segs.seg[LODGE_FS].base = 0x1000;
	GPR(RBX) = OPERAND - 0x1000;
	LOAD(LODGE_MODE_64, 0x64, 0xdd, 0x03); /* fldl %fs:(%rbx) */
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(OPERAND - 0x1000, self->g.fpu.dp);
}

TEST_F(system, x87_waits_for_a_device_and_changes_nothing_until_then)
{
	struct lodge_fxsave before;

	fpu_set_up(&self->g);
	LOAD(LODGE_MODE_64, 0xdb, 0x2b); /* fldt (%rbx) */
	ASSERT_EQ(0, STEP());
	before = self->g.fpu;
	self->g.regs.rip = RIP;
	self->g.answer = -EAGAIN;
	EXPECT_EQ(-EAGAIN, STEP());
	LOAD(LODGE_MODE_64, 0xdb, 0x3b); /* fstpt (%rbx) */
	EXPECT_EQ(-EAGAIN, STEP());
	EXPECT_EQ(RIP, self->g.regs.rip);
	EXPECT_EQ(0, memcmp(&before, &self->g.fpu, sizeof(before)));
}

TEST_F(system, x87_writes_nothing_where_an_exception_is_not_masked)
{
	fpu_set_up(&self->g);
	lodge_x87_set_control(&self->g.fpu, 0x37e);
	LOAD(LODGE_MODE_64, 0xdf, 0x3b); /* fistpll (%rbx), of an empty stack */
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0, self->g.writes);
	EXPECT_EQ(RIP + 2, self->g.regs.rip);
	EXPECT_EQ(0x80c1, self->g.fpu.sw);
}

TEST_F(system, x87_control_and_status_are_words)
{
	fpu_set_up(&self->g);
	self->g.fpu.sw = 0x1234;
	put(&self->g, OPERAND, ~0ULL, 8);
	LOAD(LODGE_MODE_64, 0xd9, 0x3b); /* fnstcw (%rbx) */
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0xffff037fU, get(&self->g, OPERAND, 4));
	LOAD(LODGE_MODE_64, 0xdd, 0x3b); /* fnstsw (%rbx) */
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0xffff1234U, get(&self->g, OPERAND, 4));
	put(&self->g, OPERAND, 0xffff0f3f, 4);
	LOAD(LODGE_MODE_64, 0xd9, 0x2b); /* fldcw (%rbx) */
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0xf7f, self->g.fpu.cw);
}

TEST_F(system, mxcsr_has_no_other_bits_than_the_processor_has)
{
	fpu_set_up(&self->g);
	LOAD(LODGE_MODE_64, 0x0f, 0xae, 0x1b); /* stmxcsr (%rbx) */
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0x1f80U, get(&self->g, OPERAND, 4));
	LOAD(LODGE_MODE_64, 0x0f, 0xae, 0x13); /* ldmxcsr (%rbx) */
	put(&self->g, OPERAND, 0x1fc0, 4);
	EXPECT_FAULT(GP, 0);
	self->g.fpu.mxcsr_mask = 0xffff;
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0x1fc0U, self->g.fpu.mxcsr);
	put(&self->g, OPERAND, 0x10000, 4);
	self->g.regs.rip = RIP;
	EXPECT_FAULT(GP, 0);
}

TEST_F(system, tzcnt_is_bsf_to_processors_that_do_not_know_it)
{
	self->g.e.features = 0;
	LOAD(LODGE_MODE_32, 0xf3, 0x0f, 0xbc, 0x0b);
	GPR(RCX) = 77;
	put(&self->g, OPERAND, 0, 4);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(77U, GPR(RCX));
	EXPECT_TRUE(ZF());
	self->g.e.features = LODGE_EMUL_BMI1;
	LOAD(LODGE_MODE_32, 0xf3, 0x0f, 0xbc, 0x0b);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(32U, GPR(RCX));
}

TEST_HARNESS_MAIN
