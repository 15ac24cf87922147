// SPDX-License-Identifier: GPL-2.0
/*
 * The devices of a machine: one row each.
 */
#include "machine/devices.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dev/crt.h"
#include "dev/debugexit.h"
#include "dev/fwcfg.h"
#include "dev/i8042.h"
#include "dev/pci.h"
#include "dev/pit.h"
#include "dev/pm.h"
#include "dev/rtc.h"
#include "dev/serial.h"
#include "dev/testdev.h"

/**
 * struct row - a row of the device table
 * @kind: kind of device
 * @optional: machines have it only on request
 */
struct row {
	const struct device_kind *kind;
	bool optional;
};

/* In the order of making and resetting devices. */
static const struct row rows[] = {
	{ .kind = &serial_device },
	{ .kind = &rtc_device },
	{ .kind = &i8042_device },
	{ .kind = &pit_device },
	{ .kind = &pm_device },
	{ .kind = &pci_device },
	{ .kind = &fwcfg_device },
	{ .kind = &crt_device },
	{ .kind = &debugexit_device },
	{ .kind = &testdev_device, .optional = true },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

_Static_assert(ROWS <= DEVICES_MAX, "devices_wanted has a place for each row");

/* Devices by the row of their kind; NULL: the machine has none. */
struct devices {
	void *device[ROWS];
	uint64_t values[ROWS][DEVICE_MAX_OPTIONS];
};

static size_t row_of(const struct device_kind *kind)
{
	size_t row = 0;

	while (rows[row].kind != kind)
		row++;
	return row;
}

const struct device_kind *devices_kind(size_t number)
{
	return number < ROWS ? rows[number].kind : NULL;
}

const struct device_kind *devices_find(const char *name)
{
	for (size_t i = 0; i < ROWS; i++)
		if (!strcmp(rows[i].kind->name, name))
			return rows[i].kind;
	return NULL;
}

void devices_default(struct devices_wanted *wanted)
{
	for (size_t i = 0; i < ROWS; i++) {
		const struct device_option *option = rows[i].kind->options;

		wanted->row[i].present = !rows[i].optional;
		for (size_t j = 0; option && option[j].name; j++)
			wanted->row[i].values[j] = option[j].value;
	}
}

uint64_t *devices_want(struct devices_wanted *wanted,
		       const struct device_kind *kind)
{
	size_t row = row_of(kind);

	wanted->row[row].present = true;
	return wanted->row[row].values;
}

const uint64_t *devices_wants(const struct devices_wanted *wanted,
			      const struct device_kind *kind)
{
	size_t row = row_of(kind);

	return wanted->row[row].present ? wanted->row[row].values : NULL;
}

struct devices *devices_new(const struct board *board,
			    const struct devices_wanted *wanted,
			    const char **failed)
{
	struct devices *devices = calloc(1, sizeof(*devices));
	int err;

	for (size_t i = 0; devices && i < ROWS; i++) {
		if (!wanted->row[i].present)
			continue;
		memcpy(devices->values[i], wanted->row[i].values,
		       sizeof(devices->values[i]));
		devices->device[i] =
			rows[i].kind->make(board, wanted->row[i].values);
		if (!devices->device[i]) {
			err = errno;
			*failed = rows[i].kind->name;
			devices_free(devices);
			errno = err;
			return NULL;
		}
	}
	return devices;
}

void devices_free(struct devices *devices)
{
	if (!devices)
		return;
	for (size_t i = ROWS; i-- > 0;)
		if (devices->device[i])
			rows[i].kind->free(devices->device[i]);
	free(devices);
}

void devices_reset(struct devices *devices)
{
	for (size_t i = 0; i < ROWS; i++)
		if (devices->device[i] && rows[i].kind->reset)
			rows[i].kind->reset(devices->device[i]);
}

void devices_wake(struct devices *devices)
{
	for (size_t i = 0; i < ROWS; i++) {
		const struct device_kind *kind = rows[i].kind;
		void (*wake)(void *device) = kind->wake ? kind->wake :
							  kind->reset;

		if (devices->device[i] && wake)
			wake(devices->device[i]);
	}
}

int devices_save(const struct devices *devices, struct record *record)
{
	int err = 0;

	for (size_t i = 0; i < ROWS && !err; i++)
		if (devices->device[i])
			err = device_save_section(rows[i].kind,
						  devices->device[i],
						  devices->values[i], record);
	return err;
}

int devices_load(struct devices *devices, const struct record *record,
		 unsigned int *sections)
{
	int err = 0;

	*sections = 0;
	for (size_t i = 0; i < ROWS && !err; i++) {
		if (!devices->device[i])
			continue;
		err = device_load_section(rows[i].kind, devices->device[i],
					  devices->values[i], record);
		++*sections;
	}
	return err;
}

void *devices_get(const struct devices *devices, const struct device_kind *kind)
{
	return devices->device[row_of(kind)];
}
