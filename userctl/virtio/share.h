/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The view of the host's files that a process gets which serves a directory: a mount
 * namespace in which the directory, with all that is mounted below it, may be read-only.
 */
#ifndef LODGE_VIRTIO_SHARE_H
#define LODGE_VIRTIO_SHARE_H

#include <stdbool.h>
#include <stdint.h>

#include "virtio/helper.h"

/* Where the program finds the directory: a place that every host has. */
#define SHARE_PATH "/tmp"

#define SHARE_MAP_SIZE 48

/**
 * struct share - a directory to serve
 * @path: of the directory
 * @read_only: nothing below it can be changed
 * @own: the user has no privileges, and gets a user namespace
 * @user_map: see user_namespaces(7)
 * @group_map: likewise
 */
struct share {
	const char *path;
	bool read_only;
	bool own;
	char user_map[SHARE_MAP_SIZE];
	char group_map[SHARE_MAP_SIZE];
};

/**
 * share_init() - describe a directory
 * @user: of a user without privileges: the user of the guest that stands for him.  With 0
 *	its group 0 does, and otherwise the group of his number
 */
void share_init(struct share *share, const char *path, bool read_only,
		uint32_t user);

/**
 * share_enter() - get the view; for child_config.prepare()
 * @opaque: the struct share
 *
 * Return: 0 or -errno.
 */
int share_enter(void *opaque);

#endif
