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

/* Return: 0 or -errno; @spec.groups is to be freed. */
static int take_own_groups(struct spec *spec)
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

/* Return: 0 or -errno; @spec.groups is to be freed. */
static int take_user(struct spec *spec, const struct root_user *user)
{
	const size_t size = user ? user->nr_groups * sizeof(*user->groups) : 0;

	if (!user) {
		spec->uid = geteuid();
		spec->gid = getegid();
		return take_own_groups(spec);
	}
	spec->uid = user->uid;
	spec->gid = user->gid;
	spec->nr_groups = user->nr_groups;
	spec->groups = malloc(size + 1);
	if (!spec->groups)
		return -ENOMEM;
	memcpy(spec->groups, user->groups, size);
	return 0;
}

/* The last of several values counts. */
static void set_var(char **list, char *var)
{
	const size_t length = strcspn(var, "=") + 1;

	while (*list && strncmp(*list, var, length))
		list++;
	*list = var;
}

static size_t count(char *const *list)
{
	size_t number = 0;

	while (list && list[number])
		number++;
	return number;
}

/* Return: the environment, a list to be freed; or NULL. */
static char **merge(char **user, char **vars)
{
	char **list = calloc(count(environ) + count(user) + count(vars) + 1,
			     sizeof(*list));

	if (!list)
		return NULL;
	if (environ)
		memcpy(list, environ, count(environ) * sizeof(*list));
	for (; user && *user; user++)
		set_var(list, *user);
	for (; vars && *vars; vars++)
		set_var(list, *vars);
	return list;
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

int root_command_describe(const struct root_command *command, void **bytes,
			  size_t *size)
{
	char *shell[] = { getenv("SHELL"), NULL };
	char here[PATH_MAX];
	struct spec spec = {
		.flags = command->ends_guest ? SPEC_ENDS_GUEST : 0,
		.argv = command->argv ? command->argv : shell,
		.directory = (char *)command->directory,
		.envp = merge(command->user ? (char **)command->user->vars :
					      NULL,
			      command->vars),
	};
	int err = spec.envp ? 0 : -ENOMEM;

	if (!shell[0])
		shell[0] = SHELL;
	if (!err && !spec.directory && !getcwd(here, sizeof(here)))
		err = -errno;
	if (!err && !spec.directory)
		spec.directory = directory_in(command->root, here);
	spec.mask = umask(0);
	umask(spec.mask);
	if (command->terminal)
		take_terminal(&spec);
	if (!err)
		err = take_user(&spec, command->user);
	if (!err)
		err = spec_write(&spec, bytes, size);
	free(spec.groups);
	free(spec.envp);
	return err;
}
