// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of machines in files, with disks whose own files stay as they are: what the guest
 * has written to them is there when the machine goes on, and when it is saved again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "disk/overlay.h"
#include "machine_fixture.h"
#include "machine/parts.h"
#include "machine/saved.h"
#include "snap/convert.h"
#include "snap/file.h"
#include "virtio/blk.h"

#define CONFIG "{\"kernel\": \"/image\"}"
#define BLOCK 512
#define DISKS 2
/* Neither is a whole number of pages; the first is larger than the pieces of a copy. */
#define LARGE (6 << 20 | 3 * BLOCK)
#define SMALL (9 * BLOCK)
/* The options of virtio-blk by their places. */
#define SNAPSHOT 3

FIXTURE(disks)
{
	char path[DISKS][32];
	uint8_t *model[DISKS];
	uint8_t *got;
	struct machine *machine;
	struct snap_error why;
	struct saved *saved;
	int file;
};

static const size_t sizes[DISKS] = { LARGE, SMALL };
static unsigned int seed = 4711;

static unsigned int number(unsigned int end)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 8) % end;
}

static void want_disks(FIXTURE_DATA(disks) * self, bool snapshot)
{
	struct device_value *values;

	devices_forget(&config.devices);
	devices_default(&config.devices);
	for (int i = 0; i < DISKS; i++) {
		values = devices_want(&config.devices, &virtio_blk_device);
		devices_set_text(&values[0], self->path[i]);
		devices_set_number(&values[SNAPSHOT], snapshot);
	}
}

FIXTURE_SETUP(disks)
{
	self->file = -1;
	self->got = malloc(LARGE);
	for (int i = 0; i < DISKS; i++) {
		int fd;

		strcpy(self->path[i], "/var/tmp/lodge-test.XXXXXX");
		fd = mkostemp(self->path[i], O_CLOEXEC);
		ASSERT_LE(0, fd);
		self->model[i] = malloc(sizes[i]);
		for (size_t at = 0; at < sizes[i]; at++)
			self->model[i][at] = number(256);
		ASSERT_EQ(sizes[i], write(fd, self->model[i], sizes[i]));
		close(fd);
	}
	describe(guest_exits, 1);
	want_disks(self, true);
	ASSERT_EQ(0, machine_new(&self->machine, &config, &error));
}

FIXTURE_TEARDOWN(disks)
{
	machine_free(self->machine);
	saved_close(self->saved);
	devices_forget(&config.devices);
	for (int i = 0; i < DISKS; i++) {
		unlink(self->path[i]);
		free(self->model[i]);
	}
	free(self->got);
	close(self->file);
	close(image);
}

static struct overlay *overlay_of(FIXTURE_DATA(disks) * self, int disk)
{
	return virtio_blk_device.overlay(
		devices_get(self->machine->devices, &virtio_blk_device, disk));
}

static void put_back(FIXTURE_DATA(disks) * self)
{
	for (int i = 0; i < DISKS; i++)
		virtio_blk_device.put_back(devices_get(self->machine->devices,
						       &virtio_blk_device, i));
}

/* Writes blocks, as a request of the guest. */
static void write_blocks(struct __test_metadata *_metadata,
			 FIXTURE_DATA(disks) * self, int disk, size_t block,
			 size_t count)
{
	struct overlay *overlay = overlay_of(self, disk);
	uint8_t *model = self->model[disk] + block * BLOCK;

	for (size_t i = 0; i < count * BLOCK; i++)
		model[i] = number(256);
	for (size_t done = 0; done < count * BLOCK;) {
		uint64_t place = block * BLOCK + done,
			 bytes = count * BLOCK - done;
		int fd = overlay_place(overlay, true, &place, &bytes);

		ASSERT_EQ(bytes, pwrite(fd, model + done, bytes, place));
		done += bytes;
	}
	overlay_add(overlay, block * BLOCK, count * BLOCK);
}

/* True if the guest would read what it has written, and else what the file has. */
static bool is_as_modelled(FIXTURE_DATA(disks) * self, int disk)
{
	const struct overlay *overlay = overlay_of(self, disk);
	uint64_t block = 0, count;
	int fd = open(self->path[disk], O_RDONLY | O_CLOEXEC), err = 0;

	if (pread(fd, self->got, sizes[disk], 0) != (ssize_t)sizes[disk])
		err = -EIO;
	close(fd);
	while (!err && overlay_next(overlay, &block, &count)) {
		err = overlay_read(overlay, block * BLOCK,
				   self->got + block * BLOCK, count * BLOCK);
		block += count;
	}
	return !err && !memcmp(self->got, self->model[disk], sizes[disk]);
}

/* Writes runs of blocks by chance: single ones, and some that are longer than a piece. */
static void work(struct __test_metadata *_metadata, FIXTURE_DATA(disks) * self)
{
	const size_t blocks = LARGE / BLOCK;

	for (int i = 0; i < 60; i++) {
		size_t block = number(blocks);
		size_t count = 1 + number(number(8) ? 12 : 4000);

		if (count > blocks - block)
			count = blocks - block;
		write_blocks(_metadata, self, 0, block, count);
	}
	write_blocks(_metadata, self, 0, blocks - 1, 1);
	write_blocks(_metadata, self, 1, 1 + number(7), 1);
}

/* Return: a file with the machine. */
static int save(struct __test_metadata *_metadata, FIXTURE_DATA(disks) * self)
{
	int file = memfd_create("saved", MFD_CLOEXEC);

	ASSERT_EQ(0, saved_write(self->machine, file, CONFIG, NULL, &self->why))
	TH_LOG("%s", self->why.text);
	return file;
}

/* Lets another machine go on from a file, which stays open.  Return: 0 or -errno. */
static int go_on(FIXTURE_DATA(disks) * self, int file)
{
	int err;

	machine_free(self->machine);
	self->machine = NULL;
	saved_close(self->saved);
	self->saved = NULL;
	if (self->file >= 0)
		close(self->file);
	self->file = file;
	err = saved_open(&self->saved, file, &self->why);
	if (err)
		return err;
	config.saved = saved_state(self->saved);
	err = machine_new(&self->machine, &config, &error);
	if (err)
		self->machine = NULL;
	return err;
}

/* The same, where all must be as it was. */
static void go_on_rightly(struct __test_metadata *_metadata,
			  FIXTURE_DATA(disks) * self, int file)
{
	ASSERT_EQ(0, go_on(self, file))
	TH_LOG("%s %s", self->why.text, error.device.reason);
	EXPECT_EQ(0, saved_check(self->saved, &self->why));
	ASSERT_TRUE(is_as_modelled(self, 0));
	ASSERT_TRUE(is_as_modelled(self, 1));
}

TEST_F(disks, what_was_written_is_there_however_often_it_is_saved)
{
	for (int i = 0; i < 6; i++) {
		work(_metadata, self);
		go_on_rightly(_metadata, self, save(_metadata, self));
		/* Once, nothing was written between. */
		go_on_rightly(_metadata, self, save(_metadata, self));
	}
}

TEST_F(disks, a_file_has_the_blocks_that_were_written_and_no_others)
{
	const struct snap_overlay *disk;
	uint64_t block = 0, count;
	size_t at = 0;

	write_blocks(_metadata, self, 0, 5, 3);
	write_blocks(_metadata, self, 0, 9, 1);
	go_on_rightly(_metadata, self, save(_metadata, self));
	disk = saved_state(self->saved)->overlays;
	ASSERT_EQ(2, saved_state(self->saved)->nr_overlays);
	EXPECT_EQ(4, disk->blocks);
	ASSERT_TRUE(snap_overlay_next(disk, &at, &block, &count));
	EXPECT_EQ(5, block);
	EXPECT_EQ(3, count);
	block += count;
	ASSERT_TRUE(snap_overlay_next(disk, &at, &block, &count));
	EXPECT_EQ(9, block);
	EXPECT_EQ(1, disk[1].number);
	EXPECT_EQ(SMALL, disk[1].size);
	EXPECT_EQ(0, disk[1].blocks);
}

/* Return: the flags of the section in a file. */
static uint32_t flags_of(struct __test_metadata *_metadata, int fd)
{
	const struct snap_section *section;
	struct snap_error why;
	struct snap_file *file;
	uint32_t flags;

	ASSERT_EQ(0, snap_file_open(&file, fd, &why));
	section = snap_file_section(file, SNAP_OVERLAYS);
	ASSERT_NE(NULL, section);
	flags = section->flags;
	snap_file_free(file);
	return flags;
}

TEST_F(disks, a_reader_may_do_without_the_section_only_if_nothing_was_written)
{
	int file = save(_metadata, self);

	EXPECT_EQ(SNAP_OPTIONAL, flags_of(_metadata, file));
	close(file);
	write_blocks(_metadata, self, 1, 0, 1);
	file = save(_metadata, self);
	EXPECT_EQ(0, flags_of(_metadata, file));
	close(file);
}

TEST_F(disks, a_machine_that_went_on_is_put_back_to_its_checkpoint)
{
	struct device_error device;
	uint8_t *kept = malloc(LARGE);

	work(_metadata, self);
	go_on_rightly(_metadata, self, save(_metadata, self));
	memcpy(kept, self->model[0], LARGE);
	ASSERT_EQ(0, devices_keep(self->machine->devices, &device));
	for (int i = 0; i < 3; i++) {
		work(_metadata, self);
		put_back(self);
		memcpy(self->model[0], kept, LARGE);
		ASSERT_TRUE(is_as_modelled(self, 0));
	}
	free(kept);
}

TEST_F(disks, a_disk_of_another_size_is_refused)
{
	int file;

	write_blocks(_metadata, self, 1, 0, 1);
	file = save(_metadata, self);
	ASSERT_EQ(0, truncate(self->path[1], SMALL + BLOCK));
	EXPECT_EQ(-ESTALE, go_on(self, file));
	EXPECT_EQ(MACHINE_STEP_DEVICES, error.step);
	EXPECT_STREQ("virtio-blk 1", error.device.name);
	EXPECT_STREQ(self->path[1], error.device.thing);
	EXPECT_NE(NULL, strstr(error.device.reason, "another size"));
}

TEST_F(disks, a_disk_that_would_show_its_file_again_is_refused)
{
	int file = save(_metadata, self);

	want_disks(self, false);
	ASSERT_EQ(0, go_on(self, file));
	want_disks(self, true);
	ASSERT_EQ(0, go_on(self, dup(file)));
	write_blocks(_metadata, self, 0, 0, 1);
	file = save(_metadata, self);
	want_disks(self, false);
	EXPECT_EQ(-ESTALE, go_on(self, file));
	EXPECT_EQ(MACHINE_STEP_DEVICES, error.step);
	EXPECT_STREQ("virtio-blk 0", error.device.name);
	EXPECT_NE(NULL, strstr(error.device.reason, "snapshot=on"));
}

TEST_F(disks, a_machine_without_the_disk_is_refused)
{
	int file;

	write_blocks(_metadata, self, 1, 0, 1);
	file = save(_metadata, self);
	devices_forget(&config.devices);
	devices_default(&config.devices);
	EXPECT_EQ(-ESTALE, go_on(self, file));
	EXPECT_EQ(MACHINE_STEP_DEVICES, error.step);
	EXPECT_STREQ("virtio-blk", error.device.thing);
}

/* Return: a file that is made of others; see snap_convert(). */
static int convert(struct __test_metadata *_metadata,
		   FIXTURE_DATA(disks) * self, const int *fds, size_t count,
		   int since, enum snap_form form)
{
	int made = memfd_create("made", MFD_CLOEXEC);
	struct snap_file *files[2] = { 0 }, *base = NULL;
	struct snap_blame blame;

	for (size_t i = 0; i < count; i++)
		ASSERT_EQ(0, snap_file_open(&files[i], fds[i], &self->why));
	if (since >= 0)
		ASSERT_EQ(0, snap_file_open(&base, since, &self->why));
	ASSERT_EQ(0, snap_convert((const struct snap_file *const *)files, count,
				  base, made, form, &blame, &self->why))
	TH_LOG("%s", self->why.text);
	snap_file_free(base);
	for (size_t i = 0; i < count; i++)
		snap_file_free(files[i]);
	return made;
}

TEST_F(disks, a_file_is_packed_and_unpacked)
{
	int file, packed;

	work(_metadata, self);
	file = save(_metadata, self);
	packed = convert(_metadata, self, &file, 1, -1, SNAP_PACKED);
	close(file);
	go_on_rightly(_metadata, self,
		      convert(_metadata, self, &packed, 1, -1, SNAP_PLAIN));
	close(packed);
}

/* Return: pages that a file stores. */
static uint64_t stored(struct __test_metadata *_metadata, int fd)
{
	struct snap_error why;
	struct snap_file *file;
	uint64_t pages;

	ASSERT_EQ(0, snap_file_open(&file, fd, &why));
	pages = file->stored;
	snap_file_free(file);
	return pages;
}

TEST_F(disks, a_file_with_changes_has_those_of_disks_alone)
{
	enum snap_form forms[] = { SNAP_PLAIN, SNAP_PACKED };
	int files[2], whole;

	/* From the first: there, nothing was written. */
	files[0] = save(_metadata, self);
	for (int i = 0; i < 4; i++) {
		work(_metadata, self);
		whole = save(_metadata, self);
		files[1] = convert(_metadata, self, &whole, 1, files[0],
				   forms[i % 2]);
		close(whole);
		whole = convert(_metadata, self, files, 2, -1, SNAP_PLAIN);
		close(files[0]);
		close(files[1]);
		files[0] = dup(whole);
		go_on_rightly(_metadata, self, whole);
	}
	/* Blocks between others move nothing. */
	write_blocks(_metadata, self, 0, 0, 1);
	write_blocks(_metadata, self, 0, 5000, 1);
	whole = save(_metadata, self);
	files[1] = convert(_metadata, self, &whole, 1, files[0], SNAP_PLAIN);
	EXPECT_GE(2, stored(_metadata, files[1]));
	close(files[0]);
	close(files[1]);
	close(whole);
}

TEST_F(disks, what_was_put_back_is_in_no_file_with_changes)
{
	struct device_error device;
	int files[2], whole;
	uint8_t *kept = malloc(LARGE);

	memcpy(kept, self->model[0], LARGE);
	ASSERT_EQ(0, devices_keep(self->machine->devices, &device));
	write_blocks(_metadata, self, 0, 0, 3000);
	files[0] = save(_metadata, self);
	put_back(self);
	memcpy(self->model[0], kept, LARGE);
	free(kept);
	write_blocks(_metadata, self, 1, 0, 1);
	whole = save(_metadata, self);
	files[1] = convert(_metadata, self, &whole, 1, files[0], SNAP_PLAIN);
	close(whole);
	go_on_rightly(_metadata, self,
		      convert(_metadata, self, files, 2, -1, SNAP_PLAIN));
	EXPECT_EQ(0, saved_state(self->saved)->overlays[0].blocks);
	close(files[0]);
	close(files[1]);
}

TEST_F(disks, what_no_file_has_room_for_is_not_written)
{
	int file = memfd_create("saved", MFD_CLOEXEC);

	machine_free(self->machine);
	self->machine = NULL;
	if (truncate(self->path[0], 2ULL << 40) ||
	    machine_new(&self->machine, &config, &error))
		SKIP(return, "no disk of 2 TiB here");
	EXPECT_EQ(-E2BIG,
		  saved_write(self->machine, file, CONFIG, NULL, &self->why));
	EXPECT_NE(NULL, strstr(self->why.text, "2 TiB"));
	close(file);
}

TEST_HARNESS_MAIN
