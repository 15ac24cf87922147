// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of a guest's time stamp counter that has another rate than the host's: the ratio is
 * right to the tick, time never goes back, and nothing overflows.
 */
#include "kernel_apic.h"

/* Where the kernel keeps it. */
#define __read_mostly
#include "../../module/tsc.c"

#include "kselftest_harness.h"

u32 tsc_khz;

static u64 counter;

u64 rdtsc(void)
{
	return counter;
}

static u64 random_state = 1;

static u64 next(void)
{
	random_state =
		random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return random_state >> 20;
}

static struct lodge_tsc_scale scale_of(u32 host, u32 guest, unsigned int shift,
				       unsigned int bits)
{
	struct lodge_tsc_scale scale;

	tsc_khz = host;
	if (lodge_tsc_scale_init(&scale, guest, shift, bits))
		abort();
	return scale;
}

TEST(the_hosts_own_rate_changes_nothing)
{
	struct lodge_tsc_scale scale = scale_of(2000000, 2000000, 48, 64);

	EXPECT_EQ(0, scale.ratio);
	EXPECT_FALSE(scale.by_processor);
	EXPECT_EQ(~0ULL, lodge_tsc_scaled(&scale, ~0ULL));
	EXPECT_EQ(~0ULL, lodge_tsc_unscaled(&scale, ~0ULL));
}

TEST(no_rate_and_one_out_of_reach_are_refused)
{
	struct lodge_tsc_scale scale;

	tsc_khz = 1000;
	EXPECT_EQ(-EINVAL, lodge_tsc_scale_init(&scale, 0, 0, 0));
	EXPECT_EQ(-EINVAL, lodge_tsc_scale_init(&scale, 65536000, 0, 0));
	EXPECT_EQ(-EINVAL, lodge_tsc_scale_init(&scale, UINT32_MAX, 48, 64));
	EXPECT_EQ(0, lodge_tsc_scale_init(&scale, 65535999, 0, 0));
	EXPECT_EQ(65535999, lodge_tsc_scaled(&scale, 1000) + 1);
	tsc_khz = UINT32_MAX;
	EXPECT_EQ(0, lodge_tsc_scale_init(&scale, 1, 0, 0));
	EXPECT_NE(0, scale.ratio);
}

TEST(a_ratio_is_that_of_the_rates_rounded_down)
{
	for (int i = 0; i < 100000; i++) {
		const u32 host = 1 + next() % (1U << (1 + next() % 31));
		const u32 guest = 1 + next() % (1U << (1 + next() % 31));
		const unsigned __int128 exact =
			((unsigned __int128)guest << LODGE_TSC_SHIFT) / host;
		struct lodge_tsc_scale scale;

		if (host == guest)
			continue;
		tsc_khz = host;
		if (exact >> 64) {
			ASSERT_EQ(-EINVAL,
				  lodge_tsc_scale_init(&scale, guest, 0, 0));
			continue;
		}
		ASSERT_EQ(0, lodge_tsc_scale_init(&scale, guest, 0, 0));
		ASSERT_EQ((u64)exact, scale.ratio);
	}
}

TEST(the_processor_shows_what_its_ratio_has_room_for)
{
	/* AMD's, with 8 bits before the point and 32 behind it. */
	struct lodge_tsc_scale scale = scale_of(10000, 2559999, 32, 40);

	EXPECT_TRUE(scale.by_processor);
	EXPECT_EQ(32, scale.shift);
	EXPECT_EQ(0, scale.ratio >> 40);
	scale = scale_of(10000, 2560000, 32, 40);
	EXPECT_FALSE(scale.by_processor);
	EXPECT_EQ(LODGE_TSC_SHIFT, scale.shift);
	/* A ratio that would be zero there. */
	EXPECT_FALSE(scale_of(UINT32_MAX, 1, 31, 40).by_processor);
	/* Intel's, with 16 bits and 48. */
	EXPECT_TRUE(scale_of(10000, 655359999, 48, 64).by_processor);
	EXPECT_FALSE(scale_of(10000, 20000, 0, 0).by_processor);
}

TEST(a_guests_time_keeps_to_its_rate_and_never_goes_back)
{
	static const u32 rates[][2] = { { 2400000, 50000 },
					{ 50000, 2400000 },
					{ 3000000, 2999999 },
					{ 1, 65535 },
					{ 65535000, 1 } };

	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct lodge_tsc_scale scale =
			scale_of(rates[i][0], rates[i][1], 0, 0);
		u64 host = 0, last = 0;

		for (int step = 0; step < 100000; step++) {
			u64 now;

			host += next() % (1ULL << next() % 33);
			now = lodge_tsc_scaled(&scale, host);
			ASSERT_LE(last, now);
			last = now;
			/* A tick in 2^32 at the least. */
			ASSERT_GE((unsigned __int128)host * scale.khz / tsc_khz,
				  now);
			ASSERT_LE((unsigned __int128)host * scale.khz /
						  tsc_khz -
					  now,
				  1 + (host >> 32));
		}
	}
}

TEST(ticks_of_the_guest_come_back_as_those_of_the_host)
{
	for (int i = 0; i < 100000; i++) {
		struct lodge_tsc_scale scale = scale_of(
			1000 + next() % 5000000, 1000 + next() % 5000000, 0, 0);
		const u64 host = next() % (1ULL << 40);
		const u64 guest = lodge_tsc_scaled(&scale, host);
		const u64 back = lodge_tsc_unscaled(&scale, guest);

		ASSERT_LE(back, host);
		ASSERT_LE(host - back, 2 + tsc_khz / scale.khz);
	}
}

TEST(a_time_without_end_is_bounded)
{
	struct lodge_tsc_scale scale = scale_of(UINT32_MAX, 1000, 0, 0);

	EXPECT_EQ((u64)UINT32_MAX << 32, lodge_tsc_unscaled(&scale, ~0ULL));
}

TEST(a_suspend_of_the_host_moves_time_in_the_guests_ticks)
{
	struct lodge_tsc_scale scale = scale_of(1000000, 2000000, 0, 0);

	counter = 5000;
	lodge_tsc_moved = 0;
	lodge_tsc_suspend();
	counter = 100;
	lodge_tsc_resume();
	EXPECT_EQ(5000, lodge_tsc());
	EXPECT_EQ(9800, lodge_tsc_moved_scaled(&scale));
	counter = 9000;
	lodge_tsc_resume();
	EXPECT_EQ((u64)-8000, lodge_tsc_moved_scaled(&scale));
	EXPECT_EQ(10000, lodge_tsc_scaled(&scale, counter) +
				 lodge_tsc_moved_scaled(&scale));
}

TEST_HARNESS_MAIN
