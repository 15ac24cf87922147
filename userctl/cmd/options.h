/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The command line of `lodge run`.
 */
#ifndef LODGE_CMD_OPTIONS_H
#define LODGE_CMD_OPTIONS_H

#include <stdbool.h>

#include "machine/machine.h"

/**
 * struct run_options - what the user asked for
 * @machine: all but the console
 * @initrd: owned by this, and what @machine names
 * @serial: the console's kind
 * @serial_path: with CONSOLE_FILE; an argument of the command line
 * @json: the machine's end is told as JSON
 */
struct run_options {
	struct machine_config machine;
	char *initrd;
	enum console_kind serial;
	const char *serial_path;
	bool json;
};

/**
 * options_parse() - read the command line
 * @options: to be filled; its strings are those of @argv
 * @argc: number of arguments
 * @argv: argv[0] is the name for messages; reordered
 * @flags: 0, or flags of argp_parse(): without ARGP_NO_EXIT a wrong command
 *	line ends the process with EX_USAGE, and --help with 0
 *
 * Return: 0; EINVAL a wrong command line; ENOMEM.
 */
int options_parse(struct run_options *options, int argc, char **argv,
		  unsigned int flags);

/**
 * options_free() - free what options_parse() has allocated
 */
void options_free(struct run_options *options);

#endif
