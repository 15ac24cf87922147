/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All that a guest can notice of a vCPU, as one object.
 *
 * Its time stamp counter is that of a moment, which the caller gives as the host's
 * time stamp counter: vCPUs that are all read for one moment, and all written for
 * one, stay in step.
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
 * cpu_state_new() - make an empty one
 * @xsave_size: lodge_info.xsave_size
 *
 * Return: the state, or NULL: there is no memory.
 */
struct cpu_state *cpu_state_new(uint32_t xsave_size);

/**
 * cpu_state_free() - free it; NULL is fine
 */
void cpu_state_free(struct cpu_state *state);

/**
 * cpu_state_get() - read all but the CPUID of a vCPU that does not run
 * @host_tsc: moment for which to work out its time stamp counter
 *
 * Return: 0 or -errno.
 */
int cpu_state_get(int vcpu, struct cpu_state *state, uint64_t host_tsc);

/**
 * cpu_state_set() - give all but the CPUID to a vCPU that does not run
 * @host_tsc: moment at which its time stamp counter shows what the state says; not
 *	in the future
 *
 * Return: 0 or -errno; some of it may have changed then.
 */
int cpu_state_set(int vcpu, const struct cpu_state *state, uint64_t host_tsc);

/**
 * cpu_state_get_leaves() - read the CPUID of a vCPU in its reset state
 *
 * Later some leaves show what the guest has enabled.
 *
 * Return: 0 or -errno.
 */
int cpu_state_get_leaves(int vcpu, struct cpu_state *state);

/**
 * cpu_state_set_leaves() - give a vCPU this CPUID, unless it has it
 * @own: has the vCPU's CPUID, and gets the new one
 *
 * Return: 0; -EBUSY the vCPU has run; -errno.
 */
int cpu_state_set_leaves(int vcpu, const struct cpu_state *state,
			 struct cpu_state *own);

/* Sections that cpu_state_save() makes. */
#define CPU_STATE_SECTIONS 2

/**
 * cpu_state_save() - append it to a record of sections
 * @number: of the vCPU
 *
 * Return: 0 or -ENOMEM.
 */
int cpu_state_save(const struct cpu_state *state, uint32_t number,
		   struct record *record);

/**
 * cpu_state_load() - take it from a record
 *
 * cpu_state_set() checks its contents.
 *
 * Return: 0; -EINVAL there is none, or none for this host; -ENOMEM.
 */
int cpu_state_load(struct cpu_state *state, uint32_t number,
		   const struct record *record);

#endif
