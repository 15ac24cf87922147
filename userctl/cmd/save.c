// SPDX-License-Identifier: GPL-2.0
/*
 * `lodge save`: writes a machine to a file.
 *
 * The file is opened here and handed to the controller, which is confined and opens none;
 * here it gets its name, once it is whole.  With --stop the machine stays held until then,
 * and runs on if this command ends before.
 */
#include "cmd/command.h"

#include <argp.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/complain.h"
#include "cmd/exit_code.h"
#include "cmd/image_file.h"
#include "cmd/named.h"
#include "control/protocol.h"
#include "snap/convert.h"
#include "snap/name.h"

#define KEY_STOP 0x100
#define KEY_SINCE 0x101
/* Progress is shown so often, and after so long. */
#define PROGRESS_MS 1000
/* The end of a machine, which has been asked for, takes this long at most. */
#define END_MS 60000
#define STAT_BLOCK 512

/**
 * struct save_options - the command line
 * @name: the machine
 * @path: the file
 * @since: NULL, or the file to which it gets the changes
 * @stop: end the machine
 */
struct save_options {
	const char *name;
	const char *path;
	const char *since;
	bool stop;
};

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct save_options *options = state->input;

	switch (key) {
	case KEY_STOP:
		options->stop = true;
		return 0;
	case KEY_SINCE:
		options->since = argument;
		return 0;
	case ARGP_KEY_ARG:
		if (options->path)
			argp_error(state,
				   "%s: one machine is saved to one "
				   "file",
				   argument);
		else if (options->name)
			options->path = argument;
		else
			options->name = argument;
		return 0;
	case ARGP_KEY_END:
		if (!options->path)
			argp_error(state, "name a machine and a file");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static void show_progress(int fd)
{
	struct stat status;

	if (isatty(STDERR_FILENO) && !fstat(fd, &status))
		fprintf(stderr, "\rlodge: %llu MiB written",
			(unsigned long long)status.st_blocks * STAT_BLOCK >>
				20);
}

static void end_progress(bool shown)
{
	if (shown && isatty(STDERR_FILENO))
		fputc('\n', stderr);
}

/* Has the controller write the file.  Return: 0, or the exit code after a message. */
static int write_file(struct client *client, const struct save_options *options,
		      int fd)
{
	char why[CONTROL_WHY_SIZE];
	bool shown = false;
	int err = client_send_file(client, "save",
				   options->stop ? "hold" : NULL, fd);

	while (!err) {
		err = client_receive(client, PROGRESS_MS, NULL, why,
				     sizeof(why));
		if (err != -ETIMEDOUT)
			break;
		show_progress(fd);
		shown = true;
		err = 0;
	}
	end_progress(shown);
	return err ? named_complain(options->name, err, why) : 0;
}

/* Return: 0, or the exit code after a message. */
static int end_machine(struct client *client,
		       const struct save_options *options)
{
	int code = options->stop ?
			   named_call(client, options->name, "end", NULL) :
			   0;

	if (!code && options->stop)
		client_wait_close(client, END_MS);
	return code;
}

/* Return: 0, or the exit code after a message. */
static int keep(const struct save_options *options, struct snap_name *name)
{
	struct snap_error error;
	int err = snap_name_keep(name, &error);

	return err ? image_complain_output(options->path, err, &error) : 0;
}

/* Gives the name to a file with what differs between @base and @whole. */
static int keep_changes(const struct save_options *options,
			const struct snap_file *base,
			const struct snap_file *whole)
{
	struct snap_error error;
	struct snap_name name;
	struct snap_blame blame;
	/* It may have changed while the whole file was written. */
	int code = image_check_target(options->path), err;

	if (code)
		return code;
	err = snap_name_open(&name, options->path, &error);
	if (err)
		return image_complain_output(options->path, err, &error);
	err = snap_convert(&whole, 1, base, name.fd, SNAP_PLAIN, &blame,
			   &error);
	if (!err)
		return keep(options, &name);
	snap_name_drop(&name);
	return blame.what == SNAP_BLAME_SINCE ?
		       image_complain(options->since, err, &error) :
		       image_complain_output(options->path, err, &error);
}

/* The same for the whole file that @name has, which is dropped. */
static int keep_since(const struct save_options *options,
		      const struct snap_file *base, struct snap_name *name)
{
	struct snap_error error;
	struct snap_file *whole;
	int err = snap_file_open(&whole, name->fd, &error), code;

	code = err ? image_complain_output(options->path, err, &error) :
		     keep_changes(options, base, whole);
	snap_file_free(whole);
	snap_name_drop(name);
	return code;
}

/* @base: NULL, or the file to which the new one gets the changes */
static int save_to(struct client *client, const struct save_options *options,
		   const struct snap_file *base)
{
	struct snap_error error;
	struct snap_name name;
	int err = snap_name_open(&name, options->path, &error), code;

	if (err)
		return image_complain_output(options->path, err, &error);
	code = write_file(client, options, name.fd);
	if (code) {
		snap_name_drop(&name);
		return code;
	}
	code = base ? keep_since(options, base, &name) : keep(options, &name);
	return code ? code : end_machine(client, options);
}

static int save_machine(const struct save_options *options,
			const struct snap_file *base)
{
	struct client *client;
	int code = named_find(&client, options->name);

	if (code)
		return code;
	code = save_to(client, options, base);
	client_close(client);
	return code;
}

/* The changes to a file that they replace would be of no use to anybody. */
static int check_base(const struct save_options *options,
		      const struct image_file *base)
{
	if (base->file->incremental)
		return complain(EXIT_CODE_IMAGE, options->since,
				"is not whole: it has the changes to another "
				"file",
				"make it whole by lodge image join");
	if (image_is_at(base, options->path))
		return complain(EXIT_CODE_USAGE, options->path,
				"is the file of --since, which must stay",
				"choose another name");
	return 0;
}

/* The same, with the base open meanwhile. */
static int save_since(const struct save_options *options)
{
	struct image_file base;
	int code = image_file_open(&base, options->since);

	if (!code)
		code = check_base(options, &base);
	if (!code)
		code = save_machine(options, base.file);
	image_file_close(&base);
	return code;
}

static int save(const struct save_options *options)
{
	int code = image_check_target(options->path);

	if (code)
		return code;
	return options->since ? save_since(options) :
				save_machine(options, NULL);
}

int save_command(int argc, char **argv)
{
	static const struct argp_option descriptions[] = {
		{ "since", KEY_SINCE, "BASE", 0,
		  "Keep of the memory what differs from this file's, for lodge "
		  "image join",
		  0 },
		{ "stop", KEY_STOP, NULL, 0,
		  "End the machine, once its file is whole", 0 },
		{ NULL, 0, NULL, 0, NULL, 0 },
	};
	static const struct argp argp = {
		.options = descriptions,
		.parser = parse_option,
		.args_doc = "NAME FILE",
		.doc = "Write a machine to a file, from which lodge restore "
		       "lets it go on."
		       "\v"
		       "The machine is held meanwhile.  One that was paused "
		       "stays so.  A file that is there is replaced when the "
		       "new one is whole, and stays as it is after an error.  "
		       "Of disks the file has what was written to those with "
		       "snapshot=on: with --stop the others stay as the guest "
		       "has left them.\n"
		       "\n"
		       "Examples:\n"
		       "  lodge save web web.save\n"
		       "  lodge save --stop web web.save; lodge restore -d "
		       "web.save\n"
		       "  lodge save web tuesday.save --since monday.save\n"
		       "\n"
		       "Exit codes: 0 done; 64 also if FILE is BASE; 66 BASE cannot be read, or is no "
		       "whole file; 73 the file cannot be written; " NAMED_EXIT_CODES
		       ".",
	};
	struct save_options options = { 0 };

	if (argp_parse(&argp, argc, argv, 0, NULL, &options))
		return EXIT_CODE_USAGE;
	return save(&options);
}
