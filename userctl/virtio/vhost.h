/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Virtio devices whose queues a back end serves: another process (vhost_user.h) or the
 * kernel (vhost_kernel.h).
 *
 * The back end has the queues while the driver is ready and the machine is not held.
 * Otherwise their state is here, as that of any other device, and nothing is in flight.
 *
 * A back end that fails, or does what it must not do, is given up: the device needs a
 * reset, and works after it only if the kind of back end can begin again.  Each wait for a
 * back end has an end.
 */
#ifndef LODGE_VIRTIO_VHOST_H
#define LODGE_VIRTIO_VHOST_H

#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stdint.h>

#include "board/device.h"
#include "virtio/pci.h"

/* So long a back end may take to start, and to stop and complete what is in flight. */
#define VHOST_PATIENCE_MS 10000

/**
 * vhost_now() - get the time
 *
 * Return: milliseconds of CLOCK_MONOTONIC.
 */
int64_t vhost_now(void);

/**
 * struct vhost_ring - a queue that a back end is to serve
 * @size: entries
 * @next: index of the available ring at which it begins
 * @desc: guest physical address of the descriptor table
 * @avail: that of the available ring
 * @used: that of the used ring
 * @kick: eventfd that the guest signals
 * @call: eventfd that interrupts the guest
 */
struct vhost_ring {
	uint16_t size;
	uint16_t next;
	uint64_t desc;
	uint64_t avail;
	uint64_t used;
	int kick;
	int call;
};

/**
 * struct vhost_kind - a kind of back end
 * @again: one that was given up can begin again once the device was reset
 * @prompt: what it has taken from a queue is returned when @stop returns
 * @process: it is another process
 * @begin: the driver is ready: @features were negotiated, and @ram is the guest's memory
 * @start: serve a queue
 * @stop: serve it no longer; @next is set to the index of the available ring at which it
 *	has stopped.  What it has taken may still be in flight, without @prompt
 * @run: let all queues that were started work, or none; NULL: nothing is to be done
 * @close: it is given up: nothing it does reaches the guest any more.  Without @again it
 *	is called once at most
 *
 * They return 0 or -errno, which gives the back end up, not later than @end by
 * vhost_now().  The device's lock is held.
 */
struct vhost_kind {
	bool again;
	bool prompt;
	bool process;
	int (*begin)(void *back, uint64_t features, const struct ram *ram,
		     int64_t end);
	int (*start)(void *back, unsigned int queue,
		     const struct vhost_ring *ring, int64_t end);
	int (*stop)(void *back, unsigned int queue, uint16_t *next,
		    int64_t end);
	int (*run)(void *back, bool run);
	void (*close)(void *back);
};

/**
 * struct vhost - a device with a back end
 * @pci: the device
 * @kind: of the back end
 * @back: the back end
 * @running: bits of the queues that it has
 * @local: bits of queues that it never has, and that stay as they are
 * @begun: it knows features and memory
 * @held: the machine is held
 * @failed: it is given up; with vhost_kind.again until the next reset
 *
 * It is the first member of the structure of its device, and @pci.device.opaque.  The
 * device's lock guards what changes.
 */
struct vhost {
	struct virtio_pci pci;
	const struct vhost_kind *kind;
	void *back;
	uint64_t running;
	uint64_t local;
	bool begun;
	bool held;
	bool failed;
};

/* The features of queues and devices that a back end may offer the driver. */
#define VHOST_QUEUE_FEATURES                           \
	(VIRTIO_FEATURE(VIRTIO_F_VERSION_1) |          \
	 VIRTIO_FEATURE(VIRTIO_RING_F_INDIRECT_DESC) | \
	 VIRTIO_FEATURE(VIRTIO_RING_F_EVENT_IDX))

/**
 * vhost_init() - make a device and plug it in, held
 * @vhost: with @kind, @back, and the members of @pci that virtio_pci_init() wants
 * @features: what the driver is offered, and no others
 *
 * Return: 0 or -errno; -EPROTO: a back end without VIRTIO_F_VERSION_1.  vhost_fini() is
 * to be called in both cases.
 */
int vhost_init(struct vhost *vhost, const struct board *board,
	       uint64_t features);

/**
 * vhost_fini() - end it, once nothing calls it any more; the back end is closed
 */
void vhost_fini(struct vhost *vhost);

/**
 * vhost_fail() - give the back end up; with the device's lock held
 */
void vhost_fail(struct vhost *vhost);

/*
 * The calls of a struct virtio_kind.
 */
void vhost_start(struct virtio_device *device);
void vhost_stop(struct virtio_device *device);
void vhost_kick(struct virtio_device *device, unsigned int queue);

/*
 * The calls of a struct device_kind; @opaque begins with a struct vhost.  Those that load
 * are the transport's.
 */
void vhost_reset(void *opaque);
int vhost_hold(void *opaque);
int vhost_release(void *opaque);

/**
 * vhost_keep() - refuse a checkpoint
 * @remedy: what the user can do about it
 *
 * Return: -EOPNOTSUPP.
 */
int vhost_keep(struct device_error *error, const char *remedy);

#endif
