// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of loading Linux bzImages: of all protocol versions, truncated, hostile.
 */
#include "boot/bzimage.h"

#include <asm/bootparam.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "boot/acpi.h"
#include "board/e820.h"

#include "kselftest_harness.h"

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)
#define SETUP_SECTS 4
#define CODE_OFFSET ((SETUP_SECTS + 1) * 512)
#define CODE_SIZE 2048
#define FILE_SIZE (CODE_OFFSET + CODE_SIZE)
#define LOAD 0x1000000
#define INIT_SIZE (3 * MIB)

FIXTURE(bzimage)
{
	struct ram *ram;
	struct place place;
	struct boot_entry entry;
	struct boot_error error;
	struct setup_header *header;
	struct image image;
	struct image initrd;
	unsigned char file[FILE_SIZE];
};

/* A relocatable 64-bit kernel of protocol 2.15. */
FIXTURE_SETUP(bzimage)
{
	unsigned int i;

	self->ram = ram_new(64 * MIB);
	ASSERT_NE(NULL, self->ram);
	place_init(&self->place, self->ram);
	for (i = 0; i < FILE_SIZE; i++)
		self->file[i] = i;
	memset(self->file, 0xcc, CODE_OFFSET);
	self->header = (void *)(self->file + 0x1f1);
	*self->header = (struct setup_header){
		.setup_sects = SETUP_SECTS,
		.syssize = CODE_SIZE / 16,
		.boot_flag = 0xaa55,
		.jump = 0x6aeb,
		.header = 0x53726448,
		.version = 0x020f,
		.loadflags = LOADED_HIGH | CAN_USE_HEAP,
		.code32_start = 0x100000,
		.initrd_addr_max = 0x7fffffff,
		.kernel_alignment = 0x200000,
		.relocatable_kernel = 1,
		.min_alignment = 21,
		.xloadflags = XLF_KERNEL_64 | XLF_CAN_BE_LOADED_ABOVE_4G,
		.cmdline_size = 2047,
		.pref_address = LOAD,
		.init_size = INIT_SIZE,
	};
	self->image = (struct image){ .path = "vmlinuz",
				      .data = self->file,
				      .size = FILE_SIZE };
	self->initrd = (struct image){ .path = "initrd.img",
				       .data = "initrd",
				       .size = 6 };
}

FIXTURE_TEARDOWN(bzimage)
{
	ram_free(self->ram);
}

static int load(FIXTURE_DATA(bzimage) * self, const struct image *initrd,
		const char *append)
{
	self->error.text[0] = '\0';
	return bzimage_load(&self->place, &self->image, initrd, append,
			    &self->entry, &self->error);
}

static const struct boot_params *params(FIXTURE_DATA(bzimage) * self)
{
	return ram_at(self->ram, self->entry.regs.general.gpr[LODGE_RSI],
		      sizeof(struct boot_params));
}

#define EXPECT_SAYS(part)                               \
	EXPECT_NE(NULL, strstr(self->error.text, part)) \
	TH_LOG("it says: %s", self->error.text)

TEST_F(bzimage, a_kernel_is_recognised_by_its_header)
{
	EXPECT_TRUE(bzimage_probe(&self->image));
	self->header->header++;
	EXPECT_FALSE(bzimage_probe(&self->image));
	self->header->header--;
	self->header->boot_flag = 0;
	EXPECT_FALSE(bzimage_probe(&self->image));
}

TEST_F(bzimage, a_64_bit_kernel_starts_in_long_mode)
{
	const struct lodge_regs *regs = &self->entry.regs;

	ASSERT_EQ(0, load(self, NULL, ""));
	EXPECT_EQ(LOAD + 0x200, regs->general.rip);
	EXPECT_EQ(2, regs->general.rflags);
	EXPECT_EQ(0x80000011, regs->control.cr0);
	EXPECT_EQ(0x20, regs->control.cr4);
	EXPECT_EQ(0x500, regs->control.efer);
	EXPECT_EQ(0x10, regs->segments.seg[LODGE_CS].selector);
	EXPECT_EQ(0xa9b, regs->segments.seg[LODGE_CS].attr);
	EXPECT_EQ(0x18, regs->segments.seg[LODGE_DS].selector);
	EXPECT_EQ(0x18, regs->segments.seg[LODGE_ES].selector);
	EXPECT_EQ(0x18, regs->segments.seg[LODGE_SS].selector);
	EXPECT_EQ(LODGE_GROUP_GENERAL | LODGE_GROUP_SEGMENTS |
			  LODGE_GROUP_CONTROL,
		  self->entry.groups);
}

TEST_F(bzimage, the_descriptor_table_holds_what_the_segments_show)
{
	const struct lodge_segments *segments = &self->entry.regs.segments;
	const uint64_t *gdt;

	ASSERT_EQ(0, load(self, NULL, ""));
	ASSERT_LE(0x1f, segments->gdt.limit);
	gdt = ram_at(self->ram, segments->gdt.base, segments->gdt.limit + 1);
	ASSERT_NE(NULL, gdt);
	EXPECT_EQ(0x00af9b000000ffff, gdt[2]);
	EXPECT_EQ(0x00cf93000000ffff, gdt[3]);
}

/* Walks the guest's page tables.  Return: the physical address, or all ones. */
static uint64_t walk(const struct ram *ram, uint64_t cr3, uint64_t address)
{
	uint64_t entry = cr3;
	const uint64_t *table;
	int shift;

	for (shift = 39; shift >= 21; shift -= 9) {
		table = ram_at(ram, entry & ~0xfffULL, 4096);
		if (!table)
			return UINT64_MAX;
		entry = table[address >> shift & 0x1ff];
		if ((entry & 3) != 3)
			return UINT64_MAX;
	}
	if (!(entry & 0x80))
		return UINT64_MAX;
	return (entry & ~0x1fffffULL) | (address & 0x1fffff);
}

TEST_F(bzimage, the_page_tables_map_4_gib_to_themselves)
{
	uint64_t cr3, address;

	ASSERT_EQ(0, load(self, NULL, ""));
	cr3 = self->entry.regs.control.cr3;
	for (address = 0x1234; address < 4 * GIB; address += 2 * MIB)
		ASSERT_EQ(address, walk(self->ram, cr3, address));
	EXPECT_EQ(UINT64_MAX, walk(self->ram, cr3, 4 * GIB));
}

TEST_F(bzimage, the_kernel_lies_where_it_prefers)
{
	ASSERT_EQ(0, load(self, NULL, ""));
	EXPECT_EQ(0, memcmp(ram_at(self->ram, LOAD, CODE_SIZE),
			    self->file + CODE_OFFSET, CODE_SIZE));
	EXPECT_EQ(LOAD, params(self)->hdr.code32_start);
}

TEST_F(bzimage, the_zero_page_describes_the_machine)
{
	const struct boot_params *zero;

	ASSERT_EQ(0, load(self, NULL, ""));
	zero = params(self);
	EXPECT_EQ(0x020f, zero->hdr.version);
	EXPECT_EQ(0xff, zero->hdr.type_of_loader);
	EXPECT_EQ(LOADED_HIGH, zero->hdr.loadflags);
	EXPECT_EQ(ACPI_RSDP, zero->acpi_rsdp_addr);
	EXPECT_EQ(63 * 1024, zero->alt_mem_k);
	EXPECT_EQ(0, zero->sentinel);
	EXPECT_EQ(0, zero->hdr.ramdisk_size);
	ASSERT_EQ(5, zero->e820_entries);
	EXPECT_EQ(MIB, zero->e820_table[3].addr);
	EXPECT_EQ(63 * MIB, zero->e820_table[3].size);
	EXPECT_EQ(E820_RAM, zero->e820_table[3].type);
}

TEST_F(bzimage, the_command_line_is_passed)
{
	const char *line = "console=ttyS0 quiet";

	ASSERT_EQ(0, load(self, NULL, line));
	EXPECT_STREQ(line, (char *)ram_at(self->ram,
					  params(self)->hdr.cmd_line_ptr, 20));
}

TEST_F(bzimage, a_command_line_longer_than_the_kernel_takes_is_refused)
{
	self->header->cmdline_size = 5;
	EXPECT_EQ(0, load(self, NULL, "12345"));
	EXPECT_EQ(-E2BIG, load(self, NULL, "123456"));
	EXPECT_SAYS("vmlinuz: takes a command line of 5 bytes");
}

TEST_F(bzimage, the_initrd_lies_high_on_a_page_of_its_own)
{
	const struct setup_header *header;

	ASSERT_EQ(0, load(self, &self->initrd, ""));
	header = &params(self)->hdr;
	EXPECT_EQ(64 * MIB - 4096, header->ramdisk_image);
	EXPECT_EQ(6, header->ramdisk_size);
	EXPECT_EQ(0, memcmp(ram_at(self->ram, header->ramdisk_image, 6),
			    "initrd", 6));
}

TEST_F(bzimage, the_initrd_keeps_below_the_kernels_limit)
{
	self->header->initrd_addr_max = 0x2ffffff;
	ASSERT_EQ(0, load(self, &self->initrd, ""));
	EXPECT_EQ(0x2fff000, params(self)->hdr.ramdisk_image);
}

TEST_F(bzimage, the_initrd_does_not_overlap_the_kernel)
{
	self->header->initrd_addr_max = LOAD + INIT_SIZE - 1;
	ASSERT_EQ(0, load(self, &self->initrd, ""));
	EXPECT_EQ(LOAD - 4096, params(self)->hdr.ramdisk_image);
}

TEST_F(bzimage, an_initrd_that_does_not_fit_is_refused_by_name)
{
	void *large = calloc(1, 60 * MIB);

	ASSERT_NE(NULL, large);
	self->initrd.data = large;
	self->initrd.size = 60 * MIB;
	EXPECT_EQ(-ENOSPC, load(self, &self->initrd, ""));
	EXPECT_STREQ("initrd.img: does not fit below 64 MiB (needs 60 MiB); "
		     "--memory gives more",
		     self->error.text);
	free(large);
}

TEST_F(bzimage, an_initrd_limit_of_zero_leaves_no_room)
{
	self->header->initrd_addr_max = 0;
	EXPECT_EQ(-ENOSPC, load(self, &self->initrd, ""));
	EXPECT_SAYS("initrd.img: ");
}

TEST_F(bzimage, initrd_and_kernel_stay_below_the_hole)
{
	ram_free(self->ram);
	self->ram = ram_new(5 * GIB);
	ASSERT_NE(NULL, self->ram);
	place_init(&self->place, self->ram);
	self->header->initrd_addr_max = UINT32_MAX;
	ASSERT_EQ(0, load(self, &self->initrd, ""));
	EXPECT_EQ(RAM_HOLE_START - 4096, params(self)->hdr.ramdisk_image);
	EXPECT_EQ(6, params(self)->e820_entries);
	EXPECT_EQ(4 * GIB, params(self)->e820_table[5].addr);
}

TEST_F(bzimage, a_kernel_without_64_bit_entry_starts_in_protected_mode)
{
	const struct lodge_regs *regs = &self->entry.regs;

	self->header->xloadflags = 0;
	ASSERT_EQ(0, load(self, NULL, ""));
	EXPECT_EQ(LOAD, regs->general.rip);
	EXPECT_EQ(0x11, regs->control.cr0);
	EXPECT_EQ(0, regs->control.cr4);
	EXPECT_EQ(0, regs->control.efer);
	EXPECT_EQ(0xc9b, regs->segments.seg[LODGE_CS].attr);
	EXPECT_EQ(0x10, regs->segments.seg[LODGE_CS].selector);
	EXPECT_EQ(0, regs->general.gpr[LODGE_RBX]);
	EXPECT_EQ(0, regs->general.gpr[LODGE_RBP]);
	EXPECT_EQ(0, regs->general.gpr[LODGE_RDI]);
	EXPECT_NE(0, regs->general.gpr[LODGE_RSI]);
}

TEST_F(bzimage, fields_newer_than_the_protocol_are_not_believed)
{
	self->header->version = 0x0202;
	self->header->initrd_addr_max = 1;
	self->header->kernel_alignment = 3;
	self->header->cmdline_size = 1;
	self->header->syssize = 0xdead0000;
	ASSERT_EQ(0, load(self, &self->initrd, "quiet"));
	EXPECT_EQ(0x100000, self->entry.regs.general.rip);
	EXPECT_EQ(0x11, self->entry.regs.control.cr0);
	EXPECT_EQ(64 * MIB - 4096, params(self)->hdr.ramdisk_image);
}

TEST_F(bzimage, a_short_header_is_taken_as_far_as_it_goes)
{
	/* Protocol 2.05's last field ends at 0x235. */
	self->header->version = 0x0205;
	self->header->jump = (0x235 - 0x202) << 8 | 0xeb;
	ASSERT_EQ(0, load(self, NULL, ""));
	EXPECT_EQ(0, params(self)->hdr.cmdline_size - 255);
	EXPECT_EQ(0, params(self)->hdr.hardware_subarch_data);
}

TEST_F(bzimage, a_header_longer_than_any_known_is_cut)
{
	self->header->jump = 0xffeb;
	ASSERT_EQ(0, load(self, NULL, ""));
	EXPECT_EQ(0, params(self)->_pad7[0]);
}

TEST_F(bzimage, zero_setup_sectors_mean_four)
{
	self->header->setup_sects = 0;
	ASSERT_EQ(0, load(self, NULL, ""));
	EXPECT_EQ(0, memcmp(ram_at(self->ram, LOAD, CODE_SIZE),
			    self->file + CODE_OFFSET, CODE_SIZE));
}

TEST_F(bzimage, kernels_older_than_2_02_are_refused)
{
	self->header->version = 0x0201;
	EXPECT_EQ(-ENOEXEC, load(self, NULL, ""));
	EXPECT_SAYS("2.01");
}

TEST_F(bzimage, a_zimage_is_refused)
{
	self->header->loadflags = 0;
	EXPECT_EQ(-ENOEXEC, load(self, NULL, ""));
	EXPECT_SAYS("zImage");
}

TEST_F(bzimage, a_relocatable_kernel_moves_to_where_it_fits)
{
	self->header->pref_address = 62 * MIB;
	ASSERT_EQ(0, load(self, NULL, ""));
	EXPECT_EQ(2 * MIB + 0x200, self->entry.regs.general.rip);
}

TEST_F(bzimage, a_kernel_that_cannot_move_is_refused_where_it_does_not_fit)
{
	self->header->pref_address = 62 * MIB;
	self->header->relocatable_kernel = 0;
	EXPECT_EQ(-ENOSPC, load(self, NULL, ""));
	EXPECT_SAYS("vmlinuz: does not fit in 64 MiB");
	EXPECT_SAYS("needs 3 MiB");
	EXPECT_SAYS("--memory gives more");
}

TEST_F(bzimage, the_kernels_own_need_of_memory_counts)
{
	self->header->init_size = 63 * MIB;
	EXPECT_EQ(-ENOSPC, load(self, NULL, ""));
	self->header->init_size = 62 * MIB;
	EXPECT_EQ(0, load(self, NULL, ""));
	self->header->init_size = UINT32_MAX;
	EXPECT_EQ(-ENOSPC, load(self, NULL, ""));
}

TEST_F(bzimage, preferred_addresses_outside_free_ram_are_refused)
{
	static const uint64_t bad[] = {
		0,
		0x400,
		0x9f000,
		0xa0000,
		0xf0000,
		64 * MIB,
		RAM_HOLE_START,
		4 * GIB,
		UINT64_MAX,
		UINT64_MAX - 4096,
	};
	unsigned int i;

	self->header->relocatable_kernel = 0;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		self->header->pref_address = bad[i];
		EXPECT_EQ(-ENOSPC, load(self, NULL, ""));
	}
}

TEST_F(bzimage, a_preferred_address_above_4_gib_is_not_used)
{
	ram_free(self->ram);
	self->ram = ram_new(5 * GIB);
	ASSERT_NE(NULL, self->ram);
	place_init(&self->place, self->ram);
	self->header->pref_address = 4 * GIB;
	ASSERT_EQ(0, load(self, NULL, ""));
	EXPECT_EQ(2 * MIB + 0x200, self->entry.regs.general.rip);
}

TEST_F(bzimage, alignments_that_are_no_power_of_two_are_refused)
{
	self->header->kernel_alignment = 0;
	EXPECT_EQ(-EINVAL, load(self, NULL, ""));
	self->header->kernel_alignment = 0x300000;
	EXPECT_EQ(-EINVAL, load(self, NULL, ""));
	EXPECT_SAYS("0x300000");
}

TEST_F(bzimage, more_in_the_header_than_in_the_file_is_truncated)
{
	self->header->syssize = CODE_SIZE / 16 + 1;
	EXPECT_EQ(-EINVAL, load(self, NULL, ""));
	EXPECT_SAYS("truncated: 16 bytes");
	self->header->syssize = UINT32_MAX;
	EXPECT_EQ(-EINVAL, load(self, NULL, ""));
	self->header->syssize = 0;
	EXPECT_EQ(-EINVAL, load(self, NULL, ""));
}

TEST_F(bzimage, what_follows_the_kernel_in_the_file_is_not_loaded)
{
	self->header->syssize = CODE_SIZE / 32;
	ASSERT_EQ(0, load(self, NULL, ""));
	EXPECT_EQ(0, *(char *)ram_at(self->ram, LOAD + CODE_SIZE / 2 + 1, 1));
}

/* Each file is allocated anew, so that the sanitizer sees reads beyond its end. */
TEST_F(bzimage, every_truncated_file_is_refused)
{
	size_t size;
	void *part;
	int ret;

	for (size = 1; size < FILE_SIZE - 15; size++) {
		part = malloc(size);
		ASSERT_NE(NULL, part);
		memcpy(part, self->file, size);
		self->image.data = part;
		self->image.size = size;
		ret = bzimage_probe(&self->image) ? load(self, NULL, "") :
						    -EINVAL;
		free(part);
		ASSERT_EQ(-EINVAL, ret)
		TH_LOG("%zu bytes", size);
	}
}

TEST_F(bzimage, no_byte_of_the_header_can_do_harm)
{
	static const unsigned char values[] = { 0, 1, 0x7f, 0x80, 0xff };
	unsigned int at, i;
	unsigned char old;
	int ret;

	for (at = 0x1f1; at < 0x290; at++) {
		old = self->file[at];
		for (i = 0; i < sizeof(values); i++) {
			self->file[at] = values[i];
			place_init(&self->place, self->ram);
			ret = load(self, &self->initrd, "quiet");
			ASSERT_EQ(!ret, !self->error.text[0]);
			ASSERT_GE(0, ret);
		}
		self->file[at] = old;
	}
}

TEST_HARNESS_MAIN
