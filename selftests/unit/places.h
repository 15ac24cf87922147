/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Places of devices, for tests that access all of them at random.
 */
#ifndef UNIT_PLACES_H
#define UNIT_PLACES_H

#include <stdint.h>

#include "board/bus.h"

/* Ports of all devices, and addresses of those with registers in memory. */
static const struct {
	enum bus_space space;
	uint64_t first;
	unsigned int count;
} places[] = {
	{ BUS_PORT, 0x20, 2 },	      { BUS_PORT, 0x40, 4 },
	{ BUS_PORT, 0x60, 5 },	      { BUS_PORT, 0x70, 2 },
	{ BUS_PORT, 0x92, 1 },	      { BUS_PORT, 0xa0, 2 },
	{ BUS_PORT, 0xe0, 12 },	      { BUS_PORT, 0x3f8, 8 },
	{ BUS_PORT, 0x3d4, 7 },	      { BUS_PORT, 0x4d0, 2 },
	{ BUS_PORT, 0x510, 5 },	      { BUS_PORT, 0x600, 12 },
	{ BUS_PORT, 0x620, 4 },	      { BUS_MMIO, 0xfed80000, 16 },
	{ BUS_PORT, 0xcf8, 8 },	      { BUS_PORT, 0x2000, 24 },
	{ BUS_MMIO, 0xfec00000, 1 },  { BUS_MMIO, 0xfec00010, 1 },
	{ BUS_MMIO, 0xff000000, 64 },
};

#define PLACES (sizeof(places) / sizeof(places[0]))

#endif
