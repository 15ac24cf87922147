/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Input: from the console to the serial port.
 */
#ifndef LODGE_MACHINE_INPUT_H
#define LODGE_MACHINE_INPUT_H

#include "dev/serial.h"
#include "machine/console.h"
#include "board/loop.h"

struct input;

/**
 * struct input_config - what input is made with
 * @console: where it comes from
 * @loop: waits for it
 * @serial: where it goes
 * @quit: the user's wish to end the machine, from a terminal
 * @info: the user's wish to see the vCPUs' state, from a terminal
 * @power: the user's press of the power button, from a terminal
 * @help: the user's wish to know the keys, from a terminal; may be NULL
 * @opaque: for @quit, @info and @power
 *
 * From a terminal everything is read at once, so that the controller's own keys
 * always count; what the guest's queue has no room for is lost.  From elsewhere only
 * as much is read as the guest has room for.
 */
struct input_config {
	struct console *console;
	struct loop *loop;
	struct serial *serial;
	void (*quit)(void *opaque);
	void (*info)(void *opaque);
	void (*power)(void *opaque);
	void (*help)(void);
	void *opaque;
};

/**
 * input_start() - let input flow
 * @input: set to it
 *
 * Return: 0 or -errno.
 */
int input_start(struct input **input, const struct input_config *config);

/**
 * input_drained() - the serial port has room again; from any thread
 */
void input_drained(struct input *input);

/**
 * input_free() - free it, once the loop has ended; NULL is fine
 */
void input_free(struct input *input);

#endif
