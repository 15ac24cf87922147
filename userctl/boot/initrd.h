/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Writes an initial RAM disk for Linux: a cpio archive of the form that the kernel's
 * Documentation/driver-api/early-userspace/buffer-format.rst calls newc.
 */
#ifndef LODGE_BOOT_INITRD_H
#define LODGE_BOOT_INITRD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct initrd - an archive that is written; all zeroes at the start
 * @bytes: what there is
 * @size: bytes of it
 * @room: bytes at @bytes
 * @entries: number of files in it
 * @error: 0 or -errno of the first failure, after which nothing is added
 */
struct initrd {
	uint8_t *bytes;
	size_t size;
	size_t room;
	uint32_t entries;
	int error;
};

/**
 * initrd_directory() - add a directory
 * @name: its path without a slash in front; those above it were added before
 */
void initrd_directory(struct initrd *initrd, const char *name);

/**
 * initrd_file() - add a file of root's
 * @name: its path without a slash in front
 * @mode: permissions
 */
void initrd_file(struct initrd *initrd, const char *name, mode_t mode,
		 const void *data, size_t size);

/**
 * initrd_character_device() - add a device file of root's, which root alone may use
 */
void initrd_character_device(struct initrd *initrd, const char *name,
			     unsigned int major, unsigned int minor);

/**
 * initrd_finish() - end an archive
 *
 * Return: 0; -EFBIG a file or the whole is too large; -ENOMEM.
 */
int initrd_finish(struct initrd *initrd);

/**
 * initrd_free() - free it; it is all zeroes again
 */
void initrd_free(struct initrd *initrd);

#endif
