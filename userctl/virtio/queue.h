/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A split virtqueue as the device sees it (virtio 1.2, section 2.7).
 *
 * The guest can write all of it at any time, from other CPUs.  Each value is read once
 * and checked before it is used, and what a driver must not do breaks the queue: from
 * then on it gives no chains and takes none back, until it is reset.
 */
#ifndef LODGE_VIRTIO_QUEUE_H
#define LODGE_VIRTIO_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "board/ram.h"

/* The most entries of a queue, and so the most buffers of a chain. */
#define VIRTQUEUE_MAX_SIZE 256

/**
 * struct virtqueue_state - what is saved of a queue
 * @desc: guest physical address of the descriptor table
 * @avail: that of the available ring, which the driver writes
 * @used: that of the used ring, which the device writes
 * @size: entries, as the driver has set it
 * @next: index of the available ring at which the next chain is
 * @done: index of the used ring at which the next chain is put
 * @told: @done when the driver was last told of used chains
 * @enabled: 1: the driver has enabled it; 0: not
 *
 * There is no padding, which would be saved, too.
 */
struct virtqueue_state {
	uint64_t desc;
	uint64_t avail;
	uint64_t used;
	uint16_t size;
	uint16_t next;
	uint16_t done;
	uint16_t told;
	uint64_t enabled;
};

/**
 * struct virtqueue - a queue
 * @state: what is saved of it; from the owner
 * @ram: the guest's memory
 * @desc: the descriptor table in this process; NULL: the queue is not in use
 * @avail: the available ring
 * @used: the used ring
 * @indirect: VIRTIO_RING_F_INDIRECT_DESC was negotiated
 * @event_idx: VIRTIO_RING_F_EVENT_IDX was negotiated
 * @broken: the driver has done what it must not do
 */
struct virtqueue {
	struct virtqueue_state *state;
	const struct ram *ram;
	const void *desc;
	void *avail;
	void *used;
	bool indirect;
	bool event_idx;
	bool broken;
};

/**
 * struct virtio_chain - a chain of buffers, all of them in RAM
 * @head: names the chain for virtqueue_push()
 * @nr_out: buffers that the device reads; they are the first of @iov
 * @nr_in: buffers that the device writes; they follow
 * @out_size: bytes to read, in all
 * @in_size: bytes to write, in all; with @out_size below 4 GiB
 * @out_at: how many bytes virtio_chain_read() has read
 * @in_at: how many bytes virtio_chain_write() has written
 * @iov: the buffers; none is empty
 */
struct virtio_chain {
	uint16_t head;
	unsigned int nr_out;
	unsigned int nr_in;
	size_t out_size;
	size_t in_size;
	size_t out_at;
	size_t in_at;
	struct iovec iov[VIRTQUEUE_MAX_SIZE];
};

/**
 * virtqueue_enable() - take a queue into use
 * @queue: with @state
 * @ram: the guest's memory
 * @features: those negotiated, as a mask
 *
 * Return: 0, or -EINVAL: its size or an address is not allowed, and the queue is
 * broken.
 */
int virtqueue_enable(struct virtqueue *queue, const struct ram *ram,
		     uint64_t features);

/**
 * virtqueue_reset() - forget all but the size
 * @size: its new size, the largest that the device supports
 */
void virtqueue_reset(struct virtqueue *queue, uint16_t size);

/**
 * virtqueue_is_sound() - check a queue's state that was loaded
 *
 * Return: true if virtqueue_enable() will take it, or it is not enabled.
 */
bool virtqueue_is_sound(const struct virtqueue_state *state,
			const struct ram *ram);

/**
 * virtqueue_used_index() - get the index of the used ring, of a queue that is in use and
 * that somebody else serves
 */
uint16_t virtqueue_used_index(const struct virtqueue *queue);

/**
 * virtqueue_take_over() - go on with a queue that somebody else has served
 * @next: index of the available ring at which the other one has stopped
 *
 * What it has used is in the used ring.
 *
 * Return: 0, or -EPROTO: both cannot be, and the queue is broken.
 */
int virtqueue_take_over(struct virtqueue *queue, uint16_t next);

/**
 * virtqueue_pop() - take the next chain
 * @chain: out
 *
 * When there is none, the driver is asked to kick for the next one.
 *
 * Return: 1; 0 there is none; -EPROTO the queue is broken.
 */
int virtqueue_pop(struct virtqueue *queue, struct virtio_chain *chain);

/**
 * virtqueue_unpop() - give back the chain that was taken last: it will be the next one
 */
void virtqueue_unpop(struct virtqueue *queue);

/**
 * virtqueue_push() - return a chain to the driver
 * @head: of the chain
 * @written: how many bytes were written, from the beginning of its buffers
 */
void virtqueue_push(struct virtqueue *queue, uint16_t head, uint32_t written);

/**
 * struct virtqueue_used - a chain that is returned
 * @head: of the chain
 * @written: how many bytes were written
 */
struct virtqueue_used {
	uint16_t head;
	uint32_t written;
};

/**
 * virtqueue_push_all() - return several chains, which the driver sees all at once
 */
void virtqueue_push_all(struct virtqueue *queue,
			const struct virtqueue_used *used, unsigned int count);

/**
 * virtqueue_must_notify() - ask if the driver wants to be told of the chains that
 * were returned since the last call
 */
bool virtqueue_must_notify(struct virtqueue *queue);

/**
 * virtio_chain_in() - the buffers of a chain that the device writes
 */
static inline struct iovec *virtio_chain_in(struct virtio_chain *chain)
{
	return chain->iov + chain->nr_out;
}

/**
 * virtio_chain_read() - copy the next bytes of the driver's
 *
 * Return: how many bytes; fewer than @size at the end of the chain.
 */
size_t virtio_chain_read(struct virtio_chain *chain, void *data, size_t size);

/**
 * virtio_chain_skip() - pass over the next bytes of the driver's
 *
 * Return: as virtio_chain_read().
 */
size_t virtio_chain_skip(struct virtio_chain *chain, size_t size);

/**
 * virtio_chain_write() - append bytes for the driver
 *
 * Return: how many bytes; fewer than @size when the chain is full.
 */
size_t virtio_chain_write(struct virtio_chain *chain, const void *data,
			  size_t size);

/**
 * virtio_chain_write_at() - write bytes for the driver at an offset
 *
 * Return: how many bytes; fewer than @size beyond the end.
 */
size_t virtio_chain_write_at(struct virtio_chain *chain, size_t offset,
			     const void *data, size_t size);

/**
 * virtio_iov_slice() - get a part of a list of buffers
 * @from: the list, of @count buffers
 * @offset: where the part begins, in bytes
 * @size: its size
 * @to: out: the part, of up to @count buffers
 *
 * Return: how many buffers there are in the part, which is shorter than @size if the
 * list ends before.
 */
unsigned int virtio_iov_slice(const struct iovec *from, unsigned int count,
			      size_t offset, size_t size, struct iovec *to);

#endif
