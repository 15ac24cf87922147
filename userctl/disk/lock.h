/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Keeps two users from changing a disk under each other.
 *
 * The locks are those of QEMU's images, so the two know each other's: a reader admits
 * readers, a writer nobody.
 */
#ifndef LODGE_DISK_LOCK_H
#define LODGE_DISK_LOCK_H

#include <stdbool.h>
#include <stddef.h>

/**
 * disk_lock() - lock an open file until it is closed
 * @fd: open for reading, at least
 * @writing: it will be changed
 * @why: out: on failure, the reason
 * @size: bytes at @why
 *
 * Return: 0; -EBUSY somebody else has it; or another -errno.
 */
int disk_lock(int fd, bool writing, char *why, size_t size);

/**
 * disk_lock_lend() - let others read a file, which is locked for writing, and nobody write
 * it
 *
 * Return: 0 or -errno.
 */
int disk_lock_lend(int fd);

/**
 * disk_lock_regain() - undo disk_lock_lend()
 *
 * Return: 0; -EBUSY somebody reads it, and the file stays lent; or another -errno.
 */
int disk_lock_regain(int fd);

#endif
