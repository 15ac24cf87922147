// SPDX-License-Identifier: GPL-2.0
/*
 * `lodge exec`: runs a command in a machine that was started with --root.
 */
#include "cmd/command.h"

#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cmd/command_end.h"
#include "cmd/complain.h"
#include "cmd/exit_code.h"
#include "cmd/named.h"
#include "cmd/root_command.h"
#include "cmd/root_user.h"
#include "control/errand.h"
#include "machine/signals.h"
#include "machine/terminal.h"

/* What the agent may have said together with the controller's answer. */
#define REST_MAX 4096

/**
 * struct exec_options - the command line
 * @name: the machine's name
 * @command: what runs in it, with NULL at the end; NULL: the user's shell
 * @terminal: on this terminal
 * @user: its user, or NULL
 * @directory: where it runs, or NULL
 * @vars: its variables, with NULL at the end
 * @nr_vars: entries in @vars
 */
struct exec_options {
	const char *name;
	char **command;
	bool terminal;
	const char *user;
	const char *directory;
	char **vars;
	size_t nr_vars;
};

/**
 * struct running - a command that runs
 * @errand: it
 * @over: eventfd: it is not waited for any more
 * @number: the signal that says so, or 0
 */
struct running {
	struct errand *errand;
	int over;
	int number;
};

/* A variable without a value has that of this process; without that, there is none. */
static int add_var(struct exec_options *options, const char *text)
{
	const char *value = getenv(text);
	char *var = NULL;

	if (!strchr(text, '=') && !value)
		return 0;
	if (asprintf(&var, "%s%s%s", text, strchr(text, '=') ? "" : "=",
		     strchr(text, '=') ? "" : value) < 0)
		return ENOMEM;
	options->vars[options->nr_vars++] = var;
	return 0;
}

static error_t set_var(struct argp_state *state, struct exec_options *options,
		       const char *text)
{
	if (*text && *text != '=')
		return add_var(options, text);
	argp_error(state, "--env %s: write NAME=VALUE, or NAME", text);
	return EINVAL;
}

static error_t check_options(struct argp_state *state,
			     const struct exec_options *options)
{
	if (!options->name)
		argp_error(state, "name a machine; `lodge ps --all` lists "
				  "them");
	else if (options->terminal && !terminal_present())
		argp_error(state, "--tty: standard input is no terminal; leave "
				  "--tty out");
	else if (options->directory && *options->directory != '/')
		argp_error(state,
			   "--workdir %s: it must be a path from the guest's "
			   "root on, with a '/' first",
			   options->directory);
	else
		return 0;
	return EINVAL;
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct exec_options *options = state->input;

	switch (key) {
	case 't':
		options->terminal = true;
		return 0;
	case 'i':
		return 0;
	case 'e':
		return set_var(state, options, argument);
	case 'u':
		options->user = argument;
		return 0;
	case 'w':
		options->directory = argument;
		return 0;
	case ARGP_KEY_ARG:
		if (!options->name) {
			options->name = argument;
			return 0;
		}
		/* What follows a command is its own. */
		options->command = state->argv + state->next - 1;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_END:
		/* A shell at a terminal is one to type to. */
		if (!options->command && terminal_present() &&
		    isatty(STDOUT_FILENO))
			options->terminal = true;
		return check_options(state, options);
	}
	return ARGP_ERR_UNKNOWN;
}

/* Finds the host's directory that a machine has as its root.  Return: 0 or -errno. */
static int root_of(const json_t *config, char path[PATH_MAX])
{
	const char *root = json_string_value(json_object_get(config, "root"));
	const char *from =
		json_string_value(json_object_get(config, "directory"));
	char name[PATH_MAX];

	if (!root)
		return -ENOENT;
	if (snprintf(name, sizeof(name), "%s/%s",
		     *root != '/' && from ? from : "",
		     root) >= (int)sizeof(name))
		return -ENAMETOOLONG;
	return realpath(name, path) ? 0 : -errno;
}

/* Return: 0, or an exit code after a message. */
static int find_root(struct client *client, const char *name,
		     char path[PATH_MAX])
{
	json_t *config;
	int err;

	if (named_call(client, name, "inspect", &config))
		return EXIT_CODE_NO_COMMAND;
	err = root_of(config, path);
	json_decref(config);
	/* Without one there is no agent, as the controller says itself. */
	if (err == -ENOENT)
		strcpy(path, "/");
	else if (err)
		return complain(EXIT_CODE_NO_COMMAND, "the machine's root",
				strerror(-err), NULL);
	return 0;
}

static int complain_user(const char *text, int err)
{
	char what[256];

	snprintf(what, sizeof(what), "--user %s", text);
	return complain(EXIT_CODE_NO_COMMAND, what,
			err == -ENOENT ? "there is no such user in the guest" :
			err == -ESRCH  ? "there is no such group in the guest" :
					 strerror(-err),
			err == -ENOMEM ?
				NULL :
				"/etc/passwd and /etc/group below the host's "
				"directory that is its root list them");
}

/* Return: 0, or an exit code after a message. */
static int describe(const struct exec_options *options, const char *root,
		    void **bytes, size_t *size)
{
	struct root_user user = {};
	const struct root_command command = {
		.root = root,
		.argv = options->command,
		.terminal = options->terminal,
		.user = options->user ? &user : NULL,
		.directory = options->directory,
		.vars = options->vars,
	};
	int err = options->user ? root_user_find(&user, root, options->user) :
				  0;

	if (err)
		return complain_user(options->user, err);
	err = root_command_describe(&command, bytes, size);
	root_user_free(&user);
	return err ? complain(EXIT_CODE_NO_COMMAND, "the command",
			      strerror(-err),
			      err == -E2BIG ? "give it fewer arguments or less "
					      "environment" :
					      NULL) :
		     0;
}

/* Before the guest is up there is no command, and a signal is this process's. */
static void take_signal(void *opaque, int number)
{
	struct running *running = opaque;

	if (errand_signal(running->errand, number))
		return;
	running->number = number;
	eventfd_write(running->over, 1);
}

/* Return: the exit code. */
static int wait_for(struct running *running, const struct exec_options *options)
{
	char **command = options->command;
	struct signals *signals;
	struct errand_end end;
	int err = signals_start(&signals, take_signal, running);

	if (err)
		return complain(EXIT_CODE_NO_COMMAND, "starting",
				strerror(-err), NULL);
	err = errand_run(running->errand, running->over, &end);
	signals_stop(signals);
	if (err)
		return complain(EXIT_CODE_NO_COMMAND, "the command",
				strerror(-err), NULL);
	if (running->number)
		return EXIT_CODE_SIGNAL(running->number);
	command_end_tell(&end, options->name, command ? command[0] : NULL,
			 "name one by --workdir");
	return command_end_code(&end);
}

static int run(const struct exec_options *options, struct client *client,
	       const void *description, size_t size)
{
	char rest[REST_MAX];
	struct errand_config config = {
		.fd = client_fd(client),
		.fds = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO },
		.terminal = options->terminal,
		.rest = rest,
		.rest_size = client_rest(client, rest, sizeof(rest)),
		.description = description,
		.size = size,
	};
	struct running running = {
		.over = eventfd(0, EFD_CLOEXEC),
	};
	int code;

	if (running.over < 0 || fcntl(config.fd, F_SETFL, O_NONBLOCK))
		code = complain(EXIT_CODE_NO_COMMAND, "starting",
				strerror(errno), NULL);
	else if (!(running.errand = errand_new(&config)))
		code = complain(EXIT_CODE_NO_COMMAND, "starting",
				strerror(errno), NULL);
	else
		code = wait_for(&running, options);
	errand_free(running.errand);
	if (running.over >= 0)
		close(running.over);
	return code;
}

static int connect_and_run(const struct exec_options *options,
			   struct client *client)
{
	char root[PATH_MAX];
	void *description;
	size_t size;
	int code = find_root(client, options->name, root);

	if (code)
		return code;
	if (named_call(client, options->name, "exec", NULL))
		return EXIT_CODE_NO_COMMAND;
	code = describe(options, root, &description, &size);
	if (code)
		return code;
	code = run(options, client, description, size);
	free(description);
	return code;
}

static int execute(const struct exec_options *options)
{
	struct client *client;
	int code;

	if (named_find(&client, options->name))
		return EXIT_CODE_NO_COMMAND;
	/* If the reader of the output ends, the command is told. */
	signal(SIGPIPE, SIG_IGN);
	code = connect_and_run(options, client);
	client_close(client);
	return code;
}

static const struct argp_option descriptions[] = {
	{ "tty", 't', NULL, 0, "Give COMMAND a terminal, which is this one",
	  0 },
	{ "interactive", 'i', NULL, 0,
	  "Says nothing: standard input is always connected", 0 },
	{ "env", 'e', "NAME[=VALUE]", 0,
	  "Set a variable of its environment; may be given several times", 0 },
	{ "user", 'u', "USER[:GROUP]", 0,
	  "Run it as a user of the guest, by name or number (default: as this "
	  "one)",
	  0 },
	{ "workdir", 'w', "DIRECTORY", 0,
	  "Run it in DIRECTORY of the guest (default: in the present one, if "
	  "that is below the guest's root)",
	  0 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

static const struct argp argp = {
	.options = descriptions,
	.parser = parse_option,
	.args_doc = "NAME [--] [COMMAND...]",
	.doc = "Run COMMAND, or a shell, in a machine that was started with "
	       "--root."
	       "\v"
	       "It has this process's environment, input and outputs, and gets "
	       "the signals that this process gets; the third in a row of "
	       "which a guest that hangs lets nothing hear ends this process.  A "
	       "shell at a terminal has one, too.  A guest that still starts "
	       "is waited for.  When this process ends before COMMAND, that "
	       "gets SIGHUP, and what it writes goes nowhere.  With --tty, "
	       "Ctrl-] three times in a row leaves it so.\n"
	       "\n"
	       "Examples:\n"
	       "  lodge exec test -- dmesg\n"
	       "  lodge exec -t test bash\n"
	       "  lodge exec -u nobody -w /tmp -e A=1 test -- sh -c 'id; pwd'\n"
	       "\n"
	       "Exit codes: that of COMMAND; 128+N signal N ended it; 64 the "
	       "command line is wrong; 124 the machine ended before it, or it "
	       "was left; 125 it could not be run; 126 it is no program; 127 it "
	       "is not there.",
};

int exec_command(int argc, char **argv)
{
	struct exec_options options = {};
	int code;

	options.vars = calloc(argc + 1, sizeof(*options.vars));
	if (!options.vars)
		return complain(EXIT_CODE_NO_COMMAND, "starting",
				strerror(ENOMEM), NULL);
	code = argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &options) ?
		       EXIT_CODE_USAGE :
		       execute(&options);
	for (size_t i = 0; i < options.nr_vars; i++)
		free(options.vars[i]);
	free(options.vars);
	return code;
}
