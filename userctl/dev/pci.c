// SPDX-License-Identifier: GPL-2.0
/*
 * The host bridge of PCI bus 0 (PCI Local Bus Specification 3.0).
 *
 * The bridge takes only 32-bit accesses at 0xcf8.  Narrower accesses there are for
 * other devices (section 3.2.2.3.2).
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
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

#define BRIDGE_VENDOR 0x8086
#define BRIDGE_DEVICE 0x0d57
#define CLASS_BRIDGE 0x06
#define SUBCLASS_HOST 0x00

/* @lock guards @address; @bridge is the bridge's own function. */
struct pci {
	pthread_mutex_t lock;
	uint32_t address;
	struct pci_bus *functions;
	struct pci_function bridge;
};

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

/* Return: the address register. */
static uint32_t pci_address(struct pci *pci)
{
	uint32_t address;

	pthread_mutex_lock(&pci->lock);
	address = pci->address;
	pthread_mutex_unlock(&pci->lock);
	return address;
}

static bool selects_bus_0(uint32_t address)
{
	return (address & ADDRESS_ENABLE) && !(address & ADDRESS_BUS);
}

static void data_read(void *opaque, uint64_t offset, void *data, size_t size)
{
	struct pci *pci = opaque;
	uint32_t address = pci_address(pci);

	if (selects_bus_0(address))
		pci_bus_read(pci->functions, address >> ADDRESS_DEVFN,
			     (address & ADDRESS_DWORD) + offset, data, size);
}

static void data_write(void *opaque, uint64_t offset, const void *data,
		       size_t size)
{
	struct pci *pci = opaque;
	uint32_t address = pci_address(pci);

	if (selects_bus_0(address))
		pci_bus_write(pci->functions, address >> ADDRESS_DEVFN,
			      (address & ADDRESS_DWORD) + offset, data, size);
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

/* The bridge's registers are all read-only. */
static int bridge_setup(struct pci *pci)
{
	const uint16_t vendor = BRIDGE_VENDOR, device = BRIDGE_DEVICE;
	uint8_t *config = pci->bridge.config;

	memcpy(&config[PCI_VENDOR_ID], &vendor, sizeof(vendor));
	memcpy(&config[PCI_DEVICE_ID], &device, sizeof(device));
	config[PCI_SUBCLASS] = SUBCLASS_HOST;
	config[PCI_BASE_CLASS] = CLASS_BRIDGE;
	return pci_bus_add(pci->functions, 0, 0, &pci->bridge);
}

struct pci *pci_new(struct bus *bus, struct pci_bus *functions)
{
	struct pci *pci = calloc(1, sizeof(*pci));
	int error;

	if (!pci)
		return NULL;
	pthread_mutex_init(&pci->lock, NULL);
	pci->functions = functions;
	error = bridge_setup(pci);
	if (!error)
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
	return pci_new(board->bus, board->pci);
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
	.about = "the host bridge of PCI bus 0",
	.make = pci_make,
	.free = pci_free,
	.reset = pci_reset,
	DEVICE_STATE(struct pci, pci_fields),
};
