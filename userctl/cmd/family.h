/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The module's view of all VMs, with messages where it cannot be had.
 */
#ifndef LODGE_CMD_FAMILY_H
#define LODGE_CMD_FAMILY_H

#include <stdbool.h>

#include "lib/netlink.h"

/* For the help of each command that asks the module: what else it may exit with. */
#define FAMILY_EXIT_CODES                                           \
	"70 an error of Lodge's own; 71 the host is out of memory " \
	"or of another resource; 73 standard output cannot be "     \
	"written; 77 something is not permitted"

/**
 * family_open() - connect to the module's netlink family
 * @netlink: set to the connection
 *
 * Return: 0, or the exit code after a message.
 */
int family_open(struct netlink **netlink);

/**
 * family_complain() - write a message about a call that failed
 * @netlink: the connection
 * @what: the thing that failed
 * @error: -errno of the call
 *
 * Return: the exit code.
 */
int family_complain(const struct netlink *netlink, const char *what, int error);

/**
 * family_find() - find a VM by its name
 * @name: its name
 * @uid: the user whose it is, or NULL: the caller's own one counts first, then the only
 *	one of this name
 * @vm: filled
 *
 * Return: 0, or the exit code after a message.
 */
int family_find(struct netlink *netlink, const char *name, const uint32_t *uid,
		struct netlink_vm *vm);

/**
 * family_id_parse() - read the value of an option --id
 * @text: the value
 * @id: out
 *
 * Return: false if no VM can have this ID.
 */
bool family_id_parse(const char *text, uint32_t *id);

/**
 * family_find_id() - find a VM by its ID
 * @vm: filled
 *
 * Return: 0, or the exit code after a message.
 */
int family_find_id(struct netlink *netlink, uint32_t id, struct netlink_vm *vm);

#endif
