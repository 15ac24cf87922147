/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A file to be loaded, held in memory.
 *
 * The bytes are a copy of the controller's own: whoever changes or truncates the
 * file meanwhile can neither slip past a check nor raise SIGBUS.
 */
#ifndef LODGE_BOOT_IMAGE_H
#define LODGE_BOOT_IMAGE_H

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
 * image_at() - a piece of the file
 * @offset: bytes from its start
 * @size: bytes wanted
 *
 * Return: its address, or NULL when not all of it is in the file.
 */
const void *image_at(const struct image *image, uint64_t offset, uint64_t size);

#endif
