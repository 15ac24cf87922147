// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of files of saved machines that earlier versions have written, and of the reader
 * that shares no code with ours (selftests/host/snap-reader).  Run in the tree's root.
 *
 * The files below snap_v1/ are of version 1 of the format and stay for ever as they are.
 * They were made by
 *
 *	LODGE_CORPUS=selftests/unit/snap_v1 build/unit/snap_corpus
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "lib/read.h"
#include "snap/convert.h"
#include "snap/file.h"
#include "snap/host.h"
#include "snap_fixture.h"

#define CORPUS "selftests/unit/snap_v1"
#define READER "selftests/host/snap-reader"
#define PAGES 5
#define ABSENT UINT8_MAX

static const uint8_t whole[PAGES] = { 1, 2, 0, 3, 0 };
static const uint8_t changes[PAGES] = { ABSENT, 0, 4, ABSENT, 0 };
static const uint8_t after[PAGES] = { 1, 0, 4, 3, 0 };
/* With a disk, as snap_test_disk() makes it. */
static const uint8_t disk[PAGES] = { 1, 0, 4, 3, 5 };

static const struct {
	const char *name;
	enum snap_form form;
	bool has_base;
	const uint8_t *salts;
	bool has_disk;
} corpus[] = {
	{ "plain", SNAP_PLAIN, false, whole, false },
	{ "packed", SNAP_PACKED, false, whole, false },
	{ "plain-changes", SNAP_PLAIN, true, changes, false },
	{ "packed-changes", SNAP_PACKED, true, changes, false },
	{ "plain-disk", SNAP_PLAIN, false, disk, true },
	{ "packed-disk", SNAP_PACKED, false, disk, true },
};

#define NR_FILES (sizeof(corpus) / sizeof(corpus[0]))

static int write_file(int fd, size_t number)
{
	const struct snap_plan plan = {
		.form = corpus[number].form,
		.pages = PAGES,
		.id = corpus[number].has_base ? snap_test_id : snap_test_base,
		.base = corpus[number].has_base ? snap_test_base : NULL,
	};

	return snap_test_write_all(fd, &plan, corpus[number].salts,
				   corpus[number].has_disk);
}

static void name_file(char *path, size_t size, const char *folder,
		      size_t number)
{
	snprintf(path, size, "%s/%s.lodge", folder, corpus[number].name);
}

static int write_corpus(const char *folder)
{
	char path[256];

	for (size_t i = 0; i < NR_FILES; i++) {
		int fd;

		name_file(path, sizeof(path), folder, i);
		fd = open(path, O_CREAT | O_TRUNC | O_RDWR, 0644);
		if (fd < 0 || write_file(fd, i)) {
			perror(path);
			return 1;
		}
		close(fd);
	}
	return 0;
}

FIXTURE(corpus)
{
	char folder[64];
	char path[128];
	char memory[128];
	struct snap_file *files[NR_FILES];
	int fds[NR_FILES];
	struct snap_error error;
};

FIXTURE_SETUP(corpus)
{
	strcpy(self->folder, "/tmp/lodge-test.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->folder));
	snprintf(self->memory, sizeof(self->memory), "%s/memory", self->folder);
	for (size_t i = 0; i < NR_FILES; i++) {
		name_file(self->path, sizeof(self->path), CORPUS, i);
		self->fds[i] = open(self->path, O_RDONLY | O_CLOEXEC);
		ASSERT_LE(0, self->fds[i]) TH_LOG("%s", self->path);
		ASSERT_EQ(0, snap_file_open(&self->files[i], self->fds[i],
					    &self->error))
		TH_LOG("%s: %s", self->path, self->error.text);
	}
}

FIXTURE_TEARDOWN(corpus)
{
	for (size_t i = 0; i < NR_FILES; i++) {
		snap_file_free(self->files[i]);
		close(self->fds[i]);
		name_file(self->path, sizeof(self->path), self->folder, i);
		unlink(self->path);
	}
	unlink(self->memory);
	rmdir(self->folder);
}

/* Runs the other reader.  Return: what it tells, to be freed; NULL: it refuses. */
static char *read_by_other(const char *path, const char *memory)
{
	char line[512], *text = NULL;
	size_t size = 0;
	FILE *pipe;

	snprintf(line, sizeof(line), READER " %s %s", path, memory);
	pipe = popen(line, "r");
	if (!pipe)
		return NULL;
	if (getline(&text, &size, pipe) < 0 || pclose(pipe)) {
		free(text);
		return NULL;
	}
	return text;
}

static bool memory_is(const char *path, const uint8_t *salts)
{
	uint8_t expected[SNAP_PAGE], found[SNAP_PAGE];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool is = fd >= 0;

	for (uint64_t page = 0; page < PAGES && is; page++) {
		snap_test_page(expected, page, salts[page]);
		is = !read_at(fd, found, SNAP_PAGE, page * SNAP_PAGE) &&
		     !memcmp(expected, found, SNAP_PAGE);
	}
	close(fd);
	return is;
}

/* @folder has the files: the other reader sees in them what they are. */
static void read_all_by_other(struct __test_metadata *_metadata,
			      FIXTURE_DATA(corpus) * self, const char *folder)
{
	for (size_t i = 0; i < NR_FILES; i++) {
		char *text;

		name_file(self->path, sizeof(self->path), folder, i);
		text = read_by_other(self->path, self->memory);
		ASSERT_NE(NULL, text) TH_LOG("%s", self->path);
		EXPECT_NE(NULL, strstr(text, "\"state\": \"state\""));
		EXPECT_EQ(corpus[i].has_disk,
			  !!strstr(text, "\"disks\": [{\"device\": "
					 "\"virtio-blk\", \"number\": 0, "
					 "\"page\": 4, \"size\": 4096, "
					 "\"block\": 1024, "
					 "\"runs\": [[0, 2]]}]"))
		TH_LOG("%s", text);
		free(text);
		/* Those with changes come behind their base. */
		EXPECT_TRUE(memory_is(self->memory, corpus[i].has_base ?
							    after :
							    corpus[i].salts))
		TH_LOG("%s", self->path);
	}
}

TEST_F(corpus, each_file_is_read_and_sound)
{
	for (size_t i = 0; i < NR_FILES; i++) {
		const struct snap_file *file = self->files[i];

		EXPECT_EQ(corpus[i].form, file->form);
		EXPECT_EQ(corpus[i].has_base, file->incremental);
		EXPECT_EQ(PAGES, file->pages);
		EXPECT_EQ(corpus[i].has_base ? 1 :
			  corpus[i].has_disk ? 4 :
					       3,
			  file->stored);
		EXPECT_EQ(corpus[i].has_base ? 2 : 0, file->zero);
		EXPECT_STREQ(SNAP_TEST_CONFIG,
			     snap_file_section(file, SNAP_CONFIG)->bytes);
		EXPECT_STREQ(SNAP_TEST_STATE,
			     snap_file_section(file, SNAP_STATE)->bytes);
		EXPECT_EQ(0, snap_file_check(file, &self->error))
		TH_LOG("%s: %s", corpus[i].name, self->error.text);
	}
}

TEST_F(corpus, the_blocks_of_disks_are_those_that_were_written)
{
	for (size_t i = 0; i < NR_FILES; i++) {
		const struct snap_file *file = self->files[i];
		uint64_t block = 0, count;
		size_t at = 0;

		ASSERT_EQ(corpus[i].has_disk, file->nr_overlays);
		if (!file->nr_overlays)
			continue;
		EXPECT_STREQ("virtio-blk", file->overlays[0].device);
		EXPECT_EQ(PAGES - 1, file->overlays[0].page);
		EXPECT_EQ(2, file->overlays[0].blocks);
		ASSERT_TRUE(snap_overlay_next(&file->overlays[0], &at, &block,
					      &count));
		EXPECT_EQ(0, block);
		EXPECT_EQ(2, count);
	}
}

TEST_F(corpus, each_tells_what_wrote_it)
{
	const struct snap_section *section =
		snap_file_section(self->files[0], SNAP_HOST);
	struct snap_host host;

	ASSERT_EQ(0, snap_host_read(&host, section->bytes, section->length,
				    &self->error));
	EXPECT_STREQ("test", host.machine);
	EXPECT_STREQ("svm", host.backend);
	EXPECT_EQ(1, host.time);
}

TEST_F(corpus, those_with_changes_are_joined_to_the_others)
{
	for (int i = 0; i < 4; i++) {
		const struct snap_file *files[] = { self->files[i / 2],
						    self->files[2 + i % 2] };
		int fd;
		struct snap_blame blame;

		name_file(self->path, sizeof(self->path), self->folder, 0);
		fd = open(self->path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
		ASSERT_EQ(0, snap_convert(files, 2, NULL, fd, SNAP_PLAIN,
					  &blame, &self->error))
		TH_LOG("%s", self->error.text);
		close(fd);
		free(read_by_other(self->path, self->memory));
		EXPECT_TRUE(memory_is(self->memory, after));
	}
}

TEST_F(corpus, the_reader_that_shares_no_code_reads_each_file)
{
	read_all_by_other(_metadata, self, CORPUS);
}

TEST_F(corpus, the_reader_that_shares_no_code_reads_what_is_written_today)
{
	ASSERT_EQ(0, write_corpus(self->folder));
	read_all_by_other(_metadata, self, self->folder);
}

TEST_F(corpus, what_wrote_a_file_is_told_and_read_again)
{
	const struct snap_host host = { .lodge = "1.0",
					.backend = "vmx",
					.machine = "web",
					.time = 1764521000 };
	char *text = snap_host_text(&host);
	struct snap_host read;

	ASSERT_NE(NULL, text);
	ASSERT_EQ(0, snap_host_read(&read, text, strlen(text), &self->error));
	EXPECT_EQ(0, memcmp(&host, &read, sizeof(host)));
	free(text);
}

TEST_F(corpus, what_tells_nothing_of_what_wrote_it_is_refused)
{
	static const char *const texts[] = {
		"",
		"{}",
		"[]",
		"1",
		"{\"time\":-1}",
		"{\"time\":\"1\"}",
		"{\"time\":1,\"lodge\":1}",
		"{\"time\":1}x",
		"{\"time\":1,\"time\":1}",
	};
	const char *later = "{\"time\":1,\"later\":[]}";
	struct snap_host host;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		EXPECT_EQ(-EBADMSG,
			  snap_host_read(&host, texts[i], strlen(texts[i]),
					 &self->error))
		TH_LOG("%s", texts[i]);
	}
	EXPECT_EQ(0, snap_host_read(&host, later, strlen(later), &self->error));
}

/* Writes the files of this version, and does nothing else, where it is asked to. */
static void __attribute__((constructor)) write_when_asked(void)
{
	const char *folder = getenv("LODGE_CORPUS");

	if (folder)
		exit(write_corpus(folder));
}

TEST_HARNESS_MAIN
