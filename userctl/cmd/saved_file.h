/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files of saved machines, for the commands that let such a machine go on.
 */
#ifndef LODGE_CMD_SAVED_FILE_H
#define LODGE_CMD_SAVED_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "cmd/options.h"
#include "machine/saved.h"

/**
 * struct saved_file - a file that is open
 * @name: what messages call it
 * @fd: its descriptor
 * @saved: what is in it
 */
struct saved_file {
	const char *name;
	int fd;
	struct saved *saved;
};

/**
 * saved_file_open() - open a file by its path
 * @trust: take it from whomever
 *
 * The file says what the machine has of the host, and whoever can write it acts as the user
 * who lets it go on: so without @trust it is that user's.
 *
 * Return: 0, or the exit code after a message.
 */
int saved_file_open(struct saved_file *file, const char *path, bool trust);

/**
 * saved_file_take() - open a file by a descriptor, which is the file's from here on
 *
 * Return: 0, or the exit code after a message, and the descriptor is closed.
 */
int saved_file_take(struct saved_file *file, const char *name, int fd);

/**
 * saved_file_close() - close what either has opened, once no machine is built from it any
 * more
 */
void saved_file_close(struct saved_file *file);

/**
 * saved_file_words() - get the options of the machine
 * @words: out: as config_words() has them
 * @count: out: their number
 *
 * Return: 0, or the exit code after a message.
 */
int saved_file_words(const struct saved_file *file, char ***words,
		     size_t *count);

/**
 * saved_file_parse() - read options for a machine that goes on from the file
 * @run: filled, to be freed by options_free(); the file and @argv must outlive it
 * @argc: number of arguments
 * @argv: argv[0] is the command's name; the order changes
 *
 * Return: 0, or the exit code after a message.
 */
int saved_file_parse(const struct saved_file *file, struct run_options *run,
		     int argc, char **argv);

#endif
