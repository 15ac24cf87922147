// SPDX-License-Identifier: GPL-2.0
/*
 * Registers that no processor could hold, and bad arguments of LODGE_SET_STATE
 * and LODGE_GET_STATE: refused, with nothing changed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/client.h"
#include "runner.h"
#include "registers.h"

#include "kselftest_harness.h"

#include "state_fixture.h"

#define UNMAPPED 0x1000

TEST_F(state, unknown_groups_are_invalid)
{
	struct lodge_state state;

	for (int bit = 0; bit < 64; bit++) {
		if (LODGE_GROUPS_ALL >> bit & 1)
			continue;
		state = self->was.state;
		state.groups = 1ULL << bit;
		EXPECT_EQ(-EINVAL, lodge_state_set(self->vcpu, &state));
		EXPECT_EQ(-EINVAL, lodge_state_get(self->vcpu, &state));
	}
	EXPECT_EQ(NULL, snapshot_differs(&self->was, self->vcpu));
}

/* Return: true if a group is refused, alone and behind good ones. */
static bool refused(int vcpu, uint64_t group, const struct lodge_regs *bad)
{
	struct lodge_regs both = *bad;

	both.general.gpr[LODGE_RSI] = 0x1234;
	both.debug.dr[0] = 0x1234;
	return registers_set(vcpu, group, bad) == -EINVAL &&
	       registers_set(vcpu,
			     group | LODGE_GROUP_GENERAL | LODGE_GROUP_DEBUG,
			     &both) == -EINVAL;
}

#define EXPECT_REFUSED(group, bad, what)                                   \
	do {                                                               \
		EXPECT_TRUE(refused(self->vcpu, LODGE_GROUP_##group, bad)) \
		TH_LOG("%s", what);                                        \
		EXPECT_EQ(NULL, snapshot_differs(&self->was, self->vcpu))  \
		TH_LOG("%s: %s", what,                                     \
		       snapshot_differs(&self->was, self->vcpu));          \
	} while (0)

#define REFUSED(group, member, value)                              \
	do {                                                       \
		struct lodge_regs bad = *self->regs;               \
                                                                   \
		bad.member = (value);                              \
		EXPECT_REFUSED(group, &bad, #member " = " #value); \
	} while (0)

TEST_F(state, bad_general_registers_are_invalid)
{
	REFUSED(GENERAL, general.rflags, 1ULL << 22);
	REFUSED(GENERAL, general.rflags, 1ULL << 63);
}

TEST_F(state, bad_segments_are_invalid)
{
	REFUSED(SEGMENTS, segments.seg[LODGE_CS].attr, 0x1093);
	REFUSED(SEGMENTS, segments.seg[LODGE_TR].attr, 0x808b);
	REFUSED(SEGMENTS, segments.seg[LODGE_FS].base, NONCANONICAL);
	REFUSED(SEGMENTS, segments.seg[LODGE_GS].base, NONCANONICAL);
	REFUSED(SEGMENTS, segments.seg[LODGE_LDTR].base, NONCANONICAL);
	REFUSED(SEGMENTS, segments.seg[LODGE_TR].base, NONCANONICAL);
	REFUSED(SEGMENTS, segments.seg[LODGE_CS].base, 1ULL << 32);
	REFUSED(SEGMENTS, segments.seg[LODGE_SS].base, 1ULL << 32);
	REFUSED(SEGMENTS, segments.gdt.base, NONCANONICAL);
	REFUSED(SEGMENTS, segments.idt.base, ~NONCANONICAL);
	REFUSED(SEGMENTS, segments.gdt.limit, 0x10000);
	REFUSED(SEGMENTS, segments.idt.limit, 0x10000);
}

TEST_F(state, bad_control_registers_are_invalid)
{
	REFUSED(CONTROL, control.cr0, CR0_ET | 1ULL << 32);
	REFUSED(CONTROL, control.cr0, CR0_ET | 1ULL << 6);
	REFUSED(CONTROL, control.cr0, CR0_ET | CR0_NW);
	REFUSED(CONTROL, control.cr0, CR0_ET | CR0_PG);
	REFUSED(CONTROL, control.cr3, 1ULL << 52);
	REFUSED(CONTROL, control.cr3, 1ULL << 63);
	REFUSED(CONTROL, control.cr4, CR4_VMXE);
	REFUSED(CONTROL, control.cr4, 1ULL << 32);
	REFUSED(CONTROL, control.cr4, CR4_PCIDE);
	REFUSED(CONTROL, control.cr8, 16);
	REFUSED(CONTROL, control.cr8, 1ULL << 63);
	REFUSED(CONTROL, control.xcr0, 0);
	REFUSED(CONTROL, control.xcr0, 5);
	REFUSED(CONTROL, control.xcr0, 1 | 1ULL << 62);
	REFUSED(CONTROL, control.efer, EFER_SVME);
	REFUSED(CONTROL, control.efer, 1ULL << 63);
	REFUSED(CONTROL, control.efer, EFER_LMA);
	REFUSED(CONTROL, control.efer, EFER_LMA | EFER_LME);
	REFUSED(CONTROL, control.apic_base,
		0xfee00000 | APIC_BASE_BSP | APIC_BASE_ENABLE | 1);
	REFUSED(CONTROL, control.apic_base,
		1ULL << 52 | APIC_BASE_BSP | APIC_BASE_ENABLE);
	REFUSED(CONTROL, control.apic_base, 0xfee00000 | APIC_BASE_ENABLE);
}

TEST_F(state, control_registers_that_contradict_each_other_are_invalid)
{
	struct lodge_regs bad = *self->regs;

	bad.control.cr0 = CR0_PE | CR0_ET | CR0_PG;
	bad.control.efer = EFER_LME;
	bad.control.cr4 = CR4_PAE;
	EXPECT_REFUSED(CONTROL, &bad, "LME and PG without LMA");
	bad.control.efer = EFER_LME | EFER_LMA;
	bad.control.cr4 = 0;
	EXPECT_REFUSED(CONTROL, &bad, "long mode without PAE");
}

TEST_F(state, bad_debug_registers_are_invalid)
{
	REFUSED(DEBUG, debug.dr6, 1ULL << 32);
	REFUSED(DEBUG, debug.dr7, 1ULL << 32);
	REFUSED(DEBUG, debug.dr7, 1ULL << 63);
}

TEST_F(state, bad_msrs_are_invalid)
{
	REFUSED(MSRS, msrs.sfmask, 1ULL << 32);
	REFUSED(MSRS, msrs.lstar, NONCANONICAL);
	REFUSED(MSRS, msrs.cstar, ~NONCANONICAL);
	REFUSED(MSRS, msrs.kernel_gs_base, NONCANONICAL);
	REFUSED(MSRS, msrs.sysenter_esp, NONCANONICAL);
	REFUSED(MSRS, msrs.sysenter_eip, 1ULL << 63);
	REFUSED(MSRS, msrs.pat, 0x0007040600070402);
	REFUSED(MSRS, msrs.pat, 0x0807040600070406);
	REFUSED(MSRS, msrs.tsc_aux, 1ULL << 32);
	REFUSED(MSRS, msrs.spec_ctrl, 1ULL << 63);
	REFUSED(MSRS, msrs.misc_enable, 1ULL << 63);
	REFUSED(MSRS, msrs.mtrr_def_type, 2);
	REFUSED(MSRS, msrs.mtrr_def_type, 1ULL << 12);
	REFUSED(MSRS, msrs.reserved[0], 1);
	REFUSED(MSRS, msrs.reserved[5], 1ULL << 63);
}

TEST_F(state, bad_events_are_invalid)
{
	REFUSED(EVENTS, events.flags, LODGE_EVENT_ALL + 1);
	REFUSED(EVENTS, events.flags, 1U << 31);
	REFUSED(EVENTS, events.flags, LODGE_EVENT_NMI_LATCHED);
	REFUSED(EVENTS, events.mp_state, LODGE_MP_WAIT_SIPI + 1);
	REFUSED(EVENTS, events.reserved[0], 1);
	REFUSED(EVENTS, events.reserved[1], 1ULL << 63);
}

TEST_F(state, an_exception_that_is_none_is_invalid)
{
	struct lodge_regs bad = *self->regs;

	bad.events.flags = LODGE_EVENT_EXCEPTION;
	bad.events.exception = 2;
	EXPECT_REFUSED(EVENTS, &bad, "NMI");
	bad.events.exception = 32;
	EXPECT_REFUSED(EVENTS, &bad, "vector 32");
}

TEST_F(state, a_bad_local_apic_is_invalid)
{
	const struct {
		uint32_t offset, value;
	} bad[] = {
		{ APIC_ID, 1 << 24 },
		{ APIC_ID + 4, 1 },
		{ APIC_VERSION, 0 },
		{ APIC_TPR, 0x100 },
		{ APIC_LDR, 2 },
		{ APIC_SVR, 0x1000 },
		{ APIC_ISR, 1 << 3 },
		{ APIC_IRR, 1 << 15 },
		{ APIC_LVT_TIMER, 1 << 31 },
		{ APIC_DIVIDE, 4 },
		{ 0x00, 1 },
		{ 0x3f0, 1 },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct lodge_lapic lapic = self->was.lapic;
		struct lodge_state state = {
			.groups = LODGE_GROUP_LAPIC | LODGE_GROUP_GENERAL,
			.lapic = (uintptr_t)&lapic,
		};

		*lapic_word(&lapic, bad[i].offset) = bad[i].value;
		EXPECT_EQ(-EINVAL, lodge_state_set(self->vcpu, &state))
		TH_LOG("offset %x", bad[i].offset);
	}
	EXPECT_EQ(NULL, snapshot_differs(&self->was, self->vcpu));
}

TEST_F(state, a_bad_size_of_the_local_apic_is_told)
{
	static struct {
		struct lodge_lapic lapic;
		uint8_t behind[4096];
	} area;
	const struct {
		uint32_t size;
		int set, get;
	} bad[] = {
		{ 1, -EINVAL, -EINVAL },
		{ LODGE_LAPIC_FIRST_SIZE - 1, -EINVAL, -EINVAL },
		{ sizeof(struct lodge_lapic) + 8, -E2BIG, 0 },
		{ 4096, -E2BIG, 0 },
		{ 4097, -E2BIG, -E2BIG },
		{ ~0U, -E2BIG, -E2BIG },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct lodge_state state = self->was.state;

		state.lapic = (uintptr_t)&area;
		state.lapic_size = bad[i].size;
		area.lapic = self->was.lapic;
		area.behind[0] = 1;
		state.regs.general.rip = 0;
		EXPECT_EQ(bad[i].set, lodge_state_set(self->vcpu, &state))
		TH_LOG("size %u", bad[i].size);
		EXPECT_EQ(NULL, snapshot_differs(&self->was, self->vcpu));
		EXPECT_EQ(bad[i].get, lodge_state_get(self->vcpu, &state))
		TH_LOG("size %u", bad[i].size);
	}
}

TEST_F(state, what_no_apic_can_keep_to_itself_is_invalid)
{
	struct lodge_lapic lapic = self->was.lapic;

	lapic.eoi[0] = 1 << 15;
	EXPECT_EQ(-EINVAL, lapic_set(self->vcpu, &lapic));
	lapic = self->was.lapic;
	lapic.errors = 1 << 8;
	EXPECT_EQ(-EINVAL, lapic_set(self->vcpu, &lapic));
	lapic = self->was.lapic;
	lapic.ldr = 1;
	EXPECT_EQ(-EINVAL, lapic_set(self->vcpu, &lapic));
	EXPECT_EQ(NULL, snapshot_differs(&self->was, self->vcpu));
}

TEST_F(state, a_deadline_outside_its_timer_mode_is_invalid)
{
	struct lodge_lapic lapic = self->was.lapic;

	lapic.tsc_deadline = 1;
	EXPECT_EQ(-EINVAL, lapic_set(self->vcpu, &lapic));
	EXPECT_EQ(NULL, snapshot_differs(&self->was, self->vcpu));
}

TEST_F(state, a_bad_xsave_area_is_invalid)
{
	const struct {
		size_t offset;
		uint8_t value;
	} bad[] = {
		{ XSAVE_MXCSR + 3, 0x80 },
		{ XSAVE_BV + 7, 0x40 },
		{ XSAVE_COMPACT + 7, 0x80 },
		{ XSAVE_RESERVED, 1 },
	};
	uint8_t *area = malloc(self->xsave_size);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct lodge_state state = {
			.groups = LODGE_GROUP_XSAVE | LODGE_GROUP_GENERAL,
			.xsave = (uintptr_t)area,
			.xsave_size = self->xsave_size,
		};

		memcpy(area, self->was.xsave, self->xsave_size);
		area[XSAVE_BV] |= 3;
		memset(area + XSAVE_ST0, 0x77, 10);
		area[bad[i].offset] = bad[i].value;
		EXPECT_EQ(-EINVAL, lodge_state_set(self->vcpu, &state))
		TH_LOG("offset %zu", bad[i].offset);
	}
	free(area);
	EXPECT_EQ(NULL, snapshot_differs(&self->was, self->vcpu));
}

TEST_F(state, an_xsave_area_that_is_too_small_is_refused)
{
	uint8_t *area = malloc(self->xsave_size);

	memset(area, 0xee, self->xsave_size);
	EXPECT_EQ(-ENOSPC, xsave_get(self->vcpu, area, self->xsave_size - 1));
	EXPECT_EQ(-ENOSPC, xsave_get(self->vcpu, area, 0));
	EXPECT_EQ(0xee, area[0]);
	EXPECT_EQ(-EINVAL, xsave_set(self->vcpu, area, 575));
	EXPECT_EQ(-EINVAL, xsave_set(self->vcpu, area, 0));
	free(area);
	EXPECT_EQ(NULL, snapshot_differs(&self->was, self->vcpu));
}

TEST_F(state, a_bad_address_in_the_structure_is_a_fault)
{
	struct lodge_state state = self->was.state;

	memset(&state.regs.general, 0, sizeof(state.regs.general));
	state.xsave = UNMAPPED;
	EXPECT_EQ(-EFAULT, lodge_state_set(self->vcpu, &state));
	EXPECT_EQ(-EFAULT, lodge_state_get(self->vcpu, &state));
	state = self->was.state;
	memset(&state.regs.general, 0, sizeof(state.regs.general));
	memset(self->was.xsave + XSAVE_ST0, 0, 16);
	state.lapic = UNMAPPED;
	EXPECT_EQ(-EFAULT, lodge_state_set(self->vcpu, &state));
	EXPECT_EQ(-EFAULT, lodge_state_get(self->vcpu, &state));
	EXPECT_EQ(NULL, snapshot_differs(&self->was, self->vcpu));
}

TEST_HARNESS_MAIN
