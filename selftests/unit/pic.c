// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the interrupt controllers against the data sheet of the 8259A.
 */
#include <errno.h>

#include "kselftest_harness.h"

#include "dev/pic.h"
#include "fakes.h"

#define MASTER 0x20
#define MASTER_DATA 0x21
#define SLAVE 0xa0
#define SLAVE_DATA 0xa1
#define ELCR_MASTER 0x4d0
#define ELCR_SLAVE 0x4d1

#define EOI 0x20
#define READ_IRR 0x0a
#define READ_ISR 0x0b
#define POLL 0x0c

FIXTURE(pic)
{
	struct bus *bus;
	struct pic *pic;
	struct fake_line intr;
};

static void program(struct bus *bus, uint16_t port, uint8_t base, uint8_t icw3,
		    uint8_t icw4)
{
	outb(bus, port, 0x11);
	outb(bus, port + 1, base);
	outb(bus, port + 1, icw3);
	outb(bus, port + 1, icw4);
}

/* The pair has the vectors 0x20 and 0x28, and nothing is masked. */
FIXTURE_SETUP(pic)
{
	struct irq_line intr = fake_wire(&self->intr);

	self->bus = bus_new();
	self->pic = pic_new(self->bus, &intr);
	ASSERT_NE(NULL, self->pic);
	program(self->bus, MASTER, 0x20, 0x04, 0x01);
	program(self->bus, SLAVE, 0x28, 0x02, 0x01);
}

FIXTURE_TEARDOWN(pic)
{
	pic_free(self->pic);
	bus_free(self->bus);
}

static void pulse(struct pic *pic, unsigned int number)
{
	pic_line_set(pic, number, true);
	pic_line_set(pic, number, false);
}

static uint8_t isr(struct bus *bus, uint16_t port)
{
	outb(bus, port, READ_ISR);
	return inb(bus, port);
}

static uint8_t irr(struct bus *bus, uint16_t port)
{
	outb(bus, port, READ_IRR);
	return inb(bus, port);
}

TEST_F(pic, second_pair_on_the_same_bus_is_refused)
{
	struct irq_line intr = {};

	EXPECT_EQ(NULL, pic_new(self->bus, &intr));
	EXPECT_EQ(EEXIST, errno);
}

TEST(unprogrammed_pair_interrupts_nobody)
{
	struct fake_line intr = {};
	struct irq_line wire = fake_wire(&intr);
	struct bus *bus = bus_new();
	struct pic *pic = pic_new(bus, &wire);

	for (unsigned int i = 0; i < PIC_LINES; i++)
		pulse(pic, i);
	EXPECT_FALSE(intr.level);
	EXPECT_FALSE(pic_pending(pic));
	pic_free(pic);
	bus_free(bus);
}

TEST_F(pic, edge_interrupts_and_is_acknowledged)
{
	pic_line_set(self->pic, 3, true);
	EXPECT_TRUE(self->intr.level);
	EXPECT_TRUE(pic_pending(self->pic));
	EXPECT_EQ(0x08, irr(self->bus, MASTER));
	EXPECT_EQ(0x23, pic_acknowledge(self->pic));
	EXPECT_FALSE(self->intr.level);
	EXPECT_EQ(0x00, irr(self->bus, MASTER));
	EXPECT_EQ(0x08, isr(self->bus, MASTER));
}

TEST_F(pic, line_that_stays_up_makes_one_edge)
{
	pic_line_set(self->pic, 3, true);
	pic_acknowledge(self->pic);
	outb(self->bus, MASTER, EOI);
	pic_line_set(self->pic, 3, true);
	EXPECT_FALSE(pic_pending(self->pic));
	pic_line_set(self->pic, 3, false);
	pic_line_set(self->pic, 3, true);
	EXPECT_TRUE(pic_pending(self->pic));
}

TEST_F(pic, pulse_is_kept_until_acknowledged)
{
	pulse(self->pic, 5);
	EXPECT_EQ(0x25, pic_acknowledge(self->pic));
}

TEST_F(pic, higher_priority_goes_first)
{
	pulse(self->pic, 6);
	pulse(self->pic, 1);
	EXPECT_EQ(0x21, pic_acknowledge(self->pic));
	EXPECT_FALSE(pic_pending(self->pic));
	outb(self->bus, MASTER, EOI);
	EXPECT_EQ(0x26, pic_acknowledge(self->pic));
}

TEST_F(pic, higher_priority_interrupts_service_of_lower)
{
	pulse(self->pic, 6);
	pic_acknowledge(self->pic);
	pulse(self->pic, 7);
	EXPECT_FALSE(pic_pending(self->pic));
	pulse(self->pic, 0);
	EXPECT_TRUE(pic_pending(self->pic));
	EXPECT_EQ(0x20, pic_acknowledge(self->pic));
	EXPECT_EQ(0x41, isr(self->bus, MASTER));
	outb(self->bus, MASTER, EOI);
	EXPECT_EQ(0x40, isr(self->bus, MASTER));
}

TEST_F(pic, masked_input_waits)
{
	outb(self->bus, MASTER_DATA, 0x08);
	EXPECT_EQ(0x08, inb(self->bus, MASTER_DATA));
	pulse(self->pic, 3);
	EXPECT_FALSE(pic_pending(self->pic));
	outb(self->bus, MASTER_DATA, 0x00);
	EXPECT_TRUE(pic_pending(self->pic));
}

TEST_F(pic, specific_eoi_ends_the_one_named)
{
	pulse(self->pic, 6);
	pic_acknowledge(self->pic);
	pulse(self->pic, 1);
	pic_acknowledge(self->pic);
	outb(self->bus, MASTER, 0x60 | 6);
	EXPECT_EQ(0x02, isr(self->bus, MASTER));
}

TEST_F(pic, slave_interrupts_through_the_cascade)
{
	pulse(self->pic, 12);
	EXPECT_TRUE(pic_pending(self->pic));
	EXPECT_EQ(0x2c, pic_acknowledge(self->pic));
	EXPECT_EQ(0x04, isr(self->bus, MASTER));
	EXPECT_EQ(0x10, isr(self->bus, SLAVE));
	EXPECT_FALSE(pic_pending(self->pic));
}

TEST_F(pic, slave_waits_for_the_eois_of_both)
{
	pulse(self->pic, 12);
	pic_acknowledge(self->pic);
	pulse(self->pic, 13);
	outb(self->bus, SLAVE, EOI);
	EXPECT_FALSE(pic_pending(self->pic));
	outb(self->bus, MASTER, EOI);
	EXPECT_EQ(0x2d, pic_acknowledge(self->pic));
}

TEST_F(pic, higher_request_of_the_slave_waits_without_nested_mode)
{
	pulse(self->pic, 12);
	pic_acknowledge(self->pic);
	pulse(self->pic, 8);
	EXPECT_FALSE(pic_pending(self->pic));
}

TEST_F(pic, special_fully_nested_mode_lets_the_slave_interrupt_itself)
{
	program(self->bus, MASTER, 0x20, 0x04, 0x11);
	pulse(self->pic, 12);
	pic_acknowledge(self->pic);
	pulse(self->pic, 14);
	EXPECT_FALSE(pic_pending(self->pic));
	pulse(self->pic, 8);
	EXPECT_TRUE(pic_pending(self->pic));
	EXPECT_EQ(0x28, pic_acknowledge(self->pic));
}

TEST_F(pic, slave_that_has_more_makes_a_new_edge_at_the_master)
{
	pulse(self->pic, 12);
	pulse(self->pic, 9);
	EXPECT_EQ(0x29, pic_acknowledge(self->pic));
	outb(self->bus, MASTER, EOI);
	outb(self->bus, SLAVE, EOI);
	EXPECT_EQ(0x2c, pic_acknowledge(self->pic));
}

TEST_F(pic, cascade_input_belongs_to_no_device)
{
	pulse(self->pic, 2);
	EXPECT_FALSE(pic_pending(self->pic));
}

TEST_F(pic, input_that_does_not_exist_is_ignored)
{
	pic_line_set(self->pic, 16, true);
	pic_line_set(self->pic, ~0U, true);
	EXPECT_FALSE(pic_pending(self->pic));
}

TEST_F(pic, request_that_is_gone_gives_the_spurious_vector)
{
	pulse(self->pic, 3);
	outb(self->bus, MASTER_DATA, 0xff);
	EXPECT_EQ(0x27, pic_acknowledge(self->pic));
	EXPECT_EQ(0x00, isr(self->bus, MASTER));
}

TEST_F(pic, request_of_the_slave_that_is_gone_gives_its_spurious_vector)
{
	pulse(self->pic, 12);
	outb(self->bus, SLAVE_DATA, 0xff);
	EXPECT_TRUE(pic_pending(self->pic));
	EXPECT_EQ(0x2f, pic_acknowledge(self->pic));
	EXPECT_EQ(0x00, isr(self->bus, SLAVE));
	/* The slave's end of interrupt does not change the master. */
	EXPECT_EQ(0x04, isr(self->bus, MASTER));
}

TEST_F(pic, level_triggered_input_requests_while_it_is_up)
{
	outb(self->bus, ELCR_MASTER, 0x20);
	pic_line_set(self->pic, 5, true);
	EXPECT_EQ(0x25, pic_acknowledge(self->pic));
	EXPECT_FALSE(pic_pending(self->pic));
	outb(self->bus, MASTER, EOI);
	EXPECT_TRUE(pic_pending(self->pic));
	pic_line_set(self->pic, 5, false);
	EXPECT_FALSE(pic_pending(self->pic));
}

TEST_F(pic, level_that_falls_early_is_spurious)
{
	outb(self->bus, ELCR_MASTER, 0x20);
	pic_line_set(self->pic, 5, true);
	pic_line_set(self->pic, 5, false);
	EXPECT_EQ(0x27, pic_acknowledge(self->pic));
}

TEST_F(pic, some_inputs_are_edges_for_ever)
{
	outb(self->bus, ELCR_MASTER, 0xff);
	outb(self->bus, ELCR_SLAVE, 0xff);
	EXPECT_EQ(0xf8, inb(self->bus, ELCR_MASTER));
	EXPECT_EQ(0xde, inb(self->bus, ELCR_SLAVE));
}

TEST_F(pic, input_made_level_triggered_forgets_its_edge)
{
	outb(self->bus, MASTER_DATA, 0xff);
	pulse(self->pic, 5);
	outb(self->bus, ELCR_MASTER, 0x20);
	outb(self->bus, ELCR_MASTER, 0x00);
	EXPECT_EQ(0, irr(self->bus, MASTER));
}

TEST_F(pic, automatic_eoi_leaves_nothing_in_service)
{
	program(self->bus, MASTER, 0x20, 0x04, 0x03);
	pulse(self->pic, 3);
	EXPECT_EQ(0x23, pic_acknowledge(self->pic));
	EXPECT_EQ(0, isr(self->bus, MASTER));
}

TEST_F(pic, rotation_in_automatic_eoi_mode)
{
	program(self->bus, MASTER, 0x20, 0x04, 0x03);
	outb(self->bus, MASTER, 0x80);
	pulse(self->pic, 3);
	pic_acknowledge(self->pic);
	/* Now input 3 has the lowest priority, 4 the highest. */
	pulse(self->pic, 3);
	pulse(self->pic, 0);
	pulse(self->pic, 5);
	EXPECT_EQ(0x25, pic_acknowledge(self->pic));
	outb(self->bus, MASTER, 0x00);
	EXPECT_EQ(0x20, pic_acknowledge(self->pic));
	EXPECT_EQ(0x23, pic_acknowledge(self->pic));
}

TEST_F(pic, rotation_on_non_specific_eoi)
{
	pulse(self->pic, 4);
	pic_acknowledge(self->pic);
	outb(self->bus, MASTER, 0xa0);
	pulse(self->pic, 4);
	pulse(self->pic, 0);
	pulse(self->pic, 6);
	EXPECT_EQ(0x26, pic_acknowledge(self->pic));
	outb(self->bus, MASTER, EOI);
	EXPECT_EQ(0x20, pic_acknowledge(self->pic));
	outb(self->bus, MASTER, EOI);
	EXPECT_EQ(0x24, pic_acknowledge(self->pic));
}

TEST_F(pic, rotation_on_specific_eoi)
{
	pulse(self->pic, 4);
	pic_acknowledge(self->pic);
	outb(self->bus, MASTER, 0xe0 | 4);
	EXPECT_EQ(0, isr(self->bus, MASTER));
	pulse(self->pic, 4);
	pulse(self->pic, 5);
	EXPECT_EQ(0x25, pic_acknowledge(self->pic));
}

TEST_F(pic, priority_can_be_set)
{
	outb(self->bus, MASTER, 0xc0 | 5);
	pulse(self->pic, 0);
	pulse(self->pic, 6);
	EXPECT_EQ(0x26, pic_acknowledge(self->pic));
}

TEST_F(pic, special_mask_mode_lets_lower_priorities_pass)
{
	pulse(self->pic, 1);
	pic_acknowledge(self->pic);
	outb(self->bus, MASTER_DATA, 0x02);
	pulse(self->pic, 4);
	EXPECT_FALSE(pic_pending(self->pic));
	outb(self->bus, MASTER, 0x68);
	EXPECT_TRUE(pic_pending(self->pic));
	outb(self->bus, MASTER, 0x48);
	EXPECT_FALSE(pic_pending(self->pic));
}

TEST_F(pic, non_specific_eoi_passes_over_what_special_mask_mode_masks)
{
	pulse(self->pic, 1);
	pic_acknowledge(self->pic);
	outb(self->bus, MASTER_DATA, 0x02);
	outb(self->bus, MASTER, 0x68);
	pulse(self->pic, 4);
	pic_acknowledge(self->pic);
	EXPECT_EQ(0x12, isr(self->bus, MASTER));
	outb(self->bus, MASTER, EOI);
	EXPECT_EQ(0x02, isr(self->bus, MASTER));
}

TEST_F(pic, poll_acknowledges_and_names_the_input)
{
	pulse(self->pic, 5);
	outb(self->bus, MASTER, POLL);
	EXPECT_EQ(0x85, inb(self->bus, MASTER));
	EXPECT_EQ(0x20, isr(self->bus, MASTER));
	EXPECT_FALSE(pic_pending(self->pic));
}

TEST_F(pic, poll_without_request_gives_zero_once)
{
	outb(self->bus, MASTER, READ_ISR);
	pulse(self->pic, 5);
	pic_acknowledge(self->pic);
	outb(self->bus, MASTER, POLL);
	EXPECT_EQ(0x00, inb(self->bus, MASTER));
	EXPECT_EQ(0x20, inb(self->bus, MASTER));
}

TEST_F(pic, poll_of_master_then_slave_finds_the_slaves_input)
{
	pulse(self->pic, 11);
	outb(self->bus, MASTER, POLL);
	EXPECT_EQ(0x82, inb(self->bus, MASTER));
	outb(self->bus, SLAVE, POLL);
	EXPECT_EQ(0x83, inb(self->bus, SLAVE));
	EXPECT_FALSE(pic_pending(self->pic));
}

TEST_F(pic, selected_register_is_read_again_and_again)
{
	pulse(self->pic, 5);
	outb(self->bus, MASTER, READ_IRR);
	EXPECT_EQ(0x20, inb(self->bus, MASTER));
	EXPECT_EQ(0x20, inb(self->bus, MASTER));
	outb(self->bus, MASTER, READ_ISR);
	EXPECT_EQ(0x00, inb(self->bus, MASTER));
}

TEST_F(pic, initialization_starts_over)
{
	outb(self->bus, MASTER_DATA, 0xfe);
	pic_line_set(self->pic, 0, true);
	pic_acknowledge(self->pic);
	outb(self->bus, MASTER, 0xc0);
	program(self->bus, MASTER, 0x40, 0x04, 0x01);
	EXPECT_EQ(0, inb(self->bus, MASTER_DATA));
	EXPECT_EQ(0, isr(self->bus, MASTER));
	EXPECT_EQ(0, irr(self->bus, MASTER));
	pulse(self->pic, 7);
	pic_line_set(self->pic, 0, false);
	pic_line_set(self->pic, 0, true);
	EXPECT_EQ(0x40, pic_acknowledge(self->pic));
}

TEST_F(pic, nothing_interrupts_in_the_middle_of_initialization)
{
	outb(self->bus, MASTER, 0x11);
	outb(self->bus, MASTER_DATA, 0x20);
	pulse(self->pic, 3);
	EXPECT_FALSE(pic_pending(self->pic));
	outb(self->bus, MASTER_DATA, 0x04);
	outb(self->bus, MASTER_DATA, 0x01);
	EXPECT_TRUE(pic_pending(self->pic));
}

TEST_F(pic, words_that_are_not_announced_are_not_awaited)
{
	/* Without ICW3 (single) and ICW4. */
	outb(self->bus, MASTER, 0x12);
	outb(self->bus, MASTER_DATA, 0x57);
	outb(self->bus, MASTER_DATA, 0x5a);
	EXPECT_EQ(0x5a, inb(self->bus, MASTER_DATA));
	outb(self->bus, MASTER_DATA, 0x00);
	pulse(self->pic, 1);
	EXPECT_EQ(0x51, pic_acknowledge(self->pic));
}

TEST_F(pic, bios_leaves_vectors_8_and_70_with_timer_and_keyboard)
{
	pic_setup_as_bios(self->pic);
	EXPECT_EQ(0x0c, inb(self->bus, ELCR_SLAVE)); /* PCI's: 10 and 11 */
	EXPECT_EQ(0xf8, inb(self->bus, MASTER_DATA));
	EXPECT_EQ(0xff, inb(self->bus, SLAVE_DATA));
	outb(self->bus, SLAVE_DATA, 0x00);
	pulse(self->pic, 0);
	EXPECT_EQ(0x08, pic_acknowledge(self->pic));
	outb(self->bus, MASTER, EOI);
	pulse(self->pic, 8);
	EXPECT_EQ(0x70, pic_acknowledge(self->pic));
}

TEST_F(pic, any_access_is_survived)
{
	for (unsigned int i = 0; i < PIC_LINES; i++) {
		pic_line_set(self->pic, i, true);
		fake_hammer(self->bus, MASTER, MASTER_DATA);
		fake_hammer(self->bus, SLAVE, SLAVE_DATA);
		fake_hammer(self->bus, ELCR_MASTER, ELCR_SLAVE);
		EXPECT_GT(256, pic_acknowledge(self->pic));
	}
	pic_setup_as_bios(self->pic);
	EXPECT_EQ(0xf8, inb(self->bus, MASTER_DATA));
}

TEST_HARNESS_MAIN
