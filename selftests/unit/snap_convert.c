// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of how files of saved machines are made of others.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "snap/convert.h"
#include "snap/since.h"
#include "snap/walk.h"
#include "snap_fixture.h"

#define PAGES 600
#define ABSENT UINT8_MAX
#define FILES 3

/* A whole file and two with changes, the second to the first. */
FIXTURE(files)
{
	int fds[FILES];
	struct snap_file *files[FILES];
	uint8_t ids[FILES][SNAP_ID_SIZE];
	uint8_t salts[FILES][PAGES];
	int fd;
	struct snap_file *made;
	struct snap_error error;
	struct snap_blame blame;
};

static void write_file(struct __test_metadata *_metadata,
		       FIXTURE_DATA(files) * self, int i, enum snap_form form)
{
	const struct snap_plan plan = {
		.form = form,
		.pages = PAGES,
		.id = self->ids[i],
		.base = i ? self->ids[i - 1] : NULL,
	};

	ASSERT_EQ(0, snap_test_write(self->fds[i], &plan, self->salts[i]));
	snap_file_free(self->files[i]);
	ASSERT_EQ(0,
		  snap_file_open(&self->files[i], self->fds[i], &self->error));
}

FIXTURE_SETUP(files)
{
	for (int i = 0; i < FILES; i++) {
		memset(self->ids[i], 1 + i, SNAP_ID_SIZE);
		self->fds[i] = snap_test_file();
	}
	self->fd = snap_test_file();
	for (int page = 0; page < PAGES; page++) {
		self->salts[0][page] = page % 3;
		self->salts[1][page] = page % 5 < 2 ? 10 * (page % 5) : ABSENT;
		self->salts[2][page] = page % 7 < 2 ? 50 * (page % 7) : ABSENT;
	}
	/* A chunk that none of the later files has, and one that only those have. */
	memset(self->salts[0] + 512, 0, PAGES - 512);
	memset(self->salts[1] + 256, ABSENT, 256);
	memset(self->salts[2] + 256, ABSENT, 256);
	/* Near the end, a page that becomes zero. */
	self->salts[0][PAGES - 2] = 5;
	self->salts[2][PAGES - 2] = 0;
	write_file(_metadata, self, 0, SNAP_PLAIN);
	write_file(_metadata, self, 1, SNAP_PACKED);
	write_file(_metadata, self, 2, SNAP_PLAIN);
}

FIXTURE_TEARDOWN(files)
{
	for (int i = 0; i < FILES; i++) {
		snap_file_free(self->files[i]);
		close(self->fds[i]);
	}
	snap_file_free(self->made);
	close(self->fd);
}

static int convert(FIXTURE_DATA(files) * self, int first, size_t count,
		   enum snap_form form)
{
	const struct snap_file *const *files =
		(const struct snap_file *const *)self->files + first;
	int err = snap_convert(files, count, NULL, self->fd, form, &self->blame,
			       &self->error);

	snap_file_free(self->made);
	self->made = NULL;
	if (err)
		return err;
	err = snap_file_open(&self->made, self->fd, &self->error);
	return err ? err : snap_file_check(self->made, &self->error);
}

/* What a page is after the files from @first to @last; ABSENT if none of them has it. */
static uint8_t salt_of(const FIXTURE_DATA(files) * self, int first, int last,
		       int page)
{
	while (last > first && self->salts[last][page] == ABSENT)
		last--;
	return self->salts[last][page];
}

static void expect_memory(struct __test_metadata *_metadata,
			  FIXTURE_DATA(files) * self, int first, int last)
{
	struct snap_walk *walk = snap_walk_new(self->made);
	uint8_t *memory = calloc(PAGES, SNAP_PAGE);
	uint8_t had[PAGES] = { 0 }, bytes[SNAP_PAGE];
	struct snap_run run;

	while (!snap_walk_next(walk, &run, &self->error)) {
		ASSERT_EQ(0, snap_walk_read(walk, &run,
					    memory + run.first * SNAP_PAGE,
					    &self->error));
		memset(had + run.first, 1, run.count);
	}
	for (int page = 0; page < PAGES; page++) {
		const uint8_t salt = salt_of(self, first, last, page);

		snap_test_page(bytes, page, salt == ABSENT ? 0 : salt);
		ASSERT_EQ(0,
			  memcmp(bytes, memory + page * SNAP_PAGE, SNAP_PAGE))
		TH_LOG("page %d", page);
		ASSERT_EQ(first ? salt != ABSENT : salt != 0, had[page])
		TH_LOG("page %d", page);
	}
	free(memory);
	snap_walk_free(walk);
}

TEST_F(files, packing_and_unpacking_keep_all)
{
	for (int i = 0; i < FILES; i++) {
		for (enum snap_form form = SNAP_PLAIN; form <= SNAP_PACKED;
		     form++) {
			ASSERT_EQ(0, convert(self, i, 1, form))
			TH_LOG("%s", self->error.text);
			EXPECT_EQ(form, self->made->form);
			EXPECT_EQ(0, memcmp(self->ids[i], self->made->id,
					    SNAP_ID_SIZE));
			EXPECT_EQ(0, memcmp(self->files[i]->base,
					    self->made->base, SNAP_ID_SIZE));
			expect_memory(_metadata, self, i, i);
			EXPECT_STREQ(SNAP_TEST_STATE,
				     snap_file_section(self->made, SNAP_STATE)
					     ->bytes);
		}
	}
}

TEST_F(files, joined_they_are_whole_and_the_moment_of_the_last)
{
	ASSERT_EQ(0, convert(self, 0, 3, SNAP_PACKED))
	TH_LOG("%s", self->error.text);
	EXPECT_FALSE(self->made->incremental);
	EXPECT_EQ(0, memcmp(self->ids[2], self->made->id, SNAP_ID_SIZE));
	expect_memory(_metadata, self, 0, 2);
}

TEST_F(files, what_was_joined_takes_the_next_changes)
{
	ASSERT_EQ(0, convert(self, 0, 2, SNAP_PLAIN));
	expect_memory(_metadata, self, 0, 1);
	snap_file_free(self->files[1]);
	self->files[1] = self->made;
	self->made = NULL;
	close(self->fds[1]);
	self->fds[1] = self->fd;
	self->fd = snap_test_file();
	ASSERT_EQ(0, convert(self, 1, 2, SNAP_PLAIN))
	TH_LOG("%s", self->error.text);
	/* Of file 1 there is now all that 0 had. */
	for (int page = 0; page < PAGES; page++)
		self->salts[1][page] = salt_of(self, 0, 1, page);
	memcpy(self->salts[0], self->salts[1], PAGES);
	expect_memory(_metadata, self, 0, 2);
}

/* Writes memory as file 2 has it, as the changes to file 0; of zero pages only some. */
static int write_since(FIXTURE_DATA(files) * self, uint8_t *now)
{
	const struct snap_plan plan = {
		.form = SNAP_PLAIN,
		.pages = PAGES,
		.id = self->ids[1],
		.since = self->files[0],
	};
	uint8_t salts[PAGES];

	for (int page = 0; page < PAGES; page++) {
		now[page] = salt_of(self, 0, 2, page);
		salts[page] = now[page] || page % 2 ? now[page] : ABSENT;
	}
	return snap_test_write(self->fds[1], &plan, salts);
}

TEST_F(files, what_is_written_since_another_one_has_what_differs)
{
	uint8_t now[PAGES];

	ASSERT_EQ(0, write_since(self, now));
	snap_file_free(self->files[1]);
	ASSERT_EQ(0,
		  snap_file_open(&self->files[1], self->fds[1], &self->error))
	TH_LOG("%s", self->error.text);
	EXPECT_EQ(0, memcmp(self->ids[0], self->files[1]->base, SNAP_ID_SIZE));
	ASSERT_EQ(0, convert(self, 1, 1, SNAP_PACKED));
	/* In place of the changes that the fixture has. */
	for (int page = 0; page < PAGES; page++)
		self->salts[1][page] =
			now[page] == self->salts[0][page] ? ABSENT : now[page];
	expect_memory(_metadata, self, 1, 1);
	ASSERT_EQ(0, convert(self, 0, 2, SNAP_PLAIN));
	expect_memory(_metadata, self, 0, 1);
}

TEST_F(files, what_is_written_since_a_file_needs_it_whole_and_as_large)
{
	struct snap_plan plan = {
		.form = SNAP_PLAIN,
		.pages = PAGES,
		.since = self->files[1],
	};
	struct snap_writer *writer;

	EXPECT_EQ(-EINVAL, snap_writer_new(&writer, self->fd, &plan));
	plan.since = self->files[0];
	plan.pages--;
	EXPECT_EQ(-EINVAL, snap_writer_new(&writer, self->fd, &plan));
	plan.pages++;
	plan.base = self->ids[0];
	EXPECT_EQ(-EINVAL, snap_writer_new(&writer, self->fd, &plan));
}

TEST_F(files, a_page_is_found_when_those_before_are_passed_over)
{
	struct snap_since *since = snap_since_new(self->files[0]);
	uint8_t expected[SNAP_PAGE];
	const uint8_t *bytes;

	ASSERT_NE(NULL, since);
	ASSERT_EQ(0, snap_since_page(since, 511, &bytes));
	ASSERT_NE(NULL, bytes);
	snap_test_page(expected, 511, self->salts[0][511]);
	EXPECT_EQ(0, memcmp(expected, bytes, SNAP_PAGE));
	ASSERT_EQ(0, snap_since_page(since, PAGES - 1, &bytes));
	EXPECT_EQ(NULL, bytes);
	snap_since_free(since);
}

TEST_F(files, a_damaged_one_takes_no_changes)
{
	const uint64_t at = self->files[0]->memory + SNAP_PAGE + 50;
	uint8_t now[PAGES];

	ASSERT_EQ(1, pwrite(self->fds[0], "\xff", 1, at));
	EXPECT_EQ(-EBADMSG, write_since(self, now));
}

TEST_F(files, a_damaged_one_to_which_there_are_changes_is_the_one_that_is_named)
{
	const uint64_t at = self->files[0]->memory + SNAP_PAGE + 50;
	const struct snap_file *joined;
	int fd = snap_test_file();

	ASSERT_EQ(0, convert(self, 0, 3, SNAP_PACKED));
	joined = self->made;
	ASSERT_EQ(1, pwrite(self->fds[0], "\xff", 1, at));
	EXPECT_EQ(-EBADMSG,
		  snap_convert(&joined, 1, self->files[0], fd, SNAP_PLAIN,
			       &self->blame, &self->error));
	EXPECT_EQ(SNAP_BLAME_SINCE, self->blame.what);
	EXPECT_NE(NULL, strstr(self->error.text, "do not match"));
	close(fd);
}

TEST_F(files, the_changes_between_two_whole_files_give_the_second_again)
{
	const struct snap_file *const last = self->files[0];
	const struct snap_file *joined;
	int fd = snap_test_file();

	ASSERT_EQ(0, convert(self, 0, 3, SNAP_PACKED));
	joined = self->made;
	ASSERT_EQ(0, snap_convert(&joined, 1, last, fd, SNAP_PLAIN,
				  &self->blame, &self->error))
	TH_LOG("%s", self->error.text);
	snap_file_free(self->files[1]);
	ASSERT_EQ(0, snap_file_open(&self->files[1], fd, &self->error));
	EXPECT_EQ(0, memcmp(self->ids[0], self->files[1]->base, SNAP_ID_SIZE));
	EXPECT_EQ(0, memcmp(self->ids[2], self->files[1]->id, SNAP_ID_SIZE));
	EXPECT_GT(self->made->stored, self->files[1]->stored);
	ASSERT_EQ(0, convert(self, 0, 2, SNAP_PLAIN));
	expect_memory(_metadata, self, 0, 2);
	close(fd);
}

TEST_F(files, there_are_no_changes_to_the_same_file_or_of_one_that_is_not_whole)
{
	const struct snap_file *whole = self->files[0];
	const struct snap_file *changes = self->files[1];

	EXPECT_EQ(-EINVAL, snap_convert(&whole, 1, whole, self->fd, SNAP_PLAIN,
					&self->blame, &self->error));
	EXPECT_EQ(-EINVAL,
		  snap_convert(&whole, 1, changes, self->fd, SNAP_PLAIN,
			       &self->blame, &self->error));
	EXPECT_EQ(-EINVAL,
		  snap_convert(&changes, 1, whole, self->fd, SNAP_PLAIN,
			       &self->blame, &self->error));
}

TEST_F(files, those_that_do_not_follow_each_other_are_refused)
{
	struct snap_file *last = self->files[2];

	EXPECT_EQ(-EINVAL, convert(self, 1, 2, SNAP_PLAIN));
	EXPECT_EQ(SNAP_BLAME_SOURCE, self->blame.what);
	EXPECT_EQ(0, self->blame.source);
	EXPECT_NE(NULL, strstr(self->error.text, "is not whole"));
	self->files[2] = self->files[1];
	EXPECT_EQ(-EINVAL, convert(self, 0, 3, SNAP_PLAIN));
	EXPECT_EQ(SNAP_BLAME_SOURCE, self->blame.what);
	EXPECT_EQ(2, self->blame.source);
	EXPECT_NE(NULL, strstr(self->error.text, "another file"));
	self->files[2] = self->files[0];
	EXPECT_EQ(-EINVAL, convert(self, 0, 3, SNAP_PLAIN));
	EXPECT_NE(NULL, strstr(self->error.text, "is whole"));
	self->files[2] = last;
}

TEST_F(files, another_size_of_memory_is_refused)
{
	self->files[1]->pages--;
	EXPECT_EQ(-EINVAL, convert(self, 0, 2, SNAP_PLAIN));
	EXPECT_EQ(SNAP_BLAME_SOURCE, self->blame.what);
	EXPECT_EQ(1, self->blame.source);
	EXPECT_NE(NULL, strstr(self->error.text, "another size of memory"));
	self->files[1]->pages++;
}

TEST_F(files, damaged_memory_is_not_carried_over)
{
	const uint64_t at = self->files[1]->memory + 50;
	uint8_t byte;

	ASSERT_EQ(1, pread(self->fds[1], &byte, 1, at));
	byte ^= 1;
	ASSERT_EQ(1, pwrite(self->fds[1], &byte, 1, at));
	EXPECT_EQ(-EBADMSG, convert(self, 0, 3, SNAP_PLAIN));
	EXPECT_EQ(SNAP_BLAME_SOURCE, self->blame.what);
	EXPECT_EQ(1, self->blame.source);
	EXPECT_EQ(-EINVAL, snap_file_open(&self->made, self->fd, &self->error));
}

TEST_F(files, a_new_file_that_cannot_be_written_is_the_one_that_is_named)
{
	close(self->fd);
	self->fd = memfd_create("snap", MFD_ALLOW_SEALING);
	ASSERT_EQ(0, fcntl(self->fd, F_ADD_SEALS, F_SEAL_WRITE));
	EXPECT_EQ(-EPERM, convert(self, 0, 3, SNAP_PLAIN));
	EXPECT_EQ(SNAP_BLAME_NEW, self->blame.what);
}

TEST_HARNESS_MAIN
