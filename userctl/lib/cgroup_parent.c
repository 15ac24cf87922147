// SPDX-License-Identifier: GPL-2.0
/*
 * Controllers that a control group passes on: see cgroup_parent.h.
 */
#include "lib/cgroup_parent.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "lib/cgroup_file.h"

/* How long a lock is waited for. */
#define WAIT_STEP_NS 10000000L
#define WAIT_STEPS 500

int cgroup_parent_lock(const char *parent)
{
	const struct timespec step = { .tv_nsec = WAIT_STEP_NS };
	int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int i = 0;
	     i < WAIT_STEPS && fd >= 0 && flock(fd, LOCK_EX | LOCK_NB); i++)
		nanosleep(&step, NULL);
	return fd;
}

void cgroup_parent_unlock(int lock)
{
	if (lock >= 0)
		close(lock);
}

/* The mark of a parent for which this program has switched a controller on. */
static void mark_of(const char *controller, char *mark, size_t size)
{
	snprintf(mark, size, "user.lodge.%s", controller);
}

int cgroup_parent_switch_on(const char *parent, const char *controller)
{
	char text[16], mark[32];
	int err;

	snprintf(text, sizeof(text), "+%s", controller);
	err = cgroup_write(parent, "cgroup.subtree_control", text);
	if (err)
		return err;
	mark_of(controller, mark, sizeof(mark));
	setxattr(parent, mark, "", 0, 0);
	return 0;
}

/**
 * struct value - a file of a group, and what it has until somebody writes there
 */
struct value {
	const char *file;
	const char *unused;
};

static const struct controller {
	const char *name;
	struct value values[9];
} controllers[] = {
	{ "cpu",
	  { { "cpu.weight", "100\n" },
	    { "cpu.max", "max 100000\n" },
	    { "cpu.max.burst", "0\n" },
	    { "cpu.idle", "0\n" },
	    { "cpu.uclamp.min", "0.00\n" },
	    { "cpu.uclamp.max", "max\n" } } },
	{ "memory",
	  { { "memory.min", "0\n" },
	    { "memory.low", "0\n" },
	    { "memory.high", "max\n" },
	    { "memory.max", "max\n" },
	    { "memory.oom.group", "0\n" },
	    { "memory.swap.high", "max\n" },
	    { "memory.swap.max", "max\n" },
	    { "memory.zswap.max", "max\n" } } },
};

/* Return: true if a group has a value of its own, or is another one of this program. */
static bool is_used(const char *parent, const char *group,
		    const struct controller *controller)
{
	const struct value *value = controller->values;
	char directory[PATH_MAX], text[32];

	if (!strncmp(group, "lodge-", strlen("lodge-")) ||
	    cgroup_join(directory, sizeof(directory), "%s/%s", parent, group))
		return true;
	for (; value->file; value++)
		if (cgroup_read_text(directory, value->file, text,
				     sizeof(text)) &&
		    strcmp(text, value->unused))
			return true;
	return false;
}

static bool has_user(const char *parent, const struct controller *controller)
{
	DIR *directory = opendir(parent);
	const struct dirent *entry;
	bool found = !directory;

	while (!found && (entry = readdir(directory)))
		found = entry->d_type == DT_DIR && *entry->d_name != '.' &&
			is_used(parent, entry->d_name, controller);
	if (directory)
		closedir(directory);
	return found;
}

void cgroup_parent_switch_off(const char *parent)
{
	int lock = cgroup_parent_lock(parent);
	char text[16], mark[32];

	for (size_t i = 0; i < sizeof(controllers) / sizeof(controllers[0]);
	     i++) {
		if (has_user(parent, &controllers[i]))
			continue;
		mark_of(controllers[i].name, mark, sizeof(mark));
		if (removexattr(parent, mark))
			continue;
		snprintf(text, sizeof(text), "-%s", controllers[i].name);
		cgroup_write(parent, "cgroup.subtree_control", text);
	}
	cgroup_parent_unlock(lock);
}
