// SPDX-License-Identifier: GPL-2.0
/*
 * `lodge limit`: shows and sets what users may hold.
 */
#include "cmd/command.h"

#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/complain.h"
#include "cmd/exit_code.h"
#include "cmd/family.h"
#include "cmd/json.h"
#include "cmd/limit_option.h"
#include "cmd/table.h"
#include "lib/size.h"
#include "lib/user.h"
#include "view/word.h"

/* Keys of options that have no letter. */
enum {
	KEY_TOTAL = 0x100,
	KEY_INHERIT,
};

/**
 * struct limit_options - the command line
 * @json: write JSON
 * @scoped: a scope was given
 * @change: the scope, and its new limits
 */
struct limit_options {
	bool json;
	bool scoped;
	struct netlink_limit_change change;
};

/* The subject of a row: a scope, or a user by name. */
static void subject(char *text, size_t size, const struct netlink_limit *limit)
{
	if (limit->scope == LODGE_SCOPE_USER)
		user_format(text, size, limit->uid);
	else
		snprintf(text, size, "%s", word_of_scope(limit->scope));
}

static const char *origin(const struct netlink_limit *limit)
{
	if (limit->scope != LODGE_SCOPE_USER)
		return "";
	return netlink_has(limit, LODGE_LIMIT_INHERIT) ? "default" : "own";
}

static void tell_limit(struct table *table, const struct netlink_limit *limit,
		       enum netlink_limit_kind kind)
{
	char most[SIZE_TEXT_SIZE], used[SIZE_TEXT_SIZE];

	limit_option_format(most, sizeof(most), kind, limit->limits[kind]);
	limit_option_format(used, sizeof(used), kind, limit->used[kind]);
	if (netlink_has(limit, LODGE_LIMIT_USED_VMS + kind))
		table_add(table, "%s/%s", used, most);
	else if (limit->scope == LODGE_SCOPE_TOTAL)
		table_add(table, "-/%s", most);
	else
		table_add(table, "%s", most);
}

static int tell(const struct netlink_limit *limits, size_t count)
{
	static const struct table_column columns[] = {
		{ "SCOPE", false }, { "USER", false }, { "LIMITS", false },
		{ "VMS", true },    { "VCPUS", true }, { "TABLES", true },
		{ "KERNEL", true },
	};
	struct table table;
	char name[64];

	table_start(&table, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < count; i++) {
		subject(name, sizeof(name), &limits[i]);
		table_add(&table, "%s", word_of_scope(limits[i].scope));
		table_add(&table, "%s",
			  limits[i].scope == LODGE_SCOPE_USER ? name : "");
		table_add(&table, "%s", origin(&limits[i]));
		for (int kind = 0; kind < NETLINK_LIMITS; kind++)
			tell_limit(&table, &limits[i], kind);
	}
	return table_finish(&table, stdout);
}

static void tell_limit_json(struct json *json,
			    const struct netlink_limit *limit)
{
	char user[64];

	json_open(json, NULL, '{');
	json_text(json, "scope", word_of_scope(limit->scope));
	if (limit->scope == LODGE_SCOPE_USER) {
		subject(user, sizeof(user), limit);
		json_text(json, "user", user);
		json_number(json, "uid", limit->uid);
		json_bool(json, "inherit",
			  netlink_has(limit, LODGE_LIMIT_INHERIT));
	}
	json_open(json, "limits", '{');
	for (int kind = 0; kind < NETLINK_LIMITS; kind++) {
		if (limit->limits[kind] == LODGE_LIMIT_NONE)
			json_none(json, word_of_limit(kind));
		else
			json_number(json, word_of_limit(kind),
				    limit->limits[kind]);
	}
	json_close(json, '}');
	if (netlink_has(limit, LODGE_LIMIT_USED_VMS)) {
		json_open(json, "used", '{');
		for (int kind = 0; kind < NETLINK_LIMITS; kind++)
			json_number(json, word_of_limit(kind),
				    limit->used[kind]);
		json_close(json, '}');
	}
	json_close(json, '}');
}

static void tell_json(const struct netlink_limit *limits, size_t count)
{
	struct json json;

	json_start(&json, stdout);
	json_open(&json, NULL, '[');
	for (size_t i = 0; i < count; i++)
		tell_limit_json(&json, &limits[i]);
	json_close(&json, ']');
	json_finish(&json);
}

/* Return: 0 or -errno.  @limits is to be freed. */
static int get(struct netlink *netlink, const struct limit_options *options,
	       struct netlink_limit **limits, size_t *count)
{
	if (!options->scoped)
		return netlink_limit_list(netlink, limits, count);
	*count = 1;
	*limits = malloc(sizeof(**limits));
	if (!*limits)
		return -ENOMEM;
	return netlink_limit_get(netlink, options->change.scope,
				 options->change.uid, *limits);
}

/* Return: 0 or -errno. */
static int show(struct netlink *netlink, const struct limit_options *options)
{
	struct netlink_limit *limits;
	size_t count;
	int err = get(netlink, options, &limits, &count);

	if (!err && options->json)
		tell_json(limits, count);
	else if (!err)
		err = tell(limits, count);
	free(limits);
	return err;
}

/* To a user who is not root, the limits of another one do not exist. */
static int complain_show(struct netlink *netlink,
			 const struct limit_options *options, int err)
{
	struct netlink_limit limit;

	if (err == -ENOENT && options->scoped &&
	    !netlink_limit_get(netlink, LODGE_SCOPE_DEFAULT, 0, &limit))
		return complain(EXIT_CODE_PERMISSION, "showing limits",
				"they are another user's",
				"run as root of the host");
	return family_complain(netlink, "showing limits", err);
}

static void set_scope(struct argp_state *state, struct limit_options *options,
		      enum lodge_limit_scope scope, const char *user)
{
	if (options->scoped)
		argp_error(state, "give one of --user and --total, once");
	options->scoped = true;
	options->change.scope = scope;
	if (user && user_parse(user, &options->change.uid))
		argp_error(state, "--user %s: there is no such user", user);
}

static void set_limit(struct argp_state *state, struct limit_options *options,
		      const char *text)
{
	char why[128];

	if (limit_option_parse(&options->change, text, why, sizeof(why)))
		argp_error(state, "%s: %s", text, why);
}

static void check(struct argp_state *state, const struct limit_options *options)
{
	const struct netlink_limit_change *change = &options->change;

	if (change->inherit && change->scope != LODGE_SCOPE_USER)
		argp_error(state, "--inherit needs --user");
	if (change->inherit && change->changed)
		argp_error(state, "--inherit and limits exclude each other");
	if (options->json && (change->inherit || change->changed))
		argp_error(state, "--json shows limits, and sets none");
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct limit_options *options = state->input;

	switch (key) {
	case 'j':
		options->json = true;
		return 0;
	case 'u':
		set_scope(state, options, LODGE_SCOPE_USER, argument);
		return 0;
	case KEY_TOTAL:
		set_scope(state, options, LODGE_SCOPE_TOTAL, NULL);
		return 0;
	case KEY_INHERIT:
		options->change.inherit = true;
		return 0;
	case ARGP_KEY_ARG:
		set_limit(state, options, argument);
		return 0;
	case ARGP_KEY_END:
		check(state, options);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_option descriptions[] = {
	{ "user", 'u', "USER", 0,
	  "Limits of USER, a name or a number; without limits of its own, it has "
	  "the default ones",
	  0 },
	{ "total", KEY_TOTAL, NULL, 0, "Limits of all users together", 0 },
	{ "inherit", KEY_INHERIT, NULL, 0,
	  "Forget the limits that the user has of its own", 0 },
	{ "json", 'j', NULL, 0, "Write one line of JSON", 0 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

static const struct argp argp = {
	.options = descriptions,
	.parser = parse_option,
	.args_doc = "[LIMIT=VALUE...]",
	.doc = "Show or set what users may hold."
	       "\v"
	       "LIMIT=VALUE is vms=N, vcpus=N, tables=SIZE (nested page tables) "
	       "or kernel=SIZE (other kernel memory); none stands for no "
	       "limit.  Without --user and --total it is the default of each "
	       "user.  A limit below what is used takes nothing away, and "
	       "refuses more.  Only root may set limits, and only root is told "
	       "what all users together have used.  A row shows USED/LIMIT, that "
	       "of the default LIMIT alone; - is what is not told.\n"
	       "\n"
	       "Examples:\n"
	       "  lodge limit\n"
	       "  lodge limit vms=16 vcpus=64\n"
	       "  lodge limit --user alice tables=64M\n"
	       "  lodge limit --user alice --inherit\n"
	       "  lodge limit --total\n"
	       "\n"
	       "Exit codes: 0 done; 64 the command line is wrong; 69 the "
	       "module is not loaded; " FAMILY_EXIT_CODES
	       ".  71 is also that of too many users with limits.",
};

int limit_command(int argc, char **argv)
{
	struct limit_options options = { 0 };
	struct netlink *netlink;
	int code, err;

	if (argp_parse(&argp, argc, argv, 0, NULL, &options))
		return EXIT_CODE_USAGE;
	code = family_open(&netlink);
	if (code)
		return code;
	if (options.change.inherit || options.change.changed) {
		err = netlink_limit_set(netlink, &options.change);
		if (err)
			code = family_complain(netlink, "setting limits", err);
	} else {
		err = show(netlink, &options);
		if (err)
			code = complain_show(netlink, &options, err);
	}
	netlink_close(netlink);
	return code;
}
