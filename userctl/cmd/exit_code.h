/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Exit codes of the controller; the man page explains them.
 *
 * The guest's own codes, from isa-debug-exit, are odd: what a guest's end means
 * is even, so that the two cannot be taken for each other.
 */
#ifndef LODGE_CMD_EXIT_CODE_H
#define LODGE_CMD_EXIT_CODE_H

#include <sysexits.h>

/* An end of the guest. */
#define EXIT_CODE_POWER_OFF 0
#define EXIT_CODE_CRASH 2
#define EXIT_CODE_RESET 4

/* No guest: what sysexits.h has for it. */
#define EXIT_CODE_USAGE EX_USAGE
#define EXIT_CODE_IMAGE EX_NOINPUT
#define EXIT_CODE_HOST EX_UNAVAILABLE
#define EXIT_CODE_INTERNAL EX_SOFTWARE
#define EXIT_CODE_RESOURCES EX_OSERR
#define EXIT_CODE_OUTPUT EX_CANTCREAT
#define EXIT_CODE_PERMISSION EX_NOPERM

/* As a shell reports a process that died of signal @number. */
#define EXIT_CODE_SIGNAL(number) (128 + (number))

#endif
