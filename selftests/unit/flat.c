// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of flat binaries, of reading files, and of choosing the loader.
 */
#include "boot/flat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot/acpi.h"
#include "boot/detect.h"
#include "elf_image.h"
#include "memfile.h"

#include "kselftest_harness.h"

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

FIXTURE(flat)
{
	struct ram *ram;
	struct place place;
	struct boot_entry entry;
	struct boot_error error;
	struct image image;
};

FIXTURE_SETUP(flat)
{
	self->ram = ram_new(64 * MIB);
	ASSERT_NE(NULL, self->ram);
	self->image =
		(struct image){ .path = "boot.bin", .data = "code", .size = 4 };
}

FIXTURE_TEARDOWN(flat)
{
	ram_free(self->ram);
}

static int load(FIXTURE_DATA(flat) * self, enum flat_mode mode,
		uint64_t address)
{
	place_init(&self->place, self->ram);
	return flat_load(&self->place, &self->image, mode, address,
			 &self->entry, &self->error);
}

TEST_F(flat, the_image_lies_at_its_address)
{
	ASSERT_EQ(0, load(self, FLAT_REAL, 0x7c00));
	EXPECT_EQ(0, memcmp(ram_at(self->ram, 0x7c00, 4), "code", 4));
}

TEST_F(flat, a_boot_sector_starts_at_0000_7c00)
{
	const struct lodge_regs *regs = &self->entry.regs;
	unsigned int i;

	ASSERT_EQ(0, load(self, FLAT_REAL, 0x7c00));
	EXPECT_EQ(0x7c00, regs->general.rip);
	EXPECT_EQ(0x7c00, regs->general.gpr[LODGE_RSP]);
	EXPECT_EQ(0x10, regs->control.cr0);
	EXPECT_EQ(0x3ff, regs->segments.idt.limit);
	EXPECT_EQ(0x9b, regs->segments.seg[LODGE_CS].attr);
	EXPECT_EQ(0x93, regs->segments.seg[LODGE_SS].attr);
	for (i = LODGE_ES; i <= LODGE_GS; i++) {
		EXPECT_EQ(0, regs->segments.seg[i].selector);
		EXPECT_EQ(0, regs->segments.seg[i].base);
		EXPECT_EQ(0xffff, regs->segments.seg[i].limit);
	}
}

TEST_F(flat, a_real_mode_image_above_64_kib_has_segments_of_its_own)
{
	const struct lodge_regs *regs = &self->entry.regs;

	ASSERT_EQ(0, load(self, FLAT_REAL, 0x12345));
	EXPECT_EQ(5, regs->general.rip);
	EXPECT_EQ(0x1234, regs->segments.seg[LODGE_CS].selector);
	EXPECT_EQ(0x12340, regs->segments.seg[LODGE_CS].base);
	EXPECT_EQ(0x1234, regs->segments.seg[LODGE_DS].selector);
	EXPECT_EQ(0, regs->general.gpr[LODGE_RSP]);
}

TEST_F(flat, a_32_bit_image_starts_in_protected_mode)
{
	const struct lodge_regs *regs = &self->entry.regs;

	ASSERT_EQ(0, load(self, FLAT_PROTECTED, 2 * MIB));
	EXPECT_EQ(2 * MIB, regs->general.rip);
	EXPECT_EQ(0x11, regs->control.cr0);
	EXPECT_EQ(0xc9b, regs->segments.seg[LODGE_CS].attr);
	EXPECT_NE(0, regs->general.gpr[LODGE_RSP]);
}

TEST_F(flat, a_64_bit_image_starts_in_long_mode)
{
	const struct lodge_regs *regs = &self->entry.regs;

	ASSERT_EQ(0, load(self, FLAT_LONG, 2 * MIB));
	EXPECT_EQ(2 * MIB, regs->general.rip);
	EXPECT_EQ(0x80000011, regs->control.cr0);
	EXPECT_EQ(0x500, regs->control.efer);
	EXPECT_EQ(0xa9b, regs->segments.seg[LODGE_CS].attr);
}

TEST_F(flat, addresses_that_the_mode_cannot_reach_are_refused)
{
	EXPECT_EQ(-EINVAL, load(self, FLAT_REAL, MIB));
	EXPECT_STREQ("boot.bin: address 0x100000 cannot be entered in this "
		     "mode, only those below 0x100000 can; add :32 or :64 to "
		     "--flat",
		     self->error.text);
	EXPECT_EQ(-EINVAL, load(self, FLAT_PROTECTED, 4 * GIB));
	EXPECT_STREQ("boot.bin: address 0x100000000 cannot be entered in this "
		     "mode, only those below 0x100000000 can",
		     self->error.text);
	EXPECT_EQ(-EINVAL, load(self, FLAT_LONG, 4 * GIB));
	EXPECT_EQ(-EINVAL, load(self, FLAT_LONG, UINT64_MAX));
}

TEST_F(flat, addresses_outside_free_ram_are_refused)
{
	EXPECT_EQ(-ENOSPC, load(self, FLAT_REAL, 0));
	EXPECT_EQ(-ENOSPC, load(self, FLAT_REAL, 0x4fd));
	EXPECT_EQ(-ENOSPC, load(self, FLAT_REAL, 0x9fbfd));
	EXPECT_EQ(-ENOSPC, load(self, FLAT_REAL, 0xf0000));
	EXPECT_EQ(-ENOSPC, load(self, FLAT_PROTECTED, 64 * MIB - 3));
	EXPECT_EQ(-ENOSPC, load(self, FLAT_PROTECTED, UINT32_MAX));
	EXPECT_EQ(0, load(self, FLAT_PROTECTED, 64 * MIB - 4));
}

TEST(a_file_is_read_whole)
{
	const size_t size = 5 * MIB + 3;
	unsigned char *data = malloc(size);
	char path[MEMFILE_PATH_SIZE];
	struct boot_error error;
	struct image image;
	size_t i;
	int fd;

	ASSERT_NE(NULL, data);
	for (i = 0; i < size; i++)
		data[i] = i * 7;
	fd = memfile(data, size, path);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, image_open(&image, path, &error));
	EXPECT_EQ(size, image.size);
	ASSERT_EQ(0, image_hold(&image, &error));
	EXPECT_EQ(0, memcmp(data, image.data, size));
	image_close(&image);
	close(fd);
	free(data);
}

TEST(pieces_of_a_file_are_read_without_holding_it)
{
	char path[MEMFILE_PATH_SIZE], bytes[4] = "";
	struct boot_error error;
	struct image image;
	int fd = memfile("12345678", 8, path);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, image_open(&image, path, &error));
	EXPECT_EQ(NULL, image.data);
	EXPECT_EQ(NULL, image_at(&image, 0, 8));
	EXPECT_EQ(0, image_read(&image, 5, bytes, 3));
	EXPECT_STREQ("678", bytes);
	EXPECT_EQ(-ENODATA, image_read(&image, 6, bytes, 3));
	EXPECT_EQ(-ENODATA, image_read(&image, 9, bytes, 0));
	EXPECT_EQ(-ENODATA, image_read(&image, UINT64_MAX, bytes, 2));
	EXPECT_EQ(-EFAULT, image_read(&image, 0, NULL, 8));
	image_close(&image);
	close(fd);
}

TEST(a_file_that_has_become_shorter_is_an_error_and_no_signal)
{
	char path[MEMFILE_PATH_SIZE], bytes[8];
	struct boot_error error;
	struct image image;
	int fd = memfile("12345678", 8, path);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, image_open(&image, path, &error));
	ASSERT_EQ(0, ftruncate(fd, 4));
	EXPECT_EQ(-ENODATA, image_load(&image, 0, bytes, 8, &error));
	EXPECT_NE(NULL, strstr(error.text, "ends before its size, 8 bytes"));
	EXPECT_EQ(-ENODATA, image_hold(&image, &error));
	EXPECT_EQ(NULL, image.data);
	image_close(&image);
	close(fd);
}

TEST(a_pipe_is_read_to_its_end)
{
	struct boot_error error;
	struct image image;
	char path[32];
	int pipes[2];

	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ(5, write(pipes[1], "bytes", 5));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", pipes[0]);
	/* The reader opens it anew, so that only closing the write end ends it. */
	close(pipes[1]);
	ASSERT_EQ(0, image_open(&image, path, &error));
	EXPECT_EQ(5, image.size);
	ASSERT_EQ(0, image_hold(&image, &error));
	EXPECT_EQ(0, memcmp(image.data, "bytes", 5));
	image_close(&image);
	close(pipes[0]);
}

TEST(files_that_cannot_be_read_are_named)
{
	char path[MEMFILE_PATH_SIZE];
	struct boot_error error;
	struct image image;
	int fd;

	EXPECT_EQ(-ENOENT, image_open(&image, "", &error));
	EXPECT_NE(NULL, strstr(error.text, "empty file name"));
	EXPECT_EQ(-ENOENT, image_open(&image, "/nonexistent/file", &error));
	EXPECT_STREQ("/nonexistent/file: No such file or directory",
		     error.text);
	EXPECT_EQ(-EISDIR, image_open(&image, "/", &error));
	EXPECT_STREQ("/: Is a directory", error.text);
	EXPECT_EQ(-ENOTBLK, image_open(&image, "/dev/zero", &error));
	EXPECT_STREQ("/dev/zero: is a character device; name a file or a pipe",
		     error.text);

	fd = memfile("", 0, path);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-ENODATA, image_open(&image, path, &error));
	EXPECT_NE(NULL, strstr(error.text, "is empty"));
	ASSERT_EQ(0, ftruncate(fd, IMAGE_MAX_SIZE + 1));
	EXPECT_EQ(-EFBIG, image_open(&image, path, &error));
	EXPECT_NE(NULL, strstr(error.text, "is larger than 4096 MiB"));
	close(fd);
}

TEST(a_piece_of_a_file_must_lie_in_it_as_a_whole)
{
	const struct image image = { .path = "file",
				     .data = "12345678",
				     .size = 8 };

	EXPECT_EQ(image.data, image_at(&image, 0, 8));
	EXPECT_NE(NULL, image_at(&image, 8, 0));
	EXPECT_EQ(NULL, image_at(&image, 0, 9));
	EXPECT_EQ(NULL, image_at(&image, 9, 0));
	EXPECT_EQ(NULL, image_at(&image, 4, UINT64_MAX));
	EXPECT_EQ(NULL, image_at(&image, UINT64_MAX, 2));
}

TEST(a_reason_longer_than_its_room_is_cut)
{
	struct boot_error error;
	char path[400];

	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	EXPECT_EQ(-EINVAL, boot_error_set(&error, -EINVAL, "%s", path));
	EXPECT_EQ(sizeof(error.text) - 1, strlen(error.text));
}

FIXTURE(boot)
{
	struct ram *ram;
	struct boot_options options;
	struct image_store store;
	struct boot_entry entry;
	struct boot_error error;
	char path[MEMFILE_PATH_SIZE];
	int fd;
	int pipe[2];
};

FIXTURE_SETUP(boot)
{
	self->ram = ram_new(64 * MIB);
	ASSERT_NE(NULL, self->ram);
	self->fd = -1;
	self->options.kernel = self->path;
	self->options.cpus = 1;
}

FIXTURE_TEARDOWN(boot)
{
	image_store_free(&self->store);
	ram_free(self->ram);
	close(self->fd);
}

static int boot(FIXTURE_DATA(boot) * self, const void *data, size_t size)
{
	close(self->fd);
	image_store_free(&self->store);
	self->fd = memfile(data, size, self->path);
	return boot_load(self->ram, &self->options, &self->store, &self->entry,
			 &self->error);
}

TEST_F(boot, elf_with_a_pvh_note_is_started_by_it)
{
	struct elf_image elf;

	elf_image_build(&elf, ELFCLASS64);
	ASSERT_EQ(0, boot(self, elf.bytes, sizeof(elf.bytes)));
	EXPECT_EQ(ELF_IMAGE_PVH, self->entry.regs.general.rip);
}

TEST_F(boot, a_multiboot_header_goes_before_a_pvh_note)
{
	static const uint32_t header[] = { 0x1badb002, 0, -0x1badb002U };
	struct elf_image elf;

	elf_image_build(&elf, ELFCLASS64);
	memcpy(elf.bytes + ELF_IMAGE_TEXT, header, sizeof(header));
	ASSERT_EQ(0, boot(self, elf.bytes, sizeof(elf.bytes)));
	EXPECT_EQ(0x2badb002, self->entry.regs.general.gpr[LODGE_RAX]);
}

TEST_F(boot, setup_headers_are_recognised)
{
	unsigned char file[4096] = { 0 };

	memcpy(file + 0x1fe, "\x55\xaa\xeb\x6aHdrS\x01\x02", 10);
	EXPECT_EQ(-ENOEXEC, boot(self, file, sizeof(file)));
	EXPECT_NE(NULL, strstr(self->error.text, "boot protocol 2.01"));
}

TEST_F(boot, other_files_are_refused_by_name)
{
	EXPECT_EQ(-ENOEXEC, boot(self, "text\n", 5));
	EXPECT_EQ(0, strncmp(self->error.text, self->path, strlen(self->path)));
	EXPECT_NE(NULL, strstr(self->error.text,
			       "not a Linux kernel, a multiboot image or ELF; "
			       "any file is loaded by --flat"));
}

TEST_F(boot, files_that_people_give_by_mistake_are_named)
{
	static const struct {
		const char *start;
		const char *what;
	} cases[] = {
		{ "\x1f\x8b", "gunzip" },
		{ "\xfd"
		  "7zXZ",
		  "unxz" },
		{ "\x28\xb5\x2f\xfd", "unzstd" },
		{ "BZh9", "bunzip2" },
		{ "QFI\xfb", "disk image" },
		{ "#!/bin/sh", "script" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		EXPECT_EQ(-ENOEXEC,
			  boot(self, cases[i].start, strlen(cases[i].start)));
		EXPECT_NE(NULL, strstr(self->error.text, cases[i].what));
	}
}

TEST_F(boot, an_image_for_multiboot_2_alone_is_named_as_such)
{
	const uint32_t header[] = { 0xe85250d6, 0, 16, -(0xe85250d6U + 16), 0 };
	unsigned char file[4096] = { 0 };

	memcpy(file + 64, header, sizeof(header));
	EXPECT_EQ(-ENOEXEC, boot(self, file, sizeof(file)));
	EXPECT_NE(NULL, strstr(self->error.text, "multiboot 2"));
}

TEST_F(boot, two_initrds_for_linux_are_refused_with_the_way_to_join_them)
{
	struct elf_image elf;

	elf_image_build(&elf, ELFCLASS64);
	self->options.initrd = "a,b";
	self->options.initrds = 2;
	EXPECT_EQ(-EINVAL, boot(self, elf.bytes, sizeof(elf.bytes)));
	EXPECT_NE(NULL, strstr(self->error.text, "cat"));
}

static const void *held_by(FIXTURE_DATA(boot) * self)
{
	return image_find(&self->store, self->path)->data;
}

TEST_F(boot, no_copy_of_an_image_is_left_behind)
{
	struct elf_image elf;

	elf_image_build(&elf, ELFCLASS64);
	ASSERT_EQ(0, boot(self, elf.bytes, sizeof(elf.bytes)));
	EXPECT_EQ(NULL, held_by(self));
	self->options.flat = true;
	self->options.flat_address = 0x7c00;
	ASSERT_EQ(0, boot(self, "code", 4));
	EXPECT_EQ(NULL, held_by(self));
}

TEST_F(boot, each_start_reads_its_file_again)
{
	self->options.flat = true;
	self->options.flat_address = 0x7c00;
	ASSERT_EQ(0, boot(self, "code", 4));
	/* Its name leads nowhere then. */
	close(self->fd);
	self->fd = -1;
	memset(ram_at(self->ram, 0x7c00, 4), 0, 4);
	ASSERT_EQ(0, boot_load(self->ram, &self->options, &self->store,
			       &self->entry, &self->error));
	EXPECT_EQ(0, memcmp(ram_at(self->ram, 0x7c00, 4), "code", 4));
}

/* Makes a file old, so that a change of it is seen whatever the clock's resolution. */
static void make_old(int fd)
{
	const struct timespec times[2] = { { 1, 0 }, { 1, 0 } };

	futimens(fd, times);
}

TEST_F(boot, a_file_that_has_changed_is_not_started_again)
{
	self->options.flat = true;
	self->options.flat_address = 0x7c00;
	self->fd = memfile("code", 4, self->path);
	ASSERT_LE(0, self->fd);
	make_old(self->fd);
	ASSERT_EQ(0, boot_load(self->ram, &self->options, &self->store,
			       &self->entry, &self->error));
	ASSERT_EQ(4, pwrite(self->fd, "new!", 4, 0));
	EXPECT_EQ(-ESTALE, boot_load(self->ram, &self->options, &self->store,
				     &self->entry, &self->error));
	EXPECT_EQ(0, strncmp(self->error.text, self->path, strlen(self->path)));
	EXPECT_NE(NULL, strstr(self->error.text, "has changed"));
}

TEST_F(boot, a_file_that_was_cut_is_named_as_changed)
{
	static unsigned char zeroes[8192];

	self->options.flat = true;
	self->options.flat_address = 0x10000;
	ASSERT_EQ(0, boot(self, zeroes, sizeof(zeroes)));
	ASSERT_EQ(0, ftruncate(self->fd, 4096));
	EXPECT_EQ(-ESTALE, boot_load(self->ram, &self->options, &self->store,
				     &self->entry, &self->error));
	EXPECT_NE(NULL, strstr(self->error.text, "has changed"));
}

TEST_F(boot, a_large_file_of_no_known_kind_is_not_read_as_a_whole)
{
	const long size = 256 << 20;
	struct rusage before, after;

	self->fd = memfile("disk", 4, self->path);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, ftruncate(self->fd, size));
	ASSERT_EQ(0, getrusage(RUSAGE_SELF, &before));
	EXPECT_EQ(-ENOEXEC, boot_load(self->ram, &self->options, &self->store,
				      &self->entry, &self->error));
	ASSERT_EQ(0, getrusage(RUSAGE_SELF, &after));
	EXPECT_GT(size / getpagesize() / 8, after.ru_minflt - before.ru_minflt);
}

TEST_F(boot, a_pipe_is_read_once_for_all_starts)
{
	ASSERT_EQ(0, pipe(self->pipe));
	self->options.flat = true;
	self->options.flat_address = 0x7c00;
	ASSERT_EQ(4, write(self->pipe[1], "code", 4));
	close(self->pipe[1]);
	snprintf(self->path, sizeof(self->path), "/proc/self/fd/%d",
		 self->pipe[0]);
	for (int start = 0; start < 3; start++) {
		memset(ram_at(self->ram, 0x7c00, 4), 0, 4);
		ASSERT_EQ(0, boot_load(self->ram, &self->options, &self->store,
				       &self->entry, &self->error));
		EXPECT_EQ(0, memcmp(ram_at(self->ram, 0x7c00, 4), "code", 4));
	}
	close(self->pipe[0]);
}

TEST_F(boot, a_file_that_is_started_from_is_known_by_any_name)
{
	char other[MEMFILE_PATH_SIZE], name[32];
	int fd = memfile("code", 4, other);

	self->options.flat = true;
	self->options.flat_address = 0x7c00;
	ASSERT_EQ(0, boot(self, "code", 4));
	snprintf(name, sizeof(name), "/dev/fd/%d", self->fd);
	EXPECT_TRUE(image_store_has(&self->store, self->path));
	EXPECT_TRUE(image_store_has(&self->store, name));
	EXPECT_FALSE(image_store_has(&self->store, other));
	EXPECT_FALSE(image_store_has(&self->store, "/nonexistent/file"));
	EXPECT_FALSE(image_store_has(&self->store, "/dev/null"));
	close(fd);
}

TEST(sizes_in_messages_are_exact_below_a_mebibyte)
{
	EXPECT_STREQ("0 bytes", boot_size(0).text);
	EXPECT_STREQ("300 bytes", boot_size(300).text);
	EXPECT_STREQ("4 KiB", boot_size(4096).text);
	EXPECT_STREQ("1023 KiB", boot_size(1023 << 10).text);
	EXPECT_STREQ("1048575 bytes", boot_size((1 << 20) - 1).text);
	EXPECT_STREQ("1 MiB", boot_size(1 << 20).text);
	EXPECT_STREQ("2 MiB", boot_size((1 << 20) + 1).text);
}

TEST_F(boot, a_flat_image_is_not_looked_into)
{
	struct elf_image elf;

	elf_image_build(&elf, ELFCLASS64);
	self->options.flat = true;
	self->options.flat_mode = FLAT_PROTECTED;
	self->options.flat_address = 0x10000;
	ASSERT_EQ(0, boot(self, elf.bytes, sizeof(elf.bytes)));
	EXPECT_EQ(0x10000, self->entry.regs.general.rip);
}

TEST_F(boot, a_flat_image_takes_neither_initrd_nor_command_line)
{
	self->options.flat = true;
	self->options.flat_address = 0x7c00;
	self->options.append = "quiet";
	EXPECT_EQ(-EINVAL, boot(self, "code", 4));
	EXPECT_NE(NULL, strstr(self->error.text, "leave out --initrd"));
	self->options.append = NULL;
	self->options.initrd = "initrd.img";
	EXPECT_EQ(-EINVAL, boot(self, "code", 4));
	self->options.initrd = NULL;
	EXPECT_EQ(0, boot(self, "code", 4));
}

TEST_F(boot, tables_and_low_memory_are_written_for_every_image)
{
	self->options.flat = true;
	self->options.flat_address = 0x7c00;
	ASSERT_EQ(0, boot(self, "code", 4));
	EXPECT_EQ(0, memcmp(ram_at(self->ram, ACPI_RSDP, 8), "RSD PTR ", 8));
	EXPECT_EQ(0xf000, *(uint16_t *)ram_at(self->ram, 4 * 0x10 + 2, 2));
}

TEST_F(boot, a_second_load_finds_the_memory_of_the_first)
{
	struct elf_image elf;

	elf_image_build(&elf, ELFCLASS64);
	ASSERT_EQ(0, boot(self, elf.bytes, sizeof(elf.bytes)));
	memset(ram_at(self->ram, 0, 4 * MIB), 0xff, 4 * MIB);
	ASSERT_EQ(0, boot(self, elf.bytes, sizeof(elf.bytes)));
	EXPECT_EQ(ELF_IMAGE_PVH, self->entry.regs.general.rip);
}

TEST_F(boot, a_missing_initrd_is_named)
{
	struct elf_image elf;

	elf_image_build(&elf, ELFCLASS64);
	self->options.initrd = "/nonexistent/initrd.img";
	EXPECT_EQ(-ENOENT, boot(self, elf.bytes, sizeof(elf.bytes)));
	EXPECT_STREQ("/nonexistent/initrd.img: No such file or directory",
		     self->error.text);
}

TEST_F(boot, a_number_of_vcpus_that_cannot_be_is_refused)
{
	self->options.cpus = 0;
	EXPECT_EQ(-EINVAL, boot(self, "code", 4));
}

TEST_HARNESS_MAIN
