// SPDX-License-Identifier: GPL-2.0
/*
 * Segmentation, and the guest page walk for its three table formats.  The
 * formats differ in a few numbers only, which struct format holds; the walk is
 * one loop over it.
 */
#include "gva.h"

#include "processor.h"

#define PTE_PRESENT BIT_ULL(0)
#define PTE_WRITE BIT_ULL(1)
#define PTE_USER BIT_ULL(2)
#define PTE_ACCESSED BIT_ULL(5)
#define PTE_DIRTY BIT_ULL(6)
#define PTE_LARGE BIT_ULL(7)
#define PTE_KEY_SHIFT 59
#define PTE_NX BIT_ULL(63)

#define PAGE_SHIFT_4K 12
#define MAX_LEVELS 4
/* So that a guest which keeps writing its tables cannot hold the host here. */
#define MAX_RESTARTS 16

/* Segment types of a code or data segment (APM vol. 2, 4.8.1). */
#define TYPE_CODE 0x8
#define TYPE_EXPAND_DOWN 0x4
#define TYPE_READ_WRITE 0x2

/**
 * struct format - a table format
 * @levels: tables to walk, the root included
 * @index_bits: address bits that select an entry
 * @entry_size: bytes
 * @root_mask: the bits of CR3 that hold the root's address
 */
struct format {
	u8 levels;
	u8 index_bits;
	u8 entry_size;
	u64 root_mask;
};

static const struct format format_32 = { 2, 10, 4, 0xfffff000 };
static const struct format format_pae = { 3, 9, 8, 0xffffffe0 };
static const struct format format_long = { 4, 9, 8, GENMASK_ULL(51, 12) };

/**
 * struct walk - a walk under way
 * @p: the caller's request
 * @format: of the tables
 * @linear: the address
 * @access: LODGE_ACCESS_*
 * @entry: the entries met, by level; level 1 is a page table's
 * @address: their physical addresses
 * @level: level of the last one
 * @allowed: rights common to all levels: PTE_WRITE, PTE_USER, and PTE_NX when
 *	no level has it set
 */
struct walk {
	const struct lodge_paging *p;
	const struct format *format;
	u64 linear;
	unsigned int access;
	u64 entry[MAX_LEVELS + 1];
	u64 address[MAX_LEVELS + 1];
	int level;
	u64 allowed;
};

static bool segment_type_allows(const struct lodge_segment *seg,
				unsigned int access)
{
	bool code = seg->attr & TYPE_CODE;

	if (access & LODGE_ACCESS_FETCH)
		return code;
	if (access & LODGE_ACCESS_WRITE)
		return !code && seg->attr & TYPE_READ_WRITE;
	return !code || seg->attr & TYPE_READ_WRITE;
}

static bool segment_limit_allows(const struct lodge_segment *seg, u64 offset,
				 u64 last)
{
	u64 top = seg->attr & LODGE_SEG_DB ? 0xffffffff : 0xffff;
	bool code = seg->attr & TYPE_CODE;

	if (!code && seg->attr & TYPE_EXPAND_DOWN)
		return offset > seg->limit && last <= top;
	return last <= seg->limit;
}

static bool segment_allows(const struct lodge_segmentation *s,
			   const struct lodge_segment *seg, u64 offset,
			   size_t size, unsigned int access)
{
	u64 last = offset + size - 1;

	if (last < offset)
		return false;
	if (s->protect &&
	    (!(seg->attr & LODGE_SEG_P) || !segment_type_allows(seg, access)))
		return false;
	return segment_limit_allows(seg, offset, last);
}

int lodge_linear(const struct lodge_segmentation *s, enum lodge_seg seg,
		 u64 offset, size_t size, unsigned int access, u64 *linear,
		 struct lodge_fault *fault)
{
	const struct lodge_segment *segment = &s->segs->seg[seg];
	bool allowed;

	if (s->mode == LODGE_MODE_64) {
		*linear = offset;
		if (seg == LODGE_FS || seg == LODGE_GS)
			*linear += segment->base;
		allowed = lodge_is_canonical(*linear) &&
			  lodge_is_canonical(*linear + size - 1) &&
			  *linear + size - 1 >= *linear;
	} else {
		*linear = (u32)(segment->base + offset);
		allowed = segment_allows(s, segment, offset, size, access);
	}
	if (allowed)
		return 0;
	memset(fault, 0, sizeof(*fault));
	fault->vector = seg == LODGE_SS ? X86_TRAP_SS : X86_TRAP_GP;
	fault->has_error = true;
	return LODGE_FAULT;
}

static const struct format *find_format(const struct lodge_paging *p)
{
	if (p->efer & EFER_LMA)
		return &format_long;
	return p->cr4 & X86_CR4_PAE ? &format_pae : &format_32;
}

/* The physical address bits that an entry of @w can hold. */
static u64 physical_mask(const struct walk *w)
{
	if (w->format == &format_32)
		return 0xffffffff;
	return GENMASK_ULL(w->p->phys_bits - 1, 0);
}

static unsigned int level_shift(const struct format *format, int level)
{
	return PAGE_SHIFT_4K + (level - 1) * format->index_bits;
}

/* A page-directory-pointer entry of PAE paging has no rights and no A bit. */
static bool is_pae_root(const struct walk *w, int level)
{
	return w->format == &format_pae && level == 3;
}

static bool is_leaf(const struct walk *w, int level, u64 entry)
{
	if (level == 1)
		return true;
	if (!(entry & PTE_LARGE))
		return false;
	if (w->format == &format_32)
		return w->p->cr4 & X86_CR4_PSE;
	return level == 2 ||
	       (level == 3 && w->p->huge_1g && w->format == &format_long);
}

/*
 * Bits that must be zero (APM vol. 2, 5.2 to 5.4).  A 4-MiB page of 32-bit
 * paging keeps physical address bits 39:32 in bits 20:13 of its entry.
 */
static u64 reserved_bits(const struct walk *w, int level, u64 entry)
{
	unsigned int phys_bits = w->p->phys_bits;
	unsigned int shift = level_shift(w->format, level);
	bool leaf = is_leaf(w, level, entry);
	u64 reserved;

	if (w->format == &format_32) {
		if (!leaf || level == 1)
			return 0;
		return GENMASK_ULL(21, min(phys_bits, 40U) - 19);
	}
	reserved = GENMASK_ULL(51, 0) & ~physical_mask(w);
	if (w->format == &format_pae)
		reserved |= GENMASK_ULL(62, 52);
	/* Some processors, emulated ones among them, set an A bit there. */
	if (is_pae_root(w, level))
		return reserved | PTE_NX | GENMASK_ULL(8, 6) |
		       GENMASK_ULL(2, 1);
	if (!(w->p->efer & EFER_NX))
		reserved |= PTE_NX;
	if (leaf && level > 1)
		reserved |= GENMASK_ULL(shift - 1, 13);
	if (!leaf && level > 2)
		reserved |= PTE_LARGE;
	return reserved;
}

static u64 leaf_address(const struct walk *w)
{
	u64 entry = w->entry[w->level];
	unsigned int shift = level_shift(w->format, w->level);
	u64 offset = w->linear & GENMASK_ULL(shift - 1, 0);
	u64 frame = entry & physical_mask(w) & (~0ULL << shift);

	if (w->format == &format_32 && w->level == 2)
		frame |= (entry & GENMASK_ULL(20, 13)) << 19;
	return frame | offset;
}

static bool is_user_access(const struct walk *w)
{
	return w->p->cpl == 3 && !(w->access & LODGE_ACCESS_IMPLICIT);
}

static int page_fault(const struct walk *w, u32 error,
		      struct lodge_fault *fault)
{
	const struct lodge_paging *p = w->p;
	bool nx = p->efer & EFER_NX && w->format != &format_32;

	if (w->access & LODGE_ACCESS_WRITE)
		error |= LODGE_PF_WRITE;
	if (is_user_access(w))
		error |= LODGE_PF_USER;
	if (w->access & LODGE_ACCESS_FETCH && (nx || p->cr4 & X86_CR4_SMEP))
		error |= LODGE_PF_FETCH;
	fault->vector = X86_TRAP_PF;
	fault->has_error = true;
	fault->error = error;
	fault->address = w->linear;
	return LODGE_FAULT;
}

/* Reads entries down to the leaf.  The answer is as lodge_gva_walk()'s. */
static int descend(struct walk *w, struct lodge_fault *fault)
{
	const struct format *f = w->format;
	u64 table = w->p->cr3 & f->root_mask;
	u64 entry, index;
	int level, error;

	w->allowed = PTE_WRITE | PTE_USER | PTE_NX;
	for (level = f->levels;; level--) {
		index = w->linear >> level_shift(f, level) &
			GENMASK_ULL(f->index_bits - 1, 0);
		w->address[level] = table + index * f->entry_size;
		entry = 0;
		error = w->p->read(w->p->opaque, w->address[level], &entry,
				   f->entry_size);
		if (error)
			return error;
		w->entry[level] = entry;
		w->level = level;
		if (!(entry & PTE_PRESENT))
			return page_fault(w, 0, fault);
		if (entry & reserved_bits(w, level, entry))
			return page_fault(
				w, LODGE_PF_PRESENT | LODGE_PF_RESERVED, fault);
		if (!is_pae_root(w, level))
			w->allowed &= entry ^ PTE_NX;
		if (is_leaf(w, level, entry))
			return 0;
		table = entry & physical_mask(w) & (~0ULL << PAGE_SHIFT_4K);
	}
}

/* Protection keys are for data in user pages of long mode (5.6.7). */
static bool key_denies(const struct walk *w)
{
	const struct lodge_paging *p = w->p;
	unsigned int key = w->entry[w->level] >> PTE_KEY_SHIFT & 0xf;
	u32 rights = p->pkru >> (2 * key);

	if (!(p->cr4 & X86_CR4_PKE) || w->format != &format_long ||
	    !(w->allowed & PTE_USER) || w->access & LODGE_ACCESS_FETCH)
		return false;
	if (rights & 1)
		return true;
	return rights & 2 && w->access & LODGE_ACCESS_WRITE &&
	       (is_user_access(w) || p->cr0 & X86_CR0_WP);
}

/* Rights of the page against the access (APM vol. 2, 5.6). */
static bool rights_allow(const struct walk *w)
{
	const struct lodge_paging *p = w->p;
	bool user_page = w->allowed & PTE_USER;
	bool user = is_user_access(w);
	bool fetch = w->access & LODGE_ACCESS_FETCH;

	if (user && !user_page)
		return false;
	if (w->access & LODGE_ACCESS_WRITE && !(w->allowed & PTE_WRITE) &&
	    (user || p->cr0 & X86_CR0_WP))
		return false;
	if (fetch && !(w->allowed & PTE_NX))
		return false;
	if (user || !user_page)
		return true;
	if (fetch)
		return !(p->cr4 & X86_CR4_SMEP);
	return !(p->cr4 & X86_CR4_SMAP) ||
	       (p->rflags & X86_EFLAGS_AC &&
		!(w->access & LODGE_ACCESS_IMPLICIT));
}

/* Sets what the processor would set, from the root down (5.4.2). */
static int mark_used(const struct walk *w)
{
	const struct lodge_paging *p = w->p;
	int level, error;
	u64 bits;

	for (level = w->format->levels; level >= w->level; level--) {
		if (is_pae_root(w, level))
			continue;
		bits = PTE_ACCESSED;
		if (level == w->level && w->access & LODGE_ACCESS_WRITE)
			bits |= PTE_DIRTY;
		if ((w->entry[level] & bits) == bits)
			continue;
		error = p->update(p->opaque, w->address[level], w->entry[level],
				  w->entry[level] | bits,
				  w->format->entry_size);
		if (error)
			return error;
	}
	return 0;
}

static int walk_once(struct walk *w, struct lodge_translation *t,
		     struct lodge_fault *fault)
{
	int error = descend(w, fault);
	u32 key;

	if (error)
		return error;
	key = key_denies(w) ? LODGE_PF_KEY : 0;
	if (key || !rights_allow(w))
		return page_fault(w, LODGE_PF_PRESENT | key, fault);
	t->gpa = leaf_address(w);
	t->page_size = 1ULL << level_shift(w->format, w->level);
	return 0;
}

int lodge_gva_walk(const struct lodge_paging *p, u64 linear,
		   unsigned int access, struct lodge_translation *t,
		   struct lodge_fault *fault)
{
	struct walk w = { .p = p, .linear = linear, .access = access };
	int i, error;

	if (!(p->cr0 & X86_CR0_PG)) {
		t->gpa = (u32)linear;
		t->page_size = 1ULL << PAGE_SHIFT_4K;
		return 0;
	}
	if (p->cr4 & X86_CR4_LA57 && p->efer & EFER_LMA)
		return -EOPNOTSUPP;
	w.format = find_format(p);
	if (w.format != &format_long)
		w.linear = (u32)linear;
	for (i = 0; i < MAX_RESTARTS; i++) {
		error = walk_once(&w, t, fault);
		if (error)
			return error;
		error = mark_used(&w);
		if (error != -EAGAIN)
			return error;
	}
	return -EBUSY;
}
