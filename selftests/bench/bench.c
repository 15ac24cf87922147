// SPDX-License-Identifier: GPL-2.0
/*
 * Counts what each event of a guest costs with KVM and with Lodge, in ticks of
 * the TSC: instructions, where the host is QEMU's TCG with -icount shift=0.
 *
 *	bench [-t NAME]		all events, or one
 *
 * Prints TAP, a test for each event; behind it a table between the lines `BEGIN
 * table` and `END table`, with the goals where the host has its default mitigations, and the same as JSON between `BEGIN bench.json` and
 * `END bench.json`.
 */
#include <cpuid.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "event.h"

#define MAX_EVENTS 16

static const struct hypervisor *const hypervisors[] = {
	&hypervisor_kvm,
	&hypervisor_lodge,
};

enum { KVM, LODGE, NR_HYPERVISORS };

/**
 * struct row - an event and what it costs
 */
struct row {
	const struct event *event;
	struct cost cost[NR_HYPERVISORS];
};

static double ratio(const struct row *row)
{
	return (double)row->cost[LODGE].median / row->cost[KVM].median;
}

static enum vendor host_vendor(void)
{
	unsigned int eax, ebx, ecx, edx;

	__cpuid(0, eax, ebx, ecx, edx);
	return ebx == signature_INTEL_ebx ? INTEL : AMD;
}

/* The goals are for the default ones: true if the kernel was told of none. */
static bool mitigations_are_default(void)
{
	char line[4096];
	FILE *file = fopen("/proc/cmdline", "r");
	bool found = file && fgets(line, sizeof(line), file);

	if (file)
		fclose(file);
	return found && !strstr(line, "mitigations=");
}

/* Ratios are compared as they are printed. */
static void print_goal(const struct row *row, double goal)
{
	if (goal)
		printf(" %5.2f %s", goal,
		       ratio(row) < goal + 0.005 ? "met" : "not met");
}

static void print_table(const struct row *rows, int nr)
{
	const bool goals = mitigations_are_default();
	const enum vendor vendor = host_vendor();
	int i;

	printf("BEGIN table\n%-34s %10s %10s %7s%s\n", "instructions, median",
	       "KVM", "Lodge", "ratio", goals ? "  goal" : "");
	for (i = 0; i < nr; i++) {
		printf("%-34s %10" PRIu64 " %10" PRIu64 " %7.2f",
		       rows[i].event->title, rows[i].cost[KVM].median,
		       rows[i].cost[LODGE].median, ratio(&rows[i]));
		if (goals)
			print_goal(&rows[i], rows[i].event->goal[vendor]);
		printf("\n");
	}
	printf("END table\n");
}

static void print_cost(const char *name, const struct cost *cost)
{
	printf("      \"%s\": { \"min\": %" PRIu64 ", \"median\": %" PRIu64
	       ", \"mean\": %" PRIu64 " },\n",
	       name, cost->min, cost->median, cost->mean);
}

static void print_json(const struct row *rows, int nr)
{
	struct utsname host;
	int i;

	uname(&host);
	printf("BEGIN bench.json\n{\n  \"kernel\": \"%s\",\n"
	       "  \"unit\": \"instructions\",\n  \"events\": [\n",
	       host.release);
	for (i = 0; i < nr; i++) {
		printf("    {\n      \"name\": \"%s\",\n", rows[i].event->name);
		print_cost("kvm", &rows[i].cost[KVM]);
		print_cost("lodge", &rows[i].cost[LODGE]);
		printf("      \"ratio\": %.3f\n    }%s\n", ratio(&rows[i]),
		       i + 1 < nr ? "," : "");
	}
	printf("  ]\n}\nEND bench.json\n");
}

/* Both hypervisors want the processor for themselves: one after the other. */
static int measure(struct row *row, const struct event *event,
		   const uint64_t overhead[NR_HYPERVISORS])
{
	int error, i;

	row->event = event;
	for (i = 0; i < NR_HYPERVISORS; i++) {
		error = event->measure(event, hypervisors[i], overhead[i],
				       &row->cost[i]);
		if (error) {
			printf("# %s: %s\n", hypervisors[i]->name,
			       strerror(-error));
			return error;
		}
	}
	return 0;
}

/* Return: how many rows were made. */
static int measure_all(struct row *rows, const char *only)
{
	const uint64_t none[NR_HYPERVISORS] = { 0 };
	uint64_t overhead[NR_HYPERVISORS];
	struct row nothing;
	int tests = 0, nr = 0, i;

	if (measure(&nothing, &event_nothing, none)) {
		printf("not ok 1 - nothing\n1..1\n");
		exit(EXIT_FAILURE);
	}
	for (i = 0; i < NR_HYPERVISORS; i++)
		overhead[i] = nothing.cost[i].median;
	for (i = 0; i < nr_events && nr < MAX_EVENTS; i++) {
		bool ok;

		if (only && strcmp(only, events[i].name))
			continue;
		ok = !measure(&rows[nr], &events[i], overhead);
		nr += ok;
		printf("%s %d - %s\n", ok ? "ok" : "not ok", ++tests,
		       events[i].name);
		fflush(stdout);
	}
	printf("1..%d\n", tests);
	return nr;
}

int main(int argc, char **argv)
{
	static struct row rows[MAX_EVENTS];
	const char *only = argc == 3 && !strcmp(argv[1], "-t") ? argv[2] : NULL;
	int error, nr, i;

	printf("TAP version 13\n");
	for (i = 0; i < NR_HYPERVISORS; i++) {
		error = hypervisors[i]->open();
		if (error) {
			printf("not ok 1 - %s: %s\n1..1\n",
			       hypervisors[i]->name, strerror(-error));
			return EXIT_FAILURE;
		}
	}
	nr = measure_all(rows, only);
	print_table(rows, nr);
	print_json(rows, nr);
	return nr ? EXIT_SUCCESS : EXIT_FAILURE;
}
