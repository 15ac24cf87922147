/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ELF executables: their segments, and their start by the PVH protocol (Xen's
 * x86/HVM direct boot ABI).
 */
#ifndef LODGE_BOOT_ELF_H
#define LODGE_BOOT_ELF_H

#include <stdbool.h>
#include <stdint.h>

#include "boot/error.h"
#include "boot/image.h"
#include "boot/place.h"

/**
 * struct elf_program - a loaded ELF file
 * @entry: physical address of its entry point
 * @end: end of the highest segment below 4 GiB
 * @pvh: it has a PVH note
 * @pvh_entry: with @pvh, physical address of the 32-bit entry point
 */
struct elf_program {
	uint64_t entry;
	uint64_t end;
	bool pvh;
	uint64_t pvh_entry;
};

/**
 * elf_probe() - true if a file, which is held, is an ELF file
 */
bool elf_probe(const struct image *image);

/**
 * elf_load() - load the segments of an executable to their physical addresses
 * @place: guest memory
 * @image: an x86 executable, of 32 or 64 bits, for which elf_probe() is true
 * @program: out: the result
 * @error: out: the reason of a failure
 *
 * Return: 0; -ENOEXEC it is no x86 executable; -EINVAL it is truncated, or its
 * headers contradict each other; -ENOSPC a segment does not fit in RAM.
 */
int elf_load(struct place *place, const struct image *image,
	     struct elf_program *program, struct boot_error *error);

#endif
