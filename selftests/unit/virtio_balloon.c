// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the memory balloon.
 */
#include <linux/virtio_balloon.h>

#include "kselftest_harness.h"

#include "fakes.h"
#include "virtio/balloon.h"
#include "virtio_guest.h"

#define V1 (1ULL << VIRTIO_F_VERSION_1)
#define FEATURES                                  \
	(V1 | 1ULL << VIRTIO_BALLOON_F_STATS_VQ | \
	 1ULL << VIRTIO_BALLOON_F_REPORTING)
#define INFLATE 0
#define DEFLATE 1
#define STATS 2
#define LIST 0x10000ULL
#define PAGE 4096ULL
/* Pages that the guest gives up. */
#define FIRST (2ULL << 20)

FIXTURE(balloon)
{
	struct guest guest;
	void *device;
};

FIXTURE_SETUP(balloon)
{
	static const struct device_value values[] = { { .number = 8 * PAGE } };

	guest_init(&self->guest);
	self->device =
		virtio_balloon_device.make(&self->guest.board, values, NULL);
	ASSERT_NE(NULL, self->device);
	ASSERT_TRUE(guest_start(&self->guest, FEATURES));
	memset(ram_at(self->guest.ram, FIRST, 8 * PAGE), 0x5a, 8 * PAGE);
}

FIXTURE_TEARDOWN(balloon)
{
	virtio_balloon_device.free(self->device);
	guest_fini(&self->guest);
}

/* Sends a list of pages, as the driver does. */
static void send_pages(FIXTURE_DATA(balloon) * self, unsigned int queue,
		       const uint32_t *pfns, unsigned int count)
{
	uint32_t head, written;

	memcpy(ram_at(self->guest.ram, LIST, PAGE), pfns,
	       count * sizeof(*pfns));
	ring_send(&self->guest.rings[queue], 0, LIST, count * sizeof(*pfns), 0);
	guest_kick(&self->guest, queue);
	ring_take(&self->guest.rings[queue], &head, &written);
}

/* Return: what the page has, or -1: several values. */
static int value_of(FIXTURE_DATA(balloon) * self, uint64_t gpa)
{
	const uint8_t *page = ram_at(self->guest.ram, gpa, PAGE);

	return memcmp(page, page + 1, PAGE - 1) ? -1 : *page;
}

TEST_F(balloon, pages_that_are_given_back_are_noted_as_written)
{
	const uint32_t pfns[] = { FIRST / PAGE + 1, FIRST / PAGE + 2 };
	uint64_t first = FIRST / PAGE, bits;

	ASSERT_EQ(0, ram_log_begin(self->guest.ram));
	send_pages(self, INFLATE, pfns, 2);
	ASSERT_TRUE(page_log_take(ram_log(self->guest.ram), &first, &bits));
	EXPECT_EQ(FIRST / PAGE, first);
	EXPECT_EQ(6, bits);
}

TEST_F(balloon, driver_reads_how_many_pages_are_wanted)
{
	EXPECT_EQ(8, guest_read(&self->guest, VIRTIO_PCI_CAP_DEVICE_CFG, 0, 4));
	virtio_balloon_want(self->device, 5 * PAGE + 1);
	EXPECT_EQ(5, guest_read(&self->guest, VIRTIO_PCI_CAP_DEVICE_CFG, 0, 4));
	EXPECT_TRUE(self->guest.line.level);
}

TEST_F(balloon, driver_says_how_much_it_has_given_up_and_writes_nothing_else)
{
	guest_write(&self->guest, VIRTIO_PCI_CAP_DEVICE_CFG, 4, 3, 4);
	guest_write(&self->guest, VIRTIO_PCI_CAP_DEVICE_CFG, 0, 99, 4);
	guest_write(&self->guest, VIRTIO_PCI_CAP_DEVICE_CFG, 5, 99, 2);
	guest_write(&self->guest, VIRTIO_PCI_CAP_DEVICE_CFG, 4, 99, 2);
	guest_write(&self->guest, VIRTIO_PCI_CAP_DEVICE_CFG, 4, 99, 8);
	EXPECT_EQ(3 * PAGE, virtio_balloon_get(self->device).actual);
	EXPECT_EQ(8 * PAGE, virtio_balloon_get(self->device).wanted);
}

TEST_F(balloon, pages_given_up_go_back_to_the_host)
{
	const uint32_t first = FIRST / PAGE;
	const uint32_t pfns[] = { first, first + 1, first + 3 };

	send_pages(self, INFLATE, pfns, 3);
	EXPECT_EQ(0, value_of(self, FIRST));
	EXPECT_EQ(0, value_of(self, FIRST + PAGE));
	EXPECT_EQ(0x5a, value_of(self, FIRST + 2 * PAGE));
	EXPECT_EQ(0, value_of(self, FIRST + 3 * PAGE));
	EXPECT_EQ(0x5a, value_of(self, FIRST + 4 * PAGE));
	EXPECT_EQ(3 * PAGE, virtio_balloon_get(self->device).taken);
}

TEST_F(balloon, pages_taken_back_are_there_again)
{
	const uint32_t pfn = FIRST / PAGE;

	send_pages(self, INFLATE, &pfn, 1);
	send_pages(self, DEFLATE, &pfn, 1);
	memset(ram_at(self->guest.ram, FIRST, PAGE), 0x77, PAGE);
	EXPECT_EQ(0x77, value_of(self, FIRST));
	EXPECT_EQ(PAGE, virtio_balloon_get(self->device).taken);
}

TEST_F(balloon, page_that_is_no_memory_is_passed_over)
{
	const uint32_t pfns[] = { GUEST_RAM / PAGE, UINT32_MAX, 0,
				  0xfee00,	    1U << 20,	1U << 31,
				  FIRST / PAGE };

	send_pages(self, INFLATE, pfns, 7);
	EXPECT_EQ(0, value_of(self, FIRST));
	EXPECT_EQ(2 * PAGE, virtio_balloon_get(self->device).taken);
	EXPECT_EQ(0x0f, guest_status(&self->guest));
}

TEST_F(balloon, list_that_ends_within_a_number_is_taken_up_to_there)
{
	const uint32_t pfn = FIRST / PAGE;

	memcpy(ram_at(self->guest.ram, LIST, 8), &pfn, 4);
	ring_send(&self->guest.rings[INFLATE], 0, LIST, 7, 0);
	guest_kick(&self->guest, INFLATE);
	EXPECT_EQ(PAGE, virtio_balloon_get(self->device).taken);
}

TEST_F(balloon, free_memory_that_is_reported_goes_back_to_the_host)
{
	/* With and without the queue of hints counted. */
	for (unsigned int queue = 3; queue <= 4; queue++) {
		const uint64_t gpa = FIRST + queue * PAGE;

		ring_send(&self->guest.rings[queue], 0, gpa, PAGE,
			  VRING_DESC_F_WRITE);
		guest_kick(&self->guest, queue);
		EXPECT_EQ(0, value_of(self, gpa));
		EXPECT_EQ(1, ring_used(&self->guest.rings[queue])->idx);
	}
	EXPECT_EQ(0x5a, value_of(self, FIRST + 2 * PAGE));
	EXPECT_EQ(0x5a, value_of(self, FIRST + 5 * PAGE));
}

TEST_F(balloon, report_of_a_part_of_a_page_takes_nothing)
{
	ring_send(&self->guest.rings[3], 0, FIRST + 1, 2 * PAGE - 2,
		  VRING_DESC_F_WRITE);
	guest_kick(&self->guest, 3);
	EXPECT_EQ(0x5a, value_of(self, FIRST));
	EXPECT_EQ(0x5a, value_of(self, FIRST + PAGE));
	EXPECT_EQ(0, virtio_balloon_get(self->device).taken);
}

static void send_stats(FIXTURE_DATA(balloon) * self,
		       const struct virtio_balloon_stat *stats, size_t size)
{
	memcpy(ram_at(self->guest.ram, LIST, PAGE), stats, size);
	ring_send(&self->guest.rings[STATS], 0, LIST, size, 0);
	guest_kick(&self->guest, STATS);
}

TEST_F(balloon,
       statistics_are_read_and_their_buffer_kept_until_new_ones_are_wanted)
{
	const struct virtio_balloon_stat stats[] = {
		{ VIRTIO_BALLOON_S_MEMFREE, 12345 },
		{ 999, 1 },
		{ VIRTIO_BALLOON_S_NR, 1 },
		{ VIRTIO_BALLOON_S_MEMTOT, 1ULL << 40 },
	};
	struct virtio_balloon_state state;
	uint32_t head, written;

	send_stats(self, stats, sizeof(stats));
	EXPECT_FALSE(ring_take(&self->guest.rings[STATS], &head, &written));
	state = virtio_balloon_get(self->device);
	EXPECT_EQ(12345, state.stats[VIRTIO_BALLOON_S_MEMFREE]);
	EXPECT_EQ(1ULL << 40, state.stats[VIRTIO_BALLOON_S_MEMTOT]);
	EXPECT_EQ(UINT64_MAX, state.stats[VIRTIO_BALLOON_S_AVAIL]);
	fake_turn();
	EXPECT_TRUE(ring_take(&self->guest.rings[STATS], &head, &written));
	send_stats(self, stats, sizeof(stats[0]) - 1);
	EXPECT_FALSE(ring_take(&self->guest.rings[STATS], &head, &written));
}

TEST_F(balloon, reset_forgets_what_the_guest_has_told)
{
	const struct virtio_balloon_stat stat = { VIRTIO_BALLOON_S_MEMFREE, 1 };

	send_stats(self, &stat, sizeof(stat));
	guest_write(&self->guest, VIRTIO_PCI_CAP_DEVICE_CFG, 4, 3, 4);
	guest_set_status(&self->guest, 0);
	EXPECT_EQ(0, guest_status(&self->guest));
	EXPECT_EQ(UINT64_MAX, virtio_balloon_get(self->device)
				      .stats[VIRTIO_BALLOON_S_MEMFREE]);
	EXPECT_EQ(0, virtio_balloon_get(self->device).actual);
}

TEST_F(balloon, driver_kicks_for_each_of_its_statistics)
{
	const struct virtio_balloon_stat stats[] = {
		{ VIRTIO_BALLOON_S_MEMFREE, 1 },
		{ VIRTIO_BALLOON_S_MEMFREE, 2 },
	};
	struct ring *ring = &self->guest.rings[STATS];
	uint32_t head, written;

	ASSERT_TRUE(guest_start(&self->guest,
				FEATURES | 1ULL << VIRTIO_RING_F_EVENT_IDX));
	send_stats(self, &stats[0], sizeof(stats[0]));
	virtio_balloon_get(self->device);
	while (fake_turn())
		;
	ASSERT_TRUE(ring_take(ring, &head, &written));
	memcpy(ram_at(self->guest.ram, LIST, PAGE), &stats[1],
	       sizeof(stats[1]));
	ring_send(ring, 0, LIST, sizeof(stats[1]), 0);
	ASSERT_TRUE(ring_must_kick(ring, ring->offered - 1));
	guest_kick(&self->guest, STATS);
	EXPECT_EQ(2, virtio_balloon_get(self->device)
			     .stats[VIRTIO_BALLOON_S_MEMFREE]);
}

TEST_F(balloon, long_lists_leave_others_their_turn)
{
	struct ring *ring = &self->guest.rings[INFLATE];
	uint32_t *pfns = ram_at(self->guest.ram, LIST, 4 * PAGE);

	/* The same page again and again is no run. */
	for (unsigned int i = 0; i < PAGE; i++)
		pfns[i] = FIRST / PAGE;
	for (unsigned int i = 0; i < 16; i++)
		ring_send(ring, i, LIST, 4 * PAGE, 0);
	guest_ring_bell(&self->guest, INFLATE);
	fake_turn();
	EXPECT_EQ(1, ring_used(ring)->idx);
	while (fake_turn())
		;
	EXPECT_EQ(16, ring_used(ring)->idx);
}

TEST_F(balloon, reports_of_many_parts_leave_others_their_turn)
{
	struct ring *ring = &self->guest.rings[3];

	for (unsigned int i = 0; i < 128; i++)
		ring_describe_in(ring, LIST, i, FIRST, PAGE,
				 VRING_DESC_F_WRITE |
					 (i < 127 ? VRING_DESC_F_NEXT : 0),
				 i + 1);
	ASSERT_TRUE(guest_start(
		&self->guest, FEATURES | 1ULL << VIRTIO_RING_F_INDIRECT_DESC));
	for (unsigned int i = 0; i < 64; i++)
		ring_send(ring, i, LIST, 128 * sizeof(struct vring_desc),
			  VRING_DESC_F_INDIRECT);
	guest_ring_bell(&self->guest, 3);
	fake_turn();
	EXPECT_EQ(8, ring_used(ring)->idx);
	while (fake_turn())
		;
	EXPECT_EQ(64, ring_used(ring)->idx);
}

TEST_F(balloon, a_run_of_pages_is_given_back_at_once_and_ends_at_its_gap)
{
	const uint32_t first = FIRST / PAGE;
	const uint32_t pfns[] = { first, first + 1, first + 2, first + 4 };

	send_pages(self, INFLATE, pfns, 4);
	EXPECT_EQ(0, value_of(self, FIRST + 2 * PAGE));
	EXPECT_EQ(0x5a, value_of(self, FIRST + 3 * PAGE));
	EXPECT_EQ(0, value_of(self, FIRST + 4 * PAGE));
	EXPECT_EQ(0x5a, value_of(self, FIRST + 5 * PAGE));
	EXPECT_EQ(4 * PAGE, virtio_balloon_get(self->device).taken);
}

TEST_HARNESS_MAIN
