// SPDX-License-Identifier: GPL-2.0
/*
 * Chooses the loader for an image.
 */
#include "boot/detect.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "boot/acpi.h"
#include "boot/bios.h"
#include "boot/bzimage.h"
#include "boot/elf.h"
#include "boot/image.h"
#include "boot/mptable.h"
#include "boot/multiboot.h"
#include "boot/place.h"
#include "boot/pvh.h"
#include "boot/seabios.h"

/* What tells of an image's kind is in so many bytes. */
#define HEAD_SIZE (32 << 10)

typedef int (*linux_loader)(struct place *place, const struct image *image,
			    const struct image *initrd, const char *append,
			    struct boot_entry *entry, struct boot_error *error);

static int boot_flat(struct place *place, const struct image *image,
		     const struct boot_options *options,
		     struct boot_entry *entry, struct boot_error *error)
{
	if (options->initrd || options->append)
		return boot_error_set(
			error, -EINVAL,
			"%s: a flat image takes no initrd and no command line; leave out --initrd and --append",
			image->path);
	return flat_load(place, image, options->flat_mode,
			 options->flat_address, entry, error);
}

/* Runs a loader that takes the initrd as one file. */
static int boot_linux(linux_loader loader, struct place *place,
		      const struct image *image,
		      const struct boot_options *options,
		      struct image_store *store, const char *append,
		      struct boot_entry *entry, struct boot_error *error)
{
	const struct image *initrd = options->made_initrd;
	int ret = 0;

	if (options->initrds > 1)
		return boot_error_set(error, -EINVAL,
				      "%s: Linux takes one initrd; join them "
				      "by cat",
				      image->path);
	if (options->initrd)
		ret = image_get(store, options->initrd, &initrd, error);
	if (ret)
		return ret;
	return loader(place, image, initrd, append, entry, error);
}

/* Files that people give by mistake, by their first bytes. */
static const struct {
	const char *magic;
	size_t size;
	const char *what;
} strangers[] = {
	{ "\x1f\x8b", 2, "compressed by gzip; unpack it by gunzip" },
	{ "\xfd"
	  "7zXZ",
	  5, "compressed by xz; unpack it by unxz" },
	{ "\x28\xb5\x2f\xfd", 4, "compressed by zstd; unpack it by unzstd" },
	{ "BZh", 3, "compressed by bzip2; unpack it by bunzip2" },
	{ "QFI\xfb", 4, "a qcow2 disk image, not a kernel" },
	{ "#!", 2, "a script, not a kernel" },
};

static int boot_unknown(const struct image *image, struct boot_error *error)
{
	for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
		const char *start = image_at(image, 0, strangers[i].size);

		if (start &&
		    !memcmp(start, strangers[i].magic, strangers[i].size))
			return boot_error_set(error, -ENOEXEC, "%s: is %s",
					      image->path, strangers[i].what);
	}
	if (multiboot2_probe(image))
		return boot_error_set(
			error, -ENOEXEC,
			"%s: has a multiboot 2 header only; build it for "
			"multiboot 1, or with a PVH note",
			image->path);
	return boot_error_set(
		error, -ENOEXEC,
		"%s: not a Linux kernel, a multiboot image or ELF; any "
		"file is loaded by --flat",
		image->path);
}

/* Return: 0; -errno of reading; -ENOEXEC it is none of those that boot_held() starts. */
static int boot_look(const struct image *image, struct boot_error *error)
{
	struct image head = *image;
	int ret;

	if (head.size > HEAD_SIZE)
		head.size = HEAD_SIZE;
	ret = image_hold(&head, error);
	if (ret)
		return ret;
	if (!multiboot_probe(&head) && !elf_probe(&head))
		ret = boot_unknown(&head, error);
	image_release(&head);
	return ret;
}

/* Starts an image, one for which boot_look() is good, by all that is in it. */
static int boot_held(struct place *place, const struct image *image,
		     const struct boot_options *options,
		     struct image_store *store, const char *append,
		     struct boot_entry *entry, struct boot_error *error)
{
	if (multiboot_probe(image))
		return multiboot_load(place, image, options->initrd, store,
				      append, entry, error);
	return boot_linux(pvh_load, place, image, options, store, append, entry,
			  error);
}

static int boot_image(struct place *place, const struct image *image,
		      const struct boot_options *options,
		      struct image_store *store, struct boot_entry *entry,
		      struct boot_error *error)
{
	const char *append = options->append ? options->append : "";
	struct image held = *image;
	int ret;

	if (options->flat)
		return boot_flat(place, image, options, entry, error);
	if (bzimage_probe(image))
		return boot_linux(bzimage_load, place, image, options, store,
				  append, entry, error);
	ret = boot_look(image, error);
	if (!ret)
		ret = image_hold(&held, error);
	if (ret)
		return ret;
	ret = boot_held(place, &held, options, store, append, entry, error);
	image_release(&held);
	return ret;
}

static int load(const struct ram *ram, const struct boot_options *options,
		struct image_store *store, struct boot_entry *entry,
		struct boot_error *error)
{
	const struct dsdt_parts parts = {
		.cpus = options->cpus,
		.serials = options->serials,
	};
	const struct image *image;
	struct place place;
	int ret;

	if (!options->kernel)
		return seabios_load(ram, options->firmware, store, entry,
				    error);
	bios_write(ram, options->serials);
	ret = acpi_write(ram, &parts, error);
	if (ret)
		return ret;
	mptable_write(ram, options->cpus);
	ret = image_get(store, options->kernel, &image, error);
	if (ret)
		return ret;
	place_init(&place, ram);
	ret = boot_image(&place, image, options, store, entry, error);
	entry->rom = bios_rom;
	entry->rom_size = BIOS_ROM_SIZE;
	return ret;
}

/* A file that has changed in between explains all other errors. */
int boot_load(const struct ram *ram, const struct boot_options *options,
	      struct image_store *store, struct boot_entry *entry,
	      struct boot_error *error)
{
	int ret = load(ram, options, store, entry, error);
	int changed = image_store_check(store, error);

	return changed ? changed : ret;
}

int boot_resume(const struct boot_options *options, struct image_store *store,
		struct boot_entry *entry, struct boot_error *error)
{
	if (!options->kernel)
		return seabios_rom(options->firmware, store, entry, error);
	*entry = (struct boot_entry){
		.groups = LODGE_GROUP_GENERAL | LODGE_GROUP_SEGMENTS |
			  LODGE_GROUP_CONTROL,
		.rom = bios_rom,
		.rom_size = BIOS_ROM_SIZE,
	};
	return 0;
}
