// SPDX-License-Identifier: GPL-2.0
/*
 * The argument of --device: NAME[,KEY=VALUE]...
 */
#include "cmd/device_option.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/size.h"

#define HELP "help"

/**
 * struct why - the message for a wrong argument
 * @text: grows, and is cut at its end
 * @size: bytes at @text
 * @used: length of the text
 */
struct why {
	char *text;
	size_t size;
	size_t used;
};

__attribute__((format(printf, 2, 3))) static void add(struct why *why,
						      const char *format, ...)
{
	va_list args;
	int length;

	if (why->used >= why->size)
		return;
	va_start(args, format);
	length = vsnprintf(why->text + why->used, why->size - why->used, format,
			   args);
	va_end(args);
	why->used += length > 0 ? length : 0;
}

/*
 * Cuts the first word off, which ends at a comma that is not doubled; of two commas
 * one is left.  Return: the word, or NULL after the last.
 */
static char *next_word(char **rest)
{
	char *word = *rest;
	char *from = word, *to = word;

	if (!word)
		return NULL;
	while (*from && (*from != ',' || from[1] == ',')) {
		from += *from == ',';
		*to++ = *from++;
	}
	*rest = *from ? from + 1 : NULL;
	*to = 0;
	return word;
}

/* Return: the index of the option in the kind's list, or -1. */
static int find_option(const struct device_kind *kind, const char *name)
{
	const struct device_option *option = kind->options;

	for (int i = 0; option && option[i].name; i++)
		if (!strcmp(option[i].name, name))
			return i;
	return -1;
}

static int no_such_device(const char *name, struct why *why)
{
	const struct device_kind *kind;

	add(why, "no such device '%s'; there are", name);
	for (size_t i = 0; (kind = devices_kind(i)); i++)
		add(why, "%s %s", i ? "," : "", kind->name);
	return -EINVAL;
}

static int no_such_option(const struct device_kind *kind, const char *name,
			  struct why *why)
{
	const struct device_option *option = kind->options;

	add(why, "%s has no option '%s'", kind->name, name);
	if (!option || !option->name)
		add(why, "; it has none");
	for (size_t i = 0; option && option[i].name; i++)
		add(why, "%s %s", i ? "," : "; it has", option[i].name);
	return -EINVAL;
}

/* Sets a number or a size from its text, which may be NULL. */
static int set_number(const struct device_option *option,
		      struct device_value *value, const char *text)
{
	uint64_t number;
	int err = -EINVAL;

	if (text)
		err = option->type == DEVICE_SIZE ? size_parse(text, &number) :
						    number_parse(text, &number);
	if (err || number < option->min ||
	    (option->max && number > option->max))
		return -EINVAL;
	devices_set_number(value, number);
	return 0;
}

static int set_bool(struct device_value *value, const char *text)
{
	bool on = !text || !strcmp(text, "on");

	if (!on && strcmp(text, "off"))
		return -EINVAL;
	devices_set_number(value, on);
	return 0;
}

static int set_choice(const struct device_option *option,
		      struct device_value *value, const char *text)
{
	for (size_t i = 0; text && option->choices[i]; i++)
		if (!strcmp(option->choices[i], text)) {
			devices_set_number(value, i);
			return 0;
		}
	return -EINVAL;
}

/* Return: 0, -EINVAL or -ENOMEM. */
static int set_value(const struct device_option *option,
		     struct device_value *value, const char *text)
{
	switch (option->type) {
	case DEVICE_NUMBER:
	case DEVICE_HEX:
	case DEVICE_SIZE:
		return set_number(option, value, text);
	case DEVICE_BOOL:
		return set_bool(value, text);
	case DEVICE_TEXT:
		return text && *text ? devices_set_text(value, text) : -EINVAL;
	case DEVICE_CHOICE:
		return set_choice(option, value, text);
	}
	return -EINVAL;
}

/* Writes a number or a size as the option's type has it. */
static void add_number(struct why *why, const struct device_option *option,
		       uint64_t number)
{
	static const char units[] = "KMGT";
	size_t unit = 0;

	if (option->type == DEVICE_HEX) {
		add(why, "0x%" PRIx64, number);
		return;
	}
	while (option->type == DEVICE_SIZE && number && !(number % 1024) &&
	       units[unit]) {
		number /= 1024;
		unit++;
	}
	add(why, "%" PRIu64 "%.*s", number, unit ? 1 : 0,
	    unit ? &units[unit - 1] : "");
}

static void add_range(struct why *why, const struct device_option *option)
{
	if (option->min) {
		add(why, " from ");
		add_number(why, option, option->min);
	}
	if (option->max) {
		add(why, option->min ? " to " : " up to ");
		add_number(why, option, option->max);
	}
}

static void add_choices(struct why *why, const struct device_option *option,
			const char *between)
{
	for (size_t i = 0; option->choices[i]; i++)
		add(why, "%s%s", i ? between : "", option->choices[i]);
}

/* Says what the option's value must be. */
static void add_demand(struct why *why, const struct device_option *option)
{
	add(why, "%s must be ", option->name);
	switch (option->type) {
	case DEVICE_NUMBER:
	case DEVICE_HEX:
		add(why, "a number");
		add_range(why, option);
		break;
	case DEVICE_SIZE:
		add(why, "a size");
		add_range(why, option);
		add(why, ", as in %s=64M", option->name);
		break;
	case DEVICE_BOOL:
		add(why, "on or off");
		break;
	case DEVICE_TEXT:
		add(why, "a text, as in %s=%s", option->name,
		    option->word ? option->word : "TEXT");
		break;
	case DEVICE_CHOICE:
		add(why, "one of ");
		add_choices(why, option, ", ");
		break;
	}
}

/* Sets an option from KEY=VALUE, or KEY.  @seen: those that this argument has set. */
static int set_option(const struct device_kind *kind,
		      struct device_value *values, char *word, bool *seen,
		      struct why *why)
{
	char *text = word;
	const char *key = strsep(&text, "=");
	int number = find_option(kind, key);
	int err;

	if (number < 0)
		return no_such_option(kind, key, why);
	if (seen[number]) {
		add(why, "%s comes twice", key);
		return -EINVAL;
	}
	seen[number] = true;
	err = set_value(&kind->options[number], &values[number], text);
	if (err == -EINVAL)
		add_demand(why, &kind->options[number]);
	return err;
}

static int check_required(const struct device_kind *kind,
			  const struct device_value *values, struct why *why)
{
	const struct device_option *option = kind->options;

	for (size_t i = 0; option && option[i].name; i++)
		if (option[i].required && !values[i].given) {
			add(why, "%s is missing; ", option[i].name);
			add_demand(why, &option[i]);
			return -EINVAL;
		}
	return 0;
}

static int parse_words(struct devices_wanted *wanted, char *words,
		       struct why *why)
{
	bool seen[DEVICE_MAX_OPTIONS] = { false };
	const char *name = next_word(&words);
	const struct device_kind *kind = devices_find(name);
	struct device_value *values;
	char *word;
	int err = 0;

	if (!kind)
		return no_such_device(name, why);
	values = devices_want(wanted, kind);
	if (!values) {
		add(why, "a machine has at most %d devices", DEVICES_MAX);
		return -EINVAL;
	}
	while (!err && (word = next_word(&words)))
		err = set_option(kind, values, word, seen, why);
	return err ? err : check_required(kind, values, why);
}

int device_option_parse(struct devices_wanted *wanted, const char *text,
			char *why, size_t size)
{
	struct why reason = { .text = why, .size = size };
	char *words = strdup(text);
	int err = words ? parse_words(wanted, words, &reason) : -ENOMEM;

	if (err == -ENOMEM)
		snprintf(why, size, "%s", strerror(ENOMEM));
	free(words);
	return err;
}

/* Return: what stands for the option's value in help; NULL: its choices do. */
static const char *word_of(const struct device_option *option)
{
	if (option->word)
		return option->word;
	switch (option->type) {
	case DEVICE_NUMBER:
	case DEVICE_HEX:
		return "NUMBER";
	case DEVICE_SIZE:
		return "SIZE";
	case DEVICE_BOOL:
		return "on|off";
	case DEVICE_TEXT:
		return "TEXT";
	case DEVICE_CHOICE:
		break;
	}
	return NULL;
}

/* Adds what is known of a value that is not given. */
static void add_default(struct why *line, const struct device_option *option)
{
	if (option->required) {
		add(line, " (required)");
		return;
	}
	if (option->type == DEVICE_TEXT && !option->text)
		return;
	if (option->max && option->value > option->max)
		return;
	add(line, " (default ");
	if (option->type == DEVICE_TEXT)
		add(line, "%s", option->text);
	else if (option->type == DEVICE_BOOL)
		add(line, "%s", option->value ? "on" : "off");
	else if (option->type == DEVICE_CHOICE)
		add(line, "%s", option->choices[option->value]);
	else
		add_number(line, option, option->value);
	add(line, ")");
}

static void print_option(FILE *file, const struct device_option *option)
{
	const char *word = word_of(option);
	char text[256];
	struct why line = { .text = text, .size = sizeof(text) };

	add(&line, "  ,%s=", option->name);
	if (word)
		add(&line, "%s", word);
	else
		add_choices(&line, option, "|");
	add(&line, "  %s", option->about);
	add_default(&line, option);
	fprintf(file, "%s\n", text);
}

static void print_kind(FILE *file, const struct device_kind *kind)
{
	const struct device_option *option = kind->options;

	fprintf(file, "%-15s %s%s\n", kind->name, kind->about,
		kind->many ? " (there may be several)" : "");
	for (; option && option->name; option++)
		print_option(file, option);
}

int device_option_help(FILE *file, const char *text)
{
	size_t length = strcspn(text, ",");
	bool found = false;
	const struct device_kind *kind;

	if (!strcmp(text, HELP)) {
		for (size_t i = 0; (kind = devices_kind(i)); i++)
			print_kind(file, kind);
		return 0;
	}
	if (strcmp(text + length, "," HELP))
		return -ENOENT;
	for (size_t i = 0; (kind = devices_kind(i)) && !found; i++) {
		found = strlen(kind->name) == length &&
			!strncmp(kind->name, text, length);
		if (found)
			print_kind(file, kind);
	}
	return found ? 0 : -ENOENT;
}
