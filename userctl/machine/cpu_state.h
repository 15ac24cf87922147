/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All that a guest can notice of a vCPU, as one object.
 */
#ifndef LODGE_MACHINE_CPU_STATE_H
#define LODGE_MACHINE_CPU_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include <lodge.h>

/**
 * struct cpu_state - the state of a vCPU
 * @regs: the inline groups
 * @lapic: group LAPIC
 * @xsave: group XSAVE, or NULL
 * @xsave_size: bytes at @xsave
 */
struct cpu_state {
	struct lodge_regs regs;
	struct lodge_lapic lapic;
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
 * cpu_state_get() - read a vCPU, which does not run
 *
 * Return: 0 or -errno.
 */
int cpu_state_get(int vcpu, struct cpu_state *state);

/**
 * cpu_state_set() - give a vCPU, which does not run, this state
 * @time: its time stamp counter, too
 *
 * Return: 0 or -errno; nothing has changed then.
 */
int cpu_state_set(int vcpu, const struct cpu_state *state, bool time);

#endif
