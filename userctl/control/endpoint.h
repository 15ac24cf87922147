/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The control socket of a machine: a stream socket in its directory, of mode 0600.
 */
#ifndef LODGE_CONTROL_ENDPOINT_H
#define LODGE_CONTROL_ENDPOINT_H

#include <stdbool.h>
#include <sys/types.h>

#include "control/directory.h"

/**
 * endpoint_listen() - make the socket
 *
 * Return: its descriptor, which does not block; or -errno.
 */
int endpoint_listen(const struct directory *directory);

/**
 * endpoint_accept() - accept a connection
 * @listener: of endpoint_listen()
 *
 * Return: its descriptor, which does not block; -EACCES the other side is neither of this
 * user nor of root; -errno.
 */
int endpoint_accept(int listener);

/**
 * endpoint_connect() - connect to the controller of a machine
 * @pid: out: its process
 *
 * Return: a descriptor; -EACCES the other side is neither of this user nor of root;
 * -errno.
 */
int endpoint_connect(const struct directory *directory, pid_t *pid);

#endif
