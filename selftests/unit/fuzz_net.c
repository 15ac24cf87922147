// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzer of the network card at a link whose frames have headers: the input is a driver
 * that sends frames with any headers and offers any buffers and commands, and links that
 * have frames, and at times no room.
 *
 * Whatever the driver does, a link is asked only for work that was negotiated and is within
 * the frame, those links get frames whose pairs the driver has, and a reset makes the card
 * work again.
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
#define OWN                                                                   \
	(BIT(VIRTIO_NET_F_CSUM) | BIT(VIRTIO_NET_F_GUEST_CSUM) |              \
	 BIT(VIRTIO_NET_F_HOST_TSO4) | BIT(VIRTIO_NET_F_HOST_TSO6) |          \
	 BIT(VIRTIO_NET_F_GUEST_TSO4) | BIT(VIRTIO_NET_F_MRG_RXBUF) |         \
	 BIT(VIRTIO_NET_F_CTRL_VQ) | BIT(VIRTIO_NET_F_MQ) |                   \
	 BIT(VIRTIO_NET_F_CTRL_MAC_ADDR) | BIT(VIRTIO_RING_F_INDIRECT_DESC) | \
	 BIT(VIRTIO_RING_F_EVENT_IDX))
#define DATA 0x10000ULL
#define TABLE 0x8000ULL
#define HEADER sizeof(struct virtio_net_hdr_v1)
#define COMMAND 0x9000ULL
#define REPLY 0x9100ULL
#define PAIRS 2
#define RX(pair) (2 * (pair))
#define TX(pair) (2 * (pair) + 1)
#define NO_ANSWER 99

static struct guest guest;
static void *device;
static struct link taps[PAIRS];
static bool attached[PAIRS];
static unsigned int nr_taps;
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

static int tap_attach(struct link *link, bool on)
{
	require(on || link != &taps[0]);
	attached[link - taps] = on;
	return 0;
}

static void tap_free(struct link *link)
{
}

static const struct link_kind tap_kind = {
	.header = HEADER,
	.send = tap_send,
	.resume = tap_resume,
	.offload = tap_offload,
	.attach = tap_attach,
	.free = tap_free,
};

struct link *tap_new(struct loop *loop, const char *name, bool several,
		     const struct link_card *card)
{
	struct link *tap = &taps[nr_taps];

	*tap = (struct link){ .kind = &tap_kind, .card = *card };
	attached[nr_taps++] = true;
	return tap;
}

static void make_card(void)
{
	static const struct device_value values[8] = {
		[0] = { .number = 1 },
		[1] = { .text = "tap0" },
		[6] = { .number = PAIRS },
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
	if (!guest_start(&guest, negotiated)) {
		negotiated = V1;
		require(guest_start(&guest, negotiated));
	}
	require(attached[0] && !attached[1]);
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
	const u16 write = queue % 2 ? 0 : VRING_DESC_F_WRITE;
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

	const struct link_card *card = &taps[next_byte(in) % PAIRS].card;

	card->enter(card->opaque);
	card->receive(card->opaque, frame,
		      size > sizeof(frame) ? sizeof(frame) : size);
	card->leave(card->opaque);
}

static void writable(void)
{
	full = false;
	for (unsigned int i = 0; i < PAIRS; i++) {
		const struct link_card *card = &taps[i].card;

		card->enter(card->opaque);
		card->writable(card->opaque);
		card->leave(card->opaque);
	}
}

/* Sends a command, at times an odd chain. */
static void command(struct input *in)
{
	const unsigned int queue = has(VIRTIO_NET_F_MQ) ? 2 * PAIRS : 2;
	struct ring *ring = &guest.rings[queue];
	u8 *bytes = ram_at(guest.ram, COMMAND, 8);
	u8 *reply = ram_at(guest.ram, REPLY, 1);
	const u8 odd = next_byte(in);

	if (odd >= 240) {
		offer(in, queue);
		guest_ring_bell(&guest, queue);
		fake_turn();
		return;
	}
	if (!ring->ram)
		return;
	bytes[0] = next_byte(in) % 6;
	bytes[1] = next_byte(in) % 3;
	for (int i = 2; i < 8; i++)
		bytes[i] = next_byte(in) % 4;
	*reply = NO_ANSWER;
	ring_ask(ring, 0, COMMAND, odd < 200 ? 4 : odd % 9, REPLY, 1);
	guest_ring_bell(&guest, queue);
	fake_turn();
	if (*reply == NO_ANSWER || bytes[0] != VIRTIO_NET_CTRL_MQ)
		return;
	require(*reply == VIRTIO_NET_OK || *reply == VIRTIO_NET_ERR);
	if (*reply == VIRTIO_NET_OK)
		require(has(VIRTIO_NET_F_MQ) && !bytes[3] &&
			attached[1] == (bytes[2] == 2));
}

static void save_and_load(void)
{
	const bool second = attached[1];
	struct record record = {};

	require(!device_save(&virtio_net_device, device, &record));
	virtio_net_device.reset(device);
	require(!attached[1]);
	require(!device_load(&virtio_net_device, device, &record));
	require(attached[1] == second ||
		(guest_status(&guest) & VIRTIO_CONFIG_S_NEEDS_RESET));
	free(record.data);
}

static void step(struct input *in)
{
	unsigned int queue;

	switch (next_byte(in) % 18) {
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
		offer(in, RX(next_byte(in) % PAIRS));
		break;
	case 9:
	case 10:
	case 11:
		write_header(in);
		/* Then it is sent. */
		fallthrough;
	default:
		queue = TX(next_byte(in) % PAIRS);
		offer(in, queue);
		guest_ring_bell(&guest, queue);
		fake_turn();
		break;
	case 16:
	case 17:
		command(in);
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
