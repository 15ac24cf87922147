// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the display controller that drives no display.
 */
#include "kselftest_harness.h"

#include "dev/crt.h"
#include "fakes.h"

#define INDEX 0x3d4
#define DATA 0x3d5
#define STATUS 0x3da

FIXTURE(crt)
{
	struct board board;
	void *crt;
};

FIXTURE_SETUP(crt)
{
	self->board.bus = bus_new();
	self->crt = crt_device.make(&self->board, NULL, NULL);
	ASSERT_NE(NULL, self->crt);
}

FIXTURE_TEARDOWN(crt)
{
	crt_device.free(self->crt);
	bus_free(self->board.bus);
}

TEST_F(crt, the_cursor_is_where_it_was_put)
{
	outb(self->board.bus, INDEX, 0x0e);
	outb(self->board.bus, DATA, 0x12);
	outb(self->board.bus, INDEX, 0x0f);
	outb(self->board.bus, DATA, 0x34);
	EXPECT_EQ(0x34, inb(self->board.bus, DATA));
	outb(self->board.bus, INDEX, 0x0e);
	EXPECT_EQ(0x12, inb(self->board.bus, DATA));
	EXPECT_EQ(0x0e, inb(self->board.bus, INDEX));
}

TEST_F(crt, a_word_writes_index_and_data)
{
	out(self->board.bus, INDEX, 0x560f, 2);
	EXPECT_EQ(0x56, inb(self->board.bus, DATA));
}

TEST_F(crt, a_wait_for_a_retrace_ends_either_way)
{
	int begins = 0, ends = 0;

	for (int i = 0; i < 8; i++) {
		uint8_t status = inb(self->board.bus, STATUS);

		begins += !!(status & 0x08);
		ends += !(status & 0x08);
	}
	EXPECT_LT(0, begins);
	EXPECT_LT(0, ends);
}

TEST_F(crt, any_access_is_survived)
{
	fake_hammer(self->board.bus, INDEX, STATUS);
}

TEST_HARNESS_MAIN
