// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the real-time clock against the data sheet of the MC146818A.
 */
#include <errno.h>
#include <stdlib.h>

#include "kselftest_harness.h"

#include "dev/rtc.h"
#include "fakes.h"

#define INDEX 0x70
#define DATA 0x71

/* 2001-09-09 01:46:40 UTC, a Sunday. */
#define BILLION 1000000000LL

#define UIP 0x80
#define SET 0x80
#define PIE 0x40
#define AIE 0x20
#define UIE 0x10
#define BINARY 0x04
#define H24 0x02

FIXTURE(rtc)
{
	struct bus *bus;
	struct rtc *rtc;
	struct fake_line line;
};

static uint64_t fake_epoch;
static int64_t fake_wall = BILLION * BILLION;

static int64_t wall_clock(void)
{
	return fake_wall + (int64_t)(loop_now(NULL) - fake_epoch);
}

FIXTURE_SETUP(rtc)
{
	struct rtc_config config = {
		.irq = fake_wire(&self->line),
		.wall_clock = wall_clock,
		.ram_low = 0xc0000000,
		.ram_high = 0x123450000,
	};

	fake_epoch = loop_now(NULL);
	self->bus = bus_new();
	config.bus = self->bus;
	self->rtc = rtc_new(&config);
	ASSERT_NE(NULL, self->rtc);
}

FIXTURE_TEARDOWN(rtc)
{
	rtc_free(self->rtc);
	bus_free(self->bus);
}

static uint8_t get(struct bus *bus, uint8_t number)
{
	outb(bus, INDEX, number);
	return inb(bus, DATA);
}

static void set(struct bus *bus, uint8_t number, uint8_t value)
{
	outb(bus, INDEX, number);
	outb(bus, DATA, value);
}

TEST_F(rtc, second_one_on_the_same_bus_is_refused)
{
	struct rtc_config config = { .bus = self->bus };

	EXPECT_EQ(NULL, rtc_new(&config));
	EXPECT_EQ(EEXIST, errno);
}

TEST_F(rtc, time_of_day_is_the_hosts_in_bcd)
{
	EXPECT_EQ(0x40, get(self->bus, 0));
	EXPECT_EQ(0x46, get(self->bus, 2));
	EXPECT_EQ(0x01, get(self->bus, 4));
	EXPECT_EQ(0x01, get(self->bus, 6));
	EXPECT_EQ(0x09, get(self->bus, 7));
	EXPECT_EQ(0x09, get(self->bus, 8));
	EXPECT_EQ(0x01, get(self->bus, 9));
	EXPECT_EQ(0x20, get(self->bus, 0x32));
}

TEST_F(rtc, time_goes_on)
{
	fake_sleep(20 * SEC);
	EXPECT_EQ(0x00, get(self->bus, 0));
	EXPECT_EQ(0x47, get(self->bus, 2));
}

TEST_F(rtc, binary_mode_shows_numbers)
{
	set(self->bus, 0x0b, H24 | BINARY);
	EXPECT_EQ(40, get(self->bus, 0));
	EXPECT_EQ(46, get(self->bus, 2));
	EXPECT_EQ(1, get(self->bus, 9));
	EXPECT_EQ(20, get(self->bus, 0x32));
}

TEST_F(rtc, hours_of_twelve_have_a_pm_bit)
{
	static const uint8_t hours[24] = {
		0x12, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
		0x08, 0x09, 0x10, 0x11, 0x92, 0x81, 0x82, 0x83,
		0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x90, 0x91,
	};

	set(self->bus, 0x0b, 0);
	for (int i = 1; i < 25; i++) {
		EXPECT_EQ(hours[i % 24], get(self->bus, 4));
		fake_sleep(3600 * SEC);
	}
}

TEST_F(rtc, guest_sets_the_time)
{
	set(self->bus, 0x0b, SET | H24);
	set(self->bus, 0, 0x58);
	set(self->bus, 2, 0x59);
	set(self->bus, 4, 0x23);
	set(self->bus, 7, 0x28);
	set(self->bus, 8, 0x02);
	set(self->bus, 9, 0x24);
	set(self->bus, 0x32, 0x20);
	set(self->bus, 0x0b, H24);
	fake_sleep(2 * SEC);
	EXPECT_EQ(0x00, get(self->bus, 0));
	EXPECT_EQ(0x00, get(self->bus, 4));
	EXPECT_EQ(0x29, get(self->bus, 7));
	EXPECT_EQ(0x02, get(self->bus, 8));
	/* A Thursday. */
	EXPECT_EQ(0x05, get(self->bus, 6));
}

TEST_F(rtc, guest_sets_the_time_in_twelve_hours)
{
	set(self->bus, 0x0b, SET);
	set(self->bus, 4, 0x92);
	set(self->bus, 0x0b, 0);
	set(self->bus, 0x0b, H24);
	EXPECT_EQ(0x12, get(self->bus, 4));
	set(self->bus, 0x0b, SET);
	set(self->bus, 4, 0x12);
	set(self->bus, 0x0b, 0);
	set(self->bus, 0x0b, H24);
	EXPECT_EQ(0x00, get(self->bus, 4));
}

TEST_F(rtc, clock_stands_while_it_is_set)
{
	set(self->bus, 0x0b, SET | H24);
	fake_sleep(100 * SEC);
	EXPECT_EQ(0x40, get(self->bus, 0));
	EXPECT_EQ(0, get(self->bus, 0x0c) & 0x30);
	set(self->bus, 0x0b, H24);
	EXPECT_EQ(0x40, get(self->bus, 0));
	fake_sleep(SEC);
	EXPECT_EQ(0x41, get(self->bus, 0));
}

TEST_F(rtc, time_can_be_written_while_the_clock_runs)
{
	set(self->bus, 4, 0x15);
	fake_sleep(SEC);
	EXPECT_EQ(0x15, get(self->bus, 4));
	EXPECT_EQ(0x41, get(self->bus, 0));
}

TEST_F(rtc, divider_reset_makes_the_first_update_half_a_second_later)
{
	fake_sleep(123 * MSEC);
	set(self->bus, 0x0a, 0x76);
	fake_sleep(SEC);
	EXPECT_EQ(0x40, get(self->bus, 0));
	set(self->bus, 0x0a, 0x26);
	fake_sleep(499 * MSEC);
	EXPECT_EQ(0x40, get(self->bus, 0));
	fake_sleep(MSEC);
	EXPECT_EQ(0x41, get(self->bus, 0));
}

TEST_F(rtc, update_in_progress_shows_before_the_second_ends)
{
	EXPECT_EQ(0x26, get(self->bus, 0x0a));
	fake_sleep(SEC - 245 * USEC);
	EXPECT_EQ(0x26, get(self->bus, 0x0a));
	fake_sleep(2 * USEC);
	EXPECT_EQ(UIP | 0x26, get(self->bus, 0x0a));
	fake_sleep(243 * USEC);
	EXPECT_EQ(0x26, get(self->bus, 0x0a));
}

TEST_F(rtc, update_in_progress_cannot_be_written)
{
	set(self->bus, 0x0a, 0xff & ~0x50);
	EXPECT_EQ(0x2f, get(self->bus, 0x0a));
}

TEST_F(rtc, no_update_is_in_progress_while_set)
{
	set(self->bus, 0x0b, SET | H24);
	fake_sleep(SEC - 100 * USEC);
	EXPECT_EQ(0x26, get(self->bus, 0x0a));
}

TEST_F(rtc, update_interrupts_each_second)
{
	set(self->bus, 0x0b, H24 | UIE);
	fake_sleep(SEC - 1);
	EXPECT_FALSE(self->line.level);
	fake_sleep(1);
	EXPECT_TRUE(self->line.level);
	EXPECT_EQ(0x90, get(self->bus, 0x0c) & 0xb0);
	EXPECT_FALSE(self->line.level);
	EXPECT_EQ(0x00, get(self->bus, 0x0c));
	fake_sleep(SEC);
	EXPECT_EQ(2, self->line.rises);
}

TEST_F(rtc, flags_rise_without_interrupts_too)
{
	fake_sleep(SEC);
	EXPECT_EQ(0x50, get(self->bus, 0x0c));
	EXPECT_EQ(0, self->line.rises);
}

TEST_F(rtc, enabling_an_interrupt_whose_flag_is_up_raises_the_line)
{
	fake_sleep(SEC);
	set(self->bus, 0x0b, H24 | UIE);
	EXPECT_TRUE(self->line.level);
	set(self->bus, 0x0b, H24);
	EXPECT_FALSE(self->line.level);
}

TEST_F(rtc, setting_takes_back_the_update_interrupt)
{
	set(self->bus, 0x0b, H24 | UIE);
	set(self->bus, 0x0b, H24 | UIE | SET);
	EXPECT_EQ(H24 | SET, get(self->bus, 0x0b));
}

TEST_F(rtc, alarm_interrupts_at_its_time)
{
	set(self->bus, 5, 0x01);
	set(self->bus, 3, 0x50);
	set(self->bus, 1, 0x10);
	set(self->bus, 0x0b, H24 | AIE);
	fake_sleep(210 * SEC - 1);
	EXPECT_FALSE(self->line.level);
	fake_sleep(1);
	EXPECT_TRUE(self->line.level);
	EXPECT_EQ(0xa0, get(self->bus, 0x0c) & 0xa0);
	fake_sleep(86400 * SEC);
	EXPECT_EQ(2, self->line.rises);
}

TEST_F(rtc, alarm_bytes_can_match_anything)
{
	set(self->bus, 5, 0xc0);
	set(self->bus, 3, 0xff);
	set(self->bus, 1, 0x05);
	set(self->bus, 0x0b, H24 | AIE);
	for (int i = 0; i < 5; i++) {
		fake_sleep((i ? 60 : 25) * SEC);
		EXPECT_TRUE(self->line.level);
		get(self->bus, 0x0c);
	}
}

TEST_F(rtc, alarm_that_matches_no_time_never_comes)
{
	set(self->bus, 5, 0x25);
	set(self->bus, 3, 0xff);
	set(self->bus, 1, 0xff);
	set(self->bus, 0x0b, H24 | AIE);
	fake_sleep(3 * 86400 * SEC);
	EXPECT_EQ(0, self->line.rises);
	EXPECT_EQ(0x50, get(self->bus, 0x0c));
}

/* While the machine is paused or the host is suspended, the wall clock runs on. */
TEST_F(rtc, an_alarm_comes_soon_after_the_wall_clock_has_jumped_over_it)
{
	set(self->bus, 1, 0x40);
	set(self->bus, 3, 0x50);
	set(self->bus, 5, 0x01);
	set(self->bus, 0x0b, H24 | AIE);
	fake_sleep(SEC);
	EXPECT_FALSE(self->line.level);
	fake_wall += 3600 * BILLION;
	fake_sleep(SEC);
	EXPECT_TRUE(self->line.level);
}

/* Searches second by second, by the data sheet's rule. */
static int seconds_to_alarm(const uint8_t alarm[3], int hour, int minute,
			    int second)
{
	for (int i = 1; i <= 86400; i++) {
		int now = (hour * 3600 + minute * 60 + second + i) % 86400;
		int shown[3] = { now % 60, now / 60 % 60, now / 3600 };
		bool match = true;

		for (int j = 0; j < 3; j++)
			match &= (alarm[j] & 0xc0) == 0xc0 ||
				 alarm[j] == shown[j];
		if (match)
			return i;
	}
	return -1;
}

TEST_F(rtc, every_kind_of_alarm_comes_at_its_first_time)
{
	static const uint8_t values[] = { 0, 1, 40, 59, 60, 0xbf, 0xc0, 0xff };
	uint8_t alarm[3];

	set(self->bus, 0x0b, H24 | BINARY);
	for (int i = 0; i < 512; i++) {
		int wait;

		for (int j = 0; j < 3; j++) {
			alarm[j] = values[i >> 3 * j & 7];
			set(self->bus, 1 + 2 * j, alarm[j]);
		}
		wait = seconds_to_alarm(alarm, get(self->bus, 4),
					get(self->bus, 2), get(self->bus, 0));
		get(self->bus, 0x0c);
		fake_wall += ((wait < 0 ? 86400 : wait) - 1) * BILLION;
		EXPECT_EQ(0, get(self->bus, 0x0c) & AIE);
		fake_wall += BILLION;
		EXPECT_EQ(wait < 0 ? 0 : AIE, get(self->bus, 0x0c) & AIE);
	}
}

TEST_F(rtc, alarm_in_the_past_of_a_stalled_host_is_found)
{
	set(self->bus, 5, 0xff);
	set(self->bus, 3, 0xff);
	set(self->bus, 1, 0x45);
	fake_stall(10 * SEC);
	EXPECT_EQ(0x70, get(self->bus, 0x0c));
}

TEST_F(rtc, periodic_rates)
{
	for (unsigned int rate = 1; rate < 16; rate++) {
		unsigned int hz = rate < 3 ? 256 >> (rate - 1) :
					     32768 >> (rate - 1);

		set(self->bus, 0x0a, 0x20 | rate);
		set(self->bus, 0x0b, H24 | PIE);
		get(self->bus, 0x0c);
		self->line.rises = 0;
		/* Each flag is read as soon as it is set. */
		for (unsigned int i = 0; i < 3; i++) {
			fake_sleep(SEC / hz + 1);
			EXPECT_EQ(0xc0, get(self->bus, 0x0c) & 0xc0);
		}
		EXPECT_EQ(3, self->line.rises);
	}
}

TEST_F(rtc, rate_zero_has_no_periods)
{
	set(self->bus, 0x0a, 0x20);
	set(self->bus, 0x0b, H24 | PIE);
	get(self->bus, 0x0c);
	fake_sleep(3 * SEC);
	EXPECT_EQ(0, self->line.rises);
}

TEST_F(rtc, unread_periodic_interrupts_do_not_pile_up)
{
	set(self->bus, 0x0a, 0x23);
	set(self->bus, 0x0b, H24 | PIE);
	fake_sleep(10 * SEC);
	EXPECT_EQ(1, self->line.rises);
	EXPECT_EQ(0xd0, get(self->bus, 0x0c));
	EXPECT_FALSE(self->line.level);
}

TEST_F(rtc, step_back_of_the_hosts_clock_is_survived)
{
	set(self->bus, 0x0b, H24 | UIE);
	fake_wall -= 3600 * BILLION;
	EXPECT_EQ(0x00, get(self->bus, 4));
	fake_sleep(2 * SEC);
	EXPECT_TRUE(self->line.level);
}

TEST_F(rtc, memory_sizes_are_in_the_cmos)
{
	EXPECT_EQ(0x80, get(self->bus, 0x15));
	EXPECT_EQ(0x02, get(self->bus, 0x16));
	EXPECT_EQ(0xff, get(self->bus, 0x17));
	EXPECT_EQ(0xff, get(self->bus, 0x18));
	EXPECT_EQ(0xff, get(self->bus, 0x30));
	EXPECT_EQ(0xff, get(self->bus, 0x31));
	EXPECT_EQ(0x00, get(self->bus, 0x34));
	EXPECT_EQ(0xbf, get(self->bus, 0x35));
	EXPECT_EQ(0x45, get(self->bus, 0x5b));
	EXPECT_EQ(0x23, get(self->bus, 0x5c));
	EXPECT_EQ(0x01, get(self->bus, 0x5d));
}

TEST(small_memory_is_in_the_cmos)
{
	struct bus *bus = bus_new();
	struct rtc_config config = { .bus = bus, .ram_low = 8 << 20 };
	struct rtc *rtc = rtc_new(&config);

	EXPECT_EQ(0x00, get(bus, 0x17));
	EXPECT_EQ(0x1c, get(bus, 0x18));
	EXPECT_EQ(0x00, get(bus, 0x34));
	EXPECT_EQ(0x00, get(bus, 0x35));
	EXPECT_EQ(0x00, get(bus, 0x5b));
	rtc_free(rtc);
	bus_free(bus);
}

TEST_F(rtc, a_reset_keeps_the_time_that_was_set_and_the_memory)
{
	set(self->bus, 4, 0x17);
	set(self->bus, 2, 0x30);
	set(self->bus, 0x70, 0x5a);
	rtc_device.reset(self->rtc);
	fake_sleep(60 * SEC);
	EXPECT_EQ(0x17, get(self->bus, 4));
	EXPECT_EQ(0x31, get(self->bus, 2));
	EXPECT_EQ(0x5a, get(self->bus, 0x70));
}

TEST_F(rtc, a_reset_takes_back_interrupts_and_starts_a_clock_that_stood)
{
	set(self->bus, 0x0b, SET | H24 | PIE | BINARY);
	set(self->bus, 2, 30);
	set(self->bus, 0, 0);
	fake_sleep(SEC);
	rtc_device.reset(self->rtc);
	EXPECT_EQ(H24, get(self->bus, 0x0b));
	EXPECT_EQ(0, get(self->bus, 0x0c));
	EXPECT_FALSE(self->line.level);
	EXPECT_EQ(0x30, get(self->bus, 2));
	fake_sleep(60 * SEC);
	EXPECT_EQ(0x31, get(self->bus, 2));
}

static struct rtc *make_twin(struct bus *bus, struct fake_line *line)
{
	struct rtc_config config = {
		.bus = bus,
		.irq = fake_wire(line),
		.wall_clock = wall_clock,
	};

	return rtc_new(&config);
}

/* Makes a second clock and loads the first one's state into it. */
static struct rtc *twin(const struct rtc *rtc, struct bus *bus,
			struct fake_line *line)
{
	struct rtc *new = make_twin(bus, line);
	struct record record = { 0 };

	device_save(&rtc_device, rtc, &record);
	if (device_load(&rtc_device, new, &record))
		abort();
	free(record.data);
	return new;
}

TEST_F(rtc, saved_and_loaded_it_shows_its_time_and_still_wakes_the_guest)
{
	struct bus *bus = bus_new();
	struct fake_line line = { 0 };
	struct rtc *rtc;

	set(self->bus, 4, 0x17);
	set(self->bus, 2, 0x30);
	set(self->bus, 0, 0x00);
	set(self->bus, 1, 0x10);
	set(self->bus, 3, 0x30);
	set(self->bus, 5, 0x17);
	set(self->bus, 0x0b, H24 | AIE);
	fake_sleep(3 * SEC);
	rtc = twin(self->rtc, bus, &line);
	EXPECT_EQ(0x17, get(bus, 4));
	EXPECT_EQ(0x30, get(bus, 2));
	EXPECT_EQ(0x03, get(bus, 0));
	EXPECT_FALSE(line.level);
	fake_sleep(8 * SEC);
	EXPECT_TRUE(line.level);
	EXPECT_EQ(0xa0, get(bus, 0x0c) & 0xa0);
	rtc_free(rtc);
	bus_free(bus);
}

TEST_F(rtc, alarm_that_rang_before_it_was_loaded_waits_until_the_machine_runs)
{
	struct bus *bus = bus_new();
	struct fake_line line = { 0 };
	struct record record = { 0 };
	struct rtc *rtc = make_twin(bus, &line);

	set(self->bus, 1, 0xc0);
	set(self->bus, 3, 0xc0);
	set(self->bus, 5, 0xc0);
	set(self->bus, 0x0b, H24 | AIE);
	ASSERT_EQ(0, device_save(&rtc_device, self->rtc, &record));
	fake_sleep(3 * SEC);
	ASSERT_EQ(0, device_load(&rtc_device, rtc, &record));
	EXPECT_FALSE(line.level);
	fake_sleep(SEC);
	EXPECT_TRUE(line.level);
	free(record.data);
	rtc_free(rtc);
	bus_free(bus);
}

TEST(without_a_clock_of_its_own_it_shows_the_hosts_century)
{
	struct bus *bus = bus_new();
	struct rtc_config config = { .bus = bus };
	struct rtc *rtc = rtc_new(&config);

	EXPECT_LE(0x20, get(bus, 0x32));
	rtc_free(rtc);
	bus_free(bus);
}

TEST_F(rtc, shutdown_byte_and_other_memory_is_kept)
{
	set(self->bus, 0x0f, 0x0a);
	set(self->bus, 0x7f, 0x5a);
	EXPECT_EQ(0x0a, get(self->bus, 0x0f));
	EXPECT_EQ(0x5a, get(self->bus, 0x7f));
}

TEST_F(rtc, registers_c_and_d_cannot_be_written)
{
	set(self->bus, 0x0c, 0xff);
	set(self->bus, 0x0d, 0x00);
	EXPECT_EQ(0x00, get(self->bus, 0x0c));
	EXPECT_EQ(0x80, get(self->bus, 0x0d));
}

TEST_F(rtc, index_bit_7_masks_nmis_and_selects_nothing)
{
	EXPECT_FALSE(rtc_nmi_masked(self->rtc));
	EXPECT_EQ(0x80, get(self->bus, 0x8d));
	EXPECT_TRUE(rtc_nmi_masked(self->rtc));
	get(self->bus, 0x0d);
	EXPECT_FALSE(rtc_nmi_masked(self->rtc));
}

TEST_F(rtc, index_cannot_be_read)
{
	EXPECT_EQ(0xff, inb(self->bus, INDEX));
}

TEST_F(rtc, impossible_dates_are_survived)
{
	for (int value = 0; value < 256; value += 15) {
		for (int mode = 0; mode < 8; mode += 2) {
			set(self->bus, 0x0b, SET | mode);
			for (int number = 0; number < 10; number++)
				set(self->bus, number, value);
			set(self->bus, 0x32, value);
			set(self->bus, 0x0b, mode | AIE | UIE);
			fake_sleep(3 * SEC);
			for (int number = 0; number < 10; number++)
				get(self->bus, number);
			get(self->bus, 0x0c);
		}
	}
	EXPECT_EQ(0x80, get(self->bus, 0x0d));
}

TEST_F(rtc, any_access_is_survived)
{
	for (int index = 0; index < 256; index++) {
		outb(self->bus, INDEX, index);
		fake_hammer(self->bus, DATA, DATA);
	}
	EXPECT_EQ(0x80, get(self->bus, 0x0d));
}

TEST_HARNESS_MAIN
