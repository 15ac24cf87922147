// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the interrupt wiring: from lines to pins, from the PIC's output to vCPU 0,
 * and for the end of an interrupt.
 */
#include <string.h>

#include "dev/ioapic.h"
#include "fake_lodge.h"
#include "kselftest_harness.h"
#include "machine/interrupts.h"

#define VCPU 3
#define VECTOR(pin) (0x40 + (pin))
#define LEVEL (1U << 15)
#define DATA_VECTOR 0xff

/* The first PIC's lowest vector, as a BIOS sets it, and its spurious input. */
#define PIC_BASE 0x08
#define PIC_COMMAND 0x20
#define PIC_DATA 0x21
#define PIC_SLAVE_COMMAND 0xa0
#define PIC_SLAVE_DATA 0xa1
#define PIC_SLAVE_BASE 0x70
#define PIC_EOI 0x20

struct wiring {
	struct board board;
	struct bus *bus;
	struct interrupts *interrupts;
	struct lodge_run run;
};

static int kicks;

static void count_kick(void *opaque)
{
	kicks++;
}

static struct wiring wire(void)
{
	struct interrupts_config config = { .kick = count_kick };
	struct wiring wiring = { .board = { .bus = bus_new() } };

	wiring.bus = wiring.board.bus;
	wiring.interrupts = interrupts_new(&config, &wiring.board);
	return wiring;
}

static void unwire(const struct wiring *wiring)
{
	interrupts_free(wiring->interrupts);
	bus_free(wiring->bus);
}

static void ioapic_write(struct bus *bus, uint32_t index, uint32_t value)
{
	bus_write(bus, BUS_MMIO, IOAPIC_BASE, &index, sizeof(index));
	bus_write(bus, BUS_MMIO, IOAPIC_BASE + 0x10, &value, sizeof(value));
}

static void open_pin(struct bus *bus, unsigned int pin, uint32_t flags)
{
	ioapic_write(bus, 0x10 + 2 * pin, VECTOR(pin) | flags);
}

static void port_write(struct bus *bus, uint16_t port, uint8_t value)
{
	bus_write(bus, BUS_PORT, port, &value, 1);
}

static void pulse(const struct wiring *wiring, unsigned int number)
{
	struct irq_line line = board_line(&wiring->board, number);

	irq_line_set(&line, true);
	irq_line_set(&line, false);
}

TEST(each_line_reaches_the_pin_of_its_number)
{
	struct wiring wiring = wire();

	for (unsigned int n = 1; n < IOAPIC_PINS; n++) {
		open_pin(wiring.bus, n, 0);
		pulse(&wiring, n);
		ASSERT_EQ(n, fake.nr_msis);
		EXPECT_EQ(VECTOR(n), fake.msis[n - 1].data & DATA_VECTOR);
	}
	unwire(&wiring);
}

TEST(the_timer_is_on_pin_2)
{
	struct wiring wiring = wire();

	open_pin(wiring.bus, 0, 0);
	open_pin(wiring.bus, 2, 0);
	pulse(&wiring, 0);
	ASSERT_EQ(1, fake.nr_msis);
	EXPECT_EQ(VECTOR(2), fake.msis[0].data & DATA_VECTOR);
	unwire(&wiring);
}

TEST(messages_go_to_the_address_of_msi)
{
	struct wiring wiring = wire();

	open_pin(wiring.bus, 4, 0);
	pulse(&wiring, 4);
	ASSERT_EQ(1, fake.nr_msis);
	EXPECT_EQ(0xfee00000, fake.msis[0].address & 0xfff00000);
	unwire(&wiring);
}

TEST(a_level_that_stays_interrupts_again_after_its_end)
{
	struct wiring wiring = wire();
	struct irq_line line = board_line(&wiring.board, 9);

	open_pin(wiring.bus, 9, LEVEL);
	irq_line_set(&line, true);
	ASSERT_EQ(1, fake.nr_msis);
	interrupts_eoi(wiring.interrupts, VECTOR(9));
	EXPECT_EQ(2, fake.nr_msis);
	irq_line_set(&line, false);
	interrupts_eoi(wiring.interrupts, VECTOR(9));
	EXPECT_EQ(2, fake.nr_msis);
	unwire(&wiring);
}

TEST(the_pic_kicks_once_and_asks_for_a_window)
{
	struct wiring wiring = wire();

	pulse(&wiring, 1);
	EXPECT_EQ(1, kicks);
	EXPECT_EQ(0, interrupts_extint(wiring.interrupts, VCPU, &wiring.run));
	EXPECT_EQ(1, wiring.run.request_window);
	EXPECT_EQ(0, fake.nr_extints);
	unwire(&wiring);
}

TEST(pcis_lines_share_two_inputs_of_the_pic)
{
	struct wiring wiring = wire();
	struct irq_line line = board_line(&wiring.board, 17);
	struct irq_line other = board_line(&wiring.board, 19);

	port_write(wiring.bus, PIC_SLAVE_DATA, 0);
	irq_line_set(&line, true);
	irq_line_set(&other, true);
	irq_line_set(&line, false);
	wiring.run.window_open = 1;
	EXPECT_EQ(0, interrupts_extint(wiring.interrupts, VCPU, &wiring.run));
	ASSERT_EQ(1, fake.nr_extints);
	EXPECT_EQ(PIC_SLAVE_BASE + 3, fake.extints[0]);
	/* The input is a level: it interrupts again until the last line is low. */
	port_write(wiring.bus, PIC_SLAVE_COMMAND, PIC_EOI);
	port_write(wiring.bus, PIC_COMMAND, PIC_EOI);
	wiring.run.window_open = 1;
	EXPECT_EQ(0, interrupts_extint(wiring.interrupts, VCPU, &wiring.run));
	EXPECT_EQ(2, fake.nr_extints);
	irq_line_set(&other, false);
	port_write(wiring.bus, PIC_SLAVE_COMMAND, PIC_EOI);
	port_write(wiring.bus, PIC_COMMAND, PIC_EOI);
	wiring.run.window_open = 1;
	EXPECT_EQ(0, interrupts_extint(wiring.interrupts, VCPU, &wiring.run));
	EXPECT_EQ(2, fake.nr_extints);
	unwire(&wiring);
}

TEST(an_open_window_takes_the_interrupt_at_once)
{
	struct wiring wiring = wire();

	pulse(&wiring, 1);
	wiring.run.window_open = 1;
	EXPECT_EQ(0, interrupts_extint(wiring.interrupts, VCPU, &wiring.run));
	ASSERT_EQ(1, fake.nr_extints);
	EXPECT_EQ(PIC_BASE + 1, fake.extints[0]);
	EXPECT_EQ(0, wiring.run.request_window);
	EXPECT_EQ(0, wiring.run.window_open);
	unwire(&wiring);
}

TEST(the_second_pic_reaches_the_vcpu_too)
{
	struct wiring wiring = wire();

	port_write(wiring.bus, PIC_SLAVE_DATA, 0);
	pulse(&wiring, 12);
	wiring.run.window_open = 1;
	EXPECT_EQ(0, interrupts_extint(wiring.interrupts, VCPU, &wiring.run));
	ASSERT_EQ(1, fake.nr_extints);
	EXPECT_EQ(PIC_SLAVE_BASE + 4, fake.extints[0]);
	unwire(&wiring);
}

TEST(without_an_interrupt_no_window_is_asked_for)
{
	struct wiring wiring = wire();

	wiring.run.window_open = 1;
	wiring.run.request_window = 1;
	EXPECT_EQ(0, interrupts_extint(wiring.interrupts, VCPU, &wiring.run));
	EXPECT_EQ(0, wiring.run.request_window);
	EXPECT_EQ(0, fake.nr_extints);
	unwire(&wiring);
}

TEST(a_masked_line_does_not_kick)
{
	struct wiring wiring = wire();

	port_write(wiring.bus, PIC_DATA, 0xff);
	pulse(&wiring, 1);
	EXPECT_EQ(0, kicks);
	unwire(&wiring);
}

TEST(lines_beyond_the_pic_do_not_kick)
{
	struct wiring wiring = wire();

	for (unsigned int n = 16; n < IOAPIC_PINS; n++)
		pulse(&wiring, n);
	EXPECT_EQ(0, kicks);
	unwire(&wiring);
}

TEST(a_vector_refused_as_busy_is_kept_for_the_next_window)
{
	struct wiring wiring = wire();

	fake.extint_busy = 1;
	pulse(&wiring, 1);
	wiring.run.window_open = 1;
	EXPECT_EQ(0, interrupts_extint(wiring.interrupts, VCPU, &wiring.run));
	EXPECT_EQ(0, fake.nr_extints);
	EXPECT_EQ(1, wiring.run.request_window);

	EXPECT_EQ(0, interrupts_extint(wiring.interrupts, VCPU, &wiring.run));
	ASSERT_EQ(1, fake.nr_extints);
	EXPECT_EQ(PIC_BASE + 1, fake.extints[0]);
	EXPECT_EQ(0, wiring.run.request_window);
	unwire(&wiring);
}

TEST(a_lower_line_waits_for_the_end_of_a_higher_one)
{
	struct wiring wiring = wire();

	pulse(&wiring, 1);
	pulse(&wiring, 0);
	wiring.run.window_open = 1;
	EXPECT_EQ(0, interrupts_extint(wiring.interrupts, VCPU, &wiring.run));
	ASSERT_EQ(1, fake.nr_extints);
	EXPECT_EQ(PIC_BASE + 0, fake.extints[0]);
	EXPECT_EQ(0, wiring.run.request_window);

	port_write(wiring.bus, PIC_COMMAND, PIC_EOI);
	wiring.run.window_open = 1;
	EXPECT_EQ(0, interrupts_extint(wiring.interrupts, VCPU, &wiring.run));
	ASSERT_EQ(2, fake.nr_extints);
	EXPECT_EQ(PIC_BASE + 1, fake.extints[1]);
	unwire(&wiring);
}

TEST_HARNESS_MAIN
