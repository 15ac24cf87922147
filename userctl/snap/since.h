/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The memory of a file that another one is to have the changes to.
 */
#ifndef LODGE_SNAP_SINCE_H
#define LODGE_SNAP_SINCE_H

#include <stdint.h>

#include "snap/file.h"

struct snap_since;

/**
 * snap_since_new() - begin to read the memory of a file, page by page
 * @file: must stay as long as this
 *
 * Return: it, or NULL without memory.
 */
struct snap_since *snap_since_new(const struct snap_file *file);

/**
 * snap_since_page() - get a page
 * @page: its number, below file->pages and not below the last one
 * @bytes: set to its SNAP_PAGE bytes, until the next call; NULL: the file has none of it,
 *	so it is zero in a whole file
 *
 * Return: 0; -EBADMSG the file is damaged; -errno.
 */
int snap_since_page(struct snap_since *since, uint64_t page,
		    const uint8_t **bytes);

/**
 * snap_since_free() - end reading; NULL is fine
 */
void snap_since_free(struct snap_since *since);

#endif
