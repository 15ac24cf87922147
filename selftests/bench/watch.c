// SPDX-License-Identifier: GPL-2.0
/*
 * The thread that measures idle time.
 */
#include "watch.h"

#include <sched.h>
#include <x86intrin.h>

/* More than one iteration of the thread takes, less than any run of others. */
#define WATCH_GAP 200

static void *watch_thread(void *argument)
{
	struct watch *watch = argument;
	uint64_t last = __rdtsc(), gap = 0, seen = 0;

	while (!watch->stop) {
		uint64_t interrupts = *watch->interrupts;
		uint64_t now = __rdtsc();
		uint64_t before = gap;

		gap = now - last;
		last = now;
		if (gap < WATCH_GAP)
			watch->idle += gap;
		if (interrupts == seen)
			continue;
		/* The guest may have run between the reads of counter and time. */
		watch->samples[interrupts - 1] = gap > before ? gap : before;
		seen = interrupts;
	}
	return NULL;
}

void watch_stop(struct watch *watch)
{
	watch->stop = true;
	pthread_join(watch->thread, NULL);
}

int watch_start(struct watch *watch, const uint64_t *interrupts)
{
	static const uint64_t none;
	const struct sched_param lowest = { 0 };
	int error;

	*watch = (struct watch){ .interrupts = interrupts ?: &none };
	error = pthread_create(&watch->thread, NULL, watch_thread, watch);
	if (error)
		return -error;
	error = pthread_setschedparam(watch->thread, SCHED_IDLE, &lowest);
	if (error)
		watch_stop(watch);
	return -error;
}

uint64_t watch_busy(const struct watch *watch)
{
	return __rdtsc() - watch->idle;
}
