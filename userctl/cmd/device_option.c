// SPDX-License-Identifier: GPL-2.0
/*
 * The argument of --device: NAME[,key=value]...
 */
#include "cmd/device_option.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/size.h"

/* Return: the index of the option in the kind's list, or -1. */
static int find_option(const struct device_kind *kind, const char *name,
		       size_t length)
{
	const struct device_option *option = kind->options;

	for (int i = 0; option && option[i].name; i++)
		if (strlen(option[i].name) == length &&
		    !strncmp(option[i].name, name, length))
			return i;
	return -1;
}

/* Sets an option from a text of the form key=value. */
static int set_option(const struct device_kind *kind, uint64_t *values,
		      const char *text, char *why, size_t size)
{
	size_t length = strcspn(text, "=");
	int number = find_option(kind, text, length);
	uint64_t value;

	if (number < 0) {
		snprintf(why, size, "%s has no option '%.*s'", kind->name,
			 (int)length, text);
		return -EINVAL;
	}
	if (!text[length] || number_parse(text + length + 1, &value) ||
	    value > kind->options[number].max) {
		snprintf(why, size,
			 "%s must be a number up to %" PRIu64 " (0x%" PRIx64
			 "), as in %s=0x%" PRIx64,
			 kind->options[number].name, kind->options[number].max,
			 kind->options[number].max, kind->options[number].name,
			 kind->options[number].value);
		return -EINVAL;
	}
	values[number] = value;
	return 0;
}

static int no_such_device(const char *name, char *why, size_t size)
{
	const struct device_kind *kind;
	int used = snprintf(why, size, "no such device '%s'; there are", name);

	for (size_t i = 0; (kind = devices_kind(i)) && (size_t)used < size; i++)
		used += snprintf(why + used, size - used, "%s %s", i ? "," : "",
				 kind->name);
	return -EINVAL;
}

static int parse_words(struct devices_wanted *wanted, char *words, char *why,
		       size_t size)
{
	const char *name = strsep(&words, ",");
	const struct device_kind *kind = devices_find(name);
	uint64_t *values;
	int err = 0;

	if (!kind)
		return no_such_device(name, why, size);
	values = devices_want(wanted, kind);
	while (words && !err)
		err = set_option(kind, values, strsep(&words, ","), why, size);
	return err;
}

int device_option_parse(struct devices_wanted *wanted, const char *text,
			char *why, size_t size)
{
	struct devices_wanted changed = *wanted;
	char *words = strdup(text);
	int err;

	if (!words) {
		snprintf(why, size, "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	err = parse_words(&changed, words, why, size);
	free(words);
	if (!err)
		*wanted = changed;
	return err;
}

void device_option_list(FILE *file)
{
	const struct device_kind *kind;

	for (size_t i = 0; (kind = devices_kind(i)); i++) {
		const struct device_option *option = kind->options;

		fprintf(file, "%-12s %s\n", kind->name, kind->about);
		for (; option && option->name; option++)
			fprintf(file,
				"  ,%s=NUMBER  %s (default 0x%" PRIx64 ")\n",
				option->name, option->about, option->value);
	}
}
