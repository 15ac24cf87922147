// SPDX-License-Identifier: GPL-2.0
/*
 * Reads the pages that the file of a saved machine has, a chunk at a time.
 */
#include "snap/chunk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "snap/walk.h"

/**
 * struct snap_chunks - a file while it is read
 * @walk: over its runs
 * @run: the next one
 * @is_read: @run was read from the table
 * @is_over: there is no next one
 */
struct snap_chunks {
	struct snap_walk *walk;
	struct snap_run run;
	bool is_read;
	bool is_over;
};

struct snap_chunks *snap_chunks_new(const struct snap_file *file)
{
	struct snap_chunks *chunks = calloc(1, sizeof(*chunks));

	if (!chunks)
		return NULL;
	chunks->walk = snap_walk_new(file);
	if (chunks->walk)
		return chunks;
	free(chunks);
	return NULL;
}

void snap_chunks_free(struct snap_chunks *chunks)
{
	if (!chunks)
		return;
	snap_walk_free(chunks->walk);
	free(chunks);
}

/* Reads the next run's entry, unless there is one that was not used. */
static int peek(struct snap_chunks *chunks, struct snap_error *error)
{
	int err;

	if (chunks->is_read || chunks->is_over)
		return 0;
	err = snap_walk_next(chunks->walk, &chunks->run, error);
	chunks->is_read = !err;
	chunks->is_over = err == -ENOENT;
	return chunks->is_over ? 0 : err;
}

int snap_chunks_next(struct snap_chunks *chunks, uint64_t *first,
		     struct snap_error *error)
{
	int err = peek(chunks, error);
	const uint64_t page = chunks->run.first;

	*first = chunks->is_over ? UINT64_MAX : page - page % SNAP_CHUNK;
	return err;
}

int snap_chunks_read(struct snap_chunks *chunks, uint64_t first, uint8_t *bytes,
		     bool had[SNAP_CHUNK], struct snap_error *error)
{
	const struct snap_run *run = &chunks->run;
	int err = peek(chunks, error);

	while (!err && !chunks->is_over && run->first < first + SNAP_CHUNK) {
		if (run->first >= first) {
			const uint64_t at = run->first - first;

			err = snap_walk_read(chunks->walk, run,
					     bytes + at * SNAP_PAGE, error);
			memset(had + at, true, run->count);
		}
		chunks->is_read = false;
		if (!err)
			err = peek(chunks, error);
	}
	return err;
}
