// SPDX-License-Identifier: GPL-2.0
/*
 * PCI bus 0 and its functions.
 */
#include "board/pci.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "board/layout.h"
#include "board/ram.h"

#define DEVICES 32
#define FUNCTIONS 8

#define MIN_SIZE 16

/**
 * struct pci_bus - the bus
 * @lock: guards configuration space of all functions
 * @functions: by device and function number; constant once the machine is built
 * @mapped: the functions that have memory; constant like @functions
 * @nr_mapped: entries of @mapped
 * @next: first free address of the hole
 */
struct pci_bus {
	pthread_mutex_t lock;
	struct pci_function *functions[DEVICES * FUNCTIONS];
	struct pci_function *mapped[DEVICES * FUNCTIONS];
	size_t nr_mapped;
	uint64_t next;
};

static uint32_t function_base(const struct pci_function *function)
{
	uint32_t base;

	memcpy(&base, &function->config[PCI_BAR], sizeof(base));
	return base;
}

/* Return: the function whose memory has all bytes of an access, or NULL. */
static struct pci_function *find_function(struct pci_bus *pci, uint64_t address,
					  size_t size, uint64_t *offset)
{
	struct pci_function *found = NULL;

	pthread_mutex_lock(&pci->lock);
	for (size_t i = 0; i < pci->nr_mapped && !found; i++) {
		struct pci_function *function = pci->mapped[i];

		*offset = address - function_base(function);
		if ((function->config[PCI_COMMAND] & PCI_COMMAND_MEMORY) &&
		    *offset < function->size &&
		    size <= function->size - *offset)
			found = function;
	}
	pthread_mutex_unlock(&pci->lock);
	return found;
}

static void memory_read(void *opaque, uint64_t address, void *data, size_t size)
{
	uint64_t offset;
	const struct pci_function *function =
		find_function(opaque, RAM_HOLE_START + address, size, &offset);

	if (function)
		function->read(function->opaque, offset, data, size);
	else
		memset(data, 0xff, size);
}

static void memory_write(void *opaque, uint64_t address, const void *data,
			 size_t size)
{
	uint64_t offset;
	const struct pci_function *function =
		find_function(opaque, RAM_HOLE_START + address, size, &offset);

	if (function)
		function->write(function->opaque, offset, data, size);
}

struct pci_bus *pci_bus_new(struct bus *bus)
{
	struct pci_bus *pci = calloc(1, sizeof(*pci));
	const struct bus_region hole = {
		.name = "pci-memory",
		.space = BUS_MMIO,
		.base = RAM_HOLE_START,
		.size = IOAPIC_BASE - RAM_HOLE_START,
		.read = memory_read,
		.write = memory_write,
		.opaque = pci,
	};
	int error;

	if (!pci)
		return NULL;
	pthread_mutex_init(&pci->lock, NULL);
	pci->next = RAM_HOLE_START;
	error = bus_add(bus, &hole);
	if (error) {
		pci_bus_free(pci);
		errno = -error;
		return NULL;
	}
	return pci;
}

void pci_bus_free(struct pci_bus *pci)
{
	if (!pci)
		return;
	pthread_mutex_destroy(&pci->lock);
	free(pci);
}

/* Gives a function an address, and makes its base address register writable. */
static int map_function(struct pci_bus *pci, struct pci_function *function)
{
	uint64_t size = function->size;
	uint32_t base, mask = -function->size;

	if (size < MIN_SIZE || size & (size - 1))
		return -EINVAL;
	if (size > IOAPIC_BASE - RAM_HOLE_START ||
	    (pci->next + size - 1) / size * size > IOAPIC_BASE - size)
		return -ENOSPC;
	base = (pci->next + size - 1) / size * size;
	pci->next = base + size;
	memcpy(&function->config[PCI_BAR], &base, sizeof(base));
	memcpy(&function->writable[PCI_BAR], &mask, sizeof(mask));
	function->writable[PCI_COMMAND] |= PCI_COMMAND_MEMORY;
	pci->mapped[pci->nr_mapped++] = function;
	return 0;
}

int pci_bus_add(struct pci_bus *pci, unsigned int device, unsigned int number,
		struct pci_function *function)
{
	struct pci_function **slot;
	int error = 0;

	if (device >= DEVICES || number >= FUNCTIONS)
		return -EINVAL;
	slot = &pci->functions[device * FUNCTIONS + number];
	if (*slot)
		return -EEXIST;
	if (function->size)
		error = map_function(pci, function);
	if (error)
		return error;
	memcpy(function->first, function->config, sizeof(function->first));
	*slot = function;
	return 0;
}

void pci_bus_read(struct pci_bus *pci, uint8_t devfn, uint8_t offset,
		  void *data, size_t size)
{
	const struct pci_function *function = pci->functions[devfn];

	memset(data, 0xff, size);
	if (!function)
		return;
	pthread_mutex_lock(&pci->lock);
	memcpy(data, &function->config[offset], size);
	pthread_mutex_unlock(&pci->lock);
}

void pci_bus_write(struct pci_bus *pci, uint8_t devfn, uint8_t offset,
		   const void *data, size_t size)
{
	struct pci_function *function = pci->functions[devfn];
	const uint8_t *bytes = data;

	if (!function)
		return;
	pthread_mutex_lock(&pci->lock);
	for (size_t i = 0; i < size; i++) {
		const uint8_t mask = function->writable[offset + i];
		uint8_t *byte = &function->config[offset + i];

		*byte = (*byte & ~mask) | (bytes[i] & mask);
	}
	pthread_mutex_unlock(&pci->lock);
}

void pci_function_reset(struct pci_function *function)
{
	memcpy(function->config, function->first, sizeof(function->config));
}

bool pci_function_is_sound(const struct pci_function *function)
{
	for (size_t i = 0; i < PCI_CONFIG_SIZE; i++)
		if ((function->config[i] ^ function->first[i]) &
		    ~function->writable[i])
			return false;
	return true;
}
