// SPDX-License-Identifier: GPL-2.0
/*
 * The local APIC: registers by MMIO and MSR, its timer, its priorities, and
 * messages between vCPUs and from devices.
 *
 * No test measures time: a timer that does not fire ends by the harness's alarm.
 */
#include <errno.h>
#include <string.h>

#include "kselftest_harness.h"

#include "waiting.h"
#include "guest.h"

#define VECTOR 0x41
/* Of a lower class: without an EOI it does not hold VECTOR back. */
#define WAKE_VECTOR 0x31

/* RBX is the register page; the APIC is switched on. */
#define XAPIC "mov $0xfee00000, %ebx; movl $0x1ff, 0xf0(%rbx);"
/* Into x2APIC mode; then X2(register, value) writes. */
#define X2APIC \
	"mov $0x1b, %ecx; rdmsr; or $0xc00, %eax; wrmsr;" X2(0x80f, 0x1ff)
#define X2(index, value) \
	"mov $" #index ", %ecx; mov $" #value ", %eax; xor %edx, %edx; wrmsr;"
#define EOI "movl $0, 0xb0(%rbx);"

FIXTURE(lapic)
{
	struct machine m;
	struct guest_cpu *cpu;
	struct guest_cpu *second;
};

FIXTURE_SETUP(lapic)
{
	machine_create(&self->m, 2);
	self->cpu = &self->m.cpu[0];
	self->second = &self->m.cpu[1];
}

FIXTURE_TEARDOWN(lapic)
{
}

CODE(identity, 64,
     XAPIC "mov 0x20(%rbx), %esi; mov 0x30(%rbx), %edi;"
	   "mov 0x350(%rbx), %edx; mov 0xe0(%rbx), %ecx;" DONE);

TEST_F(lapic, xapic_registers_are_read_by_mmio)
{
	cpu_start(self->second, LONG64, identity);
	ASSERT_TRUE(cpu_done(self->second));
	EXPECT_EQ(1 << 24, *cpu_gpr(self->second, LODGE_RSI));
	EXPECT_LE(0x10, *cpu_gpr(self->second, LODGE_RDI) & 0xff);
	EXPECT_EQ(0x10000, *cpu_gpr(self->second, LODGE_RDX));
	EXPECT_EQ(0xffffffff, *cpu_gpr(self->second, LODGE_RCX));
}

CODE(identity_x2, 64,
     X2APIC "mov $0x802, %ecx; rdmsr; mov %eax, %esi; mov $0x80d, %ecx;"
	    "rdmsr; mov %eax, %edi; mov $0x1b, %ecx; rdmsr;" DONE);

TEST_F(lapic, x2apic_registers_are_read_by_msr)
{
	cpu_start(self->second, LONG64, identity_x2);
	ASSERT_TRUE(cpu_done(self->second));
	EXPECT_EQ(1, *cpu_gpr(self->second, LODGE_RSI));
	EXPECT_EQ(2, *cpu_gpr(self->second, LODGE_RDI));
	EXPECT_EQ(0xfee00c00, *cpu_gpr(self->second, LODGE_RAX));
}

CODE(x2_page, 64, X2APIC "mov 0xfee00020, %eax;" DONE);

TEST_F(lapic, in_x2apic_mode_the_page_is_no_longer_the_apics)
{
	cpu_start(self->cpu, LONG64, x2_page);
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_MMIO));
	EXPECT_EQ(0xfee00020, self->cpu->run->exit.mmio.gpa);
}

CODE(moved, 64,
     "mov $0x1b, %ecx; rdmsr; and $0xfff, %eax; or $0xd0000000, %eax; wrmsr;"
     "mov $0xd0000000, %ebx; mov 0x30(%rbx), %esi;" DONE);

TEST_F(lapic, the_page_moves_with_its_base)
{
	cpu_start(self->cpu, LONG64, moved);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_LE(0x10, *cpu_gpr(self->cpu, LODGE_RSI) & 0xff);
}

/*
 * Timers, with a divisor of 1.  The interrupt may come before the HLT (an
 * emulated processor forgets STI's shadow when it is interrupted in it), so
 * nothing is made to hang on what is behind it.
 */
CODE(one_shot, 64,
     XAPIC "movl $0xb, 0x3e0(%rbx); movl $0x41, 0x320(%rbx);"
	   "movl $1000000, 0x380(%rbx); sti; 1: hlt; jmp 1b;");

static struct lodge_lapic lapic_of(struct guest_cpu *cpu)
{
	struct lodge_lapic lapic = { .tsc_deadline = ~0ULL };
	struct lodge_state state = {
		.groups = LODGE_GROUP_LAPIC,
		.lapic = (uintptr_t)&lapic,
		.lapic_size = sizeof(struct lodge_lapic),
	};

	lodge_state_get(cpu->fd, &state);
	return lapic;
}

TEST_F(lapic, a_one_shot_timer_interrupts_and_has_counted_to_zero)
{
	struct lodge_lapic lapic;

	cpu_start(self->cpu, LONG64, one_shot);
	ASSERT_TRUE(cpu_raises(self->cpu, VECTOR, NULL));
	lapic = lapic_of(self->cpu);
	EXPECT_EQ(0, *(uint32_t *)(lapic.regs + 0x390));
	EXPECT_EQ(1000000, *(uint32_t *)(lapic.regs + 0x380));
}

extern const char periodic_handler[];

CODE(periodic, 64,
     XAPIC "movl $0xb, 0x3e0(%rbx); movl $0x20041, 0x320(%rbx);"
	   "movl $1000000, 0x380(%rbx); sti; 1: hlt; jmp 1b;"
	   "periodic_handler:" EOI "out %al, $0x80; iretq;");

TEST_F(lapic, a_periodic_timer_interrupts_again_and_again)
{
	unsigned int i;

	cpu_start(self->cpu, LONG64, periodic);
	machine_gate(&self->m, LONG64, VECTOR,
		     GUEST_CODE_BASE + (periodic_handler - periodic.start), 0);
	for (i = 0; i < 4; i++)
		ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
}

CODE(rests, 64,
     XAPIC "movl $0xb, 0x3e0(%rbx); movl $0x30041, 0x320(%rbx);"
	   "movl $200000, 0x380(%rbx); mov $3, %ecx;"
	   "1: mov 0x390(%rbx), %esi; 2: mov 0x390(%rbx), %edi;"
	   "cmp %edi, %esi; mov %edi, %esi; jae 2b; dec %ecx; jnz 2b;"
	   "mov 0x220(%rbx), %r8d; movl $0x20041, 0x320(%rbx); sti;"
	   "3: hlt; jmp 3b;");

TEST_F(lapic, a_periodic_timer_interrupts_again_once_it_is_unmasked)
{
	cpu_start(self->cpu, LONG64, rests);
	ASSERT_TRUE(cpu_raises(self->cpu, VECTOR, NULL));
	EXPECT_EQ(0, *cpu_gpr(self->cpu, LODGE_R8));
}

CODE(deadline, 64,
     XAPIC "movl $0x40041, 0x320(%rbx); mfence; rdtsc; add $1000000, %eax;"
	   "adc $0, %edx; mov $0x6e0, %ecx; wrmsr; sti; 1: hlt; jmp 1b;");

TEST_F(lapic, a_tsc_deadline_interrupts_and_is_then_zero)
{
	cpu_start(self->cpu, LONG64, deadline);
	ASSERT_TRUE(cpu_raises(self->cpu, VECTOR, NULL));
	EXPECT_EQ(0, lapic_of(self->cpu).tsc_deadline);
}

/* R8 ticks from now on. */
#define DEADLINE_IN_R8                                                 \
	"movl $0x40041, 0x320(%rbx); mfence; rdtsc; shl $32, %rdx;"    \
	"add %rdx, %rax; add %rax, %r8; mov %r8, %rax; mov %r8, %rdx;" \
	"shr $32, %rdx; mov $0x6e0, %ecx; wrmsr;"

CODE(deadline_spins, 64,
     XAPIC "mov $1000000, %r8d;" DEADLINE_IN_R8 "sti; 1: jmp 1b;");

TEST_F(lapic, a_deadline_interrupts_a_guest_that_spins)
{
	cpu_start(self->cpu, LONG64, deadline_spins);
	ASSERT_TRUE(cpu_raises(self->cpu, VECTOR, NULL));
	EXPECT_EQ(0, lapic_of(self->cpu).tsc_deadline);
}

CODE(deadline_leaves, 64,
     XAPIC "mov $100000, %r8d;" DEADLINE_IN_R8
	   "out %al, $0x80; sti; nop; nop;" DONE);

TEST_F(lapic, a_deadline_that_comes_outside_the_guest_waits_as_a_request)
{
	struct lodge_lapic lapic;

	cpu_start(self->cpu, LONG64, deadline_leaves);
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	do
		lapic = lapic_of(self->cpu);
	while (lapic.tsc_deadline);
	EXPECT_EQ(1U << (VECTOR % 32),
		  *(uint32_t *)(lapic.regs + 0x200 + VECTOR / 32 * 16));
	ASSERT_TRUE(cpu_raises(self->cpu, VECTOR, NULL));
	ASSERT_TRUE(cpu_done(self->cpu));
}

extern const char counting_handler[], wake_handler[];

/* Once the interrupt has come, it goes on for a while. */
CODE(deadline_sleeps, 64,
     XAPIC "mov $10000000, %r8d;" DEADLINE_IN_R8
	   "sti; hlt; movl $1, 0x50008; 1: cmpl $0, 0x50000; je 1b;"
	   "mov $1000000, %ecx; 1: loop 1b;" DONE
	   "counting_handler: lock incq 0x50000;"
	   "wake_handler:" EOI "iretq;");

/* By the host's timer, or by the processor's; but not by both. */
TEST_F(lapic, a_deadline_that_comes_after_a_sleep_interrupts_once)
{
	const char *start = deadline_sleeps.start;

	cpu_start(self->cpu, LONG64, deadline_sleeps);
	machine_gate(&self->m, LONG64, VECTOR,
		     GUEST_CODE_BASE + (counting_handler - start), 0);
	machine_gate(&self->m, LONG64, WAKE_VECTOR,
		     GUEST_CODE_BASE + (wake_handler - start), 0);
	cpu_run_aside(self->cpu);
	/* One that comes before the HLT does not end it. */
	EXPECT_TRUE(EVENTUALLY(machine_msi(&self->m, 0, WAKE_VECTOR) == 0 &&
			       SEEN(machine_u64(&self->m, GUEST_DATA)[1])));
	ASSERT_EQ(LODGE_EXIT_IO, cpu_join(self->cpu));
	EXPECT_EQ(DONE_PORT, self->cpu->run->exit.io.port);
	EXPECT_EQ(1, *machine_u64(&self->m, GUEST_DATA));
}

extern const char moves_handler[];

/* The interrupt that woke it has left the host's timer armed for that deadline. */
CODE(deadline_moves, 64,
     XAPIC "mov $1, %r8; shl $40, %r8;" DEADLINE_IN_R8
	   "sti; hlt; lock incq 0x50000; sub $1000000, %r8;"
	   "mov %r8, %rax; mov %r8, %rdx; shr $32, %rdx; mov $0x10, %ecx;"
	   "wrmsr; 1: hlt; jmp 1b;"
	   "moves_handler:" EOI "iretq;");

TEST_F(lapic, a_deadline_comes_nearer_when_the_guest_sets_its_tsc_forward)
{
	cpu_start(self->cpu, LONG64, deadline_moves);
	machine_gate(&self->m, LONG64, WAKE_VECTOR,
		     GUEST_CODE_BASE + (moves_handler - deadline_moves.start),
		     0);
	cpu_run_aside(self->cpu);
	/* One that comes before the HLT does not end it. */
	EXPECT_TRUE(EVENTUALLY(machine_msi(&self->m, 0, WAKE_VECTOR) == 0 &&
			       SEEN(*machine_u64(&self->m, GUEST_DATA)) == 1));
	ASSERT_EQ(LODGE_EXIT_IO, cpu_join(self->cpu));
	EXPECT_EQ(EVENT_PORT, self->cpu->run->exit.io.port);
	EXPECT_EQ(VECTOR,
		  *machine_u64(&self->m, *cpu_gpr(self->cpu, LODGE_RSP)));
}

CODE(past, 64,
     XAPIC "movl $0x40041, 0x320(%rbx); mov $0x6e0, %ecx;"
	   "mov $1, %eax; xor %edx, %edx; wrmsr; sti; nop; nop;");

TEST_F(lapic, a_deadline_in_the_past_interrupts_at_once)
{
	cpu_start(self->cpu, LONG64, past);
	ASSERT_TRUE(cpu_raises(self->cpu, VECTOR, NULL));
}

CODE(x2_timer, 64,
     X2APIC X2(0x83e, 0xb) X2(0x832, 0x41)
	     X2(0x838, 1000000) "sti; 1: hlt; jmp 1b;");

TEST_F(lapic, the_timer_is_the_same_by_x2apic)
{
	cpu_start(self->cpu, LONG64, x2_timer);
	ASSERT_TRUE(cpu_raises(self->cpu, VECTOR, NULL));
}

CODE(masked, 64,
     XAPIC "movl $0xb, 0x3e0(%rbx); movl $0x10041, 0x320(%rbx);"
	   "movl $1, 0x380(%rbx); 1: mov 0x390(%rbx), %esi; test %esi, %esi;"
	   "jnz 1b; sti; nop; nop; mov 0x220(%rbx), %edi;" DONE);

TEST_F(lapic, a_masked_timer_counts_but_does_not_interrupt)
{
	cpu_start(self->cpu, LONG64, masked);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0, *cpu_gpr(self->cpu, LODGE_RDI));
}

CODE(self_ipi, 64,
     XAPIC "movl $0x40041, 0x300(%rbx); mov 0x220(%rbx), %esi;"
	   "sti; nop; mov 0x120(%rbx), %edi;" EOI
	   "mov 0x120(%rbx), %ecx;" DONE);

TEST_F(lapic, an_ipi_to_oneself_goes_from_request_to_service_to_end)
{
	cpu_start(self->cpu, LONG64, self_ipi);
	ASSERT_TRUE(cpu_raises(self->cpu, VECTOR, NULL));
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(2, *cpu_gpr(self->cpu, LODGE_RSI));
	EXPECT_EQ(2, *cpu_gpr(self->cpu, LODGE_RDI));
	EXPECT_EQ(0, *cpu_gpr(self->cpu, LODGE_RCX));
}

CODE(self_x2, 64, X2APIC X2(0x83f, 0x41) "sti; nop; nop;");

TEST_F(lapic, x2apic_has_a_register_for_ipis_to_oneself)
{
	cpu_start(self->cpu, LONG64, self_x2);
	ASSERT_TRUE(cpu_raises(self->cpu, VECTOR, NULL));
}

CODE(priorities, 64,
     XAPIC "movl $0x40051, 0x300(%rbx); movl $0x40061, 0x300(%rbx); sti; nop;"
	   "cli;" EOI "sti; nop; nop;" DONE);

TEST_F(lapic, the_higher_vector_comes_first_and_holds_back_the_lower)
{
	cpu_start(self->cpu, LONG64, priorities);
	ASSERT_TRUE(cpu_raises(self->cpu, 0x61, NULL));
	ASSERT_TRUE(cpu_raises(self->cpu, 0x51, NULL));
}

CODE(blocked, 64,
     XAPIC "movl $0x50, 0x80(%rbx); movl $0x40051, 0x300(%rbx); sti; nop; nop;"
	   "out %al, $0x80; mov $3, %eax; mov %rax, %cr8; nop; nop;" DONE);

TEST_F(lapic, a_task_priority_holds_interrupts_back_until_cr8_lowers_it)
{
	cpu_start(self->cpu, LONG64, blocked);
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	EXPECT_EQ(5, self->cpu->run->regs.control.cr8);
	ASSERT_TRUE(cpu_raises(self->cpu, 0x51, NULL));
	EXPECT_EQ(3, self->cpu->run->regs.control.cr8);
}

CODE(cr8_tpr, 64,
     XAPIC "mov $7, %eax; mov %rax, %cr8; mov 0x80(%rbx), %esi;"
	   "movl $0x35, 0x80(%rbx); mov %cr8, %rdi;"
	   "mov 0xa0(%rbx), %ecx;" DONE);

TEST_F(lapic, cr8_and_the_task_priority_register_are_one)
{
	cpu_start(self->cpu, LONG64, cr8_tpr);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0x70, *cpu_gpr(self->cpu, LODGE_RSI));
	EXPECT_EQ(3, *cpu_gpr(self->cpu, LODGE_RDI));
	EXPECT_EQ(0x35, *cpu_gpr(self->cpu, LODGE_RCX));
}

/* Waits for messages. */
CODE(waits, 64, XAPIC "sti; 1: hlt; jmp 1b;");
CODE(ends, 64, XAPIC "sti; 1: pause;" EOI "jmp 1b;");

TEST_F(lapic, a_message_of_a_device_wakes_its_destination)
{
	cpu_start(self->second, LONG64, waits);
	cpu_run_aside(self->second);
	/* Until it has switched its APIC on there is nobody to take it. */
	while (machine_msi(&self->m, 1, VECTOR))
		usleep(1000);
	ASSERT_EQ(LODGE_EXIT_IO, cpu_join(self->second));
	EXPECT_EQ(EVENT_PORT, self->second->run->exit.io.port);
}

TEST_F(lapic, a_message_to_nobody_is_refused)
{
	EXPECT_EQ(-ENXIO, machine_msi(&self->m, 9, VECTOR));
}

TEST_F(lapic, the_end_of_a_level_triggered_message_is_told_with_its_vector)
{
	cpu_start(self->cpu, LONG64, ends);
	cpu_run_aside(self->cpu);
	while (machine_msi(&self->m, 0, VECTOR | 0xc000))
		usleep(1000);
	ASSERT_EQ(LODGE_EXIT_IO, cpu_join(self->cpu));
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_EOI));
	EXPECT_EQ(VECTOR, self->cpu->run->exit.eoi.vector);
}

/* The sender's code: R12 goes to ICR2, R13 to ICR. */
CODE(sends, 64,
     XAPIC "movl $0x01000000, 0xd0(%rbx); mov %r12d, 0x310(%rbx);"
	   "mov %r13d, 0x300(%rbx);" DONE);
CODE(receives, 64,
     XAPIC "movl $0x02000000, 0xd0(%rbx); out %al, $0x80;"
	   "sti; 1: hlt; jmp 1b;");

/* IPIs that reach the second vCPU. */
FIXTURE(ipi)
{
	struct machine m;
};

FIXTURE_VARIANT(ipi)
{
	uint32_t icr;
	uint32_t icr2;
};

FIXTURE_SETUP(ipi)
{
	machine_create(&self->m, 2);
}

FIXTURE_TEARDOWN(ipi)
{
}

#define IPI(name, high, low)             \
	FIXTURE_VARIANT_ADD(ipi, name)   \
	{                                \
		.icr2 = high, .icr = low \
	}

IPI(physical, 1 << 24, 0x4041);
IPI(physical_broadcast, 0xff000000, 0x4041);
IPI(logical, 2 << 24, 0x4841);
IPI(logical_to_several, 3 << 24, 0x4841);
IPI(all_including_self, 0, 0x84041);
IPI(all_but_self, 0, 0xc4041);
IPI(lowest_priority, 2 << 24, 0x4941);
IPI(nmi, 1 << 24, 0x4400);

TEST_F(ipi, reaches_the_other_vcpu)
{
	struct guest_cpu *from = &self->m.cpu[0], *to = &self->m.cpu[1];
	unsigned int vector = variant->icr & 0x400 ? NMI : VECTOR;

	cpu_start(to, LONG64, receives);
	ASSERT_TRUE(cpu_writes(to, 0x80));
	cpu_start(from, LONG64, sends);
	*cpu_gpr(from, LODGE_R12) = variant->icr2;
	*cpu_gpr(from, LODGE_R13) = variant->icr;
	ASSERT_TRUE(cpu_done(from));
	ASSERT_TRUE(cpu_raises(to, vector, NULL));
}

CODE(sends_x2, 64,
     X2APIC "mov $0x830, %ecx; mov %r12d, %edx; mov %r13d, %eax;"
	    "wrmsr;" DONE);
CODE(receives_x2, 64, X2APIC "out %al, $0x80; sti; 1: hlt; jmp 1b;");

TEST_F(lapic, x2apic_ipis_have_destinations_of_32_bits)
{
	cpu_start(self->second, LONG64, receives_x2);
	ASSERT_TRUE(cpu_writes(self->second, 0x80));
	cpu_start(self->cpu, LONG64, sends_x2);
	*cpu_gpr(self->cpu, LODGE_R12) = 1;
	*cpu_gpr(self->cpu, LODGE_R13) = 0x4041;
	ASSERT_TRUE(cpu_done(self->cpu));
	ASSERT_TRUE(cpu_raises(self->second, VECTOR, NULL));
	/* Cluster 0, second member. */
	cpu_start(self->cpu, LONG64, sends_x2);
	*cpu_gpr(self->cpu, LODGE_R12) = 2;
	*cpu_gpr(self->cpu, LODGE_R13) = 0x4852;
	ASSERT_TRUE(cpu_done(self->cpu));
	ASSERT_TRUE(cpu_raises(self->second, 0x52, NULL));
}

CODE(lowest_receiver, 64,
     XAPIC "movl $0x02000000, 0xd0(%rbx);"
	   "movl $0x20, 0x80(%rbx); out %al, $0x80; sti;"
	   "1: hlt; jmp 1b;");
CODE(lowest_sender, 64,
     XAPIC "movl $0x01000000, 0xd0(%rbx);"
	   "movl $0x30, 0x80(%rbx);"
	   "movl $0x03000000, 0x310(%rbx);"
	   "movl $0x4941, 0x300(%rbx);"
	   "mov 0x220(%rbx), %esi;" DONE);

TEST_F(lapic, lowest_priority_goes_to_who_has_it)
{
	cpu_start(self->second, LONG64, lowest_receiver);
	ASSERT_TRUE(cpu_writes(self->second, 0x80));
	cpu_start(self->cpu, LONG64, lowest_sender);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0, *cpu_gpr(self->cpu, LODGE_RSI));
	ASSERT_TRUE(cpu_raises(self->second, VECTOR, NULL));
}

/* INIT, then two start-up IPIs for page 0x18. */
CODE(starts_other, 64,
     XAPIC "movl $0x01000000, 0x310(%rbx); movl $0xc500, 0x300(%rbx);"
	   "movl $0x8500, 0x300(%rbx); movl $0x4618, 0x300(%rbx);"
	   "movl $0x4618, 0x300(%rbx);" DONE);
CODE(started, 16, "mov %cs, %ax; mov $0x1234, %bx;" DONE);

TEST_F(lapic, init_and_sipi_start_the_second_vcpu_in_real_mode)
{
	const struct lodge_regs *regs = &self->second->run->regs;

	memcpy(self->m.memory + 0x18000, started.start,
	       started.end - started.start);
	cpu_run_aside(self->second);
	cpu_start(self->cpu, LONG64, starts_other);
	ASSERT_TRUE(cpu_done(self->cpu));
	ASSERT_EQ(LODGE_EXIT_IO, cpu_join(self->second));
	EXPECT_EQ(DONE_PORT, self->second->run->exit.io.port);
	EXPECT_EQ(0x1800, *cpu_gpr(self->second, LODGE_RAX) & 0xffff);
	EXPECT_EQ(0x1234, *cpu_gpr(self->second, LODGE_RBX));
	EXPECT_EQ(0x18000, regs->segments.seg[LODGE_CS].base);
	EXPECT_EQ(0, regs->control.cr0 & (X86_CR0_PE | X86_CR0_PG));
}

CODE(spins, 64, XAPIC "out %al, $0x80; 1: pause; jmp 1b;");

TEST_F(lapic, init_stops_a_running_vcpu)
{
	cpu_start(self->second, LONG64, spins);
	ASSERT_TRUE(cpu_writes(self->second, 0x80));
	/* The start-up page is where its own code was: let it spin elsewhere. */
	memcpy(self->m.memory + 0x18000, started.start,
	       started.end - started.start);
	self->second->run->regs.general.rip = GUEST_CODE_BASE + 0x4000;
	self->second->run->load = LODGE_GROUP_GENERAL;
	memcpy(self->m.memory + GUEST_CODE_BASE + 0x4000, "\xf3\x90\xeb\xfc",
	       4);
	cpu_run_aside(self->second);
	cpu_start(self->cpu, LONG64, starts_other);
	ASSERT_TRUE(cpu_done(self->cpu));
	ASSERT_EQ(LODGE_EXIT_IO, cpu_join(self->second));
	EXPECT_EQ(DONE_PORT, self->second->run->exit.io.port);
	EXPECT_EQ(0x1234, *cpu_gpr(self->second, LODGE_RBX));
}

CODE(illegal, 64,
     XAPIC "movl $0x40005, 0x300(%rbx); movl $0, 0x280(%rbx);"
	   "mov 0x280(%rbx), %esi; movl $0, 0x280(%rbx);"
	   "mov 0x280(%rbx), %edi;" DONE);

TEST_F(lapic, a_vector_below_16_is_an_error_that_is_noted_once)
{
	cpu_start(self->cpu, LONG64, illegal);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0x20, *cpu_gpr(self->cpu, LODGE_RSI));
	EXPECT_EQ(0, *cpu_gpr(self->cpu, LODGE_RDI));
}

CODE(x2_reserved, 64, X2APIC "mov $0x80e, %ecx; rdmsr;");

TEST_F(lapic, a_register_that_x2apic_lacks_faults)
{
	cpu_start(self->cpu, LONG64, x2_reserved);
	ASSERT_TRUE(cpu_raises(self->cpu, GP, NULL));
}

TEST_HARNESS_MAIN
