/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Namespaces of a process's own, and its privileges: see namespaces(7),
 * capabilities(7).
 */
#ifndef LODGE_SANDBOX_NAMESPACES_H
#define LODGE_SANDBOX_NAMESPACES_H

#include <sys/types.h>

/**
 * namespaces_leave() - leave the host's namespaces and its files, as far as it allows it
 * @root_id: out: the user ID by which root is seen from then on
 *
 * The process has one thread.  Its user and group stay what they are; in a user namespace
 * of its own, all other users are nobody.
 *
 * Return: bits of enum sandbox_part.
 */
unsigned int namespaces_leave(uid_t *root_id);

/**
 * namespaces_leave_network() - leave the host's network and IPC, as far as it allows it
 *
 * The process has one thread, and keeps all files that it may open.
 */
void namespaces_leave_network(void);

/**
 * capabilities_drop() - drop all capabilities, for ever
 *
 * Return: bits of enum sandbox_part: none if some stay.
 */
unsigned int capabilities_drop(void);

#endif
