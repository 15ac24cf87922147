// SPDX-License-Identifier: GPL-2.0
/*
 * `lodge stop`: ends machines in the background, by their power button first.
 */
#include "cmd/command.h"

#include <argp.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cmd/exit_code.h"
#include "cmd/named.h"
#include "control/protocol.h"
#include "lib/size.h"

#define KEY_NOW 0x100
#define DEFAULT_SECONDS 10
#define MAX_SECONDS (24 * 60 * 60)
/* The end of a machine, which has been asked for, takes this long at most. */
#define END_MS 60000

/**
 * struct stop_options - the command line
 * @list: the machines
 * @seconds: time for a guest to power off
 * @now: do not ask it
 */
struct stop_options {
	struct named_list list;
	uint64_t seconds;
	bool now;
};

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct stop_options *options = state->input;

	switch (key) {
	case 't':
		if (!number_parse(argument, &options->seconds) &&
		    options->seconds <= MAX_SECONDS)
			return 0;
		argp_error(state,
			   "--time %s: must be a number of seconds, up to %d",
			   argument, MAX_SECONDS);
		return EINVAL;
	case KEY_NOW:
		options->now = true;
		return 0;
	}
	return named_parse_list(key, state, &options->list);
}

/*
 * A guest that is paused would not notice the button.  One that cannot run on, as another
 * command saves it, may do so later, or is ended.  Return: as client_call().
 */
static int press(struct client *client, char *why, size_t size)
{
	int err = client_call(client, "resume", NULL, NULL, why, size);

	return err && err != -EREMOTEIO ? err :
					  client_call(client, "power-button",
						      NULL, NULL, why, size);
}

/*
 * Waits for the end of a machine, and of its controller.
 *
 * Return: 0; -ETIMEDOUT; -errno.
 */
static int wait_for_end(struct client *client, int patience_ms)
{
	char why[CONTROL_WHY_SIZE];
	int err = client_receive(client, patience_ms, NULL, why, sizeof(why));

	if (err && err != -EPIPE)
		return err;
	client_wait_close(client, END_MS);
	return 0;
}

/* Ends a machine whose end another connection waits for.  Return: the exit code. */
static int end_now(const struct directory *directory, struct client *waiting)
{
	struct client *client;
	char why[CONTROL_WHY_SIZE] = "";
	int err = client_open(&client, directory);

	if (!err) {
		err = client_call(client, "end", NULL, NULL, why, sizeof(why));
		client_close(client);
	}
	/* It may have ended by itself meanwhile. */
	if (!err || named_is_gone(err))
		err = wait_for_end(waiting, END_MS);
	return err ? named_complain(directory->name, err, why) : 0;
}

static int stop_by_button(const struct directory *directory,
			  struct client *client, unsigned int seconds)
{
	char why[CONTROL_WHY_SIZE];
	int err = press(client, why, sizeof(why));
	int code;

	if (err && !named_is_gone(err))
		return named_complain(directory->name, err, why);
	if (!err)
		err = client_send(client, "wait", NULL);
	if (!err)
		err = wait_for_end(client, seconds * 1000);
	if (named_is_gone(err))
		return 0;
	if (err != -ETIMEDOUT)
		return err ? named_complain(directory->name, err, "") : 0;
	code = end_now(directory, client);
	if (code)
		return code;
	fprintf(stderr,
		"lodge: %s: the guest did not power off within %u s, and was "
		"ended\n",
		directory->name, seconds);
	return EXIT_CODE_FORCED;
}

static int stop_client(const struct directory *directory, struct client *client,
		       const struct stop_options *options)
{
	int err;

	if (!options->now)
		return stop_by_button(directory, client, options->seconds);
	err = client_send(client, "wait", NULL);
	return err ? named_complain(directory->name, err, "") :
		     end_now(directory, client);
}

static int stop_living(const struct directory *directory,
		       const struct stop_options *options)
{
	struct client *client;
	int err = client_open(&client, directory);
	int code;

	/* It has ended by itself meanwhile. */
	if (named_is_gone(err))
		return 0;
	if (err)
		return named_complain(directory->name, err, "");
	code = stop_client(directory, client, options);
	client_close(client);
	return code;
}

static int stop(const char *name, void *opaque)
{
	struct directory directory;
	bool lives;
	int code = named_open(&directory, name, &lives);

	if (code)
		return code;
	if (lives)
		code = stop_living(&directory, opaque);
	named_close(&directory);
	return code;
}

int stop_command(int argc, char **argv)
{
	static const struct argp_option descriptions[] = {
		{ "time", 't', "SECONDS", 0,
		  "Give the guest SECONDS to power off (default 10)", 0 },
		{ "now", KEY_NOW, NULL, 0,
		  "End the machines at once; a guest loses what it has not "
		  "written",
		  0 },
		{ NULL, 0, NULL, 0, NULL, 0 },
	};
	static const struct argp argp = {
		.options = descriptions,
		.parser = parse_option,
		.args_doc = "NAME...",
		.doc = "End machines in the background."
		       "\v"
		       "The power button is pressed.  A guest that does not "
		       "power off in time is ended then.  One that is paused "
		       "or frozen runs on first, unless clones read a disk that "
		       "it writes, or lodge save --stop holds it: that is ended when its "
		       "time is over.  Output, state and options are kept until lodge rm, or "
		       "until a machine of the same name starts.\n"
		       "\n"
		       "Examples:\n"
		       "  lodge stop web\n"
		       "  lodge stop --time 60 web db\n"
		       "  lodge stop --now web\n"
		       "\n"
		       "Exit codes: 0 the machine has powered off, had ended "
		       "before, or was to end at once; 1 it did not power off "
		       "in time, and was ended; " NAMED_EXIT_CODES
		       ".  After an error the other machines are ended all the "
		       "same.",
	};
	struct stop_options options = { .seconds = DEFAULT_SECONDS };

	if (argp_parse(&argp, argc, argv, 0, NULL, &options))
		return EXIT_CODE_USAGE;
	return named_each(&options.list, stop, &options);
}
