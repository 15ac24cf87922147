/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The commands of the controller.
 */
#ifndef LODGE_CMD_COMMAND_H
#define LODGE_CMD_COMMAND_H

/**
 * struct command - a command
 * @name: what the user types
 * @summary: one line for help
 * @run: carries it out; argv[0] is "lodge NAME"; returns the exit code
 */
struct command {
	const char *name;
	const char *summary;
	int (*run)(int argc, char **argv);
};

/* All of them; the last has no name. */
extern const struct command commands[];

/**
 * command_find() - look a command up
 *
 * Return: the command, or NULL.
 */
const struct command *command_find(const char *name);

/**
 * command_call() - carry a command out
 * @command: which one
 * @argc: arguments, with the command's name first
 * @argv: the arguments; argv[0] is replaced
 *
 * Return: the exit code.
 */
int command_call(const struct command *command, int argc, char **argv);

int run_command(int argc, char **argv);
int doctor_command(int argc, char **argv);
int help_command(int argc, char **argv);

#endif
