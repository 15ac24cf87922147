/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages of errors.
 */
#ifndef LODGE_CMD_COMPLAIN_H
#define LODGE_CMD_COMPLAIN_H

#include <stddef.h>

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

/**
 * complain_line() - write a message that is whole
 *
 * Return: @code.
 */
int complain_line(int code, const char *line);

/**
 * warn_of_no_sandbox() - say what --no-sandbox means
 */
void warn_of_no_sandbox(void);

/**
 * complain_to() - have the next messages written to memory, too, each in place of the one
 * before
 * @copy: filled, cut to fit, also by processes that share it; or NULL: nowhere
 * @size: bytes
 */
void complain_to(char *copy, size_t size);

#endif
