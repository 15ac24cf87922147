/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The argument of --flat: ADDRESS[:MODE].
 */
#ifndef LODGE_CMD_FLAT_OPTION_H
#define LODGE_CMD_FLAT_OPTION_H

#include "boot/detect.h"

/**
 * flat_option_parse() - read where a flat image goes, and how it is entered
 * @boot: boot_options.flat is set on success only
 * @text: ADDRESS[:MODE]
 *
 * Return: 0, -EINVAL, -ERANGE or -ENOMEM.
 */
int flat_option_parse(struct boot_options *boot, const char *text);

#endif
