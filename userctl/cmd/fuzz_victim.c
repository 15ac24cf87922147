// SPDX-License-Identifier: GPL-2.0
/*
 * Processes for a fuzzer to kill, and the one that makes them.
 */
#include "cmd/fuzz_victim.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* A process whose parent has gone meanwhile hears of that by its own parent's number. */
static void end_with(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		_exit(EXIT_FAILURE);
}

/*
 * Whatever signal the fuzzer has chosen is to end a victim, also one that comes before the
 * victim has begun: so it is blocked until then, and never ignored.
 */
static void block_signals(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
}

static void take_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Return: the number of a new one. */
static pid_t make(void)
{
	const pid_t self = getpid();
	const pid_t pid = fork();

	if (pid)
		return pid;
	end_with(self);
	take_signals();
	for (;;)
		pause();
}

/* Makes one after the other, each when the one before has ended. */
static void serve(int fd, pid_t parent)
{
	int32_t pid = 0;

	end_with(parent);
	block_signals();
	while (pid >= 0) {
		pid = make();
		if (pid < 0 || write(fd, &pid, sizeof(pid)) != sizeof(pid))
			break;
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	_exit(EXIT_SUCCESS);
}

int victim_next(struct victim *victim)
{
	ssize_t got;

	do {
		got = read(victim->fd, &victim->pid, sizeof(victim->pid));
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	return got == sizeof(victim->pid) ? 0 : -ECHILD;
}

int victim_start(struct victim *victim)
{
	const pid_t self = getpid();
	int fds[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return -errno;
	pid = fork();
	if (pid < 0) {
		const int err = -errno;

		close(fds[0]);
		close(fds[1]);
		return err;
	}
	if (!pid) {
		close(fds[0]);
		serve(fds[1], self);
	}
	close(fds[1]);
	victim->fd = fds[0];
	return victim_next(victim);
}
