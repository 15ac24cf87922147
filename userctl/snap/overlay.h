/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The section "overlays" of the file of a saved machine: which blocks of disks the guest
 * has written, where the disks' own files stay as they are.
 *
 * A disk has the last pages of "memory", or those before the next disk's.  Each of its
 * blocks has a place there, whether the file has it or not: so runs need no places, what
 * is written in between moves nothing, and a file with changes has no more than those.
 */
#ifndef LODGE_SNAP_OVERLAY_H
#define LODGE_SNAP_OVERLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board/record.h"
#include "snap/error.h"

/**
 * struct snap_overlay - the written blocks of a disk
 * @device: the name of the device's kind
 * @number: tells the devices of a kind apart
 * @page: of "memory", at which the disk begins
 * @size: bytes of the disk
 * @block_size: bytes of a block
 * @blocks: number of blocks that the file has
 * @runs: which ones, as in the file
 * @runs_size: bytes of it
 */
struct snap_overlay {
	char device[RECORD_NAME_SIZE];
	uint32_t number;
	uint64_t page;
	uint64_t size;
	uint32_t block_size;
	uint64_t blocks;
	const uint8_t *runs;
	size_t runs_size;
};

/**
 * snap_overlay_pages() - get the number of pages that a disk has in "memory"
 * @size: bytes of the disk
 */
uint64_t snap_overlay_pages(uint64_t size);

/**
 * snap_overlays_read() - read and check a section
 * @list: out: SNAP_MAX_OVERLAYS at most, which point to @bytes
 * @count: out: their number
 * @bytes: of the section; not trusted
 * @size: bytes
 * @flags: the section's
 * @pages: of "memory"
 * @error: out: on failure, the reason
 *
 * Return: 0; -EBADMSG it is none, or contradicts the rest of the file.
 */
int snap_overlays_read(struct snap_overlay *list, uint32_t *count,
		       const void *bytes, size_t size, uint32_t flags,
		       uint64_t pages, struct snap_error *error);

/**
 * snap_overlay_next() - get the next run of blocks that the file has
 * @overlay: of snap_overlays_read()
 * @at: the caller's place in @overlay->runs, at first 0
 * @block: in: where the run before ends, at first 0; out: the first block
 * @count: out: number of blocks
 *
 * Return: false if there are no more.
 */
bool snap_overlay_next(const struct snap_overlay *overlay, size_t *at,
		       uint64_t *block, uint64_t *count);

/**
 * snap_overlay_open() - begin a disk in a section that is made
 * @section: the section
 * @overlay: the disk, of which only names, place and sizes count
 * @place: out: for record_close(), behind its runs
 *
 * Return: 0 or -ENOMEM.
 */
int snap_overlay_open(struct record *section,
		      const struct snap_overlay *overlay, size_t *place);

/**
 * snap_overlay_add() - add a run of blocks
 * @gap: number of blocks between the run before, or the disk's begin, and this one; 0 only
 *	for the first run
 * @count: number of blocks, at least 1
 *
 * Return: 0 or -ENOMEM.
 */
int snap_overlay_add(struct record *section, uint64_t gap, uint64_t count);

#endif
