/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Limits as they stand on the command line of `lodge limit`.
 */
#ifndef LODGE_CMD_LIMIT_OPTION_H
#define LODGE_CMD_LIMIT_OPTION_H

#include <stddef.h>

#include "lib/netlink.h"

/**
 * limit_option_parse() - read a limit, such as vms=10, tables=64M or kernel=none
 * @change: the limit is added to it
 * @text: the argument
 * @why: on failure, filled with the reason
 * @size: size of @why
 *
 * Return: 0 or -EINVAL.
 */
int limit_option_parse(struct netlink_limit_change *change, const char *text,
		       char *why, size_t size);

/**
 * limit_option_format() - write a value of a limit, or of what is used of it
 * @text: filled
 * @size: at least SIZE_TEXT_SIZE
 * @kind: the limit
 * @value: a number, or LODGE_LIMIT_NONE
 */
void limit_option_format(char *text, size_t size, enum netlink_limit_kind kind,
			 uint64_t value);

#endif
