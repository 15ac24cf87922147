/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What becomes of a command in a guest, for the user who has asked for it.
 */
#ifndef LODGE_CMD_COMMAND_END_H
#define LODGE_CMD_COMMAND_END_H

#include "control/errand.h"

/**
 * command_end_code() - the exit code of whoever has asked for a command
 *
 * Return: the command's own, or that of a signal as a shell has it, or one of
 * EXIT_CODE_GUEST_FAILED to EXIT_CODE_NOT_FOUND.
 */
int command_end_code(const struct errand_end *end);

/**
 * command_end_tell() - write a message if a command has not run to its end
 * @who: the guest, for messages
 * @program: the command's first word, or NULL: a shell
 * @where: the remedy for a directory that the guest has not
 */
void command_end_tell(const struct errand_end *end, const char *who,
		      const char *program, const char *where);

#endif
