// SPDX-License-Identifier: GPL-2.0
/*
 * Frames over a stream of bytes.
 *
 * The other side is not trusted: a frame's size is checked before its bytes are waited
 * for, and nothing grows.
 */
#include "guest/wire.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Frames without data, such as credits and signals, have always room for so many bytes. */
#define RESERVE (4 * (WIRE_MAX + sizeof(struct wire_frame)))

int wire_fill(struct wire *wire)
{
	ssize_t got;

	if (wire->in_at) {
		memmove(wire->in, wire->in + wire->in_at, wire->in_count);
		wire->in_at = 0;
	}
	if (wire->in_count == sizeof(wire->in))
		return 0;
	got = read(wire->fd, wire->in + wire->in_count,
		   sizeof(wire->in) - wire->in_count);
	if (got < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	wire->in_count += got;
	return got ? 0 : -EPIPE;
}

int wire_feed(struct wire *wire, const void *bytes, size_t size)
{
	const size_t end = wire->in_at + wire->in_count;

	if (size > sizeof(wire->in) - end)
		return -ENOBUFS;
	if (size)
		memcpy(wire->in + end, bytes, size);
	wire->in_count += size;
	return 0;
}

int wire_next(struct wire *wire, struct wire_frame *frame, const void **payload)
{
	const uint8_t *at = wire->in + wire->in_at;

	if (wire->in_count < sizeof(*frame))
		return 0;
	memcpy(frame, at, sizeof(*frame));
	if (frame->size > WIRE_MAX || frame->stream >= WIRE_STREAMS)
		return -EPROTO;
	if (wire->in_count - sizeof(*frame) < frame->size)
		return 0;
	*payload = at + sizeof(*frame);
	wire->in_at += sizeof(*frame) + frame->size;
	wire->in_count -= sizeof(*frame) + frame->size;
	return 1;
}

bool wire_read_number(const struct wire_frame *frame, const void *payload,
		      uint32_t *number)
{
	if (frame->size != sizeof(*number))
		return false;
	memcpy(number, payload, sizeof(*number));
	return true;
}

bool wire_read_exit(const struct wire_frame *frame, const void *payload,
		    struct wire_exit *end)
{
	if (frame->size != sizeof(*end))
		return false;
	memcpy(end, payload, sizeof(*end));
	switch (end->how) {
	case WIRE_EXITED:
		return end->code <= UINT8_MAX;
	case WIRE_KILLED:
		return end->code && end->code < NSIG;
	case WIRE_NO_DIRECTORY:
	case WIRE_NO_PROGRAM:
	case WIRE_NO_START:
		return true;
	}
	return false;
}

static size_t room(const struct wire *wire)
{
	return sizeof(wire->out) - wire->out_count;
}

size_t wire_room(const struct wire *wire)
{
	return room(wire) >= RESERVE + WIRE_MAX + sizeof(struct wire_frame) ?
		       WIRE_MAX :
		       0;
}

static void append(struct wire *wire, const void *bytes, size_t size)
{
	if (size)
		memcpy(wire->out + wire->out_at + wire->out_count, bytes, size);
	wire->out_count += size;
}

int wire_put(struct wire *wire, enum wire_type type, unsigned int session,
	     unsigned int stream, const void *payload, size_t size)
{
	const struct wire_frame frame = {
		.type = type,
		.stream = stream,
		.session = session,
		.size = size,
	};

	if (size > WIRE_MAX || room(wire) < sizeof(frame) + size)
		return -ENOBUFS;
	if (wire->out_at + wire->out_count + sizeof(frame) + size >
	    sizeof(wire->out)) {
		memmove(wire->out, wire->out + wire->out_at, wire->out_count);
		wire->out_at = 0;
	}
	append(wire, &frame, sizeof(frame));
	append(wire, payload, size);
	return 0;
}

int wire_put_number(struct wire *wire, enum wire_type type,
		    unsigned int session, unsigned int stream, uint32_t number)
{
	return wire_put(wire, type, session, stream, &number, sizeof(number));
}

int wire_flush(struct wire *wire)
{
	ssize_t done;

	while (wire->out_count) {
		done = write(wire->fd, wire->out + wire->out_at,
			     wire->out_count);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return errno == EAGAIN ? 0 : -errno;
		wire->out_at += done;
		wire->out_count -= done;
	}
	wire->out_at = 0;
	return 0;
}

bool wire_waits(const struct wire *wire)
{
	return wire->out_count;
}
