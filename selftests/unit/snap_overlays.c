// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the section "overlays": runs of blocks are read as they were written, take
 * little room, and what no writer has written is refused.
 */
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "kselftest_harness.h"

#include "snap/format.h"
#include "snap/overlay.h"

#define PAGES 100
#define BLOCK 512
/* Of a disk that takes the last ten pages, not all of the last. */
#define BLOCKS 75
#define PAGE (PAGES - 10)

static struct snap_overlay list[SNAP_MAX_OVERLAYS];
static struct snap_error why;
static uint32_t count;

static const struct snap_overlay disk = {
	.device = "virtio-blk",
	.number = 3,
	.page = PAGE,
	.size = BLOCKS * BLOCK,
	.block_size = BLOCK,
};

/* Adds a disk whose runs are these bytes. */
static void add(struct record *section, const struct snap_overlay *overlay,
		const void *runs, size_t size)
{
	size_t place;

	if (snap_overlay_open(section, overlay, &place) ||
	    record_append(section, runs, size))
		abort();
	record_close(section, place);
}

/* Return: what is said of a section, which is freed. */
static int take(struct record *section, uint32_t flags)
{
	int err = snap_overlays_read(list, &count, section->data, section->size,
				     flags, PAGES, &why);

	free(section->data);
	*section = (struct record){ 0 };
	return err;
}

/* Return: what is said of a disk with these runs. */
static int take_runs(const void *runs, size_t size)
{
	struct record section = { 0 };

	add(&section, &disk, runs, size);
	return take(&section, size ? 0 : SNAP_OPTIONAL);
}

#define TAKE(...)                             \
	take_runs((uint8_t[]){ __VA_ARGS__ }, \
		  sizeof((uint8_t[]){ __VA_ARGS__ }))

/* Return: what is said of this disk, with one block. */
static int take_disk(struct snap_overlay overlay)
{
	struct record section = { 0 };

	add(&section, &overlay, "\1\1", 2);
	return take(&section, 0);
}

TEST(runs_are_read_as_they_were_written)
{
	/* A large disk: numbers of one byte, two, and more. */
	static const uint64_t runs[][2] = { { 0, 1 },
					    { 1, 127 },
					    { 128, 16383 },
					    { 16384, 1 << 21 },
					    { 1ULL << 32, 5 } };
	const size_t nr = sizeof(runs) / sizeof(runs[0]);
	struct snap_overlay large = disk;
	uint64_t block = 0, end = 0, length, sum = 0;
	struct record section = { 0 };
	size_t place, at = 0;

	large.page = 7;
	large.size = 1ULL << 43;
	large.block_size = 1024;
	ASSERT_EQ(0, snap_overlay_open(&section, &large, &place));
	for (size_t i = 0; i < nr; i++)
		ASSERT_EQ(0,
			  snap_overlay_add(&section, runs[i][0], runs[i][1]));
	record_close(&section, place);
	ASSERT_EQ(0,
		  snap_overlays_read(list, &count, section.data, section.size,
				     0, 7 + (1ULL << 31), &why))
	TH_LOG("%s", why.text);
	ASSERT_EQ(1, count);
	EXPECT_STREQ("virtio-blk", list[0].device);
	EXPECT_EQ(3, list[0].number);
	EXPECT_EQ(7, list[0].page);
	EXPECT_EQ(1ULL << 43, list[0].size);
	EXPECT_EQ(1024, list[0].block_size);
	for (size_t i = 0; i < nr; i++) {
		ASSERT_TRUE(snap_overlay_next(&list[0], &at, &block, &length));
		EXPECT_EQ(end + runs[i][0], block);
		EXPECT_EQ(runs[i][1], length);
		end = block += length;
		sum += length;
	}
	EXPECT_FALSE(snap_overlay_next(&list[0], &at, &block, &length));
	EXPECT_EQ(sum, list[0].blocks);
	free(section.data);
}

TEST(a_run_of_a_disk_in_many_pieces_takes_two_bytes)
{
	struct record section = { 0 };
	size_t place, before;

	ASSERT_EQ(0, snap_overlay_open(&section, &disk, &place));
	before = section.size;
	for (int i = 0; i < BLOCKS / 2; i++)
		ASSERT_EQ(0, snap_overlay_add(&section, 1, 1));
	record_close(&section, place);
	EXPECT_EQ(BLOCKS / 2 * 2, section.size - before);
	EXPECT_EQ(0, take(&section, 0)) TH_LOG("%s", why.text);
	EXPECT_EQ(BLOCKS / 2, list[0].blocks);
}

TEST(runs_that_no_writer_has_written_are_refused)
{
	EXPECT_EQ(0, take_runs("", 0));
	EXPECT_EQ(0, TAKE(0, BLOCKS));
	EXPECT_EQ(0, TAKE(BLOCKS - 1, 1));
	EXPECT_EQ(0, TAKE(0, 1, 1, 1));
	/* Beyond the end of the disk. */
	EXPECT_EQ(-EBADMSG, TAKE(0, BLOCKS + 1));
	EXPECT_EQ(-EBADMSG, TAKE(1, BLOCKS));
	EXPECT_EQ(-EBADMSG, TAKE(BLOCKS, 1));
	EXPECT_EQ(-EBADMSG, TAKE(0, 1, BLOCKS - 1, 1));
	EXPECT_EQ(-EBADMSG, TAKE(BLOCKS + 1, 1));
	/* No blocks, and runs that touch. */
	EXPECT_EQ(-EBADMSG, TAKE(0, 0));
	EXPECT_EQ(-EBADMSG, TAKE(0, 1, 0, 1));
	/* Half a run, and half a number. */
	EXPECT_EQ(-EBADMSG, TAKE(0));
	EXPECT_EQ(-EBADMSG, TAKE(0, 1, 1));
	EXPECT_EQ(-EBADMSG, TAKE(0, 0x81));
	/* Numbers that are longer than they need be, or too large. */
	EXPECT_EQ(-EBADMSG, TAKE(0, 0x81, 0));
	EXPECT_EQ(-EBADMSG, TAKE(0x80, 0, 1));
	EXPECT_EQ(-EBADMSG, TAKE(0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
				 0xff, 0xff, 1));
	EXPECT_EQ(-EBADMSG, TAKE(0, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
				 0x80, 0x80, 2));
	EXPECT_EQ(-EBADMSG, TAKE(0, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
				 0x80, 0x80, 0x80, 1));
	EXPECT_NE(NULL, strstr(why.text, "virtio-blk 3"));
}

TEST(a_disk_that_there_cannot_be_is_refused)
{
	struct snap_overlay other = disk;

	EXPECT_EQ(0, take_disk(disk)) TH_LOG("%s", why.text);
	/* Not at the end of memory, or beyond. */
	other.page = PAGE - 1;
	EXPECT_EQ(-EBADMSG, take_disk(other));
	other.page = PAGE + 1;
	EXPECT_EQ(-EBADMSG, take_disk(other));
	other.page = PAGES + 1;
	EXPECT_EQ(-EBADMSG, take_disk(other));
	other.page = UINT64_MAX;
	EXPECT_EQ(-EBADMSG, take_disk(other));
	other = disk;
	other.size = 0;
	EXPECT_EQ(-EBADMSG, take_disk(other));
	other.size = disk.size + 1;
	EXPECT_EQ(-EBADMSG, take_disk(other));
	other.size = -(uint64_t)BLOCK;
	EXPECT_EQ(-EBADMSG, take_disk(other));
	other = disk;
	for (uint32_t size = 0; size < 3 * SNAP_PAGE; size += 256) {
		other.block_size = size;
		other.size = size ? 9 * SNAP_PAGE / size * size + size :
				    disk.size;
		EXPECT_EQ(size == 512 || size == 1024 || size == 2048 ||
					  size == 4096 ?
				  0 :
				  -EBADMSG,
			  take_disk(other))
		TH_LOG("%" PRIu32, size);
	}
	other = disk;
	strcpy(other.device, "a\nb");
	EXPECT_EQ(-EBADMSG, take_disk(other));
	other.device[0] = '\0';
	EXPECT_EQ(-EBADMSG, take_disk(other));
}

TEST(disks_lie_one_behind_the_other)
{
	struct snap_overlay first = disk, second = disk;
	struct record section = { 0 };

	first.number = 0;
	first.page = PAGE - 1;
	first.size = BLOCK;
	for (uint64_t page = PAGE - 3; page < PAGES; page++) {
		first.page = page;
		add(&section, &first, "\0\1", 2);
		add(&section, &second, "\0\1", 2);
		EXPECT_EQ(page == PAGE - 1 ? 0 : -EBADMSG, take(&section, 0));
	}
	first.page = PAGE - 1;
	add(&section, &second, "\0\1", 2);
	add(&section, &first, "\0\1", 2);
	EXPECT_EQ(-EBADMSG, take(&section, 0));
	first.number = second.number;
	add(&section, &first, "\0\1", 2);
	add(&section, &second, "\0\1", 2);
	EXPECT_EQ(-EBADMSG, take(&section, 0));
}

TEST(there_are_64_disks_at_most)
{
	struct snap_overlay other = disk;
	struct record section = { 0 };

	for (int disks = SNAP_MAX_OVERLAYS; disks < SNAP_MAX_OVERLAYS + 2;
	     disks++) {
		other.size = BLOCK;
		for (int i = 0; i < disks; i++) {
			other.number = i;
			other.page = PAGES - disks + i;
			add(&section, &other, "\0\1", 2);
		}
		EXPECT_EQ(disks > SNAP_MAX_OVERLAYS ? -EBADMSG : 0,
			  take(&section, 0));
	}
}

TEST(it_is_optional_if_no_disk_has_blocks)
{
	struct record section = { 0 };

	add(&section, &disk, "", 0);
	EXPECT_EQ(0, take(&section, SNAP_OPTIONAL));
	EXPECT_EQ(0, list[0].blocks);
	add(&section, &disk, "", 0);
	EXPECT_EQ(-EBADMSG, take(&section, 0));
	add(&section, &disk, "\0\1", 2);
	EXPECT_EQ(-EBADMSG, take(&section, SNAP_OPTIONAL));
	EXPECT_NE(NULL, strstr(why.text, "optional"));
	EXPECT_EQ(-EBADMSG, take(&section, SNAP_OPTIONAL));
}

TEST(a_section_that_is_cut_off_is_refused)
{
	struct record whole = { 0 };

	add(&whole, &disk, "\0\1\1\1", 4);
	for (size_t size = 0; size < whole.size; size++) {
		struct record section = { 0 };

		if (record_append(&section, whole.data, size))
			abort();
		EXPECT_EQ(-EBADMSG, take(&section, 0));
		/* With a head that says so, too. */
		if (size < 32)
			continue;
		if (record_append(&section, whole.data, size))
			abort();
		record_close(&section, 0);
		EXPECT_EQ(size == 32 + 24 + 2 ? 0 : -EBADMSG,
			  take(&section, 0));
	}
	EXPECT_EQ(0, take(&whole, 0));
}

TEST(what_is_reserved_is_zero)
{
	struct record section = { 0 };

	add(&section, &disk, "\0\1", 2);
	section.data[32 + 20] = 1;
	EXPECT_EQ(-EBADMSG, take(&section, 0));
	add(&section, &disk, "\0\1", 2);
	section.data[20] = 1;
	EXPECT_EQ(-EBADMSG, take(&section, 0));
}

TEST_HARNESS_MAIN
