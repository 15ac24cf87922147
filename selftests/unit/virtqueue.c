// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the split virtqueue: what a driver may do, and what it must not.
 */
#include <errno.h>
#include <linux/virtio_config.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "kselftest_harness.h"

#include "virtio_ring.h"

#define RAM_SIZE (2ULL << 20)
#define SIZE 8
#define RING 0x10000ULL
#define TABLE 0x20000ULL
#define DATA 0x30000ULL

#define NEXT VRING_DESC_F_NEXT
#define WRITE VRING_DESC_F_WRITE
#define INDIRECT VRING_DESC_F_INDIRECT

#define ALL \
	(1ULL << VIRTIO_RING_F_INDIRECT_DESC | 1ULL << VIRTIO_RING_F_EVENT_IDX)
#define PLAIN 0

FIXTURE(queue)
{
	struct ram *ram;
	struct ring ring;
	struct virtqueue_state state;
	struct virtqueue queue;
	struct virtio_chain chain;
};

FIXTURE_SETUP(queue)
{
	self->ram = ram_new(RAM_SIZE);
	ASSERT_NE(NULL, self->ram);
	self->ring = ring_at_page(self->ram, RING, SIZE);
	self->queue.state = &self->state;
	virtqueue_reset(&self->queue, SIZE);
	self->state = ring_state(&self->ring);
	ASSERT_EQ(0, virtqueue_enable(&self->queue, self->ram, ALL));
}

FIXTURE_TEARDOWN(queue)
{
	ram_free(self->ram);
}

/* Begins anew with other features. */
static void restart(FIXTURE_DATA(queue) * self, uint64_t features)
{
	virtqueue_reset(&self->queue, SIZE);
	self->ring = ring_at_page(self->ram, RING, SIZE);
	self->state = ring_state(&self->ring);
	virtqueue_enable(&self->queue, self->ram, features);
}

static int pop(FIXTURE_DATA(queue) * self)
{
	return virtqueue_pop(&self->queue, &self->chain);
}

/* Return: what taking the chain at descriptor 0 gives, with a queue begun anew. */
static int pop_only(FIXTURE_DATA(queue) * self)
{
	ring_offer(&self->ring, 0);
	return pop(self);
}

/* True if the queue takes nothing and gives nothing. */
static bool is_dead(FIXTURE_DATA(queue) * self)
{
	const uint16_t used = ring_used(&self->ring)->idx;

	ring_send(&self->ring, 7, DATA, 1, 0);
	virtqueue_push(&self->queue, 7, 0);
	return pop(self) == -EPROTO && ring_used(&self->ring)->idx == used &&
	       !virtqueue_must_notify(&self->queue);
}

TEST_F(queue, empty_queue_gives_nothing)
{
	EXPECT_EQ(0, pop(self));
}

TEST_F(queue, disabled_queue_gives_nothing)
{
	virtqueue_reset(&self->queue, SIZE);
	ring_send(&self->ring, 0, DATA, 1, 0);
	EXPECT_EQ(0, pop(self));
	virtqueue_push(&self->queue, 0, 0);
	EXPECT_FALSE(virtqueue_must_notify(&self->queue));
	EXPECT_EQ(0, ring_used(&self->ring)->idx);
}

TEST_F(queue, chain_has_its_buffers_in_order)
{
	ring_describe(&self->ring, 3, DATA, 16, NEXT, 5);
	ring_describe(&self->ring, 5, DATA + 100, 20, NEXT, 1);
	ring_describe(&self->ring, 1, DATA + 200, 1, NEXT | WRITE, 0);
	ring_describe(&self->ring, 0, DATA + 300, 4096, WRITE, 0);
	ring_offer(&self->ring, 3);
	ASSERT_EQ(1, pop(self));
	EXPECT_EQ(3, self->chain.head);
	EXPECT_EQ(2, self->chain.nr_out);
	EXPECT_EQ(2, self->chain.nr_in);
	EXPECT_EQ(36, self->chain.out_size);
	EXPECT_EQ(4097, self->chain.in_size);
	EXPECT_EQ(ram_at(self->ram, DATA + 100, 1),
		  self->chain.iov[1].iov_base);
	EXPECT_EQ(ram_at(self->ram, DATA + 300, 1),
		  virtio_chain_in(&self->chain)[1].iov_base);
	EXPECT_EQ(4096, virtio_chain_in(&self->chain)[1].iov_len);
	EXPECT_EQ(0, pop(self));
}

TEST_F(queue, used_ring_gets_head_and_size)
{
	uint32_t head, written;

	ring_send(&self->ring, 6, DATA, 64, WRITE);
	ASSERT_EQ(1, pop(self));
	EXPECT_FALSE(ring_take(&self->ring, &head, &written));
	virtqueue_push(&self->queue, self->chain.head, 17);
	ASSERT_TRUE(ring_take(&self->ring, &head, &written));
	EXPECT_EQ(6, head);
	EXPECT_EQ(17, written);
	EXPECT_FALSE(ring_take(&self->ring, &head, &written));
}

TEST_F(queue, indices_wrap_around)
{
	uint32_t head, written;

	for (unsigned int i = 0; i < 0x10000 + 3 * SIZE; i++) {
		ring_send(&self->ring, i % SIZE, DATA, 1, 0);
		ASSERT_EQ(1, pop(self));
		virtqueue_push(&self->queue, self->chain.head, i);
		ASSERT_TRUE(ring_take(&self->ring, &head, &written));
		ASSERT_EQ(i % SIZE, head);
		ASSERT_EQ(i, written);
	}
}

TEST_F(queue, chain_given_back_comes_again)
{
	ring_send(&self->ring, 2, DATA, 1, 0);
	ring_send(&self->ring, 4, DATA, 1, 0);
	ASSERT_EQ(1, pop(self));
	ASSERT_EQ(1, pop(self));
	virtqueue_unpop(&self->queue);
	ASSERT_EQ(1, pop(self));
	EXPECT_EQ(4, self->chain.head);
	virtqueue_unpop(&self->queue);
	virtqueue_unpop(&self->queue);
	ASSERT_EQ(1, pop(self));
	EXPECT_EQ(2, self->chain.head);
}

TEST_F(queue, chain_may_have_as_many_buffers_as_the_queue_has_entries)
{
	for (unsigned int i = 0; i < SIZE; i++)
		ring_describe(&self->ring, i, DATA, 1, i < SIZE - 1 ? NEXT : 0,
			      i + 1);
	ASSERT_EQ(1, pop_only(self));
	EXPECT_EQ(SIZE, self->chain.nr_out);
}

TEST_F(queue, loop_breaks_the_queue)
{
	ring_describe(&self->ring, 0, DATA, 1, NEXT, 1);
	ring_describe(&self->ring, 1, DATA, 1, NEXT, 0);
	EXPECT_EQ(-EPROTO, pop_only(self));
	EXPECT_TRUE(is_dead(self));
}

TEST_F(queue, descriptor_that_is_its_own_next_breaks_the_queue)
{
	ring_describe(&self->ring, 0, DATA, 1, NEXT, 0);
	EXPECT_EQ(-EPROTO, pop_only(self));
	EXPECT_TRUE(is_dead(self));
}

TEST_F(queue, head_beyond_the_table_breaks_the_queue)
{
	ring_offer(&self->ring, SIZE);
	EXPECT_EQ(-EPROTO, pop(self));
	restart(self, ALL);
	ring_offer(&self->ring, 0xffff);
	EXPECT_EQ(-EPROTO, pop(self));
	EXPECT_TRUE(is_dead(self));
}

TEST_F(queue, next_beyond_the_table_breaks_the_queue)
{
	/* It would be a good descriptor. */
	ring_describe(&self->ring, SIZE, DATA, 1, 0, 0);
	ring_describe(&self->ring, 0, DATA, 1, NEXT, SIZE);
	EXPECT_EQ(-EPROTO, pop_only(self));
	restart(self, ALL);
	ring_describe(&self->ring, 0, DATA, 1, NEXT, 0xffff);
	EXPECT_EQ(-EPROTO, pop_only(self));
	EXPECT_TRUE(is_dead(self));
}

TEST_F(queue, index_that_jumps_breaks_the_queue)
{
	ring_describe(&self->ring, 0, DATA, 1, 0, 0);
	ring_avail(&self->ring)->idx = SIZE;
	EXPECT_EQ(1, pop(self));
	restart(self, ALL);
	ring_describe(&self->ring, 0, DATA, 1, 0, 0);
	ring_avail(&self->ring)->idx = SIZE + 1;
	EXPECT_EQ(-EPROTO, pop(self));
	restart(self, ALL);
	ring_avail(&self->ring)->idx = 0xffff;
	EXPECT_EQ(-EPROTO, pop(self));
	EXPECT_TRUE(is_dead(self));
}

TEST_F(queue, more_chains_in_flight_than_entries_break_the_queue)
{
	for (unsigned int i = 0; i < SIZE; i++) {
		ring_send(&self->ring, 0, DATA, 1, 0);
		ASSERT_EQ(1, pop(self));
	}
	EXPECT_EQ(0, pop(self));
	virtqueue_push(&self->queue, 0, 0);
	ring_send(&self->ring, 0, DATA, 1, 0);
	ASSERT_EQ(1, pop(self));
	ring_send(&self->ring, 0, DATA, 1, 0);
	EXPECT_EQ(-EPROTO, pop(self));
}

TEST_F(queue, empty_buffer_breaks_the_queue)
{
	ring_describe(&self->ring, 0, DATA, 0, 0, 0);
	EXPECT_EQ(-EPROTO, pop_only(self));
	restart(self, ALL);
	ring_describe(&self->ring, 0, DATA, 8, NEXT, 1);
	ring_describe(&self->ring, 1, DATA, 0, WRITE, 0);
	EXPECT_EQ(-EPROTO, pop_only(self));
	EXPECT_TRUE(is_dead(self));
}

TEST_F(queue, buffer_outside_ram_breaks_the_queue)
{
	static const struct {
		uint64_t address;
		uint32_t size;
	} bad[] = {
		{ RAM_SIZE, 1 },	{ RAM_SIZE - 1, 2 },
		{ 0xfee00000, 4 },	{ UINT64_MAX, 1 },
		{ UINT64_MAX, 2 },	{ UINT64_MAX - 7, 16 },
		{ 0, UINT32_MAX },	{ 1ULL << 63, 4096 },
		{ RAM_HOLE_START, 16 }, { RAM_HOLE_END, 1 },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		restart(self, ALL);
		ring_describe(&self->ring, 0, bad[i].address, bad[i].size, 0,
			      0);
		EXPECT_EQ(-EPROTO, pop_only(self));
		EXPECT_TRUE(is_dead(self));
	}
}

TEST_F(queue, buffer_to_read_behind_one_to_write_breaks_the_queue)
{
	ring_describe(&self->ring, 0, DATA, 8, NEXT | WRITE, 1);
	ring_describe(&self->ring, 1, DATA, 8, 0, 0);
	EXPECT_EQ(-EPROTO, pop_only(self));
	EXPECT_TRUE(is_dead(self));
}

TEST_F(queue, indirect_table_has_the_buffers)
{
	for (unsigned int i = 0; i < 5; i++)
		ring_describe_in(&self->ring, TABLE, i, DATA + i, 10 + i,
				 i < 4 ? NEXT : WRITE, i + 1);
	ring_describe(&self->ring, 0, TABLE, 5 * 16, INDIRECT | WRITE, 0);
	ASSERT_EQ(1, pop_only(self));
	EXPECT_EQ(0, self->chain.head);
	EXPECT_EQ(4, self->chain.nr_out);
	EXPECT_EQ(1, self->chain.nr_in);
	EXPECT_EQ(ram_at(self->ram, DATA + 4, 1),
		  virtio_chain_in(&self->chain)->iov_base);
	EXPECT_EQ(14, self->chain.in_size);
}

TEST_F(queue, indirect_table_may_follow_other_buffers)
{
	ring_describe_in(&self->ring, TABLE, 0, DATA, 1, 0, 0);
	ring_describe(&self->ring, 0, DATA, 7, NEXT, 1);
	ring_describe(&self->ring, 1, TABLE, 16, INDIRECT, 0);
	ASSERT_EQ(1, pop_only(self));
	EXPECT_EQ(2, self->chain.nr_out);
	EXPECT_EQ(8, self->chain.out_size);
}

TEST_F(queue, indirect_table_may_be_at_an_odd_address)
{
	ring_describe_in(&self->ring, TABLE + 3, 0, DATA, 1, NEXT, 1);
	ring_describe_in(&self->ring, TABLE + 3, 1, DATA, 1, 0, 0);
	ring_describe(&self->ring, 0, TABLE + 3, 32, INDIRECT, 0);
	EXPECT_EQ(1, pop_only(self));
}

TEST_F(queue, indirect_table_may_be_longer_than_the_queue_but_not_without_end)
{
	for (unsigned int i = 0; i <= VIRTQUEUE_MAX_SIZE; i++)
		ring_describe_in(&self->ring, TABLE, i, DATA, 1,
				 i < VIRTQUEUE_MAX_SIZE - 1 ? NEXT : 0, i + 1);
	ring_describe(&self->ring, 0, TABLE, VIRTQUEUE_MAX_SIZE * 16, INDIRECT,
		      0);
	ASSERT_EQ(1, pop_only(self));
	EXPECT_EQ(VIRTQUEUE_MAX_SIZE, self->chain.nr_out);
	/* One more in front of the table. */
	ring_describe(&self->ring, 2, DATA, 1, NEXT, 0);
	ring_offer(&self->ring, 2);
	EXPECT_EQ(-EPROTO, pop(self));
	restart(self, ALL);
	/* One more in the table. */
	ring_describe_in(&self->ring, TABLE, VIRTQUEUE_MAX_SIZE - 1, DATA, 1,
			 NEXT, VIRTQUEUE_MAX_SIZE);
	ring_describe(&self->ring, 0, TABLE, (VIRTQUEUE_MAX_SIZE + 1) * 16,
		      INDIRECT, 0);
	EXPECT_EQ(-EPROTO, pop_only(self));
	EXPECT_TRUE(is_dead(self));
}

TEST_F(queue, indirect_table_with_a_loop_breaks_the_queue)
{
	ring_describe_in(&self->ring, TABLE, 0, DATA, 1, NEXT, 1);
	ring_describe_in(&self->ring, TABLE, 1, DATA, 1, NEXT, 1);
	ring_describe(&self->ring, 0, TABLE, 32, INDIRECT, 0);
	EXPECT_EQ(-EPROTO, pop_only(self));
	EXPECT_TRUE(is_dead(self));
}

TEST_F(queue, next_beyond_an_indirect_table_breaks_the_queue)
{
	ring_describe_in(&self->ring, TABLE, 0, DATA, 1, NEXT, 2);
	ring_describe_in(&self->ring, TABLE, 2, DATA, 1, 0, 0);
	ring_describe(&self->ring, 0, TABLE, 32, INDIRECT, 0);
	EXPECT_EQ(-EPROTO, pop_only(self));
	EXPECT_TRUE(is_dead(self));
}

TEST_F(queue, indirect_table_of_a_bad_size_breaks_the_queue)
{
	static const uint32_t sizes[] = { 0, 1, 15, 17, 40, UINT32_MAX };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		restart(self, ALL);
		ring_describe_in(&self->ring, TABLE, 0, DATA, 1, 0, 0);
		ring_describe(&self->ring, 0, TABLE, sizes[i], INDIRECT, 0);
		EXPECT_EQ(-EPROTO, pop_only(self));
		EXPECT_TRUE(is_dead(self));
	}
}

TEST_F(queue, indirect_table_outside_ram_breaks_the_queue)
{
	ring_describe(&self->ring, 0, RAM_SIZE - 16, 32, INDIRECT, 0);
	EXPECT_EQ(-EPROTO, pop_only(self));
	restart(self, ALL);
	ring_describe(&self->ring, 0, UINT64_MAX - 15, 32, INDIRECT, 0);
	EXPECT_EQ(-EPROTO, pop_only(self));
	EXPECT_TRUE(is_dead(self));
}

TEST_F(queue, indirect_table_in_an_indirect_table_breaks_the_queue)
{
	ring_describe_in(&self->ring, TABLE, 0, TABLE + 64, 16, INDIRECT, 0);
	ring_describe_in(&self->ring, TABLE, 4, DATA, 1, 0, 0);
	ring_describe(&self->ring, 0, TABLE, 16, INDIRECT, 0);
	EXPECT_EQ(-EPROTO, pop_only(self));
	EXPECT_TRUE(is_dead(self));
}

TEST_F(queue, indirect_table_with_a_next_breaks_the_queue)
{
	ring_describe_in(&self->ring, TABLE, 0, DATA, 1, 0, 0);
	ring_describe(&self->ring, 0, TABLE, 16, INDIRECT | NEXT, 1);
	ring_describe(&self->ring, 1, DATA, 1, 0, 0);
	EXPECT_EQ(-EPROTO, pop_only(self));
	EXPECT_TRUE(is_dead(self));
}

TEST_F(queue, indirect_table_that_was_not_negotiated_breaks_the_queue)
{
	restart(self, PLAIN);
	ring_describe_in(&self->ring, TABLE, 0, DATA, 1, 0, 0);
	ring_describe(&self->ring, 0, TABLE, 16, INDIRECT, 0);
	EXPECT_EQ(-EPROTO, pop_only(self));
	EXPECT_TRUE(is_dead(self));
}

TEST_F(queue, place_that_is_not_allowed_is_refused)
{
	static const struct virtqueue_state bad[] = {
		{ .desc = RING + 8 },
		{ .avail = RING + 0x1001 },
		{ .used = RING + 0x2002 },
		{ .desc = RAM_SIZE - 16 * SIZE + 16 },
		{ .avail = RAM_SIZE - 4 - 2 * SIZE },
		{ .used = RAM_SIZE - 4 - 8 * SIZE },
		{ .desc = UINT64_MAX - 15 },
		{ .avail = UINT64_MAX - 1 },
		{ .used = UINT64_MAX - 3 },
		{ .size = 7 },
		{ .size = 2 * VIRTQUEUE_MAX_SIZE },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		virtqueue_reset(&self->queue, SIZE);
		self->state = ring_state(&self->ring);
		self->state.desc = bad[i].desc ?: self->state.desc;
		self->state.avail = bad[i].avail ?: self->state.avail;
		self->state.used = bad[i].used ?: self->state.used;
		self->state.size = bad[i].size ?: self->state.size;
		EXPECT_EQ(-EINVAL,
			  virtqueue_enable(&self->queue, self->ram, ALL));
		EXPECT_FALSE(virtqueue_is_sound(&self->state, self->ram));
		EXPECT_EQ(-EPROTO, pop(self));
	}
	virtqueue_reset(&self->queue, 0);
	self->state = ring_state(&self->ring);
	self->state.size = 0;
	EXPECT_EQ(-EINVAL, virtqueue_enable(&self->queue, self->ram, ALL));
}

TEST_F(queue, place_at_the_very_end_of_ram_is_fine)
{
	virtqueue_reset(&self->queue, SIZE);
	self->state = ring_state(&self->ring);
	self->state.used = RAM_SIZE - 4 - 8 * SIZE - 4;
	EXPECT_EQ(0, virtqueue_enable(&self->queue, self->ram, ALL));
	self->state.avail = RAM_SIZE - 4 - 2 * SIZE - 2;
	EXPECT_EQ(0, virtqueue_enable(&self->queue, self->ram, ALL));
}

TEST_F(queue, state_with_too_many_chains_in_flight_is_not_sound)
{
	self->state.next = SIZE;
	EXPECT_TRUE(virtqueue_is_sound(&self->state, self->ram));
	self->state.next = SIZE + 1;
	EXPECT_FALSE(virtqueue_is_sound(&self->state, self->ram));
	self->state.next = 0;
	self->state.done = 1;
	EXPECT_FALSE(virtqueue_is_sound(&self->state, self->ram));
	self->state.done = 0;
	self->state.enabled = 2;
	EXPECT_FALSE(virtqueue_is_sound(&self->state, self->ram));
}

TEST_F(queue, driver_that_wants_no_interrupts_gets_none)
{
	restart(self, PLAIN);
	ring_send(&self->ring, 0, DATA, 1, 0);
	ring_send(&self->ring, 1, DATA, 1, 0);
	ASSERT_EQ(1, pop(self));
	virtqueue_push(&self->queue, 0, 0);
	EXPECT_TRUE(virtqueue_must_notify(&self->queue));
	EXPECT_FALSE(virtqueue_must_notify(&self->queue));
	ring_avail(&self->ring)->flags = VRING_AVAIL_F_NO_INTERRUPT;
	ASSERT_EQ(1, pop(self));
	virtqueue_push(&self->queue, 1, 0);
	EXPECT_FALSE(virtqueue_must_notify(&self->queue));
}

TEST_F(queue, driver_is_notified_at_the_index_that_it_names)
{
	/* The flag means nothing when the index does. */
	ring_avail(&self->ring)->flags = VRING_AVAIL_F_NO_INTERRUPT;
	*ring_used_event(&self->ring) = 2;
	for (unsigned int i = 0; i < 5; i++) {
		ring_send(&self->ring, i, DATA, 1, 0);
		ASSERT_EQ(1, pop(self));
		virtqueue_push(&self->queue, i, 0);
		EXPECT_EQ(i == 2, virtqueue_must_notify(&self->queue));
	}
}

TEST_F(queue, index_between_two_looks_is_not_missed)
{
	*ring_used_event(&self->ring) = 1;
	for (unsigned int i = 0; i < 4; i++) {
		ring_send(&self->ring, i, DATA, 1, 0);
		ASSERT_EQ(1, pop(self));
		virtqueue_push(&self->queue, i, 0);
	}
	EXPECT_TRUE(virtqueue_must_notify(&self->queue));
}

TEST_F(queue, device_asks_for_a_kick_when_it_has_found_nothing)
{
	EXPECT_EQ(0, pop(self));
	EXPECT_EQ(0, ring_avail_event(&self->ring));
	for (unsigned int i = 0; i < 3; i++)
		ring_send(&self->ring, i, DATA, 1, 0);
	for (unsigned int i = 0; i < 3; i++) {
		EXPECT_EQ(1, pop(self));
		EXPECT_EQ(0, ring_avail_event(&self->ring));
	}
	EXPECT_EQ(0, pop(self));
	EXPECT_EQ(3, ring_avail_event(&self->ring));
}

TEST_F(queue, device_asks_for_nothing_that_was_not_negotiated)
{
	restart(self, PLAIN);
	ring_send(&self->ring, 0, DATA, 1, 0);
	EXPECT_EQ(1, pop(self));
	EXPECT_EQ(0, pop(self));
	EXPECT_EQ(0, ring_avail_event(&self->ring));
}

TEST_F(queue, bytes_are_read_and_written_across_buffers)
{
	char *memory = ram_at(self->ram, DATA, 4096);
	char text[16] = "";

	memcpy(memory, "abc", 3);
	memcpy(memory + 16, "defgh", 5);
	ring_describe(&self->ring, 0, DATA, 3, NEXT, 1);
	ring_describe(&self->ring, 1, DATA + 16, 5, NEXT, 2);
	ring_describe(&self->ring, 2, DATA + 32, 2, NEXT | WRITE, 3);
	ring_describe(&self->ring, 3, DATA + 48, 4, WRITE, 0);
	ASSERT_EQ(1, pop_only(self));
	EXPECT_EQ(2, virtio_chain_read(&self->chain, text, 2));
	EXPECT_STREQ("ab", text);
	EXPECT_EQ(2, virtio_chain_skip(&self->chain, 2));
	EXPECT_EQ(4, virtio_chain_read(&self->chain, text, sizeof(text)));
	EXPECT_EQ(0, memcmp("efgh", text, 4));
	EXPECT_EQ(0, virtio_chain_read(&self->chain, text, 1));
	EXPECT_EQ(0, virtio_chain_skip(&self->chain, SIZE_MAX));
	EXPECT_EQ(3, virtio_chain_write(&self->chain, "123", 3));
	EXPECT_EQ(3, virtio_chain_write(&self->chain, "45678", 5));
	EXPECT_EQ(0, virtio_chain_write(&self->chain, "9", 1));
	EXPECT_EQ(0, memcmp(memory + 32, "12", 2));
	EXPECT_EQ(0, memcmp(memory + 48, "3456\0", 5));
	EXPECT_EQ(1, virtio_chain_write_at(&self->chain, 5, "xyz", 3));
	EXPECT_EQ(0, virtio_chain_write_at(&self->chain, 6, "xyz", 3));
	EXPECT_EQ(0, virtio_chain_write_at(&self->chain, SIZE_MAX, "x", 1));
	EXPECT_EQ('x', memory[51]);
}

TEST_F(queue, slice_is_a_part_of_the_buffers)
{
	char bytes[12];
	const struct iovec from[] = {
		{ bytes, 4 },
		{ bytes + 4, 4 },
		{ bytes + 8, 4 },
	};
	struct iovec to[3];

	ASSERT_EQ(2, virtio_iov_slice(from, 3, 6, 3, to));
	EXPECT_EQ(bytes + 6, to[0].iov_base);
	EXPECT_EQ(2, to[0].iov_len);
	EXPECT_EQ(bytes + 8, to[1].iov_base);
	EXPECT_EQ(1, to[1].iov_len);
	EXPECT_EQ(3, virtio_iov_slice(from, 3, 0, SIZE_MAX, to));
	EXPECT_EQ(0, virtio_iov_slice(from, 3, 12, 1, to));
	EXPECT_EQ(0, virtio_iov_slice(from, 3, 2, 0, to));
	EXPECT_EQ(1, virtio_iov_slice(from, 3, 4, 4, to));
}

TEST_F(queue, chain_of_more_bytes_than_can_be_counted_breaks_the_queue)
{
	const uint64_t half = 1ULL << 31;
	struct ram *ram = ram_new(RAM_HOLE_START);

	ASSERT_NE(NULL, ram);
	self->ring = ring_at_page(ram, RING, SIZE);
	virtqueue_reset(&self->queue, SIZE);
	self->state = ring_state(&self->ring);
	virtqueue_enable(&self->queue, ram, PLAIN);
	ring_describe(&self->ring, 0, 0, half, NEXT, 1);
	ring_describe(&self->ring, 1, 0, half - 1, 0, 0);
	ASSERT_EQ(1, pop_only(self));
	EXPECT_EQ(UINT32_MAX, self->chain.out_size);
	ring_describe(&self->ring, 1, 0, half, 0, 0);
	EXPECT_EQ(-EPROTO, pop_only(self));
	ram_free(ram);
}

static struct ring *interrupted;

/* The device is about to write to its page: the driver is faster, and sends a chain. */
static void send_before(int number)
{
	struct ring *ring = interrupted;

	mprotect(ring_used(ring), RING_PAGE, PROT_READ | PROT_WRITE);
	ring_send(ring, 0, DATA, 1, 0);
}

TEST_F(queue, chain_that_comes_while_the_device_asks_for_a_kick_is_not_missed)
{
	const struct sigaction action = { .sa_handler = send_before };
	struct sigaction before;

	interrupted = &self->ring;
	sigaction(SIGSEGV, &action, &before);
	ASSERT_EQ(0, mprotect(ring_used(&self->ring), RING_PAGE, PROT_READ));
	EXPECT_EQ(1, pop(self));
	sigaction(SIGSEGV, &before, NULL);
}

#define MANY 200000

/* A device that waits for each kick that it has asked for. */
static void *serve(void *opaque)
{
	FIXTURE_DATA(queue) *self = opaque;
	unsigned int done = 0;

	while (done < MANY) {
		int found = pop(self);

		if (found < 0)
			break;
		if (!found)
			continue;
		virtqueue_push(&self->queue, self->chain.head,
			       *(uint32_t *)self->chain.iov[0].iov_base);
		done++;
	}
	return NULL;
}

TEST_F(queue, driver_on_another_cpu_gets_what_it_has_sent)
{
	uint32_t sent = 0, taken = 0, head, written;
	pthread_t device;

	ASSERT_EQ(0, pthread_create(&device, NULL, serve, self));
	while (taken < MANY) {
		if (sent < MANY && sent - taken < SIZE) {
			const uint64_t at = DATA + sent % SIZE * 64;

			*(uint32_t *)ram_at(self->ram, at, 4) = sent;
			ring_send(&self->ring, sent % SIZE, at, 4, 0);
			sent++;
		}
		while (ring_take(&self->ring, &head, &written)) {
			ASSERT_EQ(taken % SIZE, head);
			ASSERT_EQ(taken, written);
			taken++;
		}
	}
	pthread_join(device, NULL);
}

TEST_HARNESS_MAIN
