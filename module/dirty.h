/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The dirty log: which pages of a slot were written to.
 *
 * slot->written is a set of pages.  While a slot has one, a leaf of its memory is
 * writable only at level 1 and only if its page is in the set: a write to any other page
 * ends in a fault, which puts the page in.  Both change under vm->npt_lock together.
 * Writes of the kernel put their page in after they are made, and before vm->slots_srcu
 * is released.
 *
 * A page that LODGE_RESET has put back may stay in the set, and its leaf writable, so that
 * the next write costs no fault.  Then it is one of slot->clean, too: while it is, the
 * leaf's dirty bit alone tells if it was written to.  A write of the kernel, and any fault,
 * which may have made a new leaf, take it out of there before they put it into
 * slot->written.
 */
#ifndef LODGE_DIRTY_H
#define LODGE_DIRTY_H

#include <lodge.h>

#include "npt/npt.h"
#include "page_set.h"
#include "slots.h"

struct lodge_vm;

/**
 * lodge_dirty_set_log() - LODGE_SET_DIRTY_LOG; under vm->lock
 */
long lodge_dirty_set_log(struct lodge_vm *vm,
			 const struct lodge_dirty_log *arg);

/**
 * lodge_dirty_collect() - LODGE_GET_DIRTY; under vm->lock
 */
long lodge_dirty_collect(struct lodge_vm *vm, struct lodge_dirty *arg);

/**
 * lodge_dirty_reset() - LODGE_RESET; under vm->lock; holds the vCPUs
 */
long lodge_dirty_reset(struct lodge_vm *vm, struct lodge_reset *arg);

/**
 * lodge_dirty_free() - free the log of a slot that nobody uses any more, if it has one
 */
void lodge_dirty_free(struct lodge_vm *vm, const struct lodge_slot *slot);

/* The same for a slot with a log. */
void lodge_dirty_note_log(const struct lodge_slot *slot, u64 gpa, size_t size);
u8 lodge_dirty_level_log(const struct lodge_slot *slot, u64 gpa, u8 level,
			 bool write);
u32 lodge_dirty_attr_log(const struct lodge_slot *slot, u64 gpa, u8 level,
			 u32 attr);

/**
 * lodge_dirty_note() - the kernel has written to guest memory
 * @gpa: the first byte
 * @size: within @slot; not 0
 *
 * Under vm->slots_srcu, which was held as the write was made.
 */
static inline void lodge_dirty_note(const struct lodge_slot *slot, u64 gpa,
				    size_t size)
{
	if (unlikely(slot->written))
		lodge_dirty_note_log(slot, gpa, size);
}

/**
 * lodge_dirty_level() - the largest level at which a fault may map
 * @gpa: guest physical address
 * @level: what it could be without a log
 * @write: the guest writes
 */
static inline u8 lodge_dirty_level(const struct lodge_slot *slot, u64 gpa,
				   u8 level, bool write)
{
	if (likely(!slot->written))
		return level;
	return lodge_dirty_level_log(slot, gpa, level, write);
}

/**
 * lodge_dirty_attr() - what of @attr a fault may map, and note a write
 * @level: as lodge_dirty_level() has allowed it
 * @attr: LODGE_NPT_*; with LODGE_NPT_DIRTY the guest writes
 *
 * Under vm->npt_lock; @slot is one of vm->slots.
 */
static inline u32 lodge_dirty_attr(const struct lodge_slot *slot, u64 gpa,
				   u8 level, u32 attr)
{
	if (likely(!slot->written))
		return attr;
	return lodge_dirty_attr_log(slot, gpa, level, attr);
}

#endif
