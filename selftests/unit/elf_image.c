// SPDX-License-Identifier: GPL-2.0
/*
 * A small ELF executable.
 */
#include "elf_image.h"

#include <stdint.h>
#include <string.h>

static const unsigned char ident[EI_NIDENT] = {
	ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, 0, ELFDATA2LSB, EV_CURRENT,
};

static void elf_image_build32(struct elf_image *elf)
{
	Elf32_Ehdr *header = elf->header32 = (void *)elf->bytes;
	Elf32_Phdr *segment = elf->segment32 = (void *)(header + 1);

	*header = (Elf32_Ehdr){
		.e_type = ET_EXEC,
		.e_machine = EM_386,
		.e_version = EV_CURRENT,
		.e_entry = ELF_IMAGE_VADDR + 0x10,
		.e_phoff = sizeof(*header),
		.e_ehsize = sizeof(*header),
		.e_phentsize = sizeof(*segment),
		.e_phnum = ELF_IMAGE_NR_SEGMENTS,
	};
	memcpy(header->e_ident, ident, sizeof(ident));
	header->e_ident[EI_CLASS] = ELFCLASS32;
	segment[ELF_IMAGE_SEGMENT_TEXT] = (Elf32_Phdr){
		.p_type = PT_LOAD,
		.p_offset = ELF_IMAGE_TEXT,
		.p_vaddr = ELF_IMAGE_VADDR,
		.p_paddr = ELF_IMAGE_PADDR,
		.p_filesz = ELF_IMAGE_TEXT_SIZE,
		.p_memsz = ELF_IMAGE_TEXT_SIZE,
	};
	segment[ELF_IMAGE_SEGMENT_DATA] = (Elf32_Phdr){
		.p_type = PT_LOAD,
		.p_offset = ELF_IMAGE_DATA,
		.p_vaddr = 0x90000000,
		.p_paddr = ELF_IMAGE_DATA_PADDR,
		.p_filesz = ELF_IMAGE_TEXT_SIZE,
		.p_memsz = 2 * ELF_IMAGE_TEXT_SIZE,
	};
	segment[ELF_IMAGE_SEGMENT_NOTES] = (Elf32_Phdr){
		.p_type = PT_NOTE,
		.p_offset = ELF_IMAGE_NOTES,
		.p_filesz = ELF_IMAGE_NOTES_SIZE,
		.p_align = 4,
	};
}

static void elf_image_build64(struct elf_image *elf)
{
	Elf64_Ehdr *header = elf->header64 = (void *)elf->bytes;
	Elf64_Phdr *segment = elf->segment64 = (void *)(header + 1);

	*header = (Elf64_Ehdr){
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_entry = ELF_IMAGE_VADDR + 0x10,
		.e_phoff = sizeof(*header),
		.e_ehsize = sizeof(*header),
		.e_phentsize = sizeof(*segment),
		.e_phnum = ELF_IMAGE_NR_SEGMENTS,
	};
	memcpy(header->e_ident, ident, sizeof(ident));
	header->e_ident[EI_CLASS] = ELFCLASS64;
	segment[ELF_IMAGE_SEGMENT_TEXT] = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_offset = ELF_IMAGE_TEXT,
		.p_vaddr = ELF_IMAGE_VADDR,
		.p_paddr = ELF_IMAGE_PADDR,
		.p_filesz = ELF_IMAGE_TEXT_SIZE,
		.p_memsz = ELF_IMAGE_TEXT_SIZE,
	};
	segment[ELF_IMAGE_SEGMENT_DATA] = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_offset = ELF_IMAGE_DATA,
		.p_vaddr = 0x90000000,
		.p_paddr = ELF_IMAGE_DATA_PADDR,
		.p_filesz = ELF_IMAGE_TEXT_SIZE,
		.p_memsz = 2 * ELF_IMAGE_TEXT_SIZE,
	};
	segment[ELF_IMAGE_SEGMENT_NOTES] = (Elf64_Phdr){
		.p_type = PT_NOTE,
		.p_offset = ELF_IMAGE_NOTES,
		.p_filesz = ELF_IMAGE_NOTES_SIZE,
		.p_align = 4,
	};
}

void elf_image_build(struct elf_image *elf, int class)
{
	static const uint32_t note[] = {
		4, 8, 18, 0x006e6558, ELF_IMAGE_PVH, 0
	};

	memset(elf, 0, sizeof(*elf));
	if (class == ELFCLASS32)
		elf_image_build32(elf);
	else
		elf_image_build64(elf);
	memcpy(elf->bytes + ELF_IMAGE_NOTES, note, sizeof(note));
	memset(elf->bytes + ELF_IMAGE_TEXT, 0x11, ELF_IMAGE_TEXT_SIZE);
	memset(elf->bytes + ELF_IMAGE_DATA, 0x22, ELF_IMAGE_TEXT_SIZE);
}
