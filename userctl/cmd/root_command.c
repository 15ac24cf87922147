// SPDX-License-Identifier: GPL-2.0
/*
 * Describes a command as it would run in this process.
 */
#include "cmd/root_command.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/spec.h"

#define SHELL "/bin/sh"

/* Return: the directory as the guest has it. */
static char *directory_in(const char *root, char *here)
{
	const size_t length = strcmp(root, "/") ? strlen(root) : 0;

	if (strncmp(here, root, length) ||
	    (here[length] && here[length] != '/'))
		return "/";
	return here[length] ? here + length : "/";
}

static int take_groups(struct spec *spec)
{
	const int count = getgroups(0, NULL);

	if (count < 0)
		return -errno;
	spec->groups = calloc(count + 1, sizeof(*spec->groups));
	if (!spec->groups)
		return -ENOMEM;
	spec->nr_groups = count;
	return getgroups(count, spec->groups) < 0 ? -errno : 0;
}

static void take_terminal(struct spec *spec)
{
	struct winsize size;

	spec->flags |= SPEC_TERMINAL(STDIN_FILENO) |
		       SPEC_TERMINAL(STDOUT_FILENO);
	if (isatty(STDERR_FILENO))
		spec->flags |= SPEC_TERMINAL(STDERR_FILENO);
	tcgetattr(STDIN_FILENO, &spec->modes);
	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size))
		return;
	spec->rows = size.ws_row;
	spec->cols = size.ws_col;
}

int root_command_describe(const char *root, char **argv, bool terminal,
			  void **bytes, size_t *size)
{
	char *shell[] = { getenv("SHELL"), NULL };
	char here[PATH_MAX];
	struct spec spec = {
		.flags = SPEC_ENDS_GUEST,
		.uid = geteuid(),
		.gid = getegid(),
		.argv = argv ? argv : shell,
		.envp = environ,
	};
	int err;

	if (!shell[0])
		shell[0] = SHELL;
	if (!getcwd(here, sizeof(here)))
		return -errno;
	spec.directory = directory_in(root, here);
	spec.mask = umask(0);
	umask(spec.mask);
	if (terminal)
		take_terminal(&spec);
	err = take_groups(&spec);
	if (!err)
		err = spec_write(&spec, bytes, size);
	free(spec.groups);
	return err;
}
