// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of guest memory, and of its allocation to the parts of an image.
 */
#include "board/ram.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot/bios.h"
#include "boot/place.h"

#include "kselftest_harness.h"

#define MIB (1ULL << 20)
#define PAGE 4096
#define GIB (1ULL << 30)

/* Return: a file with a hole, a page of sevens, and a hole again, behind a first page. */
static int file_with_sevens(void)
{
	char page[PAGE];
	int fd = memfd_create("file", MFD_CLOEXEC);

	memset(page, 7, sizeof(page));
	if (fd < 0 || ftruncate(fd, PAGE + 2 * MIB) ||
	    pwrite(fd, page, sizeof(page), PAGE + MIB) != PAGE)
		abort();
	return fd;
}

TEST(ram_of_a_file_begins_as_it_and_is_a_copy)
{
	static const enum ram_backing backings[] = { RAM_ANONYMOUS, RAM_MEMFD };
	int fd = file_with_sevens();
	char byte = 0;

	for (size_t i = 0; i < 2; i++) {
		struct ram *ram =
			ram_new_mapped(2 * MIB, backings[i], fd, PAGE);
		char *bytes;

		ASSERT_NE(NULL, ram);
		EXPECT_EQ(backings[i] == RAM_ANONYMOUS, ram_fd(ram) < 0);
		bytes = ram_at(ram, MIB, PAGE);
		EXPECT_EQ(7, bytes[0]);
		EXPECT_EQ(7, bytes[PAGE - 1]);
		EXPECT_EQ(0, bytes[PAGE]);
		EXPECT_EQ(0, bytes[-1]);
		bytes[0] = 8;
		ASSERT_EQ(1, pread(fd, &byte, 1, PAGE + MIB));
		EXPECT_EQ(7, byte);
		ram_free(ram);
	}
	close(fd);
}

/* Return: pages that the file has. */
static uint64_t pages_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : (uint64_t)st.st_blocks * 512 / PAGE;
}

TEST(to_read_ram_stores_nothing_in_the_holes_of_its_file)
{
	int fd = file_with_sevens();
	struct ram *ram = ram_new_mapped(2 * MIB, RAM_ANONYMOUS, fd, PAGE);
	const char *bytes;
	unsigned int sevens = 0;

	ASSERT_NE(NULL, ram);
	bytes = ram_at(ram, 0, 2 * MIB);
	ASSERT_EQ(1, pages_of(fd));
	for (uint64_t at = 0; at < 2 * MIB; at += PAGE)
		sevens += ((const volatile char *)bytes)[at] == 7;
	EXPECT_EQ(1, sevens);
	EXPECT_EQ(1, pages_of(fd));
	ram_free(ram);
	close(fd);
}

TEST(ram_of_a_file_that_cannot_be_written_is_one_mapping)
{
	int fd = memfd_create("file", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct ram *ram;

	ASSERT_EQ(0, ftruncate(fd, PAGE + 2 * MIB));
	ASSERT_EQ(1, pwrite(fd, "7", 1, PAGE + MIB));
	ASSERT_EQ(0, fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	ram = ram_new_mapped(2 * MIB, RAM_ANONYMOUS, fd, PAGE);
	ASSERT_NE(NULL, ram);
	EXPECT_EQ('7', *(const volatile char *)ram_at(ram, MIB, PAGE));
	EXPECT_EQ(0, *(const volatile char *)ram_at(ram, 0, PAGE));
	/* The zero page, too, is the file's. */
	EXPECT_EQ(2, pages_of(fd));
	ram_free(ram);
	close(fd);
}

static unsigned int count_mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned int count = 0;
	int c;

	while ((c = getc(maps)) != EOF)
		count += c == '\n';
	fclose(maps);
	return count;
}

TEST(ram_of_a_file_of_many_holes_is_as_the_file_and_leaves_mappings_to_others)
{
	const uint64_t stride = 17 * PAGE, size = 1200 * MIB;
	int fd = memfd_create("file", MFD_CLOEXEC);
	unsigned int wrong = 0;
	struct ram *ram;

	ASSERT_EQ(0, ftruncate(fd, size));
	/* 16 pages of a hole are told apart, and these are 18070 of them. */
	for (uint64_t at = 0; at < size; at += stride)
		ASSERT_EQ(1, pwrite(fd, "7", 1, at));
	ram = ram_new_mapped(size, RAM_ANONYMOUS, fd, 0);
	ASSERT_NE(NULL, ram);
	for (uint64_t at = 0; at < size; at += PAGE)
		wrong += *(const char *)ram_at(ram, at, 1) !=
			 (at % stride ? 0 : '7');
	EXPECT_EQ(0, wrong);
	EXPECT_GT(65530 / 2 + 1000, count_mappings());
	ram_free(ram);
	close(fd);
}

TEST(pages_that_are_given_back_do_not_show_the_file_again)
{
	int fd = file_with_sevens();
	struct ram *ram = ram_new_mapped(2 * MIB, RAM_ANONYMOUS, fd, PAGE);
	char *bytes = ram_at(ram, MIB, PAGE);

	EXPECT_EQ(PAGE, ram_discard(ram, bytes, PAGE));
	EXPECT_EQ(0, bytes[0]);
	ram_free(ram);
	close(fd);
}

TEST(ram_can_begin_anew_as_a_file)
{
	int fd = file_with_sevens();
	struct ram *ram = ram_new(2 * MIB);
	char *bytes = ram_at(ram, MIB, PAGE);
	char byte = 0;

	bytes[0] = bytes[PAGE] = 1;
	ASSERT_EQ(0, ram_replace(ram, fd, PAGE));
	EXPECT_EQ(7, bytes[0]);
	EXPECT_EQ(0, bytes[PAGE]);
	bytes[0] = 8;
	ASSERT_EQ(1, pread(fd, &byte, 1, PAGE + MIB));
	EXPECT_EQ(7, byte);
	EXPECT_EQ(PAGE, ram_discard(ram, bytes, PAGE));
	EXPECT_EQ(0, bytes[0]);
	ram_free(ram);
	close(fd);
}

TEST(ram_stays_where_it_cannot_begin_anew)
{
	int fd = file_with_sevens();
	struct ram *ram = ram_new(2 * MIB);
	char *bytes = ram_at(ram, MIB, PAGE);

	bytes[0] = 1;
	EXPECT_EQ(-ENODATA, ram_replace(ram, fd, 2 * PAGE));
	EXPECT_EQ(-EINVAL, ram_replace(ram, fd, 1));
	EXPECT_EQ(-EINVAL, ram_replace(ram, fd, UINT64_MAX - PAGE + 1));
	EXPECT_EQ(-ENODATA, ram_replace(ram, -1, 0));
	EXPECT_EQ(1, bytes[0]);
	ram_free(ram);
	ram = ram_new_backed(2 * MIB, RAM_MEMFD);
	EXPECT_EQ(-EOPNOTSUPP, ram_replace(ram, fd, PAGE));
	EXPECT_EQ(0, *(char *)ram_at(ram, MIB, PAGE));
	ram_free(ram);
	close(fd);
}

TEST(a_file_that_ends_too_early_is_no_ram)
{
	int fd = file_with_sevens();

	EXPECT_EQ(NULL, ram_new_mapped(2 * MIB, RAM_ANONYMOUS, fd, 2 * PAGE));
	EXPECT_EQ(ENODATA, errno);
	EXPECT_EQ(NULL, ram_new_mapped(2 * MIB, RAM_MEMFD, fd, 2 * PAGE));
	EXPECT_EQ(ENODATA, errno);
	EXPECT_EQ(NULL, ram_new_mapped(2 * MIB, RAM_ANONYMOUS, fd, 1));
	EXPECT_EQ(NULL, ram_new_mapped(2 * MIB, RAM_ANONYMOUS, fd,
				       UINT64_MAX - PAGE + 1));
	close(fd);
}

TEST(small_ram_is_all_low)
{
	struct ram *ram = ram_new(64 * MIB);

	ASSERT_NE(NULL, ram);
	EXPECT_EQ(64 * MIB, ram_low(ram));
	EXPECT_EQ(0, ram_high(ram));
	EXPECT_EQ(NULL, ram_at(ram, RAM_HOLE_END, 1));
	ram_free(ram);
}

TEST(ram_beyond_3_gib_continues_at_4_gib)
{
	struct ram *ram = ram_new(5 * GIB);
	char *low, *high;

	ASSERT_NE(NULL, ram);
	EXPECT_EQ(3 * GIB, ram_low(ram));
	EXPECT_EQ(2 * GIB, ram_high(ram));
	low = ram_at(ram, RAM_HOLE_START - 1, 1);
	high = ram_at(ram, RAM_HOLE_END, 1);
	ASSERT_NE(NULL, low);
	ASSERT_NE(NULL, high);
	*low = 1;
	*high = 2;
	EXPECT_EQ(1, *low);
	EXPECT_EQ(2, *high);
	EXPECT_NE(NULL, ram_at(ram, 6 * GIB - 1, 1));
	EXPECT_EQ(NULL, ram_at(ram, 6 * GIB, 1));
	ram_free(ram);
}

TEST(ram_that_is_shared_has_a_file_of_fixed_size)
{
	struct ram *ram = ram_new_backed(5 * GIB, RAM_MEMFD);
	struct ram_range ranges[RAM_MAX_RANGES];
	char byte = 0;

	ASSERT_NE(NULL, ram);
	EXPECT_LE(0, ram_fd(ram));
	EXPECT_EQ(-1, ftruncate(ram_fd(ram), GIB));
	EXPECT_EQ(-1, ftruncate(ram_fd(ram), 6 * GIB));
	ASSERT_EQ(2, ram_ranges(ram, ranges));
	EXPECT_EQ(0, ranges[0].gpa);
	EXPECT_EQ(3 * GIB, ranges[0].size);
	EXPECT_EQ(4 * GIB, ranges[1].gpa);
	EXPECT_EQ(2 * GIB, ranges[1].size);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(ranges[i].address, ram_at(ram, ranges[i].gpa, 1));
		*(char *)ram_at(ram, ranges[i].gpa, 1) = 'a' + i;
		EXPECT_EQ(1, pread(ram_fd(ram), &byte, 1, ranges[i].offset));
		EXPECT_EQ('a' + i, byte);
	}
	ram_free(ram);
}

TEST(ram_that_is_not_shared_has_no_file)
{
	struct ram *ram = ram_new(64 * MIB);
	struct ram_range ranges[RAM_MAX_RANGES];

	EXPECT_EQ(-1, ram_fd(ram));
	EXPECT_EQ(1, ram_ranges(ram, ranges));
	EXPECT_EQ(64 * MIB, ranges[0].size);
	ram_free(ram);
}

TEST(pages_of_shared_ram_are_found_without_making_others)
{
	struct ram *ram = ram_new_backed(5 * GIB, RAM_MEMFD);
	struct stat file;

	ASSERT_NE(NULL, ram);
	*(char *)ram_at(ram, 3 * MIB, 1) = 1;
	*(char *)ram_at(ram, 5 * GIB, 1) = 2;
	EXPECT_EQ(3 * MIB / PAGE, ram_skip_holes(ram, 0));
	/* RAM above the hole lies in the file behind that below. */
	EXPECT_EQ(4 * GIB / PAGE, ram_skip_holes(ram, 3 * MIB / PAGE + 1));
	EXPECT_LE(5 * GIB / PAGE, ram_skip_holes(ram, 4 * GIB / PAGE + 1));
	ASSERT_EQ(0, fstat(ram_fd(ram), &file));
	EXPECT_GT(64 * MIB, 512ULL * file.st_blocks);
	ram_free(ram);
}

TEST(ram_of_huge_pages_is_there_or_says_what_is_missing)
{
	static const enum ram_backing backings[] = { RAM_HUGE_2M, RAM_HUGE_1G };

	for (size_t i = 0; i < 2; i++) {
		struct ram *ram = ram_new_backed(MIB, backings[i]);

		EXPECT_TRUE(ram || errno == ENOMEM || errno == ENODEV);
		if (ram) {
			EXPECT_NE(NULL, ram_at(ram, 0, MIB));
		}
		ram_free(ram);
	}
}

TEST(ram_of_exactly_3_gib_has_no_high_part)
{
	struct ram *ram = ram_new(3 * GIB);

	ASSERT_NE(NULL, ram);
	EXPECT_EQ(3 * GIB, ram_low(ram));
	EXPECT_EQ(0, ram_high(ram));
	ram_free(ram);
}

TEST(the_hole_is_not_ram)
{
	struct ram *ram = ram_new(5 * GIB);

	ASSERT_NE(NULL, ram);
	EXPECT_EQ(NULL, ram_at(ram, RAM_HOLE_START, 1));
	EXPECT_EQ(NULL, ram_at(ram, RAM_HOLE_END - 1, 1));
	EXPECT_EQ(NULL, ram_at(ram, RAM_HOLE_START - 1, 2));
	EXPECT_EQ(NULL, ram_at(ram, RAM_HOLE_START - 1, GIB + 2));
	ram_free(ram);
}

TEST(a_piece_must_lie_in_ram_as_a_whole)
{
	struct ram *ram = ram_new(MIB);

	ASSERT_NE(NULL, ram);
	EXPECT_NE(NULL, ram_at(ram, 0, MIB));
	EXPECT_EQ(NULL, ram_at(ram, 0, MIB + 1));
	EXPECT_EQ(NULL, ram_at(ram, MIB - 1, 2));
	EXPECT_EQ(NULL, ram_at(ram, 1, UINT64_MAX));
	EXPECT_EQ(NULL, ram_at(ram, UINT64_MAX, 1));
	EXPECT_EQ(NULL, ram_at(ram, UINT64_MAX, 2));
	ram_free(ram);
}

TEST(new_ram_is_zero_and_fit_for_huge_pages)
{
	struct ram *ram = ram_new(4 * MIB);
	const char *base;

	ASSERT_NE(NULL, ram);
	base = ram_at(ram, 0, 4 * MIB);
	ASSERT_NE(NULL, base);
	EXPECT_EQ(0, (uintptr_t)base % (2 * MIB));
	EXPECT_EQ(0, base[0]);
	EXPECT_EQ(0, memcmp(base, base + 1, 4 * MIB - 1));
	ram_free(ram);
}

TEST(sizes_that_cannot_be_are_refused)
{
	static const uint64_t sizes[] = {
		0, MIB - 4096, MIB + 1, UINT64_MAX, -4096ULL, -2 * MIB,
	};
	unsigned int i;

	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		errno = 0;
		EXPECT_EQ(NULL, ram_new(sizes[i]));
		EXPECT_EQ(EINVAL, errno);
	}
}

TEST(more_than_the_host_can_address_is_refused)
{
	errno = 0;
	EXPECT_EQ(NULL, ram_new(1ULL << 60));
	EXPECT_EQ(ENOMEM, errno);
}

FIXTURE(place)
{
	struct ram *ram;
	struct place place;
	uint64_t gpa;
	void *at;
};

FIXTURE_SETUP(place)
{
	self->ram = ram_new(16 * MIB);
	ASSERT_NE(NULL, self->ram);
	place_init(&self->place, self->ram);
}

FIXTURE_TEARDOWN(place)
{
	ram_free(self->ram);
}

TEST_F(place, what_a_bios_keeps_is_taken)
{
	static const uint64_t kept[] = {
		0,	 BIOS_LOW_END - 1, BIOS_EBDA,
		0xa0000, BIOS_AREA,	   BIOS_AREA_END - 1,
	};
	unsigned int i;

	for (i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		EXPECT_EQ(-EEXIST,
			  place_claim(&self->place, kept[i], 1, &self->at));
	EXPECT_EQ(0, place_claim(&self->place, BIOS_LOW_END,
				 BIOS_EBDA - BIOS_LOW_END, &self->at));
	EXPECT_EQ(0, place_claim(&self->place, BIOS_AREA_END, 1, &self->at));
}

TEST_F(place, a_range_is_given_away_once)
{
	EXPECT_EQ(0, place_claim(&self->place, 0x200000, 0x1000, &self->at));
	EXPECT_EQ(ram_at(self->ram, 0x200000, 1), self->at);
	EXPECT_EQ(-EEXIST, place_claim(&self->place, 0x200fff, 1, &self->at));
	EXPECT_EQ(-EEXIST, place_claim(&self->place, 0x1fffff, 2, &self->at));
	EXPECT_EQ(-EEXIST,
		  place_claim(&self->place, 0x1ff000, 0x3000, &self->at));
	EXPECT_EQ(0, place_claim(&self->place, 0x201000, 0x1000, &self->at));
	EXPECT_EQ(0, place_claim(&self->place, 0x1ff000, 0x1000, &self->at));
}

TEST_F(place, a_range_outside_ram_is_refused)
{
	EXPECT_EQ(-ENOSPC, place_claim(&self->place, 16 * MIB, 1, &self->at));
	EXPECT_EQ(-ENOSPC,
		  place_claim(&self->place, 16 * MIB - 1, 2, &self->at));
	EXPECT_EQ(-ENOSPC,
		  place_claim(&self->place, MIB, UINT64_MAX, &self->at));
	EXPECT_EQ(-ENOSPC, place_claim(&self->place, MIB, 0, &self->at));
}

TEST_F(place, neighbours_melt_into_one)
{
	unsigned int count = self->place.count;
	uint64_t gpa;

	for (gpa = 2 * MIB; gpa < 3 * MIB; gpa += 0x2000)
		if (place_claim(&self->place, gpa, 0x1000, &self->at))
			break;
	EXPECT_EQ(PLACE_MAX, self->place.count);
	EXPECT_EQ(-EMFILE, place_claim(&self->place, gpa, 0x1000, &self->at));

	while (gpa > 2 * MIB) {
		gpa -= 0x2000;
		EXPECT_EQ(0, place_claim(&self->place, gpa + 0x1000, 0x1000,
					 &self->at));
	}
	EXPECT_EQ(count + 1, self->place.count);
}

TEST_F(place, the_lowest_and_the_highest_place_are_found)
{
	EXPECT_EQ(0, place_find(&self->place, 0x1000, 0x1000, 0, RAM_HOLE_START,
				PLACE_LOWEST, &self->gpa, &self->at));
	EXPECT_EQ(0x1000, self->gpa);
	EXPECT_EQ(0, place_find(&self->place, 1, 0x1000, 0, RAM_HOLE_START,
				PLACE_HIGHEST, &self->gpa, &self->at));
	EXPECT_EQ(16 * MIB - 0x1000, self->gpa);
	EXPECT_EQ(0, place_find(&self->place, 0x1000, 0x1000, 0, BIOS_AREA_END,
				PLACE_HIGHEST, &self->gpa, &self->at));
	EXPECT_EQ(0x9e000, self->gpa);
	EXPECT_EQ(0, place_find(&self->place, 0x100000, 1, 0, RAM_HOLE_START,
				PLACE_LOWEST, &self->gpa, &self->at));
	EXPECT_EQ(MIB, self->gpa);
}

TEST_F(place, a_search_keeps_to_its_bounds)
{
	EXPECT_EQ(-ENOSPC,
		  place_find(&self->place, 0x1001, 1, 2 * MIB, 2 * MIB + 0x1000,
			     PLACE_LOWEST, &self->gpa, &self->at));
	EXPECT_EQ(-ENOSPC,
		  place_find(&self->place, 0x1000, 1, 16 * MIB, UINT64_MAX,
			     PLACE_HIGHEST, &self->gpa, &self->at));
	EXPECT_EQ(-ENOSPC,
		  place_find(&self->place, UINT64_MAX, 1, 0, UINT64_MAX,
			     PLACE_HIGHEST, &self->gpa, &self->at));
	EXPECT_EQ(-ENOSPC,
		  place_find(&self->place, 1, 1ULL << 31, MIB, UINT64_MAX,
			     PLACE_LOWEST, &self->gpa, &self->at));
	EXPECT_EQ(-ENOSPC, place_find(&self->place, 1, 1, 3 * MIB, 2 * MIB,
				      PLACE_LOWEST, &self->gpa, &self->at));
}

TEST_F(place, what_is_put_is_followed_by_zeros)
{
	char *at = ram_at(self->ram, 2 * MIB, 16);

	memset(at, 0xff, 16);
	EXPECT_EQ(0, place_put(&self->place, 2 * MIB, "abcd", 4, 8));
	EXPECT_EQ(0, memcmp(at, "abcd\0\0\0\0\xff", 9));
}

TEST_HARNESS_MAIN
