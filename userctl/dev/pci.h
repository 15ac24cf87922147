/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PCI bus 0 behind configuration mechanism #1 (PCI Local Bus Specification 3.0,
 * section 3.2.2.3.2): ports 0xcf8 and 0xcfc.  A new bus has a host bridge at 00:00.0
 * and no other functions.
 */
#ifndef LODGE_DEV_PCI_H
#define LODGE_DEV_PCI_H

#include <stddef.h>
#include <stdint.h>

#include "board/bus.h"
#include "board/device.h"
#include "board/layout.h"

#define PCI_CONFIG_SIZE 256

struct pci;

/**
 * struct pci_function - a function's configuration space
 * @read: fill @data with @size bytes from @offset
 * @write: take @size bytes
 * @opaque: the device
 *
 * @size is 1, 2 or 4, and an access stays within four aligned bytes below
 * PCI_CONFIG_SIZE.  Any vCPU's thread may call, with the bus locked.
 */
struct pci_function {
	void (*read)(void *opaque, unsigned int offset, void *data,
		     size_t size);
	void (*write)(void *opaque, unsigned int offset, const void *data,
		      size_t size);
	void *opaque;
};

/**
 * pci_new() - make a PCI bus
 *
 * Return: the PCI bus, or NULL with errno set.
 */
struct pci *pci_new(struct bus *bus);

/**
 * pci_free() - free it, once nothing calls it any more; NULL is fine
 */
void pci_free(void *pci);

/**
 * pci_add() - add a function
 * @device: device number, 0 to 31
 * @function: function number, 0 to 7
 *
 * Return: 0; -EEXIST there is one; -EINVAL a number is out of range.
 */
int pci_add(struct pci *pci, unsigned int device, unsigned int function,
	    const struct pci_function *config);

/* The bus, for a machine. */
extern const struct device_kind pci_device;

#endif
