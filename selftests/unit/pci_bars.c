// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the BARs of PCI functions: their registers, where they answer, and who wins
 * where they overlap.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "kselftest_harness.h"
#include "pci_fixture.h"

#define RAM (5 * GIB)
/* Above RAM: 4 GiB and the 2 GiB that are not below the hole. */
#define WINDOW (6 * GIB)
#define BAR(n) (0x10 + 4 * (n))
#define COMMAND 4
#define ON 3
#define COM1 0x3f8

FIXTURE(bars)
{
	struct pci_world world;
	struct pci_device device;
	struct pci_device other;
};

FIXTURE_SETUP(bars)
{
	world_make(&self->world, RAM);
	ASSERT_NE(NULL, self->world.bridge);
	device_init(&self->device);
	device_init(&self->other);
}

FIXTURE_TEARDOWN(bars)
{
	world_free(&self->world);
}

static int plug(FIXTURE_DATA(bars) * self, struct pci_device *device)
{
	return pci_bus_plug(self->world.pci, &device->function);
}

TEST_F(bars, tell_their_kind_and_size_when_all_ones_are_written)
{
	device_bar(&self->device, 0, PCI_BAR_PORT, 0x20);
	device_bar(&self->device, 1, PCI_BAR_MEMORY32, 0x1000);
	device_bar(&self->device, 2, PCI_BAR_MEMORY32, 0x10);
	device_bar(&self->device, 4, PCI_BAR_MEMORY64, 8 * GIB);
	self->device.function.bars[2].prefetchable = true;
	ASSERT_EQ(0, plug(self, &self->device));
	for (unsigned int i = 0; i < PCI_NR_BARS; i++)
		config_put(&self->world, 1, BAR(i), 0xffffffff);
	EXPECT_EQ(0xffffffe1, config_get(&self->world, 1, BAR(0)));
	EXPECT_EQ(0xfffff000, config_get(&self->world, 1, BAR(1)));
	EXPECT_EQ(0xfffffff8, config_get(&self->world, 1, BAR(2)));
	EXPECT_EQ(0, config_get(&self->world, 1, BAR(3)));
	EXPECT_EQ(0x00000004, config_get(&self->world, 1, BAR(4)));
	EXPECT_EQ(0xfffffffe, config_get(&self->world, 1, BAR(5)));
}

TEST_F(bars, get_aligned_addresses_of_their_windows_and_are_on)
{
	device_bar(&self->device, 0, PCI_BAR_MEMORY32, 0x10);
	device_bar(&self->device, 1, PCI_BAR_PORT, 0x40);
	device_bar(&self->device, 2, PCI_BAR_MEMORY64, 0x100000);
	device_bar(&self->device, 4, PCI_BAR_MEMORY64, GIB);
	ASSERT_EQ(0, plug(self, &self->device));
	EXPECT_EQ(HOLE, self->device.moved[0]);
	EXPECT_EQ(0xc000, self->device.moved[1]);
	EXPECT_EQ(HOLE + 0x100000, self->device.moved[2]);
	EXPECT_EQ(WINDOW, self->device.moved[4]);
	EXPECT_EQ(ON, config_get(&self->world, 1, COMMAND));
	EXPECT_EQ(WINDOW >> 32, config_get(&self->world, 1, BAR(5)));
}

TEST_F(bars, answer_as_a_whole_wherever_they_are)
{
	device_bar(&self->device, 0, PCI_BAR_MEMORY64, DEVICE_MEMORY);
	ASSERT_EQ(0, plug(self, &self->device));
	config_put(&self->world, 1, BAR(1), 0x20);
	self->device.memory[8] = 0x5a;
	EXPECT_EQ(0x5a, memory_get(&self->world, 0x20c0100008, 4));
	EXPECT_EQ(1, self->device.reads);
	EXPECT_EQ(4, self->device.last_size);
	memory_put(&self->world, 0x20c0100010, 0x12345678, 4);
	EXPECT_EQ(1, self->device.writes);
	EXPECT_EQ(0x12, self->device.memory[0x13]);
	EXPECT_EQ(0xffffffff, memory_get(&self->world, HOLE + 8, 4));
}

TEST_F(bars, of_ports_answer_ports)
{
	device_bar(&self->device, 0, PCI_BAR_PORT, 8);
	ASSERT_EQ(0, plug(self, &self->device));
	out(self->world.bus, 0xc004, 0x1234, 2);
	EXPECT_EQ(0x34, self->device.memory[4]);
	EXPECT_EQ(0x1234, in(self->world.bus, 0xc004, 2));
	config_put(&self->world, 1, BAR(0), 0xfff8);
	EXPECT_EQ(0xffff, in(self->world.bus, 0xc004, 2));
	EXPECT_EQ(0x1234, in(self->world.bus, 0xfffc, 2));
	config_put(&self->world, 1, BAR(0), 0x1fff8);
	EXPECT_EQ(0xffff, in(self->world.bus, 0xfffc, 2));
}

TEST_F(bars, are_off_without_their_bit_in_command)
{
	device_bar(&self->device, 0, PCI_BAR_PORT, 8);
	device_bar(&self->device, 1, PCI_BAR_MEMORY32, 0x10);
	ASSERT_EQ(0, plug(self, &self->device));
	config_put(&self->world, 1, COMMAND, PCI_COMMAND_PORT);
	EXPECT_EQ(0, in(self->world.bus, 0xc000, 1));
	EXPECT_EQ(0xff, memory_get(&self->world, HOLE, 1));
	EXPECT_EQ(PCI_BAR_OFF, self->device.moved[1]);
	config_put(&self->world, 1, COMMAND, PCI_COMMAND_MEMORY);
	EXPECT_EQ(0xff, in(self->world.bus, 0xc000, 1));
	EXPECT_EQ(0, memory_get(&self->world, HOLE, 1));
	EXPECT_EQ(HOLE, self->device.moved[1]);
}

TEST_F(bars, that_do_not_move_are_not_said_to)
{
	device_bar(&self->device, 0, PCI_BAR_MEMORY32, 0x10);
	device_bar(&self->other, 0, PCI_BAR_MEMORY32, 0x10);
	ASSERT_EQ(0, plug(self, &self->device));
	ASSERT_EQ(0, plug(self, &self->other));
	ASSERT_EQ(1, self->device.moves);
	config_put(&self->world, 2, BAR(0), HOLE + 0x10000);
	config_put(&self->world, 1, COMMAND, PCI_COMMAND_MEMORY);
	EXPECT_EQ(1, self->device.moves);
	EXPECT_EQ(3, self->other.moves);
	EXPECT_EQ(HOLE + 0x10000, self->other.moved[0]);
}

TEST_F(bars, over_ram_or_the_platform_answer_nowhere)
{
	static const uint64_t places[] = {
		0,	     0xa0000,	      HOLE - 0x1000, 0xc0000000,
		0xfec10000,  0xfec00000,      0xfee00000,    0xfffff000,
		0x100000000, WINDOW - 0x1000,
	};

	device_bar(&self->device, 0, PCI_BAR_MEMORY64, DEVICE_MEMORY);
	ASSERT_EQ(0, plug(self, &self->device));
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		config_put(&self->world, 1, BAR(1), places[i] >> 32);
		config_put(&self->world, 1, BAR(0), places[i]);
		EXPECT_EQ(PCI_BAR_OFF, self->device.moved[0]);
		memory_put(&self->world, places[i] + 8, 0, 4);
	}
	EXPECT_EQ(0, self->device.writes);
	config_put(&self->world, 1, BAR(1), 0);
	config_put(&self->world, 1, BAR(0), 0xfebff000);
	EXPECT_EQ(0xfebff000, self->device.moved[0]);
}

TEST_F(bars, over_other_devices_answer_nowhere)
{
	const struct bus_region fixed = {
		.name = "fixed",
		.base = COM1 + 4,
		.size = 1,
	};

	ASSERT_EQ(0, bus_add(self->world.bus, &fixed));
	device_bar(&self->device, 0, PCI_BAR_PORT, 8);
	ASSERT_EQ(0, plug(self, &self->device));
	config_put(&self->world, 1, BAR(0), COM1);
	EXPECT_EQ(PCI_BAR_OFF, self->device.moved[0]);
	EXPECT_EQ(0xff, in(self->world.bus, COM1, 1));
	config_put(&self->world, 1, BAR(0), CONFIG_ADDRESS);
	EXPECT_EQ(PCI_BAR_OFF, self->device.moved[0]);
	EXPECT_EQ(0, self->device.reads);
}

TEST_F(bars, that_overlap_leave_the_place_to_the_first_until_it_goes)
{
	device_bar(&self->device, 2, PCI_BAR_MEMORY32, 0x1000);
	device_bar(&self->other, 0, PCI_BAR_MEMORY32, 0x10);
	ASSERT_EQ(0, plug(self, &self->device));
	ASSERT_EQ(0, plug(self, &self->other));
	config_put(&self->world, 2, BAR(0), HOLE + 0x800);
	EXPECT_EQ(HOLE, self->device.moved[2]);
	EXPECT_EQ(PCI_BAR_OFF, self->other.moved[0]);
	memory_put(&self->world, HOLE + 0x800, 1, 1);
	EXPECT_EQ(1, self->device.writes);
	EXPECT_EQ(0, self->other.writes);
	config_put(&self->world, 1, BAR(2), HOLE + 0x1000);
	EXPECT_EQ(HOLE + 0x800, self->other.moved[0]);
	config_put(&self->world, 1, BAR(2), HOLE);
	EXPECT_EQ(PCI_BAR_OFF, self->other.moved[0]);
	EXPECT_EQ(HOLE, self->device.moved[2]);
}

TEST_F(bars, of_one_function_side_by_side_share_an_access)
{
	device_bar(&self->device, 0, PCI_BAR_MEMORY32, 0x10);
	device_bar(&self->device, 1, PCI_BAR_MEMORY32, 0x10);
	ASSERT_EQ(0, plug(self, &self->device));
	EXPECT_EQ(HOLE + 0x10, self->device.moved[1]);
	memory_put(&self->world, HOLE + 0xe, 0x04030201, 4);
	EXPECT_EQ(4, self->device.writes);
	EXPECT_EQ(2, self->device.memory[0xf]);
	EXPECT_EQ(3, self->device.memory[0]);
	memory_put(&self->world, HOLE + 0x1e, 0x04030201, 4);
	EXPECT_EQ(6, self->device.writes);
	EXPECT_EQ(0xffff0201, memory_get(&self->world, HOLE + 0x1e, 4));
}

TEST_F(bars, that_cannot_be_are_refused)
{
	static const struct {
		unsigned int bar;
		enum pci_bar_kind kind;
		uint64_t size;
		int error;
	} wrong[] = {
		{ 0, PCI_BAR_MEMORY32, 8, -EINVAL },
		{ 0, PCI_BAR_MEMORY32, 0x1001, -EINVAL },
		{ 0, PCI_BAR_MEMORY32, 0, -EINVAL },
		{ 0, PCI_BAR_MEMORY32, 4 * GIB, -EINVAL },
		{ 0, PCI_BAR_MEMORY32, GIB, -ENOSPC },
		{ 0, PCI_BAR_MEMORY64, 128 * GIB, -ENOSPC },
		{ 0, PCI_BAR_MEMORY64, 1ULL << 63, -ENOSPC },
		{ 5, PCI_BAR_MEMORY64, 0x1000, -EINVAL },
		{ 0, PCI_BAR_PORT, 2, -EINVAL },
		{ 0, PCI_BAR_PORT, 512, -EINVAL },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		device_init(&self->device);
		device_bar(&self->device, wrong[i].bar, wrong[i].kind,
			   wrong[i].size);
		EXPECT_EQ(wrong[i].error, plug(self, &self->device));
	}
	device_init(&self->device);
	device_bar(&self->device, 0, PCI_BAR_MEMORY64, 0x1000);
	device_bar(&self->device, 1, PCI_BAR_MEMORY32, 0x1000);
	EXPECT_EQ(-EINVAL, plug(self, &self->device));
	device_init(&self->device);
	device_bar(&self->device, 0, PCI_BAR_MEMORY32, 0x1000);
	EXPECT_EQ(0, plug(self, &self->device));
	EXPECT_EQ(HOLE, self->device.moved[0]);
}

TEST_F(bars, go_back_to_their_places_at_a_reset)
{
	device_bar(&self->device, 0, PCI_BAR_MEMORY32, 0x10);
	ASSERT_EQ(0, plug(self, &self->device));
	config_put(&self->world, 1, BAR(0), 0xd0000000);
	config_put(&self->world, 1, COMMAND, 0);
	pci_function_reset(&self->device.function);
	EXPECT_EQ(HOLE, self->device.moved[0]);
	EXPECT_EQ(HOLE, config_get(&self->world, 1, BAR(0)));
	EXPECT_EQ(PCI_COMMAND_MEMORY, config_get(&self->world, 1, COMMAND));
	memory_put(&self->world, HOLE, 1, 1);
	EXPECT_EQ(1, self->device.writes);
}

TEST_F(bars, that_were_loaded_answer_at_their_new_places)
{
	const uint32_t place = 0xd0000000;

	device_bar(&self->device, 0, PCI_BAR_MEMORY32, 0x10);
	ASSERT_EQ(0, plug(self, &self->device));
	memcpy(&self->device.function.config[BAR(0)], &place, sizeof(place));
	EXPECT_TRUE(pci_function_is_sound(&self->device.function));
	pci_function_loaded(&self->device.function);
	EXPECT_EQ(place, self->device.moved[0]);
	self->device.function.config[BAR(0)] = 1;
	EXPECT_FALSE(pci_function_is_sound(&self->device.function));
}

TEST_F(bars, are_reached_by_the_device_itself_within_their_bounds)
{
	struct pci_function *function = &self->device.function;
	uint32_t value = 0x5a;

	device_bar(&self->device, 0, PCI_BAR_MEMORY32, 0x10);
	ASSERT_EQ(0, plug(self, &self->device));
	EXPECT_TRUE(pci_bar_write(function, 0, 0xc, &value, 4));
	EXPECT_EQ(0x5a, self->device.memory[0xc]);
	EXPECT_FALSE(pci_bar_write(function, 0, 0xd, &value, 4));
	EXPECT_FALSE(pci_bar_write(function, 0, UINT64_MAX, &value, 4));
	EXPECT_FALSE(pci_bar_write(function, 1, 0, &value, 4));
	EXPECT_FALSE(pci_bar_read(function, 6, 0, &value, 4));
	EXPECT_EQ(0xffffffff, value);
	EXPECT_EQ(1, self->device.writes);
}

/* A thread that reads a BAR which stays, while others move. */
struct reader {
	struct pci_world *world;
	atomic_bool stop;
	unsigned int wrong;
};

static void *read_on(void *opaque)
{
	struct reader *reader = opaque;

	while (!atomic_load(&reader->stop))
		reader->wrong += memory_get(reader->world, HOLE, 4) != 0x5a;
	return NULL;
}

TEST_F(bars, that_stay_answer_while_others_move)
{
	struct reader reader = { .world = &self->world };
	pthread_t thread;

	device_bar(&self->device, 0, PCI_BAR_MEMORY32, 0x10);
	device_bar(&self->other, 0, PCI_BAR_MEMORY32, 0x10);
	device_bar(&self->other, 1, PCI_BAR_MEMORY32, 0x10);
	ASSERT_EQ(0, plug(self, &self->other));
	ASSERT_EQ(0, plug(self, &self->device));
	config_put(&self->world, 1, BAR(0), 0xd0000000);
	config_put(&self->world, 1, BAR(1), 0xd0000010);
	config_put(&self->world, 2, BAR(0), HOLE);
	self->device.memory[0] = 0x5a;
	ASSERT_EQ(0, pthread_create(&thread, NULL, read_on, &reader));
	for (unsigned int i = 0; i < 2000; i++) {
		config_put(&self->world, 1, BAR(0),
			   i % 2 ? 0xb0000000 : 0xd0000000);
		config_put(&self->world, 1, COMMAND,
			   i % 3 ? PCI_COMMAND_MEMORY : 0);
	}
	atomic_store(&reader.stop, true);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, reader.wrong);
}

TEST_HARNESS_MAIN
