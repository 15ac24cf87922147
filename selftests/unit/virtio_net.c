// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the network card, at a link whose other end they play.
 */
#include <arpa/inet.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "fakes.h"
#include "virtio/net.h"
#include "virtio_guest.h"

#define V1 (1ULL << VIRTIO_F_VERSION_1)
#define MERGE (V1 | 1ULL << VIRTIO_NET_F_MRG_RXBUF)
#define DATA 0x10000ULL
#define BUFFER 2048U
#define HEADER 12U
#define RX 0
#define TX 1
#define MAC "52:54:00:12:34:56"

/* The card's options in their order. */
enum { TYPE, IFNAME, FD, HOSTFWD, ADDRESS, BOOTINDEX, PAIRS, VHOST, OPTIONS };

#define TYPE_FD 2

FIXTURE(net)
{
	struct guest guest;
	struct device_value values[OPTIONS];
	void *device;
	int peer;
};

FIXTURE_SETUP(net)
{
	int sockets[2];

	guest_init(&self->guest);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	self->peer = sockets[1];
	self->values[TYPE].number = TYPE_FD;
	self->values[PAIRS].number = 1;
	self->values[FD].number = sockets[0];
	self->values[ADDRESS].text = MAC;
	self->device =
		virtio_net_device.make(&self->guest.board, self->values, NULL);
	ASSERT_NE(NULL, self->device);
}

FIXTURE_TEARDOWN(net)
{
	virtio_net_device.free(self->device);
	if (self->peer >= 0)
		close(self->peer);
	guest_fini(&self->guest);
}

/* Offers a buffer to receive into, as descriptor @head. */
static void offer(FIXTURE_DATA(net) * self, uint16_t head, uint32_t size)
{
	ring_send(&self->guest.rings[RX], head, DATA + head * BUFFER, size,
		  VRING_DESC_F_WRITE);
}

static uint8_t *buffer(FIXTURE_DATA(net) * self, unsigned int number)
{
	return ram_at(self->guest.ram, DATA + number * BUFFER, BUFFER);
}

/* The other end sends a frame of @size bytes, whose first is @first. */
static void peer_sends(FIXTURE_DATA(net) * self, uint8_t first, uint32_t size)
{
	uint8_t bytes[4 * BUFFER];
	uint32_t head = htonl(size);

	for (uint32_t i = 0; i < size; i++)
		bytes[i] = first + i;
	if (write(self->peer, &head, 4) != 4 ||
	    write(self->peer, bytes, size) != (ssize_t)size)
		abort();
	fake_turn();
}

/* Return: the size of the frame that the other end has got, or 0. */
static size_t peer_gets(FIXTURE_DATA(net) * self, void *frame, size_t size)
{
	uint32_t head;

	if (recv(self->peer, &head, 4, MSG_DONTWAIT) != 4 || ntohl(head) > size)
		return 0;
	return recv(self->peer, frame, ntohl(head), MSG_DONTWAIT);
}

static bool start(FIXTURE_DATA(net) * self, uint64_t features)
{
	return guest_start(&self->guest, features);
}

/* Sends @size bytes behind the header, which all are @byte. */
static void transmit(FIXTURE_DATA(net) * self, uint16_t head, uint32_t size,
		     uint8_t byte)
{
	memset(buffer(self, head), 0, HEADER);
	memset(buffer(self, head) + HEADER, byte, size);
	ring_send(&self->guest.rings[TX], head, DATA + head * BUFFER,
		  HEADER + size, 0);
	guest_kick(&self->guest, TX);
}

TEST_F(net, is_a_card_with_its_address_whose_link_is_up)
{
	const uint8_t mac[] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };

	ASSERT_TRUE(start(self, V1));
	EXPECT_EQ(0x1040 + VIRTIO_ID_NET,
		  guest_config(&self->guest, PCI_DEVICE_ID, 2));
	for (unsigned int i = 0; i < sizeof(mac); i++)
		EXPECT_EQ(mac[i], guest_read(&self->guest,
					     VIRTIO_PCI_CAP_DEVICE_CFG, i, 1));
	EXPECT_EQ(VIRTIO_NET_S_LINK_UP,
		  guest_read(&self->guest, VIRTIO_PCI_CAP_DEVICE_CFG, 6, 2));
}

TEST_F(net, a_stream_has_no_offloads)
{
	ASSERT_TRUE(start(self, V1));
	EXPECT_EQ(0, guest_offered(&self->guest) &
			     (1ULL << VIRTIO_NET_F_CSUM |
			      1ULL << VIRTIO_NET_F_HOST_TSO4));
}

TEST_F(net, sends_frames_without_the_header)
{
	uint8_t frame[100];
	uint32_t head, written;

	ASSERT_TRUE(start(self, V1));
	transmit(self, 3, 60, 7);
	ASSERT_EQ(60, peer_gets(self, frame, sizeof(frame)));
	EXPECT_EQ(7, frame[0]);
	EXPECT_EQ(7, frame[59]);
	ASSERT_TRUE(ring_take(&self->guest.rings[TX], &head, &written));
	EXPECT_EQ(3, head);
	EXPECT_EQ(0, written);
}

TEST_F(net, a_frame_shorter_than_its_header_is_lost)
{
	uint8_t frame[100];
	uint32_t head, written;

	ASSERT_TRUE(start(self, V1));
	ring_send(&self->guest.rings[TX], 0, DATA, HEADER, 0);
	guest_kick(&self->guest, TX);
	EXPECT_EQ(0, peer_gets(self, frame, sizeof(frame)));
	EXPECT_TRUE(ring_take(&self->guest.rings[TX], &head, &written));
}

TEST_F(net, a_frame_to_send_that_is_to_be_written_is_lost)
{
	uint8_t frame[100];
	uint32_t head, written;

	ASSERT_TRUE(start(self, V1));
	ring_send(&self->guest.rings[TX], 0, DATA, 60, VRING_DESC_F_WRITE);
	guest_kick(&self->guest, TX);
	EXPECT_EQ(0, peer_gets(self, frame, sizeof(frame)));
	EXPECT_TRUE(ring_take(&self->guest.rings[TX], &head, &written));
}

TEST_F(net, a_frame_larger_than_any_is_lost)
{
	uint32_t head, written;
	char byte;

	ASSERT_TRUE(start(self, V1));
	ring_send(&self->guest.rings[TX], 0, DATA, 0x20000, 0);
	guest_kick(&self->guest, TX);
	EXPECT_TRUE(ring_take(&self->guest.rings[TX], &head, &written));
	EXPECT_EQ(-1, recv(self->peer, &byte, 1, MSG_DONTWAIT));
}

TEST_F(net, receives_a_frame_behind_a_header)
{
	uint32_t head, written;

	ASSERT_TRUE(start(self, V1));
	offer(self, 5, BUFFER);
	peer_sends(self, 9, 60);
	ASSERT_TRUE(ring_take(&self->guest.rings[RX], &head, &written));
	EXPECT_EQ(5, head);
	EXPECT_EQ(HEADER + 60, written);
	EXPECT_EQ(1, buffer(self, 5)[10]);
	EXPECT_EQ(9, buffer(self, 5)[HEADER]);
	EXPECT_EQ(9 + 59, buffer(self, 5)[HEADER + 59]);
}

TEST_F(net, a_frame_before_there_is_a_buffer_waits_for_one)
{
	uint32_t head, written;

	ASSERT_TRUE(start(self, V1));
	peer_sends(self, 9, 60);
	EXPECT_FALSE(ring_take(&self->guest.rings[RX], &head, &written));
	offer(self, 5, BUFFER);
	guest_kick(&self->guest, RX);
	ASSERT_TRUE(ring_take(&self->guest.rings[RX], &head, &written));
	EXPECT_EQ(9, buffer(self, 5)[HEADER]);
}

TEST_F(net, a_frame_before_the_driver_is_ready_is_lost)
{
	uint32_t head, written;

	peer_sends(self, 9, 60);
	ASSERT_TRUE(start(self, V1));
	offer(self, 5, BUFFER);
	guest_kick(&self->guest, RX);
	EXPECT_FALSE(ring_take(&self->guest.rings[RX], &head, &written));
}

TEST_F(net, a_large_frame_takes_several_buffers_where_the_driver_can)
{
	uint32_t head, written;

	ASSERT_TRUE(start(self, MERGE));
	for (unsigned int i = 0; i < 3; i++)
		offer(self, i, 1000);
	peer_sends(self, 1, 2500);
	for (unsigned int i = 0; i < 3; i++) {
		ASSERT_TRUE(ring_take(&self->guest.rings[RX], &head, &written));
		EXPECT_EQ(i, head);
		EXPECT_EQ(i == 2 ? 2500 + HEADER - 2000 : 1000, written);
	}
	EXPECT_EQ(3, buffer(self, 0)[10]);
	EXPECT_EQ((uint8_t)(1 + 1000 - HEADER), buffer(self, 1)[0]);
}

TEST_F(net, a_large_frame_waits_until_all_its_buffers_are_there)
{
	uint32_t head, written;

	ASSERT_TRUE(start(self, MERGE));
	offer(self, 0, 1000);
	peer_sends(self, 1, 1500);
	EXPECT_FALSE(ring_take(&self->guest.rings[RX], &head, &written));
	offer(self, 1, 1000);
	guest_kick(&self->guest, RX);
	EXPECT_TRUE(ring_take(&self->guest.rings[RX], &head, &written));
	EXPECT_TRUE(ring_take(&self->guest.rings[RX], &head, &written));
	EXPECT_EQ(1500 + HEADER - 1000, written);
}

TEST_F(net, a_frame_that_does_not_fit_is_lost_and_the_buffer_is_kept)
{
	uint32_t head, written;

	ASSERT_TRUE(start(self, V1));
	offer(self, 0, 100);
	peer_sends(self, 1, 200);
	peer_sends(self, 7, 60);
	ASSERT_TRUE(ring_take(&self->guest.rings[RX], &head, &written));
	EXPECT_EQ(0, head);
	EXPECT_EQ(7, buffer(self, 0)[HEADER]);
}

TEST_F(net, a_buffer_with_no_room_for_a_header_gets_nothing)
{
	uint32_t head, written;

	ASSERT_TRUE(start(self, MERGE));
	offer(self, 0, HEADER - 1);
	offer(self, 1, BUFFER);
	peer_sends(self, 1, 60);
	EXPECT_FALSE(ring_take(&self->guest.rings[RX], &head, &written));
	EXPECT_EQ(0, guest_status(&self->guest) & VIRTIO_CONFIG_S_NEEDS_RESET);
}

TEST_F(net, a_frame_goes_into_no_more_buffers_than_there_may_be)
{
	uint32_t head, written;

	ASSERT_TRUE(start(self, MERGE));
	for (unsigned int i = 0; i < 80; i++)
		offer(self, i, HEADER + 1);
	peer_sends(self, 1, 1000);
	EXPECT_FALSE(ring_take(&self->guest.rings[RX], &head, &written));
	peer_sends(self, 1, 100);
	EXPECT_TRUE(ring_take(&self->guest.rings[RX], &head, &written));
}

TEST_F(net, sending_goes_on_when_a_slow_link_has_room)
{
	static uint8_t frame[BUFFER];
	struct ring *ring = &self->guest.rings[TX];
	unsigned int sent = 0, got = 0;
	uint32_t head, written;

	ASSERT_TRUE(start(self, V1));
	while (sent < 10000) {
		transmit(self, sent % 16, BUFFER - HEADER, sent);
		if (!ring_take(ring, &head, &written))
			break;
		sent++;
	}
	ASSERT_LT(sent, 10000);
	while (got <= sent) {
		if (peer_gets(self, frame, sizeof(frame)) == BUFFER - HEADER)
			EXPECT_EQ((uint8_t)got++, frame[0]);
		fake_turn();
	}
	EXPECT_TRUE(ring_take(ring, &head, &written));
}

TEST_F(net, the_end_of_the_link_is_told_to_the_driver)
{
	ASSERT_TRUE(start(self, V1));
	close(self->peer);
	self->peer = -1;
	fake_turn();
	EXPECT_EQ(0, guest_read(&self->guest, VIRTIO_PCI_CAP_DEVICE_CFG, 6, 2));
	EXPECT_EQ(VIRTIO_PCI_ISR_CONFIG,
		  guest_read(&self->guest, VIRTIO_PCI_CAP_ISR_CFG, 0, 1) &
			  VIRTIO_PCI_ISR_CONFIG);
}

TEST_F(net, a_reset_with_a_frame_at_the_link_is_done)
{
	uint32_t head, written;

	ASSERT_TRUE(start(self, V1));
	peer_sends(self, 9, 60);
	guest_set_status(&self->guest, 0);
	EXPECT_EQ(0, guest_status(&self->guest));
	ASSERT_TRUE(start(self, V1));
	offer(self, 1, BUFFER);
	guest_kick(&self->guest, RX);
	EXPECT_TRUE(ring_take(&self->guest.rings[RX], &head, &written));
}

static void refused(struct __test_metadata *_metadata, FIXTURE_DATA(net) * self,
		    const char *thing)
{
	struct device_error error = {};

	EXPECT_EQ(NULL, virtio_net_device.make(&self->guest.board, self->values,
					       &error));
	EXPECT_STREQ(thing, error.thing);
	EXPECT_NE('\0', error.remedy[0]);
}

TEST_F(net, an_address_of_a_group_is_refused)
{
	self->values[ADDRESS].text = "53:54:00:12:34:56";
	refused(_metadata, self, "53:54:00:12:34:56");
}

TEST_F(net, what_is_no_address_is_refused)
{
	self->values[ADDRESS].text = "52:54:00:12:34:56:78";
	refused(_metadata, self, "52:54:00:12:34:56:78");
}

TEST_F(net, a_descriptor_that_is_no_socket_is_refused)
{
	self->values[FD].number = 9999;
	refused(_metadata, self, "fd");
}

TEST_F(net, a_tap_without_a_name_is_refused)
{
	self->values[TYPE].number = 1;
	refused(_metadata, self, "ifname");
}

TEST_F(net, a_tap_with_a_pattern_for_its_name_is_refused)
{
	self->values[TYPE].number = 1;
	self->values[IFNAME].text = "tap%d";
	refused(_metadata, self, "ifname");
}

TEST_F(net, forwarded_ports_that_are_none_are_refused)
{
	self->values[TYPE].number = 0;
	self->values[HOSTFWD].text = "tcp:22-:22+tcp:x";
	refused(_metadata, self, "tcp:x");
}

TEST_F(net, a_buffer_to_receive_into_that_is_to_be_read_breaks_the_driver)
{
	struct ring *ring = &self->guest.rings[RX];
	uint32_t head, written;

	ASSERT_TRUE(start(self, MERGE));
	ring_describe(ring, 0, DATA, 16, VRING_DESC_F_NEXT, 1);
	ring_describe(ring, 1, DATA, BUFFER, VRING_DESC_F_WRITE, 0);
	ring_offer(ring, 0);
	peer_sends(self, 1, 60);
	EXPECT_FALSE(ring_take(ring, &head, &written));
	EXPECT_NE(0, guest_status(&self->guest) & VIRTIO_CONFIG_S_NEEDS_RESET);
	/* After a reset it works again, and nothing is held back. */
	ASSERT_TRUE(start(self, V1));
	offer(self, 2, BUFFER);
	peer_sends(self, 7, 60);
	ASSERT_TRUE(ring_take(ring, &head, &written));
	EXPECT_EQ(7, buffer(self, 2)[HEADER]);
}

TEST_F(net, more_frames_than_have_a_turn_are_all_sent)
{
	struct ring *ring = &self->guest.rings[TX];
	unsigned int got = 0;
	uint8_t frame[100];

	ASSERT_TRUE(start(self, V1));
	memset(buffer(self, 0), 0, BUFFER);
	for (unsigned int i = 0; i < 100; i++)
		ring_send(ring, i, DATA, HEADER + 60, 0);
	guest_kick(&self->guest, TX);
	EXPECT_EQ(100, ring_used(ring)->idx);
	while (peer_gets(self, frame, sizeof(frame)))
		got++;
	EXPECT_EQ(100, got);
}

TEST_HARNESS_MAIN
