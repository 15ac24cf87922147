/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The script by which firmware loads files from fw_cfg, and links them to each other:
 * the ACPI linker/loader of QEMU, SeaBIOS and EDK2 (fw_cfg file etc/table-loader).
 */
#ifndef LODGE_BOOT_LINKER_H
#define LODGE_BOOT_LINKER_H

#include <stdint.h>

#define LINKER_FILE "etc/table-loader"
/* Size of a file's name, with the zero at its end. */
#define LINKER_NAME_SIZE 56
#define LINKER_MAX 64

/* Where firmware puts a file: at a high address, or in the segment 0xf000. */
enum linker_zone {
	LINKER_HIGH = 1,
	LINKER_BIOS_SEGMENT = 2,
};

/**
 * struct linker_command - a command, as firmware reads it; little-endian
 * @command: which member of the union counts
 */
struct linker_command {
	uint32_t command;
	union {
		struct {
			char file[LINKER_NAME_SIZE];
			uint32_t align;
			uint8_t zone;
		} __attribute__((packed)) allocate;
		struct {
			char file[LINKER_NAME_SIZE];
			char to[LINKER_NAME_SIZE];
			uint32_t offset;
			uint8_t size;
		} __attribute__((packed)) pointer;
		struct {
			char file[LINKER_NAME_SIZE];
			uint32_t offset;
			uint32_t start;
			uint32_t length;
		} __attribute__((packed)) checksum;
		uint8_t room[124];
	};
} __attribute__((packed));

/**
 * struct linker - a script; one of zeroes is empty
 * @count: commands that were added; if they are more than LINKER_MAX, the script is
 *	not whole
 */
struct linker {
	unsigned int count;
	struct linker_command commands[LINKER_MAX];
};

/**
 * linker_allocate() - load a file, before the other commands that name it
 * @align: of its address, a power of two
 */
void linker_allocate(struct linker *linker, const char *file, uint32_t align,
		     enum linker_zone zone);

/**
 * linker_add_pointer() - add the address of a file to a field of another one, or of
 * itself
 * @offset: of the field in @file; it holds an offset in @to
 * @size: of the field: 1, 2, 4 or 8 bytes
 */
void linker_add_pointer(struct linker *linker, const char *file,
			uint32_t offset, uint8_t size, const char *to);

/**
 * linker_add_checksum() - set a byte such that a range has the sum 0
 * @offset: of the byte in @file, within the range
 * @start: offset of the range
 * @length: its size
 */
void linker_add_checksum(struct linker *linker, const char *file,
			 uint32_t offset, uint32_t start, uint32_t length);

#endif
