/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest with a driver for one virtio device on the PCI bus: it finds the device's
 * structures by its capabilities and starts it in the order of the specification (virtio
 * 1.2, section 3.1.1).  To be included after fakes.h.
 */
#ifndef LODGE_UNIT_VIRTIO_GUEST_H
#define LODGE_UNIT_VIRTIO_GUEST_H

#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "board/device.h"
#include "virtio_ring.h"

#define GUEST_RAM (4ULL << 20)
/* The device has the bus for itself, and so number 1. */
#define GUEST_DEVFN (1 << 3)
#define GUEST_RINGS 0x100000ULL
#define GUEST_MESSAGE 0xfee00000
#define GUEST_VECTORS 40
#define GUEST_QUEUES 32

/**
 * struct guest - a board, and a driver's view of the device on it
 * @board: with bus, PCI bus and RAM
 * @line: the device's interrupt line
 * @messages: how often each vector's message was sent
 * @places: addresses of the structures, by their types
 * @rings: queues, by number
 * @stride: bytes between doorbells
 */
struct guest {
	struct board board;
	struct ram *ram;
	struct fake_line line;
	unsigned int messages[GUEST_VECTORS];
	uint64_t places[VIRTIO_PCI_CAP_PCI_CFG + 1];
	uint8_t window;
	struct ring rings[GUEST_QUEUES];
	uint32_t stride;
};

static inline bool guest_message(void *opaque, uint64_t address, uint32_t data)
{
	struct guest *guest = opaque;

	if (address == GUEST_MESSAGE && data < GUEST_VECTORS)
		guest->messages[data]++;
	return true;
}

static inline void guest_line(void *opaque, unsigned int number, bool level)
{
	struct guest *guest = opaque;

	fake_line_set(&guest->line, number, level);
}

static inline uint32_t guest_config(const struct guest *guest, uint8_t offset,
				    size_t size)
{
	uint32_t value = 0;

	pci_bus_read(guest->board.pci, GUEST_DEVFN, offset, &value, size);
	return value;
}

static inline void guest_configure(const struct guest *guest, uint8_t offset,
				   uint32_t value, size_t size)
{
	pci_bus_write(guest->board.pci, GUEST_DEVFN, offset, &value, size);
}

/* Reads from a structure: a VIRTIO_PCI_CAP_*. */
static inline uint64_t guest_read(const struct guest *guest, unsigned int type,
				  uint64_t offset, size_t size)
{
	uint64_t value = 0;

	bus_read(guest->board.bus, BUS_MMIO, guest->places[type] + offset,
		 &value, size);
	return value;
}

static inline void guest_write(const struct guest *guest, unsigned int type,
			       uint64_t offset, uint64_t value, size_t size)
{
	bus_write(guest->board.bus, BUS_MMIO, guest->places[type] + offset,
		  &value, size);
}

static inline uint32_t guest_common(const struct guest *guest, uint64_t offset,
				    size_t size)
{
	return guest_read(guest, VIRTIO_PCI_CAP_COMMON_CFG, offset, size);
}

static inline void guest_set(const struct guest *guest, uint64_t offset,
			     uint32_t value, size_t size)
{
	guest_write(guest, VIRTIO_PCI_CAP_COMMON_CFG, offset, value, size);
}

static inline uint8_t guest_status(const struct guest *guest)
{
	return guest_common(guest, VIRTIO_PCI_COMMON_STATUS, 1);
}

static inline void guest_set_status(const struct guest *guest, uint8_t status)
{
	guest_set(guest, VIRTIO_PCI_COMMON_STATUS, status, 1);
}

/* Makes the board, to which a device can then be added. */
static inline void guest_init_backed(struct guest *guest,
				     enum ram_backing backing)
{
	struct pci_bus_config config;

	memset(guest, 0, sizeof(*guest));
	guest->ram = ram_new_backed(GUEST_RAM, backing);
	guest->board = (struct board){
		.bus = bus_new(),
		.ram = guest->ram,
		.msi = guest_message,
		.msi_opaque = guest,
		.lines = { .set = guest_line, .opaque = guest },
	};
	config = (struct pci_bus_config){
		.bus = guest->board.bus,
		.ram = guest->ram,
		.lines = guest->board.lines,
		.msi = guest_message,
		.msi_opaque = guest,
	};
	guest->board.pci = pci_bus_new(&config);
	if (!guest->ram || !guest->board.pci)
		abort();
}

static inline void guest_init(struct guest *guest)
{
	guest_init_backed(guest, RAM_ANONYMOUS);
}

static inline void guest_fini(struct guest *guest)
{
	pci_bus_free(guest->board.pci);
	bus_free(guest->board.bus);
	ram_free(guest->ram);
}

/* Enables the device, and finds its structures (section 4.1.4). */
static inline void guest_find(struct guest *guest)
{
	const uint32_t base = guest_config(guest, PCI_BAR, 4) & ~0xfU;
	uint8_t at = guest_config(guest, PCI_CAPABILITIES, 1);

	guest_configure(guest, PCI_COMMAND,
			PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
	for (; at; at = guest_config(guest, at + 1, 1)) {
		const uint8_t type = guest_config(guest, at + 3, 1);

		if (guest_config(guest, at, 1) != PCI_CAPABILITY_VENDOR ||
		    type > VIRTIO_PCI_CAP_PCI_CFG)
			continue;
		guest->places[type] = base + guest_config(guest, at + 8, 4);
		if (type == VIRTIO_PCI_CAP_NOTIFY_CFG)
			guest->stride = guest_config(guest, at + 16, 4);
		if (type == VIRTIO_PCI_CAP_PCI_CFG)
			guest->window = at;
	}
}

/* Tells the device where a queue is, and enables it. */
static inline void guest_enable(struct guest *guest, unsigned int queue)
{
	const struct ring *ring = &guest->rings[queue];

	guest_set(guest, VIRTIO_PCI_COMMON_Q_SELECT, queue, 2);
	guest_set(guest, VIRTIO_PCI_COMMON_Q_SIZE, ring->size, 2);
	guest_set(guest, VIRTIO_PCI_COMMON_Q_DESCLO, ring->desc, 4);
	guest_set(guest, VIRTIO_PCI_COMMON_Q_DESCHI, ring->desc >> 32, 4);
	guest_set(guest, VIRTIO_PCI_COMMON_Q_AVAILLO, ring->avail, 4);
	guest_set(guest, VIRTIO_PCI_COMMON_Q_AVAILHI, ring->avail >> 32, 4);
	guest_set(guest, VIRTIO_PCI_COMMON_Q_USEDLO, ring->used, 4);
	guest_set(guest, VIRTIO_PCI_COMMON_Q_USEDHI, ring->used >> 32, 4);
	guest_set(guest, VIRTIO_PCI_COMMON_Q_ENABLE, 1, 2);
}

/* Enables all queues, with the sizes that the device offers. */
static inline void guest_enable_all(struct guest *guest)
{
	const unsigned int count =
		guest_common(guest, VIRTIO_PCI_COMMON_NUMQ, 2);

	for (unsigned int i = 0; i < count && i < GUEST_QUEUES; i++) {
		guest_set(guest, VIRTIO_PCI_COMMON_Q_SELECT, i, 2);
		guest->rings[i] = ring_at_page(
			guest->ram, GUEST_RINGS + i * 3 * RING_PAGE,
			guest_common(guest, VIRTIO_PCI_COMMON_Q_SIZE, 2));
		guest_enable(guest, i);
	}
}

static inline uint64_t guest_offered(const struct guest *guest)
{
	uint64_t features;

	guest_set(guest, VIRTIO_PCI_COMMON_DFSELECT, 1, 4);
	features = guest_common(guest, VIRTIO_PCI_COMMON_DF, 4);
	guest_set(guest, VIRTIO_PCI_COMMON_DFSELECT, 0, 4);
	return features << 32 | guest_common(guest, VIRTIO_PCI_COMMON_DF, 4);
}

/* Resets the device and negotiates.  Return: true if it accepts the features. */
static inline bool guest_negotiate(struct guest *guest, uint64_t features)
{
	const uint8_t status = VIRTIO_CONFIG_S_ACKNOWLEDGE |
			       VIRTIO_CONFIG_S_DRIVER;

	guest_set_status(guest, 0);
	guest_set_status(guest, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	guest_set_status(guest, status);
	for (unsigned int i = 0; i < 2; i++) {
		guest_set(guest, VIRTIO_PCI_COMMON_GFSELECT, i, 4);
		guest_set(guest, VIRTIO_PCI_COMMON_GF, features >> (32 * i), 4);
	}
	guest_set_status(guest, status | VIRTIO_CONFIG_S_FEATURES_OK);
	return guest_status(guest) & VIRTIO_CONFIG_S_FEATURES_OK;
}

static inline void guest_ready(struct guest *guest)
{
	guest_set_status(guest,
			 guest_status(guest) | VIRTIO_CONFIG_S_DRIVER_OK);
}

/* Finds the device, and starts it.  Return: true if it accepts the features. */
static inline bool guest_start(struct guest *guest, uint64_t features)
{
	guest_find(guest);
	if (!guest_negotiate(guest, features))
		return false;
	guest_enable_all(guest);
	guest_ready(guest);
	return true;
}

/* Rings a queue's doorbell, without a turn of the loop. */
static inline void guest_ring_bell(const struct guest *guest,
				   unsigned int queue)
{
	guest_write(guest, VIRTIO_PCI_CAP_NOTIFY_CFG, queue * guest->stride,
		    queue, 2);
}

/* Kicks a queue, and lets the loop work until it has nothing to do. */
static inline void guest_kick(const struct guest *guest, unsigned int queue)
{
	guest_ring_bell(guest, queue);
	while (fake_turn())
		;
}

#endif
