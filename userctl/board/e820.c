// SPDX-License-Identifier: GPL-2.0
/*
 * The memory map.
 */
#include "board/e820.h"

#include "board/layout.h"

static unsigned int e820_add(struct e820_entry *map, unsigned int count,
			     uint64_t start, uint64_t end, uint32_t type)
{
	if (start == end)
		return count;
	map[count] = (struct e820_entry){ start, end - start, type };
	return count + 1;
}

unsigned int e820_build(const struct ram *ram,
			struct e820_entry map[static E820_MAX])
{
	unsigned int n = 0;

	n = e820_add(map, n, 0, BIOS_EBDA, E820_RAM);
	n = e820_add(map, n, BIOS_EBDA, BIOS_EBDA + BIOS_EBDA_SIZE,
		     E820_RESERVED);
	n = e820_add(map, n, BIOS_AREA, BIOS_AREA_END, E820_RESERVED);
	n = e820_add(map, n, BIOS_AREA_END, ram_low(ram), E820_RAM);
	n = e820_add(map, n, PCI_ECAM, PCI_MEMORY, E820_RESERVED);
	n = e820_add(map, n, RAM_HOLE_END, RAM_HOLE_END + ram_high(ram),
		     E820_RAM);
	return n;
}
