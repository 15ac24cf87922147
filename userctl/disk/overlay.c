// SPDX-License-Identifier: GPL-2.0
/*
 * The overlay of a disk: a temporary file, perhaps what was saved, and a bitmap.
 */
#include "disk/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "board/page_log.h"
#include "board/unnamed.h"

#define DEFAULT_DIRECTORY "/var/tmp"
#define WORD_BITS 64

/* Bytes: a smaller hole frees nothing on most file systems. */
#define WORTHWHILE 4096

/* The places of a block: @disk_size bytes apart. */
#define PLACES 2

/**
 * struct map - what there is of 64 blocks, a bit for each
 * @here: it is in the temporary file
 * @second: with @here: at its second place
 * @fresh: it was written since overlay_keep()
 * @kept: with @fresh: it was in the temporary file before, at the other place
 * @saved: it is in the saved file, which counts unless the block is @here, too
 */
struct map {
	uint64_t here;
	uint64_t second;
	uint64_t fresh;
	uint64_t kept;
	uint64_t saved;
};

/**
 * struct overlay - an overlay
 * @fd: the temporary file
 * @saved: the saved file, the caller's; -1: there is none
 * @saved_offset: of the disk's first byte there
 * @disk_size: bytes of the disk
 * @block_size: bytes of a block
 * @maps: memory that the host has only where a bit was set
 * @maps_size: bytes of it
 * @changed: the numbers of the blocks that are fresh; NULL: nothing is kept
 */
struct overlay {
	int fd;
	int saved;
	uint64_t saved_offset;
	uint64_t disk_size;
	uint32_t block_size;
	struct map *maps;
	size_t maps_size;
	struct page_log *changed;
};

/* Some file systems have no files without a name. */
static int open_named(const char *directory)
{
	char path[PATH_MAX];
	int fd;

	if (snprintf(path, sizeof(path), "%s/lodge-disk.XXXXXX", directory) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	unlink(path);
	return fd;
}

static int open_temporary(const char *directory)
{
	int fd = unnamed_open(AT_FDCWD, directory, O_EXCL);

	return fd == -EOPNOTSUPP ? open_named(directory) : fd;
}

/* Return: 0 or -errno. */
static int make_file(struct overlay *overlay, char *why, size_t size)
{
	const char *directory = getenv("TMPDIR");
	int err;

	if (!directory || !*directory)
		directory = DEFAULT_DIRECTORY;
	overlay->fd = open_temporary(directory);
	err = overlay->fd < 0 ? overlay->fd : 0;
	if (!err &&
	    ftruncate(overlay->fd, (off_t)(PLACES * overlay->disk_size)))
		err = -errno;
	if (err)
		snprintf(
			why, size,
			"the file for what is written cannot be made in %s: %s; "
			"set TMPDIR to a directory that can hold it",
			directory, strerror(-err));
	return err;
}

/* Return: 0 or -errno. */
static int make_maps(struct overlay *overlay, char *why, size_t size)
{
	uint64_t blocks = overlay->disk_size / overlay->block_size;
	size_t bytes = (blocks / WORD_BITS + 1) * sizeof(struct map);
	void *maps = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (maps == MAP_FAILED) {
		snprintf(why, size, "no memory for the map of what is written");
		return -ENOMEM;
	}
	overlay->maps = maps;
	overlay->maps_size = bytes;
	return 0;
}

struct overlay *overlay_new(uint64_t disk_size, uint32_t block_size, char *why,
			    size_t size)
{
	struct overlay *overlay = calloc(1, sizeof(*overlay));
	int err;

	if (!overlay) {
		snprintf(why, size, "%s", strerror(ENOMEM));
		errno = ENOMEM;
		return NULL;
	}
	overlay->saved = -1;
	overlay->disk_size = disk_size;
	overlay->block_size = block_size;
	err = make_file(overlay, why, size);
	if (!err)
		err = make_maps(overlay, why, size);
	if (err) {
		overlay_free(overlay);
		errno = -err;
		return NULL;
	}
	return overlay;
}

void overlay_free(struct overlay *overlay)
{
	if (!overlay)
		return;
	if (overlay->maps)
		munmap(overlay->maps, overlay->maps_size);
	page_log_free(overlay->changed);
	if (overlay->fd >= 0)
		close(overlay->fd);
	free(overlay);
}

uint64_t overlay_disk_size(const struct overlay *overlay)
{
	return overlay->disk_size;
}

uint32_t overlay_block_size(const struct overlay *overlay)
{
	return overlay->block_size;
}

/* Return: which of the blocks are, or are to be written, at the second place. */
static uint64_t second_of(const struct overlay *overlay, const struct map *map,
			  bool write)
{
	const bool keeps = write && overlay->changed;

	return map->here & (keeps ? map->second ^ ~map->fresh : map->second);
}

/* Return: which of the blocks are, or are to be written, in the temporary file. */
static uint64_t here_of(const struct map *map, bool write)
{
	return write ? UINT64_MAX : map->here;
}

/* Return: which of the blocks are in the saved file, and nowhere above. */
static uint64_t saved_of(const struct map *map, bool write)
{
	return map->saved & ~here_of(map, write);
}

static uint64_t all(uint64_t bits, unsigned int bit)
{
	return bits >> bit & 1 ? UINT64_MAX : 0;
}

/* Return: the first block from @block on, but below @end, which is at another place. */
static uint64_t find_change(const struct overlay *overlay, uint64_t block,
			    uint64_t end, bool write)
{
	const struct map *map = &overlay->maps[block / WORD_BITS];
	const unsigned int bit = block % WORD_BITS;
	const uint64_t here = all(here_of(map, write), bit);
	const uint64_t second = all(second_of(overlay, map, write), bit);
	const uint64_t saved = all(saved_of(map, write), bit);

	while (block < end) {
		uint64_t other;

		map = &overlay->maps[block / WORD_BITS];
		other = (here_of(map, write) ^ here) |
			(second_of(overlay, map, write) ^ second) |
			(saved_of(map, write) ^ saved);
		other >>= block % WORD_BITS;
		if (other) {
			block += (uint64_t)__builtin_ctzll(other);
			return block < end ? block : end;
		}
		block += WORD_BITS - block % WORD_BITS;
	}
	return end;
}

int overlay_place(const struct overlay *overlay, bool write, uint64_t *offset,
		  uint64_t *bytes)
{
	uint64_t block = *offset / overlay->block_size;
	uint64_t end = (*offset + *bytes - 1) / overlay->block_size + 1;
	const struct map *map = &overlay->maps[block / WORD_BITS];
	const unsigned int bit = block % WORD_BITS;
	uint64_t run =
		find_change(overlay, block, end, write) * overlay->block_size -
		*offset;

	if (run < *bytes)
		*bytes = run;
	if (saved_of(map, write) >> bit & 1) {
		*offset += overlay->saved_offset;
		return overlay->saved;
	}
	if (second_of(overlay, map, write) >> bit & 1)
		*offset += overlay->disk_size;
	return here_of(map, write) >> bit & 1 ? overlay->fd : -1;
}

/* What was kept stays at its place, and the new one is at the other. */
static void add(struct overlay *overlay, struct map *map, uint64_t blocks)
{
	const uint64_t second = second_of(overlay, map, true);

	if (overlay->changed) {
		map->kept |= blocks & ~map->fresh & map->here;
		map->fresh |= blocks;
	}
	map->second = (map->second & ~blocks) | (second & blocks);
	map->here |= blocks;
}

/* Return: bits of so many blocks, at most WORD_BITS. */
static uint64_t mask_of(uint64_t count)
{
	return count < WORD_BITS ? (1ULL << count) - 1 : UINT64_MAX;
}

/*
 * Return: the first block from @block on, but below @end, that is in the overlay, or,
 * without @in, that is not.
 */
static uint64_t find(const struct overlay *overlay, uint64_t block,
		     uint64_t end, bool in)
{
	while (block < end) {
		const struct map *map = &overlay->maps[block / WORD_BITS];
		uint64_t bits = map->here | map->saved;

		bits = (in ? bits : ~bits) >> block % WORD_BITS;
		if (bits) {
			block += (uint64_t)__builtin_ctzll(bits);
			return block < end ? block : end;
		}
		block += WORD_BITS - block % WORD_BITS;
	}
	return end;
}

bool overlay_next(const struct overlay *overlay, uint64_t *block,
		  uint64_t *count)
{
	const uint64_t blocks = overlay->disk_size / overlay->block_size;

	*block = find(overlay, *block, blocks, true);
	*count = find(overlay, *block, blocks, false) - *block;
	return *count;
}

/* Reads blocks that are together. */
static int read_run(int fd, char *to, uint64_t bytes, uint64_t offset)
{
	while (bytes) {
		const ssize_t size = pread(fd, to, bytes, (off_t)offset);

		if (size < 0 && errno == EINTR)
			continue;
		if (size <= 0)
			return size ? -errno : -ENODATA;
		to += size;
		offset += (uint64_t)size;
		bytes -= (uint64_t)size;
	}
	return 0;
}

int overlay_read(const struct overlay *overlay, uint64_t offset, void *bytes,
		 uint64_t size)
{
	char *to = bytes;
	int err = 0;

	while (size && !err) {
		uint64_t place = offset, run = size;
		const int fd = overlay_place(overlay, false, &place, &run);

		err = fd < 0 ? -EINVAL : read_run(fd, to, run, place);
		to += run;
		offset += run;
		size -= run;
	}
	return err;
}

void overlay_add(struct overlay *overlay, uint64_t offset, uint64_t bytes)
{
	uint64_t block = offset / overlay->block_size;
	uint64_t end = block + bytes / overlay->block_size;

	if (overlay->changed)
		page_log_add(overlay->changed, block, end);
	while (block < end) {
		unsigned int bit = block % WORD_BITS;

		add(overlay, &overlay->maps[block / WORD_BITS],
		    mask_of(end - block) << bit);
		block += WORD_BITS - bit;
	}
}

void overlay_set_saved(struct overlay *overlay, int fd, uint64_t offset)
{
	overlay->saved = fd;
	overlay->saved_offset = offset;
}

void overlay_add_saved(struct overlay *overlay, uint64_t block, uint64_t count)
{
	const uint64_t end = block + count;

	while (block < end) {
		unsigned int bit = block % WORD_BITS;

		overlay->maps[block / WORD_BITS].saved |= mask_of(end - block)
							  << bit;
		block += WORD_BITS - bit;
	}
}

/**
 * struct stale - bytes of the temporary file that nobody reads any more
 */
struct stale {
	uint64_t offset;
	uint64_t bytes;
};

/* The host may be unable to; then they take room until they are written again. */
static void give_back(const struct overlay *overlay, const struct stale *stale)
{
	if (stale->bytes >= WORTHWHILE)
		fallocate(overlay->fd,
			  FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE,
			  (off_t)stale->offset, (off_t)stale->bytes);
}

/* Gives back the places at which the blocks of a word were before they were written. */
static void give_word_back(const struct overlay *overlay, const struct map *map,
			   uint64_t first, struct stale *stale)
{
	for (uint64_t left = map->kept; left; left &= left - 1) {
		const unsigned int bit = (unsigned int)__builtin_ctzll(left);
		const bool second = !(map->second >> bit & 1);
		const uint64_t offset = (first + bit) * overlay->block_size +
					(second ? overlay->disk_size : 0);

		if (offset != stale->offset + stale->bytes) {
			give_back(overlay, stale);
			*stale = (struct stale){ .offset = offset };
		}
		stale->bytes += overlay->block_size;
	}
}

/* What is there is there to stay. */
static void settle(struct overlay *overlay)
{
	struct stale stale = { 0 };
	uint64_t first = 0, blocks;

	for (; page_log_take(overlay->changed, &first, &blocks);
	     first += PAGE_LOG_WORD) {
		struct map *map = &overlay->maps[first / WORD_BITS];

		give_word_back(overlay, map, first, &stale);
		map->fresh = map->kept = 0;
	}
	give_back(overlay, &stale);
}

int overlay_keep(struct overlay *overlay)
{
	if (!overlay->changed)
		overlay->changed =
			page_log_new(overlay->disk_size / overlay->block_size);
	if (!overlay->changed)
		return -ENOMEM;
	settle(overlay);
	return 0;
}

void overlay_put_back(struct overlay *overlay)
{
	uint64_t first = 0, blocks;

	for (; overlay->changed &&
	       page_log_take(overlay->changed, &first, &blocks);
	     first += PAGE_LOG_WORD) {
		struct map *map = &overlay->maps[first / WORD_BITS];

		map->second ^= map->kept;
		map->here &= ~map->fresh | map->kept;
		map->fresh = map->kept = 0;
	}
}

static void discard(const struct overlay *overlay, uint64_t offset,
		    uint64_t bytes)
{
	const struct stale stale = { offset, bytes };

	give_back(overlay, &stale);
}

void overlay_forget(struct overlay *overlay)
{
	const uint64_t size = overlay->disk_size;
	uint64_t at = 0, bytes;

	if (!overlay->changed)
		return;
	settle(overlay);
	page_log_free(overlay->changed);
	overlay->changed = NULL;
	for (; at < size; at += bytes) {
		uint64_t place = at;

		bytes = size - at;
		if (overlay_place(overlay, false, &place, &bytes) !=
		    overlay->fd) {
			discard(overlay, at, bytes);
			discard(overlay, at + size, bytes);
		} else {
			discard(overlay, place < size ? at + size : at, bytes);
		}
	}
}
