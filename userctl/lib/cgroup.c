// SPDX-License-Identifier: GPL-2.0
/*
 * Control groups, version 2: where they are, and which one a process is in.
 */
#include "lib/cgroup.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "lib/cgroup_file.h"

/* proc_pid_mountinfo(5) */
int cgroup_mount(const char *root, char *mount, size_t size)
{
	char path[PATH_MAX], line[PATH_MAX], top[PATH_MAX], place[PATH_MAX];
	int err =
		cgroup_join(path, sizeof(path), "%s/proc/self/mountinfo", root);
	FILE *file;

	if (err)
		return err;
	file = fopen(path, "re");
	if (!file)
		return -errno;
	err = -ENOENT;
	while (err == -ENOENT && fgets(line, sizeof(line), file))
		if (strstr(line, " - cgroup2 ") &&
		    sscanf(line, "%*s %*s %*s %s %s", top, place) == 2 &&
		    !strcmp(top, "/"))
			err = cgroup_join(mount, size, "%s%s", root, place);
	fclose(file);
	return err;
}

int cgroup_path(const char *root, const char *process, char *group)
{
	char path[PATH_MAX], line[PATH_MAX];
	int err = cgroup_join(path, sizeof(path), "%s/proc/%s/cgroup", root,
			      process);
	FILE *file;

	if (err)
		return err;
	file = fopen(path, "re");
	if (!file)
		return -errno;
	err = -ENOENT;
	while (err == -ENOENT && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "0::/", 4))
			err = cgroup_join(group, CGROUP_PATH_SIZE, "%s",
					  line + 3);
	}
	fclose(file);
	return err;
}

/* The root of the hierarchy is "/", which adds nothing to the mount's path. */
int cgroup_directory(const char *mount, const char *group, char *directory)
{
	return cgroup_join(directory, CGROUP_DIRECTORY_SIZE, "%s%s", mount,
			   strcmp(group, "/") ? group : "");
}

int cgroup_read_of(const char *root, const char *process, struct cgroup *cgroup)
{
	char mount[CGROUP_PATH_SIZE], directory[CGROUP_DIRECTORY_SIZE];
	int err;

	err = cgroup_path(root, process, cgroup->path);
	if (!err)
		err = cgroup_mount(root, mount, sizeof(mount));
	if (!err)
		err = cgroup_directory(mount, cgroup->path, directory);
	cgroup->cpu_weight = 0;
	cgroup->memory_max = 0;
	/* Outside of the caller's cgroup namespace, where the path leads elsewhere. */
	if (err || !strncmp(cgroup->path, "/../", strlen("/../")))
		return err;
	cgroup->cpu_weight = cgroup_read_number(directory, "cpu.weight");
	cgroup->memory_max = cgroup_read_number(directory, "memory.max");
	return 0;
}

int cgroup_read(const char *root, struct cgroup *cgroup, pid_t pid)
{
	char process[16];

	snprintf(process, sizeof(process), "%d", (int)pid);
	return cgroup_read_of(root, process, cgroup);
}
