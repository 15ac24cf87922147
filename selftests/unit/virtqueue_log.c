// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of what a queue notes in the log of the pages that this process writes to.
 */
#include <linux/virtio_config.h>

#include "kselftest_harness.h"

#include "virtio_ring.h"

#define RAM_SIZE (2ULL << 20)
#define PAGE 4096ULL
#define SIZE 8
#define RING 0x10000ULL
#define DATA 0x30000ULL

#define NEXT VRING_DESC_F_NEXT
#define WRITE VRING_DESC_F_WRITE

/* Return: true if the log has these pages, and no other; they are taken out. */
static bool log_has(struct ram *ram, const uint64_t *gpas, unsigned int count)
{
	uint64_t first = 0, bits;
	bool right = true;

	for (; page_log_take(ram_log(ram), &first, &bits);
	     first += PAGE_LOG_WORD)
		for (; bits; bits &= bits - 1) {
			uint64_t page = first + (uint64_t)__builtin_ctzll(bits);

			right &= count && page == *gpas / PAGE;
			gpas++;
			count--;
		}
	return right && !count;
}

TEST(pages_that_the_device_may_write_are_noted)
{
	const uint64_t data[] = { DATA, DATA + PAGE, DATA + 8 * PAGE };
	struct ram *ram = ram_new(RAM_SIZE);
	struct ring ring = ring_at_page(ram, RING, SIZE);
	struct virtqueue_state state;
	struct virtqueue queue = { .state = &state };
	struct virtio_chain chain;

	virtqueue_reset(&queue, SIZE);
	state = ring_state(&ring);
	ASSERT_EQ(0, virtqueue_enable(&queue, ram,
				      1ULL << VIRTIO_RING_F_EVENT_IDX));
	ASSERT_EQ(0, ram_log_begin(ram));
	ring_describe(&ring, 0, DATA + 64 * PAGE, 16, NEXT, 1);
	ring_describe(&ring, 1, DATA + PAGE - 1, 2, NEXT | WRITE, 2);
	ring_describe(&ring, 2, DATA + 8 * PAGE, PAGE, WRITE, 0);
	ring_offer(&ring, 0);
	ASSERT_EQ(1, virtqueue_pop(&queue, &chain));
	EXPECT_TRUE(log_has(ram, data, 3));
	virtqueue_push(&queue, 0, 16);
	EXPECT_TRUE(log_has(ram, &state.used, 1));
	/* It says where it wants to be kicked. */
	EXPECT_EQ(0, virtqueue_pop(&queue, &chain));
	EXPECT_TRUE(log_has(ram, &state.used, 1));
	ram_free(ram);
}

TEST_HARNESS_MAIN
