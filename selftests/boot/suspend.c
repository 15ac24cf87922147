// SPDX-License-Identifier: GPL-2.0
/*
 * Debian's kernel suspends to RAM (ACPI state S3), and is woken by the clock's alarm
 * and by the power button.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"
#include "kselftest_harness.h"
#include "patience.h"

#define PROMPT "/ # "
#define SUSPEND "echo mem >/sys/power/state; echo back $?\n"
/* The kernel says this only when firmware has jumped to its waking vector. */
#define TELL "echo wakings: $(dmesg | grep -c 'Low-level resume complete')\n"

/* Seconds between two presses of the button: the first may come too early. */
#define PRESS_SECONDS 5

static struct {
	struct guest guest;
	bool booted;
	bool supports;
	bool woken_by_alarm;
	bool slept;
	bool woken_by_button;
	bool slept_again;
	bool works;
	int status;
} life;

static void live(void)
{
	static const char *const arguments[] = {
		"--kernel", "vmlinuz-6.1",
		"--initrd", "guest.cpio",
		"--cpus",   "2",
		"--memory", "192M",
		"--append", "console=ttyS0 quiet run=shell",
		NULL,
	};
	struct guest *guest = &life.guest;

	life.status = guest_start(guest, arguments);
	if (life.status)
		return;
	life.booted = guest_wait(guest, PROMPT, PATIENCE);
	guest_type(guest, "cat /sys/power/mem_sleep\n");
	life.supports = guest_wait(guest, "[deep]", PATIENCE);
	guest_type(guest, "echo 0 >/sys/class/rtc/rtc0/wakealarm; "
			  "echo +3 >/sys/class/rtc/rtc0/wakealarm; " SUSPEND);
	life.woken_by_alarm = guest_wait(guest, "\nback 0", PATIENCE);
	guest_type(guest, TELL);
	life.slept = guest_wait(guest, "\nwakings: 1", PATIENCE);
	guest_type(guest, SUSPEND);
	for (int i = 0; i < PATIENCE / PRESS_SECONDS && life.slept; i++) {
		life.woken_by_button =
			guest_wait(guest, "\nback 0", PRESS_SECONDS);
		if (life.woken_by_button)
			break;
		kill(guest->pid, SIGUSR2);
	}
	guest_type(guest, TELL);
	life.slept_again = guest_wait(guest, "\nwakings: 2", PATIENCE);
	guest_type(guest, "for i in 0 1; do taskset $((i+1)) echo on cpu; done "
			  "| sort | uniq -c\n");
	life.works = guest_wait(guest, "2 on cpu", PATIENCE);
	guest_type(guest, "exit\n");
	life.status = guest_end(guest, PATIENCE);
}

FIXTURE(suspend)
{
	const char *console;
};

FIXTURE_SETUP(suspend)
{
	self->console = guest_tail(&life.guest);
}

FIXTURE_TEARDOWN(suspend)
{
}

TEST_F(suspend, a_guest_finds_suspend_to_ram)
{
	EXPECT_TRUE(life.booted);
	EXPECT_TRUE(life.supports)
	{
		TH_LOG("console: %s", self->console);
	}
}

TEST_F(suspend, the_clocks_alarm_wakes_it)
{
	EXPECT_TRUE(life.woken_by_alarm)
	{
		TH_LOG("console: %s", self->console);
	}
}

TEST_F(suspend, it_has_slept_and_gone_on_at_its_waking_vector)
{
	EXPECT_TRUE(life.slept)
	{
		TH_LOG("console: %s", self->console);
	}
}

TEST_F(suspend, the_power_button_wakes_it)
{
	EXPECT_TRUE(life.woken_by_button);
	EXPECT_TRUE(life.slept_again)
	{
		TH_LOG("console: %s", self->console);
	}
}

TEST_F(suspend, both_processors_work_afterwards)
{
	EXPECT_TRUE(life.works);
}

TEST_F(suspend, it_powers_off)
{
	EXPECT_EQ(0, life.status);
	EXPECT_STREQ("", life.guest.errors);
}

int main(int argc, char **argv)
{
	live();
	return test_harness_run(argc, argv);
}
