/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names that this process has made and that must not outlive it, such as those of
 * sockets: a process outside of the sandbox removes them when this one has ended,
 * however that was.
 */
#ifndef LODGE_SANDBOX_LEFTOVER_H
#define LODGE_SANDBOX_LEFTOVER_H

/* The most of them. */
#define LEFTOVERS_MAX 64

/**
 * leftover_note() - have a name removed at the end, if it is still what it is now
 * @path: as it is from the present working directory; this process has open what it names
 *
 * To be called before leftovers_guard().
 *
 * Return: 0 or -errno.
 */
int leftover_note(const char *path);

/**
 * leftover_remove() - remove a name that was noted, now
 *
 * A process that is confined leaves that to leftovers_finish().
 */
void leftover_remove(const char *path);

/**
 * leftovers_guard() - start the process that removes them; without any, none is started
 *
 * Return: 0 or -errno.
 */
int leftovers_guard(void);

/**
 * leftovers_finish() - have them removed, and wait for that
 */
void leftovers_finish(void);

#endif
