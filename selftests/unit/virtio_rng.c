// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the entropy device.
 */
#include <linux/virtio_ids.h>

#include "kselftest_harness.h"

#include "fakes.h"
#include "virtio/rng.h"
#include "virtio_guest.h"

#define V1 (1ULL << VIRTIO_F_VERSION_1)
#define DATA 0x10000ULL

FIXTURE(rng)
{
	struct guest guest;
	void *device;
};

FIXTURE_SETUP(rng)
{
	guest_init(&self->guest);
	self->device = virtio_rng_device.make(&self->guest.board, NULL, NULL);
	ASSERT_NE(NULL, self->device);
	ASSERT_TRUE(guest_start(&self->guest, V1));
}

FIXTURE_TEARDOWN(rng)
{
	virtio_rng_device.free(self->device);
	guest_fini(&self->guest);
}

/* Return: how many bytes a request for @size is answered with. */
static uint32_t ask(FIXTURE_DATA(rng) * self, uint32_t size, uint16_t flags)
{
	struct ring *ring = &self->guest.rings[0];
	uint32_t head, written;

	ring_send(ring, 2, DATA, size, flags);
	guest_kick(&self->guest, 0);
	return ring_take(ring, &head, &written) && head == 2 ? written :
							       UINT32_MAX;
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i])
			return false;
	return true;
}

TEST_F(rng, is_an_entropy_device)
{
	EXPECT_EQ(0x1af4, guest_config(&self->guest, PCI_VENDOR_ID, 2));
	EXPECT_EQ(0x1040 + VIRTIO_ID_RNG,
		  guest_config(&self->guest, PCI_DEVICE_ID, 2));
	EXPECT_EQ(1, guest_common(&self->guest, VIRTIO_PCI_COMMON_NUMQ, 2));
}

TEST_F(rng, fills_a_buffer_with_bytes_and_nothing_behind_it)
{
	const uint8_t *bytes = ram_at(self->guest.ram, DATA, 4096);

	EXPECT_EQ(64, ask(self, 64, VRING_DESC_F_WRITE));
	EXPECT_FALSE(is_zero(bytes, 64));
	EXPECT_TRUE(is_zero(bytes + 64, 4096 - 64));
}

TEST_F(rng, gives_other_bytes_each_time)
{
	const uint8_t *bytes = ram_at(self->guest.ram, DATA, 64);
	uint8_t before[64];

	ask(self, 64, VRING_DESC_F_WRITE);
	memcpy(before, bytes, sizeof(before));
	ask(self, 64, VRING_DESC_F_WRITE);
	EXPECT_NE(0, memcmp(before, bytes, sizeof(before)));
}

TEST_F(rng, huge_buffer_gets_some_bytes)
{
	const uint32_t size = GUEST_RAM - DATA;
	uint32_t written;

	/* The rings are in the buffer, but not in what is written. */
	written = ask(self, size, VRING_DESC_F_WRITE);
	EXPECT_GT(written, 0);
	EXPECT_LT(written, 4096);
}

TEST_F(rng, buffer_that_cannot_be_written_gets_nothing)
{
	EXPECT_EQ(0, ask(self, 64, 0));
	EXPECT_TRUE(is_zero(ram_at(self->guest.ram, DATA, 64), 64));
}

TEST_F(rng, many_requests_at_once_are_all_served)
{
	struct ring *ring = &self->guest.rings[0];
	uint32_t head, written;

	for (unsigned int round = 0; round < 5; round++) {
		for (unsigned int i = 0; i < ring->size; i++)
			ring_send(ring, i, DATA + i * 64, 64,
				  VRING_DESC_F_WRITE);
		guest_kick(&self->guest, 0);
		for (unsigned int i = 0; i < ring->size; i++) {
			ASSERT_TRUE(ring_take(ring, &head, &written));
			EXPECT_EQ(i, head);
			EXPECT_EQ(64, written);
		}
	}
}

TEST_HARNESS_MAIN
