/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A command that the agent in a guest runs for the user of this process: its streams are
 * the process's descriptors, or its terminal.
 *
 * The guest is not trusted: what it says is checked, and it can make nothing grow.
 */
#ifndef LODGE_CONTROL_ERRAND_H
#define LODGE_CONTROL_ERRAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/wire.h"

/* In a row, so many Ctrl-] of a terminal's user end the machine. */
#define ERRAND_ESCAPES 3
#define ERRAND_REST_MAX WIRE_MAX

struct errand;

/**
 * enum errand_fate - what has become of a command
 * @ERRAND_GONE: the machine has ended before, or the agent does not answer any more
 * @ERRAND_EXITED: exit(); code is its status
 * @ERRAND_KILLED: a signal; code is its number
 * @ERRAND_NO_DIRECTORY: it was not started for its directory; code is an errno
 * @ERRAND_NO_PROGRAM: it was not started for its program; code is an errno
 * @ERRAND_NO_START: it was not started; code is an errno
 * @ERRAND_FAILED: the guest cannot run commands; text says why
 * @ERRAND_GARBAGE: what the guest sends is no answer of an agent's
 * @ERRAND_QUIT: the user wants no more of it
 */
enum errand_fate {
	ERRAND_GONE,
	ERRAND_EXITED,
	ERRAND_KILLED,
	ERRAND_NO_DIRECTORY,
	ERRAND_NO_PROGRAM,
	ERRAND_NO_START,
	ERRAND_FAILED,
	ERRAND_GARBAGE,
	ERRAND_QUIT,
};

/**
 * struct errand_end - the end of a command
 * @up: the agent had come up before
 * @started: and it had been told to start the command
 */
struct errand_end {
	enum errand_fate fate;
	uint32_t code;
	bool up;
	bool started;
	char text[256];
};

/**
 * struct errand_config - a command, and what it is connected to
 * @fd: leads to the agent; belongs to the caller; not blocking
 * @fds: descriptors of its streams; -1: none
 * @terminal: @fds are a terminal, which is made raw as the command starts
 * @take: takes its outputs in place of @fds, at once; called by errand_run(); or NULL
 * @opaque: for @take
 * @rest: what was read from @fd before
 * @rest_size: bytes of it, up to ERRAND_REST_MAX
 * @description: the command, by spec_write(), which belongs to the caller; NULL: none runs,
 *	and errand_run() hears of the agent until it fails or goes
 * @size: bytes of it
 */
struct errand_config {
	int fd;
	int fds[WIRE_STREAMS];
	bool terminal;
	void (*take)(void *opaque, const void *data, size_t size);
	void *opaque;
	const void *rest;
	size_t rest_size;
	const void *description;
	size_t size;
};

/**
 * errand_new() - make a command, which errand_run() runs
 *
 * Return: it, or NULL with errno set.
 */
struct errand *errand_new(const struct errand_config *config);

/**
 * errand_run() - run a command to its end
 * @over: it is also over when this can be read; -1: it is not
 * @end: out
 *
 * What the command has written is written before the end, however long its reader takes,
 * unless a signal that ends a process was sent and the reader then takes nothing at all.
 *
 * Return: 0; -errno of poll().
 */
int errand_run(struct errand *errand, int over, struct errand_end *end);

/**
 * errand_signal() - have a signal sent to the command, or with SIGWINCH tell it the
 * terminal's size; called from any thread
 *
 * Return: false if the signal is the caller's: there is no agent yet, or no command, or it
 * is the third in a row that ends a process, of which the guest has not let hear.
 */
bool errand_signal(struct errand *errand, int number);

/**
 * errand_free() - free it; NULL is fine
 */
void errand_free(struct errand *errand);

#endif
