/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Programs that this process has started, which it can end when it is confined: by their
 * descriptors, and not by their numbers.
 */
#ifndef LODGE_SANDBOX_CHILD_H
#define LODGE_SANDBOX_CHILD_H

#include <sys/types.h>

/**
 * struct child - a program that was started
 * @pid: its process, which nobody else waits for; 0: there is none
 * @fd: descriptor of the process
 */
struct child {
	pid_t pid;
	int fd;
};

/**
 * child_take() - take a process that was started just now; on failure, it is ended
 *
 * Return: 0 or -errno.
 */
int child_take(struct child *child, pid_t pid);

/**
 * child_end() - end a program, and wait for that
 * @patience: milliseconds for it to end by itself, and as many again when SIGTERM has
 *	told it to; 0: it is killed at once
 *
 * A program that has become another user's, as some of root's do, cannot be signalled
 * without capabilities: one that does not end by itself is left to init.
 */
void child_end(struct child *child, int patience);

#endif
