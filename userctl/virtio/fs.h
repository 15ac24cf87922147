/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A file system device (virtio 1.2, section 5.11): a directory of the host's, which
 * virtiofsd(1) serves.
 */
#ifndef LODGE_VIRTIO_FS_H
#define LODGE_VIRTIO_FS_H

#include "board/device.h"

extern const struct device_kind virtio_fs_device;

#endif
