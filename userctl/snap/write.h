/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Writes the file of a saved machine.
 *
 * The writer is given a descriptor, opened for writing, and calls nothing but pwrite(2),
 * ftruncate(2), fdatasync(2), fsync(2) and getrandom(2), so that a confined process can
 * use it.  The header comes last, after all else is on the disk: until snap_writer_end()
 * has succeeded, the file is none that a reader takes.
 *
 * The order: snap_writer_new(), snap_writer_section() for each section, then
 * snap_writer_pages() in rising order, snap_writer_end(), snap_writer_free().  After a
 * failure all later calls fail in the same way, so a caller may look at the last one
 * alone.
 */
#ifndef LODGE_SNAP_WRITE_H
#define LODGE_SNAP_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snap/file.h"
#include "snap/format.h"

struct snap_writer;

/**
 * struct snap_plan - what is to be written
 * @form: enum snap_form
 * @pages: of "memory": the machine's RAM and what is kept behind it, from 1 to SNAP_MAX_PAGES
 * @id: SNAP_ID_SIZE bytes, or NULL: a random one
 * @base: NULL, or the id of a file: pages that are not written are those of that file;
 *	otherwise they are zero
 * @since: NULL, or a whole file of as many pages, which stays open until the writer is
 *	freed: the new file has it as its base and what differs from it, whatever pages
 *	are written; those that are not are zero.  @base is NULL then
 * @gone: called before each piece of memory is written: true if nobody wants the file any
 *	more; NULL: somebody always does
 * @opaque: for @gone
 */
struct snap_plan {
	enum snap_form form;
	uint64_t pages;
	const uint8_t *id;
	const uint8_t *base;
	const struct snap_file *since;
	bool (*gone)(void *opaque);
	void *opaque;
};

/**
 * snap_writer_new() - begin a file
 * @writer: set to it
 * @fd: what was in the file is lost; it stays the caller's
 *
 * Return: 0; -EINVAL the plan is none; -errno.
 */
int snap_writer_new(struct snap_writer **writer, int fd,
		    const struct snap_plan *plan);

/**
 * snap_writer_section() - write a section
 * @tag: shorter than SNAP_TAG_SIZE; not "memory" and not "pages"
 * @version: of its content
 * @flags: SNAP_OPTIONAL
 * @size: SNAP_SECTIONS_SIZE is the most of all sections together
 *
 * SNAP_CONFIG, SNAP_HOST and SNAP_STATE have no flags and are version 1.
 *
 * Return: 0; -EINVAL it may not be written, or not here; -EFBIG no room is left; -errno.
 */
int snap_writer_section(struct snap_writer *writer, const char *tag,
			uint32_t version, uint32_t flags, const void *bytes,
			size_t size);

/**
 * snap_writer_pages() - write pages of memory
 * @first: number of the first, not below the end of those that were written
 * @count: number of pages
 * @bytes: theirs; they may change meanwhile, as checksums are those of a copy
 *
 * Pages that are all zero take no room in the file.  Pages that the caller knows to be
 * zero need not be written to a file without a base.
 *
 * Return: 0; -EINVAL they are not behind those that were written, or no RAM; -EBADMSG the
 * file of snap_plan.since is damaged; -ECANCELED snap_plan.gone said so; -errno.
 */
int snap_writer_pages(struct snap_writer *writer, uint64_t first,
		      uint64_t count, const void *bytes);

/**
 * snap_writer_end() - write what is left, and the header last, and wait for the disk
 *
 * Return: 0: the file is whole; -EINVAL a section is missing; -ECANCELED as above; -errno.
 */
int snap_writer_end(struct snap_writer *writer);

/**
 * snap_writer_memory() - get the offset of "memory" in the file, once a page was written
 */
uint64_t snap_writer_memory(const struct snap_writer *writer);

/**
 * snap_writer_free() - free the writer; NULL is fine
 */
void snap_writer_free(struct snap_writer *writer);

#endif
