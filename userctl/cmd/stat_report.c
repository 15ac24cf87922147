// SPDX-License-Identifier: GPL-2.0
/*
 * What a VM does: its vCPUs and their statistics, for people and for programs.
 */
#include "cmd/stat_report.h"

#include <inttypes.h>
#include <string.h>

#include "cmd/duration.h"
#include "cmd/json.h"
#include "cmd/table.h"
#include "cmd/vm_report.h"
#include "lib/size.h"
#include "lib/user.h"
#include "view/word.h"

#define NS_PER_S 1e9

/**
 * struct counter - a counter of struct netlink_stats
 * @word: its name
 * @offset: its place
 */
struct counter {
	const char *word;
	size_t offset;
};

#define COUNTER(member)                                         \
	{                                                       \
#member, offsetof(struct netlink_stats, member) \
	}

static const struct counter counters[] = {
	COUNTER(quick),	     COUNTER(interrupts), COUNTER(nmis),
	COUNTER(exceptions), COUNTER(faults_4k),  COUNTER(faults_2m),
	COUNTER(faults_1g),  COUNTER(flushes),	  COUNTER(halts),
	COUNTER(polls_won),  COUNTER(polls_lost), COUNTER(wakeups),
	COUNTER(returns),
};

#define NR_COUNTERS (sizeof(counters) / sizeof(counters[0]))

static uint64_t counter_get(const struct netlink_stats *stats,
			    const struct counter *counter)
{
	return *(const uint64_t *)((const char *)stats + counter->offset);
}

static void counter_add(struct netlink_stats *stats,
			const struct counter *counter, uint64_t value)
{
	*(uint64_t *)((char *)stats + counter->offset) += value;
}

/* The statistics of all vCPUs together. */
static struct netlink_stats sum_of(const struct stat_sample *sample)
{
	struct netlink_stats sum = { 0 };

	for (size_t i = 0; i < sample->nr_stats; i++) {
		const struct netlink_stats *stats = &sample->stats[i];

		sum.tsc_khz = stats->tsc_khz;
		for (size_t n = 0; n < LODGE_NR_STAT_EXITS; n++)
			sum.exits[n] += stats->exits[n];
		for (size_t n = 0; n < LODGE_STAT_BUCKETS; n++)
			sum.histogram[n] += stats->histogram[n];
		for (size_t n = 0; n < NR_COUNTERS; n++)
			counter_add(&sum, &counters[n],
				    counter_get(stats, &counters[n]));
	}
	return sum;
}

static uint64_t all_exits(const struct netlink_stats *stats)
{
	uint64_t all = 0;

	for (size_t i = 0; i < LODGE_NR_STAT_EXITS; i++)
		all += stats->exits[i];
	return all;
}

static void tell_vm(FILE *file, const struct netlink_vm *vm)
{
	char memory[SIZE_TEXT_SIZE], resident[SIZE_TEXT_SIZE];
	char tables[SIZE_TEXT_SIZE], up[DURATION_TEXT_SIZE];
	char user[64];

	size_format(memory, sizeof(memory), vm->memory);
	size_format(resident, sizeof(resident), vm->resident);
	size_format(tables, sizeof(tables), vm->tables);
	duration_format(up, sizeof(up), vm_uptime(vm));
	user_format(user, sizeof(user), vm->uid);
	fprintf(file,
		"%s: VM %" PRIu32 " of %s, %s, PID %" PRIu32 ", up %s\n"
		"memory %s, resident %s, nested page tables %s\n",
		vm->name, vm->id, user, word_of_vm_state(vm->state), vm->pid,
		up, memory, resident, tables);
}

static void tell_vcpu(struct table *table, const struct netlink_vcpu *vcpu)
{
	table_add(table, "%" PRIu32, vcpu->id);
	table_add(table, "%s", word_of_vcpu_state(vcpu->state));
	if (netlink_has(vcpu, LODGE_VCPU_CPU))
		table_add(table, "%" PRIu32, vcpu->cpu);
	else
		table_add(table, "-");
	table_add(table, "%s",
		  netlink_has(vcpu, LODGE_VCPU_EXIT) ?
			  word_of_exit(vcpu->exit) :
			  "-");
	table_add(table, "%.3f", vcpu->guest / NS_PER_S);
	table_add(table, "%.3f", vcpu->host / NS_PER_S);
	table_add(table, "%.3f", vcpu->wait / NS_PER_S);
	table_add(table, "%.3f", vcpu->steal / NS_PER_S);
}

static int tell_vcpus(FILE *file, const struct stat_sample *sample)
{
	static const struct table_column columns[] = {
		{ "VCPU", true },	{ "STATE", false },
		{ "CPU", true },	{ "LAST-EXIT", false },
		{ "GUEST-TIME", true }, { "HOST-TIME", true },
		{ "WAIT-TIME", true },	{ "STEAL-TIME", true },
	};
	struct table table;

	table_start(&table, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < sample->nr_vcpus; i++)
		tell_vcpu(&table, &sample->vcpus[i]);
	return table_finish(&table, file);
}

static int tell_exits(FILE *file, const struct netlink_stats *sum)
{
	static const struct table_column columns[] = {
		{ "EXIT", false },
		{ "COUNT", true },
		{ "%", true },
	};
	uint64_t all = all_exits(sum);
	struct table table;

	table_start(&table, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < LODGE_NR_STAT_EXITS; i++) {
		if (!sum->exits[i])
			continue;
		table_add(&table, "%s", word_of_exit(i));
		table_add(&table, "%" PRIu64, sum->exits[i]);
		table_add(&table, "%.1f", 100.0 * sum->exits[i] / all);
	}
	table_add(&table, "all");
	table_add(&table, "%" PRIu64, all);
	table_add(&table, "%s", all ? "100.0" : "0.0");
	return table_finish(&table, file);
}

static int tell_counters(FILE *file, const struct netlink_stats *sum)
{
	static const struct table_column columns[] = {
		{ "COUNTER", false },
		{ "COUNT", true },
	};
	struct table table;

	table_start(&table, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < NR_COUNTERS; i++) {
		table_add(&table, "%s", counters[i].word);
		table_add(&table, "%" PRIu64, counter_get(sum, &counters[i]));
	}
	return table_finish(&table, file);
}

/* The end of a bucket in microseconds, or "more". */
static void tell_bucket(struct table *table, const struct netlink_stats *sum,
			size_t bucket)
{
	if (bucket == LODGE_STAT_BUCKETS - 1)
		table_add(table, "more");
	else
		table_add(table, "%.1f", netlink_bucket_end(sum, bucket) * 1e6);
}

static int tell_histogram(FILE *file, const struct netlink_stats *sum)
{
	static const struct table_column columns[] = {
		{ "OUTSIDE-BELOW-US", true },
		{ "ENTRIES", true },
	};
	struct table table;

	table_start(&table, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < LODGE_STAT_BUCKETS; i++) {
		if (!sum->histogram[i])
			continue;
		tell_bucket(&table, sum, i);
		table_add(&table, "%" PRIu64, sum->histogram[i]);
	}
	return table_finish(&table, file);
}

int stat_report_text(FILE *file, const struct stat_sample *sample)
{
	const struct netlink_stats sum = sum_of(sample);
	int err;

	tell_vm(file, &sample->vm);
	fputc('\n', file);
	err = tell_vcpus(file, sample);
	fputc('\n', file);
	if (!err)
		err = tell_exits(file, &sum);
	fputc('\n', file);
	if (!err)
		err = tell_counters(file, &sum);
	fputc('\n', file);
	return err ? err : tell_histogram(file, &sum);
}

static const struct netlink_stats *stats_of(const struct stat_sample *sample,
					    uint32_t vcpu)
{
	for (size_t i = 0; i < sample->nr_stats; i++)
		if (sample->stats[i].vcpu == vcpu)
			return &sample->stats[i];
	return NULL;
}

static void tell_stats_json(struct json *json,
			    const struct netlink_stats *stats)
{
	json_open(json, "exits", '{');
	for (size_t i = 0; i < LODGE_NR_STAT_EXITS; i++)
		json_number(json, word_of_exit(i), stats->exits[i]);
	json_close(json, '}');
	for (size_t i = 0; i < NR_COUNTERS; i++)
		json_number(json, counters[i].word,
			    counter_get(stats, &counters[i]));
	json_open(json, "histogram", '[');
	for (size_t i = 0; i < LODGE_STAT_BUCKETS; i++)
		json_number(json, NULL, stats->histogram[i]);
	json_close(json, ']');
	json_number(json, "tsc_khz", stats->tsc_khz);
}

static void tell_vcpu_json(struct json *json, const struct netlink_vcpu *vcpu,
			   const struct netlink_stats *stats)
{
	json_open(json, NULL, '{');
	json_number(json, "id", vcpu->id);
	json_text(json, "state", word_of_vcpu_state(vcpu->state));
	json_number(json, "tid", vcpu->tid);
	if (netlink_has(vcpu, LODGE_VCPU_CPU))
		json_number(json, "cpu", vcpu->cpu);
	if (netlink_has(vcpu, LODGE_VCPU_EXIT))
		json_text(json, "last_exit", word_of_exit(vcpu->exit));
	json_number(json, "guest_time", vcpu->guest);
	json_number(json, "host_time", vcpu->host);
	json_number(json, "wait_time", vcpu->wait);
	json_number(json, "steal_time", vcpu->steal);
	if (stats)
		tell_stats_json(json, stats);
	json_close(json, '}');
}

void stat_report_json(FILE *file, const struct stat_sample *sample)
{
	const struct vm_times times =
		vm_times_sum(sample->vm.id, sample->vcpus, sample->nr_vcpus);
	struct json json;

	json_start(&json, file);
	json_open(&json, NULL, '{');
	json_number(&json, "time", sample->time);
	json_open(&json, "vm", '{');
	vm_report_json(&json, &sample->vm, word_of_vm_state(sample->vm.state),
		       &times);
	json_close(&json, '}');
	json_open(&json, "vcpus", '[');
	for (size_t i = 0; i < sample->nr_vcpus; i++)
		tell_vcpu_json(&json, &sample->vcpus[i],
			       stats_of(sample, sample->vcpus[i].id));
	json_close(&json, ']');
	json_close(&json, '}');
	json_finish(&json);
}

/* The exits that have a column. */
static const enum lodge_stat_exit rates[] = {
	LODGE_STAT_IO,
	LODGE_STAT_FAULT,
	LODGE_STAT_MSR,
	LODGE_STAT_HLT,
};

#define NR_RATES (sizeof(rates) / sizeof(rates[0]))

void stat_report_titles(FILE *file)
{
	fprintf(file, "%8s %8s", "EXITS/s", "QUICK/s");
	for (size_t i = 0; i < NR_RATES; i++)
		fprintf(file, " %6s/s", word_of_exit(rates[i]));
	fprintf(file, " %8s %6s %6s %6s\n", "other/s", "GUEST%", "HOST%",
		"STEAL%");
}

/* A vCPU that has ended takes its counts along. */
static double rate(uint64_t before, uint64_t after, double seconds)
{
	return after > before && seconds > 0 ? (after - before) / seconds : 0;
}

void stat_report_rates(FILE *file, const struct stat_sample *before,
		       const struct stat_sample *after)
{
	const struct netlink_stats old = sum_of(before), new = sum_of(after);
	const struct vm_times old_times =
		vm_times_sum(before->vm.id, before->vcpus, before->nr_vcpus);
	const struct vm_times new_times =
		vm_times_sum(after->vm.id, after->vcpus, after->nr_vcpus);
	double seconds = (after->time - before->time) / NS_PER_S;
	double all = rate(all_exits(&old), all_exits(&new), seconds);
	double part, other = all;

	fprintf(file, "%8.0f %8.0f", all, rate(old.quick, new.quick, seconds));
	for (size_t i = 0; i < NR_RATES; i++) {
		part = rate(old.exits[rates[i]], new.exits[rates[i]], seconds);
		other -= part;
		fprintf(file, " %8.0f", part);
	}
	/* Of nanoseconds per second, one percent is 1e7. */
	fprintf(file, " %8.0f %6.1f %6.1f %6.1f\n", other > 0 ? other : 0,
		rate(old_times.guest, new_times.guest, seconds * 1e7),
		rate(old_times.host, new_times.host, seconds * 1e7),
		rate(old_times.steal, new_times.steal, seconds * 1e7));
}
