// SPDX-License-Identifier: GPL-2.0
/*
 * A ring of bytes of a stream.
 */
#include "control/ring.h"

#include <string.h>

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

void ring_put(struct ring *ring, const void *bytes, size_t size)
{
	const uint8_t *from = bytes;

	size = least(size, WIRE_WINDOW - ring->count);
	while (size) {
		const size_t at = (ring->at + ring->count) % WIRE_WINDOW;
		const size_t piece = least(size, WIRE_WINDOW - at);

		memcpy(ring->bytes + at, from, piece);
		ring->count += piece;
		from += piece;
		size -= piece;
	}
}

size_t ring_peek(const struct ring *ring, const void **bytes)
{
	*bytes = ring->bytes + ring->at;
	return least(ring->count, WIRE_WINDOW - ring->at);
}

void ring_drop(struct ring *ring, size_t size)
{
	size = least(size, ring->count);
	ring->at = (ring->at + size) % WIRE_WINDOW;
	ring->count -= size;
}

void ring_clear(struct ring *ring)
{
	ring->at = 0;
	ring->count = 0;
}

size_t ring_count(const struct ring *ring)
{
	return ring->count;
}
