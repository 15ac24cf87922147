// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the ACPI tables as files for firmware.  They carry out the script as the
 * specification of the ACPI linker/loader tells firmware to (QEMU's
 * hw/acpi/bios-linker-loader.c), by its offsets, and look at what comes out.
 */
#include "boot/acpi.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <lodge.h>

#include "kselftest_harness.h"

#define MEMORY (1 << 20)
#define COMMAND_SIZE 128
#define NAME_SIZE 56
#define MAX_FILES 2

/* Addresses that share no byte but the last one with those of acpi_write(). */
#define ELSEWHERE_RSDP 0x30450
#define ELSEWHERE_TABLES 0x51740

/**
 * struct loaded - a file in guest memory
 * @align: of its address, as the script wants it
 * @zone: where the script wants it
 */
struct loaded {
	char name[NAME_SIZE];
	uint32_t gpa;
	uint32_t size;
	uint32_t align;
	uint8_t zone;
};

FIXTURE(acpi_files)
{
	struct ram *ram;
	struct boot_error error;
	struct acpi_files made;
	struct loaded file[MAX_FILES];
	unsigned int files;
	unsigned int pointers;
	bool bad;
};

FIXTURE_VARIANT(acpi_files)
{
	unsigned int cpus;
};

FIXTURE_VARIANT_ADD(acpi_files, one_cpu){
	.cpus = 1,
};

FIXTURE_VARIANT_ADD(acpi_files, all_cpus){
	.cpus = LODGE_MAX_VCPUS,
};

FIXTURE_SETUP(acpi_files)
{
	self->ram = ram_new(MEMORY);
	ASSERT_NE(NULL, self->ram);
	ASSERT_EQ(0, acpi_files_make(&self->made, self->ram,
				     &(struct dsdt_parts){ variant->cpus, 1 },
				     &self->error));
}

FIXTURE_TEARDOWN(acpi_files)
{
	acpi_files_free(&self->made);
	ram_free(self->ram);
}

static uint32_t get32(const uint8_t *at)
{
	return at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint64_t get64(const uint8_t *at)
{
	return get32(at) | (uint64_t)get32(at + 4) << 32;
}

static uint8_t sum(const uint8_t *at, size_t size)
{
	uint8_t total = 0;

	while (size--)
		total += *at++;
	return total;
}

static struct loaded *find(FIXTURE_DATA(acpi_files) * self, const uint8_t *name)
{
	if (memchr(name, 0, NAME_SIZE))
		for (unsigned int i = 0; i < self->files; i++)
			if (!strcmp(self->file[i].name, (const char *)name))
				return &self->file[i];
	self->bad = true;
	return NULL;
}

/* Return: the bytes at @offset of the file in guest memory, or NULL. */
static uint8_t *bytes(FIXTURE_DATA(acpi_files) * self,
		      const struct loaded *file, uint32_t offset, uint32_t size)
{
	if (file && offset <= file->size && size <= file->size - offset)
		return ram_at(self->ram, file->gpa + offset, size);
	self->bad = true;
	return NULL;
}

static void allocate(FIXTURE_DATA(acpi_files) * self, const uint8_t *command,
		     uint32_t rsdp, uint32_t tables)
{
	bool is_rsdp = !strcmp((const char *)command, "etc/acpi/rsdp");
	struct loaded *file = &self->file[self->files];

	if (self->files == MAX_FILES ||
	    (!is_rsdp && strcmp((const char *)command, "etc/acpi/tables"))) {
		self->bad = true;
		return;
	}
	self->files++;
	strcpy(file->name, (const char *)command);
	file->gpa = is_rsdp ? rsdp : tables;
	file->size = is_rsdp ? self->made.rsdp_size : self->made.tables_size;
	file->align = get32(command + NAME_SIZE);
	file->zone = command[NAME_SIZE + 4];
	memcpy(ram_at(self->ram, file->gpa, file->size),
	       is_rsdp ? self->made.rsdp : self->made.tables, file->size);
}

static void add_pointer(FIXTURE_DATA(acpi_files) * self, const uint8_t *command)
{
	uint32_t size = command[2 * NAME_SIZE + 4];
	struct loaded *to = find(self, command + NAME_SIZE);
	uint8_t *at = bytes(self, find(self, command),
			    get32(command + 2 * NAME_SIZE), size);
	uint64_t value = 0;

	if (!at || !to || (size != 4 && size != 8)) {
		self->bad = true;
		return;
	}
	memcpy(&value, at, size);
	if (value >= to->size)
		self->bad = true;
	value += to->gpa;
	memcpy(at, &value, size);
	self->pointers++;
}

static void add_checksum(FIXTURE_DATA(acpi_files) * self,
			 const uint8_t *command)
{
	struct loaded *file = find(self, command);
	const uint8_t *fields = command + NAME_SIZE;
	uint8_t *byte = bytes(self, file, get32(fields), 1);
	uint8_t *range =
		bytes(self, file, get32(fields + 4), get32(fields + 8));

	if (!byte || !range || byte < range ||
	    byte >= range + get32(fields + 8)) {
		self->bad = true;
		return;
	}
	*byte -= sum(range, get32(fields + 8));
}

/* Carries out the script, with the files at these addresses. */
static void load(FIXTURE_DATA(acpi_files) * self, uint32_t rsdp,
		 uint32_t tables)
{
	const uint8_t *command = (const uint8_t *)self->made.linker.commands;

	memset(ram_at(self->ram, 0, MEMORY), 0, MEMORY);
	for (unsigned int i = 0; i < self->made.linker.count; i++) {
		switch (get32(command)) {
		case 1:
			allocate(self, command + 4, rsdp, tables);
			break;
		case 2:
			add_pointer(self, command + 4);
			break;
		case 3:
			add_checksum(self, command + 4);
			break;
		default:
			self->bad = true;
		}
		command += COMMAND_SIZE;
	}
}

/* Return: the table at @gpa, or NULL unless it has this signature and a right sum. */
static const uint8_t *table(FIXTURE_DATA(acpi_files) * self, uint64_t gpa,
			    const char *signature)
{
	const uint8_t *at = ram_at(self->ram, gpa, 36);
	uint32_t size;

	if (!at || memcmp(at, signature, 4))
		return NULL;
	size = get32(at + 4);
	if (!ram_at(self->ram, gpa, size) || sum(at, size))
		return NULL;
	return at;
}

TEST_F(acpi_files, script_is_sound)
{
	load(self, ELSEWHERE_RSDP, ELSEWHERE_TABLES);
	EXPECT_FALSE(self->bad);
	EXPECT_EQ(2, self->files);
}

TEST_F(acpi_files, rsdp_goes_where_a_search_finds_it_and_facs_is_aligned)
{
	load(self, ELSEWHERE_RSDP, ELSEWHERE_TABLES);
	EXPECT_EQ(2, find(self, (const uint8_t *)"etc/acpi/rsdp")->zone);
	EXPECT_EQ(16, find(self, (const uint8_t *)"etc/acpi/rsdp")->align);
	EXPECT_EQ(1, find(self, (const uint8_t *)"etc/acpi/tables")->zone);
	EXPECT_EQ(64, find(self, (const uint8_t *)"etc/acpi/tables")->align);
}

TEST_F(acpi_files, loaded_in_the_bios_area_they_are_what_acpi_write_writes)
{
	struct ram *other = ram_new(MEMORY);

	ASSERT_NE(NULL, other);
	ASSERT_EQ(0, acpi_write(other, &(struct dsdt_parts){ variant->cpus, 1 },
				&self->error));
	load(self, ACPI_RSDP, ACPI_RSDP + 64);
	EXPECT_EQ(0, memcmp(ram_at(other, ACPI_RSDP, ACPI_END - ACPI_RSDP),
			    ram_at(self->ram, ACPI_RSDP, ACPI_END - ACPI_RSDP),
			    ACPI_END - ACPI_RSDP));
	ram_free(other);
}

TEST_F(acpi_files, loaded_elsewhere_every_table_is_found_and_has_a_right_sum)
{
	const uint8_t *rsdp, *rsdt, *xsdt, *fadt;
	uint64_t entry;

	load(self, ELSEWHERE_RSDP, ELSEWHERE_TABLES);
	rsdp = ram_at(self->ram, ELSEWHERE_RSDP, 36);
	EXPECT_EQ(0, sum(rsdp, 20));
	EXPECT_EQ(0, sum(rsdp, 36));
	rsdt = table(self, get32(rsdp + 16), "RSDT");
	xsdt = table(self, get64(rsdp + 24), "XSDT");
	ASSERT_NE(NULL, rsdt);
	ASSERT_NE(NULL, xsdt);
	ASSERT_EQ(2 * (get32(rsdt + 4) - 36), get32(xsdt + 4) - 36);
	for (unsigned int i = 0; i < (get32(rsdt + 4) - 36) / 4; i++) {
		entry = get64(xsdt + 36 + 8 * i);
		EXPECT_EQ(entry, get32(rsdt + 36 + 4 * i));
		ASSERT_NE(NULL, ram_at(self->ram, entry, 36));
		EXPECT_NE(NULL,
			  table(self, entry, ram_at(self->ram, entry, 4)));
	}
	fadt = table(self, get64(xsdt + 36), "FACP");
	ASSERT_NE(NULL, fadt);
	EXPECT_NE(NULL, table(self, get32(fadt + 40), "DSDT"));
	EXPECT_EQ(get32(fadt + 40), get64(fadt + 140));
	EXPECT_EQ(0, memcmp(ram_at(self->ram, get32(fadt + 36), 4), "FACS", 4));
	EXPECT_EQ(get32(fadt + 36), get64(fadt + 132));
}

TEST(processors_that_cannot_be_are_refused)
{
	struct boot_error error;
	struct acpi_files files;

	EXPECT_EQ(-EINVAL,
		  acpi_files_make(&files, NULL, &(struct dsdt_parts){ 0, 1 },
				  &error));
	EXPECT_EQ(-EINVAL, acpi_files_make(&files, NULL,
					   &(struct dsdt_parts){
						   LODGE_MAX_VCPUS + 1, 1 },
					   &error));
}

TEST_HARNESS_MAIN
