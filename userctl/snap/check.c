// SPDX-License-Identifier: GPL-2.0
/*
 * Checks the memory in the file of a saved machine.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "board/zero.h"
#include "lib/read.h"
#include "snap/file.h"
#include "snap/format.h"
#include "snap/walk.h"

/* Checks that pages of a plain file, which are in no run, are zero. */
static int check_hole(const struct snap_file *file, uint64_t page, uint64_t end,
		      uint8_t *bytes, struct snap_error *error)
{
	uint64_t at = file->memory + page * SNAP_PAGE;
	const uint64_t stop = file->memory + end * SNAP_PAGE;

	while ((at = skip_hole(file->fd, at, stop)) < stop) {
		const size_t room = snap_chunk_size(file->pages);
		const size_t size = stop - at < room ? stop - at : room;
		const int err = read_at(file->fd, bytes, size, at);

		if (err)
			return snap_error_read(error, SNAP_MEMORY, err);
		if (!is_zero(bytes, size))
			return snap_error_set(error, -EBADMSG, SNAP_MEMORY,
					      "pages %" PRIu64 " to %" PRIu64
					      " are not zero, and in no run",
					      page, end - 1);
		at += size;
	}
	return 0;
}

static int check(struct snap_walk *walk, const struct snap_file *file,
		 uint8_t *bytes, struct snap_error *error)
{
	const bool has_holes = file->form == SNAP_PLAIN;
	uint64_t page = 0;
	struct snap_run run;
	int err;

	while (!(err = snap_walk_next(walk, &run, error))) {
		/* The file has no bytes of the pages of a run of zeroes. */
		if (run.zero)
			continue;
		if (has_holes)
			err = check_hole(file, page, run.first, bytes, error);
		if (!err)
			err = snap_walk_read(walk, &run, bytes, error);
		if (err)
			return err;
		page = run.first + run.count;
	}
	if (err != -ENOENT)
		return err;
	return has_holes ? check_hole(file, page, file->pages, bytes, error) :
			   0;
}

int snap_file_check(const struct snap_file *file, struct snap_error *error)
{
	struct snap_walk *walk = snap_walk_new(file);
	uint8_t *bytes = malloc(snap_chunk_size(file->pages));
	int err;

	if (walk && bytes)
		err = check(walk, file, bytes, error);
	else
		err = snap_error_set(error, -ENOMEM, NULL, "%s",
				     strerror(ENOMEM));
	free(bytes);
	snap_walk_free(walk);
	return err;
}
