// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the text for Prometheus: against the grammar of its format, and against the
 * numbers of a sample.
 */
#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kselftest_harness.h"
#include "samples.h"
#include "view/metrics.h"

#define NAME "[a-zA-Z_:][a-zA-Z0-9_:]*"
#define LABEL "[a-zA-Z_][a-zA-Z0-9_]*=\"([^\"\\\\]|\\\\[\"\\\\n])*\""
#define VALUE "[0-9]+(\\.[0-9]+)?"
#define MAX_NAMES 64
#define MAX_SAMPLES 1024

static struct fixed fixed;
static char *text;

static void write_text(const struct sample *sample)
{
	size_t size;
	FILE *file;

	free(text);
	file = open_memstream(&text, &size);
	metrics_write(file, sample);
	fclose(file);
}

/* Return: the value of a sample, or an empty text. */
static const char *value_of(const char *sample)
{
	static char value[256];
	size_t length = strlen(sample);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, sample, length) || line[length] != ' ')
			continue;
		snprintf(value, sizeof(value), "%.*s",
			 (int)strcspn(line + length + 1, "\n"),
			 line + length + 1);
		return value;
	}
	return "";
}

static bool matches(const char *line, const char *pattern)
{
	regex_t regex;
	bool found;

	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB))
		abort();
	found = !regexec(&regex, line, 0, NULL, 0);
	regfree(&regex);
	return found;
}

FIXTURE(metrics){};

FIXTURE_SETUP(metrics)
{
	fixed_make(&fixed);
	fixed_advance(&fixed);
	write_text(&fixed.sample);
}

FIXTURE_TEARDOWN(metrics)
{
	free(text);
	text = NULL;
}

#define WEB "{vm=\"3\",name=\"web\",user=\"alice\""
#define BATCH "{vm=\"7\",name=\"batch\",user=\"bob\""

TEST_F(metrics, each_line_is_of_the_grammar)
{
	char *copy = strdup(text);
	char *rest = copy;
	char *line;

	ASSERT_EQ('\n', text[strlen(text) - 1]);
	while ((line = strsep(&rest, "\n"))) {
		bool good = !*line ||
			    matches(line, "^# HELP " NAME " [^\n]+$") ||
			    matches(line, "^# TYPE " NAME
					  " (counter|gauge|histogram)$") ||
			    matches(line, "^" NAME "(\\{" LABEL "(," LABEL
					  ")*\\})? " VALUE "$");

		EXPECT_TRUE(good);
		if (!good)
			TH_LOG("%s", line);
	}
	free(copy);
}

TEST_F(metrics, samples_of_a_metric_stand_together_behind_their_description)
{
	char *copy = strdup(text);
	char *rest = copy;
	char *names[MAX_NAMES];
	size_t count = 0;
	char *line, *name = "";

	while ((line = strsep(&rest, "\n"))) {
		if (!strncmp(line, "# HELP ", 7)) {
			name = strtok(line + 7, " ");
			for (size_t i = 0; i < count; i++)
				EXPECT_STRNE(names[i], name);
			ASSERT_GT(MAX_NAMES, count);
			names[count++] = name;
		} else if (!strncmp(line, "# TYPE ", 7)) {
			EXPECT_STREQ(name, strtok(line + 7, " "));
		} else if (*line) {
			EXPECT_EQ(0, strncmp(line, name, strlen(name)))
			{
				TH_LOG("%s below %s", line, name);
			}
		}
	}
	EXPECT_LT(15, count);
	free(copy);
}

TEST_F(metrics, no_sample_is_there_twice)
{
	char *copy = strdup(text);
	char *rest = copy;
	char *seen[MAX_SAMPLES];
	size_t count = 0;
	char *line;

	while ((line = strsep(&rest, "\n"))) {
		if (!*line || *line == '#')
			continue;
		*strrchr(line, ' ') = '\0';
		for (size_t i = 0; i < count; i++)
			EXPECT_STRNE(seen[i], line);
		ASSERT_GT(MAX_SAMPLES, count);
		seen[count++] = line;
	}
	free(copy);
}

TEST_F(metrics, the_numbers_are_those_of_the_sample)
{
	EXPECT_STREQ("1", value_of("lodge_up"));
	EXPECT_STREQ("2", value_of("lodge_vm_vcpus" WEB "}"));
	EXPECT_STREQ("629145600",
		     value_of("lodge_vm_memory_resident_bytes" WEB "}"));
	EXPECT_STREQ("10485760",
		     value_of("lodge_vm_memory_shared_bytes" BATCH "}"));
	EXPECT_STREQ("1", value_of("lodge_vm_state" WEB ",state=\"alive\"}"));
	EXPECT_STREQ("0", value_of("lodge_vm_state" WEB ",state=\"killed\"}"));
	/* The host started at 1700000000. */
	EXPECT_STREQ("1700000098.000000000",
		     value_of("lodge_vm_start_time_seconds" WEB "}"));
	EXPECT_STREQ("2.000000000", value_of("lodge_vcpu_seconds_total" WEB
					     ",vcpu=\"0\",mode=\"guest\"}"));
	EXPECT_STREQ("0.100000000",
		     value_of("lodge_vcpu_steal_seconds_total" WEB
			      ",vcpu=\"0\"}"));
	EXPECT_STREQ("24690", value_of("lodge_vcpu_exits_total" WEB
				       ",vcpu=\"0\",reason=\"io\"}"));
	EXPECT_STREQ("20", value_of("lodge_vcpu_exits_total" BATCH
				    ",vcpu=\"0\",reason=\"hlt\"}"));
}

/* As uapi/lodge_netlink.h has it. */
TEST_F(metrics, descriptions_say_what_the_module_counts)
{
	const char *help = value_of("# HELP lodge_vcpu_seconds_total");

	EXPECT_EQ(NULL, strstr(help, "LODGE_RUN"));
	EXPECT_NE(NULL, strstr(help, "host: otherwise on a CPU, in the kernel "
				     "or in user space"));
	/* Whoever is ready has no CPU. */
	help = value_of("# HELP lodge_vcpu_steal_seconds_total");
	EXPECT_NE(NULL, strstr(help, "ready"));
	EXPECT_EQ(NULL, strstr(help, "host"));
	help = value_of("# HELP lodge_vcpu_exit_handling_seconds");
	EXPECT_NE(NULL, strstr(help, "in the kernel and in user space"));
	help = value_of("# HELP lodge_vcpu_quick_exits_total");
	EXPECT_NE(NULL, strstr(help, "not in exit_handling_seconds"));
	/* Most exceptions are delivered by the processor alone. */
	help = value_of("# HELP lodge_vcpu_events_total");
	EXPECT_NE(NULL, strstr(help, "that Lodge delivered"));
}

TEST_F(metrics, each_count_has_its_own_place)
{
	struct netlink_stats *stats = &fixed.stats[2];

	stats->quick = 101;
	stats->interrupts = 102;
	stats->nmis = 103;
	stats->exceptions = 104;
	stats->faults_4k = 105;
	stats->faults_2m = 106;
	stats->faults_1g = 107;
	stats->flushes = 108;
	stats->halts = 109;
	stats->polls_won = 110;
	stats->polls_lost = 111;
	stats->wakeups = 112;
	stats->returns = 113;
	write_text(&fixed.sample);
#define COUNT(name, label) \
	value_of("lodge_vcpu_" name "_total" BATCH ",vcpu=\"0\"" label "}")
	EXPECT_STREQ("101", COUNT("quick_exits", ""));
	EXPECT_STREQ("102", COUNT("events", ",kind=\"interrupt\""));
	EXPECT_STREQ("103", COUNT("events", ",kind=\"nmi\""));
	EXPECT_STREQ("104", COUNT("events", ",kind=\"exception\""));
	EXPECT_STREQ("105", COUNT("nested_faults", ",size=\"4K\""));
	EXPECT_STREQ("106", COUNT("nested_faults", ",size=\"2M\""));
	EXPECT_STREQ("107", COUNT("nested_faults", ",size=\"1G\""));
	EXPECT_STREQ("108", COUNT("tlb_flushes", ""));
	EXPECT_STREQ("109", COUNT("halts", ""));
	EXPECT_STREQ("110", COUNT("polls", ",result=\"won\""));
	EXPECT_STREQ("111", COUNT("polls", ",result=\"lost\""));
	EXPECT_STREQ("112", COUNT("wakeups", ""));
	EXPECT_STREQ("113", COUNT("returns", ""));
}

TEST_F(metrics, buckets_of_the_histogram_add_up)
{
	struct netlink_stats *stats = &fixed.stats[2];

	stats->histogram[0] = 5;
	stats->histogram[1] = 3;
	stats->histogram[LODGE_STAT_BUCKETS - 1] = 2;
	write_text(&fixed.sample);
#define BUCKET(le)                                               \
	value_of("lodge_vcpu_exit_handling_seconds_bucket" BATCH \
		 ",vcpu=\"0\",le=\"" le "\"}")
	EXPECT_STREQ("5", BUCKET("1.024e-06"));
	EXPECT_STREQ("8", BUCKET("2.048e-06"));
	EXPECT_STREQ("8", BUCKET("4.294967296"));
	EXPECT_STREQ("10", BUCKET("+Inf"));
	EXPECT_STREQ("10",
		     value_of("lodge_vcpu_exit_handling_seconds_count" BATCH
			      ",vcpu=\"0\"}"));
}

TEST_F(metrics, a_name_cannot_break_out_of_its_label)
{
	strcpy(fixed.vms[0].vm.name, "a\"} 1\n\\\xc3");
	write_text(&fixed.sample);
	EXPECT_NE(NULL, strstr(text, "name=\"a\\\"} 1?\\\\?\","));
}

TEST_F(metrics, vcpus_of_a_vm_that_is_not_listed_are_left_out)
{
	fixed.sample.nr_vms = 1;
	write_text(&fixed.sample);
	EXPECT_EQ(NULL, strstr(text, "vm=\"7\""));
}

TEST_F(metrics, without_the_module_up_is_0_and_all_else_is_absent)
{
	write_text(NULL);
	EXPECT_STREQ("0", value_of("lodge_up"));
	EXPECT_EQ(NULL, strstr(text, "lodge_v"));
}

TEST_HARNESS_MAIN
