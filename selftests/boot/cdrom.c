// SPDX-License-Identifier: GPL-2.0
/*
 * A machine that starts from a CD: SeaBIOS starts isolinux, and that memtest86+ of Debian.
 */
#include <string.h>

#include "guest.h"
#include "kselftest_harness.h"
#include "patience.h"

#define CODE_RESET 4
#define ESCAPE "\033"

static struct guest guest;

TEST(memtest_is_started_from_a_cd_by_seabios_and_isolinux)
{
	static const char *const arguments[] = {
		"--cdrom", "cd.iso", "--memory", "64M", "--no-reboot", NULL,
	};

	ASSERT_EQ(0, guest_start(&guest, arguments));
	EXPECT_TRUE(guest_wait(&guest, "SeaBIOS (version ", PATIENCE));
	EXPECT_TRUE(guest_wait(&guest, "ISOLINUX", PATIENCE));
	EXPECT_TRUE(guest_wait(&guest, "Memtest86+", PATIENCE));
	EXPECT_TRUE(guest_wait(&guest, "Errors: ", PATIENCE))
	{
		TH_LOG("console: %s", guest_tail(&guest));
	}
	guest_type(&guest, ESCAPE);
	EXPECT_EQ(CODE_RESET, guest_end(&guest, PATIENCE));
	EXPECT_STREQ("", guest.errors);
}

TEST_HARNESS_MAIN
