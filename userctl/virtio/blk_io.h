/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The requests of a block device (virtio 1.2, section 5.2.6): from the chains of its
 * queues to its disk and back.
 */
#ifndef LODGE_VIRTIO_BLK_IO_H
#define LODGE_VIRTIO_BLK_IO_H

#include <linux/virtio_blk.h>
#include <stdbool.h>
#include <stdint.h>

#include "disk/disk.h"
#include "virtio/device.h"

/* Limits of requests, as the configuration has them. */
#define BLK_MAX_SEGMENTS (VIRTQUEUE_MAX_SIZE - 2)
#define BLK_MAX_RANGES 16
#define BLK_MAX_RANGE_SECTORS ((1U << 30) / DISK_SECTOR)
/* The most requests that the disk has at once; the others wait in their queues. */
#define BLK_MAX_IN_FLIGHT 256

struct blk_request;

/**
 * struct blk_io - what handles the requests of a block device
 * @device: the device, whose lock guards the members from @wce on
 * @disk: its disk
 * @serial: the answer to VIRTIO_BLK_T_GET_ID
 * @wce: the configuration's writeback mode
 * @held: no request is begun
 * @in_flight: requests that the disk has
 * @waiting: queues that are to be looked at once more may be in flight, as a mask
 * @spare: memory of a request, or NULL
 */
struct blk_io {
	struct virtio_device *device;
	struct disk *disk;
	char serial[VIRTIO_BLK_ID_BYTES];
	const uint8_t *wce;
	bool held;
	unsigned int in_flight;
	uint32_t waiting;
	struct blk_request *spare;
};

/**
 * blk_io_fini() - free what requests have used; after blk_io_hold()
 */
void blk_io_fini(struct blk_io *io);

/**
 * blk_io_kick() - begin the requests of a queue, with the device's lock held
 */
void blk_io_kick(struct blk_io *io, unsigned int queue);

/**
 * blk_io_hold() - complete all requests in flight and begin no others
 *
 * Called without the device's lock.
 */
void blk_io_hold(struct blk_io *io);

/**
 * blk_io_release() - begin requests again
 */
void blk_io_release(struct blk_io *io);

#endif
