// SPDX-License-Identifier: GPL-2.0
/*
 * PCI bus 0: its functions, their configuration space and their interrupt lines.
 */
#include "board/pci.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "board/layout.h"
#include "board/pci_bus.h"

/* The window for BARs above RAM, and the multiple at which it begins. */
#define WINDOW_SIZE (64ULL << 30)
#define WINDOW_ALIGN (1ULL << 30)

#define BAR_REGISTERS (4 * PCI_NR_BARS)
#define INTX_PIN_A 1

_Static_assert(PCI_ECAM == RAM_HOLE_START, "the hole begins with ECAM");
_Static_assert(PCI_NR_GSIS == PCI_LINES, "each line has a pin of its own");

uint64_t pci_window(const struct ram *ram, uint64_t *last)
{
	uint64_t first = RAM_HOLE_END + (ram ? ram_high(ram) : 0);

	first = (first + WINDOW_ALIGN - 1) & -WINDOW_ALIGN;
	*last = first + (WINDOW_SIZE - 1);
	return first;
}

/* Return: the shared line of an interrupt pin. */
static unsigned int line_of(unsigned int device, unsigned int pin)
{
	return (device + pin) % PCI_LINES;
}

unsigned int pci_gsi(unsigned int device, unsigned int pin)
{
	return PCI_FIRST_GSI + line_of(device, pin);
}

unsigned int pci_isa_irq(unsigned int device, unsigned int pin)
{
	return PCI_FIRST_IRQ + line_of(device, pin) % PCI_NR_IRQS;
}

struct pci_bus *pci_bus_new(const struct pci_bus_config *config)
{
	struct pci_bus *pci = calloc(1, sizeof(*pci));
	const struct bus_rest rest = {
		.read = pci_map_read,
		.write = pci_map_write,
		.opaque = pci,
	};
	uint64_t last;
	int error;

	if (!pci)
		return NULL;
	pci->config = *config;
	pthread_mutex_init(&pci->lock, NULL);
	pthread_mutex_init(&pci->line_lock, NULL);
	pci->room = (struct pci_room){
		.port = PCI_FIRST_PORT,
		.low = PCI_MEMORY,
		.high = pci_window(config->ram, &last),
	};
	error = bus_set_rest(config->bus, &rest);
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
	pthread_mutex_destroy(&pci->line_lock);
	free(pci);
}

void pci_function_init(struct pci_function *function,
		       const struct pci_identity *identity)
{
	uint8_t *config = function->config;

	pci_put16(&config[PCI_VENDOR_ID], identity->vendor);
	pci_put16(&config[PCI_DEVICE_ID], identity->device);
	pci_put16(&config[PCI_SUBSYSTEM_VENDOR_ID], identity->subsystem_vendor);
	pci_put16(&config[PCI_SUBSYSTEM_ID], identity->subsystem);
	config[PCI_REVISION] = identity->revision;
	config[PCI_INTERFACE] = identity->class;
	config[PCI_SUBCLASS] = identity->class >> 8;
	config[PCI_BASE_CLASS] = identity->class >> 16;
}

int pci_add_capability(struct pci_function *function, uint8_t id,
		       const void *body, size_t size)
{
	const unsigned int end = function->end ? function->end :
						 PCI_HEADER_SIZE;
	const unsigned int at = (end + 3) & ~3U;
	uint8_t *config = function->config;

	if (at + 2 > PCI_CONFIG_SIZE || size > PCI_CONFIG_SIZE - 2 - at)
		return -ENOSPC;
	config[function->last ? function->last + 1U : PCI_CAPABILITIES] = at;
	config[PCI_STATUS] |= PCI_STATUS_CAPABILITIES;
	config[at] = id;
	config[at + 1] = 0;
	memcpy(&config[at + 2], body, size);
	function->last = at;
	function->end = at + 2 + size;
	return at;
}

/* The functions of a device that has several say so. */
static void mark_multifunction(struct pci_bus *pci, unsigned int device)
{
	struct pci_function **functions =
		&pci->functions[device * PCI_FUNCTIONS];
	unsigned int count = 0;

	for (unsigned int i = 0; i < PCI_FUNCTIONS; i++)
		count += functions[i] != NULL;
	for (unsigned int i = 0; i < PCI_FUNCTIONS && count > 1; i++) {
		if (!functions[i])
			continue;
		functions[i]->config[PCI_HEADER_TYPE] |=
			PCI_HEADER_MULTIFUNCTION;
		functions[i]->first[PCI_HEADER_TYPE] |=
			PCI_HEADER_MULTIFUNCTION;
	}
}

/* Writes what firmware leaves in the header: BARs are on, and the interrupt has a line. */
static void start_as_firmware(struct pci_function *function)
{
	const uint8_t bars = PCI_COMMAND_PORT | PCI_COMMAND_MEMORY;
	uint8_t *config = function->config, *writable = function->writable;
	const uint8_t pin = config[PCI_INTERRUPT_PIN];

	config[PCI_COMMAND] |= writable[PCI_COMMAND] & bars;
	if (function->msix.vectors)
		writable[PCI_COMMAND] |= PCI_COMMAND_MASTER;
	if (pin) {
		writable[PCI_COMMAND + 1] |= PCI_COMMAND_INTX_DISABLE >> 8;
		writable[PCI_INTERRUPT_LINE] = 0xff;
		config[PCI_INTERRUPT_LINE] = pci_isa_irq(
			function->devfn / PCI_FUNCTIONS, pin - INTX_PIN_A);
	}
}

int pci_bus_add(struct pci_bus *pci, unsigned int device, unsigned int number,
		struct pci_function *function)
{
	const unsigned int devfn = device * PCI_FUNCTIONS + number;
	struct pci_room room = pci->room;
	int error;

	if (device >= PCI_DEVICES || number >= PCI_FUNCTIONS)
		return -EINVAL;
	if (pci->functions[devfn])
		return -EEXIST;
	error = pci_map_place(pci, function, &room);
	if (error)
		return error;
	pthread_mutex_init(&function->msix.lock, NULL);
	function->bus = pci;
	function->devfn = devfn;
	start_as_firmware(function);
	memcpy(function->first, function->config, sizeof(function->first));
	pthread_mutex_lock(&pci->lock);
	pci->room = room;
	pci->functions[devfn] = function;
	mark_multifunction(pci, device);
	pci_map_update(pci);
	pthread_mutex_unlock(&pci->lock);
	return 0;
}

int pci_bus_plug(struct pci_bus *pci, struct pci_function *function)
{
	unsigned int device = 1;

	while (device < PCI_DEVICES && pci->functions[device * PCI_FUNCTIONS])
		device++;
	if (device == PCI_DEVICES)
		return -ENOSPC;
	function->config[PCI_INTERRUPT_PIN] = INTX_PIN_A;
	return pci_bus_add(pci, device, 0, function);
}

/* Lets the function's level reach the line it shares, or not; the lines' lock is held. */
static void drive_line(struct pci_function *function)
{
	struct pci_bus *pci = function->bus;
	const uint8_t pin = function->config[PCI_INTERRUPT_PIN];
	const bool assert = function->level && pin && !function->disabled &&
			    !pci_msix_enabled(function);
	struct irq_line line = pci->config.lines;
	unsigned int number;

	if (assert == function->asserted)
		return;
	function->asserted = assert;
	number = line_of(function->devfn / PCI_FUNCTIONS, pin - INTX_PIN_A);
	pci->asserted[number] += assert ? 1 : -1;
	line.number += PCI_FIRST_GSI + number;
	irq_line_set(&line, pci->asserted[number]);
}

void pci_intx_set(struct pci_function *function, bool level)
{
	struct pci_bus *pci = function->bus;

	pthread_mutex_lock(&pci->line_lock);
	function->level = level;
	drive_line(function);
	pthread_mutex_unlock(&pci->line_lock);
}

/* Follows COMMAND and the enabled messages, with the bus's lock held. */
static void update_line(struct pci_function *function)
{
	pthread_mutex_lock(&function->bus->line_lock);
	function->disabled = function->config[PCI_COMMAND + 1] &
			     PCI_COMMAND_INTX_DISABLE >> 8;
	drive_line(function);
	pthread_mutex_unlock(&function->bus->line_lock);
}

/* Follows what the guest has written, with the lock held. */
static void follow(struct pci_function *function, uint8_t offset, size_t size)
{
	const uint8_t msix = function->msix.capability;
	const bool command = pci_touches(offset, size, PCI_COMMAND, 2);

	if (command || pci_touches(offset, size, PCI_BAR, BAR_REGISTERS))
		pci_map_update(function->bus);
	if (command || (msix && pci_touches(offset, size, msix, 4))) {
		pci_msix_update(function, false);
		update_line(function);
	}
}

void pci_config_get(struct pci_function *function, uint8_t offset, void *data,
		    size_t size)
{
	pthread_mutex_lock(&function->bus->lock);
	memcpy(data, &function->config[offset], size);
	pthread_mutex_unlock(&function->bus->lock);
}

/* The status of the interrupt line is no bit that is stored. */
static void read_config(struct pci_function *function, uint8_t offset,
			uint8_t *bytes, size_t size)
{
	pci_config_get(function, offset, bytes, size);
	if (!pci_touches(offset, size, PCI_STATUS, 1))
		return;
	pthread_mutex_lock(&function->bus->line_lock);
	if (function->level)
		bytes[PCI_STATUS - offset] |= PCI_STATUS_INTX;
	pthread_mutex_unlock(&function->bus->line_lock);
}

void pci_bus_read(struct pci_bus *pci, uint8_t devfn, uint8_t offset,
		  void *data, size_t size)
{
	struct pci_function *function = pci->functions[devfn];

	memset(data, 0xff, size);
	if (!function)
		return;
	if (!function->config_read ||
	    !function->config_read(function->opaque, offset, data, size))
		read_config(function, offset, data, size);
}

static void write_config(struct pci_function *function, uint8_t offset,
			 const uint8_t *bytes, size_t size)
{
	pthread_mutex_lock(&function->bus->lock);
	for (size_t i = 0; i < size; i++) {
		const uint8_t mask = function->writable[offset + i];
		uint8_t *byte = &function->config[offset + i];

		*byte = (*byte & ~mask) | (bytes[i] & mask);
	}
	follow(function, offset, size);
	pthread_mutex_unlock(&function->bus->lock);
}

void pci_bus_write(struct pci_bus *pci, uint8_t devfn, uint8_t offset,
		   const void *data, size_t size)
{
	struct pci_function *function = pci->functions[devfn];

	if (!function)
		return;
	write_config(function, offset, data, size);
	if (function->config_written)
		function->config_written(function->opaque, offset, size);
}

bool pci_bus_has(const struct pci_bus *pci, uint8_t devfn)
{
	return pci->functions[devfn];
}

/* Puts configuration space into effect that was not written by the guest. */
static void put_into_effect(struct pci_function *function)
{
	pthread_mutex_lock(&function->bus->lock);
	pci_map_update(function->bus);
	pci_msix_update(function, true);
	update_line(function);
	pthread_mutex_unlock(&function->bus->lock);
}

void pci_function_reset(struct pci_function *function)
{
	memcpy(function->config, function->first, sizeof(function->config));
	function->level = false;
	pci_msix_reset(function);
	put_into_effect(function);
}

bool pci_function_is_sound(const struct pci_function *function)
{
	for (size_t i = 0; i < PCI_CONFIG_SIZE; i++)
		if ((function->config[i] ^ function->first[i]) &
		    ~function->writable[i])
			return false;
	return pci_msix_is_sound(function);
}

void pci_function_loaded(struct pci_function *function)
{
	put_into_effect(function);
}
