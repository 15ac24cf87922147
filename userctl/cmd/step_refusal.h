/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Why a machine could not be built or run, as messages and exit codes.
 */
#ifndef LODGE_CMD_STEP_REFUSAL_H
#define LODGE_CMD_STEP_REFUSAL_H

#include "cmd/options.h"
#include "machine/machine.h"

/**
 * complain_step() - write why a step of a machine failed to standard error
 * @options: what was asked for
 * @err: -errno of the step
 * @error: the step
 *
 * Return: the exit code.
 */
int complain_step(const struct run_options *options, int err,
		  const struct machine_error *error);

#endif
