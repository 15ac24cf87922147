// SPDX-License-Identifier: GPL-2.0
/*
 * Copies of pages, to be sent later.
 */
#include "move/stash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/**
 * struct stashed - pages of a word of a log
 * @first: number of the page of bit 0
 * @bits: which of them
 */
struct stashed {
	uint64_t first;
	uint64_t bits;
};

/**
 * struct move_stash - copies of pages
 * @most: pages that it takes
 * @pages: that it has
 * @words: which they are; each has one page at least
 * @nr_words: entries of @words
 * @bytes: of the pages, one behind the other
 */
struct move_stash {
	uint64_t most;
	uint64_t pages;
	struct stashed *words;
	uint64_t nr_words;
	uint8_t *bytes;
};

struct move_stash *move_stash_new(uint64_t pages)
{
	struct move_stash *stash = calloc(1, sizeof(*stash));

	if (!stash)
		return NULL;
	stash->most = pages;
	stash->words = calloc(pages, sizeof(*stash->words));
	/* The host has no pages behind it before they are used. */
	stash->bytes = calloc(pages, MOVE_PAGE);
	if (stash->words && stash->bytes)
		return stash;
	move_stash_free(stash);
	return NULL;
}

void move_stash_free(struct move_stash *stash)
{
	if (!stash)
		return;
	free(stash->words);
	free(stash->bytes);
	free(stash);
}

static const uint8_t *page_of(const struct ram *ram, uint64_t page)
{
	struct ram_range ranges[RAM_MAX_RANGES];

	ram_ranges(ram, ranges);
	return (const uint8_t *)ranges[0].address + page * MOVE_PAGE;
}

static void copy_word(struct move_stash *stash, const struct ram *ram,
		      uint64_t first, uint64_t bits)
{
	stash->words[stash->nr_words++] =
		(struct stashed){ .first = first, .bits = bits };
	for (; bits; bits &= bits - 1)
		memcpy(stash->bytes + stash->pages++ * MOVE_PAGE,
		       page_of(ram, first + (uint64_t)__builtin_ctzll(bits)),
		       MOVE_PAGE);
}

int move_stash_fill(struct move_stash *stash, const struct ram *ram,
		    struct page_log *log)
{
	uint64_t first = 0, bits;

	stash->pages = stash->nr_words = 0;
	for (; page_log_take(log, &first, &bits); first += PAGE_LOG_WORD) {
		if (stash->pages + (uint64_t)__builtin_popcountll(bits) >
		    stash->most)
			return -EFBIG;
		copy_word(stash, ram, first, bits);
	}
	return 0;
}

uint64_t move_stash_pages(const struct move_stash *stash)
{
	return stash->pages;
}

int move_stash_send(const struct move_stash *stash, struct move_packer *packer,
		    struct move_link *link)
{
	const uint8_t *bytes = stash->bytes;
	int err = 0;

	for (uint64_t i = 0; i < stash->nr_words && !err; i++) {
		const struct stashed *word = &stash->words[i];

		err = move_send_stashed(packer, link, bytes, word->first,
					word->bits);
		bytes += (uint64_t)__builtin_popcountll(word->bits) * MOVE_PAGE;
	}
	return err;
}
