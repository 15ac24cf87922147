/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A network card (virtio 1.2, section 5.1).
 */
#ifndef LODGE_VIRTIO_NET_H
#define LODGE_VIRTIO_NET_H

#include "board/device.h"

extern const struct device_kind virtio_net_device;

#endif
