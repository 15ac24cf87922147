// SPDX-License-Identifier: GPL-2.0
/*
 * Programs that this process has started.
 */
#include "sandbox/child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The least time for the end of one that cannot be killed. */
#define LAST_MS 1000

static void reap(pid_t pid, int options)
{
	while (waitpid(pid, NULL, options) < 0 && errno == EINTR)
		;
}

int child_take(struct child *child, pid_t pid)
{
	int err;

	child->pid = pid;
	child->fd = syscall(SYS_pidfd_open, pid, 0);
	if (child->fd >= 0)
		return 0;
	err = -errno;
	kill(pid, SIGKILL);
	reap(pid, 0);
	child->pid = 0;
	return err;
}

/* Return: true if it has ended. */
static bool await_end(const struct child *child, int patience)
{
	struct pollfd end = { .fd = child->fd, .events = POLLIN };

	return poll(&end, 1, patience) > 0;
}

/* Return: true if the signal is sent. */
static bool send_signal(const struct child *child, int number)
{
	return !syscall(SYS_pidfd_send_signal, child->fd, number, NULL, 0);
}

/* Return: true if it has ended, or must end now. */
static bool stop(const struct child *child, int patience)
{
	if (patience) {
		if (await_end(child, patience))
			return true;
		if (send_signal(child, SIGTERM) && await_end(child, patience))
			return true;
	}
	return send_signal(child, SIGKILL) || await_end(child, LAST_MS);
}

void child_end(struct child *child, int patience)
{
	int options = 0;

	if (!child->pid)
		return;
	if (!stop(child, patience))
		options = WNOHANG;
	/* Or it stays as a zombie. */
	reap(child->pid, options);
	close(child->fd);
	child->pid = 0;
	child->fd = -1;
}
