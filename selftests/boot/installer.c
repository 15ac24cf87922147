// SPDX-License-Identifier: GPL-2.0
/*
 * Debian's installer, as it is started from a network: its kernel and its initial RAM disk,
 * a system of 100 MiB in memory, show the first question on the serial console.
 */
#include <signal.h>

#include "guest.h"
#include "kselftest_harness.h"
#include "patience.h"

#define CODE_SIGNAL(number) (128 + (number))

static struct guest guest;

TEST(debian_s_installer_asks_for_a_language)
{
	static const char *const arguments[] = {
		"--kernel",  "linux",	 "--initrd",
		"initrd.gz", "--append", "console=ttyS0",
		"--memory",  "1200M",	 NULL,
	};

	ASSERT_EQ(0, guest_start(&guest, arguments));
	EXPECT_TRUE(guest_wait(&guest, "language", PATIENCE))
	{
		TH_LOG("console: %s", guest_tail(&guest));
	}
	EXPECT_TRUE(guest_wait(&guest, "English", PATIENCE));
	kill(guest.pid, SIGTERM);
	EXPECT_EQ(CODE_SIGNAL(SIGTERM), guest_end(&guest, PATIENCE));
}

TEST_HARNESS_MAIN
