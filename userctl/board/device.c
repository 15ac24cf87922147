// SPDX-License-Identifier: GPL-2.0
/*
 * What all devices share: the board's PCI bus, and their sections in records.
 */
#include "board/device.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
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

void *device_fail(struct device_error *error, int err, const char *thing,
		  const char *reason, const char *remedy)
{
	snprintf(error->thing, sizeof(error->thing), "%s", thing ? thing : "");
	snprintf(error->reason, sizeof(error->reason), "%s",
		 reason ? reason : strerror(-err));
	snprintf(error->remedy, sizeof(error->remedy), "%s",
		 remedy ? remedy : "");
	errno = -err;
	return NULL;
}

char *device_quote(const char *text)
{
	char *quoted = malloc(2 * strlen(text) + 1), *at = quoted;

	if (!quoted)
		return NULL;
	for (; *text; text++) {
		if (*text == ',')
			*at++ = ',';
		*at++ = *text;
	}
	*at = '\0';
	return quoted;
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

/* Appends a number, or the length of a text and the text. */
static int save_value(const struct device_option *option,
		      const struct device_value *value, struct record *record)
{
	const char *text = value->text ? value->text : "";
	uint64_t number = htole64(value->number);
	int err;

	if (option->type == DEVICE_TEXT)
		number = htole64(strlen(text));
	err = record_append(record, &number, sizeof(number));
	if (!err && option->type == DEVICE_TEXT && *text)
		err = record_append(record, text, strlen(text));
	return err;
}

/* Appends the values that are part of the state. */
static int save_values(const struct device_kind *kind,
		       const struct device_value *values, struct record *record)
{
	const struct device_option *option = kind->options;
	int err = 0;

	for (size_t i = 0; option && option[i].name && !err; i++)
		if (!option[i].host)
			err = save_value(&option[i], &values[i], record);
	return err;
}

int device_save_section(const struct device_kind *kind, unsigned int number,
			const void *device, const struct device_value *values,
			struct record *record)
{
	size_t place;
	int err = record_open(record, kind->name, number, &place);

	if (!err)
		err = save_values(kind, values, record);
	if (!err)
		err = device_save(kind, device, record);
	if (!err)
		record_close(record, place);
	return err;
}

/* Moves a section's body behind the values, which must be those of the device. */
static int check_values(const struct device_kind *kind,
			const struct device_value *values, struct record *body)
{
	struct record own = { 0 };
	int err = save_values(kind, values, &own);

	if (!err && (body->size < own.size ||
		     (own.size && memcmp(body->data, own.data, own.size))))
		err = -EINVAL;
	if (!err) {
		body->data += own.size;
		body->size -= own.size;
	}
	free(own.data);
	return err;
}

int device_load_section(const struct device_kind *kind, unsigned int number,
			void *device, const struct device_value *values,
			const struct record *record)
{
	struct record_section section;
	int err = record_find(record, kind->name, number, &section);

	if (!err)
		err = check_values(kind, values, &section.body);
	return err ? err : device_load(kind, device, &section.body);
}

int device_put_back_section(const struct device_kind *kind, unsigned int number,
			    void *device, const struct record *record,
			    size_t *at)
{
	struct record_section section;
	int err = record_next(record, at, &section);

	if (err || section.number != number || strcmp(section.name, kind->name))
		return -EINVAL;
	err = record_put_back(&section.body, kind->fields, kind->nr_fields,
			      device);
	if (!err && kind->loaded)
		kind->loaded(device);
	return err;
}
