/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Descriptors that clients hand to the controller.
 */
#ifndef LODGE_CONTROL_HANDED_H
#define LODGE_CONTROL_HANDED_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * handed_is_kind() - true if a descriptor is of a kind of files
 * @kind: S_IFREG, S_IFSOCK, ...
 */
bool handed_is_kind(int fd, mode_t kind);

/**
 * handed_can_write() - true if a file can be written at any place through a descriptor
 */
bool handed_can_write(int fd);

#endif
