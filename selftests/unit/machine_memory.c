// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the memory slots of devices: where the guest sees their memory.
 */
#include "machine/memory.h"

#include <errno.h>

#include "board/pci.h"
#include "fake_lodge.h"
#include "kselftest_harness.h"

#define MIB (1ULL << 20)
#define VM 5

static char memory[2 * MIB];

FIXTURE(slots)
{
	struct ram *ram;
	struct memory_room room;
	uint64_t last;
};

FIXTURE_SETUP(slots)
{
	self->ram = ram_new(16 * MIB);
	ASSERT_NE(NULL, self->ram);
	self->room = (struct memory_room){};
	pci_window(self->ram, &self->last);
}

FIXTURE_TEARDOWN(slots)
{
	ram_free(self->ram);
}

static int add(FIXTURE_DATA(slots) * self, uint64_t size, uint64_t *start)
{
	return memory_add(VM, self->ram, &self->room, size, memory, false,
			  start);
}

TEST_F(slots, memory_of_a_device_is_behind_the_window_of_pci)
{
	uint64_t start = 0;

	ASSERT_EQ(0, add(self, 2 * MIB, &start));
	EXPECT_EQ(self->last + 1, start);
	EXPECT_EQ(0, start % (2 * MIB));
	EXPECT_EQ(memory + 1, fake_memory(start + 1));
}

TEST_F(slots, memory_of_the_next_device_is_behind_it)
{
	uint64_t first = 0, second = 0;

	ASSERT_EQ(0, add(self, 2 * MIB, &first));
	ASSERT_EQ(0, add(self, 2 * MIB, &second));
	EXPECT_EQ(first + 2 * MIB, second);
	/* It has not taken the first one's slot. */
	EXPECT_EQ(memory + 1, fake_memory(first + 1));
}

TEST_F(slots, memory_beyond_all_addresses_is_refused)
{
	uint64_t start = 0;

	EXPECT_EQ(-EFBIG, add(self, -2 * MIB, &start));
	ASSERT_EQ(0, add(self, 2 * MIB, &start));
	EXPECT_EQ(-EFBIG, add(self, -2 * MIB, &start));
	EXPECT_EQ(-EFBIG, add(self, -4 * MIB, &start));
	EXPECT_EQ(2 * MIB, self->room.used);
	EXPECT_EQ(1, self->room.slots);
}

TEST_HARNESS_MAIN
