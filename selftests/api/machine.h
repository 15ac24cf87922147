/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small machine for the tests of the ABI: up to four vCPUs in real mode with
 * flat data segments, one slot of memory, and the guest code of guest.S in it.
 */
#ifndef LODGE_API_MACHINE_H
#define LODGE_API_MACHINE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <lodge.h>

#include "guest.h"

#define MACHINE_VCPUS 4

/**
 * struct machine - a VM and what belongs to it
 * @lodge: descriptor of /dev/lodge
 * @vm: descriptor of the VM
 * @vcpus: how many there are
 * @vcpu: their descriptors
 * @run: their run pages
 * @memory: GUEST_MEMORY bytes, slot 0 at guest physical address 0
 */
struct machine {
	int lodge;
	int vm;
	unsigned int vcpus;
	int vcpu[MACHINE_VCPUS];
	struct lodge_run *run[MACHINE_VCPUS];
	uint8_t *memory;
};

/**
 * machine_make() - make a machine whose vCPUs are in their reset state
 *
 * Return: 0 or -errno; what there is by then is for machine_end().
 */
int machine_make(struct machine *machine, unsigned int vcpus);
void machine_end(struct machine *machine);

/**
 * machine_enter() - let vCPU @id be at @code, one of guest.h's labels
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
 * @io: exits for port accesses
 * @mmio: exits for memory without a slot, whose reads are answered with zero
 * @bad_memory: exits for memory that the host does not have
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
	long io;
	long mmio;
	long bad_memory;
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

/**
 * descriptors_open() - how many descriptors this process has open
 */
int descriptors_open(void);

#endif
