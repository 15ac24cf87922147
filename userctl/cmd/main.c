// SPDX-License-Identifier: GPL-2.0
/*
 * The controller `lodge`: finds the command and calls it.
 */
#include <argp.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/exit_code.h"

/* LODGE_VERSION comes from the Makefile. */
const char *argp_program_version = "lodge " LODGE_VERSION;

/* Opens the standard descriptors that are closed: no other file may get their numbers. */
static void fill_standard_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	close(fd);
}

int main(int argc, char **argv)
{
	const struct command *command;
	char *help[] = { NULL, NULL };

	fill_standard_descriptors();
	if (argc < 2) {
		fputs("lodge: no command given; `lodge help` lists them\n",
		      stderr);
		return EXIT_CODE_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return command_call(command_find("help"), 1, help);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts(argp_program_version);
		return 0;
	}
	command = command_find(argv[1]);
	if (!command) {
		fprintf(stderr,
			"lodge: %s: there is no such command; `lodge help` lists "
			"them\n",
			argv[1]);
		return EXIT_CODE_USAGE;
	}
	return command_call(command, argc - 1, argv + 1);
}
