// SPDX-License-Identifier: GPL-2.0
/*
 * Frames between a pair of a network card's queues and its link.
 */
#include "virtio/net_pair.h"

#include <errno.h>
#include <linux/virtio_net.h>
#include <string.h>

#include "virtio/net_header.h"

/* So many frames are sent before others in the loop have their turn. */
#define FRAMES_AT_ONCE 64
/* The most chains that one frame is put into. */
#define MAX_BUFFERS 64

#define HEADER sizeof(struct virtio_net_hdr_v1)

/*
 * Sends the frame of a chain, whose header is copied before it is checked: the driver may
 * change it at any time.  Return: as link_send().
 */
static int send_chain(struct net_pair *pair, struct virtio_chain *chain)
{
	struct virtio_net_hdr_v1 header;
	struct iovec frame[1 + VIRTQUEUE_MAX_SIZE] = {
		{ .iov_base = &header, .iov_len = HEADER },
	};
	unsigned int count;
	size_t size;

	if (chain->out_size <= HEADER ||
	    chain->out_size > HEADER + LINK_MAX_FRAME)
		return 0;
	size = chain->out_size - HEADER;
	virtio_chain_read(chain, &header, HEADER);
	count = virtio_iov_slice(chain->iov, chain->nr_out, HEADER, size,
				 frame + 1);
	if (!pair->link->kind->header)
		return link_send(pair->link, frame + 1, count);
	if (!net_header_check(&header, pair->device->state.features, size))
		return 0;
	return link_send(pair->link, frame, count + 1);
}

void net_pair_transmit(struct net_pair *pair)
{
	struct virtio_device *device = pair->device;
	const unsigned int queue = NET_TRANSMIT(pair->number);
	struct virtio_chain chain;
	unsigned int left = FRAMES_AT_ONCE;

	while (left && virtio_pop(device, queue, &chain)) {
		if (send_chain(pair, &chain)) {
			virtio_unpop(device, queue);
			break;
		}
		virtio_push(device, queue, chain.head, 0);
		left--;
	}
	virtio_notify(device, queue);
	if (!left)
		virtio_wake(device, queue);
}

/**
 * struct filling - a frame on its way into the driver's buffers
 * @first: the first chain, which gets the header at the end
 * @used: the chains
 * @count: entries of @used
 */
struct filling {
	struct virtio_chain first;
	struct virtqueue_used used[MAX_BUFFERS];
	unsigned int count;
};

static void give_back(struct net_pair *pair, struct filling *filling)
{
	while (filling->count--)
		virtio_unpop(pair->device, NET_RECEIVE(pair->number));
}

/*
 * Takes a chain to receive into.  A driver must not put there what the device reads, and
 * so the work for a frame is bounded by its size.  Return: true; false: there is none.
 */
static bool take_buffer(const struct net_pair *pair, struct virtio_chain *chain)
{
	const unsigned int queue = NET_RECEIVE(pair->number);

	if (!virtio_pop(pair->device, queue, chain))
		return false;
	if (!chain->nr_out)
		return true;
	virtio_needs_reset(pair->device);
	virtio_unpop(pair->device, queue);
	return false;
}

/*
 * Takes chains for a header and @size bytes of a frame, and puts the frame into them.
 * Return: 0; -EAGAIN there are too few; -EMSGSIZE the frame never fits.
 */
static int fill(struct net_pair *pair, struct filling *filling,
		const uint8_t *frame, size_t size)
{
	const unsigned int most =
		virtio_has(pair->device, VIRTIO_NET_F_MRG_RXBUF) ? MAX_BUFFERS :
								   1;
	struct virtio_chain more, *chain = &filling->first;
	size_t room;

	for (filling->count = 0; size || !filling->count;) {
		if (filling->count == most)
			return -EMSGSIZE;
		if (!take_buffer(pair, chain))
			return -EAGAIN;
		room = chain->in_size;
		if (!filling->count) {
			if (room < HEADER) {
				filling->count = 1;
				return -EMSGSIZE;
			}
			chain->in_at = HEADER;
		}
		room = virtio_chain_write(chain, frame, size);
		filling->used[filling->count++] = (struct virtqueue_used){
			.head = chain->head,
			.written = chain->in_at,
		};
		frame += room;
		size -= room;
		chain = &more;
	}
	return 0;
}

bool net_pair_receive(struct net_pair *pair, const void *frame, size_t size)
{
	struct virtio_device *device = pair->device;
	const unsigned int queue = NET_RECEIVE(pair->number);
	const size_t skip = pair->link->kind->header;
	struct virtio_net_hdr_v1 header = {};
	struct filling filling;
	int err;

	/* What comes before the driver is ready is lost, as without a cable. */
	if (size <= skip || !virtio_is_live(device))
		return true;
	memcpy(&header, frame, skip);
	err = fill(pair, &filling, (const uint8_t *)frame + skip, size - skip);
	if (err) {
		give_back(pair, &filling);
		return err != -EAGAIN || !virtio_is_live(device);
	}
	/* The host may say of a frame what only some drivers want to know. */
	if (!virtio_has(device, VIRTIO_NET_F_GUEST_CSUM))
		header.flags = 0;
	header.num_buffers = filling.count;
	virtio_chain_write_at(&filling.first, 0, &header, HEADER);
	virtio_push_all(device, queue, filling.used, filling.count);
	virtio_notify(device, queue);
	return true;
}
