// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the timer against the data sheet of the 8254.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kselftest_harness.h"

#include "dev/pit.h"
#include "fakes.h"

#define CHANNEL(n) (0x40 + (n))
#define CONTROL 0x43
#define SPEAKER 0x61

/* Control words: both bytes of the count, binary. */
#define MODE(channel, mode) ((channel) << 6 | 0x30 | (mode) << 1)
#define LATCH(channel) ((channel) << 6)

FIXTURE(pit)
{
	struct bus *bus;
	struct pit *pit;
	struct fake_line line;
	uint64_t start;
	uint64_t ticks;
};

FIXTURE_SETUP(pit)
{
	struct irq_line irq = fake_wire(&self->line);

	self->bus = bus_new();
	self->pit = pit_new(self->bus, NULL, &irq);
	ASSERT_NE(NULL, self->pit);
	self->start = fake_now;
}

FIXTURE_TEARDOWN(pit)
{
	pit_free(self->pit);
	bus_free(self->bus);
}

/* Changes a field of a byte in a record. */
static void change(struct record *record, uint32_t tag, uint8_t value)
{
	size_t at = 0;
	uint32_t head[2];

	for (;;) {
		memcpy(head, record->data + at, sizeof(head));
		at += sizeof(head);
		if (head[0] == tag)
			break;
		at += head[1];
	}
	record->data[at] = value;
}

/* Tags of a channel's fields. */
#define GATE(channel) (0x100 * (channel) + 4)
#define RUNNING(channel) (0x100 * (channel) + 7)

/*
 * A stopped channel 0 would have its next interrupt in the past, again and again.
 */
TEST_F(pit, a_state_that_no_guest_can_bring_about_is_refused)
{
	static const uint32_t tags[] = { GATE(0), GATE(1), RUNNING(0),
					 RUNNING(1) };

	pit_setup_as_bios(self->pit);
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		struct record record = { 0 };

		ASSERT_EQ(0, device_save(&pit_device, self->pit, &record));
		change(&record, tags[i], 0);
		EXPECT_EQ(-EINVAL,
			  device_load(&pit_device, self->pit, &record));
		free(record.data);
	}
}

/* Sleeps until the first nanosecond of the tick that is @count ahead. */
static void tick(FIXTURE_DATA(pit) * self, uint64_t count)
{
	uint64_t end;

	self->ticks += count;
	end = self->start + (self->ticks * SEC + PIT_HZ - 1) / PIT_HZ;
	fake_sleep(end - fake_now);
}

static void set_count(struct bus *bus, unsigned int channel, uint16_t count)
{
	outb(bus, CHANNEL(channel), count & 0xff);
	outb(bus, CHANNEL(channel), count >> 8);
}

/* Programs a channel; its count is in the counting element a tick later. */
static void start(FIXTURE_DATA(pit) * self, unsigned int channel,
		  unsigned int mode, uint16_t count)
{
	outb(self->bus, CONTROL, MODE(channel, mode));
	set_count(self->bus, channel, count);
	tick(self, 1);
}

static uint16_t get_count(struct bus *bus, unsigned int channel)
{
	uint16_t low;

	outb(bus, CONTROL, LATCH(channel));
	low = inb(bus, CHANNEL(channel));
	return low | inb(bus, CHANNEL(channel)) << 8;
}

static bool get_out(struct bus *bus)
{
	return inb(bus, SPEAKER) & 0x20;
}

static void set_gate(struct bus *bus, bool gate)
{
	outb(bus, SPEAKER, gate);
}

static uint8_t get_status(struct bus *bus, unsigned int channel)
{
	outb(bus, CONTROL, 0xe0 | 2 << channel);
	return inb(bus, CHANNEL(channel));
}

TEST_F(pit, second_one_on_the_same_bus_is_refused)
{
	struct irq_line irq = {};

	EXPECT_EQ(NULL, pit_new(self->bus, NULL, &irq));
	EXPECT_EQ(EEXIST, errno);
}

TEST_F(pit, control_word_cannot_be_read)
{
	EXPECT_EQ(0xff, inb(self->bus, CONTROL));
}

TEST_F(pit, mode_0_output_rises_when_the_count_is_out)
{
	set_gate(self->bus, true);
	start(self, 2, 0, 100);
	EXPECT_FALSE(get_out(self->bus));
	tick(self, 99);
	EXPECT_FALSE(get_out(self->bus));
	EXPECT_EQ(1, get_count(self->bus, 2));
	tick(self, 1);
	EXPECT_TRUE(get_out(self->bus));
	EXPECT_EQ(0, get_count(self->bus, 2));
	tick(self, 1);
	EXPECT_TRUE(get_out(self->bus));
	EXPECT_EQ(0xffff, get_count(self->bus, 2));
}

TEST_F(pit, mode_0_stops_while_the_gate_is_low)
{
	set_gate(self->bus, true);
	start(self, 2, 0, 100);
	tick(self, 40);
	set_gate(self->bus, false);
	tick(self, 1000);
	EXPECT_EQ(60, get_count(self->bus, 2));
	EXPECT_FALSE(get_out(self->bus));
	set_gate(self->bus, true);
	tick(self, 60);
	EXPECT_TRUE(get_out(self->bus));
}

TEST_F(pit, mode_0_stops_at_the_first_byte_of_a_new_count)
{
	set_gate(self->bus, true);
	start(self, 2, 0, 100);
	tick(self, 100);
	EXPECT_TRUE(get_out(self->bus));
	outb(self->bus, CHANNEL(2), 50);
	EXPECT_FALSE(get_out(self->bus));
	tick(self, 1000);
	EXPECT_FALSE(get_out(self->bus));
	outb(self->bus, CHANNEL(2), 0);
	tick(self, 51);
	EXPECT_TRUE(get_out(self->bus));
}

TEST_F(pit, mode_0_interrupts_once)
{
	start(self, 0, 0, 100);
	EXPECT_FALSE(self->line.level);
	tick(self, 99);
	EXPECT_EQ(0, self->line.rises);
	tick(self, 1);
	EXPECT_EQ(1, self->line.rises);
	tick(self, 1000000);
	EXPECT_EQ(1, self->line.rises);
	EXPECT_TRUE(self->line.level);
}

TEST_F(pit, mode_1_makes_a_pulse_when_the_gate_rises)
{
	start(self, 2, 1, 50);
	tick(self, 10);
	EXPECT_TRUE(get_out(self->bus));
	set_gate(self->bus, true);
	tick(self, 1);
	EXPECT_FALSE(get_out(self->bus));
	set_gate(self->bus, false);
	tick(self, 49);
	EXPECT_FALSE(get_out(self->bus));
	tick(self, 1);
	EXPECT_TRUE(get_out(self->bus));
}

TEST_F(pit, mode_1_can_be_triggered_again)
{
	start(self, 2, 1, 50);
	set_gate(self->bus, true);
	tick(self, 30);
	set_gate(self->bus, false);
	set_gate(self->bus, true);
	tick(self, 50);
	EXPECT_FALSE(get_out(self->bus));
	tick(self, 1);
	EXPECT_TRUE(get_out(self->bus));
}

TEST_F(pit, mode_1_takes_a_new_count_at_the_next_trigger)
{
	start(self, 2, 1, 50);
	set_gate(self->bus, true);
	set_count(self->bus, 2, 5);
	tick(self, 6);
	EXPECT_FALSE(get_out(self->bus));
	set_gate(self->bus, false);
	set_gate(self->bus, true);
	tick(self, 6);
	EXPECT_TRUE(get_out(self->bus));
}

TEST_F(pit, mode_2_is_low_for_one_tick_of_each_period)
{
	set_gate(self->bus, true);
	start(self, 2, 2, 3);
	for (int period = 0; period < 3; period++) {
		EXPECT_EQ(3, get_count(self->bus, 2));
		EXPECT_TRUE(get_out(self->bus));
		tick(self, 1);
		EXPECT_EQ(2, get_count(self->bus, 2));
		EXPECT_TRUE(get_out(self->bus));
		tick(self, 1);
		EXPECT_EQ(1, get_count(self->bus, 2));
		EXPECT_FALSE(get_out(self->bus));
		tick(self, 1);
	}
}

TEST_F(pit, mode_2_starts_over_when_the_gate_rises)
{
	set_gate(self->bus, true);
	start(self, 2, 2, 100);
	tick(self, 99);
	EXPECT_FALSE(get_out(self->bus));
	set_gate(self->bus, false);
	EXPECT_TRUE(get_out(self->bus));
	tick(self, 500);
	EXPECT_EQ(1, get_count(self->bus, 2));
	set_gate(self->bus, true);
	tick(self, 1);
	EXPECT_EQ(100, get_count(self->bus, 2));
}

TEST_F(pit, mode_2_takes_a_new_count_at_the_end_of_the_period)
{
	set_gate(self->bus, true);
	start(self, 2, 2, 100);
	tick(self, 40);
	set_count(self->bus, 2, 10);
	EXPECT_EQ(60, get_count(self->bus, 2));
	EXPECT_EQ(0xf4, get_status(self->bus, 2));
	tick(self, 60);
	EXPECT_EQ(10, get_count(self->bus, 2));
	EXPECT_EQ(0xb4, get_status(self->bus, 2));
	tick(self, 25);
	EXPECT_EQ(5, get_count(self->bus, 2));
}

TEST_F(pit, mode_3_is_a_square_wave)
{
	set_gate(self->bus, true);
	start(self, 2, 3, 6);
	for (int period = 0; period < 3; period++) {
		for (int i = 0; i < 6; i++) {
			EXPECT_EQ(i < 3, get_out(self->bus));
			EXPECT_EQ(6 - i % 3 * 2, get_count(self->bus, 2));
			tick(self, 1);
		}
	}
}

TEST_F(pit, mode_3_is_high_a_tick_longer_with_an_odd_count)
{
	set_gate(self->bus, true);
	start(self, 2, 3, 5);
	for (int period = 0; period < 3; period++) {
		for (int i = 0; i < 5; i++) {
			EXPECT_EQ(i < 3, get_out(self->bus));
			EXPECT_EQ(4 - i % 3 * 2, get_count(self->bus, 2));
			tick(self, 1);
		}
	}
}

TEST_F(pit, mode_3_takes_a_new_count_at_the_end_of_the_half)
{
	set_gate(self->bus, true);
	start(self, 2, 3, 100);
	tick(self, 20);
	set_count(self->bus, 2, 10);
	tick(self, 29);
	EXPECT_TRUE(get_out(self->bus));
	tick(self, 1);
	for (int i = 0; i < 20; i++) {
		EXPECT_EQ(i % 10 >= 5, get_out(self->bus));
		tick(self, 1);
	}
}

TEST_F(pit, mode_4_strobes_once)
{
	set_gate(self->bus, true);
	start(self, 2, 4, 100);
	tick(self, 99);
	EXPECT_TRUE(get_out(self->bus));
	tick(self, 1);
	EXPECT_FALSE(get_out(self->bus));
	tick(self, 1);
	EXPECT_TRUE(get_out(self->bus));
	tick(self, 65536 - 1);
	EXPECT_TRUE(get_out(self->bus));
}

TEST_F(pit, mode_4_interrupts_once)
{
	start(self, 0, 4, 100);
	self->line.rises = 0;
	tick(self, 100);
	EXPECT_EQ(0, self->line.rises);
	tick(self, 1);
	EXPECT_EQ(1, self->line.rises);
	tick(self, 1000000);
	EXPECT_EQ(1, self->line.rises);
}

TEST_F(pit, mode_5_strobes_after_the_gate_rises)
{
	start(self, 2, 5, 10);
	tick(self, 100);
	EXPECT_TRUE(get_out(self->bus));
	set_gate(self->bus, true);
	set_gate(self->bus, false);
	tick(self, 11);
	EXPECT_FALSE(get_out(self->bus));
	tick(self, 1);
	EXPECT_TRUE(get_out(self->bus));
}

TEST_F(pit, modes_6_and_7_are_2_and_3)
{
	outb(self->bus, CONTROL, MODE(2, 6));
	EXPECT_EQ(0x34, get_status(self->bus, 2) & 0x3f);
	outb(self->bus, CONTROL, MODE(2, 7));
	EXPECT_EQ(0x36, get_status(self->bus, 2) & 0x3f);
}

TEST_F(pit, count_zero_is_65536)
{
	set_gate(self->bus, true);
	start(self, 2, 0, 0);
	EXPECT_EQ(0, get_count(self->bus, 2));
	tick(self, 65535);
	EXPECT_FALSE(get_out(self->bus));
	tick(self, 1);
	EXPECT_TRUE(get_out(self->bus));
}

TEST_F(pit, bcd_counts_in_decimal)
{
	set_gate(self->bus, true);
	outb(self->bus, CONTROL, MODE(2, 0) | 1);
	set_count(self->bus, 2, 0x1000);
	tick(self, 2);
	EXPECT_EQ(0x0999, get_count(self->bus, 2));
	tick(self, 1000);
	EXPECT_EQ(0x9999, get_count(self->bus, 2));
	EXPECT_TRUE(get_out(self->bus));
}

TEST_F(pit, bcd_count_zero_is_10000)
{
	set_gate(self->bus, true);
	outb(self->bus, CONTROL, MODE(2, 0) | 1);
	set_count(self->bus, 2, 0);
	tick(self, 10000);
	EXPECT_FALSE(get_out(self->bus));
	tick(self, 1);
	EXPECT_TRUE(get_out(self->bus));
}

TEST_F(pit, one_byte_of_a_count_can_be_written_and_read)
{
	set_gate(self->bus, true);
	outb(self->bus, CONTROL, 0x80 | 0x10);
	outb(self->bus, CHANNEL(2), 0x80);
	tick(self, 1);
	EXPECT_EQ(0x80, inb(self->bus, CHANNEL(2)));
	EXPECT_EQ(0x80, inb(self->bus, CHANNEL(2)));
	outb(self->bus, CONTROL, 0x80 | 0x20);
	outb(self->bus, CHANNEL(2), 0x12);
	tick(self, 1);
	EXPECT_EQ(0x12, inb(self->bus, CHANNEL(2)));
	tick(self, 1);
	EXPECT_EQ(0x11, inb(self->bus, CHANNEL(2)));
}

TEST_F(pit, count_is_read_low_byte_first)
{
	start(self, 1, 2, 0x1234);
	EXPECT_EQ(0x34, inb(self->bus, CHANNEL(1)));
	EXPECT_EQ(0x12, inb(self->bus, CHANNEL(1)));
	EXPECT_EQ(0x34, inb(self->bus, CHANNEL(1)));
}

TEST_F(pit, latched_count_stands_still)
{
	start(self, 1, 2, 0x1234);
	outb(self->bus, CONTROL, LATCH(1));
	tick(self, 0x100);
	/* A second latch command is ignored. */
	outb(self->bus, CONTROL, LATCH(1));
	EXPECT_EQ(0x34, inb(self->bus, CHANNEL(1)));
	EXPECT_EQ(0x12, inb(self->bus, CHANNEL(1)));
	EXPECT_EQ(0x34, inb(self->bus, CHANNEL(1)));
	EXPECT_EQ(0x11, inb(self->bus, CHANNEL(1)));
}

TEST_F(pit, programming_drops_a_latched_count)
{
	start(self, 1, 2, 0x1234);
	outb(self->bus, CONTROL, LATCH(1));
	start(self, 1, 2, 0x5678);
	EXPECT_EQ(0x78, inb(self->bus, CHANNEL(1)));
}

TEST_F(pit, read_back_latches_status_and_count_of_several)
{
	set_gate(self->bus, true);
	start(self, 1, 2, 100);
	start(self, 2, 3, 200);
	outb(self->bus, CONTROL, 0xc0 | 0x0c);
	tick(self, 10);
	EXPECT_EQ(0xb4, inb(self->bus, CHANNEL(1)));
	EXPECT_EQ(99, inb(self->bus, CHANNEL(1)));
	EXPECT_EQ(0, inb(self->bus, CHANNEL(1)));
	EXPECT_EQ(0xb6, inb(self->bus, CHANNEL(2)));
	EXPECT_EQ(200, inb(self->bus, CHANNEL(2)));
	EXPECT_EQ(0, inb(self->bus, CHANNEL(2)));
}

TEST_F(pit, status_tells_that_no_count_is_loaded)
{
	outb(self->bus, CONTROL, MODE(2, 0) | 1);
	EXPECT_EQ(0x71, get_status(self->bus, 2));
	set_count(self->bus, 2, 5);
	EXPECT_EQ(0x31, get_status(self->bus, 2));
}

TEST_F(pit, speaker_port_keeps_its_low_bits)
{
	outb(self->bus, SPEAKER, 0xff);
	EXPECT_EQ(0x0f, inb(self->bus, SPEAKER) & 0xcf);
	outb(self->bus, SPEAKER, 0x00);
	EXPECT_EQ(0x00, inb(self->bus, SPEAKER) & 0xcf);
}

TEST_F(pit, refresh_bit_toggles)
{
	uint8_t first = inb(self->bus, SPEAKER) & 0x10;

	tick(self, 18);
	EXPECT_NE(first, inb(self->bus, SPEAKER) & 0x10);
	tick(self, 18);
	EXPECT_EQ(first, inb(self->bus, SPEAKER) & 0x10);
}

TEST_F(pit, periodic_modes_interrupt_each_period)
{
	for (unsigned int mode = 2; mode <= 3; mode++) {
		start(self, 0, mode, 11932);
		self->line.rises = 0;
		tick(self, 11931);
		EXPECT_EQ(0, self->line.rises);
		tick(self, 1);
		EXPECT_EQ(1, self->line.rises);
		tick(self, 11932 * 99);
		EXPECT_EQ(100, self->line.rises);
	}
}

TEST_F(pit, new_period_interrupts_at_its_own_time)
{
	start(self, 0, 3, 20000);
	self->line.rises = 0;
	tick(self, 5000);
	set_count(self->bus, 0, 10000);
	/* The rest of the high half, then a low half of the new count. */
	tick(self, 9999);
	EXPECT_EQ(0, self->line.rises);
	tick(self, 1);
	EXPECT_EQ(1, self->line.rises);
	tick(self, 10000);
	EXPECT_EQ(2, self->line.rises);
}

TEST_F(pit, late_host_discards_interrupts_but_one)
{
	start(self, 0, 2, 1193);
	self->line.rises = 0;
	fake_stall(SEC);
	self->ticks += PIT_HZ;
	fake_sleep(0);
	EXPECT_EQ(1, self->line.rises);
	tick(self, 1193);
	EXPECT_EQ(2, self->line.rises);
}

TEST_F(pit, shortest_periods_do_not_flood)
{
	for (uint16_t count = 1; count <= 3; count++) {
		start(self, 0, 2, count);
		self->line.rises = 0;
		tick(self, PIT_HZ);
		EXPECT_LT(10000, self->line.rises);
		EXPECT_GE(20000, self->line.rises);
	}
}

TEST_F(pit, reprogramming_stops_interrupts)
{
	start(self, 0, 2, 1000);
	outb(self->bus, CONTROL, MODE(0, 2));
	self->line.rises = 0;
	tick(self, 100000);
	EXPECT_EQ(0, self->line.rises);
}

TEST_F(pit, bios_ticks_every_65536)
{
	pit_setup_as_bios(self->pit);
	tick(self, 65536);
	EXPECT_EQ(0, self->line.rises);
	tick(self, 1);
	EXPECT_EQ(1, self->line.rises);
	tick(self, 65536 * 9);
	EXPECT_EQ(10, self->line.rises);
}

TEST_F(pit, linux_calibration_loop_ends)
{
	unsigned int polls = 0;

	outb(self->bus, SPEAKER, (inb(self->bus, SPEAKER) & ~2) | 1);
	outb(self->bus, CONTROL, 0xb0);
	set_count(self->bus, 2, PIT_HZ / 20);
	while (!(inb(self->bus, SPEAKER) & 0x20) && polls < 1000) {
		fake_sleep(100 * USEC);
		polls++;
	}
	EXPECT_LE(500, polls);
	EXPECT_GE(501, polls);
}

TEST_F(pit, any_access_is_survived)
{
	for (int control = 0; control < 256; control++) {
		outb(self->bus, CONTROL, control);
		for (unsigned int channel = 0; channel < 3; channel++) {
			set_count(self->bus, channel, control * 0x0101 | 0xf0);
			set_gate(self->bus, control & 1);
			fake_sleep(USEC);
			set_count(self->bus, channel, control & 3);
			set_gate(self->bus, !(control & 1));
			fake_sleep(3 * USEC);
			inb(self->bus, CHANNEL(channel));
		}
	}
	fake_hammer(self->bus, CHANNEL(0), CONTROL);
	fake_hammer(self->bus, SPEAKER, SPEAKER);
	start(self, 1, 2, 0x1234);
	EXPECT_EQ(0x30, get_status(self->bus, 1) & 0x30);
}

TEST_HARNESS_MAIN
