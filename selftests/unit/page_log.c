// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the set of pages that this process writes to: what is put in comes out, once,
 * and nothing is lost between threads.
 */
#include "board/page_log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "kselftest_harness.h"

/* Not a whole word, and more than one word above. */
#define PAGES (64 * 64 * 3 + 64 + 7)

FIXTURE(log)
{
	struct page_log *log;
	unsigned int found[PAGES];
};

FIXTURE_SETUP(log)
{
	self->log = page_log_new(PAGES);
	ASSERT_NE(NULL, self->log);
}

FIXTURE_TEARDOWN(log)
{
	page_log_free(self->log);
}

/* Takes all out, and counts each.  Return: how many, or -1: there is no such page. */
static long take_all(FIXTURE_DATA(log) * self)
{
	uint64_t first = 0, bits;
	long count = 0;

	for (; page_log_take(self->log, &first, &bits); first += PAGE_LOG_WORD)
		for (; bits; bits &= bits - 1, count++) {
			uint64_t page = first + (uint64_t)__builtin_ctzll(bits);

			if (page >= PAGES)
				return -1;
			self->found[page]++;
		}
	return count;
}

TEST_F(log, new_log_is_empty)
{
	EXPECT_EQ(0, take_all(self));
}

TEST_F(log, page_comes_out_once)
{
	const uint64_t pages[] = { 0, 63, 64, 64 * 64 - 1, 64 * 64, PAGES - 1 };

	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		page_log_add(self->log, pages[i], pages[i] + 1);
		page_log_add(self->log, pages[i], pages[i] + 1);
		ASSERT_EQ(1, take_all(self));
		EXPECT_EQ(1, self->found[pages[i]]);
		EXPECT_EQ(0, take_all(self));
	}
}

TEST_F(log, range_comes_out_whole_and_has_no_neighbours)
{
	for (uint64_t first = 60; first < 70; first++)
		for (uint64_t end = first; end < 300; end++) {
			page_log_add(self->log, first, end);
			ASSERT_EQ((long)(end - first), take_all(self));
		}
	for (size_t i = 0; i < PAGES; i++)
		ASSERT_EQ(i >= 60 && i < 299, !!self->found[i]);
	page_log_add(self->log, 0, PAGES);
	EXPECT_EQ(PAGES, take_all(self));
}

/*
 * Two threads count turns up and add a page each time; what they have counted when the
 * page is taken out for the last time is the end.
 */
#define TURNS 20000
#define SHARED 100

static _Atomic int counts[SHARED];
static _Atomic int at_work;

static void *add(void *opaque)
{
	for (int i = 0; i < TURNS; i++) {
		unsigned int page = (unsigned int)i * 37 % SHARED;

		counts[page]++;
		page_log_add(opaque, page, page + 1);
	}
	at_work--;
	return NULL;
}

static void copy(FIXTURE_DATA(log) * self, int copies[SHARED])
{
	uint64_t first = 0, bits;

	for (; page_log_take(self->log, &first, &bits); first += PAGE_LOG_WORD)
		for (; bits; bits &= bits - 1) {
			uint64_t page = first + (uint64_t)__builtin_ctzll(bits);

			copies[page] = counts[page];
		}
}

TEST_F(log, no_page_is_lost_while_others_are_taken_out)
{
	int copies[SHARED] = { 0 };
	pthread_t threads[2];

	at_work = 2;
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, add, self->log));
	while (at_work)
		copy(self, copies);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	copy(self, copies);
	for (int i = 0; i < SHARED; i++)
		EXPECT_EQ(counts[i], copies[i]);
}

TEST_HARNESS_MAIN
