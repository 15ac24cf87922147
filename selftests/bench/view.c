// SPDX-License-Identifier: GPL-2.0
/*
 * Counts what it costs to look at all VMs: each list of the netlink family, with
 * a hundred VMs of one vCPU, from the request to the last answer's end.
 *
 *	view
 *
 * Prints TAP, and behind it the table, as bench does, but with one column.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>

#include "lib/client.h"
#include "talk.h"

#define VMS 100
#define SAMPLES 31

/**
 * struct list - a list of the family's
 * @name: for machines
 * @title: for people
 * @command: enum lodge_command
 * @median: ticks that it takes; half of the samples take less
 */
struct list {
	const char *name;
	const char *title;
	enum lodge_command command;
	uint64_t median;
};

static struct list lists[] = {
	{ "vms", "list of 100 VMs", LODGE_CMD_VM_GET, 0 },
	{ "vcpus", "list of their 100 vCPUs", LODGE_CMD_VCPU_GET, 0 },
	{ "statistics", "list of their statistics", LODGE_CMD_STATS_GET, 0 },
};

#define NR_LISTS (int)(sizeof(lists) / sizeof(*lists))

static int make_vms(void)
{
	int lodge = lodge_open();
	struct lodge_run *run;
	int vm, i;

	if (lodge < 0)
		return lodge;
	for (i = 0; i < VMS; i++) {
		vm = lodge_vm_create(lodge);
		if (vm < 0)
			return vm;
		vm = lodge_vcpu_create(vm, 0, &run);
		if (vm < 0)
			return vm;
	}
	return 0;
}

static int count(void *context, const struct talk_answer *answer)
{
	++*(int *)context;
	return 0;
}

/* Return: 0 or -errno; -EPROTO: there are more or fewer than there should be. */
static int look(struct talk *talk, enum lodge_command command, uint64_t *ticks)
{
	union talk_message message;
	int answers = 0, error;
	uint64_t start;

	talk_begin(talk, &message, command, NLM_F_DUMP);
	start = __rdtsc();
	error = talk_do(talk, &message, count, &answers);
	*ticks = __rdtsc() - start;
	return error ? error : answers == VMS ? 0 : -EPROTO;
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int measure(struct talk *talk, struct list *list)
{
	uint64_t samples[SAMPLES];
	int i, error = 0;

	for (i = 0; i < SAMPLES && !error; i++)
		error = look(talk, list->command, &samples[i]);
	qsort(samples, SAMPLES, sizeof(*samples), compare);
	list->median = samples[SAMPLES / 2];
	return error;
}

static void print_table(void)
{
	int i;

	printf("BEGIN table\n%-34s %10s\n", "instructions, median", "Lodge");
	for (i = 0; i < NR_LISTS; i++)
		printf("%-34s %10" PRIu64 "\n", lists[i].title,
		       lists[i].median);
	printf("END table\nBEGIN bench.json\n{\n"
	       "  \"unit\": \"instructions\",\n  \"lists\": {\n");
	for (i = 0; i < NR_LISTS; i++)
		printf("    \"%s\": %" PRIu64 "%s\n", lists[i].name,
		       lists[i].median, i + 1 < NR_LISTS ? "," : "");
	printf("  }\n}\nEND bench.json\n");
}

int main(void)
{
	static struct talk talk;
	int i, failed = 0, error = talk_open(&talk);

	printf("TAP version 13\n1..%d\n", NR_LISTS);
	if (!error)
		error = make_vms();
	for (i = 0; i < NR_LISTS; i++) {
		if (!error)
			error = measure(&talk, &lists[i]);
		if (error)
			printf("# %s\n", strerror(-error));
		printf("%s %d - %s\n", error ? "not ok" : "ok", i + 1,
		       lists[i].title);
		failed |= error;
	}
	print_table();
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
