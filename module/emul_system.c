// SPDX-License-Identifier: GPL-2.0
/*
 * System instructions with an operand in memory: the machine status word, the
 * descriptor tables and their registers, and questions about a selector.
 */
#include "emul_access.h"
#include "processor.h"

#define MSW_PE 0x1
#define MSW_BITS 0xf
/* The part of a descriptor's second four bytes that LAR gives. */
#define LAR_BITS 0x00ffff00

/* The types that LAR and LSL know (SDM vol. 2), a bit for each. */
#define LAR_TYPES 0x1a3e
#define LAR_TYPES_LONG 0x1a04
#define LSL_TYPES 0x0a0e
#define LSL_TYPES_LONG 0x0a04

static int store_word(struct lodge_emul *e, u64 value)
{
	int error;

	if (e->control->cr4 & X86_CR4_UMIP && e->cpl == 3)
		return emul_protection(e);
	error = emul_store(e, value, 2);
	return error ? error : emul_advance(e);
}

/* LMSW sets the four lowest bits but cannot clear PE. */
static int emul_lmsw(struct lodge_emul *e)
{
	u64 cr0 = e->control->cr0, value;
	int error;

	if (e->cpl)
		return emul_protection(e);
	error = emul_read_source(e, 0, &value);
	if (error)
		return error;
	cr0 = (cr0 & ~(u64)(MSW_BITS & ~MSW_PE)) | (value & MSW_BITS);
	if (e->ops->set_cr0(e->opaque, cr0))
		return emul_protection(e);
	return emul_advance(e);
}

static int store_table(struct lodge_emul *e, const struct lodge_segment *table)
{
	unsigned int size = e->insn.operand_size;
	u8 data[10];
	u64 linear;
	int error;

	if (e->control->cr4 & X86_CR4_UMIP && e->cpl == 3)
		return emul_protection(e);
	memcpy(data, &table->limit, 2);
	memcpy(data + 2, &table->base, size);
	error = emul_translate(e, size + 2, LODGE_ACCESS_WRITE, &linear);
	if (!error)
		error = emul_write_bytes(e, linear, data, size + 2);
	return error ? error : emul_advance(e);
}

/* With operands of 16 bits the base has 24. */
static bool has_short_base(const struct lodge_insn *insn)
{
	bool flip = insn->prefixes & LODGE_PREFIX_OPERAND;

	return insn->mode != LODGE_MODE_64 &&
	       (insn->mode == LODGE_MODE_16) != flip;
}

static int load_table(struct lodge_emul *e)
{
	unsigned int size = e->insn.operand_size;
	u8 data[10];
	u64 linear, base;
	int error;

	if (e->cpl)
		return emul_protection(e);
	error = emul_translate(e, size + 2, LODGE_ACCESS_READ, &linear);
	if (!error)
		error = emul_read_bytes(e, linear, data, size + 2,
					LODGE_ACCESS_READ);
	if (error)
		return error;
	base = lodge_alu_get(data + 2, size);
	if (!lodge_is_canonical(base))
		return emul_protection(e);
	if (has_short_base(&e->insn))
		base &= 0xffffff;
	e->ops->set_table(e->opaque, e->insn.op == LODGE_OP_LIDT, base,
			  (u16)lodge_alu_get(data, 2));
	return emul_advance(e);
}

/* LLDT and LTR. */
static int load_system_segment(struct lodge_emul *e)
{
	bool tss = e->insn.op == LODGE_OP_LTR;
	const struct lodge_descriptors t = emul_descriptors(e);
	struct lodge_segment segment;
	u64 selector;
	int error;

	if (!e->segmentation.protect)
		return emul_raise(e, X86_TRAP_UD);
	if (e->cpl)
		return emul_protection(e);
	error = emul_read_source(e, 0, &selector);
	if (!error && tss)
		error = lodge_descriptor_load_tss(&t, (u16)selector, &segment,
						  &e->fault);
	else if (!error)
		error = lodge_descriptor_load_ldt(&t, (u16)selector, &segment,
						  &e->fault);
	if (error)
		return error;
	e->ops->set_segment(e->opaque, tss ? LODGE_TR : LODGE_LDTR, &segment);
	return emul_advance(e);
}

static bool knows_type(const struct lodge_emul *e, bool long_mode,
		       const struct lodge_segment *s)
{
	unsigned int type = s->attr & LODGE_SEG_TYPE;
	bool writes = e->insn.op == LODGE_OP_VERW;
	bool code = type & LODGE_TYPE_CODE;

	if (e->insn.op == LODGE_OP_VERR || writes) {
		if (!(s->attr & LODGE_SEG_S))
			return false;
		if (writes)
			return !code && type & LODGE_TYPE_WRITE;
		return !code || type & LODGE_TYPE_READ;
	}
	if (s->attr & LODGE_SEG_S)
		return true;
	if (e->insn.op == LODGE_OP_LAR)
		return (long_mode ? LAR_TYPES_LONG : LAR_TYPES) >> type & 1;
	return (long_mode ? LSL_TYPES_LONG : LSL_TYPES) >> type & 1;
}

/*
 * LAR, LSL, VERR and VERW ask about a selector; where there is no answer ZF is
 * clear, and nothing faults but the accesses.
 */
static int emul_ask(struct lodge_emul *e)
{
	const struct lodge_insn *insn = &e->insn;
	bool verify = insn->op == LODGE_OP_VERR || insn->op == LODGE_OP_VERW;
	const struct lodge_descriptors t = emul_descriptors(e);
	struct lodge_descriptor d;
	u64 selector;
	bool good;
	int error;

	if (!e->segmentation.protect)
		return emul_raise(e, X86_TRAP_UD);
	error = emul_read_source(e, verify ? 0 : 1, &selector);
	if (error)
		return error;
	error = lodge_descriptor_read(&t, (u16)selector, &d, &e->fault);
	good = !error;
	if (error == LODGE_FAULT && e->fault.vector == X86_TRAP_GP)
		error = 0;
	if (error)
		return error;
	good = good && lodge_segment_is_visible(&d.segment, e->cpl) &&
	       knows_type(e, t.long_mode, &d.segment);
	if (good && !verify)
		emul_write_register(e, &insn->operand[0],
				    insn->op == LODGE_OP_LAR ?
					    d.raw >> 32 & LAR_BITS :
					    d.segment.limit);
	emul_set_flag(e, X86_EFLAGS_ZF, good);
	return emul_advance(e);
}

/* The RPL of the first selector becomes no less than that of the second. */
static int emul_arpl(struct lodge_emul *e)
{
	u64 linear, old, rpl;
	bool less;
	int error;

	if (!e->segmentation.protect)
		return emul_raise(e, X86_TRAP_UD);
	error = emul_read_operand(e, 0, LODGE_ACCESS_READ | LODGE_ACCESS_WRITE,
				  &linear, &old);
	if (error)
		return error;
	rpl = emul_read_register(e, &e->insn.operand[1]) & LODGE_SELECTOR_RPL;
	less = (old & LODGE_SELECTOR_RPL) < rpl;
	if (less)
		error = emul_write(e, linear,
				   (old & ~(u64)LODGE_SELECTOR_RPL) | rpl, 2);
	if (error)
		return error;
	emul_set_flag(e, X86_EFLAGS_ZF, less);
	return emul_advance(e);
}

/* SLDT and STR. */
static int store_selector(struct lodge_emul *e)
{
	enum lodge_seg seg = e->insn.op == LODGE_OP_STR ? LODGE_TR : LODGE_LDTR;

	if (!e->segmentation.protect)
		return emul_raise(e, X86_TRAP_UD);
	return store_word(e, e->segmentation.segs->seg[seg].selector);
}

/*
 * The register forms do not come here: they are intercepted, or run.  But LLDT and LTR
 * read a table, and LTR writes to it that the TSS is busy.
 */
int lodge_emul_system(struct lodge_emul *e)
{
	u8 op = e->insn.op;
	bool reads = op == LODGE_OP_LAR || op == LODGE_OP_LSL;

	if (e->insn.operand[reads].kind != LODGE_OPERAND_MEMORY &&
	    op != LODGE_OP_LLDT && op != LODGE_OP_LTR)
		return -EOPNOTSUPP;
	switch (op) {
	case LODGE_OP_LMSW:
		return emul_lmsw(e);
	case LODGE_OP_SMSW:
		return store_word(e, e->control->cr0);
	case LODGE_OP_SGDT:
		return store_table(e, &e->segmentation.segs->gdt);
	case LODGE_OP_SIDT:
		return store_table(e, &e->segmentation.segs->idt);
	case LODGE_OP_LGDT:
	case LODGE_OP_LIDT:
		return load_table(e);
	case LODGE_OP_SLDT:
	case LODGE_OP_STR:
		return store_selector(e);
	case LODGE_OP_LLDT:
	case LODGE_OP_LTR:
		return load_system_segment(e);
	case LODGE_OP_ARPL:
		return emul_arpl(e);
	default: /* LAR, LSL, VERR, VERW */
		return emul_ask(e);
	}
}
