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
 * @address: the doorbell that signals @eventfd, or PCI_BAR_OFF
 *
 * Both are guarded by the device's lock.
 */
struct virtio_bell {
	struct virtio_pci *pci;
	unsigned int queue;
	int eventfd;
	uint64_t address;
};

/**
 * struct virtio_lent - a queue that somebody outside of this process serves
 * @pci: the transport
 * @queue: number of the queue
 * @call: eventfd by which the other one interrupts the guest, or -1
 * @lent: the queue is lent
 * @process: to another process, which could let this one wait for ever as it writes to an
 *	eventfd that both have
 * @direct: @call sends the vector's message without this process; otherwise the loop
 *	watches it
 */
struct virtio_lent {
	struct virtio_pci *pci;
	unsigned int queue;
	int call;
	bool lent;
	bool process;
	bool direct;
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
 * @lent: by queue; guarded by the device's lock
 * @state: what is saved
 * @master: the guest lets it be master of the bus
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
	struct virtio_lent lent[VIRTIO_MAX_QUEUES];
	struct virtio_pci_state state;
	bool master;
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

/**
 * virtio_pci_boot() - say how firmware starts from a device
 * @class: what it starts
 * @index: value of the device's DEVICE_BOOTINDEX
 * @name: Open Firmware's name for the kind of device
 * @unit: its name for what is behind the device, with a slash before it
 * @boot: out
 */
void virtio_pci_boot(const struct virtio_pci *pci, enum boot_class class,
		     const struct device_value *index, const char *name,
		     const char *unit, struct device_boot *boot);

/*
 * pci_lend.c: queues that somebody outside of this process serves.  The device's lock is
 * held.
 */

/**
 * virtio_pci_lend_prepare() - make the eventfds of a device whose queues will be lent,
 * before the machine runs and is confined
 *
 * Return: 0 or -errno.
 */
int virtio_pci_lend_prepare(struct virtio_pci *pci);

/**
 * virtio_pci_lend() - let somebody else have a queue's kicks and send its interrupts
 * @process: another process, which keeps the eventfds: it finds @kick signalled, and does not
 *	get the same one again
 * @kick: out: eventfd that the guest's kicks signal
 * @call: out: eventfd that interrupts the guest
 *
 * Both stay the transport's, and live until the queue is taken back at least.  A queue that
 * is lent has no kick() any more.
 *
 * Return: 0 or -errno.
 */
int virtio_pci_lend(struct virtio_pci *pci, unsigned int queue, bool process,
		    int *kick, int *call);

/**
 * virtio_pci_take_back() - have a queue that was lent again; one that is not is left
 *
 * An interrupt that was on its way reaches the guest.
 */
void virtio_pci_take_back(struct virtio_pci *pci, unsigned int queue);

/**
 * virtio_pci_lend_init() - for virtio_pci_init(), before the function is plugged in
 */
void virtio_pci_lend_init(struct virtio_pci *pci);

/**
 * virtio_pci_lend_fini() - for virtio_pci_fini()
 */
void virtio_pci_lend_fini(struct virtio_pci *pci);

/**
 * virtio_pci_redirect() - the guest has given a queue another vector
 */
void virtio_pci_redirect(struct virtio_pci *pci, unsigned int queue);

/**
 * virtio_pci_renew_bell() - let a queue that is not listened to have another eventfd
 *
 * It is signalled.
 *
 * Return: 0, or -errno: the queue has none.
 */
int virtio_pci_renew_bell(struct virtio_pci *pci, unsigned int queue);

/**
 * virtio_pci_listen() - let the loop call kick() for a queue, or no longer
 *
 * Return: 0 or -errno.
 */
int virtio_pci_listen(struct virtio_pci *pci, unsigned int queue, bool listen);

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
