// SPDX-License-Identifier: GPL-2.0
/*
 * Walks over the pages that the file of a saved machine has.
 *
 * The table of runs may be larger than what a process wants to hold, so it is read a
 * part at a time, and each entry is checked as it is met.
 */
#include "snap/walk.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "lib/read.h"
#include "snap/crc.h"
#include "snap/format.h"

#define WALK_RUNS 512

/**
 * struct snap_walk - a walk
 * @file: over this file
 * @read: entries that were read from it
 * @at: the next one in @runs
 * @held: entries in @runs
 * @runs: the part that is held
 * @crc: of all that were read
 * @page: the lowest that the next run may begin with
 * @offset: of the next packed run
 * @packed: room for a packed run; with @unpacker made when it is first needed
 */
struct snap_walk {
	const struct snap_file *file;
	uint64_t read;
	uint32_t at;
	uint32_t held;
	struct snap_disk_run runs[WALK_RUNS];
	uint32_t crc;
	uint64_t page;
	uint64_t offset;
	uint8_t *packed;
	ZSTD_DCtx *unpacker;
};

struct snap_walk *snap_walk_new(const struct snap_file *file)
{
	struct snap_walk *walk = calloc(1, sizeof(*walk));

	if (!walk)
		return NULL;
	walk->file = file;
	walk->offset = file->memory;
	return walk;
}

void snap_walk_free(struct snap_walk *walk)
{
	if (!walk)
		return;
	ZSTD_freeDCtx(walk->unpacker);
	free(walk->packed);
	free(walk);
}

uint32_t snap_walk_crc(const struct snap_walk *walk)
{
	return walk->crc;
}

/* Reads more of the table.  Return: 0; -ENOENT there is no more; -errno. */
static int refill(struct snap_walk *walk, struct snap_error *error)
{
	const uint64_t left = walk->file->runs - walk->read;
	const uint32_t count = left < WALK_RUNS ? left : WALK_RUNS;
	int err;

	if (!left)
		return -ENOENT;
	err = read_at(walk->file->fd, walk->runs, count * sizeof(walk->runs[0]),
		      walk->file->run_table +
			      walk->read * sizeof(walk->runs[0]));
	if (err)
		return snap_error_read(error, SNAP_PAGES, err);
	walk->crc =
		snap_crc(walk->crc, walk->runs, count * sizeof(walk->runs[0]));
	walk->read += count;
	walk->held = count;
	walk->at = 0;
	return 0;
}

/* True if pages of "memory", in one chunk, behind those before. */
static bool has_place(const struct snap_walk *walk, const struct snap_run *run)
{
	return run->first >= walk->page && run->first < walk->file->pages &&
	       run->count && run->count <= walk->file->pages - run->first &&
	       run->count <= SNAP_CHUNK - run->first % SNAP_CHUNK;
}

/* True if a run of its kind may have so many bytes in the file. */
static bool has_size(const struct snap_walk *walk, const struct snap_run *run)
{
	const struct snap_file *file = walk->file;
	const size_t size = (size_t)run->count * SNAP_PAGE;

	if (run->zero)
		return file->incremental && !run->stored && !run->crc;
	if (file->form == SNAP_PLAIN)
		return run->stored == size;
	return run->stored && run->stored <= ZSTD_compressBound(size) &&
	       run->stored <= file->memory + file->packed - walk->offset;
}

int snap_walk_next(struct snap_walk *walk, struct snap_run *run,
		   struct snap_error *error)
{
	const struct snap_disk_run *entry;
	int err = walk->at == walk->held ? refill(walk, error) : 0;

	if (err)
		return err;
	entry = &walk->runs[walk->at++];
	run->first = le64toh(entry->first);
	run->count = le32toh(entry->count);
	run->zero = le32toh(entry->flags) & SNAP_RUN_ZERO;
	run->stored = le32toh(entry->stored);
	run->crc = le32toh(entry->crc);
	run->offset = walk->file->form == SNAP_PLAIN ?
			      walk->file->memory + run->first * SNAP_PAGE :
			      walk->offset;
	if (le32toh(entry->flags) & ~SNAP_RUN_ZERO || !has_place(walk, run) ||
	    !has_size(walk, run))
		return snap_error_set(error, -EBADMSG, SNAP_PAGES,
				      "has an impossible run");
	walk->page = run->first + run->count;
	walk->offset += run->stored;
	return 0;
}

static int complain(const struct snap_run *run, struct snap_error *error,
		    const char *what)
{
	return snap_error_set(error, -EBADMSG, SNAP_MEMORY,
			      "pages %" PRIu64 " to %" PRIu64 " %s", run->first,
			      run->first + run->count - 1, what);
}

static int make_unpacker(struct snap_walk *walk, struct snap_error *error)
{
	if (!walk->packed)
		walk->packed = malloc(
			ZSTD_compressBound(snap_chunk_size(walk->file->pages)));
	if (!walk->unpacker)
		walk->unpacker = ZSTD_createDCtx();
	if (!walk->packed || !walk->unpacker)
		return snap_error_set(error, -ENOMEM, SNAP_MEMORY, "%s",
				      strerror(ENOMEM));
	return 0;
}

/*
 * True if the bytes are one frame, of @size bytes, and not of a format before zstd's first
 * version, which the library reads, too.
 */
static bool is_frame(const uint8_t *packed, size_t stored, size_t size)
{
	uint32_t magic;

	if (stored < sizeof(magic))
		return false;
	memcpy(&magic, packed, sizeof(magic));
	return le32toh(magic) == ZSTD_MAGICNUMBER &&
	       ZSTD_getFrameContentSize(packed, stored) == size &&
	       ZSTD_findFrameCompressedSize(packed, stored) == stored;
}

static int read_packed(struct snap_walk *walk, const struct snap_run *run,
		       void *bytes, struct snap_error *error)
{
	const size_t size = (size_t)run->count * SNAP_PAGE;
	int err = make_unpacker(walk, error);

	if (err)
		return err;
	err = read_at(walk->file->fd, walk->packed, run->stored, run->offset);
	if (err)
		return snap_error_read(error, SNAP_MEMORY, err);
	if (snap_crc(0, walk->packed, run->stored) != run->crc)
		return complain(run, error, "do not match their checksum");
	if (!is_frame(walk->packed, run->stored, size) ||
	    ZSTD_decompressDCtx(walk->unpacker, bytes, size, walk->packed,
				run->stored) != size)
		return complain(run, error, "cannot be unpacked");
	return 0;
}

int snap_walk_read(struct snap_walk *walk, const struct snap_run *run,
		   void *bytes, struct snap_error *error)
{
	int err;

	if (run->zero) {
		memset(bytes, 0, (size_t)run->count * SNAP_PAGE);
		return 0;
	}
	if (walk->file->form == SNAP_PACKED)
		return read_packed(walk, run, bytes, error);
	err = read_at(walk->file->fd, bytes, run->stored, run->offset);
	if (err)
		return snap_error_read(error, SNAP_MEMORY, err);
	if (snap_crc(0, bytes, run->stored) != run->crc)
		return complain(run, error, "do not match their checksum");
	return 0;
}
