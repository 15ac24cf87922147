/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The front end of the vhost-user protocol (QEMU, docs/interop/vhost-user.rst): requests to
 * another process, which serves a device's queues.
 *
 * The other process can read and write all guest memory.  Nothing that it says is
 * trusted: replies are of the size and kind that belong to the request, and descriptors
 * that come with them are not taken.
 */
#ifndef LODGE_VIRTIO_VHOST_USER_H
#define LODGE_VIRTIO_VHOST_USER_H

#include "virtio/vhost.h"

struct vhost_user;

/* The most bytes of a device's configuration. */
#define VHOST_USER_MAX_CONFIG 256

/**
 * vhost_user_open() - agree with a back end on features
 * @loop: notices when the back end goes away
 * @socket: connected to it; taken over in any case
 *
 * Return: 0; -ETIMEDOUT it did not answer; -ECONNRESET it has closed the connection;
 * -EPROTO it does not keep to the protocol; -errno.
 */
int vhost_user_open(struct vhost_user **user, struct loop *loop, int socket);

/**
 * vhost_user_close() - end it, once nothing calls it any more; NULL is fine
 */
void vhost_user_close(struct vhost_user *user);

/**
 * vhost_user_features() - get the features that the back end offers
 */
uint64_t vhost_user_features(const struct vhost_user *user);

/**
 * vhost_user_queues() - get the number of queues that the back end supports
 *
 * Return: the number; 0: it does not say.
 */
uint64_t vhost_user_queues(const struct vhost_user *user);

/**
 * vhost_user_has_config() - tell if the back end has the device's configuration
 */
bool vhost_user_has_config(const struct vhost_user *user);

/**
 * vhost_user_get_config() - read the first bytes of the device's configuration
 * @size: up to VHOST_USER_MAX_CONFIG
 *
 * Return: 0 or -errno, as vhost_user_open(); -EINVAL the back end has no so many.
 */
int vhost_user_get_config(struct vhost_user *user, void *data, size_t size);

/**
 * vhost_user_set_config() - write to the device's configuration
 *
 * Return: 0 or -errno.
 */
int vhost_user_set_config(struct vhost_user *user, size_t offset,
			  const void *data, size_t size);

/**
 * vhost_user_attach() - let the back end serve a device, before vhost_init()
 * @vhost: gets its kind and back end; vhost_fail() is called when the other process goes
 *	away
 *
 * Return: 0 or -errno.
 */
int vhost_user_attach(struct vhost_user *user, struct vhost *vhost);

#endif
