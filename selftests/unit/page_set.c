// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the set of pages behind the dirty log: what is put in comes out, once, and
 * nothing is lost between threads.
 */
#include <pthread.h>
#include <stdlib.h>

#include "page_set.h"

#include "kselftest_harness.h"

/* What another thread does just before a word is changed that has the bits of others. */
static void (*meanwhile)(const u64 *word);

static u64 fetch_and(u64 *word, u64 bits)
{
	if (meanwhile)
		meanwhile(word);
	return __atomic_fetch_and(word, bits, __ATOMIC_SEQ_CST);
}

#define __atomic_fetch_and(word, bits, order) fetch_and(word, bits)
#include "../../module/page_set.c"
#undef __atomic_fetch_and

/* Not a whole word, and more than one word of every level. */
#define PAGES (64 * 64 * 64 + 64 * 64 + 64 + 7)

FIXTURE(page_set)
{
	struct lodge_page_set *set;
};

static struct lodge_page_set *new_set(u64 pages)
{
	struct lodge_page_set *set = calloc(1, lodge_page_set_size(pages));

	if (set)
		lodge_page_set_init(set, pages);
	return set;
}

FIXTURE_SETUP(page_set)
{
	self->set = new_set(PAGES);
	ASSERT_NE(NULL, self->set);
}

FIXTURE_TEARDOWN(page_set)
{
	free(self->set);
}

static const u64 places[] = { 0,    1,	  63,	64,   65,	    4095,
			      4096, 4097, 8191, 8192, 64 * 64 * 64, PAGES - 1 };

TEST_F(page_set, begins_empty)
{
	u64 first = 0;

	EXPECT_EQ(0, lodge_page_set_take(self->set, &first, PAGES));
	EXPECT_FALSE(lodge_page_set_has_any(self->set, 0, PAGES));
	EXPECT_FALSE(lodge_page_set_has(self->set, PAGES - 1));
}

TEST_F(page_set, gives_each_page_out_once)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		u64 page = places[i], first = 0;

		lodge_page_set_add(self->set, page);
		lodge_page_set_add(self->set, page);
		EXPECT_TRUE(lodge_page_set_has(self->set, page));
		EXPECT_EQ(BIT_ULL(page % 64),
			  lodge_page_set_take(self->set, &first, PAGES));
		EXPECT_EQ(page & ~63ULL, first);
		EXPECT_FALSE(lodge_page_set_has(self->set, page));
		first = 0;
		EXPECT_EQ(0, lodge_page_set_take(self->set, &first, PAGES));
	}
}

TEST_F(page_set, takes_pages_of_a_word_in_at_once)
{
	u64 first = 0;

	lodge_page_set_put(self->set, 128, 0);
	EXPECT_EQ(0, lodge_page_set_take(self->set, &first, PAGES));
	lodge_page_set_put(self->set, 128, 0x8000000000000011);
	lodge_page_set_put(self->set, 128, 2);
	EXPECT_EQ(0x8000000000000013,
		  lodge_page_set_take(self->set, &first, PAGES));
	EXPECT_EQ(128, first);
	EXPECT_EQ(0, lodge_page_set_take(self->set, &first, PAGES));
}

TEST_F(page_set, gives_words_out_in_their_order)
{
	u64 first = 0, bits, found = 0, last = 0;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		lodge_page_set_add(self->set, places[i]);
	while ((bits = lodge_page_set_take(self->set, &first, PAGES))) {
		EXPECT_LE(last, first);
		last = first;
		first += 64;
		found += hweight64(bits);
	}
	EXPECT_EQ(ARRAY_SIZE(places), found);
}

TEST_F(page_set, leaves_what_is_outside_of_the_range)
{
	u64 first = 64 + 10;

	lodge_page_set_add(self->set, 64 + 9);
	lodge_page_set_add(self->set, 64 + 10);
	lodge_page_set_add(self->set, 64 + 19);
	lodge_page_set_add(self->set, 64 + 20);
	EXPECT_EQ(BIT_ULL(10) | BIT_ULL(19),
		  lodge_page_set_take(self->set, &first, 64 + 20));
	EXPECT_EQ(64, first);
	first = 0;
	EXPECT_EQ(BIT_ULL(9) | BIT_ULL(20),
		  lodge_page_set_take(self->set, &first, PAGES));
}

TEST_F(page_set, finds_nothing_before_or_behind_the_range)
{
	u64 first = 65;

	lodge_page_set_add(self->set, 64);
	lodge_page_set_add(self->set, 4096);
	EXPECT_EQ(0, lodge_page_set_take(self->set, &first, 4096));
	EXPECT_FALSE(lodge_page_set_has_any(self->set, 65, 4096));
	EXPECT_TRUE(lodge_page_set_has_any(self->set, 64, 65));
	EXPECT_TRUE(lodge_page_set_has_any(self->set, 65, 4097));
	EXPECT_FALSE(lodge_page_set_has_any(self->set, 4097, PAGES));
	EXPECT_FALSE(lodge_page_set_has_any(self->set, 64, 64));
}

TEST_F(page_set, may_have_any_number_of_pages)
{
	for (u64 pages = 1; pages < 300; pages++) {
		struct lodge_page_set *set = new_set(pages);
		u64 first = 0;

		ASSERT_NE(NULL, set);
		lodge_page_set_add(set, pages - 1);
		EXPECT_EQ(BIT_ULL((pages - 1) % 64),
			  lodge_page_set_take(set, &first, pages));
		free(set);
	}
}

TEST(the_largest_page_set_takes_little_more_than_its_bits)
{
	EXPECT_LE(LODGE_PAGE_SET_MAX / 8,
		  lodge_page_set_size(LODGE_PAGE_SET_MAX));
	EXPECT_GE(LODGE_PAGE_SET_MAX / 8 + (5 << 20),
		  lodge_page_set_size(LODGE_PAGE_SET_MAX));
}

#define STEPS 200000

static u32 next(u64 *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return *seed >> 33;
}

static bool model[PAGES];

/* Take [@first, @end) out of both.  Return: false if they differ. */
static bool take_both(struct lodge_page_set *set, u64 first, u64 end)
{
	u64 at = first, bits;

	while ((bits = lodge_page_set_take(set, &at, end))) {
		for (; bits; bits &= bits - 1) {
			u64 page = at + __ffs64(bits);

			if (page < first || page >= end || !model[page])
				return false;
			model[page] = false;
		}
		at += 64;
	}
	for (; first < end; first++)
		if (model[first])
			return false;
	return true;
}

TEST_F(page_set, is_what_an_array_of_flags_is)
{
	u64 seed = 1;

	for (int i = 0; i < STEPS; i++) {
		u64 page = next(&seed) % PAGES;
		u64 end = page + next(&seed) % 200;

		end = min(end, (u64)PAGES);
		if (next(&seed) % 4) {
			lodge_page_set_add(self->set, page);
			model[page] = true;
		} else {
			ASSERT_TRUE(take_both(self->set, page, end));
		}
		ASSERT_EQ(model[page], lodge_page_set_has(self->set, page));
	}
	EXPECT_TRUE(take_both(self->set, 0, PAGES));
	EXPECT_FALSE(lodge_page_set_has_any(self->set, 0, PAGES));
}

/*
 * A page that is added when the one who takes has seen that a word is empty, and is about
 * to clear the bit above it
 */

static struct {
	struct lodge_page_set *set;
	u32 level;
	u64 page;
} late;

/* Once: the level above is still as it was, so nothing in it is set. */
static void add_late(const u64 *word)
{
	const u64 *level = late.set->level[late.level];

	if (word < level || (late.level == 1 && word >= late.set->level[2]))
		return;
	meanwhile = NULL;
	lodge_page_set_add(late.set, late.page);
}

/* Pages that are found by way of the topmost level. */
#define FAR (5 * 64 * 64)

/* Return: true if @page, added as FAR is taken and @level changed, comes out. */
static bool comes_out(struct lodge_page_set *set, u32 level, u64 page)
{
	u64 first = 0;

	late.set = set;
	late.level = level;
	late.page = page;
	lodge_page_set_add(set, FAR);
	meanwhile = add_late;
	if (lodge_page_set_take(set, &first, PAGES) != 1 || meanwhile)
		return false;
	first = 0;
	return lodge_page_set_take(set, &first, PAGES) == BIT_ULL(page % 64) &&
	       first == (page & ~63ULL);
}

TEST_F(page_set, keeps_a_page_that_is_added_as_its_word_is_found_empty)
{
	EXPECT_TRUE(comes_out(self->set, 1, FAR + 6));
	EXPECT_FALSE(lodge_page_set_has_any(self->set, 0, PAGES));
}

TEST_F(page_set, keeps_a_page_that_is_added_as_its_group_is_found_empty)
{
	EXPECT_TRUE(comes_out(self->set, 2, FAR + 64 + 6));
	EXPECT_FALSE(lodge_page_set_has_any(self->set, 0, PAGES));
}

/*
 * Threads that write to pages of their own, and add each one after they have
 */

#define WRITERS 3
#define WRITES 300000
#define SHARED 640

static struct lodge_page_set *shared;
static u32 content[SHARED], seen[SHARED];

static void *writer(void *opaque)
{
	u32 id = (uintptr_t)opaque;
	u64 seed = id;

	for (int i = 0; i < WRITES; i++) {
		u32 page = next(&seed) % (SHARED / WRITERS) * WRITERS + id;

		__atomic_store_n(&content[page], content[page] + 1,
				 __ATOMIC_RELAXED);
		lodge_page_set_add(shared, page);
	}
	return NULL;
}

static void look(void)
{
	u64 first = 0, bits;

	while ((bits = lodge_page_set_take(shared, &first, SHARED))) {
		for (; bits; bits &= bits - 1) {
			u64 page = first + __ffs64(bits);

			seen[page] = __atomic_load_n(&content[page],
						     __ATOMIC_RELAXED);
		}
		first += 64;
	}
}

TEST(no_page_is_lost_that_is_added_while_others_are_taken)
{
	pthread_t thread[WRITERS];

	shared = new_set(SHARED);
	ASSERT_NE(NULL, shared);
	for (uintptr_t i = 0; i < WRITERS; i++)
		ASSERT_EQ(0,
			  pthread_create(&thread[i], NULL, writer, (void *)i));
	for (int i = 0; i < 2000; i++)
		look();
	for (int i = 0; i < WRITERS; i++)
		pthread_join(thread[i], NULL);
	look();
	for (int i = 0; i < SHARED; i++)
		EXPECT_EQ(content[i], seen[i]);
	free(shared);
}

TEST_HARNESS_MAIN
