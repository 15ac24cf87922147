// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of how the file of a saved machine gets its name: whatever ends the writer, there
 * is the old file or the new one, whole.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "snap/file.h"
#include "snap/name.h"
#include "snap_fixture.h"

#define PAGES 3
/* More stops at calls than the writer has. */
#define MAX_STOPS 1000

static const uint8_t salts[PAGES] = { 1, 0, 2 };
static const uint8_t old_id[SNAP_ID_SIZE] = "old";
static const uint8_t new_id[SNAP_ID_SIZE] = "new";

FIXTURE(named)
{
	char folder[64];
	char path[80];
	struct snap_name name;
	struct snap_error error;
};

FIXTURE_SETUP(named)
{
	strcpy(self->folder, "/tmp/lodge-test.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->folder));
	snprintf(self->path, sizeof(self->path), "%s/file", self->folder);
	self->name.fd = -1;
	self->name.folder = -1;
}

/* Counts what is in the folder, and removes it if it is asked to. */
static int list(const FIXTURE_DATA(named) * self, bool remove)
{
	DIR *folder = opendir(self->folder);
	struct dirent *entry;
	int count = 0;

	while ((entry = readdir(folder))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		count++;
		if (remove && unlinkat(dirfd(folder), entry->d_name, 0))
			unlinkat(dirfd(folder), entry->d_name, AT_REMOVEDIR);
	}
	closedir(folder);
	return count;
}

FIXTURE_TEARDOWN(named)
{
	snap_name_drop(&self->name);
	list(self, true);
	rmdir(self->folder);
}

static int write_fd(int fd, const uint8_t *id)
{
	const struct snap_plan plan = {
		.form = SNAP_PLAIN,
		.pages = PAGES,
		.id = id,
	};

	return snap_test_write(fd, &plan, salts);
}

static int write_named(FIXTURE_DATA(named) * self, const uint8_t *id)
{
	int err = snap_name_open(&self->name, self->path, &self->error);

	if (!err)
		err = write_fd(self->name.fd, id);
	return err ? err : snap_name_keep(&self->name, &self->error);
}

/* Return: 0 and the file's id; or why it is refused. */
static int read_id(FIXTURE_DATA(named) * self, uint8_t *id)
{
	int fd = open(self->path, O_RDONLY | O_CLOEXEC), err;
	struct snap_file *file;

	if (fd < 0)
		return -errno;
	err = snap_file_open(&file, fd, &self->error);
	if (!err)
		err = snap_file_check(file, &self->error);
	if (!err)
		memcpy(id, file->id, SNAP_ID_SIZE);
	snap_file_free(file);
	close(fd);
	return err;
}

static bool has_id(FIXTURE_DATA(named) * self, const uint8_t *id)
{
	uint8_t found[SNAP_ID_SIZE];

	return !read_id(self, found) && !memcmp(found, id, SNAP_ID_SIZE);
}

/*
 * Runs @write in a child, which is killed when it has stopped @stops times: before and
 * after each of its system calls.
 *
 * Return: false if it came to its end before.
 */
static bool run_until(FIXTURE_DATA(named) * self,
		      int (*write)(FIXTURE_DATA(named) * self), int stops)
{
	pid_t child = fork();
	int status;

	if (!child) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(write(self) != 0);
	}
	waitpid(child, &status, 0);
	while (WIFSTOPPED(status) && stops--) {
		ptrace(PTRACE_SYSCALL, child, NULL, NULL);
		waitpid(child, &status, 0);
	}
	if (!WIFSTOPPED(status))
		return false;
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	return true;
}

static int write_new(FIXTURE_DATA(named) * self)
{
	return write_named(self, new_id);
}

static int write_unnamed(FIXTURE_DATA(named) * self)
{
	return write_fd(self->name.fd, new_id);
}

TEST_F(named, a_file_has_its_name_when_it_is_kept_and_not_before)
{
	uint8_t id[SNAP_ID_SIZE];
	struct stat st;

	ASSERT_EQ(0, snap_name_open(&self->name, self->path, &self->error));
	ASSERT_EQ(0, write_fd(self->name.fd, new_id));
	EXPECT_EQ(-ENOENT, read_id(self, id));
	ASSERT_EQ(0, snap_name_keep(&self->name, &self->error));
	EXPECT_TRUE(has_id(self, new_id));
	EXPECT_EQ(1, list(self, false));
	ASSERT_EQ(0, stat(self->path, &st));
	EXPECT_EQ(0600, st.st_mode & 07777);
}

TEST_F(named, a_file_that_is_dropped_leaves_the_old_one_and_nothing_else)
{
	ASSERT_EQ(0, write_named(self, old_id));
	ASSERT_EQ(0, snap_name_open(&self->name, self->path, &self->error));
	ASSERT_EQ(0, write_fd(self->name.fd, new_id));
	snap_name_drop(&self->name);
	EXPECT_TRUE(has_id(self, old_id));
	EXPECT_EQ(1, list(self, false));
}

TEST_F(named, a_file_that_has_come_meanwhile_is_not_replaced)
{
	int fd;

	ASSERT_EQ(0, snap_name_open(&self->name, self->path, &self->error));
	ASSERT_EQ(0, write_fd(self->name.fd, new_id));
	fd = open(self->path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	ASSERT_EQ(0, write_fd(fd, old_id));
	close(fd);
	EXPECT_EQ(-EEXIST, snap_name_keep(&self->name, &self->error));
	EXPECT_NE(NULL, strstr(self->error.text, strerror(EEXIST)));
	EXPECT_TRUE(has_id(self, old_id));
	EXPECT_EQ(1, list(self, false));
}

TEST_F(named, a_writer_that_is_killed_leaves_the_old_file_or_the_new_one)
{
	bool is_new = false;
	int stops = 0;

	ASSERT_EQ(0, write_named(self, old_id));
	while (run_until(self, write_new, stops++)) {
		ASSERT_GT(MAX_STOPS, stops);
		if (is_new || !has_id(self, old_id)) {
			is_new = true;
			ASSERT_TRUE(has_id(self, new_id))
			TH_LOG("stop %d: %s", stops, self->error.text);
		}
	}
	ASSERT_LT(20, stops);
	EXPECT_TRUE(is_new);
}

TEST_F(named, what_a_killed_writer_has_written_is_whole_or_no_file)
{
	bool is_new = false;
	int stops = 0;

	self->name.fd = open(self->path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	ASSERT_LE(0, self->name.fd);
	while (run_until(self, write_unnamed, stops++)) {
		uint8_t id[SNAP_ID_SIZE];
		int err = read_id(self, id);

		ASSERT_GT(MAX_STOPS, stops);
		ASSERT_EQ(is_new ? 0 : err ? -EINVAL : 0, err)
		TH_LOG("stop %d: %s", stops, self->error.text);
		is_new = !err;
		/* The writer begins anew, and the last one may have come far. */
		if (is_new)
			break;
	}
	EXPECT_TRUE(is_new);
	ASSERT_LT(10, stops);
}

/**
 * struct order - what a child has done so far
 * @synced: nothing was written since the file was written to the disk
 * @header: the header was written
 * @renamed: the file has its name
 * @wrong: the first call that came too early, or 0
 */
struct order {
	bool synced;
	bool header;
	bool renamed;
	uint64_t wrong;
};

/* The header needs all else on the disk, and the name the header. */
static void note_call(struct order *order,
		      const struct __ptrace_syscall_info *call)
{
	const uint64_t number = call->entry.nr;
	bool wrong = false;

	switch (number) {
	case SYS_pwrite64:
		wrong = order->header ||
			(!call->entry.args[3] && !order->synced);
		order->header |= !call->entry.args[3];
		order->synced = false;
		break;
	case SYS_ftruncate:
		wrong = order->header;
		order->synced = false;
		break;
	case SYS_fdatasync:
	case SYS_fsync:
		order->synced = true;
		break;
	case SYS_linkat:
	case SYS_renameat:
	case SYS_renameat2:
		wrong = !order->header || !order->synced;
		order->renamed |= number != SYS_linkat;
		order->synced &= number == SYS_linkat;
		break;
	}
	if (wrong && !order->wrong)
		order->wrong = number;
}

TEST_F(named,
       all_is_on_the_disk_before_the_header_and_the_header_before_the_name)
{
	struct __ptrace_syscall_info call;
	struct order order = { 0 };
	pid_t child = fork();
	int status;

	if (!child) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(write_new(self) != 0);
	}
	while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
		ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESYSGOOD);
		if (ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof(call),
			   &call) > 0 &&
		    call.op == PTRACE_SYSCALL_INFO_ENTRY)
			note_call(&order, &call);
		ptrace(PTRACE_SYSCALL, child, NULL, NULL);
	}
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, order.wrong);
	EXPECT_TRUE(order.header);
	EXPECT_TRUE(order.renamed);
	/* The directory is, too. */
	EXPECT_TRUE(order.synced);
}

TEST_F(named, what_is_no_regular_file_is_not_replaced)
{
	ASSERT_EQ(0, symlink("elsewhere", self->path));
	EXPECT_EQ(-EEXIST,
		  snap_name_open(&self->name, self->path, &self->error));
	ASSERT_EQ(0, unlink(self->path));
	ASSERT_EQ(0, mkfifo(self->path, 0600));
	EXPECT_EQ(-EEXIST,
		  snap_name_open(&self->name, self->path, &self->error));
	ASSERT_EQ(0, unlink(self->path));
	ASSERT_EQ(0, mkdir(self->path, 0700));
	EXPECT_EQ(-EISDIR,
		  snap_name_open(&self->name, self->path, &self->error));
	EXPECT_EQ(1, list(self, false));
}

TEST_F(named, a_path_that_names_no_file_is_refused)
{
	char path[PATH_MAX + 100];

	EXPECT_EQ(-EISDIR, snap_name_open(&self->name, "/", &self->error));
	EXPECT_EQ(-EISDIR, snap_name_open(&self->name, "/tmp/", &self->error));
	EXPECT_EQ(-EISDIR,
		  snap_name_open(&self->name, "/tmp/..", &self->error));
	EXPECT_EQ(-EISDIR, snap_name_open(&self->name, "", &self->error));
	EXPECT_EQ(-ENOENT,
		  snap_name_open(&self->name, "/nowhere/file", &self->error));
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	EXPECT_EQ(-ENAMETOOLONG,
		  snap_name_open(&self->name, path, &self->error));
	for (size_t i = 0; i < sizeof(path) - 20; i += 2)
		memcpy(path + i, "./", 2);
	EXPECT_EQ(-ENAMETOOLONG,
		  snap_name_open(&self->name, path, &self->error));
}

TEST_HARNESS_MAIN
