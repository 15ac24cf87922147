// SPDX-License-Identifier: GPL-2.0
/*
 * The sandbox of this process.
 *
 * It is global, as what it stands for is: filters and namespaces are of the process.
 */
#include "sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "sandbox/filter.h"
#include "sandbox/namespaces.h"

/* No descriptor: what is told is lost. */
#define NOBODY (-1)

/* A sanitizer makes calls of its own: it opens files and starts processes. */
#if defined(__has_feature)
#define HAS_SANITIZER __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define HAS_SANITIZER true
#else
#define HAS_SANITIZER false
#endif
#if HAS_SANITIZER
#define WITH_FILTERS false
#else
#define WITH_FILTERS true
#endif

static const char *const kind_names[SANDBOX_KINDS] = {
	[SANDBOX_OWNER] = "main",
	[SANDBOX_LOOP] = "event loop's",
	[SANDBOX_VCPU] = "vCPU's",
	[SANDBOX_WORKER] = "disk's",
};

/* Set before other threads are, and not changed. */
static struct sock_fprog filters[SANDBOX_KINDS];
static bool filtered;
static int report_fd = STDERR_FILENO;
static uid_t root_id;

static __thread enum sandbox_kind self;

/* The names of the calls that tell most of what has happened. */
static const char *name_of(long call)
{
	switch (call) {
	case SYS_execve:
	case SYS_execveat:
		return " (execve)";
	case SYS_fork:
	case SYS_vfork:
	case SYS_clone:
		return " (fork)";
	case SYS_socket:
		return " (socket)";
	case SYS_connect:
		return " (connect)";
	case SYS_ptrace:
		return " (ptrace)";
	case SYS_ioctl:
		return " (ioctl)";
	case SYS_mmap:
	case SYS_mprotect:
		return " (executable memory)";
	case SYS_init_module:
	case SYS_finit_module:
		return " (init_module)";
	case SYS_kill:
		return " (kill)";
	case SYS_mount:
		return " (mount)";
	}
	return "";
}

/* As write(2): the process may be in any state. */
static void tell(const char *text)
{
	ssize_t length = write(report_fd, text, strlen(text));

	(void)length;
}

/* A call that no filter has a row for.  The terminal is put back by the signal's twin. */
static void refused(int number, siginfo_t *info, void *context)
{
	char digits[16];
	char *digit = digits + sizeof(digits) - 1;
	unsigned int call = info->si_syscall;

	(void)number;
	(void)context;
	*digit = '\0';
	do {
		*--digit = '0' + call % 10;
		call /= 10;
	} while (call);
	tell("\r\nlodge: the ");
	tell(kind_names[self]);
	tell(" thread has made the system call ");
	tell(digit);
	tell(name_of(info->si_syscall));
	tell(", which no machine needs: the machine is ended, to protect the "
	     "host.\r\nlodge: a guest may have attacked it, or this is a bug; "
	     "--no-sandbox runs without this protection.\r\n");
	abort();
}

static int take_refusals(void)
{
	struct sigaction action = {
		.sa_sigaction = refused,
		.sa_flags = SA_SIGINFO,
	};

	sigemptyset(&action.sa_mask);
	return sigaction(SIGSYS, &action, NULL) ? -errno : 0;
}

/* Return: 0 or -errno. */
static int build_filters(void)
{
	int err = 0;

	for (int kind = 0; kind < SANDBOX_KINDS && !err; kind++)
		err = filter_build(&filters[kind], kind);
	return err;
}

/* Return: bits; -errno. */
static int prepare_filters(void)
{
	int err = WITH_FILTERS ? filter_check_kernel() : -ENOSYS;

	if (err == -ENOSYS)
		return 0;
	if (!err)
		err = build_filters();
	if (!err)
		err = take_refusals();
	if (err)
		return err;
	filtered = true;
	return SANDBOX_FILTER;
}

int sandbox_enter(int report)
{
	unsigned int done = 0;
	int filter;

	report_fd = report;
	/* In this order: namespaces need capabilities, a filter must find them gone. */
	if (!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		done = SANDBOX_NO_NEW_PRIVS;
	done |= namespaces_leave(&root_id);
	done |= capabilities_drop();
	filter = prepare_filters();
	return filter < 0 ? filter : (int)(done | filter);
}

uid_t sandbox_root_id(void)
{
	return root_id;
}

void sandbox_thread(enum sandbox_kind kind)
{
	sigset_t set;

	self = kind;
	if (!filtered)
		return;
	/* One that is blocked would end the process without a message. */
	sigemptyset(&set);
	sigaddset(&set, SIGSYS);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	if (filter_install(&filters[kind])) {
		tell("lodge: a thread cannot be confined\n");
		abort();
	}
}

int sandbox_probe(void)
{
	int ends[2], result = -EIO;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	child = fork();
	if (!child) {
		result = sandbox_enter(NOBODY);
		if (result >= 0)
			sandbox_thread(SANDBOX_OWNER);
		_exit(write(ends[1], &result, sizeof(result)) !=
		      sizeof(result));
	}
	close(ends[1]);
	if (child < 0)
		result = -errno;
	else if (read(ends[0], &result, sizeof(result)) != sizeof(result))
		result = -EIO;
	close(ends[0]);
	if (child > 0)
		waitpid(child, NULL, 0);
	return result;
}
