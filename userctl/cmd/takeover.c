// SPDX-License-Identifier: GPL-2.0
/*
 * `lodge takeover`: lets a machine go on here that stands by, and whose source is gone.
 */
#include "cmd/command.h"

#include <argp.h>
#include <stdio.h>

#include "cmd/exit_code.h"
#include "cmd/named.h"

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	(void)argument;
	return named_parse_one(key, state, state->input);
}

/* From the first answer on the machine is given its state, and started. */
static int await_start(const char *name)
{
	struct client *client;
	int code = named_find(&client, name);

	if (code)
		return code;
	code = named_call(client, name, "status", NULL);
	client_close(client);
	return code;
}

static int take_over(const char *name)
{
	int code = named_request(name, "takeover", NULL, CLIENT_PATIENCE_MS);

	if (!code)
		code = await_start(name);
	if (!code)
		printf("%s goes on here\n", name);
	return code;
}

int takeover_command(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = parse_option,
		.args_doc = "NAME",
		.doc = "Let a machine go on here that stands by, and whose "
		       "source is gone."
		       "\v"
		       "It goes on from the last whole increment of lodge "
		       "replicate: what it has done since is lost, but what "
		       "it has sent is not taken back.\n"
		       "\n"
		       "As long as its source is connected it is refused.  A "
		       "connection can end while the source runs on: make sure "
		       "that it does not, or there are two.\n"
		       "\n"
		       "Example:\n"
		       "  lodge takeover web\n"
		       "\n"
		       "Exit codes: 0 it runs here; 75 also if its source is "
		       "connected, or it does not stand by; " NAMED_EXIT_CODES
		       ".",
	};
	struct named_list list = { 0 };

	if (argp_parse(&argp, argc, argv, 0, NULL, &list))
		return EXIT_CODE_USAGE;
	return take_over(list.names[0]);
}
