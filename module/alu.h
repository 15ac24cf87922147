/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Integer arithmetic as x86 does it: a result and its flags.
 */
#ifndef LODGE_ALU_H
#define LODGE_ALU_H

#include "pure.h"
#include "processor.h"

#define RFLAGS_ARITHMETIC                                                \
	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF | \
	 X86_EFLAGS_SF | X86_EFLAGS_OF)

/* The lower @size (1 to 8) bytes. */
static inline u64 lodge_alu_mask(unsigned int size)
{
	return size >= 8 ? ~0ULL : (1ULL << (8 * size)) - 1;
}

/* The value that @size (1 to 8) bytes of memory hold. */
static inline u64 lodge_alu_get(const void *from, unsigned int size)
{
	u64 value = 0;

	memcpy(&value, from, size);
	return value;
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

/**
 * lodge_alu_shift() - rotate or shift
 * @op: LODGE_OP_ROL to LODGE_OP_SAR
 * @a: the value, no more than @size bytes
 * @count: as the instruction has it; cut to 5 bits, or 6 with 8 bytes
 * @size: bytes: 1, 2, 4 or 8
 * @rflags: in and out, as for lodge_alu(); nothing changes with a count of 0
 *
 * Return: as lodge_alu().
 */
u64 lodge_alu_shift(u8 op, u64 a, u64 count, unsigned int size, u64 *rflags);

/**
 * lodge_alu_double_shift() - SHLD and SHRD
 * @fill: the bits that come in
 *
 * With a count above the operand size, which is undefined, the answer is some
 * value.  The rest is as for lodge_alu_shift().
 */
u64 lodge_alu_double_shift(u8 op, u64 a, u64 fill, u64 count, unsigned int size,
			   u64 *rflags);

/**
 * lodge_alu_multiply() - a product of twice the size
 * @is_signed: MUL or IMUL
 * @high: out: its upper @size bytes
 * @rflags: in and out: CF and OF say that @high is needed
 *
 * Return: the lower @size bytes.
 */
u64 lodge_alu_multiply(bool is_signed, u64 a, u64 b, unsigned int size,
		       u64 *high, u64 *rflags);

/**
 * lodge_alu_divide() - divide @high:@low by @divisor
 * @is_signed: DIV or IDIV
 * @quotient: out, @size bytes
 * @remainder: out, @size bytes
 *
 * Return: true if there is a quotient of that size; #DE otherwise.
 */
bool lodge_alu_divide(bool is_signed, u64 high, u64 low, u64 divisor,
		      unsigned int size, u64 *quotient, u64 *remainder);

/**
 * lodge_alu_scan() - BSF, BSR, TZCNT, LZCNT and POPCNT
 * @a: the source, no more than @size bytes; of BSF and BSR not 0
 * @rflags: in and out: ZF, and CF of the counts
 *
 * Return: the result.
 */
u64 lodge_alu_scan(u8 op, u64 a, unsigned int size, u64 *rflags);

/**
 * lodge_alu_condition() - test a condition code (APM vol. 3, 1.3.2)
 *
 * Return: true if it holds.
 */
bool lodge_alu_condition(u8 condition, u64 rflags);

#endif
