/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The table of what was counted, for people and for machines.
 */
#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

#include <stdint.h>

/* The order of the table's columns. */
enum { KVM, LODGE, NR_HYPERVISORS };

/**
 * struct cost - ticks of the TSC that one event takes, over many samples
 * @min: least
 * @median: half of the samples take less; Lodge and KVM are compared by it
 * @mean: includes the host's timer ticks
 */
struct cost {
	uint64_t min;
	uint64_t median;
	uint64_t mean;
};

/**
 * struct row - an event and what it costs
 * @name: for machines
 * @title: for people
 * @unit: what the costs are of; NULL: instructions
 * @goal: the ratio to KVM that Lodge is to reach, with the default mitigations;
 *	0: none
 * @most: the cost that Lodge is not to exceed, likewise; 0: no limit
 * @cost: by hypervisor
 */
struct row {
	const char *name;
	const char *title;
	const char *unit;
	double goal;
	uint64_t most;
	struct cost cost[NR_HYPERVISORS];
};

/**
 * table_print() - print the rows, as a table and as JSON
 *
 * The table stands between the lines `BEGIN table` and `END table`, with the
 * goals if the host has its default mitigations; the JSON between `BEGIN
 * bench.json` and `END bench.json`.
 */
void table_print(const struct row *rows, int nr);

#endif
