// SPDX-License-Identifier: GPL-2.0
/*
 * What becomes of a controller of which a thread makes a system call that its kind never
 * needs.  The unit tests' sanitizers would not let this be tried there.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "sandbox/sandbox.h"

/* How the process ends where the kernel has no filters. */
#define NO_FILTERS 2

static char said[1024];

static void *make_socket(void *kind)
{
	sandbox_thread(*(enum sandbox_kind *)kind);
	socket(AF_INET, SOCK_STREAM, 0);
	return NULL;
}

/* The C library opens files in passing. */
static void *open_file(void *kind)
{
	FILE *file;

	sandbox_thread(*(enum sandbox_kind *)kind);
	file = fopen("/etc/passwd", "re");
	if (file || errno != EPERM)
		_exit(EXIT_FAILURE);
	return NULL;
}

/* Return: status of a process with a thread of a kind, in which signals are blocked. */
static int run_thread(enum sandbox_kind kind, void *(*thread)(void *kind))
{
	int report = memfd_create("report", 0);
	int status = -1;
	pid_t child = fork();

	if (!child) {
		pthread_t one;
		sigset_t all;

		if (!(sandbox_enter(report) & SANDBOX_FILTER))
			_exit(NO_FILTERS);
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, NULL);
		if (pthread_create(&one, NULL, thread, &kind))
			_exit(EXIT_FAILURE);
		pthread_join(one, NULL);
		_exit(EXIT_SUCCESS);
	}
	waitpid(child, &status, 0);
	memset(said, 0, sizeof(said));
	if (pread(report, said, sizeof(said) - 1, 0) < 0)
		status = -1;
	close(report);
	return status;
}

FIXTURE(thread)
{
	bool unused;
};

FIXTURE_VARIANT(thread)
{
	enum sandbox_kind kind;
	const char *name;
};

FIXTURE_VARIANT_ADD(thread, of_the_owner){
	.kind = SANDBOX_OWNER,
	.name = "main thread",
};

FIXTURE_VARIANT_ADD(thread, of_the_loop){
	.kind = SANDBOX_LOOP,
	.name = "event loop's thread",
};

FIXTURE_VARIANT_ADD(thread, of_a_vcpu){
	.kind = SANDBOX_VCPU,
	.name = "vCPU's thread",
};

FIXTURE_VARIANT_ADD(thread, of_a_disk){
	.kind = SANDBOX_WORKER,
	.name = "disk's thread",
};

FIXTURE_SETUP(thread)
{
	int status = run_thread(variant->kind, open_file);

	if (WIFEXITED(status) && WEXITSTATUS(status) == NO_FILTERS)
		SKIP(return, "this kernel has no filters");
}

FIXTURE_TEARDOWN(thread)
{
}

TEST_F(thread, that_makes_a_socket_ends_the_process_with_a_message)
{
	int status = run_thread(variant->kind, make_socket);

	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGABRT, WTERMSIG(status));
	EXPECT_NE(NULL, strstr(said, variant->name));
	EXPECT_NE(NULL, strstr(said, "the system call 41 (socket)"));
	EXPECT_NE(NULL, strstr(said, "--no-sandbox"));
}

TEST_F(thread, that_opens_a_file_is_refused_and_goes_on)
{
	EXPECT_EQ(0, run_thread(variant->kind, open_file));
	EXPECT_STREQ("", said);
}

TEST_HARNESS_MAIN
