/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The argument of --cpu: the features that a guest's processors have, by their names.
 */
#ifndef LODGE_CMD_CPU_OPTION_H
#define LODGE_CMD_CPU_OPTION_H

#include <stddef.h>

#include "machine/features.h"

/* Most bytes of a file. */
#define CPU_OPTION_FILE_MAX 16384

/**
 * struct cpu_option - what was asked for
 * @all: all that the host has: @set is empty
 * @set: otherwise: exactly these
 * @text: the same as an argument that needs no file; to be freed
 */
struct cpu_option {
	bool all;
	struct feature_set set;
	char *text;
};

/**
 * cpu_option_parse() - read which features a guest is to have
 * @option: filled on success
 * @text: host; or names of features and of sets of them, with commas between; or a file of
 *	such names, whose own name has a slash or a dot
 * @why: out: on failure, what is wrong
 * @size: bytes at @why
 *
 * Return: 0; -EINVAL a name is unknown, or the file is none of names; -errno of reading it.
 */
int cpu_option_parse(struct cpu_option *option, const char *text, char *why,
		     size_t size);

#endif
