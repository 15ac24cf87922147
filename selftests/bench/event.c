// SPDX-License-Identifier: GPL-2.0
/*
 * Counts events.  The guest itself counts an event within its run.  A thread of low
 * priority, which gets the processor while the guest sleeps, counts a sleep.  Who wakes
 * a sleeping guest counts until it sleeps again.  The process that makes a VM counts the
 * VM's life, with and without idle time.
 *
 * Between two exits the controller only gives the answer that the exit needs.
 */
#include "event.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <x86intrin.h>

#include "guest.h"
#include "watch.h"

#define NR_LIVES 15
/* Seconds in which a guest must take all its interrupts, or has missed one. */
#define WAKE_LIMIT 100

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
	if (machine->bell >= 0)
		close(machine->bell);
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

static int machine_hang_bell(const struct event *event,
			     const struct hypervisor *hypervisor,
			     struct machine *machine)
{
	if (event->bell == BELL_NONE)
		return 0;
	machine->bell = eventfd(0, EFD_CLOEXEC);
	if (machine->bell < 0)
		return -errno;
	return hypervisor->hang_bell(machine, machine->bell,
				     event->bell == BELL_MMIO);
}

/* A machine for an event, with memory of its own. */
static int machine_new(const struct event *event,
		       const struct hypervisor *hypervisor,
		       struct machine *machine)
{
	int error;

	*machine = (struct machine){
		.memory = memory_new(event->absent),
		.rip = guest_rip(event->start),
		.vm = -1,
		.vcpu = -1,
		.bell = -1,
	};
	if (!machine->memory)
		return -ENOMEM;
	error = hypervisor->create(machine);
	return error ? error : machine_hang_bell(event, hypervisor, machine);
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

/* A vCPU that runs while this thread goes on; pthread_create()'s argument. */
struct runner {
	const struct event *event;
	const struct hypervisor *hypervisor;
	const struct machine *machine;
	int error;
};

static void *runner_run(void *argument)
{
	struct runner *runner = argument;

	runner->error = run(runner->event, runner->hypervisor, runner->machine);
	return NULL;
}

/* It interrupts a call that would wait for ever. */
static void wake_limit(int signal)
{
}

/* Wake the guest and wait until it is about to sleep again, for all samples but one. */
static int wake(const struct machine *machine, int message, uint64_t *samples)
{
	const uint64_t one = 1;
	uint64_t count, begin;
	int i;

	if (read(machine->bell, &count, sizeof(count)) < 0)
		return -EPROTO;
	for (i = 0; i < GUEST_SAMPLES - 1; i++) {
		begin = __rdtsc();
		if (write(message, &one, sizeof(one)) < 0 ||
		    read(machine->bell, &count, sizeof(count)) < 0)
			return -EPROTO;
		samples[i] = __rdtsc() - begin;
	}
	/* The last one ends without a sleep. */
	return write(message, &one, sizeof(one)) < 0 ? -EPROTO : 0;
}

static int wake_beside(struct runner *runner, int message, uint64_t *samples)
{
	const struct sigaction limit = { .sa_handler = wake_limit };
	pthread_t thread;
	int error;

	sigaction(SIGALRM, &limit, NULL);
	error = pthread_create(&thread, NULL, runner_run, runner);
	if (error)
		return -error;
	alarm(WAKE_LIMIT);
	error = wake(runner->machine, message, samples);
	alarm(0);
	if (error)
		pthread_kill(thread, SIGALRM);
	pthread_join(thread, NULL);
	return error ? error : runner->error;
}

/* From a signal of the eventfd that interrupts the guest to one of its own. */
static int measure_wake(const struct event *event,
			const struct hypervisor *hypervisor, uint64_t overhead,
			struct cost *cost)
{
	static uint64_t samples[GUEST_SAMPLES];
	struct machine machine;
	struct runner runner = { event, hypervisor, &machine, 0 };
	int message = eventfd(0, EFD_CLOEXEC);
	int error = machine_new(event, hypervisor, &machine);

	if (!error)
		error = hypervisor->connect(&machine, message);
	if (!error)
		error = wake_beside(&runner, message, samples);
	if (!error)
		error = verify(event, hypervisor, &machine);
	if (!error)
		summarize(samples, GUEST_SAMPLES - 1, 0, cost);
	machine_end(&machine);
	close(message);
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
		.bell = -1,
	};
	int error = hypervisor->create(&machine);

	if (!error)
		error = run(event, hypervisor, &machine);
	if (!error)
		error = verify(event, hypervisor, &machine);
	machine_destroy(&machine);
	return error;
}

/* Run a guest that writes to its pages, and count how long the log takes to tell. */
static int take_log(const struct event *event,
		    const struct hypervisor *hypervisor,
		    const struct machine *machine, uint64_t *sample)
{
	uint64_t bitmap[GUEST_BITMAP] = { 0 }, begin;
	unsigned int pages = 0;
	int error = hypervisor->log_begin(machine);

	if (!error)
		error = run(event, hypervisor, machine);
	if (!error)
		error = verify(event, hypervisor, machine);
	if (error)
		return error;
	begin = __rdtsc();
	error = hypervisor->log_take(machine, bitmap);
	*sample = __rdtsc() - begin;
	for (size_t i = 0; i < GUEST_BITMAP; i++)
		pages += __builtin_popcountll(bitmap[i]);
	if (error || pages < GUEST_SAMPLES)
		return error ? error : -EPROTO;
	*sample /= pages;
	return 0;
}

static int measure_log(const struct event *event,
		       const struct hypervisor *hypervisor, uint64_t overhead,
		       struct cost *cost)
{
	uint64_t samples[NR_LIVES];
	int error = 0;

	for (int i = 0; i < NR_LIVES && !error; i++) {
		struct machine machine;

		error = machine_new(event, hypervisor, &machine);
		if (!error)
			error = take_log(event, hypervisor, &machine,
					 &samples[i]);
		machine_end(&machine);
	}
	if (!error)
		summarize(samples, NR_LIVES, 0, cost);
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
		.name = "doorbell_port",
		.title = "doorbell by ioeventfd, port",
		.start = guest_port_write,
		.bell = BELL_PORT,
		.goal = { 0.50, 0.50 },
		.measure = measure_guest,
	},
	{
		.name = "doorbell_mmio",
		.title = "doorbell by ioeventfd, MMIO",
		.start = guest_mmio_write,
		.bell = BELL_MMIO,
		.goal = { 0.50, 0.50 },
		.measure = measure_guest,
	},
	{
		.name = "irqfd_wake",
		.title = "irqfd to a sleeping vCPU and back",
		.start = guest_wait,
		.bell = BELL_PORT,
		.interrupts = true,
		.goal = { 0.50, 0.50 },
		.measure = measure_wake,
	},
	{
		.name = "dirty_log",
		.title = "dirty log, taken and cleared, a page",
		.start = guest_fault,
		.goal = { 0.50, 0.50 },
		.measure = measure_log,
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
