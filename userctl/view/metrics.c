// SPDX-License-Identifier: GPL-2.0
/*
 * All VMs in Prometheus' text format: all samples of a metric stand together, behind
 * its description.
 */
#include "view/metrics.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "view/word.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/**
 * struct number - a number of a VM, or a vCPU, that is a metric
 * @metric: name of the metric; those of one name follow each other
 * @help: description, with the first of its name
 * @label: a label that tells it from the others of its name, or NULL
 * @offset: of the number in the structure
 */
struct number {
	const char *metric;
	const char *help;
	const char *label;
	size_t offset;
};

#define OF_VM(field) offsetof(struct sample_vm, field)
#define OF_VCPU(field) offsetof(struct netlink_vcpu, field)
#define OF_STATS(field) offsetof(struct netlink_stats, field)

static const struct number vm_bytes[] = {
	{ "memory_bytes", "Size of all memory slots.", NULL, OF_VM(vm.memory) },
	{ "memory_resident_bytes",
	  "Guest memory that the nested page tables map.", NULL,
	  OF_VM(vm.resident) },
	{ "memory_shared_bytes", "Memory of its process that others may share.",
	  NULL, OF_VM(shared) },
	{ "table_bytes", "Size of the nested page tables.", NULL,
	  OF_VM(vm.tables) },
};

static const struct number vcpu_times[] = {
	{ "seconds_total",
	  "Time by mode; guest: in the guest; host: otherwise on a CPU, in the "
	  "kernel or in user space; wait: in HLT or for a start-up IPI.",
	  "mode=\"guest\"", OF_VCPU(guest) },
	{ "seconds_total", NULL, "mode=\"host\"", OF_VCPU(host) },
	{ "seconds_total", NULL, "mode=\"wait\"", OF_VCPU(wait) },
	{ "steal_seconds_total",
	  "Time for which its threads were ready but others ran.", NULL,
	  OF_VCPU(steal) },
};

static const struct number counts[] = {
	{ "quick_exits_total",
	  "Exits that were answered at once, and are not in "
	  "exit_handling_seconds.",
	  NULL, OF_STATS(quick) },
	{ "events_total", "Events that Lodge delivered to the guest, by kind.",
	  "kind=\"interrupt\"", OF_STATS(interrupts) },
	{ "events_total", NULL, "kind=\"nmi\"", OF_STATS(nmis) },
	{ "events_total", NULL, "kind=\"exception\"", OF_STATS(exceptions) },
	{ "nested_faults_total",
	  "Nested page faults that mapped memory, by size of page.",
	  "size=\"4K\"", OF_STATS(faults_4k) },
	{ "nested_faults_total", NULL, "size=\"2M\"", OF_STATS(faults_2m) },
	{ "nested_faults_total", NULL, "size=\"1G\"", OF_STATS(faults_1g) },
	{ "tlb_flushes_total", "Flushes of TLB entries.", NULL,
	  OF_STATS(flushes) },
	{ "halts_total", "Times that it began to wait in HLT.", NULL,
	  OF_STATS(halts) },
	{ "polls_total", "Waits that polled, by result.", "result=\"won\"",
	  OF_STATS(polls_won) },
	{ "polls_total", NULL, "result=\"lost\"", OF_STATS(polls_lost) },
	{ "wakeups_total", "Wake-ups from sleep.", NULL, OF_STATS(wakeups) },
	{ "returns_total", "Returns of LODGE_RUN to user space.", NULL,
	  OF_STATS(returns) },
};

static uint64_t value_of(const void *structure, const struct number *number)
{
	uint64_t value;

	memcpy(&value, (const char *)structure + number->offset, sizeof(value));
	return value;
}

static void describe(FILE *file, const char *scope, const char *metric,
		     const char *type, const char *help)
{
	fprintf(file, "# HELP lodge_%s%s %s\n# TYPE lodge_%s%s %s\n", scope,
		metric, help, scope, metric, type);
}

/* A byte beyond ASCII could make the text bad UTF-8, which is refused as a whole. */
static void write_value(FILE *file, const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fprintf(file, "\\%c", *text);
		else
			fputc(*text >= ' ' && *text <= '~' ? *text : '?', file);
	}
}

/* A name is unique for a user, and the ID for a long time. */
static void write_vm_labels(FILE *file, const struct sample_vm *vm)
{
	fprintf(file, "{vm=\"%" PRIu32 "\",name=\"", vm->vm.id);
	write_value(file, vm->vm.name);
	fputs("\",user=\"", file);
	write_value(file, vm->user);
	fputc('"', file);
}

/* Writes a sample up to its value.  @vcpu: its number, or NULL; @label: may be NULL. */
static void begin(FILE *file, const char *scope, const char *metric,
		  const struct sample_vm *vm, const uint32_t *vcpu,
		  const char *label)
{
	fprintf(file, "lodge_%s%s", scope, metric);
	write_vm_labels(file, vm);
	if (vcpu)
		fprintf(file, ",vcpu=\"%" PRIu32 "\"", *vcpu);
	fprintf(file, "%s%s} ", label ? "," : "", label ? label : "");
}

static void write_seconds(FILE *file, uint64_t nanoseconds)
{
	fprintf(file, "%" PRIu64 ".%09" PRIu64 "\n", nanoseconds / 1000000000,
		nanoseconds % 1000000000);
}

static void write_vm_bytes(FILE *file, const struct sample *sample,
			   const struct number *number)
{
	describe(file, "vm_", number->metric, "gauge", number->help);
	for (size_t i = 0; i < sample->nr_vms; i++) {
		const struct sample_vm *vm = &sample->vms[i];

		begin(file, "vm_", number->metric, vm, NULL, number->label);
		fprintf(file, "%" PRIu64 "\n", value_of(vm, number));
	}
}

/* The clock of an answer begins when the host does, and Prometheus' in 1970. */
static uint64_t start_of(const struct sample *sample,
			 const struct sample_vm *vm)
{
	return sample->real_time - sample->time + vm->vm.start;
}

static void write_vms(FILE *file, const struct sample *sample)
{
	const struct sample_vm *vm;

	describe(file, "vm_", "vcpus", "gauge", "Number of vCPUs.");
	for (vm = sample->vms; vm < sample->vms + sample->nr_vms; vm++) {
		begin(file, "vm_", "vcpus", vm, NULL, NULL);
		fprintf(file, "%" PRIu32 "\n", vm->vm.vcpus);
	}
	describe(file, "vm_", "state", "gauge", "1 for the state that it has.");
	for (vm = sample->vms; vm < sample->vms + sample->nr_vms; vm++)
		for (uint32_t state = 0; state <= LODGE_VM_BROKEN; state++) {
			char label[32];

			snprintf(label, sizeof(label), "state=\"%s\"",
				 word_of_vm_state(state));
			begin(file, "vm_", "state", vm, NULL, label);
			fprintf(file, "%d\n", vm->vm.state == state);
		}
	describe(file, "vm_", "start_time_seconds", "gauge",
		 "Time of its creation since 1970.");
	for (vm = sample->vms; vm < sample->vms + sample->nr_vms; vm++) {
		begin(file, "vm_", "start_time_seconds", vm, NULL, NULL);
		write_seconds(file, start_of(sample, vm));
	}
	for (size_t i = 0; i < LENGTH(vm_bytes); i++)
		write_vm_bytes(file, sample, &vm_bytes[i]);
}

/* A vCPU of which the VM came after the list of VMs is left to the next sample. */
static void write_times(FILE *file, const struct sample *sample,
			const struct number *number)
{
	for (size_t i = 0; i < sample->nr_vcpus; i++) {
		const struct netlink_vcpu *vcpu = &sample->vcpus[i];
		const struct sample_vm *vm = sample_vm(sample, vcpu->vm);

		if (!vm)
			continue;
		begin(file, "vcpu_", number->metric, vm, &vcpu->id,
		      number->label);
		write_seconds(file, value_of(vcpu, number));
	}
}

static void write_counts(FILE *file, const struct sample *sample,
			 const struct number *number)
{
	for (size_t i = 0; i < sample->nr_stats; i++) {
		const struct netlink_stats *stats = &sample->stats[i];
		const struct sample_vm *vm = sample_vm(sample, stats->vm);

		if (!vm)
			continue;
		begin(file, "vcpu_", number->metric, vm, &stats->vcpu,
		      number->label);
		fprintf(file, "%" PRIu64 "\n", value_of(stats, number));
	}
}

/*
 * Writes metrics that may be spread over several numbers.  Samples of one metric must
 * stand together, so the numbers are the outer loop.
 */
static void write_numbers(FILE *file, const struct sample *sample,
			  const struct number *numbers, size_t count,
			  void (*write)(FILE *, const struct sample *,
					const struct number *))
{
	for (size_t i = 0; i < count; i++) {
		if (numbers[i].help)
			describe(file, "vcpu_", numbers[i].metric, "counter",
				 numbers[i].help);
		write(file, sample, &numbers[i]);
	}
}

static void write_exits(FILE *file, const struct sample *sample)
{
	describe(file, "vcpu_", "exits_total", "counter",
		 "Exits from the guest, by reason.");
	for (size_t i = 0; i < sample->nr_stats; i++) {
		const struct netlink_stats *stats = &sample->stats[i];
		const struct sample_vm *vm = sample_vm(sample, stats->vm);

		for (uint32_t e = 0; vm && e < LODGE_NR_STAT_EXITS; e++) {
			char label[48];

			snprintf(label, sizeof(label), "reason=\"%s\"",
				 word_of_exit(e));
			begin(file, "vcpu_", "exits_total", vm, &stats->vcpu,
			      label);
			fprintf(file, "%" PRIu64 "\n", stats->exits[e]);
		}
	}
}

/* The sum of the times is not counted, so that there is no _sum. */
static void write_histogram(FILE *file, const struct sample_vm *vm,
			    const struct netlink_stats *stats)
{
	uint64_t count = 0;
	char label[32];

	for (unsigned int i = 0; i < LODGE_STAT_BUCKETS; i++) {
		count += stats->histogram[i];
		if (i < LODGE_STAT_BUCKETS - 1)
			snprintf(label, sizeof(label), "le=\"%.10g\"",
				 netlink_bucket_end(stats, i));
		else
			snprintf(label, sizeof(label), "le=\"+Inf\"");
		begin(file, "vcpu_", "exit_handling_seconds_bucket", vm,
		      &stats->vcpu, label);
		fprintf(file, "%" PRIu64 "\n", count);
	}
	begin(file, "vcpu_", "exit_handling_seconds_count", vm, &stats->vcpu,
	      NULL);
	fprintf(file, "%" PRIu64 "\n", count);
}

static void write_histograms(FILE *file, const struct sample *sample)
{
	describe(file, "vcpu_", "exit_handling_seconds", "histogram",
		 "Time outside the guest before an entry, in the kernel and in "
		 "user space, without mode wait.");
	for (size_t i = 0; i < sample->nr_stats; i++) {
		const struct netlink_stats *stats = &sample->stats[i];
		const struct sample_vm *vm = sample_vm(sample, stats->vm);

		if (vm)
			write_histogram(file, vm, stats);
	}
}

void metrics_write(FILE *file, const struct sample *sample)
{
	describe(file, "", "up", "gauge", "1 if the module answers.");
	fprintf(file, "lodge_up %d\n", !!sample);
	if (!sample)
		return;
	write_vms(file, sample);
	write_numbers(file, sample, vcpu_times, LENGTH(vcpu_times),
		      write_times);
	write_exits(file, sample);
	write_numbers(file, sample, counts, LENGTH(counts), write_counts);
	write_histograms(file, sample);
}
