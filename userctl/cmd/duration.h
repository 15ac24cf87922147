/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Durations as people read them.
 */
#ifndef LODGE_CMD_DURATION_H
#define LODGE_CMD_DURATION_H

#include <stddef.h>
#include <stdint.h>

/* Room for any duration. */
#define DURATION_TEXT_SIZE 24

/**
 * duration_format() - write a duration as HH:MM:SS, with days in front if there are any
 * @text: filled: 00:01:05, or 3-04:05:06
 * @size: at least DURATION_TEXT_SIZE
 * @ns: nanoseconds
 */
void duration_format(char *text, size_t size, uint64_t ns);

#endif
