// SPDX-License-Identifier: GPL-2.0
/*
 * Prints the table.
 */
#include "table.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

static double ratio(const struct row *row)
{
	return (double)row->cost[LODGE].median / row->cost[KVM].median;
}

/* The goals apply only to a kernel whose command line sets no mitigations. */
static bool mitigations_are_default(void)
{
	char line[4096];
	FILE *file = fopen("/proc/cmdline", "r");
	bool found = file && fgets(line, sizeof(line), file);

	if (file)
		fclose(file);
	return found && !strstr(line, "mitigations=");
}

/* A ratio meets its goal if it does so as printed, rounded. */
static void print_goal(const struct row *row)
{
	if (row->goal)
		printf(" %5.2f %s", row->goal,
		       ratio(row) < row->goal + 0.005 ? "met" : "not met");
	if (row->most)
		printf(" %5" PRIu64 " %s", row->most,
		       row->cost[LODGE].median <= row->most ? "met" :
							      "not met");
}

static void print_text(const struct row *rows, int nr)
{
	const bool goals = mitigations_are_default();
	int i;

	printf("BEGIN table\n%-34s %10s %10s %7s%s\n", "instructions, median",
	       "KVM", "Lodge", "ratio", goals ? "  goal" : "");
	for (i = 0; i < nr; i++) {
		printf("%-34s %10" PRIu64 " %10" PRIu64 " %7.2f", rows[i].title,
		       rows[i].cost[KVM].median, rows[i].cost[LODGE].median,
		       ratio(&rows[i]));
		if (goals)
			print_goal(&rows[i]);
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
		printf("    {\n      \"name\": \"%s\",\n", rows[i].name);
		if (rows[i].unit)
			printf("      \"unit\": \"%s\",\n", rows[i].unit);
		print_cost("kvm", &rows[i].cost[KVM]);
		print_cost("lodge", &rows[i].cost[LODGE]);
		printf("      \"ratio\": %.3f\n    }%s\n", ratio(&rows[i]),
		       i + 1 < nr ? "," : "");
	}
	printf("  ]\n}\nEND bench.json\n");
}

void table_print(const struct row *rows, int nr)
{
	print_text(rows, nr);
	print_json(rows, nr);
}
