/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A file to be loaded, held in memory.
 *
 * The bytes are a copy of the controller's own: whoever changes or truncates the
 * file meanwhile can neither slip past a check nor raise SIGBUS.
 */
#ifndef LODGE_BOOT_IMAGE_H
#define LODGE_BOOT_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/error.h"

/* No larger file could be of use: images and initrds lie below 4 GiB. */
#define IMAGE_MAX_SIZE 0x100000000ULL

/**
 * struct image - the contents of a file
 * @path: its name, the caller's string
 * @data: its bytes
 * @size: how many
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
 * struct image_store - files that have been read, for a machine that restarts
 *
 * What was read once is not opened again: a pipe would have nothing more to give.
 * All zeroes is an empty one.
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
 * image_store_has() - whether a regular file, by whatever name, is in the store
 */
bool image_store_has(const struct image_store *store, const char *path);

/**
 * image_store_free() - free all its files
 */
void image_store_free(struct image_store *store);

/**
 * image_at() - a piece of the file
 * @offset: bytes from its start
 * @size: bytes wanted
 *
 * Return: its address, or NULL when not all of it is in the file.
 */
const void *image_at(const struct image *image, uint64_t offset, uint64_t size);

#endif
