// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the test device against QEMU's pc-testdev.
 */
#include <errno.h>
#include <string.h>

#include "kselftest_harness.h"

#include "dev/testdev.h"
#include "fakes.h"

FIXTURE(testdev)
{
	struct bus *bus;
	struct testdev *testdev;
	uint32_t lines;
	unsigned int calls;
};

static void set_line(void *opaque, unsigned int number, bool level)
{
	FIXTURE_DATA(testdev) *self = opaque;

	self->calls++;
	self->lines &= ~(1U << number);
	self->lines |= (uint32_t)level << number;
}

FIXTURE_SETUP(testdev)
{
	struct irq_line lines = { .set = set_line, .opaque = self };

	self->bus = bus_new();
	self->testdev = testdev_new(self->bus, &lines);
	ASSERT_NE(NULL, self->testdev);
}

FIXTURE_TEARDOWN(testdev)
{
	testdev_free(self->testdev);
	bus_free(self->bus);
}

TEST_F(testdev, second_one_on_the_same_bus_is_refused)
{
	struct irq_line lines = {};

	EXPECT_EQ(NULL, testdev_new(self->bus, &lines));
	EXPECT_EQ(EEXIST, errno);
}

TEST_F(testdev, echo_gives_back_what_is_written)
{
	out(self->bus, 0xe0, 0x12345678, 4);
	EXPECT_EQ(0x12345678, in(self->bus, 0xe0, 4));
	out(self->bus, 0xe0, 0xabcd, 2);
	EXPECT_EQ(0xabcd, in(self->bus, 0xe0, 2));
	EXPECT_EQ(0x1234abcd, in(self->bus, 0xe0, 4));
	outb(self->bus, 0xe3, 0x77);
	EXPECT_EQ(0x7734abcd, in(self->bus, 0xe0, 4));
	EXPECT_EQ(0x77, inb(self->bus, 0xe3));
}

TEST_F(testdev, echo_is_there_byte_by_byte_too)
{
	out(self->bus, 0xe8, 0x12345678, 4);
	EXPECT_EQ(0x12345678, in(self->bus, 0xe0, 4));
	EXPECT_EQ(0x12345678, in(self->bus, 0xe8, 4));
}

TEST_F(testdev, flush_port_takes_anything)
{
	out(self->bus, 0xe4, 0xffffffff, 4);
	EXPECT_EQ(0xffffffff, in(self->bus, 0xe4, 4));
}

TEST_F(testdev, each_line_follows_its_port)
{
	for (unsigned int i = 0; i < TESTDEV_LINES; i++) {
		outb(self->bus, 0x2000 + i, 1);
		EXPECT_EQ(1U << i, self->lines);
		outb(self->bus, 0x2000 + i, 0);
		EXPECT_EQ(0, self->lines);
	}
	outb(self->bus, 0x2000 + TESTDEV_LINES, 1);
	EXPECT_EQ(2 * TESTDEV_LINES, self->calls);
}

TEST_F(testdev, a_reset_lowers_the_lines_that_it_drives)
{
	outb(self->bus, 0x2005, 1);
	outb(self->bus, 0x2007, 1);
	outb(self->bus, 0x2007, 0);
	testdev_device.reset(self->testdev);
	EXPECT_EQ(0, self->lines);
	EXPECT_EQ(4, self->calls);
}

TEST_F(testdev, any_value_but_zero_raises_a_line)
{
	outb(self->bus, 0x2005, 0x80);
	EXPECT_EQ(0x20, self->lines);
}

TEST_F(testdev, memory_keeps_what_is_written)
{
	uint8_t bytes[16], found[16];

	for (size_t size = 1; size <= sizeof(bytes); size++) {
		memset(bytes, size, sizeof(bytes));
		bus_write(self->bus, BUS_MMIO, TESTDEV_MEMORY + 64 * size,
			  bytes, size);
	}
	for (size_t size = 1; size <= sizeof(bytes); size++) {
		memset(bytes, size, sizeof(bytes));
		bus_read(self->bus, BUS_MMIO, TESTDEV_MEMORY + 64 * size, found,
			 size);
		EXPECT_EQ(0, memcmp(bytes, found, size));
	}
}

TEST_F(testdev, access_over_the_end_of_memory_is_cut)
{
	uint64_t value = 0x1122334455667788;
	uint64_t last = TESTDEV_MEMORY + TESTDEV_MEMORY_SIZE - 4;

	bus_write(self->bus, BUS_MMIO, last, &value, 8);
	bus_read(self->bus, BUS_MMIO, last, &value, 8);
	EXPECT_EQ(0xffffffff55667788, value);
	bus_read(self->bus, BUS_MMIO, TESTDEV_MEMORY - 4, &value, 8);
	EXPECT_EQ(0x00000000ffffffff, value);
}

TEST_F(testdev, any_access_is_survived)
{
	fake_hammer(self->bus, 0xe0, 0xeb);
	fake_hammer(self->bus, 0x2000, 0x2000 + TESTDEV_LINES);
	out(self->bus, 0xe0, 5, 4);
	EXPECT_EQ(5, in(self->bus, 0xe0, 4));
}

TEST_HARNESS_MAIN
