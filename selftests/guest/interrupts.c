// SPDX-License-Identifier: GPL-2.0
/*
 * External interrupts and NMI: when they are taken, what holds them back, and
 * what wakes a halted vCPU.
 */
#include <errno.h>
#include <string.h>

#include "kselftest_harness.h"

#include "guest.h"

#define PIC_VECTOR 0x30
#define DR6_BS (1 << 14)

FIXTURE(interrupt)
{
	struct machine m;
	struct guest_cpu *cpu;
	struct lodge_run *run;
};

/* As firmware leaves the boot processor: LINT0 is the PIC's. */
static int wire_pic(struct guest_cpu *cpu)
{
	struct lodge_lapic lapic;
	struct lodge_state state = {
		.groups = LODGE_GROUP_LAPIC,
		.lapic = (uintptr_t)&lapic,
		.lapic_size = sizeof(struct lodge_lapic),
	};
	const uint32_t spurious = 0x1ff, extint = 0x700;
	int error = lodge_state_get(cpu->fd, &state);

	memcpy(lapic.regs + 0xf0, &spurious, sizeof(spurious));
	memcpy(lapic.regs + 0x350, &extint, sizeof(extint));
	return error ? error : lodge_state_set(cpu->fd, &state);
}

FIXTURE_SETUP(interrupt)
{
	machine_create(&self->m, 1);
	self->cpu = &self->m.cpu[0];
	self->run = self->cpu->run;
	ASSERT_EQ(0, wire_pic(self->cpu));
}

FIXTURE_TEARDOWN(interrupt)
{
}

/* The event's RIP, from the code's start. */
static uint64_t offset(const struct guest_event *event)
{
	return event->rip - GUEST_CODE_BASE;
}

CODE(closed_then_open, 64,
     "nop; out %al, $0x80; sti; inc %eax; inc %eax;"
     "inc %eax;" DONE);

TEST_F(interrupt, the_pics_is_taken_one_instruction_after_sti)
{
	struct guest_event event;

	cpu_start(self->cpu, LONG64, closed_then_open);
	ASSERT_EQ(0, lodge_extint(self->cpu->fd, PIC_VECTOR));
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	ASSERT_TRUE(cpu_raises(self->cpu, PIC_VECTOR, &event));
	EXPECT_EQ(1, *cpu_gpr(self->cpu, LODGE_RAX));
	EXPECT_EQ(6, offset(&event));
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(3, *cpu_gpr(self->cpu, LODGE_RAX));
}

TEST_F(interrupt, a_second_one_of_the_pic_has_to_wait)
{
	cpu_start(self->cpu, LONG64, closed_then_open);
	ASSERT_EQ(0, lodge_extint(self->cpu->fd, PIC_VECTOR));
	EXPECT_EQ(-EBUSY, lodge_extint(self->cpu->fd, PIC_VECTOR + 1));
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	ASSERT_TRUE(cpu_raises(self->cpu, PIC_VECTOR, NULL));
	EXPECT_EQ(0, lodge_extint(self->cpu->fd, PIC_VECTOR + 1));
}

CODE(popf_opens, 64, "out %al, $0x80; push $0x202; popf; inc %eax;" DONE);

TEST_F(interrupt, popf_casts_no_shadow)
{
	struct guest_event event;

	cpu_start(self->cpu, LONG64, popf_opens);
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	ASSERT_EQ(0, lodge_extint(self->cpu->fd, PIC_VECTOR));
	ASSERT_TRUE(cpu_raises(self->cpu, PIC_VECTOR, &event));
	EXPECT_EQ(0, *cpu_gpr(self->cpu, LODGE_RAX));
}

CODE(shadowed_exit, 64, "sti; out %al, $0x80; inc %eax;" DONE);

TEST_F(interrupt, an_emulated_instruction_ends_the_shadow)
{
	struct guest_event event;

	cpu_start(self->cpu, LONG64, shadowed_exit);
	ASSERT_EQ(0, lodge_extint(self->cpu->fd, PIC_VECTOR));
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	EXPECT_EQ(0, self->run->regs.events.flags & LODGE_EVENT_SHADOW);
	ASSERT_TRUE(cpu_raises(self->cpu, PIC_VECTOR, &event));
	EXPECT_EQ(3, offset(&event));
}

TEST_F(interrupt, a_window_that_is_asked_for_opens_with_the_flag)
{
	cpu_start(self->cpu, LONG64, closed_then_open);
	self->run->request_window = 1;
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	EXPECT_EQ(0, self->run->window_open);
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_WINDOW));
	EXPECT_EQ(1, self->run->window_open);
	EXPECT_EQ(1, *cpu_gpr(self->cpu, LODGE_RAX));
	self->run->request_window = 0;
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(3, *cpu_gpr(self->cpu, LODGE_RAX));
}

CODE(pin_masked, 64,
     "mov $0xfee00000, %ebx; movl $0x1ff, 0xf0(%rbx);"
     "movl $0x10700, 0x350(%rbx); out %al, $0x80; sti; nop; nop;"
     "out %al, $0x81; movl $0x700, 0x350(%rbx); nop;" DONE);

TEST_F(interrupt, the_pics_waits_while_lint0_is_masked)
{
	cpu_start(self->cpu, LONG64, pin_masked);
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	self->run->request_window = 1;
	ASSERT_TRUE(cpu_writes(self->cpu, 0x81));
	EXPECT_EQ(0, self->run->window_open);
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_WINDOW));
	self->run->request_window = 0;
	ASSERT_EQ(0, lodge_extint(self->cpu->fd, PIC_VECTOR));
	ASSERT_TRUE(cpu_raises(self->cpu, PIC_VECTOR, NULL));
}

CODE(halt_open, 64, "sti; hlt; mov $7, %ebx;" DONE);

TEST_F(interrupt, ends_a_halt_and_returns_behind_it)
{
	struct guest_event event;

	cpu_start(self->cpu, LONG64, halt_open);
	self->run->regs.general.rip += 2;
	self->run->regs.general.rflags |= X86_FLAGS_IF;
	self->run->regs.events.mp_state = LODGE_MP_HALTED;
	self->run->regs.events.flags = LODGE_EVENT_EXTINT;
	self->run->regs.events.extint = PIC_VECTOR;
	self->run->load |= LODGE_GROUP_EVENTS;
	ASSERT_TRUE(cpu_raises(self->cpu, PIC_VECTOR, &event));
	EXPECT_EQ(2, offset(&event));
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(7, *cpu_gpr(self->cpu, LODGE_RBX));
}

TEST_F(interrupt, ends_a_halt_that_has_lasted)
{
	struct lodge_state state = { .groups = LODGE_GROUP_EVENTS };

	cpu_start(self->cpu, LONG64, halt_open);
	self->run->immediate_exit = 0;
	cpu_run_aside(self->cpu);
	ASSERT_EQ(0, lodge_extint(self->cpu->fd, PIC_VECTOR));
	ASSERT_EQ(LODGE_EXIT_IO, cpu_join(self->cpu));
	EXPECT_EQ(EVENT_PORT, self->run->exit.io.port);
	ASSERT_EQ(0, lodge_state_get(self->cpu->fd, &state));
	EXPECT_EQ(LODGE_MP_RUNNABLE, state.regs.events.mp_state);
}

TEST_F(interrupt, a_halt_asks_for_the_window_when_it_is_wanted)
{
	cpu_start(self->cpu, LONG64, halt_open);
	self->run->request_window = 1;
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_WINDOW));
	EXPECT_EQ(GUEST_CODE_BASE + 2, self->run->regs.general.rip);
}

CODE(halt_closed, 64, "cli; hlt; mov $7, %ebx;" DONE);

TEST_F(interrupt, a_halt_with_interrupts_off_ends_by_nmi_alone)
{
	struct guest_event event;

	cpu_start(self->cpu, LONG64, halt_closed);
	self->run->regs.events.mp_state = LODGE_MP_HALTED;
	self->run->regs.events.flags = LODGE_EVENT_INTERRUPT;
	self->run->regs.events.interrupt = PIC_VECTOR;
	self->run->regs.general.rip += 2;
	self->run->load |= LODGE_GROUP_EVENTS;
	self->run->immediate_exit = 1;
	ASSERT_EQ(-EINTR, lodge_run(self->cpu->fd));
	EXPECT_EQ(LODGE_MP_HALTED, self->run->regs.events.mp_state);
	self->run->immediate_exit = 0;
	ASSERT_EQ(0, lodge_nmi(self->cpu->fd));
	ASSERT_TRUE(cpu_raises(self->cpu, NMI, &event));
	EXPECT_EQ(2, offset(&event));
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(7, *cpu_gpr(self->cpu, LODGE_RBX));
	EXPECT_TRUE(self->run->regs.events.flags & LODGE_EVENT_INTERRUPT);
}

TEST_F(interrupt, an_nmi_loses_no_interrupt_that_waits)
{
	cpu_start(self->cpu, LONG64, closed_then_open);
	self->run->regs.events.flags = LODGE_EVENT_INTERRUPT |
				       LODGE_EVENT_NMI_PENDING;
	self->run->regs.events.interrupt = PIC_VECTOR;
	self->run->load |= LODGE_GROUP_EVENTS;
	ASSERT_TRUE(cpu_raises(self->cpu, NMI, NULL));
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	ASSERT_TRUE(cpu_raises(self->cpu, PIC_VECTOR, NULL));
}

TEST_F(interrupt, an_interrupted_halt_goes_on_halting)
{
	struct guest_event event;

	cpu_start(self->cpu, LONG64, halt_closed);
	self->run->regs.events.mp_state = LODGE_MP_HALTED;
	self->run->load |= LODGE_GROUP_EVENTS;
	self->run->regs.general.rip += 2;
	self->run->immediate_exit = 1;
	ASSERT_EQ(-EINTR, lodge_run(self->cpu->fd));
	EXPECT_EQ(LODGE_MP_HALTED, self->run->regs.events.mp_state);
	self->run->immediate_exit = 0;
	ASSERT_EQ(0, lodge_nmi(self->cpu->fd));
	ASSERT_TRUE(cpu_raises(self->cpu, NMI, &event));
	EXPECT_EQ(2, offset(&event));
}

CODE(counts, 64, "1: inc %eax; out %al, $0x80; jmp 1b;");

TEST_F(interrupt, nmi_is_taken_with_interrupts_off)
{
	ASSERT_TRUE(cpu_unblock_nmis(self->cpu));
	cpu_start(self->cpu, LONG64, counts);
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	ASSERT_EQ(0, lodge_nmi(self->cpu->fd));
	ASSERT_TRUE(cpu_raises(self->cpu, NMI, NULL));
	EXPECT_TRUE(self->run->regs.events.flags & LODGE_EVENT_NMI_BLOCKED);
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	EXPECT_FALSE(self->run->regs.events.flags & LODGE_EVENT_NMI_BLOCKED);
}

TEST_F(interrupt, a_second_nmi_is_latched_until_the_handlers_iret)
{
	struct guest_event first, second;

	ASSERT_TRUE(cpu_unblock_nmis(self->cpu));
	cpu_start(self->cpu, LONG64, counts);
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	ASSERT_EQ(0, lodge_nmi(self->cpu->fd));
	ASSERT_TRUE(cpu_raises(self->cpu, NMI, &first));
	ASSERT_EQ(0, lodge_nmi(self->cpu->fd));
	ASSERT_TRUE(cpu_raises(self->cpu, NMI, &second));
	/* Right after the IRET, on the same stack. */
	EXPECT_EQ(first.rip, second.rip);
	EXPECT_EQ(first.rflags, second.rflags);
	EXPECT_EQ(1, *cpu_gpr(self->cpu, LODGE_RAX));
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	EXPECT_EQ(2, *cpu_gpr(self->cpu, LODGE_RAX));
}

TEST_F(interrupt, what_a_guest_has_in_dr6_outlives_its_nmis)
{
	ASSERT_TRUE(cpu_unblock_nmis(self->cpu));
	cpu_start(self->cpu, LONG64, counts);
	self->run->regs.debug.dr6 |= DR6_BS;
	self->run->load |= LODGE_GROUP_DEBUG;
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	ASSERT_EQ(0, lodge_nmi(self->cpu->fd));
	ASSERT_TRUE(cpu_raises(self->cpu, NMI, NULL));
	ASSERT_EQ(0, lodge_nmi(self->cpu->fd));
	ASSERT_TRUE(cpu_raises(self->cpu, NMI, NULL));
	EXPECT_TRUE(self->run->regs.debug.dr6 & DR6_BS);
}

TEST_F(interrupt, any_number_of_nmis_in_the_handler_is_one)
{
	ASSERT_TRUE(cpu_unblock_nmis(self->cpu));
	cpu_start(self->cpu, LONG64, counts);
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	ASSERT_EQ(0, lodge_nmi(self->cpu->fd));
	ASSERT_TRUE(cpu_raises(self->cpu, NMI, NULL));
	for (int i = 0; i < 5; i++)
		ASSERT_EQ(0, lodge_nmi(self->cpu->fd));
	ASSERT_TRUE(cpu_raises(self->cpu, NMI, NULL));
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	EXPECT_EQ(2, *cpu_gpr(self->cpu, LODGE_RAX));
}

TEST_F(interrupt, nmi_comes_before_the_pics)
{
	struct guest_event event;

	cpu_start(self->cpu, LONG64, closed_then_open);
	self->run->regs.general.rflags |= X86_FLAGS_IF;
	ASSERT_EQ(0, lodge_extint(self->cpu->fd, PIC_VECTOR));
	ASSERT_EQ(0, lodge_nmi(self->cpu->fd));
	ASSERT_TRUE(cpu_raises(self->cpu, NMI, &event));
	EXPECT_EQ(0, offset(&event));
	ASSERT_TRUE(cpu_raises(self->cpu, PIC_VECTOR, &event));
	EXPECT_EQ(0, offset(&event));
}

CODE(nmi_handler, 64, "nop; out %al, $0x80; mov $1, %ebx; cpuid; iretq;");

TEST_F(interrupt, a_handler_with_exits_stays_blocked_until_its_iret)
{
	struct guest_event event;

	cpu_start(self->cpu, LONG64, counts);
	machine_gate(&self->m, LONG64, NMI, 0x18000, 0);
	memcpy(self->m.memory + 0x18000, nmi_handler.start,
	       nmi_handler.end - nmi_handler.start);
	ASSERT_EQ(0, lodge_nmi(self->cpu->fd));
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	EXPECT_EQ(0x18003, self->run->regs.general.rip);
	ASSERT_EQ(0, lodge_nmi(self->cpu->fd));
	machine_gate(&self->m, LONG64, NMI, GUEST_STUB64 + NMI * 16, 0);
	ASSERT_TRUE(cpu_raises(self->cpu, NMI, &event));
	EXPECT_EQ(0, offset(&event));
}

TEST_F(interrupt, a_blocked_nmi_set_by_the_caller_waits_for_an_iret)
{
	cpu_start(self->cpu, LONG64, counts);
	self->run->regs.events.flags = LODGE_EVENT_NMI_BLOCKED |
				       LODGE_EVENT_NMI_PENDING;
	self->run->load |= LODGE_GROUP_EVENTS;
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	EXPECT_TRUE(self->run->regs.events.flags & LODGE_EVENT_NMI_BLOCKED);
	EXPECT_TRUE(self->run->regs.events.flags & LODGE_EVENT_NMI_PENDING);
}

CODE(real_halt, 16, "sti; 1: hlt; jmp 1b;");

TEST_F(interrupt, real_mode_takes_the_pics_out_of_a_halt)
{
	uint16_t vector;

	cpu_start(self->cpu, REAL16, real_halt);
	cpu_run_aside(self->cpu);
	ASSERT_EQ(0, lodge_extint(self->cpu->fd, 8));
	ASSERT_EQ(LODGE_EXIT_IO, cpu_join(self->cpu));
	vector = *(uint16_t *)(self->m.memory + 0x30000 +
			       *cpu_gpr(self->cpu, LODGE_RSP));
	EXPECT_EQ(8, vector);
}

TEST_F(interrupt, a_caller_sees_one_that_is_not_yet_delivered)
{
	struct lodge_state state = { .groups = LODGE_GROUP_EVENTS };

	ASSERT_EQ(0, lodge_extint(self->cpu->fd, 0x44));
	ASSERT_EQ(0, lodge_state_get(self->cpu->fd, &state));
	EXPECT_EQ(LODGE_EVENT_EXTINT, state.regs.events.flags);
	EXPECT_EQ(0x44, state.regs.events.extint);
}

TEST_HARNESS_MAIN
