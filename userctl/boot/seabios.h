/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SeaBIOS: its ROM, and the files that it reads from fw_cfg.
 *
 * It starts at the reset vector, as after power-on.  As the PCI host bridge is none that
 * it knows, it takes the area from 0xc0000 to 1 MiB to be RAM with a copy of the ROM, and
 * never locks it.
 */
#ifndef LODGE_BOOT_SEABIOS_H
#define LODGE_BOOT_SEABIOS_H

#include <stddef.h>

#include "board/device.h"
#include "board/ram.h"
#include "boot/dsdt.h"
#include "boot/entry.h"
#include "boot/error.h"
#include "boot/image.h"

/* What it needs to unpack itself. */
#define SEABIOS_MIN_MEMORY (4ULL << 20)

/**
 * seabios_rom() - get the ROM alone, for a machine whose memory is filled already
 *
 * Return: as seabios_load(), but for the memory.
 */
int seabios_rom(const char *path, struct image_store *store,
		struct boot_entry *entry, struct boot_error *error);

/**
 * seabios_load() - write the ROM's copy below 1 MiB, for a start or a restart
 * @ram: its other contents stay
 * @path: file of the ROM, or NULL: the one that the distribution has installed
 * @store: the file is taken from here, or opened and added; it stays held
 * @entry: out: the ROM, and no registers: they keep those of a reset
 * @error: out: on failure, the reason
 *
 * Return: 0; -errno of opening or reading the file; -ENOEXEC it is no BIOS; -ENOSPC
 * there is less than SEABIOS_MIN_MEMORY; -ENOMEM.
 */
int seabios_load(const struct ram *ram, const char *path,
		 struct image_store *store, struct boot_entry *entry,
		 struct boot_error *error);

/**
 * seabios_describe() - make the files that describe the machine
 * @ram: its memory
 * @parts: what else it has
 * @add: takes the contents of a file, and returns 0 or -errno
 * @opaque: for @add
 * @error: out: on failure, the reason
 *
 * Return: 0, or -errno of acpi_files_make() or @add.
 */
int seabios_describe(const struct ram *ram, const struct dsdt_parts *parts,
		     int (*add)(void *opaque, const char *name,
				const void *data, size_t size),
		     void *opaque, struct boot_error *error);

/**
 * seabios_describe_boot() - make the files that say from where to start
 * @list: devices to start from; they are sorted
 * @count: their number
 * @add: as for seabios_describe()
 * @opaque: for @add
 * @error: out: on failure, the reason
 *
 * One of them is iPXE's ROM, with which SeaBIOS starts from a network.
 * Without iPXE nothing starts from networks, which only matters to users who have given
 * one an index.
 *
 * Return: 0; -ENOENT the ROM is not installed, and a network has an index; -errno of
 * reading the ROM or of @add; -ENOMEM.
 */
int seabios_describe_boot(struct device_boot *list, size_t count,
			  int (*add)(void *opaque, const char *name,
				     const void *data, size_t size),
			  void *opaque, struct boot_error *error);

#endif
