/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Options of `lodge run` that contradict each other, or that one of them lacks.
 */
#ifndef LODGE_CMD_OPTIONS_CHECK_H
#define LODGE_CMD_OPTIONS_CHECK_H

#include <argp.h>

#include "cmd/options.h"

/**
 * options_check() - check options when all of them are read
 *
 * Return: 0; EINVAL after a message by argp_error().
 */
int options_check(struct argp_state *state, const struct run_options *options);

#endif
