// SPDX-License-Identifier: GPL-2.0
/*
 * `lodge run`: starts a virtual machine and reports its end.
 */
#include "cmd/command.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/background.h"
#include "cmd/complain.h"
#include "cmd/detach.h"
#include "cmd/exit_code.h"
#include "cmd/json.h"
#include "cmd/options.h"
#include "cmd/own_cgroup.h"
#include "cmd/report.h"
#include "cmd/root.h"
#include "cmd/run.h"
#include "cmd/step_refusal.h"
#include "machine/machine.h"
#include "sandbox/leftover.h"
#include "sandbox/sandbox.h"

#define DEBUG_EXIT_MASK 0xff

static void show_keys(void)
{
	fputs("\nCtrl-A h    these keys\n"
	      "Ctrl-A i    show the state of each vCPU\n"
	      "Ctrl-A p    press the power button\n"
	      "Ctrl-A x    end the machine\n"
	      "Ctrl-A a    send Ctrl-A\n",
	      stderr);
}

static void show_state(const struct crash *state, const struct vcpu_exit *last)
{
	if (!state->vcpu)
		fputc('\n', stderr);
	report_state(stderr, state, last);
}

static void tell_resets(void)
{
	fprintf(stderr,
		"\nlodge: the guest has reset more than %d times in as many "
		"seconds; --no-reboot ends it at the first\n",
		MACHINE_MANY_RESETS);
}

/* Return: the machine's end as a word for programs. */
static const char *fate_name(enum machine_fate fate)
{
	switch (fate) {
	case MACHINE_POWERED_OFF:
		return "power-off";
	case MACHINE_RESET:
		return "reset";
	case MACHINE_EXITED:
		return "debug-exit";
	case MACHINE_CRASHED:
		return "crash";
	case MACHINE_SIGNALLED:
		return "signal";
	case MACHINE_QUIT:
		return "quit";
	case MACHINE_KILLED:
		return "killed";
	case MACHINE_MIGRATED:
		return "migrated";
	}
	return "unknown";
}

static int exit_code_of(const struct machine_end *end)
{
	switch (end->fate) {
	case MACHINE_POWERED_OFF:
	case MACHINE_QUIT:
	case MACHINE_MIGRATED:
		return EXIT_CODE_POWER_OFF;
	case MACHINE_RESET:
		return EXIT_CODE_RESET;
	case MACHINE_EXITED:
		return end->code & DEBUG_EXIT_MASK;
	case MACHINE_CRASHED:
		return end->crash.error ? EXIT_CODE_INTERNAL : EXIT_CODE_CRASH;
	case MACHINE_SIGNALLED:
		return EXIT_CODE_SIGNAL(end->code);
	case MACHINE_KILLED:
		return EXIT_CODE_KILLED;
	}
	return EXIT_CODE_INTERNAL;
}

/* @root: it may have an end of its own; or NULL */
static void write_end(FILE *file, const struct machine_end *end,
		      const struct root *root)
{
	struct json json;
	const char *word;
	int code;

	json_start(&json, file);
	json_open(&json, NULL, '{');
	word = root ? root_end(root, &code) : NULL;
	if (word) {
		json_text(&json, "end", word);
		json_number(&json, "code", code);
		json_close(&json, '}');
		json_finish(&json);
		return;
	}
	json_text(&json, "end", fate_name(end->fate));
	json_number(&json, "code", exit_code_of(end));
	if (end->fate == MACHINE_CRASHED)
		report_json(&json, "crash", &end->crash);
	if (end->fate == MACHINE_RESET)
		json_text(&json, "cause",
			  end->triple_fault ? "triple-fault" : "request");
	if (end->lost_output)
		json_text(&json, "lost_output", strerror(-end->lost_output));
	json_close(&json, '}');
	json_finish(&json);
}

static void tell_end(const struct run_options *options,
		     const struct machine_end *end, const struct root *root)
{
	if (options->json) {
		write_end(stderr, end, root);
		return;
	}
	if (end->fate == MACHINE_CRASHED)
		report_text(stderr, &end->crash);
	if (end->fate == MACHINE_KILLED)
		fputs("lodge: the VM was killed; `lodge events` has the time\n",
		      stderr);
	if (end->fate == MACHINE_MIGRATED)
		fputs("lodge: the machine runs elsewhere now\n", stderr);
	if (end->fate == MACHINE_RESET && end->triple_fault)
		fputs("lodge: the guest reset by a triple fault; --on-crash "
		      "stop reports it\n",
		      stderr);
	if (end->lost_output && end->lost_output != -EPIPE)
		fprintf(stderr, "lodge: serial output was lost: %s\n",
			strerror(-end->lost_output));
}

/* Keeps the end for `lodge inspect`. */
static void record_end(struct background *background,
		       const struct machine_end *end, const struct root *root)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		return;
	write_end(file, end, root);
	if (!fclose(file))
		background_set_end(background, text);
	free(text);
}

/*
 * @background: where standard input and output would be, there are none; or NULL
 *
 * Return: 0 or an exit code.
 */
static int open_console(const struct serial_place *place,
			const struct machine *machine,
			struct background *background, struct console **console)
{
	int err;

	/* Opening it would empty it. */
	if (place->kind == CONSOLE_FILE &&
	    machine_starts_from(machine, place->path))
		return complain(EXIT_CODE_OUTPUT, place->path,
				"is what the machine starts from",
				"choose another place by --serial");
	if (background && place->kind == CONSOLE_STDIO)
		err = background_console(background, console);
	else
		err = console_open(console, place->kind, place->path);
	if (err)
		return complain(EXIT_CODE_OUTPUT,
				place->kind == CONSOLE_FILE ? place->path :
							      "the serial port",
				strerror(-err),
				"choose another place by --serial");
	return 0;
}

/*
 * Called when the machine is built: a bad command line must empty no output file.
 * Return: 0 or an exit code; what was opened is in @consoles.
 */
static int open_consoles(const struct run_options *options,
			 const struct machine *machine,
			 struct background *background,
			 struct console **consoles)
{
	const char *path;
	int code = 0;

	for (unsigned int i = 0; i < SERIAL_MAX && !code; i++) {
		code = open_console(&options->serials[i], machine, background,
				    &consoles[i]);
		path = code ? NULL : console_path(consoles[i]);
		if (path && options->nr_serials > 1)
			fprintf(stderr, "lodge: the serial port COM%u is %s\n",
				i + 1, path);
		else if (path)
			fprintf(stderr, "lodge: the serial port is %s\n", path);
	}
	return code;
}

/* Return: 0 or an exit code. */
static int open_root_consoles(struct root *root, struct console **consoles)
{
	int err = root_console(root, &consoles[0]);

	for (unsigned int i = 1; i < SERIAL_MAX && !err; i++)
		err = console_open(&consoles[i], CONSOLE_NONE, NULL);
	return err ? complain(EXIT_CODE_RESOURCES, "the serial port",
			      strerror(-err), NULL) :
		     0;
}

/* True if a terminal is in the midst of a line of the guest's. */
static bool in_line(struct console *const *consoles)
{
	bool in = false;

	for (size_t i = 0; i < SERIAL_MAX; i++)
		in |= console_in_line(consoles[i]);
	return in;
}

/*
 * Confines the process, which has all that it needs by now.
 *
 * Return: 0 or an exit code.
 */
static int confine(const struct run_options *options,
		   struct background *background)
{
	int report = STDERR_FILENO;
	int parts, err;

	if (options->detach)
		report = background_leave(background);
	if (options->no_sandbox)
		return 0;
	/* A guest that takes the process over would have them, too. */
	detach_close_inherited();
	err = leftovers_guard();
	parts = err ? err : sandbox_enter(report);
	return parts < 0 ?
		       complain(EXIT_CODE_HOST, "the sandbox", strerror(-parts),
				"--no-sandbox runs without it") :
		       0;
}

/* Lets a machine that was started run to its end. */
static void serve(struct machine *machine, struct background *background,
		  struct root *root, bool detached)
{
	if (root && root_start(root, machine, detached ? background : NULL))
		machine_end(machine);
	if (background)
		background_serve(background, machine,
				 root ? root_mux(root) : NULL);
	if (root)
		root_join(root);
}

/* Return: 0 or an exit code. */
static int open_all_consoles(const struct run_options *options,
			     const struct machine *machine,
			     struct background *background, struct root *root,
			     struct console **consoles)
{
	if (root && !options->detach)
		return open_root_consoles(root, consoles);
	return open_consoles(options, machine,
			     options->detach ? background : NULL, consoles);
}

/* Return: 0 or -errno. */
static int start(const struct run_options *options, struct machine *machine,
		 struct console *const *consoles, struct machine_error *error)
{
	const struct run_incoming *incoming = options->incoming;
	int err = machine_start(machine, consoles, error);

	if (incoming)
		incoming->started(incoming->opaque, err);
	return err;
}

/* Return: 0 or an exit code. */
static int fill(const struct run_options *options, struct machine *machine,
		struct background *background)
{
	const struct run_incoming *incoming = options->incoming;

	return incoming ?
		       incoming->fill(incoming->opaque, machine, background) :
		       0;
}

static int run_machine(struct run_options *options, struct machine *machine,
		       struct background *background, struct root *root)
{
	struct machine_error error;
	struct machine_end *end = calloc(1, sizeof(*end));
	struct console *consoles[SERIAL_MAX] = { NULL };
	int code, err;

	if (!end)
		return complain(EXIT_CODE_RESOURCES, "starting",
				strerror(ENOMEM), NULL);
	code = open_all_consoles(options, machine, background, root, consoles);
	if (!code)
		code = confine(options, background);
	if (!code)
		code = fill(options, machine, background);
	if (!code) {
		err = start(options, machine, consoles, &error);
		if (!err) {
			serve(machine, background, root, options->detach);
			err = machine_wait(machine, end, &error);
		}
		code = err ? complain_step(options, err, &error) :
			     exit_code_of(end);
		/* Begin the report on a new line. */
		if (in_line(consoles) && isatty(STDERR_FILENO))
			fputc('\n', stderr);
		if (!err)
			tell_end(options, end, root);
		if (!err && background)
			record_end(background, end, root);
	}
	for (size_t i = 0; i < SERIAL_MAX; i++)
		console_close(consoles[i]);
	free(end);
	return code;
}

static int run_with_options(struct run_options *options,
			    struct background *background, struct root *root)
{
	struct machine_error error;
	struct machine *machine;
	int err, code;

	if (options->no_sandbox)
		warn_of_no_sandbox();
	options->machine.help = show_keys;
	options->machine.show = show_state;
	options->machine.resets = tell_resets;
	err = machine_new(&machine, &options->machine, &error);
	if (err)
		return complain_step(options, err, &error);
	if (*error.boot.warning)
		fprintf(stderr, "lodge: warning: %s\n", error.boot.warning);
	if (root)
		root_loaded(root);
	code = run_machine(options, machine, background, root);
	machine_free(machine);
	leftovers_finish();
	return code;
}

/* With --root the command's end counts, and not the machine's. */
static int run_perhaps_root(struct run_options *options,
			    struct background *background)
{
	struct root *root;
	int code;

	if (!options->root)
		return run_with_options(options, background, NULL);
	if (root_open(&root, options))
		return EXIT_CODE_NO_COMMAND;
	code = root_exit_code(root,
			      run_with_options(options, background, root));
	root_close(root);
	return code;
}

/* A failure before there is a machine.  With --root no command has ended so. */
static int early_code(const struct run_options *options, int code)
{
	return options->root && !options->detach ? EXIT_CODE_NO_COMMAND : code;
}

/* The cgroup must be there before the guest's memory is. */
static int run_in_cgroup(struct run_options *options,
			 struct background *background)
{
	struct cgroup_own own;
	int code;

	if (!options->cpu_weight && !options->memory_max)
		return run_perhaps_root(options, background);
	code = own_cgroup_enter(&own, options->cpu_weight, options->memory_max);
	if (code)
		return early_code(options, code);
	code = run_perhaps_root(options, background);
	cgroup_leave(&own);
	return code;
}

/* In a process of its own. */
static int run_in_background(void *opaque, int caller)
{
	struct run_options *options = opaque;
	struct background *background;
	int code = background_open(&background, options, caller);

	if (code)
		return code;
	code = run_in_cgroup(options, background);
	background_close(background, code);
	return code;
}

/* Others reach it by its name, too, where there is a place for that. */
static int run_in_foreground(struct run_options *options)
{
	struct background *background;
	int code = background_open_front(&background, options);

	if (code)
		return early_code(options, code);
	code = run_in_cgroup(options, background);
	background_close(background, code);
	return code;
}

/* Return: a file that a saved machine looks for by a relative path; or NULL. */
static const char *relative_file(const struct run_options *options)
{
	for (unsigned int i = 0; i < options->nr_serials; i++)
		if (options->serials[i].kind == CONSOLE_FILE &&
		    *options->serials[i].path != '/')
			return options->serials[i].path;
	if (options->root && *options->root != '/')
		return options->root;
	return devices_relative(&options->machine.devices);
}

/* Return: 0 or an exit code. */
static int complain_directory(const struct run_options *options, int err)
{
	const char *file = relative_file(options);
	char remedy[PATH_MAX + 64];

	if (!options->machine.saved)
		return complain(EXIT_CODE_IMAGE, options->directory,
				strerror(err),
				"name a directory by --directory");
	/* It has its kernel with it, and needs the directory for other files alone. */
	if (!file)
		return 0;
	snprintf(remedy, sizeof(remedy),
		 "make it again: there the machine looks for %s", file);
	return complain(EXIT_CODE_IMAGE, options->directory, strerror(err),
			remedy);
}

static int run_as_asked(struct run_options *options)
{
	int code = 0, err;

	if (options->directory && chdir(options->directory))
		code = complain_directory(options, errno);
	if (code)
		return early_code(options, code);
	if (!options->detach)
		return run_in_foreground(options);
	err = detach(run_in_background, options, &code);
	return err ? complain(EXIT_CODE_RESOURCES, "starting", strerror(-err),
			      NULL) :
		     code;
}

int run_machine_of(struct run_options *options)
{
	/* If the reader of the output ends, the terminal must still be restored. */
	signal(SIGPIPE, SIG_IGN);
	/* A disk's file that may not grow is an error for the guest (RLIMIT_FSIZE). */
	signal(SIGXFSZ, SIG_IGN);
	return run_as_asked(options);
}

int run_command(int argc, char **argv)
{
	struct run_options options;
	int code, err;

	err = options_parse(&options, argc, argv, 0);
	if (err)
		return complain(EXIT_CODE_RESOURCES, "reading the command line",
				strerror(err), NULL);
	code = run_machine_of(&options);
	options_free(&options);
	return code;
}
