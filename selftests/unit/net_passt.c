// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of a link to passt, for which a script stands that tells how it was called.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "net/passt.h"

#define TEXT_SIZE 512

/* It says its words and what it may, and ends when its socket is closed. */
static const char script[] =
	"#!/bin/sh\n"
	"echo \"$@\" >${0%/*}/words.new\n"
	"grep NoNewPrivs /proc/$$/status >>${0%/*}/words.new\n"
	"mv ${0%/*}/words.new ${0%/*}/words\n"
	"cat <&3 >${0%/*}/input\n"
	"echo end >${0%/*}/end\n";

FIXTURE(passt)
{
	struct loop *loop;
	struct link_card card;
	char dir[32];
	char path[256];
};

static void nothing(void *opaque)
{
}

static bool receive(void *opaque, const void *frame, size_t size)
{
	return true;
}

static void path_of(FIXTURE_DATA(passt) * self, const char *name, char *path)
{
	snprintf(path, TEXT_SIZE, "%s/%s", self->dir, name);
}

FIXTURE_SETUP(passt)
{
	char path[TEXT_SIZE];
	FILE *file;

	self->loop = loop_new();
	ASSERT_NE(NULL, self->loop);
	self->card = (struct link_card){
		.enter = nothing,
		.leave = nothing,
		.receive = receive,
		.writable = nothing,
		.down = nothing,
	};
	strcpy(self->dir, "/tmp/passt-XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->dir));
	path_of(self, "passt", path);
	file = fopen(path, "we");
	ASSERT_NE(NULL, file);
	fputs(script, file);
	fclose(file);
	ASSERT_EQ(0, chmod(path, 0755));
	snprintf(self->path, sizeof(self->path), "%s:/usr/bin:/bin", self->dir);
	setenv("PATH", self->path, 1);
}

FIXTURE_TEARDOWN(passt)
{
	static const char *const names[] = { "passt", "words", "input" };
	char path[TEXT_SIZE];

	for (size_t i = 0; i < 3; i++) {
		path_of(self, names[i], path);
		unlink(path);
	}
	rmdir(self->dir);
	loop_free(self->loop);
}

/* Reads a file that the script writes, once it is there. */
static void wait_for(FIXTURE_DATA(passt) * self, const char *name, char *text)
{
	char path[TEXT_SIZE];
	size_t size;
	FILE *file;

	path_of(self, name, path);
	while (!(file = fopen(path, "re")))
		poll(NULL, 0, 10);
	size = fread(text, 1, TEXT_SIZE - 1, file);
	text[size] = '\0';
	fclose(file);
}

TEST_F(passt, it_is_told_its_socket_and_the_forwarded_ports)
{
	const struct passt_config config = {
		.forwards = { { .spec = "2222:22" },
			      { .udp = true, .spec = "53:53" } },
		.nr_forwards = 2,
	};
	struct link *link = passt_new(self->loop, &config, &self->card);
	char words[TEXT_SIZE];

	ASSERT_NE(NULL, link);
	wait_for(self, "words", words);
	EXPECT_NE(NULL, strstr(words, "--fd 3"));
	EXPECT_NE(NULL, strstr(words, "-t 2222:22 -u 53:53"));
	link_free(link);
}

TEST_F(passt, it_cannot_gain_privileges_from_its_first_instruction)
{
	const struct passt_config config = {};
	struct link *link = passt_new(self->loop, &config, &self->card);
	char words[TEXT_SIZE];

	ASSERT_NE(NULL, link);
	wait_for(self, "words", words);
	EXPECT_NE(NULL, strstr(words, "NoNewPrivs:\t1\n"));
	link_free(link);
}

TEST_F(passt, frames_go_to_its_socket)
{
	const struct passt_config config = {};
	struct link *link = passt_new(self->loop, &config, &self->card);
	struct iovec iov = { .iov_base = "hello", .iov_len = 5 };
	char text[TEXT_SIZE];

	ASSERT_NE(NULL, link);
	wait_for(self, "words", text);
	ASSERT_EQ(0, link_send(link, &iov, 1));
	do
		wait_for(self, "input", text);
	while (!text[3]);
	link_free(link);
}

TEST_F(passt, it_ends_with_the_link_and_leaves_no_process)
{
	const struct passt_config config = {};
	struct link *link = passt_new(self->loop, &config, &self->card);
	char text[TEXT_SIZE];

	ASSERT_NE(NULL, link);
	wait_for(self, "words", text);
	link_free(link);
	EXPECT_EQ(-1, waitpid(-1, NULL, 0));
	EXPECT_EQ(ECHILD, errno);
}

TEST_F(passt, as_many_ports_as_there_may_be_are_forwarded)
{
	struct passt_config config = { .nr_forwards = PASST_MAX_FORWARDS };
	struct link *link;
	char words[TEXT_SIZE], *at;
	unsigned int count = 0;

	for (unsigned int i = 0; i < PASST_MAX_FORWARDS; i++)
		strcpy(config.forwards[i].spec, "1:1");
	link = passt_new(self->loop, &config, &self->card);
	ASSERT_NE(NULL, link);
	wait_for(self, "words", words);
	for (at = words; (at = strstr(at, "-t 1:1")); at++)
		count++;
	EXPECT_EQ(PASST_MAX_FORWARDS, count);
	link_free(link);
}

TEST_F(passt, a_host_without_it_is_told_of)
{
	const struct passt_config config = {};

	setenv("PATH", "/nowhere", 1);
	EXPECT_EQ(NULL, passt_new(self->loop, &config, &self->card));
	EXPECT_EQ(ENOENT, errno);
}

/* Puts another script in the place of passt. */
static void play(FIXTURE_DATA(passt) * self, const char *text)
{
	char path[TEXT_SIZE];
	FILE *file;

	path_of(self, "passt", path);
	file = fopen(path, "we");
	if (!file)
		abort();
	fputs(text, file);
	fclose(file);
}

TEST_F(passt, one_that_is_stopped_ends_all_the_same)
{
	const struct passt_config config = {};
	char text[TEXT_SIZE];
	struct link *link;

	play(self, "#!/bin/sh\n"
		   "echo >${0%/*}/words\n"
		   "kill -STOP $$\n");
	link = passt_new(self->loop, &config, &self->card);
	ASSERT_NE(NULL, link);
	wait_for(self, "words", text);
	link_free(link);
	EXPECT_EQ(-1, waitpid(-1, NULL, 0));
}

TEST_F(passt, it_inherits_nothing_but_its_socket)
{
	const struct passt_config config = {};
	char text[TEXT_SIZE];
	struct link *link;

	ASSERT_EQ(77, dup2(STDOUT_FILENO, 77));
	play(self, "#!/bin/sh\n"
		   "for f in 3 77; do test -e /proc/$$/fd/$f && echo $f\n"
		   "done >${0%/*}/words.new\n"
		   "mv ${0%/*}/words.new ${0%/*}/words\n");
	link = passt_new(self->loop, &config, &self->card);
	ASSERT_NE(NULL, link);
	wait_for(self, "words", text);
	EXPECT_STREQ("3\n", text);
	link_free(link);
	close(77);
}

TEST_HARNESS_MAIN
