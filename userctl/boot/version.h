/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The version of a Linux kernel, as `uname -r` has it, of its image.
 */
#ifndef LODGE_BOOT_VERSION_H
#define LODGE_BOOT_VERSION_H

#include <stddef.h>

#include "boot/image.h"

/* What uname(2) has room for. */
#define VERSION_SIZE 65

/**
 * version_find() - find a kernel's version in its image
 * @image: a bzImage, or an ELF image, as vmlinux is, which is held; it is not trusted
 * @version: out: VERSION_SIZE bytes; a name that may be part of a path
 *
 * Return: 0; -ENOENT there is none.
 */
int version_find(const struct image *image, char *version);

#endif
