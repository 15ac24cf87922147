// SPDX-License-Identifier: GPL-2.0
/*
 * `lodge help`: shows the list of commands, or the help of one.
 */
#include "cmd/command.h"

#include <stdio.h>
#include <string.h>

#include "cmd/exit_code.h"

static void show_commands(void)
{
	const struct command *command;

	puts("Usage: lodge [--help] [--version] COMMAND [ARGUMENT...]\n"
	     "Run virtual machines on Linux with AMD-V or VT-x.\n\n"
	     "Commands:");
	for (command = commands; command->name; command++)
		printf("  %-11s%s\n", command->name, command->summary);
	puts("\nExamples:\n"
	     "  lodge doctor\n"
	     "  lodge run --kernel vmlinuz --initrd initrd.img \\\n"
	     "      --append \"console=ttyS0\" --memory 1G --cpus 2\n"
	     "  lodge ps\n"
	     "\n`lodge help COMMAND` or `lodge COMMAND --help` tells more; so does "
	     "the man page lodge(1).");
}

int help_command(int argc, char **argv)
{
	const struct command *command;
	char help[] = "--help";
	char *arguments[] = { NULL, help, NULL };

	if (argc < 2 || (argc == 2 && !strcmp(argv[1], "--help"))) {
		show_commands();
		return 0;
	}
	if (argc > 2) {
		fprintf(stderr, "lodge: help %s %s: name one command\n",
			argv[1], argv[2]);
		return EXIT_CODE_USAGE;
	}
	command = command_find(argv[1]);
	if (command && command->run != help_command)
		return command_call(command, 2, arguments);
	if (command) {
		show_commands();
		return 0;
	}
	fprintf(stderr,
		"lodge: help %s: there is no such command; `lodge help` "
		"lists them\n",
		argv[1]);
	return EXIT_CODE_USAGE;
}
