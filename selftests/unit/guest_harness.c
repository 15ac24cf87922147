// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the harness in examples/fuzz, with ports and memory of the test's: what it says
 * of the ways in which a program can end.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dev/fuzz.h"
#include "kselftest_harness.h"

#define INPUT_PLACE 0
#define COVERAGE_PLACE (2U << 20)
#define COVERAGE_BYTES 65536U
/* Said by none of the harness's words. */
#define NOTHING 77

static unsigned int fact_wanted;

/* The word that ends a run ends the process, by its number. */
static void fake_outl(unsigned int value, unsigned short port)
{
	if (port == FUZZ_PORT + FUZZ_FACT)
		fact_wanted = value;
	else if (value != FUZZ_HERE)
		_exit((int)value);
}

static unsigned int fake_inl(unsigned short port)
{
	if (port == FUZZ_PORT + FUZZ_RUN)
		return 1;
	switch (fact_wanted) {
	case FUZZ_MAGIC:
		return FUZZ_MAGIC_VALUE;
	case FUZZ_INPUT_LOW:
		return INPUT_PLACE;
	case FUZZ_COVERAGE_LOW:
		return COVERAGE_PLACE;
	case FUZZ_COVERAGE_SIZE:
		return COVERAGE_BYTES;
	}
	return 0;
}

static int fake_memory(void)
{
	int fd = memfd_create("memory", 0);

	if (ftruncate(fd, COVERAGE_PLACE + COVERAGE_BYTES))
		abort();
	return fd;
}

#define iopl(level) 0
#define outl(value, port) fake_outl(value, port)
#define inl(port) fake_inl(port)
#define open(path, flags) fake_memory()
#include "../../examples/fuzz/harness.c"

/* Return: what the harness says of a program, or NOTHING. */
static int word_of(void (*program)(void))
{
	pid_t child = fork();
	size_t size;
	int status;

	if (!child) {
		harness_begin(&size);
		program();
		_exit(NOTHING);
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : NOTHING;
}

static void read_nowhere(void)
{
	(void)*(volatile int *)16;
}

static volatile int depth;

/* Each call needs the one before, so that the stack has them all. */
static int go_deep(void)
{
	volatile char room[4096];

	room[depth % sizeof(room)] = 1;
	return depth++ < 0 ? 0 : go_deep() + room[0];
}

static void overflow_stack(void)
{
	depth = go_deep();
}

static void leave(void)
{
	exit(EXIT_FAILURE);
}

TEST(harness_tells_of_the_end_of_a_run)
{
	EXPECT_EQ(FUZZ_DONE, word_of(harness_done));
	EXPECT_EQ(FUZZ_CRASH, word_of(harness_crash));
}

TEST(harness_tells_of_faults)
{
	EXPECT_EQ(FUZZ_CRASH, word_of(read_nowhere));
	EXPECT_EQ(FUZZ_CRASH, word_of(abort));
	EXPECT_EQ(FUZZ_CRASH, word_of(overflow_stack));
}

TEST(program_that_exits_is_done)
{
	EXPECT_EQ(FUZZ_DONE, word_of(leave));
}

TEST_HARNESS_MAIN
