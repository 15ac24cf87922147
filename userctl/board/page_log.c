// SPDX-License-Identifier: GPL-2.0
/*
 * A set of pages that were written to.
 *
 * Whoever adds sets the bit below before the one above, and whoever takes clears the one
 * above before those below: so no page stays behind with nothing above it.
 */
#include "board/page_log.h"

#include <stddef.h>
#include <stdlib.h>

#define WORD PAGE_LOG_WORD

/**
 * struct page_log - a log
 * @words: words in @bits
 * @tops: words in @top
 * @bits: a bit for each page
 * @top: a bit for each word of @bits
 */
struct page_log {
	uint64_t words;
	uint64_t tops;
	uint64_t *bits;
	uint64_t *top;
};

static uint64_t words_for(uint64_t bits)
{
	return (bits + WORD - 1) / WORD;
}

struct page_log *page_log_new(uint64_t pages)
{
	struct page_log *log = calloc(1, sizeof(*log));

	if (!log)
		return NULL;
	log->words = words_for(pages);
	log->tops = words_for(log->words);
	log->bits = calloc(log->words, sizeof(*log->bits));
	log->top = calloc(log->tops, sizeof(*log->top));
	if (log->bits && log->top)
		return log;
	page_log_free(log);
	return NULL;
}

void page_log_free(struct page_log *log)
{
	if (!log)
		return;
	free(log->bits);
	free(log->top);
	free(log);
}

/* Sets bits of a word; most often they are set already, and nobody else waits for it. */
static void set(uint64_t *word, uint64_t bits)
{
	if (bits & ~__atomic_load_n(word, __ATOMIC_SEQ_CST))
		__atomic_fetch_or(word, bits, __ATOMIC_SEQ_CST);
}

/* Return: the bits from @first to below @end, both within a word. */
static uint64_t mask(uint64_t first, uint64_t end)
{
	return (~0ULL << first) & (~0ULL >> (WORD - end));
}

void page_log_add(struct page_log *log, uint64_t first, uint64_t end)
{
	while (first < end) {
		const uint64_t word = first / WORD, next = (word + 1) * WORD;
		const uint64_t stop = end < next ? end : next;

		set(&log->bits[word],
		    mask(first - word * WORD, stop - word * WORD));
		set(&log->top[word / WORD], 1ULL << word % WORD);
		first = stop;
	}
}

/* Return: the first word from @word on that may have a bit, or @log->words. */
static uint64_t next_word(const struct page_log *log, uint64_t word)
{
	uint64_t bits;

	for (uint64_t top = word / WORD; top < log->tops; top++) {
		bits = __atomic_load_n(&log->top[top], __ATOMIC_SEQ_CST);
		if (top == word / WORD)
			bits &= ~0ULL << word % WORD;
		if (bits)
			return top * WORD + (uint64_t)__builtin_ctzll(bits);
	}
	return log->words;
}

bool page_log_take(struct page_log *log, uint64_t *first, uint64_t *bits)
{
	uint64_t word = *first / WORD;

	while ((word = next_word(log, word)) < log->words) {
		__atomic_fetch_and(&log->top[word / WORD],
				   ~(1ULL << word % WORD), __ATOMIC_SEQ_CST);
		*bits = __atomic_exchange_n(&log->bits[word], 0,
					    __ATOMIC_SEQ_CST);
		*first = word * WORD;
		if (*bits)
			return true;
		word++;
	}
	return false;
}
