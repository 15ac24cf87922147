/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Users of a guest whose root is a directory of the host's: those that its files have.
 */
#ifndef LODGE_CMD_ROOT_USER_H
#define LODGE_CMD_ROOT_USER_H

#include <stdint.h>

/* Most groups beside the first one. */
#define ROOT_USER_GROUPS 64

/**
 * struct root_user - a user
 * @uid: its number
 * @gid: its group
 * @nr_groups: entries of @groups
 * @groups: its other groups
 * @vars: of its environment: HOME, USER, LOGNAME and SHELL, each NAME=VALUE and to be
 *	freed; NULL ends them
 */
struct root_user {
	uint32_t uid;
	uint32_t gid;
	uint32_t nr_groups;
	uint32_t groups[ROOT_USER_GROUPS];
	char *vars[5];
};

/**
 * root_user_find() - find a user
 * @user: out; root_user_free() frees it
 * @root: the guest's root, whose /etc/passwd and /etc/group count
 * @text: NAME or number, and perhaps :GROUP or its number, of which nothing is assumed
 *
 * A number that no user has is one without other groups; its group is 0.
 *
 * Return: 0; -ENOENT there is none; -ESRCH there is no such group; -ENOMEM.
 */
int root_user_find(struct root_user *user, const char *root, const char *text);

/**
 * root_user_free() - free a user; one that is all zeroes is fine
 */
void root_user_free(struct root_user *user);

#endif
