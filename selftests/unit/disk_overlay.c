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
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk/disk.h"

#include "kselftest_harness.h"

#define BLOCK 512
/* Not a whole number of words of the overlay's map. */
#define BLOCKS 200
#define SIZE (BLOCKS * BLOCK)
#define TURNS 3000
/* Of the disk in the saved file. */
#define SAVED_OFFSET 4096

FIXTURE(overlay)
{
	char path[32];
	struct loop *loop;
	struct disk *disk;
	uint8_t *model;
	uint8_t *kept;
	uint8_t *got;
	uint8_t *base;
	int saved;
};

FIXTURE_VARIANT(overlay)
{
	enum disk_engine engine;
};

FIXTURE_VARIANT_ADD(overlay, threads){ .engine = DISK_ENGINE_THREADS };
FIXTURE_VARIANT_ADD(overlay, uring){ .engine = DISK_ENGINE_URING };

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
					.engine = variant->engine };
	char why[128];
	int fd;

	strcpy(self->path, "/var/tmp/lodge-test.XXXXXX");
	fd = mkostemp(self->path, O_CLOEXEC);
	ASSERT_LE(0, fd);
	self->model = malloc(SIZE);
	self->kept = malloc(SIZE);
	self->got = malloc(SIZE);
	self->base = malloc(SIZE);
	self->saved = -1;
	for (int i = 0; i < SIZE; i++)
		self->model[i] = number(256);
	ASSERT_EQ(SIZE, write(fd, self->model, SIZE));
	memcpy(self->base, self->model, SIZE);
	close(fd);
	self->loop = loop_new();
	self->disk = disk_open(self->loop, &options, why, sizeof(why));
	if (!self->disk && variant->engine == DISK_ENGINE_URING)
		SKIP(return, "%s", why);
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
	free(self->base);
	if (self->saved >= 0)
		close(self->saved);
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

/* Writes, and keeps and puts back what is there, by chance. */
static void work(struct __test_metadata *_metadata,
		 FIXTURE_DATA(overlay) * self)
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

/* Lets the disk begin with some blocks of a saved one. */
static void begin_with_saved(struct __test_metadata *_metadata,
			     FIXTURE_DATA(overlay) * self)
{
	struct overlay *overlay = disk_overlay(self->disk);

	self->saved = memfd_create("saved", MFD_CLOEXEC);
	for (int i = 0; i < SIZE; i++)
		self->got[i] = number(256);
	ASSERT_EQ(SIZE, pwrite(self->saved, self->got, SIZE, SAVED_OFFSET));
	overlay_set_saved(overlay, self->saved, SAVED_OFFSET);
	for (unsigned int block = number(5), count; block < BLOCKS;
	     block += count + 1 + number(5)) {
		count = 1 + number(number(4) ? 4 : 90);
		if (count > BLOCKS - block)
			count = BLOCKS - block;
		overlay_add_saved(overlay, block, count);
		memcpy(self->model + block * BLOCK, self->got + block * BLOCK,
		       count * BLOCK);
	}
}

/* True if the overlay has all blocks that differ from the disk's file, and as they are. */
static bool tells_of_all(FIXTURE_DATA(overlay) * self)
{
	const struct overlay *overlay = disk_overlay(self->disk);
	uint64_t block = 0, count;

	memcpy(self->got, self->base, SIZE);
	while (overlay_next(overlay, &block, &count)) {
		if (overlay_read(overlay, block * BLOCK,
				 self->got + block * BLOCK, count * BLOCK))
			return false;
		block += count;
	}
	return !memcmp(self->got, self->model, SIZE);
}

TEST_F(overlay, writes_since_it_was_kept_are_undone)
{
	work(_metadata, self);
}

TEST_F(overlay, what_was_saved_shows_until_it_is_written)
{
	begin_with_saved(_metadata, self);
	ASSERT_TRUE(is_as_modelled(self));
	ASSERT_TRUE(tells_of_all(self));
	for (int i = 0; i < 200; i++) {
		ASSERT_EQ(0, change(self));
		ASSERT_TRUE(is_as_modelled(self));
		ASSERT_TRUE(tells_of_all(self));
	}
}

TEST_F(overlay, and_comes_back_with_what_was_kept)
{
	begin_with_saved(_metadata, self);
	work(_metadata, self);
	EXPECT_TRUE(tells_of_all(self));
}

TEST_F(overlay, the_saved_file_is_not_written)
{
	uint8_t *before = malloc(SIZE);

	begin_with_saved(_metadata, self);
	memcpy(before, self->got, SIZE);
	for (int i = 0; i < 50; i++)
		ASSERT_EQ(0, change(self));
	ASSERT_EQ(SIZE, pread(self->saved, self->got, SIZE, SAVED_OFFSET));
	EXPECT_EQ(0, memcmp(before, self->got, SIZE));
	free(before);
}

TEST_F(overlay, what_the_saved_file_has_lost_is_an_error)
{
	struct overlay *overlay = disk_overlay(self->disk);

	self->saved = memfd_create("saved", MFD_CLOEXEC);
	overlay_set_saved(overlay, self->saved, SAVED_OFFSET);
	overlay_add_saved(overlay, 1, 1);
	EXPECT_EQ(0, carry_out(self, DISK_READ, self->got, 0, 1));
	EXPECT_EQ(-EIO, carry_out(self, DISK_READ, self->got, 1, 1));
	EXPECT_EQ(-ENODATA, overlay_read(overlay, BLOCK, self->got, BLOCK));
	EXPECT_EQ(-EINVAL, overlay_read(overlay, 0, self->got, BLOCK));
}

/* Return: bytes that the temporary file takes on the disk. */
static uint64_t taken(FIXTURE_DATA(overlay) * self)
{
	uint64_t place = 0, bytes = BLOCK;
	int fd = overlay_place(disk_overlay(self->disk), true, &place, &bytes);
	struct stat st;

	return fsync(fd) || fstat(fd, &st) ? UINT64_MAX : st.st_blocks * 512ULL;
}

TEST_F(overlay, a_block_takes_room_once_when_what_there_is_was_kept)
{
	struct overlay *overlay = disk_overlay(self->disk);

	for (int i = 0; i < 4; i++) {
		for (int at = 0; at < SIZE; at++)
			self->model[at] = number(256);
		ASSERT_EQ(0,
			  carry_out(self, DISK_WRITE, self->model, 0, BLOCKS));
		EXPECT_LE(i ? 2 * SIZE : SIZE, taken(self));
		ASSERT_EQ(0, overlay_keep(overlay));
		EXPECT_GT(SIZE + SIZE / 4, taken(self));
		ASSERT_TRUE(is_as_modelled(self));
	}
	/* Blocks that were not written stay where they are. */
	ASSERT_EQ(0,
		  carry_out(self, DISK_WRITE, self->model + 8 * BLOCK, 8, 100));
	ASSERT_EQ(0, overlay_keep(overlay));
	EXPECT_TRUE(is_as_modelled(self));
	EXPECT_GT(SIZE + SIZE / 4, taken(self));
}

TEST_F(overlay, nothing_is_put_back_that_was_not_kept)
{
	ASSERT_EQ(0, change(self));
	overlay_put_back(disk_overlay(self->disk));
	EXPECT_TRUE(is_as_modelled(self));
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
	uint64_t once;

	ASSERT_EQ(0, write_all(self));
	once = taken(self);
	ASSERT_LE(SIZE, once);
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, overlay_keep(overlay));
		ASSERT_EQ(0, write_all(self));
		EXPECT_LT(once, taken(self));
		overlay_forget(overlay);
		/* The disk is no whole number of the host's blocks. */
		EXPECT_GE(once + 4096, taken(self));
		EXPECT_TRUE(is_as_modelled(self));
		ASSERT_EQ(0, write_all(self));
		EXPECT_GE(once + 4096, taken(self));
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
	EXPECT_GE(4096, taken(self));
	EXPECT_TRUE(is_as_modelled(self));
}

TEST_HARNESS_MAIN
