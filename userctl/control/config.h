/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A machine's description as JSON: an object whose members are options of the command
 * line.  Text and numbers are the options' values; true stands for an option without a
 * value; an array gives an option several times.
 */
#ifndef LODGE_CONTROL_CONFIG_H
#define LODGE_CONTROL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

/* Most bytes of a description. */
#define CONFIG_MAX (256 << 10)

enum config_type {
	CONFIG_TEXT, /* a value, as text; the last one counts */
	CONFIG_NUMBER, /* the same, as a number where the value is one */
	CONFIG_FLAG, /* no value */
	CONFIG_LIST, /* may be given several times */
};

/**
 * struct config_key - an option
 * @name: its long name; NULL ends a list
 * @type: what its value is
 */
struct config_key {
	const char *name;
	enum config_type type;
};

struct config;

/**
 * config_new() - make an empty description
 *
 * Return: it, or NULL without memory.
 */
struct config *config_new(void);

/**
 * config_free() - free a description; NULL is fine
 */
void config_free(struct config *config);

/**
 * config_add() - add an option, as if it came last on the command line
 * @value: its value; not used with CONFIG_FLAG
 *
 * Return: 0; -EILSEQ the value is no UTF-8; -ENOMEM.
 */
int config_add(struct config *config, const struct config_key *key,
	       const char *value);

/**
 * config_drop() - forget an option, if it was added
 */
void config_drop(struct config *config, const char *name);

/**
 * config_has() - true if an option was added
 */
bool config_has(const struct config *config, const char *name);

/**
 * config_text() - a description as text, for people: a member a line
 *
 * Return: the text with the end of its line, to be freed; or NULL without memory.
 */
char *config_text(const struct config *config);

/**
 * config_words() - read a description
 * @text: it
 * @size: its bytes
 * @keys: the options that there are
 * @words: out: "--NAME=VALUE" or "--NAME" for each option, with NULL at the end; to be
 *	freed by config_free_words()
 * @count: out: their number
 * @why: out: on failure, the reason
 * @why_size: bytes at @why
 *
 * A text is harmless when it is written to a terminal, and the description is no larger than
 * CONFIG_MAX.
 *
 * Return: 0, -EINVAL or -ENOMEM.
 */
int config_words(const char *text, size_t size, const struct config_key *keys,
		 char ***words, size_t *count, char *why, size_t why_size);

/**
 * config_show() - write a description, which is not trusted, for people
 * @size: its bytes
 *
 * Return: the text, of which each byte is a newline or printable ASCII, to be freed; or
 * NULL without memory, or if it is no object of JSON.
 */
char *config_show(const char *text, size_t size);

/**
 * config_free_words() - free what config_words() has made; NULL is fine
 */
void config_free_words(char **words);

#endif
