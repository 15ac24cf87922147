/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Why this host cannot run a VM, and what to do about it.
 */
#ifndef LODGE_CMD_HOST_H
#define LODGE_CMD_HOST_H

#include <stdbool.h>
#include <stddef.h>

#include <lodge.h>

/**
 * host_open_remedy() - what to do when /dev/lodge cannot be opened
 * @error: -errno of lodge_open()
 * @text: filled with one line
 */
void host_open_remedy(int error, char *text, size_t size);

/**
 * host_status_remedy() - what to do when the processor cannot be used
 * @info: from lodge_info()
 * @text: filled with one line
 */
void host_status_remedy(const struct lodge_info *info, char *text, size_t size);

/**
 * host_reason() - why the module has refused something
 * @error: -errno of a call
 *
 * Return: that error in words.
 */
const char *host_reason(int error);

/**
 * host_remedy() - what to do when the module has refused something
 * @error: -errno of a call
 * @otherwise: the remedy for errors that have none of their own
 *
 * Return: one line.
 */
const char *host_remedy(int error, const char *otherwise);

/**
 * host_is_guest() - whether this host is itself a virtual machine
 */
bool host_is_guest(void);

#endif
