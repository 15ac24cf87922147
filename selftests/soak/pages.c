// SPDX-License-Identifier: GPL-2.0
/*
 * The host plays with memory that guests are writing to: it swaps, merges,
 * collapses, moves, drops, copies and protects pages at random.  Each page has a
 * word that guests count in and a word that is the test's own: the first goes
 * on, and the second is what it was.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "runner.h"
#include "waiting.h"
#include "chance.h"
#include "games.h"
#include "lib/client.h"

#include "kselftest_harness.h"

#define PAGE 0x1000
#define SLOT 1
/* The offset in a page of the test's own word. */
#define STAMP 0x800

FIXTURE(pages)
{
	struct machine machine;
	struct runner runner[2];
	uint8_t *window;
	uint32_t stamp[GUEST_WINDOW_PAGES];
	struct chance chance;
	struct span span;
};

FIXTURE_SETUP(pages)
{
	self->chance = chance_start(1);
	self->span = span_start();
	ASSERT_EQ(0, machine_make(&self->machine, 2));
	self->window = mmap(NULL, GUEST_WINDOW_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->window);
	ASSERT_EQ(0, lodge_memory_set(self->machine.vm, SLOT, 0, GUEST_WINDOW,
				      GUEST_WINDOW_SIZE, self->window));
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, machine_enter(&self->machine, i, guest_touch));
		runner_start(&self->runner[i], &self->machine, i);
	}
	games_merge(true);
}

FIXTURE_TEARDOWN(pages)
{
	games_merge(false);
	for (int i = 0; i < 2; i++)
		EXPECT_EQ(0, runner_stop(&self->runner[i]));
	machine_end(&self->machine);
}

#define pages_data FIXTURE_DATA(pages)

static uint32_t *stamp_at(pages_data *pages, unsigned int i)
{
	return (uint32_t *)(pages->window + i * PAGE + STAMP);
}

static void stamp(pages_data *pages, unsigned int first, unsigned int count)
{
	for (unsigned int i = first; i < first + count; i++) {
		pages->stamp[i] = chance_number(&pages->chance);
		__atomic_store_n(stamp_at(pages, i), pages->stamp[i],
				 __ATOMIC_SEQ_CST);
	}
}

/* Advice that drops pages: they come back empty. */
static void lose(pages_data *pages, unsigned int first, unsigned int count)
{
	memset(pages->stamp + first, 0, count * sizeof(*pages->stamp));
}

/* Alike pages, which the kernel may merge, all but for the guests' word. */
static void merge(uint8_t *from, size_t size)
{
	madvise(from, size, MADV_MERGEABLE);
	memset(from + STAMP + sizeof(uint32_t), 0x3c, 64);
}

static void play(pages_data *pages)
{
	struct chance *chance = &pages->chance;
	unsigned int first = chance_below(chance, GUEST_WINDOW_PAGES);
	unsigned int count =
		1 + chance_below(chance, GUEST_WINDOW_PAGES - first);
	uint8_t *from = pages->window + first * PAGE;
	size_t size = count * PAGE;

	switch (chance_below(chance, 14)) {
	case 0:
		lose(pages, first, count);
		madvise(from, size, MADV_DONTNEED);
		break;
	case 1:
		merge(from, size);
		break;
	case 2:
		madvise(from, size, MADV_FREE);
		stamp(pages, first, count);
		break;
	case 3:
		lose(pages, first, count);
		mmap(from, size, PROT_READ | PROT_WRITE,
		     MAP_FIXED | MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
		break;
	case 4:
		stamp(pages, first, count);
		break;
	default:
		games_play(chance, from, size);
	}
}

/* The first page that has lost its stamp, or -1. */
static int spoilt(pages_data *pages)
{
	for (int i = 0; i < GUEST_WINDOW_PAGES; i++)
		if (SEEN(*stamp_at(pages, i)) != pages->stamp[i])
			return i;
	return -1;
}

/* True if the guests' writes show in each page. */
static bool reaches(pages_data *pages)
{
	for (int i = 0; i < GUEST_WINDOW_PAGES; i++) {
		uint32_t *word = (uint32_t *)(pages->window + i * PAGE);
		uint32_t before = SEEN(*word);

		if (!EVENTUALLY(SEEN(*word) != before))
			return false;
	}
	return true;
}

TEST_F_TIMEOUT(pages, stay_what_they_are_to_guests_and_host, SOAK_TIMEOUT)
{
	unsigned long long games = 0;

	while (span_goes_on(&self->span)) {
		for (int i = 0; i < 50; i++, games++)
			play(self);
		ASSERT_EQ(-1, spoilt(self));
		ASSERT_TRUE(reaches(self));
	}
	TH_LOG("%llu games", games);
	EXPECT_EQ(0, SEEN(self->runner[0].error));
	EXPECT_EQ(0, SEEN(self->runner[1].error));
}

TEST_HARNESS_MAIN
