/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What was written to a disk of which the file must not change: a sparse temporary file,
 * and a bit for each block that tells if the block is there.
 *
 * The file has two places for each block.  From overlay_keep() to overlay_forget(), a block
 * that is written goes to the place where it was not, so that overlay_put_back() only has
 * to change bits.  A block takes the room of both places at most, and what it had before it
 * was written is given back when the new one is kept.
 *
 * Below them there may be a file in which an overlay was saved: what is there of the disk
 * is read in place until it is written.
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
 * overlay_disk_size() - the disk's bytes
 */
uint64_t overlay_disk_size(const struct overlay *overlay);

/**
 * overlay_block_size() - bytes of a block
 */
uint32_t overlay_block_size(const struct overlay *overlay);

/**
 * overlay_set_saved() - give an overlay a layer below, which has no blocks yet
 * @fd: a file that is only read, and stays open and as it is as long as the overlay
 * @offset: of the disk's first byte there; the other bytes follow in their order
 */
void overlay_set_saved(struct overlay *overlay, int fd, uint64_t offset);

/**
 * overlay_add_saved() - that layer has blocks
 * @block: the first one
 * @count: number of them, all within the disk
 *
 * As overlay_put_back(), while no request is in progress.  What was written, or will be,
 * hides them.
 */
void overlay_add_saved(struct overlay *overlay, uint64_t block, uint64_t count);

/**
 * overlay_place() - find out where blocks are, or are to be written
 * @write: they are to be written; until overlay_add() they are where they were
 * @offset: of the first one, in bytes; out: its place in the file
 * @bytes: within the disk, at least a block; out: how many, from the first on, are together
 *
 * Return: the file: the temporary one, as always with @write, or that of
 * overlay_set_saved(); -1: the disk's.
 */
int overlay_place(const struct overlay *overlay, bool write, uint64_t *offset,
		  uint64_t *bytes);

/**
 * overlay_next() - find blocks that are in the overlay, in either layer
 * @block: where to begin; out: the first one
 * @count: out: number of those that follow each other, the first included
 *
 * Return: false if there are none.
 */
bool overlay_next(const struct overlay *overlay, uint64_t *block,
		  uint64_t *count);

/**
 * overlay_read() - read blocks that are all in the overlay, in either layer
 * @offset: of the first one, in bytes
 * @bytes: gets them
 * @size: whole blocks, in bytes
 *
 * It waits.  As overlay_put_back(), while no request is in progress.
 *
 * Return: 0; -ENODATA the saved file has become shorter; -errno.
 */
int overlay_read(const struct overlay *overlay, uint64_t offset, void *bytes,
		 uint64_t size);

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
