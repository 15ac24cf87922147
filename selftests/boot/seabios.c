// SPDX-License-Identifier: GPL-2.0
/*
 * `lodge run` without a kernel: SeaBIOS starts what is on the disks.
 */
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
}

TEST_HARNESS_MAIN
