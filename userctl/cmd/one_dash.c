// SPDX-License-Identifier: GPL-2.0
/*
 * Long options that were written with one dash.
 */
#include "cmd/one_dash.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/*
 * Finds a long option with one dash, as in QEMU's command line.  It would be read as
 * a letter with its value: -append as "-a ppend".
 *
 * Return: the option's name, or NULL.
 */
static const char *one_dash(const struct argp_option *descriptions,
			    const char *word)
{
	if (word[0] != '-' || word[1] == '-' || !word[1] || !word[2])
		return NULL;
	for (size_t i = 0; descriptions[i].name; i++) {
		size_t length = strlen(descriptions[i].name);

		if (!strncmp(word + 1, descriptions[i].name, length) &&
		    (!word[1 + length] || word[1 + length] == '='))
			return descriptions[i].name;
	}
	return NULL;
}

/* True if the word is an option whose value is the next word. */
static bool takes_next(const struct argp_option *descriptions, const char *word)
{
	for (size_t i = 0; descriptions[i].name; i++) {
		const struct argp_option *option = &descriptions[i];

		if (!option->arg || word[0] != '-')
			continue;
		/* getopt_long() accepts the beginning of a name. */
		if (word[1] == '-' ?
			    !strncmp(option->name, word + 2, strlen(word + 2)) :
			    word[1] == option->key && !word[2])
			return true;
	}
	return false;
}

int one_dash_refuse(struct argp_state *state,
		    const struct argp_option *descriptions)
{
	for (int i = 1; i < state->argc; i++) {
		const char *word = state->argv[i];
		const char *name = one_dash(descriptions, word);

		if (!strcmp(word, "--"))
			break;
		if (name) {
			argp_error(state, "%s: write --%s, with two dashes",
				   word, name);
			return EINVAL;
		}
		i += takes_next(descriptions, word);
	}
	return 0;
}
