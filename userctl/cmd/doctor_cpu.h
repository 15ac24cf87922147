/* SPDX-License-Identifier: GPL-2.0 */
/*
 * `lodge doctor --cpu`: the features of processors that a guest can have on this host.
 */
#ifndef LODGE_CMD_DOCTOR_CPU_H
#define LODGE_CMD_DOCTOR_CPU_H

#include <stdbool.h>

/**
 * doctor_cpu() - list them, as --cpu takes them
 * @as_json: as one line of JSON; otherwise line by line
 *
 * Return: the command's exit code; 1 after a message: they cannot be found out.
 */
int doctor_cpu(bool as_json);

#endif
