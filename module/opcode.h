/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The opcode map as tables: what each opcode is and where its operands stand.
 * Private to decode.c.
 *
 * Sources: AMD APM vol. 3, appendix A; Intel SDM vol. 2, appendix A.
 */
#ifndef LODGE_OPCODE_H
#define LODGE_OPCODE_H

#include "decode.h"

/* What a row says of an operand. */
enum form {
	NONE,
	RM, /* memory, or a register where the row has REGS */
	REG, /* general register in ModRM.reg */
	SEGREG, /* segment register in ModRM.reg */
	XMM, /* XMM register in ModRM.reg */
	CR, /* control register in ModRM.reg */
	DR, /* debug register in ModRM.reg */
	GPR, /* general register in ModRM.rm, whatever ModRM.mod is */
	IMM, /* operand size, at most 4 bytes, sign-extended */
	IMM8, /* one byte, sign-extended */
	UIMM8, /* one byte, zero-extended */
	ACC, /* rAX */
	DX, /* port number */
	MOFFS, /* memory at an absolute offset of the address size */
};

/* Bytes of the memory operand, where they are not the operand size. */
enum width {
	W_OPERAND = 0,
	W_1 = 1,
	W_2 = 2,
	W_4 = 4,
	W_8 = 8,
	W_16 = 16,
	W_PAIR, /* two operands: CMPXCHG8B and CMPXCHG16B */
	W_TABLE, /* limit and base of a descriptor table */
	W_ADDRESS, /* none is moved */
};

/* Bits of row.flags. */
#define BYTE 0x01 /* operand size 1 */
#define NO64 0x02 /* undefined in 64-bit mode */
#define ONLY64 0x04 /* undefined elsewhere */
#define REGS 0x08 /* has a register form */
#define STACK 0x10 /* operand size 8 in 64-bit mode */
#define IO 0x20 /* operand size at most 4 */
#define BARE 0x40 /* undefined with 66, F2 or F3 */
#define GROUP 0x80 /* ModRM.reg selects a row of group[row.op] */

struct row {
	u8 op;
	u8 form[2];
	u8 width;
	u8 flags;
};

#define ROW(name, dst, src, ...)                                           \
	{                                                                  \
		.op = LODGE_OP_##name, .form = { dst, src }, ##__VA_ARGS__ \
	}
#define F(bits) .flags = (bits)
#define W(bytes) .width = (bytes)

enum {
	GROUP_1,
	GROUP_POP,
	GROUP_3,
	GROUP_4,
	GROUP_5,
	GROUP_MOV,
	GROUP_SYSTEM_SEGMENT,
	GROUP_SYSTEM_TABLE,
	GROUP_BIT,
	GROUP_PAIR,
};

static const struct row group[][8] = {
	/* The operands are those of the opcode: see find_row(). */
	[GROUP_1] = {
		ROW(ADD, NONE, NONE), ROW(OR, NONE, NONE),
		ROW(ADC, NONE, NONE), ROW(SBB, NONE, NONE),
		ROW(AND, NONE, NONE), ROW(SUB, NONE, NONE),
		ROW(XOR, NONE, NONE), ROW(CMP, NONE, NONE),
	},
	[GROUP_POP] = {
		[0] = ROW(POP, RM, NONE, F(STACK)),
	},
	[GROUP_3] = {
		[0] = ROW(TEST, RM, IMM),
		[1] = ROW(TEST, RM, IMM),
		[2] = ROW(NOT, RM, NONE),
		[3] = ROW(NEG, RM, NONE),
	},
	[GROUP_4] = {
		[0] = ROW(INC, RM, NONE),
		[1] = ROW(DEC, RM, NONE),
	},
	[GROUP_5] = {
		[0] = ROW(INC, RM, NONE),
		[1] = ROW(DEC, RM, NONE),
		[6] = ROW(PUSH, RM, NONE, F(STACK)),
	},
	[GROUP_MOV] = {
		[0] = ROW(MOV, RM, IMM),
	},
	[GROUP_SYSTEM_SEGMENT] = {
		[0] = ROW(SLDT, RM, NONE, W(W_2), F(REGS)),
		[1] = ROW(STR, RM, NONE, W(W_2), F(REGS)),
		[2] = ROW(LLDT, RM, NONE, W(W_2), F(REGS)),
		[3] = ROW(LTR, RM, NONE, W(W_2), F(REGS)),
	},
	[GROUP_SYSTEM_TABLE] = {
		[0] = ROW(SGDT, RM, NONE, W(W_TABLE)),
		[1] = ROW(SIDT, RM, NONE, W(W_TABLE)),
		[2] = ROW(LGDT, RM, NONE, W(W_TABLE)),
		[3] = ROW(LIDT, RM, NONE, W(W_TABLE)),
		[4] = ROW(SMSW, RM, NONE, W(W_2), F(REGS)),
		[6] = ROW(LMSW, RM, NONE, W(W_2), F(REGS)),
		[7] = ROW(INVLPG, RM, NONE, W(W_ADDRESS)),
	},
	[GROUP_BIT] = {
		[4] = ROW(BT, RM, UIMM8),
		[5] = ROW(BTS, RM, UIMM8),
		[6] = ROW(BTR, RM, UIMM8),
		[7] = ROW(BTC, RM, UIMM8),
	},
	[GROUP_PAIR] = {
		[1] = ROW(CMPXCHG_PAIR, RM, NONE, W(W_PAIR)),
	},
};

#define SELECT(name, dst, src, ...)                             \
	{                                                       \
		.op = (name), .form = { dst, src }, __VA_ARGS__ \
	}

/* A pair of opcodes: operand size 1, then the effective one. */
#define BOTH(code, name, dst, src)               \
	[(code)] = ROW(name, dst, src, F(BYTE)), \
	[(code) + 1] = ROW(name, dst, src)
#define BOTH_IO(code, name, dst, src)                 \
	[(code)] = ROW(name, dst, src, F(BYTE | IO)), \
	[(code) + 1] = ROW(name, dst, src, F(IO))
#define ALU(code, name) \
	BOTH(code, name, RM, REG), BOTH((code) + 2, name, REG, RM)

static const struct row one_byte[256] = {
	ALU(0x00, ADD),
	ALU(0x08, OR),
	ALU(0x10, ADC),
	ALU(0x18, SBB),
	ALU(0x20, AND),
	ALU(0x28, SUB),
	ALU(0x30, XOR),
	ALU(0x38, CMP),
	[0x63] = ROW(MOVSX, REG, RM, W(W_4), F(ONLY64)),
	BOTH_IO(0x6c, INS, NONE, NONE),
	BOTH_IO(0x6e, OUTS, NONE, NONE),
	[0x80] = SELECT(GROUP_1, RM, IMM8, F(GROUP | BYTE)),
	[0x81] = SELECT(GROUP_1, RM, IMM, F(GROUP)),
	[0x82] = SELECT(GROUP_1, RM, IMM8, F(GROUP | BYTE | NO64)),
	[0x83] = SELECT(GROUP_1, RM, IMM8, F(GROUP)),
	BOTH(0x84, TEST, RM, REG),
	BOTH(0x86, XCHG, RM, REG),
	BOTH(0x88, MOV, RM, REG),
	BOTH(0x8a, MOV, REG, RM),
	[0x8c] = ROW(MOV, RM, SEGREG, W(W_2)),
	[0x8f] = SELECT(GROUP_POP, NONE, NONE, F(GROUP)),
	[0x90] = ROW(PAUSE, NONE, NONE),
	BOTH(0xa0, MOV, ACC, MOFFS),
	BOTH(0xa2, MOV, MOFFS, ACC),
	BOTH(0xa4, MOVS, NONE, NONE),
	BOTH(0xa6, CMPS, NONE, NONE),
	BOTH(0xaa, STOS, NONE, NONE),
	BOTH(0xac, LODS, NONE, NONE),
	BOTH(0xae, SCAS, NONE, NONE),
	[0xc6] = SELECT(GROUP_MOV, NONE, NONE, F(GROUP | BYTE)),
	[0xc7] = SELECT(GROUP_MOV, NONE, NONE, F(GROUP)),
	[0xcc] = ROW(INT3, NONE, NONE),
	[0xcd] = ROW(INT, UIMM8, NONE),
	[0xce] = ROW(INTO, NONE, NONE, F(NO64)),
	[0xcf] = ROW(IRET, NONE, NONE),
	BOTH_IO(0xe4, IN, ACC, UIMM8),
	BOTH_IO(0xe6, OUT, UIMM8, ACC),
	BOTH_IO(0xec, IN, ACC, DX),
	BOTH_IO(0xee, OUT, DX, ACC),
	[0xf1] = ROW(ICEBP, NONE, NONE),
	[0xf4] = ROW(HLT, NONE, NONE),
	[0xf6] = SELECT(GROUP_3, NONE, NONE, F(GROUP | BYTE)),
	[0xf7] = SELECT(GROUP_3, NONE, NONE, F(GROUP)),
	[0xfe] = SELECT(GROUP_4, NONE, NONE, F(GROUP | BYTE)),
	[0xff] = SELECT(GROUP_5, NONE, NONE, F(GROUP)),
};

/* Opcodes after 0F. */
static const struct row two_byte[256] = {
	[0x00] = SELECT(GROUP_SYSTEM_SEGMENT, NONE, NONE, F(GROUP)),
	[0x01] = SELECT(GROUP_SYSTEM_TABLE, NONE, NONE, F(GROUP)),
	[0x06] = ROW(CLTS, NONE, NONE),
	[0x08] = ROW(INVD, NONE, NONE),
	[0x09] = ROW(WBINVD, NONE, NONE),
	[0x20] = ROW(MOV_FROM_CR, GPR, CR, F(REGS)),
	[0x21] = ROW(MOV_FROM_DR, GPR, DR, F(REGS)),
	[0x22] = ROW(MOV_TO_CR, CR, GPR, F(REGS)),
	[0x23] = ROW(MOV_TO_DR, DR, GPR, F(REGS)),
	[0x30] = ROW(WRMSR, NONE, NONE),
	[0x31] = ROW(RDTSC, NONE, NONE),
	[0x32] = ROW(RDMSR, NONE, NONE),
	[0x33] = ROW(RDPMC, NONE, NONE),
	[0xa2] = ROW(CPUID, NONE, NONE),
	[0xa3] = ROW(BT, RM, REG),
	[0xab] = ROW(BTS, RM, REG),
	BOTH(0xb0, CMPXCHG, RM, REG),
	[0xb3] = ROW(BTR, RM, REG),
	[0xb6] = ROW(MOVZX, REG, RM, W(W_1)),
	[0xb7] = ROW(MOVZX, REG, RM, W(W_2)),
	[0xba] = SELECT(GROUP_BIT, NONE, NONE, F(GROUP)),
	[0xbb] = ROW(BTC, RM, REG),
	[0xbe] = ROW(MOVSX, REG, RM, W(W_1)),
	[0xbf] = ROW(MOVSX, REG, RM, W(W_2)),
	BOTH(0xc0, XADD, RM, REG),
	[0xc3] = ROW(MOV, RM, REG, F(BARE)),
	[0xc7] = SELECT(GROUP_PAIR, NONE, NONE, F(GROUP)),
};

/* The register forms of 0F 01, by their whole ModRM byte. */
static const struct {
	u8 modrm;
	struct row row;
} system_op[] = {
	{ 0xc1, ROW(VMCALL, NONE, NONE, F(BARE)) },
	{ 0xc8, ROW(MONITOR, NONE, NONE, F(BARE)) },
	{ 0xc9, ROW(MWAIT, NONE, NONE, F(BARE)) },
	{ 0xd1, ROW(XSETBV, NONE, NONE, F(BARE)) },
	{ 0xd8, ROW(VMRUN, NONE, NONE) },
	{ 0xd9, ROW(VMMCALL, NONE, NONE) },
	{ 0xda, ROW(VMLOAD, NONE, NONE) },
	{ 0xdb, ROW(VMSAVE, NONE, NONE) },
	{ 0xdc, ROW(STGI, NONE, NONE) },
	{ 0xdd, ROW(CLGI, NONE, NONE) },
	{ 0xde, ROW(SKINIT, NONE, NONE) },
	{ 0xdf, ROW(INVLPGA, NONE, NONE) },
	{ 0xf9, ROW(RDTSCP, NONE, NONE) },
};

/*
 * Opcodes after 0F, or after 0F 38 where @map says so, whose meaning is up to
 * the last of the prefixes 66, F2, F3; of them 66 is the weakest.
 */
#define MAP_0F 1
#define MAP_0F38 2

static const struct {
	u8 map;
	u8 opcode;
	u8 prefix;
	bool aligned;
	struct row row;
} prefixed[] = {
	{ MAP_0F, 0x10, 0x00, false, ROW(SSE_MOV, XMM, RM, W(W_16)) },
	{ MAP_0F, 0x10, 0x66, false, ROW(SSE_MOV, XMM, RM, W(W_16)) },
	{ MAP_0F, 0x10, 0xf3, false, ROW(SSE_MOV, XMM, RM, W(W_4)) },
	{ MAP_0F, 0x10, 0xf2, false, ROW(SSE_MOV, XMM, RM, W(W_8)) },
	{ MAP_0F, 0x11, 0x00, false, ROW(SSE_MOV, RM, XMM, W(W_16)) },
	{ MAP_0F, 0x11, 0x66, false, ROW(SSE_MOV, RM, XMM, W(W_16)) },
	{ MAP_0F, 0x11, 0xf3, false, ROW(SSE_MOV, RM, XMM, W(W_4)) },
	{ MAP_0F, 0x11, 0xf2, false, ROW(SSE_MOV, RM, XMM, W(W_8)) },
	{ MAP_0F, 0x12, 0x00, false, ROW(SSE_MOV_LOW, XMM, RM, W(W_8)) },
	{ MAP_0F, 0x12, 0x66, false, ROW(SSE_MOV_LOW, XMM, RM, W(W_8)) },
	{ MAP_0F, 0x13, 0x00, false, ROW(SSE_MOV_LOW, RM, XMM, W(W_8)) },
	{ MAP_0F, 0x13, 0x66, false, ROW(SSE_MOV_LOW, RM, XMM, W(W_8)) },
	{ MAP_0F, 0x16, 0x00, false, ROW(SSE_MOV_HIGH, XMM, RM, W(W_8)) },
	{ MAP_0F, 0x16, 0x66, false, ROW(SSE_MOV_HIGH, XMM, RM, W(W_8)) },
	{ MAP_0F, 0x17, 0x00, false, ROW(SSE_MOV_HIGH, RM, XMM, W(W_8)) },
	{ MAP_0F, 0x17, 0x66, false, ROW(SSE_MOV_HIGH, RM, XMM, W(W_8)) },
	{ MAP_0F, 0x28, 0x00, true, ROW(SSE_MOV, XMM, RM, W(W_16)) },
	{ MAP_0F, 0x28, 0x66, true, ROW(SSE_MOV, XMM, RM, W(W_16)) },
	{ MAP_0F, 0x29, 0x00, true, ROW(SSE_MOV, RM, XMM, W(W_16)) },
	{ MAP_0F, 0x29, 0x66, true, ROW(SSE_MOV, RM, XMM, W(W_16)) },
	{ MAP_0F, 0x2b, 0x00, true, ROW(SSE_MOV, RM, XMM, W(W_16)) },
	{ MAP_0F, 0x2b, 0x66, true, ROW(SSE_MOV, RM, XMM, W(W_16)) },
	{ MAP_0F, 0x6e, 0x66, false, ROW(SSE_MOV, XMM, RM) },
	{ MAP_0F, 0x6f, 0x66, true, ROW(SSE_MOV, XMM, RM, W(W_16)) },
	{ MAP_0F, 0x6f, 0xf3, false, ROW(SSE_MOV, XMM, RM, W(W_16)) },
	{ MAP_0F, 0x7e, 0x66, false, ROW(SSE_MOV, RM, XMM) },
	{ MAP_0F, 0x7e, 0xf3, false, ROW(SSE_MOV, XMM, RM, W(W_8)) },
	{ MAP_0F, 0x7f, 0x66, true, ROW(SSE_MOV, RM, XMM, W(W_16)) },
	{ MAP_0F, 0x7f, 0xf3, false, ROW(SSE_MOV, RM, XMM, W(W_16)) },
	{ MAP_0F, 0xd6, 0x66, false, ROW(SSE_MOV, RM, XMM, W(W_8)) },
	{ MAP_0F, 0xe7, 0x66, true, ROW(SSE_MOV, RM, XMM, W(W_16)) },
	{ MAP_0F, 0xf0, 0xf2, false, ROW(SSE_MOV, XMM, RM, W(W_16)) },
	{ MAP_0F38, 0x2a, 0x66, true, ROW(SSE_MOV, XMM, RM, W(W_16)) },
	{ MAP_0F38, 0xf0, 0x00, false, ROW(MOVBE, REG, RM) },
	{ MAP_0F38, 0xf0, 0x66, false, ROW(MOVBE, REG, RM) },
	{ MAP_0F38, 0xf1, 0x00, false, ROW(MOVBE, RM, REG) },
	{ MAP_0F38, 0xf1, 0x66, false, ROW(MOVBE, RM, REG) },
};

#endif
