// SPDX-License-Identifier: GPL-2.0
/*
 * QEMU's isa-debug-exit.  It has no state.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dev/debugexit.h"

#define PORTS 4

struct debugexit {
	struct power power;
};

static void debugexit_write(void *opaque, uint64_t offset, const void *data,
			    size_t size)
{
	const struct debugexit *debugexit = opaque;
	uint32_t value = 0;

	(void)offset;
	memcpy(&value, data, size);
	debugexit->power.event(debugexit->power.opaque, POWER_EXIT,
			       (int)(value << 1 | 1));
}

static void debugexit_read(void *opaque, uint64_t offset, void *data,
			   size_t size)
{
	(void)opaque;
	(void)offset;
	memset(data, 0, size);
}

struct debugexit *debugexit_new(struct bus *bus, uint16_t port,
				const struct power *power)
{
	struct debugexit *debugexit = calloc(1, sizeof(*debugexit));
	struct bus_region region = {
		.name = "debug-exit",
		.space = BUS_PORT,
		.base = port,
		.size = PORTS,
		.read = debugexit_read,
		.write = debugexit_write,
		.opaque = debugexit,
	};
	int error;

	if (!debugexit)
		return NULL;
	debugexit->power = *power;
	error = bus_add(bus, &region);
	if (error) {
		debugexit_free(debugexit);
		errno = -error;
		return NULL;
	}
	return debugexit;
}

void debugexit_free(void *opaque)
{
	struct debugexit *debugexit = opaque;

	free(debugexit);
}

static void *debugexit_make(const struct board *board,
			    const struct device_value *values,
			    struct device_error *error)
{
	(void)error;
	return debugexit_new(board->bus, values[0].number, &board->power);
}

static const struct device_option debugexit_options[] = {
	{ .name = "port",
	  .about = "the first of its four ports",
	  .type = DEVICE_HEX,
	  .value = DEBUGEXIT_PORT,
	  .max = 0x10000 - PORTS },
	{ .name = NULL },
};

const struct device_kind debugexit_device = {
	.name = "debug-exit",
	.about = "QEMU's isa-debug-exit",
	.options = debugexit_options,
	.make = debugexit_make,
	.free = debugexit_free,
};
