// SPDX-License-Identifier: GPL-2.0
/*
 * Allocates guest memory to the parts of an image.
 */
#include "boot/place.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "boot/bios.h"

void place_init(struct place *place, const struct ram *ram)
{
	place->ram = ram;
	place->count = 2;
	place->taken[0] = (struct place_range){ 0, BIOS_LOW_END };
	place->taken[1] = (struct place_range){ BIOS_EBDA, BIOS_AREA_END };
}

/* Inserts a range, which is free, at index @i, which keeps the order. */
static int place_insert(struct place *place, unsigned int i, uint64_t start,
			uint64_t end)
{
	struct place_range *taken = place->taken;
	bool before = i && taken[i - 1].end == start;
	bool behind = i < place->count && taken[i].start == end;
	unsigned int rest = place->count - i;

	if (before && behind) {
		taken[i - 1].end = taken[i].end;
		memmove(&taken[i], &taken[i + 1], (rest - 1) * sizeof(*taken));
		place->count--;
	} else if (before) {
		taken[i - 1].end = end;
	} else if (behind) {
		taken[i].start = start;
	} else {
		if (place->count == PLACE_MAX)
			return -EMFILE;
		memmove(&taken[i + 1], &taken[i], rest * sizeof(*taken));
		taken[i] = (struct place_range){ start, end };
		place->count++;
	}
	return 0;
}

int place_claim(struct place *place, uint64_t gpa, uint64_t size, void **at)
{
	unsigned int i = 0;

	*at = size ? ram_write_at(place->ram, gpa, size) : NULL;
	if (!*at)
		return -ENOSPC;
	while (i < place->count && place->taken[i].end <= gpa)
		i++;
	if (i < place->count && place->taken[i].start < gpa + size)
		return -EEXIST;
	return place_insert(place, i, gpa, gpa + size);
}

int place_find(struct place *place, uint64_t size, uint64_t align, uint64_t min,
	       uint64_t max, enum place_order order, uint64_t *gpa, void **at)
{
	uint64_t low = ram_low(place->ram);
	uint64_t start, end, found = 0;
	bool any = false;
	unsigned int i;

	if (max > low)
		max = low;
	for (i = 0; i <= place->count; i++) {
		start = i ? place->taken[i - 1].end : 0;
		end = i < place->count ? place->taken[i].start : low;
		if (start < min)
			start = min;
		if (end > max)
			end = max;
		if (start >= end || size > end - start)
			continue;
		if (order == PLACE_LOWEST)
			found = (start + align - 1) & ~(align - 1);
		else
			found = (end - size) & ~(align - 1);
		if (found < start || found > end - size)
			continue;
		*gpa = found;
		any = true;
		if (order == PLACE_LOWEST)
			break;
	}
	return any ? place_claim(place, *gpa, size, at) : -ENOSPC;
}

int place_put(struct place *place, uint64_t gpa, const void *data,
	      uint64_t size, uint64_t room)
{
	void *at;
	int ret = place_claim(place, gpa, room, &at);

	if (ret)
		return ret;
	memcpy(at, data, size);
	memset((char *)at + size, 0, room - size);
	return 0;
}

const char *place_reason(int code)
{
	switch (code) {
	case -ENOSPC:
		return "is not within RAM (see --memory)";
	case -EEXIST:
		return "overlaps another part or what a BIOS keeps";
	default:
		return "is one part too many";
	}
}
