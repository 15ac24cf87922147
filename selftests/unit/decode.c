// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the decoder, case by case: sizes, addresses and operands in all three
 * modes, refused instructions, and the length of an instruction.
 */
#include "decode.h"

#include "kselftest_harness.h"

#define BYTES(...) ((const u8[]){ __VA_ARGS__ }), sizeof((u8[]){ __VA_ARGS__ })

/* Decodes and expects success. */
#define DECODE(mode, ...)                                                    \
	({                                                                   \
		struct lodge_insn _insn;                                     \
                                                                             \
		ASSERT_EQ(0,                                                 \
			  lodge_decode(&_insn, (mode), BYTES(__VA_ARGS__))); \
		ASSERT_EQ(sizeof((u8[]){ __VA_ARGS__ }), _insn.length);      \
		_insn;                                                       \
	})

#define EXPECT_ANSWER(answer, mode, ...)                                     \
	({                                                                   \
		struct lodge_insn _insn;                                     \
                                                                             \
		EXPECT_EQ((answer),                                          \
			  lodge_decode(&_insn, (mode), BYTES(__VA_ARGS__))); \
	})

#define EXPECT_OPERAND(operand, k, r, s)      \
	do {                                  \
		EXPECT_EQ(k, (operand).kind); \
		EXPECT_EQ(r, (operand).reg);  \
		EXPECT_EQ(s, (operand).size); \
	} while (0)

#define EXPECT_ADDRESS(a, seg, b, i, s, d)             \
	do {                                           \
		EXPECT_EQ(seg, (a).segment);           \
		EXPECT_EQ(b, (a).base);                \
		EXPECT_EQ(i, (a).index);               \
		EXPECT_EQ(s, (a).scale);               \
		EXPECT_EQ((u64)(d), (a).displacement); \
	} while (0)

#define NO_REG LODGE_REG_NONE

TEST(mov_of_a_register_to_memory)
{
	struct lodge_insn insn = DECODE(LODGE_MODE_64, 0x89, 0x48, 0x10);

	EXPECT_EQ(LODGE_OP_MOV, insn.op);
	EXPECT_EQ(4, insn.operand_size);
	EXPECT_EQ(8, insn.address_size);
	EXPECT_OPERAND(insn.operand[0], LODGE_OPERAND_MEMORY, 0, 4);
	EXPECT_OPERAND(insn.operand[1], LODGE_OPERAND_GPR, LODGE_RCX, 4);
	EXPECT_ADDRESS(insn.memory, LODGE_DS, LODGE_RAX, NO_REG, 0, 0x10);
}

TEST(operand_size_follows_mode_and_prefixes)
{
	static const struct {
		enum lodge_cpu_mode mode;
		u8 prefix;
		u8 size;
	} c[] = {
		{ LODGE_MODE_16, 0x3e, 2 }, { LODGE_MODE_16, 0x66, 4 },
		{ LODGE_MODE_32, 0x3e, 4 }, { LODGE_MODE_32, 0x66, 2 },
		{ LODGE_MODE_64, 0x3e, 4 }, { LODGE_MODE_64, 0x66, 2 },
		{ LODGE_MODE_64, 0x48, 8 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(c); i++) {
		struct lodge_insn insn =
			DECODE(c[i].mode, c[i].prefix, 0x89, 0x07);

		EXPECT_EQ(c[i].size, insn.operand_size);
	}
}

TEST(address_size_follows_mode_and_prefix)
{
	EXPECT_EQ(2, DECODE(LODGE_MODE_16, 0x89, 0x07).address_size);
	EXPECT_EQ(4, DECODE(LODGE_MODE_16, 0x67, 0x89, 0x07).address_size);
	EXPECT_EQ(4, DECODE(LODGE_MODE_32, 0x89, 0x07).address_size);
	EXPECT_EQ(2, DECODE(LODGE_MODE_32, 0x67, 0x89, 0x07).address_size);
	EXPECT_EQ(8, DECODE(LODGE_MODE_64, 0x89, 0x07).address_size);
	EXPECT_EQ(4, DECODE(LODGE_MODE_64, 0x67, 0x89, 0x07).address_size);
}

TEST(rex_w_prevails_over_the_operand_prefix)
{
	EXPECT_EQ(8,
		  DECODE(LODGE_MODE_64, 0x66, 0x48, 0x89, 0x07).operand_size);
}

TEST(rex_before_another_prefix_has_no_effect)
{
	struct lodge_insn insn = DECODE(LODGE_MODE_64, 0x48, 0x66, 0x89, 0x07);

	EXPECT_EQ(2, insn.operand_size);
	EXPECT_EQ(0, insn.rex);
}

TEST(rex_bytes_are_other_instructions_outside_64_bit_mode)
{
	EXPECT_ANSWER(-EINVAL, LODGE_MODE_32, 0x48, 0x89, 0x07);
}

TEST(rex_extends_register_base_and_index)
{
	struct lodge_insn insn =
		DECODE(LODGE_MODE_64, 0x4f, 0x89, 0x44, 0xe5, 0x80);

	EXPECT_OPERAND(insn.operand[1], LODGE_OPERAND_GPR, LODGE_R8, 8);
	EXPECT_ADDRESS(insn.memory, LODGE_DS, LODGE_R13, LODGE_R12, 8, -128);
}

TEST(sib_index_4_is_none_without_rex_x)
{
	struct lodge_insn insn = DECODE(LODGE_MODE_64, 0x88, 0x04, 0x24);

	EXPECT_ADDRESS(insn.memory, LODGE_SS, LODGE_RSP, NO_REG, 0, 0);
}

TEST(sib_base_5_without_displacement_is_none_even_with_rex_b)
{
	struct lodge_insn insn = DECODE(LODGE_MODE_64, 0x41, 0x88, 0x04, 0x25,
					0x78, 0x56, 0x34, 0x12);

	EXPECT_ADDRESS(insn.memory, LODGE_DS, NO_REG, NO_REG, 0, 0x12345678);
}

TEST(absolute_address_in_32_bit_mode_is_rip_relative_in_64_bit_mode)
{
	struct lodge_insn insn =
		DECODE(LODGE_MODE_32, 0xa2, 0x00, 0x00, 0x00, 0x80);

	EXPECT_ADDRESS(insn.memory, LODGE_DS, NO_REG, NO_REG, 0, 0x80000000);
	insn = DECODE(LODGE_MODE_32, 0x88, 0x05, 0x00, 0x00, 0x00, 0x80);
	EXPECT_EQ(NO_REG, insn.memory.base);
	insn = DECODE(LODGE_MODE_64, 0x88, 0x05, 0x00, 0x00, 0x00, 0x80);
	EXPECT_ADDRESS(insn.memory, LODGE_DS, LODGE_REG_RIP, NO_REG, 0,
		       (s32)0x80000000);
}

TEST(sixteen_bit_addresses)
{
	static const struct {
		u8 rm;
		u8 base;
		u8 index;
		u8 seg;
	} c[] = {
		{ 0, LODGE_RBX, LODGE_RSI, LODGE_DS },
		{ 1, LODGE_RBX, LODGE_RDI, LODGE_DS },
		{ 2, LODGE_RBP, LODGE_RSI, LODGE_SS },
		{ 3, LODGE_RBP, LODGE_RDI, LODGE_SS },
		{ 4, LODGE_RSI, NO_REG, LODGE_DS },
		{ 5, LODGE_RDI, NO_REG, LODGE_DS },
		{ 6, LODGE_RBP, NO_REG, LODGE_SS },
		{ 7, LODGE_RBX, NO_REG, LODGE_DS },
	};
	struct lodge_insn insn;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(c); i++) {
		insn = DECODE(LODGE_MODE_16, 0x88, 0x40 | c[i].rm, 0xff);
		EXPECT_ADDRESS(insn.memory, c[i].seg, c[i].base, c[i].index,
			       c[i].index != NO_REG, -1);
	}
	insn = DECODE(LODGE_MODE_16, 0x88, 0x06, 0x34, 0x12);
	EXPECT_ADDRESS(insn.memory, LODGE_DS, NO_REG, NO_REG, 0, 0x1234);
	insn = DECODE(LODGE_MODE_16, 0x88, 0x86, 0x34, 0x82);
	EXPECT_ADDRESS(insn.memory, LODGE_SS, LODGE_RBP, NO_REG, 0,
		       (s16)0x8234);
}

TEST(last_segment_prefix_wins)
{
	struct lodge_insn insn =
		DECODE(LODGE_MODE_32, 0x26, 0x64, 0x2e, 0x88, 0x07);

	EXPECT_EQ(LODGE_CS, insn.memory.segment);
}

TEST(only_fs_and_gs_count_in_64_bit_mode)
{
	struct lodge_insn insn =
		DECODE(LODGE_MODE_64, 0x65, 0x2e, 0x88, 0x45, 0x00);

	EXPECT_EQ(LODGE_GS, insn.memory.segment);
	insn = DECODE(LODGE_MODE_64, 0x2e, 0x88, 0x45, 0x00);
	EXPECT_EQ(LODGE_SS, insn.memory.segment);
}

TEST(byte_registers_4_to_7_are_high_bytes_without_rex)
{
	struct lodge_insn insn = DECODE(LODGE_MODE_64, 0x88, 0x20);

	EXPECT_OPERAND(insn.operand[1], LODGE_OPERAND_GPR_HIGH, LODGE_RAX, 1);
	insn = DECODE(LODGE_MODE_64, 0x40, 0x88, 0x20);
	EXPECT_OPERAND(insn.operand[1], LODGE_OPERAND_GPR, LODGE_RSP, 1);
}

TEST(absolute_offsets_have_the_address_size)
{
	struct lodge_insn insn =
		DECODE(LODGE_MODE_64, 0x48, 0xa1, 1, 2, 3, 4, 5, 6, 7, 0x88);

	EXPECT_OPERAND(insn.operand[0], LODGE_OPERAND_GPR, LODGE_RAX, 8);
	EXPECT_EQ(0x8807060504030201, insn.memory.displacement);
	insn = DECODE(LODGE_MODE_64, 0x67, 0xa0, 1, 2, 3, 0x84);
	EXPECT_EQ(0x84030201, insn.memory.displacement);
	insn = DECODE(LODGE_MODE_16, 0xa3, 1, 0x82);
	EXPECT_EQ(0x8201U, insn.memory.displacement);
}

TEST(immediates_are_sign_extended_and_at_most_4_bytes)
{
	struct lodge_insn insn =
		DECODE(LODGE_MODE_64, 0x48, 0xc7, 0x07, 0xfe, 0xff, 0xff, 0xff);

	EXPECT_EQ((u64)-2, insn.immediate);
	insn = DECODE(LODGE_MODE_64, 0x66, 0xc7, 0x07, 0xfe, 0xff);
	EXPECT_EQ((u64)-2, insn.immediate);
	insn = DECODE(LODGE_MODE_64, 0x83, 0x07, 0x80);
	EXPECT_EQ(LODGE_OP_ADD, insn.op);
	EXPECT_EQ((u64)-128, insn.immediate);
}

TEST(immediate_follows_the_displacement)
{
	struct lodge_insn insn =
		DECODE(LODGE_MODE_64, 0x80, 0xbc, 0x8b, 1, 2, 3, 4, 0x55);

	EXPECT_EQ(LODGE_OP_CMP, insn.op);
	EXPECT_ADDRESS(insn.memory, LODGE_DS, LODGE_RBX, LODGE_RCX, 4,
		       0x04030201);
	EXPECT_EQ(0x55U, insn.immediate);
}

TEST(group_1_names_eight_operations)
{
	u8 reg;

	for (reg = 0; reg < 8; reg++)
		EXPECT_EQ(LODGE_OP_ADD + reg,
			  DECODE(LODGE_MODE_32, 0x83, reg << 3, 1).op);
}

TEST(test_has_an_immediate_and_not_has_none)
{
	EXPECT_EQ(LODGE_OP_TEST,
		  DECODE(LODGE_MODE_32, 0xf7, 0x00, 1, 2, 3, 4).op);
	EXPECT_EQ(LODGE_OP_TEST, DECODE(LODGE_MODE_32, 0xf6, 0x08, 1).op);
	EXPECT_EQ(LODGE_OP_NOT, DECODE(LODGE_MODE_32, 0xf7, 0x10).op);
	EXPECT_EQ(LODGE_OP_NEG, DECODE(LODGE_MODE_32, 0xf7, 0x18).op);
}

TEST(widening_moves_read_less_than_they_write)
{
	struct lodge_insn insn = DECODE(LODGE_MODE_64, 0x48, 0x0f, 0xb7, 0x07);

	EXPECT_EQ(LODGE_OP_MOVZX, insn.op);
	EXPECT_OPERAND(insn.operand[0], LODGE_OPERAND_GPR, LODGE_RAX, 8);
	EXPECT_OPERAND(insn.operand[1], LODGE_OPERAND_MEMORY, 0, 2);
	insn = DECODE(LODGE_MODE_64, 0x48, 0x63, 0x07);
	EXPECT_EQ(LODGE_OP_MOVSX, insn.op);
	EXPECT_OPERAND(insn.operand[1], LODGE_OPERAND_MEMORY, 0, 4);
	EXPECT_EQ(LODGE_OP_ARPL, DECODE(LODGE_MODE_32, 0x63, 0x07).op);
}

TEST(stack_operands_are_64_bits_wide_in_64_bit_mode)
{
	EXPECT_EQ(8, DECODE(LODGE_MODE_64, 0xff, 0x30).operand_size);
	EXPECT_EQ(8, DECODE(LODGE_MODE_64, 0x8f, 0x00).operand_size);
	EXPECT_EQ(2, DECODE(LODGE_MODE_64, 0x66, 0x8f, 0x00).operand_size);
	EXPECT_EQ(4, DECODE(LODGE_MODE_32, 0xff, 0x30).operand_size);
}

TEST(string_instructions_repeat_with_either_prefix)
{
	struct lodge_insn insn = DECODE(LODGE_MODE_64, 0xf3, 0x48, 0xa5);

	EXPECT_EQ(LODGE_OP_MOVS, insn.op);
	EXPECT_EQ(8, insn.operand_size);
	EXPECT_TRUE(insn.rep);
	EXPECT_TRUE(DECODE(LODGE_MODE_64, 0xf2, 0xaa).rep);
	EXPECT_FALSE(DECODE(LODGE_MODE_64, 0xaa).rep);
	EXPECT_FALSE(DECODE(LODGE_MODE_64, 0xf3, 0x88, 0x00).rep);
}

TEST(of_both_repeat_prefixes_the_last_counts)
{
	EXPECT_EQ(LODGE_PREFIX_REPNE,
		  DECODE(LODGE_MODE_32, 0xf3, 0xf2, 0xa6).prefixes);
	EXPECT_EQ(LODGE_PREFIX_REP,
		  DECODE(LODGE_MODE_32, 0xf2, 0xf3, 0xa6).prefixes);
}

TEST(ports_are_at_most_4_bytes_wide)
{
	struct lodge_insn insn = DECODE(LODGE_MODE_64, 0x48, 0xed);

	EXPECT_EQ(LODGE_OP_IN, insn.op);
	EXPECT_OPERAND(insn.operand[0], LODGE_OPERAND_GPR, LODGE_RAX, 4);
	EXPECT_OPERAND(insn.operand[1], LODGE_OPERAND_GPR, LODGE_RDX, 2);
	insn = DECODE(LODGE_MODE_16, 0xe6, 0xf4);
	EXPECT_EQ(LODGE_OP_OUT, insn.op);
	EXPECT_EQ(0xf4U, insn.immediate);
	EXPECT_EQ(4, DECODE(LODGE_MODE_64, 0x48, 0x6f).operand_size);
}

TEST(sse_moves_are_told_apart_by_their_prefix)
{
	EXPECT_EQ(16, DECODE(LODGE_MODE_64, 0x0f, 0x10, 0x00).operand_size);
	EXPECT_EQ(4,
		  DECODE(LODGE_MODE_64, 0xf3, 0x0f, 0x10, 0x00).operand_size);
	EXPECT_EQ(8,
		  DECODE(LODGE_MODE_64, 0xf2, 0x0f, 0x10, 0x00).operand_size);
	EXPECT_EQ(8, DECODE(LODGE_MODE_64, 0x66, 0x48, 0x0f, 0x6e, 0x00)
			     .operand_size);
	EXPECT_TRUE(DECODE(LODGE_MODE_64, 0x66, 0x0f, 0x6f, 0x00).aligned);
	EXPECT_FALSE(DECODE(LODGE_MODE_64, 0xf3, 0x0f, 0x6f, 0x00).aligned);
	EXPECT_EQ(LODGE_OP_MMX_MOV, DECODE(LODGE_MODE_64, 0x0f, 0x6f, 0x00).op);
}

TEST(sse_store_has_the_register_second)
{
	struct lodge_insn insn =
		DECODE(LODGE_MODE_64, 0x66, 0x44, 0x0f, 0xe7, 0x00);

	EXPECT_EQ(LODGE_OP_SSE_MOV, insn.op);
	EXPECT_OPERAND(insn.operand[0], LODGE_OPERAND_MEMORY, 0, 16);
	EXPECT_OPERAND(insn.operand[1], LODGE_OPERAND_XMM, 8, 16);
}

TEST(cmpxchg_pair_is_twice_the_operand)
{
	struct lodge_insn insn = DECODE(LODGE_MODE_64, 0xf0, 0x0f, 0xc7, 0x08);

	EXPECT_EQ(8, insn.operand[0].size);
	insn = DECODE(LODGE_MODE_64, 0xf0, 0x48, 0x0f, 0xc7, 0x08);
	EXPECT_EQ(16, insn.operand[0].size);
}

TEST(lock_is_only_for_a_memory_destination_that_is_read)
{
	EXPECT_EQ(LODGE_PREFIX_LOCK,
		  DECODE(LODGE_MODE_64, 0xf0, 0x01, 0x00).prefixes);
	EXPECT_ANSWER(-EINVAL, LODGE_MODE_64, 0xf0, 0x03, 0x00);
	EXPECT_ANSWER(-EINVAL, LODGE_MODE_64, 0xf0, 0x89, 0x00);
	EXPECT_ANSWER(-EINVAL, LODGE_MODE_64, 0xf0, 0x39, 0x00);
	EXPECT_ANSWER(-EINVAL, LODGE_MODE_64, 0xf0, 0x0f, 0xa3, 0x00);
	EXPECT_ANSWER(-EINVAL, LODGE_MODE_64, 0xf0, 0x0f, 0xa2);
}

TEST(lock_makes_cr8_of_cr0)
{
	struct lodge_insn insn = DECODE(LODGE_MODE_32, 0xf0, 0x0f, 0x20, 0xc3);

	EXPECT_EQ(LODGE_OP_MOV_FROM_CR, insn.op);
	EXPECT_OPERAND(insn.operand[0], LODGE_OPERAND_GPR, LODGE_RBX, 4);
	EXPECT_OPERAND(insn.operand[1], LODGE_OPERAND_CONTROL, 8, 4);
	insn = DECODE(LODGE_MODE_64, 0xf0, 0x0f, 0x22, 0xc3);
	EXPECT_EQ(LODGE_OP_MOV_TO_CR, insn.op);
	EXPECT_OPERAND(insn.operand[0], LODGE_OPERAND_CONTROL, 8, 8);
	EXPECT_ANSWER(-EINVAL, LODGE_MODE_64, 0xf0, 0x0f, 0x22, 0xdb);
	EXPECT_ANSWER(-EINVAL, LODGE_MODE_64, 0xf0, 0x0f, 0x21, 0xc3);
}

TEST(register_forms_that_cannot_exit_are_refused)
{
	EXPECT_ANSWER(-EINVAL, LODGE_MODE_64, 0x89, 0xc0);
	EXPECT_ANSWER(-EINVAL, LODGE_MODE_64, 0x0f, 0x10, 0xc0);
	EXPECT_ANSWER(-EINVAL, LODGE_MODE_64, 0xff, 0xe0);
	EXPECT_ANSWER(-EINVAL, LODGE_MODE_64, 0xf7, 0xe0);
	EXPECT_ANSWER(-EINVAL, LODGE_MODE_64, 0xd1, 0xe0);
	EXPECT_ANSWER(-EINVAL, LODGE_MODE_64, 0x8c, 0xd8);
	EXPECT_ANSWER(-EINVAL, LODGE_MODE_64, 0x0f, 0xba, 0xe0, 1);
}

TEST(intercepted_instructions_are_known)
{
	static const struct {
		u8 bytes[3];
		u8 length;
		u8 op;
	} c[] = {
		{ { 0x0f, 0xa2 }, 2, LODGE_OP_CPUID },
		{ { 0x0f, 0x32 }, 2, LODGE_OP_RDMSR },
		{ { 0x0f, 0x30 }, 2, LODGE_OP_WRMSR },
		{ { 0x0f, 0x31 }, 2, LODGE_OP_RDTSC },
		{ { 0x0f, 0x33 }, 2, LODGE_OP_RDPMC },
		{ { 0x0f, 0x01, 0xf9 }, 3, LODGE_OP_RDTSCP },
		{ { 0xf4 }, 1, LODGE_OP_HLT },
		{ { 0xf3, 0x90 }, 2, LODGE_OP_PAUSE },
		{ { 0x0f, 0x01, 0xc8 }, 3, LODGE_OP_MONITOR },
		{ { 0x0f, 0x01, 0xc9 }, 3, LODGE_OP_MWAIT },
		{ { 0x0f, 0x08 }, 2, LODGE_OP_INVD },
		{ { 0x0f, 0x09 }, 2, LODGE_OP_WBINVD },
		{ { 0xf3, 0x0f, 0x09 }, 3, LODGE_OP_WBINVD },
		{ { 0x0f, 0x01, 0xc1 }, 3, LODGE_OP_VMCALL },
		{ { 0x0f, 0x01, 0xd9 }, 3, LODGE_OP_VMMCALL },
		{ { 0x0f, 0x01, 0xd1 }, 3, LODGE_OP_XSETBV },
		{ { 0x0f, 0x01, 0xd8 }, 3, LODGE_OP_VMRUN },
		{ { 0x0f, 0x01, 0xda }, 3, LODGE_OP_VMLOAD },
		{ { 0x0f, 0x01, 0xdb }, 3, LODGE_OP_VMSAVE },
		{ { 0x0f, 0x01, 0xdc }, 3, LODGE_OP_STGI },
		{ { 0x0f, 0x01, 0xdd }, 3, LODGE_OP_CLGI },
		{ { 0x0f, 0x01, 0xde }, 3, LODGE_OP_SKINIT },
		{ { 0x0f, 0x01, 0xdf }, 3, LODGE_OP_INVLPGA },
		{ { 0x0f, 0x01, 0x38 }, 3, LODGE_OP_INVLPG },
		{ { 0x0f, 0x06 }, 2, LODGE_OP_CLTS },
		{ { 0x0f, 0x01, 0xf0 }, 3, LODGE_OP_LMSW },
		{ { 0x0f, 0x01, 0xe0 }, 3, LODGE_OP_SMSW },
		{ { 0x0f, 0x01, 0x00 }, 3, LODGE_OP_SGDT },
		{ { 0x0f, 0x01, 0x08 }, 3, LODGE_OP_SIDT },
		{ { 0x0f, 0x01, 0x10 }, 3, LODGE_OP_LGDT },
		{ { 0x0f, 0x01, 0x18 }, 3, LODGE_OP_LIDT },
		{ { 0x0f, 0x00, 0xc0 }, 3, LODGE_OP_SLDT },
		{ { 0x0f, 0x00, 0xc8 }, 3, LODGE_OP_STR },
		{ { 0x0f, 0x00, 0xd0 }, 3, LODGE_OP_LLDT },
		{ { 0x0f, 0x00, 0xd8 }, 3, LODGE_OP_LTR },
		{ { 0xcc }, 1, LODGE_OP_INT3 },
		{ { 0xf1 }, 1, LODGE_OP_ICEBP },
		{ { 0xcd, 0x80 }, 2, LODGE_OP_INT },
		{ { 0xcf }, 1, LODGE_OP_IRET },
	};
	struct lodge_insn insn;
	size_t i;
	int mode;

	for (i = 0; i < ARRAY_SIZE(c); i++) {
		for (mode = LODGE_MODE_16; mode <= LODGE_MODE_64; mode++) {
			ASSERT_EQ(0, lodge_decode(&insn, mode, c[i].bytes,
						  c[i].length));
			EXPECT_EQ(c[i].op, insn.op);
			EXPECT_EQ(c[i].length, insn.length);
		}
	}
}

TEST(into_does_not_exist_in_64_bit_mode)
{
	EXPECT_EQ(LODGE_OP_INTO, DECODE(LODGE_MODE_32, 0xce).op);
	EXPECT_ANSWER(-EINVAL, LODGE_MODE_64, 0xce);
}

TEST(nop_is_not_pause)
{
	EXPECT_ANSWER(-EINVAL, LODGE_MODE_64, 0x90);
	EXPECT_ANSWER(-EINVAL, LODGE_MODE_64, 0xf3, 0x41, 0x90);
}

TEST(control_register_moves_ignore_the_mod_field)
{
	struct lodge_insn insn = DECODE(LODGE_MODE_64, 0x44, 0x0f, 0x22, 0x03);

	EXPECT_EQ(LODGE_OP_MOV_TO_CR, insn.op);
	EXPECT_OPERAND(insn.operand[0], LODGE_OPERAND_CONTROL, 8, 8);
	EXPECT_OPERAND(insn.operand[1], LODGE_OPERAND_GPR, LODGE_RBX, 8);
	insn = DECODE(LODGE_MODE_16, 0x0f, 0x20, 0xc1);
	EXPECT_EQ(LODGE_OP_MOV_FROM_CR, insn.op);
	EXPECT_OPERAND(insn.operand[0], LODGE_OPERAND_GPR, LODGE_RCX, 4);
	EXPECT_OPERAND(insn.operand[1], LODGE_OPERAND_CONTROL, 0, 4);
}

TEST(only_existing_control_and_debug_registers)
{
	EXPECT_ANSWER(-EINVAL, LODGE_MODE_64, 0x0f, 0x20, 0xc8);
	EXPECT_ANSWER(-EINVAL, LODGE_MODE_64, 0x0f, 0x20, 0xe8);
	EXPECT_ANSWER(-EINVAL, LODGE_MODE_64, 0x44, 0x0f, 0x20, 0xc8);
	EXPECT_ANSWER(-EINVAL, LODGE_MODE_64, 0x44, 0x0f, 0x23, 0xc0);
	EXPECT_EQ(7, DECODE(LODGE_MODE_64, 0x0f, 0x23, 0xf8).operand[0].reg);
}

TEST(unknown_opcodes_are_refused)
{
	EXPECT_ANSWER(-EINVAL, LODGE_MODE_64, 0x0f, 0x0b);
	EXPECT_ANSWER(-EINVAL, LODGE_MODE_64, 0x0f, 0x3a, 0x00, 0x00, 0x00);
	EXPECT_ANSWER(-EINVAL, LODGE_MODE_64, 0x0f, 0x01, 0xd0);
	EXPECT_ANSWER(-EINVAL, LODGE_MODE_64, 0x8e, 0x08);
}

TEST(vex_takes_the_place_of_prefixes_and_map)
{
	struct lodge_insn insn =
		DECODE(LODGE_MODE_64, 0xc5, 0x7e, 0x6f, 0x48, 0x10);

	EXPECT_EQ(LODGE_OP_SSE_MOV, insn.op);
	EXPECT_TRUE(insn.vex);
	EXPECT_FALSE(insn.aligned);
	EXPECT_OPERAND(insn.operand[0], LODGE_OPERAND_XMM, 9, 32);
	EXPECT_OPERAND(insn.operand[1], LODGE_OPERAND_MEMORY, 0, 32);
	/* R, X and B of the long form are inverted. */
	insn = DECODE(LODGE_MODE_64, 0xc4, 0x01, 0x78, 0x29, 0x04, 0x00);
	EXPECT_TRUE(insn.aligned);
	EXPECT_OPERAND(insn.operand[1], LODGE_OPERAND_XMM, 8, 16);
	EXPECT_EQ(LODGE_R8, insn.memory.base);
	EXPECT_EQ(LODGE_R8, insn.memory.index);
	EXPECT_EQ(8, DECODE(LODGE_MODE_64, 0xc4, 0xe1, 0xf9, 0x6e, 0x00)
			     .operand_size);
}

TEST(vex_excludes_what_it_stands_for)
{
	EXPECT_ANSWER(-EINVAL, LODGE_MODE_64, 0x66, 0xc5, 0xf8, 0x10, 0x00);
	EXPECT_ANSWER(-EINVAL, LODGE_MODE_64, 0xf3, 0xc5, 0xf8, 0x10, 0x00);
	EXPECT_ANSWER(-EINVAL, LODGE_MODE_64, 0xf0, 0xc5, 0xf8, 0x11, 0x00);
	EXPECT_ANSWER(-EINVAL, LODGE_MODE_64, 0x48, 0xc5, 0xf8, 0x10, 0x00);
	EXPECT_EQ(4, DECODE(LODGE_MODE_64, 0x67, 0xc5, 0xf8, 0x10, 0x00)
			     .address_size);
	/* MOVBE has no such form, and vvvv names no register. */
	EXPECT_ANSWER(-EINVAL, LODGE_MODE_64, 0xc4, 0xe2, 0x78, 0xf0, 0x00);
	EXPECT_ANSWER(-EINVAL, LODGE_MODE_64, 0xc5, 0xf0, 0x10, 0x00);
	EXPECT_ANSWER(-EINVAL, LODGE_MODE_64, 0xc5, 0xfd, 0x6e, 0x00);
}

TEST(vex_second_source_is_the_third_operand)
{
	struct lodge_insn insn = DECODE(LODGE_MODE_64, 0xc5, 0xb0, 0x12, 0x00);

	EXPECT_EQ(LODGE_OP_SSE_MOV_LOW, insn.op);
	EXPECT_OPERAND(insn.operand[2], LODGE_OPERAND_XMM, 9, 16);
	insn = DECODE(LODGE_MODE_32, 0xc5, 0xf0, 0x12, 0x00);
	EXPECT_OPERAND(insn.operand[2], LODGE_OPERAND_XMM, 1, 16);
	insn = DECODE(LODGE_MODE_64, 0x0f, 0x12, 0x00);
	EXPECT_OPERAND(insn.operand[2], LODGE_OPERAND_NONE, 0, 0);
}

TEST(far_loads_are_no_vex_where_modrm_says_memory)
{
	struct lodge_insn insn = DECODE(LODGE_MODE_32, 0xc5, 0x18);

	EXPECT_EQ(LODGE_OP_LOAD_FAR, insn.op);
	EXPECT_OPERAND(insn.operand[0], LODGE_OPERAND_GPR, LODGE_RBX, 4);
	EXPECT_OPERAND(insn.operand[1], LODGE_OPERAND_MEMORY, 0, 6);
	EXPECT_OPERAND(insn.operand[2], LODGE_OPERAND_SEGMENT, LODGE_DS, 2);
	EXPECT_EQ(LODGE_ES, DECODE(LODGE_MODE_16, 0xc4, 0x18).operand[2].reg);
	insn = DECODE(LODGE_MODE_64, 0x48, 0x0f, 0xb5, 0x18);
	EXPECT_OPERAND(insn.operand[1], LODGE_OPERAND_MEMORY, 0, 10);
	EXPECT_OPERAND(insn.operand[2], LODGE_OPERAND_SEGMENT, LODGE_GS, 2);
}

TEST(third_operands)
{
	struct lodge_insn insn =
		DECODE(LODGE_MODE_64, 0x69, 0x08, 1, 2, 3, 0xff);

	EXPECT_EQ(LODGE_OP_IMUL_REG, insn.op);
	EXPECT_OPERAND(insn.operand[2], LODGE_OPERAND_IMMEDIATE, 0, 4);
	EXPECT_EQ(0xffffffffff030201, insn.immediate);
	insn = DECODE(LODGE_MODE_64, 0x0f, 0xa5, 0x08);
	EXPECT_EQ(LODGE_OP_SHLD, insn.op);
	EXPECT_OPERAND(insn.operand[2], LODGE_OPERAND_GPR, LODGE_RCX, 1);
}

TEST(shift_counts_are_one_cl_or_a_byte)
{
	struct lodge_insn insn = DECODE(LODGE_MODE_64, 0xd1, 0x20);

	EXPECT_EQ(LODGE_OP_SHL, insn.op);
	EXPECT_EQ(1U, insn.immediate);
	EXPECT_EQ(LODGE_OP_SHL, DECODE(LODGE_MODE_64, 0xd1, 0x30).op);
	insn = DECODE(LODGE_MODE_64, 0xd2, 0x38);
	EXPECT_EQ(LODGE_OP_SAR, insn.op);
	EXPECT_OPERAND(insn.operand[1], LODGE_OPERAND_GPR, LODGE_RCX, 1);
	EXPECT_EQ(0x85U, DECODE(LODGE_MODE_64, 0xc1, 0x08, 0x85).immediate);
}

TEST(stack_instructions_are_decoded_without_an_operand_in_memory)
{
	struct lodge_insn insn = DECODE(LODGE_MODE_64, 0x41, 0x57);

	EXPECT_EQ(LODGE_OP_PUSH, insn.op);
	EXPECT_OPERAND(insn.operand[0], LODGE_OPERAND_GPR, LODGE_R15, 8);
	insn = DECODE(LODGE_MODE_32, 0x1f);
	EXPECT_EQ(LODGE_OP_POP, insn.op);
	EXPECT_OPERAND(insn.operand[0], LODGE_OPERAND_SEGMENT, LODGE_DS, 2);
	insn = DECODE(LODGE_MODE_64, 0x0f, 0xa8);
	EXPECT_OPERAND(insn.operand[0], LODGE_OPERAND_SEGMENT, LODGE_GS, 2);
	EXPECT_ANSWER(-EINVAL, LODGE_MODE_64, 0x1f);
	EXPECT_ANSWER(-EINVAL, LODGE_MODE_64, 0x60);
	EXPECT_EQ(LODGE_OP_CALL, DECODE(LODGE_MODE_64, 0xe8, 0, 0, 0, 0x80).op);
	EXPECT_EQ(LODGE_OP_CALL, DECODE(LODGE_MODE_64, 0xff, 0xd0).op);
	insn = DECODE(LODGE_MODE_64, 0xc8, 0x34, 0x12, 0x02);
	EXPECT_EQ(0x21234U, insn.immediate);
	EXPECT_EQ(LODGE_OP_JMP_FAR, DECODE(LODGE_MODE_16, 0xea, 1, 2, 3, 4).op);
	EXPECT_ANSWER(-EINVAL, LODGE_MODE_64, 0xea, 1, 2, 3, 4, 5, 6);
	insn = DECODE(LODGE_MODE_32, 0x9a, 1, 2, 3, 4, 5, 6);
	EXPECT_EQ(LODGE_OP_CALL_FAR, insn.op);
	EXPECT_EQ(0x60504030201U, insn.immediate);
}

TEST(near_branches_of_16_bits_in_64_bit_mode_are_refused)
{
	EXPECT_ANSWER(-EINVAL, LODGE_MODE_64, 0x66, 0xff, 0x10);
	EXPECT_ANSWER(-EINVAL, LODGE_MODE_64, 0x66, 0xff, 0x20);
	EXPECT_ANSWER(-EINVAL, LODGE_MODE_64, 0x66, 0xc3);
	EXPECT_EQ(2, DECODE(LODGE_MODE_32, 0x66, 0xff, 0x10).operand_size);
}

TEST(conditions_are_the_opcodes_lower_half)
{
	EXPECT_EQ(5, DECODE(LODGE_MODE_64, 0x0f, 0x45, 0x00).condition);
	EXPECT_EQ(0xf, DECODE(LODGE_MODE_64, 0x0f, 0x9f, 0x00).condition);
	EXPECT_EQ(1, DECODE(LODGE_MODE_64, 0x0f, 0x9f, 0x00).operand_size);
}

TEST(a_cut_instruction_wants_more_bytes_at_every_length)
{
	static const struct {
		enum lodge_cpu_mode mode;
		u8 bytes[15];
		u8 length;
	} c[] = {
		{ LODGE_MODE_64,
		  { 0x64, 0x66, 0x67, 0x41, 0xc7, 0x84, 0x8b, 1, 2, 3, 4, 5,
		    6 },
		  13 },
		{ LODGE_MODE_64, { 0x48, 0xa1, 1, 2, 3, 4, 5, 6, 7, 8 }, 10 },
		{ LODGE_MODE_64, { 0x66, 0x0f, 0x38, 0xf0, 0x40, 0x10 }, 6 },
		{ LODGE_MODE_32, { 0xf0, 0x0f, 0xba, 0x2d, 1, 2, 3, 4, 5 }, 9 },
		{ LODGE_MODE_16, { 0x81, 0x86, 1, 2, 3, 4 }, 6 },
		{ LODGE_MODE_16, { 0x0f, 0x01, 0xd9 }, 3 },
	};
	struct lodge_insn insn;
	size_t i, length;

	for (i = 0; i < ARRAY_SIZE(c); i++) {
		for (length = 0; length < c[i].length; length++)
			EXPECT_EQ(-ENODATA, lodge_decode(&insn, c[i].mode,
							 c[i].bytes, length));
		EXPECT_EQ(0, lodge_decode(&insn, c[i].mode, c[i].bytes,
					  c[i].length));
		EXPECT_EQ(c[i].length, insn.length);
	}
}

TEST(fifteen_bytes_are_allowed_and_sixteen_are_not)
{
	u8 bytes[16];
	struct lodge_insn insn;

	memset(bytes, 0x66, sizeof(bytes));
	memcpy(bytes + 9, (u8[]){ 0x0f, 0xba, 0x2d, 1, 2, 3 }, 6);
	EXPECT_EQ(-E2BIG, lodge_decode(&insn, LODGE_MODE_32, bytes, 16));

	memset(bytes, 0x66, sizeof(bytes));
	memcpy(bytes + 11, (u8[]){ 0x88, 0x80, 1, 2 }, 4);
	EXPECT_EQ(0, lodge_decode(&insn, LODGE_MODE_16, bytes, 16));
	EXPECT_EQ(15, insn.length);
}

TEST(prefixes_alone_are_too_long)
{
	u8 bytes[16];
	struct lodge_insn insn;

	memset(bytes, 0x2e, sizeof(bytes));
	EXPECT_EQ(-ENODATA, lodge_decode(&insn, LODGE_MODE_64, bytes, 14));
	EXPECT_EQ(-E2BIG, lodge_decode(&insn, LODGE_MODE_64, bytes, 15));
	EXPECT_EQ(-E2BIG, lodge_decode(&insn, LODGE_MODE_64, bytes, 16));
}

TEST(next_rip_wraps_with_the_mode)
{
	struct lodge_general regs = { .rip = 0xffff };

	EXPECT_EQ(1U, lodge_insn_next_rip(&regs, LODGE_MODE_16, 2));
	EXPECT_EQ(0x10001U, lodge_insn_next_rip(&regs, LODGE_MODE_32, 2));
	regs.rip = 0xffffffff;
	EXPECT_EQ(1U, lodge_insn_next_rip(&regs, LODGE_MODE_32, 2));
	EXPECT_EQ(0x100000001U, lodge_insn_next_rip(&regs, LODGE_MODE_64, 2));
}

TEST(effective_address_adds_its_parts_and_is_cut_to_its_size)
{
	struct lodge_general regs = { .rip = 0x1000 };
	struct lodge_insn insn;

	regs.gpr[LODGE_RBX] = 0x1fff0;
	regs.gpr[LODGE_RSI] = 0x20;
	insn = DECODE(LODGE_MODE_16, 0x88, 0x00);
	EXPECT_EQ(0x10U, lodge_insn_offset(&insn, &regs));
	insn = DECODE(LODGE_MODE_32, 0x88, 0x44, 0xf3, 0xff);
	EXPECT_EQ(0x200efU, lodge_insn_offset(&insn, &regs));
	insn = DECODE(LODGE_MODE_64, 0x88, 0x05, 0xfc, 0xff, 0xff, 0xff);
	EXPECT_EQ(0x1002U, lodge_insn_offset(&insn, &regs));
	insn = DECODE(LODGE_MODE_64, 0x67, 0x88, 0x46, 0xdf);
	EXPECT_EQ(0xffffffff, lodge_insn_offset(&insn, &regs));
}

TEST_HARNESS_MAIN
