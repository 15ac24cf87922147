// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of multiboot images: as ELF of both classes, and with addresses in the header;
 * the information passed to them; hostile images.
 */
#include "boot/multiboot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elf_image.h"
#include "memfile.h"

#include "kselftest_harness.h"

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

/* Offsets of the header in the ELF files, and in the flat ones. */
#define ELF_HEADER ELF_IMAGE_TEXT
#define FLAT_HEADER 0x40
#define FLAT_SIZE 0x1000
#define FLAT_LOAD 0x200000

struct header {
	uint32_t magic;
	uint32_t flags;
	uint32_t checksum;
	uint32_t header_addr;
	uint32_t load_addr;
	uint32_t load_end_addr;
	uint32_t bss_end_addr;
	uint32_t entry_addr;
};

FIXTURE(multiboot)
{
	struct ram *ram;
	struct place place;
	struct boot_entry entry;
	struct boot_error error;
	struct elf_image elf;
	unsigned char flat[FLAT_SIZE];
	struct image image;
	struct image_store store;
	struct header *header;
};

static void set_flags(struct header *header, uint32_t flags)
{
	header->magic = 0x1badb002;
	header->flags = flags;
	header->checksum = -(header->magic + flags);
}

static void use_elf(FIXTURE_DATA(multiboot) * self, int class)
{
	elf_image_build(&self->elf, class);
	self->image = (struct image){ .path = "dir/kernel",
				      .data = self->elf.bytes,
				      .size = ELF_IMAGE_SIZE };
	self->header = (void *)(self->elf.bytes + ELF_HEADER);
	set_flags(self->header, 3);
}

static void use_flat(FIXTURE_DATA(multiboot) * self)
{
	memset(self->flat, 0x33, FLAT_SIZE);
	self->image = (struct image){ .path = "dir/kernel",
				      .data = self->flat,
				      .size = FLAT_SIZE };
	self->header = (void *)(self->flat + FLAT_HEADER);
	set_flags(self->header, 1 << 16);
	self->header->header_addr = FLAT_LOAD + FLAT_HEADER;
	self->header->load_addr = FLAT_LOAD;
	self->header->load_end_addr = FLAT_LOAD + FLAT_SIZE;
	self->header->bss_end_addr = FLAT_LOAD + 2 * FLAT_SIZE;
	self->header->entry_addr = FLAT_LOAD + 0x80;
}

FIXTURE_SETUP(multiboot)
{
	self->ram = ram_new(64 * MIB);
	ASSERT_NE(NULL, self->ram);
	memset(ram_at(self->ram, 2 * MIB, 2 * MIB), 0xee, 2 * MIB);
	use_elf(self, ELFCLASS32);
}

FIXTURE_TEARDOWN(multiboot)
{
	image_store_free(&self->store);
	ram_free(self->ram);
}

static int load(FIXTURE_DATA(multiboot) * self, const char *modules,
		const char *append)
{
	self->error.text[0] = '\0';
	self->error.warning[0] = '\0';
	place_init(&self->place, self->ram);
	return multiboot_load(&self->place, &self->image, modules, &self->store,
			      append, &self->entry, &self->error);
}

/* Return: a word of the information, by its offset in the specification. */
static uint32_t info(FIXTURE_DATA(multiboot) * self, unsigned int offset)
{
	return *(uint32_t *)ram_at(
		self->ram, self->entry.regs.general.gpr[LODGE_RBX] + offset, 4);
}

static const char *text(FIXTURE_DATA(multiboot) * self, uint32_t gpa)
{
	return ram_at(self->ram, gpa, 1);
}

#define EXPECT_SAYS(part)                               \
	EXPECT_NE(NULL, strstr(self->error.text, part)) \
	TH_LOG("it says: %s", self->error.text)

TEST_F(multiboot, a_header_needs_a_right_checksum)
{
	EXPECT_TRUE(multiboot_probe(&self->image));
	self->header->checksum++;
	EXPECT_FALSE(multiboot_probe(&self->image));
}

TEST_F(multiboot, a_header_must_be_aligned_and_within_8192_bytes)
{
	unsigned char *file = calloc(1, 9000);
	struct image image = { .path = "file", .data = file, .size = 9000 };
	struct header header = { 0 };

	ASSERT_NE(NULL, file);
	set_flags(&header, 0);
	memcpy(file + 2, &header, 12);
	EXPECT_FALSE(multiboot_probe(&image));
	memcpy(file + 8184, &header, 12);
	EXPECT_FALSE(multiboot_probe(&image));
	memcpy(file + 8180, &header, 12);
	EXPECT_TRUE(multiboot_probe(&image));
	free(file);
}

TEST_F(multiboot, the_image_starts_in_flat_protected_mode)
{
	const struct lodge_regs *regs = &self->entry.regs;

	ASSERT_EQ(0, load(self, NULL, ""));
	EXPECT_EQ(0x2badb002, regs->general.gpr[LODGE_RAX]);
	EXPECT_EQ(ELF_IMAGE_PADDR + 0x10, regs->general.rip);
	EXPECT_EQ(2, regs->general.rflags);
	EXPECT_EQ(0x11, regs->control.cr0);
	EXPECT_EQ(0xc9b, regs->segments.seg[LODGE_CS].attr);
	EXPECT_EQ(0xc93, regs->segments.seg[LODGE_SS].attr);
	EXPECT_EQ(0xffffffff, regs->segments.seg[LODGE_GS].limit);
}

TEST_F(multiboot, elf_of_64_bits_starts_the_same_way)
{
	use_elf(self, ELFCLASS64);
	ASSERT_EQ(0, load(self, NULL, ""));
	EXPECT_EQ(ELF_IMAGE_PADDR + 0x10, self->entry.regs.general.rip);
	EXPECT_EQ(0x11, self->entry.regs.control.cr0);
	EXPECT_EQ(0, self->entry.regs.control.efer);
}

TEST_F(multiboot, the_memory_is_described)
{
	const unsigned char *map;
	uint64_t address;
	uint32_t word;

	ASSERT_EQ(0, load(self, NULL, ""));
	EXPECT_EQ(1 << 0 | 1 << 6, info(self, 0) & (1 << 0 | 1 << 6));
	EXPECT_EQ(639, info(self, 4));
	EXPECT_EQ(63 * 1024, info(self, 8));
	EXPECT_EQ(5 * 24, info(self, 44));
	map = ram_at(self->ram, info(self, 48), 5 * 24);
	ASSERT_NE(NULL, map);
	memcpy(&word, map + 72, 4);
	EXPECT_EQ(20, word);
	memcpy(&address, map + 76, 8);
	EXPECT_EQ(MIB, address);
	memcpy(&address, map + 84, 8);
	EXPECT_EQ(63 * MIB, address);
	memcpy(&word, map + 92, 4);
	EXPECT_EQ(1, word);
}

TEST_F(multiboot, the_command_line_begins_with_the_images_name)
{
	ASSERT_EQ(0, load(self, NULL, "-v all"));
	EXPECT_NE(0, info(self, 0) & 1 << 2);
	EXPECT_STREQ("dir/kernel -v all", text(self, info(self, 16)));
	ASSERT_EQ(0, load(self, NULL, ""));
	EXPECT_STREQ("dir/kernel", text(self, info(self, 16)));
}

TEST_F(multiboot, the_boot_loader_has_a_name)
{
	ASSERT_EQ(0, load(self, NULL, ""));
	EXPECT_NE(0, info(self, 0) & 1 << 9);
	EXPECT_STREQ("Lodge", text(self, info(self, 64)));
}

TEST_F(multiboot, without_modules_their_number_is_zero)
{
	ASSERT_EQ(0, load(self, NULL, ""));
	EXPECT_EQ(0, info(self, 20));
}

TEST_F(multiboot, modules_follow_the_image_on_pages_of_their_own)
{
	char first[MEMFILE_PATH_SIZE], second[MEMFILE_PATH_SIZE];
	int fd1 = memfile("one", 3, first);
	int fd2 = memfile("module two", 10, second);
	const uint32_t *module;
	char *list, *line;

	ASSERT_LE(0, fd1);
	ASSERT_LE(0, fd2);
	ASSERT_LT(0, asprintf(&list, "%s,%s a=1,,2 b", first, second));
	ASSERT_LT(0, asprintf(&line, "%s a=1,2 b", second));
	ASSERT_EQ(0, load(self, list, ""));
	EXPECT_NE(0, info(self, 0) & 1 << 3);
	ASSERT_EQ(2, info(self, 20));
	module = ram_at(self->ram, info(self, 24), 32);
	ASSERT_NE(NULL, module);

	EXPECT_EQ(ELF_IMAGE_DATA_PADDR + 0x1000, module[0]);
	EXPECT_EQ(3, module[1] - module[0]);
	EXPECT_STREQ("one", text(self, module[0]));
	EXPECT_STREQ(first, text(self, module[2]));
	EXPECT_EQ(module[0] + 0x1000, module[4]);
	EXPECT_EQ(10, module[5] - module[4]);
	EXPECT_STREQ("module two", text(self, module[4]));
	EXPECT_STREQ(line, text(self, module[6]));
	free(list);
	free(line);
	close(fd1);
	close(fd2);
}

TEST_F(multiboot, a_hundred_modules_are_possible)
{
	char path[MEMFILE_PATH_SIZE], list[100 * MEMFILE_PATH_SIZE] = "";
	int fd = memfile("x", 1, path);
	unsigned int i;

	ASSERT_LE(0, fd);
	for (i = 0; i < 100; i++) {
		strcat(list, i ? "," : "");
		strcat(list, path);
	}
	ASSERT_EQ(0, load(self, list, ""));
	EXPECT_EQ(100, info(self, 20));
	close(fd);
}

TEST_F(multiboot, a_module_that_cannot_be_read_is_named)
{
	EXPECT_EQ(-ENOENT, load(self, "/nonexistent/module arguments", ""));
	EXPECT_SAYS("/nonexistent/module: No such file");
	EXPECT_EQ(-ENOENT, load(self, "", ""));
	EXPECT_EQ(-ENOENT, load(self, "/nonexistent/a,", ""));
}

TEST_F(multiboot, a_module_that_does_not_fit_is_named)
{
	char path[MEMFILE_PATH_SIZE];
	int fd = memfile("x", 1, path);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, 62 * MIB));
	EXPECT_EQ(-ENOSPC, load(self, path, ""));
	EXPECT_SAYS("does not fit below 64 MiB (needs 62 MiB); --memory");
	EXPECT_SAYS(path);
	close(fd);
}

TEST_F(multiboot, addresses_in_the_header_go_before_elf)
{
	use_elf(self, ELFCLASS64);
	set_flags(self->header, 1 << 16);
	self->header->header_addr = 0x500400;
	self->header->load_addr = 0x500000;
	self->header->load_end_addr = 0;
	self->header->bss_end_addr = 0;
	self->header->entry_addr = 0x500410;
	ASSERT_EQ(0, load(self, NULL, ""));
	EXPECT_EQ(0x500410, self->entry.regs.general.rip);
	EXPECT_EQ(0, memcmp(ram_at(self->ram, 0x500000, ELF_IMAGE_SIZE),
			    self->elf.bytes, ELF_IMAGE_SIZE));
}

TEST_F(multiboot, a_flat_image_is_loaded_by_its_addresses)
{
	const unsigned char *at = ram_at(self->ram, FLAT_LOAD, 1);

	use_flat(self);
	ASSERT_EQ(0, load(self, NULL, ""));
	EXPECT_EQ(FLAT_LOAD + 0x80, self->entry.regs.general.rip);
	EXPECT_EQ(0, memcmp(at, self->flat, FLAT_SIZE));
	EXPECT_EQ(0, at[FLAT_SIZE]);
	EXPECT_EQ(0, at[2 * FLAT_SIZE - 1]);
	EXPECT_EQ(0xee, at[2 * FLAT_SIZE]);
}

TEST_F(multiboot, a_flat_image_may_begin_behind_the_files_start)
{
	use_flat(self);
	self->header->load_addr += 0x20;
	ASSERT_EQ(0, load(self, NULL, ""));
	EXPECT_EQ(0xee, *(unsigned char *)ram_at(self->ram, FLAT_LOAD, 1));
	EXPECT_EQ(0, memcmp(ram_at(self->ram, FLAT_LOAD + FLAT_HEADER, 12),
			    self->header, 12));
}

TEST_F(multiboot, zero_for_an_end_means_the_file_and_no_bss)
{
	use_flat(self);
	self->header->load_end_addr = 0;
	self->header->bss_end_addr = 0;
	ASSERT_EQ(0, load(self, NULL, ""));
	EXPECT_EQ(0x33,
		  *(char *)ram_at(self->ram, FLAT_LOAD + FLAT_SIZE - 1, 1));
	EXPECT_EQ(0xee, *(unsigned char *)ram_at(self->ram,
						 FLAT_LOAD + FLAT_SIZE, 1));
}

TEST_F(multiboot, addresses_that_contradict_each_other_are_refused)
{
	use_flat(self);
	self->header->load_addr = FLAT_LOAD + FLAT_HEADER + 1;
	EXPECT_EQ(-EINVAL, load(self, NULL, ""));
	EXPECT_SAYS("load_addr");

	use_flat(self);
	self->header->load_addr = FLAT_LOAD - 1;
	EXPECT_EQ(-EINVAL, load(self, NULL, ""));

	use_flat(self);
	self->header->load_end_addr = FLAT_LOAD;
	EXPECT_EQ(-EINVAL, load(self, NULL, ""));
	EXPECT_SAYS("load_end_addr");

	use_flat(self);
	self->header->bss_end_addr = FLAT_LOAD + FLAT_SIZE - 1;
	EXPECT_EQ(-EINVAL, load(self, NULL, ""));
	EXPECT_SAYS("bss_end_addr");
	self->header->bss_end_addr = 1;
	EXPECT_EQ(-EINVAL, load(self, NULL, ""));
}

TEST_F(multiboot, data_beyond_the_file_is_truncated)
{
	use_flat(self);
	self->header->load_end_addr++;
	EXPECT_EQ(-EINVAL, load(self, NULL, ""));
	EXPECT_SAYS("dir/kernel: truncated");
	self->header->load_end_addr = UINT32_MAX;
	EXPECT_EQ(-EINVAL, load(self, NULL, ""));
}

TEST_F(multiboot, addresses_outside_free_ram_are_refused)
{
	static const uint32_t bad[] = {
		0,	   0x9f000, 0xe0000, 63 * MIB + 0xfffff, RAM_HOLE_START,
		0xfffff000
	};
	unsigned int i;

	use_flat(self);
	self->header->load_end_addr = 0;
	self->header->bss_end_addr = 0;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		self->header->load_addr = bad[i];
		self->header->header_addr = bad[i] + FLAT_HEADER;
		EXPECT_EQ(-ENOSPC, load(self, NULL, ""));
		EXPECT_SAYS("dir/kernel: the image");
	}
}

TEST_F(multiboot, bss_beyond_ram_is_refused)
{
	use_flat(self);
	self->header->bss_end_addr = UINT32_MAX;
	EXPECT_EQ(-ENOSPC, load(self, NULL, ""));
}

TEST_F(multiboot, what_the_header_wants_and_cannot_have_is_refused)
{
	set_flags(self->header, 1 << 3);
	EXPECT_EQ(-ENOEXEC, load(self, NULL, ""));
	EXPECT_SAYS("0x8");
	set_flags(self->header, 1 << 15);
	EXPECT_EQ(-ENOEXEC, load(self, NULL, ""));
}

TEST_F(multiboot, what_an_image_can_do_without_is_warned_of)
{
	set_flags(self->header, 1 << 2);
	EXPECT_EQ(0, load(self, NULL, ""));
	EXPECT_NE(NULL, strstr(self->error.warning, "video"));
	set_flags(self->header, 1U << 31);
	EXPECT_EQ(0, load(self, NULL, ""));
	EXPECT_NE(NULL, strstr(self->error.warning, "0x80000000"));
	set_flags(self->header, 3);
	EXPECT_EQ(0, load(self, NULL, ""));
	EXPECT_STREQ("", self->error.warning);
}

TEST_F(multiboot, selectors_are_those_of_other_loaders)
{
	const struct lodge_segment *seg = self->entry.regs.segments.seg;

	ASSERT_EQ(0, load(self, NULL, ""));
	EXPECT_EQ(0x08, seg[LODGE_CS].selector);
	EXPECT_EQ(0x10, seg[LODGE_DS].selector);
	EXPECT_EQ(0x10, seg[LODGE_SS].selector);
}

TEST_F(multiboot, a_header_without_addresses_needs_elf)
{
	use_flat(self);
	set_flags(self->header, 0);
	EXPECT_EQ(-ENOEXEC, load(self, NULL, ""));
	EXPECT_SAYS("not ELF");
}

TEST_F(multiboot, an_entry_beyond_4_gib_is_refused)
{
	use_elf(self, ELFCLASS64);
	self->elf.header64->e_entry = 4 * GIB;
	EXPECT_EQ(-EINVAL, load(self, NULL, ""));
	EXPECT_SAYS("beyond 4 GiB");
}

TEST_F(multiboot, every_truncated_flat_image_is_refused)
{
	size_t size;
	void *part;
	int ret;

	use_flat(self);
	for (size = 1; size < FLAT_SIZE; size++) {
		part = malloc(size);
		ASSERT_NE(NULL, part);
		memcpy(part, self->flat, size);
		self->image.data = part;
		self->image.size = size;
		ret = multiboot_probe(&self->image) ? load(self, NULL, "") :
						      -EINVAL;
		free(part);
		ASSERT_EQ(-EINVAL, ret)
		TH_LOG("%zu bytes", size);
	}
}

TEST_F(multiboot, no_byte_of_the_header_can_do_harm)
{
	static const unsigned char values[] = { 0, 1, 0x7f, 0x80, 0xff };
	unsigned char *byte, old;
	unsigned int at, i;
	int ret;

	use_flat(self);
	for (at = 12; at < sizeof(struct header); at++) {
		byte = self->flat + FLAT_HEADER + at;
		old = *byte;
		for (i = 0; i < sizeof(values); i++) {
			*byte = values[i];
			ret = load(self, NULL, "quiet");
			ASSERT_EQ(!ret, !self->error.text[0]);
			ASSERT_GE(0, ret);
		}
		*byte = old;
	}
}

TEST_HARNESS_MAIN
