// SPDX-License-Identifier: GPL-2.0
/*
 * The ports of a display controller that drives no display (data sheet: Motorola
 * MC6845; the status register is the IBM Color/Graphics Adapter's).
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dev/crt.h"

#define INDEX_PORT 0x3d4
#define STATUS_PORT 0x3da
#define REGISTERS 32

/* The bits of any retrace and of vertical retrace; each read inverts both. */
#define STATUS_RETRACE 0x09

/* @lock guards all: registers, which only store, and the index of the selected one. */
struct crt {
	pthread_mutex_t lock;
	uint8_t index;
	uint8_t status;
	uint8_t registers[REGISTERS];
};

static void crt_read(void *opaque, uint64_t offset, void *data, size_t size)
{
	struct crt *crt = opaque;

	(void)size;
	pthread_mutex_lock(&crt->lock);
	*(uint8_t *)data = offset ? crt->registers[crt->index] : crt->index;
	pthread_mutex_unlock(&crt->lock);
}

static void crt_write(void *opaque, uint64_t offset, const void *data,
		      size_t size)
{
	uint8_t value = *(const uint8_t *)data;
	struct crt *crt = opaque;

	(void)size;
	pthread_mutex_lock(&crt->lock);
	if (offset)
		crt->registers[crt->index] = value;
	else
		crt->index = value % REGISTERS;
	pthread_mutex_unlock(&crt->lock);
}

static void status_read(void *opaque, uint64_t offset, void *data, size_t size)
{
	struct crt *crt = opaque;

	(void)offset;
	(void)size;
	pthread_mutex_lock(&crt->lock);
	crt->status ^= STATUS_RETRACE;
	*(uint8_t *)data = crt->status;
	pthread_mutex_unlock(&crt->lock);
}

static int crt_add(struct crt *crt, struct bus *bus)
{
	const struct bus_region index = {
		.name = "crt",
		.base = INDEX_PORT,
		.size = 2,
		.width = 1,
		.read = crt_read,
		.write = crt_write,
		.opaque = crt,
	};
	const struct bus_region status = {
		.name = "crt-status",
		.base = STATUS_PORT,
		.size = 1,
		.read = status_read,
		.opaque = crt,
	};
	int error = bus_add(bus, &index);

	return error ? error : bus_add(bus, &status);
}

static void crt_free(void *opaque)
{
	struct crt *crt = opaque;

	pthread_mutex_destroy(&crt->lock);
	free(crt);
}

static void *crt_make(const struct board *board,
		      const struct device_value *values,
		      struct device_error *error)
{
	struct crt *crt = calloc(1, sizeof(*crt));
	int err;

	(void)values;
	(void)error;
	if (!crt)
		return NULL;
	pthread_mutex_init(&crt->lock, NULL);
	err = crt_add(crt, board->bus);
	if (err) {
		crt_free(crt);
		errno = -err;
		return NULL;
	}
	return crt;
}

static void crt_reset(void *opaque)
{
	struct crt *crt = opaque;

	crt->index = 0;
	crt->status = 0;
	memset(crt->registers, 0, sizeof(crt->registers));
}

static const struct record_field crt_fields[] = {
	RECORD_FIELD(1, struct crt, index, REGISTERS - 1),
	RECORD_FIELD(2, struct crt, status, STATUS_RETRACE),
	RECORD_ANY(3, struct crt, registers),
};

const struct device_kind crt_device = {
	.name = "crt",
	.about = "the ports of a display controller, without a display",
	.make = crt_make,
	.free = crt_free,
	.reset = crt_reset,
	DEVICE_STATE(struct crt, crt_fields),
};
