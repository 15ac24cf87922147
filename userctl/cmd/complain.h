/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages of errors.
 */
#ifndef LODGE_CMD_COMPLAIN_H
#define LODGE_CMD_COMPLAIN_H

/**
 * complain() - write a message to standard error
 * @code: exit code
 * @what: the thing that failed
 * @why: the reason
 * @remedy: what the user can do about it, or NULL
 *
 * Return: @code.
 */
int complain(int code, const char *what, const char *why, const char *remedy);

#endif
