// SPDX-License-Identifier: GPL-2.0
/*
 * Machines in the background, by their names.
 */
#include "cmd/named.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cmd/complain.h"
#include "cmd/exit_code.h"
#include "control/protocol.h"

#define LIST_THEM "`lodge ps --all` lists them"

error_t named_parse_list(int key, struct argp_state *state,
			 struct named_list *list)
{
	switch (key) {
	case ARGP_KEY_ARGS:
		list->names = state->argv + state->next;
		list->count = state->argc - state->next;
		return 0;
	case ARGP_KEY_END:
		if (list->count)
			return 0;
		argp_error(state, "name the machines; " LIST_THEM);
		return EINVAL;
	}
	return ARGP_ERR_UNKNOWN;
}

error_t named_parse_one(int key, struct argp_state *state,
			struct named_list *list)
{
	if (key != ARGP_KEY_END || list->count == 1)
		return named_parse_list(key, state, list);
	argp_error(state, "name one machine; " LIST_THEM);
	return EINVAL;
}

error_t named_parse(int key, char *argument, struct argp_state *state)
{
	return named_parse_list(key, state, state->input);
}

static int code_of(int err)
{
	switch (-err) {
	case ENOENT:
	case EOWNERDEAD:
		return EXIT_CODE_NO_VM;
	case EPERM:
	case EACCES:
		return EXIT_CODE_PERMISSION;
	case ENOMEM:
	case EMFILE:
	case ENFILE:
		return EXIT_CODE_RESOURCES;
	}
	return EXIT_CODE_INTERNAL;
}

static int complain_directory(const char *name, const char *path, int err)
{
	if (err == -ENOENT)
		return complain(code_of(err), name,
				"there is no machine of this name in the "
				"background",
				LIST_THEM);
	if (err == -EOWNERDEAD)
		return complain(
			code_of(err), name,
			"its controller was killed; what it had left is "
			"removed",
			NULL);
	if (err == -EPERM)
		return complain(code_of(err), path,
				"it is no directory of this user's alone",
				"remove it");
	return complain(code_of(err), name, strerror(-err), NULL);
}

int named_parent(void)
{
	char path[PATH_MAX];
	int parent = directory_parent_path(path) ?
			     -1 :
			     directory_parent_open(path, false);

	return parent < 0 ? -1 : parent;
}

int named_open(struct directory *directory, const char *name, bool *lives)
{
	char path[PATH_MAX] = "";
	int err = directory_parent_path(path);
	int parent = err ? err : directory_parent_open(path, false);

	if (parent < 0)
		return complain_directory(name, path, parent);
	err = directory_find(directory, parent, name, lives);
	if (!err)
		return 0;
	close(parent);
	return complain_directory(name, path, err);
}

void named_close(struct directory *directory)
{
	close(directory->parent);
	directory_close(directory);
}

bool named_is_gone(int error)
{
	return error == -EPIPE || error == -ECONNREFUSED || error == -ENOENT;
}

int named_complain(const char *name, int error, const char *why)
{
	if (named_is_gone(error))
		return complain(EXIT_CODE_STATE, name, "the machine has ended",
				"`lodge logs` and `lodge inspect --state` tell "
				"of it");
	switch (-error) {
	case EREMOTEIO:
		return complain(EXIT_CODE_STATE, name, why, NULL);
	case ETIMEDOUT:
		return complain(EXIT_CODE_INTERNAL, name,
				"its controller does not answer",
				"`lodge kill` ends the machine all the same");
	case EPROTO:
		return complain(EXIT_CODE_INTERNAL, name,
				"its controller is of another version of Lodge",
				"use that one's command");
	}
	return complain(code_of(error), name, strerror(-error), NULL);
}

int named_connect(const struct directory *directory, struct client **client)
{
	int err = client_open(client, directory);

	return err ? named_complain(directory->name, err, "") : 0;
}

int named_find(struct client **client, const char *name)
{
	struct directory directory;
	bool lives;
	int code = named_open(&directory, name, &lives);

	if (code)
		return code;
	code = lives ? named_connect(&directory, client) :
		       named_complain(name, -EPIPE, "");
	named_close(&directory);
	return code;
}

int named_call(struct client *client, const char *name, const char *command,
	       json_t **ok)
{
	char why[CONTROL_WHY_SIZE];
	int err = client_call(client, command, NULL, ok, why, sizeof(why));

	return err ? named_complain(name, err, why) : 0;
}

int named_request(const char *name, const char *command, const char *argument,
		  int patience_ms)
{
	char why[CONTROL_WHY_SIZE];
	struct client *client;
	int code = named_find(&client, name);
	int err;

	if (code)
		return code;
	err = client_send(client, command, argument);
	if (!err)
		err = client_receive(client, patience_ms, NULL, why,
				     sizeof(why));
	client_close(client);
	return err ? named_complain(name, err, why) : 0;
}

int named_each(const struct named_list *list,
	       int (*call)(const char *name, void *opaque), void *opaque)
{
	int first = 0;

	for (size_t i = 0; i < list->count; i++) {
		int code = call(list->names[i], opaque);

		first = first ? first : code;
	}
	return first;
}
