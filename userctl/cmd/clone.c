// SPDX-License-Identifier: GPL-2.0
/*
 * `lodge clone`: starts machines that go on from a machine, or from a file.
 *
 * This process opens the file and reads the options, once.  Then each clone is a child of
 * it, which has both already, and does what `lodge restore --detach` does.
 */
#include "cmd/command.h"

#include <argp.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/clone_name.h"
#include "cmd/clone_source.h"
#include "cmd/complain.h"
#include "cmd/device_option.h"
#include "cmd/exit_code.h"
#include "cmd/named.h"
#include "cmd/run.h"
#include "lib/size.h"

#define MAX_COUNT 1000
#define MAX_WORDS 4
/* And below twice as much: above what people choose. */
#define MIN_CID (1U << 30)
#define KEY_NAME 0x100
#define KEY_NO_SANDBOX 0x101
#define KEY_TRUST 0x102

/**
 * struct clone_options - the command line
 * @source: a machine's name, or a path
 * @name: the clones' name, or NULL
 * @count: number of clones
 * @no_sandbox: do not confine them
 * @trust: take a file from whomever
 */
struct clone_options {
	const char *source;
	const char *name;
	uint64_t count;
	bool no_sandbox;
	bool trust;
};

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct clone_options *options = state->input;

	switch (key) {
	case 'n':
		if (number_parse(argument, &options->count) ||
		    !options->count || options->count > MAX_COUNT)
			argp_error(state,
				   "--count %s: must be a number from 1 to %d",
				   argument, MAX_COUNT);
		return 0;
	case KEY_NAME:
		options->name = argument;
		return 0;
	case KEY_NO_SANDBOX:
		options->no_sandbox = true;
		return 0;
	case KEY_TRUST:
		options->trust = true;
		return 0;
	case ARGP_KEY_ARG:
		if (options->source)
			argp_error(state,
				   "%s: clones are made of one machine or file "
				   "at a time",
				   argument);
		options->source = argument;
		return 0;
	case ARGP_KEY_END:
		if (!options->source)
			argp_error(state, "name a machine or a file");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/*
 * Gives the guest another address for its sockets, of which each machine of a host has one
 * of its own: one of so many that nobody else has it.  Return: 0 or -errno.
 */
static int renew_address(struct run_options *run)
{
	char text[32], why[128];
	uint32_t cid;
	int err;

	if (!devices_wants(&run->machine.devices, devices_find("virtio-vsock"),
			   0))
		return 0;
	if (getrandom(&cid, sizeof(cid), 0) != sizeof(cid))
		return -EIO;
	cid = MIN_CID + cid % MIN_CID;
	snprintf(text, sizeof(text), "virtio-vsock,cid=%u", cid);
	err = device_option_parse(&run->machine.devices, text, why,
				  sizeof(why));
	if (err)
		return err;
	snprintf(text, sizeof(text), "%u", cid);
	return options_note(run, "vsock", text);
}

/*
 * The child's own end is the clone's, or that it runs.  A clone commands no other machine.
 * A lock on the directory above all is one that forks share: were this process killed while
 * it has one, clones would keep it.
 */
__attribute__((noreturn)) static void become(struct clone_source *source,
					     struct run_options *run,
					     struct clone_names *names)
{
	int err;

	client_close(source->client);
	if (names->parent >= 0)
		close(names->parent);
	names->parent = -1;
	err = renew_address(run);
	if (err)
		exit(complain(EXIT_CODE_RESOURCES, "--vsock", strerror(-err),
			      NULL));
	exit(run_machine_of(run));
}

/* Return: 0: it runs; or the exit code after a message. */
static int start(struct clone_source *source, struct run_options *run,
		 struct clone_names *names)
{
	pid_t child;
	int status;

	fflush(NULL);
	child = fork();
	if (!child)
		become(source, run, names);
	if (child < 0)
		return complain(EXIT_CODE_RESOURCES, "starting",
				strerror(errno), NULL);
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return EXIT_CODE_INTERNAL;
	return WIFEXITED(status) ? WEXITSTATUS(status) :
				   EXIT_CODE_SIGNAL(WTERMSIG(status));
}

static int complain_name(const char *base)
{
	return complain(EXIT_CODE_USAGE, base,
			"with a number behind it, it is too long for a "
			"machine's name",
			"choose another one by --name");
}

/**
 * struct naming - the name of a clone, while it is started
 * @names: where it is from
 * @name: it
 */
struct naming {
	struct clone_names *names;
	char name[LODGE_NAME_SIZE];
};

/* Called in the clone, which has the directory open. */
static int rename_clone(void *opaque, int parent)
{
	struct naming *naming = opaque;

	naming->names->parent = parent;
	return clone_name(naming->names, naming->name);
}

/* Return: 0, or the exit code of the first that has not started. */
static int start_all(struct clone_source *source, struct run_options *run,
		     struct clone_names *names)
{
	struct naming naming = { .names = names };
	const struct run_naming other = { .next = rename_clone,
					  .opaque = &naming };
	unsigned int started = 0;
	int code = 0;

	run->machine.name = naming.name;
	run->naming = names->given ? NULL : &other;
	while (started < names->count && !code) {
		if (clone_name(names, naming.name))
			code = complain_name(names->base);
		else
			code = start(source, run, names);
		started += !code;
	}
	if (code && names->count > 1)
		fprintf(stderr, "lodge: %u of %u clones were started\n",
			started, names->count);
	return code;
}

/* Return: 0 or the exit code after a message. */
static int start_named(struct clone_source *source,
		       const struct clone_options *options,
		       struct run_options *run)
{
	struct clone_names names = {
		/* Of a file, which may not say how its machine was called. */
		.base = run->machine.name ? run->machine.name : "clone",
		.given = options->name,
		.count = options->count,
		.parent = named_parent(),
	};
	int code = start_all(source, run, &names);

	if (names.parent >= 0)
		close(names.parent);
	return code;
}

/* Adds the words that this command line has for the clones.  Return: their number. */
static int add_words(const struct clone_options *options, char **argv,
		     char *name)
{
	static char detach[] = "--detach", no_sandbox[] = "--no-sandbox";
	int argc = 0;

	argv[argc++] = detach;
	if (options->no_sandbox)
		argv[argc++] = no_sandbox;
	if (name)
		argv[argc++] = name;
	return argc;
}

/* @name: NULL, or --name=NAME */
static int parse_and_start(struct clone_source *source,
			   const struct clone_options *options, char *command,
			   char *name)
{
	char **argv = calloc(source->count + MAX_WORDS + 1, sizeof(*argv));
	struct run_options run;
	int argc = 0, code;

	if (!argv)
		return complain(EXIT_CODE_RESOURCES, options->source,
				strerror(ENOMEM), NULL);
	argv[argc++] = command;
	for (size_t i = 0; i < source->count; i++)
		argv[argc++] = source->words[i];
	argc += add_words(options, argv + argc, name);
	code = saved_file_parse(&source->file, &run, argc, argv);
	if (!code) {
		run.machine.clone = true;
		code = start_named(source, options, &run);
		options_free(&run);
	}
	free(argv);
	return code;
}

static int clone_machines(const struct clone_options *options, char *command)
{
	struct clone_source source;
	char *name = NULL;
	int code;

	if (options->name && asprintf(&name, "--name=%s", options->name) < 0)
		return complain(EXIT_CODE_RESOURCES, options->name,
				strerror(ENOMEM), NULL);
	code = clone_source_open(&source, options->source, options->trust);
	if (!code)
		code = parse_and_start(&source, options, command, name);
	clone_source_close(&source);
	free(name);
	return code;
}

int clone_command(int argc, char **argv)
{
	static const struct argp_option descriptions[] = {
		{ "count", 'n', "COUNT", 0,
		  "Number of clones, 1 to 1000 (default 1); with other "
		  "commands, -n is --name",
		  0 },
		{ "name", KEY_NAME, "NAME", 0,
		  "Name of the clone; of several, NAME-1, NAME-2... (default: "
		  "that of the machine, with numbers that are free)",
		  0 },
		{ "trust", KEY_TRUST, NULL, 0,
		  "Take FILE although another user has written it, or could",
		  0 },
		{ "no-sandbox", KEY_NO_SANDBOX, NULL, 0,
		  "Do not confine the processes, for debugging", 0 },
		{ NULL, 0, NULL, 0, NULL, 0 },
	};
	static const struct argp argp = {
		.options = descriptions,
		.parser = parse_option,
		.args_doc = "NAME|FILE",
		.doc = "Start machines in the background that go on from a "
		       "machine, or from a file of lodge save."
		       "\v"
		       "A machine that lodge freeze has made a template is "
		       "cloned at once, however much memory it has.  One that "
		       "runs, or is paused, is copied first, and goes on.  An "
		       "argument with a '/', or which is the name of no "
		       "machine but of a file, is a file.\n"
		       "\n"
		       "Clones share the memory that they do not write.  Each "
		       "has a name, a generation ID, an address of --vsock "
		       "and, unless mac= says otherwise, MAC addresses of its "
		       "own.  It reads the "
		       "disks that the machine had, and what it writes to "
		       "them is forgotten in the end, as with snapshot=on.  Forwarded ports and files of --serial "
		       "are left out.  The names of those that run are "
		       "written.\n"
		       "\n"
		       "Examples:\n"
		       "  lodge freeze web; lodge clone web -n 8\n"
		       "  lodge clone web --name copy\n"
		       "  lodge clone ./web.save -n 2 --name test\n"
		       "\n"
		       "Exit codes: those of lodge restore --detach; " NAMED_EXIT_CODES
		       ".  After an error no further clone is started, and "
		       "those that run go on.",
	};
	struct clone_options options = { .count = 1 };

	if (argp_parse(&argp, argc, argv, 0, NULL, &options))
		return EXIT_CODE_USAGE;
	return clone_machines(&options, argv[0]);
}
