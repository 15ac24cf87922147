// SPDX-License-Identifier: GPL-2.0
/*
 * The memory slots of a machine.
 */
#include "machine/memory.h"

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
