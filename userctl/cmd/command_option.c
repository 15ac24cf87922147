// SPDX-License-Identifier: GPL-2.0
/*
 * The command of `lodge run --root`.
 */
#include "cmd/command_option.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND "command"
/* Bytes of a command that a description has. */
#define NOTED_MAX (64 << 10)

int command_option_add(struct run_options *options, char *word)
{
	char **given = realloc(options->given, (options->nr_given + 2) *
						       sizeof(*options->given));

	if (!given)
		return ENOMEM;
	options->command = options->given = given;
	given[options->nr_given++] = word;
	given[options->nr_given] = NULL;
	return 0;
}

void command_option_take(struct run_options *options, char **words)
{
	size_t size = 0;

	options->command = words;
	config_drop(options->config, COMMAND);
	for (; *words; words++) {
		size += strlen(*words);
		if (size <= NOTED_MAX &&
		    !options_note(options, COMMAND, *words))
			continue;
		config_drop(options->config, COMMAND);
		return;
	}
}
