// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of a network card whose frames the host's kernel carries, at vhost devices and links
 * that they play.
 */
#include <linux/virtio_net.h>
#include <stdlib.h>

#include "kselftest_harness.h"

#include "fake_taps.h"
#include "fake_vhost.h"
#include "fakes.h"
#include "virtio/net.h"
#include "virtio_guest.h"

#define BIT(bit) (1ULL << (bit))
#define V1 BIT(VIRTIO_F_VERSION_1)
#define MERGE BIT(VIRTIO_NET_F_MRG_RXBUF)
#define EVENT_IDX BIT(VIRTIO_RING_F_EVENT_IDX)
#define MQ (V1 | BIT(VIRTIO_NET_F_CTRL_VQ) | BIT(VIRTIO_NET_F_MQ))
#define DATA 0x10000ULL
#define REPLY 0x11000ULL
#define HEADER 12U
#define NR_PAIRS 2
#define CONTROL (2 * NR_PAIRS)

/* The card's options in their order. */
enum { TYPE, IFNAME, FD, HOSTFWD, ADDRESS, BOOTINDEX, PAIRS, VHOST, OPTIONS };

#define TYPE_TAP 1

FIXTURE(card)
{
	struct guest guest;
	struct device_value values[OPTIONS];
	struct device_error error;
	void *device;
};

static bool make(FIXTURE_DATA(card) * self)
{
	memset(&self->error, 0, sizeof(self->error));
	self->device = virtio_net_device.make(&self->guest.board, self->values,
					      &self->error);
	return self->device && !virtio_net_device.release(self->device);
}

static void end(FIXTURE_DATA(card) * self)
{
	if (self->device)
		virtio_net_device.free(self->device);
	self->device = NULL;
	guest_fini(&self->guest);
}

/* Makes the card anew, on a board of its own. */
static bool again(FIXTURE_DATA(card) * self)
{
	end(self);
	guest_init(&self->guest);
	return make(self);
}

FIXTURE_SETUP(card)
{
	fake_vhost_init(V1 | MERGE | EVENT_IDX | BIT(VHOST_F_LOG_ALL) |
			BIT(VHOST_NET_F_VIRTIO_NET_HDR));
	guest_init(&self->guest);
	self->values[TYPE].number = TYPE_TAP;
	self->values[IFNAME].text = "tap0";
	self->values[ADDRESS].text = "52:54:00:12:34:56";
	self->values[PAIRS].number = NR_PAIRS;
	self->values[VHOST].number = 1;
	ASSERT_TRUE(make(self));
}

FIXTURE_TEARDOWN(card)
{
	end(self);
}

static bool start(FIXTURE_DATA(card) * self, uint64_t features)
{
	return guest_start(&self->guest, features);
}

static bool needs_reset(FIXTURE_DATA(card) * self)
{
	return guest_status(&self->guest) & VIRTIO_CONFIG_S_NEEDS_RESET;
}

/* Return: true if the kernel carries the frames of the first pairs, and no others. */
static bool carries(unsigned int pairs)
{
	bool right = fake_nr_vhosts == NR_PAIRS;

	for (unsigned int i = 0; i < NR_PAIRS; i++)
		for (unsigned int j = 0; j < FAKE_RINGS; j++)
			right = right &&
				fake_vhosts[i].rings[j].backend ==
					(i < pairs ? FAKE_TAP_FD + (int)i :
						     FAKE_NO_FD);
	for (unsigned int i = 0; i < NR_PAIRS; i++)
		right = right && fake_taps[i].lent == (i < pairs);
	return right;
}

static uint8_t set_pairs(FIXTURE_DATA(card) * self, uint8_t count)
{
	const uint8_t command[] = { VIRTIO_NET_CTRL_MQ,
				    VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, count, 0 };
	uint8_t *reply = ram_at(self->guest.ram, REPLY, 1);

	*reply = 99;
	memcpy(ram_at(self->guest.ram, DATA, 4), command, sizeof(command));
	ring_ask(&self->guest.rings[CONTROL], 0, DATA, sizeof(command), REPLY,
		 1);
	guest_kick(&self->guest, CONTROL);
	return *reply;
}

TEST_F(card, kernel_has_each_pair_while_the_driver_is_ready)
{
	EXPECT_TRUE(carries(0));
	ASSERT_TRUE(start(self, MQ));
	EXPECT_TRUE(carries(2));
	EXPECT_FALSE(needs_reset(self));
	guest_set_status(&self->guest, 0);
	EXPECT_TRUE(carries(0));
	ASSERT_TRUE(start(self, MQ));
	EXPECT_TRUE(carries(2));
	virtio_net_device.reset(self->device);
	EXPECT_TRUE(carries(0));
}

TEST_F(card, kernel_has_only_the_pair_that_the_driver_knows)
{
	ASSERT_TRUE(start(self, V1));
	EXPECT_TRUE(carries(1));
}

TEST_F(card, commands_are_carried_out_while_the_kernel_has_the_frames)
{
	ASSERT_TRUE(start(self, MQ));
	EXPECT_FALSE(fake_taps[1].attached);
	EXPECT_EQ(VIRTIO_NET_OK, set_pairs(self, 2));
	EXPECT_TRUE(fake_taps[1].attached);
	EXPECT_EQ(VIRTIO_NET_OK, set_pairs(self, 1));
	EXPECT_FALSE(fake_taps[1].attached);
	EXPECT_TRUE(carries(2));
}

TEST_F(card, kernel_is_told_of_nothing_but_what_it_knows_and_the_driver_wants)
{
	const uint64_t wanted = MQ | MERGE | BIT(VIRTIO_NET_F_CSUM);

	guest_find(&self->guest);
	EXPECT_EQ(0, guest_offered(&self->guest) &
			     (BIT(VIRTIO_RING_F_INDIRECT_DESC) |
			      BIT(VHOST_F_LOG_ALL) |
			      BIT(VHOST_NET_F_VIRTIO_NET_HDR)));
	EXPECT_NE(0, guest_offered(&self->guest) & EVENT_IDX);
	ASSERT_TRUE(start(self, wanted));
	EXPECT_EQ(V1 | MERGE, fake_vhosts[0].features);
	EXPECT_EQ(V1 | MERGE, fake_vhosts[1].features);
}

/* Another machine with the same memory. */
static void other_board(FIXTURE_DATA(card) * self)
{
	struct board *board = &self->guest.board;

	virtio_net_device.free(self->device);
	pci_bus_free(board->pci);
	bus_free(board->bus);
	board->bus = bus_new();
	board->pci = pci_bus_new(&(const struct pci_bus_config){
		.bus = board->bus,
		.ram = self->guest.ram,
		.lines = board->lines,
		.msi = guest_message,
		.msi_opaque = &self->guest,
	});
}

TEST_F(card, frames_are_carried_here_where_the_kernel_has_stopped)
{
	struct record record = {};
	uint32_t head, written;

	ASSERT_TRUE(start(self, MQ));
	for (unsigned int i = 0; i < 3; i++)
		ring_send(&self->guest.rings[1], i, DATA, HEADER + 60, 0);
	fake_vring_serve(&fake_vhosts[0].rings[1], 2, 2);
	ASSERT_EQ(0, virtio_net_device.hold(self->device));
	EXPECT_TRUE(carries(0));
	ASSERT_EQ(0, device_save(&virtio_net_device, self->device, &record));
	other_board(self);
	self->values[VHOST].number = 0;
	ASSERT_TRUE(make(self));
	/* Queue features of the other machine's kernel suffice here, too. */
	ASSERT_EQ(0, device_load(&virtio_net_device, self->device, &record));
	while (fake_turn())
		;
	EXPECT_EQ(1, fake_taps[0].frames);
	for (unsigned int i = 0; i < 3; i++)
		EXPECT_TRUE(ring_take(&self->guest.rings[1], &head, &written));
	free(record.data);
}

TEST_F(card, kernel_goes_on_after_a_hold)
{
	ASSERT_TRUE(start(self, MQ));
	ring_send(&self->guest.rings[3], 0, DATA, HEADER + 60, 0);
	fake_vring_serve(&fake_vhosts[1].rings[1], 1, 1);
	ASSERT_EQ(0, virtio_net_device.hold(self->device));
	EXPECT_TRUE(carries(0));
	ASSERT_EQ(0, virtio_net_device.release(self->device));
	EXPECT_TRUE(carries(2));
	EXPECT_EQ(1, fake_vhosts[1].rings[1].next);
}

TEST_F(card, kernel_gets_a_queue_that_the_driver_enables_late)
{
	struct guest *guest = &self->guest;

	guest_find(guest);
	ASSERT_TRUE(guest_negotiate(guest, V1));
	guest->rings[0] = ring_at_page(guest->ram, GUEST_RINGS, 64);
	guest_enable(guest, 0);
	guest_ready(guest);
	EXPECT_EQ(FAKE_NO_FD, fake_vhosts[0].rings[1].backend);
	guest->rings[1] = ring_at_page(guest->ram, GUEST_RINGS + 0x4000, 64);
	guest_enable(guest, 1);
	guest_kick(guest, 1);
	EXPECT_TRUE(carries(1));
	EXPECT_FALSE(needs_reset(self));
}

TEST_F(card, kernel_that_fails_works_after_a_reset)
{
	fake_vhost_fails = VHOST_NET_SET_BACKEND;
	ASSERT_TRUE(start(self, MQ));
	EXPECT_TRUE(needs_reset(self));
	fake_vhost_fails = 0;
	ASSERT_TRUE(start(self, MQ));
	EXPECT_FALSE(needs_reset(self));
	EXPECT_TRUE(carries(2));
}

TEST_F(card, kernel_that_fails_at_a_later_pair_has_none)
{
	fake_vhost_fails = VHOST_SET_VRING_NUM;
	fake_vhost_fails_from = 1;
	ASSERT_TRUE(start(self, MQ));
	EXPECT_TRUE(needs_reset(self));
	EXPECT_TRUE(carries(0));
}

TEST_F(card, kernel_that_does_not_stop_has_no_pair)
{
	ASSERT_TRUE(start(self, MQ));
	fake_vhost_fails = VHOST_GET_VRING_BASE;
	ASSERT_EQ(0, virtio_net_device.hold(self->device));
	EXPECT_TRUE(needs_reset(self));
	EXPECT_TRUE(carries(0));
}

TEST_F(card, card_that_ends_closes_what_it_has_opened)
{
	ASSERT_TRUE(start(self, MQ));
	EXPECT_EQ(NR_PAIRS, fake_vhosts_open());
	EXPECT_EQ(NR_PAIRS, fake_taps_left);
	virtio_net_device.free(self->device);
	self->device = NULL;
	EXPECT_EQ(0, fake_vhosts_open());
	EXPECT_EQ(0, fake_taps_left);
}

TEST_F(card, without_an_interface_frames_are_lost_here)
{
	uint32_t head, written;

	fake_tap_ends(0);
	ASSERT_TRUE(start(self, MQ));
	EXPECT_TRUE(carries(0));
	ring_send(&self->guest.rings[1], 0, DATA, HEADER + 60, 0);
	guest_kick(&self->guest, 1);
	EXPECT_TRUE(ring_take(&self->guest.rings[1], &head, &written));
	EXPECT_EQ(VIRTIO_NET_OK, set_pairs(self, 1));
}

TEST_F(card,
       queue_that_comes_after_the_interface_has_gone_loses_its_frames_here)
{
	struct guest *guest = &self->guest;
	uint32_t head, written;

	guest_find(guest);
	ASSERT_TRUE(guest_negotiate(guest, V1));
	guest->rings[0] = ring_at_page(guest->ram, GUEST_RINGS, 64);
	guest_enable(guest, 0);
	guest_ready(guest);
	fake_tap_ends(0);
	guest->rings[1] = ring_at_page(guest->ram, GUEST_RINGS + 0x4000, 64);
	guest_enable(guest, 1);
	ring_send(&guest->rings[1], 0, DATA, HEADER + 60, 0);
	guest_kick(guest, 1);
	EXPECT_TRUE(ring_take(&guest->rings[1], &head, &written));
	EXPECT_FALSE(needs_reset(self));
}

TEST_F(card, interface_that_ends_during_a_hold_is_not_given_to_the_kernel)
{
	ASSERT_TRUE(start(self, MQ));
	ASSERT_EQ(0, virtio_net_device.hold(self->device));
	fake_tap_ends(0);
	ASSERT_EQ(0, virtio_net_device.release(self->device));
	EXPECT_TRUE(carries(0));
	EXPECT_FALSE(needs_reset(self));
}

TEST_F(card, without_the_kernel_all_is_done_here_unless_it_was_asked_for)
{
	fake_vhost_init(0);
	fake_vhost_absent = ENOENT;
	ASSERT_TRUE(again(self));
	ASSERT_TRUE(start(self, MQ));
	ring_send(&self->guest.rings[1], 0, DATA, HEADER + 60, 0);
	guest_kick(&self->guest, 1);
	EXPECT_EQ(1, fake_taps[0].frames);
	self->values[VHOST].given = true;
	EXPECT_FALSE(again(self));
	EXPECT_STREQ("/dev/vhost-net", self->error.thing);
	EXPECT_STREQ("modprobe vhost_net, or use vhost=off",
		     self->error.remedy);
	fake_vhost_absent = EACCES;
	EXPECT_FALSE(again(self));
	EXPECT_STREQ("be a member of the group kvm, or use vhost=off",
		     self->error.remedy);
}

TEST_F(card, kernel_that_cannot_merge_buffers_is_none)
{
	fake_vhost_init(V1 | EVENT_IDX);
	ASSERT_TRUE(again(self));
	ASSERT_TRUE(start(self, MQ | MERGE));
	EXPECT_FALSE(fake_taps[0].lent);
	EXPECT_FALSE(needs_reset(self));
	EXPECT_EQ(0, fake_vhosts_open());
}

TEST_F(card, kernel_is_left_alone_where_the_user_wants_that)
{
	fake_vhost_init(V1 | MERGE);
	self->values[VHOST] = (struct device_value){ .given = true };
	ASSERT_TRUE(again(self));
	EXPECT_EQ(0, fake_nr_vhosts);
}

TEST_HARNESS_MAIN
