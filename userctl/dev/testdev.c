// SPDX-License-Identifier: GPL-2.0
/*
 * QEMU's pc-testdev.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dev/testdev.h"

#define ECHO_PORT 0xe0
#define FLUSH_PORT 0xe4
#define ECHO_BYTE_PORT 0xe8
#define LINE_PORT 0x2000
#define ECHO_SIZE 4

/* @lock guards all that changes.  @raised: the lines that it asserts. */
struct testdev {
	pthread_mutex_t lock;
	struct irq_line lines;
	uint32_t raised;
	uint8_t echo[ECHO_SIZE];
	uint8_t memory[TESTDEV_MEMORY_SIZE];
};

static void echo_read(void *opaque, uint64_t offset, void *data, size_t size)
{
	struct testdev *testdev = opaque;

	pthread_mutex_lock(&testdev->lock);
	memcpy(data, &testdev->echo[offset], size);
	pthread_mutex_unlock(&testdev->lock);
}

static void echo_write(void *opaque, uint64_t offset, const void *data,
		       size_t size)
{
	struct testdev *testdev = opaque;

	pthread_mutex_lock(&testdev->lock);
	memcpy(&testdev->echo[offset], data, size);
	pthread_mutex_unlock(&testdev->lock);
}

static void line_set(struct testdev *testdev, unsigned int number, bool level)
{
	struct irq_line line = testdev->lines;

	line.number += number;
	testdev->raised &= ~(1U << number);
	testdev->raised |= (uint32_t)level << number;
	irq_line_set(&line, level);
}

static void line_write(void *opaque, uint64_t offset, const void *data,
		       size_t size)
{
	struct testdev *testdev = opaque;

	(void)size;
	pthread_mutex_lock(&testdev->lock);
	line_set(testdev, offset, *(const uint8_t *)data != 0);
	pthread_mutex_unlock(&testdev->lock);
}

static void memory_read(void *opaque, uint64_t offset, void *data, size_t size)
{
	struct testdev *testdev = opaque;

	pthread_mutex_lock(&testdev->lock);
	memcpy(data, &testdev->memory[offset], size);
	pthread_mutex_unlock(&testdev->lock);
}

static void memory_write(void *opaque, uint64_t offset, const void *data,
			 size_t size)
{
	struct testdev *testdev = opaque;

	pthread_mutex_lock(&testdev->lock);
	memcpy(&testdev->memory[offset], data, size);
	pthread_mutex_unlock(&testdev->lock);
}

static int testdev_add(struct testdev *testdev, struct bus *bus)
{
	const struct bus_region regions[] = {
		{ .name = "test-echo",
		  .base = ECHO_PORT,
		  .size = ECHO_SIZE,
		  .read = echo_read,
		  .write = echo_write,
		  .opaque = testdev },
		{ .name = "test-flush",
		  .base = FLUSH_PORT,
		  .size = 4,
		  .opaque = testdev },
		{ .name = "test-echo-byte",
		  .base = ECHO_BYTE_PORT,
		  .size = ECHO_SIZE,
		  .width = 1,
		  .read = echo_read,
		  .write = echo_write,
		  .opaque = testdev },
		{ .name = "test-lines",
		  .base = LINE_PORT,
		  .size = TESTDEV_LINES,
		  .width = 1,
		  .write = line_write,
		  .opaque = testdev },
		{ .name = "test-memory",
		  .space = BUS_MMIO,
		  .base = TESTDEV_MEMORY,
		  .size = TESTDEV_MEMORY_SIZE,
		  .read = memory_read,
		  .write = memory_write,
		  .opaque = testdev },
	};
	int error = 0;

	for (size_t i = 0; !error && i < 5; i++)
		error = bus_add(bus, &regions[i]);
	return error;
}

struct testdev *testdev_new(struct bus *bus, const struct irq_line *lines)
{
	struct testdev *testdev = calloc(1, sizeof(*testdev));
	int error;

	if (!testdev)
		return NULL;
	pthread_mutex_init(&testdev->lock, NULL);
	testdev->lines = *lines;
	error = testdev_add(testdev, bus);
	if (error) {
		testdev_free(testdev);
		errno = -error;
		return NULL;
	}
	return testdev;
}

void testdev_free(void *opaque)
{
	struct testdev *testdev = opaque;

	if (!testdev)
		return;
	pthread_mutex_destroy(&testdev->lock);
	free(testdev);
}

static void *testdev_make(const struct board *board,
			  const struct device_value *values,
			  struct device_error *error)
{
	struct irq_line lines = board_line(board, 0);

	(void)values;
	(void)error;
	return testdev_new(board->bus, &lines);
}

static void testdev_reset(void *opaque)
{
	struct testdev *testdev = opaque;

	for (unsigned int i = 0; i < TESTDEV_LINES; i++)
		if (testdev->raised >> i & 1)
			line_set(testdev, i, false);
	memset(testdev->echo, 0, sizeof(testdev->echo));
	memset(testdev->memory, 0, sizeof(testdev->memory));
}

static const struct record_field testdev_fields[] = {
	RECORD_ANY(1, struct testdev, echo),
	RECORD_ANY(2, struct testdev, memory),
	RECORD_FIELD(3, struct testdev, raised, (1U << TESTDEV_LINES) - 1),
};

const struct device_kind testdev_device = {
	.name = "testdev",
	.about = "QEMU's pc-testdev, for bare-metal tests",
	.make = testdev_make,
	.free = testdev_free,
	.reset = testdev_reset,
	DEVICE_STATE(struct testdev, testdev_fields),
};
