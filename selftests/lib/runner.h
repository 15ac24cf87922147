/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Machines whose vCPUs run small programs in real mode with flat data segments, and
 * threads that run them.
 */
#ifndef LODGE_LIB_RUNNER_H
#define LODGE_LIB_RUNNER_H

#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>

#include "guest_code.h"
#include "machine.h"

/**
 * machine_make() - make a machine with the programs of guest_code.h in its memory,
 * whose vCPUs are in their reset state
 *
 * Return: 0 or -errno.  Also after a failure, machine_end() frees what was made.
 */
int machine_make(struct machine *machine, unsigned int cpus);

/**
 * machine_enter() - let vCPU @id be at @code, one of guest_code.h's labels
 *
 * Return: 0 or -errno.
 */
int machine_enter(struct machine *machine, unsigned int id, const char *code);

/**
 * machine_word() - a word of the guest's memory, which the guest may change
 */
uint32_t machine_word(const struct machine *machine, uint32_t gpa);

/**
 * struct runner - a thread that runs a vCPU until it is stopped
 * @machine: whose
 * @id: which vCPU
 * @thread: the thread
 * @stop: set by runner_stop()
 * @rounds: LODGE_RUN has returned so often
 * @kicks: of these, with EINTR
 * @held: and with EAGAIN, because the vCPUs were held
 * @io: exits for port accesses
 * @mmio: exits for memory without a slot, whose reads are answered with zero
 * @bad_memory: exits for memory that the host does not have
 * @refused: exits in a row with an instruction that Lodge cannot carry out, as one whose
 *	memory the host makes inaccessible
 * @error: what ended the thread: -errno, or the reason of an unexpected exit;
 *	0: it was stopped
 */
struct runner {
	struct machine *machine;
	unsigned int id;
	pthread_t thread;
	bool stop;
	long rounds;
	long kicks;
	long held;
	long io;
	long mmio;
	long bad_memory;
	long refused;
	int error;
};

/**
 * runner_start() - run vCPU @id in a thread of its own
 */
void runner_start(struct runner *runner, struct machine *machine,
		  unsigned int id);

/**
 * runner_kick() - make it return from LODGE_RUN, by a signal
 */
void runner_kick(struct runner *runner);

/**
 * runner_stop() - end the thread
 *
 * Return: @error.
 */
int runner_stop(struct runner *runner);

#endif
