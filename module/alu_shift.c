// SPDX-License-Identifier: GPL-2.0
/*
 * Shifts, products, quotients and bit searches: see alu.h.  Flags that the manual
 * leaves undefined keep what they had.
 */
#include "alu.h"
#include "decode.h"

static void set_flags(u64 *rflags, u64 which, u64 flags)
{
	*rflags = (*rflags & ~which) | (flags & which);
}

static bool bit(u64 value, unsigned int n)
{
	return value >> n & 1;
}

/* SF, ZF and PF of a result, and what else @flags has. */
static void set_result_flags(u64 *rflags, u64 result, unsigned int size,
			     u64 flags)
{
	u64 computed = 0;

	lodge_alu(LODGE_OP_TEST, result, result, size, &computed);
	computed &= X86_EFLAGS_SF | X86_EFLAGS_ZF | X86_EFLAGS_PF;
	set_flags(rflags, RFLAGS_ARITHMETIC & ~X86_EFLAGS_AF, computed | flags);
}

static u64 carry_overflow(bool carry, bool overflow)
{
	return (carry ? X86_EFLAGS_CF : 0) | (overflow ? X86_EFLAGS_OF : 0);
}

/* Rotates touch CF and OF only; a full turn still sets CF. */
static u64 rotate(bool left, u64 a, unsigned int count, unsigned int bits,
		  u64 *rflags)
{
	unsigned int by = left ? count % bits : (bits - count % bits) % bits;
	u64 mask = lodge_alu_mask(bits / 8);
	u64 result = by ? (a << by | a >> (bits - by)) & mask : a;
	bool top = bit(result, bits - 1);
	bool carry = left ? result & 1 : top;

	set_flags(rflags, X86_EFLAGS_CF | X86_EFLAGS_OF,
		  carry_overflow(carry, left ? top ^ carry :
					       top ^ bit(result, bits - 2)));
	return result;
}

/* RCL and RCR rotate through CF.  They are rare: one bit at a time is fast enough. */
static u64 rotate_carry(bool left, u64 a, unsigned int count, unsigned int bits,
			u64 *rflags)
{
	bool carry = *rflags & X86_EFLAGS_CF, out;

	for (count %= bits + 1; count; count--) {
		out = bit(a, left ? bits - 1 : 0);
		if (left)
			a = a << 1 | carry;
		else
			a = a >> 1 | (u64)carry << (bits - 1);
		a &= lodge_alu_mask(bits / 8);
		carry = out;
	}
	set_flags(rflags, X86_EFLAGS_CF | X86_EFLAGS_OF,
		  carry_overflow(carry,
				 bit(a, bits - 1) ^
					 (left ? carry : bit(a, bits - 2))));
	return a;
}

static u64 shift_left(u64 a, unsigned int count, unsigned int bits, bool *carry)
{
	*carry = count <= bits && bit(a, bits - count);
	return count < bits ? a << count & lodge_alu_mask(bits / 8) : 0;
}

static u64 shift_right(u64 a, unsigned int count, unsigned int bits,
		       bool *carry)
{
	*carry = count <= bits && bit(a, count - 1);
	return count < bits ? a >> count : 0;
}

static u64 shift_arithmetic(u64 a, unsigned int count, unsigned int bits,
			    bool *carry)
{
	s64 value = (s64)lodge_alu_sign_extend(a, bits / 8);

	*carry = value >> (count < bits ? count - 1 : bits - 1) & 1;
	return (u64)(value >> (count < bits ? count : bits - 1)) &
	       lodge_alu_mask(bits / 8);
}

u64 lodge_alu_shift(u8 op, u64 a, u64 count, unsigned int size, u64 *rflags)
{
	unsigned int bits = 8 * size, n = count & (size == 8 ? 63 : 31);
	bool carry = false, overflow;
	u64 result;

	if (!n)
		return a;
	switch (op) {
	case LODGE_OP_ROL:
	case LODGE_OP_ROR:
		return rotate(op == LODGE_OP_ROL, a, n, bits, rflags);
	case LODGE_OP_RCL:
	case LODGE_OP_RCR:
		return rotate_carry(op == LODGE_OP_RCL, a, n, bits, rflags);
	case LODGE_OP_SHL:
		result = shift_left(a, n, bits, &carry);
		overflow = bit(result, bits - 1) ^ carry;
		break;
	case LODGE_OP_SHR:
		result = shift_right(a, n, bits, &carry);
		overflow = bit(a, bits - 1);
		break;
	default: /* SAR */
		result = shift_arithmetic(a, n, bits, &carry);
		overflow = false;
		break;
	}
	set_result_flags(rflags, result, size, carry_overflow(carry, overflow));
	return result;
}

u64 lodge_alu_double_shift(u8 op, u64 a, u64 fill, u64 count, unsigned int size,
			   u64 *rflags)
{
	unsigned int bits = 8 * size, n = count & (size == 8 ? 63 : 31);
	bool left = op == LODGE_OP_SHLD, carry;
	u64 result;

	if (!n || n > bits)
		return a;
	if (n == bits)
		result = fill;
	else if (left)
		result = (a << n | fill >> (bits - n)) & lodge_alu_mask(size);
	else
		result = (a >> n | fill << (bits - n)) & lodge_alu_mask(size);
	carry = bit(a, left ? bits - n : n - 1);
	set_result_flags(rflags, result, size,
			 carry_overflow(carry, bit(a ^ result, bits - 1)));
	return result;
}

u64 lodge_alu_multiply(bool is_signed, u64 a, u64 b, unsigned int size,
		       u64 *high, u64 *rflags)
{
	u64 mask = lodge_alu_mask(size), low, expected = 0;
	unsigned __int128 product = (unsigned __int128)a * b;

	if (is_signed)
		product = (__int128)(s64)lodge_alu_sign_extend(a, size) *
			  (s64)lodge_alu_sign_extend(b, size);
	low = product & mask;
	*high = product >> (8 * size) & mask;
	if (is_signed && bit(low, 8 * size - 1))
		expected = mask;
	set_flags(rflags, X86_EFLAGS_CF | X86_EFLAGS_OF,
		  *high == expected ? 0 : X86_EFLAGS_CF | X86_EFLAGS_OF);
	return low;
}

/* Long division, a bit at a time: the kernel has none of 128 bits. */
static bool divide_unsigned(u64 high, u64 low, u64 divisor, unsigned int size,
			    u64 *quotient, u64 *remainder)
{
	unsigned __int128 rest = high;
	int i;

	if (high >= divisor)
		return false;
	*quotient = 0;
	for (i = 8 * size - 1; i >= 0; i--) {
		rest = rest << 1 | bit(low, i);
		*quotient <<= 1;
		if (rest >= divisor) {
			rest -= divisor;
			*quotient |= 1;
		}
	}
	*remainder = rest;
	return true;
}

/* By the magnitudes; the remainder has the sign of what is divided. */
static bool divide_signed(u64 high, u64 low, u64 divisor, unsigned int size,
			  u64 *quotient, u64 *remainder)
{
	unsigned int top = 8 * size - 1;
	u64 mask = lodge_alu_mask(size);
	bool negative = bit(high, top), opposite = negative ^ bit(divisor, top);

	if (negative) {
		low = -low & mask;
		high = (~high + !low) & mask;
	}
	if (bit(divisor, top))
		divisor = -divisor & mask;
	if (!divide_unsigned(high, low, divisor, size, quotient, remainder))
		return false;
	if (*quotient > (1ULL << top) - !opposite)
		return false;
	if (opposite)
		*quotient = -*quotient & mask;
	if (negative)
		*remainder = -*remainder & mask;
	return true;
}

bool lodge_alu_divide(bool is_signed, u64 high, u64 low, u64 divisor,
		      unsigned int size, u64 *quotient, u64 *remainder)
{
	if (is_signed)
		return divide_signed(high, low, divisor, size, quotient,
				     remainder);
	return divide_unsigned(high, low, divisor, size, quotient, remainder);
}

u64 lodge_alu_scan(u8 op, u64 a, unsigned int size, u64 *rflags)
{
	unsigned int bits = 8 * size, count;

	switch (op) {
	case LODGE_OP_BSF:
		set_flags(rflags, X86_EFLAGS_ZF, 0);
		return __ffs64(a);
	case LODGE_OP_BSR:
		set_flags(rflags, X86_EFLAGS_ZF, 0);
		return fls64(a) - 1;
	case LODGE_OP_POPCNT:
		set_flags(rflags, RFLAGS_ARITHMETIC, a ? 0 : X86_EFLAGS_ZF);
		return hweight64(a);
	case LODGE_OP_TZCNT:
		count = a ? __ffs64(a) : bits;
		break;
	default: /* LZCNT */
		count = bits - fls64(a);
		break;
	}
	set_flags(rflags, X86_EFLAGS_ZF | X86_EFLAGS_CF,
		  (count ? 0 : X86_EFLAGS_ZF) | (a ? 0 : X86_EFLAGS_CF));
	return count;
}

bool lodge_alu_condition(u8 condition, u64 rflags)
{
	/* Flags of which one suffices; the last two also hold for "less". */
	static const u64 any[] = {
		X86_EFLAGS_OF,
		X86_EFLAGS_CF,
		X86_EFLAGS_ZF,
		X86_EFLAGS_CF | X86_EFLAGS_ZF,
		X86_EFLAGS_SF,
		X86_EFLAGS_PF,
		0,
		X86_EFLAGS_ZF,
	};
	unsigned int test = condition >> 1 & 7;
	bool less = !(rflags & X86_EFLAGS_SF) != !(rflags & X86_EFLAGS_OF);
	bool holds = rflags & any[test] || (test >= 6 && less);

	return holds != (condition & 1);
}
