/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A set of pages of a memory slot, for the dirty log.
 *
 * Any number of threads add pages while one takes pages out, all without a lock: a page
 * that is added comes out once or more often, and is never lost.  Above the bits of the
 * pages are bits that say where such bits are, so the search for them costs what there
 * is to find, however large the slot.
 */
#ifndef LODGE_PAGE_SET_H
#define LODGE_PAGE_SET_H

#include "pure.h"

/* Pages of a word. */
#define LODGE_PAGE_SET_WORD 64

/* Of a word in a level above, a bit stands for a word of the level beneath. */
#define LODGE_PAGE_SET_LEVELS 3

/* The most pages of a set: 8 TiB, of which the bits take 260 MiB. */
#define LODGE_PAGE_SET_MAX (1ULL << 31)

/**
 * struct lodge_page_set - a set of pages
 * @pages: how many pages there are; each has a number below this
 * @level: the bits, those of the pages first
 * @word: memory of @level
 */
struct lodge_page_set {
	u64 pages;
	u64 *level[LODGE_PAGE_SET_LEVELS];
	u64 word[];
};

/**
 * lodge_page_set_size() - bytes of a set
 * @pages: at most LODGE_PAGE_SET_MAX
 */
size_t lodge_page_set_size(u64 pages);

/**
 * lodge_page_set_init() - make zeroed memory an empty set
 * @set: lodge_page_set_size() bytes
 */
void lodge_page_set_init(struct lodge_page_set *set, u64 pages);

/**
 * lodge_page_set_add() - put a page in
 * @page: below set->pages
 *
 * Any context.  What the caller has stored before, whoever takes the page out sees.
 */
void lodge_page_set_add(struct lodge_page_set *set, u64 page);

/**
 * lodge_page_set_put() - put pages of a word in
 * @first: the page of bit 0, a multiple of LODGE_PAGE_SET_WORD, below set->pages
 * @bits: the pages; 0: none
 */
void lodge_page_set_put(struct lodge_page_set *set, u64 first, u64 bits);

/**
 * lodge_page_set_has() - true if a page is in
 */
bool lodge_page_set_has(const struct lodge_page_set *set, u64 page);

/**
 * lodge_page_set_has_any() - true if one of [@first, @end) is in
 * @end: at most set->pages
 */
bool lodge_page_set_has_any(const struct lodge_page_set *set, u64 first,
			    u64 end);

/**
 * lodge_page_set_take() - take the next pages out, those of one word
 * @first: in: where to look from; out: the page of the answer's bit 0
 * @end: where to look to, at most set->pages
 *
 * One thread at a time.
 *
 * Return: their bits; 0: there is none in [@first, @end).
 */
u64 lodge_page_set_take(struct lodge_page_set *set, u64 *first, u64 end);

#endif
