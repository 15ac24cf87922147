// SPDX-License-Identifier: GPL-2.0
/*
 * The bus: finds the device behind an address in logarithmic time, and splits
 * accesses that are too wide for it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "board/bus.h"

#define PORTS 0x10000ULL

/*
 * Regions sorted by base, then by size.  Those that are not exact do not
 * overlap each other.
 */
struct bus_map {
	struct bus_region *regions;
	size_t count;
};

struct bus {
	struct bus_map ranges[BUS_NR_SPACES];
	struct bus_map exact[BUS_NR_SPACES];
	struct bus_rest rest;
};

struct bus *bus_new(void)
{
	return calloc(1, sizeof(struct bus));
}

void bus_free(struct bus *bus)
{
	if (!bus)
		return;
	for (int space = 0; space < BUS_NR_SPACES; space++) {
		free(bus->ranges[space].regions);
		free(bus->exact[space].regions);
	}
	free(bus);
}

static uint64_t region_last(const struct bus_region *region)
{
	return region->base + (region->size - 1);
}

static bool region_valid(const struct bus_region *region)
{
	uint64_t limit = region->space == BUS_PORT ? PORTS - 1 : UINT64_MAX;

	return region->space < BUS_NR_SPACES && region->size &&
	       region->base <= limit &&
	       region->size - 1 <= limit - region->base;
}

static bool regions_clash(const struct bus_region *a,
			  const struct bus_region *b)
{
	if (a->exact)
		return a->base == b->base && a->size == b->size;
	return a->base <= region_last(b) && b->base <= region_last(a);
}

static bool region_before(const struct bus_region *a,
			  const struct bus_region *b)
{
	return a->base < b->base || (a->base == b->base && a->size < b->size);
}

int bus_add(struct bus *bus, const struct bus_region *region)
{
	struct bus_region *regions;
	struct bus_map *map;
	size_t at;

	if (!region_valid(region))
		return -EINVAL;
	map = region->exact ? &bus->exact[region->space] :
			      &bus->ranges[region->space];
	for (size_t i = 0; i < map->count; i++) {
		if (regions_clash(&map->regions[i], region))
			return -EEXIST;
	}

	regions = reallocarray(map->regions, map->count + 1, sizeof(*regions));
	if (!regions)
		return -ENOMEM;
	map->regions = regions;
	for (at = map->count; at; at--) {
		if (region_before(&regions[at - 1], region))
			break;
		regions[at] = regions[at - 1];
	}
	regions[at] = *region;
	map->count++;
	return 0;
}

int bus_set_rest(struct bus *bus, const struct bus_rest *rest)
{
	if (bus->rest.read)
		return -EEXIST;
	bus->rest = *rest;
	return 0;
}

/* The last region that does not begin after (@base, @size), in their order. */
static const struct bus_region *map_floor(const struct bus_map *map,
					  uint64_t base, uint64_t size)
{
	const struct bus_region key = { .base = base, .size = size };
	size_t low = 0, high = map->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (region_before(&key, &map->regions[middle]))
			high = middle;
		else
			low = middle + 1;
	}
	return low ? &map->regions[low - 1] : NULL;
}

/* True if a range has one of the addresses; the last to begin also ends last. */
static bool ranges_overlap(const struct bus *bus, enum bus_space space,
			   uint64_t first, uint64_t last)
{
	const struct bus_region *region =
		map_floor(&bus->ranges[space], last, UINT64_MAX);

	return region && region_last(region) >= first;
}

bool bus_overlaps(const struct bus *bus, enum bus_space space, uint64_t first,
		  uint64_t last)
{
	const struct bus_map *exact = &bus->exact[space];

	for (size_t i = 0; i < exact->count; i++)
		if (exact->regions[i].base <= last &&
		    region_last(&exact->regions[i]) >= first)
			return true;
	return ranges_overlap(bus, space, first, last);
}

/* Finds the exact region of an access, or else the range with its first byte. */
static const struct bus_region *bus_find(const struct bus *bus,
					 enum bus_space space, uint64_t address,
					 size_t size)
{
	const struct bus_region *region;

	region = map_floor(&bus->exact[space], address, size);
	if (region && region->base == address && region->size == size)
		return region;
	region = map_floor(&bus->ranges[space], address, UINT64_MAX);
	if (region && address <= region_last(region))
		return region;
	return NULL;
}

static bool region_holds(const struct bus_region *region, uint64_t address,
			 size_t size)
{
	return size - 1 <= region_last(region) - address;
}

/* Return: the size of the next piece of an access with @left bytes to go. */
static size_t region_piece(const struct bus_region *region, size_t left)
{
	return region->width && left > region->width ? region->width : left;
}

static void region_read(const struct bus_region *region, uint64_t address,
			uint8_t *data, size_t size)
{
	uint64_t offset = address - region->base;

	if (!region->read)
		return;
	for (size_t done = 0, piece; done < size; done += piece) {
		piece = region_piece(region, size - done);
		region->read(region->opaque, offset + done, data + done, piece);
	}
}

static void region_write(const struct bus_region *region, uint64_t address,
			 const uint8_t *data, size_t size)
{
	uint64_t offset = address - region->base;

	if (!region->write)
		return;
	for (size_t done = 0, piece; done < size; done += piece) {
		piece = region_piece(region, size - done);
		region->write(region->opaque, offset + done, data + done,
			      piece);
	}
}

/* True if no region that is not exact has a part of the access. */
static bool is_for_rest(const struct bus *bus, enum bus_space space,
			uint64_t address, size_t size)
{
	return bus->rest.read && size - 1 <= UINT64_MAX - address &&
	       !ranges_overlap(bus, space, address, address + (size - 1));
}

/* Reads a single byte, or what one region or the rest has as a whole. */
static bool piece_read(const struct bus *bus, enum bus_space space,
		       uint64_t address, uint8_t *data, size_t size)
{
	const struct bus_region *region = bus_find(bus, space, address, size);

	if (region && region_holds(region, address, size)) {
		region_read(region, address, data, size);
		return true;
	}
	return is_for_rest(bus, space, address, size) &&
	       bus->rest.read(bus->rest.opaque, space, address, data, size);
}

static bool piece_write(const struct bus *bus, enum bus_space space,
			uint64_t address, const uint8_t *data, size_t size)
{
	const struct bus_region *region = bus_find(bus, space, address, size);

	if (region && region_holds(region, address, size)) {
		region_write(region, address, data, size);
		return true;
	}
	return is_for_rest(bus, space, address, size) &&
	       bus->rest.write(bus->rest.opaque, space, address, data, size);
}

bool bus_read(const struct bus *bus, enum bus_space space, uint64_t address,
	      void *data, size_t size)
{
	bool answered = false;
	uint8_t *bytes = data;

	memset(bytes, 0xff, size);
	if (!size)
		return false;
	if (piece_read(bus, space, address, bytes, size))
		return true;
	for (size_t i = 0; size > 1 && i < size && address + i >= address; i++)
		answered |= piece_read(bus, space, address + i, bytes + i, 1);
	return answered;
}

bool bus_write(const struct bus *bus, enum bus_space space, uint64_t address,
	       const void *data, size_t size)
{
	const uint8_t *bytes = data;
	bool answered = false;

	if (!size)
		return false;
	if (piece_write(bus, space, address, bytes, size))
		return true;
	for (size_t i = 0; size > 1 && i < size && address + i >= address; i++)
		answered |= piece_write(bus, space, address + i, bytes + i, 1);
	return answered;
}
