/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A thread of the lowest priority, which runs only while nothing else wants the
 * processor.  It measures how long the processor is idle, and how long others
 * have it.
 */
#ifndef BENCH_WATCH_H
#define BENCH_WATCH_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "guest.h"

/**
 * struct watch - the thread and what it has seen
 * @interrupts: a guest's counter, or NULL: when it has moved, the guest has run
 * @samples: ticks that each of the guest's runs took, from the timer's interrupt
 *	to the next sleep
 * @idle: ticks in which there was nothing else to do
 * @stop: ends the thread
 * @thread: the thread
 */
struct watch {
	const volatile uint64_t *interrupts;
	uint64_t samples[GUEST_SAMPLES];
	volatile uint64_t idle;
	volatile bool stop;
	pthread_t thread;
};

/**
 * watch_start() - start the thread
 *
 * Return: 0 or -errno.
 */
int watch_start(struct watch *watch, const uint64_t *interrupts);

/**
 * watch_stop() - end the thread
 */
void watch_stop(struct watch *watch);

/**
 * watch_busy() - the time stamp counter without the time that was idle
 */
uint64_t watch_busy(const struct watch *watch);

#endif
