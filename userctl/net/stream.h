/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A link over a stream socket: each frame comes behind its size, which has four bytes and
 * is big-endian, as QEMU's socket networks have it.  passt(1) speaks it.
 */
#ifndef LODGE_NET_STREAM_H
#define LODGE_NET_STREAM_H

#include "net/link.h"

/**
 * stream_new() - make a link over a connected socket
 * @loop: event loop
 * @fd: the socket, which is the link's from now on, also on failure
 * @card: who is at the link
 * @ended: called when the link is freed, once the socket is closed; may be NULL
 * @opaque: for @ended
 *
 * Return: the link, or NULL with errno set; @ended is called then, too.
 */
struct link *stream_new(struct loop *loop, int fd, const struct link_card *card,
			void (*ended)(void *opaque), void *opaque);

#endif
