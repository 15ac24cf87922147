/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The names of clones.
 */
#ifndef LODGE_CMD_CLONE_NAME_H
#define LODGE_CMD_CLONE_NAME_H

#include <stdbool.h>

#include <lodge.h>

/**
 * struct clone_names - what clones are called
 * @base: what their names begin with
 * @given: the user has chosen it, and the numbers begin with 1; otherwise those that other
 *	machines have are left out
 * @count: number of clones
 * @last: the number that the last name has, or 0
 * @parent: directory with those of this user's machines, or -1: there are none
 */
struct clone_names {
	const char *base;
	bool given;
	unsigned int count;
	unsigned int last;
	int parent;
};

/**
 * clone_name() - get the name of the next clone
 * @name: out
 *
 * A single clone has the name that was given, without a number.
 *
 * Return: 0; -ENAMETOOLONG no machine can have it.
 */
int clone_name(struct clone_names *names, char name[LODGE_NAME_SIZE]);

#endif
