/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A link to a TAP interface of the host's (Linux, Documentation/networking/tuntap).
 */
#ifndef LODGE_NET_TAP_H
#define LODGE_NET_TAP_H

#include <net/if.h>
#include <string.h>

#include "net/link.h"

/**
 * tap_is_name() - ask if an interface can have a name
 *
 * The kernel takes one with % for a pattern, and each link would have its own interface.
 */
static inline bool tap_is_name(const char *name)
{
	return *name && strlen(name) < IFNAMSIZ && !strchr(name, '%');
}

/**
 * tap_new() - make a link to a TAP interface
 * @name: of the interface; one that does not exist is made, which takes CAP_NET_ADMIN
 * @several: the interface is to have several links, each of which has a queue of its own
 *	(IFF_MULTI_QUEUE); a flow of the guest's comes back where it was sent
 * @card: who is at the link
 *
 * Frames have a struct virtio_net_hdr_v1 before them.
 *
 * Return: the link, or NULL with errno set; EINVAL with @several: the interface was made
 * for one; E2BIG it has no more queues.
 */
struct link *tap_new(struct loop *loop, const char *name, bool several,
		     const struct link_card *card);

#endif
