// SPDX-License-Identifier: GPL-2.0
/*
 * `lodge run` without a kernel: SeaBIOS starts what is on the disks.
 */
#include <signal.h>
#include <string.h>

#include "guest.h"
#include "kselftest_harness.h"

#define CODE_SIGNAL(number) (128 + (number))

#define SEABIOS "/usr/share/seabios/bios-256k.bin"

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

TEST_HARNESS_MAIN
