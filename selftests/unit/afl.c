// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the target's side of AFL++'s forkserver protocol, and of the process that the
 * fuzzer may kill.
 */
#include "cmd/fuzz_afl.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

#include "cmd/fuzz_victim.h"
#include "kselftest_harness.h"

#define TO_TARGET 198
#define FROM_TARGET 199
#define CAN 0x80000001U
#define MEMORY 0x01000000U
#define SIZE 0x40000000U
#define LONGEST_MS 10000

FIXTURE(afl)
{
	struct afl afl;
	int control;
	int status;
	int input;
	int coverage;
};

static int segment(const char *name, size_t size)
{
	int id = shmget(IPC_PRIVATE, size, 0600);
	char text[16];

	snprintf(text, sizeof(text), "%d", id);
	setenv(name, text, 1);
	return id;
}

/* The fuzzer's ends of the pipes stay open in the fixture. */
FIXTURE_SETUP(afl)
{
	int control[2], status[2];

	unsetenv("__AFL_SHM_FUZZ_ID");
	unsetenv("__AFL_SHM_ID");
	ASSERT_EQ(0, pipe(control));
	ASSERT_EQ(0, pipe2(status, O_NONBLOCK));
	ASSERT_EQ(TO_TARGET, dup2(control[0], TO_TARGET));
	ASSERT_EQ(FROM_TARGET, dup2(status[1], FROM_TARGET));
	close(control[0]);
	close(status[1]);
	self->control = control[1];
	self->status = status[0];
	self->input = segment("__AFL_SHM_FUZZ_ID", AFL_INPUT_MAX + 4);
	self->coverage = segment("__AFL_SHM_ID", 8 << 20);
}

FIXTURE_TEARDOWN(afl)
{
	shmctl(self->input, IPC_RMID, NULL);
	shmctl(self->coverage, IPC_RMID, NULL);
	close(self->control);
	close(self->status);
	close(TO_TARGET);
	close(FROM_TARGET);
}

static bool put(int fd, uint32_t word)
{
	return write(fd, &word, sizeof(word)) == sizeof(word);
}

static uint32_t get(int fd)
{
	uint32_t word;

	return read(fd, &word, sizeof(word)) == sizeof(word) ? word : 0;
}

TEST_F(afl, memory_is_the_fuzzers)
{
	uint8_t *theirs;

	ASSERT_EQ(0, afl_open(&self->afl));
	EXPECT_TRUE(self->afl.connected && self->afl.in_memory);
	theirs = shmat(self->coverage, NULL, 0);
	ASSERT_NE((void *)-1, (void *)theirs);
	self->afl.coverage[77] = 5;
	EXPECT_EQ(5, theirs[77]);
	EXPECT_EQ(65536, self->afl.coverage_used);
	EXPECT_EQ(0, self->afl.coverage_size % (2 << 20));
	EXPECT_EQ(0, self->afl.input_size % (2 << 20));
}

TEST_F(afl, descriptors_are_not_left_to_other_programs)
{
	ASSERT_EQ(0, afl_open(&self->afl));
	EXPECT_EQ(FD_CLOEXEC, fcntl(TO_TARGET, F_GETFD));
	EXPECT_EQ(FD_CLOEXEC, fcntl(FROM_TARGET, F_GETFD));
}

TEST_F(afl, smaller_coverage_is_all_that_counts)
{
	int small = segment("__AFL_SHM_ID", 4096);

	ASSERT_EQ(0, afl_open(&self->afl));
	EXPECT_EQ(4096, self->afl.coverage_used);
	shmctl(small, IPC_RMID, NULL);
}

TEST_F(afl, what_is_no_segment_is_refused)
{
	setenv("__AFL_SHM_ID", "none", 1);
	EXPECT_EQ(-EINVAL, afl_open(&self->afl));
	setenv("__AFL_SHM_ID", "2147483647", 1);
	EXPECT_GT(0, afl_open(&self->afl));
}

TEST_F(afl, segment_that_is_too_large_is_refused)
{
	int large = segment("__AFL_SHM_FUZZ_ID", 4 << 20);

	EXPECT_EQ(-EFBIG, afl_open(&self->afl));
	shmctl(large, IPC_RMID, NULL);
}

TEST_F(afl, inputs_in_memory_are_offered_and_taken)
{
	bool killed;

	ASSERT_EQ(0, afl_open(&self->afl));
	ASSERT_TRUE(put(self->control, CAN | MEMORY));
	ASSERT_EQ(0, afl_hello(&self->afl));
	EXPECT_EQ(CAN | MEMORY | SIZE | (65536 - 1) << 1, get(self->status));
	ASSERT_TRUE(put(self->control, 1));
	ASSERT_EQ(1, afl_next(&killed));
	EXPECT_TRUE(killed);
	ASSERT_TRUE(put(self->control, 0));
	ASSERT_EQ(1, afl_next(&killed));
	EXPECT_FALSE(killed);
	ASSERT_EQ(0, afl_begin(&self->afl, 123));
	EXPECT_EQ(123, get(self->status));
	ASSERT_EQ(0, afl_tell(11));
	EXPECT_EQ(11, get(self->status));
}

TEST_F(afl, fuzzer_that_refuses_the_offer_is_an_error)
{
	ASSERT_EQ(0, afl_open(&self->afl));
	ASSERT_TRUE(put(self->control, 0));
	EXPECT_EQ(-EPROTO, afl_hello(&self->afl));
}

TEST_F(afl, end_of_the_fuzzer_is_the_end)
{
	bool killed;

	ASSERT_EQ(0, afl_open(&self->afl));
	close(self->control);
	EXPECT_EQ(-EPROTO, afl_hello(&self->afl));
	EXPECT_EQ(0, afl_next(&killed));
	close(self->status);
	signal(SIGPIPE, SIG_IGN);
	EXPECT_EQ(-EPIPE, afl_tell(0));
}

TEST_F(afl, end_of_the_fuzzer_can_be_waited_for)
{
	struct pollfd fd = { .events = 0 };

	ASSERT_EQ(0, afl_open(&self->afl));
	fd.fd = afl_end(&self->afl);
	EXPECT_EQ(0, poll(&fd, 1, 0));
	ASSERT_TRUE(put(self->control, 1));
	EXPECT_EQ(0, poll(&fd, 1, 0));
	close(self->control);
	EXPECT_EQ(1, poll(&fd, 1, 0));
	EXPECT_EQ(POLLHUP, fd.revents);
}

TEST_F(afl, half_a_word_is_an_error)
{
	bool killed;

	ASSERT_EQ(0, afl_open(&self->afl));
	ASSERT_EQ(2, write(self->control, "ab", 2));
	EXPECT_EQ(-EPROTO, afl_next(&killed));
}

TEST_F(afl, without_memory_the_input_is_standard_inputs)
{
	int file = memfd_create("input", 0);
	uint32_t size;

	unsetenv("__AFL_SHM_FUZZ_ID");
	ASSERT_EQ(0, afl_open(&self->afl));
	EXPECT_FALSE(self->afl.in_memory);
	ASSERT_EQ(0, afl_hello(&self->afl));
	ASSERT_EQ(STDIN_FILENO, dup2(file, STDIN_FILENO));
	ASSERT_EQ(5, pwrite(file, "hello", 5, 0));
	for (int i = 0; i < 2; i++) {
		memset(self->afl.input, 0, 16);
		ASSERT_EQ(0, afl_begin(&self->afl, 1));
		memcpy(&size, self->afl.input, sizeof(size));
		EXPECT_EQ(5, size);
		EXPECT_EQ(0, memcmp(self->afl.input + 4, "hello", 5));
	}
}

TEST_F(afl, input_may_have_a_mebibyte_and_no_more)
{
	int file = memfd_create("input", 0);
	uint32_t size;

	ASSERT_EQ(0, afl_open(&self->afl));
	ASSERT_EQ(0, ftruncate(file, AFL_INPUT_MAX));
	ASSERT_EQ(0, afl_take(&self->afl, file));
	memcpy(&size, self->afl.input, sizeof(size));
	EXPECT_EQ(AFL_INPUT_MAX, size);
	ASSERT_EQ(0, ftruncate(file, AFL_INPUT_MAX + 1));
	ASSERT_EQ(0, lseek(file, 0, SEEK_SET));
	EXPECT_EQ(-EFBIG, afl_take(&self->afl, file));
}

TEST_F(afl, nothing_is_left_behind_an_input_of_the_one_before)
{
	int file = memfd_create("input", 0);

	ASSERT_EQ(0, afl_open(&self->afl));
	memset(self->afl.input, 0xff, self->afl.input_size);
	ASSERT_EQ(3, pwrite(file, "one", 3, 0));
	ASSERT_EQ(0, afl_take(&self->afl, file));
	EXPECT_EQ('e', self->afl.input[4 + 2]);
	for (size_t i = 4 + 3; i < self->afl.input_size; i++)
		ASSERT_EQ(0, self->afl.input[i]);
}

TEST(without_a_fuzzer_there_is_memory_all_the_same)
{
	struct afl afl;

	close(TO_TARGET);
	close(FROM_TARGET);
	ASSERT_EQ(0, afl_open(&afl));
	EXPECT_FALSE(afl.connected || afl.in_memory);
	afl.input[0] = afl.coverage[afl.coverage_size - 1] = 1;
}

TEST(victim_that_is_killed_is_followed_by_another)
{
	struct victim victim;
	int32_t first;

	ASSERT_EQ(0, victim_start(&victim));
	for (int i = 0; i < 3; i++) {
		first = victim.pid;
		ASSERT_LT(1, first);
		ASSERT_EQ(0, kill(first, SIGKILL));
		ASSERT_EQ(0, victim_next(&victim));
		EXPECT_NE(first, victim.pid);
		EXPECT_EQ(0, kill(victim.pid, 0));
	}
}

TEST(victim_heeds_each_signal_by_which_a_fuzzer_may_end_a_run)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGPIPE, SIGUSR1 };
	struct victim victim;
	sigset_t blocked;
	int32_t first;

	signal(SIGPIPE, SIG_IGN);
	sigfillset(&blocked);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	ASSERT_EQ(0, victim_start(&victim));
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct pollfd fd = { .fd = victim.fd, .events = POLLIN };

		first = victim.pid;
		ASSERT_EQ(0, kill(first, signals[i]));
		ASSERT_EQ(1, poll(&fd, 1, LONGEST_MS));
		ASSERT_EQ(0, victim_next(&victim));
		EXPECT_NE(first, victim.pid);
	}
}

TEST_HARNESS_MAIN
