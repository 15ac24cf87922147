/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Describes a command as it would run in this process: its user, directory, environment
 * and terminal.
 */
#ifndef LODGE_CMD_ROOT_COMMAND_H
#define LODGE_CMD_ROOT_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "cmd/root_user.h"

/**
 * struct root_command - a command, and what is not as in this process
 * @root: the directory that is the guest's root, as realpath(3) has it
 * @argv: its words, with NULL at the end; NULL: the user's shell
 * @terminal: its input and output are a terminal, as standard input is
 * @ends_guest: its end is the guest's
 * @user: its user; or NULL: that of this process
 * @directory: where it runs; or NULL: in the present directory, or in the root if that is
 *	not below @root
 * @vars: NAME=VALUE for its environment, beside this process's, or NULL; NULL ends them
 */
struct root_command {
	const char *root;
	char **argv;
	bool terminal;
	bool ends_guest;
	const struct root_user *user;
	const char *directory;
	char **vars;
};

/**
 * root_command_describe() - describe a command for the guest's agent
 * @bytes: out: to be freed
 * @size: out
 *
 * Return: 0; -E2BIG its texts are too many; -errno.
 */
int root_command_describe(const struct root_command *command, void **bytes,
			  size_t *size);

#endif
