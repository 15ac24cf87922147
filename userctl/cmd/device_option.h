/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The argument of --device: NAME[,key=value]...
 */
#ifndef LODGE_CMD_DEVICE_OPTION_H
#define LODGE_CMD_DEVICE_OPTION_H

#include <stddef.h>
#include <stdio.h>

#include "machine/devices.h"

/**
 * device_option_parse() - add a device to those wanted, or change its options
 * @wanted: changes only on success
 * @text: NAME[,key=value]...
 * @why: out: on failure, a message
 * @size: bytes at @why
 *
 * Return: 0, -EINVAL or -ENOMEM.
 */
int device_option_parse(struct devices_wanted *wanted, const char *text,
			char *why, size_t size);

/**
 * device_option_list() - print all devices and their options
 */
void device_option_list(FILE *file);

#endif
