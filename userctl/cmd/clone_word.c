// SPDX-License-Identifier: GPL-2.0
/*
 * What of a machine's options its clones cannot have, or have otherwise.
 *
 * A value is a list of pieces with commas between them; of a piece's own commas each is
 * doubled.
 */
#include "cmd/clone_word.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLK "virtio-blk"
#define CONSOLE "virtio-console"
#define NET "virtio-net"
#define PMEM "virtio-pmem"
#define QCOW2 "virtio-qcow2"
#define VHOST_USER "vhost-user"
#define VSOCK "virtio-vsock"

/* The options that are short for --device. */
static const struct {
	const char *option;
	const char *kind;
} shorts[] = {
	{ "--disk=", BLK },
	{ "--pmem=", PMEM },
	{ "--net=", NET },
};

static size_t length_of_piece(const char *text)
{
	size_t length = strcspn(text, ",");

	while (text[length] == ',' && text[length + 1] == ',') {
		length += 2;
		length += strcspn(text + length, ",");
	}
	return length;
}

/* Return: the piece behind this one, or NULL after the last. */
static const char *next_piece(const char *piece)
{
	piece += length_of_piece(piece);
	return *piece ? piece + 1 : NULL;
}

static bool is_piece(const char *piece, const char *text)
{
	return length_of_piece(piece) == strlen(text) &&
	       !strncmp(piece, text, strlen(text));
}

/* True if a piece is KEY, or KEY=VALUE of any value. */
static bool has_key(const char *piece, const char *key)
{
	const size_t length = strlen(key);

	return !strncmp(piece, key, length) &&
	       (piece[length] == '=' || length_of_piece(piece) == length);
}

/* @pieces: those behind the first, or NULL */
static bool has_piece(const char *pieces, const char *text)
{
	for (; pieces; pieces = next_piece(pieces))
		if (is_piece(pieces, text))
			return true;
	return false;
}

/* True if a switch is on: KEY, or KEY=on. */
static bool is_on(const char *pieces, const char *key)
{
	char text[32];

	snprintf(text, sizeof(text), "%s=on", key);
	return has_piece(pieces, key) || has_piece(pieces, text);
}

static bool find_key(const char *pieces, const char *key)
{
	for (; pieces; pieces = next_piece(pieces))
		if (has_key(pieces, key))
			return true;
	return false;
}

/* @keys: NULL ends them */
static bool has_one_of(const char *piece, const char *const *keys)
{
	while (*keys && !has_key(piece, *keys))
		keys++;
	return *keys;
}

/*
 * Writes a word anew, without the pieces that have one of the keys, and with @more at its
 * end.  Return: it, to be freed; or NULL without memory.
 */
static char *rewrite(const char *word, const char *const *keys,
		     const char *more)
{
	const char *piece = next_piece(word);
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		return NULL;
	fwrite(word, 1, length_of_piece(word), file);
	for (; piece; piece = next_piece(piece)) {
		if (has_one_of(piece, keys))
			continue;
		fputc(',', file);
		fwrite(piece, 1, length_of_piece(piece), file);
	}
	fputs(more, file);
	if (!fclose(file))
		return text;
	free(text);
	return NULL;
}

/* Return: the value of an option, or NULL: the word is another one. */
static const char *value_of(const char *word, const char *option)
{
	const size_t length = strlen(option);

	return strncmp(word, option, length) ? NULL : word + length;
}

/*
 * Finds the kind of the device that a word adds, and the pieces behind the first.
 * Return: the kind, or NULL: it is none of those that matter here.
 */
static const char *kind_of(const char *word, const char **pieces)
{
	static const char *const kinds[] = { BLK,   CONSOLE,	NET,  PMEM,
					     QCOW2, VHOST_USER, VSOCK };
	const char *value = value_of(word, "--device=");

	for (size_t i = 0; value && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (is_piece(value, kinds[i])) {
			*pieces = next_piece(value);
			return kinds[i];
		}
	for (size_t i = 0; i < sizeof(shorts) / sizeof(shorts[0]); i++) {
		value = value_of(word, shorts[i].option);
		if (!value)
			continue;
		*pieces = next_piece(value);
		return !strcmp(shorts[i].kind, BLK) &&
				       has_piece(*pieces, "format=qcow2") ?
			       QCOW2 :
			       shorts[i].kind;
	}
	return NULL;
}

static int change_net(const char *word, const char *pieces, char **made,
		      unsigned int *changes)
{
	static const char *const keys[] = { "hostfwd", NULL };

	if (find_key(pieces, "fd"))
		return -EBADF;
	if (!find_key(pieces, keys[0]))
		return 0;
	*changes |= CLONE_NO_PORTS;
	*made = rewrite(word, keys, "");
	return *made ? 0 : -ENOMEM;
}

/* The driver has found a second port, which must stay: it leads nowhere. */
static int change_console(const char *word, const char *pieces, char **made,
			  unsigned int *changes)
{
	static const char *const keys[] = { "file", "socket", "fd", NULL };
	bool found = false;

	for (; pieces; pieces = next_piece(pieces))
		found |= has_one_of(pieces, keys);
	if (!found)
		return 0;
	*changes |= CLONE_NO_CONSOLE;
	*made = rewrite(word, keys, ",file=/dev/null");
	return *made ? 0 : -ENOMEM;
}

static int change_disk(const char *kind, const char *word, const char *pieces,
		       char **made, unsigned int *changes)
{
	static const char *const keys[] = { "snapshot", NULL };

	if (is_on(pieces, "ro"))
		return 0;
	if (!strcmp(kind, QCOW2))
		return -EBUSY;
	if (!strcmp(kind, PMEM))
		return has_piece(pieces, "share=off") ? 0 : -EBUSY;
	if (is_on(pieces, "snapshot"))
		return 0;
	*changes |= CLONE_OVERLAY;
	*made = rewrite(word, keys, ",snapshot=on");
	return *made ? 0 : -ENOMEM;
}

/* Short, as the option that clones give another number. */
static int change_vsock(const char *pieces, char **made)
{
	while (pieces && !has_key(pieces, "cid"))
		pieces = next_piece(pieces);
	if (!pieces)
		return 0;
	pieces += strcspn(pieces, "=,");
	if (*pieces != '=')
		return 0;
	return asprintf(made, "--vsock=%.*s", (int)length_of_piece(pieces + 1),
			pieces + 1) < 0 ?
		       -ENOMEM :
		       0;
}

static int change_device(const char *kind, const char *word, const char *pieces,
			 char **made, unsigned int *changes)
{
	if (!strcmp(kind, NET))
		return change_net(word, pieces, made, changes);
	if (!strcmp(kind, CONSOLE))
		return change_console(word, pieces, made, changes);
	if (!strcmp(kind, VSOCK))
		return change_vsock(pieces, made);
	if (!strcmp(kind, VHOST_USER))
		return has_piece(pieces, "type=rng") ? 0 : -EOPNOTSUPP;
	return change_disk(kind, word, pieces, made, changes);
}

static int change_serial(const char *place, char **made, unsigned int *changes)
{
	static const char *const places[] = { "stdio", "pty", "none" };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (!strcmp(place, places[i]))
			return 0;
	*changes |= CLONE_NO_SERIAL;
	*made = strdup("--serial=none");
	return *made ? 0 : -ENOMEM;
}

int clone_word(const char *word, char **made, unsigned int *changes)
{
	const char *place = value_of(word, "--serial="), *pieces = NULL;
	const char *kind = kind_of(word, &pieces);

	*made = NULL;
	if (place)
		return change_serial(place, made, changes);
	return kind ? change_device(kind, word, pieces, made, changes) : 0;
}
