/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A console device with two ports (virtio 1.2, section 5.3).
 *
 * Port 0 is the guest's hvc0, at the machine's console.  Port 1, which has a name in the
 * guest, is at a file or a socket of the host's.
 */
#ifndef LODGE_VIRTIO_CONSOLE_H
#define LODGE_VIRTIO_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board/device.h"

extern const struct device_kind virtio_console_device;

/**
 * virtio_console_takes_input() - ask if what is typed at the machine's console goes to
 * hvc0, and not to the serial port
 * @opaque: the device
 */
bool virtio_console_takes_input(const void *opaque);

/**
 * virtio_console_room() - get how many bytes of input hvc0 has room for
 * @opaque: the device
 */
size_t virtio_console_room(void *opaque);

/**
 * virtio_console_receive() - give hvc0 input; any thread may call
 * @opaque: the device
 *
 * Return: how many bytes it had room for.
 */
size_t virtio_console_receive(void *opaque, const void *bytes, size_t size);

/**
 * virtio_console_resize() - tell the guest the size of the machine's console
 * @opaque: the device
 * @cols: columns
 * @rows: rows
 */
void virtio_console_resize(void *opaque, uint16_t cols, uint16_t rows);

#endif
