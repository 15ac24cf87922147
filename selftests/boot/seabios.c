// SPDX-License-Identifier: GPL-2.0
/*
 * `lodge run` without a kernel: SeaBIOS starts what is on the disks.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"
#include "tiny.h"
#include "kselftest_harness.h"

#define CODE_SIGNAL(number) (128 + (number))

#define SEABIOS "/usr/share/seabios/bios-256k.bin"

#define SECTOR_SIZE 512
#define DISK_SIZE (1 << 20)

static struct guest guest;

TEST(seabios_says_on_the_serial_port_that_there_is_no_disk)
{
	static const char *const arguments[] = { "--firmware", SEABIOS,
						 "--memory", "64M", NULL };

	ASSERT_EQ(0, guest_start(&guest, arguments));
	EXPECT_TRUE(guest_wait(&guest, "SeaBIOS (version ", PATIENCE));
	EXPECT_TRUE(guest_wait(&guest, "No bootable device.", PATIENCE));
	kill(guest.pid, SIGTERM);
	EXPECT_EQ(CODE_SIGNAL(SIGTERM), guest_end(&guest, PATIENCE));
	EXPECT_STREQ("", guest.errors)
	{
		TH_LOG("console: %s", guest_tail(&guest));
	}
}

FIXTURE(disk)
{
	char path[32];
};

FIXTURE_SETUP(disk)
{
	strcpy(self->path, "/tmp/disk-XXXXXX");
}

FIXTURE_TEARDOWN(disk)
{
	unlink(self->path);
}

/* Starts a machine from a disk with this boot sector. */
static int start(FIXTURE_DATA(disk) * self, const struct image *sector)
{
	const char *arguments[] = { self->path, "--memory", "64M", NULL };
	uint8_t disk[DISK_SIZE] = { 0 };
	int fd = mkstemp(self->path);

	memcpy(disk, sector->start, sector->end - sector->start);
	disk[SECTOR_SIZE - 2] = 0x55;
	disk[SECTOR_SIZE - 1] = 0xaa;
	if (fd < 0 || write(fd, disk, sizeof(disk)) != sizeof(disk))
		return -1;
	close(fd);
	return guest_start(&guest, arguments);
}

TEST_F(disk, with_a_boot_sector_is_started)
{
	ASSERT_EQ(0, start(self, &image_off_16));
	EXPECT_TRUE(guest_wait(&guest, "here\n", PATIENCE));
	EXPECT_EQ(0, guest_end(&guest, PATIENCE));
	EXPECT_STREQ("", guest.errors);
}

TEST_F(disk, that_resets_the_machine_is_started_again_by_seabios)
{
	ASSERT_EQ(0, start(self, &image_reset_acpi));
	for (int i = 0; i < 3; i++) {
		EXPECT_TRUE(guest_wait(&guest, "SeaBIOS (version ", PATIENCE));
		EXPECT_TRUE(guest_wait(&guest, "here\n", PATIENCE));
	}
	kill(guest.pid, SIGTERM);
	EXPECT_EQ(CODE_SIGNAL(SIGTERM), guest_end(&guest, PATIENCE));
	EXPECT_STREQ("", guest.errors);
}

#define BLOCK 2048
#define CD_CATALOG 19
#define CD_IMAGE 20
#define CD_BLOCKS 32

static void put_le32(uint8_t *at, uint32_t value)
{
	memcpy(at, &value, sizeof(value));
}

/*
 * A CD from which a BIOS starts, by "El Torito" 1.0: a boot record names the catalog, whose
 * first entry is its own checksum, and whose second one is the image to load.
 */
static void make_cd(uint8_t cd[static CD_BLOCKS * BLOCK],
		    const struct image *sector)
{
	uint8_t *record = cd + 17 * BLOCK, *catalog = cd + CD_CATALOG * BLOCK;

	memcpy(cd + 16 * BLOCK, "\1CD001\1", 7);
	memcpy(record, "\0CD001\1EL TORITO SPECIFICATION", 30);
	put_le32(record + 71, CD_CATALOG);
	memcpy(cd + 18 * BLOCK,
	       "\xff"
	       "CD001\1",
	       7);
	catalog[0] = 1;
	catalog[28] = 0xaa;
	catalog[29] = 0x55;
	catalog[30] = 0x55;
	catalog[31] = 0xaa;
	catalog[32] = 0x88; /* bootable, no disk to be emulated */
	catalog[38] = BLOCK / SECTOR_SIZE;
	put_le32(catalog + 40, CD_IMAGE);
	memcpy(cd + CD_IMAGE * BLOCK, sector->start,
	       sector->end - sector->start);
}

TEST_F(disk, that_is_a_cd_is_started)
{
	static uint8_t cd[CD_BLOCKS * BLOCK];
	const char *arguments[] = { "--cdrom", self->path, "--memory", "64M",
				    NULL };
	int fd = mkstemp(self->path);

	make_cd(cd, &image_off_16);
	ASSERT_EQ(sizeof(cd), write(fd, cd, sizeof(cd)));
	close(fd);
	ASSERT_EQ(0, guest_start(&guest, arguments));
	EXPECT_TRUE(guest_wait(&guest, "here\n", PATIENCE));
	EXPECT_EQ(0, guest_end(&guest, PATIENCE));
	EXPECT_STREQ("", guest.errors)
	{
		TH_LOG("console: %s", guest_tail(&guest));
	}
}

TEST_F(disk, with_the_lowest_index_is_started_first)
{
	static uint8_t cd[CD_BLOCKS * BLOCK];
	const char *arguments[] = {
		self->path, "--cdrom", "/tmp/cd,bootindex=1",
		"--memory", "64M",     NULL
	};
	uint8_t sector[DISK_SIZE] = { 0 };
	int fd = mkstemp(self->path);

	/* The disk would reset for ever. */
	memcpy(sector, image_reset_acpi.start,
	       image_reset_acpi.end - image_reset_acpi.start);
	sector[SECTOR_SIZE - 2] = 0x55;
	sector[SECTOR_SIZE - 1] = 0xaa;
	ASSERT_EQ(sizeof(sector), write(fd, sector, sizeof(sector)));
	close(fd);
	fd = open("/tmp/cd", O_CREAT | O_WRONLY | O_TRUNC, 0600);
	make_cd(cd, &image_off_16);
	ASSERT_EQ(sizeof(cd), write(fd, cd, sizeof(cd)));
	close(fd);
	ASSERT_EQ(0, guest_start(&guest, arguments));
	EXPECT_TRUE(guest_wait(&guest, "here\n", PATIENCE));
	EXPECT_EQ(0, guest_end(&guest, PATIENCE));
	unlink("/tmp/cd");
}

TEST_HARNESS_MAIN
