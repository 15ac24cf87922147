/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A process in the background, whose caller waits until it runs.
 */
#ifndef LODGE_CMD_DETACH_H
#define LODGE_CMD_DETACH_H

/**
 * detach() - carry something out in a process of its own
 * @run: called there, in a session of its own, with /dev/null as standard input and
 *	outputs, but stderr still the caller's; returns the exit code.  It tells by
 *	detach_ready() that all is well
 * @opaque: for @run
 * @code: out, in the caller: 0 when all is well, and the word of detach_ready() was
 *	written to standard output; otherwise the exit code
 *
 * Return: 0, or -errno: there is no such process.  In the new process it does not return.
 */
int detach(int (*run)(void *opaque, int caller), void *opaque, int *code);

/**
 * detach_close_inherited() - let go of the descriptors that the caller has handed down,
 * but for those of standard input, output and errors: all of this program's have
 * FD_CLOEXEC
 */
void detach_close_inherited(void);

/**
 * detach_leave() - let go of the same, and of the caller's working directory
 */
void detach_leave(void);

/**
 * detach_ready() - let the caller go on, and go to the background
 * @caller: as given to the function in the new process; is closed
 * @word: for standard output of the caller
 *
 * Before, stderr must have been set to something else.
 *
 * Return: 0, or -errno: the caller has gone.
 */
int detach_ready(int caller, const char *word);

#endif
