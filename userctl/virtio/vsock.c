// SPDX-License-Identifier: GPL-2.0
/*
 * A socket device.
 *
 * The kernel has the queues of both directions, and all connections.  The queue of events
 * stays here: a driver whose machine goes on from a saved state is told that its
 * connections are gone.
 */
#include "virtio/vsock.h"

#include <endian.h>
#include <errno.h>
#include <linux/vhost.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_vsock.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "virtio/vhost_kernel.h"

#define DEVICE_PATH "/dev/vhost-vsock"

/* "Other" of communication controllers. */
#define PCI_CLASS_COMMUNICATION 0x078000

#define EVENTS 2
#define QUEUES 3
/* Those that the kernel has. */
#define KERNEL_QUEUES 2
#define QUEUE_SIZE 128

/* 0 to 2 are the hypervisor, the same machine and the host. */
#define MIN_CID 3
#define MAX_CID (UINT32_MAX - 1)

/**
 * struct vsock - a device
 * @vhost: the device
 * @kernel: its back end
 * @config: what the driver reads
 * @lost: the driver is to be told that its connections are gone: the device's lock guards it
 */
struct vsock {
	struct vhost vhost;
	struct vhost_kernel kernel;
	struct virtio_vsock_config config;
	bool lost;
};

static struct vsock *vsock_of(struct virtio_device *device)
{
	return device->opaque;
}

/* As soon as the driver has room for it. */
static void tell_loss(struct vsock *vsock)
{
	static const struct virtio_vsock_event event = {
		.id = VIRTIO_VSOCK_EVENT_TRANSPORT_RESET,
	};
	struct virtio_device *device = &vsock->vhost.pci.device;
	struct virtio_chain chain;

	if (!vsock->lost || !virtio_is_live(device) ||
	    !virtio_pop(device, EVENTS, &chain))
		return;
	vsock->lost = false;
	virtio_push(device, EVENTS, chain.head,
		    virtio_chain_write(&chain, &event, sizeof(event)));
	virtio_notify(device, EVENTS);
}

static void kick(struct virtio_device *device, unsigned int queue)
{
	if (queue == EVENTS)
		tell_loss(vsock_of(device));
	else
		vhost_kick(device, queue);
}

/* A driver that begins anew has no connections. */
static void stop(struct virtio_device *device)
{
	vsock_of(device)->lost = false;
	vhost_stop(device);
}

static const struct virtio_kind kind = {
	.name = "virtio-vsock",
	.id = VIRTIO_ID_VSOCK,
	.class = PCI_CLASS_COMMUNICATION,
	.start = vhost_start,
	.stop = stop,
	.kick = kick,
};

static int run(struct vhost_kernel *kernel, bool run)
{
	int on = run;

	return ioctl(kernel->fds[0], VHOST_VSOCK_SET_RUNNING, &on) ? -errno : 0;
}

static int open_back(struct vsock *vsock, uint64_t cid,
		     struct device_error *error)
{
	int err;

	vsock->kernel.queues = KERNEL_QUEUES;
	vsock->kernel.run = run;
	err = vhost_kernel_open(&vsock->kernel, DEVICE_PATH, 1);
	if (err) {
		device_fail(error, err, DEVICE_PATH, NULL,
			    err == -EACCES ? "be a member of the group kvm" :
					     "modprobe vhost_vsock");
		return err;
	}
	if (ioctl(vsock->kernel.fds[0], VHOST_VSOCK_SET_GUEST_CID, &cid)) {
		err = -errno;
		device_fail(error, err, "cid",
			    err == -EADDRINUSE ? "is another machine's" : NULL,
			    "choose another number");
	}
	vsock->config.guest_cid = htole64(cid);
	return err;
}

static int plug(struct vsock *vsock, const struct board *board)
{
	struct virtio_device *device = &vsock->vhost.pci.device;

	vhost_kernel_attach(&vsock->kernel, &vsock->vhost);
	vsock->vhost.local = 1U << EVENTS;
	device->kind = &kind;
	device->opaque = &vsock->vhost;
	device->nr_queues = QUEUES;
	device->queue_size = QUEUE_SIZE;
	device->config = &vsock->config;
	device->config_size = sizeof(vsock->config);
	return vhost_init(&vsock->vhost, board,
			  vsock->kernel.features & VHOST_QUEUE_FEATURES);
}

static void vsock_free(void *opaque)
{
	struct vsock *vsock = opaque;

	if (vsock->vhost.pci.device.kind)
		vhost_fini(&vsock->vhost);
	vhost_kernel_close(&vsock->kernel);
	free(vsock);
}

static void *vsock_make(const struct board *board,
			const struct device_value *values,
			struct device_error *error)
{
	struct vsock *vsock = calloc(1, sizeof(*vsock));
	int err;

	if (!vsock)
		return NULL;
	err = open_back(vsock, values[0].number, error);
	if (!err)
		err = plug(vsock, board);
	if (err) {
		vsock_free(vsock);
		errno = -err;
		return NULL;
	}
	return vsock;
}

static int vsock_release(void *opaque)
{
	struct vsock *vsock = opaque;
	struct virtio_device *device = &vsock->vhost.pci.device;
	int err = vhost_release(vsock);

	virtio_lock(device);
	tell_loss(vsock);
	virtio_unlock(device);
	return err;
}

static void vsock_loaded(void *opaque)
{
	struct vsock *vsock = opaque;

	vsock->lost = vsock->vhost.pci.device.state.status &
		      VIRTIO_CONFIG_S_DRIVER_OK;
	virtio_pci_loaded(vsock);
}

static int vsock_keep(void *opaque, const struct device_value *values,
		      struct device_error *error)
{
	(void)opaque;
	(void)values;
	return vhost_keep(error, "use --virtio-console, or no --vsock");
}

static const char *vsock_stays(const void *opaque,
			       const struct device_value *values)
{
	(void)opaque;
	(void)values;
	return "the host's vhost writes to the guest's memory, and is not "
	       "asked which pages; use --virtio-console, or no --vsock";
}

static const struct device_option options[] = {
	{ .name = "cid",
	  .about =
		  "the guest's address, which no other machine of the host has",
	  .type = DEVICE_NUMBER,
	  .required = true,
	  .host = true,
	  .min = MIN_CID,
	  .max = MAX_CID },
	{},
};

static const struct record_field fields[] = { VIRTIO_PCI_FIELDS(struct vhost) };

const struct device_kind virtio_vsock_device = {
	.name = "virtio-vsock",
	.about =
		"sockets between guest and host, by vhost-vsock; --vsock CID adds "
		"it",
	.options = options,
	.make = vsock_make,
	.free = vsock_free,
	.reset = vhost_reset,
	.hold = vhost_hold,
	.release = vsock_release,
	DEVICE_STATE(struct vsock, fields),
	.is_sound = virtio_pci_is_sound,
	.loaded = vsock_loaded,
	.stays = vsock_stays,
	.keep = vsock_keep,
};
