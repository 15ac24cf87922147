/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The events that the bench counts, and the way to count one.
 */
#ifndef BENCH_EVENT_H
#define BENCH_EVENT_H

#include <stdint.h>

#include "hypervisor.h"
#include "table.h"

enum vendor {
	AMD,
	INTEL,
	NR_VENDORS,
};

enum event_answer {
	ANSWER_NONE,
	ANSWER_PORT,
	ANSWER_MMIO,
};

/* Where a write signals an eventfd, in place of an exit. */
enum event_bell {
	BELL_NONE,
	BELL_PORT,
	BELL_MMIO,
};

/**
 * struct event - a row of the table
 * @name: for machines
 * @title: for people
 * @start: the guest that repeats it
 * @exits: each sample exits to the controller
 * @answer: the answer that the controller gives
 * @bell: at GUEST_PORT or GUEST_MMIO
 * @absent: the host has no pages behind GUEST_FAULTS yet
 * @interrupts: each sample takes one interrupt
 * @goal: by vendor, as in struct row
 * @measure: counts the event with a hypervisor and subtracts @overhead.  Returns 0
 *	or -errno; -EPROTO: the guest did something else
 */
struct event {
	const char *name;
	const char *title;
	const char *start;
	bool exits;
	enum event_answer answer;
	enum event_bell bell;
	bool absent;
	bool interrupts;
	double goal[NR_VENDORS];
	int (*measure)(const struct event *event,
		       const struct hypervisor *hypervisor, uint64_t overhead,
		       struct cost *cost);
};

/* A sample without an event: the cost of measuring. */
extern const struct event event_nothing;
/* The rows, in the order of the table. */
extern const struct event events[];
extern const int nr_events;

#endif
