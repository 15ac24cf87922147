/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The calls of lib/client.h without a kernel behind them: the linker takes these
 * in place of the real ones.
 */
#ifndef LODGE_UNIT_FAKE_LODGE_H
#define LODGE_UNIT_FAKE_LODGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <lodge.h>

#define FAKE_LOG_SIZE 64

/**
 * struct fake_lodge - what the calls do, and what they were asked
 * @run: stands for the guest: what vCPU 0 does in a LODGE_RUN; the others wait
 *	until they are kicked, as does vCPU 0 without it
 * @all: all vCPUs do what @run does
 * @status: what the host says of itself
 * @fail_call: the call of this number, counted from 1, fails with -ENOMEM
 * @vm_error: answer of LODGE_CREATE_VM, where it is not 0
 * @vcpu_error: answer of LODGE_CREATE_VCPU, likewise
 * @calls: calls that can fail so far
 * @vms: VMs made
 * @vcpus: vCPUs that exist
 * @resets: how often vCPU 0 was given a whole state
 * @extint_busy: so many LODGE_EXTINT answer -EBUSY first
 * @msi_error: answer of LODGE_SEND_MSI
 * @nr_msis: messages sent, in @msis as far as they fit
 * @nr_extints: vectors delivered, in @extints as far as they fit
 * @state: last inline groups set on vCPU 0, and what LODGE_GET_STATE gives
 * @lapic: the same for the local APIC
 * @mtrr: the same for the one MSR that is in no group
 * @clock: the VM's clock
 */
struct fake_lodge {
	int (*run)(struct lodge_run *run);
	bool all;
	enum lodge_status status;
	int fail_call;
	int vm_error;
	int vcpu_error;
	int calls;
	int vms;
	int vcpus;
	int resets;
	int extint_busy;
	int msi_error;
	int nr_msis;
	struct lodge_msi msis[FAKE_LOG_SIZE];
	int nr_extints;
	uint8_t extints[FAKE_LOG_SIZE];
	struct lodge_regs state;
	struct lodge_lapic lapic;
	uint64_t mtrr;
	uint64_t clock;
};

/* The one there is; all zero at first. */
extern struct fake_lodge fake;

/**
 * fake_memory() - what the newest VM was given as guest memory
 *
 * Return: where it is, or NULL: there is none.
 */
void *fake_memory(uint64_t gpa);

/**
 * fake_id() - which vCPU has this run page
 */
uint32_t fake_id(const struct lodge_run *run);

/**
 * fake_wait() - stay in LODGE_RUN until immediate_exit is set
 *
 * Return: -EINTR.
 */
int fake_wait(struct lodge_run *run);

/**
 * fake_out() - let the guest write to a port
 *
 * Return: 0, for LODGE_RUN.
 */
int fake_out(struct lodge_run *run, uint16_t port, uint8_t size,
	     uint32_t value);

/**
 * fake_in() - let the guest read a byte from a port; its answer is run->data[0]
 * at the next LODGE_RUN
 *
 * Return: 0, for LODGE_RUN.
 */
int fake_in(struct lodge_run *run, uint16_t port);

#endif
