// SPDX-License-Identifier: GPL-2.0
/*
 * The caller's memory changes under a running guest: slots come and go, pages
 * are dropped, moved, unmapped, copied by fork.  The guest always sees what the
 * caller would see, and never writes to what is no longer its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "host.h"
#include "lib/client.h"
#include "runner.h"
#include "waiting.h"

#include "kselftest_harness.h"

#define PAGE 0x1000
#define SLOT 1

FIXTURE(memory)
{
	struct machine machine;
	struct runner runner;
	uint8_t *window;
};

/* The guest adds to the first word of each page of the window, for ever. */
FIXTURE_SETUP(memory)
{
	ASSERT_EQ(0, machine_make(&self->machine, 1));
	self->window = mmap(NULL, GUEST_WINDOW_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->window);
	ASSERT_EQ(0, lodge_memory_set(self->machine.vm, SLOT, 0, GUEST_WINDOW,
				      GUEST_WINDOW_SIZE, self->window));
	ASSERT_EQ(0, machine_enter(&self->machine, 0, guest_touch));
	runner_start(&self->runner, &self->machine, 0);
}

FIXTURE_TEARDOWN(memory)
{
	EXPECT_EQ(0, runner_stop(&self->runner));
	machine_end(&self->machine);
	munmap(self->window, GUEST_WINDOW_SIZE);
}

#define CHANGE(name) TEST_F(memory, name)

static uint32_t word(const uint8_t *window, int page)
{
	return SEEN(*(const uint32_t *)(window + page * PAGE));
}

/* Return: true if the guest gets through all of its window once more. */
static bool goes_on(const struct machine *machine)
{
	uint32_t rounds = machine_word(machine, GUEST_ROUNDS);

	return EVENTUALLY(machine_word(machine, GUEST_ROUNDS) - rounds >= 2);
}

/* Return: true if each page shows the guest's writes. */
static bool reaches(const uint8_t *window)
{
	for (int i = 0; i < GUEST_WINDOW_PAGES; i++) {
		uint32_t before = word(window, i);

		if (!EVENTUALLY(word(window, i) != before))
			return false;
	}
	return true;
}

static int set_window(const struct machine *machine, void *window)
{
	return lodge_memory_set(machine->vm, SLOT, 0, GUEST_WINDOW,
				GUEST_WINDOW_SIZE, window);
}

/*
 * Slots
 */

CHANGE(a_deleted_slot_is_not_written_to_any_more)
{
	for (int i = 0; i < 20; i++) {
		EXPECT_TRUE(reaches(self->window));
		ASSERT_EQ(0, lodge_memory_delete(self->machine.vm, SLOT));
		memset(self->window, 0x5a, GUEST_WINDOW_SIZE);
		EXPECT_TRUE(goes_on(&self->machine));
		for (int j = 0; j < GUEST_WINDOW_PAGES; j++)
			ASSERT_EQ(0x5a5a5a5a, word(self->window, j));
		ASSERT_EQ(0, set_window(&self->machine, self->window));
	}
	EXPECT_LT(0, SEEN(self->runner.mmio));
}

CHANGE(a_slot_that_is_replaced_shows_the_new_memory)
{
	uint8_t *other = mmap(NULL, GUEST_WINDOW_SIZE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, other);
	for (int i = 0; i < 20; i++) {
		uint8_t *now = i % 2 ? self->window : other;
		uint8_t *old = i % 2 ? other : self->window;

		ASSERT_EQ(0, set_window(&self->machine, now));
		memset(old, 0x77, GUEST_WINDOW_SIZE);
		EXPECT_TRUE(reaches(now));
		for (int j = 0; j < GUEST_WINDOW_PAGES; j++)
			ASSERT_EQ(0x77777777, word(old, j));
	}
	EXPECT_EQ(0, SEEN(self->runner.mmio));
}

CHANGE(a_slot_made_read_only_is_not_written_to_any_more)
{
	EXPECT_TRUE(reaches(self->window));
	ASSERT_EQ(0, lodge_memory_set(self->machine.vm, SLOT,
				      LODGE_MEM_READONLY, GUEST_WINDOW,
				      GUEST_WINDOW_SIZE, self->window));
	memset(self->window, 0x11, GUEST_WINDOW_SIZE);
	EXPECT_TRUE(goes_on(&self->machine));
	for (int i = 0; i < GUEST_WINDOW_PAGES; i++)
		EXPECT_EQ(0x11111111, word(self->window, i));
	EXPECT_LT(0, SEEN(self->runner.mmio));
	ASSERT_EQ(0, set_window(&self->machine, self->window));
	EXPECT_TRUE(reaches(self->window));
}

/* Sets and deletes slots of its own, and the guest's window. */
struct changer {
	struct machine *machine;
	pthread_t thread;
	uint8_t *window;
	uint32_t slot;
	uint64_t gpa;
	int error;
};

static void *changer_thread(void *argument)
{
	struct changer *c = argument;
	int vm = c->machine->vm;

	for (int i = 0; i < 300 && !c->error; i++) {
		c->error = lodge_memory_set(vm, c->slot, 0, c->gpa,
					    GUEST_WINDOW_SIZE / 2, c->window);
		if (!c->error && i % 3)
			c->error = lodge_memory_delete(vm, c->slot);
	}
	return NULL;
}

CHANGE(slots_can_change_from_several_threads)
{
	struct changer changer[3];

	ASSERT_EQ(0, lodge_memory_delete(self->machine.vm, SLOT));
	for (int i = 0; i < 3; i++) {
		changer[i] = (struct changer){
			.machine = &self->machine,
			.slot = SLOT + i,
			.gpa = GUEST_WINDOW + i * GUEST_WINDOW_SIZE / 2,
			.window = self->window,
		};
		pthread_create(&changer[i].thread, NULL, changer_thread,
			       &changer[i]);
	}
	for (int i = 0; i < 3; i++) {
		pthread_join(changer[i].thread, NULL);
		EXPECT_EQ(0, changer[i].error);
		lodge_memory_delete(self->machine.vm, SLOT + i);
	}
	EXPECT_TRUE(goes_on(&self->machine));
	ASSERT_EQ(0, set_window(&self->machine, self->window));
	EXPECT_TRUE(reaches(self->window));
}

/*
 * The host's pages
 */

CHANGE(dropped_pages_come_back_empty_and_are_shared)
{
	for (int i = 0; i < 20; i++) {
		memset(self->window, 0xff, GUEST_WINDOW_SIZE);
		ASSERT_EQ(0, madvise(self->window, GUEST_WINDOW_SIZE,
				     MADV_DONTNEED));
		EXPECT_TRUE(reaches(self->window));
		/* The rest of each page is what the host gave anew. */
		for (int j = 0; j < GUEST_WINDOW_PAGES; j++)
			ASSERT_EQ(0, self->window[j * PAGE + 8]);
	}
	EXPECT_EQ(0, SEEN(self->runner.mmio));
	EXPECT_EQ(0, SEEN(self->runner.bad_memory));
}

static void *dropper_thread(void *argument)
{
	for (int i = 0; i < 500; i++)
		madvise((uint8_t *)argument + i % GUEST_WINDOW_PAGES * PAGE,
			PAGE, MADV_DONTNEED);
	return NULL;
}

CHANGE(pages_can_be_dropped_from_several_threads)
{
	pthread_t thread[2];

	for (int i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, dropper_thread, self->window);
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	EXPECT_TRUE(reaches(self->window));
	EXPECT_EQ(0, SEEN(self->runner.bad_memory));
}

CHANGE(unmapped_memory_is_an_error_until_it_is_mapped_again)
{
	void *again;
	long before;

	for (int i = 0; i < 20; i++) {
		EXPECT_TRUE(reaches(self->window));
		ASSERT_EQ(0, munmap(self->window, GUEST_WINDOW_SIZE));
		before = SEEN(self->runner.bad_memory);
		EXPECT_TRUE(EVENTUALLY(SEEN(self->runner.bad_memory) > before));
		again = mmap(self->window, GUEST_WINDOW_SIZE,
			     PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		ASSERT_EQ(self->window, again);
	}
	EXPECT_TRUE(reaches(self->window));
	EXPECT_EQ(0, SEEN(self->runner.mmio));
}

CHANGE(memory_mapped_over_other_is_the_guests_at_once)
{
	void *over;

	for (int i = 0; i < 20; i++) {
		EXPECT_TRUE(reaches(self->window));
		over = mmap(self->window, GUEST_WINDOW_SIZE,
			    PROT_READ | PROT_WRITE,
			    (i % 2 ? MAP_PRIVATE : MAP_SHARED) | MAP_ANONYMOUS |
				    MAP_FIXED,
			    -1, 0);
		ASSERT_EQ(self->window, over);
	}
	EXPECT_TRUE(reaches(self->window));
}

CHANGE(moved_memory_is_not_the_guests_any_more)
{
	uint8_t *moved;

	EXPECT_TRUE(reaches(self->window));
	moved = mremap(self->window, GUEST_WINDOW_SIZE, GUEST_WINDOW_SIZE,
		       MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	ASSERT_NE(MAP_FAILED, moved);
	memset(moved, 0x22, GUEST_WINDOW_SIZE);
	EXPECT_TRUE(goes_on(&self->machine));
	EXPECT_TRUE(reaches(self->window));
	for (int i = 0; i < GUEST_WINDOW_PAGES; i++)
		EXPECT_EQ(0x22222222, word(moved, i));
}

CHANGE(memory_without_the_right_to_write_is_an_error)
{
	long before;

	for (int i = 0; i < 20; i++) {
		EXPECT_TRUE(reaches(self->window));
		ASSERT_EQ(0,
			  mprotect(self->window, GUEST_WINDOW_SIZE, PROT_READ));
		before = SEEN(self->runner.bad_memory);
		EXPECT_TRUE(EVENTUALLY(SEEN(self->runner.bad_memory) > before));
		ASSERT_EQ(0, mprotect(self->window, GUEST_WINDOW_SIZE,
				      PROT_READ | PROT_WRITE));
	}
	EXPECT_TRUE(reaches(self->window));
}

/* In the child: whether its copy stays as it was while the guest goes on. */
static bool copy_stays(const uint8_t *window, int go)
{
	uint32_t before[GUEST_WINDOW_PAGES];
	char byte;

	for (int i = 0; i < GUEST_WINDOW_PAGES; i++)
		before[i] = word(window, i);
	if (read(go, &byte, 1) != 1)
		return false;
	for (int i = 0; i < GUEST_WINDOW_PAGES; i++)
		if (word(window, i) != before[i])
			return false;
	return true;
}

CHANGE(a_forked_child_keeps_its_copy)
{
	int go[2], status;
	pid_t child;

	ASSERT_EQ(0, pipe(go));
	for (int i = 0; i < 10; i++) {
		EXPECT_TRUE(reaches(self->window));
		child = fork();
		if (!child)
			_exit(!copy_stays(self->window, go[0]));
		ASSERT_LT(0, child);
		/* The guest's writes are seen here, and not there. */
		EXPECT_TRUE(reaches(self->window));
		ASSERT_EQ(1, write(go[1], "", 1));
		ASSERT_EQ(child, waitpid(child, &status, 0));
		EXPECT_EQ(0, status);
	}
}

/*
 * The host's notes of what was written
 */

#define SOFT_DIRTY (1ULL << 55)

/* Return: true if the host has noted a write to the page. */
static bool soft_dirty(const uint8_t *page)
{
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	if (pread(pagemap, &entry, sizeof(entry),
		  (uintptr_t)page / PAGE * sizeof(entry)) != sizeof(entry))
		entry = 0;
	close(pagemap);
	return entry & SOFT_DIRTY;
}

static int forget_writes(void)
{
	return host_write("/proc/self/clear_refs", "4");
}

CHANGE(writes_are_noted_anew_once_all_notes_are_cleared)
{
	uint8_t *own = self->machine.memory + self->machine.size - PAGE;

	ASSERT_EQ(0, forget_writes());
	*(volatile uint8_t *)own = 1;
	if (!soft_dirty(own))
		SKIP(return, "the host keeps no notes of writes");
	for (int i = 0; i < 20; i++) {
		EXPECT_TRUE(reaches(self->window));
		ASSERT_EQ(0, forget_writes());
		EXPECT_TRUE(reaches(self->window));
		for (int j = 0; j < GUEST_WINDOW_PAGES; j++)
			EXPECT_TRUE(soft_dirty(self->window + j * PAGE));
	}
}

TEST_HARNESS_MAIN
