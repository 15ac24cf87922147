// SPDX-License-Identifier: GPL-2.0
/*
 * `lodge checkpoint` and `lodge rewind`: keep the state of a machine in the background,
 * and put it back.
 */
#include "cmd/command.h"

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>

#include "cmd/exit_code.h"
#include "cmd/named.h"

#define KEY_DROP 0x100

/**
 * struct checkpoint_options - the command line
 * @list: the machines
 * @drop: their checkpoints are to be forgotten
 */
struct checkpoint_options {
	struct named_list list;
	bool drop;
};

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct checkpoint_options *options = state->input;

	(void)argument;
	if (key != KEY_DROP)
		return named_parse_list(key, state, &options->list);
	options->drop = true;
	return 0;
}

/* To copy the memory of a large guest takes its time, and so does the way back. */
static int checkpoint(const char *name, void *opaque)
{
	const struct checkpoint_options *options = opaque;

	return named_request(name, "checkpoint", options->drop ? "drop" : NULL,
			     CLIENT_FOREVER);
}

static int put_back(const char *name, void *opaque)
{
	(void)opaque;
	return named_request(name, "rewind", NULL, CLIENT_FOREVER);
}

int checkpoint_command(int argc, char **argv)
{
	static const struct argp_option descriptions[] = {
		{ "drop", KEY_DROP, NULL, 0,
		  "Forget the checkpoints, and give their memory back", 0 },
		{ NULL, 0, NULL, 0, NULL, 0 },
	};
	static const struct argp argp = {
		.options = descriptions,
		.parser = parse_option,
		.args_doc = "NAME...",
		.doc = "Keep the present state of machines in the background, "
		       "for lodge rewind."
		       "\v"
		       "It is kept in the host's memory, as much as the guest "
		       "uses of its own, until the machine ends, and replaces "
		       "that of an earlier checkpoint.  Running machines run "
		       "on.  Disks that the guest may write, --share and vhost "
		       "cannot be put back, and refuse it.\n"
		       "\n"
		       "Examples:\n"
		       "  lodge checkpoint web\n"
		       "  lodge checkpoint --drop web\n"
		       "\n"
		       "Exit codes: 0 done; " NAMED_EXIT_CODES
		       ".  After an error the other machines' are made all the "
		       "same.",
	};
	struct checkpoint_options options = { 0 };

	if (argp_parse(&argp, argc, argv, 0, NULL, &options))
		return EXIT_CODE_USAGE;
	return named_each(&options.list, checkpoint, &options);
}

int rewind_command(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = named_parse,
		.args_doc = "NAME...",
		.doc = "Put machines in the background back to their "
		       "checkpoints, as often as wanted."
		       "\v"
		       "Processors, memory, devices and clocks are as they "
		       "were; the real-time clock shows the time of day.  What "
		       "has left the machine is not taken back.  Running "
		       "machines run on from there, paused ones stay paused.\n"
		       "\n"
		       "Examples:\n"
		       "  lodge checkpoint web; ./test web; lodge rewind web\n"
		       "\n"
		       "Exit codes: 0 done; " NAMED_EXIT_CODES
		       ".  After an error the other machines are put back all "
		       "the same.",
	};
	struct named_list list = { 0 };

	if (argp_parse(&argp, argc, argv, 0, NULL, &list))
		return EXIT_CODE_USAGE;
	return named_each(&list, put_back, NULL);
}
