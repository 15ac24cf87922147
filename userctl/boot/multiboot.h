/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Multiboot images (Multiboot Specification, version 0.6.96).
 */
#ifndef LODGE_BOOT_MULTIBOOT_H
#define LODGE_BOOT_MULTIBOOT_H

#include <stdbool.h>

#include "boot/entry.h"
#include "boot/error.h"
#include "boot/image.h"
#include "boot/place.h"

/**
 * multiboot_probe() - true if a file, which is held, has a multiboot
 * header with a correct checksum in its first 8192 bytes
 */
bool multiboot_probe(const struct image *image);

/**
 * multiboot2_probe() - true if a file, which is held, has a multiboot 2 header
 * in its first 32768 bytes
 */
bool multiboot2_probe(const struct image *image);

/**
 * multiboot_load() - load an image with its modules and command line
 * @place: guest memory
 * @image: the image, for which multiboot_probe() is true
 * @modules: NULL or a list of modules, as in struct boot_options.initrd
 * @store: modules are taken from here, or opened and added
 * @append: the command line behind the image's name
 * @entry: out: the state for vCPU 0
 * @error: out: the reason of a failure
 *
 * Segments and entry come from the header if it has addresses, else from ELF, of 32
 * or 64 bits.  The start is in 32-bit mode in all cases.
 *
 * Return: 0; -ENOEXEC the header requires an unknown feature, or the image has
 * neither addresses nor ELF; -EINVAL it is truncated or has impossible addresses;
 * -ENOSPC something does not fit; -errno of reading a module.
 */
int multiboot_load(struct place *place, const struct image *image,
		   const char *modules, struct image_store *store,
		   const char *append, struct boot_entry *entry,
		   struct boot_error *error);

#endif
