/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A client of the agent in a guest, as struct mux sees it: what it was told, what it may
 * say, and what waits for it.
 *
 * What the agent says to it is no queue here but a state: bytes of outputs in rings, a
 * sum of credits, and what has ended.  So small frames take no more room than large ones.
 */
#ifndef LODGE_CONTROL_CALLER_H
#define LODGE_CONTROL_CALLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/ring.h"
#include "guest/wire.h"

/**
 * struct output - output of a command, on its way to a client
 * @ring: bytes that wait
 * @left: bytes that the agent may still send
 * @told: bytes that the client has got, and for which it gave no credit yet
 * @owed: bytes that were dropped, and for which the agent got no credit yet
 * @closed: the agent sends no more
 * @close_told: the client knows
 */
struct output {
	struct ring ring;
	uint32_t left;
	uint32_t told;
	uint32_t owed;
	bool closed;
	bool close_told;
};

/**
 * struct caller - a client, which has one command
 * @next: of a list of new ones
 * @wire: leads to it; fd -1: it has gone
 * @greeted: it was told of the agent, or of its failure
 * @described: the agent knows of its command: the session is in use until @ended
 * @started: the agent was told to start it
 * @hung_up: the agent was told that the client has gone
 * @ended: the command has ended
 * @end: with @ended: how
 * @end_told: the client knows, or knows that it will not be told
 * @input: bytes of input that the client may still send
 * @credit: bytes more that it may send, and does not know of
 * @input_closed: nobody reads its input
 * @input_close_told: the client knows
 * @outputs: by stream; that of the input is not used
 */
struct caller {
	struct caller *next;
	struct wire wire;
	bool greeted;
	bool described;
	bool started;
	bool hung_up;
	bool ended;
	struct wire_exit end;
	bool end_told;
	uint32_t input;
	uint32_t credit;
	bool input_closed;
	bool input_close_told;
	struct output outputs[WIRE_STREAMS];
};

/**
 * caller_new() - make a client
 * @fd: its connection, not blocking, which is its own from here on
 * @rest: what was read from it before
 * @size: bytes of it
 *
 * Return: it; or NULL without memory, or if @rest is too much, and @fd is closed.
 */
struct caller *caller_new(int fd, const void *rest, size_t size);

/**
 * caller_free() - close its connection, and free it; NULL is fine
 */
void caller_free(struct caller *caller);

/**
 * caller_leave() - close its connection; what waits for it is dropped
 */
void caller_leave(struct caller *caller);

/**
 * caller_take() - take a frame of its session from the agent
 *
 * Return: 0; -EPROTO the agent must not say this now.
 */
int caller_take(struct caller *caller, const struct wire_frame *frame,
		const void *payload);

/**
 * caller_credit() - take the credit that the agent gets for output that was dropped
 *
 * Return: bytes, or 0: there is none yet.
 */
uint32_t caller_credit(struct caller *caller, unsigned int stream);

/**
 * caller_check() - take note of a frame from the client
 *
 * Return: 0: it is for the agent, unless the command has ended; -EPROTO the client must
 * not say this now.
 */
int caller_check(struct caller *caller, const struct wire_frame *frame,
		 const void *payload);

/**
 * caller_tell() - send the client what there is for it, as far as it takes it
 * @up: the agent is there
 * @failed: why it is heard no more, or NULL
 *
 * Return: 0; -errno: the client is to be left.
 */
int caller_tell(struct caller *caller, bool up, const char *failed);

/**
 * caller_waits() - true if something is still to be sent to the client
 */
bool caller_waits(const struct caller *caller);

#endif
