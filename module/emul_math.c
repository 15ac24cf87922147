// SPDX-License-Identifier: GPL-2.0
/*
 * Shifts, products, quotients, searches for bits, and conditions stored.
 */
#include "emul_access.h"

/* Memory is written also with a count of 0. */
static int emul_shift(struct lodge_emul *e)
{
	const struct lodge_insn *insn = &e->insn;
	bool two = insn->op == LODGE_OP_SHLD || insn->op == LODGE_OP_SHRD;
	const struct lodge_operand *by = &insn->operand[two ? 2 : 1];
	unsigned int size = insn->operand_size;
	u64 rflags = e->regs->rflags;
	u64 count = by->kind == LODGE_OPERAND_GPR ? e->regs->gpr[LODGE_RCX] :
						    insn->immediate;
	u64 linear, old, new;
	int error;

	error = emul_read_operand(e, 0, LODGE_ACCESS_READ | LODGE_ACCESS_WRITE,
				  &linear, &old);
	if (error)
		return error;
	if (two)
		new = lodge_alu_double_shift(
			insn->op, old, emul_read_register(e, &insn->operand[1]),
			count, size, &rflags);
	else
		new = lodge_alu_shift(insn->op, old, count, size, &rflags);
	error = emul_write(e, linear, new, size);
	if (error)
		return error;
	e->regs->rflags = rflags;
	return emul_advance(e);
}

/* rDX:rAX, or AX, whose upper half is AH. */
static void read_pair(const struct lodge_emul *e, u64 *high, u64 *low)
{
	unsigned int size = e->insn.operand_size;
	const __u64 *gpr = e->regs->gpr;

	*low = gpr[LODGE_RAX] & lodge_alu_mask(size);
	*high = size == 1 ? gpr[LODGE_RAX] >> 8 & 0xff :
			    gpr[LODGE_RDX] & lodge_alu_mask(size);
}

static void write_pair(struct lodge_emul *e, u64 high, u64 low)
{
	unsigned int size = e->insn.operand_size;

	if (size == 1) {
		emul_write_gpr(e, LODGE_RAX, (high & 0xff) << 8 | (low & 0xff),
			       2);
		return;
	}
	emul_write_gpr(e, LODGE_RAX, low, size);
	emul_write_gpr(e, LODGE_RDX, high, size);
}

static int emul_multiply(struct lodge_emul *e)
{
	u64 source, high, low, rflags = e->regs->rflags;
	int error = emul_read_source(e, 0, &source);

	if (error)
		return error;
	read_pair(e, &high, &low);
	low = lodge_alu_multiply(e->insn.op == LODGE_OP_IMUL, low, source,
				 e->insn.operand_size, &high, &rflags);
	write_pair(e, high, low);
	e->regs->rflags = rflags;
	return emul_advance(e);
}

static int emul_divide(struct lodge_emul *e)
{
	u64 source, high, low, quotient, remainder;
	int error = emul_read_source(e, 0, &source);

	if (error)
		return error;
	read_pair(e, &high, &low);
	if (!lodge_alu_divide(e->insn.op == LODGE_OP_IDIV, high, low, source,
			      e->insn.operand_size, &quotient, &remainder))
		return emul_raise(e, X86_TRAP_DE);
	write_pair(e, remainder, quotient);
	return emul_advance(e);
}

/* Of two operands, or of the second and an immediate. */
static int emul_multiply_register(struct lodge_emul *e)
{
	const struct lodge_insn *insn = &e->insn;
	const struct lodge_operand *dst = &insn->operand[0];
	const struct lodge_operand *by = &insn->operand[2];
	u64 source, high, low, rflags = e->regs->rflags;
	int error = emul_read_source(e, 1, &source);

	if (error)
		return error;
	low = emul_read_register(e, by->kind == LODGE_OPERAND_NONE ? dst : by);
	low = lodge_alu_multiply(true, low, source, insn->operand_size, &high,
				 &rflags);
	emul_write_register(e, dst, low);
	e->regs->rflags = rflags;
	return emul_advance(e);
}

/* Processors without TZCNT and LZCNT take their prefix for none. */
static u8 scan_op(const struct lodge_emul *e)
{
	if (e->insn.op == LODGE_OP_TZCNT && !(e->features & LODGE_EMUL_BMI1))
		return LODGE_OP_BSF;
	if (e->insn.op == LODGE_OP_LZCNT && !(e->features & LODGE_EMUL_ABM))
		return LODGE_OP_BSR;
	return e->insn.op;
}

/* BSF and BSR leave the register alone where there is no bit. */
static int emul_scan(struct lodge_emul *e)
{
	u64 source, result, rflags = e->regs->rflags;
	u8 op = scan_op(e);
	int error = emul_read_source(e, 1, &source);

	if (error)
		return error;
	if (!source && (op == LODGE_OP_BSF || op == LODGE_OP_BSR)) {
		emul_set_flag(e, X86_EFLAGS_ZF, true);
		return emul_advance(e);
	}
	result = lodge_alu_scan(op, source, e->insn.operand_size, &rflags);
	emul_write_register(e, &e->insn.operand[0], result);
	e->regs->rflags = rflags;
	return emul_advance(e);
}

static int emul_setcc(struct lodge_emul *e)
{
	bool holds = lodge_alu_condition(e->insn.condition, e->regs->rflags);
	int error = emul_store(e, holds, 1);

	return error ? error : emul_advance(e);
}

static int emul_bound(struct lodge_emul *e)
{
	const struct lodge_insn *insn = &e->insn;
	unsigned int size = insn->operand_size;
	s64 index = (s64)lodge_alu_sign_extend(
		emul_read_register(e, &insn->operand[0]), size);
	u64 linear, limits, upper;
	int error;

	error = emul_translate(e, 2 * size, LODGE_ACCESS_READ, &linear);
	if (!error)
		error = emul_read(e, linear, &limits, 2 * size,
				  LODGE_ACCESS_READ);
	if (error)
		return error;
	upper = limits >> (8 * size);
	if (index < (s64)lodge_alu_sign_extend(limits, size) ||
	    index > (s64)lodge_alu_sign_extend(upper, size))
		return emul_raise(e, X86_TRAP_BR);
	return emul_advance(e);
}

int lodge_emul_math(struct lodge_emul *e)
{
	switch (e->insn.op) {
	case LODGE_OP_MUL:
	case LODGE_OP_IMUL:
		return emul_multiply(e);
	case LODGE_OP_DIV:
	case LODGE_OP_IDIV:
		return emul_divide(e);
	case LODGE_OP_IMUL_REG:
		return emul_multiply_register(e);
	case LODGE_OP_BSF ... LODGE_OP_POPCNT:
		return emul_scan(e);
	case LODGE_OP_SETCC:
		return emul_setcc(e);
	case LODGE_OP_BOUND:
		return emul_bound(e);
	default:
		return emul_shift(e);
	}
}
