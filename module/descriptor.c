// SPDX-License-Identifier: GPL-2.0
/*
 * The checks stand in the order of the manual's pseudo code, because a selector
 * can break several rules with different exceptions.
 */
#include "descriptor.h"
#include "processor.h"

/* The byte of a descriptor that holds type, S, DPL and P. */
#define ATTRIBUTE_BYTE 5
#define ATTRIBUTE_SHIFT (8 * ATTRIBUTE_BYTE)
/*
 * The place of S and type in bytes 8 to 15, zero so that they do not pass for a
 * descriptor of their own (APM vol. 2, 4.8.3).
 */
#define UPPER_TYPE GENMASK_ULL(44, 40)

static bool is_null(u16 selector)
{
	return !(selector & ~LODGE_SELECTOR_RPL);
}

static u8 type_of(const struct lodge_segment *s)
{
	return s->attr & LODGE_SEG_TYPE;
}

static u8 rpl_of(const struct lodge_segment *s)
{
	return s->selector & LODGE_SELECTOR_RPL;
}

static bool is_system(const struct lodge_segment *s)
{
	return !(s->attr & LODGE_SEG_S);
}

static bool is_code(const struct lodge_segment *s)
{
	return !is_system(s) && type_of(s) & LODGE_TYPE_CODE;
}

int lodge_descriptor_fault(const struct lodge_descriptors *t, u8 vector,
			   u16 selector, struct lodge_fault *fault)
{
	memset(fault, 0, sizeof(*fault));
	fault->vector = vector;
	fault->has_error = true;
	fault->error = (selector & ~LODGE_SELECTOR_RPL) | t->external;
	return LODGE_FAULT;
}

/* @selector breaks a rule whose exception is #GP, or #TS in a task switch. */
static int violation(const struct lodge_descriptors *t, u16 selector,
		     struct lodge_fault *fault)
{
	return lodge_descriptor_fault(t, t->vector, selector, fault);
}

/* True if @size bytes of the descriptor lie in its table. */
static bool in_table(const struct lodge_descriptors *t, u16 selector,
		     unsigned int size, u64 *linear)
{
	bool local = selector & LODGE_SELECTOR_TI;
	const struct lodge_segment *table = local ? &t->segs->seg[LODGE_LDTR] :
						    &t->segs->gdt;
	u32 offset = selector & ~(LODGE_SELECTOR_TI | LODGE_SELECTOR_RPL);

	if (local && !(table->attr & LODGE_SEG_P))
		return false;
	*linear = table->base + offset;
	if (!t->long_mode)
		*linear = (u32)*linear;
	return offset + size - 1 <= table->limit;
}

/* Base, limit and attributes are scattered over a descriptor (APM vol. 2, 4.7). */
static void take_apart(struct lodge_descriptor *d, u16 selector)
{
	struct lodge_segment *s = &d->segment;
	u64 raw = d->raw;

	s->selector = selector;
	s->attr = (raw >> ATTRIBUTE_SHIFT & 0xff) | (raw >> 44 & 0xf00);
	s->base = (raw >> 16 & 0xffffff) | (raw >> 32 & 0xff000000) |
		  d->upper << 32;
	s->limit = (raw & 0xffff) | (raw >> 32 & 0xf0000);
	if (s->attr & LODGE_SEG_G)
		s->limit = s->limit << 12 | 0xfff;
}

int lodge_descriptor_read(const struct lodge_descriptors *t, u16 selector,
			  struct lodge_descriptor *d, struct lodge_fault *fault)
{
	int error;

	memset(d, 0, sizeof(*d));
	if (is_null(selector))
		return violation(t, 0, fault);
	if (!in_table(t, selector, 8, &d->linear))
		return violation(t, selector, fault);
	error = t->read(t->opaque, d->linear, &d->raw, sizeof(d->raw), fault);
	if (error)
		return error;
	take_apart(d, selector);
	if (!t->long_mode || !is_system(&d->segment))
		return 0;
	if (!in_table(t, selector, 16, &d->linear))
		return violation(t, selector, fault);
	error = t->read(t->opaque, d->linear + 8, &d->upper, sizeof(d->upper),
			fault);
	if (error)
		return error;
	if (d->upper & UPPER_TYPE)
		return violation(t, selector, fault);
	take_apart(d, selector);
	return 0;
}

int lodge_descriptor_change_type(const struct lodge_descriptors *t,
				 struct lodge_descriptor *d, u8 set, u8 clear,
				 struct lodge_fault *fault)
{
	u8 old = (u8)(d->raw >> ATTRIBUTE_SHIFT);
	u8 new = (old | set) & ~clear;
	int error;

	if (old == new)
		return 0;
	error = t->update(t->opaque, d->linear + ATTRIBUTE_BYTE, old, new,
			  fault);
	if (error)
		return error;
	d->raw ^= (u64)(old ^ new) << ATTRIBUTE_SHIFT;
	d->segment.attr ^= old ^ new;
	return 0;
}

int lodge_descriptor_access(const struct lodge_descriptors *t,
			    struct lodge_descriptor *d,
			    struct lodge_fault *fault)
{
	return lodge_descriptor_change_type(t, d, LODGE_TYPE_ACCESSED, 0,
					    fault);
}

/* SDM vol. 2, JMP, CALL, RET; vol. 3, 5.8. */
static bool code_privilege_allows(const struct lodge_descriptors *t,
				  const struct lodge_segment *s,
				  enum lodge_code_load load)
{
	bool conforming = lodge_segment_is_conforming(s);
	u8 dpl = lodge_segment_dpl(s);

	switch (load) {
	case LODGE_CODE_BRANCH:
		if (conforming)
			return dpl <= t->cpl;
		return rpl_of(s) <= t->cpl && dpl == t->cpl;
	case LODGE_CODE_GATE:
		return dpl <= t->cpl;
	case LODGE_CODE_RETURN:
		if (rpl_of(s) < t->cpl)
			return false;
		break;
	case LODGE_CODE_TASK:
		break;
	}
	return conforming ? dpl <= rpl_of(s) : dpl == rpl_of(s);
}

int lodge_descriptor_check_code(const struct lodge_descriptors *t,
				const struct lodge_descriptor *d,
				enum lodge_code_load load,
				struct lodge_fault *fault)
{
	const struct lodge_segment *s = &d->segment;
	bool both = (s->attr & (LODGE_SEG_L | LODGE_SEG_DB)) ==
		    (LODGE_SEG_L | LODGE_SEG_DB);

	if (!is_code(s) || (t->long_mode && both) ||
	    !code_privilege_allows(t, s, load))
		return violation(t, s->selector, fault);
	if (!(s->attr & LODGE_SEG_P))
		return lodge_descriptor_fault(t, X86_TRAP_NP, s->selector,
					      fault);
	return 0;
}

/* SDM vol. 2, MOV: "if SS is loaded". */
static int check_stack(const struct lodge_descriptors *t,
		       const struct lodge_segment *s, struct lodge_fault *fault)
{
	bool writable = !is_system(s) && !is_code(s) &&
			type_of(s) & LODGE_TYPE_WRITE;

	if (rpl_of(s) != t->cpl || !writable || lodge_segment_dpl(s) != t->cpl)
		return violation(t, s->selector, fault);
	if (!(s->attr & LODGE_SEG_P))
		return lodge_descriptor_fault(t, X86_TRAP_SS, s->selector,
					      fault);
	return 0;
}

/* SDM vol. 2, MOV: "if DS, ES, FS, or GS is loaded with non-NULL selector". */
static int check_data(const struct lodge_descriptors *t,
		      const struct lodge_segment *s, struct lodge_fault *fault)
{
	if (is_system(s) || (is_code(s) && !(type_of(s) & LODGE_TYPE_READ)))
		return violation(t, s->selector, fault);
	if (!lodge_segment_is_visible(s, t->cpl))
		return violation(t, s->selector, fault);
	if (!(s->attr & LODGE_SEG_P))
		return lodge_descriptor_fault(t, X86_TRAP_NP, s->selector,
					      fault);
	return 0;
}

/*
 * A register that cannot be used.  Of SS, the DPL is still the privilege level;
 * null is allowed there in 64-bit mode but at level 3 (SDM vol. 3, 5.4.1.1).
 */
static int load_null(const struct lodge_descriptors *t, enum lodge_seg seg,
		     u16 selector, struct lodge_segment *segment,
		     struct lodge_fault *fault)
{
	u8 rpl = selector & LODGE_SELECTOR_RPL;

	if (seg == LODGE_SS && (!t->mode64 || t->cpl == 3 || rpl != t->cpl))
		return violation(t, 0, fault);
	memset(segment, 0, sizeof(*segment));
	segment->selector = selector;
	if (seg == LODGE_SS)
		segment->attr = (u16)(t->cpl << LODGE_SEG_DPL_SHIFT);
	return 0;
}

int lodge_descriptor_load_data(const struct lodge_descriptors *t,
			       enum lodge_seg seg, u16 selector,
			       struct lodge_segment *segment,
			       struct lodge_fault *fault)
{
	struct lodge_descriptor d;
	int error;

	if (is_null(selector))
		return load_null(t, seg, selector, segment, fault);
	error = lodge_descriptor_read(t, selector, &d, fault);
	if (error)
		return error;
	if (seg == LODGE_SS)
		error = check_stack(t, &d.segment, fault);
	else
		error = check_data(t, &d.segment, fault);
	if (!error)
		error = lodge_descriptor_access(t, &d, fault);
	if (!error)
		*segment = d.segment;
	return error;
}

/* LDT and TSS must be in the GDT. */
static int read_global(const struct lodge_descriptors *t, u16 selector,
		       struct lodge_descriptor *d, struct lodge_fault *fault)
{
	if (selector & LODGE_SELECTOR_TI)
		return violation(t, selector, fault);
	return lodge_descriptor_read(t, selector, d, fault);
}

/* Long mode's bases have 64 bits; VM entry refuses others (SDM vol. 3, 27.3.1.2). */
static int check_base(const struct lodge_descriptors *t,
		      const struct lodge_segment *s, struct lodge_fault *fault)
{
	return lodge_is_canonical(s->base) ? 0 :
					     violation(t, s->selector, fault);
}

/* In a task switch an LDT that is not present is #TS (SDM vol. 3, table 8-1). */
int lodge_descriptor_load_ldt(const struct lodge_descriptors *t, u16 selector,
			      struct lodge_segment *segment,
			      struct lodge_fault *fault)
{
	struct lodge_descriptor d;
	u8 absent = t->vector == X86_TRAP_TS ? t->vector : X86_TRAP_NP;
	int error;

	if (is_null(selector)) {
		memset(segment, 0, sizeof(*segment));
		segment->selector = selector;
		return 0;
	}
	error = read_global(t, selector, &d, fault);
	if (error)
		return error;
	if (!is_system(&d.segment) || type_of(&d.segment) != LODGE_SYSTEM_LDT)
		return violation(t, selector, fault);
	if (!(d.segment.attr & LODGE_SEG_P))
		return lodge_descriptor_fault(t, absent, selector, fault);
	error = check_base(t, &d.segment, fault);
	if (!error)
		*segment = d.segment;
	return error;
}

int lodge_descriptor_check_tss(const struct lodge_descriptors *t,
			       const struct lodge_descriptor *d, bool busy,
			       struct lodge_fault *fault)
{
	const struct lodge_segment *s = &d->segment;
	u8 available = type_of(s) & ~LODGE_SYSTEM_BUSY;
	bool tss = available == LODGE_SYSTEM_TSS ||
		   (available == LODGE_SYSTEM_TSS16 && !t->long_mode);

	if (s->selector & LODGE_SELECTOR_TI || !is_system(s) || !tss ||
	    !!(type_of(s) & LODGE_SYSTEM_BUSY) != busy)
		return violation(t, s->selector, fault);
	if (!(s->attr & LODGE_SEG_P))
		return lodge_descriptor_fault(t, X86_TRAP_NP, s->selector,
					      fault);
	return 0;
}

int lodge_descriptor_load_tss(const struct lodge_descriptors *t, u16 selector,
			      struct lodge_segment *segment,
			      struct lodge_fault *fault)
{
	struct lodge_descriptor d;
	int error = read_global(t, selector, &d, fault);

	if (!error)
		error = lodge_descriptor_check_tss(t, &d, false, fault);
	if (!error)
		error = check_base(t, &d.segment, fault);
	if (!error)
		error = lodge_descriptor_change_type(t, &d, LODGE_SYSTEM_BUSY,
						     0, fault);
	if (!error)
		*segment = d.segment;
	return error;
}
