// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of far branches that change the privilege level, in a guest with code and
 * stacks of levels 0 and 3.
 */
#include "emul_fixture.h"

#define TS 10
#define NP 11

#define GDT 0x100U
#define CODE0 0x08
#define DATA0 0x10
#define CODE3 0x1b
#define DATA3 0x23
#define CODE64_0 0x28
#define CODE64_3 0x33
#define TSS 0x38
#define CONFORMING 0x48
#define GATE 0x50 /* a gate of 16 bytes uses the next entry, too */
#define TASK_GATE 0x60
#define DATA1 0x69

#define TSS_BASE 0x2000U
#define STACK3 0x8000U
#define STACK0 0x9000U
#define OPERAND 0x3000U
#define TARGET 0x5000U

#define EFER_LMA 0x400

FIXTURE(far)
{
	struct guest g;
};

static struct lodge_segment code3 = { .selector = CODE3,
				      .limit = 0xffffffff,
				      .attr = 0xcfb };
static struct lodge_segment data3 = { .selector = DATA3,
				      .limit = 0xffffffff,
				      .attr = 0xcf3 };

/* The guest runs at level 3, in 32-bit mode. */
FIXTURE_SETUP(far)
{
	struct guest *g = &self->g;

	guest_setup(g);
	g->segs.gdt.base = GDT;
	g->segs.gdt.limit = 0x7f;
	put(g, GDT + CODE0, 0x00cf9a000000ffff, 8);
	put(g, GDT + DATA0, 0x00cf92000000ffff, 8);
	put(g, GDT + (CODE3 & ~3), 0x00cffa000000ffff, 8);
	put(g, GDT + (DATA3 & ~3), 0x00cff2000000ffff, 8);
	put(g, GDT + CODE64_0, 0x00af9a000000ffff, 8);
	put(g, GDT + (CODE64_3 & ~3), 0x00affa000000ffff, 8);
	put(g, GDT + CONFORMING, 0x00cf9e000000ffff, 8);
	put(g, GDT + TASK_GATE, 0x0000e50000380000, 8);
	put(g, GDT + (DATA1 & ~3), 0x00cfb2000000ffff, 8);
	g->segs.seg[LODGE_TR] = (struct lodge_segment){
		.selector = TSS, .base = TSS_BASE, .limit = 0x67, .attr = 0x8b
	};
	put(g, TSS_BASE + 4, STACK0, 4);
	put(g, TSS_BASE + 8, DATA0, 2);
	g->segs.seg[LODGE_CS] = code3;
	g->segs.seg[LODGE_SS] = data3;
	g->segs.seg[LODGE_DS] = data3;
	g->regs.gpr[LODGE_RSP] = STACK3;
	g->regs.gpr[LODGE_RBX] = OPERAND;
	g->e.cpl = 3;
}

FIXTURE_TEARDOWN(far)
{
}

#define EXPECT_FAULT(v, code)                                     \
	do {                                                      \
		struct guest _before = self->g;                   \
                                                                  \
		ASSERT_EQ(LODGE_FAULT, STEP());                   \
		EXPECT_EQ(v, self->g.e.fault.vector);             \
		EXPECT_EQ((u32)(code), self->g.e.fault.error);    \
		EXPECT_EQ(0, memcmp(&_before.regs, &self->g.regs, \
				    sizeof(_before.regs)));       \
		EXPECT_EQ(0, memcmp(&_before.segs, &self->g.segs, \
				    sizeof(_before.segs)));       \
	} while (0)

/* Writes a call gate to @selector:TARGET; @upper is its second half. */
static void set_gate(struct guest *g, u16 selector, u32 upper)
{
	put(g, GDT + GATE, TARGET | (u64)selector << 16 | (u64)upper << 32, 8);
	put(g, GDT + GATE + 8, 0, 8);
	put(g, OPERAND, 0xdead, 4);
	put(g, OPERAND + 4, GATE | 3, 2);
	put(g, OPERAND + 8, GATE | 3, 2);
}

#define GATE32 0xec00U
#define GATE16 0xe400U

TEST_F(far, call_through_a_gate_takes_the_inner_stack_and_the_parameters)
{
	set_gate(&self->g, CODE0, GATE32 | 2);
	put(&self->g, STACK3, 0x11111111, 4);
	put(&self->g, STACK3 + 4, 0x22222222, 4);
	LOAD(LODGE_MODE_32, 0xff, 0x1b);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(TARGET, self->g.regs.rip);
	EXPECT_EQ(CODE0, self->g.segs.seg[LODGE_CS].selector);
	EXPECT_EQ(DATA0, self->g.segs.seg[LODGE_SS].selector);
	EXPECT_EQ(STACK0 - 24, GPR(RSP));
	EXPECT_EQ(DATA3, get(&self->g, STACK0 - 4, 4));
	EXPECT_EQ(STACK3, get(&self->g, STACK0 - 8, 4));
	EXPECT_EQ(0x22222222U, get(&self->g, STACK0 - 12, 4));
	EXPECT_EQ(0x11111111U, get(&self->g, STACK0 - 16, 4));
	EXPECT_EQ(CODE3, get(&self->g, STACK0 - 20, 4));
	EXPECT_EQ(RIP + 2U, get(&self->g, STACK0 - 24, 4));

	/* The return removes the parameters from both stacks. */
	self->g.e.cpl = 0;
	LOAD(LODGE_MODE_32, 0xca, 8, 0);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(RIP + 2U, self->g.regs.rip);
	EXPECT_EQ(CODE3, self->g.segs.seg[LODGE_CS].selector);
	EXPECT_EQ(DATA3, self->g.segs.seg[LODGE_SS].selector);
	EXPECT_EQ(STACK3 + 8, GPR(RSP));
}

TEST_F(far, call_through_a_gate_of_16_bits_pushes_words)
{
	set_gate(&self->g, CODE0, GATE16 | 1);
	put(&self->g, STACK3, 0x1111, 2);
	LOAD(LODGE_MODE_32, 0xff, 0x1b);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(TARGET, self->g.regs.rip);
	EXPECT_EQ(STACK0 - 10, GPR(RSP));
	EXPECT_EQ(0x1111U, get(&self->g, STACK0 - 6, 2));
	EXPECT_EQ(RIP + 2U, get(&self->g, STACK0 - 10, 2));
}

TEST_F(far, call_through_a_gate_to_conforming_code_keeps_level_and_stack)
{
	set_gate(&self->g, CONFORMING, GATE32);
	LOAD(LODGE_MODE_32, 0xff, 0x1b);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(CONFORMING | 3, self->g.segs.seg[LODGE_CS].selector);
	EXPECT_EQ(DATA3, self->g.segs.seg[LODGE_SS].selector);
	EXPECT_EQ(STACK3 - 8, GPR(RSP));
}

TEST_F(far, jump_through_a_gate_stays_at_its_level)
{
	set_gate(&self->g, CODE3, GATE32);
	LOAD(LODGE_MODE_32, 0xff, 0x2b);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(TARGET, self->g.regs.rip);
	EXPECT_EQ(STACK3, GPR(RSP));
	self->g.regs.rip = RIP;
	set_gate(&self->g, CODE0, GATE32);
	EXPECT_FAULT(GP, CODE0);
}

TEST_F(far, gates_are_for_those_whom_they_let_in)
{
	LOAD(LODGE_MODE_32, 0xff, 0x1b);
	set_gate(&self->g, CODE0, 0xcc00); /* DPL 2 */
	EXPECT_FAULT(GP, GATE);
	set_gate(&self->g, CODE0, 0x6c00); /* not present */
	EXPECT_FAULT(NP, GATE);
	set_gate(&self->g, 0, GATE32);
	EXPECT_FAULT(GP, 0);
	set_gate(&self->g, 0x200, GATE32);
	EXPECT_FAULT(GP, 0x200);
	set_gate(&self->g, DATA0, GATE32);
	EXPECT_FAULT(GP, DATA0);
	/* The selector's RPL is checked like the level. */
	self->g.e.cpl = 0;
	set_gate(&self->g, CODE0, 0xcc00);
	EXPECT_FAULT(GP, GATE);
}

TEST_F(far, inner_stack_must_be_good)
{
	LOAD(LODGE_MODE_32, 0xff, 0x1b);
	set_gate(&self->g, CODE0, GATE32);
	put(&self->g, TSS_BASE + 8, 0, 2);
	EXPECT_FAULT(TS, 0);
	put(&self->g, TSS_BASE + 8, DATA3, 2);
	EXPECT_FAULT(TS, DATA3 & ~3);
	put(&self->g, TSS_BASE + 8, CODE0, 2);
	EXPECT_FAULT(TS, CODE0);
	put(&self->g, TSS_BASE + 8, DATA0, 2);
	put(&self->g, GDT + DATA0, 0x00cf12000000ffff, 8);
	EXPECT_FAULT(SS, DATA0);
	self->g.segs.seg[LODGE_TR].limit = 8;
	EXPECT_FAULT(TS, TSS);
}

TEST_F(far, inner_stack_without_room_is_told_by_its_selector)
{
	LOAD(LODGE_MODE_32, 0xff, 0x1b);
	set_gate(&self->g, CODE0, GATE32);
	/* A stack segment of one byte. */
	put(&self->g, GDT + DATA0, 0x0040920000000000, 8);
	EXPECT_FAULT(SS, DATA0);
	/* The caller's own stack segment is not in the error code. */
	put(&self->g, GDT + DATA0, 0x00cf92000000ffff, 8);
	set_gate(&self->g, CODE0, GATE32 | 1);
	self->g.segs.seg[LODGE_SS].limit = STACK3;
	EXPECT_FAULT(SS, 0);
}

static int busy_cmpxchg(void *opaque, u64 linear, const void *old,
			const void *new, size_t size, unsigned int access,
			struct lodge_fault *fault)
{
	return -EBUSY;
}

TEST_F(far, branch_that_loses_a_race_is_not_taken_for_done)
{
	struct lodge_emul_ops ops = guest_ops;
	struct guest before;

	ops.cmpxchg = busy_cmpxchg;
	set_gate(&self->g, CODE3, GATE32);
	LOAD(LODGE_MODE_32, 0xff, 0x2b);
	self->g.e.ops = &ops;
	before = self->g;
	EXPECT_EQ(-EBUSY, STEP());
	EXPECT_EQ(0, memcmp(&before.regs, &self->g.regs, sizeof(before.regs)));
	EXPECT_EQ(0, memcmp(&before.segs, &self->g.segs, sizeof(before.segs)));
}

TEST_F(far, call_that_has_to_wait_changes_nothing)
{
	struct guest before;

	set_gate(&self->g, CODE0, GATE32 | 2);
	LOAD(LODGE_MODE_32, 0xff, 0x1b);
	/* The new stack is beyond memory, which is found out only by writing to it. */
	put(&self->g, TSS_BASE + 4, MEMORY_BYTES + 0x100, 4);
	before = self->g;
	EXPECT_EQ(-ENXIO, STEP());
	EXPECT_EQ(0, memcmp(&before.regs, &self->g.regs, sizeof(before.regs)));
	EXPECT_EQ(0, memcmp(&before.segs, &self->g.segs, sizeof(before.segs)));
	EXPECT_EQ(LODGE_MODE_32, (int)self->g.e.insn.mode);
	EXPECT_EQ(LODGE_MODE_32, (int)self->g.e.segmentation.mode);
}

TEST_F(far, call_through_a_gate_of_long_mode_has_a_null_stack_segment)
{
	self->g.control.efer = EFER_LMA;
	set_gate(&self->g, CODE64_0, GATE32);
	put(&self->g, TSS_BASE + 4, STACK0, 8);
	LOAD(LODGE_MODE_32, 0xff, 0x1b);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(TARGET, self->g.regs.rip);
	EXPECT_EQ(CODE64_0, self->g.segs.seg[LODGE_CS].selector);
	EXPECT_EQ(0, self->g.segs.seg[LODGE_SS].selector);
	EXPECT_EQ(STACK0 - 32, GPR(RSP));
	EXPECT_EQ(DATA3, get(&self->g, STACK0 - 8, 8));
	EXPECT_EQ(STACK3, get(&self->g, STACK0 - 16, 8));
	EXPECT_EQ(RIP + 2U, get(&self->g, STACK0 - 32, 8));
}

TEST_F(far, gates_of_long_mode_lead_to_64_bit_code_only)
{
	self->g.control.efer = EFER_LMA;
	LOAD(LODGE_MODE_32, 0xff, 0x1b);
	set_gate(&self->g, CODE0, GATE32);
	EXPECT_FAULT(GP, CODE0);
	set_gate(&self->g, CODE64_0, GATE16);
	EXPECT_FAULT(GP, GATE);
}

TEST_F(far, tasks_are_not_switched)
{
	LOAD(LODGE_MODE_32, 0xff, 0x2b);
	set_gate(&self->g, CODE0, GATE32);
	put(&self->g, OPERAND + 4, TASK_GATE, 2);
	EXPECT_EQ(-EOPNOTSUPP, STEP());
	put(&self->g, GDT + TSS, 0x0000e90020000067, 8);
	put(&self->g, OPERAND + 4, TSS, 2);
	EXPECT_EQ(-EOPNOTSUPP, STEP());
	LOAD(LODGE_MODE_32, 0xcf);
	self->g.regs.rflags |= 0x4000;
	EXPECT_EQ(-EOPNOTSUPP, STEP());
	EXPECT_EQ(RIP, self->g.regs.rip);
}

/*
 * Returns, from level 0.
 */

static void at_level_0(struct guest *g)
{
	static const u16 selectors[] = { [LODGE_ES] = DATA3,
					 [LODGE_DS] = DATA0,
					 [LODGE_FS] = DATA1,
					 [LODGE_GS] = CONFORMING };

	g->e.cpl = 0;
	g->segs.seg[LODGE_CS] = code3;
	g->segs.seg[LODGE_CS].selector = CODE0;
	g->segs.seg[LODGE_CS].attr = 0xc9b;
	g->segs.seg[LODGE_SS] = data3;
	g->segs.seg[LODGE_SS].selector = DATA0;
	g->segs.seg[LODGE_SS].attr = 0xc93;
	g->segs.seg[LODGE_ES] = data3;
	g->segs.seg[LODGE_DS].selector = selectors[LODGE_DS];
	g->segs.seg[LODGE_DS].attr = 0xc93;
	g->segs.seg[LODGE_FS].selector = selectors[LODGE_FS];
	g->segs.seg[LODGE_FS].attr = 0xcb3;
	g->segs.seg[LODGE_GS].selector = selectors[LODGE_GS];
	g->segs.seg[LODGE_GS].attr = 0xc9f;
	g->regs.gpr[LODGE_RSP] = STACK0;
}

static void push_words(struct guest *g, unsigned int size, unsigned int n,
		       const u64 *words)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		put(g, STACK0 + i * size, words[i], size);
}
#define PUSHED(size, ...)                                                \
	push_words(&self->g, size, ARRAY_SIZE(((u64[]){ __VA_ARGS__ })), \
		   (const u64[]){ __VA_ARGS__ })

TEST_F(far, return_to_an_outer_level_hides_what_is_not_for_it)
{
	at_level_0(&self->g);
	PUSHED(4, TARGET, CODE3, 0, 0, STACK3, DATA3);
	LOAD(LODGE_MODE_32, 0xca, 8, 0);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(TARGET, self->g.regs.rip);
	EXPECT_EQ(STACK3 + 8, GPR(RSP));
	EXPECT_EQ(DATA3, self->g.segs.seg[LODGE_SS].selector);
	EXPECT_EQ(DATA3, self->g.segs.seg[LODGE_ES].selector);
	EXPECT_EQ(0, self->g.segs.seg[LODGE_DS].selector);
	EXPECT_EQ(0, self->g.segs.seg[LODGE_DS].attr);
	EXPECT_EQ(0, self->g.segs.seg[LODGE_FS].selector);
	EXPECT_EQ(CONFORMING, self->g.segs.seg[LODGE_GS].selector);
}

TEST_F(far, return_to_an_outer_level_needs_a_stack_of_it)
{
	at_level_0(&self->g);
	LOAD(LODGE_MODE_32, 0xcb);
	PUSHED(4, TARGET, CODE3, STACK3, 0);
	EXPECT_FAULT(GP, 0);
	PUSHED(4, TARGET, CODE3, STACK3, DATA0);
	EXPECT_FAULT(GP, DATA0);
	PUSHED(4, TARGET, CODE3, STACK3, CODE3);
	EXPECT_FAULT(GP, CODE3 & ~3);
	put(&self->g, GDT + (DATA3 & ~3), 0x00cf72000000ffff, 8);
	PUSHED(4, TARGET, CODE3, STACK3, DATA3);
	EXPECT_FAULT(SS, DATA3 & ~3);
}

TEST_F(far, return_never_leads_to_an_inner_level)
{
	LOAD(LODGE_MODE_32, 0xcb);
	self->g.regs.gpr[LODGE_RSP] = STACK0;
	PUSHED(4, TARGET, CODE0, STACK3, DATA0);
	EXPECT_FAULT(GP, CODE0);
	LOAD(LODGE_MODE_32, 0xcf);
	EXPECT_FAULT(GP, CODE0);
}

TEST_F(far, iret_loads_the_flags_that_the_level_may)
{
	at_level_0(&self->g);
	LOAD(LODGE_MODE_32, 0xcf);
	PUSHED(4, TARGET, CODE0, 0x00217fd5 | 2);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(TARGET, self->g.regs.rip);
	EXPECT_EQ(STACK0 + 12, GPR(RSP));
	EXPECT_EQ(0x217fd7U, self->g.regs.rflags);
	EXPECT_EQ(1, self->g.nmis_ended);
}

TEST_F(far, iret_of_level_3_keeps_interrupts_and_iopl)
{
	LOAD(LODGE_MODE_32, 0xcf);
	self->g.regs.gpr[LODGE_RSP] = STACK0;
	PUSHED(4, TARGET, CODE3, 0x3fffff & ~0x20000);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0x254dd7U, self->g.regs.rflags);
	self->g.regs.rip = RIP;
	self->g.regs.rflags = 0x3202; /* IOPL 3 */
	self->g.regs.gpr[LODGE_RSP] = STACK0;
	PUSHED(4, TARGET, CODE3, 2);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0x3002U, self->g.regs.rflags);
}

TEST_F(far, iret_of_16_bits_keeps_the_upper_flags)
{
	at_level_0(&self->g);
	self->g.regs.rflags = 0x200002;
	LOAD(LODGE_MODE_32, 0x66, 0xcf);
	PUSHED(2, TARGET, CODE0, 0x0202);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0x200202U, self->g.regs.rflags);
	EXPECT_EQ(STACK0 + 6, GPR(RSP));
}

TEST_F(far, iret_to_an_outer_level_uses_the_inner_ones_rights_for_flags)
{
	at_level_0(&self->g);
	LOAD(LODGE_MODE_32, 0xcf);
	PUSHED(4, TARGET, CODE3, 0x3202, STACK3, DATA3);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0x3202U, self->g.regs.rflags);
	EXPECT_EQ(STACK3, GPR(RSP));
	EXPECT_EQ(0, self->g.segs.seg[LODGE_DS].selector);
}

TEST_F(far, iret_enters_virtual_8086_mode)
{
	at_level_0(&self->g);
	LOAD(LODGE_MODE_32, 0xcf);
	PUSHED(4, 0x100, 0x1234, 0x23202, 0x800, 0x10, 0x20, 0x30, 0x40, 0x50);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0x100U, self->g.regs.rip);
	EXPECT_EQ(0x23202U, self->g.regs.rflags);
	EXPECT_EQ(0x800U, GPR(RSP));
	EXPECT_EQ(0x12340U, self->g.segs.seg[LODGE_CS].base);
	EXPECT_EQ(0x100U, self->g.segs.seg[LODGE_SS].base);
	EXPECT_EQ(0x200U, self->g.segs.seg[LODGE_ES].base);
	EXPECT_EQ(0x300U, self->g.segs.seg[LODGE_DS].base);
	EXPECT_EQ(0x400U, self->g.segs.seg[LODGE_FS].base);
	EXPECT_EQ(0x500U, self->g.segs.seg[LODGE_GS].base);
	EXPECT_EQ(0xf3, self->g.segs.seg[LODGE_CS].attr);
	EXPECT_EQ(0xffffU, self->g.segs.seg[LODGE_SS].limit);
}

TEST_F(far, iret_of_64_bits_always_takes_the_stack)
{
	at_level_0(&self->g);
	self->g.control.efer = EFER_LMA;
	LOAD(LODGE_MODE_64, 0x48, 0xcf);
	PUSHED(8, TARGET, CODE64_0, 0x202, STACK3, 0);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(STACK3, GPR(RSP));
	EXPECT_EQ(0, self->g.segs.seg[LODGE_SS].selector);
	EXPECT_EQ(0x202U, self->g.regs.rflags);

	self->g.regs.rip = RIP;
	GPR(RSP) = STACK0;
	PUSHED(8, TARGET, CODE64_3, 0x202, STACK3, 3);
	EXPECT_FAULT(GP, 0);
	PUSHED(8, TARGET, CODE3, 0x202, STACK3, DATA3);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(CODE3, self->g.segs.seg[LODGE_CS].selector);
	self->g.regs.rip = RIP;
	GPR(RSP) = STACK0;
	self->g.regs.rflags |= 0x4000;
	EXPECT_FAULT(GP, 0);
}

TEST_F(far, iret_of_real_mode_has_no_privileges)
{
	self->g.e.segmentation.protect = false;
	self->g.e.cpl = 0;
	self->g.segs.seg[LODGE_SS].attr = 0x93;
	self->g.regs.gpr[LODGE_RSP] = STACK0;
	LOAD(LODGE_MODE_16, 0xcf);
	PUSHED(2, 0x100, 0x234, 0xffff);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0x100U, self->g.regs.rip);
	EXPECT_EQ(0x2340U, self->g.segs.seg[LODGE_CS].base);
	EXPECT_EQ(0x7fd7U, self->g.regs.rflags);
	EXPECT_EQ(STACK0 + 6, GPR(RSP));
}

TEST_F(far, iret_of_virtual_8086_mode_is_for_iopl_3)
{
	self->g.e.segmentation.protect = false;
	self->g.segs.seg[LODGE_SS].attr = 0xf3;
	self->g.regs.rflags = 0x20002;
	self->g.regs.gpr[LODGE_RSP] = STACK0;
	LOAD(LODGE_MODE_16, 0xcf);
	PUSHED(2, 0x100, 0x234, 0x0202);
	EXPECT_FAULT(GP, 0);
	self->g.control.cr4 = 1;
	EXPECT_EQ(-EOPNOTSUPP, STEP());
	self->g.regs.rflags = 0x23002;
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0x23202U, self->g.regs.rflags);
}

TEST_HARNESS_MAIN
