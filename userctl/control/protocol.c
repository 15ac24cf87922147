// SPDX-License-Identifier: GPL-2.0
/*
 * The protocol of the control socket: from a line to what it asks for, and back.
 *
 * Jansson reads and writes the JSON: it takes what RFC 8259 has and nothing else, bounds
 * how deep values are nested, and can refuse a name that is there twice.
 */
#include "control/protocol.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/handed.h"
#include "move/wire.h"

/* Most bytes of an ID that is a text. */
#define ID_MAX 64
/* A machine that is held for longer might as well be saved. */
#define MAX_DOWNTIME_MS 3600000

/**
 * struct request - a request
 * @id: what names it in its answer
 * @arguments: its members besides "id" and "command"
 * @file: descriptor that has come with it, or CONTROL_NO_FILE, or CONTROL_MANY_FILES
 * @client: the socket by which it has come, or -1
 */
struct request {
	const json_t *id;
	json_t *arguments;
	int file;
	int client;
};

/* What comes with a request. */
enum takes {
	TAKES_NONE,
	TAKES_FILE, /* a regular file, to be written */
	TAKES_SOCKET,
};

/**
 * struct control_command - a command of the protocol
 * @name: its name
 * @arguments: names of its arguments, which are all booleans, or with TAKES_SOCKET
 *	numbers, and may be absent; NULL ends the list
 * @call: carries it out
 * @takes: the descriptor that comes with it
 * @thawed: it is none for a machine that is frozen
 * @waits: it is one for a machine that stands by, too
 */
struct control_command {
	const char *name;
	const char *arguments[2];
	void (*call)(const struct control_machine *machine,
		     const struct request *request,
		     struct control_reply *reply);
	enum takes takes;
	bool thawed;
	bool waits;
};

/* Return: an object as a line, to be freed; it is released. */
static char *line_of(json_t *object)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	char *line = NULL;

	if (text && asprintf(&line, "%s\n", text) < 0)
		line = NULL;
	free(text);
	json_decref(object);
	return line;
}

/*
 * A reason names files, and may have been cut in the midst of a character, or have bytes
 * that are none: then those beyond ASCII are not told, but the reason is.
 *
 * Return: the text, or NULL without memory.
 */
static json_t *text_of(const char *text)
{
	json_t *value = json_string(text);
	char *plain = value ? NULL : strdup(text);

	for (char *at = plain; at && *at; at++)
		if (*at & 0x80)
			*at = '?';
	if (plain)
		value = json_string(plain);
	free(plain);
	return value;
}

static char *error_line(const json_t *id, const char *code, const char *message)
{
	return line_of(json_pack("{s:O?,s:{s:s,s:o}}", "id", id, "error",
				 "code", code, "message", text_of(message)));
}

static void refuse(const struct request *request, const char *code,
		   const char *message, struct control_reply *reply)
{
	reply->line = error_line(request->id, code, message);
}

/* Answers by an object, which is released. */
static void answer(const struct request *request, json_t *ok,
		   struct control_reply *reply)
{
	reply->line =
		line_of(json_pack("{s:O,s:o}", "id", request->id, "ok", ok));
}

/* @why: the reason; empty: @err tells it */
static void refuse_error(const struct request *request, int err,
			 const char *why, struct control_reply *reply)
{
	if (err == CONTROL_HELD)
		refuse(request, CONTROL_BUSY,
		       *why ? why :
			      "another connection saves it, or moves it, and holds it",
		       reply);
	else
		refuse(request, CONTROL_FAILED, *why ? why : strerror(-err),
		       reply);
}

static void answer_error(const struct request *request, int err,
			 const char *why, struct control_reply *reply)
{
	if (err)
		refuse_error(request, err, why, reply);
	else
		answer(request, json_object(), reply);
}

static const char *state_of(const struct control_machine *machine)
{
	if (machine->takeover)
		return CONTROL_STANDBY;
	if (machine->is_frozen(machine->opaque))
		return CONTROL_FROZEN;
	return machine->is_paused(machine->opaque) ? CONTROL_PAUSED :
						     CONTROL_RUNNING;
}

static void refuse_frozen(const struct request *request,
			  struct control_reply *reply)
{
	refuse(request, CONTROL_IS_FROZEN,
	       "it is frozen, as the template of clones; `lodge resume` lets it "
	       "run on",
	       reply);
}

static void refuse_standby(const struct request *request,
			   struct control_reply *reply)
{
	refuse(request, CONTROL_IS_STANDBY,
	       "it stands by and has not run here; `lodge takeover` lets it go "
	       "on here",
	       reply);
}

static void call_status(const struct control_machine *machine,
			const struct request *request,
			struct control_reply *reply)
{
	const struct machine_passes none = { 0 };
	const struct machine_passes passes =
		machine->takeover ? none : machine->passes(machine->opaque);

	answer(request,
	       json_pack("{s:s,s:s,s:i,s:b,s:I,s:I}", "name", machine->name,
			 "state", state_of(machine), "pid", (int)getpid(),
			 "console", machine->has_console, "pass",
			 (json_int_t)passes.pass, "value",
			 (json_int_t)passes.value),
	       reply);
}

static void call_inspect(const struct control_machine *machine,
			 const struct request *request,
			 struct control_reply *reply)
{
	answer(request, json_loads(machine->config, 0, NULL), reply);
}

static void call_pause(const struct control_machine *machine,
		       const struct request *request,
		       struct control_reply *reply)
{
	answer_error(request, machine->pause(machine->opaque), "", reply);
}

static void call_resume(const struct control_machine *machine,
			const struct request *request,
			struct control_reply *reply)
{
	char why[CONTROL_WHY_SIZE] = "";
	int err = machine->resume(machine->opaque, why);

	answer_error(request, err, why, reply);
}

static void call_checkpoint(const struct control_machine *machine,
			    const struct request *request,
			    struct control_reply *reply)
{
	const bool drop =
		json_is_true(json_object_get(request->arguments, "drop"));
	char why[CONTROL_WHY_SIZE] = "";
	int err = drop ? machine->drop(machine->opaque) :
			 machine->checkpoint(machine->opaque, why);

	answer_error(request, err, why, reply);
}

static void call_rewind(const struct control_machine *machine,
			const struct request *request,
			struct control_reply *reply)
{
	int err = machine->rewind(machine->opaque);
	struct machine_passes passes = machine->passes(machine->opaque);

	if (err == -ENOENT)
		refuse(request, CONTROL_NO_CHECKPOINT,
		       "it has no checkpoint; make one with `lodge checkpoint`",
		       reply);
	else if (err)
		refuse_error(request, err, "", reply);
	else
		answer(request,
		       json_pack("{s:I,s:I}", "pass", (json_int_t)passes.pass,
				 "pages", (json_int_t)passes.pages),
		       reply);
}

static void call_press(const struct control_machine *machine,
		       const struct request *request,
		       struct control_reply *reply)
{
	machine->press(machine->opaque);
	answer(request, json_object(), reply);
}

static void call_end(const struct control_machine *machine,
		     const struct request *request, struct control_reply *reply)
{
	machine->end(machine->opaque);
	answer(request, json_object(), reply);
}

static void call_wait(const struct control_machine *machine,
		      const struct request *request,
		      struct control_reply *reply)
{
	reply->id = json_dumps(request->id, JSON_ENCODE_ANY);
	if (reply->id)
		reply->next = CONTROL_WAIT;
}

static void call_console(const struct control_machine *machine,
			 const struct request *request,
			 struct control_reply *reply)
{
	if (!machine->has_console) {
		refuse(request, CONTROL_NO_CONSOLE,
		       "the serial port is connected elsewhere", reply);
		return;
	}
	answer(request, json_object(), reply);
	reply->next = CONTROL_CONSOLE;
	reply->history =
		json_is_true(json_object_get(request->arguments, "history"));
}

static void call_exec(const struct control_machine *machine,
		      const struct request *request,
		      struct control_reply *reply)
{
	if (!machine->has_agent) {
		refuse(request, CONTROL_NO_AGENT,
		       "it was not started with --root, so no agent in it runs "
		       "commands; start it with --root, or use `lodge console`",
		       reply);
		return;
	}
	answer(request, json_object(), reply);
	reply->next = CONTROL_AGENT;
}

static void answer_saved(const struct request *request, int err,
			 const struct control_saved *saved, const char *why,
			 struct control_reply *reply)
{
	if (err)
		refuse_error(request, err, why, reply);
	else
		answer(request,
		       json_pack("{s:I,s:I}", "bytes", (json_int_t)saved->bytes,
				 "held-ms", (json_int_t)saved->held_ms),
		       reply);
}

static void call_save(const struct control_machine *machine,
		      const struct request *request,
		      struct control_reply *reply)
{
	const bool hold =
		json_is_true(json_object_get(request->arguments, "hold"));
	struct control_saved saved = { 0 };
	char why[CONTROL_WHY_SIZE] = "";
	int err;

	if (hold && machine->is_frozen(machine->opaque)) {
		refuse_frozen(request, reply);
		return;
	}
	err = machine->save(machine->opaque, request->file, hold,
			    request->client, &saved, why);
	reply->holds = hold && !err ? CONTROL_HOLDS_SAVED : 0;
	answer_saved(request, err, &saved, why, reply);
}

/* One that is a template already stays so, and needs no other file. */
static void call_freeze(const struct control_machine *machine,
			const struct request *request,
			struct control_reply *reply)
{
	struct control_saved saved = { 0 };
	char why[CONTROL_WHY_SIZE] = "";
	int err = machine->freeze(machine->opaque, request->file,
				  request->client, &saved, why);

	reply->took_file = !err;
	answer_saved(request, err == -EALREADY ? 0 : err, &saved, why, reply);
}

static void call_template(const struct control_machine *machine,
			  const struct request *request,
			  struct control_reply *reply)
{
	int file = machine->template(machine->opaque);

	if (file < 0) {
		refuse(request, CONTROL_NOT_FROZEN,
		       "it is not frozen; `lodge freeze` makes it a template",
		       reply);
		return;
	}
	reply->file = file;
	reply->holds = CONTROL_HOLDS_TEMPLATE;
	answer(request, json_object(), reply);
}

/* Return: an argument, which is a number, within its limits. */
static uint64_t number_of(const struct request *request, const char *name,
			  uint64_t absent, uint64_t most)
{
	const json_t *value = json_object_get(request->arguments, name);
	const uint64_t number = (uint64_t)json_integer_value(value);

	if (!value)
		return absent;
	return number < most ? number : most;
}

static void begin_move(const struct control_machine *machine,
		       const struct request *request,
		       const struct control_move *move,
		       struct control_reply *reply)
{
	char why[CONTROL_WHY_SIZE] = "";
	int err = machine->migrate(machine->opaque, request->file,
				   request->client, move, why);

	if (err) {
		refuse_error(request, err, why, reply);
		return;
	}
	reply->holds = CONTROL_HOLDS_MOVE;
	reply->took_file = true;
	answer(request, json_object(), reply);
}

static void call_migrate(const struct control_machine *machine,
			 const struct request *request,
			 struct control_reply *reply)
{
	struct control_move move = {
		.downtime_ms = number_of(request, "downtime-ms",
					 MOVER_DOWNTIME_MS, MAX_DOWNTIME_MS),
		.bandwidth = number_of(request, "bandwidth", 0, INT64_MAX),
	};

	if (move.bandwidth && move.bandwidth < MOVER_BANDWIDTH_MIN)
		move.bandwidth = MOVER_BANDWIDTH_MIN;
	begin_move(machine, request, &move, reply);
}

static void call_replicate(const struct control_machine *machine,
			   const struct request *request,
			   struct control_reply *reply)
{
	struct control_move move = {
		.every_ms = number_of(request, "every-ms", MOVER_EVERY_MS,
				      MOVE_EVERY_MAX),
	};

	if (move.every_ms < MOVE_EVERY_MIN)
		move.every_ms = MOVE_EVERY_MIN;
	begin_move(machine, request, &move, reply);
}

static void call_takeover(const struct control_machine *machine,
			  const struct request *request,
			  struct control_reply *reply)
{
	char why[CONTROL_WHY_SIZE] = "";

	if (machine->takeover)
		answer_error(request, machine->takeover(machine->opaque, why),
			     why, reply);
	else
		refuse(request, CONTROL_NO_STANDBY,
		       "it runs here, and does not stand by", reply);
}

static json_t *increment_of(const struct mover_increment *increment)
{
	return json_pack("{s:I,s:I,s:I,s:I,s:I}", "number",
			 (json_int_t)increment->number, "pages",
			 (json_int_t)increment->pages, "bytes",
			 (json_int_t)increment->bytes, "pause-us",
			 (json_int_t)increment->pause_us, "took-ms",
			 (json_int_t)increment->took_ms);
}

static void call_migration(const struct control_machine *machine,
			   const struct request *request,
			   struct control_reply *reply)
{
	static const char *const states[] = {
		[MOVER_OFFERS] = "asking",
		[MOVER_COPIES] = "copying",
		[MOVER_HOLDS] = "holding",
		[MOVER_MOVED] = "migrated",
		[MOVER_FAILED] = "failed",
		[MOVER_UNDECIDED] = "undecided",
		[MOVER_REPLICATES] = "replicating",
	};
	struct mover_progress progress;

	if (machine->migration(machine->opaque, request->client, &progress)) {
		refuse(request, CONTROL_NO_MIGRATION,
		       "it was not asked to move", reply);
		return;
	}
	answer(request,
	       json_pack("{s:s,s:i,s:I,s:I,s:I,s:I,s:i,s:I,s:o,s:o}", "state",
			 states[progress.state], "round", (int)progress.round,
			 "pages", (json_int_t)progress.pages, "copied",
			 (json_int_t)progress.copied, "left",
			 (json_int_t)progress.left, "bytes",
			 (json_int_t)progress.bytes, "slowed",
			 (int)progress.slowed, "held-ms",
			 (json_int_t)progress.held_ms, "why",
			 text_of(progress.why), "increment",
			 increment_of(&progress.increment)),
	       reply);
}

static const struct control_command commands[] = {
	{ .name = "status", .call = call_status, .waits = true },
	{ .name = "inspect", .call = call_inspect, .waits = true },
	{ .name = "pause", .call = call_pause },
	{ .name = "resume", .call = call_resume },
	{ .name = "checkpoint",
	  .arguments = { "drop" },
	  .call = call_checkpoint,
	  .thawed = true },
	{ .name = "rewind", .call = call_rewind, .thawed = true },
	{ .name = "power-button", .call = call_press },
	{ .name = "end", .call = call_end, .waits = true },
	{ .name = "wait", .call = call_wait, .waits = true },
	{ .name = "console", .arguments = { "history" }, .call = call_console },
	{ .name = "exec", .call = call_exec },
	{ .name = "save",
	  .arguments = { "hold" },
	  .call = call_save,
	  .takes = TAKES_FILE },
	{ .name = "freeze", .call = call_freeze, .takes = TAKES_FILE },
	{ .name = "template", .call = call_template },
	{ .name = "migrate",
	  .arguments = { "downtime-ms", "bandwidth" },
	  .call = call_migrate,
	  .takes = TAKES_SOCKET,
	  .thawed = true },
	{ .name = "replicate",
	  .arguments = { "every-ms" },
	  .call = call_replicate,
	  .takes = TAKES_SOCKET,
	  .thawed = true },
	{ .name = "migration", .call = call_migration },
	{ .name = "takeover", .call = call_takeover, .waits = true },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct control_command *find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static bool takes(const struct control_command *command, const char *name)
{
	for (size_t i = 0; i < 2 && command->arguments[i]; i++)
		if (!strcmp(command->arguments[i], name))
			return true;
	return false;
}

/* A number is none below zero. */
static bool is_of_type(const struct control_command *command,
		       const json_t *value)
{
	return command->takes == TAKES_SOCKET ?
		       json_is_integer(value) &&
			       json_integer_value(value) >= 0 :
		       json_is_boolean(value);
}

/* Return: false, after an answer, if the arguments are not those of the command. */
static bool check_arguments(const struct control_command *command,
			    const struct request *request,
			    struct control_reply *reply)
{
	const char *name;
	json_t *value;
	char why[128];

	json_object_foreach(request->arguments, name, value)
	{
		if (takes(command, name) && is_of_type(command, value))
			continue;
		snprintf(why, sizeof(why), "%s: %s", command->name,
			 !takes(command, name) ? "there is no such argument" :
			 command->takes == TAKES_SOCKET ?
						 "the argument is no number" :
						 "the argument is no boolean");
		refuse(request, CONTROL_BAD_ARGUMENT, why, reply);
		return false;
	}
	return true;
}

/* Return: why the file that has come with a request is none for it, or NULL. */
static const char *file_fault(const struct control_command *command, int file)
{
	if (command->takes == TAKES_NONE)
		return file == CONTROL_NO_FILE ?
			       NULL :
			       "no descriptor goes with it by SCM_RIGHTS";
	if (command->takes == TAKES_SOCKET)
		return file >= 0 && handed_is_kind(file, S_IFSOCK) ?
			       NULL :
			       "one descriptor goes with it by SCM_RIGHTS, that "
			       "of a socket to the other controller";
	if (file == CONTROL_NO_FILE || file == CONTROL_MANY_FILES)
		return "one descriptor goes with it by SCM_RIGHTS, that of the "
		       "file to write";
	if (!handed_is_kind(file, S_IFREG))
		return "the descriptor is of no regular file";
	if (!handed_can_write(file))
		return "the descriptor must be open for writing, and not with "
		       "O_APPEND";
	return NULL;
}

/* Return: false, after an answer, if the file is not one for the command. */
static bool check_file(const struct control_command *command,
		       const struct request *request,
		       struct control_reply *reply)
{
	const char *fault = file_fault(command, request->file);
	char why[128];

	if (!fault)
		return true;
	snprintf(why, sizeof(why), "%s: %s", command->name, fault);
	refuse(request, CONTROL_BAD_ARGUMENT, why, reply);
	return false;
}

static bool is_id(const json_t *id)
{
	return json_is_integer(id) ||
	       (json_is_string(id) && json_string_length(id) <= ID_MAX);
}

/* @object: of the line; changes. */
static void carry_out(const struct control_machine *machine, json_t *object,
		      int client, int file, struct control_reply *reply)
{
	json_t *id = json_incref(json_object_get(object, "id"));
	json_t *name = json_incref(json_object_get(object, "command"));
	struct request request = {
		.id = id, .arguments = object, .file = file, .client = client
	};
	const struct control_command *command;

	json_object_del(object, "id");
	json_object_del(object, "command");
	if (!is_id(id) || !json_is_string(name)) {
		reply->line = control_refusal(
			CONTROL_BAD_REQUEST,
			"a request has an \"id\", a number or a short text, and "
			"a \"command\", a text");
	} else {
		command = find(json_string_value(name));
		if (!command)
			refuse(&request, CONTROL_UNKNOWN,
			       "there is no such command", reply);
		else if (machine->takeover && !command->waits)
			refuse_standby(&request, reply);
		else if (command->thawed && machine->is_frozen(machine->opaque))
			refuse_frozen(&request, reply);
		else if (check_arguments(command, &request, reply) &&
			 check_file(command, &request, reply))
			command->call(machine, &request, reply);
	}
	json_decref(id);
	json_decref(name);
}

void control_request(const struct control_machine *machine, const char *line,
		     size_t size, int client, int file,
		     struct control_reply *reply)
{
	json_t *object = json_loadb(line, size, JSON_REJECT_DUPLICATES, NULL);

	memset(reply, 0, sizeof(*reply));
	reply->file = CONTROL_NO_FILE;
	if (json_is_object(object))
		carry_out(machine, object, client, file, reply);
	else
		reply->line = control_refusal(
			CONTROL_BAD_REQUEST,
			"a request is one JSON object in a line");
	json_decref(object);
}

char *control_greeting(const struct control_machine *machine)
{
	return line_of(json_pack("{s:s,s:i,s:s,s:i}", "lodge", LODGE_VERSION,
				 "protocol", CONTROL_PROTOCOL, "name",
				 machine->name, "pid", (int)getpid()));
}

char *control_refusal(const char *code, const char *message)
{
	return error_line(NULL, code, message);
}

char *control_ended(const char *id, const char *end)
{
	json_t *ok = json_loads(end, 0, NULL);
	json_t *which = json_loads(id, JSON_DECODE_ANY, NULL);

	return line_of(json_pack("{s:o,s:o}", "id", which, "ok", ok));
}
