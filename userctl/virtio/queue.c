// SPDX-License-Identifier: GPL-2.0
/*
 * A split virtqueue as the device sees it.
 */
#include "virtio/queue.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <string.h>

#define FEATURE(bit) (1ULL << (bit))

/* Of a ring: flags, index, entries, and the other side's event index. */
#define AVAIL_SIZE(entries) \
	(sizeof(struct vring_avail) + ((entries) + 1) * sizeof(uint16_t))
#define USED_SIZE(entries)                                                   \
	(sizeof(struct vring_used) + (entries) * sizeof(vring_used_elem_t) + \
	 sizeof(uint16_t))

/**
 * struct walk - the way along a chain
 * @table: the descriptor table
 * @entries: of @table
 * @left: how many more descriptors of this table the chain may have
 * @nested: @table is an indirect one
 * @bytes: of the buffers so far
 */
struct walk {
	const void *table;
	uint32_t entries;
	uint32_t left;
	bool nested;
	uint64_t bytes;
};

static uint16_t guest_read16(const void *address)
{
	return __atomic_load_n((const uint16_t *)address, __ATOMIC_RELAXED);
}

static struct vring_avail *avail_of(const struct virtqueue *queue)
{
	return queue->avail;
}

static struct vring_used *used_of(const struct virtqueue *queue)
{
	return queue->used;
}

/* Where the driver says at which used index it wants to be notified. */
static const uint16_t *used_event(const struct virtqueue *queue)
{
	return &avail_of(queue)->ring[queue->state->size];
}

/* Where the device says at which available index it wants to be kicked. */
static uint16_t *avail_event(const struct virtqueue *queue)
{
	return (uint16_t *)&used_of(queue)->ring[queue->state->size];
}

static bool size_is_sound(uint16_t size)
{
	return size && size <= VIRTQUEUE_MAX_SIZE && !(size & (size - 1));
}

static void *ring_at(const struct ram *ram, uint64_t address, uint64_t size,
		     uint64_t align)
{
	return address & (align - 1) ? NULL : ram_at(ram, address, size);
}

static const void *desc_at(const struct virtqueue_state *state,
			   const struct ram *ram)
{
	return ring_at(ram, state->desc,
		       state->size * sizeof(struct vring_desc),
		       VRING_DESC_ALIGN_SIZE);
}

static void *avail_at(const struct virtqueue_state *state,
		      const struct ram *ram)
{
	return ring_at(ram, state->avail, AVAIL_SIZE(state->size),
		       VRING_AVAIL_ALIGN_SIZE);
}

static void *used_at(const struct virtqueue_state *state, const struct ram *ram)
{
	return ring_at(ram, state->used, USED_SIZE(state->size),
		       VRING_USED_ALIGN_SIZE);
}

bool virtqueue_is_sound(const struct virtqueue_state *state,
			const struct ram *ram)
{
	if (state->enabled > 1)
		return false;
	return !state->enabled ||
	       (size_is_sound(state->size) && desc_at(state, ram) &&
		avail_at(state, ram) && used_at(state, ram) &&
		(uint16_t)(state->next - state->done) <= state->size);
}

int virtqueue_enable(struct virtqueue *queue, const struct ram *ram,
		     uint64_t features)
{
	struct virtqueue_state *state = queue->state;

	state->enabled = 1;
	if (!virtqueue_is_sound(state, ram)) {
		queue->broken = true;
		return -EINVAL;
	}
	queue->ram = ram;
	queue->desc = desc_at(state, ram);
	queue->avail = avail_at(state, ram);
	queue->used = used_at(state, ram);
	queue->indirect = features & FEATURE(VIRTIO_RING_F_INDIRECT_DESC);
	queue->event_idx = features & FEATURE(VIRTIO_RING_F_EVENT_IDX);
	return 0;
}

void virtqueue_reset(struct virtqueue *queue, uint16_t size)
{
	struct virtqueue_state *state = queue->state;

	*queue = (struct virtqueue){ .state = state };
	*state = (struct virtqueue_state){ .size = size };
}

/*
 * Return: entry @number, which is in the table, as it is now: the guest may write to it
 * meanwhile.
 */
static struct vring_desc descriptor_read(const void *table, uint32_t number)
{
	struct vring_desc desc;

	memcpy(&desc, (const uint8_t *)table + number * sizeof(desc),
	       sizeof(desc));
	/* The compiler may not read it a second time. */
	__asm__ volatile("" : "+m"(desc) : : "memory");
	return desc;
}

/*
 * Goes on in an indirect table (section 2.7.5.3).  Drivers do put longer chains there
 * than the queue has entries, so that only VIRTQUEUE_MAX_SIZE is their limit.
 */
static int walk_into(const struct virtqueue *queue, struct walk *walk,
		     const struct vring_desc *desc)
{
	const uint32_t entries = desc->len / sizeof(struct vring_desc);

	if (!queue->indirect || walk->nested ||
	    (desc->flags & VRING_DESC_F_NEXT) || !entries ||
	    desc->len % sizeof(struct vring_desc))
		return -EPROTO;
	walk->table = ram_at(queue->ram, desc->addr, desc->len);
	if (!walk->table)
		return -EPROTO;
	walk->entries = entries;
	walk->left = VIRTQUEUE_MAX_SIZE;
	walk->nested = true;
	return 0;
}

/* Appends a buffer.  Those to write follow those to read (section 2.7.4.2). */
static int chain_add(const struct virtqueue *queue, struct walk *walk,
		     struct virtio_chain *chain, const struct vring_desc *desc)
{
	const unsigned int count = chain->nr_out + chain->nr_in;
	const bool in = desc->flags & VRING_DESC_F_WRITE;
	void *buffer = ram_at(queue->ram, desc->addr, desc->len);

	walk->bytes += desc->len;
	if (!desc->len || !buffer || count == VIRTQUEUE_MAX_SIZE ||
	    walk->bytes > UINT32_MAX || (!in && chain->nr_in))
		return -EPROTO;
	/* Whatever fills it does so before the machine is held. */
	if (in)
		ram_wrote(queue->ram, buffer, desc->len);
	chain->iov[count] = (struct iovec){
		.iov_base = buffer,
		.iov_len = desc->len,
	};
	if (in) {
		chain->nr_in++;
		chain->in_size += desc->len;
	} else {
		chain->nr_out++;
		chain->out_size += desc->len;
	}
	return 0;
}

static int chain_walk(const struct virtqueue *queue, struct virtio_chain *chain)
{
	const uint16_t size = queue->state->size;
	struct walk walk = {
		.table = queue->desc,
		.entries = size,
		.left = size,
	};
	uint32_t number = chain->head;
	struct vring_desc desc;
	int err;

	do {
		if (number >= walk.entries || !walk.left--)
			return -EPROTO;
		desc = descriptor_read(walk.table, number);
		number = desc.next;
		if (desc.flags & VRING_DESC_F_INDIRECT) {
			err = walk_into(queue, &walk, &desc);
			number = 0;
		} else {
			err = chain_add(queue, &walk, chain, &desc);
		}
		if (err)
			return err;
	} while (desc.flags & (VRING_DESC_F_NEXT | VRING_DESC_F_INDIRECT));
	return 0;
}

/* Return: how many chains wait, as the driver says; what it has put there is visible. */
static uint16_t chains_waiting(const struct virtqueue *queue)
{
	const uint16_t index =
		__atomic_load_n(&avail_of(queue)->idx, __ATOMIC_ACQUIRE);

	return index - queue->state->next;
}

/* The device writes to the used ring. */
static void note_used(const struct virtqueue *queue)
{
	ram_wrote(queue->ram, queue->used, USED_SIZE(queue->state->size));
}

/*
 * Asks for a kick at the next chain.  The driver may have added one before it could see
 * the wish, so the index is to be read again, after the wish is visible.
 */
static uint16_t ask_for_kick(const struct virtqueue *queue)
{
	if (!queue->event_idx)
		return 0;
	note_used(queue);
	__atomic_store_n(avail_event(queue), queue->state->next,
			 __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return chains_waiting(queue);
}

/* Return: how many chains were taken and not returned. */
static uint16_t chains_out(const struct virtqueue *queue)
{
	return queue->state->next - queue->state->done;
}

static int fail(struct virtqueue *queue)
{
	queue->broken = true;
	return -EPROTO;
}

uint16_t virtqueue_used_index(const struct virtqueue *queue)
{
	return queue->used ?
		       __atomic_load_n(&used_of(queue)->idx, __ATOMIC_ACQUIRE) :
		       queue->state->done;
}

int virtqueue_take_over(struct virtqueue *queue, uint16_t next)
{
	struct virtqueue_state *state = queue->state;
	const uint16_t done = virtqueue_used_index(queue);

	if ((uint16_t)(next - done) > state->size)
		return fail(queue);
	state->next = next;
	state->done = state->told = done;
	return 0;
}

int virtqueue_pop(struct virtqueue *queue, struct virtio_chain *chain)
{
	struct virtqueue_state *state = queue->state;
	uint16_t waiting;

	if (queue->broken)
		return -EPROTO;
	if (!queue->desc)
		return 0;
	waiting = chains_waiting(queue);
	if (!waiting)
		waiting = ask_for_kick(queue);
	if (!waiting)
		return 0;
	/* At no time does the driver wait for more chains than the queue has entries. */
	if (waiting > state->size || chains_out(queue) >= state->size)
		return fail(queue);

	chain->head = guest_read16(
		&avail_of(queue)->ring[state->next & (state->size - 1)]);
	chain->nr_out = chain->nr_in = 0;
	chain->out_size = chain->in_size = 0;
	chain->out_at = chain->in_at = 0;
	if (chain_walk(queue, chain))
		return fail(queue);
	state->next++;
	return 1;
}

void virtqueue_unpop(struct virtqueue *queue)
{
	queue->state->next--;
}

void virtqueue_push_all(struct virtqueue *queue,
			const struct virtqueue_used *used, unsigned int count)
{
	struct virtqueue_state *state = queue->state;

	if (queue->broken || !queue->desc)
		return;
	note_used(queue);
	for (unsigned int i = 0; i < count; i++) {
		vring_used_elem_t *entry =
			&used_of(queue)->ring[state->done & (state->size - 1)];

		__atomic_store_n(&entry->id, used[i].head, __ATOMIC_RELAXED);
		__atomic_store_n(&entry->len, used[i].written,
				 __ATOMIC_RELAXED);
		state->done++;
	}
	/* The entries and the buffers are visible before the index. */
	__atomic_store_n(&used_of(queue)->idx, state->done, __ATOMIC_RELEASE);
}

void virtqueue_push(struct virtqueue *queue, uint16_t head, uint32_t written)
{
	const struct virtqueue_used used = { .head = head, .written = written };

	virtqueue_push_all(queue, &used, 1);
}

bool virtqueue_must_notify(struct virtqueue *queue)
{
	struct virtqueue_state *state = queue->state;
	const uint16_t told = state->told;

	if (queue->broken || !queue->desc || state->done == told)
		return false;
	state->told = state->done;
	/* The driver sets its wish, then reads the index: the other way round here. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (queue->event_idx)
		return vring_need_event(guest_read16(used_event(queue)),
					state->done, told);
	return !(guest_read16(&avail_of(queue)->flags) &
		 VRING_AVAIL_F_NO_INTERRUPT);
}

unsigned int virtio_iov_slice(const struct iovec *from, unsigned int count,
			      size_t offset, size_t size, struct iovec *to)
{
	unsigned int made = 0;

	for (unsigned int i = 0; i < count && size; i++) {
		size_t bytes = from[i].iov_len;

		if (offset >= bytes) {
			offset -= bytes;
			continue;
		}
		bytes -= offset;
		if (bytes > size)
			bytes = size;
		to[made++] = (struct iovec){
			.iov_base = (uint8_t *)from[i].iov_base + offset,
			.iov_len = bytes,
		};
		offset = 0;
		size -= bytes;
	}
	return made;
}

/*
 * Copies between @data and a part of some buffers; @in: to the buffers.  Return: how many
 * bytes there were.
 */
static size_t copy(const struct iovec *iov, unsigned int count, size_t offset,
		   void *data, size_t size, bool in)
{
	uint8_t *bytes = data;
	size_t done = 0;

	for (unsigned int i = 0; i < count && done < size; i++) {
		size_t some = iov[i].iov_len;
		uint8_t *buffer = iov[i].iov_base;

		if (offset >= some) {
			offset -= some;
			continue;
		}
		some -= offset;
		if (some > size - done)
			some = size - done;
		if (in)
			memcpy(buffer + offset, bytes + done, some);
		else
			memcpy(bytes + done, buffer + offset, some);
		offset = 0;
		done += some;
	}
	return done;
}

size_t virtio_chain_read(struct virtio_chain *chain, void *data, size_t size)
{
	size_t done = copy(chain->iov, chain->nr_out, chain->out_at, data, size,
			   false);

	chain->out_at += done;
	return done;
}

size_t virtio_chain_skip(struct virtio_chain *chain, size_t size)
{
	const size_t left = chain->out_size - chain->out_at;

	if (size > left)
		size = left;
	chain->out_at += size;
	return size;
}

size_t virtio_chain_write_at(struct virtio_chain *chain, size_t offset,
			     const void *data, size_t size)
{
	return copy(virtio_chain_in(chain), chain->nr_in, offset, (void *)data,
		    size, true);
}

size_t virtio_chain_write(struct virtio_chain *chain, const void *data,
			  size_t size)
{
	size_t done = virtio_chain_write_at(chain, chain->in_at, data, size);

	chain->in_at += done;
	return done;
}
