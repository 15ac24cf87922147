/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Filters of system calls, one for each kind of thread: see seccomp(2).
 *
 * A filter holds for the thread that installs it and for all that it starts, and those
 * of a thread's ancestors hold, too: what a kind may do is in the filters of the kinds
 * that start it while they are confined.
 */
#ifndef LODGE_SANDBOX_FILTER_H
#define LODGE_SANDBOX_FILTER_H

#include <linux/filter.h>

#include "sandbox/sandbox.h"

/**
 * filter_build() - build the filter of a kind of thread
 * @program: set to it; its instructions are allocated
 *
 * Return: 0 or -errno.
 */
int filter_build(struct sock_fprog *program, enum sandbox_kind kind);

/**
 * filter_check_kernel() - find out whether the kernel has filters
 *
 * Return: 0; -ENOSYS it has none; -errno it does not say.
 */
int filter_check_kernel(void);

/**
 * filter_install() - hold this thread to a filter; it must have no_new_privs
 *
 * It takes no memory and no lock.
 *
 * Return: 0 or -errno.
 */
int filter_install(const struct sock_fprog *program);

#endif
