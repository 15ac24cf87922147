// SPDX-License-Identifier: GPL-2.0
/*
 * The memory slots of a machine.
 */
#include "machine/memory.h"

#include <errno.h>

#include "board/pci.h"
#include "lib/client.h"

static int map(int vm, uint32_t slot, const struct ram *ram, uint64_t gpa,
	       uint64_t size)
{
	if (!size)
		return 0;
	return lodge_memory_set(vm, slot, 0, gpa, size, ram_at(ram, gpa, size));
}

int memory_map(int vm, const struct ram *ram, const struct boot_entry *entry)
{
	int err = map(vm, MEMORY_SLOT_LOW, ram, 0, ram_low(ram));

	if (err)
		return err;
	err = map(vm, MEMORY_SLOT_HIGH, ram, RAM_HOLE_END, ram_high(ram));
	if (err)
		return err;
	return lodge_memory_set(vm, MEMORY_SLOT_ROM, LODGE_MEM_READONLY,
				RAM_HOLE_END - entry->rom_size, entry->rom_size,
				(void *)entry->rom);
}

int memory_add(int vm, const struct ram *ram, struct memory_room *room,
	       uint64_t size, void *address, bool read_only, uint64_t *start)
{
	uint64_t last, end;
	int err;

	pci_window(ram, &last);
	if (__builtin_add_overflow(room->used, size, &end) ||
	    __builtin_add_overflow(last + 1, end, &end))
		return -EFBIG;
	*start = last + 1 + room->used;
	err = lodge_memory_set(vm, MEMORY_SLOT_DEVICES + room->slots,
			       read_only ? LODGE_MEM_READONLY : 0, *start, size,
			       address);
	if (err)
		return err;
	room->used += size;
	room->slots++;
	return 0;
}
