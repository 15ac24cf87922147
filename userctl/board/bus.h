/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The bus maps ports and guest physical addresses to devices.
 *
 * Regions are added while the machine is built and never change afterwards, so
 * that an access needs no lock here.  A device is called from any vCPU thread
 * and from the event loop; it guards its own state.
 */
#ifndef LODGE_BOARD_BUS_H
#define LODGE_BOARD_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum bus_space {
	BUS_PORT,
	BUS_MMIO,
	BUS_NR_SPACES,
};

/**
 * struct bus_region - a range of addresses and the device behind it
 * @name: for messages
 * @space: ports or memory
 * @base: first address
 * @size: number of addresses
 * @width: the widest access that the device takes, in bytes; the bus splits
 *	wider ones, lowest address first.  0: any
 * @exact: the device takes only accesses of exactly these addresses.  Other
 *	accesses ignore the region, so it may overlap regions that are not exact
 * @read: fill @data with @size bytes from @offset (relative to @base); NULL:
 *	reads as all ones
 * @write: take @size bytes; NULL: writes are dropped
 * @opaque: the device
 *
 * An access has 1, 2 or 4 bytes for ports and 1 to 16 for memory, and never
 * reaches past the region's end.
 */
struct bus_region {
	const char *name;
	enum bus_space space;
	uint64_t base;
	uint64_t size;
	unsigned int width;
	bool exact;
	void (*read)(void *opaque, uint64_t offset, void *data, size_t size);
	void (*write)(void *opaque, uint64_t offset, const void *data,
		      size_t size);
	void *opaque;
};

/**
 * struct bus_rest - who answers what no region does
 * @read: fill @data with @size bytes, all ones where nobody answers; return true if
 *	somebody has answered
 * @write: take @size bytes; return true if somebody has answered
 * @opaque: for both
 *
 * None of an access's addresses is in a region that is not exact.
 */
struct bus_rest {
	bool (*read)(void *opaque, enum bus_space space, uint64_t address,
		     void *data, size_t size);
	bool (*write)(void *opaque, enum bus_space space, uint64_t address,
		      const void *data, size_t size);
	void *opaque;
};

struct bus;

/**
 * bus_new() - make an empty bus
 *
 * Return: the bus, or NULL when memory is short.
 */
struct bus *bus_new(void);

/**
 * bus_free() - free @bus, which may be NULL; its devices are not touched
 */
void bus_free(struct bus *bus);

/**
 * bus_add() - let a device answer at a region
 *
 * The region is copied, but its name is not.  A region cannot be removed: if
 * building the machine fails half-way, its bus is freed, too.
 *
 * Return: 0; -EEXIST the region overlaps another one, or both are exact and the
 * same; -EINVAL it is empty or reaches past the end of its space; -ENOMEM.
 */
int bus_add(struct bus *bus, const struct bus_region *region);

/**
 * bus_set_rest() - set who answers what no region does
 *
 * Return: 0 or -EEXIST: there is one.
 */
int bus_set_rest(struct bus *bus, const struct bus_rest *rest);

/**
 * bus_overlaps() - tell if a region has one of the addresses @first to @last
 */
bool bus_overlaps(const struct bus *bus, enum bus_space space, uint64_t first,
		  uint64_t last);

/**
 * bus_read() - carry out a guest's read
 *
 * If nobody answers, the data is all ones.  An access over the end of a
 * region is split into bytes.
 *
 * Return: true if a device answered.
 */
bool bus_read(const struct bus *bus, enum bus_space space, uint64_t address,
	      void *data, size_t size);

/**
 * bus_write() - carry out a guest's write
 *
 * Return: true if a device answered.
 */
bool bus_write(const struct bus *bus, enum bus_space space, uint64_t address,
	       const void *data, size_t size);

#endif
