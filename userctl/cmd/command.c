// SPDX-License-Identifier: GPL-2.0
/*
 * The command table.
 */
#include "cmd/command.h"

#include <stdio.h>
#include <string.h>

const struct command commands[] = {
	{ "run", "start a virtual machine", run_command },
	{ "ps", "list the virtual machines of this host", ps_command },
	{ "top", "show all virtual machines, live", top_command },
	{ "stat", "show what a virtual machine does", stat_command },
	{ "events", "tell what has happened to virtual machines",
	  events_command },
	{ "kill", "stop virtual machines for ever", kill_command },
	{ "limit", "show or set what users may hold", limit_command },
	{ "doctor", "check whether this host can run virtual machines",
	  doctor_command },
	{ "help", "show the help of a command", help_command },
	{ NULL, NULL, NULL },
};

const struct command *command_find(const char *name)
{
	const struct command *command;

	for (command = commands; command->name; command++)
		if (!strcmp(command->name, name))
			return command;
	return NULL;
}

int command_call(const struct command *command, int argc, char **argv)
{
	char name[32];

	snprintf(name, sizeof(name), "lodge %s", command->name);
	argv[0] = name;
	return command->run(argc, argv);
}
