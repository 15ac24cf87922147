/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A decoder at work, and what the tables in opcode.h are made of.  Private to
 * decode.c and decode_operand.c.
 *
 * A byte that is not there reads as zero and leaves its reason in decoder.error,
 * which is looked at before anything is concluded from it.
 */
#ifndef LODGE_DECODER_H
#define LODGE_DECODER_H

#include "alu.h"
#include "decode.h"

/* The kinds of operands in a row. */
enum form {
	NONE,
	RM, /* memory, or a register where the row has REGS */
	REG, /* general register in ModRM.reg */
	SEGREG, /* segment register in ModRM.reg */
	MMX, /* MMX register in ModRM.reg */
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
	CL, /* the register */
	ONE, /* an immediate that is not encoded */
	UIMM16, /* two bytes, zero-extended */
	FRAME, /* ENTER's: two bytes and one */
	FAR, /* offset of the operand size, and selector */
	OPREG, /* general register in bits 2:0 of the opcode */
	OPSEG, /* segment register in bits 5:3 of the opcode */
	FARSEG, /* the segment register that a far pointer is loaded to */
	VVVV, /* XMM register that VEX names; none without VEX */
};

/* Bytes of the memory operand, where they are not the operand size. */
enum width {
	W_OPERAND = 0,
	W_1 = 1,
	W_2 = 2,
	W_4 = 4,
	W_8 = 8,
	W_10 = 10,
	W_16 = 16,
	W_PAIR, /* two operands: CMPXCHG8B and CMPXCHG16B */
	W_FAR, /* offset and selector */
	W_BOUND, /* two limits */
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
#define NEAR 0x100 /* undefined here with 66 in 64-bit mode: vendors differ */
#define WORD 0x200 /* operand size 2 */

struct row {
	u8 op;
	u8 form[LODGE_NR_OPERANDS];
	u8 width;
	u16 flags;
};

struct decoder {
	struct lodge_insn *insn;
	const u8 *bytes;
	size_t length;
	size_t at;
	int error;
	u8 opcode;
	u8 modrm;
	bool has_modrm;
	/* Of the VEX prefix; vvvv is not inverted here. */
	u8 vvvv;
	bool vex_l;
};

#define REX_W 0x8
#define REX_R 0x4
#define REX_X 0x2
#define REX_B 0x1

/* One more address bit of a register number, from the REX prefix. */
static inline u8 rex_bit(const struct decoder *d, u8 bit)
{
	return d->insn->rex & bit ? 8 : 0;
}

static inline u8 modrm_mod(const struct decoder *d)
{
	return d->modrm >> 6;
}

static inline u8 modrm_reg(const struct decoder *d)
{
	return d->modrm >> 3 & 7;
}

static inline u8 modrm_rm(const struct decoder *d)
{
	return d->modrm & 7;
}

static inline u8 peek(struct decoder *d)
{
	if (d->error)
		return 0;
	if (d->at == LODGE_INSN_MAX_LENGTH)
		d->error = -E2BIG;
	else if (d->at >= d->length)
		d->error = -ENODATA;
	else
		return d->bytes[d->at];
	return 0;
}

/* The next @size bytes, little-endian. */
static inline u64 take(struct decoder *d, unsigned int size)
{
	u64 value = 0;
	unsigned int i;

	for (i = 0; i < size; i++) {
		value |= (u64)peek(d) << (8 * i);
		d->at++;
	}
	return value;
}

static inline u64 take_signed(struct decoder *d, unsigned int size)
{
	return lodge_alu_sign_extend(take(d, size), size);
}

/* A move of 32 bytes: see VEX_256. */
static inline bool is_wide(const struct decoder *d, const struct row *row)
{
	return d->vex_l && row->width == W_16;
}

/**
 * lodge_decoder_operands() - take what follows the opcode and ModRM
 *
 * Sizes are set.  Return: 0, or as lodge_decode().
 */
int lodge_decoder_operands(struct decoder *d, const struct row *row);

#endif
