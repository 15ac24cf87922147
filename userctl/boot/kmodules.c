// SPDX-License-Identifier: GPL-2.0
/*
 * Finds modules by libkmod, which knows what depends on what by depmod's tables.
 *
 * The library is loaded when it is wanted, which is by few machines: it brings OpenSSL's,
 * which would be a third of all memory of a controller.
 *
 * The host's configuration of modprobe says nothing about a guest's kernel, and is not
 * read.
 */
#include "boot/kmodules.h"

#include <dlfcn.h>
#include <errno.h>
#include <libkmod.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIBRARY "libkmod.so.2"

/* What is used of it. */
#define FUNCTIONS(F)                    \
	F(kmod_new)                     \
	F(kmod_unref)                   \
	F(kmod_set_log_priority)        \
	F(kmod_module_new_from_lookup)  \
	F(kmod_module_get_path)         \
	F(kmod_module_get_dependencies) \
	F(kmod_module_get_module)       \
	F(kmod_module_unref)            \
	F(kmod_module_unref_list)       \
	F(kmod_list_next)

/* Set by load(). */
#define POINTER(name) typeof(name) *name;
static struct {
	FUNCTIONS(POINTER)
} libkmod;

/* Of those that need each other; a circle of them is damage. */
#define MAX_DEPTH 32

/* Return: 0; -ELIBACC there is no such library, or not all of it. */
static int load(struct boot_error *error)
{
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	bool whole = library;

#define FIND(name) whole = whole && (libkmod.name = dlsym(library, #name));
	FUNCTIONS(FIND)
	if (whole)
		return 0;
	boot_error_set(error, -ELIBACC,
		       "%s; the modules of the guest's kernel are found by it: "
		       "apt install libkmod2",
		       dlerror());
	if (library)
		dlclose(library);
	return -ELIBACC;
}

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
	const char *path = libkmod.kmod_module_get_path(module);
	struct kmod_list *needed, *at;
	int err = 0;

	if (!path || has(modules, path))
		return 0;
	if (depth == MAX_DEPTH)
		return -ELOOP;
	needed = libkmod.kmod_module_get_dependencies(module);
	for (at = needed; at; at = libkmod.kmod_list_next(needed, at)) {
		struct kmod_module *other = libkmod.kmod_module_get_module(at);

		if (!err)
			err = add(modules, other, depth + 1);
		libkmod.kmod_module_unref(other);
	}
	libkmod.kmod_module_unref_list(needed);
	return err ? err : append(modules, path);
}

/* Return: 0; -ENOENT there is no such module; -errno. */
static int look_up(struct kmodules *modules, struct kmod_ctx *kmod,
		   const char *name)
{
	struct kmod_list *found = NULL, *at;
	int err = libkmod.kmod_module_new_from_lookup(kmod, name, &found);

	if (!err && !found)
		err = -ENOENT;
	for (at = found; at; at = libkmod.kmod_list_next(found, at)) {
		struct kmod_module *module = libkmod.kmod_module_get_module(at);

		if (!err)
			err = add(modules, module, 0);
		libkmod.kmod_module_unref(module);
	}
	libkmod.kmod_module_unref_list(found);
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
	if (!err)
		err = load(error);
	if (err)
		return err;
	kmod = libkmod.kmod_new(directory, &no_configuration);
	if (!kmod)
		return boot_error_set(error, -ENOMEM, "out of memory");
	libkmod.kmod_set_log_priority(kmod, 0);
	err = find_all(modules, kmod, directory, wishes, count, error);
	libkmod.kmod_unref(kmod);
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
