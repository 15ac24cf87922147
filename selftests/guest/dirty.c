// SPDX-License-Identifier: GPL-2.0
/*
 * The dirty log: it has what the guest writes and what the kernel writes for it, no
 * write is lost however it meets the call that takes pages out, and a reset puts back
 * exactly what was written.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "guest.h"
#include "waiting.h"

#define PAGE 0x1000
#define MIB2 0x200000
#define SLOT 1
/* Where the slot with a log is, in pages of 2 MiB of the guest's own tables. */
#define LOGGED 0x40000000
#define PAGES 1024
#define SIZE (PAGES * PAGE)
#define WORDS (PAGES / 64)

FIXTURE(dirty)
{
	struct machine m;
	struct guest_cpu *cpu;
	uint8_t *memory;
	uint64_t bitmap[WORDS];
	uint64_t found;
};

/* @size bytes of memory of its own, at a multiple of 2 MiB. */
static uint8_t *get_memory(size_t size)
{
	uint8_t *memory = mmap(NULL, size + MIB2, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	return (uint8_t *)(((uintptr_t)memory + MIB2 - 1) & -MIB2);
}

FIXTURE_SETUP(dirty)
{
	machine_create(&self->m, 2);
	self->cpu = &self->m.cpu[0];
	self->memory = get_memory(SIZE);
	ASSERT_NE(NULL, self->memory);
	madvise(self->memory, SIZE, MADV_HUGEPAGE);
	ASSERT_EQ(0, lodge_memory_set(self->m.vm, SLOT, 0, LOGGED, SIZE,
				      self->memory));
}

FIXTURE_TEARDOWN(dirty)
{
}

#define dirty_data FIXTURE_DATA(dirty)

static int begin(dirty_data *self)
{
	return lodge_dirty_log_begin(self->m.vm, SLOT, NULL);
}

/* Take all pages out, into an empty bitmap.  Return: how many there were, or -errno. */
static long take(dirty_data *self)
{
	int error;

	memset(self->bitmap, 0, sizeof(self->bitmap));
	error = lodge_dirty_get(self->m.vm, SLOT, 0, PAGES, self->bitmap,
				&self->found);
	return error ? error : (long)self->found;
}

static bool has(const dirty_data *self, unsigned int page)
{
	return self->bitmap[page / 64] >> page % 64 & 1;
}

/* RDI: the address, RCX: how many pages, RDX: distance in bytes. */
CODE(writes, 64, "1: incl (%rdi); add %rdx, %rdi; dec %ecx; jnz 1b;" DONE);
CODE(reads, 64, "1: mov (%rdi), %eax; add %rdx, %rdi; dec %ecx; jnz 1b;" DONE);

static bool touch(dirty_data *self, struct guest_code code, unsigned int first,
		  unsigned int count, unsigned int step)
{
	cpu_start(self->cpu, LONG64, code);
	*cpu_gpr(self->cpu, LODGE_RDI) = LOGGED + (uint64_t)first * PAGE;
	*cpu_gpr(self->cpu, LODGE_RCX) = count;
	*cpu_gpr(self->cpu, LODGE_RDX) = (uint64_t)step * PAGE;
	return cpu_done(self->cpu);
}

TEST_F(dirty, log_has_the_pages_that_the_guest_has_written)
{
	ASSERT_EQ(0, begin(self));
	EXPECT_EQ(0, take(self));
	ASSERT_TRUE(touch(self, writes, 5, 10, 100));
	EXPECT_EQ(10, take(self));
	for (unsigned int i = 0; i < PAGES; i++)
		EXPECT_EQ(i % 100 == 5 && i < 1005, has(self, i));
}

TEST_F(dirty, log_has_no_page_that_was_only_read)
{
	memset(self->memory, 1, SIZE);
	ASSERT_EQ(0, begin(self));
	ASSERT_TRUE(touch(self, reads, 0, PAGES, 1));
	EXPECT_EQ(0, take(self));
	ASSERT_TRUE(touch(self, writes, 7, 1, 1));
	ASSERT_TRUE(touch(self, reads, 0, PAGES, 1));
	EXPECT_EQ(1, take(self));
	EXPECT_TRUE(has(self, 7));
}

TEST_F(dirty, log_does_not_have_what_was_written_before)
{
	ASSERT_TRUE(touch(self, writes, 0, 100, 10));
	ASSERT_EQ(0, begin(self));
	EXPECT_EQ(0, take(self));
	ASSERT_TRUE(touch(self, writes, 3, 1, 1));
	EXPECT_EQ(1, take(self));
	EXPECT_TRUE(has(self, 3));
}

TEST_F(dirty, log_tells_of_a_write_once_and_of_the_next_one_again)
{
	ASSERT_EQ(0, begin(self));
	for (int i = 0; i < 3; i++) {
		ASSERT_TRUE(touch(self, writes, 63, 66, 1));
		EXPECT_EQ(66, take(self));
		EXPECT_EQ(0, take(self));
	}
}

TEST_F(dirty, log_is_taken_by_parts_and_bitmaps_collect_them)
{
	uint64_t all[WORDS] = {}, found;

	ASSERT_EQ(0, begin(self));
	ASSERT_TRUE(touch(self, writes, 60, 10, 1));
	ASSERT_EQ(0, lodge_dirty_get(self->m.vm, SLOT, 64, 3, all, &found));
	EXPECT_EQ(3, found);
	EXPECT_EQ(7, all[0]);
	ASSERT_EQ(0, lodge_dirty_get(self->m.vm, SLOT, 64, 64, all, &found));
	EXPECT_EQ(3, found);
	EXPECT_EQ(0x3f, all[0]);
	EXPECT_EQ(4, take(self));
	EXPECT_EQ(0xfULL << 60, self->bitmap[0]);
}

TEST_F(dirty, log_may_end_and_begin_again)
{
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, begin(self));
		ASSERT_EQ(0, begin(self));
		ASSERT_TRUE(touch(self, writes, 0, 100, 10));
		EXPECT_EQ(100, take(self));
		ASSERT_TRUE(touch(self, writes, 0, 50, 20));
		ASSERT_EQ(0, lodge_dirty_log_end(self->m.vm, SLOT));
		ASSERT_EQ(0, lodge_dirty_log_end(self->m.vm, SLOT));
		EXPECT_EQ(-ENOENT, take(self));
		ASSERT_TRUE(touch(self, writes, 0, 100, 10));
	}
}

/*
 * What the kernel writes
 */

CODE(ins, 64,
     "mov $0x40003ffe, %edi; mov $0x80, %edx; mov $1, %ecx; rep insl;" DONE);

TEST_F(dirty, log_has_what_a_string_input_has_written)
{
	ASSERT_EQ(0, begin(self));
	cpu_start(self->cpu, LONG64, ins);
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_IO));
	EXPECT_EQ(0, take(self));
	memcpy(self->cpu->run->data, "abcd", 4);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0, memcmp(self->memory + 0x3ffe, "abcd", 4));
	EXPECT_EQ(2, take(self));
	EXPECT_TRUE(has(self, 3) && has(self, 4));
}

CODE(movs, 64, "mov $0xd0000000, %esi; mov $0x40009000, %edi; movsl;" DONE);

TEST_F(dirty, log_has_what_an_emulated_instruction_has_written)
{
	ASSERT_EQ(0, begin(self));
	cpu_start(self->cpu, LONG64, movs);
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_MMIO));
	memcpy(self->cpu->run->exit.mmio.data, "efgh", 4);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0, memcmp(self->memory + 0x9000, "efgh", 4));
	EXPECT_EQ(1, take(self));
	EXPECT_TRUE(has(self, 9));
}

CODE(clock_page, 64,
     "mov $0x4b564d01, %ecx; mov $0x40012001, %eax; xor %edx, %edx; wrmsr;"
     "1:" DONE "jmp 1b;");

TEST_F(dirty, log_has_the_clock_page)
{
	ASSERT_EQ(0, begin(self));
	cpu_start(self->cpu, LONG64, clock_page);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(1, take(self));
	EXPECT_TRUE(has(self, 0x12));
	ASSERT_EQ(0, lodge_clock_set(self->m.vm, 1000000000, 0));
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(1, take(self));
}

/* Where pvclock_vcpu_time_info has the time at its TSC, in ns. */
#define CLOCK_TIME 16

TEST_F(dirty, clock_page_has_the_time_again_after_a_reset)
{
	const uint64_t second = 1000000000;
	uint8_t *baseline = get_memory(SIZE);
	uint64_t time;

	ASSERT_NE(NULL, baseline);
	ASSERT_EQ(0, lodge_dirty_log_begin(self->m.vm, SLOT, baseline));
	cpu_start(self->cpu, LONG64, clock_page);
	ASSERT_TRUE(cpu_done(self->cpu));
	ASSERT_EQ(0, lodge_clock_set(self->m.vm, second, 0));
	ASSERT_TRUE(cpu_done(self->cpu));
	ASSERT_EQ(0, lodge_vm_reset(self->m.vm, NULL));
	ASSERT_TRUE(cpu_done(self->cpu));
	memcpy(&time, self->memory + 0x12000 + CLOCK_TIME, sizeof(time));
	EXPECT_LE(second, time);
}

/*
 * Random writes against a copy that follows the log
 */

/* RBX: seed, RCX: how many. */
CODE(scatter, 64,
     "mov $0x40000000, %edi;"
     "1: imul $1103515245, %ebx, %ebx; add $12345, %ebx;"
     "mov %ebx, %eax; shr $12, %eax; and $0x3ff, %eax; shl $12, %eax;"
     "lock incl (%rdi, %rax); dec %ecx; jnz 1b;" DONE);

/* The same by input: the kernel writes. */
CODE(scatter_input, 64,
     "mov $0x80, %edx; mov %ecx, %esi;"
     "1: imul $1103515245, %ebx, %ebx; add $12345, %ebx;"
     "mov %ebx, %edi; shr $12, %edi; and $0x3ff, %edi; shl $12, %edi;"
     "add $0x40000100, %edi; insl; dec %esi; jnz 1b;" DONE);

#define SCATTERED 10000
#define INPUTS 500

struct scatterer {
	struct guest_cpu *cpu;
	pthread_t thread;
	int done;
};

static void *scatterer_run(void *opaque)
{
	struct scatterer *scatterer = opaque;
	struct lodge_run *run = scatterer->cpu->run;
	uint32_t value = 0;

	for (;;) {
		int reason = cpu_run(scatterer->cpu);

		if (reason != LODGE_EXIT_IO || run->exit.io.port == DONE_PORT)
			break;
		value++;
		memcpy(run->data, &value, sizeof(value));
	}
	__atomic_store_n(&scatterer->done, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void scatterer_start(struct scatterer *scatterer, struct guest_cpu *cpu,
			    struct guest_code code, uint32_t seed,
			    uint32_t count)
{
	scatterer->cpu = cpu;
	scatterer->done = 0;
	cpu_start(cpu, LONG64, code);
	*cpu_gpr(cpu, LODGE_RBX) = seed;
	*cpu_gpr(cpu, LODGE_RCX) = count;
	pthread_create(&scatterer->thread, NULL, scatterer_run, scatterer);
}

/* Copy what the log has.  Return: false if a call failed. */
static bool follow(dirty_data *self, uint8_t *copy)
{
	if (take(self) < 0)
		return false;
	for (unsigned int i = 0; i < PAGES; i++)
		if (has(self, i))
			memcpy(copy + i * PAGE, self->memory + i * PAGE, PAGE);
	usleep(500);
	return true;
}

static bool follow_both(dirty_data *self, uint8_t *copy)
{
	struct scatterer scatterer[2];

	scatterer_start(&scatterer[0], &self->m.cpu[0], scatter, 1, SCATTERED);
	scatterer_start(&scatterer[1], &self->m.cpu[1], scatter_input, 2,
			INPUTS);
	for (int i = 0; i < 2; i++) {
		while (!SEEN(scatterer[i].done))
			if (!follow(self, copy))
				return false;
		pthread_join(scatterer[i].thread, NULL);
	}
	return follow(self, copy);
}

TEST_F(dirty, log_loses_no_random_write_of_guest_or_kernel)
{
	uint8_t *copy = get_memory(SIZE);

	ASSERT_NE(NULL, copy);
	ASSERT_EQ(0, begin(self));
	ASSERT_TRUE(follow_both(self, copy));
	EXPECT_EQ(0, memcmp(copy, self->memory, SIZE));
}

#define COPIES 4

/* The host makes all pages read-only and gives the guest copies, several times. */
static void *copy_memory(void *opaque)
{
	struct scatterer *scatterer = opaque;

	for (int i = 0; i < COPIES && !SEEN(scatterer->done); i++) {
		pid_t child = fork();

		if (!child)
			_exit(0);
		waitpid(child, NULL, 0);
		usleep(2000);
	}
	return NULL;
}

TEST_F(dirty, log_loses_no_write_while_the_host_moves_pages)
{
	uint8_t *copy = get_memory(SIZE);
	struct scatterer scatterer;
	pthread_t thread;

	ASSERT_NE(NULL, copy);
	ASSERT_EQ(0, begin(self));
	scatterer_start(&scatterer, self->cpu, scatter, 3, SCATTERED / 2);
	ASSERT_EQ(0, pthread_create(&thread, NULL, copy_memory, &scatterer));
	while (!SEEN(scatterer.done))
		ASSERT_TRUE(follow(self, copy));
	pthread_join(scatterer.thread, NULL);
	pthread_join(thread, NULL);
	ASSERT_TRUE(follow(self, copy));
	EXPECT_EQ(0, memcmp(copy, self->memory, SIZE));
}

/*
 * Reset
 */

static uint8_t *get_baseline(void)
{
	uint8_t *baseline = get_memory(SIZE);

	for (unsigned int i = 0; baseline && i < SIZE / 4; i++)
		((uint32_t *)baseline)[i] = i * 2654435761U;
	return baseline;
}

/* The slot's memory begins as a copy of what a reset puts back.  Return: that, or NULL. */
static uint8_t *begin_with_baseline(dirty_data *self)
{
	uint8_t *baseline = get_baseline();

	if (!baseline)
		return NULL;
	memcpy(self->memory, baseline, SIZE);
	return lodge_dirty_log_begin(self->m.vm, SLOT, baseline) ? NULL :
								   baseline;
}

TEST_F(dirty, pages_alone_are_put_back_by_a_reset)
{
	uint8_t *baseline = begin_with_baseline(self);
	uint64_t pages;

	ASSERT_NE(NULL, baseline);
	for (int i = 0; i < 3; i++) {
		ASSERT_TRUE(touch(self, writes, i, 50, 20));
		EXPECT_NE(0, memcmp(self->memory, baseline, SIZE));
		ASSERT_EQ(0, lodge_vm_reset(self->m.vm, &pages));
		EXPECT_EQ(50, pages);
		EXPECT_EQ(0, memcmp(self->memory, baseline, SIZE));
	}
	ASSERT_EQ(0, lodge_vm_reset(self->m.vm, &pages));
	EXPECT_EQ(0, pages);
	/* What is not in the log is not looked at. */
	self->memory[5 * PAGE] ^= 1;
	ASSERT_EQ(0, lodge_vm_reset(self->m.vm, &pages));
	EXPECT_NE(0, memcmp(self->memory, baseline, SIZE));
}

TEST_F(dirty, log_has_after_a_reset_what_is_written_then)
{
	ASSERT_NE(NULL, begin_with_baseline(self));
	ASSERT_TRUE(touch(self, writes, 0, 100, 10));
	ASSERT_EQ(0, lodge_vm_reset(self->m.vm, NULL));
	ASSERT_TRUE(touch(self, writes, 0, 10, 50));
	EXPECT_EQ(10, take(self));
	EXPECT_TRUE(has(self, 450));
	EXPECT_EQ(0, take(self));
	ASSERT_TRUE(touch(self, writes, 50, 1, 1));
	EXPECT_EQ(1, take(self));
}

TEST_F(dirty, reset_puts_back_what_a_call_that_has_failed_took_out)
{
	uint8_t *baseline = begin_with_baseline(self);
	void *nowhere =
		mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(NULL, baseline);
	for (int i = 0; i < 2; i++) {
		ASSERT_TRUE(touch(self, writes, 0, 100, 10));
		EXPECT_EQ(-EFAULT, lodge_dirty_get(self->m.vm, SLOT, 0, PAGES,
						   nowhere, NULL));
		ASSERT_EQ(0, lodge_vm_reset(self->m.vm, NULL));
		EXPECT_EQ(0, memcmp(self->memory, baseline, SIZE));
	}
}

/* As a slot begins and ends at any page, so do words and tables in its middle. */
TEST_F(dirty, slot_of_an_odd_size_at_an_odd_place_is_put_back)
{
	const unsigned int first = PAGES + 500, pages = 75;
	uint8_t *memory = get_memory(SIZE), *baseline = get_memory(SIZE);

	ASSERT_NE(NULL, memory);
	ASSERT_NE(NULL, baseline);
	ASSERT_EQ(0, lodge_memory_set(self->m.vm, SLOT + 1, 0,
				      LOGGED + first * PAGE, pages * PAGE,
				      memory));
	ASSERT_EQ(0, lodge_dirty_log_begin(self->m.vm, SLOT + 1, baseline));
	for (int i = 0; i < 3; i++) {
		uint64_t found;

		ASSERT_TRUE(touch(self, writes, first, pages, 1));
		ASSERT_EQ(0, lodge_vm_reset(self->m.vm, &found));
		EXPECT_EQ(pages, found);
		EXPECT_EQ(0, memcmp(memory, baseline, SIZE));
		ASSERT_TRUE(touch(self, writes, first + pages - 1, 1, 1));
	}
	ASSERT_EQ(0, lodge_dirty_get(self->m.vm, SLOT + 1, 0, pages,
				     self->bitmap, &self->found));
	EXPECT_EQ(1, self->found);
	EXPECT_TRUE(has(self, pages - 1));
}

TEST_F(dirty, reset_to_another_baseline_puts_all_pages_back_to_that)
{
	uint8_t *other = get_memory(SIZE);

	ASSERT_NE(NULL, other);
	ASSERT_NE(NULL, begin_with_baseline(self));
	ASSERT_TRUE(touch(self, writes, 0, 100, 10));
	ASSERT_EQ(0, lodge_vm_reset(self->m.vm, NULL));
	ASSERT_TRUE(touch(self, writes, 0, 100, 10));
	ASSERT_EQ(0, lodge_dirty_log_begin(self->m.vm, SLOT, other));
	ASSERT_EQ(0, lodge_vm_reset(self->m.vm, NULL));
	for (int i = 0; i < 100; i++)
		EXPECT_EQ(0, memcmp(self->memory + i * 10 * PAGE,
				    other + i * 10 * PAGE, PAGE));
}

/* What the host does to memory, of which the guest must not notice anything. */
static bool disturb(dirty_data *self, int how)
{
	pid_t child;

	switch (how % 4) {
	case 0:
		return true;
	case 1:
		return !mprotect(self->memory, SIZE / 2, PROT_READ) &&
		       !mprotect(self->memory, SIZE / 2,
				 PROT_READ | PROT_WRITE);
	case 2:
		child = fork();
		if (!child)
			_exit(0);
		return waitpid(child, NULL, 0) == child;
	}
	return touch(self, reads, 0, PAGES, 1);
}

#define ROUNDS 40
#define ROUND_WRITES 50

/* Random writes, the first half of them before the host does something. */
static bool write_at_random(dirty_data *self, int round)
{
	for (int half = 0; half < 2; half++) {
		struct scatterer scatterer[2];

		if (half && !disturb(self, round))
			return false;
		scatterer_start(&scatterer[0], self->cpu, scatter,
				round / 3 * 2 + half, ROUND_WRITES);
		scatterer_start(&scatterer[1], &self->m.cpu[1], scatter_input,
				round, ROUND_WRITES / 5);
		for (int i = 0; i < 2; i++)
			pthread_join(scatterer[i].thread, NULL);
	}
	return true;
}

TEST_F(dirty, reset_finds_each_random_write_whatever_the_host_does)
{
	uint8_t *baseline = begin_with_baseline(self);

	ASSERT_NE(NULL, baseline);
	for (int round = 0; round < ROUNDS; round++) {
		ASSERT_TRUE(write_at_random(self, round));
		EXPECT_NE(0, memcmp(self->memory, baseline, SIZE));
		if (round % 2)
			disturb(self, round / 2);
		ASSERT_EQ(0, lodge_vm_reset(self->m.vm, NULL));
		ASSERT_EQ(0, memcmp(self->memory, baseline, SIZE));
	}
}

TEST_F(dirty, pages_stay_in_the_log_if_a_reset_cannot_read_the_baseline)
{
	uint8_t *baseline = begin_with_baseline(self);
	uint64_t pages;

	ASSERT_NE(NULL, baseline);
	ASSERT_TRUE(touch(self, writes, 0, 100, 10));
	ASSERT_EQ(0, mprotect(baseline + SIZE / 2, PAGE * 100, PROT_NONE));
	EXPECT_EQ(-EFAULT, lodge_vm_reset(self->m.vm, &pages));
	ASSERT_EQ(0, mprotect(baseline + SIZE / 2, PAGE * 100, PROT_READ));
	ASSERT_EQ(0, lodge_vm_reset(self->m.vm, &pages));
	EXPECT_LE(40, pages);
	EXPECT_EQ(0, memcmp(self->memory, baseline, SIZE));
}

/*
 * Held vCPUs
 */

/* Interrupts are on, or Bochs would not leave it for the host's. */
CODE(counts, 64, "sti; 1: lock incl 0x50000; jmp 1b;");

TEST_F(dirty, guest_stands_still_while_it_is_held)
{
	uint32_t *count = machine_u32(&self->m, GUEST_DATA), before;

	cpu_start(self->cpu, LONG64, counts);
	for (int i = 0; i < 5; i++) {
		before = SEEN(*count);
		cpu_run_aside(self->cpu);
		ASSERT_TRUE(EVENTUALLY(SEEN(*count) != before));
		ASSERT_EQ(0, lodge_vm_hold(self->m.vm));
		before = SEEN(*count);
		EXPECT_EQ(-EAGAIN, cpu_join(self->cpu));
		EXPECT_EQ(-EAGAIN, lodge_run(self->cpu->fd));
		usleep(1000);
		EXPECT_EQ(before, SEEN(*count));
		ASSERT_EQ(0, lodge_vm_release(self->m.vm));
	}
}

TEST_F(dirty, guest_goes_on_if_there_is_nothing_to_reset)
{
	uint32_t *count = machine_u32(&self->m, GUEST_DATA), before;

	cpu_start(self->cpu, LONG64, counts);
	before = SEEN(*count);
	cpu_run_aside(self->cpu);
	ASSERT_TRUE(EVENTUALLY(SEEN(*count) != before));
	EXPECT_EQ(-ENOENT, lodge_vm_reset(self->m.vm, NULL));
	before = SEEN(*count);
	EXPECT_TRUE(EVENTUALLY(SEEN(*count) != before));
	ASSERT_EQ(0, lodge_vm_hold(self->m.vm));
	EXPECT_EQ(-EAGAIN, cpu_join(self->cpu));
	ASSERT_EQ(0, lodge_vm_release(self->m.vm));
}

TEST_F(dirty, answer_of_a_device_waits_while_the_guest_is_held)
{
	cpu_start(self->cpu, LONG64, ins);
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_IO));
	memcpy(self->cpu->run->data, "abcd", 4);
	ASSERT_EQ(0, lodge_vm_hold(self->m.vm));
	EXPECT_EQ(-EAGAIN, lodge_run(self->cpu->fd));
	EXPECT_NE(0, memcmp(self->memory + 0x3ffe, "abcd", 4));
	ASSERT_EQ(0, lodge_vm_release(self->m.vm));
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0, memcmp(self->memory + 0x3ffe, "abcd", 4));
}

CODE(sleeps, 64, "1: cli; hlt; jmp 1b;");

TEST_F(dirty, guest_that_sleeps_is_held_as_well)
{
	cpu_start(self->cpu, LONG64, sleeps);
	cpu_run_aside(self->cpu);
	usleep(10000);
	ASSERT_EQ(0, lodge_vm_hold(self->m.vm));
	EXPECT_EQ(-EAGAIN, cpu_join(self->cpu));
	ASSERT_EQ(0, lodge_vm_release(self->m.vm));
}

TEST_HARNESS_MAIN
