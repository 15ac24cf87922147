// SPDX-License-Identifier: GPL-2.0
/*
 * Counts what it costs to put a machine back to its checkpoint, with 0 to 1000 pages that
 * its guest has written to, beside a copy in this process of as many pages as were put
 * back: the processor writes to the guest's page tables, too.
 *
 *	rewind
 *
 * Prints TAP, and behind it the table, as bench does, but with columns of its own.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <x86intrin.h>

#include "machine/machine.h"

#define SAMPLES 21
/* Puts back before: what the first time costs is not what a loop costs. */
#define WARM 3
#define PAGE 4096

/*
 * The guest writes to so many pages from 4 MiB on as stand at 0x200010, then does it
 * again; behind each round it counts at 0x200018, in a page that is dirty as well.
 */
#define GUEST 0x200000
#define NUMBER 0x10

asm(".pushsection .rodata\n"
    "own_start:\n"
    "	jmp	1f\n"
    "	.balign	16\n"
    "number:	.quad	0\n"
    "	.quad	0\n"
    "1:	mov	number(%rip), %ecx\n"
    "	mov	$0x400000, %edi\n"
    "	jrcxz	3f\n"
    "2:	incl	(%rdi)\n"
    "	add	$4096, %rdi\n"
    "	loop	2b\n"
    "	mov	$1, %eax\n"
    "	out	%al, $0x80\n"
    "	jmp	1b\n"
    "3:	pause\n"
    "	jmp	3b\n"
    "own_end:\n"
    ".popsection\n");

extern const char own_start[], own_end[];

/**
 * struct event - a number of pages, and what they cost
 * @pages: how many the guest writes to
 * @rewind: ticks of machine_rewind(); half of the samples take less
 * @copy: ticks of a copy of @found pages, likewise
 * @found: pages that were put back
 */
struct event {
	unsigned int pages;
	uint64_t rewind;
	uint64_t copy;
	uint64_t found;
};

static struct event events[] = {
	{ .pages = 0 },
	{ .pages = 10 },
	{ .pages = 100 },
	{ .pages = 1000 },
};

#define NR_EVENTS (int)(sizeof(events) / sizeof(*events))

/* Beside the pages' copy, twice: a goal of its own, in instructions. */
#define BESIDE 15000

static struct machine_config config = {
	.boot = {
		.flat = true,
		.flat_mode = FLAT_LONG,
		.flat_address = GUEST,
		.cpus = 1,
	},
	.memory = 16ULL << 20,
};

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static uint64_t median(uint64_t samples[SAMPLES])
{
	qsort(samples, SAMPLES, sizeof(*samples), compare);
	return samples[SAMPLES / 2];
}

/* Return: ticks of one pass, or -errno; the machine is held before it and after. */
static int64_t put_back(struct machine *machine)
{
	uint64_t start;
	int err = machine_resume(machine);

	if (err)
		return err;
	usleep(20000);
	err = machine_pause(machine);
	if (err)
		return err;
	start = __rdtsc();
	err = machine_rewind(machine);
	return err ? err : (int64_t)(__rdtsc() - start);
}

static int measure_rewind(struct machine *machine, struct event *event)
{
	uint64_t samples[SAMPLES];
	struct device_error why;
	int64_t ticks;
	int err = machine_pause(machine);

	if (!err)
		err = machine_checkpoint(machine, &why);
	for (int i = -WARM; i < SAMPLES && !err; i++) {
		ticks = put_back(machine);
		if (ticks < 0)
			err = (int)ticks;
		else if (i >= 0)
			samples[i] = (uint64_t)ticks;
	}
	if (err)
		return err;
	event->rewind = median(samples);
	event->found = machine_passes(machine).pages;
	return event->found < event->pages ? -EPROTO : 0;
}

static int measure_copy(struct event *event)
{
	size_t size = (size_t)(event->found + 1) * PAGE;
	uint8_t *from = malloc(size), *to = malloc(size);
	uint64_t samples[SAMPLES], start;

	if (!from || !to) {
		free(from);
		free(to);
		return -ENOMEM;
	}
	memset(from, 1, size);
	memset(to, 2, size);
	for (int i = 0; i < SAMPLES; i++) {
		start = __rdtsc();
		for (uint64_t page = 0; page < event->found; page++)
			memcpy(to + page * PAGE, from + page * PAGE, PAGE);
		asm volatile("" : : "r"(to) : "memory");
		samples[i] = __rdtsc() - start;
	}
	free(from);
	free(to);
	event->copy = median(samples);
	return 0;
}

static int measure(struct event *event, int image)
{
	const uint64_t pages = event->pages;
	struct machine *machine = NULL;
	struct console *console = NULL;
	struct machine_error error;
	int err;

	if (pwrite(image, &pages, sizeof(pages), NUMBER) != sizeof(pages))
		return -errno;
	err = console_open(&console, CONSOLE_NONE, NULL);
	if (!err)
		err = machine_new(&machine, &config, &error);
	if (!err)
		err = machine_start(machine,
				    (struct console *[SERIAL_MAX]){ console },
				    &error);
	if (!err)
		err = measure_rewind(machine, event);
	machine_free(machine);
	console_close(console);
	return err ? err : measure_copy(event);
}

static void print_table(void)
{
	printf("BEGIN table\n%-34s %10s %10s %7s %7s\n", "instructions, median",
	       "memcpy", "rewind", "pages", "goal");
	for (int i = 0; i < NR_EVENTS; i++)
		printf("rewind with %4u pages written      %10" PRIu64
		       " %10" PRIu64 " %7" PRIu64 " %s\n",
		       events[i].pages, events[i].copy, events[i].rewind,
		       events[i].found,
		       events[i].rewind <= 2 * events[i].copy + BESIDE ?
			       "met" :
			       "not met");
	printf("END table\nBEGIN bench.json\n{\n"
	       "  \"unit\": \"instructions\",\n  \"rewind\": {\n");
	for (int i = 0; i < NR_EVENTS; i++)
		printf("    \"%u\": { \"memcpy\": %" PRIu64
		       ", \"rewind\": %" PRIu64 " }%s\n",
		       events[i].pages, events[i].copy, events[i].rewind,
		       i + 1 < NR_EVENTS ? "," : "");
	printf("  }\n}\nEND bench.json\n");
}

int main(void)
{
	const size_t size = (size_t)(own_end - own_start);
	int image = memfd_create("guest", 0), failed = 0;
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", image);
	config.boot.kernel = path;
	devices_default(&config.devices);
	printf("TAP version 13\n1..%d\n", NR_EVENTS);
	if (write(image, own_start, size) != (ssize_t)size)
		return EXIT_FAILURE;
	for (int i = 0; i < NR_EVENTS; i++) {
		int err = measure(&events[i], image);

		if (err)
			printf("# %s\n", strerror(-err));
		printf("%s %d - rewind with %u pages written\n",
		       err ? "not ok" : "ok", i + 1, events[i].pages);
		failed |= err;
	}
	print_table();
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
