// SPDX-License-Identifier: GPL-2.0
/*
 * All that a guest can notice of a vCPU, as one object.
 */
#include "machine/cpu_state.h"

#include <stdlib.h>

#include "lib/client.h"

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
		.groups = LODGE_GROUPS_ALL & ~LODGE_GROUP_TSC,
		.xsave = (uintptr_t)state->xsave,
		.xsave_size = state->xsave_size,
		.lapic = (uintptr_t)&state->lapic,
	};
}

int cpu_state_get(int vcpu, struct cpu_state *state)
{
	struct lodge_state call = call_of(state);
	int err = lodge_state_get(vcpu, &call);

	state->regs = call.regs;
	return err;
}

int cpu_state_set(int vcpu, const struct cpu_state *state, bool time)
{
	struct lodge_state call = call_of(state);

	call.regs = state->regs;
	if (time)
		call.groups |= LODGE_GROUP_TSC;
	return lodge_state_set(vcpu, &call);
}
