// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that a VM makes the host hold is charged to the control group of whoever made
 * it, and given back when it is not needed any more.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "host.h"
#include "lib/client.h"
#include "runner.h"
#include "waiting.h"

#include "kselftest_harness.h"

#define NAME "charges"
#define GROUP HOST_GROUPS "/" NAME

#define VMS 8
#define VCPUS 60
#define ALL_VCPUS (VMS * VCPUS)

FIXTURE(charges)
{
	bool has_groups;
	int lodge;
	int vm[VMS];
	int vcpu[ALL_VCPUS];
	struct lodge_run *run[ALL_VCPUS];
};

/* The number behind a word at the start of a line, or -1. */
static long number_of(const char *path, const char *word)
{
	FILE *file = fopen(path, "re");
	size_t length = strlen(word);
	char line[256];
	long value = -1;

	if (!file)
		return -1;
	while (value < 0 && fgets(line, sizeof(line), file))
		if (!strncmp(line, word, length) && line[length] == ' ')
			value = strtol(line + length, NULL, 10);
	fclose(file);
	return value;
}

/*
 * Bytes of the kernel's that are charged to the group.  The kernel brings these
 * numbers up to date every two seconds, and as they are read only after many changes.
 */
static long charged(void)
{
	return number_of(GROUP "/memory.stat", "kernel");
}

static long charged_tables(void)
{
	return number_of(GROUP "/memory.stat", "sec_pagetables");
}

FIXTURE_SETUP(charges)
{
	self->has_groups = !host_group(NAME) &&
			   !host_write(GROUP "/cgroup.procs", "0") &&
			   charged() >= 0;
	self->lodge = lodge_open();
	ASSERT_LE(0, self->lodge);
}

FIXTURE_TEARDOWN(charges)
{
	close(self->lodge);
	host_write(HOST_GROUPS "/cgroup.procs", "0");
	rmdir(GROUP);
}

static int make_all(FIXTURE_DATA(charges) * self)
{
	for (int i = 0; i < VMS; i++) {
		self->vm[i] = lodge_vm_create(self->lodge);
		if (self->vm[i] < 0)
			return self->vm[i];
	}
	for (int i = 0; i < ALL_VCPUS; i++) {
		self->vcpu[i] = lodge_vcpu_create(self->vm[i % VMS], i / VMS,
						  &self->run[i]);
		if (self->vcpu[i] < 0)
			return self->vcpu[i];
	}
	return 0;
}

static void close_vcpus(FIXTURE_DATA(charges) * self)
{
	for (int i = 0; i < ALL_VCPUS; i++)
		lodge_vcpu_close(self->vcpu[i], self->run[i]);
}

/* At least: the run page, the processor's control block, and the structures. */
#define VCPU_BYTES (2 * 4096 + 2048 + 512)

TEST_F(charges, vcpus_are_charged_and_closed_ones_give_back_most)
{
	long before = charged(), held;

	if (!self->has_groups)
		SKIP(return, "the host has no control groups of memory");
	ASSERT_EQ(0, make_all(self));
	EXPECT_TRUE(EVENTUALLY(charged() - before > ALL_VCPUS * VCPU_BYTES));
	held = charged() - before;
	close_vcpus(self);
	EXPECT_TRUE(EVENTUALLY(charged() - before < held / 2));
}

TEST_F(charges, nested_tables_are_charged_as_such)
{
	long before = charged_tables();
	struct machine machine;
	struct runner runner;
	uint8_t *vast;

	if (!self->has_groups || before < 0)
		SKIP(return, "the host has no control groups of memory");
	ASSERT_EQ(0, machine_make(&machine, 1));
	vast = mmap(NULL, GUEST_VAST_SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT_NE(MAP_FAILED, vast);
	madvise(vast, GUEST_VAST_SIZE, MADV_NOHUGEPAGE);
	ASSERT_EQ(0, lodge_memory_set(machine.vm, 1, 0, GUEST_VAST,
				      GUEST_VAST_SIZE, vast));
	ASSERT_EQ(0, machine_enter(&machine, 0, guest_stride));
	runner_start(&runner, &machine, 0);
	EXPECT_TRUE(EVENTUALLY(machine_word(&machine, GUEST_ROUNDS) > 1));
	EXPECT_EQ(0, runner_stop(&runner));
	EXPECT_TRUE(EVENTUALLY(charged_tables() - before >
			       GUEST_VAST_SIZE / GUEST_STRIDE * 4096));
	machine_end(&machine);
	EXPECT_TRUE(EVENTUALLY(charged_tables() - before < 64 * 4096));
	munmap(vast, GUEST_VAST_SIZE);
}

/* Its log takes two mebibytes.  There need be no memory behind it. */
#define LOGGED_AT (64ULL << 30)
#define LOGGED_SIZE (64ULL << 30)
#define LOG_BYTES (LOGGED_SIZE / 4096 / 8)

TEST_F(charges, a_dirty_log_is_charged_while_there_is_one)
{
	long before = charged();
	struct machine machine;

	if (!self->has_groups)
		SKIP(return, "the host has no control groups of memory");
	ASSERT_EQ(0, machine_make(&machine, 1));
	ASSERT_EQ(0, lodge_memory_set(machine.vm, 1, 0, LOGGED_AT, LOGGED_SIZE,
				      (void *)LOGGED_AT));
	ASSERT_EQ(0, lodge_dirty_log_begin(machine.vm, 1, NULL));
	EXPECT_TRUE(EVENTUALLY(charged() - before >= (long)LOG_BYTES));
	ASSERT_EQ(0, lodge_dirty_log_end(machine.vm, 1));
	EXPECT_TRUE(EVENTUALLY(charged() - before < (long)LOG_BYTES));
	machine_end(&machine);
}

TEST_HARNESS_MAIN
