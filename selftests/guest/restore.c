// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that is moved to another VM in the middle of its work goes on there and
 * notices nothing: all of its state crosses through the calls of <lodge.h>.
 *
 * Time passes between two vCPUs of a move, so that any skew would show; no test
 * measures it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kselftest_harness.h"

#include "guest.h"

#define VECTOR 0x41
#define XAPIC "mov $0xfee00000, %ebx; movl $0x1ff, 0xf0(%rbx);"
#define EOI "movl $0, 0xb0(%rbx);"
/* The points at which a test moves the guest. */
#define PORT 0x80
#define HERE "out %al, $0x80;"

/**
 * struct held - a vCPU's state
 */
struct held {
	struct lodge_cpuid_entry cpuid[LODGE_MAX_CPUID];
	uint32_t nr_cpuid;
	struct lodge_msr_entry msrs[LODGE_MAX_MSRS];
	uint32_t nr_msrs;
	struct lodge_lapic lapic;
	uint8_t xsave[16384];
	struct lodge_state state;
};

static struct held held[MACHINE_CPUS];

/* An access that was answered is still to be completed: no group has it. */
static int settle(struct guest_cpu *cpu)
{
	int error;

	cpu->run->immediate_exit = 1;
	error = lodge_run(cpu->fd);
	cpu->run->immediate_exit = 0;
	return error == -EINTR ? 0 : error;
}

static int hold(struct guest_cpu *cpu, struct held *held)
{
	int error = settle(cpu);

	held->nr_cpuid = LODGE_MAX_CPUID;
	held->nr_msrs = LODGE_MAX_MSRS;
	held->state = (struct lodge_state){
		.groups = LODGE_GROUPS_ALL,
		.xsave = (uintptr_t)held->xsave,
		.xsave_size = sizeof(held->xsave),
		.lapic = (uintptr_t)&held->lapic,
		.lapic_size = sizeof(held->lapic),
	};
	if (!error)
		error = lodge_cpuid_get(cpu->fd, held->cpuid, &held->nr_cpuid);
	if (!error)
		error = lodge_msr_list(cpu->fd, held->msrs, &held->nr_msrs);
	return error ? error : lodge_state_get(cpu->fd, &held->state);
}

static int give(struct guest_cpu *cpu, const struct held *held)
{
	int error = lodge_cpuid_set(cpu->fd, held->cpuid, held->nr_cpuid);

	if (!error)
		error = lodge_msr_set(cpu->fd, held->msrs, held->nr_msrs);
	return error ? error : lodge_state_set(cpu->fd, &held->state);
}

/*
 * Put a machine whose vCPUs stand still into a new VM, and close the old one.
 *
 * Return: 0 or -errno.
 */
static int machine_move(struct machine *m, unsigned int cpus)
{
	struct machine old = *m;
	struct lodge_clock clock;
	int error = lodge_clock_get(old.vm, &clock);

	for (unsigned int i = 0; i < cpus && !error; i++)
		error = hold(&old.cpu[i], &held[i]);
	machine_create(m, cpus);
	memcpy(m->memory, old.memory, GUEST_MEMORY);
	if (!error)
		error = lodge_clock_set(m->vm, clock.ns, clock.host_tsc);
	for (unsigned int i = 0; i < cpus && !error; i++) {
		usleep(5000);
		error = give(&m->cpu[i], &held[i]);
	}
	machine_end(&old);
	return error;
}

FIXTURE(restore)
{
	struct machine m;
	struct guest_cpu *cpu;
	struct guest_cpu *second;
};

FIXTURE_SETUP(restore)
{
	machine_create(&self->m, 2);
	self->cpu = &self->m.cpu[0];
	self->second = &self->m.cpu[1];
}

FIXTURE_TEARDOWN(restore)
{
}

/* Numbers at random in RAX and XMM0, their sum on the x87 stack. */
CODE(works, 64,
     "fldz; mov $0x9e3779b9, %eax; movq %rax, %xmm0; mov $8, %ecx;"
     "1: mov $1000, %esi; 2: mov %rax, %rdx; shl $13, %rdx; xor %rdx, %rax;"
     "mov %rax, %rdx; shr $7, %rdx; xor %rdx, %rax; mov %rax, %rdx;"
     "shl $17, %rdx; xor %rdx, %rax; movq %rax, %xmm1; paddq %xmm1, %xmm0;"
     "mov %eax, 0x50000; fiaddl 0x50000; dec %esi; jnz 2b;" HERE
     "dec %ecx; jnz 1b; movq %xmm0, 0x50008; fstpl 0x50010;" DONE);

TEST_F(restore, a_guest_that_computes_comes_to_the_same_result)
{
	uint64_t expected[3];

	cpu_start(self->cpu, LONG64, works);
	for (int i = 0; i < 8; i++)
		ASSERT_TRUE(cpu_writes(self->cpu, PORT));
	ASSERT_TRUE(cpu_done(self->cpu));
	memcpy(expected, self->m.memory + GUEST_DATA, sizeof(expected));
	memset(self->m.memory + GUEST_DATA, 0, sizeof(expected));

	cpu_start(self->cpu, LONG64, works);
	for (int i = 0; i < 8; i++) {
		ASSERT_TRUE(cpu_writes(self->cpu, PORT));
		ASSERT_EQ(0, machine_move(&self->m, 2));
	}
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0, memcmp(expected, self->m.memory + GUEST_DATA,
			    sizeof(expected)));
}

/*
 * Timers
 */

CODE(one_shot, 64,
     XAPIC "movl $0xa, 0x3e0(%rbx); movl $0x41, 0x320(%rbx);"
	   "movl $1000000, 0x380(%rbx);" HERE "sti; 1: jmp 1b;");

TEST_F(restore, a_one_shot_timer_interrupts)
{
	cpu_start(self->cpu, LONG64, one_shot);
	ASSERT_TRUE(cpu_writes(self->cpu, PORT));
	ASSERT_EQ(0, machine_move(&self->m, 2));
	ASSERT_TRUE(cpu_raises(self->cpu, VECTOR, NULL));
}

extern const char periodic_handler[];

CODE(periodic, 64,
     XAPIC "movl $0xb, 0x3e0(%rbx); movl $0x20041, 0x320(%rbx);"
	   "movl $1000000, 0x380(%rbx); sti; 1: jmp 1b;"
	   "periodic_handler:" EOI HERE "iretq;");

TEST_F(restore, a_periodic_timer_interrupts_again_and_again)
{
	cpu_start(self->cpu, LONG64, periodic);
	machine_gate(&self->m, LONG64, VECTOR,
		     GUEST_CODE_BASE + (periodic_handler - periodic.start), 0);
	for (int i = 0; i < 4; i++) {
		ASSERT_TRUE(cpu_writes(self->cpu, PORT));
		ASSERT_EQ(0, machine_move(&self->m, 2));
	}
}

CODE(masked, 64,
     XAPIC "movl $0xa, 0x3e0(%rbx); movl $0x30041, 0x320(%rbx);"
	   "movl $1000000, 0x380(%rbx);" HERE
	   "movl $0x20041, 0x320(%rbx); sti; 1: jmp 1b;");

TEST_F(restore, a_masked_timer_counts_on_and_interrupts_once_it_is_unmasked)
{
	cpu_start(self->cpu, LONG64, masked);
	ASSERT_TRUE(cpu_writes(self->cpu, PORT));
	ASSERT_EQ(0, machine_move(&self->m, 2));
	ASSERT_TRUE(cpu_raises(self->cpu, VECTOR, NULL));
}

CODE(deadline, 64,
     XAPIC "movl $0x40041, 0x320(%rbx); mfence; rdtsc; shl $32, %rdx;"
	   "add %rdx, %rax; add %rax, %r8; mov %r8, %rax; mov %r8, %rdx;"
	   "shr $32, %rdx; mov $0x6e0, %ecx; wrmsr;" HERE "sti; 1: jmp 1b;");

TEST_F(restore, a_tsc_deadline_stays_where_it_is)
{
	uint64_t before;

	cpu_start(self->cpu, LONG64, deadline);
	*cpu_gpr(self->cpu, LODGE_R8) = 1ULL << 50;
	ASSERT_TRUE(cpu_writes(self->cpu, PORT));
	ASSERT_EQ(0, machine_move(&self->m, 2));
	before = held[0].lapic.tsc_deadline;
	EXPECT_LT(1ULL << 50, before);
	ASSERT_EQ(0, machine_move(&self->m, 2));
	EXPECT_EQ(before, held[0].lapic.tsc_deadline);
}

TEST_F(restore, a_tsc_deadline_interrupts)
{
	cpu_start(self->cpu, LONG64, deadline);
	*cpu_gpr(self->cpu, LODGE_R8) = 10000000;
	ASSERT_TRUE(cpu_writes(self->cpu, PORT));
	ASSERT_EQ(0, machine_move(&self->m, 2));
	ASSERT_TRUE(cpu_raises(self->cpu, VECTOR, NULL));
}

/*
 * Events
 */

CODE(waits_for_nmis, 64, "1: nop; test %rbp, %rbp; jz 1b;" DONE);

TEST_F(restore, an_nmi_that_is_latched_behind_another_comes_after_its_handler)
{
	ASSERT_TRUE(cpu_unblock_nmis(self->cpu));
	cpu_start(self->cpu, LONG64, waits_for_nmis);
	*cpu_gpr(self->cpu, LODGE_RBP) = 1;
	ASSERT_EQ(0, lodge_nmi(self->cpu->fd));
	ASSERT_TRUE(cpu_raises(self->cpu, NMI, NULL));
	ASSERT_EQ(0, lodge_nmi(self->cpu->fd));
	ASSERT_EQ(0, machine_move(&self->m, 2));
	EXPECT_EQ(LODGE_EVENT_NMI_PENDING | LODGE_EVENT_NMI_BLOCKED,
		  held[0].state.regs.events.flags);
	ASSERT_TRUE(cpu_raises(self->cpu, NMI, NULL));
	ASSERT_EQ(0, machine_move(&self->m, 2));
	ASSERT_TRUE(cpu_done(self->cpu));
}

extern const char level_handler[];

CODE(level, 64,
     XAPIC HERE "sti; 1: jmp 1b; level_handler:" HERE EOI HERE "iretq;");

TEST_F(restore, the_end_of_a_level_triggered_interrupt_is_told)
{
	cpu_start(self->cpu, LONG64, level);
	machine_gate(&self->m, LONG64, VECTOR,
		     GUEST_CODE_BASE + (level_handler - level.start), 0);
	ASSERT_TRUE(cpu_writes(self->cpu, PORT));
	ASSERT_EQ(0, machine_msi(&self->m, 0, 0xc000 | VECTOR));
	ASSERT_EQ(0, machine_move(&self->m, 2));
	ASSERT_TRUE(cpu_writes(self->cpu, PORT));
	ASSERT_EQ(0, machine_move(&self->m, 2));
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_EOI));
	EXPECT_EQ(VECTOR, self->cpu->run->exit.eoi.vector);
	ASSERT_EQ(0, machine_move(&self->m, 2));
	ASSERT_TRUE(cpu_writes(self->cpu, PORT));
}

/* A self-IPI with a vector that no APIC takes: "send illegal vector". */
CODE(errs, 64,
     XAPIC
     "movl $0x40005, 0x300(%rbx);" HERE
     "mov 0x280(%rbx), %esi; movl $0, 0x280(%rbx); mov 0x280(%rbx), %edi;" HERE
     "mov 0x280(%rbx), %ebp; movl $0, 0x280(%rbx);"
     "mov 0x280(%rbx), %edx;" DONE);

TEST_F(restore, an_error_shows_once_the_error_register_is_written)
{
	cpu_start(self->cpu, LONG64, errs);
	ASSERT_TRUE(cpu_writes(self->cpu, PORT));
	ASSERT_EQ(0, machine_move(&self->m, 2));
	ASSERT_TRUE(cpu_writes(self->cpu, PORT));
	EXPECT_EQ(0, *cpu_gpr(self->cpu, LODGE_RSI));
	EXPECT_EQ(0x20, *cpu_gpr(self->cpu, LODGE_RDI));
	ASSERT_EQ(0, machine_move(&self->m, 2));
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0x20, *cpu_gpr(self->cpu, LODGE_RBP));
	EXPECT_EQ(0, *cpu_gpr(self->cpu, LODGE_RDX));
}

/*
 * MSRs
 */

/* A variable MTRR, a fixed one and MCG_STATUS, written and then read. */
CODE(mtrrs, 64,
     "xor %edx, %edx; mov $0x202, %ecx; mov $0x40000006, %eax; wrmsr;"
     "mov $0x203, %ecx; mov $0xc0000800, %eax; wrmsr;"
     "mov $0x268, %ecx; mov $0x05050505, %eax; mov %eax, %edx; wrmsr;"
     "mov $0x17a, %ecx; mov $4, %eax; xor %edx, %edx; wrmsr;" HERE
     "mov $0x202, %ecx; rdmsr; mov %eax, %esi; mov $0x203, %ecx; rdmsr;"
     "mov %eax, %edi; mov $0x268, %ecx; rdmsr; mov %edx, %ebp;"
     "mov $0x17a, %ecx; rdmsr;" DONE);

TEST_F(restore, mtrrs_and_others_keep_what_was_written)
{
	cpu_start(self->cpu, LONG64, mtrrs);
	ASSERT_TRUE(cpu_writes(self->cpu, PORT));
	ASSERT_EQ(0, machine_move(&self->m, 2));
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0x40000006, *cpu_gpr(self->cpu, LODGE_RSI));
	EXPECT_EQ(0xc0000800, *cpu_gpr(self->cpu, LODGE_RDI));
	EXPECT_EQ(0x05050505, *cpu_gpr(self->cpu, LODGE_RBP));
	EXPECT_EQ(4, *cpu_gpr(self->cpu, LODGE_RAX));
}

/*
 * Time
 */

CODE(tells_time, 64,
     "1: lfence; rdtsc; shl $32, %rdx; lea (%rdx,%rax), %rsi;" HERE "jmp 1b;");

static bool tells(struct guest_cpu *cpu, uint64_t *tsc)
{
	if (!cpu_writes(cpu, PORT))
		return false;
	*tsc = *cpu_gpr(cpu, LODGE_RSI);
	return true;
}

TEST_F(restore, the_tsc_never_goes_back_from_one_vcpu_to_the_other)
{
	uint64_t last = 0, tsc = 0;

	cpu_start(self->cpu, LONG64, tells_time);
	cpu_start(self->second, LONG64, tells_time);
	for (int i = 0; i < 40; i++) {
		ASSERT_TRUE(tells(&self->m.cpu[i % 2], &tsc));
		ASSERT_LE(last, tsc)
		TH_LOG("reading %d", i);
		last = tsc;
		if (i % 8 == 5)
			ASSERT_EQ(0, machine_move(&self->m, 2));
	}
}

/* As <asm/pvclock-abi.h> has it. */
struct clock_page {
	uint32_t version;
	uint32_t pad;
	uint64_t tsc;
	uint64_t ns;
	uint32_t mul;
	int8_t shift;
	uint8_t flags;
};

static uint64_t clock_at(const struct clock_page *page, uint64_t tsc)
{
	uint64_t passed = tsc - page->tsc;

	passed = page->shift < 0 ? passed >> -page->shift :
				   passed << page->shift;
	return page->ns +
	       (uint64_t)((unsigned __int128)passed * page->mul >> 32);
}

CODE(tells_clock, 64,
     "mov $0x4b564d01, %ecx; mov $0x50001, %eax; xor %edx, %edx; wrmsr;"
     "1:" HERE "jmp 1b;");

TEST_F(restore, the_paravirtual_clock_goes_on)
{
	struct clock_page before, after;
	uint64_t tsc;

	cpu_start(self->cpu, LONG64, tells_clock);
	ASSERT_TRUE(cpu_writes(self->cpu, PORT));
	memcpy(&before, self->m.memory + GUEST_DATA, sizeof(before));
	ASSERT_EQ(0, machine_move(&self->m, 2));
	ASSERT_TRUE(cpu_writes(self->cpu, PORT));
	memcpy(&after, self->m.memory + GUEST_DATA, sizeof(after));
	EXPECT_LT(before.version, after.version);
	EXPECT_EQ(before.mul, after.mul);
	if (!(before.flags & after.flags & 1))
		SKIP(return, "the host's clocks do not keep in step");
	/* Each rounds down. */
	tsc = self->cpu->run->regs.msrs.tsc;
	EXPECT_LE(clock_at(&after, tsc), clock_at(&before, tsc));
	EXPECT_GE(clock_at(&after, tsc) + 2, clock_at(&before, tsc));
}

TEST_HARNESS_MAIN
