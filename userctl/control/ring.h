/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A ring of bytes of a stream, for as many as its reader has given credit for.
 */
#ifndef LODGE_CONTROL_RING_H
#define LODGE_CONTROL_RING_H

#include <stddef.h>
#include <stdint.h>

#include "guest/wire.h"

/**
 * struct ring - bytes in their order; all zeroes: none
 * @at: of the first one in @bytes
 * @count: their number
 */
struct ring {
	size_t at;
	size_t count;
	uint8_t bytes[WIRE_WINDOW];
};

/**
 * ring_put() - append bytes
 * @size: with ring_count(), WIRE_WINDOW at most; what is beyond that is dropped
 */
void ring_put(struct ring *ring, const void *bytes, size_t size);

/**
 * ring_peek() - look at the first bytes
 * @bytes: out: up to the next call of ring_put()
 *
 * Return: the number of those that are in one piece; 0: there is none.
 */
size_t ring_peek(const struct ring *ring, const void **bytes);

/**
 * ring_drop() - forget first bytes
 * @size: up to ring_count()
 */
void ring_drop(struct ring *ring, size_t size);

/**
 * ring_clear() - forget all
 */
void ring_clear(struct ring *ring);

/**
 * ring_count() - the number of bytes
 */
size_t ring_count(const struct ring *ring);

#endif
