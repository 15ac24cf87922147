/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A machine's serial ports, by their places: 0 for COM1, up to 3.
 */
#ifndef LODGE_MACHINE_SERIALS_H
#define LODGE_MACHINE_SERIALS_H

#include "board/layout.h"
#include "dev/serial.h"
#include "machine/devices.h"

/**
 * serials_want() - want a port, unless it is wanted already
 *
 * Return: 0; -ENOSPC DEVICES_MAX devices are wanted.
 */
int serials_want(struct devices_wanted *wanted, unsigned int port);

/**
 * serials_wanted() - get the ports that are wanted
 *
 * Return: a bit for each.
 */
unsigned int serials_wanted(const struct devices_wanted *wanted);

/**
 * serials_get() - get a port of a machine
 * @devices: made of @wanted
 *
 * Return: the port, or NULL if the machine has none there.
 */
struct serial *serials_get(const struct devices *devices,
			   const struct devices_wanted *wanted,
			   unsigned int port);

#endif
