/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Signals from outside, taken by a thread of their own, so that they count even
 * while all others wait for a slow console.
 */
#ifndef LODGE_MACHINE_SIGNALS_H
#define LODGE_MACHINE_SIGNALS_H

struct signals;

/**
 * signals_start() - take SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1 and
 * SIGUSR2 from now on
 * @signals: set to the taker
 * @received: called from a thread of its own with the signal's number
 *
 * They are blocked in the calling thread, and so in all that it starts; one that
 * the process ignores stays ignored.  SIGTSTP is taken too: the process stops
 * with the terminal put back, and makes it raw again when it goes on.
 *
 * Return: 0 or -errno.
 */
int signals_start(struct signals **signals,
		  void (*received)(void *opaque, int number), void *opaque);

/**
 * signals_stop() - leave them again to whoever had them; NULL is fine
 */
void signals_stop(struct signals *signals);

#endif
