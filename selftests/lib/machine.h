/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A VM with one slot of memory and up to four vCPUs.  Two kinds of tests stand on it:
 * runner.h runs vCPUs in threads, with small programs in real mode; guest.h starts
 * vCPUs in any mode, with tables prepared, and tells of the events in the guest.
 */
#ifndef LODGE_LIB_MACHINE_H
#define LODGE_LIB_MACHINE_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include <lodge.h>

#define MACHINE_CPUS 4

struct machine;

/**
 * struct guest_cpu - a vCPU
 * @machine: the machine that it belongs to
 * @run: its run page
 * @id: its number in cpu[], which is also its APIC ID
 * @fd: its descriptor
 * @thread: of cpu_run_aside() in guest.h
 * @answer: what that thread's run has returned
 */
struct guest_cpu {
	struct machine *machine;
	struct lodge_run *run;
	unsigned int id;
	int fd;
	pthread_t thread;
	int answer;
};

/**
 * struct machine - a VM and what belongs to it
 * @lodge: descriptor of /dev/lodge
 * @vm: descriptor of the VM
 * @cpus: how many vCPUs there are
 * @cpu: the vCPUs
 * @memory: slot 0, at guest physical address 0
 * @size: its size in bytes
 */
struct machine {
	int lodge;
	int vm;
	unsigned int cpus;
	struct guest_cpu cpu[MACHINE_CPUS];
	uint8_t *memory;
	size_t size;
};

/**
 * machine_open() - make a machine with empty memory and vCPUs in their reset state
 * @size: of its memory, in bytes
 * @cpus: how many vCPUs
 *
 * Return: 0 or -errno.  Also after a failure, machine_end() frees what was made.
 */
int machine_open(struct machine *machine, size_t size, unsigned int cpus);

/**
 * machine_end() - close all that a machine has, and free its memory
 */
void machine_end(struct machine *machine);

#endif
