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
 * @attached: the interface gives frames to @fd, which the loop watches
 * @lent: somebody else takes them
 * @awaited: while @attached: the loop tells of frames
 * @size: bytes of @frame, which the card has refused; 0: it has none
 * @frame: the last frame read
 */
struct tap {
	struct link link;
	struct loop *loop;
	int fd;
	bool attached;
	bool lent;
	bool awaited;
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

/*
 * Waits for frames while they can be taken.  The kernel tells of the interface's end as it
 * tells of a frame, so that a link that waits for none may learn of it late.
 */
static void await(struct tap *tap)
{
	const bool wanted = !tap->size && !tap->lent;

	if (tap->fd < 0 || !tap->attached || tap->awaited == wanted)
		return;
	if (!loop_await(tap->loop, tap->fd, wanted, false))
		tap->awaited = wanted;
}

static void tap_end(struct tap *tap)
{
	if (tap->fd < 0)
		return;
	if (tap->attached)
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
	await(tap);
}

/* While nobody reads here, the end is found so. */
static bool has_gone(const struct tap *tap)
{
	struct pollfd file = { .fd = tap->fd };

	return poll(&file, 1, 0) == 1;
}

/* While the loop has waited for the card's lock, much may have changed. */
static bool is_mine(const struct tap *tap)
{
	return tap->fd >= 0 && tap->attached && !tap->lent && !tap->size;
}

static void ready(void *opaque, int fd)
{
	struct tap *tap = opaque;
	const struct link_card *card = &tap->link.card;

	(void)fd;
	card->enter(card->opaque);
	if (is_mine(tap))
		deliver_some(tap);
	else if (tap->fd >= 0 && tap->attached && has_gone(tap))
		tap_fail(tap);
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

/* Return: 0 or -errno. */
static int set_queue(const struct tap *tap, bool on)
{
	struct ifreq request = {
		.ifr_flags = on ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE,
	};

	return ioctl(tap->fd, TUNSETQUEUE, &request) ? -errno : 0;
}

/* Return: 0 or -errno. */
static int take_queue(struct tap *tap)
{
	int err = set_queue(tap, true);

	if (err)
		return err;
	err = loop_watch(tap->loop, tap->fd, ready, tap);
	if (err)
		set_queue(tap, false);
	tap->awaited = true;
	return err;
}

/*
 * A descriptor without a queue has an error that does not end: it is not watched.  If the
 * interface has gone before the loop could tell, there is no queue to give up.
 */
static void give_up_queue(struct tap *tap)
{
	loop_unwatch(tap->loop, tap->fd);
	set_queue(tap, false);
}

static int tap_attach(struct link *link, bool on)
{
	struct tap *tap = (struct tap *)link;
	int err = 0;

	if (tap->fd < 0 || tap->attached == on)
		return 0;
	if (on)
		err = take_queue(tap);
	else
		give_up_queue(tap);
	if (err)
		return err;
	tap->attached = on;
	tap->size = 0;
	await(tap);
	return 0;
}

/* What the card has refused is lost, as the other one cannot have it. */
static int tap_lend(struct link *link, bool on)
{
	struct tap *tap = (struct tap *)link;

	tap->lent = on;
	tap->size = 0;
	await(tap);
	return tap->fd;
}

static const struct link_kind kind = {
	.header = HEADER,
	.send = tap_send,
	.resume = tap_resume,
	.offload = tap_offload,
	.attach = tap_attach,
	.lend = tap_lend,
	.free = tap_free,
};

/* Return: 0 or -errno. */
static int set_interface(int fd, const char *name, short flags)
{
	struct ifreq request = {
		.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | flags,
	};
	int header = HEADER;

	strcpy(request.ifr_name, name);
	return ioctl(fd, TUNSETIFF, &request) ||
			       ioctl(fd, TUNSETVNETHDRSZ, &header) ?
		       -errno :
		       0;
}

/* Return: the descriptor, or -errno. */
static int tap_open(const char *name, bool several)
{
	int fd, err;

	if (!tap_is_name(name))
		return -EINVAL;
	fd = open(TUN_PATH, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = set_interface(fd, name, several ? IFF_MULTI_QUEUE : 0);
	/* One that was made for several links can also have one. */
	if (err == -EINVAL && !several)
		err = set_interface(fd, name, IFF_MULTI_QUEUE);
	if (!err)
		return fd;
	close(fd);
	return err;
}

struct link *tap_new(struct loop *loop, const char *name, bool several,
		     const struct link_card *card)
{
	struct tap *tap = calloc(1, sizeof(*tap));
	int err;

	if (!tap)
		return NULL;
	tap->link = (struct link){ .kind = &kind, .card = *card };
	tap->loop = loop;
	tap->attached = true;
	tap->awaited = true;
	tap->fd = tap_open(name, several);
	err = tap->fd < 0 ? tap->fd : loop_watch(loop, tap->fd, ready, tap);
	if (!err)
		return &tap->link;
	if (tap->fd >= 0)
		close(tap->fd);
	free(tap);
	errno = -err;
	return NULL;
}
