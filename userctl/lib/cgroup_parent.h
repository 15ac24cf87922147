/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parent of control groups that this program makes: the controllers that are switched
 * on there for them, and off again.
 */
#ifndef LODGE_LIB_CGROUP_PARENT_H
#define LODGE_LIB_CGROUP_PARENT_H

/**
 * cgroup_parent_lock() - keep others of this program from making groups in @parent, or
 * from switching controllers off
 *
 * Anybody may hold the lock: who waits for too long goes on without it.
 *
 * Return: a descriptor for cgroup_parent_unlock(); -1 after an error.
 */
int cgroup_parent_lock(const char *parent);

void cgroup_parent_unlock(int lock);

/**
 * cgroup_parent_switch_on() - have @parent pass a controller on to its groups, for as
 * long as there are groups
 *
 * Where the parent cannot be marked, it goes on to do so.
 *
 * Return: 0 or -errno.
 */
int cgroup_parent_switch_on(const char *parent, const char *controller);

/**
 * cgroup_parent_switch_off() - undo cgroup_parent_switch_on(), unless there is a group
 * that would lose a value
 *
 * If that group is this program's, too, its own end comes here again.  The kernel refuses
 * while a group passes the controller on itself.
 */
void cgroup_parent_switch_off(const char *parent);

#endif
