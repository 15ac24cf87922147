// SPDX-License-Identifier: GPL-2.0
/*
 * One function a family of instructions.  Each reads its operands, computes,
 * stores, and only then touches registers; lodge_emul_step() picks it.  Those of
 * a kind that is long have a file of their own.
 */
#include "emul_access.h"

static int emul_arithmetic(struct lodge_emul *e)
{
	const struct lodge_insn *insn = &e->insn;
	const struct lodge_operand *dst = &insn->operand[0];
	bool keeps = insn->op == LODGE_OP_CMP || insn->op == LODGE_OP_TEST;
	unsigned int size = insn->operand_size;
	unsigned int access = LODGE_ACCESS_READ;
	u64 a, b, result, linear, rflags = e->regs->rflags;
	int error;

	if (!keeps && dst->kind == LODGE_OPERAND_MEMORY)
		access |= LODGE_ACCESS_WRITE;
	error = emul_read_operand(e, 0, access, &linear, &a);
	if (!error)
		error = emul_read_source(e, 1, &b);
	if (error)
		return error;
	result = lodge_alu(insn->op, a, b, size, &rflags);
	if (access & LODGE_ACCESS_WRITE)
		error = emul_write_back(e, emul_is_locked(e), linear, &a,
					&result, size);
	else if (!keeps)
		emul_write_register(e, dst, result);
	if (error)
		return error;
	e->regs->rflags = rflags;
	return emul_advance(e);
}

static int emul_exchange(struct lodge_emul *e)
{
	const struct lodge_insn *insn = &e->insn;
	const struct lodge_operand *reg = &insn->operand[1];
	u64 linear, old, new, rflags = e->regs->rflags;
	bool locked = emul_is_locked(e) || insn->op == LODGE_OP_XCHG;
	int error;

	error = emul_read_operand(e, 0, LODGE_ACCESS_READ | LODGE_ACCESS_WRITE,
				  &linear, &old);
	if (error)
		return error;
	new = emul_read_register(e, reg);
	if (insn->op == LODGE_OP_XADD)
		new = lodge_alu(insn->op, old, new, insn->operand_size,
				&rflags);
	error = emul_write_back(e, locked, linear, &old, &new,
				insn->operand_size);
	if (error)
		return error;
	emul_write_register(e, reg, old);
	e->regs->rflags = rflags;
	return emul_advance(e);
}

/* Memory is written in any case: its old value when it is not equal. */
static int emul_cmpxchg(struct lodge_emul *e)
{
	const struct lodge_insn *insn = &e->insn;
	unsigned int size = insn->operand_size;
	u64 rax = e->regs->gpr[LODGE_RAX] & lodge_alu_mask(size);
	u64 linear, old, new, rflags = e->regs->rflags;
	int error;

	error = emul_read_operand(e, 0, LODGE_ACCESS_READ | LODGE_ACCESS_WRITE,
				  &linear, &old);
	if (error)
		return error;
	new = old == rax ? emul_read_register(e, &insn->operand[1]) : old;
	error = emul_write_back(e, emul_is_locked(e), linear, &old, &new, size);
	if (error)
		return error;
	if (old != rax)
		emul_write_gpr(e, LODGE_RAX, old, size);
	lodge_alu(LODGE_OP_CMP, rax, old, size, &rflags);
	e->regs->rflags = rflags;
	return emul_advance(e);
}

static void join(u8 *data, unsigned int half, u64 low, u64 high)
{
	memcpy(data, &low, half);
	memcpy(data + half, &high, half);
}

/* CMPXCHG8B, CMPXCHG16B; the latter needs an aligned operand. */
static int emul_cmpxchg_pair(struct lodge_emul *e)
{
	const struct lodge_general *regs = e->regs;
	unsigned int half = e->insn.operand_size;
	unsigned int access = LODGE_ACCESS_READ | LODGE_ACCESS_WRITE;
	u8 old[16], new[16];
	u64 linear;
	bool equal;
	int error;

	error = emul_translate(e, 2 * half, access, &linear);
	if (error)
		return error;
	if (half == 8 && linear & 15)
		return emul_protection(e);
	error = e->ops->read(e->opaque, linear, old, 2 * half, access,
			     &e->fault);
	if (error)
		return error;
	join(new, half, regs->gpr[LODGE_RAX], regs->gpr[LODGE_RDX]);
	equal = !memcmp(old, new, 2 * half);
	if (equal)
		join(new, half, regs->gpr[LODGE_RBX], regs->gpr[LODGE_RCX]);
	error = emul_write_back(e, emul_is_locked(e), linear, old,
				equal ? new : old, 2 * half);
	if (error)
		return error;
	if (!equal) {
		emul_write_gpr(e, LODGE_RAX, lodge_alu_get(old, half), half);
		emul_write_gpr(e, LODGE_RDX, lodge_alu_get(old + half, half),
			       half);
	}
	emul_set_flag(e, X86_EFLAGS_ZF, equal);
	return emul_advance(e);
}

/*
 * The address of a bit string instruction: a register's bit number is signed and
 * may select an operand-sized unit far from the address.
 */
static u64 bit_offset(const struct lodge_emul *e, u64 number)
{
	const struct lodge_insn *insn = &e->insn;
	u64 offset = lodge_insn_offset(insn, e->regs);
	s64 unit;

	if (insn->operand[1].kind == LODGE_OPERAND_IMMEDIATE)
		return offset;
	unit = (s64)lodge_alu_sign_extend(number, insn->operand_size) >> 3;
	unit &= ~(s64)(insn->operand_size - 1);
	return (offset + (u64)unit) & lodge_alu_mask(insn->address_size);
}

static int emul_bit(struct lodge_emul *e)
{
	const struct lodge_insn *insn = &e->insn;
	unsigned int size = insn->operand_size;
	unsigned int access = LODGE_ACCESS_READ;
	u64 number = emul_read_register(e, &insn->operand[1]);
	u64 bit = 1ULL << (number & (8 * size - 1));
	u64 linear, old, new;
	int error;

	if (insn->op != LODGE_OP_BT)
		access |= LODGE_ACCESS_WRITE;
	error = emul_linear(e, insn->memory.segment, bit_offset(e, number),
			    size, access, &linear);
	if (!error)
		error = emul_read(e, linear, &old, size, access);
	if (error)
		return error;
	new = old | bit;
	if (insn->op == LODGE_OP_BTR)
		new = old & ~bit;
	else if (insn->op == LODGE_OP_BTC)
		new = old ^ bit;
	if (insn->op != LODGE_OP_BT)
		error = emul_write_back(e, emul_is_locked(e), linear, &old,
					&new, size);
	if (error)
		return error;
	emul_set_flag(e, X86_EFLAGS_CF, old & bit);
	return emul_advance(e);
}

/*
 * Moves.
 */

static u64 reverse_bytes(u64 value, unsigned int size)
{
	return __builtin_bswap64(value) >> (64 - 8 * size);
}

static u64 move_value(const struct lodge_insn *insn, u64 value)
{
	if (insn->op == LODGE_OP_MOVSX)
		return lodge_alu_sign_extend(value, insn->operand[1].size);
	if (insn->op == LODGE_OP_MOVBE)
		return reverse_bytes(value, insn->operand_size);
	return value;
}

static int emul_move(struct lodge_emul *e)
{
	const struct lodge_insn *insn = &e->insn;
	const struct lodge_operand *dst = &insn->operand[0];
	u64 value;
	int error = emul_read_source(e, 1, &value);

	if (error)
		return error;
	value = move_value(insn, value);
	if (dst->kind == LODGE_OPERAND_MEMORY)
		error = emul_store(e, value, dst->size);
	else
		emul_write_register(e, dst, value);
	return error ? error : emul_advance(e);
}

static bool is_move(const struct lodge_emul *e)
{
	return e->insn.op >= LODGE_OP_MOV && e->insn.op <= LODGE_OP_MOVSX;
}

bool lodge_emul_finish_load(struct lodge_emul *e, const void *data, size_t size)
{
	const struct lodge_operand *src = &e->insn.operand[1];
	u64 value = 0;

	if (!is_move(e) || src->kind != LODGE_OPERAND_MEMORY ||
	    src->size != size || size > sizeof(value))
		return false;
	memcpy(&value, data, size);
	emul_write_register(e, &e->insn.operand[0],
			    move_value(&e->insn, value));
	emul_advance(e);
	return true;
}

/* CMOVcc reads its operand, and clears the upper half, whatever the condition. */
static int emul_cmov(struct lodge_emul *e)
{
	const struct lodge_operand *dst = &e->insn.operand[0];
	u64 value;
	int error = emul_read_source(e, 1, &value);

	if (error)
		return error;
	if (!lodge_alu_condition(e->insn.condition, e->regs->rflags))
		value = emul_read_register(e, dst);
	emul_write_register(e, dst, value);
	return emul_advance(e);
}

static int emul_xlat(struct lodge_emul *e)
{
	u64 offset = e->regs->gpr[LODGE_RBX] + (e->regs->gpr[LODGE_RAX] & 0xff);
	u64 linear, value;
	int error;

	error = emul_linear(e, e->insn.memory.segment,
			    offset & lodge_alu_mask(e->insn.address_size), 1,
			    LODGE_ACCESS_READ, &linear);
	if (!error)
		error = emul_read(e, linear, &value, 1, LODGE_ACCESS_READ);
	if (error)
		return error;
	emul_write_gpr(e, LODGE_RAX, value, 1);
	return emul_advance(e);
}

/* No flush is needed, since nothing is cached; the address is checked as for a load. */
static int emul_flush(struct lodge_emul *e)
{
	u64 linear;
	int error = emul_translate(e, 1, LODGE_ACCESS_READ, &linear);

	if (!error)
		error = e->ops->probe(e->opaque, linear, 1, LODGE_ACCESS_READ,
				      &e->fault);
	return error ? error : emul_advance(e);
}

static int apply(struct lodge_emul *e)
{
	switch (e->insn.op) {
	case LODGE_OP_ADD ... LODGE_OP_DEC:
		return emul_arithmetic(e);
	case LODGE_OP_BT ... LODGE_OP_BTC:
		return emul_bit(e);
	case LODGE_OP_XCHG:
	case LODGE_OP_XADD:
		return emul_exchange(e);
	case LODGE_OP_CMPXCHG:
		return emul_cmpxchg(e);
	case LODGE_OP_CMPXCHG_PAIR:
		return emul_cmpxchg_pair(e);
	case LODGE_OP_ROL ... LODGE_OP_BOUND:
		return lodge_emul_math(e);
	case LODGE_OP_CMOVCC:
		return emul_cmov(e);
	case LODGE_OP_XLAT:
		return emul_xlat(e);
	case LODGE_OP_FLUSH:
		return emul_flush(e);
	case LODGE_OP_MMX_MOV ... LODGE_OP_SSE_MOV_HIGH:
		return lodge_emul_simd(e);
	case LODGE_OP_FLD ... LODGE_OP_STMXCSR:
		return lodge_emul_x87(e);
	case LODGE_OP_PUSH ... LODGE_OP_RET:
		return lodge_emul_stack(e);
	case LODGE_OP_MOV_TO_SEG:
	case LODGE_OP_LOAD_FAR:
		return lodge_emul_segment(e);
	case LODGE_OP_CALL_FAR ... LODGE_OP_IRET:
		return lodge_emul_far(e);
	case LODGE_OP_MOVS ... LODGE_OP_SCAS:
		return lodge_emul_string(e);
	case LODGE_OP_LMSW ... LODGE_OP_ARPL:
		return lodge_emul_system(e);
	default:
		return -EOPNOTSUPP;
	}
}

/* A branch may lead to itself: RIP does not tell that it has to be repeated. */
static bool is_far_branch(const struct lodge_emul *e)
{
	return e->insn.op >= LODGE_OP_CALL_FAR && e->insn.op <= LODGE_OP_IRET;
}

int lodge_emul_step(struct lodge_emul *e)
{
	int error;

	/* First, since drivers reach devices by moves. */
	if (is_move(e))
		return emul_move(e);
	error = apply(e);
	return error == -EBUSY && !is_far_branch(e) ? 0 : error;
}
