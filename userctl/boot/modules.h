/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Multiboot modules: files that the boot loader puts into memory beside the
 * image, each with a line of text.
 */
#ifndef LODGE_BOOT_MODULES_H
#define LODGE_BOOT_MODULES_H

#include <stddef.h>
#include <stdint.h>

#include "boot/error.h"
#include "boot/image.h"
#include "boot/place.h"

/**
 * struct modules - a list of modules
 * @text: the lines, each terminated by a zero byte
 * @text_size: bytes of @text
 * @count: modules
 * @module: for each module its place in guest memory, and the offset in @text of
 *	its line: the file's path and its arguments
 */
struct modules {
	char *text;
	size_t text_size;
	unsigned int count;
	struct module {
		uint32_t start;
		uint32_t end;
		size_t line;
	} * module;
};

/**
 * modules_load() - load modules to whole pages, in ascending order
 * @modules: out: to be freed with modules_free(), whatever is returned
 * @list: NULL for none, or modules separated by commas, where ",," stands for a
 *	comma; each is a path and, after a space, arguments
 * @store: files are taken from here, or opened and added
 * @place: guest memory
 * @min: lowest address for them
 * @error: the reason of a failure
 *
 * Return: 0; what image_get() returns; -ENOSPC one does not fit; -ENOMEM.
 */
int modules_load(struct modules *modules, const char *list,
		 struct image_store *store, struct place *place, uint64_t min,
		 struct boot_error *error);

/**
 * modules_free() - free the list
 */
void modules_free(struct modules *modules);

#endif
