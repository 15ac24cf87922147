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

FIXTURE(pci)
{
	struct bus *bus;
	struct pci *pci;
	uint8_t config[PCI_CONFIG_SIZE];
};

FIXTURE_SETUP(pci)
{
	self->bus = bus_new();
	self->pci = pci_new(self->bus);
	ASSERT_NE(NULL, self->pci);
	for (int i = 0; i < PCI_CONFIG_SIZE; i++)
		self->config[i] = i;
}

FIXTURE_TEARDOWN(pci)
{
	pci_free(self->pci);
	bus_free(self->bus);
}

static void config_read(void *opaque, unsigned int offset, void *data,
			size_t size)
{
	FIXTURE_DATA(pci) *self = opaque;

	memcpy(data, &self->config[offset], size);
}

static void config_write(void *opaque, unsigned int offset, const void *data,
			 size_t size)
{
	FIXTURE_DATA(pci) *self = opaque;

	memcpy(&self->config[offset], data, size);
}

static struct pci_function function_of(FIXTURE_DATA(pci) * self)
{
	return (struct pci_function){
		.read = config_read,
		.write = config_write,
		.opaque = self,
	};
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
	EXPECT_EQ(NULL, pci_new(self->bus));
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
	struct pci_function function = function_of(self);

	ASSERT_EQ(0, pci_add(self->pci, 3, 1, &function));
	select_config(self->bus, 0, 3, 1, 0x40);
	EXPECT_EQ(0x43424140, in(self->bus, DATA, 4));
	EXPECT_EQ(0x4342, in(self->bus, DATA + 2, 2));
	EXPECT_EQ(0x43, in(self->bus, DATA + 3, 1));
	out(self->bus, DATA + 1, 0xa5, 1);
	EXPECT_EQ(0x4342a540, in(self->bus, DATA, 4));
}

TEST_F(pci, access_over_the_end_stays_in_its_double_word)
{
	struct pci_function function = function_of(self);

	ASSERT_EQ(0, pci_add(self->pci, 3, 1, &function));
	select_config(self->bus, 0, 3, 1, 0xfc);
	EXPECT_EQ(0xfffffffe, in(self->bus, DATA + 2, 4));
	EXPECT_EQ(0xfefd, in(self->bus, DATA + 1, 2));
}

TEST_F(pci, places_taken_or_absent_are_refused)
{
	struct pci_function function = function_of(self);

	EXPECT_EQ(-EEXIST, pci_add(self->pci, 0, 0, &function));
	EXPECT_EQ(-EINVAL, pci_add(self->pci, 32, 0, &function));
	EXPECT_EQ(-EINVAL, pci_add(self->pci, 0, 8, &function));
	EXPECT_EQ(0, pci_add(self->pci, 31, 7, &function));
	EXPECT_EQ(-EEXIST, pci_add(self->pci, 31, 7, &function));
}

TEST_F(pci, any_access_is_survived)
{
	struct pci_function function = function_of(self);

	ASSERT_EQ(0, pci_add(self->pci, 3, 1, &function));
	for (unsigned int offset = 0; offset < PCI_CONFIG_SIZE; offset++) {
		select_config(self->bus, 0, 3, 1, offset);
		fake_hammer(self->bus, DATA, DATA + 3);
	}
	fake_hammer(self->bus, ADDRESS, DATA + 3);
	select_config(self->bus, 0, 0, 0, 0);
	EXPECT_EQ(0x8086, in(self->bus, DATA, 2));
}

TEST_HARNESS_MAIN
