/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The other end of a network card, as its options name it.
 */
#ifndef LODGE_VIRTIO_NET_LINK_H
#define LODGE_VIRTIO_NET_LINK_H

#include "board/device.h"
#include "net/link.h"

/* The card's options, by their place in its list. */
enum {
	NET_TYPE,
	NET_IFNAME,
	NET_FD,
	NET_HOSTFWD,
	NET_MAC,
	NET_BOOTINDEX,
	NET_QUEUES,
	NET_VHOST,
};

/* The values of NET_TYPE. */
enum {
	NET_TYPE_USER,
	NET_TYPE_TAP,
	NET_TYPE_FD,
};

/**
 * net_link_check() - check that options go together
 * @values: of the card's options
 *
 * Return: 0; -EINVAL, as from device_fail().
 */
int net_link_check(const struct device_value *values,
		   struct device_error *error);

/**
 * net_link_open() - make the link of a pair of queues
 * @card: who is at the link
 * @values: of the card's options; type=tap with several queues has a link for each pair
 *
 * Return: the link, or NULL with errno set, perhaps by device_fail().
 */
struct link *net_link_open(struct loop *loop, const struct link_card *card,
			   const struct device_value *values,
			   struct device_error *error);

#endif
