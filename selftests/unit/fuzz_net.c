// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzer of the network card at a link whose frames have headers: the input is a driver
 * that sends frames with any headers and offers any buffers, and a link that has frames,
 * and at times no room.
 *
 * Whatever the driver does, the link is asked only for work that was negotiated and is
 * within the frame, and a reset makes the card work again.
 */
#include <errno.h>
#include <linux/virtio_net.h>
#include <stdlib.h>
#include <string.h>

#include "fakes.h"
#include "fuzz_check.h"
#include "fuzz_input.h"
#include "net/tap.h"
#include "virtio/net.h"
#include "virtio_guest.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#define NR_STEPS 64
#define V1 BIT(VIRTIO_F_VERSION_1)
#define OWN                                                           \
	(BIT(VIRTIO_NET_F_CSUM) | BIT(VIRTIO_NET_F_GUEST_CSUM) |      \
	 BIT(VIRTIO_NET_F_HOST_TSO4) | BIT(VIRTIO_NET_F_HOST_TSO6) |  \
	 BIT(VIRTIO_NET_F_GUEST_TSO4) | BIT(VIRTIO_NET_F_MRG_RXBUF) | \
	 BIT(VIRTIO_RING_F_INDIRECT_DESC) | BIT(VIRTIO_RING_F_EVENT_IDX))
#define DATA 0x10000ULL
#define TABLE 0x8000ULL
#define HEADER sizeof(struct virtio_net_hdr_v1)
#define RX 0
#define TX 1

static struct guest guest;
static void *device;
static struct link tap;
static u64 negotiated;
static bool full;

static bool has(unsigned int bit)
{
	return negotiated & BIT(bit);
}

static void check_header(const struct virtio_net_hdr_v1 *header, size_t size)
{
	const bool checksum = header->flags == VIRTIO_NET_HDR_F_NEEDS_CSUM;

	require(checksum || !header->flags);
	require(!header->num_buffers);
	if (checksum) {
		require(has(VIRTIO_NET_F_CSUM));
		require(header->csum_start + header->csum_offset + 2U <= size);
	}
	if (header->gso_type == VIRTIO_NET_HDR_GSO_NONE)
		return;
	require(header->gso_type == VIRTIO_NET_HDR_GSO_TCPV4 ?
			has(VIRTIO_NET_F_HOST_TSO4) :
			header->gso_type == VIRTIO_NET_HDR_GSO_TCPV6 &&
				has(VIRTIO_NET_F_HOST_TSO6));
	require(checksum && header->gso_size && header->hdr_len <= size);
}

static int tap_send(struct link *link, const struct iovec *iov,
		    unsigned int count)
{
	size_t size = 0;

	require(count > 1 && count <= VIRTQUEUE_MAX_SIZE + 1);
	require(iov[0].iov_len == HEADER);
	for (unsigned int i = 1; i < count; i++)
		size += iov[i].iov_len;
	require(size && size <= LINK_MAX_FRAME);
	check_header(iov[0].iov_base, size);
	return full ? -EAGAIN : 0;
}

static void tap_resume(struct link *link)
{
}

static void tap_offload(struct link *link, bool checksum, bool tso4, bool tso6)
{
	require(checksum == has(VIRTIO_NET_F_GUEST_CSUM));
	require(checksum || !(tso4 || tso6));
}

static void tap_free(struct link *link)
{
}

static const struct link_kind tap_kind = {
	.header = HEADER,
	.send = tap_send,
	.resume = tap_resume,
	.offload = tap_offload,
	.free = tap_free,
};

struct link *tap_new(struct loop *loop, const char *name,
		     const struct link_card *card)
{
	tap = (struct link){ .kind = &tap_kind, .card = *card };
	return &tap;
}

static void make_card(void)
{
	static const struct device_value values[8] = {
		{ .number = 1 },
		{ .text = "tap0" },
	};

	guest_init(&guest);
	device = virtio_net_device.make(&guest.board, values, NULL);
	require(device);
	guest_find(&guest);
}

/* Features that may not go together: the card refuses them then. */
static void start(struct input *in)
{
	negotiated = V1 | (next_bytes(in, 4) & OWN);
	if (guest_start(&guest, negotiated))
		return;
	negotiated = V1;
	require(guest_start(&guest, negotiated));
}

static void write_header(struct input *in)
{
	static const u8 types[] = { 0, 0, 1, 1, 4, 3, 5, 0x81 };
	const struct virtio_net_hdr_v1 header = {
		.flags = next_byte(in) % 8,
		.gso_type = types[next_byte(in) % 8],
		.hdr_len = next_byte(in),
		.gso_size = next_byte(in) % 4,
		.csum_start = next_byte(in) % 32 ? next_byte(in) : 0xffff,
		.csum_offset = next_byte(in) % 32 ? next_byte(in) : 0xffff,
		.num_buffers = next_byte(in),
	};

	memcpy(ram_at(guest.ram, DATA, HEADER), &header, HEADER);
}

static u32 choose_size(struct input *in)
{
	static const u32 sizes[] = { 1,	 11, 12,  13,	14,    60,
				     72, 74, 100, 1514, 65561, 65562 };
	const u8 byte = next_byte(in);

	return byte < 250 ? sizes[byte % 12] : (u32)next_bytes(in, 4);
}

/* Offers a chain of up to four buffers, at times one to be broken by. */
static void offer(struct input *in, unsigned int queue)
{
	struct ring *ring = &guest.rings[queue];
	const u16 write = queue == RX ? VRING_DESC_F_WRITE : 0;
	const unsigned int head = next_byte(in) % 32 * 4;
	unsigned int count = 1 + next_byte(in) % 4;
	const bool odd = next_byte(in) >= 250;
	u64 place = DATA;

	if (!ring->ram)
		return;
	for (unsigned int i = 0; i < count; i++) {
		const u32 size = choose_size(in);
		const u16 next = i + 1 < count ? VRING_DESC_F_NEXT : 0;

		ring_describe(ring, head + i, place, size,
			      next | (odd ? next_byte(in) % 8 : write),
			      head + i + 1);
		place += i ? 0 : size % 64;
	}
	ring_offer(ring, head);
}

static void receive(struct input *in)
{
	static u8 frame[HEADER + LINK_MAX_FRAME];
	const u32 size = next_byte(in) < 200 ? 60 : next_bytes(in, 2);

	tap.card.enter(tap.card.opaque);
	tap.card.receive(tap.card.opaque, frame,
			 size > sizeof(frame) ? sizeof(frame) : size);
	tap.card.leave(tap.card.opaque);
}

static void writable(void)
{
	full = false;
	tap.card.enter(tap.card.opaque);
	tap.card.writable(tap.card.opaque);
	tap.card.leave(tap.card.opaque);
}

static void save_and_load(void)
{
	struct record record = {};

	require(!device_save(&virtio_net_device, device, &record));
	virtio_net_device.reset(device);
	require(!device_load(&virtio_net_device, device, &record));
	free(record.data);
}

static void step(struct input *in)
{
	switch (next_byte(in) % 16) {
	case 0:
		start(in);
		break;
	case 1:
		save_and_load();
		break;
	case 2:
		full = true;
		break;
	case 3:
		writable();
		break;
	case 4:
	case 5:
		receive(in);
		break;
	case 6:
	case 7:
	case 8:
		offer(in, RX);
		break;
	case 9:
	case 10:
	case 11:
		write_header(in);
		/* Then it is sent. */
		fallthrough;
	default:
		offer(in, TX);
		guest_ring_bell(&guest, TX);
		fake_turn();
		break;
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = input_of(data, size);

	if (!device)
		make_card();
	full = false;
	start(&in);
	for (int i = 0; i < NR_STEPS; i++)
		step(&in);
	guest_set_status(&guest, 0);
	require(guest_status(&guest) == 0);
	negotiated = V1;
	require(guest_start(&guest, V1));
	require(!(guest_status(&guest) & VIRTIO_CONFIG_S_NEEDS_RESET));
	return 0;
}
