// SPDX-License-Identifier: GPL-2.0
/*
 * Makes one file of a saved machine of others.
 *
 * All files are walked at once, a chunk at a time; of a page that several have, the
 * later file's counts.
 */
#include "snap/convert.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "snap/chunk.h"
#include "snap/write.h"

/**
 * struct conversion - a file that is made
 * @sources: the chunks of the files
 * @count: number of them
 * @blame: the file that is read, or written
 * @writer: of the new file
 * @chunk: the pages of a chunk
 * @had: which of them a file has
 * @error: for the reason of a failure
 */
struct conversion {
	struct snap_chunks **sources;
	size_t count;
	struct snap_blame *blame;
	struct snap_writer *writer;
	uint8_t *chunk;
	bool had[SNAP_CHUNK];
	struct snap_error *error;
};

static int check_pair(const struct snap_file *base,
		      const struct snap_file *file, struct snap_error *error)
{
	if (memcmp(base->id, file->base, SNAP_ID_SIZE))
		return snap_error_set(error, -EINVAL, NULL,
				      file->incremental ?
					      "has the changes to another "
					      "file" :
					      "is whole, and has no base");
	if (base->pages != file->pages)
		return snap_error_set(error, -EINVAL, NULL,
				      "has another size of memory than its "
				      "base");
	return 0;
}

static int check_files(const struct snap_file *const *files, size_t count,
		       const struct snap_file *since, struct snap_blame *blame,
		       struct snap_error *error)
{
	int err = 0;

	if ((count > 1 || since) && files[0]->incremental)
		return snap_error_set(error, -EINVAL, NULL,
				      "is not whole: it has the changes to "
				      "another file");
	if (since && (since->incremental || since->pages != files[0]->pages ||
		      !memcmp(since->id, files[count - 1]->id, SNAP_ID_SIZE)))
		return snap_error_set(error, -EINVAL, NULL,
				      "has no changes to a file that is not "
				      "whole, of another machine, or the same");
	for (size_t i = 1; i < count && !err; i++) {
		blame->source = i;
		err = check_pair(files[i - 1], files[i], error);
	}
	return err;
}

/* Writes the pages of a chunk that a source has. */
static int write_chunk(struct conversion *conversion, uint64_t first)
{
	const bool *had = conversion->had;
	int err = 0;

	for (uint32_t at = 0, end; at < SNAP_CHUNK && !err; at = end) {
		for (end = at + 1; end < SNAP_CHUNK && had[end] == had[at];)
			end++;
		if (had[at])
			err = snap_writer_pages(
				conversion->writer, first + at, end - at,
				conversion->chunk + (size_t)at * SNAP_PAGE);
	}
	return err;
}

/* Finds the first page of the first chunk of which a source has a page, or UINT64_MAX. */
static int find_chunk(struct conversion *conversion, uint64_t *first)
{
	uint64_t next;
	int err = 0;

	*first = UINT64_MAX;
	for (size_t i = 0; i < conversion->count && !err; i++) {
		conversion->blame->source = i;
		err = snap_chunks_next(conversion->sources[i], &next,
				       conversion->error);
		if (next < *first)
			*first = next;
	}
	return err;
}

/* Reads what the sources have of a chunk, the last one last. */
static int read_chunk(struct conversion *conversion, uint64_t first)
{
	int err = 0;

	memset(conversion->had, false, sizeof(conversion->had));
	for (size_t i = 0; i < conversion->count && !err; i++) {
		conversion->blame->source = i;
		err = snap_chunks_read(conversion->sources[i], first,
				       conversion->chunk, conversion->had,
				       conversion->error);
	}
	return err;
}

/* What is damaged while another file is written is the one to which that has the changes. */
static int cannot_write(struct conversion *conversion, int err)
{
	conversion->blame->what = err == -EBADMSG ? SNAP_BLAME_SINCE :
						    SNAP_BLAME_NEW;
	if (err == -EBADMSG)
		return snap_error_set(conversion->error, err, SNAP_MEMORY,
				      "pages do not match their checksums");
	return snap_error_set(conversion->error, err, NULL,
			      "cannot be written: %s", strerror(-err));
}

static int copy_memory(struct conversion *conversion)
{
	uint64_t first;
	int err;

	while (!(err = find_chunk(conversion, &first)) && first != UINT64_MAX) {
		err = read_chunk(conversion, first);
		if (err)
			return err;
		err = write_chunk(conversion, first);
		if (err)
			return cannot_write(conversion, err);
	}
	return err;
}

/* Copies the sections that are not memory's. */
static int copy_sections(struct conversion *conversion,
			 const struct snap_file *file)
{
	int err = 0;

	for (uint32_t i = 0; i < file->nr_sections && !err; i++) {
		const struct snap_section *section = &file->sections[i];

		if (section->bytes)
			err = snap_writer_section(
				conversion->writer, section->tag,
				section->version, section->flags,
				section->bytes, section->length);
	}
	return err ? cannot_write(conversion, err) : 0;
}

static int no_memory(struct conversion *conversion)
{
	return snap_error_set(conversion->error, -ENOMEM, NULL, "%s",
			      strerror(ENOMEM));
}

static int start(struct conversion *conversion,
		 const struct snap_file *const *files)
{
	conversion->chunk = malloc(SNAP_CHUNK_SIZE);
	conversion->sources =
		calloc(conversion->count, sizeof(conversion->sources[0]));
	if (!conversion->chunk || !conversion->sources)
		return no_memory(conversion);
	for (size_t i = 0; i < conversion->count; i++) {
		conversion->sources[i] = snap_chunks_new(files[i]);
		if (!conversion->sources[i])
			return no_memory(conversion);
	}
	return 0;
}

static int convert(struct conversion *conversion,
		   const struct snap_file *const *files)
{
	int err = start(conversion, files);

	if (!err)
		err = copy_sections(conversion, files[conversion->count - 1]);
	if (!err)
		err = copy_memory(conversion);
	if (err)
		return err;
	err = snap_writer_end(conversion->writer);
	return err ? cannot_write(conversion, err) : 0;
}

static void finish(struct conversion *conversion)
{
	for (size_t i = 0; conversion->sources && i < conversion->count; i++)
		snap_chunks_free(conversion->sources[i]);
	free(conversion->sources);
	free(conversion->chunk);
	snap_writer_free(conversion->writer);
}

int snap_convert(const struct snap_file *const *files, size_t count,
		 const struct snap_file *since, int fd, enum snap_form form,
		 struct snap_blame *blame, struct snap_error *error)
{
	const struct snap_file *last = files[count - 1];
	const struct snap_plan plan = {
		.form = form,
		.pages = last->pages,
		.id = last->id,
		.base = files[0]->incremental ? files[0]->base : NULL,
		.since = since,
	};
	struct conversion conversion = { .count = count,
					 .blame = blame,
					 .error = error };
	int err;

	*blame = (struct snap_blame){ .what = SNAP_BLAME_SOURCE };
	err = check_files(files, count, since, blame, error);
	if (err)
		return err;
	err = snap_writer_new(&conversion.writer, fd, &plan);
	err = err ? cannot_write(&conversion, err) :
		    convert(&conversion, files);
	finish(&conversion);
	return err;
}
