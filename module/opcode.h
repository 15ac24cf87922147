/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The opcode map as tables: the operation of each opcode and the places of its
 * operands.
 * Private to decode.c.
 *
 * Sources: AMD APM vol. 3, appendix A; Intel SDM vol. 2, appendix A.
 */
#ifndef LODGE_OPCODE_H
#define LODGE_OPCODE_H

#include "decoder.h"

#define ROW(name, dst, src, ...)                                           \
	{                                                                  \
		.op = LODGE_OP_##name, .form = { dst, src }, ##__VA_ARGS__ \
	}
#define ROW3(name, dst, src, third, ...)                            \
	{                                                           \
		.op = LODGE_OP_##name, .form = { dst, src, third }, \
		##__VA_ARGS__                                       \
	}
#define F(bits) .flags = (bits)
#define W(bytes) .width = (bytes)

enum {
	GROUP_1,
	GROUP_SHIFT,
	GROUP_POP,
	GROUP_3,
	GROUP_4,
	GROUP_5,
	GROUP_MOV,
	GROUP_SYSTEM_SEGMENT,
	GROUP_SYSTEM_TABLE,
	GROUP_BIT,
	GROUP_PAIR,
	GROUP_FLUSH,
	GROUP_FLUSH_66,
	GROUP_D9,
	GROUP_DB,
	GROUP_DD,
	GROUP_DF,
};

static const struct row group[][8] = {
	/* The operands are those of the opcode: see find_row(). */
	[GROUP_1] = {
		ROW(ADD, NONE, NONE), ROW(OR, NONE, NONE),
		ROW(ADC, NONE, NONE), ROW(SBB, NONE, NONE),
		ROW(AND, NONE, NONE), ROW(SUB, NONE, NONE),
		ROW(XOR, NONE, NONE), ROW(CMP, NONE, NONE),
	},
	[GROUP_SHIFT] = {
		ROW(ROL, NONE, NONE), ROW(ROR, NONE, NONE),
		ROW(RCL, NONE, NONE), ROW(RCR, NONE, NONE),
		ROW(SHL, NONE, NONE), ROW(SHR, NONE, NONE),
		ROW(SHL, NONE, NONE), ROW(SAR, NONE, NONE),
	},
	[GROUP_POP] = {
		[0] = ROW(POP, RM, NONE, F(STACK | REGS)),
	},
	[GROUP_3] = {
		[0] = ROW(TEST, RM, IMM),
		[1] = ROW(TEST, RM, IMM),
		[2] = ROW(NOT, RM, NONE),
		[3] = ROW(NEG, RM, NONE),
		[4] = ROW(MUL, RM, NONE),
		[5] = ROW(IMUL, RM, NONE),
		[6] = ROW(DIV, RM, NONE),
		[7] = ROW(IDIV, RM, NONE),
	},
	[GROUP_4] = {
		[0] = ROW(INC, RM, NONE),
		[1] = ROW(DEC, RM, NONE),
	},
	[GROUP_5] = {
		[0] = ROW(INC, RM, NONE),
		[1] = ROW(DEC, RM, NONE),
		[2] = ROW(CALL, RM, NONE, F(STACK | NEAR | REGS)),
		[3] = ROW(CALL_FAR, RM, NONE, W(W_FAR)),
		[4] = ROW(JMP, RM, NONE, F(STACK | NEAR)),
		[5] = ROW(JMP_FAR, RM, NONE, W(W_FAR)),
		[6] = ROW(PUSH, RM, NONE, F(STACK | REGS)),
	},
	[GROUP_MOV] = {
		[0] = ROW(MOV, RM, IMM),
	},
	[GROUP_SYSTEM_SEGMENT] = {
		[0] = ROW(SLDT, RM, NONE, W(W_2), F(REGS)),
		[1] = ROW(STR, RM, NONE, W(W_2), F(REGS)),
		[2] = ROW(LLDT, RM, NONE, W(W_2), F(REGS | WORD)),
		[3] = ROW(LTR, RM, NONE, W(W_2), F(REGS | WORD)),
		[4] = ROW(VERR, RM, NONE, W(W_2), F(WORD)),
		[5] = ROW(VERW, RM, NONE, W(W_2), F(WORD)),
	},
	[GROUP_SYSTEM_TABLE] = {
		[0] = ROW(SGDT, RM, NONE, W(W_TABLE)),
		[1] = ROW(SIDT, RM, NONE, W(W_TABLE)),
		[2] = ROW(LGDT, RM, NONE, W(W_TABLE)),
		[3] = ROW(LIDT, RM, NONE, W(W_TABLE)),
		[4] = ROW(SMSW, RM, NONE, W(W_2), F(REGS)),
		[6] = ROW(LMSW, RM, NONE, W(W_2), F(REGS | WORD)),
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
	[GROUP_FLUSH] = {
		[2] = ROW(LDMXCSR, RM, NONE, W(W_4)),
		[3] = ROW(STMXCSR, RM, NONE, W(W_4)),
		[7] = ROW(FLUSH, RM, NONE, W(W_ADDRESS)),
	},
	[GROUP_FLUSH_66] = {
		[6] = ROW(FLUSH, RM, NONE, W(W_ADDRESS)),
		[7] = ROW(FLUSH, RM, NONE, W(W_ADDRESS)),
	},
	/* x87: moves of one value or word. */
	[GROUP_D9] = {
		[0] = ROW(FLD, RM, NONE, W(W_4)),
		[2] = ROW(FST, RM, NONE, W(W_4)),
		[3] = ROW(FSTP, RM, NONE, W(W_4)),
		[5] = ROW(FLDCW, RM, NONE, W(W_2)),
		[7] = ROW(FNSTCW, RM, NONE, W(W_2)),
	},
	[GROUP_DB] = {
		[0] = ROW(FILD, RM, NONE, W(W_4)),
		[1] = ROW(FISTTP, RM, NONE, W(W_4)),
		[2] = ROW(FIST, RM, NONE, W(W_4)),
		[3] = ROW(FISTP, RM, NONE, W(W_4)),
		[5] = ROW(FLD, RM, NONE, W(W_10)),
		[7] = ROW(FSTP, RM, NONE, W(W_10)),
	},
	[GROUP_DD] = {
		[0] = ROW(FLD, RM, NONE, W(W_8)),
		[1] = ROW(FISTTP, RM, NONE, W(W_8)),
		[2] = ROW(FST, RM, NONE, W(W_8)),
		[3] = ROW(FSTP, RM, NONE, W(W_8)),
		[7] = ROW(FNSTSW, RM, NONE, W(W_2)),
	},
	[GROUP_DF] = {
		[0] = ROW(FILD, RM, NONE, W(W_2)),
		[1] = ROW(FISTTP, RM, NONE, W(W_2)),
		[2] = ROW(FIST, RM, NONE, W(W_2)),
		[3] = ROW(FISTP, RM, NONE, W(W_2)),
		[5] = ROW(FILD, RM, NONE, W(W_8)),
		[7] = ROW(FISTP, RM, NONE, W(W_8)),
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
#define EIGHT(code, ...)                                        \
	[(code)] = __VA_ARGS__, [(code) + 1] = __VA_ARGS__,     \
	[(code) + 2] = __VA_ARGS__, [(code) + 3] = __VA_ARGS__, \
	[(code) + 4] = __VA_ARGS__, [(code) + 5] = __VA_ARGS__, \
	[(code) + 6] = __VA_ARGS__, [(code) + 7] = __VA_ARGS__
#define SHIFT(code, count)                                          \
	[(code)] = SELECT(GROUP_SHIFT, RM, count, F(GROUP | BYTE)), \
	[(code) + 1] = SELECT(GROUP_SHIFT, RM, count, F(GROUP))
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
	[0x06] = ROW(PUSH, OPSEG, NONE, F(NO64)),
	[0x07] = ROW(POP, OPSEG, NONE, F(NO64)),
	[0x0e] = ROW(PUSH, OPSEG, NONE, F(NO64)),
	[0x16] = ROW(PUSH, OPSEG, NONE, F(NO64)),
	[0x17] = ROW(POP, OPSEG, NONE, F(NO64)),
	[0x1e] = ROW(PUSH, OPSEG, NONE, F(NO64)),
	[0x1f] = ROW(POP, OPSEG, NONE, F(NO64)),
	EIGHT(0x50, ROW(PUSH, OPREG, NONE, F(STACK))),
	EIGHT(0x58, ROW(POP, OPREG, NONE, F(STACK))),
	[0x60] = ROW(PUSHA, NONE, NONE, F(NO64)),
	[0x61] = ROW(POPA, NONE, NONE, F(NO64)),
	[0x62] = ROW(BOUND, REG, RM, W(W_BOUND), F(NO64)),
	/* ARPL outside 64-bit mode: see find_opcode(). */
	[0x63] = ROW(MOVSX, REG, RM, W(W_4), F(ONLY64)),
	[0x68] = ROW(PUSH, IMM, NONE, F(STACK)),
	[0x69] = ROW3(IMUL_REG, REG, RM, IMM),
	[0x6a] = ROW(PUSH, IMM8, NONE, F(STACK)),
	[0x6b] = ROW3(IMUL_REG, REG, RM, IMM8),
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
	[0x8e] = ROW(MOV_TO_SEG, SEGREG, RM, W(W_2), F(REGS | WORD)),
	[0x8f] = SELECT(GROUP_POP, NONE, NONE, F(GROUP)),
	[0x90] = ROW(PAUSE, NONE, NONE),
	[0x9a] = ROW(CALL_FAR, FAR, NONE, F(NO64)),
	[0x9c] = ROW(PUSHF, NONE, NONE, F(STACK)),
	[0x9d] = ROW(POPF, NONE, NONE, F(STACK)),
	BOTH(0xa0, MOV, ACC, MOFFS),
	BOTH(0xa2, MOV, MOFFS, ACC),
	BOTH(0xa4, MOVS, NONE, NONE),
	BOTH(0xa6, CMPS, NONE, NONE),
	BOTH(0xaa, STOS, NONE, NONE),
	BOTH(0xac, LODS, NONE, NONE),
	BOTH(0xae, SCAS, NONE, NONE),
	SHIFT(0xc0, UIMM8),
	[0xc2] = ROW(RET, UIMM16, NONE, F(STACK | NEAR)),
	[0xc3] = ROW(RET, NONE, NONE, F(STACK | NEAR)),
	[0xc4] = ROW3(LOAD_FAR, REG, RM, FARSEG, W(W_FAR), F(NO64)),
	[0xc5] = ROW3(LOAD_FAR, REG, RM, FARSEG, W(W_FAR), F(NO64)),
	[0xc6] = SELECT(GROUP_MOV, NONE, NONE, F(GROUP | BYTE)),
	[0xc7] = SELECT(GROUP_MOV, NONE, NONE, F(GROUP)),
	[0xc8] = ROW(ENTER, FRAME, NONE, F(STACK)),
	[0xc9] = ROW(LEAVE, NONE, NONE, F(STACK)),
	[0xca] = ROW(RET_FAR, UIMM16, NONE),
	[0xcb] = ROW(RET_FAR, NONE, NONE),
	[0xcc] = ROW(INT3, NONE, NONE),
	[0xcd] = ROW(INT, UIMM8, NONE),
	[0xce] = ROW(INTO, NONE, NONE, F(NO64)),
	[0xcf] = ROW(IRET, NONE, NONE),
	SHIFT(0xd0, ONE),
	SHIFT(0xd2, CL),
	[0xd7] = ROW(XLAT, NONE, NONE, F(BYTE)),
	[0xd9] = SELECT(GROUP_D9, NONE, NONE, F(GROUP)),
	[0xdb] = SELECT(GROUP_DB, NONE, NONE, F(GROUP)),
	[0xdd] = SELECT(GROUP_DD, NONE, NONE, F(GROUP)),
	[0xdf] = SELECT(GROUP_DF, NONE, NONE, F(GROUP)),
	BOTH_IO(0xe4, IN, ACC, UIMM8),
	BOTH_IO(0xe6, OUT, UIMM8, ACC),
	[0xe8] = ROW(CALL, IMM, NONE, F(STACK | NEAR)),
	[0xea] = ROW(JMP_FAR, FAR, NONE, F(NO64)),
	BOTH_IO(0xec, IN, ACC, DX),
	BOTH_IO(0xee, OUT, DX, ACC),
	[0xf1] = ROW(ICEBP, NONE, NONE),
	[0xf4] = ROW(HLT, NONE, NONE),
	[0xf6] = SELECT(GROUP_3, NONE, NONE, F(GROUP | BYTE)),
	[0xf7] = SELECT(GROUP_3, NONE, NONE, F(GROUP)),
	[0xfe] = SELECT(GROUP_4, NONE, NONE, F(GROUP | BYTE)),
	[0xff] = SELECT(GROUP_5, NONE, NONE, F(GROUP)),
};

static const struct row arpl = ROW(ARPL, RM, REG, W(W_2), F(NO64 | WORD));

/* Opcodes after 0F. */
static const struct row two_byte[256] = {
	[0x00] = SELECT(GROUP_SYSTEM_SEGMENT, NONE, NONE, F(GROUP)),
	[0x01] = SELECT(GROUP_SYSTEM_TABLE, NONE, NONE, F(GROUP)),
	[0x02] = ROW(LAR, REG, RM, W(W_2)),
	[0x03] = ROW(LSL, REG, RM, W(W_2)),
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
	EIGHT(0x40, ROW(CMOVCC, REG, RM)),
	EIGHT(0x48, ROW(CMOVCC, REG, RM)),
	EIGHT(0x90, ROW(SETCC, RM, NONE, F(BYTE))),
	EIGHT(0x98, ROW(SETCC, RM, NONE, F(BYTE))),
	[0xa0] = ROW(PUSH, OPSEG, NONE, F(STACK)),
	[0xa1] = ROW(POP, OPSEG, NONE, F(STACK)),
	[0xa2] = ROW(CPUID, NONE, NONE),
	[0xa3] = ROW(BT, RM, REG),
	[0xa4] = ROW3(SHLD, RM, REG, UIMM8),
	[0xa5] = ROW3(SHLD, RM, REG, CL),
	[0xa8] = ROW(PUSH, OPSEG, NONE, F(STACK)),
	[0xa9] = ROW(POP, OPSEG, NONE, F(STACK)),
	[0xab] = ROW(BTS, RM, REG),
	[0xac] = ROW3(SHRD, RM, REG, UIMM8),
	[0xad] = ROW3(SHRD, RM, REG, CL),
	[0xaf] = ROW(IMUL_REG, REG, RM),
	BOTH(0xb0, CMPXCHG, RM, REG),
	[0xb2] = ROW3(LOAD_FAR, REG, RM, FARSEG, W(W_FAR)),
	[0xb3] = ROW(BTR, RM, REG),
	[0xb4] = ROW3(LOAD_FAR, REG, RM, FARSEG, W(W_FAR)),
	[0xb5] = ROW3(LOAD_FAR, REG, RM, FARSEG, W(W_FAR)),
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

/* The form with a VEX prefix (SDM vol. 2, 2.3). */
enum vex_form {
	VEX_NONE, /* there is none */
	VEX_128, /* VEX.L is 0 */
	VEX_256, /* VEX.L doubles the size */
	VEX_SCALAR, /* VEX.L is ignored */
	VEX_SECOND, /* VEX.L is 0, VEX.vvvv a second source */
};

static const struct prefixed {
	u8 map;
	u8 opcode;
	u8 prefix;
	u8 vex;
	bool aligned;
	struct row row;
} prefixed[] = {
#define P(prefix, code, vex, aligned, ...)                      \
	{                                                       \
		MAP_0F, code, prefix, vex, aligned, __VA_ARGS__ \
	}
#define P38(prefix, code, vex, aligned, ...)                      \
	{                                                         \
		MAP_0F38, code, prefix, vex, aligned, __VA_ARGS__ \
	}
/* The same with and without prefix 66. */
#define P_BOTH(code, ...) P(0x00, code, __VA_ARGS__), P(0x66, code, __VA_ARGS__)
	P_BOTH(0x10, VEX_256, false, ROW(SSE_MOV, XMM, RM, W(W_16))),
	P(0xf3, 0x10, VEX_SCALAR, false, ROW(SSE_MOV, XMM, RM, W(W_4))),
	P(0xf2, 0x10, VEX_SCALAR, false, ROW(SSE_MOV, XMM, RM, W(W_8))),
	P_BOTH(0x11, VEX_256, false, ROW(SSE_MOV, RM, XMM, W(W_16))),
	P(0xf3, 0x11, VEX_SCALAR, false, ROW(SSE_MOV, RM, XMM, W(W_4))),
	P(0xf2, 0x11, VEX_SCALAR, false, ROW(SSE_MOV, RM, XMM, W(W_8))),
	P_BOTH(0x12, VEX_SECOND, false,
	       ROW3(SSE_MOV_LOW, XMM, RM, VVVV, W(W_8))),
	P_BOTH(0x13, VEX_128, false, ROW(SSE_MOV_LOW, RM, XMM, W(W_8))),
	P_BOTH(0x16, VEX_SECOND, false,
	       ROW3(SSE_MOV_HIGH, XMM, RM, VVVV, W(W_8))),
	P_BOTH(0x17, VEX_128, false, ROW(SSE_MOV_HIGH, RM, XMM, W(W_8))),
	P_BOTH(0x28, VEX_256, true, ROW(SSE_MOV, XMM, RM, W(W_16))),
	P_BOTH(0x29, VEX_256, true, ROW(SSE_MOV, RM, XMM, W(W_16))),
	P_BOTH(0x2b, VEX_256, true, ROW(SSE_MOV, RM, XMM, W(W_16))),
	P(0x00, 0x6e, VEX_NONE, false, ROW(MMX_MOV, MMX, RM)),
	P(0x66, 0x6e, VEX_128, false, ROW(SSE_MOV, XMM, RM)),
	P(0x00, 0x6f, VEX_NONE, false, ROW(MMX_MOV, MMX, RM, W(W_8))),
	P(0x66, 0x6f, VEX_256, true, ROW(SSE_MOV, XMM, RM, W(W_16))),
	P(0xf3, 0x6f, VEX_256, false, ROW(SSE_MOV, XMM, RM, W(W_16))),
	P(0x00, 0x7e, VEX_NONE, false, ROW(MMX_MOV, RM, MMX)),
	P(0x66, 0x7e, VEX_128, false, ROW(SSE_MOV, RM, XMM)),
	P(0xf3, 0x7e, VEX_128, false, ROW(SSE_MOV, XMM, RM, W(W_8))),
	P(0x00, 0x7f, VEX_NONE, false, ROW(MMX_MOV, RM, MMX, W(W_8))),
	P(0x66, 0x7f, VEX_256, true, ROW(SSE_MOV, RM, XMM, W(W_16))),
	P(0xf3, 0x7f, VEX_256, false, ROW(SSE_MOV, RM, XMM, W(W_16))),
	P(0x00, 0xae, VEX_NONE, false,
	  SELECT(GROUP_FLUSH, NONE, NONE, F(GROUP))),
	P(0x66, 0xae, VEX_NONE, false,
	  SELECT(GROUP_FLUSH_66, NONE, NONE, F(GROUP))),
	P(0xf3, 0xb8, VEX_NONE, false, ROW(POPCNT, REG, RM)),
	P_BOTH(0xbc, VEX_NONE, false, ROW(BSF, REG, RM)),
	P(0xf2, 0xbc, VEX_NONE, false, ROW(BSF, REG, RM)),
	P(0xf3, 0xbc, VEX_NONE, false, ROW(TZCNT, REG, RM)),
	P_BOTH(0xbd, VEX_NONE, false, ROW(BSR, REG, RM)),
	P(0xf2, 0xbd, VEX_NONE, false, ROW(BSR, REG, RM)),
	P(0xf3, 0xbd, VEX_NONE, false, ROW(LZCNT, REG, RM)),
	P(0x66, 0xd6, VEX_128, false, ROW(SSE_MOV, RM, XMM, W(W_8))),
	P(0x00, 0xe7, VEX_NONE, false, ROW(MMX_MOV, RM, MMX, W(W_8))),
	P(0x66, 0xe7, VEX_256, true, ROW(SSE_MOV, RM, XMM, W(W_16))),
	P(0xf2, 0xf0, VEX_256, false, ROW(SSE_MOV, XMM, RM, W(W_16))),
	P38(0x66, 0x2a, VEX_256, true, ROW(SSE_MOV, XMM, RM, W(W_16))),
	P38(0x00, 0xf0, VEX_NONE, false, ROW(MOVBE, REG, RM)),
	P38(0x66, 0xf0, VEX_NONE, false, ROW(MOVBE, REG, RM)),
	P38(0x00, 0xf1, VEX_NONE, false, ROW(MOVBE, RM, REG)),
	P38(0x66, 0xf1, VEX_NONE, false, ROW(MOVBE, RM, REG)),
	/* MOVDIRI */
	P38(0x00, 0xf9, VEX_NONE, false, ROW(MOV, RM, REG, F(BARE))),
#undef P
#undef P_BOTH
#undef P38
};

#endif
