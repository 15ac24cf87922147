// SPDX-License-Identifier: GPL-2.0
/*
 * A vCPU: a thread that runs it and hands its exits to the bus.
 *
 * A kick is a signal to the thread.  Its handler sets immediate_exit in the run page,
 * so that a kick also counts between the thread's check for requests and its
 * LODGE_RUN.  For this the caller changes the state first and then sends the signal;
 * the thread clears immediate_exit first and then checks for requests.
 */
#include "machine/vcpu.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "board/bus.h"
#include "lib/client.h"
#include "machine/cpu_state.h"
#include "machine/interrupts.h"
#include "sandbox/sandbox.h"

#define KICK_SIGNAL SIGRTMIN

/**
 * struct vcpu - a vCPU
 * @host: its machine
 * @run: its run page
 * @fd: its descriptor
 * @id: its number
 * @reset: its state after creation, with its present CPUID
 * @state: room for its state while it is held
 * @last: the last exit that was answered; written by the thread
 * @stop: tells the thread to end; cleared by vcpu_ready()
 * @lock: guards @started and @thread; no lock is taken inside it
 * @started: @thread can be signalled
 * @thread: the thread
 */
struct vcpu {
	const struct vcpu_host *host;
	struct lodge_run *run;
	int fd;
	uint32_t id;
	struct cpu_state *reset;
	struct cpu_state *state;
	struct vcpu_exit last;
	atomic_bool stop;
	pthread_mutex_t lock;
	bool started;
	pthread_t thread;
};

/* The vCPU of this thread. */
static __thread struct vcpu *self;

static void kicked(int signal)
{
	(void)signal;
	if (self)
		__atomic_store_n(&self->run->immediate_exit, true,
				 __ATOMIC_RELAXED);
}

/* Return: 0 or -errno. */
static int keep_reset_state(struct vcpu *vcpu)
{
	int err;

	vcpu->reset = cpu_state_new(vcpu->host->xsave_size);
	vcpu->state = cpu_state_new(vcpu->host->xsave_size);
	if (!vcpu->reset || !vcpu->state)
		return -ENOMEM;
	err = cpu_state_get(vcpu->fd, vcpu->reset, 0);
	if (!err)
		err = cpu_state_get_leaves(vcpu->fd, vcpu->reset);
	vcpu->reset->regs.msrs.tsc = 0;
	return err;
}

int vcpu_new(struct vcpu **vcpu, const struct vcpu_host *host, uint32_t id)
{
	struct vcpu *new = calloc(1, sizeof(*new));
	int fd, err;

	if (!new)
		return -ENOMEM;
	fd = lodge_vcpu_create(host->vm, id, &new->run);
	if (fd < 0) {
		free(new);
		return fd;
	}
	pthread_mutex_init(&new->lock, NULL);
	new->host = host;
	new->fd = fd;
	new->id = id;
	err = keep_reset_state(new);
	if (err) {
		vcpu_free(new);
		return err;
	}
	*vcpu = new;
	return 0;
}

void vcpu_free(struct vcpu *vcpu)
{
	if (!vcpu)
		return;
	lodge_vcpu_close(vcpu->fd, vcpu->run);
	cpu_state_free(vcpu->reset);
	cpu_state_free(vcpu->state);
	pthread_mutex_destroy(&vcpu->lock);
	free(vcpu);
}

int vcpu_take(struct vcpu *vcpu, uint64_t host_tsc)
{
	memcpy(vcpu->state->leaves, vcpu->reset->leaves,
	       sizeof(vcpu->state->leaves));
	vcpu->state->nr_leaves = vcpu->reset->nr_leaves;
	return cpu_state_get(vcpu->fd, vcpu->state, host_tsc);
}

int vcpu_give(struct vcpu *vcpu, uint64_t host_tsc)
{
	int err = cpu_state_set_leaves(vcpu->fd, vcpu->state, vcpu->reset);

	return err ? err : cpu_state_set(vcpu->fd, vcpu->state, host_tsc);
}

struct cpu_state *vcpu_state(struct vcpu *vcpu)
{
	return vcpu->state;
}

int vcpu_reset(struct vcpu *vcpu, uint64_t host_tsc)
{
	vcpu->last = (struct vcpu_exit){ 0 };
	return cpu_state_set(vcpu->fd, vcpu->reset, host_tsc);
}

uint32_t vcpu_id(const struct vcpu *vcpu)
{
	return vcpu->id;
}

int vcpu_fd(const struct vcpu *vcpu)
{
	return vcpu->fd;
}

const struct lodge_run *vcpu_run_page(const struct vcpu *vcpu)
{
	return vcpu->run;
}

struct vcpu_exit vcpu_last_exit(const struct vcpu *vcpu)
{
	return vcpu->last;
}

static void note_exit(struct vcpu *vcpu, uint64_t where)
{
	vcpu->last.reason = vcpu->run->reason;
	vcpu->last.where = where;
}

/*
 * The sizes must fit in the mapped page.  An exit that does not fit is a bug in the
 * kernel, and the vCPU ends.
 */
static int exit_io(struct vcpu *vcpu)
{
	const struct lodge_exit_io io = vcpu->run->exit.io;
	uint8_t *data = vcpu->run->data;

	note_exit(vcpu, io.port);
	if (io.size != 1 && io.size != 2 && io.size != 4)
		return -EPROTO;
	if (io.count > sizeof(vcpu->run->data) / io.size)
		return -EPROTO;
	for (uint32_t i = 0; i < io.count; i++, data += io.size) {
		if (io.in)
			bus_read(vcpu->host->bus, BUS_PORT, io.port, data,
				 io.size);
		else
			bus_write(vcpu->host->bus, BUS_PORT, io.port, data,
				  io.size);
	}
	return 0;
}

static int exit_mmio(struct vcpu *vcpu)
{
	struct lodge_exit_mmio *mmio = &vcpu->run->exit.mmio;
	const size_t size = mmio->size;

	note_exit(vcpu, mmio->gpa);
	if (!size || size > sizeof(mmio->data))
		return -EPROTO;
	if (mmio->write)
		bus_write(vcpu->host->bus, BUS_MMIO, mmio->gpa, mmio->data,
			  size);
	else
		bus_read(vcpu->host->bus, BUS_MMIO, mmio->gpa, mmio->data,
			 size);
	return 0;
}

/* Return: true if the vCPU can go on; if not, *error is set as by turn(). */
static bool exit_handle(struct vcpu *vcpu, int *error)
{
	switch ((enum lodge_exit_reason)vcpu->run->reason) {
	case LODGE_EXIT_IO:
		*error = exit_io(vcpu);
		return !*error;
	case LODGE_EXIT_MMIO:
		*error = exit_mmio(vcpu);
		return !*error;
	case LODGE_EXIT_EOI:
		note_exit(vcpu, vcpu->run->exit.eoi.vector);
		interrupts_eoi(vcpu->host->interrupts,
			       vcpu->run->exit.eoi.vector);
		return true;
	case LODGE_EXIT_WINDOW:
		note_exit(vcpu, 0);
		return true;
	case LODGE_EXIT_INTERRUPTED:
		return true;
	case LODGE_EXIT_SHUTDOWN:
	case LODGE_EXIT_FAIL_ENTRY:
	case LODGE_EXIT_CANNOT_EMULATE:
	case LODGE_EXIT_TASK_SWITCH:
	case LODGE_EXIT_MEMORY_ERROR:
	case LODGE_EXIT_UNKNOWN:
		return false;
	}
	return false;
}

/**
 * enum turn - result of one pass of the thread's loop
 * @TURN_AGAIN: go on; an access may be incomplete
 * @TURN_BETWEEN: go on; the vCPU is between two instructions
 * @TURN_DEAD: the vCPU cannot go on
 */
enum turn {
	TURN_AGAIN,
	TURN_BETWEEN,
	TURN_DEAD,
};

/*
 * One pass of the thread's loop: runs the guest up to an exit, and handles it.  With
 * TURN_DEAD, *error is -errno, or 0 for an exit that ends the vCPU.
 */
static enum turn turn(struct vcpu *vcpu, int *error)
{
	int err = 0;

	if (!vcpu->id)
		err = interrupts_extint(vcpu->host->interrupts, vcpu->fd,
					vcpu->run);
	if (!err)
		err = lodge_run(vcpu->fd);
	if (err == -EINTR)
		return TURN_BETWEEN;
	*error = err;
	return !err && exit_handle(vcpu, error) ? TURN_AGAIN : TURN_DEAD;
}

static void set_immediate_exit(struct vcpu *vcpu, bool on)
{
	__atomic_store_n(&vcpu->run->immediate_exit, on, __ATOMIC_RELAXED);
}

/* Before the thread ends, it completes the guest's present access. */
static void run_until_stopped(struct vcpu *vcpu)
{
	enum turn next = TURN_AGAIN;
	bool stop = false;
	int error = 0;

	while (!stop || next == TURN_AGAIN) {
		set_immediate_exit(vcpu, false);
		atomic_signal_fence(memory_order_seq_cst);
		stop = atomic_load(&vcpu->stop);
		if (stop)
			set_immediate_exit(vcpu, true);
		next = turn(vcpu, &error);
		if (next == TURN_DEAD) {
			vcpu->host->dead(vcpu->host->opaque, vcpu, error);
			return;
		}
	}
}

static void *thread_main(void *opaque)
{
	struct vcpu *vcpu = opaque;
	sigset_t kick;

	sandbox_thread(SANDBOX_VCPU);
	self = vcpu;
	sigemptyset(&kick);
	sigaddset(&kick, KICK_SIGNAL);
	pthread_sigmask(SIG_UNBLOCK, &kick, NULL);
	run_until_stopped(vcpu);
	return NULL;
}

/* Gets the signals that a vCPU's thread blocks: all but those of its own faults. */
static void fill_blocked(sigset_t *set)
{
	sigfillset(set);
	sigdelset(set, SIGSEGV);
	sigdelset(set, SIGBUS);
	sigdelset(set, SIGABRT);
	sigdelset(set, SIGFPE);
	sigdelset(set, SIGILL);
}

int vcpu_start(struct vcpu *vcpu)
{
	struct sigaction action = { .sa_handler = kicked };
	sigset_t blocked, before;
	int err;

	sigemptyset(&action.sa_mask);
	if (sigaction(KICK_SIGNAL, &action, NULL))
		return -errno;
	fill_blocked(&blocked);
	pthread_sigmask(SIG_SETMASK, &blocked, &before);
	pthread_mutex_lock(&vcpu->lock);
	err = -pthread_create(&vcpu->thread, NULL, thread_main, vcpu);
	vcpu->started = !err;
	pthread_mutex_unlock(&vcpu->lock);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err;
}

void vcpu_kick(struct vcpu *vcpu)
{
	if (self == vcpu)
		return;
	pthread_mutex_lock(&vcpu->lock);
	if (vcpu->started)
		pthread_kill(vcpu->thread, KICK_SIGNAL);
	pthread_mutex_unlock(&vcpu->lock);
}

void vcpu_stop(struct vcpu *vcpu)
{
	atomic_store(&vcpu->stop, true);
	vcpu_kick(vcpu);
}

void vcpu_join(struct vcpu *vcpu)
{
	bool started;

	/* From here on nobody signals the thread, which may have ended. */
	pthread_mutex_lock(&vcpu->lock);
	started = vcpu->started;
	vcpu->started = false;
	pthread_mutex_unlock(&vcpu->lock);
	if (started)
		pthread_join(vcpu->thread, NULL);
}

void vcpu_ready(struct vcpu *vcpu)
{
	atomic_store(&vcpu->stop, false);
}
