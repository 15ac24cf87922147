// SPDX-License-Identifier: GPL-2.0
/*
 * Modes of the processor, and the ways between them.
 */
#include "kselftest_harness.h"

#include "guest.h"

FIXTURE(modes)
{
	struct machine m;
	struct guest_cpu *cpu;
};

FIXTURE_SETUP(modes)
{
	machine_create(&self->m, 1);
	self->cpu = &self->m.cpu[0];
}

FIXTURE_TEARDOWN(modes)
{
}

CODE(real_mode, 16,
     "mov $0x5000, %ax; mov %ax, %ds; mov $0x10, %bx;"
     "movw $0x1234, 2(%bx); movl $0x89abcdef, %ds:4(%bx);" DONE);

TEST_F(modes, real_mode_adds_sixteen_times_the_segment)
{
	cpu_start(self->cpu, REAL16, real_mode);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0x1234, *(uint16_t *)(self->m.memory + 0x50012));
	EXPECT_EQ(0x89abcdef, *machine_u32(&self->m, 0x50014));
	EXPECT_EQ(0x50000, self->cpu->run->regs.segments.seg[LODGE_DS].base);
}

CODE(real_int, 16, "int $0x21; mov $7, %al;" DONE);

TEST_F(modes, real_mode_takes_interrupts_through_the_table_at_zero)
{
	struct guest_event event;

	cpu_start(self->cpu, REAL16, real_int);
	ASSERT_TRUE(cpu_raises(self->cpu, 0x21, &event));
	EXPECT_EQ(2, event.rip);
	EXPECT_EQ(0x1000, event.cs);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(7, *cpu_gpr(self->cpu, LODGE_RAX));
}

CODE(prot, 32,
     "mov $0x50000, %edi; movl $0x11223344, (%edi);"
     "mov %cs, %eax; mov %cr0, %ebx;" DONE);

TEST_F(modes, protected_mode_without_paging_is_flat)
{
	cpu_start(self->cpu, PROT32, prot);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0x11223344, *machine_u32(&self->m, GUEST_DATA));
	EXPECT_EQ(SEL_CODE32, *cpu_gpr(self->cpu, LODGE_RAX));
	EXPECT_EQ(0x11, *cpu_gpr(self->cpu, LODGE_RBX));
}

CODE(mapped, 32,
     "mov $0x400000, %edi; mov $0xabcd1234, %eax;"
     "mov %eax, (%edi); mov 0x50000, %ebx;" DONE);

TEST_F(modes, pages_of_4_mib_map_in_32_bit_paging)
{
	/* Linear 4 MiB leads to physical 0. */
	*machine_u32(&self->m, GUEST_PD32 + 4) = 0x87;
	cpu_start(self->cpu, PAGED32, mapped);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0xabcd1234, *machine_u32(&self->m, 0));
}

TEST_F(modes, pae_paging_maps_above_what_its_table_says)
{
	/* Linear 4 MiB leads to physical 6 MiB. */
	*machine_u64(&self->m, GUEST_PD + 16) = 0x600087;
	*machine_u32(&self->m, GUEST_DATA) = 77;
	cpu_start(self->cpu, PAE32, mapped);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0xabcd1234, *machine_u32(&self->m, 0x600000));
	EXPECT_EQ(77, *cpu_gpr(self->cpu, LODGE_RBX));
}

CODE(long_mode, 64,
     "mov $0x1122334455667788, %rax; mov %rax, %r15;"
     "lea 1f(%rip), %rbx; mov (%rbx), %r8;" DONE
     "1: .quad 0xfedcba9876543210;");

TEST_F(modes, long_mode_has_64_bit_registers_and_rip_relative_addresses)
{
	cpu_start(self->cpu, LONG64, long_mode);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0x1122334455667788, *cpu_gpr(self->cpu, LODGE_R15));
	EXPECT_EQ(0xfedcba9876543210, *cpu_gpr(self->cpu, LODGE_R8));
}

/* To EBX what reset left of MCE, to ESI what it is when set, to EDI cleared. */
CODE(machine_checks, 64,
     "mov %cr4, %rbx; mov %rbx, %rax; or $0x40, %rax; mov %rax, %cr4;"
     "mov %cr4, %rsi; and $~0x40, %rax; mov %rax, %cr4;"
     "mov %cr4, %rdi;" DONE);

TEST_F(modes, machine_checks_are_on_in_cr4_as_the_guest_has_switched_them)
{
	cpu_start(self->cpu, LONG64, machine_checks);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0, *cpu_gpr(self->cpu, LODGE_RBX) & X86_CR4_MCE);
	EXPECT_EQ(X86_CR4_MCE, *cpu_gpr(self->cpu, LODGE_RSI) & X86_CR4_MCE);
	EXPECT_EQ(0, *cpu_gpr(self->cpu, LODGE_RDI) & X86_CR4_MCE);
	EXPECT_EQ(*cpu_gpr(self->cpu, LODGE_RDI),
		  self->cpu->run->regs.control.cr4);
	EXPECT_EQ(X86_CR4_PAE, *cpu_gpr(self->cpu, LODGE_RDI) & X86_CR4_PAE);
}

/* Through protected mode and PAE to long mode, as a boot loader goes. */
CODE(climb, 16,
     "lgdtl %cs:(1f - 0b); mov %cr0, %eax; or $1, %al; mov %eax, %cr0;"
     "ljmpl $0x30, $" AT(
	     "2f") "; 1: .word 0x6f; .long 0x4000;"
		   ".code32; 2: mov $0x10, %eax; mov %eax, %ds; mov %eax, %ss;"
		   "mov %cr4, %eax; or $0x20, %eax; mov %eax, %cr4;"
		   "mov $0x6000, %eax; mov %eax, %cr3;"
		   "mov $0xc0000080, %ecx; rdmsr; or $0x100, %eax; wrmsr;"
		   "mov %cr0, %eax; or $0x80000000, %eax; mov %eax, %cr0;"
		   "mov $0xc0000080, %ecx; rdmsr; mov %eax, %esi;"
		   "ljmp $0x08, $" AT("3f") "; .code64; 3: mov $-1, %rbx;" DONE);

TEST_F(modes, a_guest_climbs_from_real_to_long_mode)
{
	const struct lodge_regs *regs = &self->cpu->run->regs;

	cpu_start(self->cpu, REAL16, climb);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(~0ULL, *cpu_gpr(self->cpu, LODGE_RBX));
	EXPECT_EQ(0x500, *cpu_gpr(self->cpu, LODGE_RSI) & 0xd00);
	EXPECT_EQ(0x500, regs->control.efer & 0xd00);
	EXPECT_TRUE(regs->segments.seg[LODGE_CS].attr & LODGE_SEG_L);
}

/* And back: paging off from compatibility mode, then protection off. */
CODE(descend, 64,
     "push $0x30; push $" AT(
	     "1f") "; lretq; .code32;"
		   "1: mov %cr0, %eax; and $0x7fffffff, %eax; mov %eax, %cr0;"
		   "mov $0xc0000080, %ecx; rdmsr; mov %eax, %esi;"
		   "ljmp $0x38, $(2f - 0b); .code16;"
		   "2: mov $0x60, %ax; mov %ax, %ds; mov %ax, %ss; mov %cr0, %eax;"
		   "and $0xfe, %al; mov %eax, %cr0; ljmp $0x1000, $(3f - 0b);"
		   "3: xor %ax, %ax; mov %ax, %ds; mov %ax, %ss; mov $0x77, %bx;" DONE);

TEST_F(modes, a_guest_descends_from_long_to_real_mode)
{
	const struct lodge_regs *regs = &self->cpu->run->regs;

	cpu_start(self->cpu, LONG64, descend);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0x77, *cpu_gpr(self->cpu, LODGE_RBX) & 0xffff);
	/* LMA went with paging, LME stayed. */
	EXPECT_EQ(0x100, *cpu_gpr(self->cpu, LODGE_RSI) & 0xd00);
	EXPECT_EQ(0x100, regs->control.efer & 0xd00);
	EXPECT_EQ(0, regs->control.cr0 & X86_CR0_PE);
}

CODE(compatibility, 64,
     "push $0x30; push $" AT(
	     "1f") "; lretq; .code32;"
		   "1: mov $5, %eax; dec %eax; push $8; push $" AT(
			   "2f") "; lret;"
				 ".code64; 2: mov $-2, %rbx;" DONE);

TEST_F(modes, compatibility_mode_runs_32_bit_instructions)
{
	cpu_start(self->cpu, LONG64, compatibility);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(4, *cpu_gpr(self->cpu, LODGE_RAX));
	EXPECT_EQ(~1ULL, *cpu_gpr(self->cpu, LODGE_RBX));
}

/* The frame of an IRET to virtual-8086 mode: GS FS DS ES SS SP FLAGS CS IP. */
CODE(vm86, 32,
     "mov $0x40, %eax; ltr %ax; push $0; push $0; push $0x5000; push $0;"
     "push $0x3000; push $0xf00; push $0x20002; push $0x1000;"
     "push $(1f - 0b); iret; .code16;"
     "1: mov $0x9876, %ax; mov %ax, 8; hlt;");

TEST_F(modes, virtual_8086_code_runs_until_it_faults)
{
	struct guest_event event;

	cpu_start(self->cpu, PROT32, vm86);
	ASSERT_TRUE(cpu_raises(self->cpu, GP, &event));
	EXPECT_EQ(0x20000, event.rflags & 0x20000);
	EXPECT_EQ(0x1000, event.cs);
	EXPECT_EQ(0x9876, *(uint16_t *)(self->m.memory + 0x50008));
}

CODE(vm86_cpuid, 32,
     "mov $0x40, %eax; ltr %ax; push $0; push $0; push $0x5000; push $0;"
     "push $0x3000; push $0xf00; push $0x20002; push $0x1000;"
     "push $(1f - 0b); iret; .code16;"
     "1: xor %eax, %eax; cpuid; hlt;");

TEST_F(modes, virtual_8086_code_gets_past_an_intercepted_instruction)
{
	struct guest_event event;

	cpu_start(self->cpu, PROT32, vm86_cpuid);
	ASSERT_TRUE(cpu_raises(self->cpu, GP, &event));
	EXPECT_EQ(vm86_cpuid.end - vm86_cpuid.start - 1, event.rip);
	EXPECT_NE(0, *cpu_gpr(self->cpu, LODGE_RBX));
}

CODE(user_mode, 64,
     "push $0x23; push $0x30000; push $2; push $0x2b; push $" AT(
	     "1f") ";"
		   "iretq; 1: mov %cs, %ebx; hlt;");

TEST_F(modes, level_3_is_reached_by_iret_and_left_by_a_fault)
{
	struct guest_event event;

	cpu_start(self->cpu, LONG64, user_mode);
	ASSERT_TRUE(cpu_raises(self->cpu, GP, &event));
	EXPECT_EQ(SEL_USER_CODE64, event.cs);
	EXPECT_EQ(SEL_USER_CODE64, *cpu_gpr(self->cpu, LODGE_RBX));
	EXPECT_EQ(0, event.error);
}

/* STAR: SYSCALL loads CS 8 and SS 16, SYSRET CS 0x1b + 16 and SS 0x1b + 8. */
CODE(syscalls, 64,
     "mov $0xc0000080, %ecx; rdmsr; or $1, %eax; wrmsr;"
     "mov $0xc0000081, %ecx; xor %eax, %eax; mov $0x001b0008, %edx; wrmsr;"
     "mov $0xc0000082, %ecx; mov $" AT(
	     "3f") ", %eax; xor %edx, %edx; wrmsr;"
		   "mov $0xc0000084, %ecx; mov $0x200, %eax; wrmsr;"
		   "mov $" AT(
			   "1f") ", %ecx; mov $0x202, %r11d; sysretq;"
				 "1: mov %cs, %esi; mov $0x55, %ebp; syscall; 2: nop;"
				 "3: mov %cs, %edi; pushf; pop %rbx; sub $" AT(
					 "2b") ", %ecx;" DONE);

TEST_F(modes, syscall_and_sysret_cross_between_the_levels)
{
	cpu_start(self->cpu, LONG64, syscalls);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(SEL_USER_CODE64, *cpu_gpr(self->cpu, LODGE_RSI));
	EXPECT_EQ(SEL_CODE64, *cpu_gpr(self->cpu, LODGE_RDI));
	EXPECT_EQ(0, *cpu_gpr(self->cpu, LODGE_RCX));
	EXPECT_EQ(0, *cpu_gpr(self->cpu, LODGE_RBX) & X86_FLAGS_IF);
	EXPECT_EQ(X86_FLAGS_IF, *cpu_gpr(self->cpu, LODGE_R11) & X86_FLAGS_IF);
}

/* As before, but SYSCALL is switched on when its registers are there. */
CODE(syscalls_on_last, 64,
     "mov $0xc0000081, %ecx; xor %eax, %eax; mov $0x001b0008, %edx; wrmsr;"
     "mov $0xc0000082, %ecx; mov $" AT(
	     "3f") ", %eax; xor %edx, %edx; wrmsr;"
		   "mov $0xc0000084, %ecx; mov $0x200, %eax; wrmsr;"
		   "mov $0xc0000080, %ecx; rdmsr; or $1, %eax; wrmsr;"
		   "mov $" AT("1f") ", %ecx; mov $0x202, %r11d; sysretq;"
				    "1: mov %cs, %esi; mov $0x55, %ebp; syscall;"
				    "3: mov %cs, %edi; pushf; pop %rbx;" DONE);

TEST_F(modes, syscall_has_its_registers_when_it_is_switched_on)
{
	cpu_start(self->cpu, LONG64, syscalls_on_last);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(SEL_USER_CODE64, *cpu_gpr(self->cpu, LODGE_RSI));
	EXPECT_EQ(SEL_CODE64, *cpu_gpr(self->cpu, LODGE_RDI));
	EXPECT_EQ(0, *cpu_gpr(self->cpu, LODGE_RBX) & X86_FLAGS_IF);
}

CODE(long_mode_on, 32,
     "mov %cr4, %eax; or $0x20, %eax; mov %eax, %cr4;"
     "mov $0xc0000080, %ecx; rdmsr; or $0x100, %eax; wrmsr;"
     "mov %cr0, %eax; or $0x80000000, %eax; mov %eax, %cr0;");

TEST_F(modes, a_16_bit_task_does_not_enter_long_mode)
{
	if (!machine_is_intel())
		SKIP(return, "AMD's processors do not look at the task");
	cpu_start(self->cpu, PROT32, long_mode_on);
	self->cpu->run->regs.segments.seg[LODGE_TR].attr = 0x83;
	ASSERT_TRUE(cpu_raises(self->cpu, GP, NULL));
}

CODE(pae_off, 64, "mov %cr4, %rax; and $~0x20, %rax; mov %rax, %cr4;" DONE);

TEST_F(modes, clearing_pae_in_long_mode_faults)
{
	struct guest_event event;

	cpu_start(self->cpu, LONG64, pae_off);
	ASSERT_TRUE(cpu_raises(self->cpu, GP, &event));
	EXPECT_EQ(0, event.error);
}

CODE(pg_off, 64, "mov %cr0, %rax; btr $31, %rax; mov %rax, %cr0;" DONE);

TEST_F(modes, clearing_paging_in_64_bit_code_faults)
{
	cpu_start(self->cpu, LONG64, pg_off);
	ASSERT_TRUE(cpu_raises(self->cpu, GP, NULL));
}

CODE(pg_without_pe, 16,
     "mov %cr0, %eax; or $0x80000000, %eax; mov %eax, %cr0;" DONE);

TEST_F(modes, paging_without_protection_faults)
{
	cpu_start(self->cpu, REAL16, pg_without_pe);
	ASSERT_TRUE(cpu_raises(self->cpu, GP, NULL));
}

CODE(cr4_reserved, 64, "mov %cr4, %rax; bts $31, %rax; mov %rax, %cr4;" DONE);

TEST_F(modes, a_reserved_bit_of_cr4_faults)
{
	cpu_start(self->cpu, LONG64, cr4_reserved);
	ASSERT_TRUE(cpu_raises(self->cpu, GP, NULL));
}

CODE(task_switched, 64,
     "mov %cr0, %rax; or $8, %rax; mov %rax, %cr0; smsw %ebx;"
     "clts; smsw %ecx; mov $0x1a, %eax; lmsw %ax; smsw %edx;"
     "mov $0x10, %eax; lmsw %ax; mov %cr0, %rsi;" DONE);

TEST_F(modes, lmsw_smsw_and_clts_agree_with_cr0)
{
	cpu_start(self->cpu, LONG64, task_switched);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0x19, *cpu_gpr(self->cpu, LODGE_RBX) & 0x1f);
	EXPECT_EQ(0x11, *cpu_gpr(self->cpu, LODGE_RCX) & 0x1f);
	EXPECT_EQ(0x1b, *cpu_gpr(self->cpu, LODGE_RDX) & 0x1f);
	/* LMSW cannot clear PE. */
	EXPECT_EQ(0x11, *cpu_gpr(self->cpu, LODGE_RSI) & 0x1f);
}

CODE(caches_off, 64,
     "mov %cr0, %rax; bts $30, %rax; mov %rax, %cr0; mov %cr0, %rbx;"
     "btr $30, %rax; mov %rax, %cr0; mov %cr0, %rcx; wbinvd; invd;" DONE);

TEST_F(modes, a_guest_sees_its_caches_off_and_on)
{
	cpu_start(self->cpu, LONG64, caches_off);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_TRUE(*cpu_gpr(self->cpu, LODGE_RBX) & 1 << 30);
	EXPECT_FALSE(*cpu_gpr(self->cpu, LODGE_RCX) & 1 << 30);
}

/* A cached descriptor keeps its limit when protection goes off again. */
CODE(unreal, 16,
     "lgdtl %cs:(1f - 0b); mov %cr0, %eax; or $1, %al; mov %eax, %cr0;"
     "mov $0x10, %bx; mov %bx, %ds; and $0xfe, %al; mov %eax, %cr0;"
     "mov $0x300000, %ebx; movl $0x5a5a5a5a, (%ebx);" DONE
     "1: .word 0x6f; .long 0x4000;");

TEST_F(modes, real_mode_with_a_cached_big_segment_reaches_beyond_64_kib)
{
	cpu_start(self->cpu, REAL16, unreal);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0x5a5a5a5a, *machine_u32(&self->m, 0x300000));
}

TEST_HARNESS_MAIN
