// SPDX-License-Identifier: GPL-2.0
/*
 * A vCPU's registers, whole and by group: see registers.h.
 */
#include "registers.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/client.h"

int snapshot_take(struct snapshot *snapshot, int vcpu, uint32_t xsave_size)
{
	snapshot->xsave = calloc(1, xsave_size);
	if (!snapshot->xsave)
		return -ENOMEM;
	snapshot->state = (struct lodge_state){
		.groups = LODGE_GROUPS_ALL,
		.xsave = (uintptr_t)snapshot->xsave,
		.xsave_size = xsave_size,
		.lapic = (uintptr_t)&snapshot->lapic,
		.lapic_size = sizeof(struct lodge_lapic),
	};
	return lodge_state_get(vcpu, &snapshot->state);
}

void snapshot_free(struct snapshot *snapshot)
{
	free(snapshot->xsave);
}

static const char *regs_differ(const struct lodge_regs *a,
			       const struct lodge_regs *b)
{
	if (memcmp(&a->general, &b->general, sizeof(a->general)))
		return "GENERAL";
	if (memcmp(&a->segments, &b->segments, sizeof(a->segments)))
		return "SEGMENTS";
	if (memcmp(&a->control, &b->control, sizeof(a->control)))
		return "CONTROL";
	if (memcmp(&a->debug, &b->debug, sizeof(a->debug)))
		return "DEBUG";
	if (memcmp(&a->msrs, &b->msrs, sizeof(a->msrs)))
		return "MSRS";
	if (memcmp(&a->events, &b->events, sizeof(a->events)))
		return "EVENTS";
	return NULL;
}

const char *snapshot_differs(const struct snapshot *before, int vcpu)
{
	uint32_t size = before->state.xsave_size;
	struct snapshot now = {};
	const char *difference = NULL;

	if (snapshot_take(&now, vcpu, size))
		difference = "cannot be read";
	now.state.regs.msrs.tsc = before->state.regs.msrs.tsc;
	now.state.regs.msrs.host_tsc = before->state.regs.msrs.host_tsc;
	if (!difference)
		difference = regs_differ(&before->state.regs, &now.state.regs);
	if (!difference && memcmp(before->xsave, now.xsave, size))
		difference = "XSAVE";
	if (!difference &&
	    memcmp(&before->lapic, &now.lapic, sizeof(now.lapic)))
		difference = "LAPIC";
	snapshot_free(&now);
	return difference;
}

int registers_set(int vcpu, uint64_t groups, const struct lodge_regs *regs)
{
	const struct lodge_state state = { .groups = groups, .regs = *regs };

	return lodge_state_set(vcpu, &state);
}

int registers_swap(int vcpu, uint64_t groups, const struct lodge_regs *regs,
		   struct lodge_regs *now)
{
	struct lodge_state state = { .groups = groups };
	int error = registers_set(vcpu, groups, regs);

	memset(&state.regs, 0xa5, sizeof(state.regs));
	if (!error)
		error = lodge_state_get(vcpu, &state);
	*now = state.regs;
	return error;
}

int xsave_get(int vcpu, uint8_t *area, uint32_t size)
{
	struct lodge_state state = {
		.groups = LODGE_GROUP_XSAVE,
		.xsave = (uintptr_t)area,
		.xsave_size = size,
	};

	return lodge_state_get(vcpu, &state);
}

int xsave_set(int vcpu, const uint8_t *area, uint32_t size)
{
	const struct lodge_state state = {
		.groups = LODGE_GROUP_XSAVE,
		.xsave = (uintptr_t)area,
		.xsave_size = size,
	};

	return lodge_state_set(vcpu, &state);
}

int lapic_get(int vcpu, struct lodge_lapic *lapic)
{
	struct lodge_state state = {
		.groups = LODGE_GROUP_LAPIC,
		.lapic = (uintptr_t)lapic,
		.lapic_size = sizeof(struct lodge_lapic),
	};

	return lodge_state_get(vcpu, &state);
}

int lapic_set(int vcpu, const struct lodge_lapic *lapic)
{
	const struct lodge_state state = {
		.groups = LODGE_GROUP_LAPIC,
		.lapic = (uintptr_t)lapic,
		.lapic_size = sizeof(struct lodge_lapic),
	};

	return lodge_state_set(vcpu, &state);
}
