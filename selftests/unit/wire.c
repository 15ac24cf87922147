// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the frames between the controller and the agent in a guest: what the other side
 * sends, whatever it is, stays within the buffers.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest/wire.h"
#include "kselftest_harness.h"

FIXTURE(wire)
{
	struct wire *wire;
	int other;
};

FIXTURE_SETUP(wire)
{
	int ends[2];

	self->wire = calloc(1, sizeof(*self->wire));
	ASSERT_NE(NULL, self->wire);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends));
	self->wire->fd = ends[0];
	self->other = ends[1];
}

FIXTURE_TEARDOWN(wire)
{
	close(self->wire->fd);
	close(self->other);
	free(self->wire);
}

static void receive(FIXTURE_DATA(wire) * self, struct wire_frame frame,
		    size_t bytes)
{
	static const uint8_t zeroes[WIRE_MAX];

	if (write(self->other, &frame, sizeof(frame)) != sizeof(frame) ||
	    write(self->other, zeroes, bytes) != (ssize_t)bytes)
		perror("write");
	wire_fill(self->wire);
}

static int next(FIXTURE_DATA(wire) * self)
{
	struct wire_frame frame;
	const void *payload;

	return wire_next(self->wire, &frame, &payload);
}

TEST_F(wire, the_largest_frame_is_taken_when_it_is_whole)
{
	receive(self,
		(struct wire_frame){ .type = WIRE_DATA, .size = WIRE_MAX },
		WIRE_MAX - 1);
	EXPECT_EQ(0, next(self));
	ASSERT_EQ(1, write(self->other, "", 1));
	EXPECT_EQ(0, wire_fill(self->wire));
	EXPECT_EQ(1, next(self));
	EXPECT_EQ(0, next(self));
}

TEST_F(wire, a_larger_frame_is_none_before_its_bytes_are_there)
{
	receive(self,
		(struct wire_frame){ .type = WIRE_DATA, .size = WIRE_MAX + 1 },
		0);
	EXPECT_EQ(-EPROTO, next(self));
}

TEST_F(wire, a_frame_of_an_unknown_stream_is_none)
{
	receive(self,
		(struct wire_frame){ .type = WIRE_DATA,
				     .stream = WIRE_STREAMS },
		0);
	EXPECT_EQ(-EPROTO, next(self));
}

TEST_F(wire, what_nobody_takes_ends_in_no_room)
{
	static const uint8_t zeroes[WIRE_MAX];
	int err = 0;

	for (int i = 0; i < 100 && !err; i++)
		err = wire_put(self->wire, WIRE_DATA, 1, WIRE_OUT, zeroes,
			       sizeof(zeroes));
	EXPECT_EQ(-ENOBUFS, err);
	EXPECT_EQ(-ENOBUFS, wire_put(self->wire, WIRE_DATA, 1, WIRE_OUT, zeroes,
				     WIRE_MAX + 1));
}

TEST_F(wire, data_leaves_room_for_credits_and_signals)
{
	static const uint8_t zeroes[WIRE_MAX];

	while (wire_room(self->wire))
		ASSERT_EQ(0, wire_put(self->wire, WIRE_DATA, 1, WIRE_OUT,
				      zeroes, wire_room(self->wire)));
	for (int i = 0; i < 1000; i++)
		ASSERT_EQ(0, wire_put_number(self->wire, WIRE_CREDIT, 1,
					     WIRE_IN, 1));
}

/* Puts a frame whose bytes are its number.  Return: as wire_put(). */
static int put(struct wire *wire, uint8_t number)
{
	uint8_t bytes[WIRE_MAX];

	memset(bytes, number, sizeof(bytes));
	return wire_put(wire, WIRE_DATA, 1, WIRE_OUT, bytes, sizeof(bytes));
}

/* Reads what the other side has got so far.  Return: true if it is what was put. */
static bool take(FIXTURE_DATA(wire) * self, size_t *taken)
{
	const size_t frame = sizeof(struct wire_frame) + WIRE_MAX;
	uint8_t bytes[1000];
	ssize_t got;

	while ((got = read(self->other, bytes, sizeof(bytes))) > 0)
		for (ssize_t i = 0; i < got; i++, ++*taken)
			if (*taken % frame >= sizeof(struct wire_frame) &&
			    bytes[i] != (uint8_t)(*taken / frame))
				return false;
	return true;
}

TEST_F(wire, what_waits_is_sent_in_its_order_while_more_is_put)
{
	const int small = 20000;
	unsigned int count = 0;
	size_t taken = 0;

	ASSERT_EQ(0, setsockopt(self->wire->fd, SOL_SOCKET, SO_SNDBUF, &small,
				sizeof(small)));
	while (count < 200) {
		while (!put(self->wire, count))
			count++;
		ASSERT_EQ(0, wire_flush(self->wire));
		ASSERT_TRUE(take(self, &taken));
	}
	while (wire_waits(self->wire)) {
		ASSERT_EQ(0, wire_flush(self->wire));
		ASSERT_TRUE(take(self, &taken));
	}
	EXPECT_EQ(count * (sizeof(struct wire_frame) + WIRE_MAX), taken);
}

TEST_HARNESS_MAIN
