// SPDX-License-Identifier: GPL-2.0
/*
 * The header of frames that a driver sends.
 */
#include "virtio/net_header.h"

#define FEATURE(bit) (1ULL << (bit))
#define CHECKSUM_SIZE sizeof(uint16_t)

static bool has(uint64_t features, unsigned int bit)
{
	return features & FEATURE(bit);
}

bool net_features_go_together(uint64_t features)
{
	const uint64_t sent = FEATURE(VIRTIO_NET_F_HOST_TSO4) |
			      FEATURE(VIRTIO_NET_F_HOST_TSO6);
	const uint64_t received = FEATURE(VIRTIO_NET_F_GUEST_TSO4) |
				  FEATURE(VIRTIO_NET_F_GUEST_TSO6);

	const uint64_t commands = FEATURE(VIRTIO_NET_F_MQ) |
				  FEATURE(VIRTIO_NET_F_CTRL_MAC_ADDR);

	if ((features & commands) && !has(features, VIRTIO_NET_F_CTRL_VQ))
		return false;
	return (has(features, VIRTIO_NET_F_CSUM) || !(features & sent)) &&
	       (has(features, VIRTIO_NET_F_GUEST_CSUM) ||
		!(features & received));
}

/* The checksum is put behind the bytes that it covers at first: both are in the frame. */
static bool checksum_is_within(const struct virtio_net_hdr_v1 *header,
			       size_t size)
{
	return (size_t)header->csum_start + header->csum_offset +
		       CHECKSUM_SIZE <=
	       size;
}

/* Of a large packet that the host divides. */
static bool division_is_possible(const struct virtio_net_hdr_v1 *header,
				 uint64_t features, size_t size)
{
	switch (header->gso_type) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
		if (!has(features, VIRTIO_NET_F_HOST_TSO4))
			return false;
		break;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		if (!has(features, VIRTIO_NET_F_HOST_TSO6))
			return false;
		break;
	default:
		return false;
	}
	return (header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) &&
	       header->gso_size && header->hdr_len <= size;
}

bool net_header_check(struct virtio_net_hdr_v1 *header, uint64_t features,
		      size_t size)
{
	header->num_buffers = 0;
	header->flags &= VIRTIO_NET_HDR_F_NEEDS_CSUM;
	if (!header->flags)
		header->csum_start = header->csum_offset = 0;
	else if (!has(features, VIRTIO_NET_F_CSUM) ||
		 !checksum_is_within(header, size))
		return false;
	if (header->gso_type != VIRTIO_NET_HDR_GSO_NONE)
		return division_is_possible(header, features, size);
	header->gso_size = header->hdr_len = 0;
	return true;
}
