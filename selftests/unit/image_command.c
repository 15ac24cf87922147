// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of `lodge image`: what it writes, and its messages and exit codes.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "cmd/command.h"
#include "cmd/exit_code.h"
#include "snap/file.h"
#include "snap_fixture.h"

#define PAGES 5
#define ABSENT UINT8_MAX
#define MAX_WORDS 8
#define NO_FILE "/nowhere/file"

FIXTURE(image)
{
	char folder[64];
	char whole[96];
	char changes[96];
	char made[96];
	char out[8192];
	char err[1024];
};

static void write_file(struct __test_metadata *_metadata, const char *path,
		       const uint8_t *id, const uint8_t *base,
		       const uint8_t *salts)
{
	const struct snap_plan plan = {
		.form = SNAP_PLAIN,
		.pages = PAGES,
		.id = id,
		.base = base,
	};
	int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0644);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, snap_test_write(fd, &plan, salts));
	close(fd);
}

FIXTURE_SETUP(image)
{
	static const uint8_t whole[PAGES] = { 1, 2, 0, 3, 0 };
	static const uint8_t changes[PAGES] = { ABSENT, 0, 4, ABSENT, ABSENT };

	strcpy(self->folder, "/tmp/lodge-test.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->folder));
	sprintf(self->whole, "%s/whole", self->folder);
	sprintf(self->changes, "%s/changes", self->folder);
	sprintf(self->made, "%s/made", self->folder);
	write_file(_metadata, self->whole, snap_test_base, NULL, whole);
	write_file(_metadata, self->changes, snap_test_id, snap_test_base,
		   changes);
}

FIXTURE_TEARDOWN(image)
{
	unlink(self->whole);
	unlink(self->changes);
	unlink(self->made);
	rmdir(self->folder);
}

/* No file gets a name that none has had. */
static bool refuses_names;

int renameat2(int from, const char *old, int to, const char *new,
	      unsigned int flags)
{
	errno = EACCES;
	return refuses_names ?
		       -1 :
		       (int)syscall(SYS_renameat2, from, old, to, new, flags);
}

static void take_text(int fd, char *text, size_t size)
{
	ssize_t length = pread(fd, text, size - 1, 0);

	text[length < 0 ? 0 : length] = '\0';
	close(fd);
}

/* Runs a command with words, NULL at their end.  Return: its exit code. */
static int command(FIXTURE_DATA(image) * self, char *name, ...)
{
	int files[2] = { memfd_create("out", 0), memfd_create("err", 0) };
	char *argv[MAX_WORDS + 2] = { name };
	int argc = 1, status;
	va_list words;
	pid_t child;

	va_start(words, name);
	while (argc <= MAX_WORDS && (argv[argc] = va_arg(words, char *)))
		argc++;
	va_end(words);
	fflush(NULL);
	child = fork();
	if (!child) {
		dup2(files[0], STDOUT_FILENO);
		dup2(files[1], STDERR_FILENO);
		status = command_call(command_find(name), argc, argv);
		fflush(NULL);
		_exit(status);
	}
	waitpid(child, &status, 0);
	take_text(files[0], self->out, sizeof(self->out));
	take_text(files[1], self->err, sizeof(self->err));
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define image(self, ...) command(self, "image", __VA_ARGS__)
#define save(self, ...) command(self, "save", "nobody", __VA_ARGS__)

/* Return: true if a file is still as write_text() has made it. */
static bool has_text(const char *path)
{
	char text[8] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	take_text(fd, text, sizeof(text));
	return !strcmp("a disk", text);
}

static void write_text(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	if (write(fd, "a disk", 6) != 6)
		abort();
	close(fd);
}

static void damage(const char *path, uint64_t at)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	uint8_t byte;

	if (pread(fd, &byte, 1, at) == 1) {
		byte ^= 1;
		pwrite(fd, &byte, 1, at);
	}
	close(fd);
}

TEST_F(image, info_shows_a_row_for_each_file)
{
	ASSERT_EQ(0, image(self, "info", self->whole, self->changes, NULL));
	EXPECT_STREQ("", self->err);
	EXPECT_NE(NULL, strstr(self->out, "MACHINE"));
	EXPECT_NE(NULL, strstr(self->out, "1970-01-01 00:00:01  plain"));
	EXPECT_NE(NULL, strstr(self->out, "20K"));
	EXPECT_NE(NULL, strstr(self->out, "626173650000  -"))
	TH_LOG("%s", self->out);
	EXPECT_NE(NULL, strstr(self->out, "303132333435  626173650000"));
}

TEST_F(image, info_writes_json)
{
	json_t *array, *object;

	ASSERT_EQ(0, image(self, "info", "--json", self->whole, self->changes,
			   NULL));
	array = json_loads(self->out, 0, NULL);
	ASSERT_EQ(2, json_array_size(array));
	object = json_array_get(array, 1);
	EXPECT_STREQ("plain",
		     json_string_value(json_object_get(object, "form")));
	EXPECT_STREQ("62617365000000000000000000000000",
		     json_string_value(json_object_get(object, "base")));
	EXPECT_EQ(PAGES * SNAP_PAGE,
		  json_integer_value(json_object_get(object, "memory")));
	EXPECT_EQ(SNAP_PAGE,
		  json_integer_value(json_object_get(object, "stored")));
	EXPECT_EQ(SNAP_PAGE,
		  json_integer_value(json_object_get(object, "zero")));
	EXPECT_EQ(5, json_array_size(json_object_get(object, "sections")));
	EXPECT_TRUE(json_is_null(
		json_object_get(json_array_get(array, 0), "base")));
	json_decref(array);
}

TEST_F(image, info_tells_what_was_written_to_disks)
{
	static const uint8_t salts[PAGES] = { 1, 2, 0, 3, 4 };
	const struct snap_plan plan = { .form = SNAP_PLAIN, .pages = PAGES };
	int fd = open(self->made, O_CREAT | O_RDWR | O_CLOEXEC, 0644);
	json_t *array, *object;

	ASSERT_EQ(0, snap_test_write_all(fd, &plan, salts, true));
	close(fd);
	ASSERT_EQ(0, image(self, "info", self->made, NULL));
	/* Memory has four pages of five, and the disk two blocks. */
	EXPECT_NE(NULL, strstr(self->out, "16K     2K     16K"))
	TH_LOG("%s", self->out);
	ASSERT_EQ(0, image(self, "info", "--json", self->made, NULL));
	array = json_loads(self->out, 0, NULL);
	object = json_array_get(array, 0);
	EXPECT_EQ(4 * SNAP_PAGE,
		  json_integer_value(json_object_get(object, "memory")));
	object = json_array_get(json_object_get(object, "disks"), 0);
	EXPECT_STREQ("virtio-blk",
		     json_string_value(json_object_get(object, "device")));
	EXPECT_EQ(4096, json_integer_value(json_object_get(object, "size")));
	EXPECT_EQ(2048, json_integer_value(json_object_get(object, "written")));
	json_decref(array);
}

TEST_F(image, info_shows_the_options_that_restore_would_run_with)
{
	ASSERT_EQ(0, image(self, "info", "--config", self->whole, self->changes,
			   NULL));
	EXPECT_STREQ("{\n  \"name\": \"test\",\n  \"memory\": \"16K\"\n}\n"
		     "{\n  \"name\": \"test\",\n  \"memory\": \"16K\"\n}\n",
		     self->out);
}

TEST_F(image, check_says_nothing_of_what_is_sound)
{
	ASSERT_EQ(0, image(self, "check", self->whole, self->changes, NULL));
	EXPECT_STREQ("", self->out);
	EXPECT_STREQ("", self->err);
}

TEST_F(image, check_names_each_file_that_is_damaged_and_the_place)
{
	struct stat st;

	ASSERT_EQ(0, stat(self->whole, &st));
	/* The last page is in no run, and the table of runs is behind it. */
	damage(self->whole, 2 * SNAP_PAGE + 4 * SNAP_PAGE);
	damage(self->changes, 0);
	EXPECT_EQ(EXIT_CODE_IMAGE,
		  image(self, "check", self->changes, self->whole, NULL));
	EXPECT_NE(NULL, strstr(self->err, "/changes: is no file of a saved"));
	EXPECT_NE(NULL, strstr(self->err, "/whole: memory: pages 4 to 4"))
	TH_LOG("%s", self->err);
}

TEST_F(image, a_file_is_packed_and_unpacked_even_in_its_place)
{
	struct stat plain, packed;

	ASSERT_EQ(0, image(self, "pack", self->whole, self->made, NULL))
	TH_LOG("%s", self->err);
	ASSERT_EQ(0, stat(self->whole, &plain));
	ASSERT_EQ(0, stat(self->made, &packed));
	EXPECT_GT(plain.st_size, packed.st_size);
	ASSERT_EQ(0, image(self, "unpack", self->made, self->made, NULL));
	ASSERT_EQ(0, stat(self->made, &packed));
	EXPECT_EQ(plain.st_size, packed.st_size);
	EXPECT_EQ(0600, packed.st_mode & 07777);
	EXPECT_EQ(0, image(self, "check", self->made, NULL));
}

TEST_F(image, files_are_joined_in_the_form_that_is_asked_for)
{
	ASSERT_EQ(0, image(self, "join", self->whole, self->changes, self->made,
			   NULL));
	ASSERT_EQ(0, image(self, "info", self->made, NULL));
	EXPECT_NE(NULL, strstr(self->out, "plain"));
	EXPECT_NE(NULL, strstr(self->out, "303132333435  -"));
	ASSERT_EQ(0, image(self, "join", "--packed", self->whole, self->changes,
			   self->made, NULL));
	ASSERT_EQ(0, image(self, "info", self->made, NULL));
	EXPECT_NE(NULL, strstr(self->out, "packed"));
}

TEST_F(image, what_cannot_be_joined_is_named_and_leaves_what_was_there)
{
	EXPECT_EQ(EXIT_CODE_IMAGE, image(self, "join", self->changes,
					 self->whole, self->made, NULL));
	EXPECT_NE(NULL, strstr(self->err, "/changes: is not whole"));
	EXPECT_EQ(-1, access(self->made, F_OK));
	ASSERT_EQ(0, image(self, "pack", self->whole, self->made, NULL));
	EXPECT_EQ(EXIT_CODE_IMAGE, image(self, "join", self->whole, self->whole,
					 self->made, NULL));
	EXPECT_NE(NULL, strstr(self->err, "/whole: is whole"));
	EXPECT_EQ(0, image(self, "check", self->made, NULL));
}

TEST_F(image, changes_that_are_not_joined_are_not_replaced)
{
	ASSERT_EQ(0, image(self, "pack", self->changes, self->made, NULL));
	EXPECT_EQ(EXIT_CODE_OUTPUT, image(self, "join", self->whole,
					  self->changes, self->made, NULL));
	EXPECT_NE(NULL, strstr(self->err, "/made: has changes"));
	EXPECT_EQ(0, image(self, "join", self->whole, self->changes,
			   self->changes, NULL))
	TH_LOG("%s", self->err);
}

TEST_F(image, only_a_file_of_a_saved_machine_is_replaced)
{
	static const char *const actions[] = { "pack", "unpack" };

	write_text(self->made);
	for (size_t i = 0; i < 2; i++) {
		EXPECT_EQ(EXIT_CODE_OUTPUT, image(self, actions[i], self->whole,
						  self->made, NULL));
		EXPECT_NE(NULL, strstr(self->err, "/made: is no file of"));
	}
	EXPECT_EQ(EXIT_CODE_OUTPUT, image(self, "join", self->whole,
					  self->changes, self->made, NULL));
	EXPECT_EQ(EXIT_CODE_OUTPUT, save(self, self->made, NULL));
	EXPECT_TRUE(has_text(self->made));
}

TEST_F(image, what_cannot_be_looked_at_is_not_replaced)
{
	ASSERT_EQ(0, symlink(self->made, self->made));
	EXPECT_EQ(EXIT_CODE_OUTPUT,
		  image(self, "pack", self->whole, self->made, NULL));
	EXPECT_NE(NULL, strstr(self->err, "/made: is there, and cannot be"));
	EXPECT_EQ(EXIT_CODE_OUTPUT, save(self, self->made, NULL));
	EXPECT_NE(NULL, strstr(self->err, "/made: is there, and cannot be"));
}

TEST_F(image, the_changes_to_a_file_are_not_saved_in_its_place)
{
	char other[112];

	sprintf(other, "%s/./whole", self->folder);
	EXPECT_EQ(EXIT_CODE_USAGE,
		  save(self, self->whole, "--since", other, NULL));
	EXPECT_NE(NULL, strstr(self->err, "/whole: is the file of --since"));
	EXPECT_EQ(EXIT_CODE_IMAGE,
		  save(self, self->made, "--since", self->changes, NULL));
	EXPECT_EQ(0, image(self, "check", self->whole, NULL));
}

TEST_F(image, a_file_that_cannot_be_read_or_written_is_told_apart)
{
	EXPECT_EQ(EXIT_CODE_IMAGE, image(self, "info", NO_FILE, NULL));
	EXPECT_NE(NULL, strstr(self->err, NO_FILE ": No such file"));
	EXPECT_EQ(EXIT_CODE_IMAGE, image(self, "check", "/dev/null", NULL));
	EXPECT_EQ(EXIT_CODE_OUTPUT,
		  image(self, "pack", self->whole, NO_FILE, NULL));
	EXPECT_NE(NULL, strstr(self->err, NO_FILE ": cannot be made"));
	EXPECT_EQ(EXIT_CODE_OUTPUT,
		  image(self, "pack", self->whole, self->folder, NULL));
	EXPECT_EQ(EXIT_CODE_OUTPUT,
		  image(self, "pack", self->whole, "/dev/null", NULL));
}

TEST_F(image, a_wrong_command_line_is_refused)
{
	EXPECT_EQ(EXIT_CODE_USAGE, image(self, NULL));
	EXPECT_EQ(EXIT_CODE_USAGE, image(self, "show", self->whole, NULL));
	EXPECT_EQ(EXIT_CODE_USAGE, image(self, "info", NULL));
	EXPECT_EQ(EXIT_CODE_USAGE, image(self, "pack", self->whole, NULL));
	EXPECT_EQ(EXIT_CODE_USAGE, image(self, "pack", self->whole, self->made,
					 self->made, NULL));
	EXPECT_EQ(EXIT_CODE_USAGE,
		  image(self, "join", self->whole, self->made, NULL));
	EXPECT_EQ(EXIT_CODE_USAGE,
		  image(self, "check", "--json", self->whole, NULL));
	EXPECT_EQ(EXIT_CODE_USAGE,
		  image(self, "check", "--config", self->whole, NULL));
	EXPECT_EQ(EXIT_CODE_USAGE,
		  image(self, "info", "--config", "--json", self->whole, NULL));
	EXPECT_EQ(EXIT_CODE_USAGE, image(self, "pack", "--packed", self->whole,
					 self->made, NULL));
}

TEST_F(image, a_new_file_that_gets_no_name_is_the_one_that_is_told_of)
{
	refuses_names = true;
	EXPECT_EQ(EXIT_CODE_PERMISSION,
		  image(self, "pack", self->whole, self->made, NULL));
	EXPECT_NE(NULL, strstr(self->err, self->made))
	TH_LOG("%s", self->err);
	EXPECT_EQ(-1, access(self->made, F_OK));
}

TEST_HARNESS_MAIN
