/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Recognises the format of an image, and loads it with all that the machine needs
 * to start it.
 */
#ifndef LODGE_BOOT_DETECT_H
#define LODGE_BOOT_DETECT_H

#include <stdbool.h>
#include <stdint.h>

#include "boot/entry.h"
#include "boot/error.h"
#include "boot/flat.h"
#include "boot/image.h"
#include "board/ram.h"

/**
 * struct boot_options - what to start, and how
 * @kernel: path of the image; NULL: a BIOS starts what is on the disks
 * @firmware: without @kernel, the path of the BIOS; NULL: SeaBIOS
 * @initrd: NULL, or for Linux the path of its initrd, or for multiboot modules,
 *	separated by commas (",," stands for a comma), each a path and, after a
 *	space, its arguments
 * @initrds: number of --initrd options; Linux takes one
 * @made_initrd: without @initrd, the initrd of a Linux kernel, made for it; or NULL
 * @append: NULL or the command line
 * @cpus: vCPUs, 1 to LODGE_MAX_VCPUS
 * @serials: the serial ports that there are: bit 0 for COM1, up to bit 3
 * @flat: take the image as it is, without looking for a header
 * @flat_mode: with @flat, the mode to start in
 * @flat_address: with @flat, where to load and enter it
 */
struct boot_options {
	const char *kernel;
	const char *firmware;
	const char *initrd;
	unsigned int initrds;
	const struct image *made_initrd;
	const char *append;
	unsigned int cpus;
	unsigned int serials;
	bool flat;
	enum flat_mode flat_mode;
	uint64_t flat_address;
};

/**
 * boot_load() - fill guest memory for a start or a restart
 * @ram: memory; its old contents may be partly left
 * @options: the image and its options
 * @store: files are taken from here, or opened and added
 * @entry: out: the state for vCPU 0
 * @error: out: on failure, the file and the reason
 *
 * Writes the low memory as a BIOS leaves it, the ACPI and MP tables, and the image
 * with the data of its boot protocol: Linux bzImage (64-bit, or 32-bit for old
 * kernels), multiboot 1, ELF with a PVH note, flat.  Or it writes a BIOS, which does
 * all that itself.
 *
 * Return: 0; -errno of opening or reading a file; -ENOEXEC not an image that can
 * be started; -EINVAL the file is truncated or contradicts itself, or the options
 * contradict each other; -ENOSPC something does not fit in guest memory; -E2BIG
 * the command line is too long; -ESTALE a file has changed since it was opened; -ENOMEM.
 */
int boot_load(const struct ram *ram, const struct boot_options *options,
	      struct image_store *store, struct boot_entry *entry,
	      struct boot_error *error);

/**
 * boot_resume() - get what a machine needs that goes on with filled memory
 * @options: as for boot_load()
 * @store: as for boot_load()
 * @entry: out: its ROM; and, as in boot_load(), whether the registers are those of a
 *	reset, but not their values
 * @error: out: on failure, the file and the reason
 *
 * Return: as boot_load().
 */
int boot_resume(const struct boot_options *options, struct image_store *store,
		struct boot_entry *entry, struct boot_error *error);

#endif
