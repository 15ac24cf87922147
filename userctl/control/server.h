/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The server of the control socket, in the controller.
 *
 * It runs in the machine's owner's thread, which would wait for the machine's end
 * otherwise, so that requests call the machine directly.  Neither the guest nor the
 * server ever waits for a client: one that does not read its answers gets no others, one
 * that does not read the serial port's output misses some, and one that sends no whole
 * line holds nothing but its connection, of which there are few.
 */
#ifndef LODGE_CONTROL_SERVER_H
#define LODGE_CONTROL_SERVER_H

#include "control/feed.h"
#include "control/protocol.h"

/* Most connections at a time. */
#define SERVER_MAX_CLIENTS 32

struct server;

/**
 * struct server_config - what a server serves
 * @listener: of endpoint_listen(); stays the caller's
 * @machine: what requests act on
 * @feed: the serial port's output, or NULL
 * @input: descriptor of the serial port's input, which does not block; with @feed
 * @event: with @happened: a descriptor
 * @happened: called when that can be read, which it reads; or NULL
 * @look: called from time to time while the machine is paused
 *
 * All must stay as long as the server.
 */
struct server_config {
	int listener;
	const struct control_machine *machine;
	struct feed *feed;
	int input;
	int event;
	void (*happened)(void *opaque);
	void (*look)(void *opaque);
};

/**
 * server_new() - make a server
 *
 * Return: the server, or NULL with errno set.
 */
struct server *server_new(const struct server_config *config);

/**
 * server_run() - serve clients
 * @stop: a descriptor; returns when it is readable
 *
 * Return: 0 or -errno.
 */
int server_run(struct server *server, int stop);

/**
 * server_finish() - tell those who wait for it of the machine's end, and send what else
 * is to be sent to those who take it at once
 * @end: the end, a JSON object as text
 */
void server_finish(struct server *server, const char *end);

/**
 * server_free() - close all connections; NULL is fine
 */
void server_free(struct server *server);

#endif
