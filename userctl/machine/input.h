/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Input: from the console to the guest's port: the serial one, or another.
 */
#ifndef LODGE_MACHINE_INPUT_H
#define LODGE_MACHINE_INPUT_H

#include "board/loop.h"
#include "machine/console.h"

struct input;

/**
 * struct input_config - configuration of input
 * @console: its source
 * @loop: waits for it
 * @room: tells how many bytes the guest's port has room for
 * @receive: gives it bytes; returns how many it has taken
 * @port: for @room and @receive
 * @quit: called for the key that ends the machine, from any thread
 * @info: called for the key that shows the vCPUs' state
 * @power: called for the key that presses the power button
 * @help: called for the key that shows the keys; may be NULL
 * @opaque: for @quit, @info and @power
 *
 * The other functions are called from the loop's thread.  A terminal is always read at
 * once, so that @quit works at any time; bytes for which the guest's queue has no room
 * are lost.  From other sources, only as much is read as the guest has room for.
 */
struct input_config {
	struct console *console;
	struct loop *loop;
	size_t (*room)(void *port);
	size_t (*receive)(void *port, const void *bytes, size_t size);
	void *port;
	void (*quit)(void *opaque);
	void (*info)(void *opaque);
	void (*power)(void *opaque);
	void (*help)(void);
	void *opaque;
};

/**
 * input_start() - start reading input
 * @input: set to it
 *
 * Return: 0 or -errno.
 */
int input_start(struct input **input, const struct input_config *config);

/**
 * input_drained() - go on reading: the port has room; any thread may call
 */
void input_drained(struct input *input);

/**
 * input_free() - end input, when the loop does not run any more; NULL is fine
 */
void input_free(struct input *input);

#endif
