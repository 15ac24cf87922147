// SPDX-License-Identifier: GPL-2.0
/*
 * Counts the cost of each event of a guest with KVM and with Lodge, in ticks of the
 * TSC.  A tick is an instruction if the host is QEMU's TCG with -icount shift=0, or
 * Bochs.
 *
 *	bench [-t NAME]		all events, or one
 *
 * Prints TAP, a test for each event, and behind it the table (see table.h).
 */
#include <cpuid.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "table.h"

#define MAX_EVENTS 32
#define KVM_TRIES 3

static const struct hypervisor *const hypervisors[] = {
	&hypervisor_kvm,
	&hypervisor_lodge,
};

static enum vendor host_vendor(void)
{
	unsigned int eax, ebx, ecx, edx;

	__cpuid(0, eax, ebx, ecx, edx);
	return ebx == signature_INTEL_ebx ? INTEL : AMD;
}

/*
 * In QEMU's TCG a guest of KVM now and then misses one of its interrupts.
 * The bench compares costs, and so KVM gets further runs.  Lodge gets none: an
 * interrupt that it loses is an error to be seen.
 */
static int measure_with(int number, const struct event *event,
			uint64_t overhead, struct cost *cost)
{
	int tries = number == KVM ? KVM_TRIES : 1;
	int error;

	do {
		error = event->measure(event, hypervisors[number], overhead,
				       cost);
	} while (error == -EPROTO && --tries);
	return error;
}

/* Each hypervisor wants the processor for itself: one runs after the other. */
static int measure(struct row *row, const struct event *event,
		   const uint64_t overhead[NR_HYPERVISORS])
{
	int error, i;

	row->name = event->name;
	row->title = event->title;
	row->goal = event->goal[host_vendor()];
	for (i = 0; i < NR_HYPERVISORS; i++) {
		error = measure_with(i, event, overhead[i], &row->cost[i]);
		if (error) {
			printf("# %s: %s\n", hypervisors[i]->name,
			       strerror(-error));
			return error;
		}
	}
	return 0;
}

/* Return: the number of rows that were made. */
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
	table_print(rows, nr);
	return nr ? EXIT_SUCCESS : EXIT_FAILURE;
}
