// SPDX-License-Identifier: GPL-2.0
/*
 * What becomes of a controller of which a thread makes a system call that its kind never
 * needs.  The unit tests' sanitizers would not let this be tried there.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "sandbox/sandbox.h"

/* How the process ends where the kernel has no filters, and where it is told to. */
#define NO_FILTERS 2
#define GIVES_UP 3

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
		if (kind != SANDBOX_VCPU)
			sandbox_thread(SANDBOX_OWNER);
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

/*
 * The kernel, or who stands before it, takes no filter after all.  Whatever else it is
 * asked about them, it answers.
 */
static int deny_filters(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SECCOMP_SET_MODE_FILTER, 0,
			 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {
		.len = sizeof(filter) / sizeof(filter[0]),
		.filter = filter,
	};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

TEST(a_process_does_not_go_on_without_the_filters_of_a_kernel_that_has_some)
{
	int status;
	pid_t child = fork();

	if (!child) {
		if (deny_filters())
			_exit(NO_FILTERS);
		if (sandbox_enter(-1) < 0)
			_exit(GIVES_UP);
		sandbox_thread(SANDBOX_OWNER);
		_exit(EXIT_SUCCESS);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	if (WIFEXITED(status) && WEXITSTATUS(status) == NO_FILTERS)
		SKIP(return, "this kernel has no filters");
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGABRT, WTERMSIG(status));
}

TEST_HARNESS_MAIN
