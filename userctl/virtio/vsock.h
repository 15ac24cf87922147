/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A socket device (virtio 1.2, section 5.10): connections between programs of the guest's
 * and of the host's, by the kernel's vhost-vsock.
 */
#ifndef LODGE_VIRTIO_VSOCK_H
#define LODGE_VIRTIO_VSOCK_H

#include "board/device.h"

extern const struct device_kind virtio_vsock_device;

#endif
