/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Exit codes of the controller; the man page explains them.
 *
 * A guest's own codes, from isa-debug-exit, are odd.  The codes below for a guest's
 * end are even, so that the two cannot be mixed up.
 */
#ifndef LODGE_CMD_EXIT_CODE_H
#define LODGE_CMD_EXIT_CODE_H

#include <sysexits.h>

/* The guest has ended. */
#define EXIT_CODE_POWER_OFF 0
#define EXIT_CODE_CRASH 2
#define EXIT_CODE_RESET 4
#define EXIT_CODE_KILLED 6

/* The guest did not run, or could not go on: codes of sysexits.h. */
#define EXIT_CODE_USAGE EX_USAGE
#define EXIT_CODE_IMAGE EX_NOINPUT
#define EXIT_CODE_NO_VM EX_NOHOST
#define EXIT_CODE_HOST EX_UNAVAILABLE
#define EXIT_CODE_INTERNAL EX_SOFTWARE
#define EXIT_CODE_RESOURCES EX_OSERR
#define EXIT_CODE_OUTPUT EX_CANTCREAT
#define EXIT_CODE_PERMISSION EX_NOPERM

/* The machine of a command is not in a state for it. */
#define EXIT_CODE_STATE EX_TEMPFAIL
/* A machine was let go, and it is not known whether it has come to the other side. */
#define EXIT_CODE_UNDECIDED EX_PROTOCOL
/* `lodge stop` had to end a guest that did not power off. */
#define EXIT_CODE_FORCED 1

/*
 * With --root all codes are the command's, but for those that other programs that start
 * one have for their own failures, too; git-bisect(1) skips a revision at 125.
 */
#define EXIT_CODE_GUEST_FAILED 124
#define EXIT_CODE_NO_COMMAND 125
#define EXIT_CODE_NOT_EXECUTABLE 126
#define EXIT_CODE_NOT_FOUND 127

/* The code by which a shell reports a process that died of signal @number. */
#define EXIT_CODE_SIGNAL(number) (128 + (number))

#endif
