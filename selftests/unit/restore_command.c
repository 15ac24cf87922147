// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of `lodge restore` and `lodge clone` up to where a machine is made: which files they
 * take, and what they say of others.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lodge.h>

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

/* A clone that does not come to be ends in the midst of things. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

/* Runs a command with words, NULL at their end.  Return: its exit code. */
static int run(FIXTURE_DATA(restore) * self, char *command, va_list words)
{
	int messages = memfd_create("err", 0), argc = 1, status;
	char *argv[MAX_WORDS + 2] = { command };
	ssize_t size;
	pid_t child;

	while (argc <= MAX_WORDS && (argv[argc] = va_arg(words, char *)))
		argc++;
	fflush(NULL);
	child = fork();
	if (!child) {
		dup2(messages, STDERR_FILENO);
		_exit(command_call(command_find(command), argc, argv));
	}
	waitpid(child, &status, 0);
	size = pread(messages, self->err, sizeof(self->err) - 1, 0);
	self->err[size < 0 ? 0 : size] = '\0';
	close(messages);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int restore(FIXTURE_DATA(restore) * self, ...)
{
	va_list words;
	int code;

	va_start(words, self);
	code = run(self, "restore", words);
	va_end(words);
	return code;
}

static int clone_it(FIXTURE_DATA(restore) * self, ...)
{
	va_list words;
	int code;

	va_start(words, self);
	code = run(self, "clone", words);
	va_end(words);
	return code;
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

TEST_F(restore,
       clones_are_made_of_a_file_by_its_path_and_of_one_in_this_directory)
{
	write_machine(self, ABSENT);
	EXPECT_TRUE(was_tried(self, clone_it(self, self->path, NULL)))
	TH_LOG("%s", self->err);
	ASSERT_EQ(0, chdir(self->folder));
	EXPECT_TRUE(was_tried(self, clone_it(self, "saved", NULL)))
	TH_LOG("%s", self->err);
	EXPECT_EQ(EXIT_CODE_NO_VM, clone_it(self, "other", NULL));
	EXPECT_NE(NULL, strstr(self->err, "no machine of this name"));
	EXPECT_EQ(EXIT_CODE_IMAGE, clone_it(self, "./other", NULL));
	EXPECT_NE(NULL, strstr(self->err, "./other: No such file"));
}

TEST_F(restore, clones_that_cannot_be_are_refused_before_one_starts)
{
	char longest[LODGE_NAME_SIZE + 8] = "--name=";

	write_machine(self, ABSENT);
	memset(longest + strlen(longest), 'a', LODGE_NAME_SIZE - 1);
	EXPECT_EQ(EXIT_CODE_USAGE, clone_it(self, self->path, "-n0", NULL));
	EXPECT_EQ(EXIT_CODE_USAGE, clone_it(self, self->path, "-n1001", NULL));
	EXPECT_EQ(EXIT_CODE_USAGE, clone_it(self, self->path, "-nx", NULL));
	EXPECT_EQ(EXIT_CODE_USAGE, clone_it(self, NULL));
	EXPECT_EQ(EXIT_CODE_USAGE, clone_it(self, self->path, "two", NULL));
	EXPECT_EQ(EXIT_CODE_USAGE,
		  clone_it(self, self->path, "--name=a/b", NULL));
	EXPECT_EQ(EXIT_CODE_USAGE,
		  clone_it(self, self->path, longest, "-n2", NULL));
	EXPECT_NE(NULL, strstr(self->err, "too long"));
	EXPECT_NE(NULL, strstr(self->err, "0 of 2 clones were started"));
}

TEST_F(restore, clones_take_only_files_of_who_may_act_as_the_user)
{
	write_machine(self, ABSENT);
	ASSERT_EQ(0, chmod(self->path, 0666));
	EXPECT_EQ(EXIT_CODE_PERMISSION, clone_it(self, self->path, NULL));
	EXPECT_NE(NULL, strstr(self->err, "say --trust"));
	EXPECT_TRUE(
		was_tried(self, clone_it(self, "--trust", self->path, NULL)));
}

TEST_F(restore, what_clones_lack_is_said_once)
{
	const char *first;

	write_machine(self, "{\"kernel\": \"/absent\", \"serial\": [\"/a\"], "
			    "\"net\": [\"user,hostfwd=tcp:1-:1\", "
			    "\"user,hostfwd=tcp:2-:2\"]}");
	EXPECT_NE(0, clone_it(self, self->path, NULL));
	first = strstr(self->err, "no ports of the host");
	ASSERT_NE(NULL, first) TH_LOG("%s", self->err);
	EXPECT_EQ(NULL, strstr(first + 1, "no ports of the host"));
	EXPECT_NE(NULL, strstr(self->err, "files of --serial"));
}

TEST_F(restore, what_the_guest_writes_and_clones_cannot_keep_apart_is_named)
{
	write_machine(self, "{\"kernel\": \"/absent\", \"pmem\": [\"/data\"]}");
	EXPECT_EQ(EXIT_CODE_STATE, clone_it(self, self->path, NULL));
	EXPECT_NE(NULL, strstr(self->err, "--pmem=/data: the guest may write"))
	TH_LOG("%s", self->err);
	EXPECT_NE(NULL, strstr(self->err, "with ro"));
}

TEST_HARNESS_MAIN
