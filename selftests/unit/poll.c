// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the time for which a halted vCPU polls, which depends on its last waits.
 */
#include "poll.h"

#include "kselftest_harness.h"

#define MAX 50000

/* Return: the window after @waits waits. */
static u32 after(u32 window, unsigned int waits, u64 waited, u32 max)
{
	while (waits--)
		window = lodge_poll_next(window, waited, max);
	return window;
}

TEST(a_vcpu_begins_to_poll_after_a_wait_that_polling_would_have_covered)
{
	EXPECT_EQ(LODGE_POLL_START_NS, lodge_poll_next(0, 1, MAX));
	EXPECT_EQ(LODGE_POLL_START_NS, lodge_poll_next(0, MAX, MAX));
	EXPECT_EQ(0, lodge_poll_next(0, MAX + 1, MAX));
}

TEST(a_window_doubles_until_it_covers_the_waits)
{
	EXPECT_EQ(20000, after(0, 2, 30000, MAX));
	EXPECT_EQ(40000, after(0, 3, 30000, MAX));
	EXPECT_EQ(40000, after(0, 1000, 30000, MAX));
}

TEST(a_window_never_exceeds_the_longest)
{
	u32 max, window;

	EXPECT_EQ(MAX, after(0, 1000, MAX, MAX));
	EXPECT_EQ(5000, after(0, 1000, 5000, 5000));
	for (max = 1; max; max <<= 1)
		EXPECT_EQ(max, after(0, 40, max, max));
	EXPECT_EQ(UINT32_MAX, after(0, 40, UINT32_MAX, UINT32_MAX));
	/* The limit was lowered below the window. */
	for (window = 1; window; window <<= 1) {
		EXPECT_GE(1000, lodge_poll_next(window, 0, 1000));
		EXPECT_GE(1000, lodge_poll_next(window, 999, 1000));
		EXPECT_GE(1000, lodge_poll_next(window, ~0ULL, 1000));
	}
}

TEST(long_waits_end_polling)
{
	EXPECT_EQ(20000, lodge_poll_next(40000, MAX + 1, MAX));
	EXPECT_EQ(10000, after(40000, 2, 1000000000, MAX));
	EXPECT_EQ(0, after(40000, 3, ~0ULL, MAX));
}

TEST(a_vcpu_whose_parameter_is_zero_never_polls)
{
	EXPECT_EQ(0, lodge_poll_next(0, 0, 0));
	EXPECT_EQ(0, lodge_poll_next(40000, 0, 0));
	EXPECT_EQ(0, lodge_poll_next(40000, 100, 0));
}

TEST(a_vcpu_that_idles_polls_for_less_than_a_hundredth_of_its_waits)
{
	const u64 idle = 4000000; /* between two ticks */
	u32 window = MAX;
	u64 polled = 0;
	int i;

	for (i = 0; i < 100; i++) {
		polled += window;
		window = lodge_poll_next(window, idle, MAX);
	}
	EXPECT_GT(100 * idle / 100, polled);
	EXPECT_EQ(0, window);
}

TEST_HARNESS_MAIN
