// SPDX-License-Identifier: GPL-2.0
/*
 * `lodge kill`: stops VMs for ever.
 */
#include "cmd/command.h"

#include <argp.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/complain.h"
#include "cmd/exit_code.h"
#include "cmd/family.h"
#include "lib/user.h"

/* Key of the option that has no letter. */
#define KEY_ID 0x100

/**
 * struct kill_options - the command line
 * @has_uid: the VMs with names are those of @uid
 * @uid: a user
 * @names: the VMs' names
 * @count: entries in @names
 * @ids: IDs of more VMs; room for as many as there are arguments
 * @nr_ids: entries in @ids
 */
struct kill_options {
	bool has_uid;
	uint32_t uid;
	char **names;
	size_t count;
	uint32_t *ids;
	size_t nr_ids;
};

/* By its ID: the name may belong to another VM a moment later. */
static int kill_vm(struct netlink *netlink, const struct netlink_vm *vm)
{
	const struct netlink_which which = { .id = vm->id };
	int err = netlink_vm_kill(netlink, &which);

	/* It has gone by itself meanwhile. */
	if (!err || err == -ENOENT)
		return 0;
	return family_complain(netlink, vm->name, err);
}

static int kill_name(struct netlink *netlink,
		     const struct kill_options *options, const char *name)
{
	struct netlink_vm vm;
	int code = family_find(netlink, name,
			       options->has_uid ? &options->uid : NULL, &vm);

	return code ? code : kill_vm(netlink, &vm);
}

static int kill_id(struct netlink *netlink, uint32_t id)
{
	struct netlink_vm vm;
	int code = family_find_id(netlink, id, &vm);

	return code ? code : kill_vm(netlink, &vm);
}

/* Return: the exit code of the first one that fails, or 0. */
static int kill_all(struct netlink *netlink, const struct kill_options *options)
{
	int code = 0, failed;

	for (size_t i = 0; i < options->nr_ids; i++) {
		failed = kill_id(netlink, options->ids[i]);
		code = code ? code : failed;
	}
	for (size_t i = 0; i < options->count; i++) {
		failed = kill_name(netlink, options, options->names[i]);
		code = code ? code : failed;
	}
	return code;
}

static void check_options(struct argp_state *state,
			  const struct kill_options *options)
{
	if (!options->count && !options->nr_ids)
		argp_error(state, "name the VMs; `lodge ps` lists them");
	if (options->has_uid && !options->count)
		argp_error(state, "--user goes with a name");
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct kill_options *options = state->input;

	switch (key) {
	case 'u':
		options->has_uid = true;
		if (!user_parse(argument, &options->uid))
			return 0;
		argp_error(state, "--user %s: there is no such user", argument);
		return EINVAL;
	case KEY_ID:
		if (family_id_parse(argument, &options->ids[options->nr_ids++]))
			return 0;
		argp_error(state,
			   "--id %s: it must be a number from 1 to 4294967295",
			   argument);
		return EINVAL;
	case ARGP_KEY_ARGS:
		options->names = state->argv + state->next;
		options->count = state->argc - state->next;
		return 0;
	case ARGP_KEY_END:
		check_options(state, options);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

int kill_command(int argc, char **argv)
{
	static const struct argp_option descriptions[] = {
		{ "user", 'u', "USER", 0,
		  "The VMs are those of USER, a name or a number", 0 },
		{ "id", KEY_ID, "ID", 0,
		  "Stop the VM with this ID (lodge ps --long); may be given "
		  "several times",
		  0 },
		{ NULL, 0, NULL, 0, NULL, 0 },
	};
	static const struct argp argp = {
		.options = descriptions,
		.parser = parse_option,
		.args_doc = "[NAME...]",
		.doc = "Stop virtual machines for ever."
		       "\v"
		       "A guest is not asked, and loses what it has not "
		       "written.  Its controller ends: `lodge run` exits with "
		       "6.\n"
		       "\n"
		       "Examples:\n"
		       "  lodge kill web\n"
		       "  lodge kill --user alice web db\n"
		       "  lodge kill --id 7\n"
		       "\n"
		       "Exit codes: 0 done; 64 the command line is wrong; 68 a "
		       "VM does not exist, or is another user's; 69 the module "
		       "is not loaded; " FAMILY_EXIT_CODES
		       ".  After an error the other VMs are "
		       "stopped all the same.",
	};
	struct kill_options options = { 0 };
	struct netlink *netlink;
	int code;

	options.ids = calloc(argc, sizeof(*options.ids));
	if (!options.ids)
		return complain(EXIT_CODE_RESOURCES, "kill", strerror(ENOMEM),
				NULL);
	code = argp_parse(&argp, argc, argv, 0, NULL, &options) ?
		       EXIT_CODE_USAGE :
		       family_open(&netlink);
	if (!code) {
		code = kill_all(netlink, &options);
		netlink_close(netlink);
	}
	free(options.ids);
	return code;
}
