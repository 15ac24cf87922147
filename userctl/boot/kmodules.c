// SPDX-License-Identifier: GPL-2.0
/*
 * Finds modules by libkmod, which knows what depends on what by depmod's tables.
 *
 * The host's configuration of modprobe says nothing about a guest's kernel, and is not
 * read.
 */
#include "boot/kmodules.h"

#include <errno.h>
#include <libkmod.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of those that need each other; a circle of them is damage. */
#define MAX_DEPTH 32

static bool has(const struct kmodules *modules, const char *path)
{
	for (size_t i = 0; i < modules->count; i++)
		if (!strcmp(modules->paths[i], path))
			return true;
	return false;
}

static int append(struct kmodules *modules, const char *path)
{
	char *copy;

	if (modules->count == KMODULES_MAX)
		return -E2BIG;
	copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	modules->paths[modules->count++] = copy;
	return 0;
}

/* Adds a module behind those that it needs; one that is built in has no file. */
static int add(struct kmodules *modules, struct kmod_module *module,
	       unsigned int depth)
{
	const char *path = kmod_module_get_path(module);
	struct kmod_list *needed, *at;
	int err = 0;

	if (!path || has(modules, path))
		return 0;
	if (depth == MAX_DEPTH)
		return -ELOOP;
	needed = kmod_module_get_dependencies(module);
	kmod_list_foreach(at, needed)
	{
		struct kmod_module *other = kmod_module_get_module(at);

		if (!err)
			err = add(modules, other, depth + 1);
		kmod_module_unref(other);
	}
	kmod_module_unref_list(needed);
	return err ? err : append(modules, path);
}

/* Return: 0; -ENOENT there is no such module; -errno. */
static int look_up(struct kmodules *modules, struct kmod_ctx *kmod,
		   const char *name)
{
	struct kmod_list *found = NULL, *at;
	int err = kmod_module_new_from_lookup(kmod, name, &found);

	if (!err && !found)
		err = -ENOENT;
	kmod_list_foreach(at, found)
	{
		struct kmod_module *module = kmod_module_get_module(at);

		if (!err)
			err = add(modules, module, 0);
		kmod_module_unref(module);
	}
	kmod_module_unref_list(found);
	return err;
}

static int find_all(struct kmodules *modules, struct kmod_ctx *kmod,
		    const char *directory, const struct kmodule_wish *wishes,
		    size_t count, struct boot_error *error)
{
	int err;

	for (size_t i = 0; i < count; i++) {
		err = look_up(modules, kmod, wishes[i].name);
		if (err == -ENOENT && !wishes[i].needed)
			continue;
		if (err == -ENOENT)
			return boot_error_set(
				error, err,
				"%s: the kernel has no %s, neither as a module "
				"nor built in; build it with %s",
				directory, wishes[i].name, wishes[i].symbol);
		if (err)
			return boot_error_set(error, err, "%s: module %s: %s",
					      directory, wishes[i].name,
					      strerror(-err));
	}
	return 0;
}

/* Without its tables libkmod finds nothing, and does not say why. */
static int check_tables(const char *directory, struct boot_error *error)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/modules.dep.bin", directory);
	if (!access(path, R_OK))
		return 0;
	return boot_error_set(error, -ENODATA,
			      "%s: has no list of what needs what; let depmod "
			      "make it (depmod -b ABOVE-LIB VERSION)",
			      directory);
}

int kmodules_find(struct kmodules *modules, const char *directory,
		  const struct kmodule_wish *wishes, size_t count,
		  struct boot_error *error)
{
	const char *const no_configuration = NULL;
	struct kmod_ctx *kmod;
	int err;

	memset(modules, 0, sizeof(*modules));
	err = check_tables(directory, error);
	if (err)
		return err;
	kmod = kmod_new(directory, &no_configuration);
	if (!kmod)
		return boot_error_set(error, -ENOMEM, "out of memory");
	kmod_set_log_priority(kmod, 0);
	err = find_all(modules, kmod, directory, wishes, count, error);
	kmod_unref(kmod);
	if (err)
		kmodules_free(modules);
	return err;
}

void kmodules_free(struct kmodules *modules)
{
	for (size_t i = 0; i < modules->count; i++)
		free(modules->paths[i]);
	modules->count = 0;
}
