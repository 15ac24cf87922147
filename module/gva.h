/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From the guest's logical address to its physical one: segmentation, then the
 * walk of the guest's own page tables, as the processor does both.
 *
 * Pure: guest memory is reached through callbacks only.  Sources: AMD APM
 * vol. 2, chapters 4 and 5; Intel SDM vol. 3, chapters 3 to 5.
 */
#ifndef LODGE_GVA_H
#define LODGE_GVA_H

#include <lodge.h>

#include "decode.h"
#include "page_fault.h"
#include "pure.h"

/* Kinds of access; READ and WRITE together are a read-modify-write. */
#define LODGE_ACCESS_READ 0x1
#define LODGE_ACCESS_WRITE 0x2
#define LODGE_ACCESS_FETCH 0x4
/* By the processor itself (descriptor tables, TSS): supervisor at any CPL. */
#define LODGE_ACCESS_IMPLICIT 0x8

/* The answer of gva.h's and emul.h's functions when the guest has faulted. */
#define LODGE_FAULT 1

/**
 * struct lodge_fault - an exception that an access raises
 * @vector: exception vector
 * @has_error: it pushes @error
 * @error: error code
 * @address: for CR2, with a page fault
 */
struct lodge_fault {
	u8 vector;
	bool has_error;
	u32 error;
	u64 address;
};

/**
 * struct lodge_segmentation - the state that segmentation depends on
 * @segs: the segment registers
 * @mode: of the code segment
 * @protect: CR0.PE = 1 and RFLAGS.VM = 0: types and null selectors are checked
 */
struct lodge_segmentation {
	const struct lodge_segments *segs;
	enum lodge_cpu_mode mode;
	bool protect;
};

/**
 * lodge_linear() - apply a segment
 * @s: segment registers and mode
 * @seg: the register, LODGE_ES to LODGE_GS
 * @offset: effective address, already cut to the address size
 * @size: bytes, at least 1
 * @access: LODGE_ACCESS_*
 * @linear: out: linear address of the first byte
 * @fault: out: #SS(0) for SS, #GP(0) for the others
 *
 * In 64-bit mode the first and the last byte must be canonical (48 bits);
 * otherwise type and limit are checked, expand-down segments included (APM
 * vol. 2, 4.8 and 4.12), and the linear address wraps at 4 GiB.
 *
 * Return: 0 or LODGE_FAULT.
 */
int lodge_linear(const struct lodge_segmentation *s, enum lodge_seg seg,
		 u64 offset, size_t size, unsigned int access, u64 *linear,
		 struct lodge_fault *fault);

/**
 * struct lodge_paging - the guest's paging registers, and its memory
 * @cr0: CR0
 * @cr3: CR3
 * @cr4: CR4; LA57 is refused
 * @efer: EFER
 * @rflags: RFLAGS, for AC
 * @pkru: PKRU, used with CR4.PKE
 * @cpl: current privilege level
 * @phys_bits: width of a guest physical address, 32 to 52; what is above is
 *	reserved
 * @huge_1g: the guest has 1-GiB pages
 * @read: read an entry of @size (4 or 8) bytes at guest physical address @gpa;
 *	0 or a negative errno, which ends the walk
 * @update: replace the entry at @gpa by @new if it still is @old, atomically;
 *	0, -EAGAIN when it is not (the walk starts over), or another negative
 *	errno, which ends the walk
 * @opaque: first argument of both
 */
struct lodge_paging {
	u64 cr0;
	u64 cr3;
	u64 cr4;
	u64 efer;
	u64 rflags;
	u32 pkru;
	u8 cpl;
	u8 phys_bits;
	bool huge_1g;
	int (*read)(void *opaque, u64 gpa, u64 *entry, size_t size);
	int (*update)(void *opaque, u64 gpa, u64 old, u64 new, size_t size);
	void *opaque;
};

/**
 * struct lodge_translation - answer of a walk
 * @gpa: guest physical address of the byte asked for
 * @page_size: bytes of the page it is in: 4 KiB, 2 MiB, 4 MiB or 1 GiB; 4 KiB
 *	without paging
 */
struct lodge_translation {
	u64 gpa;
	u64 page_size;
};

/**
 * lodge_gva_walk() - translate a linear address
 * @p: paging registers and memory
 * @linear: linear address, canonical
 * @access: LODGE_ACCESS_*
 * @t: out: the translation
 * @fault: out: the page fault
 *
 * Sets the accessed bits, and with a write the dirty bit, of an access that is
 * allowed; one that faults changes nothing.
 *
 * Return: 0; LODGE_FAULT; -EOPNOTSUPP with CR4.LA57; -EBUSY: the entries keep
 * changing, run the guest and let it try again; or a callback's error.
 */
int lodge_gva_walk(const struct lodge_paging *p, u64 linear,
		   unsigned int access, struct lodge_translation *t,
		   struct lodge_fault *fault);

#endif
