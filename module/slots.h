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

struct lodge_page_set;
struct lodge_vm;

/**
 * struct lodge_slot - one slot
 * @gpa: first guest physical address
 * @size: bytes
 * @hva: first address in the caller
 * @id: its number
 * @flags: LODGE_MEM_*
 * @written: its dirty log: see dirty.h; NULL: it is off
 * @baseline: first address of what LODGE_RESET puts back; 0: there is none
 * @clean: with @baseline, where leaves have dirty bits, a bit of each page: see dirty.h
 */
struct lodge_slot {
	u64 gpa;
	u64 size;
	unsigned long hva;
	u32 id;
	u32 flags;
	struct lodge_page_set *written;
	unsigned long baseline;
	u64 *clean;
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
 * lodge_slots_locked() - all slots; under vm->lock
 */
const struct lodge_slots *lodge_slots_locked(const struct lodge_vm *vm);

/**
 * lodge_slot_by_id() - the slot of a number, or NULL; under vm->lock
 */
const struct lodge_slot *lodge_slot_by_id(const struct lodge_vm *vm, u32 id);

/**
 * lodge_slot_set_log() - give a slot another dirty log, or none, and another baseline
 * @next: as the slot of this number shall be; it shows the same memory
 *
 * The nested tables stay as they are.  On return the slot has a new place in memory, and
 * nobody uses the log that it has had.  Called under vm->lock.
 *
 * Return: 0 or -ENOMEM.
 */
int lodge_slot_set_log(struct lodge_vm *vm, const struct lodge_slot *next);

/**
 * lodge_slot_offset() - the place of @gpa in the slot that has been found for it
 *
 * A processor that has guessed wrong in the search stays within the slot, too.
 */
u64 lodge_slot_offset(const struct lodge_slot *slot, u64 gpa);

#endif
