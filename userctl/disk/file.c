// SPDX-License-Identifier: GPL-2.0
/*
 * Opens regular files and block devices.
 */
#include "disk/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk/lock.h"

/* What any host takes with O_DIRECT, if it does not say what it wants. */
#define SAFE_ALIGNMENT 4096
#define MAX_BLOCK 4096
#define MAX_SIZE ((uint64_t)INT64_MAX - MAX_BLOCK)

/* Return: 0 or -errno. */
static int refuse(int err, char *why, size_t size, const char *reason)
{
	snprintf(why, size, "%s", reason);
	return -err;
}

static int refuse_open(int err, const struct disk_options *options,
		       bool writing, char *why, size_t size)
{
	const char *remedy = "";

	if (writing && (err == EACCES || err == EROFS || err == EPERM))
		remedy = "; add ro if the guest must not write it";
	else if (writing && err == EBUSY)
		remedy =
			"; it is mounted, or part of something else that is in "
			"use";
	else if (err == ENOENT)
		remedy = "; truncate -s 8G FILE makes an empty one";
	else if (options->direct && err == EINVAL)
		remedy = "; its file system cannot go without the page cache: "
			 "leave out direct";
	snprintf(why, size, "%s%s", strerror(err), remedy);
	return -err;
}

/*
 * O_NONBLOCK: opening a pipe does not wait.  Later it would make io_uring give up where
 * it has to wait.
 *
 * Return: 0 or -errno.
 */
static int open_path(struct disk_file *file, const struct disk_options *options,
		     char *why, size_t size)
{
	bool writing = !options->read_only && !options->snapshot;
	int flags = O_CLOEXEC | O_NOCTTY | (writing ? O_RDWR : O_RDONLY);
	struct stat stat;

	if (options->direct)
		flags |= O_DIRECT;
	file->fd = open(options->path, flags | O_NONBLOCK);
	if (file->fd < 0)
		return refuse_open(errno, options, writing, why, size);
	if (fstat(file->fd, &stat))
		return refuse_open(errno, options, writing, why, size);
	file->is_device = S_ISBLK(stat.st_mode);
	if (!S_ISREG(stat.st_mode) && !file->is_device)
		return refuse(EINVAL, why, size,
			      "it is neither a file nor a block device");
	if (fcntl(file->fd, F_SETFL, flags & ~O_CLOEXEC))
		return refuse_open(errno, options, writing, why, size);
	return 0;
}

/* A device that is mounted must not be written by somebody else. */
static int claim_device(struct disk_file *file,
			const struct disk_options *options, char *why,
			size_t size)
{
	char path[32];
	int flags = O_RDWR | O_EXCL | O_CLOEXEC;
	int fd;

	if (options->direct)
		flags |= O_DIRECT;
	/* The same device, whatever the path leads to by now. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file->fd);
	fd = open(path, flags);
	if (fd < 0)
		return refuse_open(errno, options, true, why, size);
	close(file->fd);
	file->fd = fd;
	return 0;
}

static bool is_block_size(uint64_t size)
{
	return size >= DISK_SECTOR && size <= MAX_BLOCK && !(size & (size - 1));
}

/* Return: 0 or -errno. */
static int measure_device(struct disk_file *file, char *why, size_t size)
{
	struct disk_geometry *geometry = &file->geometry;
	unsigned int physical = 0, optimal = 0;
	int logical = 0;

	if (ioctl(file->fd, BLKGETSIZE64, &geometry->size) ||
	    ioctl(file->fd, BLKSSZGET, &logical))
		return refuse(errno, why, size,
			      "the device does not tell its size");
	if (logical < 0 || !is_block_size((uint64_t)logical))
		return refuse(EINVAL, why, size,
			      "its blocks are larger than 4096 bytes");
	geometry->block_size = (uint32_t)logical;
	ioctl(file->fd, BLKPBSZGET, &physical);
	ioctl(file->fd, BLKIOOPT, &optimal);
	geometry->physical_block_size = physical;
	geometry->optimal_size = optimal;
	return 0;
}

/* Return: 0 or -errno. */
static int measure_file(struct disk_file *file, char *why, size_t size)
{
	struct stat stat;

	if (fstat(file->fd, &stat))
		return refuse(errno, why, size, strerror(errno));
	file->geometry.size = (uint64_t)stat.st_size;
	file->geometry.block_size = DISK_SECTOR;
	file->geometry.physical_block_size = (uint32_t)stat.st_blksize;
	return 0;
}

/*
 * Without an answer of the file system, blocks of 512 bytes are tried: the first one is
 * read.
 */
static uint32_t guess_alignment(int fd)
{
	_Alignas(SAFE_ALIGNMENT) char block[DISK_SECTOR];

	return pread(fd, block, sizeof(block), 0) < 0 ? SAFE_ALIGNMENT :
							DISK_SECTOR;
}

/* Return: 0 or -errno. */
static int measure_direct(struct disk_file *file, char *why, size_t size)
{
	struct statx statx_answer;
	uint64_t memory = 0, offset = 0;

	if (!statx(file->fd, "", AT_EMPTY_PATH, STATX_DIOALIGN,
		   &statx_answer) &&
	    statx_answer.stx_mask & STATX_DIOALIGN) {
		memory = statx_answer.stx_dio_mem_align;
		offset = statx_answer.stx_dio_offset_align;
		if (!offset)
			return refuse(EINVAL, why, size,
				      "it cannot be used without the page "
				      "cache: leave out direct");
	}
	if (!offset)
		offset = guess_alignment(file->fd);
	if (offset < file->geometry.block_size)
		offset = file->geometry.block_size;
	if (!is_block_size(offset))
		return refuse(
			EINVAL, why, size,
			"its blocks are larger than 4096 bytes: leave out "
			"direct");
	file->geometry.block_size = (uint32_t)offset;
	file->memory_alignment = memory && memory <= SAFE_ALIGNMENT ?
					 (uint32_t)memory :
					 SAFE_ALIGNMENT;
	return 0;
}

/* What files that are no disks have in them. */
#define MAGIC_SIZE 4
#define QCOW2_MAGIC "QFI\xfb"
#define ELF_MAGIC "\177ELF"
#define LINUX_MAGIC "HdrS"
#define LINUX_MAGIC_AT 0x202

static bool is_kernel(const char *block, ssize_t size)
{
	return !memcmp(block, ELF_MAGIC, MAGIC_SIZE) ||
	       (size >= LINUX_MAGIC_AT + MAGIC_SIZE &&
		!memcmp(block + LINUX_MAGIC_AT, LINUX_MAGIC, MAGIC_SIZE));
}

/*
 * A guest that gets the bytes of another format would find no disk, and could spoil it.
 *
 * Return: 0 or -errno.
 */
static int check_format(const struct disk_file *file, char *why, size_t size)
{
	_Alignas(SAFE_ALIGNMENT) char block[SAFE_ALIGNMENT];
	const ssize_t got = pread(file->fd, block, sizeof(block), 0);

	if (got < MAGIC_SIZE)
		return 0;
	if (is_kernel(block, got))
		return refuse(EINVAL, why, size,
			      "it is a kernel and no disk; name it by "
			      "--kernel, or add format=raw if its bytes are "
			      "the disk");
	if (memcmp(block, QCOW2_MAGIC, MAGIC_SIZE))
		return 0;
	return refuse(EOPNOTSUPP, why, size,
		      "it is a qcow2 image; add format=qcow2, or format=raw if "
		      "its bytes are the disk");
}

/* Makes the numbers fit together.  Return: 0 or -errno. */
static int settle(struct disk_file *file, char *why, size_t size)
{
	struct disk_geometry *geometry = &file->geometry;
	uint32_t block = geometry->block_size;

	if (!geometry->size)
		return refuse(
			EINVAL, why, size,
			file->is_device ?
				"the device is empty" :
				"it is empty; truncate -s 8G FILE makes it "
				"8 GiB large, without taking space");
	if (geometry->size > MAX_SIZE)
		return refuse(EFBIG, why, size, "it is too large");
	geometry->size = (geometry->size + block - 1) & ~(uint64_t)(block - 1);
	if (!is_block_size(geometry->physical_block_size) ||
	    geometry->physical_block_size < block)
		geometry->physical_block_size = block;
	if (geometry->optimal_size % block)
		geometry->optimal_size = 0;
	geometry->discard_alignment = geometry->physical_block_size;
	geometry->can_discard = !geometry->read_only;
	return 0;
}

int disk_file_open(struct disk_file *file, const struct disk_options *options,
		   char *why, size_t size)
{
	bool writing = !options->read_only && !options->snapshot;
	int err;

	*file = (struct disk_file){
		.fd = -1,
		.memory_alignment = 1,
		.geometry.read_only = options->read_only,
	};
	err = open_path(file, options, why, size);
	if (!err && file->is_device && writing)
		err = claim_device(file, options, why, size);
	if (!err)
		err = disk_lock(file->fd, writing, why, size);
	if (!err)
		err = file->is_device ? measure_device(file, why, size) :
					measure_file(file, why, size);
	if (!err && options->direct)
		err = measure_direct(file, why, size);
	if (!err)
		err = settle(file, why, size);
	if (!err && !options->raw)
		err = check_format(file, why, size);
	if (err)
		disk_file_close(file);
	return err;
}

void disk_file_close(struct disk_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}
