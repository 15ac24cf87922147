/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where machines go to and come from: "unix:PATH", "tcp:HOST:PORT", "exec:COMMAND" and
 * "stdio".
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
 * @text: "unix:PATH", "tcp:HOST:PORT" or "exec:COMMAND"
 * @key: file of move_key_read(), with "tcp:" alone; otherwise NULL
 * @place: out: a socket
 *
 * Return: 0, or the exit code after a message.
 */
int move_place_connect(const char *text, const char *key,
		       struct move_place *place);

/**
 * move_place_accept() - wait for a connection from which a machine comes
 * @text: "unix:PATH", "tcp:ADDRESS:PORT" or "stdio"
 * @key: as for move_place_connect()
 * @place: out
 *
 * At a port one is taken that has the key; others are told of, and turned away.
 *
 * With "stdio" standard input and output are the connection's, and nobody else's: from here
 * on nothing is read from the one, and the other leads to standard error.
 *
 * Return: 0, or the exit code after a message.
 */
int move_place_accept(const char *text, const char *key,
		      struct move_place *place);

/**
 * move_place_close() - close it
 * @wait: until the process ends that has led there
 */
void move_place_close(struct move_place *place, bool wait);

#endif
