/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A cgroup of its own for `lodge run`, with messages where there can be none.
 */
#ifndef LODGE_CMD_OWN_CGROUP_H
#define LODGE_CMD_OWN_CGROUP_H

#include <stdint.h>

#include "lib/cgroup_own.h"

/**
 * own_cgroup_enter() - put the process into a cgroup of its own
 * @own: filled, for cgroup_leave()
 * @cpu_weight: see cgroup_enter()
 * @memory_max: likewise
 *
 * Return: 0, or the exit code after a message.
 */
int own_cgroup_enter(struct cgroup_own *own, uint64_t cpu_weight,
		     uint64_t memory_max);

#endif
