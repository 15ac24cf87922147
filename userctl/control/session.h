/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A client's connection, as the server sees it: bytes come in, are taken apart into
 * requests, and answers go out.  It never blocks.
 */
#ifndef LODGE_CONTROL_SESSION_H
#define LODGE_CONTROL_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "control/feed.h"
#include "control/protocol.h"

/**
 * struct session - a connection
 * @fd: its descriptor, or -1: there is none
 * @console: it has become one to the serial port
 * @leaving: when all is sent it becomes one to the guest's agent, and none of the server's
 * @waiting: ID of a request that waits for the machine's end, or NULL
 * @ended: nothing more comes from the client
 * @closing: it is to be closed when all is sent
 * @broken: it is to be closed at once
 * @in: bytes that were received and are not used yet: with @console for the port,
 *	otherwise the beginning of a request
 * @received: bytes in @in
 * @out: what is being sent, or NULL
 * @size: bytes in @out
 * @sent: bytes of them that are sent
 * @out_file: with @out: descriptor that goes with its first bytes, which is the machine's;
 *	or CONTROL_NO_FILE
 * @files: descriptors that have come, of which a request takes one
 * @file: with @files: the first; the others are closed
 * @holds: what it has begun, and ends with it: bits of enum control_hold
 * @position: with @console: of the output that follows
 */
struct session {
	int fd;
	bool console;
	bool leaving;
	char *waiting;
	bool ended;
	bool closing;
	bool broken;
	char in[CONTROL_REQUEST_MAX];
	size_t received;
	char *out;
	size_t size;
	size_t sent;
	int out_file;
	unsigned int files;
	int file;
	unsigned int holds;
	uint64_t position;
};

/**
 * session_open() - begin with the greeting
 * @fd: descriptor, which does not block, and now is the session's
 */
void session_open(struct session *session, int fd,
		  const struct control_machine *machine);

/**
 * session_close() - close it
 */
void session_close(struct session *session);

/**
 * session_is_gone() - true if the other end of a socket is closed, or its process has ended
 *
 * One that only sends no more is still there.
 */
bool session_is_gone(int socket);

/**
 * session_events() - the events of poll(2) that it waits for
 * @feed: the serial port's output, or NULL
 */
short session_events(const struct session *session, struct feed *feed);

/**
 * session_work() - receive, carry out requests, and send, until it has to wait
 * @happened: events that poll(2) has found
 * @machine: what requests act on
 * @feed: the serial port's output, or NULL
 * @input: descriptor of the serial port's input
 */
void session_work(struct session *session, short happened,
		  const struct control_machine *machine, struct feed *feed,
		  int input);

/**
 * session_wants_input() - true if it has bytes that the serial port's input had no room
 * for
 */
bool session_wants_input(const struct session *session);

/**
 * session_finish() - answer a request that waits for the machine's end
 * @end: the end, a JSON object as text
 */
void session_finish(struct session *session, const char *end);

#endif
