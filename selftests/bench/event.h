/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The events that the bench counts, and how one is counted.
 */
#ifndef BENCH_EVENT_H
#define BENCH_EVENT_H

#include <stdint.h>

#include "hypervisor.h"

/**
 * struct cost - ticks of the TSC that one event takes, over many samples
 * @min: least
 * @median: half of the samples take less; what is compared
 * @mean: which the host's timer tick disturbs
 */
struct cost {
	uint64_t min;
	uint64_t median;
	uint64_t mean;
};

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

/**
 * struct event - a row of the table
 * @name: for machines
 * @title: for people
 * @start: the guest that repeats it
 * @exits: each sample goes to the controller
 * @answer: the controller's answer to it
 * @absent: the host has no pages behind GUEST_FAULTS yet
 * @interrupts: each sample takes one
 * @goal: the ratio to KVM that Lodge is to reach, with the default mitigations;
 *	0: none
 * @measure: counts it with this hypervisor, less what @overhead says.  Answers
 *	0 or -errno, -EPROTO when the guest did something else
 */
struct event {
	const char *name;
	const char *title;
	const char *start;
	bool exits;
	enum event_answer answer;
	bool absent;
	bool interrupts;
	double goal[NR_VENDORS];
	int (*measure)(const struct event *event,
		       const struct hypervisor *hypervisor, uint64_t overhead,
		       struct cost *cost);
};

/* A sample without an event: what the measuring itself takes. */
extern const struct event event_nothing;
/* The rows, in the order of the table. */
extern const struct event events[];
extern const int nr_events;

#endif
