/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A vCPU: a thread that runs it and hands its exits to the bus.
 */
#ifndef LODGE_MACHINE_VCPU_H
#define LODGE_MACHINE_VCPU_H

#include <stdbool.h>
#include <stdint.h>

#include <lodge.h>

#include "machine/cpu_state.h"
#include "machine/features.h"

struct bus;
struct interrupts;
struct vcpu;

/**
 * struct vcpu_exit - an exit that was answered
 * @reason: enum lodge_exit_reason; 0: there has been no exit
 * @where: port, guest physical address or vector
 */
struct vcpu_exit {
	uint32_t reason;
	uint64_t where;
};

/**
 * struct vcpu_host - a vCPU's view of its machine
 * @vm: the VM's descriptor
 * @xsave_size: bytes of a vCPU's XSAVE area on this host
 * @features: those that a vCPU has; NULL: all that this host has
 * @bus: takes port and memory accesses
 * @interrupts: takes the ends of interrupts, and has the PIC's interrupts for vCPU 0
 * @dead: called once, from the vCPU's thread, when it cannot go on.  @error is -errno
 *	of LODGE_RUN, or 0 if the run page holds an exit that ends the vCPU.  It
 *	stops when the call returns
 * @opaque: the machine
 *
 * It must not move while the vCPU exists.
 */
struct vcpu_host {
	int vm;
	uint32_t xsave_size;
	const struct feature_set *features;
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
 * @lacks: out: with -EOPNOTSUPP: the feature of @host.features that this host lacks
 *
 * Return: 0 or -errno.
 */
int vcpu_new(struct vcpu **vcpu, const struct vcpu_host *host, uint32_t id,
	     char lacks[static FEATURE_NAME_SIZE]);

/**
 * vcpu_free() - free a vCPU that does not run, and end its thread; NULL is fine
 */
void vcpu_free(struct vcpu *vcpu);

/**
 * vcpu_reset() - put a vCPU that does not run back to its reset state
 * @host_tsc: the host's time stamp counter at the moment of the reset; the vCPU's
 *	counter is 0 then
 *
 * Return: 0 or -errno.
 */
int vcpu_reset(struct vcpu *vcpu, uint64_t host_tsc);

/**
 * vcpu_take() - read its state into vcpu_state(), while it does not run
 * @host_tsc: moment for which to compute its time stamp counter
 * @clock: how fast that counts
 *
 * Return: 0 or -errno.
 */
int vcpu_take(struct vcpu *vcpu, uint64_t host_tsc,
	      const struct cpu_clock *clock);

/**
 * vcpu_give() - give it the state in vcpu_state(), while it does not run
 * @host_tsc: moment for which the state's time stamp counter holds
 *
 * Return: 0; -EBUSY it has run already and has another CPUID; -errno.
 */
int vcpu_give(struct vcpu *vcpu, uint64_t host_tsc);

/**
 * vcpu_lacks() - find a feature of processors that vcpu_state() has and it has not
 * @name: out: the feature
 *
 * Return: true if there is one.
 */
bool vcpu_lacks(const struct vcpu *vcpu, char name[static FEATURE_NAME_SIZE]);

/**
 * vcpu_state() - get the room for its state while it is held
 */
struct cpu_state *vcpu_state(struct vcpu *vcpu);

/**
 * vcpu_id() - get its number
 */
uint32_t vcpu_id(const struct vcpu *vcpu);

/**
 * vcpu_fd() - get its descriptor, for the calls of lib/client.h
 */
int vcpu_fd(const struct vcpu *vcpu);

/**
 * vcpu_run_page() - get its run page; while it runs, only its thread may read it
 */
const struct lodge_run *vcpu_run_page(const struct vcpu *vcpu);

/**
 * vcpu_last_exit() - get the last exit that was answered, while it does not run
 */
struct vcpu_exit vcpu_last_exit(const struct vcpu *vcpu);

/**
 * vcpu_make_thread() - make the thread that will run it; to be called once
 *
 * The thread confines itself; those whose maker is confined are so by both filters.
 *
 * Return: 0 or -errno.
 */
int vcpu_make_thread(struct vcpu *vcpu);

/**
 * vcpu_start() - let its thread run it
 *
 * vCPU 0 is started first.
 */
void vcpu_start(struct vcpu *vcpu);

/**
 * vcpu_kick() - make the vCPU leave the guest and check for requests
 *
 * Any thread may call.  It does nothing if called from the vCPU's own thread, which
 * checks before its next run anyway, or while the vCPU does not run.
 */
void vcpu_kick(struct vcpu *vcpu);

/**
 * vcpu_stop() - ask the thread to leave the vCPU; any thread may call
 *
 * The thread completes the access that it handles now, if any.  The guest executes no
 * further instruction.  When the thread has left it, the vCPU is between two
 * instructions.
 *
 * The caller of vcpu_start() calls this again before vcpu_join(), because an earlier
 * call may come before that, and so find nobody to be kicked.
 */
void vcpu_stop(struct vcpu *vcpu);

/**
 * vcpu_join() - wait after vcpu_stop() until it does not run
 */
void vcpu_join(struct vcpu *vcpu);

/**
 * vcpu_ready() - let the vCPU be started again
 *
 * No thread that may call vcpu_stop() runs, those of the other vCPUs neither: a call that
 * came later would stop the next run at once.
 */
void vcpu_ready(struct vcpu *vcpu);

#endif
