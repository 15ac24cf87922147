// SPDX-License-Identifier: GPL-2.0
/*
 * Counts what it costs to start a machine from another one, to write it to a file, and to
 * start it from that.
 *
 *	clone
 *
 * A template of 256 MiB, and one of 2 GiB, are cloned: in this process, until the clone has
 * carried out instructions of its guest's, and ended by one of them; and by the command, of
 * which what one clone costs more than none is a share of ten.  A machine that runs is
 * cloned by the command, beside a fork(2) of a process with as much memory.  A machine whose
 * guest has written to all of its 256 MiB is saved, beside a copy of them, and restored.
 *
 * Prints TAP, and behind it the tables, as bench does, but with columns of their own.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

#include "machine/machine.h"
#include "machine/saved.h"
#include "watch.h"

#define SAMPLES 7
#define MANY 10
#define MIB (1ULL << 20)
#define IMAGE "/tmp/clone.image"
#define PAGE 4096
/* Pages that the guest of a template has written to, and those of all its memory. */
#define SOME 4096
#define FIRST_PAGE 0x400000
#define ALL (unsigned int)((256 * MIB - FIRST_PAGE) / PAGE)

#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW)

/* What each clone may cost, in instructions, and how much more with eight times the memory. */
#define MOST 300000
#define SAME 1.1
#define FORK 1.5

/*
 * The guest writes to so many pages from 4 MiB on as stand at 0x200010; then it waits until
 * something else than 0 stands at 0x200018, by HLT for ever where that is so from the
 * start, and ends the machine.
 */
#define GUEST 0x200000
#define NUMBER 0x10
#define GO 0x18

asm(".pushsection .rodata\n"
    "own_start:\n"
    "	jmp	1f\n"
    "	.balign	16\n"
    "number:	.quad	0\n"
    "go:	.quad	0\n"
    "1:	mov	number(%rip), %ecx\n"
    "	mov	go(%rip), %ebx\n"
    "	mov	$0x400000, %edi\n"
    "	jrcxz	3f\n"
    "2:	incl	(%rdi)\n"
    "	add	$4096, %rdi\n"
    "	loop	2b\n"
    "3:	test	%ebx, %ebx\n"
    "	jnz	5f\n"
    "4:	pause\n"
    "	cmpl	$0, go(%rip)\n"
    "	je	4b\n"
    "	out	%al, $0xf4\n"
    "5:	hlt\n"
    "	jmp	5b\n"
    "own_end:\n"
    ".popsection\n");

extern const char own_start[], own_end[];

static const struct {
	const char *option;
	uint64_t bytes;
} sizes[] = { { "256M", 256 * MIB }, { "2G", 2048 * MIB } };

enum { SMALL, LARGE, SIZES };

/**
 * struct results - what was counted, in instructions
 * @machine: a clone in this process, by its size
 * @command: one by the command, likewise
 * @alone: `lodge clone` of one machine, likewise
 * @fork: fork(2) beside a machine that runs, with huge pages
 * @running: `lodge clone` of one that runs
 * @copy: a copy of 256 MiB
 * @save: 256 MiB saved
 * @written: bytes of the file
 * @restore: restored, to an instruction of its guest's
 */
static struct results {
	uint64_t machine[SIZES];
	uint64_t command[SIZES];
	uint64_t alone[SIZES];
	uint64_t fork;
	uint64_t running;
	uint64_t copy;
	uint64_t save;
	uint64_t written;
	uint64_t restore;
} results;

static struct watch watch;

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

/*
 * In this process
 */

static struct machine_config config = {
	.boot = {
		.flat = true,
		.flat_mode = FLAT_LONG,
		.flat_address = GUEST,
		.cpus = 1,
		.kernel = IMAGE,
	},
};

/* Makes the guest's image.  Return: 0 or -errno. */
static int make_image(uint64_t pages, uint64_t go)
{
	const uint64_t words[] = { pages, go };
	const size_t size = (size_t)(own_end - own_start);
	int fd = open(IMAGE, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool whole;

	if (fd < 0)
		return -errno;
	whole = write(fd, own_start, size) == (ssize_t)size &&
		pwrite(fd, words, sizeof(words), NUMBER) == sizeof(words);
	close(fd);
	return whole ? 0 : -EIO;
}

/* Builds a machine and lets it run.  Return: 0 or -errno. */
static int start(struct machine **machine, struct console **console)
{
	struct machine_error error;
	int err = console_open(console, CONSOLE_NONE, NULL);

	if (!err)
		err = machine_new(machine, &config, &error);
	return err ? err :
		     machine_start(*machine,
				   (struct console *[SERIAL_MAX]){ *console },
				   &error);
}

static void end(struct machine *machine, struct console *console)
{
	machine_free(machine);
	console_close(console);
}

/* Lets a machine run until its guest ends it.  Return: 0 or -errno. */
static int run_to_end(struct machine *machine)
{
	struct pollfd ended = { machine_ended(machine), POLLIN, 0 };

	return poll(&ended, 1, 60000) == 1 ? 0 : -ETIME;
}

/* Return: ticks from the file to an instruction of the guest's; or -errno. */
static int64_t go_on(int file)
{
	const uint64_t begin = __rdtsc();
	struct machine *machine = NULL;
	struct console *console = NULL;
	struct snap_error why;
	struct saved *saved;
	int64_t ticks;
	int err = saved_open(&saved, file, &why);

	if (err)
		return err;
	config.saved = saved_state(saved);
	err = start(&machine, &console);
	if (!err)
		err = run_to_end(machine);
	ticks = (int64_t)(__rdtsc() - begin);
	end(machine, console);
	saved_close(saved);
	config.saved = NULL;
	return err ? err : ticks;
}

/* Return: 0 or -errno. */
static int go_on_often(int file, uint64_t *ticks)
{
	uint64_t samples[SAMPLES];

	for (int i = 0; i < SAMPLES; i++) {
		int64_t one = go_on(file);

		if (one < 0)
			return (int)one;
		samples[i] = (uint64_t)one;
	}
	*ticks = median(samples);
	return 0;
}

/* Return: ticks; or -errno. */
static int64_t save(struct machine *machine, int file)
{
	const uint64_t begin = __rdtsc();
	struct snap_error why;
	int err = saved_write(machine, file, "{}", NULL, &why);

	return err ? err : (int64_t)(__rdtsc() - begin);
}

/*
 * Saves a machine whose guest has written to so many pages, and lets the guest of those
 * that are started from the file go.
 */
static int make_file(int file, uint64_t pages, uint64_t *ticks)
{
	const uint64_t go = 1;
	struct machine *machine = NULL;
	struct console *console = NULL;
	struct snap_error why;
	struct saved *saved;
	int64_t taken = 0;
	int err = make_image(pages, 0);

	if (!err)
		err = start(&machine, &console);
	/* The guest has as many instructions: to write to a page takes some 10,000. */
	usleep(100000 + pages * 10);
	if (!err)
		err = machine_pause(machine);
	if (!err)
		taken = save(machine, file);
	end(machine, console);
	if (err || taken < 0)
		return err ? err : (int)taken;
	*ticks = (uint64_t)taken;
	err = saved_open(&saved, file, &why);
	if (err)
		return err;
	if (pwrite(file, &go, sizeof(go),
		   (off_t)saved_state(saved)->memory + GUEST + GO) !=
	    sizeof(go))
		err = -EIO;
	saved_close(saved);
	return err;
}

static int measure_machine(int size)
{
	int file = memfd_create("template", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	uint64_t unused;
	int err;

	config.memory = sizes[size].bytes;
	config.clone = true;
	err = make_file(file, SOME, &unused);
	/* As the file that a machine is frozen to. */
	if (!err && fcntl(file, F_ADD_SEALS, SEALS))
		err = -errno;
	if (!err)
		err = go_on_often(file, &results.machine[size]);
	close(file);
	return err;
}

static int measure_machines(void)
{
	int err = measure_machine(SMALL);

	return err ? err : measure_machine(LARGE);
}

/* All that the machine has, twice, beside the same for a copy. */
static int measure_copy(void)
{
	const size_t size = ALL * (size_t)PAGE;
	char *from = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t begin;

	if (from == MAP_FAILED)
		return -errno;
	memset(from, 1, 2 * size);
	begin = __rdtsc();
	memcpy(from + size, from, size);
	results.copy = __rdtsc() - begin;
	munmap(from, 2 * size);
	return 0;
}

static int measure_file(void)
{
	int file = memfd_create("file", MFD_CLOEXEC);
	struct stat status;
	int err;

	config.memory = 256 * MIB;
	config.clone = false;
	err = make_file(file, ALL, &results.save);
	if (!err && fstat(file, &status))
		err = -errno;
	if (!err) {
		results.written = (uint64_t)status.st_blocks * 512;
		err = go_on_often(file, &results.restore);
	}
	close(file);
	if (!err && results.written < ALL * (uint64_t)PAGE)
		err = -EPROTO;
	return err ? err : measure_copy();
}

/*
 * By the command
 */

/* Return: 0; -errno; -EPROTO: the command has failed. */
static int run(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int run(const char *format, ...)
{
	char command[256];
	va_list list;

	va_start(list, format);
	vsnprintf(command, sizeof(command), format, list);
	va_end(list);
	return system(command) ? -EPROTO : 0;
}

/* Return: 0 or -errno. */
static int count(const char *name, int clones, uint64_t *ticks)
{
	const uint64_t begin = watch_busy(&watch);
	int err = run("exec $LODGE clone %s -n %d >/dev/null", name, clones);

	/* Until all is still. */
	usleep(200000);
	*ticks = watch_busy(&watch) - begin;
	for (int i = 1; i <= clones && !err; i++)
		err = run("$LODGE stop --now %s-%d >/dev/null && "
			  "$LODGE rm %s-%d >/dev/null",
			  name, i, name, i);
	return err;
}

static int start_machine(const char *name, int size, uint64_t pages)
{
	int err = make_image(pages, 1);

	if (!err)
		err = run("$LODGE run -d --name %s --memory %s --kernel " IMAGE
			  " --flat %#x:64 >/dev/null",
			  name, sizes[size].option, GUEST);
	usleep(100000 + pages * 10);
	return err;
}

static int end_machine(const char *name)
{
	return run("$LODGE resume %s >/dev/null; $LODGE stop --now %s "
		   ">/dev/null && $LODGE rm %s >/dev/null",
		   name, name, name);
}

static int measure_command(int size)
{
	uint64_t some = 0;
	int err = start_machine("template", size, SOME);

	if (!err)
		err = run("$LODGE freeze template");
	/* What the first one costs is not what the others cost. */
	for (int i = 0; i < 2 && !err; i++)
		err = count("template", 1, &results.alone[size]);
	if (!err)
		err = count("template", 1 + MANY, &some);
	results.command[size] = (some - results.alone[size]) / MANY;
	return err ? err : end_machine("template");
}

static int measure_commands(void)
{
	int err = measure_command(SMALL);

	return err ? err : measure_command(LARGE);
}

/* Return: ticks that fork(2) takes the parent and the child; or -errno. */
static int64_t count_fork(void)
{
	const uint64_t begin = watch_busy(&watch);
	pid_t child = fork();

	if (child < 0)
		return -errno;
	if (!child)
		_exit(0);
	waitpid(child, NULL, 0);
	return (int64_t)(watch_busy(&watch) - begin);
}

static int measure_fork(void)
{
	const size_t size = 256 * MIB;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int64_t ticks;

	if (memory == MAP_FAILED)
		return -errno;
	madvise(memory, size, MADV_HUGEPAGE);
	memset(memory, 1, size);
	ticks = count_fork();
	munmap(memory, size);
	if (ticks < 0)
		return (int)ticks;
	results.fork = (uint64_t)ticks;
	return 0;
}

static int measure_running(void)
{
	int err = measure_fork();

	if (!err)
		err = start_machine("running", SMALL, ALL);
	for (int i = 0; i < 2 && !err; i++)
		err = count("running", 1, &results.running);
	return err ? err : end_machine("running");
}

/*
 * The tables
 */

static double ratio(uint64_t a, uint64_t b)
{
	return (double)a / (double)b;
}

static const char *verdict(bool met)
{
	return met ? "met" : "not met";
}

static void print_sizes(const char *title, const uint64_t cost[SIZES],
			bool has_goal)
{
	const double more = ratio(cost[LARGE], cost[SMALL]);

	printf("%-34s %10" PRIu64 " %10" PRIu64 " %7.2f", title, cost[SMALL],
	       cost[LARGE], more);
	if (has_goal)
		printf(" %5.2f %s, %d %s", SAME, verdict(more <= SAME), MOST,
		       verdict(cost[SMALL] <= MOST));
	printf("\n");
}

static void print_table(void)
{
	const struct results *r = &results;

	printf("BEGIN table\n%-34s %10s %10s %7s  goal\n",
	       "instructions, median", "256 MiB", "2 GiB", "ratio");
	print_sizes("a template's clone runs", r->machine, true);
	print_sizes("lodge clone -n: each more", r->command, false);
	print_sizes("lodge clone: one", r->alone, false);
	printf("%-34s %10s %10s %7s  goal\n", "256 MiB", "beside", "Lodge",
	       "ratio");
	printf("%-34s %10" PRIu64 " %10" PRIu64 " %7.2f %5.2f %s\n",
	       "one that runs cloned (fork)", r->fork, r->running,
	       ratio(r->running, r->fork), FORK,
	       verdict(ratio(r->running, r->fork) <= FORK));
	printf("%-34s %10" PRIu64 " %10" PRIu64 " %7.2f\n", "saved (memcpy)",
	       r->copy, r->save, ratio(r->save, r->copy));
	printf("%-34s %10s %10" PRIu64 "\n", "restored, until it runs", "",
	       r->restore);
	printf("%-34s %10s %10" PRIu64 "\nEND table\n", "KiB of its file", "",
	       r->written >> 10);
}

static void print_json(void)
{
	const struct results *r = &results;

	printf("BEGIN bench.json\n{\n  \"unit\": \"instructions\",\n"
	       "  \"clone\": {\n");
	for (int i = 0; i < SIZES; i++)
		printf("    \"%s\": { \"machine\": %" PRIu64
		       ", \"command\": %" PRIu64 ", \"alone\": %" PRIu64
		       " },\n",
		       sizes[i].option, r->machine[i], r->command[i],
		       r->alone[i]);
	printf("    \"running\": { \"fork\": %" PRIu64 ", \"lodge\": %" PRIu64
	       " },\n    \"save\": { \"memcpy\": %" PRIu64
	       ", \"lodge\": %" PRIu64 ", \"bytes\": %" PRIu64
	       " },\n    \"restore\": %" PRIu64 "\n  }\n}\nEND bench.json\n",
	       r->fork, r->running, r->copy, r->save, r->written, r->restore);
}

static const struct {
	const char *name;
	int (*measure)(void);
} tests[] = {
	{ "a template's clones run, whatever its size", measure_machines },
	{ "the command starts them", measure_commands },
	{ "a machine that runs is cloned", measure_running },
	{ "a machine is saved, and restored", measure_file },
};

#define TESTS (int)(sizeof(tests) / sizeof(tests[0]))

int main(void)
{
	int failed = 0;
	int err = watch_start(&watch, NULL);

	setvbuf(stdout, NULL, _IOLBF, 0);
	devices_default(&config.devices);
	printf("TAP version 13\n1..%d\n", TESTS);
	setenv("LODGE", "lodge", 0);
	mkdir("/run/bench", 0700);
	setenv("XDG_RUNTIME_DIR", "/run/bench", 1);
	for (int i = 0; i < TESTS; i++) {
		if (!err)
			err = tests[i].measure();
		if (err)
			printf("# %s\n", strerror(-err));
		printf("%s %d - %s\n", err ? "not ok" : "ok", i + 1,
		       tests[i].name);
		failed |= err;
	}
	print_table();
	print_json();
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
