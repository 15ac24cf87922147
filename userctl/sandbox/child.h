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

/* The descriptor that a program is given, as a number and as a word. */
#define CHILD_FD 3
#define CHILD_FD_WORD "3"

/**
 * struct child_config - how to start a program
 * @words: its path, or its name in PATH, its arguments, and NULL at the end
 * @fd: what becomes its CHILD_FD; it has no other descriptor but standard error and, as
 *	its input and output, /dev/null
 * @prepare: called in the new process, before the program; it may only make calls that are
 *	safe after fork() in a process with threads.  Returns 0 or -errno.  NULL: nothing
 *	is to be done
 * @opaque: for @prepare
 */
struct child_config {
	const char *const *words;
	int fd;
	int (*prepare)(void *opaque);
	void *opaque;
};

/**
 * enum child_step - what has failed
 * @CHILD_STEP_START: make a process, or sockets and descriptors for it
 * @CHILD_STEP_PREPARE: child_config.prepare()
 * @CHILD_STEP_EXEC: start the program
 */
enum child_step {
	CHILD_STEP_START,
	CHILD_STEP_PREPARE,
	CHILD_STEP_EXEC,
};

/**
 * child_spawn() - start a program; it runs when this returns
 * @child: out: its process, in a process group of its own, which gets SIGTERM when this
 *	process ends
 * @step: out: on failure, what has failed
 *
 * Return: 0 or -errno.
 */
int child_spawn(struct child *child, const struct child_config *config,
		enum child_step *step);

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
