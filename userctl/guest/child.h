/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Starts a command in a guest, with descriptors that lead to its streams.
 */
#ifndef LODGE_GUEST_CHILD_H
#define LODGE_GUEST_CHILD_H

#include <stdint.h>
#include <sys/types.h>

#include "guest/spec.h"
#include "guest/wire.h"

/**
 * struct child - a command that was started
 * @pid: its process, which leads a session and a process group of its own
 * @terminal: its terminal's other side, or -1
 * @streams: the other ends of its pipes, not blocking; -1: that stream is the terminal
 */
struct child {
	pid_t pid;
	int terminal;
	int streams[WIRE_STREAMS];
};

/**
 * child_start() - start a command
 * @end: out: on failure, why, as the controller is told
 *
 * Return: 0; -1 it was not started, and there is nothing to close.
 */
int child_start(struct child *child, const struct spec *spec,
		struct wire_exit *end);

#endif
