// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of `lodge restore` up to where a machine is made: which files it takes, and what
 * it says of others.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "cmd/command.h"
#include "cmd/exit_code.h"
#include "snap_fixture.h"

#define MAX_WORDS 8

FIXTURE(restore)
{
	char folder[64];
	char path[96];
	char err[1024];
};

FIXTURE_SETUP(restore)
{
	strcpy(self->folder, "/tmp/lodge-test.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->folder));
	ASSERT_EQ(0, setenv("XDG_RUNTIME_DIR", self->folder, 1));
	sprintf(self->path, "%s/saved", self->folder);
}

FIXTURE_TEARDOWN(restore)
{
	char line[96];

	sprintf(line, "rm -rf %s", self->folder);
	EXPECT_EQ(0, system(line));
}

/* Writes the file of a machine that was run with these options. */
static void write_machine(FIXTURE_DATA(restore) * self, const char *config)
{
	static const struct snap_plan plan = { .form = SNAP_PLAIN, .pages = 1 };
	struct snap_writer *writer;
	int fd = open(self->path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0 || snap_writer_new(&writer, fd, &plan) ||
	    snap_writer_section(writer, SNAP_CONFIG, SNAP_SECTION_VERSION, 0,
				config, strlen(config)) ||
	    snap_writer_section(writer, SNAP_HOST, SNAP_SECTION_VERSION, 0,
				SNAP_TEST_HOST, strlen(SNAP_TEST_HOST)) ||
	    snap_writer_section(writer, SNAP_STATE, SNAP_SECTION_VERSION, 0,
				SNAP_TEST_STATE, strlen(SNAP_TEST_STATE)) ||
	    snap_writer_end(writer))
		abort();
	snap_writer_free(writer);
	close(fd);
}

/* Runs `lodge restore` with words, NULL at their end.  Return: its exit code. */
static int restore(FIXTURE_DATA(restore) * self, ...)
{
	int messages = memfd_create("err", 0), argc = 1, status;
	char *argv[MAX_WORDS + 2] = { "restore" };
	va_list words;
	ssize_t size;
	pid_t child;

	va_start(words, self);
	while (argc <= MAX_WORDS && (argv[argc] = va_arg(words, char *)))
		argc++;
	va_end(words);
	fflush(NULL);
	child = fork();
	if (!child) {
		dup2(messages, STDERR_FILENO);
		_exit(command_call(command_find("restore"), argc, argv));
	}
	waitpid(child, &status, 0);
	size = pread(messages, self->err, sizeof(self->err) - 1, 0);
	self->err[size < 0 ? 0 : size] = '\0';
	close(messages);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* True if it got as far as to the machine's memory, of which the file has one page. */
static bool was_tried(FIXTURE_DATA(restore) * self, int code)
{
	return code == EXIT_CODE_IMAGE &&
	       strstr(self->err, "of guest memory: the saved machine's file "
				 "has less");
}

TEST_F(restore, files_of_a_directory_that_is_gone_are_not_looked_for_elsewhere)
{
	static const char *const configs[] = {
		"{\"kernel\": \"/k\", \"directory\": \"/nowhere\", \"disk\": [\"here\"]}",
		"{\"kernel\": \"/k\", \"directory\": \"/nowhere\", \"pmem\": [\"here,ro\"]}",
		"{\"kernel\": \"/k\", \"directory\": \"/nowhere\", \"share\": [\"here\"]}",
		"{\"kernel\": \"/k\", \"directory\": \"/nowhere\", \"serial\": [\"here\"]}",
	};

	for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
		write_machine(self, configs[i]);
		EXPECT_EQ(EXIT_CODE_IMAGE, restore(self, self->path, NULL));
		EXPECT_NE(NULL, strstr(self->err, "/nowhere: No such file"));
		EXPECT_NE(NULL, strstr(self->err, "looks for here"))
		TH_LOG("%s", self->err);
	}
}

TEST_F(restore, a_directory_that_is_gone_is_no_hindrance_to_absolute_paths)
{
	write_machine(self, "{\"kernel\": \"/k\", \"directory\": \"/nowhere\", "
			    "\"disk\": [\"/absent\"], \"serial\": [\"none\"]}");
	EXPECT_TRUE(was_tried(self, restore(self, self->path, NULL)))
	TH_LOG("%s", self->err);
}

#define ABSENT "{\"kernel\": \"/absent\"}"

TEST_F(restore, a_file_that_others_may_write_is_refused_without_trust)
{
	static const mode_t modes[] = { 0620, 0602, 0666 };

	write_machine(self, ABSENT);
	for (size_t i = 0; i < 3; i++) {
		ASSERT_EQ(0, chmod(self->path, modes[i]));
		EXPECT_EQ(EXIT_CODE_PERMISSION,
			  restore(self, self->path, NULL));
		EXPECT_NE(NULL, strstr(self->err, "can be written by others"));
		EXPECT_NE(NULL, strstr(self->err, "say --trust"));
	}
	EXPECT_TRUE(
		was_tried(self, restore(self, "--trust", self->path, NULL)));
	ASSERT_EQ(0, chmod(self->path, 0644));
	EXPECT_TRUE(was_tried(self, restore(self, self->path, NULL)))
	TH_LOG("%s", self->err);
}

TEST_F(restore, a_file_of_another_user_is_refused_without_trust)
{
	write_machine(self, ABSENT);
	if (chown(self->path, 12345, -1))
		SKIP(return, "only root can give files away");
	EXPECT_EQ(EXIT_CODE_PERMISSION, restore(self, self->path, NULL));
	EXPECT_NE(NULL, strstr(self->err, "is another user's"));
	EXPECT_TRUE(
		was_tried(self, restore(self, "--trust", self->path, NULL)));
}

TEST_F(restore, memory_is_checked_if_that_is_asked_for)
{
	int fd;

	write_machine(self, ABSENT);
	fd = open(self->path, O_RDWR | O_CLOEXEC);
	/* Its only page is zero, and in no run. */
	ASSERT_EQ(1, pwrite(fd, "x", 1, 2 * SNAP_PAGE));
	close(fd);
	EXPECT_TRUE(was_tried(self, restore(self, self->path, NULL)));
	EXPECT_EQ(EXIT_CODE_IMAGE, restore(self, "--check", self->path, NULL));
	EXPECT_NE(NULL, strstr(self->err, "/saved: memory: pages 0 to 0"))
	TH_LOG("%s", self->err);
}

TEST_F(restore, options_with_control_characters_are_refused_and_not_repeated)
{
	static const char *const configs[] = {
		"{\"kernel\": \"/\\u001b[31m\"}",
		"{\"\\u001b[31m\": true}",
		"{\"disk\": [\"/x\\u009b31m\"]}",
		"{\"disk\": [\"/x\\u007f\"]}",
	};

	for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
		write_machine(self, configs[i]);
		EXPECT_EQ(EXIT_CODE_IMAGE, restore(self, self->path, NULL));
		EXPECT_NE(NULL, strstr(self->err, "control characters"))
		TH_LOG("%s", self->err);
	}
	write_machine(self, "{\"kernel\": \"/absent/\u00e4\\n\"}");
	EXPECT_TRUE(was_tried(self, restore(self, self->path, NULL)));
}

TEST_F(restore, more_options_than_a_machine_can_have_are_refused)
{
	static char config[300 << 10];

	memset(config, ' ', sizeof(config) - 1);
	memcpy(config, ABSENT, strlen(ABSENT));
	write_machine(self, config);
	EXPECT_EQ(EXIT_CODE_IMAGE, restore(self, self->path, NULL));
	EXPECT_NE(NULL, strstr(self->err, "more than 256 KiB"));
}

TEST_HARNESS_MAIN
