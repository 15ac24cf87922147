/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PCI bus 0: its functions, their configuration space and their memory (PCI Local Bus
 * Specification 3.0).
 *
 * Functions are added while the machine is built and never removed.  Their memory is
 * in the hole below the IOAPIC, at addresses that the guest can change.
 */
#ifndef LODGE_BOARD_PCI_H
#define LODGE_BOARD_PCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board/bus.h"

#define PCI_CONFIG_SIZE 256

/* Registers of a header of type 0 (section 6.1), and bits of them. */
#define PCI_VENDOR_ID 0x00
#define PCI_DEVICE_ID 0x02
#define PCI_COMMAND 0x04
#define PCI_COMMAND_MEMORY 0x02
#define PCI_SUBCLASS 0x0a
#define PCI_BASE_CLASS 0x0b
#define PCI_BAR 0x10

struct pci_bus;

/**
 * struct pci_function - a function, embedded in its device
 * @config: configuration space
 * @writable: the bits of @config that the guest can write
 * @first: @config as it was when the function was added
 * @size: bytes of memory at base address register 0, a power of two from 16 on; 0:
 *	it has no memory
 * @read: fill @data with @size bytes from @offset of that memory
 * @write: take @size bytes
 * @opaque: for @read and @write
 *
 * An access to the memory has 1 to 16 bytes and does not reach past the end.  Any
 * vCPU's thread may call, without a lock.  The bus writes @config under its own lock;
 * a device reads single bytes of it without a lock.
 */
struct pci_function {
	uint8_t config[PCI_CONFIG_SIZE];
	uint8_t writable[PCI_CONFIG_SIZE];
	uint8_t first[PCI_CONFIG_SIZE];
	uint32_t size;
	void (*read)(void *opaque, uint64_t offset, void *data, size_t size);
	void (*write)(void *opaque, uint64_t offset, const void *data,
		      size_t size);
	void *opaque;
};

/**
 * pci_bus_new() - make a PCI bus without functions
 * @bus: gets the functions' memory
 *
 * Return: the PCI bus, or NULL with errno set.
 */
struct pci_bus *pci_bus_new(struct bus *bus);

/**
 * pci_bus_free() - free it, once nothing calls it any more; NULL is fine
 */
void pci_bus_free(struct pci_bus *pci);

/**
 * pci_bus_add() - add a function
 * @device: device number, 0 to 31
 * @number: function number, 0 to 7
 * @function: with @config, @writable, @size and its calls; must not move
 *
 * The function's memory gets an address, as from firmware.  The guest enables it.
 *
 * Return: 0; -EEXIST there is one; -EINVAL a number or the size is out of range;
 * -ENOSPC the hole is full.
 */
int pci_bus_add(struct pci_bus *pci, unsigned int device, unsigned int number,
		struct pci_function *function);

/**
 * pci_bus_read() - read from configuration space
 * @devfn: device number in bits 7 to 3, function number in bits 2 to 0
 * @offset: the first byte; the access stays within four aligned bytes
 *
 * An absent function reads as all ones.
 */
void pci_bus_read(struct pci_bus *pci, uint8_t devfn, uint8_t offset,
		  void *data, size_t size);

/**
 * pci_bus_write() - write to configuration space; see pci_bus_read()
 */
void pci_bus_write(struct pci_bus *pci, uint8_t devfn, uint8_t offset,
		   const void *data, size_t size);

/**
 * pci_function_reset() - reset configuration space, while no vCPU runs
 */
void pci_function_reset(struct pci_function *function);

/**
 * pci_function_is_sound() - check a @config that was loaded
 *
 * Return: true if the guest can have written it.
 */
bool pci_function_is_sound(const struct pci_function *function);

#endif
