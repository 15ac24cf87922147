/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A memory balloon (virtio 1.2, section 5.5): the guest gives pages back to the host, on
 * request and those that are free, and tells statistics.
 */
#ifndef LODGE_VIRTIO_BALLOON_H
#define LODGE_VIRTIO_BALLOON_H

#include <linux/virtio_balloon.h>
#include <stdint.h>

#include "board/device.h"

extern const struct device_kind virtio_balloon_device;

/**
 * struct virtio_balloon_state - what a balloon has done
 * @wanted: bytes that the guest is to give up
 * @actual: bytes that it says it has given up
 * @taken: bytes that were given back to the host since the start, some perhaps often
 * @stats: by VIRTIO_BALLOON_S_*; UINT64_MAX: the guest has not told
 */
struct virtio_balloon_state {
	uint64_t wanted;
	uint64_t actual;
	uint64_t taken;
	uint64_t stats[VIRTIO_BALLOON_S_NR];
};

/**
 * virtio_balloon_want() - ask the guest to give up so much memory; any thread may call
 * @opaque: the device
 * @size: bytes, cut to whole pages
 */
void virtio_balloon_want(void *opaque, uint64_t size);

/**
 * virtio_balloon_get() - get what a balloon has done, and ask the guest to tell statistics
 * anew; any thread may call
 * @opaque: the device
 */
struct virtio_balloon_state virtio_balloon_get(void *opaque);

#endif
