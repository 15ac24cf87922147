/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reads the file of a saved machine, which is not trusted.
 *
 * snap_file_open() reads and checks all but the bytes of memory, so that what is asked
 * for later cannot fail, and calls nothing but fstat(2), pread(2) and lseek(2).  The file
 * may change meanwhile: sections are held in memory, and runs of pages are checked each
 * time that they are read (snap/walk.h).
 */
#ifndef LODGE_SNAP_FILE_H
#define LODGE_SNAP_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snap/error.h"
#include "snap/format.h"
#include "snap/overlay.h"

/**
 * struct snap_section - a section
 * @tag: its characters can be printed
 * @version: of its content
 * @flags: SNAP_OPTIONAL
 * @offset: in the file
 * @length: bytes
 * @bytes: them, with a zero behind; NULL for "memory" and "pages"
 */
struct snap_section {
	char tag[SNAP_TAG_SIZE];
	uint32_t version;
	uint32_t flags;
	uint64_t offset;
	uint64_t length;
	char *bytes;
};

/**
 * struct snap_file - an open file; only for reading
 * @fd: its descriptor, the caller's
 * @form: how memory is stored
 * @pages: of "memory"
 * @id: identifies the moment that it holds
 * @base: id of the file without which this one is not whole, or zeroes
 * @incremental: it has a base
 * @size: bytes of the file
 * @stored: pages that it stores
 * @zero: pages of which it says that they are zero, with a base
 * @runs: number of runs of pages
 * @nr_sections: number of @sections
 * @sections: in the order of the file
 * @memory: offset of "memory": with SNAP_PLAIN, page p lies at @memory + p * SNAP_PAGE,
 *	and all pages can be mapped
 * @packed: bytes of "memory"
 * @run_table: offset of "pages"
 * @nr_overlays: number of @overlays
 * @overlays: what was written to disks whose files stay as they are
 */
struct snap_file {
	int fd;
	enum snap_form form;
	uint64_t pages;
	uint8_t id[SNAP_ID_SIZE];
	uint8_t base[SNAP_ID_SIZE];
	bool incremental;
	uint64_t size;
	uint64_t stored;
	uint64_t zero;
	uint64_t runs;
	uint32_t nr_sections;
	struct snap_section sections[SNAP_MAX_SECTIONS];
	uint64_t memory;
	uint64_t packed;
	uint64_t run_table;
	uint32_t nr_overlays;
	struct snap_overlay overlays[SNAP_MAX_OVERLAYS];
};

/**
 * snap_file_open() - open a file
 * @file: set to it
 * @fd: a regular file, opened for reading; must stay open as long as @file
 * @error: out: on failure, the reason
 *
 * Return: 0; -EINVAL it is no such file; -EBADMSG it is damaged; -EPROTONOSUPPORT it is
 * of a version, or has a section, that is not known here; -errno.
 */
int snap_file_open(struct snap_file **file, int fd, struct snap_error *error);

/**
 * snap_file_free() - free it; NULL is fine
 */
void snap_file_free(struct snap_file *file);

/**
 * snap_file_section() - get a section
 *
 * Return: it, whose bytes are there unless it is "memory" or "pages"; NULL: the file
 * has none of that tag.  Each has SNAP_CONFIG, SNAP_HOST and SNAP_STATE.
 */
const struct snap_section *snap_file_section(const struct snap_file *file,
					     const char *tag);

/**
 * snap_file_check() - read and check all memory
 * @error: out: on failure, the reason
 *
 * Return: 0; -EBADMSG a run does not match its checksum, or bytes that are in no run
 * are not zero; -errno.
 */
int snap_file_check(const struct snap_file *file, struct snap_error *error);

#endif
