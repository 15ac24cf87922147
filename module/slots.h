/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory slots: each maps a range of the caller's memory to guest physical
 * addresses.  slots.c changes them; mem.c, fault.c and
 * notifier.c look into them.
 *
 * An array is never changed once published.  The next one is published under
 * both vm->lock and vm->npt_lock, with the old slot's leaves already removed, and
 * the devices where the new one comes: who holds vm->npt_lock finds in the nested
 * tables only what the present array explains.
 */
#ifndef LODGE_SLOTS_H
#define LODGE_SLOTS_H

#include <linux/types.h>

/**
 * struct lodge_slot - one slot
 * @gpa: first guest physical address
 * @size: bytes
 * @hva: first address in the caller
 * @id: its number
 * @flags: LODGE_MEM_*
 */
struct lodge_slot {
	u64 gpa;
	u64 size;
	unsigned long hva;
	u32 id;
	u32 flags;
};

/**
 * struct lodge_slots - all slots of a VM
 * @nr: number of slots
 * @slot: by @gpa; they do not overlap
 */
struct lodge_slots {
	u32 nr;
	struct lodge_slot slot[];
};

/**
 * lodge_slot_find() - the slot that has @gpa, or NULL
 */
const struct lodge_slot *lodge_slot_find(const struct lodge_slots *slots,
					 u64 gpa);

/**
 * lodge_slot_offset() - the place of @gpa in the slot that has been found for it
 *
 * A processor that has guessed wrong in the search stays within the slot, too.
 */
u64 lodge_slot_offset(const struct lodge_slot *slot, u64 gpa);

#endif
