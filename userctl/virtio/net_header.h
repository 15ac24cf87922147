/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The header of frames that a driver sends (virtio 1.2, section 5.1.6.2): what the host is
 * told of offloads comes from there.
 */
#ifndef LODGE_VIRTIO_NET_HEADER_H
#define LODGE_VIRTIO_NET_HEADER_H

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * net_features_go_together() - check the dependencies of features (section 5.1.3.1)
 * @features: as a mask
 */
bool net_features_go_together(uint64_t features);

/**
 * net_header_check() - check a header, and clear what in it means nothing
 * @header: a copy, which the driver cannot change
 * @features: those negotiated, as a mask
 * @size: bytes of the frame behind the header
 *
 * Return: true; false: the frame asks for what was not negotiated, or for work outside of
 * it, and must not be sent.
 */
bool net_header_check(struct virtio_net_hdr_v1 *header, uint64_t features,
		      size_t size);

#endif
