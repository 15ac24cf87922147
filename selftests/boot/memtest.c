// SPDX-License-Identifier: GPL-2.0
/*
 * memtest86+ of Debian as a guest, until it has passed its first percent: a
 * program that goes through all of memory and needs no Linux.
 */
#include <ctype.h>
#include <stdlib.h>

#include "guest.h"
#include "kselftest_harness.h"

#define CODE_RESET 4

/* Moves the cursor to the percentage of the pass. */
#define PASS_FIELD "\033[2;35H"
#define ESCAPE "\033"

static struct guest guest;
static long percent, errors;
static int status;

/* Return: the percentage when it is no longer zero, or -1. */
static long pass_first_percent(void)
{
	const char *end;
	long now = 0;

	while (now <= 0) {
		if (!guest_wait(&guest, PASS_FIELD, PATIENCE) ||
		    !guest_wait(&guest, "%", PATIENCE))
			return -1;
		end = guest.text + guest.seen - 1;
		while (isdigit(end[-1]))
			end--;
		now = strtol(end, NULL, 10);
	}
	return now;
}

static long count_errors(void)
{
	size_t start;

	if (!guest_wait(&guest, "Errors: ", PATIENCE))
		return -1;
	start = guest.seen;
	if (!guest_wait(&guest, " ", PATIENCE))
		return -1;
	return strtol(guest.text + start, NULL, 10);
}

static void run(void)
{
	static const char *const arguments[] = {
		"--kernel",    "memtest.bin",
		"--append",    "console=ttyS0,115200",
		"--memory",    "64M",
		"--no-reboot", NULL,
	};

	status = guest_start(&guest, arguments);
	if (status)
		return;
	percent = pass_first_percent();
	errors = count_errors();
	guest_type(&guest, ESCAPE);
	status = guest_end(&guest, PATIENCE);
}

TEST(memtest_starts)
{
	EXPECT_NE(NULL, strstr(guest.text, "Memtest86+"))
	{
		TH_LOG("console: %s", guest_tail(&guest));
		TH_LOG("lodge: %s", guest.errors);
	}
}

TEST(memtest_sees_the_memory_that_was_given)
{
	EXPECT_NE(NULL, strstr(guest.text, "64MB"));
}

TEST(memtest_passes_its_first_percent)
{
	EXPECT_LT(0, percent)
	{
		TH_LOG("console: %s", guest_tail(&guest));
	}
}

TEST(memtest_finds_no_error)
{
	EXPECT_EQ(0, errors);
}

TEST(memtest_resets_the_machine_when_it_is_left)
{
	EXPECT_EQ(CODE_RESET, status);
}

int main(int argc, char **argv)
{
	run();
	return test_harness_run(argc, argv);
}
