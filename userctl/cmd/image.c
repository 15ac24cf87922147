// SPDX-License-Identifier: GPL-2.0
/*
 * `lodge image`: shows, checks and converts files of saved machines.
 */
#include "cmd/image.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/complain.h"
#include "cmd/exit_code.h"
#include "cmd/image_file.h"
#include "snap/convert.h"
#include "snap/name.h"

#define KEY_JSON 0x100
#define KEY_PACKED 0x101
#define KEY_CONFIG 0x102

struct image_options;

/**
 * struct action - something that the command does
 * @name: its name on the command line
 * @least: of @files
 * @most: of @files
 * @option: key of the option that it has, or 0
 * @arguments: for a message
 * @run: do it; returns the exit code
 */
struct action {
	const char *name;
	size_t least;
	size_t most;
	int option;
	const char *arguments;
	int (*run)(const struct image_options *options);
};

/**
 * struct image_options - the command line
 * @action: what to do
 * @files: its arguments
 * @count: entries in @files
 * @json: write JSON
 * @config: show the options of the machines
 * @packed: join to a packed file
 */
struct image_options {
	const struct action *action;
	char **files;
	size_t count;
	bool json;
	bool config;
	bool packed;
};

static int run_info(const struct image_options *options)
{
	if (options->config)
		return image_config(options->files, options->count);
	return image_info(options->files, options->count, options->json);
}

static int check_file(const char *path)
{
	struct image_file image;
	struct snap_error error;
	int code = image_file_open(&image, path), err;

	if (!code) {
		err = snap_file_check(image.file, &error);
		if (err)
			code = image_complain(path, err, &error);
	}
	image_file_close(&image);
	return code;
}

static int run_check(const struct image_options *options)
{
	int first = 0;

	for (size_t i = 0; i < options->count; i++) {
		const int code = check_file(options->files[i]);

		first = first ? first : code;
	}
	return first;
}

/* @images: @count that are open.  Return: the exit code. */
static int convert(const struct image_file *images, size_t count,
		   const char *path, enum snap_form form)
{
	const struct snap_file **files = calloc(count, sizeof(*files));
	struct snap_error error;
	struct snap_name name;
	struct snap_blame blame = { .what = SNAP_BLAME_NEW };
	int err;

	if (!files)
		return complain(EXIT_CODE_RESOURCES, path, strerror(ENOMEM),
				NULL);
	for (size_t i = 0; i < count; i++)
		files[i] = images[i].file;
	err = snap_name_open(&name, path, &error);
	if (!err) {
		err = snap_convert(files, count, NULL, name.fd, form, &blame,
				   &error);
		if (err) {
			snap_name_drop(&name);
		} else {
			blame.what = SNAP_BLAME_NEW;
			err = snap_name_keep(&name, &error);
		}
	}
	free(files);
	if (!err)
		return 0;
	return blame.what == SNAP_BLAME_SOURCE ?
		       image_complain(images[blame.source].path, err, &error) :
		       image_complain_output(path, err, &error);
}

/* True if @path leads to a file with changes to another one. */
static bool has_changes(const char *path)
{
	int fd = image_fd_try(path);
	struct snap_file *file = NULL;
	struct snap_error error;
	bool has;

	if (fd < 0)
		return false;
	has = !snap_file_open(&file, fd, &error) && file->incremental;
	snap_file_free(file);
	close(fd);
	return has;
}

/* Who forgets to give NEW has the last file with changes in its place. */
static int check_joined(const struct image_file *images, size_t count,
			const char *path)
{
	for (size_t i = 0; i < count; i++)
		if (image_is_at(&images[i], path))
			return 0;
	return has_changes(path) ?
		       complain(EXIT_CODE_OUTPUT, path,
				"has changes that are not among those that are "
				"joined, and is not replaced",
				"name the new file last, or remove this one") :
		       0;
}

/* All files but the last are read, and the last is written. */
static int convert_files(const struct image_options *options,
			 enum snap_form form)
{
	const size_t count = options->count - 1;
	struct image_file *images = calloc(count, sizeof(*images));
	int code = 0;

	if (!images)
		return complain(EXIT_CODE_RESOURCES, "image", strerror(ENOMEM),
				NULL);
	for (size_t i = 0; i < count; i++)
		images[i].fd = -1;
	for (size_t i = 0; i < count && !code; i++)
		code = image_file_open(&images[i], options->files[i]);
	if (!code)
		code = image_check_target(options->files[count]);
	if (!code && count > 1)
		code = check_joined(images, count, options->files[count]);
	if (!code)
		code = convert(images, count, options->files[count], form);
	for (size_t i = 0; i < count; i++)
		image_file_close(&images[i]);
	free(images);
	return code;
}

static int run_pack(const struct image_options *options)
{
	return convert_files(options, SNAP_PACKED);
}

static int run_unpack(const struct image_options *options)
{
	return convert_files(options, SNAP_PLAIN);
}

static int run_join(const struct image_options *options)
{
	return convert_files(options,
			     options->packed ? SNAP_PACKED : SNAP_PLAIN);
}

static const struct action actions[] = {
	{ "info", 1, SIZE_MAX, KEY_JSON, "files", run_info },
	{ "check", 1, SIZE_MAX, 0, "files", run_check },
	{ "pack", 2, 2, 0, "a file and its new name", run_pack },
	{ "unpack", 2, 2, 0, "a file and its new name", run_unpack },
	{ "join", 3, SIZE_MAX, KEY_PACKED,
	  "a whole file, those with changes to it, and the new name",
	  run_join },
};

static const struct action *find_action(const char *name)
{
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (!strcmp(actions[i].name, name))
			return &actions[i];
	return NULL;
}

static void check_options(struct argp_state *state,
			  const struct image_options *options)
{
	const struct action *action = options->action;

	if (!action)
		argp_error(state, "say what to do: info, check, pack, unpack "
				  "or join");
	else if (options->count < action->least ||
		 options->count > action->most)
		argp_error(state, "%s needs %s", action->name,
			   action->arguments);
	else if (options->json && action->option != KEY_JSON)
		argp_error(state, "--json is for info");
	else if (options->config && action->run != run_info)
		argp_error(state, "--config is for info");
	else if (options->config && options->json)
		argp_error(state, "--config writes JSON without --json");
	else if (options->packed && action->option != KEY_PACKED)
		argp_error(state, "--packed is for join");
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct image_options *options = state->input;

	switch (key) {
	case KEY_JSON:
		options->json = true;
		return 0;
	case KEY_CONFIG:
		options->config = true;
		return 0;
	case KEY_PACKED:
		options->packed = true;
		return 0;
	case ARGP_KEY_ARGS:
		options->action = find_action(state->argv[state->next]);
		options->files = state->argv + state->next + 1;
		options->count = state->argc - state->next - 1;
		return 0;
	case ARGP_KEY_END:
		check_options(state, options);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

int image_command(int argc, char **argv)
{
	static const struct argp_option descriptions[] = {
		{ "json", KEY_JSON, NULL, 0, "With info: write JSON", 0 },
		{ "config", KEY_CONFIG, NULL, 0,
		  "With info: write the options of the machine, which restore "
		  "would run it with",
		  0 },
		{ "packed", KEY_PACKED, NULL, 0,
		  "With join: write the packed form", 0 },
		{ NULL, 0, NULL, 0, NULL, 0 },
	};
	static const struct argp argp = {
		.options = descriptions,
		.parser = parse_option,
		.args_doc = "info FILE...\n"
			    "check FILE...\n"
			    "pack FILE NEW\n"
			    "unpack FILE NEW\n"
			    "join FILE CHANGES... NEW",
		.doc = "Show, check and convert files of saved machines: info "
		       "shows what files have; check reads all of them, with "
		       "their memory, and says nothing of those that are "
		       "sound; pack makes a file small, to be carried "
		       "elsewhere, and unpack makes it one that is restored "
		       "at once; join makes a whole file of one and of those "
		       "that have the changes since, in their order."
		       "\v"
		       "Examples:\n"
		       "  lodge image info web.lodge\n"
		       "  lodge image info --config web.lodge\n"
		       "  lodge image check *.lodge\n"
		       "  lodge image pack web.lodge web.packed\n"
		       "  lodge image join monday.lodge tuesday.lodge "
		       "whole.lodge\n"
		       "\n"
		       "NEW appears when it is whole, in place of a file of a "
		       "saved machine that has the name, which may be one of "
		       "those that are read.\n"
		       "\n"
		       "Exit codes: 0 done; 64 the command line is wrong; 66 a "
		       "file cannot be read, or is damaged or unknown; 70 an "
		       "error of Lodge's own; 71 the host is out of memory; 73 "
		       "NEW cannot be written; 77 something is not permitted.  "
		       "After an error the other files are shown or checked "
		       "all the same.",
	};
	struct image_options options = { 0 };

	if (argp_parse(&argp, argc, argv, 0, NULL, &options))
		return EXIT_CODE_USAGE;
	return options.action->run(&options);
}
