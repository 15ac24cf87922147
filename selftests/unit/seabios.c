// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the start of a BIOS, and of the files that describe the machine to it.
 */
#include "boot/seabios.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "boot/detect.h"
#include "memfile.h"

#include "kselftest_harness.h"

#define KIB (1U << 10)
#define MIB (1U << 20)
#define ROM_SIZE (256 * KIB)
#define ROM_COPY (MIB - ROM_SIZE)
#define OLD 0xee
#define MAX_FILES 16

FIXTURE(seabios)
{
	struct ram *ram;
	struct image_store store;
	struct boot_entry entry;
	struct boot_error error;
	uint8_t rom[2 * ROM_SIZE];
	char path[MEMFILE_PATH_SIZE];
	int fd;
};

FIXTURE_SETUP(seabios)
{
	self->ram = ram_new(4 * MIB);
	ASSERT_NE(NULL, self->ram);
	memset(ram_at(self->ram, 0, 4 * MIB), OLD, 4 * MIB);
	for (unsigned int i = 0; i < sizeof(self->rom); i++)
		self->rom[i] = i % 251;
	self->fd = -1;
}

FIXTURE_TEARDOWN(seabios)
{
	image_store_free(&self->store);
	ram_free(self->ram);
	close(self->fd);
}

/* Loads the first @size bytes of the ROM, with a jump at the reset vector. */
static int load(FIXTURE_DATA(seabios) * self, size_t size)
{
	if (size >= 16)
		self->rom[size - 16] = 0xea;
	close(self->fd);
	self->fd = memfile(self->rom, size, self->path);
	image_store_free(&self->store);
	return seabios_load(self->ram, self->path, &self->store, &self->entry,
			    &self->error);
}

TEST_F(seabios, rom_has_a_copy_that_ends_at_1_mib)
{
	uint8_t *memory = ram_at(self->ram, 0, 4 * MIB);

	ASSERT_EQ(0, load(self, ROM_SIZE));
	EXPECT_EQ(0, memcmp(memory + ROM_COPY, self->rom, ROM_SIZE));
	EXPECT_EQ(OLD, memory[ROM_COPY - 1]);
	EXPECT_EQ(OLD, memory[MIB]);
}

TEST_F(seabios, small_rom_has_a_copy_that_ends_at_1_mib)
{
	uint8_t *memory = ram_at(self->ram, 0, 4 * MIB);

	ASSERT_EQ(0, load(self, 64 * KIB));
	EXPECT_EQ(0, memcmp(memory + MIB - 64 * KIB, self->rom, 64 * KIB));
	EXPECT_EQ(OLD, memory[MIB - 64 * KIB - 1]);
}

TEST_F(seabios, rom_itself_is_the_whole_file)
{
	ASSERT_EQ(0, load(self, ROM_SIZE));
	EXPECT_EQ(ROM_SIZE, self->entry.rom_size);
	EXPECT_EQ(0, memcmp(self->entry.rom, self->rom, ROM_SIZE));
	EXPECT_EQ(0, (uintptr_t)self->entry.rom % 4096);
}

TEST_F(seabios, processor_keeps_its_registers_of_a_reset)
{
	memset(&self->entry, OLD, sizeof(self->entry));
	ASSERT_EQ(0, load(self, ROM_SIZE));
	EXPECT_EQ(0, self->entry.groups);
}

TEST_F(seabios, copy_is_made_anew_after_a_reset)
{
	uint8_t *memory = ram_at(self->ram, 0, 4 * MIB);

	ASSERT_EQ(0, load(self, ROM_SIZE));
	memset(memory + ROM_COPY, OLD, ROM_SIZE);
	ASSERT_EQ(0, seabios_load(self->ram, self->path, &self->store,
				  &self->entry, &self->error));
	EXPECT_EQ(0, memcmp(memory + ROM_COPY, self->rom, ROM_SIZE));
}

TEST_F(seabios, starts_without_a_kernel)
{
	struct boot_options options = { .cpus = 1 };

	ASSERT_EQ(0, load(self, ROM_SIZE));
	options.firmware = self->path;
	memset(&self->entry, OLD, sizeof(self->entry));
	ASSERT_EQ(0, boot_load(self->ram, &options, &self->store, &self->entry,
			       &self->error));
	EXPECT_EQ(0, self->entry.groups);
	EXPECT_EQ(ROM_SIZE, self->entry.rom_size);
}

TEST_F(seabios, files_of_other_sizes_are_refused)
{
	static const size_t sizes[] = { 1,
					15,
					16,
					32 * KIB,
					64 * KIB + 4096,
					96 * KIB,
					ROM_SIZE - 1,
					ROM_SIZE + 64 * KIB,
					2 * ROM_SIZE };

	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		EXPECT_EQ(-ENOEXEC, load(self, sizes[i]));
		EXPECT_NE(NULL, strstr(self->error.text, self->path));
	}
	EXPECT_EQ(OLD, *(uint8_t *)ram_at(self->ram, MIB - 1, 1));
}

TEST_F(seabios, file_without_a_jump_at_the_reset_vector_is_refused)
{
	ASSERT_EQ(0, load(self, ROM_SIZE));
	self->rom[128 * KIB - 16] = 0x90;
	self->fd = memfile(self->rom, 128 * KIB, self->path);
	image_store_free(&self->store);
	EXPECT_EQ(-ENOEXEC, seabios_load(self->ram, self->path, &self->store,
					 &self->entry, &self->error));
}

TEST_F(seabios, absent_file_is_named)
{
	EXPECT_EQ(-ENOENT,
		  seabios_load(self->ram, "/nowhere/bios.bin", &self->store,
			       &self->entry, &self->error));
	EXPECT_NE(NULL, strstr(self->error.text, "/nowhere/bios.bin"));
}

TEST_F(seabios, little_memory_is_refused_with_the_remedy)
{
	ram_free(self->ram);
	self->ram = ram_new(4 * MIB - 4096);
	EXPECT_EQ(-ENOSPC, load(self, ROM_SIZE));
	EXPECT_NE(NULL, strstr(self->error.text, "--memory"));
}

/* The files that the machine is described by. */
static struct described {
	char name[56];
	uint8_t data[4096];
	size_t size;
} files[MAX_FILES];
static unsigned int nr_files, room;

static int add(void *opaque, const char *name, const void *data, size_t size)
{
	struct described *file = &files[nr_files];

	if (opaque != files || nr_files == room)
		return -ENOSPC;
	nr_files++;
	strcpy(file->name, name);
	file->size = size;
	memcpy(file->data, data,
	       size < sizeof(file->data) ? size : sizeof(file->data));
	return 0;
}

static int describe(unsigned int most)
{
	const struct dsdt_parts parts = { .cpus = 1, .serials = 1 };
	struct ram *ram = ram_new(MIB);
	struct boot_error error;
	int ret;

	nr_files = 0;
	room = most;
	ret = seabios_describe(ram, &parts, add, files, &error);
	ram_free(ram);
	return ret;
}

static const struct described *find(const char *name)
{
	for (unsigned int i = 0; i < nr_files; i++)
		if (!strcmp(files[i].name, name))
			return &files[i];
	return NULL;
}

TEST(machine_is_described_by_acpi_tables_and_their_script)
{
	ASSERT_EQ(0, describe(MAX_FILES));
	ASSERT_NE(NULL, find("etc/acpi/rsdp"));
	ASSERT_NE(NULL, find("etc/acpi/tables"));
	ASSERT_NE(NULL, find("etc/table-loader"));
	EXPECT_EQ(36, find("etc/acpi/rsdp")->size);
	EXPECT_EQ(0, memcmp(find("etc/acpi/tables")->data, "FACS", 4));
	EXPECT_EQ(0, find("etc/table-loader")->size % 128);
	/* It begins with the allocation of a file. */
	EXPECT_EQ(0, memcmp(find("etc/table-loader")->data, "\1\0\0\0etc/acpi/",
			    13));
}

TEST(console_is_the_serial_port)
{
	ASSERT_EQ(0, describe(MAX_FILES));
	ASSERT_NE(NULL, find("etc/sercon-port"));
	EXPECT_EQ(8, find("etc/sercon-port")->size);
	EXPECT_EQ(0, memcmp(find("etc/sercon-port")->data,
			    "\xf8\x03\0\0\0\0\0\0", 8));
}

TEST(machine_without_a_disk_does_not_reset_for_ever)
{
	ASSERT_EQ(0, describe(MAX_FILES));
	ASSERT_NE(NULL, find("etc/boot-fail-wait"));
	EXPECT_EQ(4, find("etc/boot-fail-wait")->size);
	EXPECT_EQ(0, memcmp(find("etc/boot-fail-wait")->data,
			    "\xff\xff\xff\xff", 4));
}

TEST(sleep_states_are_those_of_the_acpi_tables)
{
	ASSERT_EQ(0, describe(MAX_FILES));
	ASSERT_NE(NULL, find("etc/system-states"));
	EXPECT_EQ(6, find("etc/system-states")->size);
	EXPECT_EQ(0, memcmp(find("etc/system-states")->data,
			    "\x80\0\0\x81\0\x80", 6));
}

/* A disk, a CD, a network and another disk, with these indices. */
static int describe_boot(const uint32_t index[static 4])
{
	struct device_boot list[] = {
		{ BOOT_NETWORK, index[0], "/net" },
		{ BOOT_CDROM, index[1], "/cd" },
		{ BOOT_DISK, index[2], "/disk" },
		{ BOOT_DISK, index[3], "/other" },
	};
	struct boot_error error;

	nr_files = 0;
	room = MAX_FILES;
	return seabios_describe_boot(list, 4, add, files, &error);
}

TEST(disks_are_tried_before_cds_and_these_before_networks)
{
	static const uint32_t none[] = { BOOT_NO_INDEX, BOOT_NO_INDEX,
					 BOOT_NO_INDEX, BOOT_NO_INDEX };

	ASSERT_EQ(0, describe_boot(none));
	ASSERT_NE(NULL, find("bootorder"));
	EXPECT_STREQ("/disk\n/other\n/cd\n/net",
		     (const char *)find("bootorder")->data);
	EXPECT_EQ(sizeof("/disk\n/other\n/cd\n/net"), find("bootorder")->size);
}

TEST(devices_with_an_index_come_first_and_in_its_order)
{
	static const uint32_t some[] = { BOOT_NO_INDEX, 7, BOOT_NO_INDEX, 3 };

	ASSERT_EQ(0, describe_boot(some));
	EXPECT_STREQ("/other\n/cd\n/disk\n/net",
		     (const char *)find("bootorder")->data);
}

TEST(refused_file_ends_the_description)
{
	EXPECT_EQ(-ENOSPC, describe(0));
	EXPECT_EQ(-ENOSPC, describe(3));
}

TEST_HARNESS_MAIN
