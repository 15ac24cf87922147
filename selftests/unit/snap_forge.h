/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files of saved machines with checksums that fit, whatever else is in them.
 */
#ifndef LODGE_UNIT_SNAP_FORGE_H
#define LODGE_UNIT_SNAP_FORGE_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/read.h"
#include "snap/crc.h"
#include "snap/format.h"

/**
 * struct forged - a file in memory, where it can be changed
 */
struct forged {
	uint8_t *bytes;
	size_t size;
};

static inline int forged_take(struct forged *forged, int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	forged->size = st.st_size;
	forged->bytes = malloc(forged->size);
	return forged->bytes ? read_at(fd, forged->bytes, forged->size, 0) :
			       -ENOMEM;
}

static inline void forged_free(struct forged *forged)
{
	free(forged->bytes);
	forged->bytes = NULL;
}

static inline struct snap_disk_section *forged_section(struct forged *forged,
						       const char *tag)
{
	struct snap_table *table = (void *)forged->bytes;

	for (int i = 0; i < SNAP_MAX_SECTIONS; i++)
		if (!strncmp(table->sections[i].tag, tag, SNAP_TAG_SIZE))
			return &table->sections[i];
	return NULL;
}

static inline struct snap_disk_run *forged_runs(struct forged *forged)
{
	return (void *)(forged->bytes +
			forged_section(forged, SNAP_PAGES)->offset);
}

static inline void forged_sum_section(struct forged *forged, const char *tag)
{
	struct snap_disk_section *section = forged_section(forged, tag);

	if (section && section->offset <= forged->size &&
	    section->length <= forged->size - section->offset)
		section->crc = snap_crc(0, forged->bytes + section->offset,
					section->length);
}

/* Makes the checksums of "overlays", of "pages" and of the header fit. */
static inline void forged_sum(struct forged *forged)
{
	struct snap_table *table = (void *)forged->bytes;

	forged_sum_section(forged, SNAP_OVERLAYS);
	forged_sum_section(forged, SNAP_PAGES);
	if (table->header.sections <= SNAP_MAX_SECTIONS)
		table->header.crc =
			snap_table_crc(table, table->header.sections);
}

static inline int forged_put(struct forged *forged, int fd)
{
	forged_sum(forged);
	return snap_write(fd, forged->bytes, forged->size, 0);
}

/* Takes the last run out of the table.  @fd gets the file. */
static inline int forged_drop_run(struct forged *forged, int fd)
{
	forged_section(forged, SNAP_PAGES)->length -=
		sizeof(struct snap_disk_run);
	forged->size -= sizeof(struct snap_disk_run);
	((struct snap_disk_header *)forged->bytes)->size = forged->size;
	return ftruncate(fd, forged->size) ? -errno : forged_put(forged, fd);
}

/* Moves "pages", the last section, away from the one before.  @fd gets the file. */
static inline int forged_move_pages(struct forged *forged, uint64_t gap, int fd)
{
	const uint64_t offset = forged_section(forged, SNAP_PAGES)->offset;
	uint8_t *moved = calloc(1, forged->size + gap);

	if (!moved)
		return -ENOMEM;
	memcpy(moved, forged->bytes, offset);
	memcpy(moved + offset + gap, forged->bytes + offset,
	       forged->size - offset);
	free(forged->bytes);
	forged->bytes = moved;
	forged->size += gap;
	forged_section(forged, SNAP_PAGES)->offset += gap;
	((struct snap_disk_header *)forged->bytes)->size = forged->size;
	return forged_put(forged, fd);
}

#endif
