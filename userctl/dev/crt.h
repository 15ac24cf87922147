/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ports of a display controller that drives no display: software that moves
 * its cursor, or waits for a retrace, goes on.
 */
#ifndef LODGE_DEV_CRT_H
#define LODGE_DEV_CRT_H

#include "board/device.h"

/* The ports, for a machine. */
extern const struct device_kind crt_device;

#endif
