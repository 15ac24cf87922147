/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the guest has written to disks whose files stay as they are, in the file of a saved
 * machine.
 *
 * A machine that goes on from the file reads it there, and writes elsewhere: so its start
 * takes no longer for it, and the file stays as it is.
 */
#ifndef LODGE_MACHINE_OVERLAYS_H
#define LODGE_MACHINE_OVERLAYS_H

#include <stddef.h>
#include <stdint.h>

#include "machine/devices.h"
#include "snap/overlay.h"

struct snap_writer;

/**
 * struct overlays_plan - the section of a file, and what it says
 * @section: its bytes; the caller frees them
 * @flags: the section's
 */
struct overlays_plan {
	struct record section;
	uint32_t flags;
};

/**
 * overlays_list() - plan the section; the devices are held until all is written
 * @pages: in: those of "memory" so far; out: those of the disks, too
 *
 * Return: 0: without such disks the section is empty; -ENOMEM.
 */
int overlays_list(const struct devices *devices, struct overlays_plan *plan,
		  uint64_t *pages);

/**
 * overlays_write() - write the blocks, as the last pages of "memory"
 * @page: at which the first disk begins
 * @error: out: on failure to read a block, the device's name
 *
 * Return: 0 or -errno.
 */
int overlays_write(const struct devices *devices, struct snap_writer *writer,
		   uint64_t page, struct device_error *error);

/**
 * overlays_take() - let the devices, which were just made, read what was saved
 * @list: entries of a file, which were checked
 * @count: number of them
 * @fd: the file; it stays open and as it is as long as the devices
 * @memory: offset of "memory" there
 * @error: out: on failure, the device, and why its disk is another one
 *
 * Return: 0; -ESTALE a disk is missing, of another size, or can have no such blocks.
 */
int overlays_take(const struct devices *devices,
		  const struct snap_overlay *list, size_t count, int fd,
		  uint64_t memory, struct device_error *error);

#endif
