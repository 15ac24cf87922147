// SPDX-License-Identifier: GPL-2.0
/*
 * The whole state of a vCPU that a guest can see, as one object.
 */
#include "machine/cpu_state.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/client.h"

#define REGS_SECTION "cpu"
#define XSAVE_SECTION "cpu-xsave"

struct cpu_state *cpu_state_new(uint32_t xsave_size)
{
	struct cpu_state *state = calloc(1, sizeof(*state));

	if (!state)
		return NULL;
	state->xsave_size = xsave_size;
	state->xsave = calloc(1, xsave_size ? xsave_size : 1);
	if (!state->xsave) {
		free(state);
		return NULL;
	}
	return state;
}

void cpu_state_free(struct cpu_state *state)
{
	if (!state)
		return;
	free(state->xsave);
	free(state);
}

static struct lodge_state call_of(const struct cpu_state *state)
{
	return (struct lodge_state){
		.groups = LODGE_GROUPS_ALL,
		.xsave = (uintptr_t)state->xsave,
		.xsave_size = state->xsave_size,
		.lapic_size = sizeof(state->lapic),
		.lapic = (uintptr_t)&state->lapic,
	};
}

uint64_t cpu_clock_scale(const struct cpu_clock *clock, uint64_t ticks)
{
	__int128 scaled = (int64_t)ticks;

	if (!clock->host_khz || !clock->khz || clock->khz == clock->host_khz)
		return ticks;
	return (uint64_t)(scaled * clock->khz / clock->host_khz);
}

int cpu_state_get(int vcpu, struct cpu_state *state, uint64_t host_tsc,
		  const struct cpu_clock *clock)
{
	struct lodge_state call = call_of(state);
	int err;

	call.groups &= ~LODGE_GROUP_TSC;
	err = lodge_state_get(vcpu, &call);
	if (err)
		return err;
	state->regs = call.regs;
	state->regs.msrs.tsc +=
		cpu_clock_scale(clock, host_tsc - state->regs.msrs.host_tsc);
	state->regs.msrs.host_tsc = 0;
	state->nr_msrs = LODGE_MAX_MSRS;
	return lodge_msr_list(vcpu, state->msrs, &state->nr_msrs);
}

int cpu_state_get_reset(int vcpu, struct cpu_state *state)
{
	/* The counter of a reset processor is 0, whatever its rate. */
	const struct cpu_clock any = { 0 };
	int err = cpu_state_get(vcpu, state, 0, &any);

	if (!err)
		err = cpu_state_get_leaves(vcpu, state);
	if (err)
		return err;
	state->regs.msrs.tsc = 0;
	/* The processor's signature; the kernel set it by the leaves of before. */
	for (uint32_t i = 0; i < state->nr_leaves; i++)
		if (state->leaves[i].leaf == 1)
			state->regs.general.gpr[LODGE_RDX] =
				state->leaves[i].eax;
	return 0;
}

int cpu_state_get_leaves(int vcpu, struct cpu_state *state)
{
	state->nr_leaves = LODGE_MAX_CPUID;
	return lodge_cpuid_get(vcpu, state->leaves, &state->nr_leaves);
}

int cpu_state_set_leaves(int vcpu, const struct cpu_state *state,
			 struct cpu_state *own)
{
	size_t size = state->nr_leaves * sizeof(state->leaves[0]);
	int err;

	if (state->nr_leaves == own->nr_leaves &&
	    !memcmp(state->leaves, own->leaves, size))
		return 0;
	err = lodge_cpuid_set(vcpu, state->leaves, state->nr_leaves);
	if (err)
		return err;
	err = cpu_state_get_reset(vcpu, own);
	/* Some leaves are not read as they were given: the next call compares these. */
	memcpy(own->leaves, state->leaves, size);
	own->nr_leaves = state->nr_leaves;
	return err;
}

int cpu_state_set(int vcpu, const struct cpu_state *state, uint64_t host_tsc)
{
	struct lodge_state call = call_of(state);
	int err;

	call.regs = state->regs;
	call.regs.msrs.host_tsc = host_tsc;
	err = lodge_state_set(vcpu, &call);
	if (!err)
		err = lodge_msr_set(vcpu, state->msrs, state->nr_msrs);
	return err;
}

static const struct record_field fields[] = {
	RECORD_ANY(1, struct cpu_state, regs.general),
	RECORD_ANY(2, struct cpu_state, regs.segments),
	RECORD_ANY(3, struct cpu_state, regs.control),
	RECORD_ANY(4, struct cpu_state, regs.debug),
	RECORD_ANY(5, struct cpu_state, regs.msrs),
	RECORD_ANY(6, struct cpu_state, regs.events),
	RECORD_ANY(7, struct cpu_state, lapic),
	RECORD_ANY(8, struct cpu_state, nr_msrs),
	RECORD_ANY(9, struct cpu_state, msrs),
	RECORD_ANY(10, struct cpu_state, nr_leaves),
	RECORD_ANY(11, struct cpu_state, leaves),
};

#define COUNT (sizeof(fields) / sizeof(fields[0]))

static bool is_sound(const void *opaque)
{
	const struct cpu_state *state = opaque;

	return state->nr_msrs <= LODGE_MAX_MSRS &&
	       state->nr_leaves <= LODGE_MAX_CPUID;
}

int cpu_state_save(const struct cpu_state *state, uint32_t number,
		   struct record *record)
{
	size_t place;
	int err = record_open(record, REGS_SECTION, number, &place);

	if (!err)
		err = record_save(record, fields, COUNT, state);
	if (err)
		return err;
	record_close(record, place);
	err = record_open(record, XSAVE_SECTION, number, &place);
	if (!err)
		err = record_append(record, state->xsave, state->xsave_size);
	if (!err)
		record_close(record, place);
	return err;
}

int cpu_state_load(struct cpu_state *state, uint32_t number,
		   const struct record *record)
{
	struct record_section section;
	int err = record_find(record, REGS_SECTION, number, &section);

	if (!err)
		err = record_load(&section.body, fields, COUNT, state,
				  sizeof(*state), is_sound);
	if (!err)
		err = record_find(record, XSAVE_SECTION, number, &section);
	if (err)
		return err;
	/* A processor with fewer components has a shorter area. */
	if (section.body.size > state->xsave_size)
		return -EINVAL;
	memset(state->xsave, 0, state->xsave_size);
	memcpy(state->xsave, section.body.data, section.body.size);
	return 0;
}

int cpu_state_put_back(struct cpu_state *state, const struct record *record,
		       size_t *at)
{
	struct record_section section;
	int err = record_next(record, at, &section);

	if (!err)
		err = record_put_back(&section.body, fields, COUNT, state);
	if (!err)
		err = record_next(record, at, &section);
	if (err || section.body.size != state->xsave_size)
		return -EINVAL;
	memcpy(state->xsave, section.body.data, section.body.size);
	return 0;
}
