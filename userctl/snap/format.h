/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The file of a saved machine, as it lies on disk; lodge-image(5) describes it byte by
 * byte.
 *
 * All numbers are little-endian.  The first page has the header and the table of
 * sections; the sections follow in the order of the table, each behind the one before
 * at the next multiple of SNAP_ALIGN, and "memory" at the next multiple of SNAP_PAGE.
 * All bytes between them are zero.  So a file has one layout, and a reader that
 * compares offsets with it has checked order, overlaps and holes.
 */
#ifndef LODGE_SNAP_FORMAT_H
#define LODGE_SNAP_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No text, and damaged where a file is carried over as text. */
#define SNAP_MAGIC "\x89LODGE\r\n"
#define SNAP_MAGIC_SIZE 8
#define SNAP_VERSION 1

#define SNAP_PAGE 4096U
#define SNAP_ALIGN 8U
#define SNAP_TAG_SIZE 16
#define SNAP_ID_SIZE 16
#define SNAP_MAX_SECTIONS 64
/* Twice the memory of the largest machine, so that there is room for its images. */
#define SNAP_MAX_PAGES (1ULL << 29)
/* Memory is told of in chunks of so many pages; no run crosses the border of two. */
#define SNAP_CHUNK 256U
#define SNAP_CHUNK_SIZE ((size_t)SNAP_CHUNK * SNAP_PAGE)

/* The sections that each file has, once; of all of them this is the version. */
#define SNAP_CONFIG "config"
#define SNAP_HOST "host"
#define SNAP_STATE "state"
#define SNAP_MEMORY "memory"
#define SNAP_PAGES "pages"
#define SNAP_SECTION_VERSION 1

/* A section that a file may have: optional, unless a disk has blocks there. */
#define SNAP_OVERLAYS "overlays"
#define SNAP_MAX_OVERLAYS 64

/* Most bytes of all sections together, without "memory" and "pages". */
#define SNAP_SECTIONS_SIZE (64ULL << 20)

/**
 * enum snap_form - how the bytes of memory are stored
 * @SNAP_PLAIN: page p lies at p * SNAP_PAGE of "memory"; what is not stored is a hole
 * @SNAP_PACKED: a zstd frame for each run, one behind the other
 */
enum snap_form {
	SNAP_PLAIN = 1,
	SNAP_PACKED = 2,
};

/**
 * struct snap_disk_header - the first bytes
 * @magic: SNAP_MAGIC
 * @version: SNAP_VERSION
 * @crc: of the header, with zero here, and the table
 * @form: enum snap_form
 * @sections: entries of the table
 * @pages: the machine's RAM, and what is kept behind it; page 0 is at address 0, and RAM
 *	above the hole below 4 GiB follows on that below
 * @id: identifies the moment that the file holds; kept when the file is converted
 * @base: zero, or the id of the file of whose memory this one has the changes
 * @size: bytes of the file
 * @reserved: zero
 */
struct snap_disk_header {
	uint8_t magic[SNAP_MAGIC_SIZE];
	uint32_t version;
	uint32_t crc;
	uint32_t form;
	uint32_t sections;
	uint64_t pages;
	uint8_t id[SNAP_ID_SIZE];
	uint8_t base[SNAP_ID_SIZE];
	uint64_t size;
	uint8_t reserved[56];
};

/* A reader that does not know the section may do without it. */
#define SNAP_OPTIONAL (1U << 0)

/**
 * struct snap_disk_section - an entry of the table, behind the header
 * @tag: name, with zeroes up to its end, of which there is one at least
 * @version: of the section's content
 * @flags: SNAP_OPTIONAL
 * @offset: in the file
 * @length: bytes
 * @crc: of the section; 0 for "memory", whose runs have their own
 * @reserved: zero
 */
struct snap_disk_section {
	char tag[SNAP_TAG_SIZE];
	uint32_t version;
	uint32_t flags;
	uint64_t offset;
	uint64_t length;
	uint32_t crc;
	uint32_t reserved;
};

/* The pages are zero, and the file does not store them. */
#define SNAP_RUN_ZERO (1U << 0)

/**
 * struct snap_disk_run - an entry of "pages": pages that the file has, in rising order
 * @first: number of the first page
 * @count: number of pages, at most SNAP_CHUNK
 * @flags: SNAP_RUN_ZERO, in a file with a base only: in a whole one, what has no run is
 *	zero
 * @stored: bytes in the file
 * @crc: of these bytes
 */
struct snap_disk_run {
	uint64_t first;
	uint32_t count;
	uint32_t flags;
	uint32_t stored;
	uint32_t crc;
};

/**
 * struct snap_disk_overlay - what an entry of "overlays" begins with; its runs follow
 * @page: that at which the disk begins in "memory"
 * @size: bytes of the disk
 * @block_size: 512 to 4096, a power of two
 * @reserved: zero
 */
struct snap_disk_overlay {
	uint64_t page;
	uint64_t size;
	uint32_t block_size;
	uint32_t reserved;
};

_Static_assert(sizeof(struct snap_disk_overlay) == 24, "as documented");
_Static_assert(sizeof(struct snap_disk_header) == 128, "as documented");
_Static_assert(sizeof(struct snap_disk_section) == 48, "as documented");
_Static_assert(sizeof(struct snap_disk_run) == 24, "as documented");
_Static_assert(sizeof(struct snap_disk_header) +
			       SNAP_MAX_SECTIONS *
				       sizeof(struct snap_disk_section) <=
		       SNAP_PAGE,
	       "header and table fit the first page");

/**
 * struct snap_table - header and table, as the first page of a file
 */
struct snap_table {
	struct snap_disk_header header;
	struct snap_disk_section sections[SNAP_MAX_SECTIONS];
};

/**
 * snap_table_crc() - get the checksum of header and table
 * @sections: entries of the table, at most SNAP_MAX_SECTIONS
 */
uint32_t snap_table_crc(const struct snap_table *table, uint32_t sections);

/**
 * snap_required() - list the sections that each file has
 * @number: from 0
 *
 * Return: the tag, or NULL: there are no more.
 */
const char *snap_required(size_t number);

/**
 * snap_tag_is_sound() - true if a tag is made of lower-case letters, digits, dots and
 * dashes, one at least, and of zeroes behind them
 * @tag: SNAP_TAG_SIZE bytes
 */
bool snap_tag_is_sound(const char *tag);

/**
 * snap_is_known() - true if a reader knows a section, or may do without it
 * @tag: a sound one
 */
bool snap_is_known(const char *tag, uint32_t version, uint32_t flags);

/**
 * snap_place() - get the offset of a section
 * @tag: its tag
 * @end: where the one before ends, or SNAP_PAGE
 *
 * Return: the offset; UINT64_MAX: there is none.
 */
uint64_t snap_place(const char *tag, uint64_t end);

/**
 * snap_chunk_size() - get the bytes of the largest run
 * @pages: of "memory"
 */
size_t snap_chunk_size(uint64_t pages);

/**
 * snap_write() - write bytes of a file
 *
 * Return: 0 or -errno.
 */
int snap_write(int fd, const void *bytes, size_t size, uint64_t offset);

#endif
