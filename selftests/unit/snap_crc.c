// SPDX-License-Identifier: GPL-2.0
/*
 * The checksum of files of saved machines is zlib's CRC-32, however it is computed.
 */
#include <stdlib.h>
#include <zlib.h>

#include "snap/crc.h"

#include "kselftest_harness.h"

#define MOST 4600

static uint8_t bytes[MOST];

static void fill(unsigned int seed)
{
	srand(seed);
	for (size_t i = 0; i < MOST; i++)
		bytes[i] = (uint8_t)(rand() >> 7);
}

TEST(it_is_that_of_zlib_for_each_length)
{
	fill(1);
	for (size_t size = 0; size <= 600; size++)
		ASSERT_EQ(crc32_z(0, bytes, size), snap_crc(0, bytes, size));
	ASSERT_EQ(crc32_z(0, bytes, MOST), snap_crc(0, bytes, MOST));
}

TEST(bytes_may_begin_anywhere)
{
	fill(2);
	for (size_t at = 0; at < 70; at++)
		ASSERT_EQ(crc32_z(0, bytes + at, 4096),
			  snap_crc(0, bytes + at, 4096));
}

TEST(each_bit_counts)
{
	uint32_t sum;

	fill(3);
	sum = snap_crc(0, bytes, 320);
	for (size_t bit = 0; bit < 320 * 8; bit++) {
		bytes[bit / 8] ^= 1 << bit % 8;
		ASSERT_NE(sum, snap_crc(0, bytes, 320));
		bytes[bit / 8] ^= 1 << bit % 8;
	}
}

TEST(it_goes_on_from_the_bytes_before)
{
	fill(4);
	for (size_t at = 0; at <= MOST; at += 61)
		ASSERT_EQ(crc32_z(0, bytes, MOST),
			  snap_crc(snap_crc(0, bytes, at), bytes + at,
				   MOST - at));
}

TEST(no_bytes_change_nothing)
{
	EXPECT_EQ(0, snap_crc(0, NULL, 0));
	EXPECT_EQ(0x12345678, snap_crc(0x12345678, NULL, 0));
}

TEST_HARNESS_MAIN
