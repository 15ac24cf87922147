// SPDX-License-Identifier: GPL-2.0
/*
 * A link to a TAP interface.
 */
#include "net/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#define TUN_PATH "/dev/net/tun"
#define HEADER sizeof(struct virtio_net_hdr_v1)
/* So many frames go to the card before others in the loop have their turn. */
#define FRAMES_AT_ONCE 64

/**
 * struct tap - a link
 * @link: its face
 * @loop: event loop
 * @fd: the interface; -1: it is gone, and the link is down
 * @size: bytes of @frame, which the card has refused; 0: it has none
 * @frame: the last frame read
 */
struct tap {
	struct link link;
	struct loop *loop;
	int fd;
	size_t size;
	uint8_t frame[HEADER + LINK_MAX_FRAME];
};

/* A full interface loses the frame, as a cable would. */
static int tap_send(struct link *link, const struct iovec *iov,
		    unsigned int count)
{
	const struct tap *tap = (struct tap *)link;

	while (writev(tap->fd, iov, count) < 0 && errno == EINTR)
		;
	return 0;
}

static void tap_end(struct tap *tap)
{
	if (tap->fd < 0)
		return;
	loop_unwatch(tap->loop, tap->fd);
	close(tap->fd);
	tap->fd = -1;
	tap->size = 0;
}

/* Somebody has removed the interface. */
static void tap_fail(struct tap *tap)
{
	tap_end(tap);
	tap->link.card.down(tap->link.card.opaque);
}

/* Return: true if there is a frame. */
static bool read_frame(struct tap *tap)
{
	const ssize_t size = read(tap->fd, tap->frame, sizeof(tap->frame));

	if (size > (ssize_t)HEADER)
		tap->size = size;
	else if (size < 0 && errno != EAGAIN && errno != EINTR)
		tap_fail(tap);
	return tap->size;
}

/* Return: true if the card has taken a frame. */
static bool deliver(struct tap *tap)
{
	const struct link_card *card = &tap->link.card;

	if (!tap->size && !read_frame(tap))
		return false;
	if (!card->receive(card->opaque, tap->frame, tap->size))
		return false;
	tap->size = 0;
	return true;
}

static void deliver_some(struct tap *tap)
{
	unsigned int left = FRAMES_AT_ONCE;

	while (left && deliver(tap))
		left--;
	if (tap->fd >= 0)
		loop_await(tap->loop, tap->fd, !tap->size, false);
}

/* While the card has no room nobody reads, who would find the end. */
static bool has_gone(const struct tap *tap)
{
	struct pollfd file = { .fd = tap->fd };

	return poll(&file, 1, 0) == 1;
}

static void ready(void *opaque, int fd)
{
	struct tap *tap = opaque;
	const struct link_card *card = &tap->link.card;

	(void)fd;
	card->enter(card->opaque);
	if (tap->size && has_gone(tap))
		tap_fail(tap);
	else
		deliver_some(tap);
	card->leave(card->opaque);
}

static void tap_resume(struct link *link)
{
	struct tap *tap = (struct tap *)link;

	if (tap->size)
		deliver_some(tap);
}

static void tap_free(struct link *link)
{
	struct tap *tap = (struct tap *)link;

	tap_end(tap);
	free(tap);
}

static void tap_offload(struct link *link, bool checksum, bool tso4, bool tso6)
{
	const struct tap *tap = (struct tap *)link;
	unsigned long what = 0;

	if (checksum)
		what = TUN_F_CSUM | (tso4 ? TUN_F_TSO4 : 0) |
		       (tso6 ? TUN_F_TSO6 : 0);
	ioctl(tap->fd, TUNSETOFFLOAD, what);
}

static const struct link_kind kind = {
	.header = HEADER,
	.send = tap_send,
	.resume = tap_resume,
	.offload = tap_offload,
	.free = tap_free,
};

/* Return: the descriptor, or -errno. */
static int tap_open(const char *name)
{
	struct ifreq request = {
		.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR,
	};
	int header = HEADER;
	int fd, err;

	if (!*name || strlen(name) >= sizeof(request.ifr_name))
		return -EINVAL;
	strcpy(request.ifr_name, name);
	fd = open(TUN_PATH, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!ioctl(fd, TUNSETIFF, &request) &&
	    !ioctl(fd, TUNSETVNETHDRSZ, &header))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

struct link *tap_new(struct loop *loop, const char *name,
		     const struct link_card *card)
{
	struct tap *tap = calloc(1, sizeof(*tap));
	int err;

	if (!tap)
		return NULL;
	tap->link = (struct link){ .kind = &kind, .card = *card };
	tap->loop = loop;
	tap->fd = tap_open(name);
	err = tap->fd < 0 ? tap->fd : loop_watch(loop, tap->fd, ready, tap);
	if (!err)
		return &tap->link;
	if (tap->fd >= 0)
		close(tap->fd);
	free(tap);
	errno = -err;
	return NULL;
}
