/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The bench's view of a hypervisor: a VM with one vCPU and one piece of
 * memory, and where in its run page things are.
 */
#ifndef BENCH_HYPERVISOR_H
#define BENCH_HYPERVISOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct machine - a VM in the making, or made
 * @memory: GUEST_MEMORY bytes, filled by guest_fill(); guest physical address 0
 * @rip: its first instruction
 * @vm: descriptor, -1 when there is none
 * @vcpu: descriptor, -1 when there is none
 * @run: the vCPU's run page, or NULL
 * @run_size: bytes mapped there
 */
struct machine {
	void *memory;
	uint64_t rip;
	int vm;
	int vcpu;
	void *run;
	size_t run_size;
};

/**
 * struct hypervisor - one of those that are compared
 * @name: for the table
 * @run_request: ioctl() that runs a vCPU
 * @open: once, before all else
 * @create: VM, memory, vCPU and its registers; answers 0 or -errno, and what was
 *	made until then stands in the machine
 * @wrote: the last exit is a write to this port
 * @port_answer: where the answer to an input goes
 * @mmio_answer: where the answer to an MMIO read goes
 */
struct hypervisor {
	const char *name;
	unsigned long run_request;
	int (*open)(void);
	int (*create)(struct machine *machine);
	bool (*wrote)(const struct machine *machine, uint16_t port);
	void *(*port_answer)(const struct machine *machine);
	void *(*mmio_answer)(const struct machine *machine);
};

extern const struct hypervisor hypervisor_kvm;
extern const struct hypervisor hypervisor_lodge;

/**
 * machine_destroy() - close and unmap what create() has made
 */
void machine_destroy(struct machine *machine);

#endif
