// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the PCI bus: configuration mechanism #1, the host bridge, and functions
 * that are added.
 */
#include <errno.h>
#include <string.h>

#include "kselftest_harness.h"

#include "dev/pci.h"
#include "fakes.h"

#define ADDRESS 0xcf8
#define DATA 0xcfc
#define ENABLE 0x80000000

#define MEMORY_SIZE 0x1000
#define HOLE 0xc0100000
#define COMMAND 4
#define BAR 0x10

/* A function with memory; the guest can write all from 0x40 on. */
struct device {
	struct pci_function function;
	uint8_t memory[MEMORY_SIZE];
};

FIXTURE(pci)
{
	struct bus *bus;
	struct pci_bus_config config;
	struct pci_bus *functions;
	struct pci *pci;
	struct device devices[2];
};

static void device_read(void *opaque, uint64_t offset, void *data, size_t size)
{
	struct device *device = opaque;

	memcpy(data, &device->memory[offset], size);
}

static void device_write(void *opaque, uint64_t offset, const void *data,
			 size_t size)
{
	struct device *device = opaque;

	memcpy(&device->memory[offset], data, size);
}

static void device_init(struct device *device, uint32_t size)
{
	memset(device, 0, sizeof(*device));
	for (int i = 0; i < PCI_CONFIG_SIZE; i++) {
		device->function.config[i] = i;
		device->function.writable[i] = i < 0x40 ? 0 : 0xff;
	}
	device->function.config[COMMAND] = 0;
	device->function.config[COMMAND + 1] = 0;
	device->function.bars[0] = (struct pci_bar){
		.kind = PCI_BAR_MEMORY32,
		.size = size,
		.read = device_read,
		.write = device_write,
	};
	device->function.opaque = device;
}

FIXTURE_SETUP(pci)
{
	self->bus = bus_new();
	self->config = (struct pci_bus_config){ .bus = self->bus };
	self->functions = pci_bus_new(&self->config);
	self->pci = pci_new(self->bus, self->functions);
	ASSERT_NE(NULL, self->pci);
	device_init(&self->devices[0], MEMORY_SIZE);
	device_init(&self->devices[1], MEMORY_SIZE);
}

FIXTURE_TEARDOWN(pci)
{
	pci_free(self->pci);
	pci_bus_free(self->functions);
	bus_free(self->bus);
}

static void select_config(struct bus *bus, unsigned int number,
			  unsigned int device, unsigned int function,
			  unsigned int offset)
{
	out(bus, ADDRESS,
	    ENABLE | number << 16 | device << 11 | function << 8 | offset, 4);
}

TEST_F(pci, second_one_on_the_same_bus_is_refused)
{
	EXPECT_EQ(NULL, pci_new(self->bus, self->functions));
	EXPECT_EQ(EEXIST, errno);
	EXPECT_EQ(NULL, pci_bus_new(&self->config));
	EXPECT_EQ(EEXIST, errno);
}

TEST_F(pci, address_register_reads_back)
{
	out(self->bus, ADDRESS, 0x80000000, 4);
	EXPECT_EQ(0x80000000, in(self->bus, ADDRESS, 4));
	out(self->bus, ADDRESS, 0xffffffff, 4);
	EXPECT_EQ(0x80fffffc, in(self->bus, ADDRESS, 4));
}

TEST_F(pci, narrow_accesses_do_not_reach_the_address_register)
{
	out(self->bus, ADDRESS, 0x80001234, 4);
	out(self->bus, ADDRESS, 0, 1);
	out(self->bus, ADDRESS + 1, 0, 1);
	out(self->bus, ADDRESS, 0, 2);
	EXPECT_EQ(0x80001234, in(self->bus, ADDRESS, 4));
	EXPECT_EQ(0xff, in(self->bus, ADDRESS + 1, 1));
}

TEST_F(pci, other_device_fits_between_as_the_reset_register_does)
{
	struct bus_region reset = {
		.space = BUS_PORT,
		.base = 0xcf9,
		.size = 1,
	};

	EXPECT_EQ(0, bus_add(self->bus, &reset));
}

TEST_F(pci, first_device_is_a_host_bridge)
{
	select_config(self->bus, 0, 0, 0, 0);
	EXPECT_EQ(0x8086, in(self->bus, DATA, 2));
	EXPECT_NE(0xffff, in(self->bus, DATA + 2, 2));
	select_config(self->bus, 0, 0, 0, 8);
	EXPECT_EQ(0x06000000, in(self->bus, DATA, 4));
	select_config(self->bus, 0, 0, 0, 0xc);
	EXPECT_EQ(0, in(self->bus, DATA + 2, 1));
}

TEST_F(pci, host_bridge_cannot_be_written)
{
	uint32_t before;

	for (unsigned int offset = 0; offset < PCI_CONFIG_SIZE; offset += 4) {
		select_config(self->bus, 0, 0, 0, offset);
		before = in(self->bus, DATA, 4);
		out(self->bus, DATA, ~before, 4);
		EXPECT_EQ(before, in(self->bus, DATA, 4));
	}
}

TEST_F(pci, empty_slots_read_as_all_ones)
{
	for (unsigned int devfn = 1; devfn < 256; devfn++) {
		select_config(self->bus, 0, devfn / 8, devfn % 8, 0);
		EXPECT_EQ(0xffffffff, in(self->bus, DATA, 4));
	}
}

TEST_F(pci, other_buses_are_empty)
{
	for (unsigned int number = 1; number < 256; number++) {
		select_config(self->bus, number, 0, 0, 0);
		EXPECT_EQ(0xffffffff, in(self->bus, DATA, 4));
	}
}

TEST_F(pci, nothing_answers_without_the_enable_bit)
{
	out(self->bus, ADDRESS, 0, 4);
	EXPECT_EQ(0xffffffff, in(self->bus, DATA, 4));
}

TEST_F(pci, function_plugged_in_is_read_and_written)
{
	struct pci_function *function = &self->devices[0].function;

	ASSERT_EQ(0, pci_bus_add(self->functions, 3, 1, function));
	select_config(self->bus, 0, 3, 1, 0x40);
	EXPECT_EQ(0x43424140, in(self->bus, DATA, 4));
	EXPECT_EQ(0x4342, in(self->bus, DATA + 2, 2));
	EXPECT_EQ(0x43, in(self->bus, DATA + 3, 1));
	out(self->bus, DATA + 1, 0xa5, 1);
	EXPECT_EQ(0x4342a540, in(self->bus, DATA, 4));
}

TEST_F(pci, access_over_the_end_stays_in_its_double_word)
{
	struct pci_function *function = &self->devices[0].function;

	ASSERT_EQ(0, pci_bus_add(self->functions, 3, 1, function));
	select_config(self->bus, 0, 3, 1, 0xfc);
	EXPECT_EQ(0xfffffffe, in(self->bus, DATA + 2, 4));
	EXPECT_EQ(0xfefd, in(self->bus, DATA + 1, 2));
}

TEST_F(pci, places_taken_or_absent_are_refused)
{
	struct pci_function *function = &self->devices[0].function;

	EXPECT_EQ(-EEXIST, pci_bus_add(self->functions, 0, 0, function));
	EXPECT_EQ(-EINVAL, pci_bus_add(self->functions, 32, 0, function));
	EXPECT_EQ(-EINVAL, pci_bus_add(self->functions, 0, 8, function));
	EXPECT_EQ(0, pci_bus_add(self->functions, 31, 7, function));
	function = &self->devices[1].function;
	EXPECT_EQ(-EEXIST, pci_bus_add(self->functions, 31, 7, function));
}

static uint32_t config_of(struct bus *bus, unsigned int device,
			  unsigned int offset)
{
	select_config(bus, 0, device, 0, offset);
	return in(bus, DATA, 4);
}

static void configure(struct bus *bus, unsigned int device, unsigned int offset,
		      uint32_t value)
{
	select_config(bus, 0, device, 0, offset);
	out(bus, DATA, value, 4);
}

static uint32_t memory_at(struct bus *bus, uint64_t address)
{
	uint32_t value;

	bus_read(bus, BUS_MMIO, address, &value, sizeof(value));
	return value;
}

static void fill_memory(struct bus *bus, uint64_t address, uint32_t value)
{
	bus_write(bus, BUS_MMIO, address, &value, sizeof(value));
}

TEST_F(pci, memory_gets_addresses_that_are_multiples_of_its_size)
{
	device_init(&self->devices[1], 0x10);
	ASSERT_EQ(0, pci_bus_add(self->functions, 1, 0,
				 &self->devices[1].function));
	ASSERT_EQ(0, pci_bus_add(self->functions, 2, 0,
				 &self->devices[0].function));
	EXPECT_EQ(HOLE, config_of(self->bus, 1, BAR));
	EXPECT_EQ(HOLE + MEMORY_SIZE, config_of(self->bus, 2, BAR));
}

TEST_F(pci, register_of_the_address_tells_the_size)
{
	ASSERT_EQ(0, pci_bus_add(self->functions, 1, 0,
				 &self->devices[0].function));
	configure(self->bus, 1, BAR, 0xffffffff);
	EXPECT_EQ(-MEMORY_SIZE, config_of(self->bus, 1, BAR));
	configure(self->bus, 1, BAR, 0);
	EXPECT_EQ(0, config_of(self->bus, 1, BAR));
}

TEST_F(pci, memory_answers_where_and_while_the_guest_wants_it)
{
	struct device *device = &self->devices[0];

	ASSERT_EQ(0, pci_bus_add(self->functions, 1, 0, &device->function));
	device->memory[8] = 0x5a;
	configure(self->bus, 1, COMMAND, 0);
	EXPECT_EQ(0xffffffff, memory_at(self->bus, HOLE + 8));
	configure(self->bus, 1, COMMAND, PCI_COMMAND_MEMORY);
	EXPECT_EQ(0x5a, memory_at(self->bus, HOLE + 8));
	fill_memory(self->bus, HOLE + MEMORY_SIZE - 4, 0x12345678);
	EXPECT_EQ(0x12, device->memory[MEMORY_SIZE - 1]);
	configure(self->bus, 1, BAR, HOLE + 0x100000);
	EXPECT_EQ(0xffffffff, memory_at(self->bus, HOLE + 8));
	EXPECT_EQ(0x5a, memory_at(self->bus, HOLE + 0x100008));
	configure(self->bus, 1, COMMAND, 0);
	EXPECT_EQ(0xffffffff, memory_at(self->bus, HOLE + 0x100008));
}

TEST_F(pci, no_access_reaches_past_the_end_of_memory)
{
	struct device *device = &self->devices[0];

	ASSERT_EQ(0, pci_bus_add(self->functions, 1, 0, &device->function));
	configure(self->bus, 1, COMMAND, PCI_COMMAND_MEMORY);
	EXPECT_EQ(0xffff0000, memory_at(self->bus, HOLE + MEMORY_SIZE - 2));
	fill_memory(self->bus, HOLE + MEMORY_SIZE - 2, 0);
	configure(self->bus, 1, BAR, 0xfffff000);
	EXPECT_EQ(0xffffffff, memory_at(self->bus, HOLE));
	configure(self->bus, 1, BAR, 0);
	EXPECT_EQ(0xffffffff, memory_at(self->bus, HOLE));
}

TEST_F(pci, memory_that_cannot_be_is_refused)
{
	static const uint32_t sizes[] = { 1, 8, 0x1001, 0x30 };
	struct pci_function *function = &self->devices[0].function;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		function->bars[0].size = sizes[i];
		EXPECT_EQ(-EINVAL,
			  pci_bus_add(self->functions, 1, 0, function));
	}
	function->bars[0].size = 0x20000000;
	EXPECT_EQ(-ENOSPC, pci_bus_add(self->functions, 1, 0, function));
	function->bars[0].size = 0x10000000;
	EXPECT_EQ(0, pci_bus_add(self->functions, 1, 0, function));
	function = &self->devices[1].function;
	function->bars[0].size = 0x20000000;
	EXPECT_EQ(-ENOSPC, pci_bus_add(self->functions, 2, 0, function));
	function->bars[0].kind = PCI_BAR_NONE;
	EXPECT_EQ(0, pci_bus_add(self->functions, 2, 0, function));
}

TEST_F(pci, reset_forgets_what_the_guest_has_written)
{
	struct pci_function *function = &self->devices[0].function;

	ASSERT_EQ(0, pci_bus_add(self->functions, 1, 0, function));
	configure(self->bus, 1, COMMAND, 0);
	configure(self->bus, 1, BAR, 0xd0000000);
	pci_function_reset(function);
	EXPECT_EQ(PCI_COMMAND_MEMORY, config_of(self->bus, 1, COMMAND) & 0xff);
	EXPECT_EQ(HOLE, config_of(self->bus, 1, BAR));
}

TEST_F(pci, configuration_that_no_guest_can_write_is_not_sound)
{
	struct pci_function *function = &self->devices[0].function;

	ASSERT_EQ(0, pci_bus_add(self->functions, 1, 0, function));
	configure(self->bus, 1, BAR, 0xd0000000);
	configure(self->bus, 1, 0x40, 0x12345678);
	EXPECT_TRUE(pci_function_is_sound(function));
	function->config[0] ^= 1;
	EXPECT_FALSE(pci_function_is_sound(function));
	function->config[0] ^= 1;
	function->config[BAR] = 1;
	EXPECT_FALSE(pci_function_is_sound(function));
}

#define ECAM 0xc0000000ULL

TEST_F(pci, configuration_space_is_in_memory_too)
{
	struct pci_function *function = &self->devices[0].function;
	uint8_t bytes[16];

	ASSERT_EQ(0, pci_bus_add(self->functions, 3, 1, function));
	EXPECT_EQ(0x43424140, memory_at(self->bus, ECAM + 0x19040));
	fill_memory(self->bus, ECAM + 0x19040, 0x12345678);
	select_config(self->bus, 0, 3, 1, 0x40);
	EXPECT_EQ(0x12345678, in(self->bus, DATA, 4));
	fill_memory(self->bus, ECAM + 0x19042, 0xaabbccdd);
	EXPECT_EQ(0xccdd5678, in(self->bus, DATA, 4));
	bus_read(self->bus, BUS_MMIO, ECAM + 0x19047, bytes, 16);
	EXPECT_EQ(0x47, bytes[0]);
	EXPECT_EQ(0x48, bytes[1]);
	EXPECT_EQ(0x56, bytes[15]);
}

TEST_F(pci, registers_beyond_the_first_256_are_zero)
{
	struct pci_function *function = &self->devices[0].function;

	ASSERT_EQ(0, pci_bus_add(self->functions, 3, 1, function));
	fill_memory(self->bus, ECAM + 0x19100, 0x12345678);
	fill_memory(self->bus, ECAM + 0x19ffc, 0x12345678);
	EXPECT_EQ(0, memory_at(self->bus, ECAM + 0x19100));
	EXPECT_EQ(0, memory_at(self->bus, ECAM + 0x19ffc));
	EXPECT_EQ(0x0000fffe, memory_at(self->bus, ECAM + 0x190fe));
	EXPECT_EQ(0xffffffff, memory_at(self->bus, ECAM + 0x18100));
	EXPECT_EQ(0xffffffff, memory_at(self->bus, ECAM + 0x18000));
	EXPECT_EQ(0xffffffff, memory_at(self->bus, ECAM + 0xffffc));
}

TEST_F(pci, identity_is_in_the_header)
{
	const struct pci_identity identity = {
		.vendor = 0x1af4,
		.device = 0x1041,
		.subsystem_vendor = 0x1234,
		.subsystem = 0x5678,
		.class = 0x020304,
		.revision = 1,
	};
	struct pci_function function = { .opaque = NULL };

	pci_function_init(&function, &identity);
	ASSERT_EQ(0, pci_bus_plug(self->functions, &function));
	EXPECT_EQ(0x10411af4, config_of(self->bus, 1, 0));
	EXPECT_EQ(0x02030401, config_of(self->bus, 1, 8));
	EXPECT_EQ(0x56781234, config_of(self->bus, 1, 0x2c));
	EXPECT_EQ(0, config_of(self->bus, 1, 0xc));
}

TEST_F(pci, functions_plugged_get_the_lowest_free_device_until_all_are_taken)
{
	static struct pci_function functions[31];

	memset(functions, 0, sizeof(functions));
	ASSERT_EQ(0, pci_bus_add(self->functions, 2, 0, &functions[0]));
	for (int i = 1; i < 31; i++)
		EXPECT_EQ(0, pci_bus_plug(self->functions, &functions[i]));
	EXPECT_EQ(1 << 3, functions[1].devfn);
	EXPECT_EQ(3 << 3, functions[2].devfn);
	EXPECT_EQ(31 << 3, functions[30].devfn);
	EXPECT_EQ(-ENOSPC,
		  pci_bus_plug(self->functions, &self->devices[0].function));
}

TEST_F(pci, several_functions_of_a_device_say_so)
{
	struct pci_function *first = &self->devices[0].function;
	struct pci_function *second = &self->devices[1].function;

	first->config[0x0e] = second->config[0x0e] = 0;
	ASSERT_EQ(0, pci_bus_add(self->functions, 3, 0, first));
	EXPECT_EQ(0, config_of(self->bus, 3, 0xc) >> 16 & 0xff);
	ASSERT_EQ(0, pci_bus_add(self->functions, 3, 5, second));
	EXPECT_EQ(0x80, config_of(self->bus, 3, 0xc) >> 16 & 0xff);
	pci_function_reset(first);
	EXPECT_EQ(0x80, config_of(self->bus, 3, 0xc) >> 16 & 0xff);
	EXPECT_TRUE(pci_function_is_sound(first));
}

TEST_F(pci, capabilities_are_a_list)
{
	struct pci_function function = { .opaque = NULL };

	EXPECT_EQ(0x40, pci_add_capability(&function, 9, "abc", 3));
	EXPECT_EQ(0x48, pci_add_capability(&function, 9, "defghij", 6));
	EXPECT_EQ(0x50, pci_add_capability(&function, 5, "", 0));
	ASSERT_EQ(0, pci_bus_plug(self->functions, &function));
	EXPECT_EQ(0x10, config_of(self->bus, 1, 4) >> 16);
	EXPECT_EQ(0x40, config_of(self->bus, 1, 0x34));
	EXPECT_EQ('b' << 24 | 'a' << 16 | 0x4809,
		  config_of(self->bus, 1, 0x40));
	EXPECT_EQ('e' << 24 | 'd' << 16 | 0x5009,
		  config_of(self->bus, 1, 0x48));
	EXPECT_EQ(0x0005, config_of(self->bus, 1, 0x50));
}

TEST_F(pci, capability_that_does_not_fit_is_refused)
{
	struct pci_function function = { .opaque = NULL };
	uint8_t body[256] = { 0 };

	EXPECT_EQ(-ENOSPC, pci_add_capability(&function, 9, body, SIZE_MAX));
	EXPECT_EQ(-ENOSPC, pci_add_capability(&function, 9, body, 0xbf));
	EXPECT_EQ(0x40, pci_add_capability(&function, 9, body, 0xbe));
	EXPECT_EQ(-ENOSPC, pci_add_capability(&function, 9, body, 0));
}

/* A device with a register of its own in configuration space, at 0x40. */
static bool own_read(void *opaque, uint8_t offset, void *data, size_t size)
{
	if (offset != 0x40)
		return false;
	memset(data, 0x77, size);
	return true;
}

static void own_written(void *opaque, uint8_t offset, size_t size)
{
	struct device *device = opaque;

	if (offset == 0x40)
		pci_config_get(&device->function, offset, device->memory, size);
}

TEST_F(pci, device_may_have_a_register_of_its_own)
{
	struct pci_function *function = &self->devices[0].function;

	function->config_read = own_read;
	function->config_written = own_written;
	ASSERT_EQ(0, pci_bus_add(self->functions, 1, 0, function));
	EXPECT_EQ(0x77777777, config_of(self->bus, 1, 0x40));
	EXPECT_EQ(0x47464544, config_of(self->bus, 1, 0x44));
	configure(self->bus, 1, 0x40, 0x12345678);
	EXPECT_EQ(0x78, self->devices[0].memory[0]);
}

TEST_F(pci, any_access_is_survived)
{
	struct pci_function *function = &self->devices[0].function;

	ASSERT_EQ(0, pci_bus_add(self->functions, 3, 1, function));
	for (unsigned int offset = 0; offset < PCI_CONFIG_SIZE; offset++) {
		select_config(self->bus, 0, 3, 1, offset);
		fake_hammer(self->bus, DATA, DATA + 3);
	}
	configure(self->bus, 3, COMMAND, PCI_COMMAND_MEMORY);
	configure(self->bus, 3, BAR, HOLE);
	for (uint64_t address = HOLE; address < HOLE + 2 * MEMORY_SIZE;
	     address++)
		fill_memory(self->bus, address, memory_at(self->bus, address));
	fake_hammer(self->bus, ADDRESS, DATA + 3);
	select_config(self->bus, 0, 0, 0, 0);
	EXPECT_EQ(0x8086, in(self->bus, DATA, 2));
}

TEST_HARNESS_MAIN
