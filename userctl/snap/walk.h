/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Walks over the pages that the file of a saved machine has.
 */
#ifndef LODGE_SNAP_WALK_H
#define LODGE_SNAP_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "snap/error.h"
#include "snap/file.h"

/**
 * struct snap_run - pages that the file has, within one chunk
 * @first: number of the first page
 * @count: number of pages, from 1 to SNAP_CHUNK
 * @zero: they are zero, and the file does not store them
 * @offset: in the file
 * @stored: bytes in the file
 * @crc: of these
 */
struct snap_run {
	uint64_t first;
	uint32_t count;
	bool zero;
	uint64_t offset;
	uint32_t stored;
	uint32_t crc;
};

struct snap_walk;

/**
 * snap_walk_new() - begin a walk over the runs of a file, in rising order
 * @file: must stay as long as the walk
 *
 * Return: the walk, or NULL without memory.
 */
struct snap_walk *snap_walk_new(const struct snap_file *file);

/**
 * snap_walk_next() - get the next run
 * @error: out: on failure, the reason
 *
 * Return: 0; -ENOENT there are no more; -EBADMSG the table is damaged; -errno.
 */
int snap_walk_next(struct snap_walk *walk, struct snap_run *run,
		   struct snap_error *error);

/**
 * snap_walk_read() - read and check the pages of a run
 * @run: of snap_walk_next()
 * @bytes: out: run->count pages
 * @error: out: on failure, the reason
 *
 * Return: 0; -EBADMSG the pages are damaged; -errno.
 */
int snap_walk_read(struct snap_walk *walk, const struct snap_run *run,
		   void *bytes, struct snap_error *error);

/**
 * snap_walk_crc() - get the checksum of the table, as far as it was read
 */
uint32_t snap_walk_crc(const struct snap_walk *walk);

/**
 * snap_walk_free() - end a walk; NULL is fine
 */
void snap_walk_free(struct snap_walk *walk);

#endif
