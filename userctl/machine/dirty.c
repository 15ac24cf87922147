// SPDX-License-Identifier: GPL-2.0
/*
 * The dirty logs of a VM's RAM.
 */
#include "machine/dirty.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/client.h"
#include "machine/memory.h"

#define PAGE 4096ULL

static const uint32_t slots[RAM_MAX_RANGES] = { MEMORY_SLOT_LOW,
						MEMORY_SLOT_HIGH };

int dirty_begin(int vm, const struct ram *ram, const uint8_t *baseline)
{
	struct ram_range ranges[RAM_MAX_RANGES];
	const size_t count = ram_ranges(ram, ranges);
	int err = 0;

	for (size_t i = 0; i < count && !err; i++)
		err = lodge_dirty_log_begin(
			vm, slots[i],
			baseline ? baseline + ranges[i].offset : NULL);
	return err;
}

void dirty_end(int vm, const struct ram *ram)
{
	struct ram_range ranges[RAM_MAX_RANGES];
	const size_t count = ram_ranges(ram, ranges);

	for (size_t i = 0; i < count; i++)
		lodge_dirty_log_end(vm, slots[i]);
}

/* Return: how many pages. */
static uint64_t add(struct page_log *log, uint64_t first, uint64_t bits)
{
	uint64_t count = 0;

	for (; bits; bits &= bits - 1, count++) {
		const uint64_t page = first + (uint64_t)__builtin_ctzll(bits);

		page_log_add(log, page, page + 1);
	}
	return count;
}

static int collect(int vm, uint32_t slot, const struct ram_range *range,
		   struct page_log *log, uint64_t *count)
{
	const uint64_t pages = range->size / PAGE, first = range->offset / PAGE;
	const uint64_t words = pages / PAGE_LOG_WORD + 1;
	uint64_t *bitmap = calloc(words, sizeof(*bitmap));
	int err;

	if (!bitmap)
		return -ENOMEM;
	err = lodge_dirty_get(vm, slot, 0, pages, bitmap, NULL);
	for (uint64_t i = 0; i < words && !err; i++)
		*count += add(log, first + i * PAGE_LOG_WORD, bitmap[i]);
	free(bitmap);
	return err;
}

int dirty_collect(int vm, const struct ram *ram, struct page_log *log,
		  uint64_t *pages)
{
	struct ram_range ranges[RAM_MAX_RANGES];
	const size_t number = ram_ranges(ram, ranges);
	uint64_t count = 0;
	int err = 0;

	for (size_t i = 0; i < number && !err; i++)
		err = collect(vm, slots[i], &ranges[i], log, &count);
	if (pages)
		*pages = count;
	return err;
}
