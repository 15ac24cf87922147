// SPDX-License-Identifier: GPL-2.0
/*
 * One function a family of instructions.  Each reads its operands, computes,
 * stores, and only then touches registers; lodge_emul_step() picks it.
 */
#include "emul_access.h"

#define VECTOR_GP 13

static u64 read_register(const struct lodge_emul *e,
			 const struct lodge_operand *o)
{
	switch (o->kind) {
	case LODGE_OPERAND_GPR:
		return e->regs->gpr[o->reg] & lodge_alu_mask(o->size);
	case LODGE_OPERAND_GPR_HIGH:
		return e->regs->gpr[o->reg] >> 8 & 0xff;
	case LODGE_OPERAND_SEGMENT:
		return e->segmentation.segs->seg[o->reg].selector;
	default:
		return e->insn.immediate & lodge_alu_mask(e->insn.operand_size);
	}
}

static void write_register(struct lodge_emul *e, const struct lodge_operand *o,
			   u64 value)
{
	__u64 *gpr = &e->regs->gpr[o->reg];

	if (o->kind == LODGE_OPERAND_GPR_HIGH)
		*gpr = (*gpr & ~0xff00ULL) | (value & 0xff) << 8;
	else
		emul_write_gpr(e, o->reg, value, o->size);
}

static void set_flag(struct lodge_emul *e, u64 flag, bool value)
{
	e->regs->rflags &= ~flag;
	if (value)
		e->regs->rflags |= flag;
}

/*
 * Memory.
 */

static int general_protection(struct lodge_emul *e)
{
	memset(&e->fault, 0, sizeof(e->fault));
	e->fault.vector = VECTOR_GP;
	e->fault.has_error = true;
	return LODGE_FAULT;
}

static int translate_memory(struct lodge_emul *e, unsigned int size,
			    unsigned int access, u64 *linear)
{
	return emul_linear(e, e->insn.memory.segment,
			   lodge_insn_offset(&e->insn, e->regs), size, access,
			   linear);
}

/* The value of operand @i, wherever it is; of memory, @linear too. */
static int read_operand(struct lodge_emul *e, int i, unsigned int access,
			u64 *linear, u64 *value)
{
	const struct lodge_operand *o = &e->insn.operand[i];
	int error;

	if (o->kind != LODGE_OPERAND_MEMORY) {
		*value = read_register(e, o);
		return 0;
	}
	error = translate_memory(e, o->size, access, linear);
	if (error)
		return error;
	return emul_read(e, *linear, value, o->size, access);
}

/*
 * The write half of a read-modify-write.  -EBUSY from cmpxchg makes
 * lodge_emul_step() leave the instruction to be tried again.  The parentheses
 * keep it apart from the kernel's macro of that name.
 */
static int write_back(struct lodge_emul *e, bool locked, u64 linear, u64 old,
		      u64 new, unsigned int size)
{
	if (locked)
		return (e->ops->cmpxchg)(e->opaque, linear, &old, &new, size,
					 &e->fault);
	return emul_write(e, linear, new, size);
}

static bool is_locked(const struct lodge_emul *e)
{
	return e->insn.prefixes & LODGE_PREFIX_LOCK;
}

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
	error = read_operand(e, 0, access, &linear, &a);
	if (!error)
		error = read_operand(e, 1, LODGE_ACCESS_READ, &linear, &b);
	if (error)
		return error;
	result = lodge_alu(insn->op, a, b, size, &rflags);
	if (access & LODGE_ACCESS_WRITE)
		error = write_back(e, is_locked(e), linear, a, result, size);
	else if (!keeps)
		write_register(e, dst, result);
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
	bool locked = is_locked(e) || insn->op == LODGE_OP_XCHG;
	int error;

	error = read_operand(e, 0, LODGE_ACCESS_READ | LODGE_ACCESS_WRITE,
			     &linear, &old);
	if (error)
		return error;
	new = read_register(e, reg);
	if (insn->op == LODGE_OP_XADD)
		new = lodge_alu(insn->op, old, new, insn->operand_size,
				&rflags);
	error = write_back(e, locked, linear, old, new, insn->operand_size);
	if (error)
		return error;
	write_register(e, reg, old);
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

	error = read_operand(e, 0, LODGE_ACCESS_READ | LODGE_ACCESS_WRITE,
			     &linear, &old);
	if (error)
		return error;
	new = old == rax ? read_register(e, &insn->operand[1]) : old;
	error = write_back(e, is_locked(e), linear, old, new, size);
	if (error)
		return error;
	if (old != rax)
		emul_write_gpr(e, LODGE_RAX, old, size);
	lodge_alu(LODGE_OP_CMP, rax, old, size, &rflags);
	e->regs->rflags = rflags;
	return emul_advance(e);
}

/* Two halves of @half bytes, the lower one first. */
static void split(const u8 *data, unsigned int half, u64 value[2])
{
	value[0] = 0;
	value[1] = 0;
	memcpy(&value[0], data, half);
	memcpy(&value[1], data + half, half);
}

static void join(u8 *data, unsigned int half, u64 low, u64 high)
{
	memcpy(data, &low, half);
	memcpy(data + half, &high, half);
}

static int write_back_pair(struct lodge_emul *e, u64 linear, const u8 *old,
			   const u8 *new, unsigned int size)
{
	if (is_locked(e))
		return (e->ops->cmpxchg)(e->opaque, linear, old, new, size,
					 &e->fault);
	return e->ops->write(e->opaque, linear, new, size, &e->fault);
}

/* CMPXCHG8B, CMPXCHG16B; the latter needs an aligned operand. */
static int emul_cmpxchg_pair(struct lodge_emul *e)
{
	const struct lodge_general *regs = e->regs;
	unsigned int half = e->insn.operand_size;
	unsigned int access = LODGE_ACCESS_READ | LODGE_ACCESS_WRITE;
	u8 old[16], new[16];
	u64 linear, found[2];
	bool equal;
	int error;

	error = translate_memory(e, 2 * half, access, &linear);
	if (error)
		return error;
	if (half == 8 && linear & 15)
		return general_protection(e);
	error = e->ops->read(e->opaque, linear, old, 2 * half, access,
			     &e->fault);
	if (error)
		return error;
	join(new, half, regs->gpr[LODGE_RAX], regs->gpr[LODGE_RDX]);
	equal = !memcmp(old, new, 2 * half);
	if (equal)
		join(new, half, regs->gpr[LODGE_RBX], regs->gpr[LODGE_RCX]);
	error = write_back_pair(e, linear, old, equal ? new : old, 2 * half);
	if (error)
		return error;
	split(old, half, found);
	if (!equal) {
		emul_write_gpr(e, LODGE_RAX, found[0], half);
		emul_write_gpr(e, LODGE_RDX, found[1], half);
	}
	set_flag(e, RFLAGS_ZF, equal);
	return emul_advance(e);
}

/*
 * Where a bit string instruction finds its bit: a register's number is signed
 * and may select an operand-sized unit far from the address.
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
	u64 number = read_register(e, &insn->operand[1]);
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
		error = write_back(e, is_locked(e), linear, old, new, size);
	if (error)
		return error;
	set_flag(e, RFLAGS_CF, old & bit);
	return emul_advance(e);
}

/*
 * Moves.
 */

static u64 reverse_bytes(u64 value, unsigned int size)
{
	return __builtin_bswap64(value) >> (64 - 8 * size);
}

static int emul_move(struct lodge_emul *e)
{
	const struct lodge_insn *insn = &e->insn;
	const struct lodge_operand *dst = &insn->operand[0];
	u64 value, linear;
	int error;

	error = read_operand(e, 1, LODGE_ACCESS_READ, &linear, &value);
	if (error)
		return error;
	if (insn->op == LODGE_OP_MOVSX)
		value = lodge_alu_sign_extend(value, insn->operand[1].size);
	else if (insn->op == LODGE_OP_MOVBE)
		value = reverse_bytes(value, insn->operand_size);
	if (dst->kind != LODGE_OPERAND_MEMORY) {
		write_register(e, dst, value);
		return emul_advance(e);
	}
	error = translate_memory(e, dst->size, LODGE_ACCESS_WRITE, &linear);
	if (!error)
		error = emul_write(e, linear, value, dst->size);
	return error ? error : emul_advance(e);
}

static unsigned int stack_size(const struct lodge_emul *e)
{
	if (e->insn.mode == LODGE_MODE_64)
		return 8;
	return e->segmentation.segs->seg[LODGE_SS].attr & LODGE_SEG_DB ? 4 : 2;
}

static int emul_push(struct lodge_emul *e)
{
	unsigned int size = e->insn.operand_size;
	u64 rsp = e->regs->gpr[LODGE_RSP] - size;
	u64 value, linear;
	int error;

	error = read_operand(e, 0, LODGE_ACCESS_READ, &linear, &value);
	if (!error)
		error = emul_linear(e, LODGE_SS,
				    rsp & lodge_alu_mask(stack_size(e)), size,
				    LODGE_ACCESS_WRITE, &linear);
	if (!error)
		error = emul_write(e, linear, value, size);
	if (error)
		return error;
	emul_write_gpr(e, LODGE_RSP, rsp, stack_size(e));
	return emul_advance(e);
}

/* The destination's address is computed with rSP already incremented. */
static int emul_pop(struct lodge_emul *e)
{
	const struct lodge_insn *insn = &e->insn;
	unsigned int size = insn->operand_size;
	u64 rsp = e->regs->gpr[LODGE_RSP];
	u64 offset = lodge_insn_offset(insn, e->regs);
	u64 value, linear;
	int error;

	if (insn->memory.base == LODGE_RSP)
		offset = (offset + size) & lodge_alu_mask(insn->address_size);
	error = emul_linear(e, LODGE_SS, rsp & lodge_alu_mask(stack_size(e)),
			    size, LODGE_ACCESS_READ, &linear);
	if (!error)
		error = emul_read(e, linear, &value, size, LODGE_ACCESS_READ);
	if (!error)
		error = emul_linear(e, insn->memory.segment, offset, size,
				    LODGE_ACCESS_WRITE, &linear);
	if (!error)
		error = emul_write(e, linear, value, size);
	if (error)
		return error;
	emul_write_gpr(e, LODGE_RSP, rsp + size, stack_size(e));
	return emul_advance(e);
}

static int sse_load(struct lodge_emul *e, u64 linear, unsigned int size)
{
	const struct lodge_insn *insn = &e->insn;
	unsigned int reg = insn->operand[0].reg;
	u8 data[16], xmm[16] = { 0 };
	int error;

	error = e->ops->read(e->opaque, linear, data, size, LODGE_ACCESS_READ,
			     &e->fault);
	if (error)
		return error;
	if (insn->op != LODGE_OP_SSE_MOV)
		e->ops->get_xmm(e->opaque, reg, xmm);
	memcpy(insn->op == LODGE_OP_SSE_MOV_HIGH ? xmm + 8 : xmm, data, size);
	e->ops->set_xmm(e->opaque, reg, xmm);
	return 0;
}

static int sse_store(struct lodge_emul *e, u64 linear, unsigned int size)
{
	bool high = e->insn.op == LODGE_OP_SSE_MOV_HIGH;
	u8 xmm[16];

	e->ops->get_xmm(e->opaque, e->insn.operand[1].reg, xmm);
	return e->ops->write(e->opaque, linear, high ? xmm + 8 : xmm, size,
			     &e->fault);
}

static int emul_sse(struct lodge_emul *e)
{
	const struct lodge_insn *insn = &e->insn;
	unsigned int size = insn->operand_size;
	bool store = insn->operand[0].kind == LODGE_OPERAND_MEMORY;
	u64 linear;
	int error;

	error = translate_memory(e, size,
				 store ? LODGE_ACCESS_WRITE : LODGE_ACCESS_READ,
				 &linear);
	if (error)
		return error;
	if (insn->aligned && linear & (size - 1))
		return general_protection(e);
	error = store ? sse_store(e, linear, size) : sse_load(e, linear, size);
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
	case LODGE_OP_MOV ... LODGE_OP_MOVSX:
		return emul_move(e);
	case LODGE_OP_PUSH:
		return emul_push(e);
	case LODGE_OP_POP:
		return emul_pop(e);
	case LODGE_OP_SSE_MOV ... LODGE_OP_SSE_MOV_HIGH:
		return emul_sse(e);
	case LODGE_OP_MOVS ... LODGE_OP_SCAS:
		return lodge_emul_string(e);
	default:
		return -EOPNOTSUPP;
	}
}

int lodge_emul_step(struct lodge_emul *e)
{
	int error = apply(e);

	return error == -EBUSY ? 0 : error;
}
