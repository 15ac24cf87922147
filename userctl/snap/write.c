// SPDX-License-Identifier: GPL-2.0
/*
 * Writes the file of a saved machine.
 *
 * Pages are gathered into chunks.  A chunk is written as one run for each stretch of
 * pages that follow each other and are all zero, or all not.
 */
#include "snap/write.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include <zstd.h>

#include "board/zero.h"
#include "snap/crc.h"
#include "snap/since.h"

/* Of a stretch of 1 MiB, more takes longer and gains little. */
#define PACK_LEVEL 3
#define FIRST_RUNS 64

/**
 * struct snap_writer - a file while it is written
 * @fd: the caller's
 * @err: 0 or the first -errno
 * @table: header and table, in the file's byte order
 * @sections: entries of the table
 * @held: bytes of sections
 * @end: where the last section ends
 * @memory: offset of "memory", or 0 before it has begun
 * @stored: bytes of packed runs
 * @pages: of "memory"
 * @next: the lowest page that may be written
 * @chunk: room for the pages of a chunk
 * @first: number of the first page that was gathered
 * @count: number of pages that were gathered
 * @zero: which of them are zero; these are not in @chunk
 * @runs: for "pages"
 * @nr_runs: number of them
 * @room: the most that fit
 * @since: NULL, or the memory to which this one has the changes
 * @gone: nobody wants the file any more, as in struct snap_plan
 * @opaque: for @gone
 * @packed: room for a packed run; NULL with SNAP_PLAIN
 * @packed_size: its bytes
 * @packer: NULL with SNAP_PLAIN
 */
struct snap_writer {
	int fd;
	int err;
	struct snap_table table;
	uint32_t sections;
	uint64_t held;
	uint64_t end;
	uint64_t memory;
	uint64_t stored;
	uint64_t pages;
	uint64_t next;
	uint8_t *chunk;
	uint64_t first;
	uint32_t count;
	bool zero[SNAP_CHUNK];
	struct snap_disk_run *runs;
	size_t nr_runs;
	size_t room;
	struct snap_since *since;
	bool (*gone)(void *opaque);
	void *opaque;
	uint8_t *packed;
	size_t packed_size;
	ZSTD_CCtx *packer;
};

static bool is_incremental(const struct snap_writer *writer)
{
	return !is_zero(writer->table.header.base, SNAP_ID_SIZE);
}

static bool is_gone(const struct snap_writer *writer)
{
	return writer->gone && writer->gone(writer->opaque);
}

/* Keeps the first failure. */
static int fail(struct snap_writer *writer, int err)
{
	if (!writer->err)
		writer->err = err;
	return writer->err;
}

static int make_header(struct snap_writer *writer, const struct snap_plan *plan)
{
	struct snap_disk_header *header = &writer->table.header;

	memcpy(header->magic, SNAP_MAGIC, SNAP_MAGIC_SIZE);
	header->version = htole32(SNAP_VERSION);
	header->form = htole32(plan->form);
	header->pages = htole64(plan->pages);
	if (plan->base)
		memcpy(header->base, plan->base, SNAP_ID_SIZE);
	if (plan->since)
		memcpy(header->base, plan->since->id, SNAP_ID_SIZE);
	if (plan->id)
		memcpy(header->id, plan->id, SNAP_ID_SIZE);
	else if (getrandom(header->id, SNAP_ID_SIZE, 0) != SNAP_ID_SIZE)
		return -EIO;
	return 0;
}

static int make_packer(struct snap_writer *writer)
{
	writer->packed_size = ZSTD_compressBound(SNAP_CHUNK_SIZE);
	writer->packed = malloc(writer->packed_size);
	writer->packer = ZSTD_createCCtx();
	if (!writer->packed || !writer->packer)
		return -ENOMEM;
	ZSTD_CCtx_setParameter(writer->packer, ZSTD_c_compressionLevel,
			       PACK_LEVEL);
	ZSTD_CCtx_setParameter(writer->packer, ZSTD_c_checksumFlag, 1);
	return 0;
}

static bool is_sound(const struct snap_plan *plan)
{
	return (plan->form == SNAP_PLAIN || plan->form == SNAP_PACKED) &&
	       plan->pages && plan->pages <= SNAP_MAX_PAGES &&
	       (!plan->id || !is_zero(plan->id, SNAP_ID_SIZE)) &&
	       (!plan->base || !is_zero(plan->base, SNAP_ID_SIZE)) &&
	       (!plan->since || (!plan->base && !plan->since->incremental &&
				 plan->since->pages == plan->pages));
}

int snap_writer_new(struct snap_writer **writer, int fd,
		    const struct snap_plan *plan)
{
	struct snap_writer *made;
	int err;

	*writer = NULL;
	if (!is_sound(plan))
		return -EINVAL;
	made = calloc(1, sizeof(*made));
	if (!made)
		return -ENOMEM;
	made->fd = fd;
	made->gone = plan->gone;
	made->opaque = plan->opaque;
	made->pages = plan->pages;
	made->end = SNAP_PAGE;
	made->chunk = malloc(SNAP_CHUNK_SIZE);
	err = made->chunk ? make_header(made, plan) : -ENOMEM;
	if (!err && plan->form == SNAP_PACKED)
		err = make_packer(made);
	if (!err && plan->since) {
		made->since = snap_since_new(plan->since);
		err = made->since ? 0 : -ENOMEM;
	}
	if (!err && ftruncate(fd, 0))
		err = -errno;
	if (err) {
		snap_writer_free(made);
		return err;
	}
	*writer = made;
	return 0;
}

void snap_writer_free(struct snap_writer *writer)
{
	if (!writer)
		return;
	snap_since_free(writer->since);
	ZSTD_freeCCtx(writer->packer);
	free(writer->packed);
	free(writer->runs);
	free(writer->chunk);
	free(writer);
}

uint64_t snap_writer_memory(const struct snap_writer *writer)
{
	return writer->memory;
}

static bool has_section(const struct snap_writer *writer, const char *tag)
{
	for (uint32_t i = 0; i < writer->sections; i++)
		if (!strcmp(writer->table.sections[i].tag, tag))
			return true;
	return false;
}

/* Adds a section behind the others.  Return: its offset. */
static uint64_t add_section(struct snap_writer *writer, const char *tag,
			    uint32_t version, uint32_t flags)
{
	struct snap_disk_section *section =
		&writer->table.sections[writer->sections++];
	const uint64_t offset = snap_place(tag, writer->end);

	strncpy(section->tag, tag, SNAP_TAG_SIZE - 1);
	section->version = htole32(version);
	section->flags = htole32(flags);
	section->offset = htole64(offset);
	return offset;
}

/* Ends the section that was added last. */
static void end_section(struct snap_writer *writer, uint64_t length,
			uint32_t crc)
{
	struct snap_disk_section *section =
		&writer->table.sections[writer->sections - 1];

	section->length = htole64(length);
	section->crc = htole32(crc);
	writer->end = le64toh(section->offset) + length;
}

static bool may_write(const struct snap_writer *writer, const char *tag,
		      uint32_t version, uint32_t flags)
{
	char padded[SNAP_TAG_SIZE] = { 0 };

	if (strlen(tag) >= SNAP_TAG_SIZE)
		return false;
	memcpy(padded, tag, strlen(tag));
	/* "memory" and "pages" are still to come. */
	return !writer->memory && writer->sections + 2 < SNAP_MAX_SECTIONS &&
	       strcmp(tag, SNAP_MEMORY) && strcmp(tag, SNAP_PAGES) &&
	       snap_tag_is_sound(padded) && !has_section(writer, tag) &&
	       snap_is_known(tag, version, flags);
}

int snap_writer_section(struct snap_writer *writer, const char *tag,
			uint32_t version, uint32_t flags, const void *bytes,
			size_t size)
{
	uint64_t offset;
	int err;

	if (writer->err)
		return writer->err;
	if (!may_write(writer, tag, version, flags))
		return fail(writer, -EINVAL);
	if (size > SNAP_SECTIONS_SIZE - writer->held)
		return fail(writer, -EFBIG);
	writer->held += size;
	offset = add_section(writer, tag, version, flags);
	err = snap_write(writer->fd, bytes, size, offset);
	if (err)
		return fail(writer, err);
	end_section(writer, size, snap_crc(0, bytes, size));
	return 0;
}

/*
 * Return: the entry for another run, all zeroes; or NULL.
 *
 * Where every other page is zero, which is the worst, there is an entry for each of the
 * others: 12 bytes a page, or 0.3 % of memory, here and in the file.  To write the zero
 * pages between them would make a plain file twice as large.
 */
static struct snap_disk_run *add_run(struct snap_writer *writer)
{
	struct snap_disk_run *run, *grown;
	size_t room = writer->room ? 2 * writer->room : FIRST_RUNS;

	if (writer->nr_runs == writer->room) {
		grown = reallocarray(writer->runs, room, sizeof(*grown));
		if (!grown)
			return NULL;
		writer->runs = grown;
		writer->room = room;
	}
	run = &writer->runs[writer->nr_runs++];
	memset(run, 0, sizeof(*run));
	return run;
}

/* Packs the bytes of a run.  Return: 0 or -errno. */
static int pack(struct snap_writer *writer, const uint8_t **bytes, size_t *size)
{
	const size_t packed = ZSTD_compress2(writer->packer, writer->packed,
					     writer->packed_size, *bytes,
					     *size);

	if (ZSTD_isError(packed))
		return -EIO;
	*bytes = writer->packed;
	*size = packed;
	return 0;
}

/* Writes pages that were gathered, from @at to @end, and notes where they are. */
static int store(struct snap_writer *writer, struct snap_disk_run *run,
		 uint32_t at, uint32_t end)
{
	const uint8_t *bytes = writer->chunk + (size_t)at * SNAP_PAGE;
	uint64_t offset = writer->memory + (writer->first + at) * SNAP_PAGE;
	size_t size = (size_t)(end - at) * SNAP_PAGE;
	int err;

	if (writer->packer) {
		err = pack(writer, &bytes, &size);
		if (err)
			return err;
		offset = writer->memory + writer->stored;
		writer->stored += size;
	}
	run->stored = htole32(size);
	run->crc = htole32(snap_crc(0, bytes, size));
	return snap_write(writer->fd, bytes, size, offset);
}

/* The same for pages that are all zero, or all not. */
static int write_run(struct snap_writer *writer, uint32_t at, uint32_t end)
{
	struct snap_disk_run *run;

	if (writer->zero[at] && !is_incremental(writer))
		return 0;
	run = add_run(writer);
	if (!run)
		return -ENOMEM;
	run->first = htole64(writer->first + at);
	run->count = htole32(end - at);
	if (writer->zero[at]) {
		run->flags = htole32(SNAP_RUN_ZERO);
		return 0;
	}
	return store(writer, run, at, end);
}

/* Writes what was gathered. */
static int flush(struct snap_writer *writer)
{
	const uint32_t count = writer->count;
	int err = 0;

	for (uint32_t at = 0, end; at < count && !err; at = end) {
		for (end = at + 1;
		     end < count && writer->zero[end] == writer->zero[at];)
			end++;
		err = write_run(writer, at, end);
	}
	writer->count = 0;
	return err;
}

/* Pages are gathered while they follow each other in a chunk. */
static int gather(struct snap_writer *writer, uint64_t page,
		  const uint8_t *bytes)
{
	int err = 0;

	if (page != writer->first + writer->count || !(page % SNAP_CHUNK))
		err = flush(writer);
	if (!writer->count)
		writer->first = page;
	writer->zero[writer->count] = is_zero(bytes, SNAP_PAGE);
	if (!writer->zero[writer->count])
		memcpy(writer->chunk + (size_t)writer->count * SNAP_PAGE, bytes,
		       SNAP_PAGE);
	writer->count++;
	return err;
}

static void begin_memory(struct snap_writer *writer)
{
	if (!writer->memory)
		writer->memory = add_section(writer, SNAP_MEMORY,
					     SNAP_SECTION_VERSION, 0);
}

/* Gathers a page unless the base has the same. */
static int gather_change(struct snap_writer *writer, uint64_t page,
			 const uint8_t *bytes)
{
	const uint8_t *had;
	int err = snap_since_page(writer->since, page, &had);

	if (err)
		return err;
	if (had ? !memcmp(had, bytes, SNAP_PAGE) : is_zero(bytes, SNAP_PAGE))
		return 0;
	return gather(writer, page, bytes);
}

/*
 * Pages that the caller has left out, up to @end, are zero, and may have changed.  Of a disk
 * there may be many, and neither file has most of them.
 */
static int gather_zeroes(struct snap_writer *writer, uint64_t end)
{
	static const uint8_t zero[SNAP_PAGE];
	const uint8_t *had;
	int err = 0;

	for (uint64_t page = writer->next; page < end && !err; page++) {
		err = snap_since_page(writer->since, page, &had);
		if (!err && had && !is_zero(had, SNAP_PAGE))
			err = gather(writer, page, zero);
	}
	return err;
}

int snap_writer_pages(struct snap_writer *writer, uint64_t first,
		      uint64_t count, const void *bytes)
{
	const uint8_t *at = bytes;
	int err = 0;

	if (writer->err)
		return writer->err;
	if (first < writer->next || first > writer->pages ||
	    count > writer->pages - first)
		return fail(writer, -EINVAL);
	if (is_gone(writer))
		return fail(writer, -ECANCELED);
	begin_memory(writer);
	if (writer->since)
		err = gather_zeroes(writer, first);
	for (uint64_t i = 0; i < count && !err; i++, at += SNAP_PAGE)
		err = writer->since ? gather_change(writer, first + i, at) :
				      gather(writer, first + i, at);
	writer->next = first + count;
	return err ? fail(writer, err) : 0;
}

static int write_memory(struct snap_writer *writer)
{
	int err = 0;

	begin_memory(writer);
	if (writer->since)
		err = gather_zeroes(writer, writer->pages);
	if (!err)
		err = flush(writer);
	end_section(writer,
		    writer->packer ? writer->stored : writer->pages * SNAP_PAGE,
		    0);
	return err;
}

static int write_runs(struct snap_writer *writer)
{
	const size_t size = writer->nr_runs * sizeof(writer->runs[0]);
	const uint64_t offset =
		add_section(writer, SNAP_PAGES, SNAP_SECTION_VERSION, 0);

	end_section(writer, size, snap_crc(0, writer->runs, size));
	return snap_write(writer->fd, writer->runs, size, offset);
}

/* The header makes the file one, so all else must be on the disk before. */
static int write_header(struct snap_writer *writer)
{
	struct snap_disk_header *header = &writer->table.header;
	int err;

	header->sections = htole32(writer->sections);
	header->size = htole64(writer->end);
	header->crc = htole32(snap_table_crc(&writer->table, writer->sections));
	if (ftruncate(writer->fd, writer->end) || fdatasync(writer->fd))
		return -errno;
	err = snap_write(writer->fd, &writer->table, sizeof(writer->table), 0);
	if (err)
		return err;
	return fsync(writer->fd) ? -errno : 0;
}

int snap_writer_end(struct snap_writer *writer)
{
	int err;

	if (writer->err)
		return writer->err;
	if (is_gone(writer))
		return fail(writer, -ECANCELED);
	err = write_memory(writer);
	if (!err)
		err = write_runs(writer);
	for (size_t i = 0; snap_required(i) && !err; i++)
		if (!has_section(writer, snap_required(i)))
			err = -EINVAL;
	if (!err)
		err = write_header(writer);
	/* There is nothing more to write. */
	fail(writer, err ? err : -EINVAL);
	return err;
}
