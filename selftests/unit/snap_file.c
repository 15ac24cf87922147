// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the file of a saved machine: what was written is read, and takes no more
 * room than it must.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "snap/file.h"
#include "snap/walk.h"
#include "snap_fixture.h"

/* Three chunks, the last one not whole. */
#define PAGES 600
#define ABSENT UINT8_MAX
/* Bytes of an entry of the table of runs. */
#define ENTRY sizeof(struct snap_disk_run)

FIXTURE(snap)
{
	int fd;
	struct snap_plan plan;
	struct snap_file *file;
	struct snap_error error;
	uint8_t salts[PAGES];
	uint8_t *memory;
	uint8_t had[PAGES];
};

FIXTURE_VARIANT(snap)
{
	enum snap_form form;
};

FIXTURE_VARIANT_ADD(snap, plain){
	.form = SNAP_PLAIN,
};

FIXTURE_VARIANT_ADD(snap, packed){
	.form = SNAP_PACKED,
};

/* Stretches of pages that are zero and that are not, of which one crosses a chunk. */
FIXTURE_SETUP(snap)
{
	self->fd = snap_test_file();
	ASSERT_LE(0, self->fd);
	self->plan =
		(struct snap_plan){ .form = variant->form, .pages = PAGES };
	self->memory = malloc(PAGES * SNAP_PAGE);
	ASSERT_NE(NULL, self->memory);
	for (int page = 0; page < PAGES; page++)
		self->salts[page] = page % 50 < 17 ? 0 : 1 + page % 100;
	memset(self->salts + 300, 0, 150);
}

FIXTURE_TEARDOWN(snap)
{
	snap_file_free(self->file);
	free(self->memory);
	close(self->fd);
}

/* Reads all runs.  self->had: 1 for a page that is in one, 2 for a zero one. */
static int read_runs(FIXTURE_DATA(snap) * self)
{
	struct snap_walk *walk = snap_walk_new(self->file);
	struct snap_run run;
	int err;

	memset(self->memory, 0, PAGES * SNAP_PAGE);
	memset(self->had, 0, sizeof(self->had));
	while (!(err = snap_walk_next(walk, &run, &self->error))) {
		err = snap_walk_read(walk, &run,
				     self->memory + run.first * SNAP_PAGE,
				     &self->error);
		if (err)
			break;
		memset(self->had + run.first, run.zero ? 2 : 1, run.count);
	}
	snap_walk_free(walk);
	return err == -ENOENT ? 0 : err;
}

static bool memory_is_as_written(FIXTURE_DATA(snap) * self)
{
	uint8_t bytes[SNAP_PAGE];

	for (uint64_t page = 0; page < PAGES; page++) {
		const uint8_t salt = self->salts[page];

		snap_test_page(bytes, page, salt == ABSENT ? 0 : salt);
		if (memcmp(bytes, self->memory + page * SNAP_PAGE, SNAP_PAGE))
			return false;
	}
	return true;
}

TEST_F(snap, what_was_written_is_read)
{
	const struct snap_section *section;

	ASSERT_EQ(0, snap_test_write(self->fd, &self->plan, self->salts));
	ASSERT_EQ(0, snap_file_open(&self->file, self->fd, &self->error))
	TH_LOG("%s", self->error.text);
	EXPECT_EQ(variant->form, self->file->form);
	EXPECT_EQ(PAGES, self->file->pages);
	EXPECT_FALSE(self->file->incremental);
	section = snap_file_section(self->file, SNAP_CONFIG);
	EXPECT_EQ(strlen(SNAP_TEST_CONFIG), section->length);
	EXPECT_STREQ(SNAP_TEST_CONFIG, section->bytes);
	section = snap_file_section(self->file, SNAP_STATE);
	EXPECT_STREQ(SNAP_TEST_STATE, section->bytes);
	ASSERT_EQ(0, read_runs(self)) TH_LOG("%s", self->error.text);
	EXPECT_TRUE(memory_is_as_written(self));
	EXPECT_EQ(0, snap_file_check(self->file, &self->error))
	TH_LOG("%s", self->error.text);
}

TEST_F(snap, a_page_lies_in_a_plain_file_where_a_mapping_has_it)
{
	uint8_t *mapped;

	if (variant->form != SNAP_PLAIN)
		return;
	ASSERT_EQ(0, snap_test_write(self->fd, &self->plan, self->salts));
	ASSERT_EQ(0, snap_file_open(&self->file, self->fd, &self->error));
	mapped = mmap(NULL, PAGES * SNAP_PAGE, PROT_READ, MAP_PRIVATE, self->fd,
		      self->file->memory);
	ASSERT_NE(MAP_FAILED, mapped);
	memcpy(self->memory, mapped, PAGES * SNAP_PAGE);
	munmap(mapped, PAGES * SNAP_PAGE);
	EXPECT_TRUE(memory_is_as_written(self));
}

TEST_F(snap, zero_pages_take_no_room)
{
	uint64_t stored = 0;
	struct stat st;

	for (int page = 0; page < PAGES; page++)
		stored += self->salts[page] != 0;
	ASSERT_EQ(0, snap_test_write(self->fd, &self->plan, self->salts));
	ASSERT_EQ(0, snap_file_open(&self->file, self->fd, &self->error));
	EXPECT_EQ(stored, self->file->stored);
	EXPECT_EQ(0, self->file->zero);
	ASSERT_EQ(0, fstat(self->fd, &st));
	/* Header, sections and the table of runs have a page each. */
	EXPECT_GE((stored + 3) * SNAP_PAGE, st.st_blocks * 512);
	ASSERT_EQ(0, read_runs(self));
	for (int page = 0; page < PAGES; page++)
		EXPECT_EQ(self->salts[page] != 0, self->had[page]);
}

/* Return: the bytes of a file of @pages pages, every other one of them zero. */
static uint64_t size_of_alternating(struct __test_metadata *_metadata,
				    FIXTURE_DATA(snap) * self)
{
	for (int page = 0; page < PAGES; page++)
		self->salts[page] = page % 2 ? 1 + page % 100 : 0;
	ASSERT_EQ(0, snap_test_write(self->fd, &self->plan, self->salts));
	ASSERT_EQ(0, snap_file_open(&self->file, self->fd, &self->error));
	EXPECT_EQ(0, snap_file_check(self->file, &self->error))
	TH_LOG("%s", self->error.text);
	ASSERT_EQ(0, read_runs(self));
	EXPECT_TRUE(memory_is_as_written(self));
	return self->file->size;
}

TEST_F(snap, every_other_page_takes_what_it_must)
{
	const uint64_t size = size_of_alternating(_metadata, self);
	struct stat st;

	EXPECT_EQ(PAGES / 2, self->file->runs);
	EXPECT_EQ(PAGES / 2, self->file->stored);
	if (variant->form == SNAP_PACKED) {
		EXPECT_GT(2 * SNAP_PAGE + PAGES / 2 * (ENTRY + 100), size);
	} else {
		EXPECT_EQ((2 + PAGES) * SNAP_PAGE + PAGES / 2 * ENTRY, size);
	}
	ASSERT_EQ(0, fstat(self->fd, &st));
	EXPECT_GE((2 + PAGES / 2) * SNAP_PAGE + PAGES / 2 * (ENTRY + 100),
		  st.st_blocks * 512);
}

TEST_F(snap, a_file_with_a_base_tells_zero_pages_from_unchanged_ones)
{
	memset(self->salts + 100, ABSENT, 100);
	self->plan.base = snap_test_base;
	ASSERT_EQ(0, snap_test_write(self->fd, &self->plan, self->salts));
	ASSERT_EQ(0, snap_file_open(&self->file, self->fd, &self->error))
	TH_LOG("%s", self->error.text);
	EXPECT_TRUE(self->file->incremental);
	EXPECT_EQ(0, memcmp(snap_test_base, self->file->base, SNAP_ID_SIZE));
	ASSERT_EQ(0, read_runs(self)) TH_LOG("%s", self->error.text);
	for (int page = 0; page < PAGES; page++) {
		const uint8_t salt = self->salts[page];

		EXPECT_EQ(salt == ABSENT ? 0 : salt ? 1 : 2, self->had[page]);
	}
	EXPECT_TRUE(memory_is_as_written(self));
	EXPECT_EQ(0, snap_file_check(self->file, &self->error));
}

TEST_F(snap, each_file_has_an_id_of_its_own_or_the_one_it_is_given)
{
	uint8_t first[SNAP_ID_SIZE];

	ASSERT_EQ(0, snap_test_write(self->fd, &self->plan, self->salts));
	ASSERT_EQ(0, snap_file_open(&self->file, self->fd, &self->error));
	memcpy(first, self->file->id, SNAP_ID_SIZE);
	snap_file_free(self->file);
	ASSERT_EQ(0, snap_test_write(self->fd, &self->plan, self->salts));
	ASSERT_EQ(0, snap_file_open(&self->file, self->fd, &self->error));
	EXPECT_NE(0, memcmp(first, self->file->id, SNAP_ID_SIZE));
	snap_file_free(self->file);
	self->plan.id = snap_test_id;
	ASSERT_EQ(0, snap_test_write(self->fd, &self->plan, self->salts));
	ASSERT_EQ(0, snap_file_open(&self->file, self->fd, &self->error));
	EXPECT_EQ(0, memcmp(snap_test_id, self->file->id, SNAP_ID_SIZE));
}

TEST_HARNESS_MAIN
