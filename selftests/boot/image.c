// SPDX-License-Identifier: GPL-2.0
/*
 * Debian on a disk, as its users have it: SeaBIOS starts GRUB, that Debian's kernel, and
 * systemd brings the system up to a login.  The disk is the file LODGE_DISK of the
 * environment, which stays as it is; hosts without it leave this out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"
#include "kselftest_harness.h"
#include "patience.h"

#define PROMPT "root@debian:~# "

static struct {
	struct guest guest;
	bool has_disk;
	bool firmware;
	bool loader;
	bool kernel;
	bool login;
	bool shell;
	bool running;
	bool writes;
	int status;
} life;

/*
 * Types a command.  The shell may send control sequences before an answer, so that only its
 * end is looked for, which the command must not have.  Return: true if it comes.
 */
static bool ask(const char *command, const char *answer)
{
	guest_type(&life.guest, command);
	return guest_wait(&life.guest, answer, PATIENCE);
}

static void live(void)
{
	const char *disk = getenv("LODGE_DISK");
	char argument[256];
	const char *const arguments[] = { argument, "--memory", "256M", NULL };
	struct guest *guest = &life.guest;

	life.has_disk = disk;
	if (!disk)
		return;
	snprintf(argument, sizeof(argument), "%s,snapshot=on", disk);
	life.status = guest_start(guest, arguments);
	if (life.status)
		return;
	life.firmware = guest_wait(guest, "SeaBIOS (version ", PATIENCE);
	life.loader = guest_wait(guest, "GNU GRUB", PATIENCE);
	life.kernel = guest_wait(guest, "Linux version ", PATIENCE);
	life.login = guest_wait(guest, "debian login: ", PATIENCE);
	life.shell = life.login && ask("root\n", PROMPT);
	if (life.shell) {
		life.running =
			ask("systemctl is-system-running --wait\n",
			    "running\r\n") ||
			(ask("systemctl --failed --no-pager\n", "listed"),
			 false);
		life.writes = ask("echo $((6 * 7)) >/root/answer; sync; "
				  "sysctl -qw vm.drop_caches=3; "
				  "cat /root/answer\n",
				  "42\r\n");
	}
	guest_type(guest, "systemctl poweroff\n");
	life.status = guest_end(guest, PATIENCE);
}

FIXTURE(disk)
{
	const char *console;
};

FIXTURE_SETUP(disk)
{
	self->console = guest_tail(&life.guest);
	if (!life.has_disk)
		SKIP(return, "this host has no disk with Debian");
}

FIXTURE_TEARDOWN(disk)
{
}

TEST_F(disk, is_started_by_seabios)
{
	EXPECT_TRUE(life.firmware)
	{
		TH_LOG("console: %s", self->console);
		TH_LOG("lodge: %s", life.guest.errors);
	}
}

TEST_F(disk, starts_grub_which_starts_linux)
{
	EXPECT_TRUE(life.loader);
	EXPECT_TRUE(life.kernel)
	{
		TH_LOG("console: %s", self->console);
	}
}

TEST_F(disk, boots_to_a_login_that_lets_root_in)
{
	EXPECT_TRUE(life.login);
	EXPECT_TRUE(life.shell)
	{
		TH_LOG("console: %s", self->console);
	}
}

TEST_F(disk, has_a_system_of_which_no_part_has_failed)
{
	EXPECT_TRUE(life.running)
	{
		TH_LOG("console: %s", self->console);
	}
}

TEST_F(disk, gives_back_what_was_written)
{
	EXPECT_TRUE(life.writes)
	{
		TH_LOG("console: %s", self->console);
	}
}

TEST_F(disk, powers_the_machine_off)
{
	EXPECT_EQ(0, life.status);
	EXPECT_STREQ("", life.guest.errors)
	{
		TH_LOG("console: %s", self->console);
	}
}

int main(int argc, char **argv)
{
	live();
	return test_harness_run(argc, argv);
}
