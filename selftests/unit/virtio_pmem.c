// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of persistent memory, at a machine whose address space they play.
 */
#include <fcntl.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_pmem.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "fakes.h"
#include "virtio/pmem.h"
#include "virtio_guest.h"

#define V1 (1ULL << VIRTIO_F_VERSION_1)
#define START 0x1140000000ULL
#define FILE_SIZE (3UL << 20)
#define SIZE (4UL << 20)
#define REQUEST 0x10000ULL
#define RESPONSE 0x11000ULL
#define NO_ANSWER 99

/* The device's options in their order. */
enum { IMAGE, RO, SHARE, OPTIONS };

/* What the machine was asked for. */
static struct {
	int refuses;
	unsigned int maps;
	uint64_t size;
	uint8_t *address;
	bool read_only;
} space;

static int map(void *opaque, uint64_t size, void *address, bool read_only,
	       uint64_t *start)
{
	if (space.refuses)
		return space.refuses;
	space.maps++;
	space.size = size;
	space.address = address;
	space.read_only = read_only;
	*start = START;
	return 0;
}

FIXTURE(pmem)
{
	struct guest guest;
	struct device_value values[OPTIONS];
	struct device_error error;
	char path[32];
	int file;
	void *device;
};

static bool make(FIXTURE_DATA(pmem) * self)
{
	self->device = virtio_pmem_device.make(&self->guest.board, self->values,
					       &self->error);
	return self->device && !virtio_pmem_device.release(self->device);
}

FIXTURE_SETUP(pmem)
{
	memset(&space, 0, sizeof(space));
	guest_init(&self->guest);
	self->guest.board.map = map;
	strcpy(self->path, "/tmp/pmem-XXXXXX");
	self->file = mkstemp(self->path);
	ASSERT_LE(0, self->file);
	ASSERT_EQ(0, ftruncate(self->file, FILE_SIZE));
	ASSERT_EQ(4, pwrite(self->file, "file", 4, 0));
	self->values[IMAGE].text = self->path;
	self->values[SHARE].number = 1;
}

FIXTURE_TEARDOWN(pmem)
{
	if (self->device)
		virtio_pmem_device.free(self->device);
	unlink(self->path);
	close(self->file);
	guest_fini(&self->guest);
}

static bool start(FIXTURE_DATA(pmem) * self)
{
	return guest_start(&self->guest, V1);
}

/* Sends a request of @size bytes.  Return: the answer, or NO_ANSWER. */
static uint32_t ask(FIXTURE_DATA(pmem) * self, uint32_t type, uint32_t size)
{
	struct ring *ring = &self->guest.rings[0];
	uint32_t *answer = ram_at(self->guest.ram, RESPONSE, 4);
	uint32_t head, written;

	*answer = NO_ANSWER;
	memcpy(ram_at(self->guest.ram, REQUEST, 4), &type, sizeof(type));
	ring_ask(ring, 0, REQUEST, size, RESPONSE, sizeof(*answer));
	guest_kick(&self->guest, 0);
	for (int i = 0; i < 10000 && !ring_take(ring, &head, &written); i++) {
		poll(NULL, 0, 1);
		fake_turn();
	}
	return *answer;
}

TEST_F(pmem, guest_sees_the_file_in_pieces_of_two_mebibytes)
{
	ASSERT_TRUE(make(self));
	EXPECT_EQ(1, space.maps);
	EXPECT_EQ(SIZE, space.size);
	EXPECT_EQ(0, (uintptr_t)space.address % (2UL << 20));
	EXPECT_FALSE(space.read_only);
	EXPECT_EQ(0, memcmp("file", space.address, 4));
	EXPECT_EQ(0, space.address[SIZE - 1]);
	space.address[SIZE - 1] = 1;
	ASSERT_TRUE(start(self));
	EXPECT_EQ(0x1040 + VIRTIO_ID_PMEM,
		  guest_config(&self->guest, PCI_DEVICE_ID, 2));
	EXPECT_EQ(START,
		  guest_read(&self->guest, VIRTIO_PCI_CAP_DEVICE_CFG, 0, 8));
	EXPECT_EQ(SIZE,
		  guest_read(&self->guest, VIRTIO_PCI_CAP_DEVICE_CFG, 8, 8));
}

TEST_F(pmem, what_the_guest_writes_is_in_the_file_and_can_be_flushed)
{
	char text[4];

	ASSERT_TRUE(make(self));
	ASSERT_TRUE(start(self));
	memcpy(space.address, "mine", 4);
	EXPECT_EQ(0, ask(self, VIRTIO_PMEM_REQ_TYPE_FLUSH, 4));
	ASSERT_EQ(4, pread(self->file, text, 4, 0));
	EXPECT_EQ(0, memcmp("mine", text, 4));
}

TEST_F(pmem, what_the_guest_writes_to_a_private_memory_is_not_in_the_file)
{
	char text[4];

	self->values[SHARE].number = 0;
	ASSERT_TRUE(make(self));
	ASSERT_TRUE(start(self));
	memcpy(space.address, "mine", 4);
	EXPECT_EQ(0, ask(self, VIRTIO_PMEM_REQ_TYPE_FLUSH, 4));
	ASSERT_EQ(4, pread(self->file, text, 4, 0));
	EXPECT_EQ(0, memcmp("file", text, 4));
}

TEST_F(pmem, what_the_guest_writes_to_a_read_only_memory_is_lost)
{
	uint32_t value = 1;

	self->values[RO].number = 1;
	ASSERT_EQ(0, chmod(self->path, 0400));
	ASSERT_TRUE(make(self));
	EXPECT_TRUE(space.read_only);
	ASSERT_TRUE(start(self));
	bus_write(self->guest.board.bus, BUS_MMIO, START, &value, 4);
	EXPECT_EQ(0, memcmp("file", space.address, 4));
	EXPECT_EQ(0, ask(self, VIRTIO_PMEM_REQ_TYPE_FLUSH, 4));
}

TEST_F(pmem, requests_that_are_no_flush_are_refused)
{
	ASSERT_TRUE(make(self));
	ASSERT_TRUE(start(self));
	EXPECT_EQ(1, ask(self, 1, 4));
	EXPECT_EQ(1, ask(self, UINT32_MAX, 4));
	EXPECT_EQ(1, ask(self, VIRTIO_PMEM_REQ_TYPE_FLUSH, 3));
	EXPECT_EQ(0, ask(self, VIRTIO_PMEM_REQ_TYPE_FLUSH, 5));
}

TEST_F(pmem, request_without_room_for_an_answer_is_taken_back_empty)
{
	struct ring *ring = &self->guest.rings[0];
	uint32_t head, written;

	ASSERT_TRUE(make(self));
	ASSERT_TRUE(start(self));
	memset(ram_at(self->guest.ram, REQUEST, 4), 0xff, 4);
	ring_send(ring, 0, REQUEST, 4, 0);
	guest_kick(&self->guest, 0);
	ASSERT_TRUE(ring_take(ring, &head, &written));
	EXPECT_EQ(0, written);
	EXPECT_EQ(0, ask(self, VIRTIO_PMEM_REQ_TYPE_FLUSH, 4));
}

TEST_F(pmem, more_requests_than_have_a_turn_are_all_answered)
{
	struct ring *ring = &self->guest.rings[0];

	self->values[RO].number = 1;
	ASSERT_TRUE(make(self));
	ASSERT_TRUE(start(self));
	for (unsigned int i = 0; i < 30; i++)
		ring_ask(ring, 2 * i, REQUEST, 4, RESPONSE, 4);
	guest_kick(&self->guest, 0);
	EXPECT_EQ(30, ring_used(ring)->idx);
}

TEST_F(pmem, held_device_begins_no_flush_and_goes_on_when_released)
{
	struct ring *ring = &self->guest.rings[0];
	uint32_t head, written;

	/* It is answered as soon as it is taken. */
	self->values[RO].number = 1;
	ASSERT_TRUE(make(self));
	ASSERT_TRUE(start(self));
	ASSERT_EQ(0, virtio_pmem_device.hold(self->device));
	memset(ram_at(self->guest.ram, REQUEST, 4), 0, 4);
	ring_ask(ring, 0, REQUEST, 4, RESPONSE, 4);
	guest_kick(&self->guest, 0);
	EXPECT_FALSE(ring_take(ring, &head, &written));
	ASSERT_EQ(0, virtio_pmem_device.release(self->device));
	for (int i = 0; i < 10000 && !ring_take(ring, &head, &written); i++) {
		poll(NULL, 0, 1);
		fake_turn();
	}
	EXPECT_EQ(1, ring->taken);
}

TEST_F(pmem, reset_in_the_middle_of_a_flush_is_done)
{
	struct ring *ring = &self->guest.rings[0];

	ASSERT_TRUE(make(self));
	ASSERT_TRUE(start(self));
	memset(ram_at(self->guest.ram, REQUEST, 4), 0, 4);
	ring_ask(ring, 0, REQUEST, 4, RESPONSE, 4);
	guest_ring_bell(&self->guest, 0);
	fake_turn();
	virtio_pmem_device.reset(self->device);
	ASSERT_TRUE(start(self));
	EXPECT_EQ(0, ask(self, VIRTIO_PMEM_REQ_TYPE_FLUSH, 4));
}

/* Saves the device, and loads it after a reset. */
static int save_and_load(FIXTURE_DATA(pmem) * self, uint64_t start)
{
	struct record record = {};
	int err = virtio_pmem_device.hold(self->device);

	if (!err)
		err = device_save(&virtio_pmem_device, self->device, &record);
	/* The address is in the last field but one, of eight bytes each. */
	memcpy(record.data + record.size - 24, &start, 8);
	virtio_pmem_device.reset(self->device);
	if (!err)
		err = device_load(&virtio_pmem_device, self->device, &record);
	free(record.data);
	return err;
}

TEST_F(pmem, state_goes_on_where_the_memory_is_the_same)
{
	ASSERT_TRUE(make(self));
	ASSERT_TRUE(start(self));
	EXPECT_EQ(0, save_and_load(self, START));
	EXPECT_EQ(0, virtio_pmem_device.release(self->device));
	EXPECT_EQ(0, ask(self, VIRTIO_PMEM_REQ_TYPE_FLUSH, 4));
	EXPECT_EQ(-EINVAL, save_and_load(self, START + SIZE));
}

TEST_F(pmem, state_of_a_private_memory_in_use_is_not_loaded)
{
	self->values[SHARE].number = 0;
	ASSERT_TRUE(make(self));
	EXPECT_EQ(0, save_and_load(self, START));
	ASSERT_TRUE(start(self));
	EXPECT_EQ(-EINVAL, save_and_load(self, START));
}

static void refused(struct __test_metadata *_metadata,
		    FIXTURE_DATA(pmem) * self)
{
	EXPECT_FALSE(make(self));
	EXPECT_STREQ(self->values[IMAGE].text, self->error.thing);
}

TEST_F(pmem, file_that_is_absent_empty_or_in_use_is_refused)
{
	void *first;

	self->values[IMAGE].text = "/tmp/there is no such file";
	refused(_metadata, self);
	self->values[IMAGE].text = self->path;
	ASSERT_TRUE(make(self));
	first = self->device;
	refused(_metadata, self);
	virtio_pmem_device.free(first);
	ASSERT_EQ(0, ftruncate(self->file, 0));
	refused(_metadata, self);
}

TEST_F(pmem, machine_without_room_for_it_is_told)
{
	space.refuses = -EINVAL;
	refused(_metadata, self);
	EXPECT_STREQ("the guest's address space has no room for it",
		     self->error.reason);
	self->guest.board.map = NULL;
	refused(_metadata, self);
}

TEST_HARNESS_MAIN
