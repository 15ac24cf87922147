/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The state in which vCPU 0 starts: the registers at an image's first instruction.
 *
 * The descriptor table and the page tables are in the BIOS area.  The memory map
 * reserves it, so no image overlaps them.
 */
#ifndef LODGE_BOOT_ENTRY_H
#define LODGE_BOOT_ENTRY_H

#include <stddef.h>
#include <stdint.h>

#include <lodge.h>

#include "board/ram.h"

/* Selectors of the descriptor table, as Linux's boot protocol requires them. */
#define ENTRY_CS 0x10
#define ENTRY_DS 0x18

/* Guest physical addresses of the tables. */
#define ENTRY_GDT 0xf0000
#define ENTRY_TABLES 0xf1000

/* Bytes from address 0 that the identity page tables map. */
#define ENTRY_MAPPED 0x100000000ULL

/**
 * struct boot_entry - what vCPU 0 starts with
 * @groups: LODGE_GROUP_*: the groups of @regs to set, always GENERAL, SEGMENTS and
 *	CONTROL, with all their fields; or 0: it starts at the reset vector, and sets
 *	up the machine itself
 * @regs: their values
 * @rom: contents of the ROM that ends at 4 GiB, page-aligned; lives as long as the
 *	machine's files
 * @rom_size: bytes of @rom, a multiple of a page
 *
 * The general registers that the protocol does not name are zero, and
 * interrupts are off.
 */
struct boot_entry {
	uint64_t groups;
	struct lodge_regs regs;
	const void *rom;
	size_t rom_size;
};

/**
 * entry_real() - start in real mode
 * @entry: to be filled
 * @address: linear address of the first instruction, below 1 MiB
 *
 * Below 64 KiB all segments are 0 and IP is @address, as when a BIOS starts a boot
 * sector; the stack grows down from @address.  Above, all segments are
 * @address / 16, IP is the rest, and the stack begins at the end of that segment.
 * The interrupt table is at 0.
 */
void entry_real(struct boot_entry *entry, uint32_t address);

/**
 * entry_waking() - start in real mode at a waking vector, as ACPI's firmware does
 * @entry: to be filled
 * @vector: linear address below 1 MiB: CS is @vector / 16, and IP the rest
 */
void entry_waking(struct boot_entry *entry, uint32_t vector);

/**
 * entry_protected() - start in 32-bit protected mode, flat, without paging
 * @ram: the descriptor table is written here
 * @entry: to be filled
 * @address: of the first instruction
 * @cs: selector of the code segment, 8 or ENTRY_CS; that of the others is the
 *	next one
 *
 * The stack is below the extended BIOS data area.  There is no interrupt table.
 */
void entry_protected(const struct ram *ram, struct boot_entry *entry,
		     uint32_t address, uint16_t cs);

/**
 * entry_long() - start in 64-bit mode
 * @ram: the descriptor table, and page tables that map the first ENTRY_MAPPED
 *	bytes to themselves with pages of 2 MiB, are written here
 * @entry: to be filled
 * @address: of the first instruction, below ENTRY_MAPPED
 *
 * The stack is below the extended BIOS data area.  There is no interrupt table.
 */
void entry_long(const struct ram *ram, struct boot_entry *entry,
		uint64_t address);

#endif
