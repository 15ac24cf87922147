/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A file to be loaded.
 *
 * It stays open, and its bytes are read when they are wanted: into the guest's memory, or
 * into a copy that is held while they are looked into.  The file is never mapped, so
 * changing or truncating it meanwhile can neither bypass a check nor cause SIGBUS.
 */
#ifndef LODGE_BOOT_IMAGE_H
#define LODGE_BOOT_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "boot/error.h"

/* Larger files cannot be loaded: images and initrds lie below 4 GiB. */
#define IMAGE_MAX_SIZE 0x100000000ULL

/**
 * struct image - a file
 * @path: its name; the caller owns the string
 * @data: its bytes while they are held, or NULL; set by others, there need be no file
 * @size: number of bytes
 * @fd: without @data, the file, which has them
 * @offset: where they begin there
 * @file_size: bytes of the file
 * @written: time of the last change of @fd
 */
struct image {
	const char *path;
	const void *data;
	size_t size;
	int fd;
	uint64_t offset;
	uint64_t file_size;
	struct timespec written;
};

/**
 * image_open() - open a file, or read a pipe to its end
 * @image: to be filled; on failure it holds nothing to close
 * @path: must live as long as @image
 * @error: the reason of a failure
 *
 * Return: 0, or -errno of open() or read(); -EISDIR, -ENOTBLK a character device,
 * -EFBIG beyond IMAGE_MAX_SIZE, -ENODATA when it is empty, -ENOMEM.
 */
int image_open(struct image *image, const char *path, struct boot_error *error);

/**
 * image_close() - close what image_open() has opened
 */
void image_close(struct image *image);

/**
 * image_read() - copy a piece of the file
 * @offset: bytes from its start
 * @to: memory, which may be the guest's
 * @size: bytes
 *
 * Return: 0; -ENODATA the piece reaches beyond the file; -errno of read().
 */
int image_read(const struct image *image, uint64_t offset, void *to,
	       uint64_t size);

/**
 * image_load() - copy a piece of the file, with a reason if that fails
 * @error: the reason of a failure
 *
 * Return: as image_read() does.
 */
int image_load(const struct image *image, uint64_t offset, void *to,
	       uint64_t size, struct boot_error *error);

/**
 * image_hold() - copy all bytes to memory, until image_release() or image_close()
 * @error: the reason of a failure
 *
 * Return: 0; -ENOMEM; or as image_read() does.
 */
int image_hold(struct image *image, struct boot_error *error);

/**
 * image_release() - forget the bytes that image_hold() has read
 */
void image_release(struct image *image);

/**
 * struct image_store - the files of a machine, for its next start
 *
 * Each file is opened once: a pipe cannot be read again, and a confined machine can open
 * none.  An empty store is all zeroes.
 */
struct image_store {
	struct image_stored *first;
};

/**
 * image_get() - open a file, or find it in the store
 * @image: set to it; it and its path live as long as the store
 * @error: the reason of a failure
 *
 * Return: as image_open() does.
 */
int image_get(struct image_store *store, const char *path,
	      const struct image **image, struct boot_error *error);

/**
 * image_get_held() - the same, and hold it as long as the store lives
 *
 * Return: as image_open() or image_hold() does.
 */
int image_get_held(struct image_store *store, const char *path,
		   const struct image **image, struct boot_error *error);

/**
 * image_find() - find a file in the store
 *
 * Return: the file, or NULL if image_get() has not opened it.
 */
const struct image *image_find(const struct image_store *store,
			       const char *path);

/**
 * image_store_list() - get a file of the store by its number
 * @number: counts from 0
 *
 * Return: the file, or NULL after the last.
 */
const struct image *image_store_list(const struct image_store *store,
				     size_t number);

/**
 * image_store_put() - add a piece of an open file, as if it were the file of a path
 * @path: the path, which need not exist
 * @fd: the open file; the caller may close it afterwards
 * @offset: of the piece
 * @size: its bytes
 * @error: the reason of a failure
 *
 * Return: 0; -EINVAL the piece is empty or too large; -ENODATA the file ends before the
 * piece does; -ENOMEM; -errno.
 */
int image_store_put(struct image_store *store, const char *path, int fd,
		    uint64_t offset, uint64_t size, struct boot_error *error);

/**
 * image_store_has() - true if a regular file is in the store, by any name
 */
bool image_store_has(const struct image_store *store, const char *path);

/**
 * image_store_check() - see whether files are what they were when they were opened
 * @error: out: the file that is not
 *
 * What was read of them in between is of one state of each file if this succeeds.
 *
 * Return: 0 or -ESTALE.
 */
int image_store_check(const struct image_store *store,
		      struct boot_error *error);

/**
 * image_store_free() - free all its files
 */
void image_store_free(struct image_store *store);

/**
 * image_at() - get a piece of a file that is held
 * @offset: bytes from its start
 * @size: bytes wanted
 *
 * Return: its address, or NULL if it reaches beyond the file.
 */
const void *image_at(const struct image *image, uint64_t offset, uint64_t size);

#endif
