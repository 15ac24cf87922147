/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What was written to a disk of which the file must not change: a sparse temporary file,
 * and a bit for each block that tells if the block is there.
 *
 * The file has two places for each block.  From overlay_keep() to overlay_forget(), a block
 * that is written goes to the place where it was not, so that overlay_put_back() only has
 * to change bits.
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
 * overlay_fd() - the temporary file
 */
int overlay_fd(const struct overlay *overlay);

/**
 * overlay_place() - find out where blocks are, or are to be written
 * @write: they are to be written; until overlay_add() they are where they were
 * @offset: of the first one, in bytes; out: its place, in the temporary file or in the
 *	disk's
 * @bytes: within the disk, at least a block; out: how many, from the first on, are together
 *
 * Return: true if they are in the temporary file, as always with @write.
 */
bool overlay_place(const struct overlay *overlay, bool write, uint64_t *offset,
		   uint64_t *bytes);

/**
 * overlay_is_empty() - true if no block is in the overlay
 */
bool overlay_is_empty(const struct overlay *overlay);

/**
 * overlay_add() - from now on, blocks are where overlay_place() had them written
 */
void overlay_add(struct overlay *overlay, uint64_t offset, uint64_t bytes);

/**
 * overlay_keep() - keep what there is, in place of what was kept before
 *
 * As overlay_put_back(), while no request is in progress.
 *
 * Return: 0 or -ENOMEM.
 */
int overlay_keep(struct overlay *overlay);

/**
 * overlay_put_back() - undo all writes since overlay_keep()
 */
void overlay_put_back(struct overlay *overlay);

/**
 * overlay_forget() - forget what was kept, if anything was, and give the host back what it
 * had of it; as overlay_put_back(), while no request is in progress
 */
void overlay_forget(struct overlay *overlay);

#endif
