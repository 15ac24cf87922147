// SPDX-License-Identifier: GPL-2.0
/*
 * The small machine of the ABI's tests: see machine.h.
 */
#include "machine.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/client.h"
#include "waiting.h"

#define KICK SIGUSR1

#define VECTORS 256
#define VECTOR_NMI 2
#define STACK_SIZE 0x1000

/* The run page of the thread that a kick interrupts. */
static __thread struct lodge_run *kicked;

/* A LODGE_RUN that the signal comes before returns at once all the same. */
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

static int machine_make_vcpus(struct machine *machine, unsigned int vcpus)
{
	unsigned int *i = &machine->vcpus;

	while (*i < vcpus) {
		machine->vcpu[*i] =
			lodge_vcpu_create(machine->vm, *i, &machine->run[*i]);
		if (machine->vcpu[*i] < 0)
			return machine->vcpu[*i];
		++*i;
	}
	return 0;
}

int machine_make(struct machine *machine, unsigned int vcpus)
{
	int error;

	*machine = (struct machine){ .lodge = -1, .vm = -1 };
	machine->memory = mmap(NULL, GUEST_MEMORY, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (machine->memory == MAP_FAILED)
		return -errno;
	machine_fill(machine);
	machine->lodge = lodge_open();
	if (machine->lodge < 0)
		return machine->lodge;
	machine->vm = lodge_vm_create(machine->lodge);
	if (machine->vm < 0)
		return machine->vm;
	error = lodge_memory_set(machine->vm, 0, 0, 0, GUEST_MEMORY,
				 machine->memory);
	return error ? error : machine_make_vcpus(machine, vcpus);
}

void machine_end(struct machine *machine)
{
	while (machine->vcpus--)
		lodge_vcpu_close(machine->vcpu[machine->vcpus],
				 machine->run[machine->vcpus]);
	close(machine->vm);
	close(machine->lodge);
	munmap(machine->memory, GUEST_MEMORY);
}

int machine_enter(struct machine *machine, unsigned int id, const char *code)
{
	struct lodge_state state = {
		.groups = LODGE_GROUP_GENERAL | LODGE_GROUP_SEGMENTS |
			  LODGE_GROUP_EVENTS,
	};
	struct lodge_segment *seg = state.regs.segments.seg;
	int error = lodge_state_get(machine->vcpu[id], &state);
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
	 * Interrupts are on.  Bochs (2.7) would not leave a spinning guest for
	 * the host's own while guest and host agree that they are off.
	 */
	state.regs.general.rflags = 0x202;
	state.regs.events.mp_state = LODGE_MP_RUNNABLE;
	return lodge_state_set(machine->vcpu[id], &state);
}

uint32_t machine_word(const struct machine *machine, uint32_t gpa)
{
	return SEEN(*(uint32_t *)(machine->memory + gpa));
}

static void count(long *counter)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_SEQ_CST);
}

/* Return: whether the exit is one that a runner expects. */
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
	default:
		runner->error = run->reason;
		return false;
	}
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
	struct lodge_run *run = runner->machine->run[runner->id];
	int error;

	kicked = run;
	kick_block(SIG_UNBLOCK);
	while (!SEEN(runner->stop) && !runner->error) {
		error = lodge_run(runner->machine->vcpu[runner->id]);
		if (error == -EINTR) {
			__atomic_store_n(&run->immediate_exit, 0,
					 __ATOMIC_SEQ_CST);
			count(&runner->kicks);
		} else if (error) {
			runner->error = error;
		} else {
			runner_exit(runner, run);
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

int descriptors_open(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int entries = 0;

	if (!dir)
		return -errno;
	while (readdir(dir))
		entries++;
	closedir(dir);
	return entries;
}
