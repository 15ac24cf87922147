/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The event loop: one thread that waits for file descriptors and timers on
 * behalf of all devices.
 *
 * Callbacks run in the loop's thread, with no lock held.  The calls below may be
 * made from any thread.
 */
#ifndef LODGE_BOARD_LOOP_H
#define LODGE_BOARD_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_timer;

/**
 * loop_new() - make an event loop, which does nothing until loop_run()
 *
 * Return: the loop, or NULL with errno set.
 */
struct loop *loop_new(void);

/**
 * loop_free() - free a loop with its timers and watches; NULL is fine
 *
 * Free devices that have timers before: they disarm them.
 */
void loop_free(struct loop *loop);

/**
 * loop_run() - serve events until loop_stop()
 *
 * Return: 0 or -errno.
 */
int loop_run(struct loop *loop);

/**
 * loop_stop() - make loop_run() return; safe in a signal handler
 */
void loop_stop(struct loop *loop);

/**
 * loop_watch() - call @ready each time @fd can be read (or has hung up)
 *
 * @ready is called again until it has read or unwatched @fd.  Sometimes it may
 * find nothing to read.  Files that epoll(7) refuses, because they are always
 * ready, can be watched, too.
 *
 * Return: 0, -EEXIST @fd is watched already, or another -errno.
 */
int loop_watch(struct loop *loop, int fd, void (*ready)(void *opaque, int fd),
	       void *opaque);

/**
 * loop_await() - say what a watched descriptor is waited for
 * @fd: is watched, and epoll(7) takes it; other files can always be read
 * @input: call @ready when it can be read, as loop_watch() does
 * @output: call @ready when it can be written
 *
 * Errors and a hang-up are reported even if it is waited for neither.
 *
 * Return: 0 or -errno.
 */
int loop_await(struct loop *loop, int fd, bool input, bool output);

/**
 * loop_unwatch() - stop watching @fd; to be called before @fd is closed
 *
 * It does not wait for a callback that runs now.
 */
void loop_unwatch(struct loop *loop, int fd);

/**
 * loop_now() - read the machine's clock, which timers use
 *
 * It starts at 0 when the loop is made, runs at the rate of the host's monotonic
 * clock, and can be stopped.
 *
 * Return: nanoseconds.
 */
uint64_t loop_now(const struct loop *loop);

/**
 * loop_clock_stop() - stop the clock, and with it all timers
 *
 * It does not wait for a callback that runs now.  The clock may be stopped already.
 */
void loop_clock_stop(struct loop *loop);

/**
 * loop_clock_start() - let a stopped clock run on from the time it shows
 */
void loop_clock_start(struct loop *loop);

/**
 * loop_clock_set() - set a stopped clock
 * @now: nanoseconds
 *
 * Armed timers keep their times.
 *
 * Return: 0, or -EINVAL: @now is 2^63 or above, and nothing has changed.
 */
int loop_clock_set(struct loop *loop, uint64_t now);

/**
 * loop_timer_new() - make a timer that is not armed
 * @expired: called once each time it expires
 *
 * Return: the timer, freed with the loop, or NULL with errno set.
 */
struct loop_timer *loop_timer_new(struct loop *loop,
				  void (*expired)(void *opaque), void *opaque);

/**
 * loop_timer_arm() - let a timer expire when loop_now() reaches @when; replaces
 * the time that was set before
 */
void loop_timer_arm(struct loop_timer *timer, uint64_t when);

/**
 * loop_timer_disarm() - disarm a timer
 *
 * It does not wait for a callback that runs now.
 */
void loop_timer_disarm(struct loop_timer *timer);

#endif
