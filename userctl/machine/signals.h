/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Takes signals from outside, in a thread of its own, so that they work even while
 * all other threads wait for a slow console.
 */
#ifndef LODGE_MACHINE_SIGNALS_H
#define LODGE_MACHINE_SIGNALS_H

#include <stdbool.h>

struct signals;

/**
 * signal_is_ignored() - find out whether this process ignores a signal
 *
 * One that does, as under nohup(1), is to ignore it still when it takes signals.
 */
bool signal_is_ignored(int number);

/**
 * signals_start() - take SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 and
 * SIGWINCH from now on
 * @signals: set to the new object
 * @received: called from the new thread with the signal's number
 *
 * The signals are blocked in the calling thread, and so in threads that it starts.
 * Signals that the process ignores stay ignored.  SIGTSTP is taken, too: the process
 * restores the terminal, stops, and makes the terminal raw again when it continues.
 *
 * Return: 0 or -errno.
 */
int signals_start(struct signals **signals,
		  void (*received)(void *opaque, int number), void *opaque);

/**
 * signals_stop() - end the thread and restore the signal mask; NULL is fine
 */
void signals_stop(struct signals *signals);

#endif
