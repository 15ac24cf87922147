// SPDX-License-Identifier: GPL-2.0
/*
 * The hardware task switch: see task.h.
 *
 * A switch has two halves.  In the first nothing changes but memory, and a fault
 * is the old task's; all that can fault is tried before the first byte is written.
 * Then the registers become those of the new task, whatever they are, and the
 * segment registers are loaded one by one: a fault there is the new task's, whose
 * handler finds the selectors as the TSS has them (Intel SDM vol. 3, section 8.3).
 */
#include "task.h"

#include "alu.h"
#include "descriptor.h"
#include "processor.h"

/* Of a system segment's type: its TSS has 32 bits. */
#define TYPE_32BIT 8

#define ATTR_CODE \
	(LODGE_SEG_P | LODGE_SEG_S | LODGE_TYPE_CODE | LODGE_TYPE_ACCESSED)

/* So that a guest which keeps changing descriptors cannot hold the host here. */
#define MAX_RESTARTS 16

#define SELECTOR_INDEX 0xfff8
/* The byte of a descriptor that has its type. */
#define DESCRIPTOR_TYPE 5

#define TSS_MAX_SIZE 104
#define TSS_CR3 0x1c
#define TSS_TRAP 0x64
#define NR_GPR 8

/**
 * struct layout - the layout of a TSS (SDM vol. 3, figures 8-2 and 8-10)
 * @word: bytes of a register
 * @limit: the smallest limit
 * @ip: the instruction pointer, and behind it the flags and general registers
 * @seg: the first selector; one takes @word bytes, of which two are used
 * @nr_segs: how many there are
 * @ldt: the LDT's selector
 */
struct layout {
	u8 word;
	u8 limit;
	u8 ip;
	u8 seg;
	u8 nr_segs;
	u8 ldt;
};

static const struct layout layout_16 = { 2, 0x2b, 0x0e, 0x22, 4, 0x2a };
static const struct layout layout_32 = { 4, 0x67, 0x20, 0x48, 6, 0x60 };

/**
 * struct new_task - the TSS that is switched to
 * @descriptor: its descriptor; the segment becomes TR's
 * @layout: its layout
 * @data: its bytes, as many as @layout knows
 */
struct new_task {
	struct lodge_descriptor descriptor;
	const struct layout *layout;
	u8 data[TSS_MAX_SIZE];
};

static const struct layout *layout_of(u16 attr)
{
	return attr & TYPE_32BIT ? &layout_32 : &layout_16;
}

/* For the checks of CPL: the new task's, whose CS is a bare selector at first. */
static struct lodge_descriptors descriptors(const struct lodge_task *t,
					    u8 vector)
{
	const struct lodge_segments *segs = &t->regs->segments;

	return (struct lodge_descriptors){
		.segs = segs,
		.cpl = segs->seg[LODGE_CS].selector & LODGE_SELECTOR_RPL,
		.vector = vector,
		.external = t->external,
		.read = t->ops->read,
		.update = t->ops->exchange,
		.opaque = t->opaque,
	};
}

static int fail(struct lodge_task *t, u8 vector, u16 selector)
{
	const struct lodge_descriptors d = descriptors(t, vector);

	return lodge_descriptor_fault(&d, vector, selector, &t->fault);
}

/* Page faults have their own error code, of which no bit is EXT. */
static int task_read(struct lodge_task *t, u64 linear, void *data, size_t size)
{
	return t->ops->read(t->opaque, linear, data, size, &t->fault);
}

static int task_write(struct lodge_task *t, u64 linear, const void *data,
		      size_t size)
{
	return t->ops->write(t->opaque, linear, data, size,
			     LODGE_ACCESS_WRITE | LODGE_ACCESS_IMPLICIT,
			     &t->fault);
}

static int task_probe(struct lodge_task *t, u64 linear, size_t size)
{
	return t->ops->probe(t->opaque, linear, size,
			     LODGE_ACCESS_WRITE | LODGE_ACCESS_IMPLICIT,
			     &t->fault);
}

/* SDM vol. 3, table 8-1, first part: the new TSS's descriptor. */
static int find_tss(struct lodge_task *t, struct new_task *new)
{
	bool iret = t->cause == LODGE_TASK_IRET;
	const struct lodge_descriptors d =
		descriptors(t, iret ? X86_TRAP_TS : X86_TRAP_GP);
	struct lodge_segment *tr = &new->descriptor.segment;
	int answer = lodge_descriptor_read(&d, t->selector, &new->descriptor,
					   &t->fault);

	if (!answer)
		answer = lodge_descriptor_check_tss(&d, &new->descriptor, iret,
						    &t->fault);
	if (answer)
		return answer;
	new->layout = layout_of(tr->attr);
	if (tr->limit < new->layout->limit)
		return fail(t, X86_TRAP_TS, t->selector);
	return 0;
}

static bool is_nested(const struct lodge_task *t)
{
	return t->cause == LODGE_TASK_CALL || t->cause == LODGE_TASK_GATE;
}

/* The limit was checked when TR was loaded; it is not checked again. */
static u64 type_address(const struct lodge_task *t, u16 selector)
{
	return (u32)(t->regs->segments.gdt.base + (selector & SELECTOR_INDEX) +
		     DESCRIPTOR_TYPE);
}

/* All faults of the first half happen here, before memory changes. */
static int try_all(struct lodge_task *t, struct new_task *new)
{
	const struct lodge_segment *tr = &t->regs->segments.seg[LODGE_TR];
	const struct layout *old = layout_of(tr->attr);
	u64 base = new->descriptor.segment.base;
	int answer;

	if (tr->limit < old->limit)
		return fail(t, X86_TRAP_TS, tr->selector);
	answer = task_read(t, base, new->data, new->layout->limit + 1);
	if (!answer)
		answer = task_probe(t, (u32)(tr->base + old->ip),
				    old->ldt - old->ip);
	if (!answer && is_nested(t))
		answer = task_probe(t, base, sizeof(u16));
	if (!answer && t->cause != LODGE_TASK_IRET)
		answer = task_probe(t, type_address(t, t->selector), 1);
	if (!answer && !is_nested(t))
		answer = task_probe(t, type_address(t, tr->selector), 1);
	return answer;
}

static int clear_busy(struct lodge_task *t, u16 selector)
{
	u64 linear = type_address(t, selector);
	int i, answer = -EBUSY;
	u8 type;

	for (i = 0; answer == -EBUSY && i < MAX_RESTARTS; i++) {
		answer = task_read(t, linear, &type, sizeof(type));
		if (!answer && type & LODGE_SYSTEM_BUSY)
			answer = t->ops->exchange(t->opaque, linear, type,
						  type & ~LODGE_SYSTEM_BUSY,
						  &t->fault);
	}
	return answer;
}

static int set_busy(struct lodge_task *t, struct new_task *new)
{
	const struct lodge_descriptors d = descriptors(t, X86_TRAP_GP);

	return lodge_descriptor_change_type(&d, &new->descriptor,
					    LODGE_SYSTEM_BUSY, 0, &t->fault);
}

static void put(u8 *to, u32 value, const struct layout *layout)
{
	memcpy(to, &value, layout->word);
}

static u16 get_selector(const u8 *from)
{
	return (u16)lodge_alu_get(from, sizeof(u16));
}

/* Fields that a switch does not change are not written: LDT, CR3, stacks. */
static int save_old(struct lodge_task *t)
{
	const struct lodge_segment *seg = t->regs->segments.seg;
	const struct layout *layout = layout_of(seg[LODGE_TR].attr);
	u64 base = seg[LODGE_TR].base;
	u8 image[(2 + NR_GPR) * sizeof(u32)];
	u32 rflags = t->rflags;
	unsigned int i;
	int answer;

	if (t->cause == LODGE_TASK_IRET)
		rflags &= ~X86_EFLAGS_NT;
	put(image, t->rip, layout);
	put(image + layout->word, rflags, layout);
	for (i = 0; i < NR_GPR; i++)
		put(image + (2 + i) * layout->word, t->regs->general.gpr[i],
		    layout);
	answer = task_write(t, (u32)(base + layout->ip), image,
			    (2 + NR_GPR) * layout->word);
	for (i = 0; !answer && i < layout->nr_segs; i++)
		answer = task_write(
			t, (u32)(base + layout->seg + i * layout->word),
			&seg[i].selector, sizeof(seg[i].selector));
	return answer;
}

/*
 * All accesses have been tried, so none should fault.  If one does, because the tables
 * have changed meanwhile, the same switch can be made once more: it needs a new TSS that
 * is not busy, and marks it busy last.
 */
static int leave_old(struct lodge_task *t, struct new_task *new)
{
	u16 old = t->regs->segments.seg[LODGE_TR].selector;
	int answer = 0;

	if (!is_nested(t))
		answer = clear_busy(t, old);
	if (!answer)
		answer = save_old(t);
	if (!answer && is_nested(t))
		answer = task_write(t, new->descriptor.segment.base, &old,
				    sizeof(old));
	if (!answer && t->cause != LODGE_TASK_IRET)
		answer = set_busy(t, new);
	return answer;
}

/* Selectors alone: the rest of each register follows when it is loaded. */
static void set_selectors(struct lodge_task *t, const struct new_task *new)
{
	struct lodge_segments *segs = &t->regs->segments;
	const struct layout *layout = new->layout;
	const u8 *from = new->data + layout->seg;
	unsigned int i;
	u8 cpl;

	for (i = LODGE_ES; i <= LODGE_GS; i++, from += layout->word)
		segs->seg[i] = (struct lodge_segment){
			.selector = i < layout->nr_segs ? get_selector(from) :
							  0,
		};
	segs->seg[LODGE_LDTR] = (struct lodge_segment){
		.selector = get_selector(new->data + layout->ldt),
	};
	segs->seg[LODGE_TR] = new->descriptor.segment;

	cpl = segs->seg[LODGE_CS].selector & LODGE_SELECTOR_RPL;
	segs->seg[LODGE_SS].attr = cpl << LODGE_SEG_DPL_SHIFT;
	segs->seg[LODGE_CS].attr = ATTR_CODE | cpl << LODGE_SEG_DPL_SHIFT;
}

/* From here on there is only the new task. */
static int enter_new(struct lodge_task *t, const struct new_task *new)
{
	struct lodge_general *general = &t->regs->general;
	const struct layout *layout = new->layout;
	const u8 *from = new->data + layout->ip;
	unsigned int i, word = layout->word;

	t->committed = true;
	general->rip = lodge_alu_get(from, word);
	general->rflags = lodge_alu_get(from + word, word) & LODGE_RFLAGS_BITS;
	general->rflags |= X86_EFLAGS_FIXED |
			   (is_nested(t) ? X86_EFLAGS_NT : 0);
	for (i = 0; i < NR_GPR; i++)
		general->gpr[i] = lodge_alu_get(from + (2 + i) * word, word);
	set_selectors(t, new);
	for (i = LODGE_ES; general->rflags & X86_EFLAGS_VM && i <= LODGE_GS;
	     i++)
		lodge_segment_set_v86(&t->regs->segments.seg[i]);
	t->regs->control.cr0 |= X86_CR0_TS;
	t->regs->debug.dr7 &= ~(u64)LODGE_DR7_LOCAL;
	t->trap = layout == &layout_32 && new->data[TSS_TRAP] & 1;
	if (layout == &layout_32 && t->regs->control.cr0 & X86_CR0_PG &&
	    t->ops->load_cr3(t->opaque,
			     lodge_alu_get(new->data + TSS_CR3, word)))
		return fail(t, X86_TRAP_GP, 0);
	return 0;
}

static int load_code(const struct lodge_descriptors *d, u16 selector,
		     struct lodge_segment *segment, struct lodge_fault *fault)
{
	struct lodge_descriptor code;
	int answer = lodge_descriptor_read(d, selector, &code, fault);

	if (!answer)
		answer = lodge_descriptor_check_code(d, &code, LODGE_CODE_TASK,
						     fault);
	if (!answer)
		answer = lodge_descriptor_access(d, &code, fault);
	if (!answer)
		*segment = code.segment;
	return answer;
}

/* Other processors' writes to the descriptor start it over. */
static int load_segment(struct lodge_task *t, enum lodge_seg seg)
{
	const struct lodge_descriptors d = descriptors(t, X86_TRAP_TS);
	struct lodge_segment *to = &t->regs->segments.seg[seg];
	struct lodge_segment new = *to;
	int i, answer = -EBUSY;

	for (i = 0; answer == -EBUSY && i < MAX_RESTARTS; i++) {
		if (seg == LODGE_LDTR)
			answer = lodge_descriptor_load_ldt(&d, to->selector,
							   &new, &t->fault);
		else if (seg == LODGE_CS)
			answer = load_code(&d, to->selector, &new, &t->fault);
		else
			answer = lodge_descriptor_load_data(
				&d, seg, to->selector, &new, &t->fault);
	}
	if (!answer)
		*to = new;
	return answer;
}

static int load_segments(struct lodge_task *t)
{
	static const u8 order[] = { LODGE_CS, LODGE_SS, LODGE_ES,
				    LODGE_DS, LODGE_FS, LODGE_GS };
	int answer = load_segment(t, LODGE_LDTR);
	unsigned int i;

	if (answer || t->regs->general.rflags & X86_EFLAGS_VM)
		return answer;
	for (i = 0; !answer && i < ARRAY_SIZE(order); i++)
		answer = load_segment(t, order[i]);
	return answer;
}

/* The error code goes onto the new task's stack, in words of its TSS. */
static int push_error(struct lodge_task *t, unsigned int size)
{
	const struct lodge_segment *seg = t->regs->segments.seg;
	__u64 *rsp = &t->regs->general.gpr[LODGE_RSP];
	u64 mask = seg[LODGE_SS].attr & LODGE_SEG_DB ? 0xffffffff : 0xffff;
	u64 offset = (*rsp - size) & mask, linear;
	const struct lodge_segmentation s = {
		.segs = &t->regs->segments,
		.mode = seg[LODGE_CS].attr & LODGE_SEG_DB ? LODGE_MODE_32 :
							    LODGE_MODE_16,
		.protect = !(t->regs->general.rflags & X86_EFLAGS_VM),
	};
	int answer;

	if (lodge_linear(&s, LODGE_SS, offset, size, LODGE_ACCESS_WRITE,
			 &linear, &t->fault))
		return fail(t, X86_TRAP_SS, 0);
	answer = t->ops->write(t->opaque, linear, &t->error, size,
			       LODGE_ACCESS_WRITE, &t->fault);
	if (!answer)
		*rsp = (*rsp & ~mask) | offset;
	return answer;
}

int lodge_task_switch(struct lodge_task *t)
{
	struct new_task new;
	int answer;

	t->committed = false;
	t->trap = false;
	answer = find_tss(t, &new);
	if (!answer)
		answer = try_all(t, &new);
	if (!answer)
		answer = leave_old(t, &new);
	if (!answer)
		answer = enter_new(t, &new);
	if (!answer)
		answer = load_segments(t);
	if (!answer &&
	    t->regs->general.rip > t->regs->segments.seg[LODGE_CS].limit)
		answer = fail(t, X86_TRAP_GP, 0);
	if (!answer && t->has_error)
		answer = push_error(t, new.layout->word);
	return answer;
}
