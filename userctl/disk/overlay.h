/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What was written to a disk of which the file must not change: a sparse temporary file,
 * and a bit for each block that tells if the block is there.
 *
 * A request is of whole blocks, so no block is ever copied from the disk's file.
 */
#ifndef LODGE_DISK_OVERLAY_H
#define LODGE_DISK_OVERLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct overlay;

/**
 * overlay_new() - make an empty overlay in $TMPDIR, or in /var/tmp
 * @disk_size: bytes of the disk
 * @block_size: bytes of a block
 * @why: out: on failure, the reason and the remedy
 * @size: bytes at @why
 *
 * Return: the overlay, or NULL with errno set.
 */
struct overlay *overlay_new(uint64_t disk_size, uint32_t block_size, char *why,
			    size_t size);

/**
 * overlay_free() - free an overlay with what it has; NULL is fine
 */
void overlay_free(struct overlay *overlay);

/**
 * overlay_fd() - the temporary file, in which each block has its place of the disk
 */
int overlay_fd(const struct overlay *overlay);

/**
 * overlay_run() - find out where blocks are
 * @offset: of the first one, in bytes
 * @bytes: within the disk, at least a block
 * @here: out: true if the first block is in the overlay
 *
 * Return: how many of the bytes, from the first on, are at the same place.
 */
uint64_t overlay_run(const struct overlay *overlay, uint64_t offset,
		     uint64_t bytes, bool *here);

/**
 * overlay_add() - from now on, blocks are in the overlay
 */
void overlay_add(struct overlay *overlay, uint64_t offset, uint64_t bytes);

#endif
