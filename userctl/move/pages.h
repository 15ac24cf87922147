/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages of guest memory on their way to another controller.
 */
#ifndef LODGE_MOVE_PAGES_H
#define LODGE_MOVE_PAGES_H

#include "board/page_log.h"
#include "board/ram.h"
#include "move/wire.h"

struct move_packer;
struct move_unpacker;

/**
 * move_packer_new() - make what packs pages
 *
 * Return: it, or NULL without memory.
 */
struct move_packer *move_packer_new(void);

/**
 * move_packer_free() - free it; NULL is fine
 */
void move_packer_free(struct move_packer *packer);

/**
 * move_packer_pages() - count the pages that were sent with bytes, since the last call
 */
uint64_t move_packer_pages(struct move_packer *packer);

/**
 * move_send_pages() - send the pages of a word of a log
 * @first: number of the page of bit 0
 * @bits: of page_log_take(), none of a page that RAM has not
 *
 * The guest may write to them meanwhile: what is sent of such a page is of no use, but it
 * is in the log again.
 *
 * Return: as move_send().
 */
int move_send_pages(struct move_packer *packer, struct move_link *link,
		    const struct ram *ram, uint64_t first, uint64_t bits);

/**
 * move_send_stashed() - send pages that were copied before
 * @bytes: of the pages in @bits, one behind the other
 * @first: number of the page of bit 0
 *
 * Return: as move_send().
 */
int move_send_stashed(struct move_packer *packer, struct move_link *link,
		      const uint8_t *bytes, uint64_t first, uint64_t bits);

/**
 * move_unpacker_new() - make what unpacks pages
 *
 * Return: it, or NULL without memory.
 */
struct move_unpacker *move_unpacker_new(void);

/**
 * move_unpacker_free() - free it; NULL is fine
 */
void move_unpacker_free(struct move_unpacker *unpacker);

/**
 * move_take_pages() - put pages that have come into guest memory, where no guest runs yet
 * @frame: of MOVE_PAGES; not trusted
 *
 * Return: 0; -EPROTO RAM has no such pages, or they are none.  Then some may have changed.
 */
int move_take_pages(struct move_unpacker *unpacker,
		    const struct move_frame *frame, struct ram *ram);

#endif
