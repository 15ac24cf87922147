/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Long options that were written with one dash.
 */
#ifndef LODGE_CMD_ONE_DASH_H
#define LODGE_CMD_ONE_DASH_H

#include <argp.h>

/**
 * one_dash_refuse() - look for them in a command line, which is not parsed yet
 * @state: of argp, which has the command line
 * @descriptions: the options that there are
 *
 * Return: 0, or EINVAL after a message.
 */
int one_dash_refuse(struct argp_state *state,
		    const struct argp_option *descriptions);

#endif
