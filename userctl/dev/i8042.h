/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The keyboard controller (Intel 8042) with a keyboard that sends no keys and
 * without a mouse, and system control port A (0x92).  Its main use is the reset line.
 * Line A20 is always on; its bit only stores what the guest writes.
 */
#ifndef LODGE_DEV_I8042_H
#define LODGE_DEV_I8042_H

#include "board/bus.h"
#include "board/device.h"
#include "board/layout.h"
#include "board/line.h"
#include "board/power.h"

struct i8042;

/**
 * i8042_new() - make a keyboard controller
 * @bus: for its ports 0x60, 0x64 and 0x92
 * @irq: its interrupt line, IRQ 1 of a PC; driven with its lock held
 * @power: receives POWER_RESET
 *
 * Return: the controller, or NULL with errno set.
 */
struct i8042 *i8042_new(struct bus *bus, const struct irq_line *irq,
			const struct power *power);

/**
 * i8042_free() - free it, once nothing calls it any more; NULL is fine
 */
void i8042_free(void *i8042);

/* The keyboard controller, for a machine. */
extern const struct device_kind i8042_device;

#endif
