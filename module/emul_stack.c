// SPDX-License-Identifier: GPL-2.0
/*
 * The stack: instructions whose operand is on a device, or whose stack is.
 *
 * rSP is moved in a copy, which becomes the register's when all accesses are made.
 */
#include "emul_access.h"

static unsigned int stack_size(const struct lodge_emul *e)
{
	if (e->insn.mode == LODGE_MODE_64)
		return 8;
	return e->segmentation.segs->seg[LODGE_SS].attr & LODGE_SEG_DB ? 4 : 2;
}

static int stack_linear(struct lodge_emul *e, u64 rsp, unsigned int size,
			unsigned int access, u64 *linear)
{
	return emul_linear(e, LODGE_SS, rsp & lodge_alu_mask(stack_size(e)),
			   size, access, linear);
}

int emul_push_at(struct lodge_emul *e, u64 *rsp, u64 value, unsigned int size)
{
	u64 linear;
	int error;

	*rsp -= size;
	error = stack_linear(e, *rsp, size, LODGE_ACCESS_WRITE, &linear);
	return error ? error : emul_write(e, linear, value, size);
}

int emul_pop_at(struct lodge_emul *e, u64 *rsp, u64 *value, unsigned int size)
{
	u64 linear;
	int error = stack_linear(e, *rsp, size, LODGE_ACCESS_READ, &linear);

	*rsp += size;
	return error ? error :
		       emul_read(e, linear, value, size, LODGE_ACCESS_READ);
}

int emul_probe_stack(struct lodge_emul *e, u64 rsp, unsigned int size)
{
	u64 linear;
	int error =
		stack_linear(e, rsp - size, size, LODGE_ACCESS_WRITE, &linear);

	if (error)
		return error;
	return e->ops->probe(e->opaque, linear, size, LODGE_ACCESS_WRITE,
			     &e->fault);
}

void emul_set_rsp(struct lodge_emul *e, u64 rsp)
{
	emul_write_gpr(e, LODGE_RSP, rsp, stack_size(e));
}

static int emul_push(struct lodge_emul *e)
{
	u64 rsp = e->regs->gpr[LODGE_RSP];
	u64 value;
	int error = emul_read_source(e, 0, &value);

	if (!error)
		error = emul_push_at(e, &rsp, value, e->insn.operand_size);
	if (error)
		return error;
	emul_set_rsp(e, rsp);
	return emul_advance(e);
}

/* The destination's address is computed with rSP already incremented. */
static int pop_to_memory(struct lodge_emul *e)
{
	const struct lodge_insn *insn = &e->insn;
	unsigned int size = insn->operand_size;
	u64 rsp = e->regs->gpr[LODGE_RSP];
	u64 offset = lodge_insn_offset(insn, e->regs);
	u64 value, linear;
	int error;

	if (insn->memory.base == LODGE_RSP)
		offset = (offset + size) & lodge_alu_mask(insn->address_size);
	error = emul_pop_at(e, &rsp, &value, size);
	if (!error)
		error = emul_linear(e, insn->memory.segment, offset, size,
				    LODGE_ACCESS_WRITE, &linear);
	if (!error)
		error = emul_write(e, linear, value, size);
	if (error)
		return error;
	emul_set_rsp(e, rsp);
	return emul_advance(e);
}

static int emul_pop(struct lodge_emul *e)
{
	const struct lodge_operand *dst = &e->insn.operand[0];
	u64 rsp = e->regs->gpr[LODGE_RSP], value;
	struct lodge_segment segment;
	int error;

	if (dst->kind == LODGE_OPERAND_MEMORY)
		return pop_to_memory(e);
	error = emul_pop_at(e, &rsp, &value, e->insn.operand_size);
	if (!error && dst->kind == LODGE_OPERAND_SEGMENT)
		error = emul_load_segment(e, dst->reg, (u16)value, &segment);
	if (error)
		return error;
	/* Of POP rSP the value stays. */
	emul_set_rsp(e, rsp);
	if (dst->kind == LODGE_OPERAND_SEGMENT)
		e->ops->set_segment(e->opaque, dst->reg, &segment);
	else
		emul_write_register(e, dst, value);
	return emul_advance(e);
}

static int emul_pusha(struct lodge_emul *e)
{
	unsigned int size = e->insn.operand_size, reg;
	u64 rsp = e->regs->gpr[LODGE_RSP];
	int error = emul_probe_stack(e, rsp, 8 * size);

	for (reg = LODGE_RAX; reg <= LODGE_RDI && !error; reg++)
		error = emul_push_at(e, &rsp, e->regs->gpr[reg], size);
	if (error)
		return error;
	emul_set_rsp(e, rsp);
	return emul_advance(e);
}

/* The value popped for rSP is thrown away. */
static int emul_popa(struct lodge_emul *e)
{
	unsigned int size = e->insn.operand_size;
	u64 rsp = e->regs->gpr[LODGE_RSP], value[8];
	int reg, error = 0;

	for (reg = LODGE_RDI; reg >= LODGE_RAX && !error; reg--)
		error = emul_pop_at(e, &rsp, &value[reg], size);
	if (error)
		return error;
	for (reg = LODGE_RAX; reg <= LODGE_RDI; reg++)
		if (reg != LODGE_RSP)
			emul_write_gpr(e, reg, value[reg], size);
	emul_set_rsp(e, rsp);
	return emul_advance(e);
}

int emul_check_v86_flags(struct lodge_emul *e)
{
	u64 rflags = e->regs->rflags;

	if (!(rflags & X86_EFLAGS_VM) ||
	    (rflags & X86_EFLAGS_IOPL) == X86_EFLAGS_IOPL)
		return 0;
	return e->control->cr4 & X86_CR4_VME ? -EOPNOTSUPP : emul_protection(e);
}

static int emul_pushf(struct lodge_emul *e)
{
	u64 rsp = e->regs->gpr[LODGE_RSP];
	int error = emul_check_v86_flags(e);

	if (!error)
		error = emul_push_at(e, &rsp,
				     e->regs->rflags &
					     ~(X86_EFLAGS_RF | X86_EFLAGS_VM),
				     e->insn.operand_size);
	if (error)
		return error;
	emul_set_rsp(e, rsp);
	return emul_advance(e);
}

u64 emul_changeable_flags(const struct lodge_emul *e)
{
	u64 iopl = (e->regs->rflags & X86_EFLAGS_IOPL) >> X86_EFLAGS_IOPL_BIT;
	u64 flags = RFLAGS_ARITHMETIC | X86_EFLAGS_TF | X86_EFLAGS_DF |
		    X86_EFLAGS_NT | X86_EFLAGS_AC | X86_EFLAGS_ID;

	if (e->cpl <= iopl)
		flags |= X86_EFLAGS_IF;
	if (!e->cpl)
		flags |= X86_EFLAGS_IOPL;
	return flags & lodge_alu_mask(e->insn.operand_size);
}

static int emul_popf(struct lodge_emul *e)
{
	u64 rsp = e->regs->gpr[LODGE_RSP], changes = emul_changeable_flags(e),
	    value;
	int error = emul_check_v86_flags(e);

	if (!error)
		error = emul_pop_at(e, &rsp, &value, e->insn.operand_size);
	if (error)
		return error;
	changes |= X86_EFLAGS_RF;
	e->regs->rflags = (e->regs->rflags & ~changes) |
			  (value & changes & ~X86_EFLAGS_RF);
	emul_set_rsp(e, rsp);
	return emul_advance(e);
}

/* The frame pointers of the enclosing procedures, and then this one's. */
static int push_frames(struct lodge_emul *e, u64 *rsp, unsigned int level)
{
	unsigned int size = e->insn.operand_size, i;
	u64 frame = *rsp, rbp = e->regs->gpr[LODGE_RBP], value, linear;
	int error = 0;

	for (i = 1; i < level && !error; i++) {
		rbp -= size;
		error = stack_linear(e, rbp, size, LODGE_ACCESS_READ, &linear);
		if (!error)
			error = emul_read(e, linear, &value, size,
					  LODGE_ACCESS_READ);
		if (!error)
			error = emul_push_at(e, rsp, value, size);
	}
	return error ? error : emul_push_at(e, rsp, frame, size);
}

static int emul_enter(struct lodge_emul *e)
{
	unsigned int size = e->insn.operand_size;
	unsigned int level = e->insn.immediate >> 16 & 31;
	u64 rsp = e->regs->gpr[LODGE_RSP], frame;
	int error;

	error = emul_probe_stack(e, rsp, (level + 1) * size);
	if (!error)
		error = emul_push_at(e, &rsp, e->regs->gpr[LODGE_RBP], size);
	frame = rsp;
	if (!error && level)
		error = push_frames(e, &rsp, level);
	/* A write to the new top of the stack must be possible. */
	rsp -= e->insn.immediate & 0xffff;
	if (!error)
		error = emul_probe_stack(e, rsp + size, size);
	if (error)
		return error;
	emul_write_gpr(e, LODGE_RBP, frame, min(size, stack_size(e)));
	emul_set_rsp(e, rsp);
	return emul_advance(e);
}

static int emul_leave(struct lodge_emul *e)
{
	u64 rsp = e->regs->gpr[LODGE_RBP], value;
	int error = emul_pop_at(e, &rsp, &value, e->insn.operand_size);

	if (error)
		return error;
	emul_set_rsp(e, rsp);
	emul_write_gpr(e, LODGE_RBP, value, e->insn.operand_size);
	return emul_advance(e);
}

/* The target of a near CALL or JMP: relative to the next instruction, or absolute. */
static int near_target(struct lodge_emul *e, u64 *target)
{
	const struct lodge_insn *insn = &e->insn;
	int error = emul_read_source(e, 0, target);

	if (error)
		return error;
	if (insn->operand[0].kind == LODGE_OPERAND_IMMEDIATE)
		*target +=
			lodge_insn_next_rip(e->regs, insn->mode, insn->length);
	*target &= lodge_alu_mask(insn->operand_size);
	return emul_check_target(e, &e->segmentation.segs->seg[LODGE_CS],
				 *target);
}

static int emul_call(struct lodge_emul *e)
{
	const struct lodge_insn *insn = &e->insn;
	u64 next = lodge_insn_next_rip(e->regs, insn->mode, insn->length);
	u64 rsp = e->regs->gpr[LODGE_RSP], target;
	int error = near_target(e, &target);

	if (!error && insn->op == LODGE_OP_CALL)
		error = emul_push_at(e, &rsp, next, insn->operand_size);
	if (error)
		return error;
	emul_set_rsp(e, rsp);
	e->regs->rip = target;
	return 0;
}

static int emul_ret(struct lodge_emul *e)
{
	u64 rsp = e->regs->gpr[LODGE_RSP], target;
	int error = emul_pop_at(e, &rsp, &target, e->insn.operand_size);

	if (!error)
		error = emul_check_target(
			e, &e->segmentation.segs->seg[LODGE_CS], target);
	if (error)
		return error;
	emul_set_rsp(e, rsp + e->insn.immediate);
	e->regs->rip = target;
	return 0;
}

int lodge_emul_stack(struct lodge_emul *e)
{
	switch (e->insn.op) {
	case LODGE_OP_PUSH:
		return emul_push(e);
	case LODGE_OP_POP:
		return emul_pop(e);
	case LODGE_OP_PUSHA:
		return emul_pusha(e);
	case LODGE_OP_POPA:
		return emul_popa(e);
	case LODGE_OP_PUSHF:
		return emul_pushf(e);
	case LODGE_OP_POPF:
		return emul_popf(e);
	case LODGE_OP_ENTER:
		return emul_enter(e);
	case LODGE_OP_LEAVE:
		return emul_leave(e);
	case LODGE_OP_RET:
		return emul_ret(e);
	default: /* CALL, JMP */
		return emul_call(e);
	}
}
