/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Remedies for a host that cannot run a VM.
 */
#ifndef LODGE_CMD_HOST_H
#define LODGE_CMD_HOST_H

#include <stdbool.h>
#include <stddef.h>

#include <lodge.h>

/**
 * host_open_remedy() - name the remedy when /dev/lodge cannot be opened
 * @error: -errno of lodge_open()
 * @text: filled with one line
 */
void host_open_remedy(int error, char *text, size_t size);

/**
 * host_status_remedy() - name the remedy when info.status is not ready
 * @info: from lodge_info()
 * @text: filled with one line
 */
void host_status_remedy(const struct lodge_info *info, char *text, size_t size);

/**
 * host_reason() - describe an error of the module
 * @error: -errno of a call
 *
 * Return: a text.
 */
const char *host_reason(int error);

/**
 * host_remedy() - name the remedy for an error of the module
 * @error: -errno of a call
 * @otherwise: the remedy for errors that have none of their own
 *
 * Return: one line.
 */
const char *host_remedy(int error, const char *otherwise);

/**
 * host_is_guest() - true if this host is itself a virtual machine
 */
bool host_is_guest(void);

#endif
