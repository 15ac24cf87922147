/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A back end that this process starts and ends: a program that accepts one connection at a
 * listening socket.
 */
#ifndef LODGE_VIRTIO_HELPER_H
#define LODGE_VIRTIO_HELPER_H

#include <stdbool.h>

#include "sandbox/child.h"

/* The program's descriptor of the listening socket, as a number and as a word. */
#define HELPER_FD 3
#define HELPER_FD_WORD "3"

/**
 * struct helper_config - how to start a program
 * @words: its path and arguments, and NULL at the end
 * @prepare: called in the new process, before the program; it may only make calls that are
 *	safe after fork() in a process with threads.  Returns 0 or -errno.  NULL: nothing
 *	is to be done
 * @opaque: for @prepare
 */
struct helper_config {
	const char *const *words;
	int (*prepare)(void *opaque);
	void *opaque;
};

/**
 * enum helper_step - what has failed
 * @HELPER_STEP_START: make sockets and a process
 * @HELPER_STEP_PREPARE: helper_config.prepare()
 * @HELPER_STEP_EXEC: start the program
 */
enum helper_step {
	HELPER_STEP_START,
	HELPER_STEP_PREPARE,
	HELPER_STEP_EXEC,
};

/**
 * helper_start() - start a program, and connect to it
 * @child: out: its process
 * @step: out: on failure, what has failed
 *
 * The process ends with this one.
 *
 * Return: a connected socket, or -errno.
 */
int helper_start(struct child *child, const struct helper_config *config,
		 enum helper_step *step);

/**
 * helper_end() - wait for the end of a program, whose connection was ended
 * @by_itself: it ends without being told to, and may take its time
 */
void helper_end(struct child *child, bool by_itself);

#endif
