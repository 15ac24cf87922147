// SPDX-License-Identifier: GPL-2.0
/*
 * x87 instructions that move one value, or the control or status word, and those that
 * move SSE's MXCSR.
 */
#include "emul_access.h"
#include "x87.h"

/* The bits of MXCSR if a processor does not tell them (SDM vol. 1, 11.6.6). */
#define MXCSR_BITS 0xffbf

/*
 * Note the last instruction for handlers of x87 exceptions: both addresses are
 * offsets in their segments (SDM vol. 1, 8.1.8).
 */
static void note(struct lodge_emul *e, struct lodge_fxsave *x)
{
	x->op = e->insn.fpu_opcode;
	x->ip = e->regs->rip;
	x->dp = lodge_insn_offset(&e->insn, e->regs);
}

static enum lodge_x87_type type_of(const struct lodge_insn *insn)
{
	return insn->op == LODGE_OP_FLD || insn->op == LODGE_OP_FST ||
			       insn->op == LODGE_OP_FSTP ?
		       LODGE_X87_REAL :
		       LODGE_X87_INTEGER;
}

static int x87_load(struct lodge_emul *e, struct lodge_fxsave *x, u64 linear)
{
	unsigned int size = e->insn.operand_size;
	u8 data[LODGE_X87_BYTES];
	int error = emul_read_bytes(e, linear, data, size, LODGE_ACCESS_READ);

	if (error)
		return error;
	lodge_x87_load(x, type_of(&e->insn), data, size);
	note(e, x);
	return 0;
}

static int x87_store(struct lodge_emul *e, struct lodge_fxsave *x, u64 linear)
{
	const struct lodge_insn *insn = &e->insn;
	bool pops = insn->op != LODGE_OP_FST && insn->op != LODGE_OP_FIST;
	u8 data[LODGE_X87_BYTES];
	int error;

	note(e, x);
	if (!lodge_x87_store(x, type_of(insn), insn->op == LODGE_OP_FISTTP,
			     data, insn->operand_size))
		return 0;
	error = emul_write_bytes(e, linear, data, insn->operand_size);
	if (!error && pops)
		lodge_x87_pop(x);
	return error;
}

static int load_mxcsr(struct lodge_emul *e, struct lodge_fxsave *x, u64 linear)
{
	u32 mask = x->mxcsr_mask ? x->mxcsr_mask : MXCSR_BITS;
	u64 value;
	int error =
		emul_read(e, linear, &value, sizeof(u32), LODGE_ACCESS_READ);

	if (error)
		return error;
	if (value & ~(u64)mask)
		return emul_protection(e);
	x->mxcsr = (u32)value;
	return 0;
}

static int load_control(struct lodge_emul *e, struct lodge_fxsave *x,
			u64 linear)
{
	u64 value;
	int error =
		emul_read(e, linear, &value, sizeof(u16), LODGE_ACCESS_READ);

	if (!error)
		lodge_x87_set_control(x, (u16)value);
	return error;
}

static int apply(struct lodge_emul *e, struct lodge_fxsave *x, u64 linear)
{
	switch (e->insn.op) {
	case LODGE_OP_FLD:
	case LODGE_OP_FILD:
		return x87_load(e, x, linear);
	case LODGE_OP_FLDCW:
		return load_control(e, x, linear);
	case LODGE_OP_FNSTCW:
		return emul_write(e, linear, x->cw, sizeof(x->cw));
	case LODGE_OP_FNSTSW:
		return emul_write(e, linear, x->sw, sizeof(x->sw));
	case LODGE_OP_LDMXCSR:
		return load_mxcsr(e, x, linear);
	case LODGE_OP_STMXCSR:
		return emul_write(e, linear, x->mxcsr, sizeof(x->mxcsr));
	default: /* FST, FSTP, FIST, FISTP, FISTTP */
		return x87_store(e, x, linear);
	}
}

int lodge_emul_x87(struct lodge_emul *e)
{
	bool store = e->insn.op >= LODGE_OP_FST;
	struct lodge_fxsave x;
	u64 linear;
	int error;

	error = emul_translate(e, e->insn.operand_size,
			       store ? LODGE_ACCESS_WRITE : LODGE_ACCESS_READ,
			       &linear);
	if (error)
		return error;
	e->ops->get_fpu(e->opaque, &x);
	error = apply(e, &x, linear);
	if (error)
		return error;
	e->ops->set_fpu(e->opaque, &x);
	return emul_advance(e);
}
