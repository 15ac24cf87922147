// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of what the end of a connection does to a machine: it ends what the connection has
 * begun, and nothing that another one has.
 */
#include <unistd.h>

#include "kselftest_harness.h"

#include "cmd/requests.h"

FIXTURE(frozen)
{
	struct requests requests;
	struct control_machine control;
	char why[CONTROL_WHY_SIZE];
};

FIXTURE_SETUP(frozen)
{
	self->requests = (struct requests){ .paused = true,
					    .template = dup(STDIN_FILENO) };
	ASSERT_LE(0, self->requests.template);
	requests_connect(&self->control, &self->requests);
	self->control.opaque = &self->requests;
}

FIXTURE_TEARDOWN(frozen)
{
	requests_close(&self->requests);
}

static int resume(FIXTURE_DATA(frozen) * self)
{
	return self->control.resume(&self->requests, self->why);
}

TEST_F(frozen, it_stays_so_for_each_connection_that_has_the_template)
{
	for (int i = 0; i < 2; i++)
		EXPECT_EQ(self->requests.template,
			  self->control.template(&self->requests));
	self->control.release(&self->requests, CONTROL_HOLDS_TEMPLATE, 3);
	EXPECT_EQ(CONTROL_HELD, resume(self));
	EXPECT_STREQ("clones are being started from it", self->why);
	self->control.release(&self->requests, CONTROL_HOLDS_TEMPLATE, 4);
	EXPECT_EQ(0, self->requests.lent);
}

TEST_F(frozen, the_end_of_one_that_had_it_move_before_lends_the_template_on)
{
	self->control.template(&self->requests);
	self->control.release(&self->requests, CONTROL_HOLDS_MOVE, 3);
	EXPECT_EQ(CONTROL_HELD, resume(self));
	EXPECT_EQ(1, self->requests.lent);
}

TEST_HARNESS_MAIN
