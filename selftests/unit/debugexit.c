// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the debug exit and its codes.
 */
#include <errno.h>

#include "kselftest_harness.h"

#include "dev/debugexit.h"
#include "fakes.h"

FIXTURE(debugexit)
{
	struct bus *bus;
	struct debugexit *debugexit;
	struct fake_power power;
};

FIXTURE_SETUP(debugexit)
{
	struct power power = fake_power_of(&self->power);

	self->bus = bus_new();
	self->debugexit = debugexit_new(self->bus, DEBUGEXIT_PORT, &power);
	ASSERT_NE(NULL, self->debugexit);
}

FIXTURE_TEARDOWN(debugexit)
{
	debugexit_free(self->debugexit);
	bus_free(self->bus);
}

TEST_F(debugexit, second_one_on_the_same_bus_is_refused)
{
	struct power power = {};

	EXPECT_EQ(NULL, debugexit_new(self->bus, DEBUGEXIT_PORT, &power));
	EXPECT_EQ(EEXIST, errno);
}

TEST_F(debugexit, code_is_twice_the_value_and_one)
{
	static const int values[] = { 0, 1, 16, 0x7f };

	for (unsigned int i = 0; i < 4; i++) {
		for (size_t size = 1; size <= 4; size *= 2) {
			out(self->bus, DEBUGEXIT_PORT, values[i], size);
			EXPECT_EQ(POWER_EXIT, self->power.event);
			EXPECT_EQ(2 * values[i] + 1, self->power.code);
		}
	}
	EXPECT_EQ(12, self->power.events);
}

TEST_F(debugexit, largest_value_is_survived)
{
	out(self->bus, DEBUGEXIT_PORT, 0xffffffff, 4);
	EXPECT_EQ(1, self->power.events);
	EXPECT_EQ(-1, self->power.code);
}

TEST_F(debugexit, all_four_ports_exit)
{
	for (unsigned int i = 0; i < 4; i++)
		outb(self->bus, DEBUGEXIT_PORT + i, 3);
	EXPECT_EQ(4, self->power.events);
	EXPECT_EQ(7, self->power.code);
}

TEST_F(debugexit, reading_gives_zero_and_ends_nothing)
{
	EXPECT_EQ(0, in(self->bus, DEBUGEXIT_PORT, 4));
	EXPECT_EQ(0, self->power.events);
}

TEST_HARNESS_MAIN
