// SPDX-License-Identifier: GPL-2.0
/*
 * Far branches: CALL and JMP, also through call gates, RET and IRET, and the changes
 * of privilege level and stack that they bring.  Task switches are not carried out.
 *
 * Sources: Intel SDM vol. 2 (CALL, JMP, RET, IRET), vol. 3, section 5.8; AMD APM vol. 2,
 * sections 4.7.3 and 8.9.
 */
#include "emul_access.h"
#include "processor.h"

/* Of a system segment's type: not of 16 bits. */
#define TYPE_WIDE 8
#define MAX_PARAMETERS 31

/**
 * struct far - a far branch under way
 * @t: how descriptors are read
 * @code: the new CS; its selector has the new CPL
 * @target: the new RIP
 * @size: bytes of what is pushed or popped
 * @parameters: that a call gate copies to the new stack
 * @cpl: the new privilege level
 */
struct far {
	struct lodge_descriptors t;
	struct lodge_descriptor code;
	u64 target;
	u8 size;
	u8 parameters;
	u8 cpl;
};

static struct far far_start(struct lodge_emul *e)
{
	return (struct far){
		.t = emul_descriptors(e),
		.size = e->insn.operand_size,
		.cpl = e->cpl,
	};
}

static int violation(struct lodge_emul *e, const struct far *far, u8 vector,
		     u16 selector)
{
	return lodge_descriptor_fault(&far->t, vector, selector, &e->fault);
}

/* CS with the new privilege level in its selector, marked accessed. */
static int load_code(struct lodge_emul *e, struct far *far)
{
	int error;

	if (!e->segmentation.protect)
		return 0;
	error = lodge_descriptor_access(&far->t, &far->code, &e->fault);
	far->code.segment.selector &= ~LODGE_SELECTOR_RPL;
	far->code.segment.selector |= far->cpl;
	return error;
}

static void land(struct lodge_emul *e, const struct far *far)
{
	e->ops->set_segment(e->opaque, LODGE_CS, &far->code.segment);
	e->regs->rip = far->target;
}

/* Offset of the new stack in a TSS that has it, and bytes there (APM vol. 2, 12.2). */
static int read_inner_stack(struct lodge_emul *e, const struct far *far,
			    u16 *selector, u64 *rsp)
{
	const struct lodge_descriptors *t = &far->t;
	const struct lodge_segment *tss = &t->segs->seg[LODGE_TR];
	unsigned int size = t->long_mode ? 8 : tss->attr & TYPE_WIDE ? 4 : 2;
	unsigned int bytes = size + (t->long_mode ? 0 : 2);
	unsigned int offset = t->long_mode ? 4 + far->cpl * 8U :
					     size + far->cpl * 2 * size;
	u64 linear = tss->base + offset;
	u8 data[8];
	int error;

	if (offset + bytes - 1 > tss->limit)
		return violation(e, far, X86_TRAP_TS, tss->selector);
	if (!t->long_mode)
		linear = (u32)linear;
	error = t->read(t->opaque, linear, data, bytes, &e->fault);
	if (error)
		return error;
	*rsp = lodge_alu_get(data, size);
	*selector = t->long_mode ? far->cpl :
				   (u16)lodge_alu_get(data + size, 2);
	return 0;
}

/* In long mode the new SS is null, and so usable for 64-bit code alone. */
static int load_inner_stack(struct lodge_emul *e, const struct far *far,
			    struct lodge_segment *ss, u64 *rsp)
{
	struct lodge_descriptors t = far->t;
	u16 selector;
	int error = read_inner_stack(e, far, &selector, rsp);

	if (error)
		return error;
	t.cpl = far->cpl;
	t.vector = X86_TRAP_TS;
	t.mode64 = t.long_mode;
	return lodge_descriptor_load_data(&t, LODGE_SS, selector, ss,
					  &e->fault);
}

/* The caller's parameters, the last one first, as they are pushed again. */
static int read_parameters(struct lodge_emul *e, const struct far *far,
			   u64 *parameter)
{
	u64 rsp = e->regs->gpr[LODGE_RSP];
	int i, error = 0;

	for (i = far->parameters - 1; i >= 0 && !error; i--)
		error = emul_pop_at(e, &rsp, &parameter[i], far->size);
	return error;
}

struct caller {
	u16 cs;
	u16 ss;
	u64 rip;
	u64 rsp;
};

static int push_caller(struct lodge_emul *e, const struct far *far,
		       const struct caller *caller, const u64 *parameter,
		       u64 *rsp)
{
	bool inner = far->cpl != e->cpl;
	unsigned int i, words = inner ? 4 + far->parameters : 2;
	int error = emul_probe_stack(e, *rsp, words * far->size);

	if (!error && inner)
		error = emul_push_at(e, rsp, caller->ss, far->size);
	if (!error && inner)
		error = emul_push_at(e, rsp, caller->rsp, far->size);
	for (i = 0; i < far->parameters && inner && !error; i++)
		error = emul_push_at(e, rsp, parameter[i], far->size);
	if (!error)
		error = emul_push_at(e, rsp, caller->cs, far->size);
	if (!error)
		error = emul_push_at(e, rsp, caller->rip, far->size);
	return error;
}

/*
 * Accesses to the inner stack are made at the inner level and in its mode: SS
 * is loaded for them, and put back if one of them fails or has to wait.  If
 * there is no room, the fault names the new selector (SDM vol. 2, CALL; APM vol. 3,
 * CALL (Far)).
 */
static int call_inner(struct lodge_emul *e, struct far *far,
		      const struct caller *caller)
{
	struct lodge_segment old = e->segmentation.segs->seg[LODGE_SS], ss;
	u8 mode = e->insn.mode;
	u64 parameter[MAX_PARAMETERS], rsp;
	int error = load_inner_stack(e, far, &ss, &rsp);

	if (!error)
		error = read_parameters(e, far, parameter);
	if (error)
		return error;
	e->ops->set_segment(e->opaque, LODGE_SS, &ss);
	if (far->t.long_mode)
		e->insn.mode = LODGE_MODE_64;
	e->segmentation.mode = e->insn.mode;
	error = push_caller(e, far, caller, parameter, &rsp);
	if (error == LODGE_FAULT && e->fault.vector == X86_TRAP_SS)
		error = violation(e, far, X86_TRAP_SS, ss.selector);
	if (!error)
		error = load_code(e, far);
	if (error)
		e->ops->set_segment(e->opaque, LODGE_SS, &old);
	else
		emul_set_rsp(e, rsp);
	e->insn.mode = mode;
	e->segmentation.mode = mode;
	return error;
}

static int call_same(struct lodge_emul *e, struct far *far,
		     const struct caller *caller)
{
	u64 rsp = e->regs->gpr[LODGE_RSP];
	int error = 0;

	if (e->insn.op == LODGE_OP_CALL_FAR)
		error = push_caller(e, far, caller, NULL, &rsp);
	if (!error)
		error = load_code(e, far);
	if (!error)
		emul_set_rsp(e, rsp);
	return error;
}

/* Take the target out of a gate whose rights were checked.  Return: the selector. */
static u16 open_gate(const struct lodge_descriptor *gate, struct far *far)
{
	bool wide = gate->segment.attr & TYPE_WIDE;

	far->size = far->t.long_mode ? 8 : wide ? 4 : 2;
	far->parameters = far->t.long_mode ? 0 :
					     gate->raw >> 32 & MAX_PARAMETERS;
	far->target = gate->raw & 0xffff;
	if (wide)
		far->target |= gate->raw >> 32 & 0xffff0000;
	far->target |= gate->upper << 32;
	return (u16)(gate->raw >> 16);
}

static int check_gate(struct lodge_emul *e, const struct far *far,
		      const struct lodge_segment *s)
{
	u8 type = s->attr & LODGE_SEG_TYPE;
	bool task = (type & ~TYPE_WIDE) == LODGE_SYSTEM_TSS16 ||
		    type == LODGE_SYSTEM_TASK_GATE;
	bool call = type == LODGE_SYSTEM_CALL || type == LODGE_SYSTEM_CALL16;

	if (far->t.long_mode) {
		task = false;
		call = type == LODGE_SYSTEM_CALL;
	}
	if ((!task && !call) || !lodge_segment_is_visible(s, e->cpl))
		return violation(e, far, X86_TRAP_GP, s->selector);
	if (!(s->attr & LODGE_SEG_P))
		return violation(e, far, X86_TRAP_NP, s->selector);
	return task ? -EOPNOTSUPP : 0;
}

static int find_through_gate(struct lodge_emul *e,
			     const struct lodge_descriptor *gate,
			     struct far *far)
{
	const struct lodge_descriptors *t = &far->t;
	struct lodge_segment *s = &far->code.segment;
	bool jump = e->insn.op == LODGE_OP_JMP_FAR;
	u16 selector;
	int error = check_gate(e, far, &gate->segment);

	if (error)
		return error;
	selector = open_gate(gate, far);
	error = lodge_descriptor_read(t, selector, &far->code, &e->fault);
	if (error)
		return error;
	if (t->long_mode && !(s->attr & LODGE_SEG_L))
		return violation(e, far, X86_TRAP_GP, selector);
	if (!lodge_segment_is_conforming(s))
		far->cpl = lodge_segment_dpl(s);
	if (s->attr & LODGE_SEG_S && jump && far->cpl != e->cpl)
		return violation(e, far, X86_TRAP_GP, selector);
	return lodge_descriptor_check_code(t, &far->code, LODGE_CODE_GATE,
					   &e->fault);
}

static int find_branch(struct lodge_emul *e, u16 selector, struct far *far)
{
	struct lodge_descriptor found;
	int error;

	if (!e->segmentation.protect) {
		emul_load_real(e, LODGE_CS, selector, &far->code.segment);
		return 0;
	}
	error = lodge_descriptor_read(&far->t, selector, &found, &e->fault);
	if (error)
		return error;
	if (!(found.segment.attr & LODGE_SEG_S))
		return find_through_gate(e, &found, far);
	far->code = found;
	return lodge_descriptor_check_code(&far->t, &found, LODGE_CODE_BRANCH,
					   &e->fault);
}

static int emul_far_branch(struct lodge_emul *e)
{
	const struct lodge_segment *seg = e->segmentation.segs->seg;
	const struct caller caller = {
		.cs = seg[LODGE_CS].selector,
		.ss = seg[LODGE_SS].selector,
		.rip = lodge_insn_next_rip(e->regs, e->insn.mode,
					   e->insn.length),
		.rsp = e->regs->gpr[LODGE_RSP],
	};
	struct far far = far_start(e);
	u16 selector;
	int error = emul_read_pointer(e, &e->insn.operand[0], &far.target,
				      &selector);

	if (!error)
		error = find_branch(e, selector, &far);
	if (!error)
		error = emul_check_target(e, &far.code.segment, far.target);
	if (!error && far.cpl != e->cpl)
		error = call_inner(e, &far, &caller);
	else if (!error)
		error = call_same(e, &far, &caller);
	if (!error)
		land(e, &far);
	return error;
}

/*
 * Returns.
 */

/* Pop an offset, and the selector behind it. */
static int pop_pointer(struct lodge_emul *e, const struct far *far, u64 *rsp,
		       u64 *offset, u16 *selector)
{
	u64 value = 0;
	int error = emul_pop_at(e, rsp, offset, far->size);

	if (!error)
		error = emul_pop_at(e, rsp, &value, far->size);
	*selector = (u16)value;
	return error;
}

static int find_return(struct lodge_emul *e, u16 selector, struct far *far)
{
	int error;

	if (!e->segmentation.protect) {
		emul_load_real(e, LODGE_CS, selector, &far->code.segment);
		return 0;
	}
	far->cpl = selector & LODGE_SELECTOR_RPL;
	error = lodge_descriptor_read(&far->t, selector, &far->code, &e->fault);
	return error ? error :
		       lodge_descriptor_check_code(&far->t, &far->code,
						   LODGE_CODE_RETURN,
						   &e->fault);
}

static bool returns_to_64bit(const struct lodge_emul *e, const struct far *far)
{
	return emul_is_64bit(e, &far->code.segment);
}

/* SS for the new level: null only for 64-bit code at a level below 3. */
static int find_outer_stack(struct lodge_emul *e, const struct far *far,
			    u16 selector, struct lodge_segment *ss)
{
	struct lodge_descriptors t = far->t;

	t.cpl = far->cpl;
	t.mode64 = returns_to_64bit(e, far);
	return lodge_descriptor_load_data(&t, LODGE_SS, selector, ss,
					  &e->fault);
}

/* Make null the segment registers that an outer level may not use. */
static void hide_inner_segments(struct lodge_emul *e, u8 cpl)
{
	static const u8 data[] = { LODGE_ES, LODGE_DS, LODGE_FS, LODGE_GS };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(data); i++) {
		struct lodge_segment s = e->segmentation.segs->seg[data[i]];

		if (!(s.attr & LODGE_SEG_P) ||
		    lodge_segment_is_conforming(&s) ||
		    lodge_segment_dpl(&s) >= cpl)
			continue;
		s.selector = 0;
		s.attr = 0;
		e->ops->set_segment(e->opaque, data[i], &s);
	}
}

static void set_outer_stack(struct lodge_emul *e, const struct far *far,
			    const struct lodge_segment *ss, u64 rsp)
{
	unsigned int size = ss->attr & LODGE_SEG_DB ? 4 : 2;

	e->ops->set_segment(e->opaque, LODGE_SS, ss);
	emul_write_gpr(e, LODGE_RSP, rsp, returns_to_64bit(e, far) ? 8 : size);
	if (far->cpl != e->cpl)
		hide_inner_segments(e, far->cpl);
}

/* CS and RIP are popped and checked; the rest of the stack is not popped yet. */
static int return_to(struct lodge_emul *e, struct far *far, u64 rsp,
		     bool pops_stack)
{
	struct lodge_segment ss;
	u64 outer_rsp;
	u16 selector;
	int error = 0;

	if (pops_stack) {
		error = pop_pointer(e, far, &rsp, &outer_rsp, &selector);
		if (!error)
			error = find_outer_stack(e, far, selector, &ss);
	}
	if (!error)
		error = emul_check_target(e, &far->code.segment, far->target);
	if (!error)
		error = load_code(e, far);
	if (error)
		return error;
	if (pops_stack)
		set_outer_stack(e, far, &ss, outer_rsp + e->insn.immediate);
	else
		emul_set_rsp(e, rsp);
	land(e, far);
	return 0;
}

static int emul_far_return(struct lodge_emul *e)
{
	struct far far = far_start(e);
	u64 rsp = e->regs->gpr[LODGE_RSP];
	u16 selector;
	int error = pop_pointer(e, &far, &rsp, &far.target, &selector);

	if (!error)
		error = find_return(e, selector, &far);
	if (error)
		return error;
	return return_to(e, &far, rsp + e->insn.immediate, far.cpl != e->cpl);
}

/* The flags that IRET sets; VIF and VIP only at level 0 of protected mode. */
static u64 returned_flags(const struct lodge_emul *e, u64 value)
{
	u64 flags = emul_changeable_flags(e) | X86_EFLAGS_RF;

	if (!e->cpl && e->segmentation.protect)
		flags |= (X86_EFLAGS_VIF | X86_EFLAGS_VIP);
	flags &= lodge_alu_mask(e->insn.operand_size);
	return (e->regs->rflags & ~(flags | X86_EFLAGS_RF)) | (value & flags);
}

/* ESP, SS, ES, DS, FS and GS lie behind the flags. */
static int return_to_v86(struct lodge_emul *e, u64 rip, u16 cs, u64 rsp,
			 u64 flags)
{
	static const u8 order[] = { LODGE_SS, LODGE_ES, LODGE_DS, LODGE_FS,
				    LODGE_GS };
	struct lodge_segment segment;
	u64 value[ARRAY_SIZE(order)], outer_rsp;
	unsigned int i;
	int error = emul_pop_at(e, &rsp, &outer_rsp, 4);

	for (i = 0; i < ARRAY_SIZE(order) && !error; i++)
		error = emul_pop_at(e, &rsp, &value[i], 4);
	if (error)
		return error;
	if (rip > 0xffff)
		return emul_protection(e);
	e->regs->rflags = (flags & LODGE_RFLAGS_BITS) | X86_EFLAGS_FIXED;
	for (i = 0; i < ARRAY_SIZE(order); i++) {
		emul_load_real(e, order[i], (u16)value[i], &segment);
		e->ops->set_segment(e->opaque, order[i], &segment);
	}
	emul_load_real(e, LODGE_CS, cs, &segment);
	e->ops->set_segment(e->opaque, LODGE_CS, &segment);
	emul_write_gpr(e, LODGE_RSP, outer_rsp, 4);
	e->regs->rip = rip;
	return 0;
}

/* NT asks for a task switch, and in long mode for an exception. */
static int check_iret(struct lodge_emul *e, bool long_mode)
{
	if (e->segmentation.protect && e->regs->rflags & X86_EFLAGS_NT)
		return long_mode ? emul_protection(e) : -EOPNOTSUPP;
	return emul_check_v86_flags(e);
}

static int emul_iret(struct lodge_emul *e)
{
	struct far far = far_start(e);
	u64 rsp = e->regs->gpr[LODGE_RSP], flags, loaded;
	u16 selector;
	int error = check_iret(e, far.t.long_mode);

	if (!error)
		error = pop_pointer(e, &far, &rsp, &far.target, &selector);
	if (!error)
		error = emul_pop_at(e, &rsp, &flags, far.size);
	if (error)
		return error;
	if (flags & X86_EFLAGS_VM && e->segmentation.protect && !e->cpl &&
	    !far.t.long_mode)
		return return_to_v86(e, far.target, selector, rsp, flags);
	error = find_return(e, selector, &far);
	/* The level that counts is the one that executes it. */
	loaded = returned_flags(e, flags);
	if (!error)
		error = return_to(e, &far, rsp,
				  far.cpl != e->cpl ||
					  e->insn.mode == LODGE_MODE_64);
	if (!error)
		e->regs->rflags = loaded;
	return error;
}

int lodge_emul_far(struct lodge_emul *e)
{
	int error;

	switch (e->insn.op) {
	case LODGE_OP_RET_FAR:
		return emul_far_return(e);
	case LODGE_OP_IRET:
		error = emul_iret(e);
		if (!error)
			e->ops->end_nmi(e->opaque);
		return error;
	default: /* CALL_FAR, JMP_FAR */
		return emul_far_branch(e);
	}
}
