// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the serial port against the data sheet of the PC16550D.
 */
#include <errno.h>
#include <string.h>

#include "kselftest_harness.h"

#include "dev/serial.h"
#include "fakes.h"

#define BASE SERIAL_COM1
#define DATA (BASE + 0)
#define IER (BASE + 1)
#define IIR (BASE + 2)
#define FCR (BASE + 2)
#define LCR (BASE + 3)
#define MCR (BASE + 4)
#define LSR (BASE + 5)
#define MSR (BASE + 6)
#define SCR (BASE + 7)

#define OUT2 0x08
#define LOOP 0x10

FIXTURE(serial)
{
	struct bus *bus;
	struct serial *serial;
	struct fake_line line;
	char sent[256];
	size_t nr_sent;
	unsigned int drained;
};

static void take(void *opaque, const void *bytes, size_t size)
{
	FIXTURE_DATA(serial) *self = opaque;

	memcpy(self->sent + self->nr_sent, bytes, size);
	self->nr_sent += size;
}

static void drained(void *opaque)
{
	FIXTURE_DATA(serial) *self = opaque;

	self->drained++;
}

FIXTURE_SETUP(serial)
{
	struct serial_config config = {
		.base = BASE,
		.irq = fake_wire(&self->line),
		.write = take,
		.drained = drained,
		.opaque = self,
	};

	self->bus = bus_new();
	config.bus = self->bus;
	self->serial = serial_new(&config);
	ASSERT_NE(NULL, self->serial);
	outb(self->bus, MCR, OUT2);
}

FIXTURE_TEARDOWN(serial)
{
	serial_free(self->serial);
	bus_free(self->bus);
}

TEST_F(serial, second_port_at_the_same_place_is_refused)
{
	struct serial_config config = { .bus = self->bus, .base = BASE + 7 };

	EXPECT_EQ(NULL, serial_new(&config));
	EXPECT_EQ(EEXIST, errno);
}

TEST_F(serial, byte_written_reaches_the_back_end_at_once)
{
	outb(self->bus, DATA, 'a');
	EXPECT_EQ(1, self->nr_sent);
	EXPECT_EQ('a', self->sent[0]);
	EXPECT_EQ(0x60, inb(self->bus, LSR));
}

TEST_F(serial, scratch_register_keeps_what_is_written)
{
	outb(self->bus, SCR, 0xa5);
	EXPECT_EQ(0xa5, inb(self->bus, SCR));
}

TEST_F(serial, divisor_latch_hides_data_and_enables)
{
	outb(self->bus, LCR, 0x83);
	outb(self->bus, DATA, 0x34);
	outb(self->bus, IER, 0x12);
	EXPECT_EQ(0x34, inb(self->bus, DATA));
	EXPECT_EQ(0x12, inb(self->bus, IER));
	outb(self->bus, LCR, 0x03);
	EXPECT_EQ(0, inb(self->bus, IER));
	EXPECT_EQ(0, self->nr_sent);
	EXPECT_EQ(0x03, inb(self->bus, LCR));
}

TEST_F(serial, enable_register_has_four_bits)
{
	outb(self->bus, IER, 0xff);
	EXPECT_EQ(0x0f, inb(self->bus, IER));
}

TEST_F(serial, received_byte_sets_data_ready_until_read)
{
	EXPECT_EQ(1, serial_receive(self->serial, "x", 1));
	EXPECT_EQ(0x61, inb(self->bus, LSR));
	EXPECT_EQ('x', inb(self->bus, DATA));
	EXPECT_EQ(0x60, inb(self->bus, LSR));
}

TEST_F(serial, read_of_empty_receiver_returns_zero)
{
	EXPECT_EQ(0, inb(self->bus, DATA));
}

TEST_F(serial, bytes_arrive_in_order_without_fifo)
{
	serial_receive(self->serial, "abc", 3);
	EXPECT_EQ('a', inb(self->bus, DATA));
	EXPECT_EQ('b', inb(self->bus, DATA));
	EXPECT_EQ('c', inb(self->bus, DATA));
	EXPECT_EQ(0x60, inb(self->bus, LSR));
}

TEST_F(serial, received_data_interrupts_and_reading_ends_it)
{
	outb(self->bus, IER, 0x01);
	EXPECT_EQ(0x01, inb(self->bus, IIR));
	serial_receive(self->serial, "x", 1);
	EXPECT_TRUE(self->line.level);
	EXPECT_EQ(0x04, inb(self->bus, IIR));
	inb(self->bus, DATA);
	EXPECT_FALSE(self->line.level);
	EXPECT_EQ(0x01, inb(self->bus, IIR));
}

TEST_F(serial, line_needs_out2)
{
	outb(self->bus, MCR, 0);
	outb(self->bus, IER, 0x01);
	serial_receive(self->serial, "x", 1);
	EXPECT_FALSE(self->line.level);
	outb(self->bus, MCR, OUT2);
	EXPECT_TRUE(self->line.level);
}

TEST_F(serial, enabling_the_empty_interrupt_raises_it)
{
	outb(self->bus, IER, 0x02);
	EXPECT_TRUE(self->line.level);
	EXPECT_EQ(0x02, inb(self->bus, IIR));
	EXPECT_FALSE(self->line.level);
	EXPECT_EQ(0x01, inb(self->bus, IIR));
}

TEST_F(serial, enabling_it_anew_raises_the_empty_interrupt_again)
{
	outb(self->bus, IER, 0x02);
	inb(self->bus, IIR);
	outb(self->bus, IER, 0x02);
	EXPECT_FALSE(self->line.level);
	outb(self->bus, IER, 0x00);
	outb(self->bus, IER, 0x02);
	EXPECT_TRUE(self->line.level);
}

TEST_F(serial, each_byte_sent_makes_a_new_edge)
{
	outb(self->bus, IER, 0x02);
	outb(self->bus, DATA, 'a');
	outb(self->bus, DATA, 'b');
	EXPECT_EQ(3, self->line.rises);
}

TEST_F(serial, sources_are_identified_by_priority)
{
	outb(self->bus, IER, 0x0f);
	/* In loopback two bytes overrun, and RTS changes an input. */
	outb(self->bus, MCR, OUT2 | LOOP | 0x02);
	outb(self->bus, DATA, 1);
	outb(self->bus, DATA, 2);
	EXPECT_EQ(0x06, inb(self->bus, IIR));
	EXPECT_EQ(0x63, inb(self->bus, LSR));
	EXPECT_EQ(0x04, inb(self->bus, IIR));
	inb(self->bus, DATA);
	EXPECT_EQ(0x02, inb(self->bus, IIR));
	EXPECT_EQ(0x00, inb(self->bus, IIR));
	inb(self->bus, MSR);
	EXPECT_EQ(0x01, inb(self->bus, IIR));
	EXPECT_FALSE(self->line.level);
}

TEST_F(serial, fifo_shows_in_the_identification)
{
	outb(self->bus, FCR, 0x01);
	EXPECT_EQ(0xc1, inb(self->bus, IIR));
	outb(self->bus, FCR, 0x00);
	EXPECT_EQ(0x01, inb(self->bus, IIR));
}

TEST_F(serial, fifo_interrupts_at_its_trigger_level)
{
	static const unsigned int levels[] = { 1, 4, 8, 14 };

	outb(self->bus, IER, 0x01);
	for (unsigned int i = 0; i < 4; i++) {
		outb(self->bus, FCR, 0x03 | i << 6);
		for (unsigned int n = 1; n < levels[i]; n++)
			serial_receive(self->serial, "x", 1);
		EXPECT_FALSE(self->line.level);
		serial_receive(self->serial, "x", 1);
		EXPECT_TRUE(self->line.level);
		EXPECT_EQ(0xc4, inb(self->bus, IIR));
	}
}

TEST_F(serial, fifo_times_out_after_four_characters)
{
	/* 115200 baud, 8N1: a character is 10 bits of 8.68 us. */
	outb(self->bus, LCR, 0x83);
	out(self->bus, DATA, 1, 2);
	outb(self->bus, LCR, 0x03);
	outb(self->bus, FCR, 0xc1);
	outb(self->bus, IER, 0x01);
	serial_receive(self->serial, "x", 1);
	fake_sleep(340 * USEC);
	EXPECT_FALSE(self->line.level);
	fake_sleep(10 * USEC);
	EXPECT_TRUE(self->line.level);
	EXPECT_EQ(0xcc, inb(self->bus, IIR));
	inb(self->bus, DATA);
	EXPECT_FALSE(self->line.level);
}

TEST_F(serial, each_byte_starts_the_timeout_anew)
{
	outb(self->bus, LCR, 0x83);
	out(self->bus, DATA, 1, 2);
	outb(self->bus, LCR, 0x03);
	outb(self->bus, FCR, 0xc1);
	outb(self->bus, IER, 0x01);
	for (int i = 0; i < 8; i++) {
		serial_receive(self->serial, "x", 1);
		fake_sleep(200 * USEC);
		EXPECT_FALSE(self->line.level);
	}
	fake_sleep(200 * USEC);
	EXPECT_TRUE(self->line.level);
}

TEST_F(serial, timeout_follows_the_baud_rate)
{
	outb(self->bus, LCR, 0x83);
	out(self->bus, DATA, 12, 2);
	outb(self->bus, LCR, 0x03);
	outb(self->bus, FCR, 0xc1);
	outb(self->bus, IER, 0x01);
	serial_receive(self->serial, "x", 1);
	fake_sleep(4 * MSEC);
	EXPECT_FALSE(self->line.level);
	fake_sleep(200 * USEC);
	EXPECT_TRUE(self->line.level);
}

TEST_F(serial, clearing_the_fifo_drops_what_is_in_it)
{
	outb(self->bus, FCR, 0x01);
	serial_receive(self->serial, "abc", 3);
	outb(self->bus, FCR, 0x03);
	EXPECT_EQ(0x60, inb(self->bus, LSR));
}

TEST_F(serial, switching_the_fifo_on_or_off_clears_it)
{
	serial_receive(self->serial, "a", 1);
	outb(self->bus, FCR, 0x01);
	EXPECT_EQ(0x60, inb(self->bus, LSR));
	serial_receive(self->serial, "a", 1);
	outb(self->bus, FCR, 0x00);
	EXPECT_EQ(0x60, inb(self->bus, LSR));
}

TEST_F(serial, long_input_waits_and_none_is_lost)
{
	char input[512];
	unsigned int i;

	for (i = 0; i < sizeof(input); i++)
		input[i] = i * 7;
	outb(self->bus, FCR, 0x01);
	EXPECT_EQ(sizeof(input),
		  serial_receive(self->serial, input, sizeof(input)));
	for (i = 0; inb(self->bus, LSR) & 1; i++)
		EXPECT_EQ((uint8_t)input[i], inb(self->bus, DATA));
	EXPECT_EQ(sizeof(input), i);
}

TEST_F(serial, room_ends_and_comes_back)
{
	size_t room = serial_room(self->serial);
	char byte = 'x';

	while (serial_room(self->serial))
		EXPECT_EQ(1, serial_receive(self->serial, &byte, 1));
	EXPECT_EQ(0, serial_receive(self->serial, &byte, 1));
	EXPECT_EQ(0, self->drained);
	inb(self->bus, DATA);
	EXPECT_EQ(1, self->drained);
	EXPECT_EQ(1, serial_room(self->serial));
	inb(self->bus, DATA);
	EXPECT_EQ(1, self->drained);
	EXPECT_LT(2, room);
}

TEST_F(serial, more_than_there_is_room_for_is_taken_in_part)
{
	static const char input[8192];
	size_t room = serial_room(self->serial);

	EXPECT_EQ(room, serial_receive(self->serial, input, sizeof(input)));
}

TEST_F(serial, modem_inputs_say_connected)
{
	EXPECT_EQ(0xb0, inb(self->bus, MSR));
}

TEST_F(serial, loopback_connects_modem_outputs_to_inputs)
{
	static const uint8_t expected[16] = {
		0x00, 0x20, 0x10, 0x30, 0x40, 0x60, 0x50, 0x70,
		0x80, 0xa0, 0x90, 0xb0, 0xc0, 0xe0, 0xd0, 0xf0,
	};

	for (int i = 0; i < 16; i++) {
		outb(self->bus, MCR, LOOP | i);
		EXPECT_EQ(expected[i], inb(self->bus, MSR) & 0xf0);
	}
}

TEST_F(serial, delta_bits_tell_changes_until_read)
{
	outb(self->bus, MCR, LOOP);
	inb(self->bus, MSR);
	outb(self->bus, MCR, LOOP | 0x0f);
	/* The ring indicator's delta bit is set only at the end of a ring. */
	EXPECT_EQ(0xfb, inb(self->bus, MSR));
	EXPECT_EQ(0xf0, inb(self->bus, MSR));
	outb(self->bus, MCR, LOOP);
	EXPECT_EQ(0x0f, inb(self->bus, MSR));
}

TEST_F(serial, loopback_keeps_output_inside_and_input_outside)
{
	outb(self->bus, MCR, LOOP);
	outb(self->bus, DATA, 'z');
	serial_receive(self->serial, "q", 1);
	EXPECT_EQ(0, self->nr_sent);
	EXPECT_EQ('z', inb(self->bus, DATA));
	EXPECT_EQ(0x60, inb(self->bus, LSR));
	outb(self->bus, MCR, 0);
	EXPECT_EQ('q', inb(self->bus, DATA));
}

TEST_F(serial, overrun_of_the_fifo_loses_the_last_byte)
{
	outb(self->bus, FCR, 0x01);
	outb(self->bus, MCR, LOOP);
	for (int i = 0; i < 17; i++)
		outb(self->bus, DATA, i);
	EXPECT_EQ(0x63, inb(self->bus, LSR));
	EXPECT_EQ(0x61, inb(self->bus, LSR));
	for (int i = 0; i < 16; i++)
		EXPECT_EQ(i, inb(self->bus, DATA));
	EXPECT_EQ(0x60, inb(self->bus, LSR));
}

TEST_F(serial, overrun_without_fifo_loses_the_first_byte)
{
	outb(self->bus, MCR, LOOP);
	outb(self->bus, DATA, 1);
	outb(self->bus, DATA, 2);
	EXPECT_EQ(0x63, inb(self->bus, LSR));
	EXPECT_EQ(2, inb(self->bus, DATA));
}

TEST_F(serial, status_registers_cannot_be_written)
{
	outb(self->bus, LSR, 0xff);
	outb(self->bus, MSR, 0xff);
	EXPECT_EQ(0x60, inb(self->bus, LSR));
	EXPECT_EQ(0xb0, inb(self->bus, MSR));
}

TEST_F(serial, wide_access_touches_one_register_after_another)
{
	out(self->bus, LCR, 0x0003, 2);
	out(self->bus, BASE + 6, 0x7700, 2);
	EXPECT_EQ(0x0003, in(self->bus, LCR, 2));
	EXPECT_EQ(0x77, inb(self->bus, SCR));
}

TEST_F(serial, timer_that_fires_in_vain_raises_nothing)
{
	outb(self->bus, FCR, 0xc1);
	outb(self->bus, IER, 0x01);
	serial_receive(self->serial, "x", 1);
	inb(self->bus, DATA);
	fake_sleep(SEC);
	EXPECT_EQ(0, self->line.rises);
}

TEST_F(serial, any_access_is_survived)
{
	serial_receive(self->serial, "hello", 5);
	for (int i = 0; i < 3; i++) {
		self->nr_sent = 0;
		fake_hammer(self->bus, BASE, BASE + 7);
	}
	outb(self->bus, LCR, 0);
	outb(self->bus, SCR, 0x42);
	EXPECT_EQ(0x42, inb(self->bus, SCR));
}

TEST_HARNESS_MAIN
