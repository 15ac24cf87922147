// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of damaged and of hostile files of saved machines: each is refused, with a
 * reason.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "snap/crc.h"
#include "snap/file.h"
#include "snap/walk.h"
#include "snap_fixture.h"
#include "snap_forge.h"

#define PAGES 5
#define ABSENT UINT8_MAX

FIXTURE(damaged)
{
	int fd;
	struct snap_error error;
	struct forged forged;
};

FIXTURE_VARIANT(damaged)
{
	enum snap_form form;
	const uint8_t *base;
};

FIXTURE_VARIANT_ADD(damaged, plain){
	.form = SNAP_PLAIN,
};

FIXTURE_VARIANT_ADD(damaged, packed){
	.form = SNAP_PACKED,
};

FIXTURE_VARIANT_ADD(damaged, plain_changes){
	.form = SNAP_PLAIN,
	.base = snap_test_base,
};

FIXTURE_VARIANT_ADD(damaged, packed_changes){
	.form = SNAP_PACKED,
	.base = snap_test_base,
};

/* Runs and holes of one page and of more. */
FIXTURE_SETUP(damaged)
{
	static const uint8_t salts[PAGES] = { 1, 2, 0, 3, ABSENT };
	const struct snap_plan plan = {
		.form = variant->form,
		.pages = PAGES,
		.id = snap_test_id,
		.base = variant->base,
	};

	self->fd = snap_test_file();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, snap_test_write(self->fd, &plan, salts));
	ASSERT_EQ(0, forged_take(&self->forged, self->fd));
}

FIXTURE_TEARDOWN(damaged)
{
	forged_free(&self->forged);
	close(self->fd);
}

/* Opens the file, and checks its memory if @deep. */
static int try_file(FIXTURE_DATA(damaged) * self, bool deep)
{
	struct snap_file *file;
	int err;

	memset(&self->error, 0, sizeof(self->error));
	err = snap_file_open(&file, self->fd, &self->error);
	if (!err && deep)
		err = snap_file_check(file, &self->error);
	snap_file_free(file);
	return err;
}

static bool has_reason(const FIXTURE_DATA(damaged) * self)
{
	return *self->error.text;
}

TEST_F(damaged, each_changed_byte_is_refused_and_by_opening_unless_it_is_memory)
{
	struct snap_disk_section *memory =
		forged_section(&self->forged, SNAP_MEMORY);
	const uint64_t start = memory->offset, end = start + memory->length;

	ASSERT_EQ(0, try_file(self, true)) TH_LOG("%s", self->error.text);
	for (uint64_t at = 0; at < self->forged.size; at++) {
		const bool is_memory = at >= start && at < end;
		const uint8_t byte = self->forged.bytes[at];
		const uint8_t changed = byte ^ 1 << at % 8;

		ASSERT_EQ(1, pwrite(self->fd, &changed, 1, at));
		ASSERT_NE(0, try_file(self, is_memory)) TH_LOG("byte %lu", at);
		ASSERT_TRUE(has_reason(self));
		ASSERT_EQ(1, pwrite(self->fd, &byte, 1, at));
	}
	EXPECT_EQ(0, try_file(self, true)) TH_LOG("%s", self->error.text);
}

TEST_F(damaged,
       each_changed_bit_of_the_header_and_the_table_is_refused_by_opening)
{
	const size_t size = sizeof(struct snap_disk_header) +
			    5 * sizeof(struct snap_disk_section);

	for (size_t bit = 0; bit < size * 8; bit++) {
		const uint8_t byte = self->forged.bytes[bit / 8];
		const uint8_t changed = byte ^ 1 << bit % 8;

		ASSERT_EQ(1, pwrite(self->fd, &changed, 1, bit / 8));
		ASSERT_NE(0, try_file(self, false)) TH_LOG("bit %zu", bit);
		ASSERT_EQ(1, pwrite(self->fd, &byte, 1, bit / 8));
	}
}

TEST_F(damaged, each_other_length_is_refused_by_opening)
{
	const size_t size = self->forged.size;

	ASSERT_EQ(0, ftruncate(self->fd, size + 1));
	EXPECT_EQ(-EBADMSG, try_file(self, false));
	ASSERT_EQ(0, ftruncate(self->fd, size + SNAP_PAGE));
	EXPECT_EQ(-EBADMSG, try_file(self, false));
	for (size_t length = size; length--;) {
		ASSERT_EQ(0, ftruncate(self->fd, length));
		ASSERT_EQ(length < SNAP_MAGIC_SIZE ? -EINVAL : -EBADMSG,
			  try_file(self, false))
		TH_LOG("%zu bytes: %s", length, self->error.text);
		ASSERT_TRUE(has_reason(self));
	}
}

TEST_F(damaged, a_file_that_changes_after_it_was_opened_is_refused_by_its_walk)
{
	struct snap_walk *walk;
	struct snap_file *file;
	struct snap_run run;
	uint64_t table;

	ASSERT_EQ(0, snap_file_open(&file, self->fd, &self->error));
	table = file->run_table;
	walk = snap_walk_new(file);
	ASSERT_NE(NULL, walk);
	/* The first run begins where there is no memory. */
	ASSERT_EQ(1, pwrite(self->fd, "\xff", 1, table + 7));
	EXPECT_EQ(-EBADMSG, snap_walk_next(walk, &run, &self->error));
	snap_walk_free(walk);
	ASSERT_EQ(0, ftruncate(self->fd, table));
	walk = snap_walk_new(file);
	ASSERT_NE(NULL, walk);
	EXPECT_EQ(-EBADMSG, snap_walk_next(walk, &run, &self->error));
	snap_walk_free(walk);
	EXPECT_EQ(-EBADMSG, snap_file_check(file, &self->error));
	ASSERT_EQ(0, ftruncate(self->fd, SNAP_PAGE));
	EXPECT_EQ(-EBADMSG, snap_file_check(file, &self->error));
	snap_file_free(file);
}

/* Changes to the first page, with a checksum that fits. */
#define REFUSE(reason, section_, change)                                  \
	do {                                                              \
		struct snap_table *table = (void *)self->forged.bytes;    \
		struct snap_disk_header *header = &table->header;         \
		struct snap_disk_section *section =                       \
			forged_section(&self->forged, section_);          \
		struct snap_disk_run *runs = forged_runs(&self->forged);  \
		const struct snap_table had = *table;                     \
		const struct snap_disk_run run = runs[0], next = runs[1]; \
                                                                          \
		change;                                                   \
		EXPECT_EQ(0, forged_put(&self->forged, self->fd));        \
		EXPECT_NE(0, try_file(self, true)) TH_LOG("%s", #change); \
		EXPECT_NE(NULL, strstr(self->error.text, reason))         \
		TH_LOG("%s: %s", #change, self->error.text);              \
		(void)header, (void)section;                              \
		*table = had;                                             \
		runs[0] = run;                                            \
		runs[1] = next;                                           \
	} while (0)

TEST_F(damaged, what_checksums_cannot_tell_is_refused_in_the_header)
{
	REFUSE("is no file", SNAP_STATE, header->magic[0] = 'L');
	REFUSE("has version 2", SNAP_STATE, header->version = 2);
	REFUSE("has version 0", SNAP_STATE, header->version = 0);
	REFUSE("form", SNAP_STATE, header->form = 0);
	REFUSE("form", SNAP_STATE, header->form = 3);
	REFUSE("form", SNAP_STATE, header->form |= 1U << 31);
	REFUSE("number of sections", SNAP_STATE, header->sections = 0);
	REFUSE("number of sections", SNAP_STATE,
	       header->sections = SNAP_MAX_SECTIONS + 1);
	REFUSE("number of sections", SNAP_STATE, header->sections = UINT32_MAX);
	REFUSE("is missing", SNAP_STATE, header->sections = 1);
	REFUSE("impossible name", SNAP_STATE, header->sections++);
	REFUSE("size of memory", SNAP_STATE, header->pages = 0);
	REFUSE("size of memory", SNAP_STATE,
	       header->pages = SNAP_MAX_PAGES + 1);
	REFUSE("size of memory", SNAP_STATE, header->pages = UINT64_MAX);
	REFUSE("impossible id", SNAP_STATE,
	       memset(header->id, 0, SNAP_ID_SIZE));
	REFUSE("impossible id", SNAP_STATE,
	       memcpy(header->base, header->id, SNAP_ID_SIZE));
	REFUSE("header that", SNAP_STATE, header->reserved[55] = 1);
	REFUSE("in place of", SNAP_STATE, header->size++);
	REFUSE("in place of", SNAP_STATE, header->size = UINT64_MAX);
}

TEST_F(damaged, what_checksums_cannot_tell_is_refused_in_the_table)
{
	REFUSE("impossible name", SNAP_STATE, section->tag[0] = 'S');
	REFUSE("impossible name", SNAP_STATE, section->tag[0] = '\0');
	REFUSE("impossible name", SNAP_STATE, section->tag[0] = '\x1b');
	REFUSE("impossible name", SNAP_STATE, section->tag[15] = 's');
	REFUSE("impossible name", SNAP_STATE,
	       memset(section->tag, 's', SNAP_TAG_SIZE));
	REFUSE("is not known", SNAP_STATE, section->tag[0] = 'x');
	REFUSE("is not known", SNAP_STATE, section->version = 2);
	REFUSE("is not known", SNAP_MEMORY, section->version = 0);
	REFUSE("is not known", SNAP_STATE, section->flags = SNAP_OPTIONAL);
	REFUSE("is not known", SNAP_STATE, section->flags = 2);
	REFUSE("is missing", SNAP_STATE,
	       (section->tag[0] = 'x', section->flags = SNAP_OPTIONAL));
	REFUSE("twice", SNAP_STATE, strcpy(section->tag, "host\0"));
	REFUSE("where it can be", SNAP_STATE, section->reserved = 1);
	REFUSE("where it can be", SNAP_CONFIG, section->offset = 0);
	REFUSE("where it can be", SNAP_CONFIG, section->offset += 8);
	REFUSE("where it can be", SNAP_STATE, section->offset -= 8);
	REFUSE("where it can be", SNAP_STATE, section->offset = UINT64_MAX - 7);
	REFUSE("where it can be", SNAP_MEMORY, section->offset += SNAP_PAGE);
	REFUSE("where it can be", SNAP_STATE, section->length = UINT64_MAX);
	REFUSE("where it can be", SNAP_STATE,
	       section->length = UINT64_MAX - section->offset);
	REFUSE("where it can be", SNAP_STATE,
	       section->length = INT64_MAX - section->offset);
	REFUSE("where it can be", SNAP_MEMORY, section->length += SNAP_PAGE);
	REFUSE("impossible size", SNAP_MEMORY, section->crc = 1);
	REFUSE("its checksum", SNAP_STATE, section->crc ^= 1);
	REFUSE("its checksum", SNAP_STATE, section->length--);
	REFUSE("bytes behind", SNAP_PAGES,
	       section->length -= sizeof(struct snap_disk_run));
	REFUSE("impossible size", SNAP_PAGES, section->length--);
}

TEST_F(damaged, what_checksums_cannot_tell_is_refused_in_the_runs)
{
	REFUSE("impossible run", SNAP_STATE, runs[0].first = PAGES);
	REFUSE("impossible run", SNAP_STATE, runs[0].first = UINT64_MAX);
	REFUSE("impossible run", SNAP_STATE, runs[0].count = 0);
	REFUSE("impossible run", SNAP_STATE, runs[0].count = PAGES + 1);
	REFUSE("impossible run", SNAP_STATE, runs[0].count = UINT32_MAX);
	REFUSE("impossible run", SNAP_STATE, runs[0].flags = 2);
	REFUSE("impossible run", SNAP_STATE, runs[0].flags = SNAP_RUN_ZERO);
	REFUSE("impossible run", SNAP_STATE, runs[0].stored = 0);
	REFUSE("impossible run", SNAP_STATE, runs[0].stored = UINT32_MAX);
	REFUSE("impossible run", SNAP_STATE, runs[1].first = 1);
	REFUSE("impossible run", SNAP_STATE, runs[1].first = 0);
	REFUSE("their checksum", SNAP_STATE, runs[0].crc ^= 1);
	if (variant->form == SNAP_PLAIN)
		REFUSE("impossible run", SNAP_STATE, runs[0].stored--);
	else
		REFUSE("in no run", SNAP_STATE, runs[0].stored--);
	if (!variant->base)
		REFUSE("impossible run", SNAP_STATE,
		       (runs[0].flags = SNAP_RUN_ZERO, runs[0].stored = 0,
			runs[0].crc = 0));
}

TEST_F(damaged, a_packed_run_of_another_size_is_refused)
{
	if (variant->form != SNAP_PACKED)
		return;
	REFUSE("cannot be unpacked", SNAP_STATE, runs[0].count = 1);
	if (!variant->base)
		REFUSE("cannot be unpacked", SNAP_STATE, runs[0].count = 3);
}

TEST_F(damaged, a_gap_between_sections_is_refused)
{
	/* As small as can be, and larger than what is read at once. */
	ASSERT_EQ(0, forged_move_pages(&self->forged, SNAP_ALIGN, self->fd));
	EXPECT_EQ(-EBADMSG, try_file(self, false));
	EXPECT_NE(NULL, strstr(self->error.text, "pages: is not where"));
	ASSERT_EQ(0, forged_move_pages(&self->forged, 4 * SNAP_PAGE, self->fd));
	EXPECT_EQ(-EBADMSG, try_file(self, false));
	EXPECT_NE(NULL, strstr(self->error.text, "pages: is not where"));
}

/* The library unpacks frames behind each other as if they were one. */
TEST_F(damaged, a_packed_run_of_two_frames_is_refused)
{
	struct snap_disk_run *runs = forged_runs(&self->forged);
	const uint64_t memory =
		forged_section(&self->forged, SNAP_MEMORY)->offset;

	if (variant->form != SNAP_PACKED || variant->base)
		return;
	ASSERT_EQ(2, runs[0].count);
	runs[0].count = 3;
	runs[0].stored += runs[1].stored;
	runs[0].crc = snap_crc(0, self->forged.bytes + memory, runs[0].stored);
	ASSERT_EQ(0, forged_drop_run(&self->forged, self->fd));
	EXPECT_EQ(0, try_file(self, false)) TH_LOG("%s", self->error.text);
	EXPECT_EQ(-EBADMSG, try_file(self, true));
	EXPECT_NE(NULL, strstr(self->error.text, "cannot be unpacked"));
}

/* Files that are not written by the writer, since it does not write such. */
FIXTURE(section)
{
	int fd;
	struct snap_error error;
	struct snap_writer *writer;
	struct snap_file *file;
};

FIXTURE_SETUP(section)
{
	const struct snap_plan plan = { .form = SNAP_PLAIN, .pages = PAGES };

	self->fd = snap_test_file();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, snap_writer_new(&self->writer, self->fd, &plan));
	ASSERT_EQ(0, snap_test_sections(self->writer));
}

FIXTURE_TEARDOWN(section)
{
	snap_file_free(self->file);
	snap_writer_free(self->writer);
	close(self->fd);
}

TEST_F(section, an_optional_one_that_is_not_known_is_kept)
{
	ASSERT_EQ(0, snap_writer_section(self->writer, "x-note.1", 7,
					 SNAP_OPTIONAL, "note", 4));
	ASSERT_EQ(0, snap_writer_end(self->writer));
	ASSERT_EQ(0, snap_file_open(&self->file, self->fd, &self->error));
	EXPECT_EQ(7, snap_file_section(self->file, "x-note.1")->version);
	EXPECT_STREQ("note", snap_file_section(self->file, "x-note.1")->bytes);
}

TEST_F(section, more_of_them_than_may_be_held_are_refused)
{
	struct snap_disk_section *section;
	struct forged forged;

	ASSERT_EQ(0, snap_writer_section(self->writer, "a", 1, SNAP_OPTIONAL,
					 "", 0));
	ASSERT_EQ(0, snap_writer_end(self->writer));
	ASSERT_EQ(0, forged_take(&forged, self->fd));
	section = forged_section(&forged, "a");
	section->length = SNAP_SECTIONS_SIZE;
	section = forged_section(&forged, SNAP_MEMORY);
	section->offset = (section->offset / SNAP_PAGE + 1) * SNAP_PAGE +
			  SNAP_SECTIONS_SIZE;
	((struct snap_disk_header *)forged.bytes)->size +=
		SNAP_SECTIONS_SIZE + SNAP_PAGE;
	ASSERT_EQ(0, forged_put(&forged, self->fd));
	ASSERT_EQ(0, ftruncate(self->fd,
			       forged.size + SNAP_SECTIONS_SIZE + SNAP_PAGE));
	EXPECT_EQ(-EFBIG, snap_file_open(&self->file, self->fd, &self->error))
	TH_LOG("%s", self->error.text);
	forged_free(&forged);
}

/* Readers have room for a chunk, and find a run by its chunk. */
TEST_F(section, a_run_that_crosses_a_chunk_is_refused)
{
	const struct snap_plan plan = { .form = SNAP_PLAIN,
					.pages = 2 * SNAP_CHUNK };
	uint8_t salts[2 * SNAP_CHUNK] = { 0 };
	struct snap_disk_run *runs;
	struct forged forged;

	memset(salts + SNAP_CHUNK - 2, 1, 3);
	ASSERT_EQ(0, snap_test_write(self->fd, &plan, salts));
	ASSERT_EQ(0, forged_take(&forged, self->fd));
	runs = forged_runs(&forged);
	ASSERT_EQ(2, runs[0].count);
	runs[0].count = 3;
	runs[0].stored = 3 * SNAP_PAGE;
	ASSERT_EQ(0, forged_drop_run(&forged, self->fd));
	EXPECT_EQ(-EBADMSG,
		  snap_file_open(&self->file, self->fd, &self->error));
	EXPECT_NE(NULL, strstr(self->error.text, "impossible run"));
	forged_free(&forged);
}

TEST_F(section, a_file_that_is_no_regular_one_is_refused)
{
	int ends[2];

	ASSERT_EQ(0, pipe(ends));
	EXPECT_EQ(-EINVAL, snap_file_open(&self->file, ends[0], &self->error));
	EXPECT_STREQ("is no regular file", self->error.text);
	close(ends[0]);
	close(ends[1]);
}

TEST_HARNESS_MAIN
