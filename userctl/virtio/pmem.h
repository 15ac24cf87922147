/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Persistent memory (virtio 1.2, section 5.19): a file of the host's as a part of the
 * guest's address space.
 */
#ifndef LODGE_VIRTIO_PMEM_H
#define LODGE_VIRTIO_PMEM_H

#include "board/device.h"

extern const struct device_kind virtio_pmem_device;

#endif
