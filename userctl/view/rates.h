/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What all VMs do in a second, from two samples.
 */
#ifndef LODGE_VIEW_RATES_H
#define LODGE_VIEW_RATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "view/sample.h"

/**
 * enum rates_column - the columns by which VMs are sorted, from left to right
 *
 * Names begin with the first letter, numbers with the largest, but for the ID.
 */
enum rates_column {
	RATES_ID,
	RATES_USER,
	RATES_NAME,
	RATES_VCPUS,
	RATES_GUEST,
	RATES_HOST,
	RATES_STEAL,
	RATES_EXITS,
	RATES_RESIDENT,
	RATES_SHARED,
	RATES_COLUMNS,
};

/**
 * struct rates_row - a VM, or the sum of all
 * @vm: the VM; of the sum: NULL
 * @state: 'R' a vCPU runs, 'S' all wait, 'T' no thread is in LODGE_RUN, 'K' it was
 *	killed, 'B' it is broken
 * @vcpus: number of vCPUs
 * @memory: bytes of all memory slots
 * @resident: bytes that the nested page tables map
 * @shared: bytes that its process shares
 * @tables: bytes of nested page tables
 * @guest: CPUs that the guest uses; 1 is one whole CPU
 * @host: CPUs that its vCPUs use outside the guest
 * @steal: CPUs for which its vCPUs wait
 * @all_exits: exits a second
 * @exits: of these, by enum lodge_stat_exit
 */
struct rates_row {
	const struct sample_vm *vm;
	char state;
	uint64_t vcpus;
	uint64_t memory;
	uint64_t resident;
	uint64_t shared;
	uint64_t tables;
	double guest;
	double host;
	double steal;
	double all_exits;
	double exits[LODGE_NR_STAT_EXITS];
};

/**
 * struct rates - the VMs that are wanted, in the order that is wanted
 * @rows: one for each of them
 * @count: their number
 * @all: the number of all VMs
 * @sum: the sum of all VMs, wanted or not
 */
struct rates {
	struct rates_row *rows;
	size_t count;
	size_t all;
	struct rates_row sum;
};

/**
 * rates_make() - compute the rates of all VMs
 * @rates: filled; points into @now
 * @before: an earlier sample, or NULL
 * @now: the VMs
 * @column: the column that orders them
 * @reverse: the other way round
 * @filter: part of a name or a user, without regard to case; empty: all VMs
 *
 * A VM that is not in @before is shown with the averages of its whole life.
 *
 * Return: 0 or -ENOMEM.
 */
int rates_make(struct rates *rates, const struct sample *before,
	       const struct sample *now, enum rates_column column, bool reverse,
	       const char *filter);

/**
 * rates_free() - free the rows
 */
void rates_free(struct rates *rates);

/**
 * rates_find() - find a VM's row
 *
 * Return: its index, or @count.
 */
size_t rates_find(const struct rates *rates, uint32_t id);

#endif
