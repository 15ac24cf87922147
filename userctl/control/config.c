// SPDX-License-Identifier: GPL-2.0
/*
 * A machine's description as JSON.
 */
#include "control/config.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/plain.h"

#define INDENT 2
#define MAX_DIGITS 18
#define DIGITS "0123456789"

/**
 * struct config - a description
 * @members: the object
 */
struct config {
	json_t *members;
};

struct config *config_new(void)
{
	struct config *config = calloc(1, sizeof(*config));

	if (!config)
		return NULL;
	config->members = json_object();
	if (config->members)
		return config;
	free(config);
	return NULL;
}

void config_free(struct config *config)
{
	if (!config)
		return;
	json_decref(config->members);
	free(config);
}

/* True if a number in JSON is written in the same way. */
static bool is_plain_number(const char *text)
{
	size_t length = strspn(text, DIGITS);

	return length && length <= MAX_DIGITS && !text[length] &&
	       (text[0] != '0' || length == 1);
}

/* Return: the value, or NULL without memory, or if it is no UTF-8. */
static json_t *value_of(const struct config_key *key, const char *value)
{
	if (key->type == CONFIG_FLAG)
		return json_true();
	if (key->type == CONFIG_NUMBER && is_plain_number(value))
		return json_integer(strtoll(value, NULL, 10));
	return json_string(value);
}

/* Return: 0 or -ENOMEM; @value is released. */
static int append(struct config *config, const char *name, json_t *value)
{
	json_t *list = json_object_get(config->members, name);

	if (!list) {
		list = json_array();
		if (json_object_set_new(config->members, name, list)) {
			json_decref(value);
			return -ENOMEM;
		}
	}
	return json_array_append_new(list, value) ? -ENOMEM : 0;
}

int config_add(struct config *config, const struct config_key *key,
	       const char *value)
{
	json_t *member = value_of(key, value);

	if (!member)
		return key->type == CONFIG_FLAG ? -ENOMEM : -EILSEQ;
	if (key->type == CONFIG_LIST)
		return append(config, key->name, member);
	return json_object_set_new(config->members, key->name, member) ?
		       -ENOMEM :
		       0;
}

void config_drop(struct config *config, const char *name)
{
	json_object_del(config->members, name);
}

bool config_has(const struct config *config, const char *name)
{
	return json_object_get(config->members, name);
}

/* Return: as config_text(). */
static char *text_of(const json_t *members, size_t flags)
{
	char *text = json_dumps(members, JSON_INDENT(INDENT) | flags);
	char *line = NULL;

	if (text && asprintf(&line, "%s\n", text) < 0)
		line = NULL;
	free(text);
	return line;
}

char *config_text(const struct config *config)
{
	return text_of(config->members, 0);
}

/* A terminal takes some bytes for commands. */
static bool is_harmless(const char *text)
{
	for (; *text; text++)
		if (*text != '\n' && (*text < ' ' || *text > '~'))
			return false;
	return true;
}

char *config_show(const char *text, size_t size)
{
	json_t *object =
		size > CONFIG_MAX ?
			NULL :
			json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	char *shown = json_is_object(object) ?
			      text_of(object, JSON_ENSURE_ASCII) :
			      NULL;

	json_decref(object);
	if (shown && is_harmless(shown))
		return shown;
	free(shown);
	return NULL;
}

/**
 * struct reading - a description while it is read
 * @words: the words so far
 * @count: their number
 * @why: for the reason of a failure
 * @why_size: bytes at @why
 */
struct reading {
	char **words;
	size_t count;
	char *why;
	size_t why_size;
};

__attribute__((format(printf, 2, 3))) static int
refuse(const struct reading *reading, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reading->why, reading->why_size, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

static int no_memory(const struct reading *reading)
{
	refuse(reading, "%s", strerror(ENOMEM));
	return -ENOMEM;
}

__attribute__((format(printf, 2, 3))) static int
add_word(struct reading *reading, const char *format, ...)
{
	char **words =
		realloc(reading->words, (reading->count + 2) * sizeof(*words));
	va_list arguments;
	int length;

	if (!words)
		return no_memory(reading);
	reading->words = words;
	words[reading->count] = words[reading->count + 1] = NULL;
	va_start(arguments, format);
	length = vasprintf(&words[reading->count], format, arguments);
	va_end(arguments);
	if (length < 0) {
		words[reading->count] = NULL;
		return no_memory(reading);
	}
	reading->count++;
	return 0;
}

static int read_flag(struct reading *reading, const char *name,
		     const json_t *value)
{
	if (!json_is_boolean(value))
		return refuse(reading, "\"%s\" must be true or false", name);
	return json_is_true(value) ? add_word(reading, "--%s", name) : 0;
}

static int read_value(struct reading *reading, const char *name,
		      const json_t *value)
{
	if (json_is_string(value) && !text_is_plain(json_string_value(value)))
		return refuse(reading,
			      "\"%s\" has control characters in its value",
			      name);
	if (json_is_string(value))
		return add_word(reading, "--%s=%s", name,
				json_string_value(value));
	if (json_is_integer(value))
		return add_word(reading, "--%s=%lld", name,
				(long long)json_integer_value(value));
	return refuse(reading, "\"%s\" must be a text or a whole number", name);
}

static int read_list(struct reading *reading, const char *name,
		     const json_t *list)
{
	json_t *value;
	size_t i;
	int err = 0;

	if (!json_is_array(list))
		return read_value(reading, name, list);
	json_array_foreach(list, i, value)
	{
		err = read_value(reading, name, value);
		if (err)
			break;
	}
	return err;
}

static const struct config_key *find_key(const struct config_key *keys,
					 const char *name)
{
	for (; keys->name; keys++)
		if (!strcmp(keys->name, name))
			return keys;
	return NULL;
}

static int read_member(struct reading *reading, const struct config_key *keys,
		       const char *name, const json_t *value)
{
	const struct config_key *key = find_key(keys, name);

	if (!key && !text_is_plain(name))
		return refuse(reading,
			      "the name of a member has control characters");
	if (!key)
		return refuse(
			reading,
			"there is no option \"%s\"; the members are those "
			"that --help lists",
			name);
	switch (key->type) {
	case CONFIG_FLAG:
		return read_flag(reading, name, value);
	case CONFIG_LIST:
		return read_list(reading, name, value);
	case CONFIG_TEXT:
	case CONFIG_NUMBER:
		break;
	}
	return read_value(reading, name, value);
}

static int read_members(struct reading *reading, const struct config_key *keys,
			json_t *object)
{
	const char *name;
	json_t *value;
	int err;

	json_object_foreach(object, name, value)
	{
		err = read_member(reading, keys, name, value);
		if (err)
			return err;
	}
	return 0;
}

int config_words(const char *text, size_t size, const struct config_key *keys,
		 char ***words, size_t *count, char *why, size_t why_size)
{
	struct reading reading = { .why = why, .why_size = why_size };
	json_error_t error;
	json_t *object = NULL;
	int err;

	if (size <= CONFIG_MAX)
		object = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
	if (size > CONFIG_MAX)
		err = refuse(
			&reading,
			"it has more than %d KiB, which no description has",
			CONFIG_MAX >> 10);
	else if (!object)
		err = refuse(&reading, "line %d: %s", error.line,
			     text_is_plain(error.text) ? error.text :
							 "it is no JSON");
	else if (!json_is_object(object))
		err = refuse(&reading, "it must be one JSON object");
	else
		err = read_members(&reading, keys, object);
	json_decref(object);
	if (err) {
		config_free_words(reading.words);
		return err;
	}
	*words = reading.words;
	*count = reading.count;
	return 0;
}

void config_free_words(char **words)
{
	for (char **word = words; word && *word; word++)
		free(*word);
	free(words);
}
