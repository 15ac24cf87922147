/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The argument of --device: NAME[,KEY=VALUE]...
 *
 * A comma in a value is written twice.
 */
#ifndef LODGE_CMD_DEVICE_OPTION_H
#define LODGE_CMD_DEVICE_OPTION_H

#include <stddef.h>
#include <stdio.h>

#include "machine/devices.h"

/* Room for any message, but for long words of the user's. */
#define DEVICE_OPTION_WHY_SIZE 1024

/**
 * device_option_parse() - want a device, or change the options of one that a machine
 * has once
 * @wanted: may have changed even on failure
 * @text: NAME[,KEY=VALUE]...
 * @why: out: on failure, the reason and the remedy
 * @size: bytes at @why, such as DEVICE_OPTION_WHY_SIZE
 *
 * Return: 0, -EINVAL or -ENOMEM.
 */
int device_option_parse(struct devices_wanted *wanted, const char *text,
			char *why, size_t size);

/**
 * device_option_help() - print help if an argument asks for it
 * @text: "help" for all devices, or "NAME,help" for one
 *
 * Return: 0; -ENOENT it does not ask for help.
 */
int device_option_help(FILE *file, const char *text);

#endif
