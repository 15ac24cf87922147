// SPDX-License-Identifier: GPL-2.0
/*
 * PCI bus 0 and its host bridge (PCI Local Bus Specification 3.0).
 *
 * The bridge takes only 32-bit accesses at 0xcf8.  Narrower accesses there are for
 * other devices (section 3.2.2.3.2).
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "dev/pci.h"

#define DATA_PORT 0xcfc
#define PORT_SIZE 4

#define ADDRESS_ENABLE 0x80000000
#define ADDRESS_BUS 0x00ff0000
#define ADDRESS_KEPT 0x80fffffc
#define ADDRESS_DEVFN 8
#define ADDRESS_DWORD 0xfc

#define DEVICES 32
#define FUNCTIONS 8

/* Header of type 0, section 6.1. */
#define VENDOR_ID 0x00
#define DEVICE_ID 0x02
#define SUBCLASS 0x0a
#define BASE_CLASS 0x0b

#define BRIDGE_VENDOR 0x8086
#define BRIDGE_DEVICE 0x0d57
#define CLASS_BRIDGE 0x06
#define SUBCLASS_HOST 0x00

/* @lock guards all that changes. */
struct pci {
	pthread_mutex_t lock;
	uint32_t address;
	struct pci_function functions[DEVICES * FUNCTIONS];
	uint8_t bridge[PCI_CONFIG_SIZE];
};

static void bridge_read(void *opaque, unsigned int offset, void *data,
			size_t size)
{
	const struct pci *pci = opaque;

	memcpy(data, &pci->bridge[offset], size);
}

/* The bridge's registers are all read-only. */
static void bridge_write(void *opaque, unsigned int offset, const void *data,
			 size_t size)
{
	(void)opaque;
	(void)offset;
	(void)data;
	(void)size;
}

/* Return: the function that the address register selects, or NULL. */
static const struct pci_function *pci_selected(const struct pci *pci)
{
	const struct pci_function *function;

	if (!(pci->address & ADDRESS_ENABLE) || (pci->address & ADDRESS_BUS))
		return NULL;
	function = &pci->functions[pci->address >> ADDRESS_DEVFN & 0xff];
	return function->read ? function : NULL;
}

static void address_read(void *opaque, uint64_t offset, void *data, size_t size)
{
	struct pci *pci = opaque;

	(void)offset;
	pthread_mutex_lock(&pci->lock);
	memcpy(data, &pci->address, size);
	pthread_mutex_unlock(&pci->lock);
}

static void address_write(void *opaque, uint64_t offset, const void *data,
			  size_t size)
{
	struct pci *pci = opaque;

	(void)offset;
	pthread_mutex_lock(&pci->lock);
	memcpy(&pci->address, data, size);
	pci->address &= ADDRESS_KEPT;
	pthread_mutex_unlock(&pci->lock);
}

static void data_read(void *opaque, uint64_t offset, void *data, size_t size)
{
	const struct pci_function *function;
	struct pci *pci = opaque;

	pthread_mutex_lock(&pci->lock);
	function = pci_selected(pci);
	if (function)
		function->read(function->opaque,
			       (pci->address & ADDRESS_DWORD) + offset, data,
			       size);
	pthread_mutex_unlock(&pci->lock);
}

static void data_write(void *opaque, uint64_t offset, const void *data,
		       size_t size)
{
	const struct pci_function *function;
	struct pci *pci = opaque;

	pthread_mutex_lock(&pci->lock);
	function = pci_selected(pci);
	if (function)
		function->write(function->opaque,
				(pci->address & ADDRESS_DWORD) + offset, data,
				size);
	pthread_mutex_unlock(&pci->lock);
}

int pci_add(struct pci *pci, unsigned int device, unsigned int function,
	    const struct pci_function *config)
{
	struct pci_function *slot;
	int error = 0;

	if (device >= DEVICES || function >= FUNCTIONS)
		return -EINVAL;
	slot = &pci->functions[device * FUNCTIONS + function];
	pthread_mutex_lock(&pci->lock);
	if (slot->read)
		error = -EEXIST;
	else
		*slot = *config;
	pthread_mutex_unlock(&pci->lock);
	return error;
}

static int pci_add_ports(struct pci *pci, struct bus *bus)
{
	const struct bus_region address = {
		.name = "pci-address",
		.base = PCI_PORT,
		.size = PORT_SIZE,
		.exact = true,
		.read = address_read,
		.write = address_write,
		.opaque = pci,
	};
	const struct bus_region data = {
		.name = "pci-data",
		.base = DATA_PORT,
		.size = PORT_SIZE,
		.read = data_read,
		.write = data_write,
		.opaque = pci,
	};
	int error = bus_add(bus, &address);

	return error ? error : bus_add(bus, &data);
}

static void bridge_setup(struct pci *pci)
{
	const uint16_t vendor = BRIDGE_VENDOR, device = BRIDGE_DEVICE;

	memcpy(&pci->bridge[VENDOR_ID], &vendor, sizeof(vendor));
	memcpy(&pci->bridge[DEVICE_ID], &device, sizeof(device));
	pci->bridge[SUBCLASS] = SUBCLASS_HOST;
	pci->bridge[BASE_CLASS] = CLASS_BRIDGE;
	pci->functions[0] = (struct pci_function){
		.read = bridge_read,
		.write = bridge_write,
		.opaque = pci,
	};
}

struct pci *pci_new(struct bus *bus)
{
	struct pci *pci = calloc(1, sizeof(*pci));
	int error;

	if (!pci)
		return NULL;
	pthread_mutex_init(&pci->lock, NULL);
	bridge_setup(pci);
	error = pci_add_ports(pci, bus);
	if (error) {
		pci_free(pci);
		errno = -error;
		return NULL;
	}
	return pci;
}

void pci_free(void *opaque)
{
	struct pci *pci = opaque;

	if (!pci)
		return;
	pthread_mutex_destroy(&pci->lock);
	free(pci);
}

static void *pci_make(const struct board *board, const uint64_t *values)
{
	(void)values;
	return pci_new(board->bus);
}

static void pci_reset(void *opaque)
{
	struct pci *pci = opaque;

	pci->address = 0;
}

static const struct record_field pci_fields[] = {
	RECORD_FIELD(1, struct pci, address, ADDRESS_KEPT),
};

const struct device_kind pci_device = {
	.name = "pci",
	.about = "PCI bus 0 and its host bridge",
	.make = pci_make,
	.free = pci_free,
	.reset = pci_reset,
	DEVICE_STATE(struct pci, pci_fields),
};
