// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the network card at a link whose frames have headers, which they play: what a
 * driver may ask the host to do with a frame.
 */
#include <errno.h>
#include <linux/virtio_net.h>
#include <stdlib.h>

#include "kselftest_harness.h"

#include "fakes.h"
#include "net/tap.h"
#include "virtio/net.h"
#include "virtio_guest.h"

#define BIT(bit) (1ULL << (bit))
#define V1 BIT(VIRTIO_F_VERSION_1)
#define CSUM (V1 | BIT(VIRTIO_NET_F_CSUM))
#define TSO4 (CSUM | BIT(VIRTIO_NET_F_HOST_TSO4))
#define GUEST_CSUM (V1 | BIT(VIRTIO_NET_F_GUEST_CSUM))
#define DATA 0x10000ULL
#define HEADER sizeof(struct virtio_net_hdr_v1)
#define FRAME 100
#define RX 0
#define TX 1

enum { TYPE, IFNAME, FD, HOSTFWD, ADDRESS, BOOTINDEX, PAIRS, VHOST, OPTIONS };

#define TYPE_TAP 1

/* What the link was asked for. */
static struct {
	struct link link;
	unsigned int frames;
	size_t size;
	struct virtio_net_hdr_v1 header;
	unsigned int offloads;
	bool checksum;
} tap;

static int tap_send(struct link *link, const struct iovec *iov,
		    unsigned int count)
{
	tap.frames++;
	tap.size = 0;
	for (unsigned int i = 0; i < count; i++)
		tap.size += iov[i].iov_len;
	if (count && iov[0].iov_len == HEADER)
		memcpy(&tap.header, iov[0].iov_base, HEADER);
	return 0;
}

static void tap_resume(struct link *link)
{
}

static void tap_offload(struct link *link, bool checksum, bool tso4, bool tso6)
{
	tap.offloads++;
	tap.checksum = checksum;
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

struct link *tap_new(struct loop *loop, const char *name, bool several,
		     const struct link_card *card)
{
	tap.link = (struct link){ .kind = &tap_kind, .card = *card };
	return &tap.link;
}

FIXTURE(tap)
{
	struct guest guest;
	struct device_value values[OPTIONS];
	void *device;
};

FIXTURE_SETUP(tap)
{
	memset(&tap, 0, sizeof(tap));
	guest_init(&self->guest);
	self->values[TYPE].number = TYPE_TAP;
	self->values[PAIRS].number = 1;
	self->values[IFNAME].text = "tap0";
	self->device =
		virtio_net_device.make(&self->guest.board, self->values, NULL);
	ASSERT_NE(NULL, self->device);
}

FIXTURE_TEARDOWN(tap)
{
	virtio_net_device.free(self->device);
	guest_fini(&self->guest);
}

/* Sends a frame.  Return: true if the link has got it. */
static bool send_frame(FIXTURE_DATA(tap) * self,
		       const struct virtio_net_hdr_v1 *header, uint32_t size)
{
	const unsigned int before = tap.frames;
	struct ring *ring = &self->guest.rings[TX];
	uint32_t head, written;

	memcpy(ram_at(self->guest.ram, DATA, HEADER), header, HEADER);
	ring_send(ring, 0, DATA, HEADER + size, 0);
	guest_kick(&self->guest, TX);
	if (!ring_take(ring, &head, &written) || written)
		abort();
	return tap.frames != before;
}

#define SENT(...)                                                          \
	send_frame(self, &(const struct virtio_net_hdr_v1){ __VA_ARGS__ }, \
		   FRAME)

static bool accepts(FIXTURE_DATA(tap) * self, uint64_t features)
{
	return guest_start(&self->guest, features);
}

TEST_F(tap, features_that_do_not_go_together_are_refused)
{
	EXPECT_FALSE(accepts(self, V1 | BIT(VIRTIO_NET_F_HOST_TSO4)));
	EXPECT_FALSE(accepts(self, V1 | BIT(VIRTIO_NET_F_HOST_TSO6)));
	EXPECT_FALSE(accepts(self, CSUM | BIT(VIRTIO_NET_F_GUEST_TSO4)));
	EXPECT_FALSE(accepts(self, CSUM | BIT(VIRTIO_NET_F_GUEST_TSO6)));
	EXPECT_TRUE(accepts(self, TSO4 | BIT(VIRTIO_NET_F_HOST_TSO6)));
	EXPECT_TRUE(accepts(self, GUEST_CSUM | BIT(VIRTIO_NET_F_GUEST_TSO4) |
					  BIT(VIRTIO_NET_F_GUEST_TSO6)));
	EXPECT_TRUE(accepts(self, V1));
}

TEST_F(tap, plain_frame_has_an_empty_header_whatever_the_driver_leaves_there)
{
	const struct virtio_net_hdr_v1 empty = {};

	ASSERT_TRUE(accepts(self, TSO4));
	EXPECT_TRUE(SENT(.hdr_len = 0xffff, .gso_size = 7, .csum_start = 9,
			 .csum_offset = 9, .num_buffers = 99,
			 .flags = 0xff & ~VIRTIO_NET_HDR_F_NEEDS_CSUM));
	EXPECT_EQ(HEADER + FRAME, tap.size);
	EXPECT_EQ(0, memcmp(&empty, &tap.header, HEADER));
}

TEST_F(tap, checksum_is_put_within_the_frame_only)
{
	ASSERT_TRUE(accepts(self, CSUM));
	EXPECT_TRUE(SENT(.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 34,
			 .csum_offset = 16));
	EXPECT_EQ(34, tap.header.csum_start);
	EXPECT_EQ(16, tap.header.csum_offset);
	EXPECT_TRUE(SENT(.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
			 .csum_start = FRAME - 2));
	EXPECT_FALSE(SENT(.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
			  .csum_start = FRAME - 1));
	EXPECT_FALSE(SENT(.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
			  .csum_start = 34, .csum_offset = 0xffff));
	EXPECT_FALSE(SENT(.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
			  .csum_start = 0xffff, .csum_offset = 1));
}

TEST_F(tap, work_that_was_not_negotiated_is_not_done)
{
	ASSERT_TRUE(accepts(self, V1));
	EXPECT_FALSE(SENT(.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM));
	ASSERT_TRUE(accepts(self, CSUM));
	EXPECT_FALSE(SENT(.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .gso_size = 9,
			  .gso_type = VIRTIO_NET_HDR_GSO_TCPV4));
	ASSERT_TRUE(accepts(self, TSO4));
	EXPECT_TRUE(SENT(.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .gso_size = 9,
			 .gso_type = VIRTIO_NET_HDR_GSO_TCPV4));
	EXPECT_FALSE(SENT(.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .gso_size = 9,
			  .gso_type = VIRTIO_NET_HDR_GSO_TCPV6));
}

TEST_F(tap, division_needs_a_size_a_checksum_and_a_header_within_the_frame)
{
	ASSERT_TRUE(accepts(self, TSO4));
	EXPECT_TRUE(SENT(.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .gso_size = 9,
			 .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
			 .hdr_len = FRAME));
	EXPECT_EQ(9, tap.header.gso_size);
	EXPECT_EQ(FRAME, tap.header.hdr_len);
	EXPECT_FALSE(SENT(.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .gso_size = 9,
			  .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
			  .hdr_len = FRAME + 1));
	EXPECT_FALSE(SENT(.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
			  .gso_type = VIRTIO_NET_HDR_GSO_TCPV4));
	EXPECT_FALSE(SENT(.gso_size = 9, .gso_type = VIRTIO_NET_HDR_GSO_TCPV4));
}

TEST_F(tap, kinds_of_division_that_are_not_offered_are_refused)
{
	ASSERT_TRUE(accepts(self, TSO4 | BIT(VIRTIO_NET_F_HOST_TSO6)));
	for (unsigned int type = 1; type < 256; type++) {
		const bool known = type == VIRTIO_NET_HDR_GSO_TCPV4 ||
				   type == VIRTIO_NET_HDR_GSO_TCPV6;

		EXPECT_EQ(known, SENT(.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
				      .gso_size = 9, .gso_type = type));
	}
}

TEST_F(tap, frame_larger_than_any_is_lost)
{
	const struct virtio_net_hdr_v1 header = {};

	ASSERT_TRUE(accepts(self, V1));
	EXPECT_FALSE(send_frame(self, &header, 0));
	EXPECT_TRUE(send_frame(self, &header, 1));
	EXPECT_TRUE(send_frame(self, &header, LINK_MAX_FRAME));
	EXPECT_FALSE(send_frame(self, &header, LINK_MAX_FRAME + 1));
}

/* Receives a frame with a header.  Return: its flags, as the driver sees them. */
static int received_flags(FIXTURE_DATA(tap) * self, uint8_t flags)
{
	struct virtio_net_hdr_v1 frame[2] = { { .flags = flags } };
	const struct virtio_net_hdr_v1 *at =
		ram_at(self->guest.ram, DATA, sizeof(frame));
	uint32_t head, written;

	ring_send(&self->guest.rings[RX], 0, DATA, 200, VRING_DESC_F_WRITE);
	tap.link.card.enter(tap.link.card.opaque);
	tap.link.card.receive(tap.link.card.opaque, frame, sizeof(frame));
	tap.link.card.leave(tap.link.card.opaque);
	if (!ring_take(&self->guest.rings[RX], &head, &written) ||
	    written != sizeof(frame) || at->num_buffers != 1)
		return -1;
	return at->flags;
}

TEST_F(tap, only_a_driver_that_wants_to_know_is_told_of_checksums)
{
	ASSERT_TRUE(accepts(self, V1));
	EXPECT_EQ(0, received_flags(self, VIRTIO_NET_HDR_F_DATA_VALID));
	ASSERT_TRUE(accepts(self, GUEST_CSUM));
	EXPECT_EQ(VIRTIO_NET_HDR_F_DATA_VALID,
		  received_flags(self, VIRTIO_NET_HDR_F_DATA_VALID));
}

TEST_F(tap, link_learns_what_the_driver_takes_also_after_a_load)
{
	struct record record = {};

	ASSERT_TRUE(accepts(self, GUEST_CSUM));
	EXPECT_TRUE(tap.checksum);
	ASSERT_EQ(0, device_save(&virtio_net_device, self->device, &record));
	ASSERT_TRUE(accepts(self, V1));
	EXPECT_FALSE(tap.checksum);
	virtio_net_device.reset(self->device);
	ASSERT_EQ(0, device_load(&virtio_net_device, self->device, &record));
	EXPECT_TRUE(tap.checksum);
	free(record.data);
}

TEST_HARNESS_MAIN
