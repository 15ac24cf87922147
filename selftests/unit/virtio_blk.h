/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A block device without a transport, its disk, and a driver's queue for it.
 */
#ifndef LODGE_UNIT_VIRTIO_BLK_H
#define LODGE_UNIT_VIRTIO_BLK_H

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "virtio/blk_io.h"
#include "virtio_ring.h"

#define BLK_RAM (4ULL << 20)
#define BLK_DISK (1ULL << 20)
#define BLK_RING 0x10000ULL
#define BLK_QUEUE_SIZE 64
#define BLK_QUEUES 2
#define BLK_FEATURES                                   \
	(VIRTIO_FEATURE(VIRTIO_F_VERSION_1) |          \
	 VIRTIO_FEATURE(VIRTIO_RING_F_INDIRECT_DESC) | \
	 VIRTIO_FEATURE(VIRTIO_BLK_F_FLUSH) |          \
	 VIRTIO_FEATURE(VIRTIO_BLK_F_DISCARD) |        \
	 VIRTIO_FEATURE(VIRTIO_BLK_F_WRITE_ZEROES))

/**
 * struct blk_guest - all of it
 * @kicks: queues that want to be kicked, as a mask
 * @interrupts: how often the driver was told of something
 */
struct blk_guest {
	struct virtio_device device;
	struct blk_io io;
	struct ram *ram;
	struct loop *loop;
	struct ring rings[BLK_QUEUES];
	uint8_t wce;
	int file;
	unsigned int kicks;
	unsigned int interrupts;
	char why[256];
};

static inline void blk_guest_kick(struct virtio_device *device,
				  unsigned int queue)
{
	struct blk_guest *guest = device->opaque;

	blk_io_kick(&guest->io, queue);
}

static inline void blk_guest_interrupt(void *opaque, unsigned int queue)
{
	struct blk_guest *guest = opaque;

	(void)queue;
	guest->interrupts++;
}

static inline void blk_guest_wake(void *opaque, unsigned int queue)
{
	struct blk_guest *guest = opaque;

	__atomic_fetch_or(&guest->kicks, 1U << queue, __ATOMIC_SEQ_CST);
}

/* Does the driver's part of initialization. */
static inline void blk_guest_start(struct blk_guest *guest, uint64_t features)
{
	struct virtio_device *device = &guest->device;
	uint8_t status = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER;

	virtio_device_set_status(device, status);
	virtio_device_set_features(device, features);
	status |= VIRTIO_CONFIG_S_FEATURES_OK;
	virtio_device_set_status(device, status);
	for (unsigned int i = 0; i < BLK_QUEUES; i++) {
		guest->rings[i] = ring_at_page(guest->ram,
					       BLK_RING + i * 3 * RING_PAGE,
					       BLK_QUEUE_SIZE);
		device->state.queues[i] = ring_state(&guest->rings[i]);
		virtio_device_enable_queue(device, i);
	}
	virtio_device_set_status(device, status | VIRTIO_CONFIG_S_DRIVER_OK);
}

/* Return: true if all could be made. */
static inline bool blk_guest_init(struct blk_guest *guest,
				  struct disk_options options)
{
	static const struct virtio_kind kind = { .name = "virtio-blk",
						 .kick = blk_guest_kick };
	char path[32];

	memset(guest, 0, sizeof(*guest));
	guest->file = memfd_create("disk", MFD_CLOEXEC);
	if (guest->file < 0 || ftruncate(guest->file, (off_t)BLK_DISK))
		return false;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", guest->file);
	options.path = path;
	guest->ram = ram_new(BLK_RAM);
	guest->loop = loop_new();
	if (!guest->ram || !guest->loop)
		return false;
	guest->device = (struct virtio_device){
		.kind = &kind,
		.ram = guest->ram,
		.offered = BLK_FEATURES |
			   VIRTIO_FEATURE(VIRTIO_BLK_F_CONFIG_WCE),
		.nr_queues = BLK_QUEUES,
		.queue_size = BLK_QUEUE_SIZE,
		.opaque = guest,
		.interrupt = blk_guest_interrupt,
		.wake = blk_guest_wake,
		.transport = guest,
	};
	guest->io.device = &guest->device;
	guest->io.wce = &guest->wce;
	memcpy(guest->io.serial, "a serial of 20 bytes", VIRTIO_BLK_ID_BYTES);
	guest->io.disk = disk_open(guest->loop, &options, guest->why,
				   sizeof(guest->why));
	return guest->io.disk && !virtio_device_init(&guest->device);
}

static inline void blk_guest_fini(struct blk_guest *guest)
{
	if (guest->io.disk)
		blk_io_hold(&guest->io);
	blk_io_fini(&guest->io);
	disk_close(guest->io.disk);
	virtio_device_fini(&guest->device);
	loop_free(guest->loop);
	ram_free(guest->ram);
	close(guest->file);
}

/* Lets the device work until it has nothing to do. */
static inline void blk_guest_run(struct blk_guest *guest, unsigned int queues)
{
	guest->kicks |= queues;
	while (guest->kicks) {
		unsigned int kicks =
			__atomic_exchange_n(&guest->kicks, 0, __ATOMIC_SEQ_CST);

		for (unsigned int i = 0; i < BLK_QUEUES; i++)
			if (kicks & 1U << i)
				virtio_device_kick(&guest->device, i);
		disk_drain(guest->io.disk);
	}
}

#endif
