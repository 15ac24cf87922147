/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A pair of a network card's queues: frames between the driver's buffers and a link.
 *
 * A frame of the link's waits at the link until the driver has buffers for it.
 */
#ifndef LODGE_VIRTIO_NET_PAIR_H
#define LODGE_VIRTIO_NET_PAIR_H

#include <stdbool.h>
#include <stddef.h>

#include "net/link.h"
#include "virtio/device.h"

/* The queues of a pair (virtio 1.2, section 5.1.2). */
#define NET_RECEIVE(pair) (2 * (pair))
#define NET_TRANSMIT(pair) (2 * (pair) + 1)

/* As many as the device's queues suffice for, beside that for commands. */
#define NET_MAX_PAIRS ((VIRTIO_MAX_QUEUES - 1) / 2)

/**
 * struct net_pair - a pair of queues
 * @device: the card
 * @number: counts from 0
 * @link: the other end
 */
struct net_pair {
	struct virtio_device *device;
	unsigned int number;
	struct link *link;
};

/**
 * net_pair_transmit() - send the frames of the driver's; with the card's lock held
 */
void net_pair_transmit(struct net_pair *pair);

/**
 * net_pair_receive() - put a frame of the link's into the driver's buffers; see
 * link_card.receive
 *
 * The driver's own lack of buffers keeps the frame at the link; a driver with buffers that
 * are too small loses it.
 */
bool net_pair_receive(struct net_pair *pair, const void *frame, size_t size);

#endif
