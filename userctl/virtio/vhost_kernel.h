/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Back ends in the kernel: its vhost devices (<linux/vhost.h>).
 *
 * The kernel's thread uses guest memory as this process does, so that the memory need not
 * be a file.  Several vhost devices can serve one device of the guest's, each of them as
 * many of its queues.
 */
#ifndef LODGE_VIRTIO_VHOST_KERNEL_H
#define LODGE_VIRTIO_VHOST_KERNEL_H

#include "virtio/vhost.h"

/* Half of a device's queues: each vhost device has two at least. */
#define VHOST_KERNEL_MAX (VIRTIO_MAX_QUEUES / 2)

/**
 * struct vhost_kernel - a back end
 * @fds: of the vhost devices; @count of them
 * @count: how many
 * @queues: how many queues each of them has: @fds[0] has the first ones
 * @features: what they know of what a driver can negotiate
 * @ram: the guest's memory
 * @run: let all queues work, or none; see vhost_kind.run.  NULL: nothing is to be done
 * @attach: let a queue, whose ring is known, work, or no longer: all that it has taken has
 *	then been returned.  Returns 0 or -errno.  NULL: nothing is to be done
 */
struct vhost_kernel {
	int fds[VHOST_KERNEL_MAX];
	unsigned int count;
	unsigned int queues;
	uint64_t features;
	const struct ram *ram;
	int (*run)(struct vhost_kernel *kernel, bool run);
	int (*attach)(struct vhost_kernel *kernel, unsigned int queue, bool on);
};

/**
 * vhost_kernel_open() - open vhost devices
 * @kernel: zeroed, with @queues, @run and @attach
 * @count: how many, at most VHOST_KERNEL_MAX
 *
 * Return: 0 or -errno.  vhost_kernel_close() is to be called in both cases.
 */
int vhost_kernel_open(struct vhost_kernel *kernel, const char *path,
		      unsigned int count);

/**
 * vhost_kernel_close() - close them
 */
void vhost_kernel_close(struct vhost_kernel *kernel);

/**
 * vhost_kernel_attach() - let the back end serve a device, before vhost_init()
 */
void vhost_kernel_attach(struct vhost_kernel *kernel, struct vhost *vhost);

#endif
