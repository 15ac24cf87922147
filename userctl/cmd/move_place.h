/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where machines go to and come from: "unix:PATH", "exec:COMMAND" and "stdio".
 */
#ifndef LODGE_CMD_MOVE_PLACE_H
#define LODGE_CMD_MOVE_PLACE_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * struct move_place - a connection to another controller
 * @in: descriptor to read from
 * @out: descriptor to write to; the same for a socket
 * @child: process that leads there, or 0
 */
struct move_place {
	int in;
	int out;
	pid_t child;
};

/**
 * move_place_connect() - connect to where a machine is to go
 * @text: "unix:PATH" or "exec:COMMAND"
 * @place: out: a socket
 *
 * Return: 0, or the exit code after a message.
 */
int move_place_connect(const char *text, struct move_place *place);

/**
 * move_place_accept() - wait for a connection from which a machine comes
 * @text: "unix:PATH" or "stdio"
 * @place: out
 *
 * With "stdio" standard input and output are the connection's, and nobody else's: from here
 * on nothing is read from the one, and the other leads to standard error.
 *
 * Return: 0, or the exit code after a message.
 */
int move_place_accept(const char *text, struct move_place *place);

/**
 * move_place_close() - close it
 * @wait: until the process ends that has led there
 */
void move_place_close(struct move_place *place, bool wait);

#endif
