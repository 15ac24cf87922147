/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A vCPU: a thread that runs it and carries its exits to the bus.
 */
#ifndef LODGE_MACHINE_VCPU_H
#define LODGE_MACHINE_VCPU_H

#include <stdint.h>

#include <lodge.h>

#include "machine/cpu_state.h"

struct bus;
struct interrupts;
struct vcpu;

/**
 * struct vcpu_exit - an exit that was answered
 * @reason: of enum lodge_exit_reason; 0: there has been none
 * @where: port, guest physical address or vector
 */
struct vcpu_exit {
	uint32_t reason;
	uint64_t where;
};

/**
 * struct vcpu_host - what a vCPU needs of its machine
 * @vm: the VM's descriptor
 * @xsave_size: bytes of a vCPU's XSAVE area on this host
 * @bus: where port and memory accesses go
 * @interrupts: where end-of-interrupt goes, and where vCPU 0 finds the PIC's
 *	interrupts
 * @dead: called once, from the vCPU's thread, when it cannot go on: @error is
 *	-errno of LODGE_RUN, or 0 and the run page holds an exit that ends it;
 *	the thread ends when the call returns
 * @opaque: the machine
 *
 * It stays where it is for the vCPU's life.
 */
struct vcpu_host {
	int vm;
	uint32_t xsave_size;
	const struct bus *bus;
	struct interrupts *interrupts;
	void (*dead)(void *opaque, struct vcpu *vcpu, int error);
	void *opaque;
};

/**
 * vcpu_new() - make a vCPU in its reset state
 * @vcpu: set to it
 * @host: its machine
 * @id: its number
 *
 * Return: 0 or -errno.
 */
int vcpu_new(struct vcpu **vcpu, const struct vcpu_host *host, uint32_t id);

/**
 * vcpu_free() - free a vCPU whose thread does not run; NULL is fine
 */
void vcpu_free(struct vcpu *vcpu);

/**
 * vcpu_reset() - put a vCPU whose thread does not run back to its reset state
 * @host_tsc: the host's time stamp counter at the moment of the reset, at which
 *	the vCPU's is 0
 *
 * Return: 0 or -errno.
 */
int vcpu_reset(struct vcpu *vcpu, uint64_t host_tsc);

/**
 * vcpu_take() - read its state into vcpu_state(), while its thread does not run
 * @host_tsc: moment for which to work out its time stamp counter
 *
 * Return: 0 or -errno.
 */
int vcpu_take(struct vcpu *vcpu, uint64_t host_tsc);

/**
 * vcpu_give() - give it the state in vcpu_state()
 * @host_tsc: moment at which its time stamp counter shows what the state says
 *
 * Return: 0; -EBUSY it has run already and has another CPUID; -errno.
 */
int vcpu_give(struct vcpu *vcpu, uint64_t host_tsc);

/**
 * vcpu_state() - the place for its state while it is held
 */
struct cpu_state *vcpu_state(struct vcpu *vcpu);

/**
 * vcpu_id() - its number
 */
uint32_t vcpu_id(const struct vcpu *vcpu);

/**
 * vcpu_fd() - its descriptor, for the calls of lib/client.h
 */
int vcpu_fd(const struct vcpu *vcpu);

/**
 * vcpu_run_page() - its run page; only the vCPU's thread may look while it runs
 */
const struct lodge_run *vcpu_run_page(const struct vcpu *vcpu);

/**
 * vcpu_last_exit() - the last exit that was answered, while it does not run
 */
struct vcpu_exit vcpu_last_exit(const struct vcpu *vcpu);

/**
 * vcpu_start() - let a thread run it
 *
 * vCPU 0 is started first.
 *
 * Return: 0 or -errno.
 */
int vcpu_start(struct vcpu *vcpu);

/**
 * vcpu_kick() - make the vCPU leave the guest and look at what has changed
 *
 * From any thread.  Nothing happens from its own thread, which is about to look
 * anyway, or while it has none.
 */
void vcpu_kick(struct vcpu *vcpu);

/**
 * vcpu_stop() - ask the thread to end, at the latest when the access that it
 * handles now is done; from any thread
 *
 * The guest executes no further instruction.  Once the thread has ended, the
 * vCPU's state is one between two instructions.
 *
 * The caller that starts the thread calls it once more before vcpu_join(), for a call
 * may fall between the thread's birth and the moment it can be kicked.
 */
void vcpu_stop(struct vcpu *vcpu);

/**
 * vcpu_join() - wait for the thread's end after vcpu_stop(), if it was started;
 * the vCPU can be started again
 */
void vcpu_join(struct vcpu *vcpu);

#endif
