/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Flat binaries: no header, loaded and entered at an address that the user names.
 */
#ifndef LODGE_BOOT_FLAT_H
#define LODGE_BOOT_FLAT_H

#include <stdint.h>

#include "boot/entry.h"
#include "boot/error.h"
#include "boot/image.h"
#include "boot/place.h"

/**
 * enum flat_mode - the mode a flat binary starts in
 * @FLAT_REAL: 16-bit real mode, see entry_real()
 * @FLAT_PROTECTED: 32-bit protected mode, see entry_protected()
 * @FLAT_LONG: 64-bit mode, see entry_long()
 */
enum flat_mode {
	FLAT_REAL,
	FLAT_PROTECTED,
	FLAT_LONG,
};

/**
 * flat_load() - load a flat binary
 * @place: guest memory
 * @image: the binary
 * @mode: the mode to start in
 * @address: guest physical address of its first byte and first instruction
 * @entry: out: the state for vCPU 0
 * @error: out: the reason of a failure
 *
 * Return: 0, -EINVAL @address cannot be entered in @mode, -ENOSPC it does not
 * fit there.
 */
int flat_load(struct place *place, const struct image *image,
	      enum flat_mode mode, uint64_t address, struct boot_entry *entry,
	      struct boot_error *error);

#endif
