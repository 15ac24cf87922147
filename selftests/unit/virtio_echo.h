/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A virtio device on the PCI bus that gives back each buffer, for the tests of the
 * transport.  To be included after the harness and fakes.h.
 */
#ifndef LODGE_UNIT_VIRTIO_ECHO_H
#define LODGE_UNIT_VIRTIO_ECHO_H

#include <errno.h>
#include <linux/virtio_ids.h>

#include "virtio/pci.h"
#include "virtio_guest.h"

#define V1 VIRTIO_FEATURE(VIRTIO_F_VERSION_1)
#define OWN 5
#define FEATURES (V1 | VIRTIO_FEATURE(OWN))
#define QUEUES 3
#define SIZE 16
#define DATA 0x10000ULL
#define NO_VECTOR VIRTIO_MSI_NO_VECTOR

#define STATUS_LIVE                                             \
	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | \
	 VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK)

/* A device that keeps the chains that it takes while @lazy. */
struct echo {
	struct virtio_pci pci;
	uint8_t config[10];
	bool lazy;
	bool picky;
	unsigned int kicks[QUEUES];
	unsigned int starts;
	unsigned int stops;
	uint16_t heads[SIZE];
	unsigned int taken;
};

/* What the doorbells of the board are set to. */
static struct {
	bool full;
	unsigned int count;
	struct doorbell bells[QUEUES];
	int eventfds[QUEUES];
} rung;

static void echo_kick(struct virtio_device *device, unsigned int queue)
{
	struct echo *echo = device->opaque;
	struct virtio_chain chain;

	echo->kicks[queue]++;
	while (virtio_pop(device, queue, &chain)) {
		if (echo->lazy)
			echo->heads[echo->taken++ % SIZE] = chain.head;
		else
			virtio_push(device, queue, chain.head, 7);
	}
	virtio_notify(device, queue);
}

static inline void echo_complete(struct echo *echo)
{
	struct virtio_device *device = &echo->pci.device;

	virtio_lock(device);
	for (unsigned int i = 0; i < echo->taken; i++)
		virtio_push(device, 0, echo->heads[i], 9);
	echo->taken = 0;
	virtio_notify(device, 0);
	virtio_unlock(device);
}

static bool echo_accept(struct virtio_device *device, uint64_t features)
{
	struct echo *echo = device->opaque;

	return !echo->picky || !(features & VIRTIO_FEATURE(OWN));
}

static void echo_write(struct virtio_device *device, size_t offset,
		       const void *data, size_t size)
{
	struct echo *echo = device->opaque;

	memcpy(&echo->config[offset], data, size);
}

static void echo_start(struct virtio_device *device)
{
	struct echo *echo = device->opaque;

	echo->starts++;
}

static void echo_stop(struct virtio_device *device)
{
	struct echo *echo = device->opaque;

	echo->stops++;
}

static const struct virtio_kind kind = {
	.name = "echo",
	.id = VIRTIO_ID_RNG,
	.class = 0x00ff00,
	.accept = echo_accept,
	.write_config = echo_write,
	.start = echo_start,
	.stop = echo_stop,
	.kick = echo_kick,
};

static int bell_set(void *opaque, const struct doorbell *doorbell, int eventfd,
		    bool on)
{
	if (on && rung.full)
		return -ENOSPC;
	for (unsigned int i = 0; i < rung.count; i++) {
		if (rung.bells[i].address != doorbell->address)
			continue;
		if (on || rung.eventfds[i] != eventfd)
			return -EEXIST;
		rung.bells[i] = rung.bells[--rung.count];
		rung.eventfds[i] = rung.eventfds[rung.count];
		return 0;
	}
	if (!on || rung.count == QUEUES)
		return -ENOENT;
	rung.bells[rung.count] = *doorbell;
	rung.eventfds[rung.count++] = eventfd;
	return 0;
}

FIXTURE(virtio)
{
	struct guest guest;
	struct echo echo;
};

static int plug(struct echo *echo, const struct board *board)
{
	struct virtio_device *device = &echo->pci.device;

	memset(echo, 0, sizeof(*echo));
	memcpy(echo->config, "0123456789", sizeof(echo->config));
	device->kind = &kind;
	device->nr_queues = QUEUES;
	device->queue_size = SIZE;
	device->offered = VIRTIO_FEATURE(OWN) | 1;
	device->config = echo->config;
	device->config_size = sizeof(echo->config);
	device->opaque = echo;
	return virtio_pci_init(&echo->pci, board);
}

FIXTURE_SETUP(virtio)
{
	memset(&rung, 0, sizeof(rung));
	guest_init(&self->guest);
	self->guest.board.doorbells.set = bell_set;
	ASSERT_EQ(0, plug(&self->echo, &self->guest.board));
	guest_find(&self->guest);
}

FIXTURE_TEARDOWN(virtio)
{
	virtio_pci_fini(&self->echo.pci);
	guest_fini(&self->guest);
}

static inline void select_queue(const struct guest *guest, unsigned int queue)
{
	guest_set(guest, VIRTIO_PCI_COMMON_Q_SELECT, queue, 2);
}

static inline void set_vector(const struct guest *guest, unsigned int queue,
			      uint16_t vector)
{
	select_queue(guest, queue);
	guest_set(guest, VIRTIO_PCI_COMMON_Q_MSIX, vector, 2);
}

/* Enables messages: vector i sends data i. */
static inline void enable_messages(const struct guest *guest)
{
	const uint64_t table =
		guest->places[VIRTIO_PCI_CAP_COMMON_CFG] + 0x4000;
	uint8_t at = guest_config(guest, PCI_CAPABILITIES, 1);

	for (uint32_t i = 0; i < QUEUES + 1; i++) {
		const uint32_t entry[4] = { GUEST_MESSAGE, 0, i, 0 };

		bus_write(guest->board.bus, BUS_MMIO, table + 16 * i, entry,
			  16);
	}
	while (guest_config(guest, at, 1) != PCI_CAPABILITY_MSIX)
		at = guest_config(guest, at + 1, 1);
	guest_configure(guest, at + 2, 0x8000, 2);
}

static inline void send(FIXTURE_DATA(virtio) * self, unsigned int queue,
			uint16_t head)
{
	ring_send(&self->guest.rings[queue], head, DATA, 8, VRING_DESC_F_WRITE);
	guest_kick(&self->guest, queue);
}

static inline uint16_t used(FIXTURE_DATA(virtio) * self, unsigned int queue)
{
	return ring_used(&self->guest.rings[queue])->idx;
}

#endif
