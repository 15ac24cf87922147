// SPDX-License-Identifier: GPL-2.0
/*
 * The memory of a file that another one is to have the changes to, a chunk at a time.
 */
#include "snap/since.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "snap/format.h"
#include "snap/walk.h"

/**
 * struct snap_since - a file while it is read
 * @walk: over its runs
 * @run: the next one, behind the chunk
 * @is_read: @run was read from the table
 * @is_over: there is no next one
 * @first: number of the chunk's first page; UINT64_MAX at first
 * @had: which pages of the chunk the file has
 * @chunk: their bytes
 */
struct snap_since {
	struct snap_walk *walk;
	struct snap_run run;
	bool is_read;
	bool is_over;
	uint64_t first;
	bool had[SNAP_CHUNK];
	uint8_t *chunk;
};

struct snap_since *snap_since_new(const struct snap_file *file)
{
	struct snap_since *since = calloc(1, sizeof(*since));

	if (!since)
		return NULL;
	since->first = UINT64_MAX;
	since->walk = snap_walk_new(file);
	since->chunk = malloc(snap_chunk_size(file->pages));
	if (since->walk && since->chunk)
		return since;
	snap_since_free(since);
	return NULL;
}

void snap_since_free(struct snap_since *since)
{
	if (!since)
		return;
	snap_walk_free(since->walk);
	free(since->chunk);
	free(since);
}

/* Reads the next run's entry, unless there is one that was not used. */
static int peek(struct snap_since *since)
{
	struct snap_error error;
	int err;

	if (since->is_read || since->is_over)
		return 0;
	err = snap_walk_next(since->walk, &since->run, &error);
	since->is_read = !err;
	since->is_over = err == -ENOENT;
	return since->is_over ? 0 : err;
}

/* Reads the runs of the chunk, and passes over those before it. */
static int read_chunk(struct snap_since *since)
{
	const struct snap_run *run = &since->run;
	struct snap_error error;
	int err = peek(since);

	while (!err && !since->is_over &&
	       run->first < since->first + SNAP_CHUNK) {
		const uint64_t at = run->first - since->first;

		if (run->first >= since->first) {
			err = snap_walk_read(since->walk, run,
					     since->chunk + at * SNAP_PAGE,
					     &error);
			memset(since->had + at, true, run->count);
		}
		since->is_read = false;
		if (!err)
			err = peek(since);
	}
	return err;
}

int snap_since_page(struct snap_since *since, uint64_t page,
		    const uint8_t **bytes)
{
	const uint64_t at = page % SNAP_CHUNK;
	int err;

	if (since->first != page - at) {
		since->first = page - at;
		memset(since->had, false, sizeof(since->had));
		err = read_chunk(since);
		if (err)
			return err;
	}
	*bytes = since->had[at] ? since->chunk + at * SNAP_PAGE : NULL;
	return 0;
}
