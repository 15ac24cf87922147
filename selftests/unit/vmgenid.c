// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the machine's generation ID.
 */
#include "dev/vmgenid.h"

#include <stdlib.h>
#include <string.h>

#include "kselftest_harness.h"

FIXTURE(vmgenid)
{
	struct board board;
	void *device;
	unsigned int events;
	unsigned int last;
};

static void event(void *opaque, unsigned int number)
{
	FIXTURE_DATA(vmgenid) *self = opaque;

	self->events++;
	self->last = number;
}

FIXTURE_SETUP(vmgenid)
{
	struct device_error error;

	self->board = (struct board){
		.bus = bus_new(),
		.general_event = event,
		.opaque = self,
	};
	self->device = vmgenid_device.make(&self->board, NULL, &error);
	ASSERT_NE(NULL, self->device);
}

FIXTURE_TEARDOWN(vmgenid)
{
	vmgenid_device.free(self->device);
	bus_free(self->board.bus);
}

static void read_id(FIXTURE_DATA(vmgenid) * self, uint8_t id[static 16])
{
	bus_read(self->board.bus, BUS_MMIO, VMGENID_BASE, id, 16);
}

TEST_F(vmgenid, id_is_the_same_until_the_machine_has_moved)
{
	uint8_t first[16], second[16];

	read_id(self, first);
	read_id(self, second);
	EXPECT_EQ(0, memcmp(first, second, 16));
	EXPECT_EQ(0, self->events);
}

TEST_F(vmgenid, another_machine_has_another_id)
{
	FIXTURE_DATA(vmgenid) other = { .board = self->board };
	struct device_error error;
	uint8_t own[16], others[16];

	other.board.bus = bus_new();
	other.device = vmgenid_device.make(&other.board, NULL, &error);
	ASSERT_NE(NULL, other.device);
	read_id(self, own);
	read_id(&other, others);
	EXPECT_NE(0, memcmp(own, others, 16));
	vmgenid_device.free(other.device);
	bus_free(other.board.bus);
}

TEST_F(vmgenid, a_machine_that_has_moved_has_a_new_id_and_is_told)
{
	struct record record = { 0 };
	uint8_t old[16], new[16];

	read_id(self, old);
	ASSERT_EQ(0, device_save(&vmgenid_device, self->device, &record));
	EXPECT_EQ(0, self->events);
	ASSERT_EQ(0, device_load(&vmgenid_device, self->device, &record));
	read_id(self, new);
	EXPECT_EQ(0, memcmp(old, new, 16));
	EXPECT_EQ(0, self->events);
	vmgenid_device.moved(self->device);
	read_id(self, new);
	EXPECT_NE(0, memcmp(old, new, 16));
	EXPECT_EQ(1, self->events);
	EXPECT_EQ(VMGENID_EVENT, self->last);
	free(record.data);
}

TEST_F(vmgenid, id_can_be_read_in_parts)
{
	uint8_t whole[16], byte;

	read_id(self, whole);
	for (unsigned int i = 0; i < 16; i++) {
		bus_read(self->board.bus, BUS_MMIO, VMGENID_BASE + i, &byte, 1);
		EXPECT_EQ(whole[i], byte);
	}
}

TEST_F(vmgenid, writes_are_dropped)
{
	uint8_t before[16], after[16];

	read_id(self, before);
	bus_write(self->board.bus, BUS_MMIO, VMGENID_BASE, "0123456789abcdef",
		  16);
	read_id(self, after);
	EXPECT_EQ(0, memcmp(before, after, 16));
}

TEST_HARNESS_MAIN
