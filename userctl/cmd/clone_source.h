/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What `lodge clone` starts machines from: a machine, frozen or not, or a file.
 */
#ifndef LODGE_CMD_CLONE_SOURCE_H
#define LODGE_CMD_CLONE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "cmd/saved_file.h"
#include "control/client.h"

/**
 * struct clone_source - what machines are started from
 * @file: the state of the machine
 * @client: connection to the controller of a machine that is frozen, and stays so until it is
 *	closed; or NULL
 * @words: the options of the clones
 * @count: entries in @words
 */
struct clone_source {
	struct saved_file file;
	struct client *client;
	char **words;
	size_t count;
};

/**
 * clone_source_open() - find a machine or a file, and make its options those of clones
 * @source: filled; to be closed by clone_source_close() also after a failure
 * @name: a machine's name, or a path; with a '/' it is a path
 * @trust: take a file from whomever
 *
 * What the clones lack is told on standard error.
 *
 * Return: 0, or the exit code after a message.
 */
int clone_source_open(struct clone_source *source, const char *name,
		      bool trust);

/**
 * clone_source_close() - close it, once no machine is built from it any more
 */
void clone_source_close(struct clone_source *source);

#endif
