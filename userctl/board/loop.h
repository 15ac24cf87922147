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
 * loop_new() - make a loop; it does nothing until loop_run()
 *
 * Return: the loop, or NULL with errno set.
 */
struct loop *loop_new(void);

/**
 * loop_free() - free it with all its timers and watches; NULL is fine
 *
 * Devices that have timers are freed before: they disarm them.
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
 * @ready is called again until it has read or unwatched @fd; now and then it may
 * find nothing to read.  Files that are always ready, which epoll(7) refuses,
 * are fine.
 *
 * Return: 0, -EEXIST @fd is watched already, or another -errno.
 */
int loop_watch(struct loop *loop, int fd, void (*ready)(void *opaque, int fd),
	       void *opaque);

/**
 * loop_unwatch() - stop watching @fd, before it is closed; a callback under way
 * is not waited for
 */
void loop_unwatch(struct loop *loop, int fd);

/**
 * loop_now() - the machine's clock, which timers go by
 *
 * It is 0 when the loop is made, goes as the host's monotonic clock does, and
 * stands still while it is stopped.
 *
 * Return: nanoseconds.
 */
uint64_t loop_now(const struct loop *loop);

/**
 * loop_clock_stop() - stop the clock; no timer expires until it goes on
 *
 * A callback under way is not waited for.  Stopping it twice is fine.
 */
void loop_clock_stop(struct loop *loop);

/**
 * loop_clock_start() - let a stopped clock go on from where it stands
 */
void loop_clock_start(struct loop *loop);

/**
 * loop_clock_set() - put a stopped clock to a time
 * @now: nanoseconds
 *
 * Timers stay armed for the times they were armed for.
 *
 * Return: 0, or -EINVAL: @now is 2^63 or above, and nothing has changed.
 */
int loop_clock_set(struct loop *loop, uint64_t now);

/**
 * loop_timer_new() - make a timer, not armed
 * @expired: called once each time it expires
 *
 * Return: the timer, freed with the loop, or NULL with errno set.
 */
struct loop_timer *loop_timer_new(struct loop *loop,
				  void (*expired)(void *opaque), void *opaque);

/**
 * loop_timer_arm() - let it expire once loop_now() reaches @when, and not at
 * the time it was armed for before
 */
void loop_timer_arm(struct loop_timer *timer, uint64_t when);

/**
 * loop_timer_disarm() - take back loop_timer_arm(); a callback under way is not
 * waited for
 */
void loop_timer_disarm(struct loop_timer *timer);

#endif
