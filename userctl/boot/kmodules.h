/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Finds the modules of a guest's kernel that are to be loaded before its root is there.
 */
#ifndef LODGE_BOOT_KMODULES_H
#define LODGE_BOOT_KMODULES_H

#include <stdbool.h>
#include <stddef.h>

#include "boot/error.h"

/* Those that --root needs, with what they ask for, are about a dozen. */
#define KMODULES_MAX 128

/**
 * struct kmodule_wish - a module that is wanted, unless it is built in
 * @name: its name
 * @symbol: the kernel's configuration symbol of it
 * @needed: it is an error if the kernel has it in neither way
 */
struct kmodule_wish {
	const char *name;
	const char *symbol;
	bool needed;
};

/**
 * struct kmodules - modules in the order in which they are to be loaded
 * @count: their number
 * @paths: their files
 */
struct kmodules {
	size_t count;
	char *paths[KMODULES_MAX];
};

/**
 * kmodules_find() - find modules, and those that they need
 * @modules: out: kmodules_free() frees it
 * @directory: of the kernel's modules, such as /lib/modules/6.1.0-50-amd64
 * @wishes: the modules; those before are loaded before
 * @count: their number
 * @error: out: on failure, the reason
 *
 * Return: 0; -ENOENT one that is needed is in no form there; -ENODATA depmod(8) has not
 * been there; -ELIBACC libkmod is not installed; -E2BIG there are too many; another
 * -errno.
 */
int kmodules_find(struct kmodules *modules, const char *directory,
		  const struct kmodule_wish *wishes, size_t count,
		  struct boot_error *error);

/**
 * kmodules_free() - free the list
 */
void kmodules_free(struct kmodules *modules);

#endif
