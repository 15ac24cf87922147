// SPDX-License-Identifier: GPL-2.0
/*
 * What all VMs do in a second.
 */
#include "view/rates.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/**
 * struct order - an order of rows, for qsort_r()
 */
struct order {
	enum rates_column column;
	bool reverse;
};

/* A counter that has gone back belongs to something else of the same number. */
static double growth(uint64_t before, uint64_t now)
{
	return now > before ? now - before : 0;
}

/* A number can be used again; the moment of creation cannot. */
static bool is_same(const struct sample_vm *before, const struct sample_vm *now)
{
	return before && before->vm.start == now->vm.start;
}

static void add_times(struct rates_row *row, const struct netlink_vcpu *before,
		      const struct netlink_vcpu *now, double seconds)
{
	static const struct netlink_vcpu none;
	double unit = seconds * 1e9;

	if (!before)
		before = &none;
	row->guest += growth(before->guest, now->guest) / unit;
	row->host += growth(before->host, now->host) / unit;
	row->steal += growth(before->steal, now->steal) / unit;
}

static void add_exits(struct rates_row *row, const struct netlink_stats *before,
		      const struct netlink_stats *now, double seconds)
{
	static const struct netlink_stats none;

	if (!before)
		before = &none;
	for (size_t i = 0; i < LODGE_NR_STAT_EXITS; i++) {
		double rate = growth(before->exits[i], now->exits[i]) / seconds;

		row->exits[i] += rate;
		row->all_exits += rate;
	}
}

static char vcpu_state(uint32_t state)
{
	switch ((enum lodge_vcpu_state)state) {
	case LODGE_VCPU_GUEST_MODE:
	case LODGE_VCPU_HOST_MODE:
		return 'R';
	case LODGE_VCPU_HALTED:
	case LODGE_VCPU_INITIAL:
		return 'S';
	case LODGE_VCPU_OUTSIDE:
		break;
	}
	return 'T';
}

/* R is before S, and S before T: the liveliest vCPU counts. */
static void note_state(struct rates_row *row, char state)
{
	if (state < row->state)
		row->state = state;
}

static void add_vcpus(struct rates_row *row, const struct sample *before,
		      const struct sample *now, double seconds)
{
	uint32_t vm = row->vm->vm.id;

	for (size_t i = 0; i < now->nr_vcpus; i++) {
		const struct netlink_vcpu *vcpu = &now->vcpus[i];

		if (vcpu->vm != vm)
			continue;
		note_state(row, vcpu_state(vcpu->state));
		add_times(row,
			  before ? sample_vcpu(before, vm, vcpu->id) : NULL,
			  vcpu, seconds);
	}
	for (size_t i = 0; i < now->nr_stats; i++) {
		const struct netlink_stats *stats = &now->stats[i];

		if (stats->vm == vm)
			add_exits(row,
				  before ? sample_stats(before, vm,
							stats->vcpu) :
					   NULL,
				  stats, seconds);
	}
}

static void fill_row(struct rates_row *row, const struct sample_vm *vm,
		     const struct sample *before, const struct sample *now)
{
	uint64_t since = vm->vm.start;

	memset(row, 0, sizeof(*row));
	row->vm = vm;
	row->state = 'T';
	row->vcpus = vm->vm.vcpus;
	row->memory = vm->vm.memory;
	row->resident = vm->vm.resident;
	row->shared = vm->shared;
	row->tables = vm->vm.tables;
	if (before && !is_same(sample_vm(before, vm->vm.id), vm))
		before = NULL;
	if (before)
		since = before->time;
	if (now->time > since)
		add_vcpus(row, before, now, (now->time - since) / 1e9);
	if (vm->vm.state == LODGE_VM_KILLED)
		row->state = 'K';
	else if (vm->vm.state == LODGE_VM_BROKEN)
		row->state = 'B';
}

static void add_to_sum(struct rates_row *sum, const struct rates_row *row)
{
	sum->vcpus += row->vcpus;
	sum->memory += row->memory;
	sum->resident += row->resident;
	sum->shared += row->shared;
	sum->tables += row->tables;
	sum->guest += row->guest;
	sum->host += row->host;
	sum->steal += row->steal;
	sum->all_exits += row->all_exits;
	for (size_t i = 0; i < LODGE_NR_STAT_EXITS; i++)
		sum->exits[i] += row->exits[i];
}

static bool is_wanted(const struct sample_vm *vm, const char *filter)
{
	return !*filter || strcasestr(vm->vm.name, filter) ||
	       strcasestr(vm->user, filter);
}

/* Larger numbers come first. */
static int compare(double a, double b)
{
	return (a < b) - (a > b);
}

static int compare_column(const struct rates_row *a, const struct rates_row *b,
			  enum rates_column column)
{
	switch (column) {
	case RATES_USER:
		return strcasecmp(a->vm->user, b->vm->user);
	case RATES_NAME:
		return strcasecmp(a->vm->vm.name, b->vm->vm.name);
	case RATES_VCPUS:
		return compare(a->vcpus, b->vcpus);
	case RATES_GUEST:
		return compare(a->guest, b->guest);
	case RATES_HOST:
		return compare(a->host, b->host);
	case RATES_STEAL:
		return compare(a->steal, b->steal);
	case RATES_EXITS:
		return compare(a->all_exits, b->all_exits);
	case RATES_RESIDENT:
		return compare(a->resident, b->resident);
	case RATES_SHARED:
		return compare(a->shared, b->shared);
	case RATES_ID:
	case RATES_COLUMNS:
		break;
	}
	return 0;
}

/* The ID decides between equals: rows must not dance. */
static int compare_rows(const void *left, const void *right, void *argument)
{
	const struct rates_row *a = left, *b = right;
	const struct order *order = argument;
	int result = compare_column(a, b, order->column) ?:
			     compare(b->vm->vm.id, a->vm->vm.id);

	return order->reverse ? -result : result;
}

int rates_make(struct rates *rates, const struct sample *before,
	       const struct sample *now, enum rates_column column, bool reverse,
	       const char *filter)
{
	struct order order = { .column = column, .reverse = reverse };

	memset(rates, 0, sizeof(*rates));
	rates->rows = calloc(now->nr_vms + 1, sizeof(*rates->rows));
	if (!rates->rows)
		return -ENOMEM;
	rates->all = now->nr_vms;
	for (size_t i = 0; i < now->nr_vms; i++) {
		struct rates_row *row = &rates->rows[rates->count];

		fill_row(row, &now->vms[i], before, now);
		add_to_sum(&rates->sum, row);
		rates->count += is_wanted(row->vm, filter);
	}
	qsort_r(rates->rows, rates->count, sizeof(*rates->rows), compare_rows,
		&order);
	return 0;
}

void rates_free(struct rates *rates)
{
	free(rates->rows);
	memset(rates, 0, sizeof(*rates));
}

size_t rates_find(const struct rates *rates, uint32_t id)
{
	size_t i;

	for (i = 0; i < rates->count; i++)
		if (rates->rows[i].vm->vm.id == id)
			break;
	return i;
}
