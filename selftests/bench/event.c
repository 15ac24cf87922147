// SPDX-License-Identifier: GPL-2.0
/*
 * Counts events.  The guest itself counts an event within its run.  A thread of low
 * priority, which gets the processor while the guest sleeps, counts a sleep.  The
 * process that makes a VM counts the VM's life, with and without idle time.
 *
 * Between two exits the controller only gives the answer that the exit needs.
 */
#include "event.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <x86intrin.h>

#include "guest.h"
#include "watch.h"

#define NR_LIVES 15

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void summarize(uint64_t *samples, int nr, uint64_t overhead,
		      struct cost *cost)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < nr; i++)
		sum += samples[i];
	qsort(samples, nr, sizeof(*samples), compare);
	cost->min = samples[0] - overhead;
	cost->median = samples[nr / 2] - overhead;
	cost->mean = sum / nr - overhead;
}

void machine_destroy(struct machine *machine)
{
	if (machine->run)
		munmap(machine->run, machine->run_size);
	if (machine->vcpu >= 0)
		close(machine->vcpu);
	if (machine->vm >= 0)
		close(machine->vm);
}

/* Small pages only: a large one would leave only the first of the faults. */
static void *memory_new(bool absent)
{
	void *memory = mmap(NULL, GUEST_MEMORY, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	madvise(memory, GUEST_MEMORY, MADV_NOHUGEPAGE);
	memset(memory, 0, absent ? GUEST_FAULTS : GUEST_MEMORY);
	guest_fill(memory);
	return memory;
}

static int run(const struct event *event, const struct hypervisor *hypervisor,
	       const struct machine *machine)
{
	const uint32_t value = 0x5a5a5a5a;
	const int vcpu = machine->vcpu;
	const unsigned long request = hypervisor->run_request;
	volatile uint32_t *answer = NULL;
	int exits = event->exits ? GUEST_SAMPLES : 0;

	if (event->answer == ANSWER_PORT)
		answer = hypervisor->port_answer(machine);
	else if (event->answer == ANSWER_MMIO)
		answer = hypervisor->mmio_answer(machine);
	while (exits--) {
		if (ioctl(vcpu, request, 0))
			return -errno;
		if (answer)
			*answer = value;
	}
	return ioctl(vcpu, request, 0) ? -errno : 0;
}

/* Check that the guest came to its end, and took the interrupts it had to take. */
static int verify(const struct event *event,
		  const struct hypervisor *hypervisor,
		  const struct machine *machine)
{
	const uint64_t *interrupts = machine->memory + GUEST_INTERRUPTS;
	const uint64_t expected = event->interrupts ? GUEST_SAMPLES : 0;

	if (!hypervisor->wrote(machine, GUEST_DONE_PORT))
		return -EPROTO;
	if (*interrupts != expected) {
		printf("# %" PRIu64 " interrupts, not %" PRIu64 "\n",
		       *interrupts, expected);
		return -EPROTO;
	}
	return 0;
}

/* A machine for an event, with memory of its own. */
static int machine_new(const struct event *event,
		       const struct hypervisor *hypervisor,
		       struct machine *machine)
{
	*machine = (struct machine){
		.memory = memory_new(event->absent),
		.rip = guest_rip(event->start),
		.vm = -1,
		.vcpu = -1,
	};
	return machine->memory ? hypervisor->create(machine) : -ENOMEM;
}

static void machine_end(struct machine *machine)
{
	machine_destroy(machine);
	if (machine->memory)
		munmap(machine->memory, GUEST_MEMORY);
}

static int measure_guest(const struct event *event,
			 const struct hypervisor *hypervisor, uint64_t overhead,
			 struct cost *cost)
{
	struct machine machine;
	int error = machine_new(event, hypervisor, &machine);

	if (!error)
		error = run(event, hypervisor, &machine);
	if (!error)
		error = verify(event, hypervisor, &machine);
	if (!error)
		summarize(machine.memory + GUEST_RESULTS, GUEST_SAMPLES,
			  overhead, cost);
	machine_end(&machine);
	return error;
}

static int measure_sleep(const struct event *event,
			 const struct hypervisor *hypervisor, uint64_t overhead,
			 struct cost *cost)
{
	static struct watch watch;
	struct machine machine;
	int error = machine_new(event, hypervisor, &machine);

	if (!error)
		error = watch_start(&watch, machine.memory + GUEST_INTERRUPTS);
	if (!error) {
		error = run(event, hypervisor, &machine);
		watch_stop(&watch);
	}
	if (!error)
		error = verify(event, hypervisor, &machine);
	/* The last run ends without a sleep. */
	if (!error)
		summarize(watch.samples, GUEST_SAMPLES - 1, 0, cost);
	machine_end(&machine);
	return error;
}

static int live(const struct event *event, const struct hypervisor *hypervisor,
		void *memory)
{
	struct machine machine = {
		.memory = memory,
		.rip = guest_rip(event->start),
		.vm = -1,
		.vcpu = -1,
	};
	int error = hypervisor->create(&machine);

	if (!error)
		error = run(event, hypervisor, &machine);
	if (!error)
		error = verify(event, hypervisor, &machine);
	machine_destroy(&machine);
	return error;
}

/* Idle time included. */
static int measure_life(const struct event *event,
			const struct hypervisor *hypervisor, uint64_t overhead,
			struct cost *cost)
{
	uint64_t samples[NR_LIVES];
	void *memory = memory_new(false);
	int error = 0;
	int i;

	if (!memory)
		return -ENOMEM;
	for (i = 0; i < NR_LIVES && !error; i++) {
		uint64_t begin = __rdtsc();

		error = live(event, hypervisor, memory);
		samples[i] = __rdtsc() - begin;
	}
	if (!error)
		summarize(samples, NR_LIVES, 0, cost);
	munmap(memory, GUEST_MEMORY);
	return error;
}

/* Without idle time. */
static int measure_work(const struct event *event,
			const struct hypervisor *hypervisor, uint64_t overhead,
			struct cost *cost)
{
	static struct watch watch;
	uint64_t samples[NR_LIVES];
	void *memory = memory_new(false);
	int error, i;

	if (!memory)
		return -ENOMEM;
	error = watch_start(&watch, NULL);
	if (error)
		goto out;
	for (i = 0; i < NR_LIVES && !error; i++) {
		uint64_t begin = watch_busy(&watch);

		error = live(event, hypervisor, memory);
		samples[i] = watch_busy(&watch) - begin;
	}
	watch_stop(&watch);
	if (!error)
		summarize(samples, NR_LIVES, 0, cost);
out:
	munmap(memory, GUEST_MEMORY);
	return error;
}

const struct event event_nothing = {
	.name = "nothing",
	.title = "nothing",
	.start = guest_nothing,
	.measure = measure_guest,
};

const struct event events[] = {
	{
		.name = "cpuid",
		.title = "CPUID",
		.start = guest_cpuid,
		.goal = { 0.35, 0.50 },
		.measure = measure_guest,
	},
	{
		.name = "port_write",
		.title = "port write, to the controller",
		.start = guest_port_write,
		.exits = true,
		.goal = { 0.40, 0.40 },
		.measure = measure_guest,
	},
	{
		.name = "port_read",
		.title = "port read, from the controller",
		.start = guest_port_read,
		.exits = true,
		.answer = ANSWER_PORT,
		.goal = { 0.40, 0.40 },
		.measure = measure_guest,
	},
	{
		.name = "mmio_write",
		.title = "MMIO write, to the controller",
		.start = guest_mmio_write,
		.exits = true,
		.goal = { 0.40, 0.40 },
		.measure = measure_guest,
	},
	{
		.name = "mmio_read",
		.title = "MMIO read, from the controller",
		.start = guest_mmio_read,
		.exits = true,
		.answer = ANSWER_MMIO,
		.goal = { 0.50, 0.50 },
		.measure = measure_guest,
	},
	{
		.name = "wrmsr_tsc_deadline",
		.title = "WRMSR TSC_DEADLINE, armed",
		.start = guest_wrmsr,
		.goal = { 0.35, 0.50 },
		.measure = measure_guest,
	},
	{
		.name = "rdmsr_apic_base",
		.title = "RDMSR APIC_BASE",
		.start = guest_rdmsr,
		.goal = { 0.35, 0.50 },
		.measure = measure_guest,
	},
	{
		.name = "fault_fresh",
		.title = "nested page fault, page fresh",
		.start = guest_fault,
		.absent = true,
		.goal = { 0.60, 0.60 },
		.measure = measure_guest,
	},
	{
		.name = "fault_prefaulted",
		.title = "nested page fault, page present",
		.start = guest_fault,
		.measure = measure_guest,
	},
	{
		.name = "self_ipi",
		.title = "self-IPI with handler and EOI",
		.start = guest_self_ipi,
		.interrupts = true,
		.goal = { 0.33, 0.40 },
		.measure = measure_guest,
	},
	{
		.name = "timer_tick",
		.title = "timer tick in a running guest",
		.start = guest_tick,
		.interrupts = true,
		.measure = measure_guest,
	},
	{
		.name = "hlt_timer",
		.title = "HLT with TSC-deadline timer",
		.start = guest_timer,
		.interrupts = true,
		.goal = { 0.50, 0.50 },
		.measure = measure_sleep,
	},
	{
		.name = "vm_life",
		.title = "VM: create, run, destroy",
		.start = guest_done,
		.measure = measure_work,
	},
	{
		.name = "vm_life_elapsed",
		.title = "the same, with what it waits",
		.start = guest_done,
		.measure = measure_life,
	},
};

const int nr_events = sizeof(events) / sizeof(*events);
