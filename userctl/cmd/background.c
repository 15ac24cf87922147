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
#include <time.h>
#include <unistd.h>

#include "cmd/complain.h"
#include "cmd/departure.h"
#include "cmd/detach.h"
#include "cmd/exit_code.h"
#include "control/directory.h"
#include "control/endpoint.h"
#include "control/keeper.h"
#include "control/log.h"
#include "control/server.h"
#include "machine/saved.h"

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
 * @requests: how requests reach @machine
 * @server: serves the control socket
 * @machine: the machine, while it is served
 * @mux: shares the agent in it, or NULL
 * @paused: it is held
 * @kept: it is held for a connection that has saved it; @paused is what it was before
 * @departure: it moves to another controller, or has
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
	struct control_machine requests;
	struct server *server;
	struct machine *machine;
	struct mux *mux;
	bool paused;
	bool kept;
	struct departure departure;
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

/* Return: 0, or the exit code after a message. */
static int take_directory(struct background *background,
			  struct run_options *options)
{
	int err;

	directory_sweep(background->parent);
	err = directory_take(&background->directory, background->parent,
			     options->machine.name);
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
	new->departure.event = -1;
	new->input[0] = new->input[1] = -1;
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

/*
 * What requests do.
 */

static bool is_paused(void *opaque)
{
	const struct background *background = opaque;

	return background->paused || background->kept;
}

/* For `lodge ps`, which asks no controller. */
static void mark_paused(struct background *background, bool paused)
{
	background->paused = paused;
	keeper_mark_paused(background->keeper, paused);
}

/* A connection has it held, or has it move. */
static bool is_taken(const struct background *background)
{
	return background->kept || background->departure.mover;
}

/* A machine that cannot be held, or let run on, is of no use any more. */
static int pause_machine(void *opaque)
{
	struct background *background = opaque;
	int err = is_taken(background) ? -EBUSY :
					 machine_pause(background->machine);

	if (err == -EBUSY)
		return err;
	mark_paused(background, true);
	if (err)
		machine_end(background->machine);
	return err;
}

static int resume_machine(void *opaque)
{
	struct background *background = opaque;
	int err = is_taken(background) ? -EBUSY :
					 machine_resume(background->machine);

	if (!err)
		mark_paused(background, false);
	return err;
}

/*
 * Holds the machine for a call, unless it is paused.  Return: 0; -EBUSY it is held for a
 * connection that has saved it; or -errno: it ends, as after pause_machine().
 */
static int hold(struct background *background)
{
	int err;

	if (is_taken(background))
		return -EBUSY;
	err = background->paused ? 0 : machine_pause(background->machine);
	if (err)
		machine_end(background->machine);
	return err;
}

static int let_go(struct background *background)
{
	int err = background->paused ? 0 : machine_resume(background->machine);

	if (err)
		machine_end(background->machine);
	return err;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * UINT64_C(1000) + now.tv_nsec / 1000000;
}

/* Lets a machine run on that was not paused before.  Return: 0 or -errno. */
static int go_on(struct background *background)
{
	int err = background->paused ? 0 : machine_resume(background->machine);

	background->kept = false;
	if (err)
		machine_end(background->machine);
	return err;
}

/* As people read it: the device, the file, the reason and the remedy. */
static void tell_why(const struct device_error *error, char *why, size_t size)
{
	if (*error->name)
		snprintf(why, size, "%s%s%s: %s%s%s", error->name,
			 *error->thing ? ": " : "", error->thing, error->reason,
			 *error->remedy ? "; " : "", error->remedy);
}

static int checkpoint(void *opaque, char *why, size_t size)
{
	struct background *background = opaque;
	struct device_error error;
	int err = hold(background);
	int failed;

	if (err)
		return err;
	failed = machine_checkpoint(background->machine, &error);
	if (failed)
		tell_why(&error, why, size);
	err = let_go(background);
	return failed ? failed : err;
}

static int drop(void *opaque)
{
	struct background *background = opaque;
	int err = hold(background);

	if (err)
		return err;
	machine_drop_checkpoint(background->machine);
	return let_go(background);
}

/* A machine of which a part was put back, and no more, is of no use. */
static int put_back(void *opaque)
{
	struct background *background = opaque;
	int err = hold(background);
	int failed;

	if (err)
		return err;
	failed = machine_rewind(background->machine);
	if (failed && failed != -ENOENT) {
		machine_end(background->machine);
		return failed;
	}
	err = let_go(background);
	return failed ? failed : err;
}

static struct machine_passes passes(void *opaque)
{
	const struct background *background = opaque;

	return machine_passes(background->machine);
}

static int save_held(struct background *background, int fd, char *why)
{
	struct snap_error error = { 0 };
	int err = saved_write(background->machine, fd, background->config,
			      &error);

	if (err)
		snprintf(why, CONTROL_WHY_SIZE, "%s", error.text);
	return err == -EBUSY ? -EIO : err;
}

static int save(void *opaque, int fd, bool hold, struct control_saved *saved,
		char *why)
{
	struct background *background = opaque;
	const uint64_t start = now_ms();
	int err;

	if (is_taken(background)) {
		snprintf(why, CONTROL_WHY_SIZE, "another one %s it",
			 background->kept ? "saves" : "moves");
		return -EBUSY;
	}
	err = machine_pause(background->machine);
	if (err) {
		snprintf(why, CONTROL_WHY_SIZE, "holding it: %s",
			 strerror(-err));
		machine_end(background->machine);
		return -EIO;
	}
	err = save_held(background, fd, why);
	background->kept = hold && !err;
	if (!background->kept && go_on(background) && !err) {
		snprintf(why, CONTROL_WHY_SIZE, "it cannot run on");
		err = -EIO;
	}
	saved->bytes = lseek(fd, 0, SEEK_END);
	saved->held_ms = now_ms() - start;
	return err;
}

static int migrate(void *opaque, int fd, const struct control_move *move,
		   char *why)
{
	struct background *background = opaque;

	if (is_taken(background) || background->paused) {
		snprintf(why, CONTROL_WHY_SIZE, "%s",
			 background->paused ?
				 "it is paused; `lodge resume` lets it run" :
				 "another one saves it, or moves it");
		return -EBUSY;
	}
	return departure_begin(&background->departure, fd, move, why);
}

static void look_at_departure(void *opaque)
{
	struct background *background = opaque;

	if (departure_look(&background->departure))
		mark_paused(background, true);
}

static int migration(void *opaque, struct mover_progress *progress)
{
	struct background *background = opaque;

	return departure_tell(&background->departure, progress);
}

static void release(void *opaque)
{
	struct background *background = opaque;

	if (background->kept)
		go_on(background);
	departure_release(&background->departure);
}

static void press(void *opaque)
{
	struct background *background = opaque;

	if (background->mux)
		mux_power_off(background->mux);
	else
		machine_press_power_button(background->machine);
}

static void connect_agent(void *opaque, int fd, const void *rest, size_t size)
{
	struct background *background = opaque;

	/* A client that there is no memory for finds its connection closed. */
	mux_add(background->mux, fd, rest, size);
}

static void end(void *opaque)
{
	struct background *background = opaque;

	machine_end(background->machine);
}

static void look(void *opaque)
{
	struct background *background = opaque;

	machine_notice_kill(background->machine);
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
		.machine = &background->requests,
		.feed = background->feed,
		.input = background->input[1],
		.event = background->departure.event,
		.happened = look_at_departure,
		.look = look,
	};

	background->requests = (struct control_machine){
		.name = background->directory.name,
		.config = background->config,
		.has_console = background->feed,
		.has_agent = background->mux,
		.is_paused = is_paused,
		.pause = pause_machine,
		.resume = resume_machine,
		.checkpoint = checkpoint,
		.drop = drop,
		.rewind = put_back,
		.passes = passes,
		.press = press,
		.end = end,
		.save = save,
		.migrate = migrate,
		.migration = migration,
		.release = release,
		.connect = connect_agent,
		.opaque = background,
	};
	background->server = server_new(&config);
	return background->server ? 0 : -errno;
}

void background_serve(struct background *background, struct machine *machine,
		      struct mux *mux)
{
	int caller = background->caller;
	int err;

	background->machine = machine;
	background->mux = mux;
	err = departure_open(&background->departure, machine,
			     background->directory.name, background->config);
	if (!err)
		err = start_server(background);
	background->served = true;
	if (!background->front)
		log_messages(background);
	background->caller = -1;
	if (!err && !background->front)
		err = detach_ready(caller, background->directory.name);
	if (!err)
		err = server_run(background->server, machine_ended(machine));
	if (err) {
		fprintf(stderr, "lodge: the control socket: %s\n",
			strerror(-err));
		machine_end(machine);
	}
	departure_close(&background->departure);
	/* The agent has gone with the machine, whose end machine_wait() waits for. */
	background->requests.has_agent = false;
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
	if (background->parent >= 0)
		close(background->parent);
	free(background->config);
	free(background->end);
	free(background);
}
