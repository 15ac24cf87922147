// SPDX-License-Identifier: GPL-2.0
/*
 * A virtual machine monitor: runs a file as a PC's BIOS runs a boot sector, in real mode
 * at 0x7c00, prints what the guest writes to port 0xe9, and ends when the guest halts
 * with interrupts disabled.  Other ports and addresses are empty: they read as ones.
 *
 *	cc -o flat flat.c $(pkg-config --cflags --libs liblodge)
 *	./flat IMAGE
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>

#include <lodge/client.h>

#define MEMORY (1UL << 20)
#define START 0x7c00
#define PORT 0xe9
#define FLAG_IF 0x200

static void check(int ret, const char *what)
{
	if (ret < 0)
		errx(EXIT_FAILURE, "%s: %s", what, strerror(-ret));
}

/* The guest's memory, with the image in it. */
static void *load(const char *path)
{
	char *memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	FILE *file = fopen(path, "r");

	if (memory == MAP_FAILED || !file)
		err(EXIT_FAILURE, "%s", path);
	if (!fread(memory + START, 1, MEMORY - START, file) || !feof(file))
		errx(EXIT_FAILURE, "%s: empty, too large, or not readable",
		     path);
	fclose(file);
	return memory;
}

/* The registers are those after a reset, but for the place: the run page sets both. */
static void enter(int vcpu, struct lodge_run *run)
{
	struct lodge_state state = { .groups = LODGE_GROUP_GENERAL |
					       LODGE_GROUP_SEGMENTS };

	check(lodge_state_get(vcpu, &state), "registers");
	state.regs.segments.seg[LODGE_CS].selector = 0;
	state.regs.segments.seg[LODGE_CS].base = 0;
	state.regs.general.rip = START;
	state.regs.general.gpr[LODGE_RSP] = START;
	run->regs = state.regs;
	run->load = state.groups;
	run->save = LODGE_GROUP_GENERAL | LODGE_GROUP_EVENTS;
}

static void port(struct lodge_run *run)
{
	const struct lodge_exit_io *io = &run->exit.io;

	if (io->in)
		memset(run->data, 0xff, io->size * io->count);
	else if (io->port == PORT)
		fwrite(run->data, io->size, io->count, stdout);
}

/* HLT makes no exit: the vCPU waits for an interrupt, and goes on by itself. */
static int has_ended(const struct lodge_run *run)
{
	return run->regs.events.mp_state == LODGE_MP_HALTED &&
	       !(run->regs.general.rflags & FLAG_IF);
}

/* Ten times a second lodge_run() is interrupted, to look whether the guest has ended. */
static void tick(int signal)
{
}

static void watch(void)
{
	const struct timeval period = { .tv_usec = 100000 };
	const struct itimerval timer = { period, period };

	signal(SIGALRM, tick);
	setitimer(ITIMER_REAL, &timer, NULL);
}

int main(int argc, char *argv[])
{
	int lodge, vm, vcpu, ret;
	struct lodge_run *run;

	if (argc != 2)
		errx(EXIT_FAILURE, "usage: flat IMAGE");
	check(lodge = lodge_open(), LODGE_DEVICE);
	check(vm = lodge_vm_create(lodge), "VM");
	check(lodge_memory_set(vm, 0, 0, 0, MEMORY, load(argv[1])), "memory");
	check(vcpu = lodge_vcpu_create(vm, 0, &run), "vCPU");
	enter(vcpu, run);
	watch();
	do {
		ret = lodge_run(vcpu);
		if (ret == -EINTR)
			continue;
		check(ret, "run");
		if (run->reason == LODGE_EXIT_IO)
			port(run);
		else if (run->reason == LODGE_EXIT_MMIO)
			memset(run->exit.mmio.data, 0xff, run->exit.mmio.size);
		else
			errx(EXIT_FAILURE, "exit %u (enum lodge_exit_reason)",
			     run->reason);
	} while (!has_ended(run));
	return 0;
}
