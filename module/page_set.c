// SPDX-License-Identifier: GPL-2.0
/*
 * A set of pages: see page_set.h.
 *
 * Who adds sets bits from below, who takes clears them from above, and sets one again if
 * it finds something left beneath.  Each change is a full barrier.  So if the one who
 * adds still sees a bit above, the one who takes clears that bit later, and then finds
 * what is beneath.
 */
#include "page_set.h"

#ifdef __KERNEL__

#include <linux/atomic.h>

static u64 word_read(const u64 *word)
{
	return READ_ONCE(*word);
}

static void word_set(u64 *word, u64 bits)
{
	smp_mb__before_atomic(); /* behind what was written */
	atomic64_or(bits, (atomic64_t *)word);
	smp_mb__after_atomic(); /* before a look at what is above */
}

static u64 word_clear(u64 *word, u64 bits)
{
	return atomic64_fetch_andnot(bits, (atomic64_t *)word);
}

#else

static u64 word_read(const u64 *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static void word_set(u64 *word, u64 bits)
{
	__atomic_fetch_or(word, bits, __ATOMIC_SEQ_CST);
}

static u64 word_clear(u64 *word, u64 bits)
{
	return __atomic_fetch_and(word, ~bits, __ATOMIC_SEQ_CST);
}

#endif

#define WORD LODGE_PAGE_SET_WORD

static u64 words_of(u64 bits)
{
	return bits / WORD + !!(bits % WORD);
}

static u64 bit_in_word(u64 bit)
{
	return BIT_ULL(bit % WORD);
}

size_t lodge_page_set_size(u64 pages)
{
	size_t words = 0;
	u32 i;

	for (i = 0; i < LODGE_PAGE_SET_LEVELS; i++) {
		pages = words_of(pages);
		words += pages;
	}
	return sizeof(struct lodge_page_set) + words * sizeof(u64);
}

void lodge_page_set_init(struct lodge_page_set *set, u64 pages)
{
	u64 *word = set->word;
	u32 i;

	set->pages = pages;
	for (i = 0; i < LODGE_PAGE_SET_LEVELS; i++) {
		set->level[i] = word;
		pages = words_of(pages);
		word += pages;
	}
}

void lodge_page_set_put(struct lodge_page_set *set, u64 first, u64 bits)
{
	u64 index = first / WORD;
	u32 i;

	if (!bits)
		return;
	/* Always: the store is the barrier behind what was written. */
	word_set(&set->level[0][index], bits);
	for (i = 1; i < LODGE_PAGE_SET_LEVELS; i++) {
		u64 *word = &set->level[i][index / WORD];

		if (!(word_read(word) & bit_in_word(index)))
			word_set(word, bit_in_word(index));
		index /= WORD;
	}
}

void lodge_page_set_add(struct lodge_page_set *set, u64 page)
{
	lodge_page_set_put(set, page, bit_in_word(page));
}

bool lodge_page_set_has(const struct lodge_page_set *set, u64 page)
{
	return word_read(&set->level[0][page / WORD]) & bit_in_word(page);
}

/* The bits of word @index that stand for pages of [@first, @end). */
static u64 word_mask(u64 index, u64 first, u64 end)
{
	u64 mask = ~0ULL;

	if (first > index * WORD)
		mask &= ~0ULL << (first - index * WORD);
	if (end - index * WORD < WORD)
		mask &= ~(~0ULL << (end - index * WORD));
	return mask;
}

/* Return: the first word of [@index, @end) in which there may be pages, or @end. */
static u64 word_next(const struct lodge_page_set *set, u64 index, u64 end)
{
	while (index < end) {
		u64 bits = word_read(&set->level[1][index / WORD]) >>
			   (index % WORD);
		u64 group = index / WORD + 1;

		if (bits)
			return min(index + __ffs64(bits), end);
		while (group * WORD < end) {
			bits = word_read(&set->level[2][group / WORD]) >>
			       (group % WORD);
			if (bits) {
				group += __ffs64(bits);
				break;
			}
			group = (group / WORD + 1) * WORD;
		}
		index = group * WORD;
	}
	return end;
}

bool lodge_page_set_has_any(const struct lodge_page_set *set, u64 first,
			    u64 end)
{
	u64 words = words_of(end);
	u64 index = word_next(set, first / WORD, words);

	for (; index < words; index = word_next(set, index + 1, words)) {
		if (word_read(&set->level[0][index]) &
		    word_mask(index, first, end))
			return true;
	}
	return false;
}

/* Clear the bit above a word of @level that is empty. */
static void word_retire(struct lodge_page_set *set, u32 level, u64 index)
{
	u64 *above = &set->level[level + 1][index / WORD];

	if (word_read(&set->level[level][index]))
		return;
	word_clear(above, bit_in_word(index));
	if (word_read(&set->level[level][index]))
		word_set(above, bit_in_word(index));
}

u64 lodge_page_set_take(struct lodge_page_set *set, u64 *first, u64 end)
{
	u64 words = words_of(end);
	u64 index = word_next(set, *first / WORD, words);

	for (; index < words; index = word_next(set, index + 1, words)) {
		u64 mask = word_mask(index, *first, end);
		u64 bits = word_clear(&set->level[0][index], mask) & mask;

		word_retire(set, 0, index);
		word_retire(set, 1, index / WORD);
		if (bits) {
			*first = index * WORD;
			return bits;
		}
	}
	return 0;
}
