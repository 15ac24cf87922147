/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Back ends in the kernel: its vhost devices (<linux/vhost.h>).
 *
 * The kernel's thread uses guest memory as this process does, so that the memory need not
 * be a file.
 */
#ifndef LODGE_VIRTIO_VHOST_KERNEL_H
#define LODGE_VIRTIO_VHOST_KERNEL_H

#include "virtio/vhost.h"

/**
 * struct vhost_kernel - a back end
 * @fd: of the vhost device
 * @ram: the guest's memory
 * @run: let its queues work, or none; see vhost_kind.run
 */
struct vhost_kernel {
	int fd;
	const struct ram *ram;
	int (*run)(struct vhost_kernel *kernel, bool run);
};

/**
 * vhost_kernel_open() - open a vhost device
 * @features: out: what it offers
 *
 * Return: 0 or -errno.  vhost_kernel_close() is to be called in both cases.
 */
int vhost_kernel_open(struct vhost_kernel *kernel, const char *path,
		      uint64_t *features);

/**
 * vhost_kernel_close() - close it
 */
void vhost_kernel_close(struct vhost_kernel *kernel);

/**
 * vhost_kernel_attach() - let the back end serve a device, before vhost_init()
 */
void vhost_kernel_attach(struct vhost_kernel *kernel, struct vhost *vhost);

#endif
