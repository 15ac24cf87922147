// SPDX-License-Identifier: GPL-2.0
/*
 * What all devices share: the board's PCI bus, and their sections in records.
 */
#include "board/device.h"

#include <errno.h>
#include <string.h>

struct pci_bus *board_pci_new(const struct board *board)
{
	const struct pci_bus_config config = {
		.bus = board->bus,
		.ram = board->ram,
		.lines = board->lines,
		.msi = board->msi,
		.msi_opaque = board->msi_opaque,
	};

	return pci_bus_new(&config);
}

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

static size_t size_of_options(const struct device_kind *kind)
{
	size_t count = 0;

	while (kind->options && kind->options[count].name)
		count++;
	return count * sizeof(uint64_t);
}

int device_save_section(const struct device_kind *kind, const void *device,
			const uint64_t *values, struct record *record)
{
	size_t place;
	int err = record_open(record, kind->name, 0, &place);

	if (!err && size_of_options(kind))
		err = record_append(record, values, size_of_options(kind));
	if (!err)
		err = device_save(kind, device, record);
	if (!err)
		record_close(record, place);
	return err;
}

int device_load_section(const struct device_kind *kind, void *device,
			const uint64_t *values, const struct record *record)
{
	size_t options = size_of_options(kind);
	struct record_section section;
	int err = record_find(record, kind->name, 0, &section);

	if (err)
		return err;
	if (section.body.size < options ||
	    (options && memcmp(section.body.data, values, options)))
		return -EINVAL;
	section.body.data += options;
	section.body.size -= options;
	return device_load(kind, device, &section.body);
}
