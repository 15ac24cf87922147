/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The memory map, as the BIOS call E820 gives it (ACPI specification, section
 * 15.1) and as each boot protocol passes it on.
 */
#ifndef LODGE_BOARD_E820_H
#define LODGE_BOARD_E820_H

#include <stdint.h>

#include "board/ram.h"

#define E820_RAM 1
#define E820_RESERVED 2

/* The most entries that e820_build() makes. */
#define E820_MAX 6

/**
 * struct e820_entry - a range of guest physical addresses
 * @addr: first
 * @size: bytes
 * @type: E820_RAM or E820_RESERVED
 *
 * Packed, because Linux's zero page and fw_cfg hold it in this form.
 */
struct e820_entry {
	uint64_t addr;
	uint64_t size;
	uint32_t type;
} __attribute__((packed));

/**
 * e820_build() - describe a machine's memory
 * @map: filled in ascending order
 *
 * Return: the number of entries.
 */
unsigned int e820_build(const struct ram *ram,
			struct e820_entry map[static E820_MAX]);

#endif
