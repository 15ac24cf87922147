// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of a network card with several pairs of queues, and of its queue for commands.
 */
#include <linux/virtio_net.h>
#include <stdlib.h>

#include "kselftest_harness.h"

#include "fakes.h"
#include "fake_taps.h"
#include "virtio/net.h"
#include "virtio_guest.h"

#define BIT(bit) (1ULL << (bit))
#define V1 BIT(VIRTIO_F_VERSION_1)
#define COMMANDS (V1 | BIT(VIRTIO_NET_F_CTRL_VQ))
#define MAC (COMMANDS | BIT(VIRTIO_NET_F_CTRL_MAC_ADDR))
#define MQ (MAC | BIT(VIRTIO_NET_F_MQ))
#define DATA 0x10000ULL
#define REPLY 0x11000ULL
#define BUFFER 2048U
#define HEADER 12U
#define MAX_PAIRS 3
/* The queue for commands, with and without VIRTIO_NET_F_MQ. */
#define CONTROL (2 * MAX_PAIRS)
#define CONTROL_OF_ONE 2
/* No command's answer. */
#define NO_ANSWER 99

/* The card's options in their order. */
enum { TYPE, IFNAME, FD, HOSTFWD, ADDRESS, BOOTINDEX, PAIRS, VHOST, OPTIONS };

#define TYPE_TAP 1
#define TYPE_FD 2

FIXTURE(queues)
{
	struct guest guest;
	struct device_value values[OPTIONS];
	struct device_error error;
	void *device;
	unsigned int control;
};

FIXTURE_SETUP(queues)
{
	guest_init(&self->guest);
	self->values[TYPE].number = TYPE_TAP;
	self->values[IFNAME].text = "tap0";
	self->values[ADDRESS].text = "52:54:00:12:34:56";
	self->values[PAIRS].number = MAX_PAIRS;
	self->device = virtio_net_device.make(&self->guest.board, self->values,
					      &self->error);
	ASSERT_NE(NULL, self->device);
	self->control = CONTROL;
}

FIXTURE_TEARDOWN(queues)
{
	virtio_net_device.free(self->device);
	guest_fini(&self->guest);
}

static bool start(FIXTURE_DATA(queues) * self, uint64_t features)
{
	self->control = features & BIT(VIRTIO_NET_F_MQ) ? CONTROL :
							  CONTROL_OF_ONE;
	return guest_start(&self->guest, features);
}

/* Sends a command.  Return: the answer. */
static int command(FIXTURE_DATA(queues) * self, const void *bytes, size_t size)
{
	struct ring *ring = &self->guest.rings[self->control];
	uint8_t *reply = ram_at(self->guest.ram, REPLY, 1);
	uint32_t head, written;

	*reply = NO_ANSWER;
	memcpy(ram_at(self->guest.ram, DATA, size), bytes, size);
	ring_ask(ring, 0, DATA, size, REPLY, 1);
	guest_kick(&self->guest, self->control);
	if (!ring_take(ring, &head, &written) || written != 1)
		return NO_ANSWER;
	return *reply;
}

#define COMMAND(...)                                      \
	({                                                \
		const uint8_t bytes_[] = { __VA_ARGS__ }; \
                                                          \
		command(self, bytes_, sizeof(bytes_));    \
	})
#define SET_PAIRS(number)                                            \
	COMMAND(VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, \
		(number)&0xff, (number) >> 8)
#define SET_MAC(...) \
	COMMAND(VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, __VA_ARGS__)

/* Return: how many links get frames, if they are the first ones. */
static int attached(void)
{
	int count = 0;

	while (count < MAX_PAIRS && fake_taps[count].attached)
		count++;
	for (int i = count; i < MAX_PAIRS; i++)
		if (fake_taps[i].attached)
			return -1;
	return count;
}

/* Return: the last byte of the address that the driver reads. */
static uint8_t last_of_mac(FIXTURE_DATA(queues) * self)
{
	return guest_read(&self->guest, VIRTIO_PCI_CAP_DEVICE_CFG, 5, 1);
}

TEST_F(queues, card_tells_how_many_pairs_it_has)
{
	ASSERT_TRUE(start(self, MQ));
	EXPECT_EQ(MAX_PAIRS,
		  guest_read(&self->guest, VIRTIO_PCI_CAP_DEVICE_CFG, 8, 2));
	EXPECT_EQ(CONTROL + 1,
		  guest_common(&self->guest, VIRTIO_PCI_COMMON_NUMQ, 2));
	EXPECT_TRUE(fake_taps[0].several);
}

TEST_F(queues, features_of_commands_need_the_queue_for_them)
{
	EXPECT_FALSE(start(self, V1 | BIT(VIRTIO_NET_F_MQ)));
	EXPECT_FALSE(start(self, V1 | BIT(VIRTIO_NET_F_CTRL_MAC_ADDR)));
	EXPECT_TRUE(start(self, COMMANDS));
}

TEST_F(queues, each_pair_has_a_link)
{
	uint32_t head, written;

	ASSERT_TRUE(start(self, MQ));
	ASSERT_EQ(VIRTIO_NET_OK, SET_PAIRS(3));
	for (unsigned int i = 0; i < MAX_PAIRS; i++) {
		ring_send(&self->guest.rings[2 * i + 1], 0, DATA, HEADER + 60,
			  0);
		guest_kick(&self->guest, 2 * i + 1);
		EXPECT_EQ(1, fake_taps[i].frames);
		ring_send(&self->guest.rings[2 * i], 0, DATA + i * BUFFER,
			  BUFFER, VRING_DESC_F_WRITE);
		EXPECT_TRUE(fake_tap_gives(i, HEADER + 100 + i));
		ASSERT_TRUE(
			ring_take(&self->guest.rings[2 * i], &head, &written));
		EXPECT_EQ(HEADER + 100 + i, written);
	}
}

TEST_F(queues, pair_without_buffers_keeps_its_frame_alone)
{
	ASSERT_TRUE(start(self, MQ));
	ring_send(&self->guest.rings[0], 0, DATA, BUFFER, VRING_DESC_F_WRITE);
	EXPECT_FALSE(fake_tap_gives(1, 100));
	EXPECT_TRUE(fake_tap_gives(0, 100));
	while (fake_turn())
		;
	fake_taps[1].resumed = fake_taps[0].resumed = 0;
	guest_kick(&self->guest, 2);
	EXPECT_EQ(1, fake_taps[1].resumed);
	EXPECT_EQ(0, fake_taps[0].resumed);
}

TEST_F(queues, only_the_pairs_that_the_driver_uses_get_frames)
{
	EXPECT_EQ(1, attached());
	ASSERT_TRUE(start(self, MQ));
	EXPECT_EQ(1, attached());
	EXPECT_EQ(VIRTIO_NET_OK, SET_PAIRS(3));
	EXPECT_EQ(3, attached());
	EXPECT_EQ(VIRTIO_NET_OK, SET_PAIRS(2));
	EXPECT_EQ(2, attached());
	guest_set_status(&self->guest, 0);
	EXPECT_EQ(1, attached());
	ASSERT_TRUE(start(self, MQ));
	EXPECT_EQ(VIRTIO_NET_OK, SET_PAIRS(2));
	virtio_net_device.reset(self->device);
	EXPECT_EQ(1, attached());
}

TEST_F(queues, number_of_pairs_that_there_cannot_be_is_refused)
{
	ASSERT_TRUE(start(self, MQ));
	ASSERT_EQ(VIRTIO_NET_OK, SET_PAIRS(2));
	EXPECT_EQ(VIRTIO_NET_ERR, SET_PAIRS(0));
	EXPECT_EQ(VIRTIO_NET_ERR, SET_PAIRS(MAX_PAIRS + 1));
	EXPECT_EQ(VIRTIO_NET_ERR, SET_PAIRS(0x100));
	EXPECT_EQ(VIRTIO_NET_ERR, SET_PAIRS(0x8000));
	EXPECT_EQ(2, attached());
}

TEST_F(queues, interface_that_refuses_a_pair_leaves_all_as_it_was)
{
	ASSERT_TRUE(start(self, MQ));
	fake_taps[2].refuses = -EINVAL;
	EXPECT_EQ(VIRTIO_NET_ERR, SET_PAIRS(3));
	EXPECT_EQ(1, attached());
	EXPECT_EQ(VIRTIO_NET_OK, SET_PAIRS(2));
	EXPECT_EQ(2, attached());
}

TEST_F(queues, driver_without_several_pairs_has_its_commands_behind_the_first)
{
	ASSERT_TRUE(start(self, MAC));
	EXPECT_EQ(VIRTIO_NET_OK, SET_MAC(0x52, 0x54, 0, 0, 0, 7));
	EXPECT_EQ(VIRTIO_NET_ERR, SET_PAIRS(1));
	/* Queues that there are only with other features. */
	for (unsigned int i = CONTROL_OF_ONE + 1; i <= CONTROL; i++) {
		ring_send(&self->guest.rings[i], 0, DATA, HEADER + 60, 0);
		guest_kick(&self->guest, i);
		EXPECT_EQ(0, ring_used(&self->guest.rings[i])->idx);
	}
}

TEST_F(queues, address_that_the_driver_sets_is_the_cards_until_a_reset)
{
	ASSERT_TRUE(start(self, MQ));
	EXPECT_EQ(0x56, last_of_mac(self));
	EXPECT_EQ(VIRTIO_NET_OK, SET_MAC(0x52, 0x54, 0, 0, 0, 7));
	EXPECT_EQ(7, last_of_mac(self));
	EXPECT_EQ(VIRTIO_NET_ERR, SET_MAC(0x53, 0x54, 0, 0, 0, 8));
	EXPECT_EQ(7, last_of_mac(self));
	guest_set_status(&self->guest, 0);
	EXPECT_EQ(0x56, last_of_mac(self));
}

TEST_F(queues, commands_of_a_wrong_size_are_refused)
{
	ASSERT_TRUE(start(self, MQ));
	EXPECT_EQ(VIRTIO_NET_ERR, COMMAND(VIRTIO_NET_CTRL_MQ));
	EXPECT_EQ(VIRTIO_NET_ERR,
		  COMMAND(VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET));
	EXPECT_EQ(VIRTIO_NET_ERR, COMMAND(VIRTIO_NET_CTRL_MQ,
					  VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, 2));
	EXPECT_EQ(VIRTIO_NET_ERR,
		  COMMAND(VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET,
			  2, 0, 0));
	EXPECT_EQ(VIRTIO_NET_ERR, SET_MAC(0x52, 0x54, 0, 0, 0));
	EXPECT_EQ(VIRTIO_NET_ERR, SET_MAC(0x52, 0x54, 0, 0, 0, 7, 7));
	EXPECT_EQ(1, attached());
	EXPECT_EQ(0x56, last_of_mac(self));
}

TEST_F(queues, commands_that_the_card_does_not_know_are_refused)
{
	ASSERT_TRUE(start(self, MQ));
	for (unsigned int class = 0; class < 8; class ++)
		for (unsigned int number = 0; number < 4; number++)
			EXPECT_EQ(VIRTIO_NET_ERR,
				  COMMAND(class, number, 0, 0, 0));
}

TEST_F(queues, command_that_was_not_negotiated_is_refused)
{
	ASSERT_TRUE(start(self, COMMANDS));
	EXPECT_EQ(VIRTIO_NET_ERR, SET_MAC(0x52, 0x54, 0, 0, 0, 7));
	EXPECT_EQ(VIRTIO_NET_ERR, SET_PAIRS(1));
	EXPECT_EQ(0x56, last_of_mac(self));
}

TEST_F(queues, command_without_room_for_an_answer_is_taken_back_empty)
{
	struct ring *ring = &self->guest.rings[CONTROL];
	uint32_t head, written;

	ASSERT_TRUE(start(self, MQ));
	memset(ram_at(self->guest.ram, DATA, 4), 0, 4);
	ring_send(ring, 0, DATA, 4, 0);
	guest_kick(&self->guest, CONTROL);
	ASSERT_TRUE(ring_take(ring, &head, &written));
	EXPECT_EQ(0, written);
	EXPECT_EQ(VIRTIO_NET_OK, SET_PAIRS(1));
}

TEST_F(queues, more_commands_than_have_a_turn_are_all_answered)
{
	struct ring *ring = &self->guest.rings[CONTROL];

	ASSERT_TRUE(start(self, MQ));
	for (unsigned int i = 0; i < 100; i++)
		ring_ask(ring, 2 * i, DATA, 4, REPLY, 1);
	guest_kick(&self->guest, CONTROL);
	EXPECT_EQ(100, ring_used(ring)->idx);
}

static int save(FIXTURE_DATA(queues) * self, struct record *record)
{
	return device_save(&virtio_net_device, self->device, record);
}

static int load(FIXTURE_DATA(queues) * self, const struct record *record)
{
	virtio_net_device.reset(self->device);
	return device_load(&virtio_net_device, self->device, record);
}

TEST_F(queues, what_the_driver_has_set_is_saved)
{
	struct record record = {};

	ASSERT_TRUE(start(self, MQ));
	ASSERT_EQ(VIRTIO_NET_OK, SET_PAIRS(2));
	ASSERT_EQ(VIRTIO_NET_OK, SET_MAC(0x52, 0x54, 0, 0, 0, 7));
	ASSERT_EQ(0, save(self, &record));
	virtio_net_device.reset(self->device);
	EXPECT_EQ(1, attached());
	ASSERT_EQ(0, load(self, &record));
	EXPECT_EQ(2, attached());
	EXPECT_EQ(7, last_of_mac(self));
	EXPECT_EQ(VIRTIO_NET_OK, SET_PAIRS(3));
	guest_set_status(&self->guest, 0);
	EXPECT_EQ(0x56, last_of_mac(self));
	free(record.data);
}

static void read_mac(FIXTURE_DATA(queues) * self, uint8_t mac[6])
{
	for (unsigned int i = 0; i < 6; i++)
		mac[i] = guest_read(&self->guest, VIRTIO_PCI_CAP_DEVICE_CFG, i,
				    1);
}

TEST_F(queues, a_card_is_renewed_with_an_address_of_its_own)
{
	uint8_t before[6], after[6];

	ASSERT_TRUE(start(self, MQ));
	read_mac(self, before);
	ASSERT_EQ(0, virtio_net_device.renew(self->device, self->values));
	read_mac(self, after);
	EXPECT_NE(0, memcmp(before, after, 6));
	EXPECT_EQ(2, after[0] & 3);
	/* It stays when the driver starts anew. */
	guest_set_status(&self->guest, 0);
	read_mac(self, before);
	EXPECT_EQ(0, memcmp(before, after, 6));
}

TEST_F(queues, an_address_that_the_driver_has_set_is_renewed_when_it_has_gone)
{
	uint8_t before[6], after[6];

	read_mac(self, before);
	ASSERT_TRUE(start(self, MQ));
	ASSERT_EQ(VIRTIO_NET_OK, SET_MAC(0x52, 0x54, 0, 0, 0, 7));
	ASSERT_EQ(0, virtio_net_device.renew(self->device, self->values));
	EXPECT_EQ(7, last_of_mac(self));
	guest_set_status(&self->guest, 0);
	read_mac(self, after);
	EXPECT_NE(0, memcmp(before, after, 6));
}

TEST_F(queues, an_address_that_was_asked_for_stays)
{
	ASSERT_TRUE(start(self, MQ));
	self->values[ADDRESS].given = true;
	ASSERT_EQ(0, virtio_net_device.renew(self->device, self->values));
	EXPECT_EQ(0x56, last_of_mac(self));
}

/* The number of pairs is the last field, of two bytes. */
TEST_F(queues, number_of_pairs_that_no_driver_can_have_set_is_not_loaded)
{
	struct record record = {};

	ASSERT_TRUE(start(self, MQ));
	ASSERT_EQ(0, save(self, &record));
	for (unsigned int i = 0; i < 6; i++) {
		record.data[record.size - 2] = i;
		EXPECT_EQ(i >= 1 && i <= MAX_PAIRS ? 0 : -EINVAL,
			  load(self, &record));
	}
	record.data[record.size - 2] = 1;
	record.data[record.size - 1] = 1;
	EXPECT_EQ(-EINVAL, load(self, &record));
	free(record.data);
	record = (struct record){};
	ASSERT_TRUE(start(self, MAC));
	ASSERT_EQ(0, save(self, &record));
	record.data[record.size - 2] = 2;
	EXPECT_EQ(-EINVAL, load(self, &record));
	free(record.data);
}

/* Return: true if a record with another first byte of an address can be loaded. */
static bool loads_with(FIXTURE_DATA(queues) * self, struct record *record,
		       const uint8_t *mac, uint8_t first)
{
	uint8_t *at = memmem(record->data, record->size, mac, 6);
	int err;

	if (!at)
		abort();
	*at = first;
	err = load(self, record);
	*at = mac[0];
	return !err;
}

TEST_F(queues, address_of_a_group_is_not_loaded)
{
	const uint8_t own[] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };
	const uint8_t set[] = { 0x52, 0x54, 0, 0, 0, 7 };
	struct record record = {};

	ASSERT_TRUE(start(self, MQ));
	ASSERT_EQ(VIRTIO_NET_OK, SET_MAC(0x52, 0x54, 0, 0, 0, 7));
	ASSERT_EQ(0, save(self, &record));
	EXPECT_TRUE(loads_with(self, &record, own, 0x56));
	EXPECT_TRUE(loads_with(self, &record, set, 0x56));
	EXPECT_FALSE(loads_with(self, &record, own, 0x53));
	EXPECT_FALSE(loads_with(self, &record, set, 0x53));
	free(record.data);
}

TEST_F(queues, card_can_have_as_many_pairs_as_its_option_says)
{
	const unsigned int most = virtio_net_device.options[PAIRS].max;

	virtio_net_device.free(self->device);
	guest_fini(&self->guest);
	guest_init(&self->guest);
	self->values[PAIRS].number = most;
	self->device = virtio_net_device.make(&self->guest.board, self->values,
					      &self->error);
	ASSERT_NE(NULL, self->device);
	ASSERT_TRUE(start(self, MQ));
	self->control = 2 * most;
	EXPECT_EQ(VIRTIO_NET_OK, SET_PAIRS(most));
	EXPECT_TRUE(fake_taps[most - 1].attached);
	EXPECT_EQ(VIRTIO_NET_ERR, SET_PAIRS(most + 1));
}

TEST_F(queues, end_of_the_interface_is_told_once)
{
	ASSERT_TRUE(start(self, MQ));
	for (unsigned int i = 0; i < MAX_PAIRS; i++)
		fake_tap_ends(i);
	EXPECT_EQ(0, guest_read(&self->guest, VIRTIO_PCI_CAP_DEVICE_CFG, 6, 2));
	EXPECT_EQ(1, guest_common(&self->guest, VIRTIO_PCI_COMMON_CFGGENERATION,
				  1));
}

static void refused(struct __test_metadata *_metadata,
		    FIXTURE_DATA(queues) * self, const char *thing)
{
	EXPECT_EQ(NULL, virtio_net_device.make(&self->guest.board, self->values,
					       &self->error));
	EXPECT_STREQ(thing, self->error.thing);
	EXPECT_NE('\0', self->error.reason[0]);
	EXPECT_NE('\0', self->error.remedy[0]);
}

TEST_F(queues, links_of_one_stream_have_one_pair)
{
	for (unsigned int type = 0; type < 3; type++) {
		self->values[TYPE].number = type;
		if (type != TYPE_TAP)
			refused(_metadata, self, "queues");
	}
}

TEST_F(queues, kernel_that_is_asked_for_needs_an_interface)
{
	self->values[TYPE].number = TYPE_FD;
	self->values[PAIRS].number = 1;
	self->values[VHOST] =
		(struct device_value){ .given = true, .number = 1 };
	refused(_metadata, self, "vhost");
}

TEST_HARNESS_MAIN
