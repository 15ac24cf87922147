// SPDX-License-Identifier: GPL-2.0
/*
 * `lodge migrate`: moves a machine to another controller while it runs.
 *
 * The connection is made here, and handed to the controller, which is confined and makes
 * none.  As long as this command runs, the machine is on its way; if it ends before, the
 * machine stays.
 */
#include "cmd/command.h"

#include <argp.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/complain.h"
#include "cmd/exit_code.h"
#include "cmd/json.h"
#include "cmd/move_place.h"
#include "cmd/named.h"
#include "lib/size.h"

#define KEY_TO 0x100
#define KEY_DOWNTIME 0x101
#define KEY_BANDWIDTH 0x102
#define KEY_JSON 0x103
#define KEY_KEY 0x104
#define MAX_DOWNTIME_MS 3600000
/* The controller is asked so often how far it is. */
#define LOOK_MS 200
/* The end of a machine that has moved takes this long at most. */
#define END_MS 60000
#define PAGE 4096

/**
 * struct migrate_options - the command line
 * @name: the machine
 * @to: where it is to go
 * @key: file of the key for that, or NULL
 * @move: how
 * @json: report for programs
 */
struct migrate_options {
	const char *name;
	const char *to;
	const char *key;
	struct control_move move;
	bool json;
};

/**
 * struct migration - how far it is, as the controller says
 * @state: a word
 */
struct migration {
	char state[16];
	uint64_t round;
	uint64_t pages;
	uint64_t copied;
	uint64_t left;
	uint64_t bytes;
	uint64_t slowed;
	uint64_t held_ms;
	char why[MOVER_WHY_SIZE];
};

static error_t parse_downtime(const char *argument, struct argp_state *state,
			      struct control_move *move)
{
	uint64_t number;

	if (number_parse(argument, &number) || number > MAX_DOWNTIME_MS) {
		argp_error(state,
			   "--downtime %s: must be a number of milliseconds, "
			   "up to %d",
			   argument, MAX_DOWNTIME_MS);
		return EINVAL;
	}
	move->downtime_ms = number;
	return 0;
}

static error_t parse_bandwidth(const char *argument, struct argp_state *state,
			       struct control_move *move)
{
	if (size_parse(argument, &move->bandwidth) ||
	    move->bandwidth < MOVER_BANDWIDTH_MIN ||
	    move->bandwidth > INT64_MAX) {
		argp_error(state,
			   "--bandwidth %s: must be a number of bytes a "
			   "second, 64K or more, such as 100M",
			   argument);
		return EINVAL;
	}
	return 0;
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct migrate_options *options = state->input;

	switch (key) {
	case KEY_TO:
		options->to = argument;
		return 0;
	case KEY_DOWNTIME:
		return parse_downtime(argument, state, &options->move);
	case KEY_BANDWIDTH:
		return parse_bandwidth(argument, state, &options->move);
	case KEY_KEY:
		options->key = argument;
		return 0;
	case KEY_JSON:
		options->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (options->name)
			argp_error(state, "%s: one machine moves at a time",
				   argument);
		options->name = argument;
		return 0;
	case ARGP_KEY_END:
		if (!options->name || !options->to)
			argp_error(state, "name a machine, and where it is to "
					  "go by --to");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static uint64_t number_of(const json_t *answer, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(answer, key));
}

static void take_text(char *to, size_t size, const json_t *answer,
		      const char *key)
{
	const char *text = json_string_value(json_object_get(answer, key));

	snprintf(to, size, "%s", text ? text : "");
}

static struct migration read_migration(const json_t *answer)
{
	struct migration migration = {
		.round = number_of(answer, "round"),
		.pages = number_of(answer, "pages"),
		.copied = number_of(answer, "copied"),
		.left = number_of(answer, "left"),
		.bytes = number_of(answer, "bytes"),
		.slowed = number_of(answer, "slowed"),
		.held_ms = number_of(answer, "held-ms"),
	};

	take_text(migration.state, sizeof(migration.state), answer, "state");
	take_text(migration.why, sizeof(migration.why), answer, "why");
	return migration;
}

static bool is_state(const struct migration *migration, const char *state)
{
	return !strcmp(migration->state, state);
}

static bool is_over(const struct migration *migration)
{
	return is_state(migration, "migrated") ||
	       is_state(migration, "failed") ||
	       is_state(migration, "undecided");
}

static void show_progress(const struct migration *migration, bool *shown)
{
	char copied[SIZE_TEXT_SIZE], pages[SIZE_TEXT_SIZE];

	if (!isatty(STDERR_FILENO))
		return;
	size_format(copied, sizeof(copied), migration->copied * PAGE);
	size_format(pages, sizeof(pages), migration->pages * PAGE);
	fprintf(stderr, "\rlodge: %s, round %llu: %s of %s   ",
		migration->state, (unsigned long long)migration->round, copied,
		pages);
	*shown = true;
}

/* Asks until it is over.  Return: 0, or the exit code after a message. */
static int follow(struct client *client, const char *name,
		  struct migration *migration)
{
	const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };
	bool shown = false;
	json_t *answer;
	int code;

	do {
		nanosleep(&pause, NULL);
		code = named_call(client, name, "migration", &answer);
		if (code)
			break;
		*migration = read_migration(answer);
		json_decref(answer);
		show_progress(migration, &shown);
	} while (!is_over(migration));
	if (shown)
		fputc('\n', stderr);
	return code;
}

static void report_json(const char *name, const struct migration *migration)
{
	struct json json;

	json_start(&json, stdout);
	json_open(&json, NULL, '{');
	json_text(&json, "name", name);
	json_text(&json, "state", migration->state);
	json_number(&json, "rounds", migration->round);
	json_number(&json, "pages", migration->pages);
	json_number(&json, "copied", migration->copied);
	json_number(&json, "bytes", migration->bytes);
	json_number(&json, "slowed", migration->slowed);
	json_number(&json, "held_ms", migration->held_ms);
	if (*migration->why)
		json_text(&json, "why", migration->why);
	json_close(&json, '}');
	json_finish(&json);
}

static void report_text(const char *name, const struct migration *migration)
{
	char bytes[SIZE_TEXT_SIZE];

	size_format(bytes, sizeof(bytes), migration->bytes);
	printf("%s has moved: %s sent in %llu rounds, held for %llu ms\n", name,
	       bytes, (unsigned long long)migration->round,
	       (unsigned long long)migration->held_ms);
}

/* Return: the exit code. */
static int report(const struct migrate_options *options,
		  const struct migration *migration)
{
	if (options->json)
		report_json(options->name, migration);
	else if (is_state(migration, "migrated"))
		report_text(options->name, migration);
	if (is_state(migration, "migrated"))
		return 0;
	if (is_state(migration, "undecided"))
		return complain(EXIT_CODE_UNDECIDED, options->name,
				migration->why,
				"it is paused here: if it does not run there, "
				"let it run by `lodge resume`, and otherwise "
				"end it by `lodge stop --now`");
	return complain(EXIT_CODE_STATE, options->name, migration->why, NULL);
}

/* Return: 0, or the exit code after a message. */
static int begin(struct client *client, const struct migrate_options *options,
		 int fd)
{
	char why[CONTROL_WHY_SIZE];
	int err = client_send_move(client, &options->move, fd);

	if (!err)
		err = client_receive(client, CLIENT_PATIENCE_MS, NULL, why,
				     sizeof(why));
	return err ? named_complain(options->name, err, why) : 0;
}

/* The controller has the only end of the connection from then on. */
static int move_to(struct client *client, const struct migrate_options *options,
		   struct move_place *place)
{
	struct migration migration;
	int code = begin(client, options, place->in);

	close(place->in);
	place->in = place->out = -1;
	if (!code)
		code = follow(client, options->name, &migration);
	if (code)
		return code;
	code = report(options, &migration);
	if (!code)
		client_wait_close(client, END_MS);
	return code;
}

static int migrate(const struct migrate_options *options)
{
	struct move_place place;
	struct client *client;
	int code = named_find(&client, options->name);

	if (code)
		return code;
	code = move_place_connect(options->to, options->key, &place);
	if (!code) {
		code = move_to(client, options, &place);
		/* What has led there may stay with the machine. */
		move_place_close(&place, code);
	}
	client_close(client);
	return code;
}

int migrate_command(int argc, char **argv)
{
	static const struct argp_option descriptions[] = {
		{ "to", KEY_TO, "PLACE", 0,
		  "Where lodge receive waits: unix:PATH; tcp:HOST:PORT; or "
		  "exec:COMMAND, whose standard input and output lead there",
		  0 },
		{ "key", KEY_KEY, "FILE", 0,
		  "With tcp:, the key that both sides have", 0 },
		{ "downtime", KEY_DOWNTIME, "MS", 0,
		  "Hold the machine for so many milliseconds in the end "
		  "(default: 50)",
		  0 },
		{ "bandwidth", KEY_BANDWIDTH, "SIZE", 0,
		  "Send no more bytes a second while it runs, such as 100M; 64K "
		  "or more",
		  0 },
		{ "json", KEY_JSON, NULL, 0, "Report as one line of JSON", 0 },
		{ NULL, 0, NULL, 0, NULL, 0 },
	};
	static const struct argp argp = {
		.options = descriptions,
		.parser = parse_option,
		.args_doc = "NAME --to PLACE",
		.doc = "Move a machine to another controller, on another host, "
		       "while it runs."
		       "\v"
		       "Its memory is copied as it runs, and again what it has "
		       "written meanwhile, until the rest can be sent in the "
		       "time of --downtime.  A guest that writes too fast for that "
		       "is slowed down; after 30 rounds it is held for as "
		       "long as that takes.  Until the other side has all and "
		       "is given it, the machine stays here, whatever "
		       "fails.\n"
		       "\n"
		       "Its disks must be ro, and be there on the other host, "
		       "too; with others, lodge save --stop and "
		       "lodge restore move it.  lodge run --cpu makes one that other "
		       "processors can have.\n"
		       "\n"
		       "Examples:\n"
		       "  lodge migrate web --to 'exec:ssh other lodge receive "
		       "-d stdio'\n"
		       "  lodge migrate web --to tcp:other:4000 --key move.key\n"
		       "  lodge migrate web --to unix:/tmp/web\n"
		       "\n"
		       "Exit codes: 0 it runs there, and has ended here; 73 PLACE "
		       "cannot be reached; 77 also if the other side has not "
		       "the key; 75 also if it stays here; 76 it is "
		       "not known whether it runs there, and it is paused "
		       "here; " NAMED_EXIT_CODES ".",
	};
	struct migrate_options options = {
		.move.downtime_ms = MOVER_DOWNTIME_MS,
	};

	if (argp_parse(&argp, argc, argv, 0, NULL, &options))
		return EXIT_CODE_USAGE;
	return migrate(&options);
}
