/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The initrd of a guest whose root is a directory of the host's: a program, and the
 * modules of the guest's kernel that it needs before it has its root.
 */
#ifndef LODGE_CMD_ROOT_IMAGE_H
#define LODGE_CMD_ROOT_IMAGE_H

#include "boot/error.h"
#include "boot/image.h"
#include "boot/initrd.h"
#include "machine/devices.h"

/* The tag of the device that has the root. */
#define ROOT_TAG "/dev/root"

/**
 * struct root_image - an initrd
 * @initrd: its bytes
 * @image: the same, for struct boot_options
 * @note: what a user may want to know if the guest does not start; or empty
 */
struct root_image {
	struct initrd initrd;
	struct image image;
	char note[256];
};

/**
 * root_image_make() - make an initrd
 * @image: out; root_image_free() frees it
 * @kernel: path of the guest's kernel
 * @root: the directory; modules are looked for there first, then beside the kernel, then
 *	where this host has them
 * @devices: that the guest will have
 * @error: out: on failure, the reason
 *
 * Without a directory of modules the kernel is taken to have all built in.
 *
 * Return: 0 or -errno.
 */
int root_image_make(struct root_image *image, const char *kernel,
		    const char *root, const struct devices_wanted *devices,
		    struct boot_error *error);

/**
 * root_image_free() - free it; one that is all zeroes is fine
 */
void root_image_free(struct root_image *image);

#endif
