// SPDX-License-Identifier: GPL-2.0
/*
 * The devices that a machine will have.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "machine/devices.h"

static struct device_wish *find_wish(const struct devices_wanted *wanted,
				     const struct device_kind *kind,
				     unsigned int number)
{
	for (size_t i = 0; i < wanted->count; i++) {
		const struct device_wish *wish = &wanted->wishes[i];

		if (wish->kind == kind && wish->number == number)
			return (struct device_wish *)wish;
	}
	return NULL;
}

static struct device_wish *add_wish(struct devices_wanted *wanted,
				    const struct device_kind *kind)
{
	const struct device_option *option = kind->options;
	struct device_wish *wish = &wanted->wishes[wanted->count];
	unsigned int number = 0;

	if (wanted->count == DEVICES_MAX)
		return NULL;
	while (find_wish(wanted, kind, number))
		number++;
	*wish = (struct device_wish){ .kind = kind, .number = number };
	for (size_t i = 0; option && option[i].name; i++) {
		wish->values[i].number = option[i].value;
		wish->values[i].text = option[i].text;
	}
	wanted->count++;
	return wish;
}

void devices_default(struct devices_wanted *wanted)
{
	const struct device_kind *kind;

	wanted->count = 0;
	for (size_t i = 0; (kind = devices_kind(i)); i++)
		if (!devices_optional(kind))
			add_wish(wanted, kind);
}

struct device_value *devices_want(struct devices_wanted *wanted,
				  const struct device_kind *kind)
{
	struct device_wish *wish = NULL;

	if (!kind->many)
		wish = find_wish(wanted, kind, 0);
	if (!wish)
		wish = add_wish(wanted, kind);
	return wish ? wish->values : NULL;
}

const struct device_value *devices_wants(const struct devices_wanted *wanted,
					 const struct device_kind *kind,
					 unsigned int number)
{
	const struct device_wish *wish = find_wish(wanted, kind, number);

	return wish ? wish->values : NULL;
}

/* Whoever wants a network, but forgets the kernel, is not to wait for DHCP. */
static bool can_start(const struct device_wish *wish)
{
	const struct device_option *option = wish->kind->options;

	if (!wish->kind->boot)
		return false;
	if (strcmp(wish->kind->name, "virtio-net"))
		return true;
	for (size_t i = 0; option[i].name; i++)
		if (!strcmp(option[i].name, "bootindex"))
			return wish->values[i].given;
	return false;
}

bool devices_can_start(const struct devices_wanted *wanted)
{
	for (size_t i = 0; i < wanted->count; i++)
		if (can_start(&wanted->wishes[i]))
			return true;
	return false;
}

static const char *relative_path(const struct device_wish *wish)
{
	const struct device_option *option = wish->kind->options;

	for (size_t i = 0; option && option[i].name; i++) {
		const char *text = wish->values[i].text;

		if (option[i].is_path && text && *text != '/')
			return text;
	}
	return NULL;
}

const char *devices_relative(const struct devices_wanted *wanted)
{
	const char *path = NULL;

	for (size_t i = 0; i < wanted->count && !path; i++)
		path = relative_path(&wanted->wishes[i]);
	return path;
}

void devices_set_number(struct device_value *value, uint64_t number)
{
	value->given = true;
	value->number = number;
}

/* Only texts that are given are the wish's own. */
static void free_text(struct device_value *value)
{
	if (value->given)
		free((char *)value->text);
}

int devices_set_text(struct device_value *value, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		return -ENOMEM;
	free_text(value);
	value->given = true;
	value->text = copy;
	return 0;
}

void devices_forget(struct devices_wanted *wanted)
{
	for (size_t i = 0; i < wanted->count; i++)
		for (size_t j = 0; j < DEVICE_MAX_OPTIONS; j++)
			free_text(&wanted->wishes[i].values[j]);
	wanted->count = 0;
}
