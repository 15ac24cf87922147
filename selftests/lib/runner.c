// SPDX-License-Identifier: GPL-2.0
/*
 * Machines that run small programs, and threads that run them: see runner.h.
 */
#include "runner.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "lib/client.h"
#include "waiting.h"

#define MEMORY_SIZE 0x100000

#define KICK SIGUSR1
/* An instruction that is refused so often in a row is not one that waits for memory. */
#define MAX_REFUSED 10000

#define VECTORS 256
#define VECTOR_NMI 2
#define STACK_SIZE 0x1000

/* The run page of the thread that a kick interrupts. */
static __thread struct lodge_run *kicked;

/* If the signal comes just before LODGE_RUN, that call returns at once, too. */
static void on_kick(int signal)
{
	__atomic_store_n(&kicked->immediate_exit, 1, __ATOMIC_SEQ_CST);
}

static uint16_t guest_offset(const char *code)
{
	return GUEST_CODE + (code - guest_first);
}

static void machine_fill(struct machine *machine)
{
	uint16_t *vectors = (uint16_t *)machine->memory;
	int i;

	memcpy(machine->memory + GUEST_CODE, guest_first,
	       guest_last - guest_first);
	for (i = 0; i < VECTORS; i++)
		vectors[2 * i] = guest_offset(guest_interrupt);
	vectors[2 * VECTOR_NMI] = guest_offset(guest_nmi);
}

int machine_make(struct machine *machine, unsigned int cpus)
{
	int error = machine_open(machine, MEMORY_SIZE, cpus);

	if (!error)
		machine_fill(machine);
	return error;
}

int machine_enter(struct machine *machine, unsigned int id, const char *code)
{
	struct lodge_state state = {
		.groups = LODGE_GROUP_GENERAL | LODGE_GROUP_SEGMENTS |
			  LODGE_GROUP_EVENTS,
	};
	struct lodge_segment *seg = state.regs.segments.seg;
	int error = lodge_state_get(machine->cpu[id].fd, &state);
	int i;

	if (error)
		return error;
	for (i = LODGE_ES; i <= LODGE_GS; i++) {
		seg[i].base = 0;
		seg[i].selector = 0;
		if (i != LODGE_CS)
			seg[i].limit = 0xffffffff;
	}
	state.regs.general.rip = guest_offset(code);
	state.regs.general.gpr[LODGE_RSP] = GUEST_STACKS + id * STACK_SIZE;
	/*
	 * Interrupts are on.  Bochs would not leave a spinning guest for
	 * the host's own while guest and host agree that they are off.
	 */
	state.regs.general.rflags = 0x202;
	state.regs.events.mp_state = LODGE_MP_RUNNABLE;
	return lodge_state_set(machine->cpu[id].fd, &state);
}

uint32_t machine_word(const struct machine *machine, uint32_t gpa)
{
	return SEEN(*(uint32_t *)(machine->memory + gpa));
}

static void count(long *counter)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_SEQ_CST);
}

/* Return: true if a runner expects such an exit. */
static bool runner_exit(struct runner *runner, struct lodge_run *run)
{
	switch (run->reason) {
	case LODGE_EXIT_IO:
		count(&runner->io);
		return true;
	case LODGE_EXIT_MMIO:
		if (!run->exit.mmio.write)
			memset(run->exit.mmio.data, 0,
			       sizeof(run->exit.mmio.data));
		count(&runner->mmio);
		return true;
	case LODGE_EXIT_MEMORY_ERROR:
		count(&runner->bad_memory);
		return true;
	case LODGE_EXIT_CANNOT_EMULATE:
		/* The host may give the memory back. */
		if (++runner->refused == MAX_REFUSED)
			break;
		usleep(100);
		return true;
	}
	runner->error = run->reason;
	return false;
}

static void kick_block(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, KICK);
	pthread_sigmask(how, &set, NULL);
}

static void *runner_thread(void *argument)
{
	struct runner *runner = argument;
	struct lodge_run *run = runner->machine->cpu[runner->id].run;
	int error;

	kicked = run;
	kick_block(SIG_UNBLOCK);
	while (!SEEN(runner->stop) && !runner->error) {
		error = lodge_run(runner->machine->cpu[runner->id].fd);
		if (error == -EINTR) {
			__atomic_store_n(&run->immediate_exit, 0,
					 __ATOMIC_SEQ_CST);
			count(&runner->kicks);
		} else if (error == -EAGAIN) {
			count(&runner->held);
			usleep(100);
		} else if (error) {
			runner->error = error;
		} else {
			runner_exit(runner, run);
			if (run->reason != LODGE_EXIT_CANNOT_EMULATE)
				runner->refused = 0;
		}
		count(&runner->rounds);
	}
	kick_block(SIG_BLOCK);
	return NULL;
}

void runner_start(struct runner *runner, struct machine *machine,
		  unsigned int id)
{
	const struct sigaction action = { .sa_handler = on_kick };

	*runner = (struct runner){ .machine = machine, .id = id };
	sigaction(KICK, &action, NULL);
	/* The thread takes the signal once it knows what to do with it. */
	kick_block(SIG_BLOCK);
	pthread_create(&runner->thread, NULL, runner_thread, runner);
	kick_block(SIG_UNBLOCK);
}

void runner_kick(struct runner *runner)
{
	pthread_kill(runner->thread, KICK);
}

/* @stop is seen at the latest when the kick has been answered. */
int runner_stop(struct runner *runner)
{
	__atomic_store_n(&runner->stop, true, __ATOMIC_SEQ_CST);
	runner_kick(runner);
	pthread_join(runner->thread, NULL);
	return runner->error;
}
