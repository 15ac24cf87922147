/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The files of a control group, and the paths to them: for the other files of cgroup*.
 */
#ifndef LODGE_LIB_CGROUP_FILE_H
#define LODGE_LIB_CGROUP_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * cgroup_join() - make a path
 *
 * Return: 0 or -ENAMETOOLONG.
 */
__attribute__((format(printf, 3, 4))) int cgroup_join(char *text, size_t size,
						      const char *format, ...);

/**
 * cgroup_write() - write a text to a file of a group
 * @directory: the group's
 *
 * Return: 0 or -errno.
 */
int cgroup_write(const char *directory, const char *name, const char *text);

/**
 * cgroup_write_number() - write a number to a file of a group
 *
 * Return: 0 or -errno.
 */
int cgroup_write_number(const char *directory, const char *name,
			uint64_t number);

/**
 * cgroup_read_text() - read a file of a group
 *
 * Return: true if the file has a text.
 */
bool cgroup_read_text(const char *directory, const char *name, char *text,
		      size_t size);

/**
 * cgroup_read_number() - read a number from a file of a group
 *
 * Return: the number, CGROUP_NO_LIMIT for "max", or 0.
 */
uint64_t cgroup_read_number(const char *directory, const char *name);

#endif
