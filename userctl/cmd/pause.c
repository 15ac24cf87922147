// SPDX-License-Identifier: GPL-2.0
/*
 * `lodge pause` and `lodge resume`: stop a machine in the background for a while.
 */
#include "cmd/command.h"

#include <argp.h>
#include <stddef.h>

#include "cmd/exit_code.h"
#include "cmd/named.h"

/* @opaque: the command of the protocol. */
static int call(const char *name, void *opaque)
{
	return named_request(name, opaque, NULL, CLIENT_PATIENCE_MS);
}

static int call_all(const struct argp *argp, int argc, char **argv,
		    char *command)
{
	struct named_list list = { 0 };

	if (argp_parse(argp, argc, argv, 0, NULL, &list))
		return EXIT_CODE_USAGE;
	return named_each(&list, call, command);
}

int pause_command(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = named_parse,
		.args_doc = "NAME...",
		.doc = "Stop machines in the background for a while."
		       "\v"
		       "The guest's processors and its clocks stand still "
		       "until lodge resume.  One that is paused already stays "
		       "so.\n"
		       "\n"
		       "Examples:\n"
		       "  lodge pause web\n"
		       "  lodge pause web db; sync; lodge resume web db\n"
		       "\n"
		       "Exit codes: 0 done; " NAMED_EXIT_CODES
		       ".  After an error the other machines are paused all "
		       "the same.",
	};

	return call_all(&argp, argc, argv, "pause");
}

int resume_command(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = named_parse,
		.args_doc = "NAME...",
		.doc = "Let machines that were paused or frozen run on."
		       "\v"
		       "One that is frozen is no template any more then.  It "
		       "stays one while clones are being started from it, or "
		       "read a disk that it writes.\n"
		       "\n"
		       "Examples:\n"
		       "  lodge resume web\n"
		       "  lodge resume web db\n"
		       "\n"
		       "Exit codes: 0 done; " NAMED_EXIT_CODES
		       ".  After an error the other machines are resumed all "
		       "the same.",
	};

	return call_all(&argp, argc, argv, "resume");
}
