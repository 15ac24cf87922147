/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The commands of the controller.
 */
#ifndef LODGE_CMD_COMMAND_H
#define LODGE_CMD_COMMAND_H

/**
 * struct command - a command
 * @name: its name on the command line
 * @summary: one line for help
 * @run: carry it out; argv[0] is "lodge NAME"; returns the exit code
 */
struct command {
	const char *name;
	const char *summary;
	int (*run)(int argc, char **argv);
};

/* All commands; the last entry has no name. */
extern const struct command commands[];

/**
 * command_find() - find a command by its name
 *
 * Return: the command, or NULL.
 */
const struct command *command_find(const char *name);

/**
 * command_call() - carry a command out
 * @command: the command
 * @argc: number of arguments, with the command's name
 * @argv: the command's name and its arguments; argv[0] is replaced
 *
 * Return: the exit code; EXIT_CODE_OUTPUT if all is done, but could not be written.
 */
int command_call(const struct command *command, int argc, char **argv);

int run_command(int argc, char **argv);
int console_command(int argc, char **argv);
int exec_command(int argc, char **argv);
int logs_command(int argc, char **argv);
int pause_command(int argc, char **argv);
int resume_command(int argc, char **argv);
int checkpoint_command(int argc, char **argv);
int rewind_command(int argc, char **argv);
int stop_command(int argc, char **argv);
int wait_command(int argc, char **argv);
int rm_command(int argc, char **argv);
int inspect_command(int argc, char **argv);
int image_command(int argc, char **argv);
int save_command(int argc, char **argv);
int restore_command(int argc, char **argv);
int freeze_command(int argc, char **argv);
int clone_command(int argc, char **argv);
int migrate_command(int argc, char **argv);
int replicate_command(int argc, char **argv);
int takeover_command(int argc, char **argv);
int receive_command(int argc, char **argv);
int fuzz_command(int argc, char **argv);
int ps_command(int argc, char **argv);
int top_command(int argc, char **argv);
int stat_command(int argc, char **argv);
int events_command(int argc, char **argv);
int kill_command(int argc, char **argv);
int limit_command(int argc, char **argv);
int doctor_command(int argc, char **argv);
int help_command(int argc, char **argv);

#endif
