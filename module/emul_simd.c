// SPDX-License-Identifier: GPL-2.0
/*
 * MMX, SSE and AVX moves.  A write to an XMM register by an instruction with a VEX
 * prefix clears what is above it; without one that is kept.
 */
#include "emul_access.h"

#define MAX_BYTES 32

static int mmx_move(struct lodge_emul *e, u64 linear, bool store)
{
	const struct lodge_insn *insn = &e->insn;
	u64 value;
	int error;

	if (store) {
		e->ops->get_mmx(e->opaque, insn->operand[1].reg, &value);
		return emul_write(e, linear, value, insn->operand_size);
	}
	error = emul_read(e, linear, &value, insn->operand_size,
			  LODGE_ACCESS_READ);
	if (!error)
		e->ops->set_mmx(e->opaque, insn->operand[0].reg, value);
	return error;
}

/* The value of which a load of half a register replaces the other half. */
static void old_value(struct lodge_emul *e, u8 *xmm)
{
	const struct lodge_insn *insn = &e->insn;

	if (insn->op != LODGE_OP_SSE_MOV)
		e->ops->get_xmm(e->opaque, insn->operand[insn->vex ? 2 : 0].reg,
				xmm);
}

static int sse_load(struct lodge_emul *e, u64 linear, unsigned int size)
{
	const struct lodge_insn *insn = &e->insn;
	unsigned int reg = insn->operand[0].reg;
	u8 data[MAX_BYTES], value[MAX_BYTES] = { 0 };
	int error;

	error = emul_read_bytes(e, linear, data, size, LODGE_ACCESS_READ);
	if (error)
		return error;
	old_value(e, value);
	memcpy(insn->op == LODGE_OP_SSE_MOV_HIGH ? value + 8 : value, data,
	       size);
	e->ops->set_xmm(e->opaque, reg, value);
	if (insn->vex)
		e->ops->set_ymm(e->opaque, reg, value + 16);
	return 0;
}

static int sse_store(struct lodge_emul *e, u64 linear, unsigned int size)
{
	bool high = e->insn.op == LODGE_OP_SSE_MOV_HIGH;
	unsigned int reg = e->insn.operand[1].reg;
	u8 value[MAX_BYTES];

	e->ops->get_xmm(e->opaque, reg, value);
	if (size > 16)
		e->ops->get_ymm(e->opaque, reg, value + 16);
	return emul_write_bytes(e, linear, high ? value + 8 : value, size);
}

int lodge_emul_simd(struct lodge_emul *e)
{
	const struct lodge_insn *insn = &e->insn;
	unsigned int size = insn->operand_size;
	bool store = insn->operand[0].kind == LODGE_OPERAND_MEMORY;
	u64 linear;
	int error;

	if (insn->vex &&
	    (!(e->features & LODGE_EMUL_AVX) || !e->segmentation.protect))
		return emul_raise(e, X86_TRAP_UD);
	error = emul_translate(e, size,
			       store ? LODGE_ACCESS_WRITE : LODGE_ACCESS_READ,
			       &linear);
	if (error)
		return error;
	if (insn->aligned && linear & (size - 1))
		return emul_protection(e);
	if (insn->op == LODGE_OP_MMX_MOV)
		error = mmx_move(e, linear, store);
	else if (store)
		error = sse_store(e, linear, size);
	else
		error = sse_load(e, linear, size);
	return error ? error : emul_advance(e);
}
