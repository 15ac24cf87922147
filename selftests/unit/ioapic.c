// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the I/O APIC against the data sheet of the 82093AA.
 */
#include <errno.h>
#include <string.h>

#include "kselftest_harness.h"

#include "dev/ioapic.h"
#include "fakes.h"

#define SELECT IOAPIC_BASE
#define WINDOW (IOAPIC_BASE + 0x10)
#define EOI (IOAPIC_BASE + 0x40)

#define LEVEL 0x8000
#define LOGICAL 0x0800
#define ACTIVE_LOW 0x2000
#define REMOTE_IRR 0x4000
#define STATUS 0x1000
#define MASKED 0x10000

FIXTURE(ioapic)
{
	struct bus *bus;
	struct ioapic *ioapic;
	unsigned int messages;
	uint64_t address;
	uint32_t data;
	bool refuse;
};

static bool take(void *opaque, uint64_t address, uint32_t data)
{
	FIXTURE_DATA(ioapic) *self = opaque;

	self->messages++;
	self->address = address;
	self->data = data;
	return !self->refuse;
}

FIXTURE_SETUP(ioapic)
{
	struct ioapic_config config = {
		.id = 3,
		.msi = take,
		.opaque = self,
	};

	self->bus = bus_new();
	config.bus = self->bus;
	self->ioapic = ioapic_new(&config);
	ASSERT_NE(NULL, self->ioapic);
}

FIXTURE_TEARDOWN(ioapic)
{
	ioapic_free(self->ioapic);
	bus_free(self->bus);
}

static void write32(struct bus *bus, uint64_t address, uint32_t value)
{
	bus_write(bus, BUS_MMIO, address, &value, sizeof(value));
}

static uint32_t read32(struct bus *bus, uint64_t address)
{
	uint32_t value = 0;

	bus_read(bus, BUS_MMIO, address, &value, sizeof(value));
	return value;
}

static uint32_t get(struct bus *bus, uint8_t number)
{
	write32(bus, SELECT, number);
	return read32(bus, WINDOW);
}

static void set(struct bus *bus, uint8_t number, uint32_t value)
{
	write32(bus, SELECT, number);
	write32(bus, WINDOW, value);
}

static void set_pin(struct bus *bus, unsigned int pin, uint32_t low)
{
	set(bus, 0x10 + 2 * pin, low);
}

static uint32_t get_pin(struct bus *bus, unsigned int pin)
{
	return get(bus, 0x10 + 2 * pin);
}

TEST_F(ioapic, second_one_at_the_same_place_is_refused)
{
	struct ioapic_config config = { .bus = self->bus };

	EXPECT_EQ(NULL, ioapic_new(&config));
	EXPECT_EQ(EEXIST, errno);
}

TEST_F(ioapic, version_tells_24_pins_and_an_eoi_register)
{
	EXPECT_EQ(0x00170020, get(self->bus, 1));
	set(self->bus, 1, 0);
	EXPECT_EQ(0x00170020, get(self->bus, 1));
}

TEST_F(ioapic, id_can_be_changed_and_arbitrates)
{
	EXPECT_EQ(0x03000000, get(self->bus, 0));
	set(self->bus, 0, 0xffffffff);
	EXPECT_EQ(0x0f000000, get(self->bus, 0));
	EXPECT_EQ(0x0f000000, get(self->bus, 2));
}

TEST_F(ioapic, select_register_reads_back)
{
	write32(self->bus, SELECT, 0x1234);
	EXPECT_EQ(0x34, read32(self->bus, SELECT));
}

TEST_F(ioapic, all_pins_start_masked)
{
	for (unsigned int pin = 0; pin < IOAPIC_PINS; pin++) {
		EXPECT_EQ(MASKED, get_pin(self->bus, pin));
		ioapic_line_set(self->ioapic, pin, true);
	}
	EXPECT_EQ(0, self->messages);
}

TEST_F(ioapic, entry_keeps_all_but_its_read_only_bits)
{
	set(self->bus, 0x10, 0xffffffff);
	set(self->bus, 0x11, 0xffffffff);
	EXPECT_EQ(0x0001afff, get(self->bus, 0x10));
	EXPECT_EQ(0xff000000, get(self->bus, 0x11));
}

TEST_F(ioapic, edge_sends_one_message)
{
	set_pin(self->bus, 4, 0x31);
	ioapic_line_set(self->ioapic, 4, true);
	EXPECT_EQ(1, self->messages);
	EXPECT_EQ(0xfee00000, self->address);
	EXPECT_EQ(0x31, self->data);
	ioapic_line_set(self->ioapic, 4, true);
	ioapic_line_set(self->ioapic, 4, false);
	EXPECT_EQ(1, self->messages);
	ioapic_line_set(self->ioapic, 4, true);
	EXPECT_EQ(2, self->messages);
	EXPECT_EQ(0x31, get_pin(self->bus, 4));
}

TEST_F(ioapic, destination_and_mode_are_in_the_address)
{
	set(self->bus, 0x19, 0x5a000000);
	set_pin(self->bus, 4, 0x31 | LOGICAL);
	ioapic_line_set(self->ioapic, 4, true);
	EXPECT_EQ(0xfee5a004, self->address);
}

TEST_F(ioapic, every_delivery_mode_is_passed_on)
{
	for (uint32_t mode = 0; mode < 8; mode++) {
		set_pin(self->bus, 4, 0x40 | mode << 8);
		ioapic_line_set(self->ioapic, 4, true);
		ioapic_line_set(self->ioapic, 4, false);
		EXPECT_EQ(mode + 1, self->messages);
		EXPECT_EQ(0x40 | mode << 8, self->data);
	}
}

TEST_F(ioapic, edge_at_a_masked_pin_is_lost)
{
	set_pin(self->bus, 4, 0x31 | MASKED);
	ioapic_line_set(self->ioapic, 4, true);
	ioapic_line_set(self->ioapic, 4, false);
	set_pin(self->bus, 4, 0x31);
	EXPECT_EQ(0, self->messages);
}

TEST_F(ioapic, level_sends_one_message_until_its_end)
{
	set_pin(self->bus, 9, 0x51 | LEVEL);
	ioapic_line_set(self->ioapic, 9, true);
	EXPECT_EQ(1, self->messages);
	EXPECT_EQ(0xc051, self->data);
	EXPECT_EQ(0x51 | LEVEL | REMOTE_IRR, get_pin(self->bus, 9));
	ioapic_line_set(self->ioapic, 9, false);
	ioapic_line_set(self->ioapic, 9, true);
	EXPECT_EQ(1, self->messages);
	ioapic_line_set(self->ioapic, 9, false);
	ioapic_eoi(self->ioapic, 0x51);
	EXPECT_EQ(1, self->messages);
	EXPECT_EQ(0x51 | LEVEL, get_pin(self->bus, 9));
}

TEST_F(ioapic, level_that_stays_interrupts_again_at_the_end)
{
	set_pin(self->bus, 9, 0x51 | LEVEL);
	ioapic_line_set(self->ioapic, 9, true);
	ioapic_eoi(self->ioapic, 0x51);
	EXPECT_EQ(2, self->messages);
	EXPECT_EQ(0x51 | LEVEL | REMOTE_IRR, get_pin(self->bus, 9));
}

TEST_F(ioapic, end_of_another_vector_changes_nothing)
{
	set_pin(self->bus, 9, 0x51 | LEVEL);
	ioapic_line_set(self->ioapic, 9, true);
	ioapic_eoi(self->ioapic, 0x52);
	ioapic_eoi(self->ioapic, 0x151);
	EXPECT_EQ(1, self->messages);
	EXPECT_EQ(0x51 | LEVEL | REMOTE_IRR, get_pin(self->bus, 9));
}

TEST_F(ioapic, pins_that_share_a_vector_end_together)
{
	set_pin(self->bus, 9, 0x51 | LEVEL);
	set_pin(self->bus, 10, 0x51 | LEVEL);
	ioapic_line_set(self->ioapic, 9, true);
	ioapic_line_set(self->ioapic, 10, true);
	ioapic_line_set(self->ioapic, 9, false);
	ioapic_eoi(self->ioapic, 0x51);
	EXPECT_EQ(3, self->messages);
	EXPECT_EQ(0x51 | LEVEL, get_pin(self->bus, 9));
	EXPECT_EQ(0x51 | LEVEL | REMOTE_IRR, get_pin(self->bus, 10));
}

TEST_F(ioapic, eoi_register_ends_an_interrupt)
{
	set_pin(self->bus, 9, 0x51 | LEVEL);
	ioapic_line_set(self->ioapic, 9, true);
	ioapic_line_set(self->ioapic, 9, false);
	write32(self->bus, EOI, 0x51);
	EXPECT_EQ(0x51 | LEVEL, get_pin(self->bus, 9));
}

TEST_F(ioapic, level_at_a_masked_pin_waits_for_unmasking)
{
	set_pin(self->bus, 9, 0x51 | LEVEL | MASKED);
	ioapic_line_set(self->ioapic, 9, true);
	EXPECT_EQ(0, self->messages);
	set_pin(self->bus, 9, 0x51 | LEVEL);
	EXPECT_EQ(1, self->messages);
}

TEST_F(ioapic, masking_does_not_end_a_level_served)
{
	set_pin(self->bus, 9, 0x51 | LEVEL);
	ioapic_line_set(self->ioapic, 9, true);
	set_pin(self->bus, 9, 0x51 | LEVEL | MASKED);
	set_pin(self->bus, 9, 0x51 | LEVEL);
	EXPECT_EQ(1, self->messages);
	EXPECT_EQ(0x51 | LEVEL | REMOTE_IRR, get_pin(self->bus, 9));
}

TEST_F(ioapic, switching_to_edge_forgets_the_level_served)
{
	set_pin(self->bus, 9, 0x51 | LEVEL);
	ioapic_line_set(self->ioapic, 9, true);
	set_pin(self->bus, 9, 0x51 | MASKED);
	EXPECT_EQ(0x51 | MASKED, get_pin(self->bus, 9));
	set_pin(self->bus, 9, 0x51 | LEVEL);
	EXPECT_EQ(2, self->messages);
}

TEST_F(ioapic, read_only_bits_cannot_be_set)
{
	set_pin(self->bus, 9, 0x51 | LEVEL | REMOTE_IRR | STATUS);
	EXPECT_EQ(0x51 | LEVEL, get_pin(self->bus, 9));
}

TEST_F(ioapic, polarity_is_kept_and_inverts_nothing)
{
	set_pin(self->bus, 9, 0x51 | LEVEL | ACTIVE_LOW);
	EXPECT_EQ(0, self->messages);
	ioapic_line_set(self->ioapic, 9, true);
	EXPECT_EQ(1, self->messages);
	EXPECT_EQ(0x51 | LEVEL | ACTIVE_LOW | REMOTE_IRR,
		  get_pin(self->bus, 9));
}

TEST_F(ioapic, level_that_nobody_takes_is_not_being_served)
{
	self->refuse = true;
	set_pin(self->bus, 9, 0x51 | LEVEL);
	ioapic_line_set(self->ioapic, 9, true);
	EXPECT_EQ(0x51 | LEVEL, get_pin(self->bus, 9));
	self->refuse = false;
	set_pin(self->bus, 9, 0x52 | LEVEL);
	EXPECT_EQ(0x52 | LEVEL | REMOTE_IRR, get_pin(self->bus, 9));
}

TEST_F(ioapic, registers_that_do_not_exist_read_as_zero)
{
	set(self->bus, 0x10 + 2 * IOAPIC_PINS, 0);
	for (int number = 3; number < 0x10; number++)
		EXPECT_EQ(0, get(self->bus, number));
	for (int number = 0x10 + 2 * IOAPIC_PINS; number < 0x100; number++)
		EXPECT_EQ(0, get(self->bus, number));
	EXPECT_EQ(0, read32(self->bus, IOAPIC_BASE + 0x20));
}

TEST_F(ioapic, pin_that_does_not_exist_is_ignored)
{
	ioapic_line_set(self->ioapic, IOAPIC_PINS, true);
	ioapic_line_set(self->ioapic, ~0U, true);
	EXPECT_EQ(0, self->messages);
}

TEST_F(ioapic, narrow_write_to_the_window_is_dropped)
{
	uint16_t value = 0x31;

	write32(self->bus, SELECT, 0x10);
	bus_write(self->bus, BUS_MMIO, WINDOW, &value, sizeof(value));
	EXPECT_EQ(MASKED, get_pin(self->bus, 0));
}

TEST_F(ioapic, any_access_is_survived)
{
	uint8_t bytes[16];

	for (uint64_t at = IOAPIC_BASE - 16; at < IOAPIC_BASE + 0x60; at++) {
		for (size_t size = 1; size <= 16; size++) {
			memset(bytes, at * 31 + size, sizeof(bytes));
			bus_write(self->bus, BUS_MMIO, at, bytes, size);
			bus_read(self->bus, BUS_MMIO, at, bytes, size);
		}
	}
	bus_read(self->bus, BUS_MMIO, IOAPIC_BASE + 0xfff, bytes, 16);
	EXPECT_EQ(0x00170020, get(self->bus, 1));
}

TEST_HARNESS_MAIN
