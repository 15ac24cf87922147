// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the emulator: modes and segments, faults, locked accesses, repetition, and
 * string I/O.  emul_native.c tests the results of instructions.
 */
#include "emul_fixture.h"

FIXTURE(emul)
{
	struct guest g;
};

FIXTURE_SETUP(emul)
{
	guest_setup(&self->g);
}

FIXTURE_TEARDOWN(emul)
{
}

TEST_F(emul, rip_moves_on_behind_the_instruction)
{
	LOAD(LODGE_MODE_64, 0x88, 0x07);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(RIP + 2U, self->g.regs.rip);
}

TEST_F(emul, rip_wraps_in_16_bit_mode)
{
	self->g.regs.rip = 0xfffe;
	LOAD(LODGE_MODE_16, 0x88, 0x07);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0U, self->g.regs.rip);
}

TEST_F(emul, segment_base_is_added)
{
	self->g.segs.seg[LODGE_ES].base = 0x10000;
	GPR(RBX) = 0x20;
	GPR(RAX) = 0x5a;
	LOAD(LODGE_MODE_16, 0x26, 0x88, 0x07);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0x5a, self->g.memory[0x10020]);
}

TEST_F(emul, sixteen_bit_address_wraps_within_the_segment)
{
	GPR(RBX) = 0xffff;
	GPR(RSI) = 0x12;
	GPR(RAX) = 0x5a;
	LOAD(LODGE_MODE_16, 0x88, 0x00);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0x5a, self->g.memory[0x11]);
}

TEST_F(emul, segment_violation_is_a_fault_without_access)
{
	struct lodge_general before;

	self->g.segs.seg[LODGE_DS].limit = 0xfff;
	GPR(RBX) = 0xffe;
	before = self->g.regs;
	LOAD(LODGE_MODE_32, 0x89, 0x03);
	ASSERT_EQ(LODGE_FAULT, STEP());
	EXPECT_EQ(GP, self->g.e.fault.vector);
	EXPECT_EQ(0, self->g.writes);
	EXPECT_EQ(0, memcmp(&before, &self->g.regs, sizeof(before)));
}

TEST_F(emul, stack_violation_is_a_stack_fault)
{
	self->g.segs.seg[LODGE_SS].limit = 0xfff;
	GPR(RBP) = 0xffe;
	LOAD(LODGE_MODE_32, 0x89, 0x45, 0x00);
	ASSERT_EQ(LODGE_FAULT, STEP());
	EXPECT_EQ(SS, self->g.e.fault.vector);
}

TEST_F(emul, page_fault_of_a_callback_is_passed_on)
{
	self->g.answer = LODGE_FAULT;
	GPR(RBX) = 0x3000;
	LOAD(LODGE_MODE_64, 0x01, 0x03);
	ASSERT_EQ(LODGE_FAULT, STEP());
	EXPECT_EQ(PF, self->g.e.fault.vector);
	EXPECT_EQ(0x3000U, self->g.e.fault.address);
	EXPECT_EQ(RIP, self->g.regs.rip);
}

TEST_F(emul, other_errors_of_a_callback_are_passed_on)
{
	self->g.answer = -EIO;
	LOAD(LODGE_MODE_64, 0x01, 0x03);
	EXPECT_EQ(-EIO, STEP());
	EXPECT_EQ(RIP, self->g.regs.rip);
}

TEST_F(emul, read_that_will_be_written_back_says_so)
{
	LOAD(LODGE_MODE_64, 0x01, 0x03);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(LODGE_ACCESS_READ | LODGE_ACCESS_WRITE, self->g.access);
	LOAD(LODGE_MODE_64, 0x39, 0x03);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(LODGE_ACCESS_READ, self->g.access);
}

TEST_F(emul, locked_instructions_swap_atomically)
{
	LOAD(LODGE_MODE_64, 0xf0, 0xff, 0x03);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(1, self->g.swaps);
	EXPECT_EQ(0, self->g.writes);
	EXPECT_EQ(1, self->g.memory[0]);
}

TEST_F(emul, exchange_is_locked_without_a_prefix)
{
	GPR(RAX) = 0x55;
	LOAD(LODGE_MODE_64, 0x86, 0x03);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(1, self->g.swaps);
	EXPECT_EQ(0U, GPR(RAX));
}

/* Apply the instruction, and finish it by what it would read: all registers agree. */
#define EXPECT_SAME_LOAD(_size, ...)                                          \
	do {                                                                  \
		struct lodge_general before = self->g.regs, after;            \
                                                                              \
		LOAD(LODGE_MODE_64, __VA_ARGS__);                             \
		ASSERT_EQ(0, STEP());                                         \
		after = self->g.regs;                                         \
		self->g.regs = before;                                        \
		EXPECT_TRUE(lodge_emul_finish_load(                           \
			&self->g.e, self->g.memory + GPR(RBX), _size));       \
		EXPECT_EQ(0, memcmp(&after, &self->g.regs, sizeof(after)));   \
		self->g.regs = before;                                        \
		EXPECT_FALSE(lodge_emul_finish_load(                          \
			&self->g.e, self->g.memory + GPR(RBX), (_size) + 1)); \
		EXPECT_EQ(0, memcmp(&before, &self->g.regs, sizeof(before))); \
	} while (0)

TEST_F(emul, load_is_finished_by_its_answer_as_if_it_were_applied_again)
{
	GPR(RBX) = 0x3000;
	GPR(RAX) = 0x1122334455667788;
	memcpy(self->g.memory + 0x3000, "\x81\x92\xa3\xb4\xc5\xd6\xe7\xf8", 8);
	EXPECT_SAME_LOAD(1, 0x8a, 0x03); /* mov (%rbx), %al */
	EXPECT_SAME_LOAD(1, 0x8a, 0x23); /* mov (%rbx), %ah */
	EXPECT_SAME_LOAD(2, 0x66, 0x8b, 0x03);
	EXPECT_SAME_LOAD(4, 0x8b, 0x03);
	EXPECT_SAME_LOAD(8, 0x48, 0x8b, 0x03);
	EXPECT_SAME_LOAD(1, 0x0f, 0xb6, 0x03); /* movzbl */
	EXPECT_SAME_LOAD(2, 0x48, 0x0f, 0xb7, 0x03); /* movzwq */
	EXPECT_SAME_LOAD(1, 0x66, 0x0f, 0xbe, 0x03); /* movsbw */
	EXPECT_SAME_LOAD(4, 0x48, 0x63, 0x03); /* movslq */
	EXPECT_SAME_LOAD(4, 0x0f, 0x38, 0xf0, 0x03); /* movbe */
}

TEST_F(emul, only_a_load_is_finished_by_its_answer)
{
	const struct lodge_general before = self->g.regs;
	const u64 data = 1;

	LOAD(LODGE_MODE_64, 0x89, 0x03); /* mov %eax, (%rbx) */
	EXPECT_FALSE(lodge_emul_finish_load(&self->g.e, &data, 4));
	LOAD(LODGE_MODE_64, 0x03, 0x03); /* add (%rbx), %eax */
	EXPECT_FALSE(lodge_emul_finish_load(&self->g.e, &data, 4));
	EXPECT_EQ(0, memcmp(&before, &self->g.regs, sizeof(before)));
}

static int busy_cmpxchg(void *opaque, u64 linear, const void *old,
			const void *new, size_t size, unsigned int access,
			struct lodge_fault *fault)
{
	return -EBUSY;
}

TEST_F(emul, lost_race_leaves_the_instruction_to_be_tried_again)
{
	struct lodge_emul_ops ops = guest_ops;
	struct lodge_general before = self->g.regs;

	ops.cmpxchg = busy_cmpxchg;
	self->g.e.ops = &ops;
	LOAD(LODGE_MODE_64, 0xf0, 0x83, 0x03, 0x01);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0, memcmp(&before, &self->g.regs, sizeof(before)));
}

TEST_F(emul, cmpxchg16b_needs_alignment)
{
	GPR(RBX) = 8;
	LOAD(LODGE_MODE_64, 0x48, 0x0f, 0xc7, 0x0b);
	ASSERT_EQ(LODGE_FAULT, STEP());
	EXPECT_EQ(GP, self->g.e.fault.vector);
	EXPECT_EQ(0, self->g.reads);
}

TEST_F(emul, aligned_sse_moves_need_alignment)
{
	GPR(RBX) = 8;
	LOAD(LODGE_MODE_64, 0x0f, 0x29, 0x03);
	ASSERT_EQ(LODGE_FAULT, STEP());
	EXPECT_EQ(GP, self->g.e.fault.vector);
	LOAD(LODGE_MODE_64, 0x0f, 0x11, 0x1b);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(3, self->g.memory[8 + 15]);
}

TEST_F(emul, selector_is_stored_in_two_bytes)
{
	self->g.segs.seg[LODGE_FS].selector = 0x1234;
	memset(self->g.memory, 0xff, 4);
	LOAD(LODGE_MODE_64, 0x48, 0x8c, 0x23);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0, memcmp(self->g.memory, "\x34\x12\xff\xff", 4));
}

TEST_F(emul, absolute_offset_of_64_bits)
{
	self->g.memory[0x10004] = 0x77;
	LOAD(LODGE_MODE_64, 0xa0, 0x04, 0, 0x01, 0, 0, 0, 0, 0);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0x77U, GPR(RAX));
}

TEST_F(emul, pop_computes_its_address_after_the_increment)
{
	GPR(RSP) = 0x2000;
	self->g.memory[0x2000] = 0x42;
	LOAD(LODGE_MODE_64, 0x8f, 0x44, 0x24, 0x10);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0x42, self->g.memory[0x2018]);
	EXPECT_EQ(0x2008U, GPR(RSP));
}

TEST_F(emul, push_computes_its_address_before_the_decrement)
{
	GPR(RSP) = 0x2000;
	self->g.memory[0x2010] = 0x42;
	LOAD(LODGE_MODE_64, 0xff, 0x74, 0x24, 0x10);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0x42, self->g.memory[0x1ff8]);
	EXPECT_EQ(0x1ff8U, GPR(RSP));
}

TEST_F(emul, stack_pointer_has_16_bits_on_a_16_bit_stack)
{
	self->g.segs.seg[LODGE_SS].attr &= ~LODGE_SEG_DB;
	self->g.segs.seg[LODGE_SS].limit = 0xffff;
	GPR(RSP) = 0xabcd0000;
	self->g.memory[0x100] = 0x42;
	LOAD(LODGE_MODE_32, 0xff, 0x35, 0x00, 0x01, 0, 0);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0xabcdfffcU, GPR(RSP));
	EXPECT_EQ(0x42, self->g.memory[0xfffc]);
}

TEST_F(emul, fault_on_the_stack_keeps_the_stack_pointer)
{
	GPR(RSP) = 2ULL << 47;
	LOAD(LODGE_MODE_64, 0xff, 0x33);
	ASSERT_EQ(LODGE_FAULT, STEP());
	EXPECT_EQ(SS, self->g.e.fault.vector);
	EXPECT_EQ(2ULL << 47, GPR(RSP));
}

TEST_F(emul, repetition_moves_rip_with_the_last_iteration)
{
	GPR(RCX) = 2;
	GPR(RDI) = 0x100;
	GPR(RAX) = 0x33;
	LOAD(LODGE_MODE_64, 0xf3, 0xaa);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(RIP, self->g.regs.rip);
	EXPECT_EQ(1U, GPR(RCX));
	EXPECT_EQ(0x101U, GPR(RDI));
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(RIP + 2U, self->g.regs.rip);
	EXPECT_EQ(0U, GPR(RCX));
	EXPECT_EQ(0, memcmp(self->g.memory + 0x100, "\x33\x33\0", 3));
}

TEST_F(emul, repetition_of_nothing_only_moves_rip)
{
	GPR(RDI) = 0x100;
	LOAD(LODGE_MODE_64, 0xf3, 0xab);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(RIP + 2U, self->g.regs.rip);
	EXPECT_EQ(0x100U, GPR(RDI));
	EXPECT_EQ(0, self->g.writes);
}

TEST_F(emul, sixteen_bit_strings_use_16_bit_registers)
{
	GPR(RCX) = 0x50000;
	LOAD(LODGE_MODE_16, 0xf3, 0xa4);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0, self->g.writes);
	GPR(RCX) = 0x50001;
	GPR(RSI) = 0x6ffff;
	GPR(RDI) = 0x70000;
	self->g.regs.rflags |= X86_EFLAGS_DF;
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0x50000U, GPR(RCX));
	EXPECT_EQ(0x6fffeU, GPR(RSI));
	EXPECT_EQ(0x7ffffU, GPR(RDI));
}

TEST_F(emul, movs_probes_its_destination_before_it_reads)
{
	self->g.answer = LODGE_FAULT;
	LOAD(LODGE_MODE_64, 0xa4);
	ASSERT_EQ(LODGE_FAULT, STEP());
	EXPECT_EQ(1, self->g.probes);
	EXPECT_EQ(0, self->g.reads);
}

TEST_F(emul, destination_of_strings_is_es_whatever_the_prefix)
{
	self->g.segs.seg[LODGE_ES].base = 0x100;
	self->g.segs.seg[LODGE_FS].base = 0x200;
	self->g.memory[0x200] = 0x66;
	LOAD(LODGE_MODE_32, 0x64, 0xa4);
	ASSERT_EQ(0, STEP());
	EXPECT_EQ(0x66, self->g.memory[0x100]);
}

TEST_F(emul, intercepted_and_port_instructions_are_not_applied)
{
	LOAD(LODGE_MODE_64, 0x0f, 0xa2);
	EXPECT_EQ(-EOPNOTSUPP, STEP());
	LOAD(LODGE_MODE_64, 0xec);
	EXPECT_EQ(-EOPNOTSUPP, STEP());
	LOAD(LODGE_MODE_64, 0x6d);
	EXPECT_EQ(-EOPNOTSUPP, STEP());
	EXPECT_EQ(RIP, self->g.regs.rip);
}

TEST_F(emul, outs_gathers_as_many_as_fit)
{
	u8 data[16] = { 0 };
	u32 count;

	memcpy(self->g.memory + 0x100, "abcdefghijkl", 12);
	GPR(RSI) = 0x100;
	GPR(RCX) = 6;
	LOAD(LODGE_MODE_64, 0xf3, 0x66, 0x6f);
	ASSERT_EQ(0, lodge_emul_outs(&self->g.e, data, 8, &count));
	EXPECT_EQ(4U, count);
	EXPECT_EQ(0, memcmp(data, "abcdefgh\0", 9));
	EXPECT_EQ(6U, GPR(RCX));
	lodge_emul_outs_commit(&self->g.e, count);
	EXPECT_EQ(2U, GPR(RCX));
	EXPECT_EQ(0x108U, GPR(RSI));
	EXPECT_EQ(RIP, self->g.regs.rip);
	ASSERT_EQ(0, lodge_emul_outs(&self->g.e, data, 8, &count));
	EXPECT_EQ(2U, count);
	lodge_emul_outs_commit(&self->g.e, count);
	EXPECT_EQ(RIP + 3U, self->g.regs.rip);
}

TEST_F(emul, outs_downwards_sends_the_highest_first)
{
	u8 data[16];
	u32 count;

	memcpy(self->g.memory + 0x100, "abcdefgh", 8);
	GPR(RSI) = 0x106;
	GPR(RCX) = 3;
	self->g.regs.rflags |= X86_EFLAGS_DF;
	LOAD(LODGE_MODE_64, 0xf3, 0x66, 0x6f);
	ASSERT_EQ(0, lodge_emul_outs(&self->g.e, data, 16, &count));
	EXPECT_EQ(3U, count);
	EXPECT_EQ(0, memcmp(data, "ghefcd", 6));
	lodge_emul_outs_commit(&self->g.e, count);
	EXPECT_EQ(0x100U, GPR(RSI));
}

TEST_F(emul, outs_stops_at_the_end_of_the_page)
{
	u8 data[64];
	u32 count;

	GPR(RCX) = 20;
	GPR(RSI) = 0x1ff6;
	LOAD(LODGE_MODE_64, 0xf3, 0x6f);
	ASSERT_EQ(0, lodge_emul_outs(&self->g.e, data, 64, &count));
	EXPECT_EQ(2U, count);
	GPR(RSI) = 0x1ffe;
	ASSERT_EQ(0, lodge_emul_outs(&self->g.e, data, 64, &count));
	EXPECT_EQ(1U, count);
	self->g.regs.rflags |= X86_EFLAGS_DF;
	GPR(RSI) = 0x1ffe;
	ASSERT_EQ(0, lodge_emul_outs(&self->g.e, data, 64, &count));
	EXPECT_EQ(1U, count);
	GPR(RSI) = 0x2005;
	ASSERT_EQ(0, lodge_emul_outs(&self->g.e, data, 64, &count));
	EXPECT_EQ(2U, count);
}

TEST_F(emul, outs_stops_where_the_address_wraps)
{
	u8 data[64];
	u32 count;

	self->g.segs.seg[LODGE_DS].base = 0x10;
	GPR(RCX) = 20;
	GPR(RSI) = 0xfffc;
	LOAD(LODGE_MODE_16, 0xf3, 0x6e);
	ASSERT_EQ(0, lodge_emul_outs(&self->g.e, data, 64, &count));
	EXPECT_EQ(4U, count);
	self->g.regs.rflags |= X86_EFLAGS_DF;
	GPR(RSI) = 2;
	ASSERT_EQ(0, lodge_emul_outs(&self->g.e, data, 64, &count));
	EXPECT_EQ(3U, count);
}

TEST_F(emul, outs_stops_before_the_limit)
{
	u8 data[64];
	u32 count;

	self->g.segs.seg[LODGE_DS].limit = 0x103;
	GPR(RCX) = 20;
	GPR(RSI) = 0x102;
	LOAD(LODGE_MODE_32, 0xf3, 0x6e);
	ASSERT_EQ(0, lodge_emul_outs(&self->g.e, data, 64, &count));
	EXPECT_EQ(1U, count);
	GPR(RSI) = 0x104;
	ASSERT_EQ(LODGE_FAULT, lodge_emul_outs(&self->g.e, data, 64, &count));
	EXPECT_EQ(GP, self->g.e.fault.vector);
	EXPECT_EQ(0U, count);
}

TEST_F(emul, outs_of_nothing_is_done_by_its_commit)
{
	u8 data[4];
	u32 count;

	LOAD(LODGE_MODE_64, 0xf3, 0x6e);
	ASSERT_EQ(0, lodge_emul_outs(&self->g.e, data, 4, &count));
	EXPECT_EQ(0U, count);
	lodge_emul_outs_commit(&self->g.e, 0);
	EXPECT_EQ(RIP + 2U, self->g.regs.rip);
	EXPECT_EQ(0, self->g.reads);
}

TEST_F(emul, outs_without_repetition_sends_one)
{
	u8 data[64];
	u32 count;

	GPR(RCX) = 20;
	LOAD(LODGE_MODE_64, 0x6f);
	ASSERT_EQ(0, lodge_emul_outs(&self->g.e, data, 64, &count));
	EXPECT_EQ(1U, count);
	lodge_emul_outs_commit(&self->g.e, count);
	EXPECT_EQ(20U, GPR(RCX));
	EXPECT_EQ(4U, GPR(RSI));
	EXPECT_EQ(RIP + 1U, self->g.regs.rip);
}

TEST_F(emul, outs_reads_a_device_one_by_one)
{
	u8 data[64];
	u32 count;

	self->g.device = true;
	GPR(RSI) = 0x100;
	GPR(RCX) = 20;
	LOAD(LODGE_MODE_64, 0xf3, 0x66, 0x6f);
	ASSERT_EQ(0, lodge_emul_outs(&self->g.e, data, 64, &count));
	EXPECT_EQ(1U, count);
	EXPECT_EQ(1, self->g.reads);
	lodge_emul_outs_commit(&self->g.e, count);
	EXPECT_EQ(0x102U, GPR(RSI));
	EXPECT_EQ(19U, GPR(RCX));
}

TEST_F(emul, ins_asks_for_one_when_a_device_is_to_take_it)
{
	u32 count;

	self->g.device = true;
	GPR(RDI) = 0x100;
	GPR(RCX) = 20;
	LOAD(LODGE_MODE_64, 0xf3, 0x6d);
	ASSERT_EQ(0, lodge_emul_ins(&self->g.e, 64, &count));
	EXPECT_EQ(1U, count);
	EXPECT_EQ(1, self->g.probes);
	ASSERT_EQ(0, lodge_emul_ins_commit(&self->g.e, "abcd", &count));
	EXPECT_EQ(1U, count);
	EXPECT_EQ(1, self->g.writes);
	EXPECT_EQ(19U, GPR(RCX));
}

TEST_F(emul, ins_stores_one_by_one_when_memory_has_become_a_device)
{
	u32 count;

	GPR(RDI) = 0x100;
	GPR(RCX) = 3;
	LOAD(LODGE_MODE_64, 0xf3, 0x6c);
	ASSERT_EQ(0, lodge_emul_ins(&self->g.e, 64, &count));
	EXPECT_EQ(3U, count);
	self->g.device = true;
	ASSERT_EQ(0, lodge_emul_ins_commit(&self->g.e, "abc", &count));
	EXPECT_EQ(1U, count);
	EXPECT_EQ(0x101U, GPR(RDI));
	EXPECT_EQ(2U, GPR(RCX));
	EXPECT_EQ(RIP, self->g.regs.rip);
}

TEST_F(emul, ins_stores_with_its_commit_and_not_before)
{
	u32 count;

	GPR(RDI) = 0x100;
	GPR(RCX) = 3;
	LOAD(LODGE_MODE_64, 0xf3, 0x6d);
	ASSERT_EQ(0, lodge_emul_ins(&self->g.e, 8, &count));
	EXPECT_EQ(2U, count);
	EXPECT_EQ(0, self->g.memory[0x100]);
	ASSERT_EQ(0, lodge_emul_ins_commit(&self->g.e, "abcdefgh", &count));
	EXPECT_EQ(2U, count);
	EXPECT_EQ(0, memcmp(self->g.memory + 0x100, "abcdefgh\0", 9));
	EXPECT_EQ(0x108U, GPR(RDI));
	EXPECT_EQ(1U, GPR(RCX));
	EXPECT_EQ(RIP, self->g.regs.rip);
}

TEST_F(emul, ins_downwards_stores_the_first_highest)
{
	u32 count;

	GPR(RDI) = 0x102;
	GPR(RCX) = 2;
	self->g.regs.rflags |= X86_EFLAGS_DF;
	LOAD(LODGE_MODE_64, 0xf3, 0x66, 0x6d);
	ASSERT_EQ(0, lodge_emul_ins(&self->g.e, 8, &count));
	EXPECT_EQ(2U, count);
	ASSERT_EQ(0, lodge_emul_ins_commit(&self->g.e, "abcd", &count));
	EXPECT_EQ(1U, count);
	ASSERT_EQ(0, lodge_emul_ins_commit(&self->g.e, "cd", &count));
	EXPECT_EQ(0, memcmp(self->g.memory + 0x100, "cdab", 4));
	EXPECT_EQ(0xfeU, GPR(RDI));
	EXPECT_EQ(RIP + 3U, self->g.regs.rip);
}

TEST_F(emul, ins_into_a_forbidden_page_faults_before_the_port_is_read)
{
	u32 count;

	self->g.answer = LODGE_FAULT;
	LOAD(LODGE_MODE_64, 0x6c);
	EXPECT_EQ(LODGE_FAULT, lodge_emul_ins(&self->g.e, 8, &count));
	EXPECT_EQ(0U, count);
	EXPECT_EQ(PF, self->g.e.fault.vector);
}

TEST_F(emul, ins_that_must_ask_again_changes_no_register)
{
	u32 count;

	GPR(RDI) = 0x100;
	LOAD(LODGE_MODE_64, 0x6c);
	ASSERT_EQ(0, lodge_emul_ins(&self->g.e, 8, &count));
	self->g.answer = -EAGAIN;
	EXPECT_EQ(-EAGAIN, lodge_emul_ins_commit(&self->g.e, "x", &count));
	EXPECT_EQ(0x100U, GPR(RDI));
	EXPECT_EQ(RIP, self->g.regs.rip);
	self->g.answer = 0;
	ASSERT_EQ(0, lodge_emul_ins_commit(&self->g.e, "x", &count));
	EXPECT_EQ('x', self->g.memory[0x100]);
}

TEST_F(emul, string_io_helpers_refuse_other_instructions)
{
	u8 data[4];
	u32 count;

	LOAD(LODGE_MODE_64, 0xaa);
	EXPECT_EQ(-EOPNOTSUPP, lodge_emul_outs(&self->g.e, data, 4, &count));
	EXPECT_EQ(-EOPNOTSUPP, lodge_emul_ins(&self->g.e, 4, &count));
	EXPECT_EQ(-EOPNOTSUPP, lodge_emul_ins_commit(&self->g.e, data, &count));
}

TEST_HARNESS_MAIN
