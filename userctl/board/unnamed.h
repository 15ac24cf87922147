/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files without a name, of which nothing is left when the process ends.
 */
#ifndef LODGE_BOARD_UNNAMED_H
#define LODGE_BOARD_UNNAMED_H

/**
 * unnamed_open() - make a file without a name, for reading and writing by its owner
 * @folder: a directory, or AT_FDCWD
 * @path: of the directory that the file is to be in, from there
 * @flags: for open(2), besides O_TMPFILE: O_EXCL, it never gets a name
 *
 * Return: a descriptor; -EOPNOTSUPP the file system, or the kernel, has no such files;
 * -errno.
 */
int unnamed_open(int folder, const char *path, int flags);

#endif
