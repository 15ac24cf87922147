// SPDX-License-Identifier: GPL-2.0
/*
 * Flat binaries.
 */
#include "boot/flat.h"

#include <errno.h>

#define REAL_MODE_LIMIT 0x100000ULL

static uint64_t flat_limit(enum flat_mode mode)
{
	return mode == FLAT_REAL ? REAL_MODE_LIMIT : ENTRY_MAPPED;
}

static int flat_complain(const struct image *image, enum flat_mode mode,
			 uint64_t address, struct boot_error *error)
{
	return boot_error_set(
		error, -EINVAL,
		"%s: address %#llx cannot be entered in this mode, only those below %#llx can%s",
		image->path, (unsigned long long)address,
		(unsigned long long)flat_limit(mode),
		mode == FLAT_REAL ? "; add :32 or :64 to --flat" : "");
}

int flat_load(struct place *place, const struct image *image,
	      enum flat_mode mode, uint64_t address, struct boot_entry *entry,
	      struct boot_error *error)
{
	void *at;
	int ret;

	if (address >= flat_limit(mode))
		return flat_complain(image, mode, address, error);
	ret = place_claim(place, address, image->size, &at);
	if (ret)
		return boot_error_set(error, -ENOSPC,
				      "%s: the image (%zu bytes at %#llx) %s",
				      image->path, image->size,
				      (unsigned long long)address,
				      place_reason(ret));
	ret = image_load(image, 0, at, image->size, error);
	if (ret)
		return ret;

	switch (mode) {
	case FLAT_REAL:
		entry_real(entry, address);
		break;
	case FLAT_PROTECTED:
		entry_protected(place->ram, entry, address, ENTRY_CS);
		break;
	case FLAT_LONG:
		entry_long(place->ram, entry, address);
		break;
	}
	return 0;
}
