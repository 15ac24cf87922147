/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Linux bzImage (Documentation/x86/boot.rst and zero-page.rst of Linux).
 */
#ifndef LODGE_BOOT_BZIMAGE_H
#define LODGE_BOOT_BZIMAGE_H

#include <stdbool.h>

#include "boot/entry.h"
#include "boot/error.h"
#include "boot/image.h"
#include "boot/place.h"

/**
 * bzimage_probe() - true if a file has Linux's setup header
 */
bool bzimage_probe(const struct image *image);

/**
 * bzimage_load() - load a kernel with its initrd and command line
 * @place: guest memory
 * @image: the kernel, for which bzimage_probe() is true
 * @initrd: NULL or its initrd
 * @append: the command line
 * @entry: out: the state for vCPU 0
 * @error: out: the reason of a failure
 *
 * A kernel that has the 64-bit entry (from protocol 2.12 on) is started there,
 * others at the 32-bit entry (from 2.02 on).
 *
 * Return: 0; -ENOEXEC it has neither entry; -EINVAL it is truncated or has
 * impossible header fields; -E2BIG the command line is longer than the kernel
 * takes; -ENOSPC kernel or initrd do not fit.
 */
int bzimage_load(struct place *place, const struct image *image,
		 const struct image *initrd, const char *append,
		 struct boot_entry *entry, struct boot_error *error);

#endif
