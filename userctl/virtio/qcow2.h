/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A disk whose file is a qcow2 image, which qemu-storage-daemon(1) serves.
 */
#ifndef LODGE_VIRTIO_QCOW2_H
#define LODGE_VIRTIO_QCOW2_H

#include "board/device.h"

extern const struct device_kind virtio_qcow2_device;

#endif
