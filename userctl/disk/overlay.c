// SPDX-License-Identifier: GPL-2.0
/*
 * The overlay of a disk: a temporary file and a bitmap.
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

#define DEFAULT_DIRECTORY "/var/tmp"
#define WORD_BITS 64

/* @bits: memory that the host has only where a bit was set */
struct overlay {
	int fd;
	uint32_t block_size;
	uint64_t *bits;
	size_t bits_size;
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
	int fd = open(directory, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);

	if (fd >= 0)
		return fd;
	return errno == EOPNOTSUPP || errno == EISDIR ? open_named(directory) :
							-errno;
}

/* Return: 0 or -errno. */
static int make_file(struct overlay *overlay, uint64_t disk_size, char *why,
		     size_t size)
{
	const char *directory = getenv("TMPDIR");
	int err;

	if (!directory || !*directory)
		directory = DEFAULT_DIRECTORY;
	overlay->fd = open_temporary(directory);
	err = overlay->fd < 0 ? overlay->fd : 0;
	if (!err && ftruncate(overlay->fd, (off_t)disk_size))
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
static int make_bits(struct overlay *overlay, uint64_t blocks, char *why,
		     size_t size)
{
	uint64_t words = blocks / WORD_BITS + 1;
	void *bits = mmap(NULL, words * sizeof(uint64_t),
			  PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (bits == MAP_FAILED) {
		snprintf(why, size, "no memory for the map of what is written");
		return -ENOMEM;
	}
	overlay->bits = bits;
	overlay->bits_size = words * sizeof(uint64_t);
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
	overlay->block_size = block_size;
	err = make_file(overlay, disk_size, why, size);
	if (!err)
		err = make_bits(overlay, disk_size / block_size, why, size);
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
	if (overlay->bits)
		munmap(overlay->bits, overlay->bits_size);
	if (overlay->fd >= 0)
		close(overlay->fd);
	free(overlay);
}

int overlay_fd(const struct overlay *overlay)
{
	return overlay->fd;
}

/* Return: the first block from @block on, but below @end, of which the bit is not @value. */
static uint64_t find_change(const struct overlay *overlay, uint64_t block,
			    uint64_t end, bool value)
{
	while (block < end) {
		uint64_t word = overlay->bits[block / WORD_BITS];
		uint64_t other = (value ? ~word : word) >> block % WORD_BITS;

		if (other) {
			block += (uint64_t)__builtin_ctzll(other);
			return block < end ? block : end;
		}
		block += WORD_BITS - block % WORD_BITS;
	}
	return end;
}

uint64_t overlay_run(const struct overlay *overlay, uint64_t offset,
		     uint64_t bytes, bool *here)
{
	uint64_t block = offset / overlay->block_size;
	uint64_t end = (offset + bytes - 1) / overlay->block_size + 1;
	uint64_t run;

	*here = overlay->bits[block / WORD_BITS] >> block % WORD_BITS & 1;
	run = find_change(overlay, block, end, *here) * overlay->block_size -
	      offset;
	return run < bytes ? run : bytes;
}

void overlay_add(struct overlay *overlay, uint64_t offset, uint64_t bytes)
{
	uint64_t block = offset / overlay->block_size;
	uint64_t end = block + bytes / overlay->block_size;

	while (block < end) {
		unsigned int bit = block % WORD_BITS;
		uint64_t count = end - block;
		uint64_t mask = UINT64_MAX;

		if (count >= WORD_BITS - bit)
			count = WORD_BITS - bit;
		else
			mask = (1ULL << count) - 1;
		overlay->bits[block / WORD_BITS] |= mask << bit;
		block += count;
	}
}
