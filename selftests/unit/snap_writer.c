// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the writer of saved machines' files: what it refuses, and that it does not
 * forget a failure.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "snap/file.h"
#include "snap_fixture.h"

#define PAGES 300

FIXTURE(writer)
{
	int fd;
	struct snap_plan plan;
	struct snap_writer *writer;
	uint8_t page[2 * SNAP_PAGE];
};

FIXTURE_SETUP(writer)
{
	self->fd = snap_test_file();
	ASSERT_LE(0, self->fd);
	self->plan = (struct snap_plan){ .form = SNAP_PLAIN, .pages = PAGES };
	ASSERT_EQ(0, snap_writer_new(&self->writer, self->fd, &self->plan));
	snap_test_page(self->page, 1, 1);
	snap_test_page(self->page + SNAP_PAGE, 2, 2);
}

FIXTURE_TEARDOWN(writer)
{
	snap_writer_free(self->writer);
	close(self->fd);
}

static int try_plan(FIXTURE_DATA(writer) * self)
{
	struct snap_writer *writer;
	int err = snap_writer_new(&writer, self->fd, &self->plan);

	snap_writer_free(writer);
	return err;
}

static int section(FIXTURE_DATA(writer) * self, const char *tag,
		   uint32_t version, uint32_t flags)
{
	return snap_writer_section(self->writer, tag, version, flags, "x", 1);
}

TEST_F(writer, a_plan_for_no_machine_is_refused)
{
	static const uint8_t zero[SNAP_ID_SIZE];
	const struct snap_plan good = self->plan;

	self->plan.form = 0;
	EXPECT_EQ(-EINVAL, try_plan(self));
	self->plan = good;
	self->plan.pages = 0;
	EXPECT_EQ(-EINVAL, try_plan(self));
	self->plan.pages = SNAP_MAX_PAGES + 1;
	EXPECT_EQ(-EINVAL, try_plan(self));
	self->plan = good;
	self->plan.id = zero;
	EXPECT_EQ(-EINVAL, try_plan(self));
	self->plan = good;
	self->plan.base = zero;
	EXPECT_EQ(-EINVAL, try_plan(self));
}

/* @opaque: an int: after so many calls nobody wants the file. */
static bool gone(void *opaque)
{
	int *left = opaque;

	return !(*left)--;
}

TEST_F(writer, a_file_that_nobody_wants_any_more_is_given_up)
{
	for (int calls = 0; calls < 4; calls++) {
		struct snap_error error;
		struct snap_file *file;
		int left = calls, err = 0;

		snap_writer_free(self->writer);
		self->plan.gone = gone;
		self->plan.opaque = &left;
		ASSERT_EQ(0, snap_writer_new(&self->writer, self->fd,
					     &self->plan));
		ASSERT_EQ(0, snap_test_sections(self->writer));
		for (int i = 0; i < 2 && !err; i++)
			err = snap_writer_pages(self->writer, i, 1, self->page);
		EXPECT_EQ(calls < 2 ? -ECANCELED : 0, err);
		EXPECT_EQ(calls < 3 ? -ECANCELED : 0,
			  snap_writer_end(self->writer));
		EXPECT_EQ(calls < 3, !!snap_file_open(&file, self->fd, &error));
		if (calls == 3)
			snap_file_free(file);
	}
}

/* After a failure nothing else is done, so each has a writer of its own. */
#define REFUSE(call)                                                          \
	do {                                                                  \
		struct snap_writer *first = self->writer;                     \
                                                                              \
		ASSERT_EQ(0, snap_writer_new(&self->writer, self->fd,         \
					     &self->plan));                   \
		EXPECT_EQ(-EINVAL, call);                                     \
		EXPECT_EQ(-EINVAL, section(self, SNAP_STATE, 1, 0));          \
		EXPECT_EQ(-EINVAL,                                            \
			  snap_writer_pages(self->writer, 0, 1, self->page)); \
		EXPECT_EQ(-EINVAL, snap_writer_end(self->writer));            \
		snap_writer_free(self->writer);                               \
		self->writer = first;                                         \
	} while (0)

TEST_F(writer, a_section_that_no_reader_takes_is_refused)
{
	REFUSE(section(self, SNAP_MEMORY, 1, 0));
	REFUSE(section(self, SNAP_PAGES, 1, 0));
	REFUSE(section(self, SNAP_STATE, 2, 0));
	REFUSE(section(self, SNAP_STATE, 1, SNAP_OPTIONAL));
	REFUSE(section(self, "note", 1, 0));
	REFUSE(section(self, "note", 1, 2));
	REFUSE(section(self, "", 1, SNAP_OPTIONAL));
	REFUSE(section(self, "Note", 1, SNAP_OPTIONAL));
	REFUSE(section(self, "0123456789abcdef", 1, SNAP_OPTIONAL));
}

TEST_F(writer, a_section_is_refused_twice_and_after_memory)
{
	ASSERT_EQ(0, section(self, SNAP_STATE, 1, 0));
	EXPECT_EQ(-EINVAL, section(self, SNAP_STATE, 1, 0));
	snap_writer_free(self->writer);
	ASSERT_EQ(0, snap_writer_new(&self->writer, self->fd, &self->plan));
	ASSERT_EQ(0, snap_test_sections(self->writer));
	ASSERT_EQ(0, snap_writer_pages(self->writer, 0, 1, self->page));
	EXPECT_EQ(-EINVAL, section(self, "note", 1, SNAP_OPTIONAL));
}

TEST_F(writer, more_sections_than_a_table_has_are_refused)
{
	char tag[] = "aa";

	ASSERT_EQ(0, snap_test_sections(self->writer));
	/* "memory" and "pages" are still to come. */
	for (int i = 3; i < SNAP_MAX_SECTIONS - 2; i++) {
		tag[0] = 'a' + i % 26;
		tag[1] = 'a' + i / 26;
		ASSERT_EQ(0, section(self, tag, 1, SNAP_OPTIONAL));
	}
	EXPECT_EQ(-EINVAL, section(self, "note", 1, SNAP_OPTIONAL));
}

TEST_F(writer, sections_that_are_too_large_together_are_refused)
{
	EXPECT_EQ(-EFBIG, snap_writer_section(self->writer, SNAP_STATE, 1, 0,
					      "", SNAP_SECTIONS_SIZE + 1));
}

TEST_F(writer, pages_that_are_no_memory_or_not_behind_the_others_are_refused)
{
	REFUSE(snap_writer_pages(self->writer, PAGES, 1, self->page));
	REFUSE(snap_writer_pages(self->writer, PAGES - 1, 2, self->page));
	REFUSE(snap_writer_pages(self->writer, 1, UINT64_MAX, self->page));
	REFUSE(snap_writer_pages(self->writer, UINT64_MAX, 1, self->page));
	ASSERT_EQ(0, snap_writer_pages(self->writer, 5, 2, self->page));
	EXPECT_EQ(-EINVAL, snap_writer_pages(self->writer, 6, 1, self->page));
}

TEST_F(writer, a_file_without_a_section_that_each_has_is_refused)
{
	struct snap_error error;
	struct snap_file *file;

	ASSERT_EQ(0, section(self, SNAP_STATE, 1, 0));
	ASSERT_EQ(0, section(self, SNAP_HOST, 1, 0));
	EXPECT_EQ(-EINVAL, snap_writer_end(self->writer));
	EXPECT_EQ(-EINVAL, snap_writer_end(self->writer));
	EXPECT_EQ(-EINVAL, snap_file_open(&file, self->fd, &error));
}

TEST_F(writer, a_file_that_takes_no_more_is_told_of_until_the_end)
{
	ASSERT_EQ(0, snap_test_sections(self->writer));
	close(self->fd);
	self->fd = open("/dev/null", O_RDONLY);
	snap_writer_free(self->writer);
	EXPECT_NE(0, snap_writer_new(&self->writer, self->fd, &self->plan));
	EXPECT_EQ(NULL, self->writer);
	close(self->fd);
	self->fd = memfd_create("snap", MFD_ALLOW_SEALING);
	ASSERT_EQ(0, snap_writer_new(&self->writer, self->fd, &self->plan));
	ASSERT_EQ(0, snap_test_sections(self->writer));
	ASSERT_EQ(0, fcntl(self->fd, F_ADD_SEALS, F_SEAL_WRITE));
	/* The second chunk makes the first one be written. */
	ASSERT_EQ(0, snap_writer_pages(self->writer, 0, 1, self->page));
	EXPECT_EQ(-EPERM, snap_writer_pages(self->writer, 256, 1, self->page));
	EXPECT_EQ(-EPERM, snap_writer_end(self->writer));
}

TEST_F(writer, after_the_end_nothing_is_written)
{
	ASSERT_EQ(0, snap_test_sections(self->writer));
	ASSERT_EQ(0, snap_writer_end(self->writer));
	EXPECT_EQ(-EINVAL, snap_writer_end(self->writer));
	EXPECT_EQ(-EINVAL, section(self, "note", 1, SNAP_OPTIONAL));
	EXPECT_EQ(-EINVAL, snap_writer_pages(self->writer, 0, 1, self->page));
}

TEST_F(writer, what_was_in_the_file_before_is_gone)
{
	static const uint8_t salts[PAGES] = { 1, 0, 2 };
	static const uint8_t zero[PAGES];
	struct snap_error error;
	struct snap_file *file;

	ASSERT_EQ(0, snap_test_write(self->fd, &self->plan, salts));
	ASSERT_EQ(0, snap_test_write(self->fd, &self->plan, zero));
	ASSERT_EQ(0, snap_file_open(&file, self->fd, &error));
	EXPECT_EQ(0, snap_file_check(file, &error)) TH_LOG("%s", error.text);
	EXPECT_EQ(0, file->stored);
	snap_file_free(file);
}

TEST_HARNESS_MAIN
