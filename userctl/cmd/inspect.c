// SPDX-License-Identifier: GPL-2.0
/*
 * `lodge inspect`: shows the options of machines in the background, or their state.
 */
#include "cmd/command.h"

#include <argp.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd/exit_code.h"
#include "cmd/named.h"
#include "control/config.h"
#include "control/protocol.h"

#define KEY_STATE 0x100

/**
 * struct inspect_options - the command line
 * @list: the machines
 * @state: show their state
 */
struct inspect_options {
	struct named_list list;
	bool state;
};

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct inspect_options *options = state->input;

	if (key == KEY_STATE) {
		options->state = true;
		return 0;
	}
	return named_parse_list(key, state, &options->list);
}

/* Return: 0, or the exit code after a message. */
static int show_options(const struct directory *directory)
{
	size_t size;
	char *text =
		directory_read(directory, DIRECTORY_CONFIG, CONFIG_MAX, &size);

	if (!text)
		return named_complain(directory->name, -errno, "");
	fputs(text, stdout);
	free(text);
	return 0;
}

static int print_object(const char *name, json_t *object)
{
	char *text = object ? json_dumps(object, 0) : NULL;

	json_decref(object);
	if (!text)
		return named_complain(name, -ENOMEM, "");
	puts(text);
	free(text);
	return 0;
}

/* A machine that has ended: its end, as it was recorded. */
static int show_end(const struct directory *directory)
{
	size_t size;
	char *text = directory_read(directory, DIRECTORY_END,
				    CONTROL_ANSWER_MAX, &size);
	json_t *end;

	if (!text)
		return named_complain(directory->name, -errno, "");
	end = json_loadb(text, size, 0, NULL);
	free(text);
	if (!end)
		return named_complain(directory->name, -EPROTO, "");
	return print_object(directory->name,
			    json_pack("{s:s,s:s,s:o}", "name", directory->name,
				      "state", "ended", "end", end));
}

static int show_state(const struct directory *directory, bool lives)
{
	struct client *client;
	json_t *status;
	int err, code;

	err = lives ? client_open(&client, directory) : -EPIPE;
	if (named_is_gone(err))
		return show_end(directory);
	if (err)
		return named_complain(directory->name, err, "");
	code = named_call(client, directory->name, "status", &status);
	client_close(client);
	return code ? code : print_object(directory->name, status);
}

static int show(const char *name, void *opaque)
{
	const struct inspect_options *options = opaque;
	struct directory directory;
	bool lives;
	int code = named_open(&directory, name, &lives);

	if (code)
		return code;
	code = options->state ? show_state(&directory, lives) :
				show_options(&directory);
	named_close(&directory);
	return code;
}

int inspect_command(int argc, char **argv)
{
	static const struct argp_option descriptions[] = {
		{ "state", KEY_STATE, NULL, 0,
		  "Show the machine's state, and once it has ended how: a line "
		  "of JSON",
		  0 },
		{ NULL, 0, NULL, 0, NULL, 0 },
	};
	static const struct argp argp = {
		.options = descriptions,
		.parser = parse_option,
		.args_doc = "NAME...",
		.doc = "Show the options with which machines in the background "
		       "were started, as lodge run --config reads them."
		       "\v"
		       "Examples:\n"
		       "  lodge inspect web\n"
		       "  lodge inspect web >web.json; lodge run --config "
		       "web.json --name web2\n"
		       "  lodge inspect --state web\n"
		       "\n"
		       "Exit codes: 0 done; " NAMED_EXIT_CODES
		       ".  After an error the other machines are shown all the "
		       "same.",
	};
	struct inspect_options options = { 0 };

	if (argp_parse(&argp, argc, argv, 0, NULL, &options))
		return EXIT_CODE_USAGE;
	return named_each(&options.list, show, &options);
}
