/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The option --share HOSTDIR[:TAG][,KEY=VALUE]..., as the device that it stands for.
 */
#ifndef LODGE_CMD_SHARE_OPTION_H
#define LODGE_CMD_SHARE_OPTION_H

#include "machine/devices.h"

/**
 * share_option_device() - write what --device is given for a shared directory
 * @devices: those that are wanted already: without a TAG the directory is share and the
 *	number of those before it
 * @text: of the option; a comma in HOSTDIR is doubled
 *
 * Return: the text, to be freed; NULL: there is no memory.
 */
char *share_option_device(const struct devices_wanted *devices,
			  const char *text);

#endif
