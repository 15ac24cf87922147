/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Machines that commands start.
 */
#ifndef LODGE_CMD_RUN_H
#define LODGE_CMD_RUN_H

#include "cmd/options.h"

/**
 * run_machine_of() - start a machine, and report its end
 * @options: of options_parse(); they stay the caller's
 *
 * Return: the exit code.
 */
int run_machine_of(struct run_options *options);

#endif
