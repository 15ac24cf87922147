// SPDX-License-Identifier: GPL-2.0
/*
 * The controller of a machine that others reach by its name.
 */
#include "cmd/background.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/complain.h"
#include "cmd/detach.h"
#include "cmd/exit_code.h"
#include "cmd/requests.h"
#include "control/directory.h"
#include "control/endpoint.h"
#include "control/keeper.h"
#include "control/log.h"
#include "control/server.h"

/**
 * struct background - a machine that others reach
 * @options: its description
 * @front: it is in the foreground
 * @caller: of detach(), or -1: it was told, or there is none
 * @parent: directory above @directory, or -1
 * @directory: its own
 * @keeper: changes it from background_open() on, or NULL
 * @config: its description as text
 * @listener: control socket, or -1
 * @messages: takes what is written to standard error, or NULL
 * @serial: takes the serial port's output, or NULL
 * @feed: the same for those who are connected, or NULL
 * @input: the serial port's input: what is written to 1 is read from 0
 * @asked: what requests have done to @machine
 * @control: how requests reach it
 * @server: serves the control socket
 * @machine: the machine, while it is served
 * @mux: shares the agent in it, or NULL
 * @served: it has run, so that its end is recorded
 * @end: its end, or NULL
 */
struct background {
	const struct run_options *options;
	bool front;
	int caller;
	int parent;
	struct directory directory;
	struct keeper *keeper;
	char *config;
	int listener;
	struct log *messages;
	struct log *serial;
	struct feed *feed;
	int input[2];
	struct requests asked;
	struct control_machine control;
	struct server *server;
	struct machine *machine;
	struct mux *mux;
	bool served;
	char *end;
};

static int complain_place(const char *path, int err)
{
	if (err == -ENOENT && !*path)
		return complain(EXIT_CODE_OUTPUT, "XDG_RUNTIME_DIR",
				"it is not set, so there is no place for a "
				"machine in the background",
				"log in by a session of your own, or set it to "
				"a directory that only you may write");
	if (err == -EPERM)
		return complain(EXIT_CODE_OUTPUT, path,
				"it is no directory of this user's alone",
				"remove it, or set XDG_RUNTIME_DIR to a "
				"directory that only you may write");
	return complain(EXIT_CODE_OUTPUT, path, strerror(-err), NULL);
}

static int complain_name(const char *name, int err)
{
	char what[LODGE_NAME_SIZE + 16];

	snprintf(what, sizeof(what), "--name %s", name ? name : "");
	if (err == -EBUSY)
		return complain(
			EXIT_CODE_USAGE, what, "a machine of this name runs",
			"choose another name, or end it by `lodge stop`");
	return complain(EXIT_CODE_OUTPUT, what, strerror(-err), NULL);
}

/* Return: 0, or the exit code after a message. */
static int open_parent(struct background *background)
{
	char path[PATH_MAX] = "";
	int err = directory_parent_path(path);

	if (!err)
		background->parent = directory_parent_open(path, true);
	if (!err && background->parent >= 0)
		return 0;
	if (background->front)
		return EXIT_CODE_OUTPUT;
	return complain_place(path, err ? err : background->parent);
}

/* Another process may take a name after it was found to be free. */
static int take_name(struct background *background,
		     const struct run_options *options)
{
	const struct run_naming *naming = options->naming;
	int err;

	do {
		err = directory_take(&background->directory, background->parent,
				     options->machine.name);
	} while (err == -EBUSY && naming &&
		 !naming->next(naming->opaque, background->parent));
	return err;
}

/* Return: 0, or the exit code after a message. */
static int take_directory(struct background *background,
			  struct run_options *options)
{
	int err;

	directory_sweep(background->parent);
	err = take_name(background, options);
	if (err)
		return complain_name(options->machine.name, err);
	options->machine.name = background->directory.name;
	return 0;
}

/* Notes what makes the description whole wherever it is read.  Return: 0 or -errno. */
static int write_config(struct background *background,
			struct run_options *options)
{
	char here[PATH_MAX];
	int err = options_note(options, "name", options->machine.name);

	if (!err && getcwd(here, sizeof(here)))
		err = options_note(options, "directory", here);
	if (!err)
		background->config = config_text(options->config);
	if (!err && !background->config)
		err = -ENOMEM;
	if (!err && strlen(background->config) > CONFIG_MAX)
		err = -E2BIG;
	return err ? err :
		     directory_write(&background->directory, DIRECTORY_CONFIG,
				     background->config,
				     strlen(background->config));
}

static int fill_directory(struct background *background,
			  struct run_options *options)
{
	struct directory *directory = &background->directory;
	int err = write_config(background, options);

	if (!err && !background->front)
		err = log_open(&background->messages, directory,
			       DIRECTORY_MESSAGES);
	if (!err)
		background->listener = endpoint_listen(directory);
	if (!err && background->listener < 0)
		err = background->listener;
	if (!err)
		background->keeper = keeper_start(directory);
	if (!err && !background->keeper)
		err = -errno;
	if (!err && background->messages)
		log_set_turner(background->messages, keeper_turn,
			       background->keeper);
	return err;
}

/* Return: 0, or the exit code after a message. */
static int fill(struct background *background, struct run_options *options)
{
	int code = take_directory(background, options);
	int err = code ? 0 : fill_directory(background, options);

	return err ? complain(EXIT_CODE_OUTPUT, "the machine's directory",
			      strerror(-err), NULL) :
		     code;
}

static struct background *new_background(struct run_options *options,
					 int caller)
{
	struct background *new = calloc(1, sizeof(*new));

	if (!new)
		return NULL;
	new->options = options;
	new->caller = caller;
	new->parent = new->directory.fd = new->listener = -1;
	new->input[0] = new->input[1] = new->asked.template = -1;
	new->asked.departure.event = -1;
	return new;
}

int background_open(struct background **background, struct run_options *options,
		    int caller)
{
	struct background *new = new_background(options, caller);
	int code;

	if (!new)
		return complain(EXIT_CODE_RESOURCES, "starting",
				strerror(ENOMEM), NULL);
	code = open_parent(new);
	if (!code)
		code = fill(new, options);
	if (code)
		background_close(new, code);
	else
		*background = new;
	return code;
}

int background_open_front(struct background **background,
			  struct run_options *options)
{
	struct background *new = new_background(options, -1);
	int code;

	*background = NULL;
	if (!new)
		return complain(EXIT_CODE_RESOURCES, "starting",
				strerror(ENOMEM), NULL);
	new->front = true;
	if (open_parent(new)) {
		background_close(new, 0);
		return 0;
	}
	code = fill(new, options);
	if (code)
		background_close(new, code);
	else
		*background = new;
	return code;
}

void background_write(void *opaque, const void *data, size_t size)
{
	struct background *background = opaque;

	log_write(background->serial, data, size);
	feed_write(background->feed, data, size);
}

int background_console(struct background *background, struct console **console)
{
	int err = log_open(&background->serial, &background->directory,
			   DIRECTORY_SERIAL);

	if (err)
		return err;
	log_set_turner(background->serial, keeper_turn, background->keeper);
	background->feed = feed_new();
	if (!background->feed ||
	    pipe2(background->input, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	return console_open_calls(console, background->input[0],
				  background_write, background);
}

static ssize_t write_message(void *opaque, const char *text, size_t size)
{
	log_write(opaque, text, size);
	return size;
}

/* Standard error is the log of messages from now on. */
static void log_messages(struct background *background)
{
	const cookie_io_functions_t functions = { .write = write_message };
	FILE *file = fopencookie(background->messages, "w", functions);

	/* Without memory for it, nobody reads the messages. */
	if (!file)
		return;
	setvbuf(file, NULL, _IOLBF, 0);
	stderr = file;
}

int background_leave(struct background *background)
{
	detach_leave();
	return log_fd(background->messages);
}

static int start_server(struct background *background)
{
	const struct server_config config = {
		.listener = background->listener,
		.machine = &background->control,
		.feed = background->feed,
		.input = background->input[1],
		.event = background->asked.departure.event,
		.happened = requests_departure,
		.look = requests_look,
	};

	background->asked = (struct requests){
		.machine = background->machine,
		.keeper = background->keeper,
		.config = background->config,
		.mux = background->mux,
		.template = -1,
		.departure = background->asked.departure,
	};
	background->control = (struct control_machine){
		.name = background->directory.name,
		.config = background->config,
		.has_console = background->feed,
		.has_agent = background->mux,
	};
	requests_connect(&background->control, &background->asked);
	background->server = server_new(&config);
	return background->server ? 0 : -errno;
}

/* A machine that stood by has told its caller already. */
static int tell_caller(struct background *background)
{
	const int caller = background->caller;

	background->served = true;
	background->caller = -1;
	if (caller < 0)
		return 0;
	log_messages(background);
	return detach_ready(caller, background->directory.name);
}

int background_stand_by(struct background *background,
			struct control_machine *control, int stop)
{
	const struct server_config config = {
		.listener = background->listener,
		.machine = control,
	};
	struct server *server = server_new(&config);
	int err;

	if (!server)
		return -errno;
	control->name = background->directory.name;
	control->config = background->config;
	err = tell_caller(background);
	if (!err)
		err = server_run(server, stop);
	server_free(server);
	return err;
}

void background_serve(struct background *background, struct machine *machine,
		      struct mux *mux)
{
	int err;

	background->machine = machine;
	background->mux = mux;
	err = departure_open(&background->asked.departure, machine,
			     background->directory.name, background->config);
	if (!err)
		err = start_server(background);
	background->served = true;
	if (!err)
		err = tell_caller(background);
	if (!err)
		err = server_run(background->server, machine_ended(machine));
	if (err) {
		fprintf(stderr, "lodge: the control socket: %s\n",
			strerror(-err));
		machine_end(machine);
	}
	departure_close(&background->asked.departure);
	/* The agent has gone with the machine, whose end machine_wait() waits for. */
	background->control.has_agent = false;
}

void background_set_end(struct background *background, const char *end)
{
	free(background->end);
	background->end = strdup(end);
}

/* Return: what is known of the end, to be freed. */
static char *end_of(struct background *background, int code)
{
	char *text = background->end;

	background->end = NULL;
	if (!text &&
	    asprintf(&text, "{\"end\": \"failure\", \"code\": %d}\n", code) < 0)
		text = NULL;
	return text;
}

static void drop_directory(struct background *background)
{
	if (background->keeper)
		keeper_drop(background->keeper);
	else if (background->directory.fd >= 0)
		directory_erase(&background->directory);
	directory_close(&background->directory);
}

static void record_end(struct background *background, int code)
{
	char *text = end_of(background, code);

	if (background->front) {
		drop_directory(background);
	} else {
		keeper_end(background->keeper, text);
		directory_close(&background->directory);
	}
	if (text && background->server)
		server_finish(background->server, text);
	free(text);
}

void background_close(struct background *background, int code)
{
	if (!background)
		return;
	if (background->served)
		record_end(background, code);
	else
		drop_directory(background);
	keeper_stop(background->keeper);
	server_free(background->server);
	feed_free(background->feed);
	log_close(background->serial);
	for (int i = 0; i < 2; i++)
		if (background->input[i] >= 0)
			close(background->input[i]);
	if (background->listener >= 0)
		close(background->listener);
	requests_close(&background->asked);
	if (background->parent >= 0)
		close(background->parent);
	free(background->config);
	free(background->end);
	free(background);
}
