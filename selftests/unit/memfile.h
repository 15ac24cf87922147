/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files that exist in memory only, for functions that take a path.
 */
#ifndef LODGE_UNIT_MEMFILE_H
#define LODGE_UNIT_MEMFILE_H

#include <stddef.h>

#define MEMFILE_PATH_SIZE 32

/**
 * memfile() - make a file that lasts until close()
 * @data: its contents
 * @size: bytes of @data
 * @path: out: its path
 *
 * Return: its descriptor, or -1.
 */
int memfile(const void *data, size_t size, char path[MEMFILE_PATH_SIZE]);

#endif
