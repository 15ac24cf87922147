// SPDX-License-Identifier: GPL-2.0
/*
 * The options of a command that lets a machine go on.
 */
#include "cmd/own_words.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int own_words_add(struct own_words *own, const char *name, const char *value)
{
	char *word;

	if (own->count == OWN_WORDS_MAX)
		return E2BIG;
	if (asprintf(&word, "--%s%s%s", name, value ? "=" : "",
		     value ? value : "") < 0)
		return ENOMEM;
	own->words[own->count++] = word;
	return 0;
}

bool own_words_drop(const char *word, bool detach)
{
	static const char *const dropped[] = { "--detach", "--json",
					       "--no-sandbox" };

	for (size_t i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++)
		if (!strcmp(word, dropped[i]))
			return true;
	return detach && !strcmp(word, "--serial=stdio");
}

void own_words_free(struct own_words *own)
{
	for (size_t i = 0; i < own->count; i++)
		free(own->words[i]);
	own->count = 0;
}
