// SPDX-License-Identifier: GPL-2.0
/*
 * Reads the file of a saved machine: header, table, and all sections but memory.
 */
#include "snap/file.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "board/zero.h"
#include "lib/read.h"
#include "snap/crc.h"
#include "snap/walk.h"

/* All bytes from @start to @end, less than a page, must be zero. */
static int check_blank(const struct snap_file *file, const char *section,
		       uint64_t start, uint64_t end, struct snap_error *error)
{
	uint8_t bytes[SNAP_PAGE];
	int err = read_at(file->fd, bytes, end - start, start);

	if (err)
		return snap_error_read(error, section, err);
	if (!is_zero(bytes, end - start))
		return snap_error_set(error, -EBADMSG, section,
				      "the bytes before it are not zero");
	return 0;
}

static int check_kind(const struct snap_file *file,
		      const struct snap_disk_header *header,
		      struct snap_error *error)
{
	const uint32_t version = le32toh(header->version);

	if (memcmp(header->magic, SNAP_MAGIC, SNAP_MAGIC_SIZE))
		return snap_error_set(error, -EINVAL, NULL,
				      "is no file of a saved machine");
	if (file->size < SNAP_PAGE)
		return snap_error_set(error, -EBADMSG, NULL, "is cut off");
	if (version != SNAP_VERSION)
		return snap_error_set(error, -EPROTONOSUPPORT, NULL,
				      "has version %" PRIu32
				      " of the format, and this lodge reads %d",
				      version, SNAP_VERSION);
	return 0;
}

static int check_header(struct snap_file *file,
			const struct snap_disk_header *header,
			struct snap_error *error)
{
	file->form = le32toh(header->form);
	file->pages = le64toh(header->pages);
	file->nr_sections = le32toh(header->sections);
	memcpy(file->id, header->id, SNAP_ID_SIZE);
	memcpy(file->base, header->base, SNAP_ID_SIZE);
	file->incremental = !is_zero(file->base, SNAP_ID_SIZE);
	if (file->form != SNAP_PLAIN && file->form != SNAP_PACKED)
		return snap_error_set(error, -EPROTONOSUPPORT, NULL,
				      "has a form that this lodge does not "
				      "know");
	if (!file->pages || file->pages > SNAP_MAX_PAGES)
		return snap_error_set(error, -EBADMSG, NULL,
				      "has an impossible size of memory");
	if (is_zero(file->id, SNAP_ID_SIZE) ||
	    !memcmp(file->id, file->base, SNAP_ID_SIZE))
		return snap_error_set(error, -EBADMSG, NULL,
				      "has an impossible id");
	if (!is_zero(header->reserved, sizeof(header->reserved)))
		return snap_error_set(error, -EPROTONOSUPPORT, NULL,
				      "has a header that this lodge does not "
				      "know");
	if (le64toh(header->size) != file->size)
		return snap_error_set(error, -EBADMSG, NULL,
				      "has %" PRIu64 " bytes in place of "
				      "%" PRIu64,
				      file->size, le64toh(header->size));
	return 0;
}

/* Reads header and table.  A file that is too short for them may show what it is. */
static int read_table(struct snap_file *file, struct snap_table *table,
		      struct snap_error *error)
{
	size_t size = sizeof(*table);
	int err;

	memset(table, 0, sizeof(*table));
	if (file->size < size)
		size = file->size;
	err = read_at(file->fd, table, size, 0);
	return err ? snap_error_read(error, NULL, err) :
		     check_kind(file, &table->header, error);
}

static int check_table(const struct snap_table *table, struct snap_error *error)
{
	const uint32_t sections = le32toh(table->header.sections);

	if (!sections || sections > SNAP_MAX_SECTIONS)
		return snap_error_set(error, -EBADMSG, NULL,
				      "has an impossible number of sections");
	if (le32toh(table->header.crc) != snap_table_crc(table, sections))
		return snap_error_set(error, -EBADMSG, NULL,
				      "does not match the checksum of its "
				      "header");
	return 0;
}

/*
 * Takes an entry of the table over.
 * @end: where the section before ends; moved to the end of this one
 */
static int take_section(struct snap_file *file, uint32_t number,
			const struct snap_disk_section *entry, uint64_t *end,
			struct snap_error *error)
{
	struct snap_section *section = &file->sections[number];
	const char *tag = section->tag;

	if (!snap_tag_is_sound(entry->tag))
		return snap_error_set(error, -EBADMSG, NULL,
				      "has a section with an impossible name");
	memcpy(section->tag, entry->tag, SNAP_TAG_SIZE);
	section->version = le32toh(entry->version);
	section->flags = le32toh(entry->flags);
	section->offset = le64toh(entry->offset);
	section->length = le64toh(entry->length);
	if (!snap_is_known(tag, section->version, section->flags))
		return snap_error_set(error, -EPROTONOSUPPORT, tag,
				      "version %" PRIu32
				      " is not known to this lodge",
				      section->version);
	for (uint32_t i = 0; i < number; i++)
		if (!strcmp(file->sections[i].tag, tag))
			return snap_error_set(error, -EBADMSG, tag,
					      "is there twice");
	if (entry->reserved || section->offset != snap_place(tag, *end) ||
	    __builtin_add_overflow(section->offset, section->length, end) ||
	    *end > file->size)
		return snap_error_set(error, -EBADMSG, tag,
				      "is not where it can be");
	return 0;
}

static bool is_memory(const struct snap_section *section)
{
	return !strcmp(section->tag, SNAP_MEMORY);
}

static bool is_pages(const struct snap_section *section)
{
	return !strcmp(section->tag, SNAP_PAGES);
}

/* @held: bytes of the sections that are held */
static int check_size(const struct snap_file *file,
		      const struct snap_section *section, uint32_t crc,
		      uint64_t *held, struct snap_error *error)
{
	if (is_memory(section)) {
		if (crc || (file->form == SNAP_PLAIN &&
			    section->length != file->pages * SNAP_PAGE))
			return snap_error_set(error, -EBADMSG, SNAP_MEMORY,
					      "has an impossible size");
	} else if (is_pages(section)) {
		if (section->length % sizeof(struct snap_disk_run))
			return snap_error_set(error, -EBADMSG, SNAP_PAGES,
					      "has an impossible size");
	} else if (section->length > SNAP_SECTIONS_SIZE - *held) {
		return snap_error_set(error, -EFBIG, section->tag,
				      "is too large");
	} else {
		*held += section->length;
	}
	return 0;
}

static int take_sections(struct snap_file *file, const struct snap_table *table,
			 struct snap_error *error)
{
	uint64_t end = SNAP_PAGE, held = 0;
	int err = 0;

	for (uint32_t i = 0; i < file->nr_sections && !err; i++) {
		err = take_section(file, i, &table->sections[i], &end, error);
		if (!err)
			err = check_size(file, &file->sections[i],
					 le32toh(table->sections[i].crc), &held,
					 error);
	}
	if (err)
		return err;
	for (size_t i = 0; snap_required(i); i++)
		if (!snap_file_section(file, snap_required(i)))
			return snap_error_set(error, -EBADMSG, snap_required(i),
					      "is missing");
	if (end != file->size)
		return snap_error_set(error, -EBADMSG, NULL,
				      "has bytes behind its last section");
	return 0;
}

/* Reads and checks the bytes of a section that is held. */
static int hold(const struct snap_file *file, struct snap_section *section,
		uint32_t crc, struct snap_error *error)
{
	int err;

	section->bytes = malloc(section->length + 1);
	if (!section->bytes)
		return snap_error_set(error, -ENOMEM, section->tag, "%s",
				      strerror(ENOMEM));
	section->bytes[section->length] = '\0';
	err = read_at(file->fd, section->bytes, section->length,
		      section->offset);
	if (err)
		return snap_error_read(error, section->tag, err);
	if (snap_crc(0, section->bytes, section->length) != crc)
		return snap_error_set(error, -EBADMSG, section->tag,
				      "does not match its checksum");
	return 0;
}

/* Checks all runs, and that they are all that memory has. */
static int check_runs(struct snap_file *file, uint32_t crc,
		      struct snap_error *error)
{
	struct snap_walk *walk = snap_walk_new(file);
	uint64_t packed = 0;
	struct snap_run run;
	int err;

	if (!walk)
		return snap_error_set(error, -ENOMEM, SNAP_PAGES, "%s",
				      strerror(ENOMEM));
	while (!(err = snap_walk_next(walk, &run, error))) {
		*(run.zero ? &file->zero : &file->stored) += run.count;
		packed += run.stored;
	}
	if (err == -ENOENT)
		err = snap_walk_crc(walk) == crc ?
			      0 :
			      snap_error_set(error, -EBADMSG, SNAP_PAGES,
					     "does not match its checksum");
	if (!err && file->form == SNAP_PACKED && packed != file->packed)
		err = snap_error_set(error, -EBADMSG, SNAP_MEMORY,
				     "has bytes in no run of pages");
	snap_walk_free(walk);
	return err;
}

/* Reads all but memory, and checks that there is nothing between the sections. */
static int read_sections(struct snap_file *file, const struct snap_table *table,
			 struct snap_error *error)
{
	uint64_t end = sizeof(table->header) +
		       file->nr_sections * sizeof(table->sections[0]);
	int err = check_blank(file, NULL, end, SNAP_PAGE, error);

	end = SNAP_PAGE;
	for (uint32_t i = 0; i < file->nr_sections && !err; i++) {
		struct snap_section *section = &file->sections[i];
		const uint32_t crc = le32toh(table->sections[i].crc);

		err = check_blank(file, section->tag, end, section->offset,
				  error);
		if (!err && is_pages(section))
			err = check_runs(file, crc, error);
		else if (!err && !is_memory(section))
			err = hold(file, section, crc, error);
		end = section->offset + section->length;
	}
	return err;
}

static void note_memory(struct snap_file *file)
{
	const struct snap_section *memory =
		snap_file_section(file, SNAP_MEMORY);
	const struct snap_section *pages = snap_file_section(file, SNAP_PAGES);

	file->memory = memory->offset;
	file->packed = memory->length;
	file->run_table = pages->offset;
	file->runs = pages->length / sizeof(struct snap_disk_run);
}

static int take_overlays(struct snap_file *file, struct snap_error *error)
{
	const struct snap_section *section =
		snap_file_section(file, SNAP_OVERLAYS);

	return section ?
		       snap_overlays_read(file->overlays, &file->nr_overlays,
					  section->bytes, section->length,
					  section->flags, file->pages, error) :
		       0;
}

static int fill(struct snap_file *file, struct snap_error *error)
{
	struct snap_table table;
	int err = read_table(file, &table, error);

	if (!err)
		err = check_table(&table, error);
	if (!err)
		err = check_header(file, &table.header, error);
	if (!err)
		err = take_sections(file, &table, error);
	if (err)
		return err;
	note_memory(file);
	err = read_sections(file, &table, error);
	return err ? err : take_overlays(file, error);
}

int snap_file_open(struct snap_file **file, int fd, struct snap_error *error)
{
	struct snap_file *made;
	struct stat st;
	int err;

	*file = NULL;
	if (fstat(fd, &st))
		return snap_error_read(error, NULL, -errno);
	if (!S_ISREG(st.st_mode))
		return snap_error_set(error, -EINVAL, NULL,
				      "is no regular file");
	made = calloc(1, sizeof(*made));
	if (!made)
		return snap_error_set(error, -ENOMEM, NULL, "%s",
				      strerror(ENOMEM));
	made->fd = fd;
	made->size = st.st_size;
	err = fill(made, error);
	if (err) {
		snap_file_free(made);
		return err;
	}
	*file = made;
	return 0;
}

void snap_file_free(struct snap_file *file)
{
	if (!file)
		return;
	for (uint32_t i = 0; i < SNAP_MAX_SECTIONS; i++)
		free(file->sections[i].bytes);
	free(file);
}

const struct snap_section *snap_file_section(const struct snap_file *file,
					     const char *tag)
{
	for (uint32_t i = 0; i < file->nr_sections; i++)
		if (!strcmp(file->sections[i].tag, tag))
			return &file->sections[i];
	return NULL;
}
