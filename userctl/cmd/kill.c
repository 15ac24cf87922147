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

#include "cmd/exit_code.h"
#include "cmd/family.h"
#include "lib/user.h"

/**
 * struct kill_options - the command line
 * @has_uid: the VMs are those of @uid
 * @uid: a user
 * @names: the VMs' names
 * @count: entries in @names
 */
struct kill_options {
	bool has_uid;
	uint32_t uid;
	char **names;
	size_t count;
};

/* By its ID: the name may belong to another VM a moment later. */
static int kill_vm(struct netlink *netlink, const struct kill_options *options,
		   const char *name)
{
	struct netlink_which which = { 0 };
	struct netlink_vm vm;
	int code, err;

	code = family_find(netlink, name,
			   options->has_uid ? &options->uid : NULL, &vm);
	if (code)
		return code;
	which.id = vm.id;
	err = netlink_vm_kill(netlink, &which);
	/* It has gone by itself meanwhile. */
	if (!err || err == -ENOENT)
		return 0;
	return family_complain(netlink, name, err);
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
	case ARGP_KEY_ARGS:
		options->names = state->argv + state->next;
		options->count = state->argc - state->next;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "name the VMs; `lodge ps` lists them");
		return EINVAL;
	}
	return ARGP_ERR_UNKNOWN;
}

int kill_command(int argc, char **argv)
{
	static const struct argp_option descriptions[] = {
		{ "user", 'u', "USER", 0,
		  "The VMs are those of USER, a name or a number", 0 },
		{ NULL, 0, NULL, 0, NULL, 0 },
	};
	static const struct argp argp = {
		.options = descriptions,
		.parser = parse_option,
		.args_doc = "NAME...",
		.doc = "Stop virtual machines for ever."
		       "\v"
		       "A guest is not asked, and loses what it has not "
		       "written.  Its controller ends: `lodge run` exits with "
		       "6.\n"
		       "\n"
		       "Examples:\n"
		       "  lodge kill web\n"
		       "  lodge kill --user alice web db\n"
		       "\n"
		       "Exit codes: 0 done; 64 the command line is wrong; 68 a "
		       "VM does not exist, or is another user's; 69 the module "
		       "is not loaded.  After an error the other VMs are "
		       "stopped all the same.",
	};
	struct kill_options options = { 0 };
	struct netlink *netlink;
	int code, failed;

	if (argp_parse(&argp, argc, argv, 0, NULL, &options))
		return EXIT_CODE_USAGE;
	code = family_open(&netlink);
	if (code)
		return code;
	for (size_t i = 0; i < options.count; i++) {
		failed = kill_vm(netlink, &options, options.names[i]);
		code = code ? code : failed;
	}
	netlink_close(netlink);
	return code;
}
