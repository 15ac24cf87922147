// SPDX-License-Identifier: GPL-2.0
/*
 * The command table.
 */
#include "cmd/command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/complain.h"
#include "cmd/exit_code.h"

const struct command commands[] = {
	{ "run", "start a virtual machine", run_command },
	{ "console",
	  "connect to the serial port of a machine in the background",
	  console_command },
	{ "exec", "run a command in a machine that has --root", exec_command },
	{ "logs", "show what a machine in the background has written",
	  logs_command },
	{ "pause", "stop machines in the background for a while",
	  pause_command },
	{ "resume", "let paused machines run on", resume_command },
	{ "checkpoint", "keep the state of machines, to be put back to it",
	  checkpoint_command },
	{ "rewind", "put machines back to their checkpoints", rewind_command },
	{ "stop", "end machines in the background, by the power button",
	  stop_command },
	{ "wait", "wait for the end of machines, and end as they do",
	  wait_command },
	{ "rm", "forget machines that have ended", rm_command },
	{ "inspect", "show the options of a machine in the background",
	  inspect_command },
	{ "save", "write a machine to a file", save_command },
	{ "restore", "let a machine go on from a file", restore_command },
	{ "freeze", "make machines in the background templates of clones",
	  freeze_command },
	{ "clone", "start machines that go on from a machine, or a file",
	  clone_command },
	{ "migrate", "move a machine to another host while it runs",
	  migrate_command },
	{ "receive", "take a machine that lodge migrate moves",
	  receive_command },
	{ "replicate", "keep another host ready to go on with a machine",
	  replicate_command },
	{ "takeover", "let a machine go on here whose source is gone",
	  takeover_command },
	{ "image", "show, check and convert files of saved machines",
	  image_command },
	{ "fuzz",
	  "run a guest on a fuzzer's inputs, and put it back after each",
	  fuzz_command },
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

/* What a program is to read must be whole.  Return: the exit code. */
static int finish_output(int code)
{
	const char *why = fflush(stdout) ? strerror(errno) :
					   "not all could be written";

	if (code || !ferror(stdout))
		return code;
	return complain(EXIT_CODE_OUTPUT, "standard output", why, NULL);
}

int command_call(const struct command *command, int argc, char **argv)
{
	static char help[] = "--help";
	char name[32];

	/* As people write it; argp itself has -?. */
	if (argc > 1 && !strcmp(argv[1], "-h"))
		argv[1] = help;
	snprintf(name, sizeof(name), "lodge %s", command->name);
	argv[0] = name;
	return finish_output(command->run(argc, argv));
}
