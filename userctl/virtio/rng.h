/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An entropy device (virtio 1.2, section 5.4): random numbers of the host's.
 */
#ifndef LODGE_VIRTIO_RNG_H
#define LODGE_VIRTIO_RNG_H

#include "board/device.h"

extern const struct device_kind virtio_rng_device;

#endif
