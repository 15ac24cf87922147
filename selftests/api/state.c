// SPDX-License-Identifier: GPL-2.0
/*
 * Register groups: what is set can be read back, and the run page carries groups
 * both ways.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/client.h"
#include "guest_cpuid.h"
#include "runner.h"
#include "registers.h"

#include "kselftest_harness.h"

#include "state_fixture.h"

/*
 * Reset
 */

TEST_F(state, a_new_vcpu_is_in_its_reset_state)
{
	struct lodge_state state = { .groups = LODGE_GROUPS_INLINE };
	struct lodge_run *run;
	int vcpu = lodge_vcpu_create(self->machine.vm, 3, &run);
	const struct lodge_regs *regs = &state.regs;

	ASSERT_LT(0, vcpu);
	ASSERT_EQ(0, lodge_state_get(vcpu, &state));
	EXPECT_EQ(0xfff0, regs->general.rip);
	EXPECT_EQ(2, regs->general.rflags);
	EXPECT_EQ(0xf000, regs->segments.seg[LODGE_CS].selector);
	EXPECT_EQ(0xffff0000, regs->segments.seg[LODGE_CS].base);
	EXPECT_EQ(0xffff, regs->segments.seg[LODGE_CS].limit);
	EXPECT_EQ(0x60000010, regs->control.cr0);
	EXPECT_EQ(0, regs->control.cr4);
	EXPECT_EQ(0, regs->control.efer);
	EXPECT_EQ(1, regs->control.xcr0);
	EXPECT_EQ(0xfee00000 | APIC_BASE_ENABLE, regs->control.apic_base);
	EXPECT_EQ(0xffff0ff0, regs->debug.dr6);
	EXPECT_EQ(0x400, regs->debug.dr7);
	EXPECT_EQ(0x0007040600070406, regs->msrs.pat);
	EXPECT_EQ(LODGE_MP_WAIT_SIPI, regs->events.mp_state);
}

TEST_F(state, only_the_first_vcpu_starts_by_itself)
{
	struct machine fresh;
	struct lodge_state state = { .groups = LODGE_GROUP_EVENTS |
					       LODGE_GROUP_CONTROL };

	ASSERT_EQ(0, machine_make(&fresh, 1));
	ASSERT_EQ(0, lodge_state_get(fresh.cpu[0].fd, &state));
	EXPECT_EQ(LODGE_MP_RUNNABLE, state.regs.events.mp_state);
	EXPECT_EQ(APIC_BASE_BSP, state.regs.control.apic_base & APIC_BASE_BSP);
	machine_end(&fresh);
}

/*
 * Round trips
 */

TEST_F(state, general_registers_can_be_read_back)
{
	struct lodge_regs regs = *self->regs, now;

	for (int i = 0; i < 16; i++)
		regs.general.gpr[i] = 0x0123456789abcdefULL * (i + 1);
	regs.general.rip = 0xfedcba9876543210;
	regs.general.rflags = 0x3f7fd7 & ~0x28ULL;
	ASSERT_EQ(0,
		  registers_swap(self->vcpu, LODGE_GROUP_GENERAL, &regs, &now));
	EXPECT_EQ(0, memcmp(&regs.general, &now.general, sizeof(now.general)));
}

TEST_F(state, bit_one_of_rflags_always_reads_as_one)
{
	struct lodge_regs regs = *self->regs, now;

	regs.general.rflags = 0;
	ASSERT_EQ(0,
		  registers_swap(self->vcpu, LODGE_GROUP_GENERAL, &regs, &now));
	EXPECT_EQ(2, now.general.rflags);
}

TEST_F(state, segments_can_be_read_back)
{
	struct lodge_regs regs = *self->regs, now;

	for (int i = 0; i < LODGE_NR_SEGS; i++)
		regs.segments.seg[i] = (struct lodge_segment){
			.base = 0x1000 * (i + 1),
			.limit = 0xfff + i,
			.selector = 8 * (i + 1),
			.attr = LODGE_SEG_P | (i + 1),
		};
	regs.segments.seg[LODGE_FS].base = 0xffff800012345678;
	regs.segments.seg[LODGE_GS].base = 0x00007fffffffffff;
	regs.segments.seg[LODGE_SS].attr |= LODGE_SEG_DPL;
	regs.segments.gdt.base = 0xffffffff80000000;
	regs.segments.gdt.limit = 0x7f;
	regs.segments.idt.base = 0x12345000;
	regs.segments.idt.limit = 0xfff;
	ASSERT_EQ(0, registers_swap(self->vcpu, LODGE_GROUP_SEGMENTS, &regs,
				    &now));
	for (int i = 0; i < LODGE_NR_SEGS; i++) {
		EXPECT_EQ(0, memcmp(&regs.segments.seg[i], &now.segments.seg[i],
				    sizeof(struct lodge_segment)))
		TH_LOG("segment %d", i);
	}
	EXPECT_EQ(regs.segments.gdt.base, now.segments.gdt.base);
	EXPECT_EQ(regs.segments.gdt.limit, now.segments.gdt.limit);
	EXPECT_EQ(regs.segments.idt.base, now.segments.idt.base);
	EXPECT_EQ(regs.segments.idt.limit, now.segments.idt.limit);
}

TEST_F(state, control_registers_can_be_read_back)
{
	struct lodge_regs regs = *self->regs, now;

	regs.control.cr0 = CR0_PE | CR0_ET | CR0_NE | CR0_PG | CR0_CD | CR0_NW;
	regs.control.cr2 = 0xfedcba9876543210;
	regs.control.cr3 = 0x12345000;
	regs.control.cr4 = CR4_PAE;
	regs.control.cr8 = 7;
	regs.control.efer = EFER_LME | EFER_LMA | EFER_NX | EFER_SCE;
	regs.control.apic_base = 0xfec12000 | APIC_BASE_BSP | APIC_BASE_ENABLE;
	ASSERT_EQ(0,
		  registers_swap(self->vcpu, LODGE_GROUP_CONTROL, &regs, &now));
	EXPECT_EQ(0, memcmp(&regs.control, &now.control, sizeof(now.control)));
}

TEST_F(state, debug_registers_can_be_read_back)
{
	struct lodge_regs regs = *self->regs, now;

	for (int i = 0; i < 4; i++)
		regs.debug.dr[i] = 0x123456780000ULL + i;
	regs.debug.dr6 = 0xffff4ff5;
	regs.debug.dr7 = 0xdeed07ff;
	ASSERT_EQ(0,
		  registers_swap(self->vcpu, LODGE_GROUP_DEBUG, &regs, &now));
	EXPECT_EQ(0, memcmp(&regs.debug, &now.debug, sizeof(now.debug)));
}

/* Without RDTSCP there is no TSC_AUX. */
static bool guest_has_rdtscp(int vcpu)
{
	return vcpu_cpuid(vcpu, 0x80000001, 0, 3) & (1U << 27);
}

TEST_F(state, msrs_can_be_read_back)
{
	struct lodge_regs regs = *self->regs, now;
	struct lodge_msrs *msrs = &regs.msrs;

	msrs->star = 0x0023001000000000;
	msrs->lstar = 0xffffffff81000000;
	msrs->cstar = 0xffff800000000000;
	msrs->sfmask = 0x47700;
	msrs->kernel_gs_base = 0x00007ffffffff000;
	msrs->sysenter_cs = 0x10;
	msrs->sysenter_esp = 0xffff888000001000;
	msrs->sysenter_eip = 0xffffffff81001000;
	msrs->pat = 0x0007010600070106;
	msrs->tsc_aux = guest_has_rdtscp(self->vcpu) ? 0x1234 : 0;
	msrs->mtrr_def_type = 0xc06;
	msrs->pv_system_time = 0x3001;
	msrs->pv_wall_clock = 0x4000;
	ASSERT_EQ(0, registers_swap(self->vcpu, LODGE_GROUP_MSRS, &regs, &now));
	msrs->tsc = now.msrs.tsc;
	msrs->host_tsc = now.msrs.host_tsc;
	EXPECT_EQ(0, memcmp(msrs, &now.msrs, sizeof(now.msrs)));
}

TEST_F(state, the_tsc_goes_on_from_what_it_is_set_to)
{
	struct lodge_regs regs = *self->regs, now, later;

	regs.msrs.tsc = 1ULL << 60;
	ASSERT_EQ(0,
		  registers_swap(self->vcpu, LODGE_GROUP_TSC | LODGE_GROUP_MSRS,
				 &regs, &now));
	EXPECT_LE(1ULL << 60, now.msrs.tsc);
	EXPECT_GT(1ULL << 61, now.msrs.tsc);
	regs.msrs.tsc = 0;
	ASSERT_EQ(0,
		  registers_swap(self->vcpu, LODGE_GROUP_MSRS, &regs, &later));
	EXPECT_LT(now.msrs.tsc, later.msrs.tsc);
}

TEST_F(state, the_tsc_is_set_for_the_time_of_the_host_that_is_named)
{
	struct lodge_regs regs = *self->regs, now;
	uint64_t ahead = regs.msrs.tsc - regs.msrs.host_tsc;

	regs.msrs.tsc += 1ULL << 40;
	ASSERT_EQ(0,
		  registers_swap(self->vcpu, LODGE_GROUP_TSC | LODGE_GROUP_MSRS,
				 &regs, &now));
	EXPECT_EQ(ahead + (1ULL << 40), now.msrs.tsc - now.msrs.host_tsc);
	EXPECT_LE(regs.msrs.host_tsc, now.msrs.host_tsc);
	EXPECT_EQ(regs.msrs.tsc_adjust, now.msrs.tsc_adjust);
}

TEST_F(state, vcpus_that_are_given_the_same_pair_are_in_step)
{
	struct lodge_regs regs = *self->regs, now[2];

	regs.msrs.tsc = 1ULL << 50;
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, registers_swap(self->machine.cpu[i].fd,
					    LODGE_GROUP_TSC, &regs, &now[i]));
		usleep(1000);
	}
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, registers_swap(self->machine.cpu[i].fd,
					    LODGE_GROUP_MSRS, &regs, &now[i]));
	EXPECT_EQ(now[0].msrs.tsc - now[0].msrs.host_tsc,
		  now[1].msrs.tsc - now[1].msrs.host_tsc);
}

/* A vector without its flag means nothing. */
static bool same_events(const struct lodge_events *a,
			const struct lodge_events *b)
{
	uint32_t flags = a->flags;

	return flags == b->flags && a->mp_state == b->mp_state &&
	       (!(flags & LODGE_EVENT_EXCEPTION) ||
		a->exception == b->exception) &&
	       (!(flags & LODGE_EVENT_ERROR_CODE) ||
		a->error_code == b->error_code) &&
	       (!(flags & LODGE_EVENT_INTERRUPT) ||
		a->interrupt == b->interrupt) &&
	       (!(flags & LODGE_EVENT_EXTINT) || a->extint == b->extint) &&
	       (!(flags & LODGE_EVENT_SIPI_PENDING) ||
		a->sipi_vector == b->sipi_vector) &&
	       !b->reserved[0] && !b->reserved[1];
}

TEST_F(state, events_can_be_read_back)
{
	const struct lodge_events cases[] = {
		{ .flags = 0, .mp_state = LODGE_MP_HALTED },
		{ .flags = 0, .mp_state = LODGE_MP_WAIT_SIPI },
		{ .flags = LODGE_EVENT_EXCEPTION | LODGE_EVENT_ERROR_CODE,
		  .exception = 13,
		  .error_code = 0x1234 },
		{ .flags = LODGE_EVENT_EXCEPTION, .exception = 6 },
		{ .flags = LODGE_EVENT_INTERRUPT, .interrupt = 0xfe },
		{ .flags = LODGE_EVENT_EXTINT, .extint = 0xfd },
		{ .flags = LODGE_EVENT_NMI_PENDING | LODGE_EVENT_NMI_BLOCKED },
		{ .flags = LODGE_EVENT_NMI_PENDING },
		{ .flags = LODGE_EVENT_NMI_PENDING | LODGE_EVENT_NMI_LATCHED },
		{ .flags = LODGE_EVENT_SHADOW },
		{ .flags = LODGE_EVENT_SHUTDOWN },
		{ .flags = LODGE_EVENT_INIT_PENDING },
		{ .flags = LODGE_EVENT_SIPI_PENDING,
		  .mp_state = LODGE_MP_WAIT_SIPI,
		  .sipi_vector = 0x9a },
		{ .flags = LODGE_EVENT_ALL,
		  .exception = 14,
		  .error_code = 2,
		  .interrupt = 0x31,
		  .extint = 0x32,
		  .sipi_vector = 1 },
		{ .flags = 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lodge_regs regs = { .events = cases[i] }, now;

		ASSERT_EQ(0, registers_swap(self->vcpu, LODGE_GROUP_EVENTS,
					    &regs, &now));
		EXPECT_TRUE(same_events(&cases[i], &now.events))
		TH_LOG("case %zu: flags %x", i, now.events.flags);
	}
}

static bool guest_has_ymm(int vcpu)
{
	return vcpu_cpuid(vcpu, 0xd, 0, 0) & 4;
}

TEST_F(state, xsave_can_be_read_back)
{
	uint8_t *given = self->was.xsave;
	uint8_t *now = calloc(1, self->xsave_size);
	size_t end = XSAVE_LEGACY_END;

	given[XSAVE_BV] |= 3;
	for (size_t i = XSAVE_ST0; i < XSAVE_LEGACY_END; i++)
		given[i] = (i - XSAVE_ST0) % 16 < 10 || i >= XSAVE_XMM0 ?
				   i * 7 :
				   0;
	if (guest_has_ymm(self->vcpu)) {
		given[XSAVE_BV] |= 4;
		end = XSAVE_YMM + 256;
		memset(given + XSAVE_YMM, 0x3c, 256);
	}
	memcpy(given + XSAVE_MXCSR, &(uint32_t){ 0x1f00 }, 4);
	ASSERT_EQ(0, xsave_set(self->vcpu, given, self->xsave_size));
	ASSERT_EQ(0, xsave_get(self->vcpu, now, self->xsave_size));
	EXPECT_EQ(0, memcmp(given, now, XSAVE_LEGACY_END));
	EXPECT_EQ(given[XSAVE_BV], now[XSAVE_BV] & given[XSAVE_BV]);
	EXPECT_EQ(0, memcmp(given + XSAVE_YMM, now + XSAVE_YMM,
			    end > XSAVE_YMM ? end - XSAVE_YMM : 0));
	free(now);
}

TEST_F(state, the_local_apic_can_be_read_back)
{
	struct lodge_lapic given = self->was.lapic, now;

	*lapic_word(&given, APIC_SVR) = 0x1fe;
	*lapic_word(&given, APIC_TPR) = 0x50;
	*lapic_word(&given, APIC_PPR) = 0x60;
	*lapic_word(&given, APIC_LDR) = 0x04000000;
	*lapic_word(&given, APIC_ISR + 0x30) = 1 << 5; /* vector 0x65 */
	*lapic_word(&given, APIC_IRR + 0x70) = 1 << 1; /* vector 0xe1 */
	*lapic_word(&given, APIC_LVT_TIMER) = 0x100f0;
	*lapic_word(&given, APIC_LINT0) = 0x700;
	*lapic_word(&given, APIC_DIVIDE) = 0xb;
	ASSERT_EQ(0, lapic_set(self->vcpu, &given));
	ASSERT_EQ(0, lapic_get(self->vcpu, &now));
	for (uint32_t reg = 0; reg < 1024; reg += 16) {
		EXPECT_EQ(*lapic_word(&given, reg), *lapic_word(&now, reg))
		TH_LOG("register %x", reg);
	}
	EXPECT_EQ(given.tsc_deadline, now.tsc_deadline);
}

/* Long enough not to end meanwhile: 100 s. */
#define LONG_NS 100000000000ULL
#define DIVIDE_BY_128 0xa

static void lapic_with_timer(struct lodge_lapic *lapic, uint32_t lvt)
{
	*lapic_word(lapic, APIC_SVR) = 0x1ff;
	*lapic_word(lapic, APIC_LVT_TIMER) = lvt;
	*lapic_word(lapic, APIC_DIVIDE) = DIVIDE_BY_128;
	*lapic_word(lapic, APIC_INITIAL) = LONG_NS / 128;
}

TEST_F(state, a_timer_goes_on_with_the_time_that_was_left)
{
	const uint32_t lvts[] = {
		0x00040, 0x10040, /* one-shot, masked */
		0x20040, 0x30040, /* periodic, masked */
	};
	struct lodge_lapic given = self->was.lapic, now;

	for (size_t i = 0; i < sizeof(lvts) / sizeof(*lvts); i++) {
		lapic_with_timer(&given, lvts[i]);
		given.timer_ns = LONG_NS / 2 + 77;
		ASSERT_EQ(0, lapic_set(self->vcpu, &given));
		ASSERT_EQ(0, lapic_get(self->vcpu, &now));
		EXPECT_LT(0, now.timer_ns);
		EXPECT_GE(given.timer_ns, now.timer_ns);
		EXPECT_EQ((now.timer_ns + 127) / 128,
			  *lapic_word(&now, APIC_CURRENT));
	}
}

TEST_F(state, a_timer_without_a_time_goes_on_with_its_count)
{
	struct lodge_lapic given = self->was.lapic, now;

	lapic_with_timer(&given, 0x10040);
	*lapic_word(&given, APIC_CURRENT) = LONG_NS / 128 / 4;
	ASSERT_EQ(0, lapic_set(self->vcpu, &given));
	ASSERT_EQ(0, lapic_get(self->vcpu, &now));
	EXPECT_LT(0, now.timer_ns);
	EXPECT_GE(LONG_NS / 4, now.timer_ns);
}

TEST_F(state, no_time_is_longer_than_the_initial_count_lasts)
{
	struct lodge_lapic given = self->was.lapic, now;

	lapic_with_timer(&given, 0x10040);
	given.timer_ns = ~0ULL;
	ASSERT_EQ(0, lapic_set(self->vcpu, &given));
	ASSERT_EQ(0, lapic_get(self->vcpu, &now));
	EXPECT_LT(LONG_NS / 2, now.timer_ns);
	EXPECT_GE(LONG_NS, now.timer_ns);
	/* A timer that counts nothing has nothing left. */
	*lapic_word(&given, APIC_INITIAL) = 0;
	ASSERT_EQ(0, lapic_set(self->vcpu, &given));
	ASSERT_EQ(0, lapic_get(self->vcpu, &now));
	EXPECT_EQ(0, now.timer_ns);
}

TEST_F(state, what_the_apics_page_does_not_show_can_be_read_back)
{
	struct lodge_regs regs = *self->regs;
	struct lodge_lapic given = self->was.lapic, now;

	if (!(vcpu_cpuid(self->vcpu, 1, 0, 2) & (1U << 21)))
		SKIP(return, "the guest's CPUID has no x2APIC");
	regs.control.apic_base |= APIC_BASE_ENABLE | APIC_BASE_X2APIC;
	ASSERT_EQ(0, registers_set(self->vcpu, LODGE_GROUP_CONTROL, &regs));
	*lapic_word(&given, APIC_ID) = 0;
	given.eoi[2] = 1 << 5 | 1 << 6;
	given.eoi[7] = 1U << 31;
	given.errors = 0x60;
	given.ldr = 0x04000000;
	ASSERT_EQ(0, lapic_set(self->vcpu, &given));
	ASSERT_EQ(0, lapic_get(self->vcpu, &now));
	EXPECT_EQ(0, memcmp(given.eoi, now.eoi, sizeof(now.eoi)));
	EXPECT_EQ(given.errors, now.errors);
	EXPECT_EQ(given.ldr, now.ldr);
}

TEST_F(state, the_first_version_of_the_local_apic_is_taken_and_given)
{
	struct {
		struct lodge_lapic lapic;
		uint8_t behind[64];
	} given, now;
	struct lodge_state state = {
		.groups = LODGE_GROUP_LAPIC,
		.lapic = (uintptr_t)&given,
	};

	memset(&given, 0xa5, sizeof(given));
	memset(&now, 0, sizeof(now));
	ASSERT_EQ(0, lodge_state_get(self->vcpu, &state));
	EXPECT_EQ(0xa5a5a5a5a5a5a5a5, given.lapic.timer_ns);
	EXPECT_EQ(0xa5a5a5a5, given.lapic.ldr);
	EXPECT_EQ(0, lodge_state_set(self->vcpu, &state));
	/* And one of a time to come. */
	state.lapic_size = sizeof(given);
	ASSERT_EQ(0, lodge_state_get(self->vcpu, &state));
	EXPECT_EQ(0, memcmp(given.behind, now.behind, sizeof(now.behind)));
	EXPECT_EQ(0, lodge_state_set(self->vcpu, &state));
}

/*
 * Exits that user space has still to hear of
 */

TEST_F(state, an_end_of_interrupt_that_was_not_told_yet_is_told)
{
	const uint32_t vectors[] = { 0xff, 0x46, 0x45 };
	struct lodge_lapic given = self->was.lapic;

	given.eoi[2] = 1 << 5 | 1 << 6;
	given.eoi[7] = 1U << 31;
	ASSERT_EQ(0, lapic_set(self->vcpu, &given));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, lodge_run(self->vcpu));
		ASSERT_EQ(LODGE_EXIT_EOI, self->run->reason);
		EXPECT_EQ(vectors[i], self->run->exit.eoi.vector);
	}
	ASSERT_EQ(0, lodge_run(self->vcpu));
	EXPECT_EQ(LODGE_EXIT_IO, self->run->reason);
}

TEST_F(state, a_triple_fault_that_was_not_told_yet_is_told)
{
	struct lodge_regs regs = *self->regs;

	regs.events.flags = LODGE_EVENT_SHUTDOWN;
	ASSERT_EQ(0, registers_set(self->vcpu, LODGE_GROUP_EVENTS, &regs));
	ASSERT_EQ(0, lodge_run(self->vcpu));
	EXPECT_EQ(LODGE_EXIT_SHUTDOWN, self->run->reason);
}

TEST_F(state, groups_that_are_not_named_are_left_alone)
{
	struct lodge_state state = self->was.state;

	memset(&state.regs, 0xff, sizeof(state.regs));
	state.groups = 0;
	state.xsave = state.lapic = 0;
	EXPECT_EQ(0, lodge_state_set(self->vcpu, &state));
	EXPECT_EQ(NULL, snapshot_differs(&self->was, self->vcpu));
	EXPECT_EQ(0, lodge_state_get(self->vcpu, &state));
	EXPECT_EQ(~0ULL, state.regs.general.rip);
	EXPECT_EQ(~0ULL, state.regs.msrs.reserved[5]);
}

TEST_F(state, all_groups_can_be_given_back_at_once)
{
	EXPECT_EQ(0, lodge_state_set(self->vcpu, &self->was.state));
	EXPECT_EQ(NULL, snapshot_differs(&self->was, self->vcpu));
}

/*
 * The run page
 */

TEST_F(state, the_run_page_loads_registers_before_the_entry)
{
	struct lodge_run *run = self->run;

	run->regs = *self->regs;
	run->regs.general.rip += 2; /* beyond the load of AL */
	run->regs.general.gpr[LODGE_RAX] = 0x33;
	run->load = LODGE_GROUP_GENERAL | LODGE_GROUP_SEGMENTS;
	ASSERT_EQ(0, lodge_run(self->vcpu));
	EXPECT_EQ(0, run->load);
	EXPECT_EQ(LODGE_EXIT_IO, run->reason);
	EXPECT_EQ(0x33, run->data[0]);
}

TEST_F(state, the_run_page_saves_registers_at_the_exit)
{
	struct lodge_state state = { .groups = LODGE_GROUPS_INLINE };

	memset(&self->run->regs, 0xa5, sizeof(self->run->regs));
	self->run->save = LODGE_GROUPS_INLINE;
	ASSERT_EQ(0, lodge_run(self->vcpu));
	ASSERT_EQ(0, lodge_state_get(self->vcpu, &state));
	state.regs.msrs.tsc = self->run->regs.msrs.tsc;
	state.regs.msrs.host_tsc = self->run->regs.msrs.host_tsc;
	EXPECT_EQ(0, memcmp(&state.regs, &self->run->regs, sizeof(state.regs)));
	EXPECT_EQ(GUEST_PORT_DATA,
		  self->run->regs.general.gpr[LODGE_RAX] & 0xff);
}

TEST_F(state, the_run_page_keeps_what_is_not_saved)
{
	memset(&self->run->regs, 0xa5, sizeof(self->run->regs));
	self->run->save = LODGE_GROUP_GENERAL;
	ASSERT_EQ(0, lodge_run(self->vcpu));
	EXPECT_NE(0xa5a5a5a5a5a5a5a5, self->run->regs.general.rip);
	EXPECT_EQ(0xa5a5a5a5a5a5a5a5, self->run->regs.control.cr0);
	EXPECT_EQ(0xa5a5a5a5a5a5a5a5, self->run->regs.msrs.tsc);
	EXPECT_EQ(0xa5a5a5a5, self->run->regs.events.flags);
}

TEST_F(state, registers_are_saved_when_a_run_is_interrupted)
{
	self->run->save = LODGE_GROUP_GENERAL;
	self->run->immediate_exit = 1;
	ASSERT_EQ(-EINTR, lodge_run(self->vcpu));
	EXPECT_EQ(self->regs->general.rip, self->run->regs.general.rip);
}

TEST_F(state, a_second_vcpu_has_registers_of_its_own)
{
	struct lodge_regs regs = *self->regs, now;
	struct lodge_state other = { .groups = LODGE_GROUP_GENERAL };

	regs.general.gpr[LODGE_R15] = 0x1515;
	ASSERT_EQ(0,
		  registers_swap(self->vcpu, LODGE_GROUP_GENERAL, &regs, &now));
	ASSERT_EQ(0, lodge_state_get(self->machine.cpu[1].fd, &other));
	EXPECT_EQ(0, other.regs.general.gpr[LODGE_R15]);
}

TEST_HARNESS_MAIN
