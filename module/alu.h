/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Integer arithmetic as x86 does it: a result and its flags.
 */
#ifndef LODGE_ALU_H
#define LODGE_ALU_H

#include "pure.h"

#define RFLAGS_CF BIT_ULL(0)
#define RFLAGS_PF BIT_ULL(2)
#define RFLAGS_AF BIT_ULL(4)
#define RFLAGS_ZF BIT_ULL(6)
#define RFLAGS_SF BIT_ULL(7)
#define RFLAGS_DF BIT_ULL(10)
#define RFLAGS_OF BIT_ULL(11)
#define RFLAGS_ARITHMETIC \
	(RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)

/* The lower @size (1 to 8) bytes. */
static inline u64 lodge_alu_mask(unsigned int size)
{
	return size >= 8 ? ~0ULL : (1ULL << (8 * size)) - 1;
}

static inline u64 lodge_alu_sign_extend(u64 value, unsigned int size)
{
	unsigned int shift = 64 - 8 * size;

	return (u64)((s64)(value << shift) >> shift);
}

/**
 * lodge_alu() - compute @a op @b
 * @op: LODGE_OP_ADD to LODGE_OP_DEC, or LODGE_OP_XADD for the sum
 * @a: first operand, no more than @size bytes
 * @b: second operand, likewise; NOT, NEG, INC and DEC ignore it
 * @size: bytes: 1, 2, 4 or 8
 * @rflags: in: RFLAGS; out: RFLAGS with the arithmetic flags that @op sets.  AF
 *	after a logical operation, which is undefined, is cleared, as processors
 *	do
 *
 * Return: the result; what is above @size bytes has no meaning.
 */
u64 lodge_alu(u8 op, u64 a, u64 b, unsigned int size, u64 *rflags);

#endif
