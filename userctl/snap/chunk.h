/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reads the pages that the file of a saved machine has, a chunk at a time.
 */
#ifndef LODGE_SNAP_CHUNK_H
#define LODGE_SNAP_CHUNK_H

#include <stdbool.h>
#include <stdint.h>

#include "snap/error.h"
#include "snap/file.h"
#include "snap/format.h"

struct snap_chunks;

/**
 * snap_chunks_new() - begin to read a file's chunks, in rising order
 * @file: must stay as long as this
 *
 * Return: it, or NULL without memory.
 */
struct snap_chunks *snap_chunks_new(const struct snap_file *file);

/**
 * snap_chunks_next() - find the next chunk of which the file has a page
 * @first: out: number of the chunk's first page; UINT64_MAX: there are no more
 * @error: out: on failure, the reason
 *
 * Return: 0; -EBADMSG the table is damaged; -errno.
 */
int snap_chunks_next(struct snap_chunks *chunks, uint64_t *first,
		     struct snap_error *error);

/**
 * snap_chunks_read() - read what the file has of a chunk
 * @first: number of the chunk's first page, above that of the last call; those between are
 *	passed over
 * @bytes: room for the pages of a chunk; what the file has none of stays as it is
 * @had: set to true for each page that the file has; others stay as they are
 * @error: out: on failure, the reason
 *
 * Return: 0; -EBADMSG the file is damaged; -errno.
 */
int snap_chunks_read(struct snap_chunks *chunks, uint64_t first, uint8_t *bytes,
		     bool had[SNAP_CHUNK], struct snap_error *error);

/**
 * snap_chunks_free() - end reading; NULL is fine
 */
void snap_chunks_free(struct snap_chunks *chunks);

#endif
