// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of `lodge receive` before there is a machine.
 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/exit_code.h"
#include "kselftest_harness.h"

/* Return: the exit code of a command that gets these bytes, and then the end; or -1. */
static int receive(const char *bytes)
{
	char *argv[] = { "lodge receive", "stdio", NULL };
	int ends[2], status;
	pid_t child;

	if (pipe(ends))
		return -1;
	child = fork();
	if (!child) {
		dup2(ends[0], STDIN_FILENO);
		close(ends[0]);
		close(ends[1]);
		dup2(STDERR_FILENO, STDOUT_FILENO);
		_exit(receive_command(2, argv));
	}
	close(ends[0]);
	if (write(ends[1], bytes, strlen(bytes)) < 0)
		perror("write");
	close(ends[1]);
	if (child < 0 || waitpid(child, &status, 0) != child ||
	    !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

TEST(a_connection_that_ends_before_the_machine_exits_75)
{
	EXPECT_EQ(EXIT_CODE_STATE, receive(""));
	EXPECT_EQ(EXIT_CODE_STATE, receive("half"));
}

TEST(what_is_no_machine_exits_66)
{
	EXPECT_EQ(EXIT_CODE_IMAGE, receive("This is no stream of a machine."));
}

TEST_HARNESS_MAIN
