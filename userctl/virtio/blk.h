/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A block device: a disk of the host for the guest (virtio 1.2, section 5.2).
 */
#ifndef LODGE_VIRTIO_BLK_H
#define LODGE_VIRTIO_BLK_H

#include "board/device.h"

extern const struct device_kind virtio_blk_device;

#endif
