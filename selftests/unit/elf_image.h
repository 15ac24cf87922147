/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small ELF executable, of 32 or 64 bits; tests may change it before loading it.
 */
#ifndef LODGE_UNIT_ELF_IMAGE_H
#define LODGE_UNIT_ELF_IMAGE_H

#include <elf.h>
#include <stddef.h>

#define ELF_IMAGE_SIZE 2048
/* The first segment: its offset, physical and virtual address. */
#define ELF_IMAGE_TEXT 0x400
#define ELF_IMAGE_TEXT_SIZE 0x100
#define ELF_IMAGE_PADDR 0x200000
#define ELF_IMAGE_VADDR 0x80200000
/* The second segment has the same size, and as much BSS behind it. */
#define ELF_IMAGE_DATA 0x600
#define ELF_IMAGE_DATA_PADDR 0x300000
/* The notes: their offset, and the only note's fields. */
#define ELF_IMAGE_NOTES 0x300
#define ELF_IMAGE_NOTES_SIZE 24
#define ELF_IMAGE_PVH 0x200040

enum {
	ELF_IMAGE_SEGMENT_TEXT,
	ELF_IMAGE_SEGMENT_DATA,
	ELF_IMAGE_SEGMENT_NOTES,
	ELF_IMAGE_NR_SEGMENTS,
};

/**
 * struct elf_image - the file
 * @bytes: its contents
 * @header32: its header in @bytes if it has 32 bits, else NULL
 * @header64: the same for 64 bits
 * @segment32: its program headers in @bytes if it has 32 bits, else NULL
 * @segment64: the same for 64 bits
 */
struct elf_image {
	unsigned char bytes[ELF_IMAGE_SIZE];
	Elf32_Ehdr *header32;
	Elf64_Ehdr *header64;
	Elf32_Phdr *segment32;
	Elf64_Phdr *segment64;
};

/**
 * elf_image_build() - make a valid file with a PVH note
 * @class: ELFCLASS32 or ELFCLASS64
 */
void elf_image_build(struct elf_image *elf, int class);

#endif
