// SPDX-License-Identifier: GPL-2.0
/*
 * Where BARs are, and the accesses to them.
 *
 * A vCPU's access takes no lock: it searches a sorted table that a sequence counter
 * guards, copies one entry, and calls the function, which never goes away.  A function
 * may therefore still see an access at the address that it has just left.
 */
#include <errno.h>
#include <string.h>

#include "board/layout.h"
#include "board/pci_bus.h"

#define BAR_MIN_MEMORY 16
#define BAR_MIN_PORTS 4
#define BAR_MAX_PORTS 256
#define BAR_PORT 0x1
#define BAR_64 0x4
#define BAR_PREFETCHABLE 0x8

#define PORTS 0x10000
/* Larger BARs of 64 bits do not take room from those of 32 bits. */
#define BAR_LARGE (64ULL << 20)

/* Searches that other changes may spoil before one waits for the writer. */
#define MAX_TRIES 64

static uint64_t register_of(const struct pci_function *function,
			    unsigned int bar)
{
	const uint8_t *at = &function->config[PCI_BAR + 4 * bar];

	return function->bars[bar].kind == PCI_BAR_MEMORY64 ? pci_get64(at) :
							      pci_get32(at);
}

static enum bus_space space_of(const struct pci_bar *bar)
{
	return bar->kind == PCI_BAR_PORT ? BUS_PORT : BUS_MMIO;
}

static bool overlaps(uint64_t first, uint64_t last, uint64_t start,
		     uint64_t size)
{
	return size && first <= start + (size - 1) && start <= last;
}

/* RAM, ECAM and the area below 4 GiB, which need not be on the bus. */
static bool is_reserved(const struct pci_bus *pci, uint64_t first,
			uint64_t last)
{
	const struct ram *ram = pci->config.ram;

	if (overlaps(first, last, PCI_ECAM, PCI_ECAM_SIZE) ||
	    overlaps(first, last, IOAPIC_BASE, RAM_HOLE_END - IOAPIC_BASE))
		return true;
	return ram && (overlaps(first, last, 0, ram_low(ram)) ||
		       overlaps(first, last, RAM_HOLE_END, ram_high(ram)));
}

/* Return: where the guest wants a BAR to answer, or PCI_BAR_OFF if it cannot there. */
static uint64_t wanted_address(const struct pci_bus *pci,
			       const struct pci_function *function,
			       unsigned int number)
{
	const struct pci_bar *bar = &function->bars[number];
	const enum bus_space space = space_of(bar);
	const uint8_t enabled = space == BUS_PORT ? PCI_COMMAND_PORT :
						    PCI_COMMAND_MEMORY;
	uint64_t first, last;

	if (bar->kind == PCI_BAR_NONE ||
	    !(function->config[PCI_COMMAND] & enabled))
		return PCI_BAR_OFF;
	first = register_of(function, number) & -bar->size;
	last = first + (bar->size - 1);
	if (space == BUS_PORT ? last >= PORTS : is_reserved(pci, first, last))
		return PCI_BAR_OFF;
	if (bus_overlaps(pci->config.bus, space, first, last))
		return PCI_BAR_OFF;
	return first;
}

/* Return: the number of ranges that begin at or before @address. */
static size_t map_search(const struct pci_map *map, uint64_t address)
{
	size_t low = 0, high = __atomic_load_n(&map->count, __ATOMIC_RELAXED);

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (__atomic_load_n(&map->ranges[middle].first,
				    __ATOMIC_RELAXED) > address)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* Return: true if there is room; the range is in the map then. */
static bool map_insert(struct pci_map *map, const struct pci_range *range)
{
	const size_t at = map_search(map, range->last);

	if (at && map->ranges[at - 1].last >= range->first)
		return false;
	memmove(&map->ranges[at + 1], &map->ranges[at],
		(map->count - at) * sizeof(*range));
	map->ranges[at] = *range;
	map->count++;
	return true;
}

static void range_store(struct pci_range *to, const struct pci_range *from)
{
	__atomic_store_n(&to->first, from->first, __ATOMIC_RELAXED);
	__atomic_store_n(&to->last, from->last, __ATOMIC_RELAXED);
	__atomic_store_n(&to->function, from->function, __ATOMIC_RELAXED);
	__atomic_store_n(&to->bar, from->bar, __ATOMIC_RELAXED);
}

static void range_load(struct pci_range *to, const struct pci_range *from)
{
	to->first = __atomic_load_n(&from->first, __ATOMIC_RELAXED);
	to->last = __atomic_load_n(&from->last, __ATOMIC_RELAXED);
	to->function = __atomic_load_n(&from->function, __ATOMIC_RELAXED);
	to->bar = __atomic_load_n(&from->bar, __ATOMIC_RELAXED);
}

static void map_publish(struct pci_map *map, const struct pci_map *next)
{
	__atomic_store_n(&map->sequence, map->sequence + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	for (size_t i = 0; i < next->count; i++)
		range_store(&map->ranges[i], &next->ranges[i]);
	__atomic_store_n(&map->count, next->count, __ATOMIC_RELAXED);
	__atomic_store_n(&map->sequence, map->sequence + 1, __ATOMIC_RELEASE);
}

static void bar_move(struct pci_function *function, struct pci_bar *bar,
		     uint64_t address)
{
	if (bar->address == address)
		return;
	bar->address = address;
	if (bar->moved)
		bar->moved(function->opaque, address);
}

static void insert_wanted(struct pci_bus *pci, enum bus_space space,
			  struct pci_function *function)
{
	for (unsigned int bar = 0; bar < PCI_NR_BARS; bar++) {
		const uint64_t first = wanted_address(pci, function, bar);
		const struct pci_range range = {
			.first = first,
			.last = first + (function->bars[bar].size - 1),
			.function = function,
			.bar = bar,
		};

		if (space_of(&function->bars[bar]) == space &&
		    first != PCI_BAR_OFF)
			map_insert(&pci->next, &range);
	}
}

/* A BAR that is to answer elsewhere leaves its place before another comes there. */
static void leave_places(struct pci_bus *pci, enum bus_space space)
{
	const struct pci_map *next = &pci->next;

	for (unsigned int i = 0; i < PCI_MAX_RANGES; i++) {
		struct pci_function *function = pci->functions[i / PCI_NR_BARS];
		struct pci_bar *bar;
		size_t at;

		if (!function)
			continue;
		bar = &function->bars[i % PCI_NR_BARS];
		if (bar->address == PCI_BAR_OFF || space_of(bar) != space)
			continue;
		at = map_search(next, bar->address);
		if (!at || next->ranges[at - 1].first != bar->address ||
		    next->ranges[at - 1].function != function ||
		    next->ranges[at - 1].bar != i % PCI_NR_BARS)
			bar_move(function, bar, PCI_BAR_OFF);
	}
}

void pci_map_update(struct pci_bus *pci)
{
	for (enum bus_space space = 0; space < BUS_NR_SPACES; space++) {
		pci->next.count = 0;
		for (unsigned int i = 0; i < PCI_NR_DEVFNS; i++)
			if (pci->functions[i])
				insert_wanted(pci, space, pci->functions[i]);
		leave_places(pci, space);
		map_publish(&pci->maps[space], &pci->next);
		for (size_t i = 0; i < pci->next.count; i++) {
			const struct pci_range *range = &pci->next.ranges[i];

			bar_move(range->function,
				 &range->function->bars[range->bar],
				 range->first);
		}
	}
}

static bool map_look(const struct pci_map *map, uint64_t address,
		     struct pci_range *found)
{
	const size_t at = map_search(map, address);

	if (!at)
		return false;
	range_load(found, &map->ranges[at - 1]);
	return address <= found->last;
}

/* Return: true if a BAR answers at @address. */
static bool map_find(struct pci_bus *pci, enum bus_space space,
		     uint64_t address, struct pci_range *found)
{
	const struct pci_map *map = &pci->maps[space];
	uint32_t sequence;
	bool is;

	for (int i = 0; i < MAX_TRIES; i++) {
		sequence = __atomic_load_n(&map->sequence, __ATOMIC_ACQUIRE);
		is = map_look(map, address, found);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (!(sequence & 1) &&
		    __atomic_load_n(&map->sequence, __ATOMIC_RELAXED) ==
			    sequence)
			return is;
	}
	pthread_mutex_lock(&pci->lock);
	is = map_look(map, address, found);
	pthread_mutex_unlock(&pci->lock);
	return is;
}

/* Return: true if the BAR has all of these bytes. */
static bool bar_has(const struct pci_function *function, unsigned int bar,
		    uint64_t offset, size_t size)
{
	return bar < PCI_NR_BARS && function->bars[bar].kind != PCI_BAR_NONE &&
	       offset < function->bars[bar].size &&
	       size <= function->bars[bar].size - offset;
}

/*
 * An access is one call of the device, unless it touches the messages' table: then a call
 * a byte.
 */
bool pci_bar_read(struct pci_function *function, unsigned int number,
		  uint64_t offset, void *data, size_t size)
{
	const struct pci_bar *bar;
	uint8_t *bytes = data;

	memset(data, 0xff, size);
	if (!bar_has(function, number, offset, size))
		return false;
	bar = &function->bars[number];
	if (!pci_msix_touched(function, number, offset, size)) {
		if (bar->read)
			bar->read(function->opaque, offset, data, size);
		return true;
	}
	for (size_t i = 0; i < size; i++) {
		if (pci_msix_touched(function, number, offset + i, 1))
			bytes[i] = pci_msix_read(function, offset + i);
		else if (bar->read)
			bar->read(function->opaque, offset + i, &bytes[i], 1);
	}
	return true;
}

bool pci_bar_write(struct pci_function *function, unsigned int number,
		   uint64_t offset, const void *data, size_t size)
{
	const struct pci_bar *bar;
	const uint8_t *bytes = data;

	if (!bar_has(function, number, offset, size))
		return false;
	bar = &function->bars[number];
	if (!pci_msix_touched(function, number, offset, size)) {
		if (bar->write)
			bar->write(function->opaque, offset, data, size);
		return true;
	}
	pci_msix_write(function, offset, data, size);
	for (size_t i = 0; i < size && bar->write; i++)
		if (!pci_msix_touched(function, number, offset + i, 1))
			bar->write(function->opaque, offset + i, &bytes[i], 1);
	return true;
}

bool pci_map_read(void *opaque, enum bus_space space, uint64_t address,
		  void *data, size_t size)
{
	struct pci_range range;
	uint8_t *bytes = data;
	bool answered = false;

	memset(data, 0xff, size);
	if (map_find(opaque, space, address, &range) &&
	    pci_bar_read(range.function, range.bar, address - range.first, data,
			 size))
		return true;
	for (size_t i = 0; i < size && size > 1; i++)
		answered |=
			pci_map_read(opaque, space, address + i, &bytes[i], 1);
	return answered;
}

bool pci_map_write(void *opaque, enum bus_space space, uint64_t address,
		   const void *data, size_t size)
{
	struct pci_range range;
	const uint8_t *bytes = data;
	bool answered = false;

	if (map_find(opaque, space, address, &range) &&
	    pci_bar_write(range.function, range.bar, address - range.first,
			  data, size))
		return true;
	for (size_t i = 0; i < size && size > 1; i++)
		answered |=
			pci_map_write(opaque, space, address + i, &bytes[i], 1);
	return answered;
}

/* Return: the place of a BAR of @size in a room up to @last, or 0. */
static uint64_t take(uint64_t *next, uint64_t last, uint64_t size)
{
	uint64_t first;

	if (__builtin_add_overflow(*next, size - 1, &first))
		return 0;
	first &= -size;
	if (first > last || size - 1 > last - first)
		return 0;
	*next = first + size;
	return first;
}

static uint64_t find_room(const struct pci_bus *pci, const struct pci_bar *bar,
			  struct pci_room *room)
{
	uint64_t last, first = 0;

	if (bar->kind == PCI_BAR_PORT)
		return take(&room->port, PORTS - 1, bar->size);
	if (bar->kind == PCI_BAR_MEMORY32 || bar->size <= BAR_LARGE)
		first = take(&room->low, IOAPIC_BASE - 1, bar->size);
	if (!first && bar->kind == PCI_BAR_MEMORY64) {
		pci_window(pci->config.ram, &last);
		first = take(&room->high, last, bar->size);
	}
	return first;
}

static bool bar_is_possible(const struct pci_function *function,
			    unsigned int number)
{
	const struct pci_bar *bar = &function->bars[number];

	if (!bar->size || bar->size & (bar->size - 1))
		return false;
	switch (bar->kind) {
	case PCI_BAR_PORT:
		return bar->size >= BAR_MIN_PORTS && bar->size <= BAR_MAX_PORTS;
	case PCI_BAR_MEMORY32:
		return bar->size >= BAR_MIN_MEMORY && bar->size <= UINT32_MAX;
	case PCI_BAR_MEMORY64:
		return bar->size >= BAR_MIN_MEMORY &&
		       number + 1 < PCI_NR_BARS &&
		       function->bars[number + 1].kind == PCI_BAR_NONE;
	case PCI_BAR_NONE:
		break;
	}
	return false;
}

static void write_register(struct pci_function *function, unsigned int number,
			   uint64_t address)
{
	const struct pci_bar *bar = &function->bars[number];
	uint8_t *config = &function->config[PCI_BAR + 4 * number];
	uint8_t *writable = &function->writable[PCI_BAR + 4 * number];

	if (bar->kind == PCI_BAR_MEMORY64) {
		pci_put64(config, address | BAR_64);
		pci_put64(writable, -bar->size);
	} else {
		pci_put32(config, address);
		pci_put32(writable, -bar->size);
	}
	if (bar->kind == PCI_BAR_PORT)
		*config |= BAR_PORT;
	else if (bar->prefetchable)
		*config |= BAR_PREFETCHABLE;
	function->writable[PCI_COMMAND] |= bar->kind == PCI_BAR_PORT ?
						   PCI_COMMAND_PORT :
						   PCI_COMMAND_MEMORY;
}

int pci_map_place(const struct pci_bus *pci, struct pci_function *function,
		  struct pci_room *room)
{
	uint64_t address;

	for (unsigned int i = 0; i < PCI_NR_BARS; i++) {
		function->bars[i].address = PCI_BAR_OFF;
		if (function->bars[i].kind == PCI_BAR_NONE)
			continue;
		if (!bar_is_possible(function, i))
			return -EINVAL;
		address = find_room(pci, &function->bars[i], room);
		if (!address)
			return -ENOSPC;
		write_register(function, i, address);
	}
	return 0;
}
