// SPDX-License-Identifier: GPL-2.0
/*
 * A virtio device without its transport.
 */
#include "virtio/device.h"

#include <errno.h>
#include <linux/virtio_ring.h>
#include <string.h>

/* What each device can do: its queues can. */
#define OWN_FEATURES                                   \
	(VIRTIO_FEATURE(VIRTIO_F_VERSION_1) |          \
	 VIRTIO_FEATURE(VIRTIO_RING_F_INDIRECT_DESC) | \
	 VIRTIO_FEATURE(VIRTIO_RING_F_EVENT_IDX))

/* The bits of the status that a driver sets. */
#define DRIVER_BITS                                                \
	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |    \
	 VIRTIO_CONFIG_S_DRIVER_OK | VIRTIO_CONFIG_S_FEATURES_OK | \
	 VIRTIO_CONFIG_S_FAILED)

static bool has_status(const struct virtio_device *device, uint32_t bits)
{
	return (device->state.status & bits) == bits;
}

bool virtio_is_live(const struct virtio_device *device)
{
	return has_status(device, VIRTIO_CONFIG_S_DRIVER_OK) &&
	       !(device->state.status &
		 (VIRTIO_CONFIG_S_NEEDS_RESET | VIRTIO_CONFIG_S_FAILED)) &&
	       !device->resetting;
}

static void forget(struct virtio_device *device)
{
	device->state.features = 0;
	device->state.status = 0;
	device->resetting = false;
	for (unsigned int i = 0; i < VIRTIO_MAX_QUEUES; i++)
		virtqueue_reset(&device->queues[i],
				i < device->nr_queues ? device->queue_size : 0);
}

int virtio_device_init(struct virtio_device *device)
{
	const uint16_t size = device->queue_size;

	pthread_mutex_init(&device->lock, NULL);
	if (device->nr_queues > VIRTIO_MAX_QUEUES || !size ||
	    size > VIRTQUEUE_MAX_SIZE || (size & (size - 1)) ||
	    device->config_size > VIRTIO_MAX_CONFIG)
		return -EINVAL;
	device->offered |= OWN_FEATURES;
	for (unsigned int i = 0; i < VIRTIO_MAX_QUEUES; i++)
		device->queues[i].state = &device->state.queues[i];
	forget(device);
	return 0;
}

void virtio_device_fini(struct virtio_device *device)
{
	pthread_mutex_destroy(&device->lock);
}

/* One chain, or the call of stop(), keeps a reset from being done no longer. */
static void let_go(struct virtio_device *device)
{
	device->in_flight--;
	if (device->resetting && !device->in_flight)
		forget(device);
}

static void stop(struct virtio_device *device)
{
	device->in_flight++;
	device->resetting = true;
	if (device->kind->stop)
		device->kind->stop(device);
	let_go(device);
}

void virtio_device_reset(struct virtio_device *device)
{
	stop(device);
	device->state.generation = 0;
}

void virtio_needs_reset(struct virtio_device *device)
{
	if (device->state.status & VIRTIO_CONFIG_S_NEEDS_RESET)
		return;
	device->state.status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	if (has_status(device, VIRTIO_CONFIG_S_DRIVER_OK))
		device->interrupt(device->transport, VIRTIO_CONFIG_CHANGE);
}

bool virtio_pop(struct virtio_device *device, unsigned int queue,
		struct virtio_chain *chain)
{
	int found;

	if (!virtio_is_live(device))
		return false;
	found = virtqueue_pop(&device->queues[queue], chain);
	if (found < 0)
		virtio_needs_reset(device);
	device->in_flight += found > 0;
	return found > 0;
}

void virtio_unpop(struct virtio_device *device, unsigned int queue)
{
	virtqueue_unpop(&device->queues[queue]);
	let_go(device);
}

void virtio_push_all(struct virtio_device *device, unsigned int queue,
		     const struct virtqueue_used *used, unsigned int count)
{
	if (virtio_is_live(device))
		virtqueue_push_all(&device->queues[queue], used, count);
	while (count--)
		let_go(device);
}

void virtio_push(struct virtio_device *device, unsigned int queue,
		 uint16_t head, uint32_t written)
{
	const struct virtqueue_used used = { .head = head, .written = written };

	virtio_push_all(device, queue, &used, 1);
}

void virtio_notify(struct virtio_device *device, unsigned int queue)
{
	if (virtio_is_live(device) &&
	    virtqueue_must_notify(&device->queues[queue]))
		device->interrupt(device->transport, queue);
}

void virtio_wake(struct virtio_device *device, unsigned int queue)
{
	device->wake(device->transport, queue);
}

void virtio_config_changed(struct virtio_device *device)
{
	device->state.generation++;
	if (virtio_is_live(device))
		device->interrupt(device->transport, VIRTIO_CONFIG_CHANGE);
}

void virtio_device_set_features(struct virtio_device *device, uint64_t features)
{
	if (!device->resetting &&
	    !has_status(device, VIRTIO_CONFIG_S_FEATURES_OK))
		device->state.features = features;
}

/* Return: true if the device can work with what the driver wants (section 3.1.1). */
static bool accepts(struct virtio_device *device)
{
	const uint64_t features = device->state.features;

	return !(features & ~device->offered) &&
	       virtio_has(device, VIRTIO_F_VERSION_1) &&
	       (!device->kind->accept ||
		device->kind->accept(device, features));
}

/* The driver is ready, and may have put chains into its queues already. */
static void begin(struct virtio_device *device)
{
	if (device->kind->start)
		device->kind->start(device);
	for (unsigned int i = 0; i < device->nr_queues; i++)
		if (device->state.queues[i].enabled)
			virtio_wake(device, i);
}

/* A driver sets bits one after the other, and clears none but by a reset. */
void virtio_device_set_status(struct virtio_device *device, uint8_t status)
{
	const uint32_t before = device->state.status;
	uint32_t bits = status & DRIVER_BITS & ~before;

	if (device->resetting)
		return;
	if (!status) {
		stop(device);
		return;
	}
	if ((bits & VIRTIO_CONFIG_S_FEATURES_OK) && !accepts(device))
		bits &= ~VIRTIO_CONFIG_S_FEATURES_OK;
	if (!((before | bits) & VIRTIO_CONFIG_S_FEATURES_OK))
		bits &= ~VIRTIO_CONFIG_S_DRIVER_OK;
	device->state.status |= bits;
	if (bits & VIRTIO_CONFIG_S_DRIVER_OK)
		begin(device);
}

/* The features are known, so that the rings' form is. */
void virtio_device_enable_queue(struct virtio_device *device,
				unsigned int queue)
{
	if (device->resetting || queue >= device->nr_queues ||
	    device->state.queues[queue].enabled ||
	    !has_status(device, VIRTIO_CONFIG_S_FEATURES_OK))
		return;
	if (device->state.queues[queue].size > device->queue_size ||
	    virtqueue_enable(&device->queues[queue], device->ram,
			     device->state.features)) {
		virtio_needs_reset(device);
		return;
	}
	if (virtio_is_live(device))
		virtio_wake(device, queue);
}

void virtio_device_kick(struct virtio_device *device, unsigned int queue)
{
	virtio_lock(device);
	if (queue < device->nr_queues && virtio_is_live(device) &&
	    device->kind->kick)
		device->kind->kick(device, queue);
	virtio_unlock(device);
}

void virtio_device_read_config(struct virtio_device *device, uint64_t offset,
			       void *data, size_t size)
{
	size_t some = size;

	memset(data, 0, size);
	if (offset >= device->config_size)
		return;
	if (some > device->config_size - offset)
		some = device->config_size - offset;
	memcpy(data, (const uint8_t *)device->config + offset, some);
}

void virtio_device_write_config(struct virtio_device *device, uint64_t offset,
				const void *data, size_t size)
{
	if (offset < device->config_size &&
	    size <= device->config_size - offset && !device->resetting &&
	    device->kind->write_config)
		device->kind->write_config(device, offset, data, size);
}

static bool queue_is_sound(const struct virtio_device *device,
			   unsigned int number)
{
	const struct virtqueue_state *state = &device->state.queues[number];

	if (number >= device->nr_queues)
		return !state->enabled;
	if (state->enabled &&
	    (!has_status(device, VIRTIO_CONFIG_S_FEATURES_OK) ||
	     state->size > device->queue_size))
		return false;
	/* What has made the device need a reset may be a queue's address. */
	return has_status(device, VIRTIO_CONFIG_S_NEEDS_RESET) ||
	       virtqueue_is_sound(state, device->ram);
}

bool virtio_device_is_sound(const struct virtio_device *device)
{
	const struct virtio_state *state = &device->state;
	const bool features_ok =
		has_status(device, VIRTIO_CONFIG_S_FEATURES_OK);

	if (state->status & ~(DRIVER_BITS | VIRTIO_CONFIG_S_NEEDS_RESET))
		return false;
	if (!features_ok && has_status(device, VIRTIO_CONFIG_S_DRIVER_OK))
		return false;
	if (features_ok && ((state->features & ~device->offered) ||
			    !virtio_has(device, VIRTIO_F_VERSION_1)))
		return false;
	for (unsigned int i = 0; i < VIRTIO_MAX_QUEUES; i++)
		if (!queue_is_sound(device, i))
			return false;
	return true;
}

void virtio_device_loaded(struct virtio_device *device)
{
	const struct virtio_state state = device->state;

	forget(device);
	device->state = state;
	if (has_status(device, VIRTIO_CONFIG_S_NEEDS_RESET))
		return;
	for (unsigned int i = 0; i < device->nr_queues; i++)
		if (state.queues[i].enabled)
			virtqueue_enable(&device->queues[i], device->ram,
					 state.features);
	if (virtio_is_live(device))
		begin(device);
}
