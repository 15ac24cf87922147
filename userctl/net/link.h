/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A link: the other end of a guest's network card.
 *
 * Once it is made, a link is used with the card's lock held: attach, lend and offload by any
 * thread, and all else by the event loop's.
 */
#ifndef LODGE_NET_LINK_H
#define LODGE_NET_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "board/loop.h"

/* The largest frame: an IP packet of 64 KiB behind an Ethernet header. */
#define LINK_MAX_FRAME (65535 + 14)

/**
 * struct link_card - the card at a link
 * @enter: take the card's lock; the other calls are made with it held
 * @leave: release it
 * @receive: take a frame, which has a header of the link's if link_kind.header is not 0;
 *	returns false if the card has no room: the frame is kept until link_resume()
 * @writable: a frame that was refused with -EAGAIN can be sent again
 * @down: the link has come to its end
 * @opaque: for the calls, which come from the loop's thread
 */
struct link_card {
	void (*enter)(void *opaque);
	void (*leave)(void *opaque);
	bool (*receive)(void *opaque, const void *frame, size_t size);
	void (*writable)(void *opaque);
	void (*down)(void *opaque);
	void *opaque;
};

struct link;

/**
 * struct link_kind - a kind of link
 * @header: bytes of a virtio_net_hdr before each frame, in both directions; 0: none
 * @send: see link_send()
 * @resume: see link_resume()
 * @offload: say which frames the card takes: those without a checksum, and then larger
 *	ones of TCP over IPv4 and IPv6, too; NULL: the kind has only whole frames, and
 *	cannot send others
 * @attach: let the host give frames to this link, or no longer, where an interface has
 *	several links; returns 0 or -errno, and always 0 for no longer.  NULL: it has one,
 *	which always gets them
 * @lend: let somebody else take and send the frames, or no longer; returns the descriptor
 *	for that, or -1: the link is down.  NULL: nobody can
 * @free: free a link
 */
struct link_kind {
	size_t header;
	int (*send)(struct link *link, const struct iovec *iov,
		    unsigned int count);
	void (*resume)(struct link *link);
	void (*offload)(struct link *link, bool checksum, bool tso4, bool tso6);
	int (*attach)(struct link *link, bool on);
	int (*lend)(struct link *link, bool on);
	void (*free)(struct link *link);
};

/**
 * struct link - a link, embedded in its kind's structure
 * @kind: what it is
 * @card: who is at it
 */
struct link {
	const struct link_kind *kind;
	struct link_card card;
};

/**
 * link_send() - send a frame, which is copied or written at once
 * @iov: the frame, at most LINK_MAX_FRAME bytes behind the header
 *
 * Return: 0: it was sent, or lost as frames are; -EAGAIN: there is no room now, and the
 * card's writable() will be called.
 */
static inline int link_send(struct link *link, const struct iovec *iov,
			    unsigned int count)
{
	return link->kind->send(link, iov, count);
}

/**
 * link_resume() - the card, which had no room for a frame, has some
 */
static inline void link_resume(struct link *link)
{
	link->kind->resume(link);
}

/**
 * link_attach() - let the host give frames to a link, or no longer
 *
 * Return: 0 or -errno: nothing has changed.
 */
static inline int link_attach(struct link *link, bool on)
{
	return link->kind->attach ? link->kind->attach(link, on) : 0;
}

/**
 * link_free() - end a link; NULL is fine
 */
static inline void link_free(struct link *link)
{
	if (link)
		link->kind->free(link);
}

#endif
