/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Describes a command as it would run in this process: its user, directory, environment
 * and terminal.
 */
#ifndef LODGE_CMD_ROOT_COMMAND_H
#define LODGE_CMD_ROOT_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

/**
 * root_command_describe() - describe a command for the guest's agent
 * @root: the directory that is the guest's root, as realpath(3) has it
 * @argv: the command; NULL: the user's shell
 * @terminal: its input and output are this process's terminal
 * @bytes: out: to be freed
 * @size: out
 *
 * A directory outside of @root is the root for the command.
 *
 * Return: 0 or -errno.
 */
int root_command_describe(const char *root, char **argv, bool terminal,
			  void **bytes, size_t *size);

#endif
