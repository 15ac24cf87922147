/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A file to be loaded, held in memory.
 *
 * The bytes are a private copy: changing or truncating the file meanwhile can
 * neither bypass a check nor cause SIGBUS.
 */
#ifndef LODGE_BOOT_IMAGE_H
#define LODGE_BOOT_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/error.h"

/* Larger files cannot be loaded: images and initrds lie below 4 GiB. */
#define IMAGE_MAX_SIZE 0x100000000ULL

/**
 * struct image - the contents of a file
 * @path: its name; the caller owns the string
 * @data: its bytes
 * @size: number of bytes
 */
struct image {
	const char *path;
	const void *data;
	size_t size;
};

/**
 * image_open() - read a file, which may be a pipe
 * @image: to be filled; on failure it holds nothing to close
 * @path: must live as long as @image
 * @error: the reason of a failure
 *
 * Return: 0, or -errno of open() or read(); -EISDIR, -EFBIG beyond
 * IMAGE_MAX_SIZE, -ENODATA when it is empty, -ENOMEM.
 */
int image_open(struct image *image, const char *path, struct boot_error *error);

/**
 * image_close() - free what image_open() has read
 */
void image_close(struct image *image);

/**
 * struct image_store - the files of a machine, for its next start
 *
 * Each file is read once, because a pipe cannot be read again.  An empty store is
 * all zeroes.
 */
struct image_store {
	struct image_stored *first;
};

/**
 * image_get() - read a file, or find it in the store
 * @image: set to it; it and its path live as long as the store
 * @error: the reason of a failure
 *
 * Return: as image_open() does.
 */
int image_get(struct image_store *store, const char *path,
	      const struct image **image, struct boot_error *error);

/**
 * image_find() - find a file in the store
 *
 * Return: the file, or NULL if image_get() has not read it.
 */
const struct image *image_find(const struct image_store *store,
			       const char *path);

/**
 * image_store_has() - true if a regular file is in the store, by any name
 */
bool image_store_has(const struct image_store *store, const char *path);

/**
 * image_store_free() - free all its files
 */
void image_store_free(struct image_store *store);

/**
 * image_at() - get a piece of the file
 * @offset: bytes from its start
 * @size: bytes wanted
 *
 * Return: its address, or NULL if it reaches beyond the file.
 */
const void *image_at(const struct image *image, uint64_t offset, uint64_t size);

#endif
