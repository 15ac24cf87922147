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
#define HELPER_FD CHILD_FD
#define HELPER_FD_WORD CHILD_FD_WORD

/**
 * helper_start() - start a program, and connect to it
 * @child: out: its process
 * @config: how to start it; its descriptor is the listening socket, whatever it says
 * @step: out: on failure, what has failed
 *
 * The process ends with this one.
 *
 * Return: a connected socket, or -errno.
 */
int helper_start(struct child *child, const struct child_config *config,
		 enum child_step *step);

/**
 * helper_end() - wait for the end of a program, whose connection was ended
 * @by_itself: it ends without being told to, and may take its time
 */
void helper_end(struct child *child, bool by_itself);

#endif
