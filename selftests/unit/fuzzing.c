// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of `lodge fuzz` with a fuzzer and a guest of the test's own: what the fuzzer hears
 * of runs, and how both end.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/exit_code.h"
#include "dev/fuzz.h"
#include "fake_lodge.h"
#include "kselftest_harness.h"
#include "memfile.h"

#define TO_TARGET 198
#define FROM_TARGET 199
#define MAX_WORDS 16
/* A target that does not end by itself is ended after so many seconds. */
#define LONGEST 20

/* All that is said where nothing goes wrong: the sanitizers need a process that is free. */
#define WARNING                                                                 \
	"lodge: warning: --no-sandbox: a guest that breaks out of its machine " \
	"can do what you can\n"

FIXTURE(fuzzing)
{
	char image[MEMFILE_PATH_SIZE];
	int fd;
	int messages;
	char text[1024];
	int control;
	int status;
	pid_t target;
};

/* What the guest says when it has said where runs begin; 0: nothing, for ever. */
static uint32_t answer;
static bool is_silent;
/* Calls of the guest's function, in memory that the target's process shares. */
static _Atomic int *runs;

static int guest(struct lodge_run *run)
{
	static bool has_said;

	++*runs;
	if (!has_said && !is_silent) {
		has_said = true;
		return fake_out(run, FUZZ_PORT + FUZZ_RUN, 4, FUZZ_HERE);
	}
	usleep(100);
	if (answer)
		return fake_out(run, FUZZ_PORT + FUZZ_RUN, 4, answer);
	return fake_out(run, 0x80, 1, 0);
}

FIXTURE_SETUP(fuzzing)
{
	answer = 0;
	is_silent = false;
	fake.run = guest;
	runs = mmap(NULL, sizeof(*runs), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)runs);
	unsetenv("__AFL_SHM_FUZZ_ID");
	unsetenv("__AFL_SHM_ID");
	self->fd = memfile("\xf4", 1, self->image);
	self->messages = memfd_create("err", 0);
	self->control = self->status = -1;
}

FIXTURE_TEARDOWN(fuzzing)
{
	close(self->fd);
	close(self->messages);
}

/* In the target's process. */
static void be_target(FIXTURE_DATA(fuzzing) * self, char *const *more)
{
	char *argv[MAX_WORDS] = { "fuzz",      "--no-sandbox", "--kernel",
				  self->image, "--flat",       "0x8000",
				  "--memory",  "16M" };
	int argc = 8;

	while (*more)
		argv[argc++] = *more++;
	alarm(LONGEST);
	dup2(self->messages, STDERR_FILENO);
	_exit(command_call(command_find("fuzz"), argc, argv));
}

/* Starts the target with a fuzzer's descriptors; @more: further words of its line. */
static void start(FIXTURE_DATA(fuzzing) * self, char *const *more)
{
	int control[2], status[2];

	if (pipe2(control, O_CLOEXEC) || pipe2(status, O_CLOEXEC))
		abort();
	fflush(NULL);
	self->target = fork();
	if (!self->target) {
		int input = memfd_create("input", 0);

		dup2(input, STDIN_FILENO);
		dup2(control[0], TO_TARGET);
		dup2(status[1], FROM_TARGET);
		close(control[0]);
		close(control[1]);
		close(status[0]);
		close(status[1]);
		be_target(self, more);
	}
	close(control[0]);
	close(status[1]);
	self->control = control[1];
	self->status = status[0];
}

/* Return: the target's exit code, or -1: a signal has ended it. */
static int finish(FIXTURE_DATA(fuzzing) * self)
{
	ssize_t size;
	int status;

	waitpid(self->target, &status, 0);
	size = pread(self->messages, self->text, sizeof(self->text) - 1, 0);
	self->text[size < 0 ? 0 : size] = '\0';
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void leave(FIXTURE_DATA(fuzzing) * self)
{
	close(self->control);
	close(self->status);
}

/* Return: true if the target has said something: @word. */
static bool hear(FIXTURE_DATA(fuzzing) * self, uint32_t *word)
{
	return read(self->status, word, sizeof(*word)) == sizeof(*word);
}

/* Lets a run begin.  Return: true if it has. */
static bool begin(FIXTURE_DATA(fuzzing) * self)
{
	const uint32_t none = 0;
	uint32_t pid;

	return write(self->control, &none, sizeof(none)) == sizeof(none) &&
	       hear(self, &pid) && pid > 1;
}

TEST_F(fuzzing, tells_of_each_run)
{
	uint32_t word;

	answer = FUZZ_CRASH;
	start(self, (char *[]){ NULL });
	ASSERT_TRUE(hear(self, &word));
	for (int i = 0; i < 3; i++) {
		ASSERT_TRUE(begin(self));
		ASSERT_TRUE(hear(self, &word));
		EXPECT_EQ(SIGSEGV, word);
	}
	leave(self);
	EXPECT_EQ(0, finish(self)) TH_LOG("%s", self->text);
}

TEST_F(fuzzing, ends_with_a_fuzzer_that_goes_in_the_midst_of_a_run)
{
	uint32_t word;

	start(self, (char *[]){ NULL });
	ASSERT_TRUE(hear(self, &word));
	ASSERT_TRUE(begin(self));
	leave(self);
	EXPECT_EQ(0, finish(self)) TH_LOG("%s", self->text);
	EXPECT_STREQ(WARNING, self->text);
}

TEST_F(fuzzing, ends_with_a_fuzzer_that_goes_before_runs_begin)
{
	is_silent = true;
	start(self, (char *[]){ NULL });
	leave(self);
	EXPECT_EQ(0, finish(self)) TH_LOG("%s", self->text);
	EXPECT_STREQ(WARNING, self->text);
}

TEST_F(fuzzing, is_no_crash_if_the_user_ends_it)
{
	uint32_t word;

	start(self, (char *[]){ NULL });
	ASSERT_TRUE(hear(self, &word));
	ASSERT_TRUE(begin(self));
	ASSERT_EQ(0, kill(self->target, SIGTERM));
	EXPECT_FALSE(hear(self, &word));
	EXPECT_EQ(EXIT_CODE_SIGNAL(SIGTERM), finish(self));
	leave(self);
}

TEST_F(fuzzing, is_no_end_of_the_guest_if_the_user_ends_it_before_runs_begin)
{
	is_silent = true;
	start(self, (char *[]){ NULL });
	while (!*runs)
		usleep(1000);
	ASSERT_EQ(0, kill(self->target, SIGTERM));
	EXPECT_EQ(EXIT_CODE_SIGNAL(SIGTERM), finish(self));
	EXPECT_STREQ(WARNING, self->text);
	leave(self);
}

/* Return: the process that has made this one, or -1. */
static pid_t parent_of(pid_t pid)
{
	char line[64];
	pid_t parent = -1;
	FILE *file;

	sprintf(line, "/proc/%d/stat", pid);
	file = fopen(line, "re");
	if (!file || fscanf(file, "%*d (%*[^)]) %*c %d", &parent) != 1)
		parent = -1;
	if (file)
		fclose(file);
	return parent;
}

TEST_F(fuzzing,
       is_no_crash_if_there_is_nobody_any_more_whom_the_fuzzer_could_kill)
{
	const uint32_t none = 0;
	uint32_t word;
	pid_t maker;

	start(self, (char *[]){ NULL });
	ASSERT_TRUE(hear(self, &word));
	ASSERT_EQ(sizeof(none), write(self->control, &none, sizeof(none)));
	ASSERT_TRUE(hear(self, &word));
	maker = parent_of((pid_t)word);
	ASSERT_LT(1, maker);
	ASSERT_NE(self->target, maker);
	ASSERT_EQ(0, kill(maker, SIGKILL));
	EXPECT_FALSE(hear(self, &word));
	EXPECT_EQ(EXIT_CODE_INTERNAL, finish(self));
	leave(self);
}

TEST_F(fuzzing, refuses_a_door_by_which_the_guest_would_move_the_checkpoint)
{
	start(self, (char *[]){ "--device", "checkpoint", NULL });
	EXPECT_EQ(EXIT_CODE_USAGE, finish(self));
	EXPECT_NE(NULL, strstr(self->text, "--device checkpoint"));
	leave(self);
}

TEST_F(fuzzing, empties_no_file_that_the_machine_starts_from)
{
	char byte;

	start(self, (char *[]){ "--serial", self->image, NULL });
	EXPECT_EQ(EXIT_CODE_OUTPUT, finish(self));
	EXPECT_NE(NULL, strstr(self->text, "starts from"));
	EXPECT_EQ(1, pread(self->fd, &byte, 1, 0));
	leave(self);
}

TEST_F(fuzzing, looks_for_files_in_the_directory_that_is_named)
{
	start(self, (char *[]){ "--directory", "/nowhere", NULL });
	EXPECT_EQ(EXIT_CODE_IMAGE, finish(self));
	EXPECT_NE(NULL, strstr(self->text, "/nowhere: No such file"));
	leave(self);
}

TEST_HARNESS_MAIN
