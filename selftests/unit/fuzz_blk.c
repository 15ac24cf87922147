// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzes the requests of a block device: chains of any buffers with any headers, resets and
 * holds between them.
 *
 * Few inputs use io_uring, which takes long to be set up.
 *
 * Whatever the driver does, the file keeps its size, each request ends, and what precedes
 * and follows the driver's memory is left alone.
 */
#include <stdlib.h>

#include "fuzz_check.h"
#include "fuzz_input.h"
#include "virtio_blk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PLACE 0x40000ULL
#define ROUNDS 4
#define MAX_BUFFERS 8

/* Chooses a value that is often at a limit. */
static uint64_t choose(struct input *in, uint64_t limit)
{
	switch (next_byte(in) % 8) {
	case 0:
		return limit;
	case 1:
		return limit - 1;
	case 2:
		return next_bytes(in, 8);
	case 3:
		return UINT64_MAX - next_byte(in);
	default:
		return next_bytes(in, 4) % limit;
	}
}

static uint32_t choose_type(struct input *in)
{
	static const uint32_t types[] = {
		VIRTIO_BLK_T_IN,	   VIRTIO_BLK_T_OUT,
		VIRTIO_BLK_T_FLUSH,	   VIRTIO_BLK_T_GET_ID,
		VIRTIO_BLK_T_WRITE_ZEROES, VIRTIO_BLK_T_DISCARD,
	};
	uint8_t choice = next_byte(in);

	return choice == 255 ? (uint32_t)next_bytes(in, 4) : types[choice % 6];
}

static uint32_t choose_size(struct input *in)
{
	static const uint32_t sizes[] = { 1,   15,  16,	 17,   512,
					  513, 511, 528, 4096, 65536 };

	return sizes[next_byte(in) % 10];
}

/* Writes header and range, which is where the data may begin. */
static void write_header(struct blk_guest *guest, struct input *in,
			 uint64_t place)
{
	const struct virtio_blk_outhdr header = {
		.type = choose_type(in),
		.sector = choose(in, BLK_DISK / DISK_SECTOR),
	};
	const struct virtio_blk_discard_write_zeroes range = {
		.sector = choose(in, BLK_DISK / DISK_SECTOR),
		.num_sectors = (uint32_t)choose(in, 64),
		.flags = next_byte(in) % 4,
	};
	uint8_t *to = ram_at(guest->ram, place, sizeof(header) + sizeof(range));

	memcpy(to, &header, sizeof(header));
	memcpy(to + sizeof(header), &range, sizeof(range));
}

static void offer(struct blk_guest *guest, struct input *in, unsigned int slot)
{
	struct ring *ring = &guest->rings[next_byte(in) % BLK_QUEUES];
	unsigned int out = 1 + next_byte(in) % 3;
	unsigned int count = out + next_byte(in) % 4;
	uint64_t place = PLACE + slot * 0x10000ULL;

	write_header(guest, in, place);
	for (unsigned int i = 0; i < count; i++) {
		uint32_t size = choose_size(in);
		uint16_t flags = i < out ? 0 : VRING_DESC_F_WRITE;

		if (!i)
			size = next_byte(in) % 4 ? 16 : size;
		if (i + 1 < count)
			flags |= VRING_DESC_F_NEXT;
		ring_describe(ring, slot * MAX_BUFFERS + i, place, size, flags,
			      slot * MAX_BUFFERS + i + 1);
		if (i < out)
			place += size;
	}
	ring_offer(ring, slot * MAX_BUFFERS);
}

static void reset(struct blk_guest *guest, struct input *in)
{
	virtio_lock(&guest->device);
	virtio_device_set_status(&guest->device, 0);
	virtio_unlock(&guest->device);
	disk_drain(guest->io.disk);
	require(!guest->device.state.status);
	blk_guest_start(guest, BLK_FEATURES & ~(next_byte(in) << 8));
}

static void round_of(struct blk_guest *guest, struct input *in)
{
	unsigned int count = 1 + next_byte(in) % 8;
	uint8_t choice = next_byte(in);

	for (unsigned int slot = 0; slot < count; slot++)
		offer(guest, in, slot);
	virtio_device_kick(&guest->device, 0);
	if (choice & 1)
		blk_io_hold(&guest->io);
	virtio_device_kick(&guest->device, 1);
	if (choice & 2)
		reset(guest, in);
	if (choice & 1)
		blk_io_release(&guest->io);
	blk_guest_run(guest, 3);
	require(!guest->device.in_flight && !guest->io.in_flight);
	if (guest->device.state.status & VIRTIO_CONFIG_S_NEEDS_RESET)
		reset(guest, in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = input_of(data, size);
	uint8_t choice = next_byte(&in);
	struct blk_guest guest;

	require(blk_guest_init(
		&guest, (struct disk_options){
				.snapshot = choice & 1,
				.read_only = choice % 8 == 2,
				.engine = choice % 32 ? DISK_ENGINE_THREADS :
							DISK_ENGINE_AUTO,
			}));
	blk_io_release(&guest.io);
	blk_guest_start(&guest, BLK_FEATURES);
	for (int i = 0; i < ROUNDS; i++)
		round_of(&guest, &in);
	require(lseek(guest.file, 0, SEEK_END) == (off_t)BLK_DISK);
	blk_guest_fini(&guest);
	return 0;
}
