/* SPDX-License-Identifier: GPL-2.0 */
/*
 * QEMU's isa-debug-exit at ports 0xf4 to 0xf7: writing V ends the controller
 * with the code 2 V + 1.
 */
#ifndef LODGE_DEV_DEBUGEXIT_H
#define LODGE_DEV_DEBUGEXIT_H

#include "board/bus.h"
#include "board/device.h"
#include "board/layout.h"
#include "board/power.h"

#define DEBUGEXIT_PORT 0xf4

struct debugexit;

/**
 * debugexit_new() - make the device
 * @power: receives POWER_EXIT
 *
 * Return: the device, or NULL with errno set.
 */
struct debugexit *debugexit_new(struct bus *bus, uint16_t port,
				const struct power *power);

/**
 * debugexit_free() - free it, once nothing calls it any more; NULL is fine
 */
void debugexit_free(void *debugexit);

/* The device, for a machine. */
extern const struct device_kind debugexit_device;

#endif
