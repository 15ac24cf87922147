/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shares the agent in a guest among several clients, each of which talks as if the agent
 * were its own (guest/wire.h).
 *
 * One thread takes frames from either side, checks them, and passes them on.  What waits
 * for a client is bounded by the credit that it has given, so that a client that does
 * not read holds up no other one, nor the agent.  Neither the guest nor a client is
 * trusted: a guest that breaks the rules is heard no more, a client that does is let go.
 */
#ifndef LODGE_CONTROL_MUX_H
#define LODGE_CONTROL_MUX_H

#include <stdbool.h>
#include <stddef.h>

#include "guest/wire.h"

/* What a client has sent before mux_add(), at most. */
#define MUX_REST_MAX WIRE_MAX

struct mux;

/**
 * mux_new() - make one
 * @agent: descriptor that leads to the agent; belongs to the caller; not blocking
 *
 * Return: it, or NULL with errno set.
 */
struct mux *mux_new(int agent);

/**
 * mux_free() - let all clients go, and free it; NULL is fine
 */
void mux_free(struct mux *mux);

/**
 * mux_add() - take a client; any thread may call
 * @fd: its connection, not blocking, which is the mux's from here on
 * @rest: what was read from it before
 * @size: bytes of it
 *
 * A client whose connection ends before its command does has hung up.
 *
 * Return: 0; -ENOMEM there is no room for it, or for @rest, and @fd is closed.
 */
int mux_add(struct mux *mux, int fd, const void *rest, size_t size);

/**
 * mux_power_off() - have the agent end all processes, and the machine, when it is up; any
 * thread may call
 */
void mux_power_off(struct mux *mux);

/**
 * mux_work() - pass on what there is
 * @over: descriptor; when it can be read the machine has ended
 * @patience_ms: wait so long for something to be passed on; -1: for ever
 *
 * Return: true; false when the machine has ended, and clients have what it has said last.
 */
bool mux_work(struct mux *mux, int over, int patience_ms);

/**
 * mux_start() - do mux_work() in a thread of its own until the machine has ended
 *
 * Return: 0 or -errno.
 */
int mux_start(struct mux *mux, int over);

/**
 * mux_join() - wait for the end of that thread, if there is one
 */
void mux_join(struct mux *mux);

#endif
