// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzer of the split virtqueue.  The input places a queue and writes to its rings between
 * the device's calls.  All buffers that the device gets must be in memory, and only the
 * used ring and the event index may change.
 */
#include <errno.h>
#include <linux/virtio_ring.h>
#include <stdint.h>
#include <string.h>

#include "fuzz_check.h"
#include "fuzz_input.h"
#include "virtio/queue.h"

#define RAM_SIZE (1ULL << 20)
#define NR_STEPS 200

/* Tables are in the first pages, so that random addresses often meet. */
#define PAGES 4

static struct ram *ram;

static u64 some_address(struct input *in)
{
	static const u64 edges[] = {
		0,	    RAM_SIZE - 16,  RAM_SIZE - 1,
		RAM_SIZE,   RAM_HOLE_START, UINT64_MAX - 15,
		UINT64_MAX, 1ULL << 63,
	};
	const u8 byte = next_byte(in);

	if (byte < 16)
		return edges[byte % 8];
	if (byte < 24)
		return next_bytes(in, 8);
	return next_bytes(in, 2) % (PAGES * 4096) & (byte & 1 ? ~15ULL : ~0ULL);
}

static u32 some_size(struct input *in)
{
	const u8 byte = next_byte(in);

	if (byte < 8)
		return (u32)next_bytes(in, 4);
	return byte < 128 ? byte % 8 * 16 : byte;
}

static void write_descriptor(struct input *in, const struct virtqueue *queue)
{
	const u8 place = next_byte(in);
	const struct vring_desc desc = {
		.addr = some_address(in),
		.len = some_size(in),
		.flags = next_byte(in) % 9,
		.next = next_byte(in) % 18,
	};
	u64 table = place & 0x80 ? queue->state->desc : some_address(in);
	void *at = ram_at(ram, table + place % 16 * sizeof(desc), sizeof(desc));

	if (at)
		memcpy(at, &desc, sizeof(desc));
}

static void offer(struct input *in, const struct virtqueue *queue)
{
	struct vring_avail *avail = queue->avail;
	u16 size = queue->state->size;
	u8 byte = next_byte(in);

	if (!avail)
		return;
	avail->ring[avail->idx % size] = byte & 0x0f;
	if (byte < 224)
		avail->idx++;
	else
		avail->idx = (u16)next_bytes(in, 2);
}

static void scribble(struct input *in)
{
	u8 *at = ram_at(ram, next_bytes(in, 2) % (PAGES * 4096), 2);

	at[0] = next_byte(in);
	at[1] = next_byte(in);
}

static void check_chain(const struct virtio_chain *chain)
{
	const u8 *base = ram_at(ram, 0, RAM_SIZE);
	size_t sizes[2] = { 0, 0 };

	require(chain->nr_out + chain->nr_in >= 1);
	require(chain->nr_out + chain->nr_in <= VIRTQUEUE_MAX_SIZE);
	for (unsigned int i = 0; i < chain->nr_out + chain->nr_in; i++) {
		const struct iovec *iov = &chain->iov[i];
		const u8 *at = iov->iov_base;

		require(iov->iov_len && at >= base && at < base + RAM_SIZE);
		require(iov->iov_len <= (size_t)(base + RAM_SIZE - at));
		sizes[i >= chain->nr_out] += iov->iov_len;
	}
	require(sizes[0] == chain->out_size && sizes[1] == chain->in_size);
	require(sizes[0] + sizes[1] <= UINT32_MAX);
}

static void use_chain(struct input *in, struct virtio_chain *chain)
{
	u8 bytes[300];
	size_t size = next_bytes(in, 2) % sizeof(bytes), left;
	struct iovec iov[VIRTQUEUE_MAX_SIZE];
	unsigned int count;

	left = chain->out_size - chain->out_at;
	require(virtio_chain_read(chain, bytes, size) ==
		(size < left ? size : left));
	virtio_chain_skip(chain, size);
	require(chain->out_at <= chain->out_size);
	left = chain->in_size;
	require(virtio_chain_write(chain, bytes, size) ==
		(size < left ? size : left));
	virtio_chain_write_at(chain, next_byte(in), bytes, size);
	count = virtio_iov_slice(chain->iov, chain->nr_out + chain->nr_in,
				 next_bytes(in, 2), next_bytes(in, 2), iov);
	require(count <= chain->nr_out + chain->nr_in);
}

/* Return: how many chains are taken and not returned. */
static unsigned int take(struct input *in, struct virtqueue *queue,
			 unsigned int taken)
{
	static struct virtio_chain chain;
	const bool broken = queue->broken;
	const int found = virtqueue_pop(queue, &chain);

	require(found == 0 || found == 1 || found == -EPROTO);
	require(!broken || found == -EPROTO);
	require(queue->broken == (found == -EPROTO));
	if (found != 1)
		return taken;
	require(queue->state->enabled);
	check_chain(&chain);
	if (next_byte(in) & 1)
		use_chain(in, &chain);
	require(taken < queue->state->size);
	return taken + 1;
}

static unsigned int step(struct input *in, struct virtqueue *queue,
			 unsigned int taken)
{
	switch (next_byte(in) % 8) {
	case 0:
		scribble(in);
		break;
	case 1:
	case 2:
		write_descriptor(in, queue);
		break;
	case 3:
		offer(in, queue);
		break;
	case 4:
		if (!taken)
			break;
		virtqueue_push(queue, next_byte(in), next_bytes(in, 4));
		taken--;
		break;
	case 5:
		if (!taken)
			break;
		virtqueue_unpop(queue);
		taken--;
		break;
	case 6:
		virtqueue_must_notify(queue);
		break;
	default:
		taken = take(in, queue, taken);
		break;
	}
	require(virtqueue_is_sound(queue->state, ram) || queue->broken);
	return taken;
}

static void begin(struct input *in, struct virtqueue *queue)
{
	struct virtqueue_state *state = queue->state;
	const u8 byte = next_byte(in);
	bool sound;

	memset(ram_at(ram, 0, RAM_SIZE), 0, PAGES * 4096);
	virtqueue_reset(queue, 1 << next_byte(in) % 5);
	state->desc = some_address(in);
	state->avail = some_address(in);
	state->used = some_address(in);
	if (byte & 0x80) {
		state->desc &= ~15ULL;
		state->avail &= ~1ULL;
		state->used &= ~3ULL;
	}
	if (!(byte & 0x0f))
		state->size = (u16)next_bytes(in, 2);
	if (!(byte & 0x10))
		return;
	state->enabled = 1;
	sound = virtqueue_is_sound(state, ram);
	require(sound == !virtqueue_enable(queue, ram, (u64)byte << (28 - 5)));
	require(sound == !queue->broken);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = input_of(data, size);
	struct virtqueue_state state = {};
	struct virtqueue queue = { .state = &state };
	unsigned int taken = 0;

	if (!ram)
		ram = ram_new(RAM_SIZE);
	begin(&in, &queue);
	for (int i = 0; i < NR_STEPS; i++)
		taken = step(&in, &queue, taken);
	return 0;
}
