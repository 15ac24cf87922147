// SPDX-License-Identifier: GPL-2.0
/*
 * Virtio devices whose queues a back end serves.
 */
#include "virtio/vhost.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

#define QUEUE_BIT(queue) (1ULL << (queue))

static struct vhost *vhost_of(struct virtio_device *device)
{
	return device->opaque;
}

int64_t vhost_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/*
 * Waits until all that was taken from a queue is returned.  The guest can write the index
 * that is to be reached: it must not let a machine wait for what cannot come.
 */
static int drain(const struct vhost_kind *kind, const struct virtqueue *queue,
		 uint16_t next, int64_t end)
{
	while (virtqueue_used_index(queue) != next) {
		if (kind->prompt)
			return -EPROTO;
		if (vhost_now() > end)
			return -ETIMEDOUT;
		poll(NULL, 0, 1);
	}
	return 0;
}

static int start_queue(struct vhost *vhost, unsigned int queue, int64_t end)
{
	const struct virtqueue_state *state =
		&vhost->pci.device.state.queues[queue];
	struct vhost_ring ring = {
		.size = state->size,
		.next = state->next,
		.desc = state->desc,
		.avail = state->avail,
		.used = state->used,
	};
	int err = virtio_pci_lend(&vhost->pci, queue, vhost->kind->process,
				  &ring.kick, &ring.call);

	vhost->running |= QUEUE_BIT(queue);
	return err ? err : vhost->kind->start(vhost->back, queue, &ring, end);
}

/* Has all queues again, as the back end has left them. */
static void take_back(struct vhost *vhost)
{
	for (unsigned int i = 0; i < VIRTIO_MAX_QUEUES; i++)
		if (vhost->running & QUEUE_BIT(i))
			virtio_pci_take_back(&vhost->pci, i);
	vhost->running = 0;
	vhost->begun = false;
}

void vhost_fail(struct vhost *vhost)
{
	if (!vhost->failed && vhost->kind->close)
		vhost->kind->close(vhost->back);
	vhost->failed = true;
	take_back(vhost);
	virtio_needs_reset(&vhost->pci.device);
}

/* A queue that the driver has not enabled, or put where it must not be, stays here. */
static bool can_start(const struct vhost *vhost, unsigned int queue)
{
	const struct virtio_device *device = &vhost->pci.device;

	return device->state.queues[queue].enabled &&
	       !device->queues[queue].broken &&
	       !((vhost->running | vhost->local) & QUEUE_BIT(queue));
}

static int start_all(struct vhost *vhost)
{
	struct virtio_device *device = &vhost->pci.device;
	const int64_t end = vhost_now() + VHOST_PATIENCE_MS;
	int err = vhost->kind->begin(vhost->back, device->state.features,
				     device->ram, end);

	for (unsigned int i = 0; i < device->nr_queues && !err; i++)
		if (can_start(vhost, i))
			err = start_queue(vhost, i, end);
	if (!err && vhost->kind->run)
		err = vhost->kind->run(vhost->back, true);
	vhost->begun = !err;
	return err;
}

/* Kicks the queues: the back end looks at what came while nobody did. */
static void resume(struct vhost *vhost)
{
	struct virtio_device *device = &vhost->pci.device;

	if (vhost->held || !virtio_is_live(device))
		return;
	if (vhost->failed || start_all(vhost)) {
		vhost_fail(vhost);
		return;
	}
	for (unsigned int i = 0; i < device->nr_queues; i++)
		if (vhost->running & QUEUE_BIT(i))
			virtio_wake(device, i);
}

static int stop_queue(struct vhost *vhost, unsigned int queue, int64_t end)
{
	struct virtqueue *ring = &vhost->pci.device.queues[queue];
	uint16_t next;
	int err = vhost->kind->stop(vhost->back, queue, &next, end);

	if (!err)
		err = drain(vhost->kind, ring, next, end);
	return err ? err : virtqueue_take_over(ring, next);
}

/* Stops the back end, if it has the queues. */
static void suspend(struct vhost *vhost)
{
	const int64_t end = vhost_now() + VHOST_PATIENCE_MS;
	int err = 0;

	if (!vhost->begun)
		return;
	if (vhost->kind->run)
		err = vhost->kind->run(vhost->back, false);
	for (unsigned int i = 0; i < VIRTIO_MAX_QUEUES && !err; i++)
		if (vhost->running & QUEUE_BIT(i))
			err = stop_queue(vhost, i, end);
	if (err)
		vhost_fail(vhost);
	else
		take_back(vhost);
}

void vhost_start(struct virtio_device *device)
{
	resume(vhost_of(device));
}

void vhost_stop(struct virtio_device *device)
{
	struct vhost *vhost = vhost_of(device);

	suspend(vhost);
	if (vhost->kind->again)
		vhost->failed = false;
}

/* Only a queue that the driver has enabled late has kicks here. */
void vhost_kick(struct virtio_device *device, unsigned int queue)
{
	struct vhost *vhost = vhost_of(device);

	if (!vhost->begun || !can_start(vhost, queue))
		return;
	if (start_queue(vhost, queue, vhost_now() + VHOST_PATIENCE_MS))
		vhost_fail(vhost);
	else
		virtio_wake(device, queue);
}

int vhost_init(struct vhost *vhost, const struct board *board,
	       uint64_t features)
{
	int err;

	vhost->held = true;
	err = virtio_pci_init(&vhost->pci, board);
	if (!err)
		err = virtio_pci_lend_prepare(&vhost->pci);
	vhost->pci.device.offered = features;
	if (!err && !(features & VIRTIO_FEATURE(VIRTIO_F_VERSION_1)))
		err = -EPROTO;
	return err;
}

void vhost_fini(struct vhost *vhost)
{
	suspend(vhost);
	if (!vhost->failed && vhost->kind->close)
		vhost->kind->close(vhost->back);
	vhost->failed = true;
	virtio_pci_fini(&vhost->pci);
}

void vhost_reset(void *opaque)
{
	struct vhost *vhost = opaque;

	virtio_lock(&vhost->pci.device);
	suspend(vhost);
	virtio_unlock(&vhost->pci.device);
	virtio_pci_reset(vhost);
}

int vhost_hold(void *opaque)
{
	struct vhost *vhost = opaque;

	virtio_lock(&vhost->pci.device);
	suspend(vhost);
	vhost->held = true;
	virtio_unlock(&vhost->pci.device);
	return 0;
}

int vhost_release(void *opaque)
{
	struct vhost *vhost = opaque;

	virtio_lock(&vhost->pci.device);
	vhost->held = false;
	resume(vhost);
	virtio_unlock(&vhost->pci.device);
	return 0;
}

int vhost_keep(struct device_error *error, const char *remedy)
{
	device_fail(error, -EOPNOTSUPP, NULL,
		    "the host's vhost writes to the guest's memory, and is not "
		    "asked which pages",
		    remedy);
	return -EOPNOTSUPP;
}
