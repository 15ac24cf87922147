// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of users of a guest whose root is a directory, and of how a command is described.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/root_command.h"
#include "cmd/root_user.h"
#include "guest/spec.h"
#include "kselftest_harness.h"

FIXTURE(root)
{
	char path[32];
	struct root_user user;
};

static bool write_file(const char *root, const char *name, const char *text)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/etc/%s", root, name);
	file = fopen(path, "we");
	if (!file)
		return false;
	fputs(text, file);
	return !fclose(file);
}

FIXTURE_SETUP(root)
{
	char path[64];

	memset(self, 0, sizeof(*self));
	strcpy(self->path, "/tmp/lodge-unit-XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->path));
	snprintf(path, sizeof(path), "%s/etc", self->path);
	ASSERT_EQ(0, mkdir(path, 0755));
	ASSERT_TRUE(write_file(self->path, "passwd",
			       "root:x:0:0:root:/root:/bin/bash\n"
			       "ann:x:1001:1002:Ann:/home/ann:/bin/zsh\n"
			       "all:x:4294967295:1:::\n"
			       "any:x:1:4294967295:::\n"));
	ASSERT_TRUE(write_file(self->path, "group",
			       "root:x:0:\nann:x:1002:\n"
			       "disk:x:6:bob,ann\nkvm:x:7:ann\nlp:x:8:bob\n"
			       "every:x:4294967295:\n"));
}

FIXTURE_TEARDOWN(root)
{
	char command[64];

	root_user_free(&self->user);
	snprintf(command, sizeof(command), "rm -rf %s", self->path);
	EXPECT_EQ(0, system(command));
}

TEST_F(root, a_user_by_name_is_that_of_the_guest_s_files)
{
	struct root_user *user = &self->user;

	ASSERT_EQ(0, root_user_find(user, self->path, "ann"));
	EXPECT_EQ(1001, user->uid);
	EXPECT_EQ(1002, user->gid);
	ASSERT_EQ(2, user->nr_groups);
	EXPECT_EQ(6, user->groups[0]);
	EXPECT_EQ(7, user->groups[1]);
	EXPECT_STREQ("HOME=/home/ann", user->vars[0]);
	EXPECT_STREQ("SHELL=/bin/zsh", user->vars[3]);
	EXPECT_EQ(NULL, user->vars[4]);
}

TEST_F(root, a_user_by_number_is_the_same)
{
	ASSERT_EQ(0, root_user_find(&self->user, self->path, "1001"));
	EXPECT_EQ(1002, self->user.gid);
	EXPECT_STREQ("USER=ann", self->user.vars[1]);
}

TEST_F(root, a_number_that_nobody_has_is_a_user)
{
	ASSERT_EQ(0, root_user_find(&self->user, self->path, "4711"));
	EXPECT_EQ(4711, self->user.uid);
	EXPECT_EQ(0, self->user.gid);
	EXPECT_EQ(NULL, self->user.vars[0]);
}

TEST_F(root, a_group_takes_the_place_of_all_others)
{
	ASSERT_EQ(0, root_user_find(&self->user, self->path, "ann:lp"));
	EXPECT_EQ(8, self->user.gid);
	EXPECT_EQ(0, self->user.nr_groups);
	root_user_free(&self->user);
	ASSERT_EQ(0, root_user_find(&self->user, self->path, "ann:99"));
	EXPECT_EQ(99, self->user.gid);
}

static void replace(const char *root, const char *name, const char *target)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/etc/%s", root, name);
	if (unlink(path) ||
	    (target ? symlink(target, path) : mkfifo(path, 0600)))
		abort();
}

TEST_F(root, a_link_leads_where_it_leads_in_the_guest)
{
	ASSERT_TRUE(write_file(self->path, "users",
			       "ann:x:1001:1002:Ann:/home/ann:/bin/zsh\n"));
	replace(self->path, "passwd", "/etc/users");
	ASSERT_EQ(0, root_user_find(&self->user, self->path, "ann"));
	EXPECT_EQ(1001, self->user.uid);
}

TEST_F(root, a_link_out_of_the_root_leads_to_nothing)
{
	char outside[] = "/tmp/lodge-unit-XXXXXX";
	int fd = mkstemp(outside);

	ASSERT_LE(0, fd);
	EXPECT_EQ(18, write(fd, "eve:x:5:5::/:/sh\n\n", 18));
	replace(self->path, "passwd", outside);
	EXPECT_EQ(-ENOENT, root_user_find(&self->user, self->path, "eve"));
	close(fd);
	unlink(outside);
}

TEST_F(root, a_pipe_in_place_of_a_file_is_not_waited_for)
{
	replace(self->path, "passwd", NULL);
	EXPECT_EQ(-ENOENT, root_user_find(&self->user, self->path, "ann"));
}

TEST_F(root, what_is_not_there_is_refused)
{
	static const char *const users[] = {
		"",	 ":",	"bob", "4294967295",	      "-1",
		"root2", "all", "any", "99999999999999999999"
	};

	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
		EXPECT_EQ(-ENOENT,
			  root_user_find(&self->user, self->path, users[i]))
		{
			TH_LOG("\"%s\"", users[i]);
		}
	}
	EXPECT_EQ(-ESRCH, root_user_find(&self->user, self->path, "ann:none"));
	EXPECT_EQ(-ESRCH, root_user_find(&self->user, self->path, "ann:"));
	EXPECT_EQ(-ESRCH, root_user_find(&self->user, self->path, "ann:every"));
}

/* Return: a variable of a command, or NULL. */
static const char *var(const struct spec *spec, const char *name)
{
	const size_t length = strlen(name);
	const char *found = NULL;

	for (char **at = spec->envp; *at; at++)
		if (!strncmp(*at, name, length) && (*at)[length] == '=')
			found = found ? "twice" : *at + length + 1;
	return found;
}

TEST_F(root, variables_of_the_user_and_of_the_command_go_before_this_process_s)
{
	struct root_command command = {
		.root = self->path,
		.argv = (char *[]){ "ls", NULL },
		.user = &self->user,
		.directory = "/srv",
		.vars = (char *[]){ "A=command", "USER=other", NULL },
	};
	struct spec spec;
	void *bytes;
	size_t size;

	setenv("A", "here", 1);
	setenv("B", "here", 1);
	setenv("HOME", "/here", 1);
	ASSERT_EQ(0, root_user_find(&self->user, self->path, "ann"));
	ASSERT_EQ(0, root_command_describe(&command, &bytes, &size));
	ASSERT_EQ(0, spec_read(&spec, bytes, size));
	EXPECT_STREQ("command", var(&spec, "A"));
	EXPECT_STREQ("here", var(&spec, "B"));
	EXPECT_STREQ("/home/ann", var(&spec, "HOME"));
	EXPECT_STREQ("other", var(&spec, "USER"));
	EXPECT_STREQ("/srv", spec.directory);
	EXPECT_EQ(1001, spec.uid);
	EXPECT_EQ(2, spec.nr_groups);
	EXPECT_EQ(0, spec.flags);
	spec_free(&spec);
	free(bytes);
}

TEST_F(root, the_present_directory_is_named_as_the_guest_has_it)
{
	struct root_command command = {
		.root = self->path,
		.argv = (char *[]){ "ls", NULL },
		.ends_guest = true,
	};
	char here[64];
	struct spec spec;
	void *bytes;
	size_t size;

	snprintf(here, sizeof(here), "%s/etc", self->path);
	ASSERT_EQ(0, chdir(here));
	ASSERT_EQ(0, root_command_describe(&command, &bytes, &size));
	ASSERT_EQ(0, spec_read(&spec, bytes, size));
	EXPECT_STREQ("/etc", spec.directory);
	EXPECT_EQ(SPEC_ENDS_GUEST, spec.flags);
	spec_free(&spec);
	free(bytes);
	ASSERT_EQ(0, chdir("/"));
	ASSERT_EQ(0, root_command_describe(&command, &bytes, &size));
	ASSERT_EQ(0, spec_read(&spec, bytes, size));
	EXPECT_STREQ("/", spec.directory);
	spec_free(&spec);
	free(bytes);
}

TEST_HARNESS_MAIN
