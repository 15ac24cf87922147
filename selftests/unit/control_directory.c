// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the directories of machines in the background, and of their logs: who lives,
 * what is left, and what other users and symbolic links cannot do.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/directory.h"
#include "control/endpoint.h"
#include "control/log.h"
#include "kselftest_harness.h"

#define OTHER_USER 65534

FIXTURE(place)
{
	char above[32];
	char path[64];
	int parent;
	struct directory directory;
};

FIXTURE_SETUP(place)
{
	snprintf(self->above, sizeof(self->above), "/tmp/lodge-unit-XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->above));
	snprintf(self->path, sizeof(self->path), "%s/lodge", self->above);
	self->parent = directory_parent_open(self->path, true);
	ASSERT_GE(self->parent, 0);
}

FIXTURE_TEARDOWN(place)
{
	char command[64];

	close(self->parent);
	snprintf(command, sizeof(command), "rm -rf %s", self->above);
	EXPECT_EQ(0, system(command));
}

static const char *in(const char *above, const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", above, name);
	return path;
}

/* As by another command. */
static int find(const char *path, const char *name, bool *lives)
{
	int parent = directory_parent_open(path, false);
	struct directory directory;
	int err = directory_find(&directory, parent, name, lives);

	if (!err)
		directory_close(&directory);
	close(parent);
	return err;
}

/* Starts a controller that waits. */
static pid_t start(const char *path, const char *name)
{
	int ready[2];
	char byte;
	pid_t pid;

	if (pipe(ready))
		return -1;
	pid = fork();
	if (!pid) {
		struct directory directory;
		int parent = directory_parent_open(path, false);

		if (directory_take(&directory, parent, name) ||
		    endpoint_listen(&directory) < 0 ||
		    write(ready[1], "", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		pid = -1;
	close(ready[0]);
	return pid;
}

static void kill_and_wait(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

TEST_F(place, a_machine_lives_while_its_directory_is_taken)
{
	bool lives = false;

	ASSERT_EQ(0, directory_take(&self->directory, self->parent, "web"));
	EXPECT_EQ(0, find(self->path, "web", &lives));
	EXPECT_TRUE(lives);
	EXPECT_EQ(0, directory_erase(&self->directory));
	directory_close(&self->directory);
	EXPECT_EQ(-ENOENT, find(self->path, "web", &lives));
}

TEST_F(place, a_name_is_taken_once)
{
	struct directory second;
	int parent = directory_parent_open(self->path, false);

	ASSERT_EQ(0, directory_take(&self->directory, self->parent, "web"));
	EXPECT_EQ(-EBUSY, directory_take(&second, parent, "web"));
	EXPECT_EQ(0, directory_take(&second, parent, "wiki"));
	close(parent);
}

TEST_F(place, an_end_is_kept_until_it_is_removed)
{
	struct directory again;
	bool lives = true;
	size_t size;
	char *text;

	ASSERT_EQ(0, directory_take(&self->directory, self->parent, "web"));
	EXPECT_GE(endpoint_listen(&self->directory), 0);
	ASSERT_EQ(0, directory_write(&self->directory, DIRECTORY_END, "{}", 2));
	directory_settle(&self->directory);
	directory_close(&self->directory);
	ASSERT_EQ(0, directory_find(&again, self->parent, "web", &lives));
	EXPECT_FALSE(lives);
	EXPECT_FALSE(directory_has(&again, DIRECTORY_SOCKET));
	text = directory_read(&again, DIRECTORY_END, 2, &size);
	ASSERT_NE(NULL, text);
	EXPECT_STREQ("{}", text);
	free(text);
	directory_close(&again);
	EXPECT_EQ(0, directory_remove(self->parent, "web"));
	EXPECT_EQ(-ENOENT, directory_remove(self->parent, "web"));
}

TEST_F(place, a_start_removes_what_the_last_one_left)
{
	ASSERT_EQ(0, directory_take(&self->directory, self->parent, "web"));
	ASSERT_EQ(0, directory_write(&self->directory, DIRECTORY_END, "{}", 2));
	directory_settle(&self->directory);
	directory_close(&self->directory);
	ASSERT_EQ(0, directory_take(&self->directory, self->parent, "web"));
	EXPECT_FALSE(directory_has(&self->directory, DIRECTORY_END));
}

TEST_F(place, one_that_lives_is_not_removed)
{
	int parent = directory_parent_open(self->path, false);

	ASSERT_EQ(0, directory_take(&self->directory, self->parent, "web"));
	EXPECT_EQ(-EBUSY, directory_remove(parent, "web"));
	directory_sweep(parent);
	EXPECT_EQ(0, faccessat(parent, "web", F_OK, 0));
	close(parent);
}

TEST_F(place, what_a_killed_controller_left_is_removed_when_it_is_looked_for)
{
	pid_t pid = start(self->path, "web");
	bool lives = false;

	ASSERT_GT(pid, 0);
	EXPECT_EQ(0, find(self->path, "web", &lives));
	EXPECT_TRUE(lives);
	kill_and_wait(pid);
	EXPECT_EQ(-EOWNERDEAD, find(self->path, "web", &lives));
	EXPECT_EQ(-ENOENT, find(self->path, "web", &lives));
	EXPECT_NE(0, faccessat(self->parent, "web", F_OK, 0));
}

TEST_F(place, a_killed_controllers_name_can_be_taken)
{
	pid_t pid = start(self->path, "web");

	ASSERT_GT(pid, 0);
	kill_and_wait(pid);
	EXPECT_EQ(0, directory_take(&self->directory, self->parent, "web"));
	EXPECT_FALSE(directory_has(&self->directory, DIRECTORY_SOCKET));
}

TEST_F(place, a_sweep_removes_what_killed_controllers_left)
{
	pid_t first = start(self->path, "web");
	pid_t second = start(self->path, "wiki");

	kill_and_wait(first);
	directory_sweep(self->parent);
	EXPECT_NE(0, faccessat(self->parent, "web", F_OK, 0));
	EXPECT_EQ(0, faccessat(self->parent, "wiki", F_OK, 0));
	kill_and_wait(second);
}

TEST_F(place, a_machine_without_a_name_gets_the_first_that_is_free)
{
	struct directory second;

	ASSERT_EQ(0, directory_take(&self->directory, self->parent, NULL));
	EXPECT_STREQ("machine-1", self->directory.name);
	ASSERT_EQ(0, directory_take(&second, self->parent, NULL));
	EXPECT_STREQ("machine-2", second.name);
}

TEST_F(place, names_lead_nowhere_else)
{
	static const char *const names[] = { "",     ".",    "..",  "../lodge",
					     "/tmp", "a/b",  ".a",  "-a",
					     "a b",  "a\nb", "\xff" };
	char longest[LODGE_NAME_SIZE + 1];
	bool lives;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		EXPECT_EQ(-EINVAL, directory_take(&self->directory,
						  self->parent, names[i]));
		EXPECT_EQ(-ENOENT, find(self->path, names[i], &lives));
		EXPECT_EQ(-ENOENT, directory_remove(self->parent, names[i]));
	}
	memset(longest, 'a', LODGE_NAME_SIZE);
	longest[LODGE_NAME_SIZE] = '\0';
	EXPECT_EQ(-EINVAL,
		  directory_take(&self->directory, self->parent, longest));
	longest[LODGE_NAME_SIZE - 1] = '\0';
	EXPECT_EQ(0, directory_take(&self->directory, self->parent, longest));
}

TEST_F(place, the_parent_is_made_for_its_user_alone)
{
	struct stat status;

	ASSERT_EQ(0, fstat(self->parent, &status));
	EXPECT_EQ(0700, status.st_mode & 0777);
}

TEST_F(place, a_parent_that_others_may_enter_is_refused)
{
	ASSERT_EQ(0, chmod(self->path, 0750));
	EXPECT_EQ(-EPERM, directory_parent_open(self->path, true));
}

TEST_F(place, a_parent_below_what_others_may_write_is_refused)
{
	ASSERT_EQ(0, chmod(self->above, 0777 | S_ISVTX));
	EXPECT_EQ(-EPERM, directory_parent_open(self->path, true));
}

TEST_F(place, a_parent_of_another_user_is_refused)
{
	if (geteuid())
		SKIP(return, "only root gives files away");
	ASSERT_EQ(0, chown(self->path, OTHER_USER, OTHER_USER));
	EXPECT_EQ(-EPERM, directory_parent_open(self->path, true));
}

TEST_F(place, a_parent_that_is_a_link_is_refused)
{
	ASSERT_EQ(0, rename(self->path, in(self->above, "elsewhere")));
	ASSERT_EQ(0, symlink("elsewhere", self->path));
	EXPECT_EQ(-EPERM, directory_parent_open(self->path, true));
}

TEST_F(place, an_absent_parent_is_made_only_on_demand)
{
	ASSERT_EQ(0, rmdir(self->path));
	EXPECT_EQ(-ENOENT, directory_parent_open(self->path, false));
	EXPECT_NE(0, access(self->path, F_OK));
}

TEST_F(place, a_directory_that_is_a_link_is_neither_followed_nor_emptied)
{
	bool lives;

	ASSERT_EQ(0, mkdir(in(self->above, "precious"), 0700));
	ASSERT_EQ(0, mkdir(in(self->above, "precious/file"), 0700));
	ASSERT_EQ(0, symlinkat("../precious", self->parent, "web"));
	EXPECT_EQ(-EPERM, find(self->path, "web", &lives));
	EXPECT_EQ(-EPERM,
		  directory_take(&self->directory, self->parent, "web"));
	EXPECT_EQ(-EPERM, directory_remove(self->parent, "web"));
	directory_sweep(self->parent);
	EXPECT_EQ(0, access(in(self->above, "precious/file"), F_OK));
}

TEST_F(place, files_that_are_links_are_not_followed)
{
	struct log *log = NULL;
	size_t size;

	ASSERT_EQ(0, directory_take(&self->directory, self->parent, "web"));
	ASSERT_EQ(0, symlinkat("/etc/passwd", self->directory.fd,
			       DIRECTORY_SERIAL));
	EXPECT_EQ(-ELOOP, log_open(&log, &self->directory, DIRECTORY_SERIAL));
	EXPECT_EQ(NULL, directory_read(&self->directory, DIRECTORY_SERIAL, 10,
				       &size));
	EXPECT_EQ(ELOOP, errno);
}

TEST_F(place, a_file_beyond_its_limit_is_refused)
{
	size_t size;

	ASSERT_EQ(0, directory_take(&self->directory, self->parent, "web"));
	ASSERT_EQ(0, directory_write(&self->directory, "file", "12345", 5));
	EXPECT_EQ(NULL, directory_read(&self->directory, "file", 4, &size));
	EXPECT_EQ(EFBIG, errno);
}

TEST_F(place, the_socket_is_for_its_user_alone_whatever_the_umask)
{
	struct stat status;
	mode_t before = umask(0);

	ASSERT_EQ(0, directory_take(&self->directory, self->parent, "web"));
	EXPECT_GE(endpoint_listen(&self->directory), 0);
	umask(before);
	ASSERT_EQ(0, fstatat(self->directory.fd, DIRECTORY_SOCKET, &status, 0));
	EXPECT_EQ(0600, status.st_mode & 0777);
	ASSERT_EQ(0, fstat(self->directory.fd, &status));
	EXPECT_EQ(0700, status.st_mode & 0777);
}

TEST_F(place, the_socket_is_reached_by_paths_of_any_length)
{
	char name[LODGE_NAME_SIZE];
	bool lives;
	pid_t pid;

	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	pid = start(self->path, name);
	ASSERT_GT(pid, 0);
	ASSERT_EQ(0,
		  directory_find(&self->directory, self->parent, name, &lives));
	EXPECT_GE(endpoint_connect(&self->directory, &(pid_t){ 0 }), 0);
	kill_and_wait(pid);
}

/* Return: a connection from a process of another user, or -errno. */
static int accept_from_other(int listener, const struct directory *directory)
{
	pid_t pid = fork(), server;
	int fd;

	if (!pid) {
		if (setresuid(OTHER_USER, OTHER_USER, OTHER_USER))
			_exit(1);
		endpoint_connect(directory, &server);
		pause();
		_exit(0);
	}
	do {
		fd = endpoint_accept(listener);
	} while (fd == -EAGAIN);
	kill_and_wait(pid);
	return fd;
}

TEST_F(place, a_client_of_another_user_is_refused)
{
	int listener;

	if (geteuid())
		SKIP(return, "only root becomes another user");
	ASSERT_EQ(0, directory_take(&self->directory, self->parent, "web"));
	listener = endpoint_listen(&self->directory);
	ASSERT_GE(listener, 0);
	/* Somebody has opened all doors. */
	ASSERT_EQ(0, fchmod(self->directory.fd, 0777));
	ASSERT_EQ(0, fchmodat(self->directory.fd, DIRECTORY_SOCKET, 0777, 0));
	EXPECT_EQ(-EACCES, accept_from_other(listener, &self->directory));
}

static off_t size_of(const struct directory *directory, const char *file)
{
	struct stat status;

	return fstatat(directory->fd, file, &status, 0) ? 0 : status.st_size;
}

TEST_F(place, a_log_has_the_last_that_was_written_and_is_bounded)
{
	char line[1000];
	struct log *log;
	size_t size;
	char *text;
	off_t sum;

	ASSERT_EQ(0, directory_take(&self->directory, self->parent, "web"));
	ASSERT_EQ(0, log_open(&log, &self->directory, DIRECTORY_SERIAL));
	memset(line, '.', sizeof(line));
	for (int i = 0; i < 5 * LOG_SIZE / (int)sizeof(line); i++)
		log_write(log, line, sizeof(line));
	log_write(log, "the end", 7);
	log_close(log);
	sum = size_of(&self->directory, DIRECTORY_SERIAL) +
	      size_of(&self->directory, DIRECTORY_SERIAL LOG_OLD);
	EXPECT_LE(sum, LOG_SIZE);
	EXPECT_GE(sum, LOG_SIZE / 2);
	text = directory_read(&self->directory, DIRECTORY_SERIAL, LOG_SIZE,
			      &size);
	ASSERT_NE(NULL, text);
	ASSERT_GE(size, 7);
	EXPECT_STREQ("the end", text + size - 7);
	free(text);
}

TEST_F(place, a_log_does_not_keep_its_machine_alive)
{
	struct log *log;
	bool lives = true;

	ASSERT_EQ(0, directory_take(&self->directory, self->parent, "web"));
	ASSERT_EQ(0, log_open(&log, &self->directory, DIRECTORY_MESSAGES));
	ASSERT_EQ(0, directory_write(&self->directory, DIRECTORY_END, "{}", 2));
	directory_settle(&self->directory);
	directory_close(&self->directory);
	EXPECT_EQ(0, find(self->path, "web", &lives));
	EXPECT_FALSE(lives);
	log_close(log);
}

TEST(a_user_without_a_runtime_directory_has_no_place)
{
	char path[PATH_MAX];

	if (!geteuid())
		ASSERT_EQ(0, setresuid(OTHER_USER, OTHER_USER, OTHER_USER));
	unsetenv("XDG_RUNTIME_DIR");
	EXPECT_EQ(-ENOENT, directory_parent_path(path));
	setenv("XDG_RUNTIME_DIR", "relative", 1);
	EXPECT_EQ(-ENOENT, directory_parent_path(path));
	setenv("XDG_RUNTIME_DIR", "/run/user/1", 1);
	EXPECT_EQ(0, directory_parent_path(path));
	EXPECT_STREQ("/run/user/1/lodge", path);
}

TEST(the_place_of_root_is_not_chosen_by_its_environment)
{
	char path[PATH_MAX];

	if (geteuid())
		SKIP(return, "not root");
	setenv("XDG_RUNTIME_DIR", "/run/user/1", 1);
	EXPECT_EQ(0, directory_parent_path(path));
	EXPECT_STREQ("/run/lodge", path);
}

TEST_HARNESS_MAIN
