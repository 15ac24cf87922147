/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The whole state of a vCPU that a guest can see, as one object.
 *
 * Its time stamp counter holds for one moment, which the caller gives as a value of
 * the host's time stamp counter.  If all vCPUs are read for the same moment, and
 * written for the same moment, their counters stay synchronous.
 */
#ifndef LODGE_MACHINE_CPU_STATE_H
#define LODGE_MACHINE_CPU_STATE_H

#include <stdint.h>

#include <lodge.h>

#include "board/record.h"

/**
 * struct cpu_state - the state of a vCPU
 * @regs: the inline groups
 * @lapic: group LAPIC
 * @nr_msrs: entries of @msrs
 * @msrs: the MSRs that are in no group
 * @nr_leaves: entries of @leaves
 * @leaves: CPUID
 * @xsave: group XSAVE
 * @xsave_size: bytes at @xsave
 */
struct cpu_state {
	struct lodge_regs regs;
	struct lodge_lapic lapic;
	uint32_t nr_msrs;
	struct lodge_msr_entry msrs[LODGE_MAX_MSRS];
	uint32_t nr_leaves;
	struct lodge_cpuid_entry leaves[LODGE_MAX_CPUID];
	uint8_t *xsave;
	uint32_t xsave_size;
};

/**
 * cpu_state_new() - make an empty state
 * @xsave_size: lodge_info.xsave_size
 *
 * Return: the state, or NULL if memory is short.
 */
struct cpu_state *cpu_state_new(uint32_t xsave_size);

/**
 * cpu_state_free() - free a state; NULL is fine
 */
void cpu_state_free(struct cpu_state *state);

/**
 * struct cpu_clock - how fast time stamp counters count
 * @host_khz: the host's; 0: unknown
 * @khz: the guest's; 0: unknown
 *
 * If one of them is unknown, they are the same.
 */
struct cpu_clock {
	uint32_t host_khz;
	uint32_t khz;
};

/**
 * cpu_clock_scale() - ticks of the host, of either sign, as ticks of the guest
 */
uint64_t cpu_clock_scale(const struct cpu_clock *clock, uint64_t ticks);

/**
 * cpu_state_get() - read the state, except CPUID, of a vCPU that does not run
 * @host_tsc: moment for which to compute its time stamp counter
 * @clock: how fast that counts
 *
 * Return: 0 or -errno.
 */
int cpu_state_get(int vcpu, struct cpu_state *state, uint64_t host_tsc,
		  const struct cpu_clock *clock);

/**
 * cpu_state_set() - write the state, except CPUID, to a vCPU that does not run
 * @host_tsc: moment for which the state's time stamp counter holds; not in the
 *	future
 *
 * Return: 0 or -errno.  On failure part of the state may have changed.
 */
int cpu_state_set(int vcpu, const struct cpu_state *state, uint64_t host_tsc);

/**
 * cpu_state_get_leaves() - read the CPUID of a vCPU in its reset state
 *
 * Later, some leaves depend on what the guest has enabled.
 *
 * Return: 0 or -errno.
 */
int cpu_state_get_leaves(int vcpu, struct cpu_state *state);

/**
 * cpu_state_get_reset() - read the state of a vCPU that has not run or been written to
 *
 * Return: 0 or -errno.
 */
int cpu_state_get_reset(int vcpu, struct cpu_state *state);

/**
 * cpu_state_set_leaves() - give a vCPU the state's CPUID, if it has another one
 * @own: the state of the vCPU after a reset with its present CPUID; updated
 *
 * Return: 0; -EBUSY the vCPU has run; -errno.
 */
int cpu_state_set_leaves(int vcpu, const struct cpu_state *state,
			 struct cpu_state *own);

/* Number of sections that cpu_state_save() makes. */
#define CPU_STATE_SECTIONS 2

/**
 * cpu_state_save() - append a state to a record of sections
 * @number: of the vCPU
 *
 * Return: 0 or -ENOMEM.
 */
int cpu_state_save(const struct cpu_state *state, uint32_t number,
		   struct record *record);

/**
 * cpu_state_load() - read a state from a record
 *
 * The kernel checks its values in cpu_state_set().
 *
 * Return: 0; -EINVAL the record has no such state, or it does not fit this host;
 * -ENOMEM.
 */
int cpu_state_load(struct cpu_state *state, uint32_t number,
		   const struct record *record);

/**
 * cpu_state_put_back() - read a state from where cpu_state_save() has saved it
 * @record: made in this process, of the same vCPU
 * @at: where it began; moved behind it
 *
 * Return: 0; -EINVAL it has saved something else.
 */
int cpu_state_put_back(struct cpu_state *state, const struct record *record,
		       size_t *at);

#endif
