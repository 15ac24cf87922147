// SPDX-License-Identifier: GPL-2.0
/*
 * The dirty log against a model: guests write to pages at random, by themselves and by
 * inputs that the kernel carries out, while the host plays with the memory.  A copy that
 * follows the log is what the memory is, and a reset makes the memory what the baseline
 * is.
 */
#include <string.h>
#include <sys/mman.h>

#include "chance.h"
#include "games.h"
#include "runner.h"
#include "waiting.h"
#include "lib/client.h"

#include "kselftest_harness.h"

#define PAGE 0x1000
#define SLOT 1
#define CPUS 2
/* They have the time of one. */
#define TESTS 2
#define WORDS (GUEST_SCATTER_PAGES / 64)

FIXTURE(dirty)
{
	struct machine machine;
	struct runner runner[CPUS];
	uint8_t *memory;
	uint8_t *copy;
	struct chance chance;
	struct span span;
};

static void *get_memory(void)
{
	return mmap(NULL, GUEST_SCATTER_SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

FIXTURE_SETUP(dirty)
{
	self->chance = chance_start(1);
	self->span = span_start_part(TESTS);
	self->memory = get_memory();
	self->copy = get_memory();
	ASSERT_NE(MAP_FAILED, (void *)self->memory);
	ASSERT_NE(MAP_FAILED, (void *)self->copy);
	ASSERT_EQ(0, machine_make(&self->machine, CPUS));
	ASSERT_EQ(0, lodge_memory_set(self->machine.vm, SLOT, 0, GUEST_SCATTER,
				      GUEST_SCATTER_SIZE, self->memory));
	for (int i = 0; i < CPUS; i++)
		ASSERT_EQ(0, machine_enter(&self->machine, i, guest_scatter));
	games_merge(true);
}

FIXTURE_TEARDOWN(dirty)
{
	games_merge(false);
	for (int i = 0; i < CPUS; i++)
		EXPECT_EQ(0, runner_stop(&self->runner[i]));
	TH_LOG("%u inputs", machine_word(&self->machine, GUEST_ROUNDS));
	machine_end(&self->machine);
}

#define dirty_data FIXTURE_DATA(dirty)

static void start(dirty_data *dirty)
{
	for (int i = 0; i < CPUS; i++)
		runner_start(&dirty->runner[i], &dirty->machine, i);
}

static void play(dirty_data *dirty)
{
	struct chance *chance = &dirty->chance;
	unsigned int first = chance_below(chance, GUEST_SCATTER_PAGES);
	unsigned int count =
		1 + chance_below(chance, GUEST_SCATTER_PAGES - first);

	games_play(chance, dirty->memory + first * PAGE, count * PAGE);
}

/* Copy what the log has, a part of it at a time.  Return: false if a call failed. */
static bool follow(dirty_data *dirty, unsigned int first, unsigned int pages)
{
	uint64_t bitmap[WORDS] = { 0 };

	if (lodge_dirty_get(dirty->machine.vm, SLOT, first, pages, bitmap,
			    NULL))
		return false;
	for (unsigned int i = 0; i < pages; i++)
		if (bitmap[i / 64] >> i % 64 & 1)
			memcpy(dirty->copy + (first + i) * PAGE,
			       dirty->memory + (first + i) * PAGE, PAGE);
	return true;
}

static bool follow_a_part(dirty_data *dirty)
{
	unsigned int first = 64 * chance_below(&dirty->chance, WORDS);

	return follow(dirty, first,
		      1 + chance_below(&dirty->chance,
				       GUEST_SCATTER_PAGES - first));
}

/* The first page that differs, or -1. */
static int differs(const uint8_t *a, const uint8_t *b)
{
	for (int i = 0; i < GUEST_SCATTER_PAGES; i++)
		if (memcmp(a + i * PAGE, b + i * PAGE, PAGE))
			return i;
	return -1;
}

TEST_F_TIMEOUT(dirty, log_has_each_write_whatever_the_host_does, SOAK_TIMEOUT)
{
	ASSERT_EQ(0, lodge_dirty_log_begin(self->machine.vm, SLOT, NULL));
	start(self);
	while (span_goes_on(&self->span)) {
		for (int i = 0; i < 10; i++) {
			play(self);
			ASSERT_TRUE(follow_a_part(self));
		}
		ASSERT_EQ(0, lodge_vm_hold(self->machine.vm));
		ASSERT_TRUE(follow(self, 0, GUEST_SCATTER_PAGES));
		ASSERT_EQ(-1, differs(self->copy, self->memory));
		ASSERT_EQ(0, lodge_vm_release(self->machine.vm));
	}
}

static void fill(dirty_data *dirty)
{
	chance_fill(&dirty->chance, dirty->copy, GUEST_SCATTER_SIZE);
	memcpy(dirty->memory, dirty->copy, GUEST_SCATTER_SIZE);
}

TEST_F_TIMEOUT(dirty, reset_finds_each_write_whatever_the_host_does,
	       SOAK_TIMEOUT)
{
	fill(self);
	ASSERT_EQ(0, lodge_dirty_log_begin(self->machine.vm, SLOT, self->copy));
	start(self);
	while (span_goes_on(&self->span)) {
		for (uint32_t i = chance_below(&self->chance, 4); i; i--)
			play(self);
		ASSERT_EQ(0, lodge_vm_hold(self->machine.vm));
		if (chance_one_in(&self->chance, 4))
			play(self);
		ASSERT_EQ(0, lodge_vm_reset(self->machine.vm, NULL));
		ASSERT_EQ(-1, differs(self->copy, self->memory));
		ASSERT_EQ(0, lodge_vm_release(self->machine.vm));
		usleep(chance_below(&self->chance, 2000));
	}
}

TEST_HARNESS_MAIN
