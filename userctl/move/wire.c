// SPDX-License-Identifier: GPL-2.0
/*
 * Frames between two controllers.
 */
#include "move/wire.h"

#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "snap/crc.h"

#define TICK_MS 10
#define CONFIG_SIZE_MAX (256U << 10)
#define HOST_SIZE_MAX (64U << 10)
#define PATH_SIZE_MAX 4096U

/* The lengths that a type may have. */
static const struct {
	uint32_t least;
	uint32_t most;
} lengths[] = {
	[MOVE_OFFER] = { sizeof(struct move_offer_head),
			 sizeof(struct move_offer_head) },
	[MOVE_CONFIG] = { 2, CONFIG_SIZE_MAX },
	[MOVE_HOST] = { 2, HOST_SIZE_MAX },
	[MOVE_STATE] = { 1, MOVE_PAYLOAD_MAX },
	[MOVE_IMAGE] = { sizeof(struct move_image_head) + 1,
			 sizeof(struct move_image_head) + PATH_SIZE_MAX },
	[MOVE_BYTES] = { 1, MOVE_PIECE_MAX },
	[MOVE_PAGES] = { sizeof(struct move_pages_head),
			 sizeof(struct move_pages_head) +
				 MOVE_RUN_MAX *MOVE_PAGE },
	[MOVE_GO] = { 0, 0 },
	[MOVE_ACCEPT] = { 0, 0 },
	[MOVE_REFUSE] = { 1, MOVE_WHY_SIZE },
	[MOVE_READY] = { 0, 0 },
	[MOVE_RUNNING] = { 0, 0 },
	[MOVE_STANDBY] = { sizeof(struct move_standby_head),
			   sizeof(struct move_standby_head) },
	[MOVE_CLOSE] = { sizeof(struct move_closing),
			 sizeof(struct move_closing) },
	[MOVE_TAKEN] = { 0, 0 },
	[MOVE_END] = { 1, MOVE_WHY_SIZE },
};

static bool is_possible(uint32_t type, uint64_t length)
{
	return type >= MOVE_OFFER &&
	       type < sizeof(lengths) / sizeof(lengths[0]) &&
	       length >= lengths[type].least && length <= lengths[type].most;
}

void move_link_free(struct move_link *link)
{
	free(link->payload);
	link->payload = NULL;
	link->room = 0;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/*
 * Waits for an event of poll(2), or for the end of the connection, until the deadline of
 * what is sent or received.  Return: 0 or -errno.
 */
static int await(const struct move_link *link, int fd, short events,
		 int64_t deadline)
{
	struct pollfd poll_fd = { .fd = fd, .events = events };
	int64_t left;
	int ready;

	while ((left = deadline - now_ms()) > 0) {
		if (link->stop && *link->stop)
			return -ECANCELED;
		if (link->tick)
			link->tick(link->opaque);
		if (link->tick || link->stop)
			left = left < TICK_MS ? left : TICK_MS;
		ready = poll(&poll_fd, 1, left);
		if (ready < 0 && errno != EINTR)
			return -errno;
		if (ready > 0)
			return 0;
	}
	return -ETIMEDOUT;
}

/* A pipe gets what it surely has room for, so that it does not block. */
static ssize_t send_some(int fd, const void *bytes, size_t size)
{
	ssize_t count = send(fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (count >= 0 || errno != ENOTSOCK)
		return count;
	return write(fd, bytes,
		     size < _POSIX_PIPE_BUF ? size : _POSIX_PIPE_BUF);
}

static bool is_passing(int err)
{
	return err == EAGAIN || err == EINTR;
}

/* @size: bytes of a step at most, for which the other side has its time */
static int send_step(struct move_link *link, const void *bytes, size_t size)
{
	const int64_t deadline = now_ms() + link->patience_ms;
	const char *at = bytes;
	ssize_t count;
	int err;

	while (size) {
		err = await(link, link->out, POLLOUT, deadline);
		if (err)
			return err;
		count = send_some(link->out, at, size);
		if (count < 0 && is_passing(errno))
			continue;
		if (count < 0)
			return errno == ECONNRESET ? -EPIPE : -errno;
		at += count;
		size -= count;
		link->sent += count;
	}
	return 0;
}

static int send_all(struct move_link *link, const void *bytes, size_t size)
{
	const char *at = bytes;
	size_t done = 0, part;
	int err = 0;

	for (; done < size && !err; done += part) {
		part = size - done < MOVE_STEP ? size - done : MOVE_STEP;
		err = send_step(link, at + done, part);
	}
	return err;
}

int move_send(struct move_link *link, enum move_type type, const void *head,
	      size_t head_size, const void *bytes, size_t size)
{
	struct move_head frame = { .type = htole32(type) };
	uint32_t crc;
	int err;

	if (!is_possible(type, (uint64_t)head_size + size))
		return -EMSGSIZE;
	frame.length = htole32(head_size + size);
	crc = snap_crc(0, &frame, sizeof(frame));
	crc = snap_crc(crc, head, head_size);
	frame.crc = htole32(snap_crc(crc, bytes, size));
	link->sent_crc =
		snap_crc(link->sent_crc, &frame.crc, sizeof(frame.crc));
	err = send_all(link, &frame, sizeof(frame));
	if (!err)
		err = send_all(link, head, head_size);
	return err ? err : send_all(link, bytes, size);
}

/* As send_step(). */
static int receive_step(struct move_link *link, void *bytes, size_t size)
{
	const int64_t deadline = now_ms() + link->patience_ms;
	char *at = bytes;
	ssize_t count;
	int err;

	while (size) {
		err = await(link, link->in, POLLIN, deadline);
		if (err)
			return err;
		count = read(link->in, at, size);
		if (count < 0 && is_passing(errno))
			continue;
		if (count <= 0)
			return count && errno != ECONNRESET ? -errno : -EPIPE;
		at += count;
		size -= count;
	}
	return 0;
}

/* Memory is taken for what has come, and not for what is said to come. */
static int receive_payload(struct move_link *link, size_t size)
{
	size_t done = 0, part;
	uint8_t *more;
	int err = 0;

	while (done < size && !err) {
		part = size - done < MOVE_STEP ? size - done : MOVE_STEP;
		if (link->room < done + part) {
			more = realloc(link->payload, done + part);
			if (!more)
				return -ENOMEM;
			link->payload = more;
			link->room = done + part;
		}
		err = receive_step(link, link->payload + done, part);
		done += part;
	}
	return err;
}

int move_receive(struct move_link *link, struct move_frame *frame)
{
	struct move_head head;
	uint32_t crc;
	int err = receive_step(link, &head, sizeof(head));

	if (err)
		return err;
	frame->length = le32toh(head.length);
	if (head.reserved || !is_possible(le32toh(head.type), frame->length))
		return -EPROTO;
	frame->type = le32toh(head.type);
	err = receive_payload(link, frame->length);
	if (err)
		return err;
	frame->payload = link->payload;
	link->received_crc =
		snap_crc(link->received_crc, &head.crc, sizeof(head.crc));
	crc = le32toh(head.crc);
	head.crc = 0;
	return snap_crc(snap_crc(0, &head, sizeof(head)), frame->payload,
			frame->length) == crc ?
		       0 :
		       -EBADMSG;
}

const char *move_error_text(int err)
{
	switch (-err) {
	case EPIPE:
		return "the connection was closed";
	case ETIMEDOUT:
		return "the other side does not answer";
	case EPROTO:
		return "the other side does not speak this version of the "
		       "stream";
	case ENOTSUP:
		return "the machine is to stand by, and not to move, or the "
		       "other way round: lodge receive --standby is for "
		       "lodge replicate";
	case EBADMSG:
		return "what has come does not match its checksum";
	}
	return strerror(-err);
}
