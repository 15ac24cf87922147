// SPDX-License-Identifier: GPL-2.0
/*
 * `lodge replicate`: keeps another controller ready to go on with a machine.
 *
 * As with `lodge migrate` the connection is made here, and handed to the controller.  As
 * long as this command runs, the machine is replicated.
 */
#include "cmd/command.h"

#include <argp.h>
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/complain.h"
#include "cmd/exit_code.h"
#include "cmd/json.h"
#include "cmd/move_place.h"
#include "cmd/named.h"
#include "lib/size.h"
#include "move/wire.h"

#define KEY_TO 0x100
#define KEY_EVERY 0x101
#define KEY_JSON 0x102
#define KEY_KEY 0x103
/* The controller is asked as often as this at most, and twice in each interval otherwise. */
#define LOOK_MS_MIN 10
#define LOOK_MS_MAX 200
#define DIGITS_MAX 6

/**
 * struct replicate_options - the command line
 * @name: the machine
 * @to: where it is to stand by
 * @key: file of the key for that, or NULL
 * @every_ms: it is brought up to date there so often
 * @json: report for programs
 */
struct replicate_options {
	const char *name;
	const char *to;
	const char *key;
	uint32_t every_ms;
	bool json;
};

/* Return: milliseconds, or 0: it is no time. */
static uint32_t parse_time(const char *text)
{
	char *unit;
	unsigned long number;

	if (!isdigit((unsigned char)*text) ||
	    strspn(text, "0123456789") > DIGITS_MAX)
		return 0;
	number = strtoul(text, &unit, 10);
	if (!strcmp(unit, "s"))
		number *= 1000;
	else if (*unit && strcmp(unit, "ms"))
		return 0;
	return number >= MOVE_EVERY_MIN && number <= MOVE_EVERY_MAX ?
		       (uint32_t)number :
		       0;
}

static error_t parse_every(const char *argument, struct argp_state *state,
			   struct replicate_options *options)
{
	options->every_ms = parse_time(argument);
	if (options->every_ms)
		return 0;
	argp_error(state,
		   "--every %s: must be a time from %ums to %us, such as "
		   "500ms or 2s",
		   argument, MOVE_EVERY_MIN, MOVE_EVERY_MAX / 1000);
	return EINVAL;
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct replicate_options *options = state->input;

	switch (key) {
	case KEY_KEY:
		options->key = argument;
		return 0;
	case KEY_TO:
		options->to = argument;
		return 0;
	case KEY_EVERY:
		return parse_every(argument, state, options);
	case KEY_JSON:
		options->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (options->name)
			argp_error(state, "%s: one machine is replicated",
				   argument);
		options->name = argument;
		return 0;
	case ARGP_KEY_END:
		if (!options->name || !options->to)
			argp_error(state, "name a machine, and where it is to "
					  "stand by, by --to");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static uint64_t number_of(const json_t *object, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(object, key));
}

static struct mover_increment read_increment(const json_t *answer)
{
	const json_t *object = json_object_get(answer, "increment");

	return (struct mover_increment){
		.number = number_of(object, "number"),
		.pages = number_of(object, "pages"),
		.bytes = number_of(object, "bytes"),
		.pause_us = number_of(object, "pause-us"),
		.took_ms = number_of(object, "took-ms"),
	};
}

static void report_json(const char *name,
			const struct mover_increment *increment)
{
	struct json json;

	json_start(&json, stdout);
	json_open(&json, NULL, '{');
	json_text(&json, "name", name);
	json_number(&json, "increment", increment->number);
	json_number(&json, "pages", increment->pages);
	json_number(&json, "bytes", increment->bytes);
	json_number(&json, "pause_us", increment->pause_us);
	json_number(&json, "took_ms", increment->took_ms);
	json_close(&json, '}');
	json_finish(&json);
}

static void report_text(const struct mover_increment *increment)
{
	char bytes[SIZE_TEXT_SIZE];

	size_format(bytes, sizeof(bytes), increment->bytes);
	printf("increment %llu: %llu pages, %s, held for %llu us, there after "
	       "%llu ms\n",
	       (unsigned long long)increment->number,
	       (unsigned long long)increment->pages, bytes,
	       (unsigned long long)increment->pause_us,
	       (unsigned long long)increment->took_ms);
}

/* Return: 0, or the exit code after a message: it is replicated no more. */
static int look(const struct replicate_options *options, const json_t *answer,
		uint64_t *told)
{
	const struct mover_increment increment = read_increment(answer);
	const char *state = json_string_value(json_object_get(answer, "state"));
	const char *why = json_string_value(json_object_get(answer, "why"));

	if (increment.number > *told) {
		*told = increment.number;
		if (options->json)
			report_json(options->name, &increment);
		else
			report_text(&increment);
		fflush(stdout);
	}
	return state && strcmp(state, "failed") ?
		       0 :
		       complain(EXIT_CODE_STATE, options->name,
				why ? why : "it is replicated no more",
				"it runs on here, unless it has ended");
}

/* Asks until it is over.  Return: the exit code after a message. */
static int follow(struct client *client,
		  const struct replicate_options *options)
{
	const uint32_t half = options->every_ms / 2;
	const uint32_t ms = half < LOOK_MS_MIN ? LOOK_MS_MIN :
			    half > LOOK_MS_MAX ? LOOK_MS_MAX :
						 half;
	const struct timespec pause = { .tv_nsec = ms * 1000000L };
	uint64_t told = 0;
	json_t *answer;
	int code;

	do {
		nanosleep(&pause, NULL);
		code = named_call(client, options->name, "migration", &answer);
		if (code)
			return code;
		code = look(options, answer, &told);
		json_decref(answer);
	} while (!code);
	return code;
}

/* The controller has the only end of the connection from then on. */
static int replicate_to(struct client *client,
			const struct replicate_options *options,
			struct move_place *place)
{
	char why[CONTROL_WHY_SIZE];
	int err = client_send_replicate(client, options->every_ms, place->in);

	if (!err)
		err = client_receive(client, CLIENT_PATIENCE_MS, NULL, why,
				     sizeof(why));
	close(place->in);
	place->in = place->out = -1;
	return err ? named_complain(options->name, err, why) :
		     follow(client, options);
}

static int replicate(const struct replicate_options *options)
{
	struct move_place place;
	struct client *client;
	int code = named_find(&client, options->name);

	if (code)
		return code;
	code = move_place_connect(options->to, options->key, &place);
	if (!code) {
		code = replicate_to(client, options, &place);
		move_place_close(&place, false);
	}
	client_close(client);
	return code;
}

int replicate_command(int argc, char **argv)
{
	static const struct argp_option descriptions[] = {
		{ "to", KEY_TO, "PLACE", 0,
		  "Where lodge receive --standby waits: unix:PATH; "
		  "tcp:HOST:PORT; or exec:COMMAND, whose standard input and "
		  "output lead there",
		  0 },
		{ "key", KEY_KEY, "FILE", 0,
		  "With tcp:, the key that both sides have", 0 },
		{ "every", KEY_EVERY, "TIME", 0,
		  "Bring it up to date there so often, such as 500ms (the "
		  "default) or 2s",
		  0 },
		{ "json", KEY_JSON, NULL, 0,
		  "Report each increment as a line of JSON", 0 },
		{ NULL, 0, NULL, 0, NULL, 0 },
	};
	static const struct argp argp = {
		.options = descriptions,
		.parser = parse_option,
		.args_doc = "NAME --to PLACE",
		.doc = "Keep another controller, on another host, ready to go "
		       "on with a machine that runs here."
		       "\v"
		       "Its memory is copied as it runs, and then every so "
		       "often what it has written, with the state of that "
		       "moment.  If its host or its controller dies, lodge "
		       "takeover lets it go on there from the last whole "
		       "increment: what it has done since is lost, at most the "
		       "time of --every and that in which an increment gets "
		       "there.  What it sends meanwhile, as to the network, "
		       "is not held back, and is not taken back either.\n"
		       "\n"
		       "It lasts as long as this command and the connection "
		       "do.  When it ends in order, or the guest does, the "
		       "other side forgets the machine.  Disks must be ro, "
		       "as for lodge migrate.\n"
		       "\n"
		       "Examples:\n"
		       "  lodge replicate web --to 'exec:ssh other lodge "
		       "receive -d --standby stdio'\n"
		       "  lodge replicate web --to unix:/tmp/web --every 2s\n"
		       "\n"
		       "Exit codes: 73 PLACE cannot be reached; 75 also if it "
		       "is replicated no more; " NAMED_EXIT_CODES ".",
	};
	struct replicate_options options = { .every_ms = MOVER_EVERY_MS };

	if (argp_parse(&argp, argc, argv, 0, NULL, &options))
		return EXIT_CODE_USAGE;
	return replicate(&options);
}
