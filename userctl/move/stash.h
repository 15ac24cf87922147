/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Copies of pages, which are made while a machine is held and sent when it runs again: so
 * no machine is held for a side that takes them slowly.
 */
#ifndef LODGE_MOVE_STASH_H
#define LODGE_MOVE_STASH_H

#include "move/pages.h"

struct move_stash;

/**
 * move_stash_new() - make an empty one
 * @pages: most pages that it takes
 *
 * Return: it, or NULL without memory.
 */
struct move_stash *move_stash_new(uint64_t pages);

/**
 * move_stash_free() - free it; NULL is fine
 */
void move_stash_free(struct move_stash *stash);

/**
 * move_stash_fill() - copy the pages of a log, which is empty then, in place of what the
 * stash has
 * @ram: which nobody writes to meanwhile
 *
 * Return: 0; -EFBIG there are too many, and some are lost.
 */
int move_stash_fill(struct move_stash *stash, const struct ram *ram,
		    struct page_log *log);

/**
 * move_stash_pages() - count the pages in it
 */
uint64_t move_stash_pages(const struct move_stash *stash);

/**
 * move_stash_send() - send them
 *
 * Return: as move_send().
 */
int move_stash_send(const struct move_stash *stash, struct move_packer *packer,
		    struct move_link *link);

#endif
