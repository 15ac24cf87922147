/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What follows --device: NAME[,key=value]...
 */
#ifndef LODGE_CMD_DEVICE_OPTION_H
#define LODGE_CMD_DEVICE_OPTION_H

#include <stddef.h>
#include <stdio.h>

#include "machine/devices.h"

/**
 * device_option_parse() - want a device, or change an option of one
 * @wanted: changed when all is good
 * @text: NAME[,key=value]...
 * @why: out: what is wrong with it, in words
 * @size: room there
 *
 * Return: 0, -EINVAL or -ENOMEM.
 */
int device_option_parse(struct devices_wanted *wanted, const char *text,
			char *why, size_t size);

/**
 * device_option_list() - all devices and their options, for help
 */
void device_option_list(FILE *file);

#endif
