// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's door to the machine's checkpoint.  It has no state: what it tells is the
 * machine's, and is not put back.
 */
#include "dev/checkpoint.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct checkpoint {
	struct board_checkpoint machine;
};

/* Other accesses are those of guests that look for something else here. */
static void checkpoint_write(void *opaque, uint64_t offset, const void *data,
			     size_t size)
{
	const struct board_checkpoint *machine = opaque;
	uint32_t value;

	if (size != sizeof(value))
		return;
	memcpy(&value, data, sizeof(value));
	if (offset == CHECKPOINT_PASS && value == CHECKPOINT_HERE)
		machine->make(machine->opaque);
	else if (offset == CHECKPOINT_DONE)
		machine->done(machine->opaque, value);
}

static void checkpoint_read(void *opaque, uint64_t offset, void *data,
			    size_t size)
{
	const struct board_checkpoint *machine = opaque;
	uint32_t value = 0;

	if (offset == CHECKPOINT_PASS && size == sizeof(value))
		value = machine->pass(machine->opaque);
	memset(data, 0, size);
	memcpy(data, &value, size < sizeof(value) ? size : sizeof(value));
}

static void checkpoint_free(void *opaque)
{
	free(opaque);
}

static void *checkpoint_make(const struct board *board,
			     const struct device_value *values,
			     struct device_error *error)
{
	struct checkpoint *checkpoint = calloc(1, sizeof(*checkpoint));
	struct bus_region region = {
		.name = "checkpoint",
		.space = BUS_PORT,
		.base = values[0].number,
		.size = CHECKPOINT_PORTS,
		.read = checkpoint_read,
		.write = checkpoint_write,
		.opaque = checkpoint,
	};
	int err;

	(void)error;
	if (!checkpoint)
		return NULL;
	checkpoint->machine = board->checkpoint;
	err = bus_add(board->bus, &region);
	if (err) {
		free(checkpoint);
		errno = -err;
		return NULL;
	}
	return checkpoint;
}

static const struct device_option options[] = {
	{ .name = "port",
	  .about = "the first of its eight ports",
	  .type = DEVICE_HEX,
	  .value = CHECKPOINT_PORT,
	  .max = 0x10000 - CHECKPOINT_PORTS },
	{ .name = NULL },
};

const struct device_kind checkpoint_device = {
	.name = "checkpoint",
	.about = "lets the guest make a checkpoint of its machine, and go back "
		 "to it",
	.options = options,
	.make = checkpoint_make,
	.free = checkpoint_free,
};
