/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The calls of lib/client.h without a kernel; the linker takes them in place of the
 * real ones.
 */
#ifndef LODGE_UNIT_FAKE_LODGE_H
#define LODGE_UNIT_FAKE_LODGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <lodge.h>

#define FAKE_LOG_SIZE 64
/* Pages of the largest slot that can have a dirty log. */
#define FAKE_LOG_PAGES 4096

/**
 * struct fake_lodge - the answers of the calls, and a record of them
 * @run: stands for the guest: called for a LODGE_RUN of vCPU 0; other vCPUs, and
 *	vCPU 0 if it is NULL, wait until they are kicked
 * @all: @run is called for all vCPUs
 * @status: answer of LODGE_GET_INFO
 * @tsc_khz: the same
 * @tsc_rate: the rate that the guest's counters were given last
 * @tsc_rate_max: the most that they can have; 0: the module does not know the call
 * @fail_call: number, from 1, of the call that fails with -ENOMEM
 * @vm_error: error of LODGE_CREATE_VM, or 0
 * @name: name of the last VM, or NULL
 * @vcpu_error: error of LODGE_CREATE_VCPU, or 0
 * @calls: number of calls so far that can fail
 * @vms: number of VMs made
 * @vcpus: number of vCPUs that exist
 * @resets: number of times that vCPU 0 was given a whole state
 * @extint_busy: number of LODGE_EXTINT that answer -EBUSY first
 * @msi_error: answer of LODGE_SEND_MSI
 * @nr_msis: number of messages sent; @msis has the first of them
 * @nr_extints: number of vectors delivered; @extints has the first of them
 * @state: inline groups last set on vCPU 0, and read by LODGE_GET_STATE
 * @lapic: the same for the local APIC
 * @mtrr: the same for the one MSR that is in no group
 * @clock: the VM's clock
 * @logs: number of dirty logs
 * @rewritten: the first pages of each slot, as bits, that are in the log at each look
 * @holds: number of LODGE_HOLD
 * @held: number of those that LODGE_RELEASE has not taken back: LODGE_RUN fails meanwhile
 */
struct fake_lodge {
	int (*run)(struct lodge_run *run);
	bool all;
	enum lodge_status status;
	uint32_t tsc_khz;
	uint32_t tsc_rate;
	uint32_t tsc_rate_max;
	int fail_call;
	int vm_error;
	const char *name;
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
	int logs;
	uint64_t rewritten;
	atomic_int holds;
	atomic_int held;
};

/* The only one; all zero at first. */
extern struct fake_lodge fake;

/**
 * fake_memory() - get guest memory of the newest VM
 *
 * Return: its address, or NULL if no slot has @gpa.
 */
void *fake_memory(uint64_t gpa);

/**
 * fake_write() - write a byte of guest memory as the guest does: a dirty log has the page
 */
void fake_write(uint64_t gpa, uint8_t value);

/**
 * fake_id() - get the number of the vCPU that has this run page
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
 * fake_in() - let the guest read a byte from a port; run->data[0] has the answer at
 * the next LODGE_RUN
 *
 * Return: 0, for LODGE_RUN.
 */
int fake_in(struct lodge_run *run, uint16_t port);

#endif
