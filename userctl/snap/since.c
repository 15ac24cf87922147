// SPDX-License-Identifier: GPL-2.0
/*
 * The memory of a file that another one is to have the changes to, page by page.
 */
#include "snap/since.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "snap/chunk.h"

/**
 * struct snap_since - a file while it is read
 * @chunks: of the file
 * @first: number of the first page of the chunk that is held; UINT64_MAX at first
 * @had: which pages of the chunk the file has
 * @bytes: their bytes
 */
struct snap_since {
	struct snap_chunks *chunks;
	uint64_t first;
	bool had[SNAP_CHUNK];
	uint8_t *bytes;
};

struct snap_since *snap_since_new(const struct snap_file *file)
{
	struct snap_since *since = calloc(1, sizeof(*since));

	if (!since)
		return NULL;
	since->first = UINT64_MAX;
	since->chunks = snap_chunks_new(file);
	since->bytes = malloc(snap_chunk_size(file->pages));
	if (since->chunks && since->bytes)
		return since;
	snap_since_free(since);
	return NULL;
}

void snap_since_free(struct snap_since *since)
{
	if (!since)
		return;
	snap_chunks_free(since->chunks);
	free(since->bytes);
	free(since);
}

int snap_since_page(struct snap_since *since, uint64_t page,
		    const uint8_t **bytes)
{
	const uint64_t at = page % SNAP_CHUNK;
	struct snap_error error;
	int err;

	if (since->first != page - at) {
		since->first = page - at;
		memset(since->had, false, sizeof(since->had));
		err = snap_chunks_read(since->chunks, since->first,
				       since->bytes, since->had, &error);
		if (err)
			return err;
	}
	*bytes = since->had[at] ? since->bytes + at * SNAP_PAGE : NULL;
	return 0;
}
