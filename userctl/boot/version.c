// SPDX-License-Identifier: GPL-2.0
/*
 * The version of a Linux kernel, of its image.
 */
#include "boot/version.h"

#include <asm/bootparam.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "boot/bzimage.h"

/* The boot protocol counts from here to the text of the version. */
#define TEXT_FROM 0x200
/* What stands before the version in a kernel that is not packed. */
#define BANNER "Linux version "

#define CHARACTERS \
	"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._+~-"

/* The text ends at a space, after which the builder is named. */
static int take(const struct image *image, uint64_t offset, char *version)
{
	size_t length = 0;
	const char *at;

	while (length < VERSION_SIZE - 1 &&
	       (at = image_at(image, offset + length, 1)) && *at &&
	       strchr(CHARACTERS, *at))
		version[length++] = *at;
	version[length] = 0;
	/* It is no way out of a directory. */
	return length && version[0] != '.' ? 0 : -ENOENT;
}

static int of_bzimage(const struct image *image, char *version)
{
	const size_t at = offsetof(struct boot_params, hdr.kernel_version);
	const void *field = image_at(image, at, sizeof(uint16_t));
	uint16_t offset = 0;

	if (field)
		memcpy(&offset, field, sizeof(offset));
	return offset ? take(image, TEXT_FROM + (uint64_t)offset, version) :
			-ENOENT;
}

int version_find(const struct image *image, char *version)
{
	const char *banner;

	if (bzimage_probe(image))
		return of_bzimage(image, version);
	banner = memmem(image->data, image->size, BANNER, strlen(BANNER));
	if (!banner)
		return -ENOENT;
	return take(image, banner + strlen(BANNER) - (const char *)image->data,
		    version);
}
