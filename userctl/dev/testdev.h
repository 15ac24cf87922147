/* SPDX-License-Identifier: GPL-2.0 */
/*
 * QEMU's pc-testdev, which bare-metal tests use: an echo at ports 0xe0 and 0xe8,
 * a flush port 0xe4 (nothing to flush here), the machine's interrupt lines at
 * ports 0x2000 to 0x2017, and 64 KiB of device memory at 0xff000000.
 */
#ifndef LODGE_DEV_TESTDEV_H
#define LODGE_DEV_TESTDEV_H

#include "board/bus.h"
#include "board/device.h"
#include "board/layout.h"
#include "board/line.h"

#define TESTDEV_LINES 24
#define TESTDEV_MEMORY 0xff000000ULL
#define TESTDEV_MEMORY_SIZE 0x10000

struct testdev;

/**
 * testdev_new() - make the device
 * @lines: line 0 of the machine; the number of line N is higher by N
 *
 * Return: the device, or NULL with errno set.
 */
struct testdev *testdev_new(struct bus *bus, const struct irq_line *lines);

/**
 * testdev_free() - free it, once nothing calls it any more; NULL is fine
 */
void testdev_free(void *testdev);

/* The device, for a machine. */
extern const struct device_kind testdev_device;

#endif
