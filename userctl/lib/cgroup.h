/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Control groups, version 2: where they are, and which one a process is in.
 */
#ifndef LODGE_LIB_CGROUP_H
#define LODGE_LIB_CGROUP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CGROUP_PATH_SIZE 256
#define CGROUP_DIRECTORY_SIZE 768
/* No limit on memory. */
#define CGROUP_NO_LIMIT UINT64_MAX

/**
 * struct cgroup - a cgroup
 * @path: below the root of the unified hierarchy; begins with "/"
 * @cpu_weight: cpu.weight; 0: the group does not have it, or is not in the caller's
 *	cgroup namespace; likewise the next one
 * @memory_max: memory.max in bytes, or CGROUP_NO_LIMIT; 0: the group does not have it
 */
struct cgroup {
	char path[CGROUP_PATH_SIZE];
	uint64_t cpu_weight;
	uint64_t memory_max;
};

/*
 * @root of the functions is put before all paths of the host: "", or a directory with
 * files of a test.
 */

/**
 * cgroup_read() - read which cgroup a process is in
 * @root: see above
 * @cgroup: filled
 * @pid: the process
 *
 * Return: 0; -ENOENT there is no unified hierarchy, or no such process; -ENAMETOOLONG;
 * -errno.
 */
int cgroup_read(const char *root, struct cgroup *cgroup, pid_t pid);

/**
 * cgroup_read_of() - the same, of a process that has another name in /proc
 * @process: "self", or its ID
 */
int cgroup_read_of(const char *root, const char *process,
		   struct cgroup *cgroup);

/**
 * cgroup_path() - read the path of a process's cgroup
 * @process: as above
 * @group: room for CGROUP_PATH_SIZE bytes
 *
 * Return: 0 or -errno.
 */
int cgroup_path(const char *root, const char *process, char *group);

/**
 * cgroup_mount() - find where the whole unified hierarchy is mounted
 *
 * Return: 0; -ENOENT there is none; -errno.
 */
int cgroup_mount(const char *root, char *mount, size_t size);

/**
 * cgroup_directory() - the directory of a group
 * @mount: see cgroup_mount()
 * @group: its path
 * @directory: room for CGROUP_DIRECTORY_SIZE bytes
 *
 * Return: 0 or -ENAMETOOLONG.
 */
int cgroup_directory(const char *mount, const char *group, char *directory);

#endif
