/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A set of pages that were written to, to which any thread may add.
 *
 * A bit stands for a page, and above 64 words of such bits a bit stands for each of them
 * that has one, so that the pages are found in a time that grows with their number.
 */
#ifndef LODGE_BOARD_PAGE_LOG_H
#define LODGE_BOARD_PAGE_LOG_H

#include <stdbool.h>
#include <stdint.h>

/* Pages of a word. */
#define PAGE_LOG_WORD 64

struct page_log;

/**
 * page_log_new() - make an empty log
 * @pages: numbers of pages are below
 *
 * Return: the log, or NULL without memory.
 */
struct page_log *page_log_new(uint64_t pages);

/**
 * page_log_free() - free a log; NULL is fine
 */
void page_log_free(struct page_log *log);

/**
 * page_log_add() - add pages
 * @first: the first one
 * @end: the one behind the last
 */
void page_log_add(struct page_log *log, uint64_t first, uint64_t end);

/**
 * page_log_take() - take the next pages out
 * @first: where to begin, a multiple of PAGE_LOG_WORD; out: the page of bit 0
 * @bits: out: which of that page and the next 63 were in the log
 *
 * Return: false if there are none from @first on.
 */
bool page_log_take(struct page_log *log, uint64_t *first, uint64_t *bits);

#endif
