// SPDX-License-Identifier: GPL-2.0
/*
 * A guest's door to the fuzzer.  It has no state but the fact that was chosen.
 */
#include "dev/fuzz.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/**
 * struct fuzz - the door
 * @shared: the fuzzer's
 * @input: guest physical address of the input
 * @coverage: that of the coverage
 * @fact: an enum fuzz_fact, or another number, of which nothing is known
 */
struct fuzz {
	const struct board_fuzz *shared;
	uint64_t input;
	uint64_t coverage;
	uint32_t fact;
};

static uint32_t fact_of(const struct fuzz *fuzz)
{
	switch (__atomic_load_n(&fuzz->fact, __ATOMIC_RELAXED)) {
	case FUZZ_MAGIC:
		return FUZZ_MAGIC_VALUE;
	case FUZZ_INPUT_LOW:
		return (uint32_t)fuzz->input;
	case FUZZ_INPUT_HIGH:
		return (uint32_t)(fuzz->input >> 32);
	case FUZZ_COVERAGE_LOW:
		return (uint32_t)fuzz->coverage;
	case FUZZ_COVERAGE_HIGH:
		return (uint32_t)(fuzz->coverage >> 32);
	case FUZZ_COVERAGE_SIZE:
		return fuzz->shared->coverage_used;
	}
	return 0;
}

static void fuzz_write(void *opaque, uint64_t offset, const void *data,
		       size_t size)
{
	struct fuzz *fuzz = opaque;
	uint32_t value;

	if (size != sizeof(value))
		return;
	memcpy(&value, data, sizeof(value));
	if (offset == FUZZ_FACT)
		__atomic_store_n(&fuzz->fact, value, __ATOMIC_RELAXED);
	else if (offset == FUZZ_RUN)
		fuzz->shared->tell(fuzz->shared->opaque, value);
}

static void fuzz_read(void *opaque, uint64_t offset, void *data, size_t size)
{
	struct fuzz *fuzz = opaque;
	uint32_t value = 0;

	if (offset == FUZZ_RUN && size == sizeof(value))
		value = fuzz->shared->run(fuzz->shared->opaque);
	else if (offset == FUZZ_FACT && size == sizeof(value))
		value = fact_of(fuzz);
	memset(data, 0, size);
	memcpy(data, &value, size < sizeof(value) ? size : sizeof(value));
}

static void fuzz_reset(void *opaque)
{
	struct fuzz *fuzz = opaque;

	fuzz->fact = FUZZ_MAGIC;
}

static void fuzz_free(void *opaque)
{
	free(opaque);
}

static int share(struct fuzz *fuzz, const struct board *board)
{
	const struct board_fuzz *shared = board->fuzz;
	int err = board->map(board->opaque, shared->input_size, shared->input,
			     false, &fuzz->input);

	if (!err)
		err = board->map(board->opaque, shared->coverage_size,
				 shared->coverage, false, &fuzz->coverage);
	return err;
}

static int connect(struct fuzz *fuzz, const struct board *board, uint16_t port)
{
	const struct bus_region region = {
		.name = "fuzz",
		.space = BUS_PORT,
		.base = port,
		.size = FUZZ_PORTS,
		.read = fuzz_read,
		.write = fuzz_write,
		.opaque = fuzz,
	};
	int err = share(fuzz, board);

	return err ? err : bus_add(board->bus, &region);
}

static void *fuzz_make(const struct board *board,
		       const struct device_value *values,
		       struct device_error *error)
{
	struct fuzz *fuzz;
	int err;

	if (!board->fuzz)
		return device_fail(error, -EINVAL, NULL,
				   "there is no fuzzer here",
				   "start the machine by lodge fuzz");
	fuzz = calloc(1, sizeof(*fuzz));
	if (!fuzz)
		return NULL;
	fuzz->shared = board->fuzz;
	err = connect(fuzz, board, values[0].number);
	if (err) {
		free(fuzz);
		errno = -err;
		return NULL;
	}
	return fuzz;
}

static const struct device_option options[] = {
	{ .name = "port",
	  .about = "the first of its eight ports",
	  .type = DEVICE_HEX,
	  .value = FUZZ_PORT,
	  .max = 0x10000 - FUZZ_PORTS },
	{ .name = NULL },
};

static const struct record_field fields[] = {
	RECORD_ANY(1, struct fuzz, fact),
};

const struct device_kind fuzz_device = {
	.name = "fuzz",
	.about = "the guest's door to the fuzzer; lodge fuzz adds it by itself",
	.options = options,
	.make = fuzz_make,
	.free = fuzz_free,
	.reset = fuzz_reset,
	DEVICE_STATE(struct fuzz, fields),
};
