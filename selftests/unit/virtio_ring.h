/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A driver's side of a split virtqueue: it writes what it is told to, also what a driver
 * must not write.
 */
#ifndef LODGE_UNIT_VIRTIO_RING_H
#define LODGE_UNIT_VIRTIO_RING_H

#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "board/ram.h"
#include "virtio/queue.h"

#define RING_PAGE 4096ULL

/**
 * struct ring - a queue in guest memory
 * @ram: that memory
 * @size: entries
 * @desc, @avail, @used: guest physical addresses, each on a page of its own
 * @offered: index of the available ring
 * @taken: index of the used ring up to which the driver has looked
 */
struct ring {
	struct ram *ram;
	uint16_t size;
	uint64_t desc;
	uint64_t avail;
	uint64_t used;
	uint16_t offered;
	uint16_t taken;
};

static inline void *ring_memory(const struct ring *ring, uint64_t gpa)
{
	return ram_at(ring->ram, gpa, 1);
}

/* Makes an empty queue at @base, which takes three pages. */
static inline struct ring ring_at_page(struct ram *ram, uint64_t base,
				       uint16_t size)
{
	struct ring ring = {
		.ram = ram,
		.size = size,
		.desc = base,
		.avail = base + RING_PAGE,
		.used = base + 2 * RING_PAGE,
	};

	memset(ring_memory(&ring, base), 0, 3 * RING_PAGE);
	return ring;
}

static inline struct vring_avail *ring_avail(const struct ring *ring)
{
	return ring_memory(ring, ring->avail);
}

static inline struct vring_used *ring_used(const struct ring *ring)
{
	return ring_memory(ring, ring->used);
}

static inline uint16_t *ring_used_event(const struct ring *ring)
{
	return &ring_avail(ring)->ring[ring->size];
}

static inline uint16_t ring_avail_event(const struct ring *ring)
{
	const vring_used_elem_t *end = &ring_used(ring)->ring[ring->size];

	return *(const uint16_t *)end;
}

/* Writes descriptor @number of the table at @table. */
static inline void ring_describe_in(const struct ring *ring, uint64_t table,
				    unsigned int number, uint64_t address,
				    uint32_t size, uint16_t flags,
				    uint16_t next)
{
	const struct vring_desc desc = {
		.addr = address,
		.len = size,
		.flags = flags,
		.next = next,
	};

	memcpy((struct vring_desc *)ring_memory(ring, table) + number, &desc,
	       sizeof(desc));
}

/* The same in the queue's own table. */
static inline void ring_describe(const struct ring *ring, unsigned int number,
				 uint64_t address, uint32_t size,
				 uint16_t flags, uint16_t next)
{
	ring_describe_in(ring, ring->desc, number, address, size, flags, next);
}

/* Return: true if the device wants a kick for what was offered after @before was. */
static inline bool ring_must_kick(const struct ring *ring, uint16_t before)
{
	return vring_need_event(ring_avail_event(ring), ring->offered, before);
}

/* Makes the chain that begins at descriptor @head available. */
static inline void ring_offer(struct ring *ring, uint16_t head)
{
	struct vring_avail *avail = ring_avail(ring);

	avail->ring[ring->offered % ring->size] = head;
	__atomic_store_n(&avail->idx, ++ring->offered, __ATOMIC_RELEASE);
}

/* Return: true, with the next used chain; false: there is none. */
static inline bool ring_take(struct ring *ring, uint32_t *head,
			     uint32_t *written)
{
	const struct vring_used *used = ring_used(ring);
	const vring_used_elem_t *entry = &used->ring[ring->taken % ring->size];

	if (__atomic_load_n(&used->idx, __ATOMIC_ACQUIRE) == ring->taken)
		return false;
	*head = entry->id;
	*written = entry->len;
	ring->taken++;
	return true;
}

/* Offers one buffer, as descriptor @head; @flags: 0 or VRING_DESC_F_WRITE. */
static inline void ring_send(struct ring *ring, uint16_t head, uint64_t address,
			     uint32_t size, uint16_t flags)
{
	ring_describe(ring, head, address, size, flags, 0);
	ring_offer(ring, head);
}

/* Offers a request as two buffers, one to read and one to write, from @head on. */
static inline void ring_ask(struct ring *ring, uint16_t head, uint64_t out,
			    uint32_t out_size, uint64_t in, uint32_t in_size)
{
	ring_describe(ring, head, out, out_size, VRING_DESC_F_NEXT, head + 1);
	ring_describe(ring, head + 1, in, in_size, VRING_DESC_F_WRITE, 0);
	ring_offer(ring, head);
}

/* The device's view of the queue's place. */
static inline struct virtqueue_state ring_state(const struct ring *ring)
{
	return (struct virtqueue_state){
		.desc = ring->desc,
		.avail = ring->avail,
		.used = ring->used,
		.size = ring->size,
	};
}

#endif
