// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of a link over a stream socket, whose other end they play.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "net/stream.h"

#define ROOM 4096

/* @log has a letter for each call: the card's, and x for its end. */
FIXTURE(stream)
{
	struct loop *loop;
	struct link *link;
	int peer;
	bool full;
	bool entered;
	size_t size;
	unsigned int frames;
	uint8_t frame[LINK_MAX_FRAME];
	char log[64];
};

static void note(FIXTURE_DATA(stream) * self, const char *letter)
{
	if (strlen(self->log) < sizeof(self->log) - 1)
		strcat(self->log, letter);
}

static void enter(void *opaque)
{
	FIXTURE_DATA(stream) *self = opaque;

	self->entered = true;
}

static void leave(void *opaque)
{
	FIXTURE_DATA(stream) *self = opaque;

	self->entered = false;
	loop_stop(self->loop);
}

static bool receive(void *opaque, const void *frame, size_t size)
{
	FIXTURE_DATA(stream) *self = opaque;

	note(self, self->entered ? "r" : "!");
	if (self->full)
		return false;
	memcpy(self->frame, frame, size);
	self->size = size;
	self->frames++;
	return true;
}

static void writable(void *opaque)
{
	note(opaque, "w");
}

static void down(void *opaque)
{
	note(opaque, "d");
}

static void ended(void *opaque)
{
	note(opaque, "x");
}

FIXTURE_SETUP(stream)
{
	const struct link_card card = {
		.enter = enter,
		.leave = leave,
		.receive = receive,
		.writable = writable,
		.down = down,
		.opaque = self,
	};
	int sockets[2];

	self->loop = loop_new();
	ASSERT_NE(NULL, self->loop);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	self->peer = sockets[1];
	self->link = stream_new(self->loop, sockets[0], &card, ended, self);
	ASSERT_NE(NULL, self->link);
}

FIXTURE_TEARDOWN(stream)
{
	link_free(self->link);
	loop_free(self->loop);
	if (self->peer >= 0)
		close(self->peer);
}

/* Runs the loop until the link has been called once. */
static void turn(FIXTURE_DATA(stream) * self)
{
	loop_run(self->loop);
}

static void peer_sends(FIXTURE_DATA(stream) * self, uint32_t head,
		       const void *frame, size_t size)
{
	head = htonl(head);
	if (write(self->peer, &head, sizeof(head)) != sizeof(head) ||
	    write(self->peer, frame, size) != (ssize_t)size)
		abort();
}

static int send_bytes(FIXTURE_DATA(stream) * self, void *bytes, size_t size)
{
	struct iovec iov[] = {
		{ .iov_base = bytes, .iov_len = 1 },
		{ .iov_base = (char *)bytes + 1, .iov_len = size - 1 },
	};

	return link_send(self->link, iov, 2);
}

TEST_F(stream, a_frame_is_sent_behind_its_size)
{
	char got[16];

	ASSERT_EQ(0, send_bytes(self, "hello", 5));
	ASSERT_EQ(9, read(self->peer, got, sizeof(got)));
	EXPECT_EQ(0, memcmp(got, "\0\0\0\5hello", 9));
}

TEST_F(stream, a_frame_is_received_without_its_size)
{
	peer_sends(self, 5, "hello", 5);
	turn(self);
	ASSERT_EQ(5, self->size);
	EXPECT_EQ(0, memcmp(self->frame, "hello", 5));
	EXPECT_STREQ("r", self->log);
}

TEST_F(stream, a_frame_in_pieces_is_received_when_it_is_whole)
{
	peer_sends(self, 5, "hel", 3);
	turn(self);
	EXPECT_STREQ("", self->log);
	ASSERT_EQ(2, write(self->peer, "lo", 2));
	turn(self);
	EXPECT_EQ(0, memcmp(self->frame, "hello", 5));
}

TEST_F(stream, several_frames_are_received_at_once)
{
	for (int i = 0; i < 10; i++)
		peer_sends(self, 5, "hello", 5);
	turn(self);
	EXPECT_EQ(10, self->frames);
}

TEST_F(stream, the_largest_frame_is_received)
{
	static uint8_t bytes[LINK_MAX_FRAME];
	int size = 4 * LINK_MAX_FRAME;

	memset(bytes, 7, sizeof(bytes));
	setsockopt(self->peer, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	peer_sends(self, LINK_MAX_FRAME, bytes, LINK_MAX_FRAME);
	while (!self->frames)
		turn(self);
	EXPECT_EQ(LINK_MAX_FRAME, self->size);
	EXPECT_EQ(0, memcmp(self->frame, bytes, LINK_MAX_FRAME));
}

TEST_F(stream, a_frame_that_is_too_large_ends_the_link)
{
	peer_sends(self, LINK_MAX_FRAME + 1, "hello", 5);
	turn(self);
	EXPECT_STREQ("d", self->log);
	EXPECT_EQ(0, send_bytes(self, "hello", 5));
}

TEST_F(stream, an_empty_frame_ends_the_link)
{
	peer_sends(self, 0, "", 0);
	turn(self);
	EXPECT_STREQ("d", self->log);
}

TEST_F(stream, the_end_of_the_other_side_ends_the_link)
{
	close(self->peer);
	self->peer = -1;
	turn(self);
	EXPECT_STREQ("d", self->log);
}

TEST_F(stream, a_refused_frame_is_kept_until_there_is_room)
{
	self->full = true;
	peer_sends(self, 5, "hello", 5);
	turn(self);
	peer_sends(self, 5, "world", 5);
	EXPECT_STREQ("r", self->log);
	self->full = false;
	link_resume(self->link);
	EXPECT_EQ(0, memcmp(self->frame, "hello", 5));
	turn(self);
	EXPECT_EQ(0, memcmp(self->frame, "world", 5));
	EXPECT_EQ(2, self->frames);
}

/* Return: how many frames the link took before it had no room. */
static unsigned int fill_socket(FIXTURE_DATA(stream) * self, uint8_t *bytes)
{
	unsigned int sent = 0;

	while (!send_bytes(self, bytes, ROOM) && sent < 10000) {
		bytes[0]++;
		sent++;
	}
	return sent;
}

TEST_F(stream, a_slow_peer_gets_each_frame_whole_and_the_card_is_told_of_room)
{
	uint8_t bytes[ROOM] = {}, got[sizeof(uint32_t) + ROOM];
	unsigned int sent = fill_socket(self, bytes);

	ASSERT_NE(10000, sent);
	for (unsigned int i = 0; i < sent; i++) {
		size_t at = 0;

		while (at < sizeof(got)) {
			ssize_t count = recv(self->peer, got + at,
					     sizeof(got) - at, MSG_DONTWAIT);

			if (count > 0)
				at += count;
			else
				turn(self);
		}
		ASSERT_EQ(0, memcmp(got, "\0\0\x10\0", 4));
		ASSERT_EQ((uint8_t)i, got[4]);
	}
	while (!strchr(self->log, 'w'))
		turn(self);
	EXPECT_STREQ("w", self->log);
	EXPECT_EQ(0, send_bytes(self, "hello", 5));
}

TEST_F(stream, freeing_it_ends_the_other_side)
{
	char byte;

	link_free(self->link);
	self->link = NULL;
	EXPECT_STREQ("x", self->log);
	EXPECT_EQ(0, read(self->peer, &byte, 1));
}

TEST_F(stream, the_end_of_the_other_side_is_seen_while_a_frame_waits)
{
	self->full = true;
	peer_sends(self, 5, "hello", 5);
	turn(self);
	close(self->peer);
	self->peer = -1;
	turn(self);
	EXPECT_STREQ("rd", self->log);
	self->full = false;
	link_resume(self->link);
	EXPECT_EQ(0, self->frames);
}

TEST_HARNESS_MAIN
