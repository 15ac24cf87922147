/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files of saved machines, as commands open them and complain of them.
 */
#ifndef LODGE_CMD_IMAGE_FILE_H
#define LODGE_CMD_IMAGE_FILE_H

#include <stdbool.h>

#include "snap/error.h"
#include "snap/file.h"

/**
 * struct image_file - a file that a command reads
 * @path: its path
 * @fd: its descriptor, or -1
 * @file: its content, or NULL
 */
struct image_file {
	const char *path;
	int fd;
	struct snap_file *file;
};

/**
 * image_fd_try() - open what may be the file of a saved machine, for reading
 *
 * Return: a descriptor, or -errno.
 */
int image_fd_try(const char *path);

/**
 * image_fd_open() - the same with a message
 * @fd: out: a descriptor
 *
 * Return: 0, or the exit code after a message.
 */
int image_fd_open(const char *path, int *fd);

/**
 * image_file_open() - open a file of a saved machine
 * @image: out; image_file_close() closes it in each case
 *
 * Return: 0, or the exit code after a message.
 */
int image_file_open(struct image_file *image, const char *path);

/**
 * image_file_close() - close a file; one that is not open is fine
 */
void image_file_close(struct image_file *image);

/**
 * image_complain() - write a message about a file that is read
 * @err: -errno
 *
 * Return: the exit code.
 */
int image_complain(const char *path, int err, const struct snap_error *error);

/**
 * image_complain_output() - the same about a file that is written
 */
int image_complain_output(const char *path, int err,
			  const struct snap_error *error);

/**
 * image_check_target() - check what a new file would replace
 * @path: of the new file
 *
 * A disk, say, that is named by mistake is not to be replaced: that may be the file of a
 * saved machine alone, or an empty one.
 *
 * Return: 0: it is that, or nothing is there; or the exit code after a message.
 */
int image_check_target(const char *path);

/**
 * image_is_at() - true if @path leads to an open file
 */
bool image_is_at(const struct image_file *image, const char *path);

#endif
