/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A control group of the calling process's own.
 */
#ifndef LODGE_LIB_CGROUP_OWN_H
#define LODGE_LIB_CGROUP_OWN_H

#include <stdint.h>
#include <sys/types.h>

#include "lib/cgroup.h"

#define CGROUP_WEIGHT_MIN 1
#define CGROUP_WEIGHT_MAX 10000

/**
 * struct cgroup_own - the caller's place in a cgroup of its own
 * @directory: of the new group, which is removed; empty: systemd's
 * @back: cgroup.procs of the group in which the caller was, open to be written
 * @keeper: child that removes the directory if the caller ends without cgroup_leave()
 * @life: end of a pipe by which the keeper sees that the caller has ended
 */
struct cgroup_own {
	char directory[CGROUP_DIRECTORY_SIZE];
	int back;
	pid_t keeper;
	int life;
};

/**
 * enum cgroup_step - the step of entering a cgroup that failed
 * @CGROUP_STEP_FIND: find the unified hierarchy and the caller's place in it
 * @CGROUP_STEP_SYSTEMD: have systemd make a scope
 * @CGROUP_STEP_MAKE: make a directory
 * @CGROUP_STEP_WEIGHT: set cpu.weight; -ENOENT there is no controller cpu
 * @CGROUP_STEP_MEMORY: set memory.max; -ENOENT there is no controller memory
 * @CGROUP_STEP_MOVE: move the process
 */
enum cgroup_step {
	CGROUP_STEP_FIND,
	CGROUP_STEP_SYSTEMD,
	CGROUP_STEP_MAKE,
	CGROUP_STEP_WEIGHT,
	CGROUP_STEP_MEMORY,
	CGROUP_STEP_MOVE,
};

/**
 * cgroup_enter() - put the calling process into a cgroup of its own
 * @root: see cgroup.h
 * @own: filled
 * @cpu_weight: CGROUP_WEIGHT_MIN to CGROUP_WEIGHT_MAX, or 0 to leave it
 * @memory_max: bytes, or 0 to leave it
 * @step: out: on failure, the step that failed
 *
 * Where systemd runs, it makes a scope, lodge-PID.scope: its system instance for root,
 * the user's own one else.  Elsewhere a directory lodge-PID is made beside the caller's cgroup, or below
 * the root if the caller is there: only leaves may have processes.  A child of the
 * caller, which stays where the caller was, removes it after any end of the caller: by
 * SIGKILL, too, which is how the host ends a process that needs more than memory.max.
 * Controllers that were switched on for it are switched off then, unless a neighbour has
 * set a value of theirs; until then the parent has the extended attribute
 * user.lodge.CONTROLLER.
 *
 * Return: 0 or -errno; the caller is where it was, except that systemd may move it yet
 * after -ETIMEDOUT.
 */
int cgroup_enter(const char *root, struct cgroup_own *own, uint64_t cpu_weight,
		 uint64_t memory_max, enum cgroup_step *step);

/**
 * cgroup_leave() - undo cgroup_enter(), when the process has set free what it can
 *
 * It opens no file, so that a process may have lost the means for that.
 *
 * Systemd removes its scope when the process ends.
 */
void cgroup_leave(struct cgroup_own *own);

#endif
