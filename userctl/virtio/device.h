/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A virtio device without its transport (virtio 1.2, chapter 2): features, status, queues
 * and configuration.
 *
 * A device file gives a struct virtio_kind, and handles requests in kick().  The
 * transport, which is in pci.h, sets features, status and queues, and brings kicks to the
 * event loop's thread.
 *
 * Each device has one lock.  All calls of the kind are made with it held, and all calls
 * below want it held, if nothing else is said.  No request is handled in a vCPU's thread.
 */
#ifndef LODGE_VIRTIO_DEVICE_H
#define LODGE_VIRTIO_DEVICE_H

#include <linux/virtio_config.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board/ram.h"
#include "virtio/queue.h"

#define VIRTIO_MAX_QUEUES 32

/* In place of a queue's number: the configuration. */
#define VIRTIO_CONFIG_CHANGE VIRTIO_MAX_QUEUES

#define VIRTIO_FEATURE(bit) (1ULL << (bit))

struct virtio_device;

/**
 * struct virtio_kind - a kind of virtio device
 * @name: for messages
 * @id: VIRTIO_ID_* of <linux/virtio_ids.h>
 * @class: PCI's class code, 24 bits
 * @accept: check the features that the driver wants, which are all offered; returns true
 *	if they go together; NULL: all do
 * @write_config: take a write of the driver's to the configuration, which is within it;
 *	NULL: writes are dropped
 * @start: the driver is ready (DRIVER_OK), or was when the state was saved that has been
 *	loaded; NULL: nothing is to be done
 * @stop: the device is being reset: give up what waits, and return chains that are not
 *	being worked on with virtio_push(); NULL: nothing is to be done
 * @kick: there may be new chains in a queue, in the event loop's thread.  It is also
 *	called for nothing
 */
struct virtio_kind {
	const char *name;
	uint16_t id;
	uint32_t class;
	bool (*accept)(struct virtio_device *device, uint64_t features);
	void (*write_config)(struct virtio_device *device, size_t offset,
			     const void *data, size_t size);
	void (*start)(struct virtio_device *device);
	void (*stop)(struct virtio_device *device);
	void (*kick)(struct virtio_device *device, unsigned int queue);
};

/**
 * struct virtio_state - what is saved of a device
 * @features: those that the driver has accepted
 * @queues: the queues
 * @status: VIRTIO_CONFIG_S_*
 * @generation: changes with the configuration
 *
 * There is no padding, which would be saved, too.
 */
struct virtio_state {
	uint64_t features;
	struct virtqueue_state queues[VIRTIO_MAX_QUEUES];
	uint32_t status;
	uint32_t generation;
};

/**
 * struct virtio_device - a device
 * @kind: what it is
 * @ram: the guest's memory
 * @offered: features, as a mask.  The queue's features and VIRTIO_F_VERSION_1 are added
 *	by virtio_device_init()
 * @nr_queues: number of queues
 * @queue_size: entries of a queue, at most: a power of two
 * @config: the configuration that the driver reads, little-endian
 * @config_size: its size in bytes, at most VIRTIO_MAX_CONFIG
 * @opaque: the device file's structure
 * @interrupt: tells the driver of a queue or of VIRTIO_CONFIG_CHANGE; from the transport
 * @wake: lets kick() be called soon for a queue; from the transport
 * @transport: for @interrupt and @wake
 * @lock: guards all below, and the device file's structure
 * @state: what is saved
 * @queues: the queues, whose states are in @state
 * @in_flight: chains that were taken and not returned
 * @resetting: the driver wants a reset, which is done when @in_flight is 0
 */
struct virtio_device {
	const struct virtio_kind *kind;
	const struct ram *ram;
	uint64_t offered;
	unsigned int nr_queues;
	uint16_t queue_size;
	const void *config;
	size_t config_size;
	void *opaque;
	void (*interrupt)(void *transport, unsigned int queue);
	void (*wake)(void *transport, unsigned int queue);
	void *transport;
	pthread_mutex_t lock;
	struct virtio_state state;
	struct virtqueue queues[VIRTIO_MAX_QUEUES];
	unsigned int in_flight;
	bool resetting;
};

#define VIRTIO_MAX_CONFIG 4096

/*
 * For the device file.
 */

static inline void virtio_lock(struct virtio_device *device)
{
	pthread_mutex_lock(&device->lock);
}

static inline void virtio_unlock(struct virtio_device *device)
{
	pthread_mutex_unlock(&device->lock);
}

/**
 * virtio_has() - ask if a feature was negotiated
 * @bit: VIRTIO_*_F_*
 */
static inline bool virtio_has(const struct virtio_device *device,
			      unsigned int bit)
{
	return device->state.features & VIRTIO_FEATURE(bit);
}

/**
 * virtio_is_live() - ask if the driver is ready and the device is neither broken nor
 * being reset
 */
bool virtio_is_live(const struct virtio_device *device);

/**
 * virtio_pop() - take the next chain of a queue
 * @chain: out
 *
 * Each chain is to be returned with virtio_push(), or with virtio_unpop().  A broken
 * queue makes the device need a reset.
 *
 * Return: true; false: there is none.
 */
bool virtio_pop(struct virtio_device *device, unsigned int queue,
		struct virtio_chain *chain);

/**
 * virtio_unpop() - give back the chain that was taken last from a queue
 */
void virtio_unpop(struct virtio_device *device, unsigned int queue);

/**
 * virtio_push() - return a chain to the driver
 * @head: of the chain
 * @written: see virtqueue_push()
 *
 * While the device is being reset, the driver sees nothing of it.
 */
void virtio_push(struct virtio_device *device, unsigned int queue,
		 uint16_t head, uint32_t written);

/**
 * virtio_push_all() - return several chains, which the driver sees all at once
 */
void virtio_push_all(struct virtio_device *device, unsigned int queue,
		     const struct virtqueue_used *used, unsigned int count);

/**
 * virtio_notify() - tell the driver of the chains that were returned, if it wants that
 */
void virtio_notify(struct virtio_device *device, unsigned int queue);

/**
 * virtio_wake() - let kick() be called for a queue; any thread may call, without the lock
 */
void virtio_wake(struct virtio_device *device, unsigned int queue);

/**
 * virtio_config_changed() - tell the driver that the configuration has changed
 */
void virtio_config_changed(struct virtio_device *device);

/**
 * virtio_needs_reset() - stop working for a driver that has done what it must not do
 */
void virtio_needs_reset(struct virtio_device *device);

/*
 * For the transport.
 */

/**
 * virtio_device_init() - make a device
 * @device: with its members from @kind to @transport
 *
 * Return: 0 or -EINVAL.  virtio_device_fini() is to be called in both cases.
 */
int virtio_device_init(struct virtio_device *device);

/**
 * virtio_device_fini() - end it, once nothing calls it any more
 */
void virtio_device_fini(struct virtio_device *device);

/**
 * virtio_device_reset() - reset a device for which no chain is in flight
 */
void virtio_device_reset(struct virtio_device *device);

/**
 * virtio_device_set_features() - what the driver accepts; ignored after FEATURES_OK
 */
void virtio_device_set_features(struct virtio_device *device,
				uint64_t features);

/**
 * virtio_device_set_status() - a write of the driver's to the status
 *
 * 0 resets the device: the status reads as before until that is done.
 */
void virtio_device_set_status(struct virtio_device *device, uint8_t status);

/**
 * virtio_device_enable_queue() - the driver enables a queue whose state is set
 */
void virtio_device_enable_queue(struct virtio_device *device,
				unsigned int queue);

/**
 * virtio_device_kick() - handle a kick; takes the lock
 */
void virtio_device_kick(struct virtio_device *device, unsigned int queue);

/**
 * virtio_device_read_config() - a read of the driver's; beyond the end it gives zeroes
 */
void virtio_device_read_config(struct virtio_device *device, uint64_t offset,
			       void *data, size_t size);

/**
 * virtio_device_write_config() - a write of the driver's; dropped unless within
 */
void virtio_device_write_config(struct virtio_device *device, uint64_t offset,
				const void *data, size_t size);

/**
 * virtio_device_is_sound() - check @state of a device that was loaded
 */
bool virtio_device_is_sound(const struct virtio_device *device);

/**
 * virtio_device_loaded() - go on with the state that was loaded
 */
void virtio_device_loaded(struct virtio_device *device);

#endif
