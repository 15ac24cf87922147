// SPDX-License-Identifier: GPL-2.0
/*
 * `lodge rm`: forgets machines in the background that have ended.
 */
#include "cmd/command.h"

#include <argp.h>
#include <errno.h>

#include "cmd/complain.h"
#include "cmd/exit_code.h"
#include "cmd/named.h"

static int forget(const char *name, void *opaque)
{
	struct directory directory;
	bool lives;
	int code = named_open(&directory, name, &lives);
	int err;

	if (code)
		return code;
	err = lives ? -EBUSY : directory_remove(directory.parent, name);
	named_close(&directory);
	if (err == -EBUSY)
		return complain(EXIT_CODE_STATE, name, "the machine runs",
				"end it by `lodge stop`");
	/* Another command has removed it meanwhile. */
	if (err && err != -ENOENT)
		return named_complain(name, err, "");
	return 0;
}

int rm_command(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = named_parse,
		.args_doc = "NAME...",
		.doc = "Forget machines in the background that have ended: their "
		       "output, state and options."
		       "\v"
		       "Examples:\n"
		       "  lodge rm web\n"
		       "  lodge stop web && lodge rm web\n"
		       "\n"
		       "Exit codes: 0 done; " NAMED_EXIT_CODES
		       ".  After an error the other machines are forgotten all "
		       "the same.",
	};
	struct named_list list = { 0 };

	if (argp_parse(&argp, argc, argv, 0, NULL, &list))
		return EXIT_CODE_USAGE;
	return named_each(&list, forget, NULL);
}
