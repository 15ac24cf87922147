// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of ACPI's fixed hardware: power off, reset, the timer and its interrupt.
 */
#include <errno.h>
#include <stdlib.h>

#include "kselftest_harness.h"

#include "dev/pm.h"
#include "fakes.h"

#define STATUS PM_EVENT_PORT
#define ENABLE (PM_EVENT_PORT + 2)
#define CONTROL PM_CONTROL_PORT

#define SLP_EN 0x2000
#define SLP_TYP(type) ((type) << 10)

/* Nanoseconds between two changes of the timer's top bit. */
#define HALF ((uint64_t)((1ULL << 31) * (double)SEC / PM_TIMER_HZ) + 1)

FIXTURE(pm)
{
	struct bus *bus;
	struct pm *pm;
	struct fake_line sci;
	struct fake_power power;
};

FIXTURE_SETUP(pm)
{
	struct irq_line sci = fake_wire(&self->sci);
	struct power power = fake_power_of(&self->power);

	fake_now = 0;
	self->bus = bus_new();
	self->pm = pm_new(self->bus, NULL, &sci, &power);
	ASSERT_NE(NULL, self->pm);
}

FIXTURE_TEARDOWN(pm)
{
	pm_free(self->pm);
	bus_free(self->bus);
}

TEST_F(pm, second_one_on_the_same_bus_is_refused)
{
	struct irq_line sci = {};
	struct power power = {};

	EXPECT_EQ(NULL, pm_new(self->bus, NULL, &sci, &power));
	EXPECT_EQ(EEXIST, errno);
}

TEST_F(pm, timer_counts_at_its_rate)
{
	EXPECT_EQ(0, in(self->bus, PM_TIMER_PORT, 4));
	fake_sleep(SEC);
	EXPECT_EQ(PM_TIMER_HZ, in(self->bus, PM_TIMER_PORT, 4));
}

TEST_F(pm, timer_wraps_at_32_bits)
{
	fake_sleep(2 * HALF + 1000 * SEC / PM_TIMER_HZ);
	EXPECT_LE(999, in(self->bus, PM_TIMER_PORT, 4));
	EXPECT_GE(1001, in(self->bus, PM_TIMER_PORT, 4));
}

TEST_F(pm, timer_can_be_read_in_parts)
{
	uint32_t ticks;

	fake_sleep(100 * SEC);
	ticks = in(self->bus, PM_TIMER_PORT, 4);
	EXPECT_EQ(ticks >> 16, in(self->bus, PM_TIMER_PORT + 2, 2));
	EXPECT_EQ(ticks >> 8 & 0xff, in(self->bus, PM_TIMER_PORT + 1, 1));
}

TEST_F(pm, timer_cannot_be_written)
{
	out(self->bus, PM_TIMER_PORT, 0x12345678, 4);
	EXPECT_EQ(0, in(self->bus, PM_TIMER_PORT, 4));
}

TEST_F(pm, change_of_the_top_bit_sets_the_timers_status)
{
	fake_sleep(HALF - 1000);
	EXPECT_EQ(0, in(self->bus, STATUS, 2));
	fake_sleep(1000);
	EXPECT_EQ(1, in(self->bus, STATUS, 2));
	out(self->bus, STATUS, 1, 2);
	EXPECT_EQ(0, in(self->bus, STATUS, 2));
	EXPECT_EQ(0, self->sci.rises);
}

TEST_F(pm, timer_interrupts_when_enabled)
{
	out(self->bus, ENABLE, 1, 2);
	for (unsigned int i = 1; i <= 3; i++) {
		fake_sleep(HALF);
		EXPECT_TRUE(self->sci.level);
		EXPECT_EQ(i, self->sci.rises);
		out(self->bus, STATUS, 1, 2);
		EXPECT_FALSE(self->sci.level);
	}
}

TEST_F(pm, disabling_lowers_the_interrupt)
{
	out(self->bus, ENABLE, 1, 2);
	fake_sleep(HALF);
	out(self->bus, ENABLE, 0, 2);
	EXPECT_FALSE(self->sci.level);
	EXPECT_EQ(1, in(self->bus, STATUS, 2));
}

TEST_F(pm, zeroes_do_not_clear_status)
{
	fake_sleep(HALF);
	out(self->bus, STATUS, 0xfffe, 2);
	EXPECT_EQ(1, in(self->bus, STATUS, 2));
}

TEST_F(pm, enable_register_keeps_the_events_there_are)
{
	out(self->bus, ENABLE, 0xffff, 2);
	EXPECT_EQ(0x0721, in(self->bus, ENABLE, 2));
	out(self->bus, ENABLE + 1, 0, 1);
	EXPECT_EQ(0x0021, in(self->bus, ENABLE, 2));
}

TEST_F(pm, event_block_can_be_read_at_once)
{
	out(self->bus, ENABLE, 0x0100, 2);
	fake_sleep(HALF);
	EXPECT_EQ(0x01000001, in(self->bus, STATUS, 4));
}

TEST_F(pm, machine_is_in_acpi_mode_for_ever)
{
	EXPECT_EQ(1, in(self->bus, CONTROL, 2));
	out(self->bus, CONTROL, 0, 2);
	EXPECT_EQ(1, in(self->bus, CONTROL, 2));
}

TEST_F(pm, sleep_state_s5_powers_off)
{
	out(self->bus, CONTROL, SLP_TYP(PM_SLP_TYP_S5), 2);
	EXPECT_EQ(0, self->power.events);
	out(self->bus, CONTROL, SLP_TYP(PM_SLP_TYP_S5) | SLP_EN, 2);
	EXPECT_EQ(1, self->power.events);
	EXPECT_EQ(POWER_OFF, self->power.event);
}

/* Bare-metal programs for QEMU's PC write this word. */
TEST_F(pm, the_word_0x2000_powers_off)
{
	out(self->bus, 0x604, 0x2000, 2);
	EXPECT_EQ(1, self->power.events);
	EXPECT_EQ(POWER_OFF, self->power.event);
}

TEST_F(pm, upper_byte_alone_powers_off)
{
	outb(self->bus, CONTROL + 1, (SLP_TYP(PM_SLP_TYP_S5) | SLP_EN) >> 8);
	EXPECT_EQ(1, self->power.events);
}

TEST_F(pm, other_sleep_states_do_nothing)
{
	for (unsigned int type = 0; type < 8; type++) {
		if (type != PM_SLP_TYP_S5 && type != PM_SLP_TYP_S3)
			out(self->bus, CONTROL, SLP_TYP(type) | SLP_EN, 2);
	}
	EXPECT_EQ(0, self->power.events);
}

static void sleep_s3(struct bus *bus)
{
	out(bus, CONTROL, SLP_TYP(PM_SLP_TYP_S3) | SLP_EN, 2);
}

#define PM_RTC 0x0400
#define PM_BUTTON 0x0100
#define PM_WAKE 0x8000

TEST_F(pm, the_alarm_wakes_a_guest_that_has_enabled_it)
{
	out(self->bus, ENABLE, PM_RTC, 2);
	sleep_s3(self->bus);
	EXPECT_EQ(1, self->power.events);
	EXPECT_EQ(POWER_SLEEP, self->power.event);
	pm_alarm(self->pm);
	EXPECT_EQ(2, self->power.events);
	EXPECT_EQ(POWER_WAKE, self->power.event);
	pm_device.wake(self->pm);
	EXPECT_EQ(PM_WAKE | PM_RTC, in(self->bus, STATUS, 2) & ~1);
	EXPECT_EQ(PM_RTC, in(self->bus, ENABLE, 2));
	pm_alarm(self->pm);
	EXPECT_EQ(2, self->power.events);
}

TEST_F(pm, the_alarm_leaves_a_guest_asleep_that_has_not_enabled_it)
{
	sleep_s3(self->bus);
	pm_alarm(self->pm);
	EXPECT_EQ(1, self->power.events);
}

TEST_F(pm, the_power_button_wakes_and_interrupts)
{
	sleep_s3(self->bus);
	pm_press_power_button(self->pm);
	EXPECT_EQ(POWER_WAKE, self->power.event);
	pm_device.wake(self->pm);
	EXPECT_FALSE(self->sci.level);
	out(self->bus, ENABLE, PM_BUTTON, 2);
	EXPECT_TRUE(self->sci.level);
	EXPECT_EQ(2, self->power.events);
}

TEST_F(pm, what_has_happened_before_wakes_at_once)
{
	out(self->bus, ENABLE, PM_RTC, 2);
	pm_alarm(self->pm);
	sleep_s3(self->bus);
	EXPECT_EQ(2, self->power.events);
	EXPECT_EQ(POWER_WAKE, self->power.event);
}

#define GPE_STATUS PM_GPE_PORT
#define GPE_ENABLE (PM_GPE_PORT + PM_GPE_SIZE / 2)

TEST_F(pm, a_general_event_interrupts_when_it_is_enabled)
{
	pm_raise_general(self->pm, 9);
	EXPECT_FALSE(self->sci.level);
	EXPECT_EQ(1 << 9, in(self->bus, GPE_STATUS, 2));
	out(self->bus, GPE_ENABLE, 1 << 5, 2);
	EXPECT_FALSE(self->sci.level);
	out(self->bus, GPE_ENABLE, 1 << 9, 2);
	EXPECT_TRUE(self->sci.level);
	EXPECT_EQ(1 << 9, in(self->bus, GPE_ENABLE, 2));
}

TEST_F(pm, a_general_event_ends_when_its_one_is_written)
{
	out(self->bus, GPE_ENABLE, 0xffff, 2);
	pm_raise_general(self->pm, 5);
	pm_raise_general(self->pm, 10);
	out(self->bus, GPE_STATUS, 1 << 5, 2);
	EXPECT_EQ(1 << 10, in(self->bus, GPE_STATUS, 2));
	EXPECT_TRUE(self->sci.level);
	outb(self->bus, GPE_STATUS + 1, 1 << 2);
	EXPECT_EQ(0, in(self->bus, GPE_STATUS, 2));
	EXPECT_FALSE(self->sci.level);
}

TEST_F(pm, a_reset_forgets_general_events)
{
	out(self->bus, GPE_ENABLE, 0xffff, 2);
	pm_raise_general(self->pm, 5);
	pm_device.reset(self->pm);
	EXPECT_EQ(0, in(self->bus, GPE_STATUS, 4));
	EXPECT_FALSE(self->sci.level);
}

TEST_F(pm, general_events_are_saved_and_loaded)
{
	struct record record = { 0 };

	out(self->bus, GPE_ENABLE, 0x0120, 2);
	pm_raise_general(self->pm, 5);
	ASSERT_EQ(0, device_save(&pm_device, self->pm, &record));
	pm_device.reset(self->pm);
	ASSERT_EQ(0, device_load(&pm_device, self->pm, &record));
	EXPECT_EQ(0x01200020, in(self->bus, GPE_STATUS, 4));
	EXPECT_TRUE(self->sci.level);
	free(record.data);
}

TEST_F(pm, sleep_enable_reads_as_zero)
{
	out(self->bus, CONTROL, 0xffff, 2);
	EXPECT_EQ(0x1c03, in(self->bus, CONTROL, 2));
}

TEST_F(pm, reset_register_resets_by_its_values)
{
	static const uint8_t values[] = { PM_RESET_VALUE, 0x0e };

	for (unsigned int i = 0; i < 2; i++) {
		outb(self->bus, PM_RESET_PORT, 0x02);
		EXPECT_EQ(i, self->power.events);
		EXPECT_EQ(0x02, inb(self->bus, PM_RESET_PORT));
		outb(self->bus, PM_RESET_PORT, values[i]);
		EXPECT_EQ(i + 1, self->power.events);
		EXPECT_EQ(POWER_RESET, self->power.event);
	}
}

TEST_F(pm, any_access_is_survived)
{
	fake_hammer(self->bus, PM_EVENT_PORT, PM_TIMER_PORT + 3);
	fake_hammer(self->bus, PM_GPE_PORT, PM_GPE_PORT + PM_GPE_SIZE - 1);
	fake_hammer(self->bus, PM_RESET_PORT, PM_RESET_PORT);
	EXPECT_EQ(1, in(self->bus, CONTROL, 1) & 1);
}

TEST_HARNESS_MAIN
