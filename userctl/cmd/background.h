/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The controller of a machine that others reach by its name: its directory and control
 * socket, and in the background its logs and console.
 */
#ifndef LODGE_CMD_BACKGROUND_H
#define LODGE_CMD_BACKGROUND_H

#include "cmd/options.h"
#include "control/mux.h"
#include "control/protocol.h"
#include "machine/machine.h"

struct background;

/**
 * background_open() - take the machine's name, and make what stands below it
 * @background: set to it
 * @options: its description; gets the name that is made up if it has none
 * @caller: of detach()
 *
 * Return: 0, or the exit code after a message.
 */
int background_open(struct background **background, struct run_options *options,
		    int caller);

/**
 * background_open_front() - the same for a machine in the foreground, which has neither
 * logs nor a console there
 * @background: set to it; or to NULL: there is no place for it, and the machine runs
 *	without
 *
 * Return: 0, or the exit code after a message.
 */
int background_open_front(struct background **background,
			  struct run_options *options);

/**
 * background_console() - open the console that `lodge console` connects to
 * @console: set to it
 *
 * Return: 0 or -errno.
 */
int background_console(struct background *background, struct console **console);

/**
 * background_write() - append to what `lodge logs` and `lodge console` show, after
 * background_console(); any thread may call
 * @opaque: background
 */
void background_write(void *opaque, const void *data, size_t size);

/**
 * background_leave() - let go of what the caller has handed down, when the machine is
 * built
 *
 * Return: a descriptor for the message of a process that is ended.
 */
int background_leave(struct background *background);

/**
 * background_stand_by() - tell the caller that the machine stands by, and carry out the
 * requests that can be made of such a machine
 * @control: how those reach it; its name, and what it has, are filled in
 * @stop: a descriptor; returns when it is readable
 *
 * Messages go to the log from then on, in the background.
 *
 * Return: 0 or -errno.
 */
int background_stand_by(struct background *background,
			struct control_machine *control, int stop);

/**
 * background_serve() - tell the caller that the machine runs, and carry out requests until
 * it ends
 * @machine: was started
 * @mux: shares the agent in it, which also ends it when its power button is pressed; or
 *	NULL
 *
 * Messages go to the log from then on, in the background.
 */
void background_serve(struct background *background, struct machine *machine,
		      struct mux *mux);

/**
 * background_set_end() - set what is recorded of the machine's end
 * @end: a JSON object as text, which is copied
 */
void background_set_end(struct background *background, const char *end);

/**
 * background_close() - record the end of a machine that was served in the background, and
 * remove what need not stay; NULL is fine
 * @code: the exit code
 */
void background_close(struct background *background, int code);

#endif
