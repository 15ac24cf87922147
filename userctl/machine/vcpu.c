// SPDX-License-Identifier: GPL-2.0
/*
 * A vCPU: a thread that runs it and hands its exits to the bus.
 *
 * The thread is made once, waits until the vCPU is to run, and waits again when it was
 * stopped: so it can be made before its maker is confined, whose filter of system calls
 * it would have beside its own.
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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "board/bus.h"
#include "lib/client.h"
#include "machine/cpu_state.h"
#include "machine/interrupts.h"
#include "sandbox/sandbox.h"

#define KICK_SIGNAL SIGRTMIN

/* How long a vCPU that the kernel holds waits before it asks again. */
#define HELD_PAUSE_NS 1000000

/**
 * struct vcpu - a vCPU
 * @host: its machine
 * @run: its run page
 * @fd: its descriptor
 * @id: its number
 * @reset: its state after creation, with its present CPUID
 * @state: room for its state while it is held
 * @last: the last exit that was answered; written by the thread
 * @stop: tells the thread to leave the guest; cleared by vcpu_ready()
 * @has_thread: there is one: @thread
 * @thread: the thread
 * @lock: guards @runs and @ending; no lock is taken inside it
 * @changed: one of them has
 * @runs: the thread runs the vCPU, or is about to
 * @ending: the thread is to end
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
	bool has_thread;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool runs;
	bool ending;
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

/* Return: 0; -EOPNOTSUPP the host lacks one, which is in @lacks; -errno. */
static int limit_features(struct vcpu *vcpu, char *lacks)
{
	const struct feature_set *features = vcpu->host->features;
	const char *missing;
	int err;

	if (!features)
		return 0;
	err = cpu_state_get_leaves(vcpu->fd, vcpu->state);
	if (err)
		return err;
	missing = features_miss(features, vcpu->state);
	if (missing) {
		snprintf(lacks, FEATURE_NAME_SIZE, "%s", missing);
		return -EOPNOTSUPP;
	}
	features_keep(vcpu->state, features);
	return cpu_state_set_leaves(vcpu->fd, vcpu->state, vcpu->reset);
}

/* Return: as limit_features(). */
static int keep_reset_state(struct vcpu *vcpu, char *lacks)
{
	int err;

	vcpu->reset = cpu_state_new(vcpu->host->xsave_size);
	vcpu->state = cpu_state_new(vcpu->host->xsave_size);
	if (!vcpu->reset || !vcpu->state)
		return -ENOMEM;
	/* The MSRs that there are depend on the features. */
	err = limit_features(vcpu, lacks);
	return err ? err : cpu_state_get_reset(vcpu->fd, vcpu->reset);
}

int vcpu_new(struct vcpu **vcpu, const struct vcpu_host *host, uint32_t id,
	     char lacks[static FEATURE_NAME_SIZE])
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
	pthread_cond_init(&new->changed, NULL);
	new->host = host;
	new->fd = fd;
	new->id = id;
	err = keep_reset_state(new, lacks);
	if (err) {
		vcpu_free(new);
		return err;
	}
	*vcpu = new;
	return 0;
}

static void set_ending(struct vcpu *vcpu)
{
	pthread_mutex_lock(&vcpu->lock);
	vcpu->ending = true;
	pthread_cond_broadcast(&vcpu->changed);
	pthread_mutex_unlock(&vcpu->lock);
}

void vcpu_free(struct vcpu *vcpu)
{
	if (!vcpu)
		return;
	if (vcpu->has_thread) {
		set_ending(vcpu);
		pthread_join(vcpu->thread, NULL);
	}
	lodge_vcpu_close(vcpu->fd, vcpu->run);
	cpu_state_free(vcpu->reset);
	cpu_state_free(vcpu->state);
	pthread_cond_destroy(&vcpu->changed);
	pthread_mutex_destroy(&vcpu->lock);
	free(vcpu);
}

int vcpu_take(struct vcpu *vcpu, uint64_t host_tsc,
	      const struct cpu_clock *clock)
{
	memcpy(vcpu->state->leaves, vcpu->reset->leaves,
	       sizeof(vcpu->state->leaves));
	vcpu->state->nr_leaves = vcpu->reset->nr_leaves;
	return cpu_state_get(vcpu->fd, vcpu->state, host_tsc, clock);
}

int vcpu_give(struct vcpu *vcpu, uint64_t host_tsc)
{
	int err = cpu_state_set_leaves(vcpu->fd, vcpu->state, vcpu->reset);

	return err ? err : cpu_state_set(vcpu->fd, vcpu->state, host_tsc);
}

bool vcpu_lacks(const struct vcpu *vcpu, char name[static FEATURE_NAME_SIZE])
{
	return features_lack(vcpu->reset, vcpu->state, name);
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
 * The kernel holds the vCPU, perhaps in the middle of an access, and has no call to wait
 * for its release.  A signal ends the pause as it ends LODGE_RUN.
 */
static void await_release(void)
{
	const struct timespec pause = { .tv_nsec = HELD_PAUSE_NS };

	nanosleep(&pause, NULL);
}

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
	if (err == -EAGAIN) {
		await_release();
		return TURN_AGAIN;
	}
	*error = err;
	return !err && exit_handle(vcpu, error) ? TURN_AGAIN : TURN_DEAD;
}

static void set_immediate_exit(struct vcpu *vcpu, bool on)
{
	__atomic_store_n(&vcpu->run->immediate_exit, on, __ATOMIC_RELAXED);
}

/* Before the vCPU is left, the guest's present access is completed. */
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

/* Return: true if the vCPU is to run; false if its thread is to end. */
static bool await_start(struct vcpu *vcpu)
{
	bool runs;

	pthread_mutex_lock(&vcpu->lock);
	while (!vcpu->runs && !vcpu->ending)
		pthread_cond_wait(&vcpu->changed, &vcpu->lock);
	runs = vcpu->runs;
	pthread_mutex_unlock(&vcpu->lock);
	return runs;
}

static void set_runs(struct vcpu *vcpu, bool runs)
{
	pthread_mutex_lock(&vcpu->lock);
	vcpu->runs = runs;
	pthread_cond_broadcast(&vcpu->changed);
	pthread_mutex_unlock(&vcpu->lock);
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
	while (await_start(vcpu)) {
		run_until_stopped(vcpu);
		set_runs(vcpu, false);
	}
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

int vcpu_make_thread(struct vcpu *vcpu)
{
	struct sigaction action = { .sa_handler = kicked };
	sigset_t blocked, before;
	int err;

	sigemptyset(&action.sa_mask);
	if (sigaction(KICK_SIGNAL, &action, NULL))
		return -errno;
	fill_blocked(&blocked);
	pthread_sigmask(SIG_SETMASK, &blocked, &before);
	err = -pthread_create(&vcpu->thread, NULL, thread_main, vcpu);
	vcpu->has_thread = !err;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err;
}

void vcpu_start(struct vcpu *vcpu)
{
	set_runs(vcpu, true);
}

void vcpu_kick(struct vcpu *vcpu)
{
	if (self == vcpu)
		return;
	pthread_mutex_lock(&vcpu->lock);
	if (vcpu->runs)
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
	pthread_mutex_lock(&vcpu->lock);
	while (vcpu->runs)
		pthread_cond_wait(&vcpu->changed, &vcpu->lock);
	pthread_mutex_unlock(&vcpu->lock);
}

void vcpu_ready(struct vcpu *vcpu)
{
	atomic_store(&vcpu->stop, false);
}
