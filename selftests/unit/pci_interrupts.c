// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the interrupts of PCI functions: messages (MSI-X), and lines that several
 * functions share.
 */
#include <errno.h>

#include "kselftest_harness.h"
#include "pci_fixture.h"

#define COMMAND 4
#define MASTER 4
#define MEMORY 2
#define INTX_OFF 0x400
#define STATUS_INTX (1U << 19)

#define VECTORS 70
#define TABLE 0x800
#define PENDING (TABLE + 16 * VECTORS)
#define CONTROL 0x40
#define ENABLE 0x80000000
#define MASK_ALL 0x40000000

FIXTURE(interrupts)
{
	struct pci_world world;
	struct pci_device device;
	struct pci_device others[8];
};

FIXTURE_SETUP(interrupts)
{
	world_make(&self->world, 1 << 20);
	ASSERT_NE(NULL, self->world.bridge);
	device_init(&self->device);
	device_bar(&self->device, 1, PCI_BAR_MEMORY32, DEVICE_MEMORY);
	ASSERT_EQ(0, pci_add_msix(&self->device.function, 1, TABLE, VECTORS));
	ASSERT_EQ(0, pci_bus_plug(self->world.pci, &self->device.function));
}

FIXTURE_TEARDOWN(interrupts)
{
	world_free(&self->world);
}

static void command(FIXTURE_DATA(interrupts) * self, uint32_t value)
{
	memory_put(&self->world, config_at(1, 0, COMMAND), value, 2);
}

static void control(FIXTURE_DATA(interrupts) * self, uint32_t value)
{
	config_put(&self->world, 1, CONTROL, value);
}

static void entry(FIXTURE_DATA(interrupts) * self, unsigned int vector,
		  uint32_t data, uint32_t mask)
{
	const uint64_t at = HOLE + TABLE + 16 * vector;

	memory_put(&self->world, at, 0xfee01000, 4);
	memory_put(&self->world, at + 4, 1, 4);
	memory_put(&self->world, at + 8, data, 4);
	memory_put(&self->world, at + 12, mask, 4);
}

static bool is_pending(FIXTURE_DATA(interrupts) * self, unsigned int vector)
{
	return memory_get(&self->world, HOLE + PENDING + vector / 8, 1) >>
		       vector % 8 &
	       1;
}

static void open_all(FIXTURE_DATA(interrupts) * self)
{
	command(self, MEMORY | MASTER);
	control(self, ENABLE);
}

TEST_F(interrupts, capability_says_where_table_and_pending_bits_are)
{
	EXPECT_EQ(CONTROL, config_get(&self->world, 1, 0x34) & 0xff);
	EXPECT_EQ((VECTORS - 1) << 16 | 0x0011,
		  config_get(&self->world, 1, CONTROL));
	EXPECT_EQ(TABLE | 1, config_get(&self->world, 1, CONTROL + 4));
	EXPECT_EQ(PENDING | 1, config_get(&self->world, 1, CONTROL + 8));
	EXPECT_NE(0, config_get(&self->world, 1, COMMAND) & 0x100000);
	control(self, 0xffffffff);
	EXPECT_EQ(0xc0000011 | (VECTORS - 1) << 16,
		  config_get(&self->world, 1, CONTROL));
}

TEST_F(interrupts, every_vector_is_masked_at_first)
{
	for (unsigned int i = 0; i < VECTORS; i++)
		EXPECT_EQ(1, memory_get(&self->world,
					HOLE + TABLE + 16 * i + 12, 4));
}

TEST_F(interrupts, message_is_that_of_the_vector)
{
	open_all(self);
	entry(self, 69, 0x4041, 0);
	EXPECT_TRUE(pci_msix_enabled(&self->device.function));
	pci_msix_notify(&self->device.function, 69);
	ASSERT_EQ(1, self->world.log.nr_messages);
	EXPECT_EQ(0x1fee01000, self->world.log.messages[0].address);
	EXPECT_EQ(0x4041, self->world.log.messages[0].data);
	EXPECT_FALSE(is_pending(self, 69));
}

TEST_F(interrupts, nothing_is_sent_or_kept_while_messages_are_not_enabled)
{
	entry(self, 0, 0x40, 0);
	command(self, MEMORY | MASTER);
	EXPECT_FALSE(pci_msix_enabled(&self->device.function));
	pci_msix_notify(&self->device.function, 0);
	control(self, ENABLE);
	EXPECT_EQ(0, self->world.log.nr_messages);
}

TEST_F(interrupts, vector_that_is_not_there_is_ignored)
{
	open_all(self);
	pci_msix_notify(&self->device.function, VECTORS);
	pci_msix_notify(&self->device.function, UINT32_MAX);
	EXPECT_EQ(0, self->world.log.nr_messages);
}

TEST_F(interrupts, masked_vector_waits_and_is_sent_once)
{
	open_all(self);
	entry(self, 3, 0x43, 1);
	pci_msix_notify(&self->device.function, 3);
	pci_msix_notify(&self->device.function, 3);
	EXPECT_EQ(0, self->world.log.nr_messages);
	EXPECT_TRUE(is_pending(self, 3));
	EXPECT_FALSE(is_pending(self, 2));
	entry(self, 3, 0x44, 0);
	ASSERT_EQ(1, self->world.log.nr_messages);
	EXPECT_EQ(0x44, self->world.log.messages[0].data);
	EXPECT_FALSE(is_pending(self, 3));
}

TEST_F(interrupts, mask_of_the_function_holds_all_vectors)
{
	open_all(self);
	entry(self, 0, 0x40, 0);
	entry(self, 1, 0x41, 1);
	entry(self, 2, 0x42, 0);
	control(self, ENABLE | MASK_ALL);
	for (unsigned int i = 0; i < 3; i++)
		pci_msix_notify(&self->device.function, i);
	EXPECT_EQ(0, self->world.log.nr_messages);
	control(self, ENABLE);
	EXPECT_EQ(2, self->world.log.nr_messages);
	EXPECT_TRUE(is_pending(self, 1));
	control(self, 0);
	EXPECT_FALSE(is_pending(self, 1));
}

TEST_F(interrupts, message_waits_for_the_right_to_be_master)
{
	entry(self, 0, 0x40, 0);
	command(self, MEMORY);
	control(self, ENABLE);
	pci_msix_notify(&self->device.function, 0);
	EXPECT_EQ(0, self->world.log.nr_messages);
	command(self, MEMORY | MASTER);
	EXPECT_EQ(1, self->world.log.nr_messages);
}

TEST_F(interrupts, device_is_told_of_its_messages)
{
	entry(self, 5, 0x45, 0);
	EXPECT_EQ(5, self->device.vector);
	EXPECT_FALSE(self->device.sends);
	open_all(self);
	entry(self, 5, 0x46, 0);
	EXPECT_EQ(5, self->device.vector);
	EXPECT_TRUE(self->device.sends);
	EXPECT_EQ(0x46, self->device.message.data);
	EXPECT_EQ(0x1fee01000, self->device.message.address);
	memory_put(&self->world, HOLE + TABLE + 16 * 5 + 12, 1, 4);
	EXPECT_FALSE(self->device.sends);
	memory_put(&self->world, HOLE + TABLE + 16 * 5 + 12, 0, 4);
	EXPECT_TRUE(self->device.sends);
	pci_function_reset(&self->device.function);
	EXPECT_FALSE(self->device.sends);
}

TEST_F(interrupts, pending_bits_and_reserved_ones_cannot_be_written)
{
	memory_put(&self->world, HOLE + PENDING, 0xffffffff, 4);
	EXPECT_EQ(0, memory_get(&self->world, HOLE + PENDING, 4));
	memory_put(&self->world, HOLE + TABLE, 0xffffffff, 4);
	EXPECT_EQ(0xfffffffc, memory_get(&self->world, HOLE + TABLE, 4));
	memory_put(&self->world, HOLE + TABLE + 12, 0xfffffffe, 4);
	EXPECT_EQ(0, memory_get(&self->world, HOLE + TABLE + 12, 4));
	EXPECT_EQ(0, self->device.writes);
}

TEST_F(interrupts, accesses_over_the_ends_of_table_and_pending_bits_are_divided)
{
	uint8_t bytes[16];

	memset(bytes, 0x66, sizeof(bytes));
	bus_write(self->world.bus, BUS_MMIO, HOLE + TABLE - 8, bytes, 16);
	EXPECT_EQ(8, self->device.writes);
	EXPECT_EQ(0x66, self->device.memory[TABLE - 1]);
	EXPECT_EQ(0, self->device.memory[TABLE]);
	EXPECT_EQ(0x66666664, memory_get(&self->world, HOLE + TABLE, 4));
	bus_read(self->world.bus, BUS_MMIO, HOLE + TABLE - 1, bytes, 2);
	EXPECT_EQ(0x66, bytes[0]);
	EXPECT_EQ(0x64, bytes[1]);
	/* 70 vectors have 16 bytes of pending bits. */
	self->device.writes = 0;
	bus_write(self->world.bus, BUS_MMIO, HOLE + PENDING + 8, bytes, 16);
	EXPECT_EQ(8, self->device.writes);
}

TEST_F(interrupts, tables_that_do_not_fit_are_refused)
{
	struct pci_function *function = &self->others[0].function;

	device_init(&self->others[0]);
	device_bar(&self->others[0], 0, PCI_BAR_MEMORY32, 0x1000);
	device_bar(&self->others[0], 1, PCI_BAR_PORT, 0x100);
	EXPECT_EQ(-EINVAL, pci_add_msix(function, 0, 0, 0));
	EXPECT_EQ(-EINVAL, pci_add_msix(function, 0, 0, 257));
	EXPECT_EQ(-EINVAL, pci_add_msix(function, 0, 0, 256));
	EXPECT_EQ(-EINVAL, pci_add_msix(function, 0, 0xff0, 1));
	EXPECT_EQ(-EINVAL, pci_add_msix(function, 0, 4, 1));
	EXPECT_EQ(-EINVAL, pci_add_msix(function, 0, 0xfffffff8, 1));
	EXPECT_EQ(-EINVAL, pci_add_msix(function, 1, 0, 1));
	EXPECT_EQ(-EINVAL, pci_add_msix(function, 2, 0, 1));
	EXPECT_EQ(-EINVAL, pci_add_msix(function, 6, 0, 1));
	EXPECT_EQ(0, pci_add_msix(function, 0, 0xfe8, 1));
}

TEST_F(interrupts, states_that_cannot_be_are_not_sound)
{
	struct pci_function *function = &self->device.function;

	open_all(self);
	entry(self, 0, 0x40, 0);
	entry(self, 1, 0x41, 1);
	pci_msix_notify(function, 1);
	EXPECT_TRUE(pci_function_is_sound(function));
	function->msix.pending[0] |= 1; /* could have been sent */
	EXPECT_FALSE(pci_function_is_sound(function));
	function->msix.pending[0] &= ~1;
	function->msix.pending[VECTORS / 8] |= 0x80; /* no such vector */
	EXPECT_FALSE(pci_function_is_sound(function));
	function->msix.pending[VECTORS / 8] = 0;
	function->msix.table[0] |= 1;
	EXPECT_FALSE(pci_function_is_sound(function));
	function->msix.table[0] &= ~1;
	function->msix.table[16 * VECTORS] = 1;
	EXPECT_FALSE(pci_function_is_sound(function));
	function->msix.table[16 * VECTORS] = 0;
	EXPECT_TRUE(pci_function_is_sound(function));
}

TEST_F(interrupts, what_was_pending_when_saved_is_sent_once_it_can_be)
{
	struct pci_function *function = &self->device.function;

	open_all(self);
	entry(self, 1, 0x41, 1);
	pci_msix_notify(function, 1);
	pci_function_loaded(function);
	EXPECT_EQ(0, self->world.log.nr_messages);
	entry(self, 1, 0x41, 0);
	EXPECT_EQ(1, self->world.log.nr_messages);
}

TEST_F(interrupts, line_follows_the_level_and_the_status_tells)
{
	pci_intx_set(&self->device.function, true);
	EXPECT_EQ(1 << 17, self->world.log.levels);
	EXPECT_NE(0, config_get(&self->world, 1, COMMAND) & STATUS_INTX);
	EXPECT_NE(0, memory_get(&self->world, config_at(1, 0, 6), 1) & 8);
	EXPECT_EQ(0, memory_get(&self->world, config_at(1, 0, 7), 1));
	pci_intx_set(&self->device.function, false);
	EXPECT_EQ(0, self->world.log.levels);
	EXPECT_EQ(0, config_get(&self->world, 1, COMMAND) & STATUS_INTX);
}

TEST_F(interrupts, line_that_is_disabled_is_low_but_the_status_tells)
{
	command(self, INTX_OFF);
	pci_intx_set(&self->device.function, true);
	EXPECT_EQ(0, self->world.log.levels);
	EXPECT_NE(0, config_get(&self->world, 1, COMMAND) & STATUS_INTX);
	command(self, 0);
	EXPECT_EQ(1 << 17, self->world.log.levels);
	command(self, INTX_OFF);
	EXPECT_EQ(0, self->world.log.levels);
}

TEST_F(interrupts, line_that_is_shared_is_high_while_one_asserts_it)
{
	for (int i = 0; i < 8; i++) {
		device_init(&self->others[i]);
		ASSERT_EQ(0, pci_bus_plug(self->world.pci,
					  &self->others[i].function));
	}
	/* Devices 1 and 5 share GSI 17, and 8 has GSI 16. */
	pci_intx_set(&self->device.function, true);
	pci_intx_set(&self->others[3].function, true);
	pci_intx_set(&self->others[6].function, true);
	EXPECT_EQ(3 << 16, self->world.log.levels);
	pci_intx_set(&self->device.function, false);
	EXPECT_EQ(3 << 16, self->world.log.levels);
	pci_function_reset(&self->others[3].function);
	EXPECT_EQ(1 << 16, self->world.log.levels);
}

TEST_F(interrupts, level_that_was_loaded_reaches_the_line)
{
	self->device.function.level = true;
	pci_function_loaded(&self->device.function);
	EXPECT_EQ(1 << 17, self->world.log.levels);
}

TEST_F(interrupts, header_says_pin_and_line)
{
	EXPECT_EQ(0x010b, config_get(&self->world, 1, 0x3c));
	memory_put(&self->world, config_at(1, 0, 0x3c), 0xff05, 2);
	EXPECT_EQ(0x0105, config_get(&self->world, 1, 0x3c));
	EXPECT_EQ(17, pci_gsi(1, 0));
	EXPECT_EQ(16, pci_gsi(1, 3));
	EXPECT_EQ(10, pci_isa_irq(2, 0));
	EXPECT_EQ(11, pci_isa_irq(3, 0));
}

TEST_F(interrupts, line_is_low_while_messages_are_enabled)
{
	pci_intx_set(&self->device.function, true);
	control(self, ENABLE);
	EXPECT_EQ(0, self->world.log.levels);
	EXPECT_NE(0, config_get(&self->world, 1, COMMAND) & STATUS_INTX);
	control(self, 0);
	EXPECT_EQ(1 << 17, self->world.log.levels);
	control(self, ENABLE | MASK_ALL);
	EXPECT_EQ(0, self->world.log.levels);
	pci_intx_set(&self->device.function, false);
	control(self, 0);
	EXPECT_EQ(0, self->world.log.levels);
	control(self, ENABLE);
	pci_intx_set(&self->device.function, true);
	EXPECT_EQ(0, self->world.log.levels);
	pci_function_reset(&self->device.function);
	EXPECT_EQ(0, self->world.log.levels);
}

TEST_HARNESS_MAIN
