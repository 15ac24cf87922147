/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The bench's view of a hypervisor: a VM with one vCPU and one piece of memory, and
 * the places of answers in its run page.
 */
#ifndef BENCH_HYPERVISOR_H
#define BENCH_HYPERVISOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct machine - a VM, complete or not yet
 * @memory: GUEST_MEMORY bytes, filled by guest_fill(); guest physical address 0
 * @rip: the address of its first instruction
 * @vm: descriptor, -1 when there is none
 * @vcpu: descriptor, -1 when there is none
 * @bell: eventfd that the guest's writes signal, -1 when there is none
 * @run: the vCPU's run page, or NULL
 * @run_size: bytes mapped there
 */
struct machine {
	void *memory;
	uint64_t rip;
	int vm;
	int vcpu;
	int bell;
	void *run;
	size_t run_size;
};

/**
 * struct hypervisor - a hypervisor
 * @name: for the table
 * @run_request: ioctl() that runs a vCPU
 * @open: called once, first; returns 0 or -errno
 * @create: makes VM, memory, vCPU and its registers; returns 0 or -errno.  The machine
 *	holds the parts that were made, also after an error
 * @wrote: returns true if the last exit is a write to this port
 * @port_answer: returns the place for the answer to a port read
 * @mmio_answer: returns the place for the answer to an MMIO read
 * @hang_bell: has the guest's writes of any size and value signal an eventfd, at
 *	GUEST_PORT, or (@mmio) at GUEST_MMIO; returns 0 or -errno
 * @connect: has an eventfd interrupt the vCPU, with GUEST_VECTOR; returns 0 or -errno
 * @log_begin: keeps a log of the pages that are written to; returns 0 or -errno
 * @log_take: sets their bits in GUEST_BITMAP words that are zero, and has the log begin
 *	anew; returns 0 or -errno
 */
struct hypervisor {
	const char *name;
	unsigned long run_request;
	int (*open)(void);
	int (*create)(struct machine *machine);
	bool (*wrote)(const struct machine *machine, uint16_t port);
	void *(*port_answer)(const struct machine *machine);
	void *(*mmio_answer)(const struct machine *machine);
	int (*hang_bell)(const struct machine *machine, int fd, bool mmio);
	int (*connect)(const struct machine *machine, int fd);
	int (*log_begin)(const struct machine *machine);
	int (*log_take)(const struct machine *machine, uint64_t *bitmap);
};

extern const struct hypervisor hypervisor_kvm;
extern const struct hypervisor hypervisor_lodge;

/**
 * machine_destroy() - close and unmap all that create() has made
 */
void machine_destroy(struct machine *machine);

#endif
