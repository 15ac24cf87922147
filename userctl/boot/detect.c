// SPDX-License-Identifier: GPL-2.0
/*
 * The door to the loaders.
 */
#include "boot/detect.h"

#include <errno.h>
#include <stddef.h>

#include "boot/acpi.h"
#include "boot/bios.h"
#include "boot/bzimage.h"
#include "boot/elf.h"
#include "boot/image.h"
#include "boot/multiboot.h"
#include "boot/place.h"
#include "boot/pvh.h"

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
		      const struct boot_options *options, const char *append,
		      struct boot_entry *entry, struct boot_error *error)
{
	struct image initrd;
	int ret;

	if (!options->initrd)
		return loader(place, image, NULL, append, entry, error);
	ret = image_open(&initrd, options->initrd, error);
	if (ret)
		return ret;
	ret = loader(place, image, &initrd, append, entry, error);
	image_close(&initrd);
	return ret;
}

static int boot_image(struct place *place, const struct image *image,
		      const struct boot_options *options,
		      struct boot_entry *entry, struct boot_error *error)
{
	const char *append = options->append ? options->append : "";

	if (options->flat)
		return boot_flat(place, image, options, entry, error);
	if (bzimage_probe(image))
		return boot_linux(bzimage_load, place, image, options, append,
				  entry, error);
	if (multiboot_probe(image))
		return multiboot_load(place, image, options->initrd, append,
				      entry, error);
	if (elf_probe(image))
		return boot_linux(pvh_load, place, image, options, append,
				  entry, error);
	return boot_error_set(
		error, -ENOEXEC,
		"%s: not a Linux kernel, a multiboot image or ELF; any file is loaded by --flat",
		image->path);
}

int boot_load(const struct ram *ram, const struct boot_options *options,
	      struct boot_entry *entry, struct boot_error *error)
{
	struct place place;
	struct image image;
	int ret;

	bios_write(ram);
	ret = acpi_write(ram, options->cpus, error);
	if (ret)
		return ret;
	ret = image_open(&image, options->kernel, error);
	if (ret)
		return ret;
	place_init(&place, ram);
	ret = boot_image(&place, &image, options, entry, error);
	image_close(&image);
	return ret;
}
