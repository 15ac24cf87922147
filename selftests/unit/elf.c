// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of ELF executables and the PVH protocol.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "boot/acpi.h"
#include "board/e820.h"
#include "boot/elf.h"
#include "boot/pvh.h"
#include "elf_image.h"

#include "kselftest_harness.h"

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

FIXTURE(elf)
{
	struct ram *ram;
	struct place place;
	struct elf_program program;
	struct boot_entry entry;
	struct boot_error error;
	struct elf_image elf;
	struct image image;
	struct image initrd;
};

FIXTURE_SETUP(elf)
{
	self->ram = ram_new(64 * MIB);
	ASSERT_NE(NULL, self->ram);
	/* A machine that restarts may find anything here. */
	memset(ram_at(self->ram, 2 * MIB, 2 * MIB), 0xee, 2 * MIB);
	place_init(&self->place, self->ram);
	elf_image_build(&self->elf, ELFCLASS64);
	self->image = (struct image){ .path = "vmlinux",
				      .data = self->elf.bytes,
				      .size = ELF_IMAGE_SIZE };
	self->initrd = (struct image){ .path = "initrd.img",
				       .data = "initrd",
				       .size = 6 };
}

FIXTURE_TEARDOWN(elf)
{
	ram_free(self->ram);
}

static int load(FIXTURE_DATA(elf) * self)
{
	self->error.text[0] = '\0';
	place_init(&self->place, self->ram);
	return elf_load(&self->place, &self->image, &self->program,
			&self->error);
}

static int load_pvh(FIXTURE_DATA(elf) * self, const struct image *initrd,
		    const char *append)
{
	self->error.text[0] = '\0';
	place_init(&self->place, self->ram);
	return pvh_load(&self->place, &self->image, initrd, append,
			&self->entry, &self->error);
}

#define EXPECT_SAYS(part)                               \
	EXPECT_NE(NULL, strstr(self->error.text, part)) \
	TH_LOG("it says: %s", self->error.text)

TEST_F(elf, segments_lie_at_their_physical_addresses)
{
	const unsigned char *data = ram_at(self->ram, ELF_IMAGE_DATA_PADDR, 1);

	ASSERT_EQ(0, load(self));
	EXPECT_EQ(0, memcmp(ram_at(self->ram, ELF_IMAGE_PADDR, 1),
			    self->elf.bytes + ELF_IMAGE_TEXT,
			    ELF_IMAGE_TEXT_SIZE));
	EXPECT_EQ(0x22, data[0]);
	EXPECT_EQ(0x22, data[ELF_IMAGE_TEXT_SIZE - 1]);
	EXPECT_EQ(ELF_IMAGE_DATA_PADDR + 2 * ELF_IMAGE_TEXT_SIZE,
		  self->program.end);
}

TEST_F(elf, bss_becomes_zero_whatever_was_there)
{
	const unsigned char *bss;

	ASSERT_EQ(0, load(self));
	bss = ram_at(self->ram, ELF_IMAGE_DATA_PADDR + ELF_IMAGE_TEXT_SIZE, 1);
	EXPECT_EQ(0, bss[0]);
	EXPECT_EQ(0, bss[ELF_IMAGE_TEXT_SIZE - 1]);
	EXPECT_EQ(0xee, bss[ELF_IMAGE_TEXT_SIZE]);
}

TEST_F(elf, the_entry_point_becomes_physical)
{
	ASSERT_EQ(0, load(self));
	EXPECT_EQ(ELF_IMAGE_PADDR + 0x10, self->program.entry);
	self->elf.header64->e_entry = ELF_IMAGE_PADDR + 0x20;
	ASSERT_EQ(0, load(self));
	EXPECT_EQ(ELF_IMAGE_PADDR + 0x20, self->program.entry);
}

TEST_F(elf, files_of_32_bits_are_loaded_as_well)
{
	elf_image_build(&self->elf, ELFCLASS32);
	ASSERT_EQ(0, load(self));
	EXPECT_EQ(ELF_IMAGE_PADDR + 0x10, self->program.entry);
	EXPECT_EQ(0x11, *(char *)ram_at(self->ram, ELF_IMAGE_PADDR, 1));
	EXPECT_TRUE(self->program.pvh);
}

TEST_F(elf, the_pvh_note_is_found)
{
	uint32_t *note = (void *)(self->elf.bytes + ELF_IMAGE_NOTES);

	ASSERT_EQ(0, load(self));
	EXPECT_TRUE(self->program.pvh);
	EXPECT_EQ(ELF_IMAGE_PVH, self->program.pvh_entry);

	note[1] = 4; /* a 32-bit kernel's */
	self->elf.segment64[ELF_IMAGE_SEGMENT_NOTES].p_filesz = 20;
	ASSERT_EQ(0, load(self));
	EXPECT_EQ(ELF_IMAGE_PVH, self->program.pvh_entry);
}

TEST_F(elf, other_notes_are_passed_over)
{
	uint32_t *note = (void *)(self->elf.bytes + ELF_IMAGE_NOTES);

	note[2] = 17;
	ASSERT_EQ(0, load(self));
	EXPECT_FALSE(self->program.pvh);
	note[2] = 18;
	note[3] = 0x00554e47; /* "GNU" */
	ASSERT_EQ(0, load(self));
	EXPECT_FALSE(self->program.pvh);
}

TEST_F(elf, notes_with_hostile_sizes_are_passed_over)
{
	static const uint32_t sizes[] = { 0,	      1,	  25,
					  0x7fffffff, 0xfffffff0, 0xffffffff };
	uint32_t *note = (void *)(self->elf.bytes + ELF_IMAGE_NOTES);
	unsigned int i;

	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		note[0] = sizes[i];
		note[1] = 8;
		ASSERT_EQ(0, load(self));
		EXPECT_FALSE(self->program.pvh);
		note[0] = 4;
		note[1] = sizes[i];
		ASSERT_EQ(0, load(self));
		EXPECT_FALSE(self->program.pvh);
	}
}

TEST_F(elf, a_segment_beyond_the_file_is_truncated)
{
	Elf64_Phdr *segment = self->elf.segment64;

	segment->p_offset = ELF_IMAGE_SIZE - 1;
	EXPECT_EQ(-EINVAL, load(self));
	EXPECT_SAYS("vmlinux: truncated: segment 0");
	segment->p_offset = UINT64_MAX - 16;
	EXPECT_EQ(-EINVAL, load(self));
	segment->p_offset = ELF_IMAGE_TEXT;
	segment->p_filesz = segment->p_memsz = UINT64_MAX;
	EXPECT_EQ(-EINVAL, load(self));
}

TEST_F(elf, notes_beyond_the_file_are_truncated)
{
	self->elf.segment64[ELF_IMAGE_SEGMENT_NOTES].p_offset = UINT64_MAX;
	EXPECT_EQ(-EINVAL, load(self));
	EXPECT_SAYS("notes");
}

TEST_F(elf, a_segment_smaller_in_memory_than_in_the_file_is_refused)
{
	self->elf.segment64->p_memsz = 1;
	EXPECT_EQ(-EINVAL, load(self));
	EXPECT_SAYS("larger in the file than in memory");
}

/* `ld -Ttext=0x100000` makes such files: the first segment has the headers. */
TEST_F(elf, a_segment_of_the_headers_alone_may_lie_where_nothing_can)
{
	self->elf.segment64[ELF_IMAGE_SEGMENT_DATA].p_offset = 0;
	self->elf.segment64[ELF_IMAGE_SEGMENT_DATA].p_paddr = 0xff000;
	self->elf.segment64[ELF_IMAGE_SEGMENT_DATA].p_filesz = 0xb0;
	self->elf.segment64[ELF_IMAGE_SEGMENT_DATA].p_memsz = 0xb0;
	EXPECT_EQ(0, load(self));
	self->elf.segment64[ELF_IMAGE_SEGMENT_DATA].p_filesz = 0x400;
	self->elf.segment64[ELF_IMAGE_SEGMENT_DATA].p_memsz = 0x400;
	EXPECT_EQ(-ENOSPC, load(self));
}

/* GNU ld puts a note before it that makes the segment's alignment eight. */
TEST_F(elf, the_pvh_note_is_found_behind_one_of_another_alignment)
{
	static const uint32_t notes[] = {
		4, 16, 5,  0x00554e47, 0xc0000002,    4, 3, 0,
		4, 4,  18, 0x006e6558, ELF_IMAGE_PVH,
	};

	memcpy(self->elf.bytes + ELF_IMAGE_NOTES, notes, sizeof(notes));
	self->elf.segment64[ELF_IMAGE_SEGMENT_NOTES].p_filesz = sizeof(notes);
	self->elf.segment64[ELF_IMAGE_SEGMENT_NOTES].p_align = 8;
	ASSERT_EQ(0, load(self));
	EXPECT_TRUE(self->program.pvh);
	EXPECT_EQ(ELF_IMAGE_PVH, self->program.pvh_entry);
}

TEST_F(elf, notes_that_overlap_are_not_read_for_each_segment)
{
	Elf64_Phdr *segment = self->elf.segment64;

	segment[ELF_IMAGE_SEGMENT_DATA] = segment[ELF_IMAGE_SEGMENT_NOTES];
	ASSERT_EQ(0, load(self));
	segment[ELF_IMAGE_SEGMENT_DATA].p_offset = 0;
	segment[ELF_IMAGE_SEGMENT_DATA].p_filesz = ELF_IMAGE_SIZE;
	EXPECT_EQ(-EINVAL, load(self));
	EXPECT_SAYS("overlap");
}

TEST_F(elf, a_segment_outside_free_ram_is_refused)
{
	static const uint64_t bad[] = {
		0,	    0x9fc00,	       0xf0000,
		64 * MIB,   64 * MIB - 1,      4 * GIB,
		UINT64_MAX, UINT64_MAX - 0x7f, 0xffffffff81000000,
	};
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		self->elf.segment64->p_paddr = bad[i];
		EXPECT_EQ(-ENOSPC, load(self));
		EXPECT_SAYS("vmlinux: segment 0");
	}
}

TEST_F(elf, bss_larger_than_ram_is_refused)
{
	self->elf.segment64->p_memsz = UINT64_MAX;
	EXPECT_EQ(-ENOSPC, load(self));
	self->elf.segment64->p_memsz = 62 * MIB + 1;
	EXPECT_EQ(-ENOSPC, load(self));
	EXPECT_SAYS("is not within RAM (see --memory)");
}

TEST_F(elf, segments_upon_each_other_are_refused)
{
	self->elf.segment64[1].p_paddr = ELF_IMAGE_PADDR + 1;
	EXPECT_EQ(-ENOSPC, load(self));
	EXPECT_SAYS("segment 1");
	EXPECT_SAYS("overlaps");
}

TEST_F(elf, an_empty_segment_may_be_anywhere)
{
	self->elf.segment64->p_memsz = 0;
	self->elf.segment64->p_paddr = UINT64_MAX;
	EXPECT_EQ(0, load(self));
}

TEST_F(elf, a_file_with_nothing_to_load_is_refused)
{
	self->elf.header64->e_phnum = 0;
	EXPECT_EQ(-ENOEXEC, load(self));
	EXPECT_SAYS("nothing in it to load");
}

TEST_F(elf, program_headers_beyond_the_file_are_truncated)
{
	self->elf.header64->e_phnum = 1000;
	self->elf.segment64[0].p_type = PT_NULL;
	self->elf.segment64[1].p_type = PT_NULL;
	self->elf.segment64[2].p_type = PT_NULL;
	EXPECT_EQ(-EINVAL, load(self));
	self->elf.header64->e_phnum = 0xffff;
	EXPECT_EQ(-EINVAL, load(self));
	self->elf.header64->e_phnum = 1;
	self->elf.header64->e_phoff = UINT64_MAX - 8;
	EXPECT_EQ(-EINVAL, load(self));
	EXPECT_SAYS("program headers");
}

TEST_F(elf, other_machines_are_refused)
{
	self->elf.header64->e_machine = EM_AARCH64;
	EXPECT_EQ(-ENOEXEC, load(self));
	EXPECT_SAYS("not for x86");
	self->elf.header64->e_machine = EM_X86_64;
	self->elf.header64->e_ident[EI_DATA] = ELFDATA2MSB;
	EXPECT_EQ(-ENOEXEC, load(self));
}

TEST_F(elf, what_is_not_an_executable_is_refused)
{
	self->elf.header64->e_type = ET_REL;
	EXPECT_EQ(-ENOEXEC, load(self));
	self->elf.header64->e_type = ET_DYN;
	EXPECT_EQ(-ENOEXEC, load(self));
	EXPECT_SAYS("fixed addresses; link it with -no-pie");
}

TEST_F(elf, every_truncated_file_is_refused)
{
	const size_t end = ELF_IMAGE_DATA + ELF_IMAGE_TEXT_SIZE;
	size_t size;
	void *part;
	int ret;

	for (size = 1; size < end; size++) {
		part = malloc(size);
		ASSERT_NE(NULL, part);
		memcpy(part, self->elf.bytes, size);
		self->image.data = part;
		self->image.size = size;
		ret = elf_probe(&self->image) ? load(self) : -EINVAL;
		free(part);
		ASSERT_EQ(-EINVAL, ret)
		TH_LOG("%zu bytes", size);
	}
}

TEST_F(elf, no_byte_of_the_headers_can_do_harm)
{
	static const unsigned char values[] = { 0, 1, 0x7f, 0x80, 0xff };
	const size_t end = sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Phdr);
	unsigned char old;
	size_t at, i;
	int ret;

	for (at = 0; at < end; at++) {
		old = self->elf.bytes[at];
		for (i = 0; i < sizeof(values); i++) {
			self->elf.bytes[at] = values[i];
			ret = load_pvh(self, &self->initrd, "quiet");
			ASSERT_EQ(!ret, !self->error.text[0]);
			ASSERT_GE(0, ret);
		}
		self->elf.bytes[at] = old;
	}
}

TEST_F(elf, a_pvh_kernel_starts_in_protected_mode)
{
	const struct lodge_regs *regs = &self->entry.regs;

	ASSERT_EQ(0, load_pvh(self, NULL, ""));
	EXPECT_EQ(ELF_IMAGE_PVH, regs->general.rip);
	EXPECT_EQ(2, regs->general.rflags);
	EXPECT_EQ(0x11, regs->control.cr0);
	EXPECT_EQ(0, regs->control.cr4);
	EXPECT_EQ(0, regs->control.efer);
	EXPECT_EQ(0xc9b, regs->segments.seg[LODGE_CS].attr);
	EXPECT_EQ(0xffffffff, regs->segments.seg[LODGE_CS].limit);
	EXPECT_EQ(0, regs->segments.seg[LODGE_TR].base);
	EXPECT_EQ(0x67, regs->segments.seg[LODGE_TR].limit);
}

/* The start info is read by the offsets of Xen's interface. */
TEST_F(elf, the_start_info_names_all_that_is_passed)
{
	const unsigned char *info, *module, *memory;
	uint64_t address;
	uint32_t word;

	ASSERT_EQ(0, load_pvh(self, &self->initrd, "console=ttyS0"));
	info = ram_at(self->ram, self->entry.regs.general.gpr[LODGE_RBX], 56);
	ASSERT_NE(NULL, info);
	memcpy(&word, info, 4);
	EXPECT_EQ(0x336ec578, word);
	memcpy(&word, info + 4, 4);
	EXPECT_EQ(1, word);
	memcpy(&word, info + 12, 4);
	EXPECT_EQ(1, word);
	memcpy(&address, info + 24, 8);
	EXPECT_STREQ("console=ttyS0", (char *)ram_at(self->ram, address, 14));
	memcpy(&address, info + 32, 8);
	EXPECT_EQ(ACPI_RSDP, address);

	memcpy(&address, info + 16, 8);
	module = ram_at(self->ram, address, 32);
	ASSERT_NE(NULL, module);
	memcpy(&address, module, 8);
	EXPECT_EQ(64 * MIB - 4096, address);
	EXPECT_EQ(0, memcmp(ram_at(self->ram, address, 6), "initrd", 6));
	memcpy(&address, module + 8, 8);
	EXPECT_EQ(6, address);

	memcpy(&word, info + 48, 4);
	EXPECT_EQ(5, word);
	memcpy(&address, info + 40, 8);
	memory = ram_at(self->ram, address, 5 * 24);
	ASSERT_NE(NULL, memory);
	memcpy(&address, memory + 3 * 24, 8);
	EXPECT_EQ(MIB, address);
	memcpy(&address, memory + 3 * 24 + 8, 8);
	EXPECT_EQ(63 * MIB, address);
	memcpy(&word, memory + 3 * 24 + 16, 4);
	EXPECT_EQ(E820_RAM, word);
}

TEST_F(elf, without_an_initrd_there_is_no_module)
{
	const unsigned char *info;

	ASSERT_EQ(0, load_pvh(self, NULL, ""));
	info = ram_at(self->ram, self->entry.regs.general.gpr[LODGE_RBX], 56);
	EXPECT_EQ(0, memcmp(info + 12, "\0\0\0\0\0\0\0\0\0\0\0\0", 12));
}

TEST_F(elf, a_kernel_without_a_pvh_note_is_refused)
{
	self->elf.segment64[ELF_IMAGE_SEGMENT_NOTES].p_type = PT_NULL;
	EXPECT_EQ(-ENOEXEC, load_pvh(self, NULL, ""));
	EXPECT_SAYS("neither a PVH note nor a multiboot header");
	EXPECT_SAYS("bzImage");
}

TEST_F(elf, a_pvh_entry_beyond_4_gib_is_refused)
{
	self->elf.bytes[ELF_IMAGE_NOTES + 20] = 1;
	EXPECT_EQ(-EINVAL, load_pvh(self, NULL, ""));
	EXPECT_SAYS("beyond 4 GiB");
}

TEST_F(elf, an_initrd_that_does_not_fit_is_refused_by_name)
{
	self->initrd.size = 61 * MIB;
	EXPECT_EQ(-ENOSPC, load_pvh(self, &self->initrd, ""));
	EXPECT_STREQ("initrd.img: does not fit below 64 MiB (needs 61 MiB); "
		     "--memory gives more",
		     self->error.text);
}

TEST_HARNESS_MAIN
