// SPDX-License-Identifier: GPL-2.0
/*
 * The host bridge of PCI bus 0 (PCI Local Bus Specification 3.0), with configuration
 * space also in memory (PCI Express Base Specification 3.0, section 7.2.2).
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
#define CLASS_HOST_BRIDGE 0x060000

/* Address bits of the configuration space in memory. */
#define ECAM_DEVFN 12
#define ECAM_REGISTER 0xfff
#define ECAM_DWORD 4

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

/* Return: how much of @left bytes is within the four aligned bytes at @offset. */
static size_t ecam_piece(uint64_t offset, size_t left)
{
	const size_t room = ECAM_DWORD - offset % ECAM_DWORD;

	return left < room ? left : room;
}

/*
 * A function's page in memory has more registers than a conventional function: those
 * are zero.
 */
static void ecam_read(void *opaque, uint64_t offset, void *data, size_t size)
{
	struct pci *pci = opaque;
	uint8_t *bytes = data;

	for (size_t done = 0, piece; done < size; done += piece) {
		const uint8_t devfn = (offset + done) >> ECAM_DEVFN;
		const unsigned int number = (offset + done) & ECAM_REGISTER;

		piece = ecam_piece(number, size - done);
		if (number < PCI_CONFIG_SIZE)
			pci_bus_read(pci->functions, devfn, number,
				     &bytes[done], piece);
		else
			memset(&bytes[done],
			       pci_bus_has(pci->functions, devfn) ? 0 : 0xff,
			       piece);
	}
}

static void ecam_write(void *opaque, uint64_t offset, const void *data,
		       size_t size)
{
	struct pci *pci = opaque;
	const uint8_t *bytes = data;

	for (size_t done = 0, piece; done < size; done += piece) {
		const uint8_t devfn = (offset + done) >> ECAM_DEVFN;
		const unsigned int number = (offset + done) & ECAM_REGISTER;

		piece = ecam_piece(number, size - done);
		if (number < PCI_CONFIG_SIZE)
			pci_bus_write(pci->functions, devfn, number,
				      &bytes[done], piece);
	}
}

static int pci_add_regions(struct pci *pci, struct bus *bus)
{
	const struct bus_region regions[] = {
		{ .name = "pci-address",
		  .base = PCI_PORT,
		  .size = PORT_SIZE,
		  .exact = true,
		  .read = address_read,
		  .write = address_write,
		  .opaque = pci },
		{ .name = "pci-data",
		  .base = DATA_PORT,
		  .size = PORT_SIZE,
		  .read = data_read,
		  .write = data_write,
		  .opaque = pci },
		{ .name = "pci-ecam",
		  .space = BUS_MMIO,
		  .base = PCI_ECAM,
		  .size = PCI_ECAM_SIZE,
		  .read = ecam_read,
		  .write = ecam_write,
		  .opaque = pci },
	};
	int error = 0;

	for (size_t i = 0; !error && i < 3; i++)
		error = bus_add(bus, &regions[i]);
	return error;
}

/* The bridge's registers are all read-only. */
static int bridge_setup(struct pci *pci)
{
	const struct pci_identity identity = {
		.vendor = BRIDGE_VENDOR,
		.device = BRIDGE_DEVICE,
		.class = CLASS_HOST_BRIDGE,
	};

	pci_function_init(&pci->bridge, &identity);
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
		error = pci_add_regions(pci, bus);
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

static void *pci_make(const struct board *board,
		      const struct device_value *values,
		      struct device_error *error)
{
	(void)values;
	(void)error;
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
