// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of a disk whose file must not change: what was kept comes back, whatever was
 * written since, against a copy of the disk.
 */
#include "disk/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk/disk.h"

#include "kselftest_harness.h"

#define BLOCK 512
/* Not a whole number of words of the overlay's map. */
#define BLOCKS 200
#define SIZE (BLOCKS * BLOCK)
#define TURNS 3000

FIXTURE(overlay)
{
	char path[32];
	struct loop *loop;
	struct disk *disk;
	uint8_t *model;
	uint8_t *kept;
	uint8_t *got;
};

static unsigned int seed = 4711;

static unsigned int number(unsigned int end)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 8) % end;
}

FIXTURE_SETUP(overlay)
{
	struct disk_options options = { .path = self->path,
					.snapshot = true,
					.engine = DISK_ENGINE_THREADS };
	char why[128];
	int fd;

	strcpy(self->path, "/var/tmp/lodge-test.XXXXXX");
	fd = mkostemp(self->path, O_CLOEXEC);
	ASSERT_LE(0, fd);
	self->model = malloc(SIZE);
	self->kept = malloc(SIZE);
	self->got = malloc(SIZE);
	for (int i = 0; i < SIZE; i++)
		self->model[i] = number(256);
	ASSERT_EQ(SIZE, write(fd, self->model, SIZE));
	close(fd);
	self->loop = loop_new();
	self->disk = disk_open(self->loop, &options, why, sizeof(why));
	ASSERT_NE(NULL, self->disk);
}

FIXTURE_TEARDOWN(overlay)
{
	disk_close(self->disk);
	loop_free(self->loop);
	unlink(self->path);
	free(self->model);
	free(self->kept);
	free(self->got);
}

struct asked {
	struct disk_request request;
	int error;
};

static void done(struct disk_request *request, int error)
{
	((struct asked *)request)->error = error;
}

/* Return: 0 or -errno. */
static int carry_out(FIXTURE_DATA(overlay) * self, enum disk_op op, void *bytes,
		     unsigned int block, unsigned int count)
{
	struct iovec iov = { .iov_base = bytes,
			     .iov_len = (size_t)count * BLOCK };
	struct asked asked = {
		.request = { .op = op,
			     .offset = (uint64_t)block * BLOCK,
			     .size = (uint64_t)count * BLOCK,
			     .iov = &iov,
			     .nr_iov = bytes ? 1 : 0,
			     .done = done },
		.error = -EINPROGRESS,
	};
	int err = disk_submit(self->disk, &asked.request);

	if (err)
		return err;
	disk_commit(self->disk);
	disk_drain(self->disk);
	return asked.error;
}

static bool is_as_modelled(FIXTURE_DATA(overlay) * self)
{
	return !carry_out(self, DISK_READ, self->got, 0, BLOCKS) &&
	       !memcmp(self->got, self->model, SIZE);
}

/* Return: 0 or -errno. */
static int change(FIXTURE_DATA(overlay) * self)
{
	unsigned int block = number(BLOCKS);
	unsigned int count = 1 + number(BLOCKS - block);
	uint8_t *model = self->model + block * BLOCK;

	if (number(4))
		count = 1 + number(count < 5 ? count : 5);
	if (!number(4)) {
		memset(model, 0, count * BLOCK);
		return carry_out(self, DISK_WRITE_ZEROES, NULL, block, count);
	}
	for (unsigned int i = 0; i < count * BLOCK; i++)
		model[i] = number(256);
	return carry_out(self, DISK_WRITE, model, block, count);
}

TEST_F(overlay, writes_since_it_was_kept_are_undone)
{
	struct overlay *overlay = disk_overlay(self->disk);
	bool keeps = false;

	ASSERT_NE(NULL, overlay);
	for (int i = 0; i < TURNS; i++) {
		unsigned int what = number(20);

		if (!what) {
			ASSERT_EQ(0, overlay_keep(overlay));
			memcpy(self->kept, self->model, SIZE);
			keeps = true;
		} else if (what == 6) {
			overlay_forget(overlay);
			keeps = false;
		} else if (what < 3 && keeps) {
			overlay_put_back(overlay);
			memcpy(self->model, self->kept, SIZE);
		} else {
			ASSERT_EQ(0, change(self));
		}
		if (what < 7)
			ASSERT_TRUE(is_as_modelled(self));
	}
	EXPECT_TRUE(is_as_modelled(self));
}

TEST_F(overlay, nothing_is_put_back_that_was_not_kept)
{
	ASSERT_EQ(0, change(self));
	overlay_put_back(disk_overlay(self->disk));
	EXPECT_TRUE(is_as_modelled(self));
}

/* Return: the bytes that the host has for the overlay. */
static long long stored(FIXTURE_DATA(overlay) * self)
{
	struct stat st;

	if (fstat(overlay_fd(disk_overlay(self->disk)), &st))
		return -errno;
	return st.st_blocks * 512LL;
}

/* Return: 0 or -errno. */
static int write_all(FIXTURE_DATA(overlay) * self)
{
	for (int i = 0; i < SIZE; i++)
		self->model[i] = number(256);
	return carry_out(self, DISK_WRITE, self->model, 0, BLOCKS);
}

TEST_F(overlay, what_is_forgotten_takes_no_room)
{
	struct overlay *overlay = disk_overlay(self->disk);
	long long once;

	ASSERT_EQ(0, write_all(self));
	once = stored(self);
	ASSERT_LE(SIZE, once);
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, overlay_keep(overlay));
		ASSERT_EQ(0, write_all(self));
		EXPECT_LT(once, stored(self));
		overlay_forget(overlay);
		/* The disk is no whole number of the host's blocks. */
		EXPECT_GE(once + 4096, stored(self));
		EXPECT_TRUE(is_as_modelled(self));
		ASSERT_EQ(0, write_all(self));
		EXPECT_GE(once + 4096, stored(self));
		EXPECT_TRUE(is_as_modelled(self));
	}
}

TEST_F(overlay, what_was_put_back_and_forgotten_takes_no_room)
{
	struct overlay *overlay = disk_overlay(self->disk);

	ASSERT_EQ(0, overlay_keep(overlay));
	memcpy(self->kept, self->model, SIZE);
	ASSERT_EQ(0, write_all(self));
	overlay_put_back(overlay);
	memcpy(self->model, self->kept, SIZE);
	overlay_forget(overlay);
	EXPECT_GE(4096, stored(self));
	EXPECT_TRUE(is_as_modelled(self));
}

TEST_HARNESS_MAIN
