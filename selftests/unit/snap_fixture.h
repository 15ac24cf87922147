/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files of saved machines, for tests and fuzzers of their reader.
 */
#ifndef LODGE_UNIT_SNAP_FIXTURE_H
#define LODGE_UNIT_SNAP_FIXTURE_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "snap/format.h"
#include "snap/overlay.h"
#include "snap/write.h"

#define SNAP_TEST_CONFIG "{\"name\": \"test\", \"memory\": \"16K\"}\n"
#define SNAP_TEST_HOST                                                     \
	"{\"lodge\": \"1\", \"backend\": \"svm\", \"machine\": \"test\", " \
	"\"time\": 1}\n"
#define SNAP_TEST_STATE "state"

static const uint8_t snap_test_id[SNAP_ID_SIZE] = "0123456789abcde";
static const uint8_t snap_test_base[SNAP_ID_SIZE] = "base";

/* The content of a page: differs from that of others; with salt 0 it is zero. */
static inline void snap_test_page(uint8_t *bytes, uint64_t page, uint8_t salt)
{
	memset(bytes, 0, SNAP_PAGE);
	if (!salt)
		return;
	memset(bytes, salt, SNAP_PAGE / 2);
	memcpy(bytes + 100, &page, sizeof(page));
}

/* The sections that each file has.  Return: 0 or -errno. */
static inline int snap_test_sections(struct snap_writer *writer)
{
	int err = snap_writer_section(writer, SNAP_CONFIG, SNAP_SECTION_VERSION,
				      0, SNAP_TEST_CONFIG,
				      strlen(SNAP_TEST_CONFIG));

	if (!err)
		err = snap_writer_section(writer, SNAP_HOST,
					  SNAP_SECTION_VERSION, 0,
					  SNAP_TEST_HOST,
					  strlen(SNAP_TEST_HOST));
	if (!err)
		err = snap_writer_section(writer, SNAP_STATE,
					  SNAP_SECTION_VERSION, 0,
					  SNAP_TEST_STATE,
					  strlen(SNAP_TEST_STATE));
	return err;
}

/*
 * A disk whose blocks were written: its two blocks are in the last page of @pages.  Return: 0
 * or -errno.
 */
static inline int snap_test_disk(struct snap_writer *writer, uint64_t pages)
{
	const struct snap_overlay disk = { .device = "virtio-blk",
					   .page = pages - 1,
					   .size = 4 * 1024,
					   .block_size = 1024 };
	struct record section = { 0 };
	size_t place;
	int err = snap_overlay_open(&section, &disk, &place);

	if (!err)
		err = snap_overlay_add(&section, 0, 2);
	if (!err)
		record_close(&section, place);
	if (!err)
		err = snap_writer_section(writer, SNAP_OVERLAYS,
					  SNAP_SECTION_VERSION, 0, section.data,
					  section.size);
	free(section.data);
	return err;
}

/*
 * Writes a file, with snap_test_disk() if asked for.
 * @salts: of each page; of those with UINT8_MAX nothing is written
 *
 * Return: 0 or -errno.
 */
static inline int snap_test_write_all(int fd, const struct snap_plan *plan,
				      const uint8_t *salts, bool disk)
{
	struct snap_writer *writer;
	uint8_t bytes[SNAP_PAGE];
	int err = snap_writer_new(&writer, fd, plan);

	if (err)
		return err;
	err = snap_test_sections(writer);
	if (!err && disk)
		err = snap_test_disk(writer, plan->pages);
	for (uint64_t page = 0; page < plan->pages && !err; page++) {
		if (salts[page] == UINT8_MAX)
			continue;
		snap_test_page(bytes, page, salts[page]);
		err = snap_writer_pages(writer, page, 1, bytes);
	}
	if (!err)
		err = snap_writer_end(writer);
	snap_writer_free(writer);
	return err;
}

/* The same, without a disk. */
static inline int snap_test_write(int fd, const struct snap_plan *plan,
				  const uint8_t *salts)
{
	return snap_test_write_all(fd, plan, salts, false);
}

/* Return: a file in memory, or -1. */
static inline int snap_test_file(void)
{
	return memfd_create("snap", MFD_CLOEXEC);
}

#endif
