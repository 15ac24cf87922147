// SPDX-License-Identifier: GPL-2.0
/*
 * Carry, auxiliary carry and overflow are read off bit vectors that hold the
 * carry out of every bit, so that one formula serves all operand sizes.
 */
#include "alu.h"
#include "decode.h"

static u64 result_flags(u64 result, unsigned int size)
{
	u64 flags = 0;

	if (hweight64(result & 0xff) % 2 == 0)
		flags |= X86_EFLAGS_PF;
	if (!(result & lodge_alu_mask(size)))
		flags |= X86_EFLAGS_ZF;
	if (result >> (8 * size - 1) & 1)
		flags |= X86_EFLAGS_SF;
	return flags;
}

/*
 * Flags of an addition or subtraction: @carries has, for every bit, the carry
 * or borrow out of it, @overflow the sign bit's overflow.
 */
static u64 sum_flags(u64 result, u64 carries, u64 overflow, unsigned int size)
{
	unsigned int top = 8 * size - 1;
	u64 flags = result_flags(result, size);

	if (carries >> top & 1)
		flags |= X86_EFLAGS_CF;
	if (carries >> 3 & 1)
		flags |= X86_EFLAGS_AF;
	if (overflow >> top & 1)
		flags |= X86_EFLAGS_OF;
	return flags;
}

static u64 add(u64 a, u64 b, u64 carry, unsigned int size, u64 *flags)
{
	u64 result = a + b + carry;

	*flags = sum_flags(result, (a & b) | ((a | b) & ~result),
			   (a ^ result) & (b ^ result), size);
	return result;
}

static u64 subtract(u64 a, u64 b, u64 borrow, unsigned int size, u64 *flags)
{
	u64 result = a - b - borrow;

	*flags = sum_flags(result, (~a & b) | ((~a | b) & result),
			   (a ^ b) & (a ^ result), size);
	return result;
}

/* AF, undefined after a logical operation, is cleared as the processors do. */
static u64 logic(u64 result, unsigned int size, u64 *flags)
{
	*flags = result_flags(result, size);
	return result;
}

u64 lodge_alu(u8 op, u64 a, u64 b, unsigned int size, u64 *rflags)
{
	u64 carry = *rflags & X86_EFLAGS_CF;
	u64 changes = RFLAGS_ARITHMETIC;
	u64 result, flags = 0;

	switch (op) {
	case LODGE_OP_ADD:
	case LODGE_OP_XADD:
		result = add(a, b, 0, size, &flags);
		break;
	case LODGE_OP_ADC:
		result = add(a, b, carry, size, &flags);
		break;
	case LODGE_OP_SBB:
		result = subtract(a, b, carry, size, &flags);
		break;
	case LODGE_OP_SUB:
	case LODGE_OP_CMP:
		result = subtract(a, b, 0, size, &flags);
		break;
	case LODGE_OP_NEG:
		result = subtract(0, a, 0, size, &flags);
		break;
	case LODGE_OP_OR:
		result = logic(a | b, size, &flags);
		break;
	case LODGE_OP_AND:
	case LODGE_OP_TEST:
		result = logic(a & b, size, &flags);
		break;
	case LODGE_OP_XOR:
		result = logic(a ^ b, size, &flags);
		break;
	case LODGE_OP_INC:
		changes &= ~X86_EFLAGS_CF;
		result = add(a, 1, 0, size, &flags);
		break;
	case LODGE_OP_DEC:
		changes &= ~X86_EFLAGS_CF;
		result = subtract(a, 1, 0, size, &flags);
		break;
	default: /* NOT */
		changes = 0;
		result = ~a;
		break;
	}
	*rflags = (*rflags & ~changes) | (flags & changes);
	return result;
}
