// SPDX-License-Identifier: GPL-2.0
/*
 * Debug traps: single steps over instructions that Lodge carries out, and the
 * rules of the debug registers.
 *
 * Breakpoints are not tested: an emulated processor does not arm those that an
 * entry loads.
 */
#include <string.h>

#include "kselftest_harness.h"

#include "guest.h"

#define DR6_B0 (1 << 0)
#define DR6_BD (1 << 13)
#define DR6_BS (1 << 14)
#define DR6_FIXED 0xffff0ff0

/*
 * One instruction under the trap flag: the trap comes behind it, with RIP at
 * the label, whatever the instruction asks of the caller first.
 */
FIXTURE(step)
{
	struct machine m;
	struct guest_cpu *cpu;
};

FIXTURE_VARIANT(step)
{
	const struct guest_code *code;
	const char *behind;
	int reason; /* of an exit before the trap; 0: none */
	const char *alien; /* not an instruction of this processor */
	bool intel; /* the one that does not have it is an Intel */
};

FIXTURE_SETUP(step)
{
	machine_create(&self->m, 1);
	self->cpu = &self->m.cpu[0];
}

FIXTURE_TEARDOWN(step)
{
}

TEST_F(step, traps_behind_the_instruction)
{
	struct guest_event event;

	if (variant->alien && variant->intel == machine_is_intel())
		SKIP(return, "%s", variant->alien);
	cpu_start(self->cpu, LONG64, *variant->code);
	if (variant->reason)
		ASSERT_TRUE(cpu_exits(self->cpu, variant->reason));
	ASSERT_TRUE(cpu_raises(self->cpu, DB, &event));
	EXPECT_EQ(GUEST_CODE_BASE + (variant->behind - variant->code->start),
		  event.rip);
	EXPECT_EQ(DR6_FIXED | DR6_BS, self->cpu->run->regs.debug.dr6);
	EXPECT_TRUE(event.rflags & 0x100);
}

#define STEP(name, before, text, ...)                                 \
	extern const char name##_behind[];                            \
	CODE(name, 64,                                                \
	     before "pushf; orl $0x100, (%rsp); popf;" text #name     \
		    "_behind: nop; nop;" DONE);                       \
	FIXTURE_VARIANT_ADD(step, name)                               \
	{                                                             \
		.code = &name, .behind = name##_behind, ##__VA_ARGS__ \
	}

STEP(nop, "", "nop;");
STEP(cpuid, "", "cpuid;");
STEP(rdmsr, "mov $0x277, %ecx;", "rdmsr;");
STEP(wrmsr, "mov $0x277, %ecx; rdmsr;", "wrmsr;");
STEP(invd, "", "wbinvd;");
STEP(vmmcall, "mov $-1, %rax;", "vmmcall;",
     .alien = "VMMCALL is AMD's; Intel's is tested by step.vmcall",
     .intel = true);
STEP(vmcall, "mov $-1, %rax;", "vmcall;",
     .alien = "VMCALL is Intel's; AMD's is tested by step.vmmcall");
STEP(rdpmc, "xor %ecx, %ecx;", "rdpmc;");
STEP(lmsw, "mov $0x1b, %eax;", "lmsw %ax;");
STEP(mov_to_cr4, "mov %cr4, %rax;", "mov %rax, %cr4;");
STEP(mov_to_cr8, "mov $3, %eax;", "mov %rax, %cr8;");
STEP(mov_from_dr, "", "mov %dr7, %rax;");
STEP(pause_loop, "", "pause;");
STEP(out, "", "out %al, $0x80;", .reason = LODGE_EXIT_IO);
STEP(in, "", "in $0x80, %al;", .reason = LODGE_EXIT_IO);
STEP(outsb, "mov $0x50000, %esi; mov $0x80, %edx;", "outsb;",
     .reason = LODGE_EXIT_IO);
STEP(insb, "mov $0x50000, %edi; mov $0x80, %edx;", "insb;",
     .reason = LODGE_EXIT_IO);
STEP(store_to_device, "mov $0xd0000000, %edi;", "mov %eax, (%rdi);",
     .reason = LODGE_EXIT_MMIO);
STEP(load_from_device, "mov $0xd0000000, %edi;", "mov (%rdi), %eax;",
     .reason = LODGE_EXIT_MMIO);
STEP(lapic_access, "mov $0xfee00000, %edi;", "mov 0x20(%rdi), %eax;");

FIXTURE(debug)
{
	struct machine m;
	struct guest_cpu *cpu;
	struct lodge_debug *debug;
};

FIXTURE_SETUP(debug)
{
	machine_create(&self->m, 1);
	self->cpu = &self->m.cpu[0];
	self->debug = &self->cpu->run->regs.debug;
}

FIXTURE_TEARDOWN(debug)
{
}

CODE(rep_store, 64,
     "mov $0xd0000000, %edi; mov $3, %ecx; pushf; orl $0x100, (%rsp); popf;"
     "rep stosb; nop;" DONE);

TEST_F(debug, a_stepped_string_instruction_traps_at_each_iteration)
{
	struct guest_event event;
	unsigned int i;
	uint64_t rip = 0;

	cpu_start(self->cpu, LONG64, rep_store);
	for (i = 0; i < 3; i++) {
		ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_MMIO));
		ASSERT_TRUE(cpu_raises(self->cpu, DB, &event));
		EXPECT_EQ(2 - i, *cpu_gpr(self->cpu, LODGE_RCX));
		if (i == 1)
			EXPECT_EQ(rip, event.rip);
		if (i == 2)
			EXPECT_EQ(rip + 2, event.rip);
		rip = event.rip;
	}
}

CODE(keeps, 64,
     "mov $0x11110000, %eax; mov %rax, %dr0; mov $0x22220000, %eax;"
     "mov %rax, %dr1; mov $0x33330000, %eax; mov %rax, %dr2;"
     "mov $0x44440000, %eax; mov %rax, %dr3; out %al, $0x80;"
     "mov %dr0, %rbx; mov %dr1, %rcx; mov %dr2, %rdx; mov %dr3, %rsi;" DONE);

TEST_F(debug, address_registers_keep_their_values_over_exits)
{
	cpu_start(self->cpu, LONG64, keeps);
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	EXPECT_EQ(0x11110000, self->debug->dr[0]);
	EXPECT_EQ(0x44440000, self->debug->dr[3]);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0x11110000, *cpu_gpr(self->cpu, LODGE_RBX));
	EXPECT_EQ(0x22220000, *cpu_gpr(self->cpu, LODGE_RCX));
	EXPECT_EQ(0x33330000, *cpu_gpr(self->cpu, LODGE_RDX));
	EXPECT_EQ(0x44440000, *cpu_gpr(self->cpu, LODGE_RSI));
}

CODE(fixed_bits, 64,
     "mov %dr6, %rbx; mov %dr7, %rcx; xor %eax, %eax; mov %rax, %dr6;"
     "mov %rax, %dr7; mov %dr6, %rsi; mov %dr7, %rdi;" DONE);

TEST_F(debug, fixed_bits_of_dr6_and_dr7_read_as_one)
{
	cpu_start(self->cpu, LONG64, fixed_bits);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(DR6_FIXED, *cpu_gpr(self->cpu, LODGE_RBX));
	EXPECT_EQ(0x400, *cpu_gpr(self->cpu, LODGE_RCX));
	EXPECT_EQ(DR6_FIXED, *cpu_gpr(self->cpu, LODGE_RSI));
	EXPECT_EQ(0x400, *cpu_gpr(self->cpu, LODGE_RDI));
}

/* GAS knows DR4 and DR5 under these names too. */
CODE(aliases, 64,
     "mov %db4, %rax; mov %db5, %rbx; mov %cr4, %rcx;"
     "or $8, %rcx; mov %rcx, %cr4; mov %db4, %rdx;");

TEST_F(debug, dr4_is_dr6_until_the_extension_is_on)
{
	cpu_start(self->cpu, LONG64, aliases);
	ASSERT_TRUE(cpu_raises(self->cpu, UD, NULL));
	EXPECT_EQ(DR6_FIXED, *cpu_gpr(self->cpu, LODGE_RAX));
	EXPECT_EQ(0x400, *cpu_gpr(self->cpu, LODGE_RBX));
}

CODE(general_detect, 64,
     "mov $0x2400, %eax; mov %rax, %dr7; nop;"
     "mov %dr0, %rbx;" DONE);

TEST_F(debug, general_detect_stops_before_an_access_and_goes_off)
{
	struct guest_event event;

	cpu_start(self->cpu, LONG64, general_detect);
	ASSERT_TRUE(cpu_raises(self->cpu, DB, &event));
	EXPECT_EQ(GUEST_CODE_BASE + 9, event.rip);
	EXPECT_TRUE(self->debug->dr6 & DR6_BD);
	EXPECT_EQ(0x400, self->debug->dr7);
	ASSERT_TRUE(cpu_done(self->cpu));
}

CODE(detect_step, 64,
     "mov $0x2400, %eax; mov %rax, %dr7;"
     "pushf; orl $0x100, (%rsp); popf; nop;" DONE);

TEST_F(debug, the_handler_of_any_debug_exception_may_access_the_registers)
{
	cpu_start(self->cpu, LONG64, detect_step);
	ASSERT_TRUE(cpu_raises(self->cpu, DB, NULL));
	EXPECT_EQ(DR6_FIXED | DR6_BS, self->debug->dr6);
	EXPECT_EQ(0x400, self->debug->dr7);
}

CODE(user, 64,
     "push $0x23; push $0x30000; push $2; push $0x2b; push $" AT(
	     "1f") ";"
		   "iretq; 1: mov %dr0, %rax;");

TEST_F(debug, level_3_may_not_touch_the_registers)
{
	struct guest_event event;

	cpu_start(self->cpu, LONG64, user);
	ASSERT_TRUE(cpu_raises(self->cpu, GP, &event));
	EXPECT_EQ(SEL_USER_CODE64, event.cs);
}

CODE(step_off, 64, "pushf; orl $0x100, (%rsp); popf; cpuid; nop;" DONE);

TEST_F(debug, a_handler_that_clears_the_trap_flag_ends_stepping)
{
	cpu_start(self->cpu, LONG64, step_off);
	ASSERT_TRUE(cpu_raises(self->cpu, DB, NULL));
	*machine_u64(&self->m, *cpu_gpr(self->cpu, LODGE_RSP) + 24) &= ~0x100;
	ASSERT_TRUE(cpu_done(self->cpu));
}

extern const char stack_load_behind[];
CODE(stack_load, 64,
     "mov $0xd0000000, %edi; pushf; orl $0x300, (%rsp); popf;"
     "mov (%rdi), %ss; nop; stack_load_behind: nop;" DONE);

TEST_F(debug, a_step_over_a_load_of_ss_from_a_device_goes_one_further)
{
	struct guest_event event;

	cpu_start(self->cpu, LONG64, stack_load);
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_MMIO));
	memset(self->cpu->run->exit.mmio.data, 0,
	       sizeof(self->cpu->run->exit.mmio.data));
	ASSERT_TRUE(cpu_raises(self->cpu, DB, &event));
	EXPECT_EQ(GUEST_CODE_BASE + (stack_load_behind - stack_load.start),
		  event.rip);
}

CODE(step_real, 16,
     "pushf; pop %ax; or $1, %ah; push %ax; popf;"
     "xor %eax, %eax; cpuid; nop;" DONE);

TEST_F(debug, steps_trap_in_real_mode_too)
{
	struct guest_event event;

	cpu_start(self->cpu, REAL16, step_real);
	ASSERT_TRUE(cpu_raises(self->cpu, DB, &event));
	ASSERT_TRUE(cpu_raises(self->cpu, DB, &event));
	EXPECT_EQ(step_real.end - step_real.start - 3, event.rip);
}

TEST_HARNESS_MAIN
