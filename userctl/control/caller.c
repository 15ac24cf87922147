// SPDX-License-Identifier: GPL-2.0
/*
 * A client of the agent in a guest.
 */
#include "control/caller.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The session of each client's command, as it calls it. */
#define SESSION 1
/* Credit for output that nobody reads is given back in such pieces. */
#define CREDIT_STEP (WIRE_WINDOW / 4)

struct caller *caller_new(int fd, const void *rest, size_t size)
{
	struct caller *caller = calloc(1, sizeof(*caller));

	if (!caller || wire_feed(&caller->wire, rest, size)) {
		close(fd);
		free(caller);
		return NULL;
	}
	caller->wire.fd = fd;
	caller->input = WIRE_WINDOW;
	for (int i = WIRE_OUT; i < WIRE_STREAMS; i++)
		caller->outputs[i].left = WIRE_WINDOW;
	return caller;
}

void caller_free(struct caller *caller)
{
	if (!caller)
		return;
	if (caller->wire.fd >= 0)
		close(caller->wire.fd);
	free(caller);
}

void caller_leave(struct caller *caller)
{
	close(caller->wire.fd);
	caller->wire.fd = -1;
	for (int i = WIRE_OUT; i < WIRE_STREAMS; i++) {
		struct output *output = &caller->outputs[i];

		output->owed += output->told + ring_count(&output->ring);
		output->told = 0;
		ring_clear(&output->ring);
	}
}

/*
 * What the agent says.
 */

static int take_output(struct caller *caller, const struct wire_frame *frame,
		       const void *payload)
{
	struct output *output = &caller->outputs[frame->stream];

	if (frame->stream == WIRE_IN || output->closed ||
	    frame->size > output->left)
		return -EPROTO;
	output->left -= frame->size;
	if (caller->wire.fd >= 0)
		ring_put(&output->ring, payload, frame->size);
	else
		output->owed += frame->size;
	return 0;
}

/* What the client may send, with that of which it does not know, is a window at most. */
static int take_credit(struct caller *caller, const struct wire_frame *frame,
		       const void *payload)
{
	uint32_t credit;

	if (frame->stream != WIRE_IN ||
	    !wire_read_number(frame, payload, &credit) ||
	    credit > WIRE_WINDOW - caller->input - caller->credit)
		return -EPROTO;
	caller->credit += credit;
	return 0;
}

int caller_take(struct caller *caller, const struct wire_frame *frame,
		const void *payload)
{
	switch (frame->type) {
	case WIRE_DATA:
		return take_output(caller, frame, payload);
	case WIRE_CLOSE:
		if (frame->stream == WIRE_IN)
			caller->input_closed = true;
		else
			caller->outputs[frame->stream].closed = true;
		return 0;
	case WIRE_CREDIT:
		return take_credit(caller, frame, payload);
	case WIRE_EXIT:
		caller->ended = wire_read_exit(frame, payload, &caller->end);
		return caller->ended ? 0 : -EPROTO;
	}
	return -EPROTO;
}

uint32_t caller_credit(struct caller *caller, unsigned int stream)
{
	struct output *output = &caller->outputs[stream];
	const uint32_t owed = output->owed;

	if (owed < CREDIT_STEP || output->closed || caller->ended)
		return 0;
	output->left += owed;
	output->owed = 0;
	return owed;
}

/*
 * What the client says.
 */

static int take_reader_s_credit(struct caller *caller,
				const struct wire_frame *frame,
				const void *payload)
{
	struct output *output = &caller->outputs[frame->stream];
	uint32_t credit;

	if (frame->stream == WIRE_IN ||
	    !wire_read_number(frame, payload, &credit) || credit > output->told)
		return -EPROTO;
	output->told -= credit;
	output->left += credit;
	return 0;
}

static int take_input(struct caller *caller, const struct wire_frame *frame)
{
	if (frame->stream != WIRE_IN || frame->size > caller->input)
		return -EPROTO;
	caller->input -= frame->size;
	return 0;
}

/* A description, and then the word to start. */
static int check_beginning(struct caller *caller,
			   const struct wire_frame *frame)
{
	if (frame->type == WIRE_SPEC)
		caller->described = true;
	else if (frame->type == WIRE_START && caller->described)
		caller->started = true;
	else
		return -EPROTO;
	return 0;
}

int caller_check(struct caller *caller, const struct wire_frame *frame,
		 const void *payload)
{
	if (!caller->greeted || frame->session != SESSION)
		return -EPROTO;
	if (!caller->started)
		return check_beginning(caller, frame);
	switch (frame->type) {
	case WIRE_DATA:
		return take_input(caller, frame);
	case WIRE_CREDIT:
		return take_reader_s_credit(caller, frame, payload);
	case WIRE_CLOSE:
	case WIRE_SIGNAL:
	case WIRE_RESIZE:
		return 0;
	}
	return -EPROTO;
}

/*
 * What the client is told.
 */

static int tell_failure(struct caller *caller, const char *failed)
{
	const size_t size = strlen(failed);

	caller->greeted = caller->end_told = true;
	return wire_put(&caller->wire, WIRE_FAILED, 0, 0, failed,
			size < WIRE_MAX ? size : WIRE_MAX);
}

static int tell_greeting(struct caller *caller)
{
	caller->greeted = true;
	return wire_put_number(&caller->wire, WIRE_HELLO, 0, 0, WIRE_VERSION);
}

static int tell_output(struct caller *caller, unsigned int stream)
{
	struct output *output = &caller->outputs[stream];
	const void *bytes;
	size_t size, room;
	int err = 0;

	while (!err && (size = ring_peek(&output->ring, &bytes)) &&
	       (room = wire_room(&caller->wire))) {
		if (size > room)
			size = room;
		err = wire_put(&caller->wire, WIRE_DATA, SESSION, stream, bytes,
			       size);
		ring_drop(&output->ring, size);
		output->told += size;
	}
	if (err || ring_count(&output->ring) || !output->closed ||
	    output->close_told)
		return err;
	output->close_told = true;
	return wire_put(&caller->wire, WIRE_CLOSE, SESSION, stream, NULL, 0);
}

static int tell_input(struct caller *caller)
{
	const uint32_t credit = caller->credit;

	if (caller->input_closed && !caller->input_close_told) {
		caller->input_close_told = true;
		return wire_put(&caller->wire, WIRE_CLOSE, SESSION, WIRE_IN,
				NULL, 0);
	}
	if (!credit || !wire_room(&caller->wire))
		return 0;
	caller->input += credit;
	caller->credit = 0;
	return wire_put_number(&caller->wire, WIRE_CREDIT, SESSION, WIRE_IN,
			       credit);
}

static bool has_output(const struct caller *caller)
{
	return ring_count(&caller->outputs[WIRE_OUT].ring) ||
	       ring_count(&caller->outputs[WIRE_ERR].ring);
}

/* The end comes after all output. */
static int tell_end(struct caller *caller)
{
	if (!caller->ended || caller->end_told || has_output(caller))
		return 0;
	caller->end_told = true;
	return wire_put(&caller->wire, WIRE_EXIT, SESSION, 0, &caller->end,
			sizeof(caller->end));
}

static int tell_command(struct caller *caller)
{
	int err = 0;

	for (int i = WIRE_OUT; i < WIRE_STREAMS && !err; i++)
		err = tell_output(caller, i);
	if (!err)
		err = tell_input(caller);
	return err ? err : tell_end(caller);
}

/* A command that had begun as the agent failed has no end. */
int caller_tell(struct caller *caller, bool up, const char *failed)
{
	int err = 0;

	if (!caller->greeted && up && !failed)
		err = tell_greeting(caller);
	if (!err && !caller->end_told)
		err = tell_command(caller);
	if (!err && failed && !caller->ended && !caller->end_told)
		err = tell_failure(caller, failed);
	return err ? err : wire_flush(&caller->wire);
}

bool caller_waits(const struct caller *caller)
{
	return caller->wire.fd >= 0 &&
	       (wire_waits(&caller->wire) ||
		(!caller->end_told && (has_output(caller) || caller->credit)));
}
