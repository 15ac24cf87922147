// SPDX-License-Identifier: GPL-2.0
/*
 * The devices that a machine has.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "machine/devices.h"

/**
 * struct devices - the devices of a machine
 * @count: their number
 * @made: in the order of making
 */
struct devices {
	size_t count;
	struct device_made made[DEVICES_MAX];
};

static void set_name(char name[DEVICE_NAME_SIZE],
		     const struct device_kind *kind, unsigned int number)
{
	snprintf(name, DEVICE_NAME_SIZE, kind->many ? "%s %u" : "%s",
		 kind->name, number);
}

void devices_name(struct device_error *error, const struct device_kind *kind,
		  unsigned int number)
{
	*error = (struct device_error){ 0 };
	set_name(error->name, kind, number);
}

static int make(struct devices *devices, const struct board *board,
		const struct device_wish *wish, struct device_error *error)
{
	const struct device_kind *kind = wish->kind;
	void *device;

	devices_name(error, kind, wish->number);
	device = kind->make(board, wish->values, error);
	if (!device)
		return -errno;
	devices->made[devices->count++] = (struct device_made){
		.kind = kind,
		.number = wish->number,
		.values = wish->values,
		.device = device,
		.held = true,
	};
	return 0;
}

/* Makes all devices of a kind. */
static int make_kind(struct devices *devices, const struct board *board,
		     const struct devices_wanted *wanted,
		     const struct device_kind *kind, struct device_error *error)
{
	int err = 0;

	for (size_t i = 0; i < wanted->count && !err; i++)
		if (wanted->wishes[i].kind == kind)
			err = make(devices, board, &wanted->wishes[i], error);
	return err;
}

struct devices *devices_new(const struct board *board,
			    const struct devices_wanted *wanted,
			    struct device_error *error)
{
	struct devices *devices = calloc(1, sizeof(*devices));
	const struct device_kind *kind;
	int err = 0;

	*error = (struct device_error){ 0 };
	if (!devices)
		return NULL;
	for (size_t i = 0; !err && (kind = devices_kind(i)); i++)
		err = make_kind(devices, board, wanted, kind, error);
	if (err) {
		devices_free(devices);
		errno = -err;
		return NULL;
	}
	return devices;
}

void devices_free(struct devices *devices)
{
	if (!devices)
		return;
	for (size_t i = devices->count; i-- > 0;)
		devices->made[i].kind->free(devices->made[i].device);
	free(devices);
}

void devices_reset(struct devices *devices)
{
	for (size_t i = 0; i < devices->count; i++)
		if (devices->made[i].kind->reset)
			devices->made[i].kind->reset(devices->made[i].device);
}

void devices_wake(struct devices *devices)
{
	for (size_t i = 0; i < devices->count; i++) {
		const struct device_kind *kind = devices->made[i].kind;
		void (*wake)(void *device) = kind->wake ? kind->wake :
							  kind->reset;

		if (wake)
			wake(devices->made[i].device);
	}
}

static int hold(struct device_made *made)
{
	int err = 0;

	if (!made->held && made->kind->hold)
		err = made->kind->hold(made->device);
	if (!err)
		made->held = true;
	return err;
}

static int release(struct device_made *made)
{
	int err = 0;

	if (made->held && made->kind->release)
		err = made->kind->release(made->device);
	if (!err)
		made->held = false;
	return err;
}

/* One that cannot be held must not keep the others from it. */
int devices_hold(struct devices *devices)
{
	int first = 0;

	for (size_t i = 0; i < devices->count; i++) {
		int err = hold(&devices->made[i]);

		if (!first)
			first = err;
	}
	return first;
}

int devices_release(struct devices *devices)
{
	int err = 0;

	for (size_t i = 0; i < devices->count && !err; i++)
		err = release(&devices->made[i]);
	return err;
}

int devices_save(const struct devices *devices, struct record *record)
{
	int err = 0;

	for (size_t i = 0; i < devices->count && !err; i++) {
		const struct device_made *made = &devices->made[i];

		err = device_save_section(made->kind, made->number,
					  made->device, made->values, record);
	}
	return err;
}

const char *devices_unsaved(const struct devices *devices,
			    char name[DEVICE_NAME_SIZE])
{
	for (size_t i = 0; i < devices->count; i++) {
		const struct device_made *made = &devices->made[i];
		const char *why = made->kind->unsaved ?
					  made->kind->unsaved(made->device) :
					  NULL;

		if (!why)
			continue;
		set_name(name, made->kind, made->number);
		return why;
	}
	return NULL;
}

int devices_settle(const struct devices *devices, char name[DEVICE_NAME_SIZE])
{
	int err = 0;

	for (size_t i = 0; i < devices->count && !err; i++) {
		const struct device_made *made = &devices->made[i];

		if (made->kind->settle)
			err = made->kind->settle(made->device);
		if (err)
			set_name(name, made->kind, made->number);
	}
	return err;
}

static int lend_all(const struct devices *devices, bool lend,
		    char name[DEVICE_NAME_SIZE])
{
	int err = 0;

	for (size_t i = 0; i < devices->count && !err; i++) {
		const struct device_made *made = &devices->made[i];

		if (made->kind->lend)
			err = made->kind->lend(made->device, lend);
		if (err)
			set_name(name, made->kind, made->number);
	}
	return err;
}

int devices_lend(const struct devices *devices, bool lend,
		 char name[DEVICE_NAME_SIZE])
{
	char other[DEVICE_NAME_SIZE];
	const int err = lend_all(devices, lend, name);

	if (err && lend_all(devices, !lend, other) && lend)
		return -ENOTRECOVERABLE;
	return err;
}

static const char *stays(const struct device_made *made)
{
	const struct device_kind *kind = made->kind;

	if (kind->shares_ram)
		return "another process writes to the guest's memory, and does "
		       "not tell which pages; use a device without a process "
		       "of its own";
	return kind->stays ? kind->stays(made->device, made->values) : NULL;
}

const char *devices_stay(const struct devices *devices,
			 char name[DEVICE_NAME_SIZE])
{
	const char *why = NULL;

	for (size_t i = 0; i < devices->count && !why; i++) {
		why = stays(&devices->made[i]);
		if (why)
			set_name(name, devices->made[i].kind,
				 devices->made[i].number);
	}
	return why;
}

int devices_load(struct devices *devices, const struct record *record,
		 unsigned int *sections)
{
	int err = 0;

	for (size_t i = 0; i < devices->count && !err; i++) {
		const struct device_made *made = &devices->made[i];

		err = device_load_section(made->kind, made->number,
					  made->device, made->values, record);
	}
	*sections = devices->count;
	return err;
}

void devices_moved(struct devices *devices)
{
	for (size_t i = 0; i < devices->count; i++)
		if (devices->made[i].kind->moved)
			devices->made[i].kind->moved(devices->made[i].device);
}

int devices_renew(struct devices *devices)
{
	int err = 0;

	for (size_t i = 0; i < devices->count && !err; i++) {
		const struct device_made *made = &devices->made[i];

		if (made->kind->renew)
			err = made->kind->renew(made->device, made->values);
	}
	return err;
}

static int keep(struct device_made *made, struct device_error *error)
{
	const struct device_kind *kind = made->kind;

	devices_name(error, kind, made->number);
	if (kind->shares_ram) {
		device_fail(error, -EOPNOTSUPP, NULL,
			    "another process writes to the guest's memory, and "
			    "does not tell which pages",
			    "use a device without a process of its own");
		return -EOPNOTSUPP;
	}
	return kind->keep ? kind->keep(made->device, made->values, error) : 0;
}

int devices_keep(struct devices *devices, struct device_error *error)
{
	int err = 0;

	for (size_t i = 0; i < devices->count && !err; i++)
		err = keep(&devices->made[i], error);
	return err;
}

int devices_put_back(struct devices *devices, const struct record *record,
		     size_t *at)
{
	int err = 0;

	for (size_t i = 0; i < devices->count && !err; i++) {
		const struct device_made *made = &devices->made[i];

		if (made->kind->put_back)
			made->kind->put_back(made->device);
		err = device_put_back_section(made->kind, made->number,
					      made->device, record, at);
	}
	return err;
}

void devices_unkeep(struct devices *devices)
{
	for (size_t i = 0; i < devices->count; i++)
		if (devices->made[i].kind->forget)
			devices->made[i].kind->forget(devices->made[i].device);
}

size_t devices_boot(const struct devices *devices,
		    struct device_boot list[static DEVICES_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < devices->count; i++) {
		const struct device_made *made = &devices->made[i];

		if (made->kind->boot)
			made->kind->boot(made->device, made->values,
					 &list[count++]);
	}
	return count;
}

const struct device_made *devices_at(const struct devices *devices,
				     size_t place)
{
	return place < devices->count ? &devices->made[place] : NULL;
}

void *devices_get(const struct devices *devices, const struct device_kind *kind,
		  unsigned int number)
{
	for (size_t i = 0; i < devices->count; i++) {
		const struct device_made *made = &devices->made[i];

		if (made->kind == kind && made->number == number)
			return made->device;
	}
	return NULL;
}
