/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A file that takes its name when it is whole.
 *
 * Whatever ends the process or the host, the name is that of the file that had it
 * before, or of the new one.  Where the file system can, the new one has no name until
 * then, so that nothing is left of it, either.
 */
#ifndef LODGE_SNAP_NAME_H
#define LODGE_SNAP_NAME_H

#include <limits.h>
#include <stdbool.h>

#include "snap/error.h"

/**
 * struct snap_name - a file that is to have a name
 * @fd: the file, for reading and writing, which only its owner may do
 * @folder: the directory
 * @target: its name to be
 * @temporary: the name that it has meanwhile, or takes on the way; or empty
 * @absent: nothing had the name when it was looked at, and nothing is replaced
 */
struct snap_name {
	int fd;
	int folder;
	char target[NAME_MAX + 1];
	char temporary[32];
	bool absent;
};

/**
 * snap_name_open() - make a file
 * @path: its path to be; what has it must be a regular file
 * @error: out: on failure, the reason
 *
 * Return: 0 or -errno.
 */
int snap_name_open(struct snap_name *name, const char *path,
		   struct snap_error *error);

/**
 * snap_name_keep() - write the file to the disk and give it its name, in place of one
 * that had it at snap_name_open(), and close it
 * @error: out: on failure, the reason
 *
 * Return: 0; -EEXIST a file has taken the name since snap_name_open(), when none had it;
 * -errno.  The file is lost then.  After a failure of the last step, which
 * writes the directory to the disk, the file has its name.
 */
int snap_name_keep(struct snap_name *name, struct snap_error *error);

/**
 * snap_name_drop() - close and lose the file
 */
void snap_name_drop(struct snap_name *name);

#endif
