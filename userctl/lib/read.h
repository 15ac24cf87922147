/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reading of files, which may have holes.
 */
#ifndef LODGE_LIB_READ_H
#define LODGE_LIB_READ_H

#include <stddef.h>
#include <stdint.h>

/**
 * read_at() - read bytes of a file, all of them
 *
 * Return: 0; -ENODATA the file is shorter; -errno.
 */
int read_at(int fd, void *bytes, size_t size, uint64_t offset);

/**
 * skip_hole() - find what is no hole
 * @offset: where to begin
 * @end: where to end, at most INT64_MAX
 *
 * Return: the first byte from @offset on that may be another than zero, or @end.  Where the
 * file system does not tell, that is @offset.
 */
uint64_t skip_hole(int fd, uint64_t offset, uint64_t end);

#endif
