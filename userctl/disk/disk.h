/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A disk for a guest: a file or block device of the host, read and written without
 * waiting.
 *
 * A disk serves sectors of 512 bytes at least.  A file whose size is no multiple of
 * them has one sector more, whose end reads as zeroes until it is written; so does all
 * that is beyond the end of a file which was cut while in use.
 *
 * Requests are checked here again, whatever the caller has checked: a request of a
 * guest never reaches a byte outside of the disk.
 */
#ifndef LODGE_DISK_DISK_H
#define LODGE_DISK_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "board/loop.h"

#define DISK_SECTOR 512
/* The most buffers of a request. */
#define DISK_MAX_IOV 256

struct disk;
struct disk_task;

/**
 * enum disk_engine - how the host is asked
 * @DISK_ENGINE_AUTO: by io_uring where the host allows that, else by threads
 * @DISK_ENGINE_URING: by io_uring
 * @DISK_ENGINE_THREADS: by a few threads, which wait
 */
enum disk_engine {
	DISK_ENGINE_AUTO,
	DISK_ENGINE_URING,
	DISK_ENGINE_THREADS,
};

/**
 * struct disk_options - what to open, and how
 * @path: a regular file or a block device
 * @read_only: requests that write are refused
 * @direct: go round the host's page cache (O_DIRECT)
 * @snapshot: keep what is written in a temporary file of $TMPDIR, or of /var/tmp, which
 *	is gone with the disk; @path is only read
 * @raw: the bytes of the file are those of the disk, even if they look like a qcow2 image
 *	or a kernel
 * @engine: how the host is asked
 */
struct disk_options {
	const char *path;
	bool read_only;
	bool direct;
	bool snapshot;
	bool raw;
	enum disk_engine engine;
};

/**
 * struct disk_geometry - what a guest is told
 * @size: bytes, a multiple of @block_size
 * @block_size: offsets and sizes of requests are multiples of it; 512 to 4096, a power
 *	of two
 * @physical_block_size: what the host writes at once; a multiple of @block_size
 * @optimal_size: size of requests that suits the host best, in bytes; 0: unknown
 * @discard_alignment: what is discarded begins and ends best at multiples of it, in bytes
 * @read_only: nothing can be written
 * @can_discard: DISK_DISCARD may have an effect
 */
struct disk_geometry {
	uint64_t size;
	uint32_t block_size;
	uint32_t physical_block_size;
	uint32_t optimal_size;
	uint32_t discard_alignment;
	bool read_only;
	bool can_discard;
};

/**
 * enum disk_op - what a request does
 * @DISK_READ: fill the buffers
 * @DISK_WRITE: write the buffers
 * @DISK_FLUSH: make stable all that was completed before the request was submitted
 * @DISK_DISCARD: free the host's blocks, if that is possible; reads give zeroes or what
 *	was there
 * @DISK_WRITE_ZEROES: let reads give zeroes
 */
enum disk_op {
	DISK_READ,
	DISK_WRITE,
	DISK_FLUSH,
	DISK_DISCARD,
	DISK_WRITE_ZEROES,
};

/**
 * struct disk_request - a request
 * @op: what it does
 * @unmap: DISK_WRITE_ZEROES: the host's blocks may be freed
 * @stable: complete only when what it writes is stable
 * @offset: the first byte
 * @size: bytes; of the buffers, too
 * @iov: DISK_READ and DISK_WRITE: the buffers, @nr_iov of them; the list, too, is in use
 *	until @done
 * @done: called once, with 0 or -errno, in the loop's thread or in that of disk_drain(),
 *	without a lock.  It may submit requests
 * @task: the disk's
 */
struct disk_request {
	enum disk_op op;
	bool unmap;
	bool stable;
	uint64_t offset;
	uint64_t size;
	const struct iovec *iov;
	unsigned int nr_iov;
	void (*done)(struct disk_request *request, int error);
	struct disk_task *task;
};

/**
 * disk_open() - open a disk
 * @loop: calls for requests that are done; must outlive the disk
 * @why: out: on failure, the reason and the remedy, without the path
 * @size: bytes at @why
 *
 * What is opened for writing, here or by QEMU, cannot be opened a second time.
 *
 * Return: the disk, or NULL with errno set.
 */
struct disk *disk_open(struct loop *loop, const struct disk_options *options,
		       char *why, size_t size);

/**
 * disk_close() - close a disk, after disk_drain(); NULL is fine
 */
void disk_close(struct disk *disk);

/**
 * disk_geometry() - get what a guest is told
 */
const struct disk_geometry *disk_geometry(const struct disk *disk);

/**
 * disk_fd() - get the file of a disk, which can be mapped and stays the disk's
 *
 * With disk_options.snapshot it is what the guest has not written.
 */
int disk_fd(const struct disk *disk);

/**
 * disk_overlay() - get what keeps the guest's writes: NULL without disk_options.snapshot, or
 * if nothing can be written
 */
struct overlay *disk_overlay(const struct disk *disk);

/**
 * disk_engine() - get how the host is asked; never DISK_ENGINE_AUTO
 */
enum disk_engine disk_engine(const struct disk *disk);

/**
 * disk_read_now() - read what is in the host's page cache
 * @request: a read; its @done is not called
 *
 * Any thread may call.  Only a disk whose engine is io_uring reads so: that, too, would
 * copy the data in the caller's thread, but tell of it by way of the loop.  A large request
 * is always to be submitted.
 *
 * Return: true if all was read; false: the request is to be submitted.
 */
bool disk_read_now(struct disk *disk, const struct disk_request *request);

/**
 * disk_submit() - begin a request
 * @request: stays the disk's until its @done is called
 *
 * Any thread may call.  Nothing may happen before disk_commit().
 *
 * Return: 0, or without a call of @done: -EINVAL the request reaches beyond the end, is
 * not of whole blocks, or its buffers are of another size; -EROFS the disk cannot be
 * written; -ENOMEM.
 */
int disk_submit(struct disk *disk, struct disk_request *request);

/**
 * disk_commit() - hand the host what was submitted; any thread may call
 */
void disk_commit(struct disk *disk);

/**
 * disk_drain() - wait until no request is in progress
 *
 * It completes requests itself, so the loop may run or not.  It must not be called from
 * @done, nor with a lock that @done takes.
 */
void disk_drain(struct disk *disk);

/**
 * disk_settle() - wait until all that was written is stable, after disk_drain()
 *
 * What is in an overlay need not be.
 *
 * Return: 0 or -errno, perhaps for what was written long ago.
 */
int disk_settle(const struct disk *disk);

/**
 * disk_lend() - let others read the disk's file, after disk_settle(), or have it alone again
 * @lend: which of the two; to do either twice is fine
 *
 * Until it is had alone again nothing may be written.
 *
 * Return: 0; -EBUSY others read it, and it stays lent; or another -errno.
 */
int disk_lend(const struct disk *disk, bool lend);

#endif
