// SPDX-License-Identifier: GPL-2.0
/*
 * Sets the processors up for an image, as firmware does.
 */
#include "machine/firmware.h"

#include <stdint.h>
#include <string.h>

#include "lib/client.h"

/* Registers of the local APIC (Intel SDM vol. 3, section 11.4.1). */
#define LAPIC_SVR 0x0f0
#define LAPIC_LVT_LINT0 0x350
#define LAPIC_LVT_LINT1 0x360

#define SVR_ENABLED 0x100
#define SVR_VECTOR 0x0ff
#define LVT_NMI 0x400
#define LVT_EXTINT 0x700

/* MSR MTRR_DEF_TYPE (AMD APM vol. 2, section 7.7.2). */
#define MTRR_ENABLED 0x800
#define MTRR_WRITE_BACK 6

static void put32(struct lodge_lapic *lapic, unsigned int offset,
		  uint32_t value)
{
	memcpy(&lapic->regs[offset], &value, sizeof(value));
}

int firmware_leave(int vcpu, const struct boot_entry *entry)
{
	struct lodge_lapic lapic;
	struct lodge_state state = {
		.groups = LODGE_GROUP_LAPIC,
		.lapic = (uintptr_t)&lapic,
		.lapic_size = sizeof(struct lodge_lapic),
	};
	int err = lodge_state_get(vcpu, &state);

	if (err)
		return err;
	put32(&lapic, LAPIC_SVR, SVR_ENABLED | SVR_VECTOR);
	put32(&lapic, LAPIC_LVT_LINT0, LVT_EXTINT);
	put32(&lapic, LAPIC_LVT_LINT1, LVT_NMI);
	state.groups |= entry->groups;
	state.regs = entry->regs;
	return lodge_state_set(vcpu, &state);
}

int firmware_cache(int vcpu)
{
	struct lodge_state state = { .groups = LODGE_GROUP_MSRS };
	int err = lodge_state_get(vcpu, &state);

	if (err)
		return err;
	state.regs.msrs.mtrr_def_type = MTRR_ENABLED | MTRR_WRITE_BACK;
	return lodge_state_set(vcpu, &state);
}
