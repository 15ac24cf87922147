/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The host bridge of PCI bus 0, function 00:00.0, with configuration mechanism #1
 * (PCI Local Bus Specification 3.0, section 3.2.2.3.2), ports 0xcf8 and 0xcfc, and with
 * configuration space in memory at PCI_ECAM.
 */
#ifndef LODGE_DEV_PCI_H
#define LODGE_DEV_PCI_H

#include "board/bus.h"
#include "board/device.h"
#include "board/layout.h"
#include "board/pci.h"

struct pci;

/**
 * pci_new() - make a host bridge
 * @functions: the functions that it gives access to; it becomes the first one
 *
 * Return: the bridge, or NULL with errno set.
 */
struct pci *pci_new(struct bus *bus, struct pci_bus *functions);

/**
 * pci_free() - free it, once nothing calls it any more; NULL is fine
 */
void pci_free(void *pci);

/* The bridge, for a machine. */
extern const struct device_kind pci_device;

#endif
