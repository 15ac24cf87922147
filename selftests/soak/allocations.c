// SPDX-License-Identifier: GPL-2.0
/*
 * Each allocation of a VM's life fails in turn: the calls answer ENOMEM and
 * leave nothing behind.  Needs a kernel that lets allocations fail on request.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host.h"
#include "runner.h"
#include "waiting.h"
#include "lib/client.h"

#include "kselftest_harness.h"

#define LIMIT 1200
/* More than a VM's life has. */
#define ALLOCATIONS_MAX 2000

#define FAIL_NTH "/proc/self/fail-nth"

FIXTURE(allocations)
{
	int users;
};

FIXTURE_SETUP(allocations)
{
	if (access(FAIL_NTH, W_OK))
		SKIP(return, "the kernel lets no allocation fail");
	host_write("/sys/kernel/debug/failslab/ignore-gfp-wait", "N");
	host_write("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N");
	host_write("/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem", "N");
	host_write("/sys/kernel/debug/fail_page_alloc/min-order", "0");
	host_write("/sys/kernel/debug/failslab/verbose", "0");
	host_write("/sys/kernel/debug/fail_page_alloc/verbose", "0");
	self->users = lodge_users();
}

FIXTURE_TEARDOWN(allocations)
{
}

/* fail_number() - let the allocation @number from here on fail; 0: none */
static int fail_number(int number)
{
	char word[16];

	snprintf(word, sizeof(word), "%d", number);
	return host_write(FAIL_NTH, word);
}

/*
 * A life, in which the allocation @number fails.  Its end has none that may fail
 * for good: munmap() would keep a run page, and so a file.
 *
 * Return: 0, or the first error; @failed tells whether there was that one.
 */
static int live(int number, bool *failed)
{
	struct machine machine;
	int exits = 0, error = fail_number(number);

	if (!error)
		error = machine_make(&machine, 2);
	if (!error)
		error = machine_enter(&machine, 0, guest_out);
	while (!error && exits++ < 3)
		error = lodge_run(machine.cpu[0].fd);
	*failed = !host_read(FAIL_NTH);
	fail_number(0);
	machine_end(&machine);
	return error;
}

TEST_F_TIMEOUT(allocations, may_fail_one_by_one_and_nothing_stays_behind, LIMIT)
{
	int number = 0, error;
	bool failed;

	do {
		error = live(++number, &failed);
		EXPECT_TRUE(!error || error == -ENOMEM)
		TH_LOG("allocation %d: error %d", number, error);
		EXPECT_EQ(self->users, lodge_users());
	} while (failed && number < ALLOCATIONS_MAX);
	TH_LOG("%d allocations", number - 1);
	EXPECT_EQ(0, error);
	EXPECT_LT(10, number);
	EXPECT_GT(ALLOCATIONS_MAX, number);
}

TEST_HARNESS_MAIN
