/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Machines in the background, by their names, with messages where they cannot be had.
 */
#ifndef LODGE_CMD_NAMED_H
#define LODGE_CMD_NAMED_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>

#include "control/client.h"
#include "control/directory.h"

/* For the help of the commands that take such a name: what they may exit with. */
#define NAMED_EXIT_CODES                                                  \
	"64 the command line is wrong; 68 there is no such machine in "   \
	"the background; 70 its controller does not answer, or an error " \
	"of Lodge's own; 71 the host is out of memory or of another "     \
	"resource; 75 the machine is not in a state for this; 77 "        \
	"something is not permitted"

/**
 * struct named_list - the arguments of a command that takes names
 * @names: the names
 * @count: entries in @names
 */
struct named_list {
	char **names;
	size_t count;
};

/**
 * named_parse() - parser for argp of a command that takes names and no options; its input
 * is a struct named_list
 */
error_t named_parse(int key, char *argument, struct argp_state *state);

/**
 * named_parse_list() - the same for a command with options
 * @list: filled
 */
error_t named_parse_list(int key, struct argp_state *state,
			 struct named_list *list);

/**
 * named_parse_one() - the same for a command that takes one name
 */
error_t named_parse_one(int key, struct argp_state *state,
			struct named_list *list);

/**
 * named_parent() - open the directory above those of this user's machines
 *
 * Return: a descriptor, or -1: there is none, and no machine in the background.
 */
int named_parent(void);

/**
 * named_open() - open the directory of a machine in the background
 * @directory: filled; its parent is open, too
 * @name: the machine's name
 * @lives: out: it has not ended
 *
 * Return: 0, or the exit code after a message.
 */
int named_open(struct directory *directory, const char *name, bool *lives);

/**
 * named_close() - close what named_open() has opened
 */
void named_close(struct directory *directory);

/**
 * named_connect() - connect to the controller of a machine that lives
 * @client: set to the connection
 *
 * Return: 0, or the exit code after a message.
 */
int named_connect(const struct directory *directory, struct client **client);

/**
 * named_find() - connect to the controller of a machine by its name
 * @client: set to the connection
 * @name: its name
 *
 * Return: 0, or the exit code after a message: also if it has ended.
 */
int named_find(struct client **client, const char *name);

/**
 * named_is_gone() - true if an error of a call says that the controller has ended
 */
bool named_is_gone(int error);

/**
 * named_complain() - write a message about a request that failed
 * @name: the machine's name
 * @error: -errno of the call
 * @why: with -EREMOTEIO, the reason
 *
 * Return: the exit code.
 */
int named_complain(const char *name, int error, const char *why);

/**
 * named_call() - make a request
 * @name: the machine's name
 * @command: of the protocol
 * @ok: out: the answer, to be released; may be NULL
 *
 * Return: 0, or the exit code after a message.
 */
int named_call(struct client *client, const char *name, const char *command,
	       json_t **ok);

/**
 * named_request() - make one request of a machine by its name
 * @command: of the protocol
 * @argument: name of an argument that is to be true, or NULL
 * @patience_ms: milliseconds, or CLIENT_FOREVER
 *
 * Return: 0, or the exit code after a message.
 */
int named_request(const char *name, const char *command, const char *argument,
		  int patience_ms);

/**
 * named_each() - call a function for each name of a list
 *
 * Return: 0, or the exit code of the first call that failed; the others are made all
 * the same.
 */
int named_each(const struct named_list *list,
	       int (*call)(const char *name, void *opaque), void *opaque);

#endif
