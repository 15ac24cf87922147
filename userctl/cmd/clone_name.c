// SPDX-License-Identifier: GPL-2.0
/*
 * The names of clones.
 */
#include "cmd/clone_name.h"

#include <errno.h>
#include <stdio.h>

#include "control/directory.h"

/* One that has ended has a name, too, until it is forgotten. */
static bool is_taken(int parent, const char *name)
{
	struct directory directory;
	bool lives;

	if (parent < 0 || directory_find(&directory, parent, name, &lives))
		return false;
	directory_close(&directory);
	return true;
}

static int number(const struct clone_names *names, char name[LODGE_NAME_SIZE])
{
	int length = snprintf(name, LODGE_NAME_SIZE, "%s-%u", names->base,
			      names->last);

	return length < LODGE_NAME_SIZE ? 0 : -ENAMETOOLONG;
}

int clone_name(struct clone_names *names, char name[LODGE_NAME_SIZE])
{
	int err;

	if (names->given && names->count == 1)
		return snprintf(name, LODGE_NAME_SIZE, "%s", names->base) <
				       LODGE_NAME_SIZE ?
			       0 :
			       -ENAMETOOLONG;
	do {
		names->last++;
		err = number(names, name);
	} while (!err && !names->given && is_taken(names->parent, name));
	return err;
}
