/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A table of kinds of devices, in place of the controller's: "one", of which a machine
 * has one, and "many", which is optional and has options of all types.
 */
#ifndef UNIT_FAKE_KINDS_H
#define UNIT_FAKE_KINDS_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "machine/devices.h"

enum { NUMBER, PORT, SIZE, READ_ONLY, PATH, TAG, MODE, FAKE_OPTIONS };

static const char *const modes[] = { "slow", "fast", NULL };

static const struct device_option many_options[] = {
	[NUMBER] = { .name = "number",
		     .about = "a number",
		     .value = 7,
		     .min = 2,
		     .max = 9 },
	[PORT] = { .name = "port",
		   .about = "a port",
		   .type = DEVICE_HEX,
		   .value = 0x80,
		   .max = 0xffff },
	[SIZE] = { .name = "size",
		   .about = "a size",
		   .type = DEVICE_SIZE,
		   .value = 1 << 20,
		   .min = 4096 },
	[READ_ONLY] = { .name = "readonly",
			.about = "writes fail",
			.type = DEVICE_BOOL },
	[PATH] = { .name = "path",
		   .about = "a file",
		   .type = DEVICE_TEXT,
		   .required = true,
		   .host = true,
		   .is_path = true,
		   .word = "FILE" },
	[TAG] = { .name = "tag",
		  .about = "a tag",
		  .type = DEVICE_TEXT,
		  .text = "none" },
	[MODE] = { .name = "mode",
		   .about = "a mode",
		   .type = DEVICE_CHOICE,
		   .value = 1,
		   .choices = modes },
	[FAKE_OPTIONS] = { .name = NULL },
};

/* What was done to the devices, a letter each: m, h, r, f, and the device's digit. */
static char calls[256];

static void note(char what, unsigned int id)
{
	size_t length = strlen(calls);

	if (length + 3 > sizeof(calls))
		return;
	calls[length] = what;
	calls[length + 1] = (char)('0' + id % 10);
	calls[length + 2] = 0;
}

/* @id: of many, its number option; of one, 0.  @state: what is saved. */
struct fake {
	unsigned int id;
	uint32_t state;
};

/* The id of the device whose hold, release or lend fails; 0: none. */
static unsigned int fake_stubborn;

static void *fake_make(unsigned int id)
{
	struct fake *fake = calloc(1, sizeof(*fake));

	if (!fake)
		return NULL;
	fake->id = id;
	note('m', id);
	return fake;
}

static void *one_make(const struct board *board,
		      const struct device_value *values,
		      struct device_error *error)
{
	return fake_make(0);
}

static void *many_make(const struct board *board,
		       const struct device_value *values,
		       struct device_error *error)
{
	if (!strcmp(values[PATH].text, "/absent"))
		return device_fail(error, -ENOENT, values[PATH].text, NULL,
				   "name another by path=");
	return fake_make(values[NUMBER].number);
}

static void fake_free(void *opaque)
{
	struct fake *fake = opaque;

	note('f', fake->id);
	free(fake);
}

static int fake_hold(void *opaque)
{
	struct fake *fake = opaque;

	if (fake->id && fake->id == fake_stubborn)
		return -EIO;
	note('h', fake->id);
	return 0;
}

static int fake_release(void *opaque)
{
	struct fake *fake = opaque;

	if (fake->id && fake->id == fake_stubborn)
		return -EIO;
	note('r', fake->id);
	return 0;
}

/* The id of the device that others read once it was lent; 0: none. */
static unsigned int fake_read;

static int fake_lend(const void *opaque, bool lend)
{
	const struct fake *fake = opaque;

	if (fake->id && fake->id == fake_stubborn && lend)
		return -EIO;
	if (fake->id && fake->id == fake_read && !lend)
		return -EBUSY;
	note(lend ? 'l' : 'a', fake->id);
	return 0;
}

static const struct record_field fake_fields[] = {
	RECORD_ANY(1, struct fake, state),
};

static const struct device_kind one_kind = {
	.name = "one",
	.about = "is there once",
	.make = one_make,
	.free = fake_free,
	DEVICE_STATE(struct fake, fake_fields),
};

static const struct device_kind many_kind = {
	.name = "many",
	.about = "may be there several times",
	.many = true,
	.options = many_options,
	.make = many_make,
	.free = fake_free,
	.hold = fake_hold,
	.release = fake_release,
	.lend = fake_lend,
	DEVICE_STATE(struct fake, fake_fields),
};

static const struct device_kind *const kinds[] = { &one_kind, &many_kind };

const struct device_kind *devices_kind(size_t number)
{
	return number < 2 ? kinds[number] : NULL;
}

const struct device_kind *devices_find(const char *name)
{
	for (size_t i = 0; i < 2; i++)
		if (!strcmp(kinds[i]->name, name))
			return kinds[i];
	return NULL;
}

bool devices_optional(const struct device_kind *kind)
{
	return kind == &many_kind;
}

#endif
