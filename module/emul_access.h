/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Access to registers and memory for the emulator's files.  Private to them.
 */
#ifndef LODGE_EMUL_ACCESS_H
#define LODGE_EMUL_ACCESS_H

#include "alu.h"
#include "descriptor.h"
#include "emul.h"
#include "processor.h"

/*
 * The kinds of instructions that have a file of their own.  Return: as
 * lodge_emul_step().
 */
int lodge_emul_math(struct lodge_emul *e);
int lodge_emul_simd(struct lodge_emul *e);
int lodge_emul_x87(struct lodge_emul *e);
int lodge_emul_stack(struct lodge_emul *e);
int lodge_emul_segment(struct lodge_emul *e);
int lodge_emul_far(struct lodge_emul *e);
int lodge_emul_system(struct lodge_emul *e);

/* emul_operand.c */

u64 emul_read_register(const struct lodge_emul *e,
		       const struct lodge_operand *o);
void emul_write_register(struct lodge_emul *e, const struct lodge_operand *o,
			 u64 value);

/* Fills in e->fault and answers LODGE_FAULT; emul_raise() without error code. */
int emul_protection(struct lodge_emul *e);
int emul_raise(struct lodge_emul *e, u8 vector);

/* Linear address of @size bytes at the memory operand. */
int emul_translate(struct lodge_emul *e, unsigned int size, unsigned int access,
		   u64 *linear);

/* The value of operand @i, in a register or memory; of memory, @linear too. */
int emul_read_operand(struct lodge_emul *e, int i, unsigned int access,
		      u64 *linear, u64 *value);

/* The same for an operand that is not written back. */
int emul_read_source(struct lodge_emul *e, int i, u64 *value);

/* Store @size bytes at the memory operand. */
int emul_store(struct lodge_emul *e, u64 value, unsigned int size);

/*
 * The write half of a read-modify-write.  -EBUSY from cmpxchg makes
 * lodge_emul_step() leave the instruction to be tried again.
 */
int emul_write_back(struct lodge_emul *e, bool locked, u64 linear,
		    const void *old, const void *new, unsigned int size);

/*
 * Up to 64 bytes, which are checked whole before the first is moved, and are moved
 * in pieces that a device takes.
 */
int emul_read_bytes(struct lodge_emul *e, u64 linear, void *data, size_t size,
		    unsigned int access);
int emul_write_bytes(struct lodge_emul *e, u64 linear, const void *data,
		     size_t size);

/* emul_segment.c */

/* Reads descriptors on behalf of the instruction. */
struct lodge_descriptors emul_descriptors(struct lodge_emul *e);

/* Make the @segment that @seg, which is not CS, holds once @selector is loaded. */
int emul_load_segment(struct lodge_emul *e, enum lodge_seg seg, u16 selector,
		      struct lodge_segment *segment);

/* The same in real and in virtual-8086 mode, where the selector alone makes the base. */
void emul_load_real(const struct lodge_emul *e, enum lodge_seg seg,
		    u16 selector, struct lodge_segment *segment);

/* A far pointer in memory, or of an immediate. */
int emul_read_pointer(struct lodge_emul *e, const struct lodge_operand *o,
		      u64 *offset, u16 *selector);

/* True if code of the segment @cs runs in 64-bit mode. */
bool emul_is_64bit(const struct lodge_emul *e, const struct lodge_segment *cs);

/* #GP(0) where a branch to @target of the code segment @cs is none. */
int emul_check_target(struct lodge_emul *e, const struct lodge_segment *cs,
		      u64 target);

/* emul_stack.c */

/*
 * Push and pop on a stack pointer that is not the register's yet; @rsp moves on.
 */
int emul_push_at(struct lodge_emul *e, u64 *rsp, u64 value, unsigned int size);
int emul_pop_at(struct lodge_emul *e, u64 *rsp, u64 *value, unsigned int size);
/* Fault as a push of @size bytes would. */
int emul_probe_stack(struct lodge_emul *e, u64 rsp, unsigned int size);

/*
 * PUSHF, POPF and IRET are in virtual-8086 mode for IOPL 3, or for CR4.VME, which
 * is not carried out.
 */
int emul_check_v86_flags(struct lodge_emul *e);

/* The flags that POPF may change (SDM vol. 2, POPF); IRET adds to them. */
u64 emul_changeable_flags(const struct lodge_emul *e);

void emul_set_rsp(struct lodge_emul *e, u64 rsp);

static inline bool emul_is_locked(const struct lodge_emul *e)
{
	return e->insn.prefixes & LODGE_PREFIX_LOCK;
}

static inline void emul_set_flag(struct lodge_emul *e, u64 flag, bool value)
{
	e->regs->rflags &= ~flag;
	if (value)
		e->regs->rflags |= flag;
}

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
