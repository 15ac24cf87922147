/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A device that a program of the user's serves at a socket, by the vhost-user protocol.
 */
#ifndef LODGE_VIRTIO_VHOST_USER_DEVICE_H
#define LODGE_VIRTIO_VHOST_USER_DEVICE_H

#include "board/device.h"

extern const struct device_kind vhost_user_device;

#endif
