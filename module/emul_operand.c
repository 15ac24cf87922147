// SPDX-License-Identifier: GPL-2.0
/*
 * Operands: registers, memory, and what both have in common.
 */
#include "emul_access.h"

/* The most that is moved at once: see struct lodge_emul_ops. */
#define PIECE 16U

u64 emul_read_register(const struct lodge_emul *e,
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

void emul_write_register(struct lodge_emul *e, const struct lodge_operand *o,
			 u64 value)
{
	__u64 *gpr = &e->regs->gpr[o->reg];

	if (o->kind == LODGE_OPERAND_GPR_HIGH)
		*gpr = (*gpr & ~0xff00ULL) | (value & 0xff) << 8;
	else
		emul_write_gpr(e, o->reg, value, o->size);
}

int emul_raise(struct lodge_emul *e, u8 vector)
{
	memset(&e->fault, 0, sizeof(e->fault));
	e->fault.vector = vector;
	return LODGE_FAULT;
}

int emul_protection(struct lodge_emul *e)
{
	emul_raise(e, X86_TRAP_GP);
	e->fault.has_error = true;
	return LODGE_FAULT;
}

int emul_translate(struct lodge_emul *e, unsigned int size, unsigned int access,
		   u64 *linear)
{
	return emul_linear(e, e->insn.memory.segment,
			   lodge_insn_offset(&e->insn, e->regs), size, access,
			   linear);
}

int emul_read_operand(struct lodge_emul *e, int i, unsigned int access,
		      u64 *linear, u64 *value)
{
	const struct lodge_operand *o = &e->insn.operand[i];
	int error;

	if (o->kind != LODGE_OPERAND_MEMORY) {
		*value = emul_read_register(e, o);
		return 0;
	}
	error = emul_translate(e, o->size, access, linear);
	if (error)
		return error;
	return emul_read(e, *linear, value, o->size, access);
}

int emul_read_source(struct lodge_emul *e, int i, u64 *value)
{
	u64 linear;

	return emul_read_operand(e, i, LODGE_ACCESS_READ, &linear, value);
}

int emul_store(struct lodge_emul *e, u64 value, unsigned int size)
{
	u64 linear;
	int error = emul_translate(e, size, LODGE_ACCESS_WRITE, &linear);

	return error ? error : emul_write(e, linear, value, size);
}

/* The parentheses keep cmpxchg apart from the kernel's macro of that name. */
int emul_write_back(struct lodge_emul *e, bool locked, u64 linear,
		    const void *old, const void *new, unsigned int size)
{
	if (locked)
		return (e->ops->cmpxchg)(e->opaque, linear, old, new, size,
					 LODGE_ACCESS_READ | LODGE_ACCESS_WRITE,
					 &e->fault);
	return e->ops->write(e->opaque, linear, new, size, &e->fault);
}

int emul_read_bytes(struct lodge_emul *e, u64 linear, void *data, size_t size,
		    unsigned int access)
{
	size_t done, piece;
	int error = 0;

	if (size > PIECE)
		error = e->ops->probe(e->opaque, linear, size, access,
				      &e->fault);
	for (done = 0; done < size && !error; done += piece) {
		piece = min((size_t)PIECE, size - done);
		error = e->ops->read(e->opaque, linear + done,
				     (u8 *)data + done, piece, access,
				     &e->fault);
	}
	return error;
}

int emul_write_bytes(struct lodge_emul *e, u64 linear, const void *data,
		     size_t size)
{
	size_t done, piece;
	int error = 0;

	if (size > PIECE)
		error = e->ops->probe(e->opaque, linear, size,
				      LODGE_ACCESS_WRITE, &e->fault);
	for (done = 0; done < size && !error; done += piece) {
		piece = min((size_t)PIECE, size - done);
		error = e->ops->write(e->opaque, linear + done,
				      (const u8 *)data + done, piece,
				      &e->fault);
	}
	return error;
}
