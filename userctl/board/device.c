// SPDX-License-Identifier: GPL-2.0
/*
 * What every device is to its machine.
 */
#include "board/device.h"

int device_save(const struct device_kind *kind, const void *device,
		struct record *record)
{
	return record_save(record, kind->fields, kind->nr_fields, device);
}

int device_load(const struct device_kind *kind, void *device,
		const struct record *record)
{
	int err = record_load(record, kind->fields, kind->nr_fields, device,
			      kind->size, kind->is_sound);

	if (!err && kind->loaded)
		kind->loaded(device);
	return err;
}
