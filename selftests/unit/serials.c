// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of a machine's four serial ports: their lines, their consoles, and what tells
 * the guest of them.
 */
#include "boot/bios.h"
#include "boot/dsdt.h"
#include "machine/interrupts.h"
#include "machine/serials.h"
#include "machine_fixture.h"

#define COM2 0x2f8
#define COM3 0x3e8
#define PIC_MASTER 0x20

static int changes;
static bool last;

static void take_level(void *opaque, unsigned int number, bool level)
{
	changes++;
	last = level;
}

TEST(a_shared_line_is_high_while_one_device_drives_it)
{
	const struct irq_line out = { .set = take_level };
	struct irq_line first, second;
	struct irq_gate gate;

	irq_gate_init(&gate, &out);
	first = irq_gate_input(&gate, 0);
	second = irq_gate_input(&gate, 1);
	irq_line_set(&first, true);
	EXPECT_TRUE(last);
	irq_line_set(&second, true);
	irq_line_set(&first, false);
	EXPECT_TRUE(last);
	irq_line_set(&second, false);
	EXPECT_FALSE(last);
	EXPECT_EQ(4, changes);
	irq_gate_fini(&gate);
}

static void no_kick(void *opaque)
{
}

TEST(the_ports_interrupt_by_the_lines_of_a_pc)
{
	static const uint8_t irr[SERIAL_MAX] = { 1 << 4, 1 << 3, 1 << 4,
						 1 << 3 };
	const struct interrupts_config wiring = { .kick = no_kick };

	for (size_t i = 0; i < SERIAL_MAX; i++) {
		struct board board = { .bus = bus_new(), .cpus = 1 };
		struct interrupts *interrupts = interrupts_new(&wiring, &board);
		uint8_t pending = 0;

		ASSERT_NE(NULL, interrupts);
		irq_line_set(&board.serials[i].irq, true);
		bus_read(board.bus, BUS_PORT, PIC_MASTER, &pending, 1);
		EXPECT_EQ(irr[i], pending);
		interrupts_free(interrupts);
		bus_free(board.bus);
	}
}

static int step;

static int guest_writes_to_three_ports(struct lodge_run *run)
{
	switch (step++) {
	case 0:
		return fake_out(run, COM1, 1, '1');
	case 1:
		return fake_out(run, COM2, 1, '2');
	case 2:
		return fake_out(run, COM3, 1, '3');
	}
	return guest_powers_off(run);
}

TEST(each_port_has_its_own_console)
{
	char paths[3][MEMFILE_PATH_SIZE], text[4] = "";
	struct console *consoles[SERIAL_MAX] = { NULL };
	struct machine *machine;
	int fds[3];

	describe(guest_writes_to_three_ports, 1);
	for (unsigned int i = 0; i < 3; i++) {
		fds[i] = memfile("", 0, paths[i]);
		ASSERT_EQ(0,
			  console_open(&consoles[i], CONSOLE_FILE, paths[i]));
		ASSERT_EQ(0, serials_want(&config.devices, i));
	}
	ASSERT_EQ(0, machine_new(&machine, &config, &error));
	ASSERT_EQ(0, machine_start(machine, consoles, &error));
	ASSERT_EQ(0, machine_wait(machine, &end, &error));
	EXPECT_EQ(MACHINE_POWERED_OFF, end.fate);
	machine_free(machine);
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(1, pread(fds[i], text, sizeof(text), 0));
		EXPECT_EQ('1' + i, text[0]);
		console_close(consoles[i]);
	}
}

TEST(a_port_that_leads_to_nothing_swallows_output)
{
	struct console *consoles[SERIAL_MAX] = { NULL };
	struct machine *machine;

	describe(guest_writes_to_three_ports, 1);
	ASSERT_EQ(0, serials_want(&config.devices, 1));
	ASSERT_EQ(0, machine_new(&machine, &config, &error));
	ASSERT_EQ(0, machine_start(machine, consoles, &error));
	ASSERT_EQ(0, machine_wait(machine, &end, &error));
	EXPECT_EQ(MACHINE_POWERED_OFF, end.fate);
	machine_free(machine);
}

/* Return: the number of places at which the bytes are. */
static int count(const uint8_t *data, size_t size, const void *bytes,
		 size_t length)
{
	int found = 0;

	for (size_t i = 0; i + length <= size; i++)
		found += !memcmp(data + i, bytes, length);
	return found;
}

TEST(acpi_tells_of_the_ports_that_there_are)
{
	/* I/O, 16 bits decoded, from and to the port. */
	static const uint8_t ports[SERIAL_MAX][6] = {
		{ 0x47, 0x01, 0xf8, 0x03, 0xf8, 0x03 },
		{ 0x47, 0x01, 0xf8, 0x02, 0xf8, 0x02 },
		{ 0x47, 0x01, 0xe8, 0x03, 0xe8, 0x03 },
		{ 0x47, 0x01, 0xe8, 0x02, 0xe8, 0x02 },
	};
	static uint8_t bytes[16384];
	struct ram *ram = ram_new(MEMORY);

	for (unsigned int serials = 0; serials < 1U << SERIAL_MAX; serials++) {
		const struct dsdt_parts parts = { 1, serials };
		struct aml aml = { .data = bytes, .capacity = sizeof(bytes) };

		dsdt_build(&aml, ram, &parts);
		EXPECT_FALSE(aml.full);
		EXPECT_EQ(__builtin_popcount(serials),
			  count(bytes, aml.size, "\x41\xd0\x05\x01", 4));
		for (size_t i = 0; i < SERIAL_MAX; i++)
			EXPECT_EQ(serials >> i & 1,
				  count(bytes, aml.size, ports[i], 6));
	}
	ram_free(ram);
}

TEST(the_bios_lists_the_ports_that_there_are)
{
	struct ram *ram = ram_new(MEMORY);

	bios_write(ram, 0xa);
	EXPECT_EQ(0,
		  memcmp(ram_at(ram, 0x400, 8), "\xf8\x02\xe8\x02\0\0\0\0", 8));
	EXPECT_EQ(2, *(uint8_t *)ram_at(ram, 0x411, 1) >> 1 & 7);
	ram_free(ram);
}

TEST_HARNESS_MAIN
