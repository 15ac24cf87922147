// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the keyboard controller: the probes of drivers, and the ways to reset.
 */
#include <errno.h>

#include "kselftest_harness.h"

#include "dev/i8042.h"
#include "fakes.h"

#define DATA 0x60
#define COMMAND 0x64
#define PORT_A 0x92

#define FULL 0x01

FIXTURE(i8042)
{
	struct bus *bus;
	struct i8042 *i8042;
	struct fake_line line;
	struct fake_power power;
};

FIXTURE_SETUP(i8042)
{
	struct irq_line irq = fake_wire(&self->line);
	struct power power = fake_power_of(&self->power);

	self->bus = bus_new();
	self->i8042 = i8042_new(self->bus, &irq, &power);
	ASSERT_NE(NULL, self->i8042);
}

FIXTURE_TEARDOWN(i8042)
{
	i8042_free(self->i8042);
	bus_free(self->bus);
}

/* Return: the next byte of the output buffer, or -1. */
static int answer(struct bus *bus)
{
	if (!(inb(bus, COMMAND) & FULL))
		return -1;
	return inb(bus, DATA);
}

static int command(struct bus *bus, uint8_t command)
{
	outb(bus, COMMAND, command);
	return answer(bus);
}

static int keyboard(struct bus *bus, uint8_t byte)
{
	outb(bus, DATA, byte);
	return answer(bus);
}

TEST_F(i8042, second_one_on_the_same_bus_is_refused)
{
	struct irq_line irq = {};
	struct power power = {};

	EXPECT_EQ(NULL, i8042_new(self->bus, &irq, &power));
	EXPECT_EQ(EEXIST, errno);
}

TEST_F(i8042, output_buffer_starts_empty)
{
	EXPECT_EQ(-1, answer(self->bus));
}

TEST_F(i8042, self_test_passes)
{
	EXPECT_EQ(0x55, command(self->bus, 0xaa));
	EXPECT_EQ(-1, answer(self->bus));
	EXPECT_EQ(0x04, inb(self->bus, COMMAND) & 0x04);
}

TEST_F(i8042, self_test_empties_the_buffer)
{
	outb(self->bus, DATA, 0xf2);
	EXPECT_EQ(0x55, command(self->bus, 0xaa));
	EXPECT_EQ(-1, answer(self->bus));
}

TEST_F(i8042, keyboards_port_passes_its_test)
{
	EXPECT_EQ(0x00, command(self->bus, 0xab));
}

TEST_F(i8042, command_byte_is_kept)
{
	outb(self->bus, COMMAND, 0x60);
	EXPECT_EQ(-1, keyboard(self->bus, 0x74));
	EXPECT_EQ(0x74, command(self->bus, 0x20));
}

TEST_F(i8042, enables_are_bits_of_the_command_byte)
{
	outb(self->bus, COMMAND, 0xad);
	EXPECT_EQ(0x10, command(self->bus, 0x20) & 0x10);
	outb(self->bus, COMMAND, 0xae);
	EXPECT_EQ(0x00, command(self->bus, 0x20) & 0x10);
}

TEST_F(i8042, second_channel_cannot_be_enabled)
{
	outb(self->bus, COMMAND, 0xa8);
	EXPECT_EQ(0x20, command(self->bus, 0x20) & 0x20);
	outb(self->bus, COMMAND, 0x60);
	outb(self->bus, DATA, 0x45);
	EXPECT_EQ(0x65, command(self->bus, 0x20));
}

TEST_F(i8042, controllers_memory_is_kept)
{
	outb(self->bus, COMMAND, 0x7f);
	outb(self->bus, DATA, 0xc3);
	EXPECT_EQ(0xc3, command(self->bus, 0x3f));
}

TEST_F(i8042, status_tells_a_command_from_data)
{
	outb(self->bus, COMMAND, 0xae);
	EXPECT_EQ(0x08, inb(self->bus, COMMAND) & 0x08);
	outb(self->bus, DATA, 0xee);
	EXPECT_EQ(0x00, inb(self->bus, COMMAND) & 0x08);
}

TEST_F(i8042, mouse_is_absent)
{
	/* A byte that is looped back is not marked as the mouse's. */
	outb(self->bus, COMMAND, 0xd3);
	outb(self->bus, DATA, 0x5a);
	EXPECT_EQ(0x00, inb(self->bus, COMMAND) & 0x20);
	EXPECT_EQ(0x5a, answer(self->bus));
	EXPECT_EQ(0x01, command(self->bus, 0xa9));
	outb(self->bus, COMMAND, 0xd4);
	EXPECT_EQ(-1, keyboard(self->bus, 0xff));
}

TEST_F(i8042, byte_can_be_put_into_the_buffer)
{
	outb(self->bus, COMMAND, 0xd2);
	EXPECT_EQ(0x1c, keyboard(self->bus, 0x1c));
}

TEST_F(i8042, keyboard_resets_and_identifies_itself)
{
	EXPECT_EQ(0xfa, keyboard(self->bus, 0xff));
	EXPECT_EQ(0xaa, answer(self->bus));
	EXPECT_EQ(0xfa, keyboard(self->bus, 0xf2));
	EXPECT_EQ(0xab, answer(self->bus));
	EXPECT_EQ(0x41, answer(self->bus));
	outb(self->bus, COMMAND, 0x60);
	outb(self->bus, DATA, 0x01);
	keyboard(self->bus, 0xf2);
	answer(self->bus);
	EXPECT_EQ(0x83, answer(self->bus));
	EXPECT_EQ(-1, answer(self->bus));
}

TEST_F(i8042, keyboard_echoes)
{
	EXPECT_EQ(0xee, keyboard(self->bus, 0xee));
}

TEST_F(i8042, keyboard_acknowledges_commands_and_parameters)
{
	EXPECT_EQ(0xfa, keyboard(self->bus, 0xed));
	EXPECT_EQ(0xfa, keyboard(self->bus, 0x07));
	EXPECT_EQ(0xfa, keyboard(self->bus, 0xf4));
	EXPECT_EQ(-1, answer(self->bus));
}

TEST_F(i8042, keyboard_tells_its_scan_code_set)
{
	outb(self->bus, COMMAND, 0x60);
	outb(self->bus, DATA, 0x01);
	EXPECT_EQ(0xfa, keyboard(self->bus, 0xf0));
	EXPECT_EQ(0xfa, keyboard(self->bus, 0x00));
	EXPECT_EQ(0x02, answer(self->bus));
}

TEST_F(i8042, each_answer_interrupts)
{
	outb(self->bus, DATA, 0xff);
	EXPECT_EQ(1, self->line.rises);
	inb(self->bus, DATA);
	EXPECT_EQ(2, self->line.rises);
	EXPECT_TRUE(self->line.level);
	inb(self->bus, DATA);
	EXPECT_EQ(2, self->line.rises);
	EXPECT_FALSE(self->line.level);
}

TEST_F(i8042, answers_do_not_interrupt_while_disabled)
{
	outb(self->bus, COMMAND, 0x60);
	outb(self->bus, DATA, 0x00);
	outb(self->bus, DATA, 0xee);
	EXPECT_FALSE(self->line.level);
}

TEST_F(i8042, empty_buffer_repeats_the_last_byte)
{
	EXPECT_EQ(0x55, command(self->bus, 0xaa));
	EXPECT_EQ(0x55, inb(self->bus, DATA));
}

TEST_F(i8042, pulse_of_line_0_resets)
{
	outb(self->bus, COMMAND, 0xfe);
	EXPECT_EQ(1, self->power.events);
	EXPECT_EQ(POWER_RESET, self->power.event);
}

TEST_F(i8042, pulse_of_other_lines_does_nothing)
{
	outb(self->bus, COMMAND, 0xff);
	outb(self->bus, COMMAND, 0xfd);
	EXPECT_EQ(0, self->power.events);
}

TEST_F(i8042, output_port_holds_a20_and_resets)
{
	EXPECT_EQ(0x03, command(self->bus, 0xd0) & 0x03);
	outb(self->bus, COMMAND, 0xd1);
	outb(self->bus, DATA, 0xdd);
	EXPECT_EQ(0x01, command(self->bus, 0xd0) & 0x03);
	EXPECT_EQ(0, self->power.events);
	outb(self->bus, COMMAND, 0xd1);
	outb(self->bus, DATA, 0xfe);
	EXPECT_EQ(POWER_RESET, self->power.event);
	EXPECT_EQ(1, self->power.events);
}

TEST_F(i8042, a20_is_one_bit_for_all_who_set_it)
{
	EXPECT_EQ(0x02, inb(self->bus, PORT_A));
	outb(self->bus, PORT_A, 0x00);
	EXPECT_EQ(0x00, command(self->bus, 0xd0) & 0x02);
	outb(self->bus, COMMAND, 0xdf);
	EXPECT_EQ(0x02, inb(self->bus, PORT_A));
	outb(self->bus, COMMAND, 0xdd);
	EXPECT_EQ(0x00, inb(self->bus, PORT_A));
}

TEST_F(i8042, rise_of_port_as_reset_bit_resets)
{
	outb(self->bus, PORT_A, 0x02);
	EXPECT_EQ(0, self->power.events);
	outb(self->bus, PORT_A, 0x03);
	EXPECT_EQ(1, self->power.events);
	EXPECT_EQ(POWER_RESET, self->power.event);
	outb(self->bus, PORT_A, 0x03);
	EXPECT_EQ(1, self->power.events);
}

TEST_F(i8042, command_drops_a_data_byte_awaited)
{
	outb(self->bus, COMMAND, 0x60);
	outb(self->bus, COMMAND, 0xae);
	EXPECT_EQ(0xee, keyboard(self->bus, 0xee));
}

TEST_F(i8042, full_buffer_drops_answers)
{
	int count = 0;

	for (int i = 0; i < 100; i++)
		outb(self->bus, DATA, 0xee);
	while (answer(self->bus) == 0xee)
		count++;
	EXPECT_LT(0, count);
	EXPECT_GT(100, count);
	EXPECT_EQ(0x55, command(self->bus, 0xaa));
}

TEST_F(i8042, any_access_is_survived)
{
	for (int first = 0; first < 256; first++) {
		outb(self->bus, COMMAND, first);
		for (int second = 0; second < 256; second++) {
			outb(self->bus, DATA, second);
			inb(self->bus, DATA);
		}
	}
	fake_hammer(self->bus, DATA, COMMAND);
	fake_hammer(self->bus, PORT_A, PORT_A);
	EXPECT_EQ(0x55, command(self->bus, 0xaa));
}

TEST_HARNESS_MAIN
