// SPDX-License-Identifier: GPL-2.0
/*
 * `lodge restore`: lets a machine go on that was written to a file.
 *
 * The file has the options of the machine, as `lodge inspect` shows them.  Those that only
 * say how it is run are left out, and the command line's take their place.
 */
#include "cmd/command.h"

#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/complain.h"
#include "cmd/exit_code.h"
#include "cmd/image_file.h"
#include "cmd/own_words.h"
#include "cmd/run.h"
#include "cmd/saved_file.h"
#include "control/config.h"

#define KEY_CHECK 0x100
#define KEY_JSON 0x101
#define KEY_NO_SANDBOX 0x102
#define KEY_TRUST 0x103

/**
 * struct restore_options - the command line
 * @path: the file
 * @check: check all of it first
 * @trust: take it from whomever
 * @own: options of the machine that take the place of the file's
 * @detach: run in the background
 * @serial: there is one in @own
 */
struct restore_options {
	const char *path;
	bool check;
	bool trust;
	struct own_words own;
	bool detach;
	bool serial;
};

/* A name of a file is relative to where the user is.  Return: as own_words_add(). */
static int add_serial(struct restore_options *options, const char *value)
{
	static const char *const places[] = { "stdio", "pty", "none" };
	char here[PATH_MAX], *path;
	int err;

	options->serial = true;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (!strcmp(value, places[i]))
			return own_words_add(&options->own, "serial", value);
	if (*value == '/' || !*value || !getcwd(here, sizeof(here)))
		return own_words_add(&options->own, "serial", value);
	if (asprintf(&path, "%s/%s", here, value) < 0)
		return ENOMEM;
	err = own_words_add(&options->own, "serial", path);
	free(path);
	return err;
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct restore_options *options = state->input;

	switch (key) {
	case 'd':
		options->detach = true;
		return own_words_add(&options->own, "detach", NULL);
	case 'n':
		return own_words_add(&options->own, "name", argument);
	case 's':
		return add_serial(options, argument);
	case KEY_JSON:
		return own_words_add(&options->own, "json", NULL);
	case KEY_NO_SANDBOX:
		return own_words_add(&options->own, "no-sandbox", NULL);
	case KEY_CHECK:
		options->check = true;
		return 0;
	case KEY_TRUST:
		options->trust = true;
		return 0;
	case ARGP_KEY_ARG:
		if (options->path)
			argp_error(state, "%s: one file is restored at a time",
				   argument);
		options->path = argument;
		return 0;
	case ARGP_KEY_END:
		if (!options->path)
			argp_error(state, "name a file");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/* @words: the file's, @count of them.  Return: the exit code. */
static int run_words(const struct restore_options *options,
		     const struct saved_file *file, char **words, size_t count,
		     char *name)
{
	char **argv = calloc(count + options->own.count + 2, sizeof(*argv));
	struct run_options run;
	int argc = 0, code;

	if (!argv)
		return complain(EXIT_CODE_RESOURCES, options->path,
				strerror(ENOMEM), NULL);
	argv[argc++] = name;
	for (size_t i = 0; i < count; i++)
		if (!own_words_drop(words[i], options->detach) &&
		    !(options->serial && !strncmp(words[i], "--serial=", 9)))
			argv[argc++] = words[i];
	for (size_t i = 0; i < options->own.count; i++)
		argv[argc++] = options->own.words[i];
	code = saved_file_parse(file, &run, argc, argv);
	if (!code) {
		code = run_machine_of(&run);
		options_free(&run);
	}
	free(argv);
	return code;
}

/* Return: the exit code. */
static int run_saved(const struct restore_options *options,
		     const struct saved_file *file, char *name)
{
	size_t count;
	char **words;
	int code = saved_file_words(file, &words, &count);

	if (code)
		return code;
	code = run_words(options, file, words, count, name);
	config_free_words(words);
	return code;
}

/* Return: 0, or the exit code after a message. */
static int check_memory(const struct restore_options *options,
			const struct saved_file *file)
{
	struct snap_error error;
	int err = options->check ? saved_check(file->saved, &error) : 0;

	return err ? image_complain(options->path, err, &error) : 0;
}

static int restore(const struct restore_options *options, char *name)
{
	struct saved_file file;
	int code = saved_file_open(&file, options->path, options->trust);

	if (code)
		return code;
	code = check_memory(options, &file);
	if (!code)
		code = run_saved(options, &file, name);
	saved_file_close(&file);
	return code;
}

int restore_command(int argc, char **argv)
{
	static const struct argp_option descriptions[] = {
		{ "detach", 'd', NULL, 0,
		  "Run in the background, as lodge run does", 0 },
		{ "name", 'n', "NAME", 0,
		  "Name of the VM (default: the one that was saved)", 0 },
		{ "serial", 's', "WHERE", 0,
		  "Connect the serial ports elsewhere, as for lodge run", 0 },
		{ "check", KEY_CHECK, NULL, 0,
		  "Check all of the file first: what memory holds is checked "
		  "nowhere else",
		  0 },
		{ "trust", KEY_TRUST, NULL, 0,
		  "Take FILE although another user has written it, or could",
		  0 },
		{ "json", KEY_JSON, NULL, 0,
		  "Report the guest's end as one line of JSON on standard "
		  "error",
		  0 },
		{ "no-sandbox", KEY_NO_SANDBOX, NULL, 0,
		  "Do not confine the process, for debugging", 0 },
		{ NULL, 0, NULL, 0, NULL, 0 },
	};
	static const struct argp argp = {
		.options = descriptions,
		.parser = parse_option,
		.args_doc = "FILE",
		.doc = "Let a machine go on that lodge save has written to a "
		       "file."
		       "\v"
		       "The guest's memory is read from FILE as it is used, "
		       "so FILE must stay as it is while the machine runs; "
		       "lodge save may replace it.  Disks and networks are "
		       "opened anew, and the files of disks must hold what "
		       "they held when the machine was saved.  The guest's clocks go on from "
		       "there, its real-time clock has the time of day, and "
		       "its generation ID is a new one.\n"
		       "\n"
		       "FILE says which files, networks and programs of the "
		       "host the machine has: restore only what was written by "
		       "somebody who may act as you.  lodge image info "
		       "--config shows it.\n"
		       "\n"
		       "Examples:\n"
		       "  lodge restore web.save\n"
		       "  lodge restore -d --name web2 web.save\n"
		       "\n"
		       "Exit codes: those of lodge run; 66 also if FILE is "
		       "none of a saved machine or is damaged, or if a disk "
		       "with snapshot=on has another size; 69 also if "
		       "this host's processor lacks a feature or has another "
		       "rate; 77 also if "
		       "FILE is another user's, or if others may write it.",
	};
	struct restore_options options = { 0 };
	int code;

	if (argp_parse(&argp, argc, argv, 0, NULL, &options))
		code = EXIT_CODE_USAGE;
	else
		code = restore(&options, argv[0]);
	own_words_free(&options.own);
	return code;
}
