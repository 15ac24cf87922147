// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the firmware configuration device against QEMU's description of it.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "kselftest_harness.h"

#include "dev/fwcfg.h"
#include "fakes.h"

#define SELECTOR 0x510
#define DATA 0x511

FIXTURE(fwcfg)
{
	struct bus *bus;
	struct fwcfg *fwcfg;
	uint8_t e820[40];
};

FIXTURE_SETUP(fwcfg)
{
	struct fwcfg_config config = {
		.cpus = 3,
		.ram_size = 0x123456000,
		.e820 = self->e820,
		.e820_count = 2,
	};

	for (unsigned int i = 0; i < sizeof(self->e820); i++)
		self->e820[i] = i + 1;
	self->bus = bus_new();
	config.bus = self->bus;
	self->fwcfg = fwcfg_new(&config);
	ASSERT_NE(NULL, self->fwcfg);
}

FIXTURE_TEARDOWN(fwcfg)
{
	fwcfg_free(self->fwcfg);
	bus_free(self->bus);
}

static void select_key(struct bus *bus, uint16_t key)
{
	out(bus, SELECTOR, key, 2);
}

static void read_bytes(struct bus *bus, void *data, size_t size)
{
	uint8_t *bytes = data;

	while (size--)
		*bytes++ = inb(bus, DATA);
}

static uint64_t get(struct bus *bus, uint16_t key)
{
	uint64_t value;

	select_key(bus, key);
	read_bytes(bus, &value, sizeof(value));
	return value;
}

static uint32_t read_be32(struct bus *bus)
{
	uint32_t value;

	read_bytes(bus, &value, sizeof(value));
	return be32toh(value);
}

/* Finds a file as firmware does.  Return: its key and size, or key 0. */
static uint16_t find_file(struct bus *bus, const char *name, uint32_t *size)
{
	uint32_t count;

	select_key(bus, FWCFG_DIRECTORY);
	count = read_be32(bus);
	while (count--) {
		char found[FWCFG_NAME_SIZE];
		uint32_t key;

		*size = read_be32(bus);
		key = read_be32(bus);
		read_bytes(bus, found, sizeof(found));
		if (!strcmp(found, name))
			return key >> 16;
	}
	return 0;
}

TEST_F(fwcfg, second_one_on_the_same_bus_is_refused)
{
	struct fwcfg_config config = { .bus = self->bus };

	EXPECT_EQ(NULL, fwcfg_new(&config));
	EXPECT_EQ(EEXIST, errno);
}

TEST_F(fwcfg, signature_is_qemu)
{
	char signature[5] = "";

	select_key(self->bus, FWCFG_SIGNATURE);
	read_bytes(self->bus, signature, 4);
	EXPECT_STREQ("QEMU", signature);
}

TEST_F(fwcfg, interfaces_are_ports_and_dma)
{
	EXPECT_EQ(3, get(self->bus, FWCFG_ID));
}

TEST_F(fwcfg, machine_is_described)
{
	EXPECT_EQ(0x123456000, get(self->bus, FWCFG_RAM_SIZE));
	EXPECT_EQ(3, get(self->bus, FWCFG_NB_CPUS));
	EXPECT_EQ(3, get(self->bus, FWCFG_MAX_CPUS));
	EXPECT_EQ(1, get(self->bus, FWCFG_IRQ0_OVERRIDE));
}

TEST_F(fwcfg, wide_reads_give_bytes_in_their_order)
{
	select_key(self->bus, FWCFG_RAM_SIZE);
	EXPECT_EQ(0x6000, in(self->bus, DATA, 2));
	EXPECT_EQ(0x00012345, in(self->bus, DATA, 4));
	select_key(self->bus, FWCFG_SIGNATURE);
	EXPECT_EQ(0x554d4551, in(self->bus, DATA, 4));
}

TEST_F(fwcfg, reads_past_the_end_give_zeroes)
{
	select_key(self->bus, FWCFG_NB_CPUS);
	EXPECT_EQ(3, in(self->bus, DATA, 4));
	EXPECT_EQ(0, in(self->bus, DATA, 4));
}

TEST_F(fwcfg, read_over_the_end_is_filled_up_with_zeroes)
{
	uint8_t item[5] = { 1, 2, 3, 4, 5 };

	ASSERT_EQ(0, fwcfg_add(self->fwcfg, 0x8100, item, sizeof(item)));
	select_key(self->bus, 0x8100);
	EXPECT_EQ(0x04030201, in(self->bus, DATA, 4));
	EXPECT_EQ(0x00000005, in(self->bus, DATA, 4));
}

TEST_F(fwcfg, absent_items_give_zeroes)
{
	EXPECT_EQ(0, get(self->bus, 0x1234));
	EXPECT_EQ(0, get(self->bus, 0xffff));
}

TEST_F(fwcfg, nothing_is_selected_at_first)
{
	EXPECT_EQ(0, inb(self->bus, DATA));
}

TEST_F(fwcfg, selecting_starts_at_the_beginning)
{
	get(self->bus, FWCFG_RAM_SIZE);
	EXPECT_EQ(0x123456000, get(self->bus, FWCFG_RAM_SIZE));
}

TEST_F(fwcfg, old_write_bit_of_the_selector_is_ignored)
{
	EXPECT_EQ(3, get(self->bus, FWCFG_NB_CPUS | 0x4000));
}

TEST_F(fwcfg, byte_written_to_either_port_does_nothing)
{
	select_key(self->bus, FWCFG_NB_CPUS);
	outb(self->bus, SELECTOR, 0);
	outb(self->bus, DATA, 0);
	EXPECT_EQ(3, inb(self->bus, DATA));
}

TEST_F(fwcfg, memory_map_is_there_by_number_with_a_count)
{
	uint8_t table[44];
	uint32_t count = 2;

	select_key(self->bus, FWCFG_E820);
	read_bytes(self->bus, table, sizeof(table));
	EXPECT_EQ(0, memcmp(table, &count, 4));
	EXPECT_EQ(0, memcmp(table + 4, self->e820, 40));
}

TEST_F(fwcfg, memory_map_is_there_as_a_file)
{
	uint8_t table[40];
	uint32_t size = 0;
	uint16_t key = find_file(self->bus, "etc/e820", &size);

	EXPECT_LE(FWCFG_FIRST_FILE, key);
	EXPECT_EQ(40, size);
	select_key(self->bus, key);
	read_bytes(self->bus, table, sizeof(table));
	EXPECT_EQ(0, memcmp(table, self->e820, 40));
}

TEST_F(fwcfg, file_added_is_found)
{
	uint32_t size = 0;
	uint16_t key;

	ASSERT_EQ(0, fwcfg_add_file(self->fwcfg, "opt/test", "hello", 5));
	key = find_file(self->bus, "opt/test", &size);
	EXPECT_EQ(5, size);
	EXPECT_EQ(0x6f6c6c6568, get(self->bus, key));
	EXPECT_EQ(0, find_file(self->bus, "opt/other", &size));
}

TEST_F(fwcfg, item_is_a_copy)
{
	char item[] = "abc";

	ASSERT_EQ(0, fwcfg_add(self->fwcfg, FWCFG_CMDLINE_DATA, item, 3));
	item[0] = 'x';
	EXPECT_EQ(0x636261, get(self->bus, FWCFG_CMDLINE_DATA));
}

TEST_F(fwcfg, empty_item_is_fine)
{
	EXPECT_EQ(0, fwcfg_add(self->fwcfg, FWCFG_CMDLINE_DATA, NULL, 0));
	EXPECT_EQ(0, get(self->bus, FWCFG_CMDLINE_DATA));
	EXPECT_EQ(0, fwcfg_add_file(self->fwcfg, "empty", NULL, 0));
}

TEST_F(fwcfg, keys_taken_or_out_of_range_are_refused)
{
	EXPECT_EQ(-EEXIST, fwcfg_add(self->fwcfg, FWCFG_NB_CPUS, "", 1));
	EXPECT_EQ(-EEXIST, fwcfg_add(self->fwcfg, FWCFG_E820, "", 1));
	EXPECT_EQ(-EINVAL, fwcfg_add(self->fwcfg, FWCFG_DIRECTORY, "", 1));
	EXPECT_EQ(-EINVAL, fwcfg_add(self->fwcfg, FWCFG_FIRST_FILE, "", 1));
	EXPECT_EQ(-EINVAL, fwcfg_add(self->fwcfg, 0xc000, "", 1));
}

TEST_F(fwcfg, file_names_taken_or_unfit_are_refused)
{
	char name[FWCFG_NAME_SIZE + 1];

	memset(name, 'n', sizeof(name));
	name[FWCFG_NAME_SIZE] = '\0';
	EXPECT_EQ(-EINVAL, fwcfg_add_file(self->fwcfg, name, "", 1));
	EXPECT_EQ(-EINVAL, fwcfg_add_file(self->fwcfg, "", "", 1));
	EXPECT_EQ(-EEXIST, fwcfg_add_file(self->fwcfg, "etc/e820", "", 1));
	name[FWCFG_NAME_SIZE - 1] = '\0';
	EXPECT_EQ(0, fwcfg_add_file(self->fwcfg, name, "", 1));
}

TEST_F(fwcfg, directory_fills_up)
{
	char name[FWCFG_NAME_SIZE];
	uint32_t size;
	int error = 0;
	int files = 1;

	for (; !error; files++) {
		snprintf(name, sizeof(name), "file/%d", files);
		error = fwcfg_add_file(self->fwcfg, name, &files, 4);
	}
	EXPECT_EQ(-ENOSPC, error);
	EXPECT_EQ(FWCFG_MAX_FILES, files - 1);
	snprintf(name, sizeof(name), "file/%d", FWCFG_MAX_FILES - 1);
	EXPECT_NE(0, find_file(self->bus, name, &size));
	EXPECT_EQ(0, inb(self->bus, DATA));
}

TEST_F(fwcfg, any_access_is_survived)
{
	for (uint32_t key = 0; key < 0x10000; key += 0xff) {
		select_key(self->bus, key);
		fake_hammer(self->bus, DATA, DATA + 3);
	}
	fake_hammer(self->bus, SELECTOR, DATA + 3);
	EXPECT_EQ(3, get(self->bus, FWCFG_NB_CPUS));
}

TEST_HARNESS_MAIN
