// SPDX-License-Identifier: GPL-2.0
/*
 * A link over a stream socket.
 *
 * What the other side sends is not trusted: a frame of an impossible size ends the link.
 */
#include "net/stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD sizeof(uint32_t)
#define INPUT_SIZE (2 * (HEAD + LINK_MAX_FRAME))
#define MAX_PARTS 258

/**
 * struct stream - a link over a socket
 * @link: its face
 * @loop: event loop
 * @fd: the socket; -1: the link is down
 * @ended: see stream_new()
 * @opaque: for @ended
 * @wanted: a frame was refused, and the card waits for writable()
 * @full: the card has refused the first frame of @input
 * @filled: bytes of @input that were received
 * @used: bytes of @input that the card has taken
 * @left: bytes of @output that are not sent yet: the rest of a frame
 * @sent: bytes of @output that are
 * @input: bytes received
 * @output: a frame that went into the socket in part
 */
struct stream {
	struct link link;
	struct loop *loop;
	int fd;
	void (*ended)(void *opaque);
	void *opaque;
	bool wanted;
	bool full;
	size_t filled;
	size_t used;
	size_t left;
	size_t sent;
	uint8_t input[INPUT_SIZE];
	uint8_t output[HEAD + LINK_MAX_FRAME];
};

/* Waits for what there is room for, at the card and here. */
static void await(const struct stream *stream, bool output)
{
	loop_await(stream->loop, stream->fd, !stream->full, output);
}

static void stream_end(struct stream *stream)
{
	if (stream->fd < 0)
		return;
	loop_unwatch(stream->loop, stream->fd);
	close(stream->fd);
	stream->fd = -1;
}

static void stream_fail(struct stream *stream)
{
	stream_end(stream);
	stream->link.card.down(stream->link.card.opaque);
}

/* Keeps what the socket has not taken of a frame of @size bytes. */
static void keep_rest(struct stream *stream, const struct iovec *iov,
		      unsigned int count, size_t size, size_t sent)
{
	size_t at = 0;

	for (unsigned int i = 0; i < count; i++) {
		memcpy(stream->output + at, iov[i].iov_base, iov[i].iov_len);
		at += iov[i].iov_len;
	}
	stream->sent = sent;
	stream->left = size - sent;
	await(stream, true);
}

/* Return: the frame's size, or 0: it is no frame. */
static size_t frame_size(const struct iovec *iov, unsigned int count)
{
	size_t size = 0;

	if (count > MAX_PARTS - 1)
		return 0;
	for (unsigned int i = 0; i < count; i++) {
		if (iov[i].iov_len > LINK_MAX_FRAME - size)
			return 0;
		size += iov[i].iov_len;
	}
	return size;
}

static int stream_send(struct link *link, const struct iovec *iov,
		       unsigned int count)
{
	struct stream *stream = (struct stream *)link;
	const size_t size = frame_size(iov, count);
	uint32_t head = htonl(size);
	struct iovec parts[MAX_PARTS] = {
		{ .iov_base = &head, .iov_len = HEAD },
	};
	const struct msghdr message = {
		.msg_iov = parts,
		.msg_iovlen = count + 1,
	};
	ssize_t sent;

	if (stream->fd < 0 || !size)
		return 0;
	if (stream->left) {
		stream->wanted = true;
		return -EAGAIN;
	}
	memcpy(parts + 1, iov, count * sizeof(*iov));
	sent = sendmsg(stream->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent < 0 && errno == EAGAIN) {
		stream->wanted = true;
		await(stream, true);
		return -EAGAIN;
	}
	if (sent >= 0 && (size_t)sent < HEAD + size)
		keep_rest(stream, parts, count + 1, HEAD + size, sent);
	/* A socket that is gone is found by its reader. */
	return 0;
}

/* Sends the rest of a frame.  Return: true if nothing is left. */
static bool flush(struct stream *stream)
{
	ssize_t sent;

	if (stream->left) {
		sent = send(stream->fd, stream->output + stream->sent,
			    stream->left, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent > 0) {
			stream->sent += sent;
			stream->left -= sent;
		}
	}
	return !stream->left;
}

static size_t input_left(const struct stream *stream)
{
	return stream->filled - stream->used;
}

/* Gives the card the first frame received.  Return: true if there was one, and it took it. */
static bool deliver(struct stream *stream)
{
	const struct link_card *card = &stream->link.card;
	uint32_t size;

	if (input_left(stream) < HEAD)
		return false;
	memcpy(&size, stream->input + stream->used, HEAD);
	size = ntohl(size);
	if (!size || size > LINK_MAX_FRAME) {
		stream_fail(stream);
		return false;
	}
	if (input_left(stream) < HEAD + size)
		return false;
	stream->full = !card->receive(
		card->opaque, stream->input + stream->used + HEAD, size);
	if (stream->full)
		return false;
	stream->used += HEAD + size;
	return true;
}

/*
 * Gives the card what was received.  The socket is not read while the card has no room,
 * so that the sender waits.
 */
static void deliver_all(struct stream *stream)
{
	stream->full = false;
	while (deliver(stream))
		;
}

static void receive(struct stream *stream)
{
	ssize_t count;

	memmove(stream->input, stream->input + stream->used,
		input_left(stream));
	stream->filled -= stream->used;
	stream->used = 0;
	count = recv(stream->fd, stream->input + stream->filled,
		     INPUT_SIZE - stream->filled, MSG_DONTWAIT);
	if (count > 0)
		stream->filled += count;
	else if (!count || (errno != EAGAIN && errno != EINTR))
		stream_fail(stream);
}

/* The socket takes bytes again. */
static void go_on(struct stream *stream)
{
	const struct link_card *card = &stream->link.card;

	if (!flush(stream))
		return;
	await(stream, false);
	if (!stream->wanted)
		return;
	stream->wanted = false;
	card->writable(card->opaque);
}

/* While the card has no room nobody reads, who would find the end. */
static bool has_hung_up(const struct stream *stream)
{
	struct pollfd file = { .fd = stream->fd };

	return poll(&file, 1, 0) == 1;
}

static void ready(void *opaque, int fd)
{
	struct stream *stream = opaque;
	const struct link_card *card = &stream->link.card;

	(void)fd;
	card->enter(card->opaque);
	if (stream->full && has_hung_up(stream))
		stream_fail(stream);
	if (stream->fd >= 0 && (stream->left || stream->wanted))
		go_on(stream);
	/* A frame that the card has refused may fill all there is for input. */
	if (stream->fd >= 0 && !stream->full)
		receive(stream);
	if (stream->fd >= 0 && !stream->full)
		deliver_all(stream);
	if (stream->fd >= 0)
		await(stream, stream->left || stream->wanted);
	card->leave(card->opaque);
}

static void stream_resume(struct link *link)
{
	struct stream *stream = (struct stream *)link;

	if (stream->fd < 0 || !stream->full)
		return;
	deliver_all(stream);
	if (stream->fd >= 0)
		await(stream, stream->left || stream->wanted);
}

static void stream_free(struct link *link)
{
	struct stream *stream = (struct stream *)link;

	stream_end(stream);
	if (stream->ended)
		stream->ended(stream->opaque);
	free(stream);
}

static const struct link_kind kind = {
	.send = stream_send,
	.resume = stream_resume,
	.free = stream_free,
};

struct link *stream_new(struct loop *loop, int fd, const struct link_card *card,
			void (*ended)(void *opaque), void *opaque)
{
	struct stream *stream = calloc(1, sizeof(*stream));
	int err = stream ? loop_watch(loop, fd, ready, stream) : -ENOMEM;

	if (err) {
		close(fd);
		if (ended)
			ended(opaque);
		free(stream);
		errno = -err;
		return NULL;
	}
	stream->link = (struct link){ .kind = &kind, .card = *card };
	stream->loop = loop;
	stream->fd = fd;
	stream->ended = ended;
	stream->opaque = opaque;
	return &stream->link;
}
