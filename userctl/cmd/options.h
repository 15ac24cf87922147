/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The command line of `lodge run`.
 */
#ifndef LODGE_CMD_OPTIONS_H
#define LODGE_CMD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "board/layout.h"
#include "cmd/cpu_option.h"
#include "control/config.h"
#include "machine/machine.h"

/* Most files by --config. */
#define OPTIONS_MAX_CONFIGS 8

/**
 * struct serial_place - where a serial port leads to
 * @kind: the console's kind
 * @path: with CONSOLE_FILE: its path, an argument of the command line
 */
struct serial_place {
	enum console_kind kind;
	const char *path;
};

struct background;

/**
 * struct run_incoming - what is done for a machine that comes from another controller
 * @fill: called once the machine is built, and the process confined: fill its memory and
 *	load its state.  @background is NULL if it has no name by which others reach it.
 *	Returns 0, or the exit code after a message
 * @started: called after that, with 0 when it runs, or with -errno
 * @opaque: for both
 */
struct run_incoming {
	int (*fill)(void *opaque, struct machine *machine,
		    struct background *background);
	void (*started)(void *opaque, int err);
	void *opaque;
};

/**
 * struct run_naming - where another name is from if the machine's is taken
 * @next: write another one to where machine_config.name points.  @parent is the directory
 *	of all machines.  Returns 0 or -errno: there is none
 * @opaque: for @next
 */
struct run_naming {
	int (*next)(void *opaque, int parent);
	void *opaque;
};

/**
 * struct run_options - the options of `lodge run`
 * @machine: description of the machine
 * @initrd: the string in @machine.boot.initrd, which this structure owns
 * @serials: where the serial ports lead to; those that the machine has not, to nothing
 * @nr_serials: number of --serial options
 * @json: report the machine's end as JSON
 * @detach: run in the background
 * @no_sandbox: do not confine this process
 * @root: the guest's root is this directory of the host's; or NULL
 * @command: with @root, what runs there, with NULL at the end; NULL: a shell, or in the
 *	background nothing
 * @given: words of @command that --command has, an array of this structure's own
 * @nr_given: entries in @given
 * @directory: names of files are relative to it, or NULL
 * @config: the options as they were given, those of files by --config, too
 * @words: what such files hold, to which other members point
 * @files: entries of @words
 * @inside: the options that are read now are those of such a file
 * @cpu: to which @machine.features points
 * @cpu_weight: cpu.weight of a cgroup of its own, or 0
 * @memory_max: memory.max of a cgroup of its own, in bytes, or 0
 * @incoming: with @machine.saved: the machine comes from another controller; or NULL
 * @naming: another name will do, too; or NULL
 */
struct run_options {
	struct machine_config machine;
	char *initrd;
	struct serial_place serials[SERIAL_MAX];
	unsigned int nr_serials;
	bool json;
	bool detach;
	bool no_sandbox;
	const char *root;
	char **command;
	char **given;
	size_t nr_given;
	const char *directory;
	struct config *config;
	char **words[OPTIONS_MAX_CONFIGS];
	unsigned int files;
	bool inside;
	struct cpu_option cpu;
	uint64_t cpu_weight;
	uint64_t memory_max;
	const struct run_incoming *incoming;
	const struct run_naming *naming;
};

/**
 * options_parse() - read the command line
 * @options: to be filled; most of its strings are those of @argv
 * @argc: number of arguments
 * @argv: argv[0] is the name for messages; the order changes
 * @flags: 0, or flags of argp_parse().  Without ARGP_NO_EXIT, a wrong command
 *	line ends the process with EX_USAGE, and --help ends it with 0
 *
 * Return: 0; EINVAL the command line is wrong; ENOMEM.
 */
int options_parse(struct run_options *options, int argc, char **argv,
		  unsigned int flags);

/**
 * options_note() - add to options.config what no option has said
 * @name: an option's long name
 * @value: its value
 *
 * Return: 0 or -errno.
 */
int options_note(struct run_options *options, const char *name,
		 const char *value);

/**
 * options_keys() - the options that a file by --config may have
 *
 * Return: a list that has a NULL at its end.
 */
const struct config_key *options_keys(void);

/**
 * options_free() - free what options_parse() has allocated
 */
void options_free(struct run_options *options);

#endif
