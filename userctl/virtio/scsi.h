/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A SCSI host adapter with a CD drive (virtio 1.2, section 5.6).
 */
#ifndef LODGE_VIRTIO_SCSI_H
#define LODGE_VIRTIO_SCSI_H

#include "board/device.h"

/* The adapter, for a machine. */
extern const struct device_kind virtio_scsi_device;

#endif
