/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How the emulator's files reach registers and memory.  Private to them.
 */
#ifndef LODGE_EMUL_ACCESS_H
#define LODGE_EMUL_ACCESS_H

#include "alu.h"
#include "emul.h"

/**
 * lodge_emul_string() - apply one iteration of MOVS, CMPS, STOS, LODS or SCAS
 * @e: the instruction
 *
 * Return: as lodge_emul_step().
 */
int lodge_emul_string(struct lodge_emul *e);

/* A 32-bit write clears the upper half of a register, shorter ones keep it. */
static inline void emul_write_gpr(struct lodge_emul *e, unsigned int reg,
				  u64 value, unsigned int size)
{
	__u64 *gpr = &e->regs->gpr[reg];

	if (size >= 4)
		*gpr = value & lodge_alu_mask(size);
	else
		*gpr = (*gpr & ~lodge_alu_mask(size)) |
		       (value & lodge_alu_mask(size));
}

static inline int emul_advance(struct lodge_emul *e)
{
	e->regs->rip =
		lodge_insn_next_rip(e->regs, e->insn.mode, e->insn.length);
	return 0;
}

static inline int emul_read(struct lodge_emul *e, u64 linear, u64 *value,
			    unsigned int size, unsigned int access)
{
	*value = 0;
	return e->ops->read(e->opaque, linear, value, size, access, &e->fault);
}

static inline int emul_write(struct lodge_emul *e, u64 linear, u64 value,
			     unsigned int size)
{
	return e->ops->write(e->opaque, linear, &value, size, &e->fault);
}

/* Linear address of @size bytes at @offset of the segment @seg. */
static inline int emul_linear(struct lodge_emul *e, enum lodge_seg seg,
			      u64 offset, size_t size, unsigned int access,
			      u64 *linear)
{
	return lodge_linear(&e->segmentation, seg, offset, size, access, linear,
			    &e->fault);
}

#endif
