/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Segment descriptors: reading them from GDT and LDT, and the checks that a
 * processor makes before it loads a segment register with one.
 *
 * Pure: memory is reached through callbacks only.  Sources: Intel SDM vol. 2 (the
 * instructions that load segment registers), vol. 3, chapters 3 and 5; AMD APM
 * vol. 2, chapter 4.
 */
#ifndef LODGE_DESCRIPTOR_H
#define LODGE_DESCRIPTOR_H

#include <lodge.h>

#include "gva.h"
#include "pure.h"

#define LODGE_SELECTOR_RPL 0x3
#define LODGE_SELECTOR_TI 0x4

/* Bits of LODGE_SEG_TYPE with LODGE_SEG_S (APM vol. 2, 4.8.1 and 4.8.2). */
#define LODGE_TYPE_ACCESSED 0x1
#define LODGE_TYPE_WRITE 0x2 /* data */
#define LODGE_TYPE_READ 0x2 /* code */
#define LODGE_TYPE_CONFORMING 0x4 /* code */
#define LODGE_TYPE_CODE 0x8

/* LODGE_SEG_TYPE without LODGE_SEG_S (APM vol. 2, 4.8.3). */
enum lodge_system_type {
	LODGE_SYSTEM_TSS16 = 0x1,
	LODGE_SYSTEM_LDT = 0x2,
	LODGE_SYSTEM_TSS16_BUSY = 0x3,
	LODGE_SYSTEM_CALL16 = 0x4,
	LODGE_SYSTEM_TASK_GATE = 0x5,
	LODGE_SYSTEM_TSS = 0x9,
	LODGE_SYSTEM_TSS_BUSY = 0xb,
	LODGE_SYSTEM_CALL = 0xc,
};

/* The bit that makes a TSS busy. */
#define LODGE_SYSTEM_BUSY 0x2

/* Attributes of every segment register in virtual-8086 mode. */
#define LODGE_SEG_V86                                                   \
	(LODGE_SEG_P | LODGE_SEG_S | LODGE_SEG_DPL | LODGE_TYPE_WRITE | \
	 LODGE_TYPE_ACCESSED)

static inline u8 lodge_segment_dpl(const struct lodge_segment *s)
{
	return (s->attr & LODGE_SEG_DPL) >> LODGE_SEG_DPL_SHIFT;
}

static inline bool lodge_segment_is_conforming(const struct lodge_segment *s)
{
	const u16 conforming = LODGE_SEG_S | LODGE_TYPE_CODE |
			       LODGE_TYPE_CONFORMING;

	return (s->attr & conforming) == conforming;
}

/* True if code at @cpl may use it through its selector (SDM vol. 3, 5.5). */
static inline bool lodge_segment_is_visible(const struct lodge_segment *s,
					    u8 cpl)
{
	u8 rpl = s->selector & LODGE_SELECTOR_RPL;

	return lodge_segment_is_conforming(s) ||
	       max(cpl, rpl) <= lodge_segment_dpl(s);
}

static inline void lodge_segment_set_v86(struct lodge_segment *s)
{
	s->base = s->selector << 4;
	s->limit = 0xffff;
	s->attr = LODGE_SEG_V86;
}

/**
 * struct lodge_descriptors - the descriptor tables and the access to them
 * @segs: GDTR and LDTR
 * @long_mode: EFER.LMA: system descriptors have 16 bytes, L counts
 * @mode64: in 64-bit mode: SS may be null
 * @cpl: privilege level that the checks are made for
 * @vector: X86_TRAP_GP; in a task switch X86_TRAP_TS: the exception for a
 *	selector that cannot be loaded
 * @external: the EXT bit of error codes
 * @read: read @size bytes at @linear, as the processor itself; as struct
 *	lodge_emul_ops.read answers
 * @update: replace the byte at @linear by @new if it still is @old, atomically;
 *	-EBUSY when it is not
 * @opaque: first argument of both
 */
struct lodge_descriptors {
	const struct lodge_segments *segs;
	bool long_mode;
	bool mode64;
	u8 cpl;
	u8 vector;
	bool external;
	int (*read)(void *opaque, u64 linear, void *data, size_t size,
		    struct lodge_fault *fault);
	int (*update)(void *opaque, u64 linear, u8 old, u8 new,
		      struct lodge_fault *fault);
	void *opaque;
};

/**
 * struct lodge_descriptor - a descriptor that was read
 * @linear: its linear address
 * @raw: its lower 8 bytes, for gates
 * @upper: bytes 8 to 15 of a system descriptor in long mode, otherwise 0
 * @segment: its selector, base, limit and attributes, as a segment register has
 *	them
 */
struct lodge_descriptor {
	u64 linear;
	u64 raw;
	u64 upper;
	struct lodge_segment segment;
};

/**
 * enum lodge_code_load - how CS is loaded
 * @LODGE_CODE_BRANCH: far JMP or CALL without a gate
 * @LODGE_CODE_GATE: far CALL through a gate
 * @LODGE_CODE_RETURN: far RET or IRET; the selector's RPL is the new CPL
 * @LODGE_CODE_TASK: task switch; likewise
 */
enum lodge_code_load {
	LODGE_CODE_BRANCH,
	LODGE_CODE_GATE,
	LODGE_CODE_RETURN,
	LODGE_CODE_TASK,
};

/*
 * The functions below answer 0; LODGE_FAULT with @fault filled in; or a
 * callback's negative errno, -EBUSY among them: the descriptor has just been
 * changed, do it all again.
 */

/**
 * lodge_descriptor_fault() - fill in @fault with a selector as its error code
 * @selector: its RPL gives way to the EXT bit
 *
 * Return: LODGE_FAULT.
 */
int lodge_descriptor_fault(const struct lodge_descriptors *t, u8 vector,
			   u16 selector, struct lodge_fault *fault);

/**
 * lodge_descriptor_read() - read the descriptor that a selector names
 * @selector: null is a violation, with error code 0
 * @d: out: the descriptor
 *
 * Faults with @t->vector for a selector beyond its table, and for a system
 * descriptor of 16 bytes whose upper half has a type.
 */
int lodge_descriptor_read(const struct lodge_descriptors *t, u16 selector,
			  struct lodge_descriptor *d,
			  struct lodge_fault *fault);

/**
 * lodge_descriptor_change_type() - set and clear bits of a descriptor's type in
 * memory, and in @d
 * @d: as lodge_descriptor_read() has filled it in
 */
int lodge_descriptor_change_type(const struct lodge_descriptors *t,
				 struct lodge_descriptor *d, u8 set, u8 clear,
				 struct lodge_fault *fault);

/**
 * lodge_descriptor_check_code() - check that CS may be loaded with it
 * @load: how
 *
 * The privilege level after it is @t->cpl for a BRANCH, the descriptor's DPL for a
 * GATE unless it is conforming, and the selector's RPL otherwise.  Nothing is
 * marked accessed: see lodge_descriptor_access().
 */
int lodge_descriptor_check_code(const struct lodge_descriptors *t,
				const struct lodge_descriptor *d,
				enum lodge_code_load load,
				struct lodge_fault *fault);

/**
 * lodge_descriptor_access() - mark a code or data segment accessed
 */
int lodge_descriptor_access(const struct lodge_descriptors *t,
			    struct lodge_descriptor *d,
			    struct lodge_fault *fault);

/**
 * lodge_descriptor_load_data() - check for and load ES, SS, DS, FS or GS
 * @seg: the register
 * @selector: may be null, but for SS outside 64-bit mode
 * @segment: out: the register's new content; not usable with a null selector.
 *	May not be of @t->segs
 */
int lodge_descriptor_load_data(const struct lodge_descriptors *t,
			       enum lodge_seg seg, u16 selector,
			       struct lodge_segment *segment,
			       struct lodge_fault *fault);

/**
 * lodge_descriptor_load_ldt() - check for and load LDTR
 */
int lodge_descriptor_load_ldt(const struct lodge_descriptors *t, u16 selector,
			      struct lodge_segment *segment,
			      struct lodge_fault *fault);

/**
 * lodge_descriptor_check_tss() - check that it is a present TSS in the GDT
 * @busy: true if it has to be a busy one, false for an available one
 */
int lodge_descriptor_check_tss(const struct lodge_descriptors *t,
			       const struct lodge_descriptor *d, bool busy,
			       struct lodge_fault *fault);

/**
 * lodge_descriptor_load_tss() - check for and load TR as LTR does: an available
 * TSS becomes busy
 */
int lodge_descriptor_load_tss(const struct lodge_descriptors *t, u16 selector,
			      struct lodge_segment *segment,
			      struct lodge_fault *fault);

#endif
