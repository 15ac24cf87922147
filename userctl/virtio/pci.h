/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The PCI transport of virtio devices (virtio 1.2, section 4.1), without its legacy part.
 *
 * A kick of the guest's signals an eventfd of its queue, be it through a doorbell or
 * through the bus, and the event loop's thread then calls kick().
 */
#ifndef LODGE_VIRTIO_PCI_H
#define LODGE_VIRTIO_PCI_H

#include <stdbool.h>
#include <stdint.h>

#include "board/device.h"
#include "virtio/device.h"

struct virtio_pci;

/**
 * struct virtio_bell - how a queue is kicked
 * @pci: the transport
 * @queue: number of the queue
 * @eventfd: signalled by a kick, or -1
 * @address: the doorbell that signals @eventfd, or PCI_BAR_OFF; guarded by the bus's lock
 */
struct virtio_bell {
	struct virtio_pci *pci;
	unsigned int queue;
	int eventfd;
	uint64_t address;
};

/**
 * struct virtio_pci_state - what is saved of the transport's own registers
 * @device_select: half of the offered features that is read
 * @driver_select: half of the accepted features that is read and written
 * @queue_select: queue whose registers are read and written
 * @config_vector: MSI-X vector of configuration changes
 * @vectors: MSI-X vectors of queues
 * @isr: VIRTIO_PCI_ISR_*
 */
struct virtio_pci_state {
	uint32_t device_select;
	uint32_t driver_select;
	uint16_t queue_select;
	uint16_t config_vector;
	uint16_t vectors[VIRTIO_MAX_QUEUES];
	uint32_t isr;
};

/**
 * struct virtio_pci - a virtio device on the PCI bus
 * @device: the device; its lock guards @state, too
 * @function: its PCI function
 * @loop: calls kick()
 * @doorbells: the board's
 * @bells: by queue
 * @state: what is saved
 * @window: offset of the capability for access through configuration space
 *
 * It is the first member of the structure of its device, which has been zeroed.
 */
struct virtio_pci {
	struct virtio_device device;
	struct pci_function function;
	struct loop *loop;
	struct doorbells doorbells;
	struct virtio_bell bells[VIRTIO_MAX_QUEUES];
	struct virtio_pci_state state;
	uint8_t window;
};

/* The transport's state in its device's table of fields. */
#define VIRTIO_PCI_FIELDS(type)                                            \
	PCI_FUNCTION_FIELDS(1, type, pci.function),                        \
		RECORD_ANY(1 + PCI_FUNCTION_TAGS, type, pci.device.state), \
		RECORD_ANY(2 + PCI_FUNCTION_TAGS, type, pci.state)
/* The first tag of the device's own fields. */
#define VIRTIO_OWN_TAG 16

/**
 * virtio_pci_init() - make a virtio device and plug it in
 * @pci: with the members of @pci->device from kind to opaque that are not 0; @ram and the
 *	transport's are set here
 *
 * Return: 0 or -errno.  virtio_pci_fini() is to be called in both cases.
 */
int virtio_pci_init(struct virtio_pci *pci, const struct board *board);

/**
 * virtio_pci_fini() - end it, once nothing calls it any more
 */
void virtio_pci_fini(struct virtio_pci *pci);

/*
 * The calls of a struct device_kind, for a device that needs nothing else done.
 */

/**
 * virtio_pci_reset() - reset, while nothing runs and no chain is in flight
 * @opaque: begins with a struct virtio_pci
 */
void virtio_pci_reset(void *opaque);

/**
 * virtio_pci_is_sound() - check a state that was loaded
 * @opaque: begins with a struct virtio_pci
 *
 * Return: true if a guest can have reached it.
 */
bool virtio_pci_is_sound(const void *opaque);

/**
 * virtio_pci_loaded() - go on with a state that was loaded
 * @opaque: begins with a struct virtio_pci
 */
void virtio_pci_loaded(void *opaque);

#endif
