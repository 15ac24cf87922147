// SPDX-License-Identifier: GPL-2.0
/*
 * Loads of segment registers, and the steps that far branches share with them.
 */
#include "emul_access.h"
#include "processor.h"

static int read_table(void *opaque, u64 linear, void *data, size_t size,
		      struct lodge_fault *fault)
{
	struct lodge_emul *e = opaque;

	return e->ops->read(e->opaque, linear, data, size,
			    LODGE_ACCESS_READ | LODGE_ACCESS_IMPLICIT, fault);
}

static int update_table(void *opaque, u64 linear, u8 old, u8 new,
			struct lodge_fault *fault)
{
	struct lodge_emul *e = opaque;

	return (e->ops->cmpxchg)(e->opaque, linear, &old, &new, 1,
				 LODGE_ACCESS_READ | LODGE_ACCESS_WRITE |
					 LODGE_ACCESS_IMPLICIT,
				 fault);
}

struct lodge_descriptors emul_descriptors(struct lodge_emul *e)
{
	return (struct lodge_descriptors){
		.segs = e->segmentation.segs,
		.long_mode = e->control->efer & EFER_LMA,
		.mode64 = e->insn.mode == LODGE_MODE_64,
		.cpl = e->cpl,
		.vector = X86_TRAP_GP,
		.read = read_table,
		.update = update_table,
		.opaque = e,
	};
}

void emul_load_real(const struct lodge_emul *e, enum lodge_seg seg,
		    u16 selector, struct lodge_segment *segment)
{
	*segment = e->segmentation.segs->seg[seg];
	segment->selector = selector;
	segment->base = selector << 4;
	if (e->regs->rflags & X86_EFLAGS_VM)
		lodge_segment_set_v86(segment);
}

int emul_load_segment(struct lodge_emul *e, enum lodge_seg seg, u16 selector,
		      struct lodge_segment *segment)
{
	const struct lodge_descriptors t = emul_descriptors(e);

	if (e->segmentation.protect)
		return lodge_descriptor_load_data(&t, seg, selector, segment,
						  &e->fault);
	emul_load_real(e, seg, selector, segment);
	return 0;
}

bool emul_is_64bit(const struct lodge_emul *e, const struct lodge_segment *cs)
{
	return e->control->efer & EFER_LMA && cs->attr & LODGE_SEG_L;
}

int emul_check_target(struct lodge_emul *e, const struct lodge_segment *cs,
		      u64 target)
{
	bool good = target <= cs->limit;

	if (emul_is_64bit(e, cs))
		good = lodge_is_canonical(target);
	return good ? 0 : emul_protection(e);
}

static int emul_mov_to_seg(struct lodge_emul *e)
{
	const struct lodge_operand *dst = &e->insn.operand[0];
	struct lodge_segment segment;
	u64 selector;
	int error = emul_read_source(e, 1, &selector);

	if (!error)
		error = emul_load_segment(e, dst->reg, (u16)selector, &segment);
	if (error)
		return error;
	e->ops->set_segment(e->opaque, dst->reg, &segment);
	return emul_advance(e);
}

/* Vendors differ in an offset of 64 bits. */
int emul_read_pointer(struct lodge_emul *e, const struct lodge_operand *o,
		      u64 *offset, u16 *selector)
{
	unsigned int size = e->insn.operand_size;
	u8 data[16] = { 0 };
	u64 linear;
	int error;

	if (size == 8 && !(e->features & LODGE_EMUL_INTEL))
		return -EOPNOTSUPP;
	if (o->kind == LODGE_OPERAND_IMMEDIATE) {
		*offset = e->insn.immediate & lodge_alu_mask(size);
		*selector = (u16)(e->insn.immediate >> (8 * size));
		return 0;
	}
	error = emul_translate(e, size + 2, LODGE_ACCESS_READ, &linear);
	if (!error)
		error = emul_read_bytes(e, linear, data, size + 2,
					LODGE_ACCESS_READ);
	*offset = lodge_alu_get(data, size);
	*selector = (u16)lodge_alu_get(data + size, sizeof(*selector));
	return error;
}

static int emul_load_far(struct lodge_emul *e)
{
	const struct lodge_insn *insn = &e->insn;
	enum lodge_seg seg = insn->operand[2].reg;
	struct lodge_segment segment;
	u64 offset;
	u16 selector;
	int error = emul_read_pointer(e, &insn->operand[1], &offset, &selector);

	if (!error)
		error = emul_load_segment(e, seg, selector, &segment);
	if (error)
		return error;
	e->ops->set_segment(e->opaque, seg, &segment);
	emul_write_register(e, &insn->operand[0], offset);
	return emul_advance(e);
}

int lodge_emul_segment(struct lodge_emul *e)
{
	return e->insn.op == LODGE_OP_MOV_TO_SEG ? emul_mov_to_seg(e) :
						   emul_load_far(e);
}
