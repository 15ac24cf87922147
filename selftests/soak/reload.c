// SPDX-License-Identifier: GPL-2.0
/*
 * The module is loaded and removed in a loop, while processes open its device,
 * make machines and run them.
 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"
#include "runner.h"
#include "waiting.h"
#include "chance.h"
#include "lib/client.h"

#include "kselftest_harness.h"

#define USERS 2

FIXTURE(reload)
{
	pid_t user[USERS];
	struct chance chance;
	struct span span;
};

/* Makes machines for as long as it lives, if the device is there. */
static void use(void)
{
	struct machine machine;
	int left;

	while (true) {
		left = 100;
		if (!machine_make(&machine, 2) &&
		    !machine_enter(&machine, 0, guest_out))
			while (left-- && !lodge_run(machine.cpu[0].fd))
				;
		machine_end(&machine);
		usleep(1000);
	}
}

FIXTURE_SETUP(reload)
{
	self->chance = chance_start(2);
	self->span = span_start();
	for (int i = 0; i < USERS; i++) {
		self->user[i] = fork();
		ASSERT_LE(0, self->user[i]);
		if (!self->user[i])
			use();
	}
}

FIXTURE_TEARDOWN(reload)
{
	for (int i = 0; i < USERS; i++) {
		kill(self->user[i], SIGKILL);
		waitpid(self->user[i], NULL, 0);
	}
	lodge_insert();
}

/* In use it stays; then nothing of it does. */
TEST_F_TIMEOUT(reload, goes_on_while_machines_are_made, SOAK_TIMEOUT)
{
	unsigned long long removed = 0;
	int error;

	while (span_goes_on(&self->span)) {
		error = module_remove("lodge");
		ASSERT_TRUE(!error || error == -EWOULDBLOCK)
		TH_LOG("removed %llu times: error %d", removed, error);
		if (error) {
			usleep(chance_below(&self->chance, 3000));
			continue;
		}
		removed++;
		ASSERT_EQ(0, lodge_insert());
	}
	TH_LOG("removed %llu times", removed);
	EXPECT_LT(0, removed);
}

TEST_HARNESS_MAIN
