// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of who may open a disk's file, and of what is said to the others.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "disk/disk.h"
#include "disk/overlay.h"

FIXTURE(opened)
{
	struct loop *loop;
	struct disk *first;
	struct disk *second;
	char file[64];
	char path[64];
	char why[256];
};

static struct disk *open_disk(FIXTURE_DATA(opened) * self, bool read_only,
			      bool snapshot)
{
	struct disk_options options = { .path = self->path,
					.read_only = read_only,
					.snapshot = snapshot };

	self->why[0] = '\0';
	return disk_open(self->loop, &options, self->why, sizeof(self->why));
}

FIXTURE_SETUP(opened)
{
	int fd;

	strcpy(self->file, "/var/tmp/lodge-test.XXXXXX");
	fd = mkostemp(self->file, O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, 1 << 20));
	close(fd);
	strcpy(self->path, self->file);
	self->loop = loop_new();
	ASSERT_NE(NULL, self->loop);
}

FIXTURE_TEARDOWN(opened)
{
	disk_close(self->first);
	disk_close(self->second);
	loop_free(self->loop);
	/* A test may name another path, which is not its own. */
	unlink(self->file);
}

TEST_F(opened, a_writer_admits_nobody)
{
	self->first = open_disk(self, false, false);
	ASSERT_NE(NULL, self->first);
	EXPECT_EQ(NULL, open_disk(self, false, false));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_NE(NULL, strstr(self->why, "another disk of this machine"));
	EXPECT_EQ(NULL, open_disk(self, true, false));
	EXPECT_EQ(NULL, open_disk(self, false, true));
}

TEST_F(opened, readers_admit_readers_and_no_writer)
{
	self->first = open_disk(self, true, false);
	ASSERT_NE(NULL, self->first);
	self->second = open_disk(self, false, true);
	ASSERT_NE(NULL, self->second);
	EXPECT_EQ(NULL, open_disk(self, false, false));
	EXPECT_EQ(EBUSY, errno);
}

TEST_F(opened, a_writer_that_lends_its_file_admits_readers_and_no_writer)
{
	self->first = open_disk(self, false, false);
	ASSERT_NE(NULL, self->first);
	ASSERT_EQ(0, disk_lend(self->first, true));
	EXPECT_EQ(NULL, open_disk(self, false, false));
	EXPECT_EQ(EBUSY, errno);
	self->second = open_disk(self, false, true);
	ASSERT_NE(NULL, self->second);
	EXPECT_EQ(-EBUSY, disk_lend(self->first, false));
	/* It is lent as before. */
	disk_close(self->second);
	self->second = open_disk(self, true, false);
	ASSERT_NE(NULL, self->second);
	disk_close(self->second);
	self->second = NULL;
	ASSERT_EQ(0, disk_lend(self->first, false));
	EXPECT_EQ(NULL, open_disk(self, true, false));
	EXPECT_EQ(EBUSY, errno);
}

TEST_F(opened, one_that_only_reads_lends_its_file_always)
{
	self->first = open_disk(self, true, false);
	ASSERT_NE(NULL, self->first);
	self->second = open_disk(self, false, true);
	ASSERT_NE(NULL, self->second);
	EXPECT_EQ(0, disk_lend(self->first, true));
	EXPECT_EQ(0, disk_lend(self->first, false));
	EXPECT_EQ(0, disk_lend(self->second, true));
	EXPECT_EQ(0, disk_lend(self->second, false));
}

TEST_F(opened, a_disk_that_was_closed_is_free_again)
{
	self->first = open_disk(self, false, false);
	ASSERT_NE(NULL, self->first);
	disk_close(self->first);
	self->first = open_disk(self, false, false);
	EXPECT_NE(NULL, self->first);
}

TEST_F(opened, the_process_that_has_it_is_named)
{
	char expected[32];
	int ready[2], end[2], status;
	char byte = 0;
	pid_t child;

	ASSERT_EQ(0, pipe(ready));
	ASSERT_EQ(0, pipe(end));
	child = fork();
	if (!child) {
		close(end[1]);
		if (!open_disk(self, false, false) ||
		    write(ready[1], &byte, 1) != 1)
			_exit(1);
		_exit(read(end[0], &byte, 1) != 0);
	}
	ASSERT_LT(0, child);
	ASSERT_EQ(1, read(ready[0], &byte, 1));
	EXPECT_EQ(NULL, open_disk(self, false, false));
	snprintf(expected, sizeof(expected), "process %d;", child);
	EXPECT_NE(NULL, strstr(self->why, expected))
	{
		TH_LOG("%s", self->why);
	}
	close(end[1]);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	self->first = open_disk(self, false, false);
	EXPECT_NE(NULL, self->first);
}

/* What QEMU 7.2 does for an image that it writes: see its block/file-posix.c. */
TEST_F(opened, the_locks_are_those_of_qemu)
{
	struct flock lock = { .l_type = F_RDLCK,
			      .l_whence = SEEK_SET,
			      .l_start = 101,
			      .l_len = 1 };
	int fd = open(self->path, O_RDWR | O_CLOEXEC);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fcntl(fd, F_OFD_SETLK, &lock));
	EXPECT_EQ(NULL, open_disk(self, true, false));
	lock.l_type = F_UNLCK;
	ASSERT_EQ(0, fcntl(fd, F_OFD_SETLK, &lock));
	self->first = open_disk(self, true, false);
	ASSERT_NE(NULL, self->first);
	lock.l_type = F_WRLCK;
	lock.l_start = 201;
	ASSERT_EQ(0, fcntl(fd, F_OFD_GETLK, &lock));
	EXPECT_EQ(F_RDLCK, lock.l_type);
	close(fd);
}

TEST_F(opened, a_directory_or_a_pipe_is_no_disk)
{
	ASSERT_EQ(0, unlink(self->path));
	ASSERT_EQ(0, mkfifo(self->path, 0600));
	EXPECT_EQ(NULL, open_disk(self, true, false));
	EXPECT_NE(NULL, strstr(self->why, "neither a file nor a block device"));
	EXPECT_EQ(NULL, open_disk(self, false, false));
	strcpy(self->path, "/var/tmp");
	EXPECT_EQ(NULL, open_disk(self, true, false));
	EXPECT_NE(NULL, strstr(self->why, "neither a file nor a block device"));
	EXPECT_EQ(NULL, open_disk(self, false, false));
	EXPECT_EQ(EISDIR, errno);
	strcpy(self->path, "/dev/null");
	EXPECT_EQ(NULL, open_disk(self, true, false));
}

TEST_F(opened, a_file_that_is_not_there_gets_a_remedy)
{
	ASSERT_EQ(0, unlink(self->path));
	EXPECT_EQ(NULL, open_disk(self, false, false));
	EXPECT_EQ(ENOENT, errno);
	EXPECT_NE(NULL, strstr(self->why, "truncate"));
}

TEST_F(opened, a_snapshot_needs_a_place)
{
	setenv("TMPDIR", "/nowhere", 1);
	EXPECT_EQ(NULL, open_disk(self, false, true));
	EXPECT_NE(NULL, strstr(self->why, "/nowhere"));
	EXPECT_NE(NULL, strstr(self->why, "TMPDIR"));
}

/* Return: how many bytes from @offset on are together; @here: in the temporary file. */
static uint64_t run_of(const struct overlay *overlay, uint64_t offset,
		       uint64_t bytes, bool *here)
{
	*here = overlay_place(overlay, false, &offset, &bytes) >= 0;
	return bytes;
}

TEST(runs_of_blocks_end_where_the_place_changes)
{
	char why[256];
	struct overlay *overlay =
		overlay_new(1024 * 512, 512, why, sizeof(why));
	bool here;

	ASSERT_NE(NULL, overlay);
	EXPECT_EQ(1024 * 512, run_of(overlay, 0, 1024 * 512, &here));
	EXPECT_FALSE(here);
	overlay_add(overlay, 60 * 512, 140 * 512);
	EXPECT_EQ(60 * 512, run_of(overlay, 0, 1024 * 512, &here));
	EXPECT_FALSE(here);
	EXPECT_EQ(140 * 512, run_of(overlay, 60 * 512, 900 * 512, &here));
	EXPECT_TRUE(here);
	EXPECT_EQ(8 * 512, run_of(overlay, 64 * 512, 8 * 512, &here));
	EXPECT_TRUE(here);
	EXPECT_EQ(824 * 512, run_of(overlay, 200 * 512, 824 * 512, &here));
	EXPECT_FALSE(here);
	overlay_add(overlay, 1023 * 512, 512);
	EXPECT_EQ(823 * 512, run_of(overlay, 200 * 512, 824 * 512, &here));
	EXPECT_EQ(512, run_of(overlay, 1023 * 512, 512, &here));
	EXPECT_TRUE(here);
	overlay_free(overlay);
}

TEST_HARNESS_MAIN
