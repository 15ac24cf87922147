// SPDX-License-Identifier: GPL-2.0
/*
 * Exceptions: their vectors, error codes and return addresses, and those that
 * come on top of each other.
 */
#include <sys/mman.h>

#include "kselftest_harness.h"

#include "guest.h"

FIXTURE(exception)
{
	struct machine m;
	struct guest_cpu *cpu;
};

/* The offset of the return address is that of label 9. */
FIXTURE_VARIANT(exception)
{
	const struct guest_code *code;
	enum guest_mode mode;
	unsigned int vector;
	uint64_t error;
	const char *start;
	const char *at;
};

FIXTURE_SETUP(exception)
{
	machine_create(&self->m, 1);
	self->cpu = &self->m.cpu[0];
}

FIXTURE_TEARDOWN(exception)
{
}

TEST_F(exception, has_the_right_vector_error_code_and_address)
{
	struct guest_event event;

	cpu_start(self->cpu, variant->mode, *variant->code);
	ASSERT_TRUE(cpu_raises(self->cpu, variant->vector, &event));
	EXPECT_EQ(variant->error, event.error);
	EXPECT_EQ(GUEST_CODE_BASE + (variant->at - variant->start), event.rip);
}

/* Before the label runs unharmed; at the label is what RIP points at. */
#define ROW(name, bits, where, number, code_error, before, after)           \
	extern const char name##_at[];                                      \
	CODE(name, bits, before #name "_at:" after DONE);                   \
	FIXTURE_VARIANT_ADD(exception, name)                                \
	{                                                                   \
		.code = &name, .mode = where, .vector = number,             \
		.error = code_error, .start = name##_start, .at = name##_at \
	}

ROW(division_by_zero, 64, LONG64, DE, 0, "xor %ecx, %ecx;", "div %ecx;");
ROW(division_overflow, 32, PROT32, DE, 0, "mov $1, %edx; mov $1, %ecx;",
    "div %ecx;");
ROW(breakpoint, 64, LONG64, BP, 0, "int3;", "nop;");
ROW(overflow, 32, PROT32, OF, 0, "mov $0x7f, %al; inc %al; into;", "nop;");
ROW(software_interrupt, 64, LONG64, 0x80, 0, "int $0x80;", "nop;");
ROW(bound_range, 32, PROT32, BR, 0,
    "mov $0x50000, %edi; movl $1, (%edi); movl $2, 4(%edi); mov $3, %eax;",
    "bound %eax, (%edi);");
ROW(undefined_opcode, 64, LONG64, UD, 0, "", "ud2;");
ROW(undefined_in_long_mode, 64, LONG64, UD, 0, "", ".byte 0x06;");
ROW(vmrun_without_svm, 64, LONG64, UD, 0, "", "vmrun;");
ROW(vmsave_without_svm, 64, LONG64, UD, 0, "", "vmsave;");
ROW(vmload_without_svm, 64, LONG64, UD, 0, "", "vmload;");
ROW(stgi_without_svm, 64, LONG64, UD, 0, "", "stgi;");
ROW(clgi_without_svm, 64, LONG64, UD, 0, "", "clgi;");
ROW(invlpga_without_svm, 64, LONG64, UD, 0, "", "invlpga;");
ROW(skinit_without_svm, 64, LONG64, UD, 0, "mov $0x50000, %eax;", "skinit;");
ROW(monitor_is_not_offered, 64, LONG64, UD, 0, "mov $0x50000, %eax;",
    "monitor;");
ROW(mwait_is_not_offered, 64, LONG64, UD, 0, "xor %ecx, %ecx;", "mwait;");
ROW(device_not_available, 64, LONG64, NM, 0,
    "mov %cr0, %rax; or $8, %rax; mov %rax, %cr0;", "fld1;");
ROW(absent_segment, 64, LONG64, NP, SEL_ABSENT, "mov $0x50, %eax;",
    "mov %eax, %ds;");
ROW(absent_stack, 32, PROT32, SS, SEL_ABSENT, "mov $0x50, %eax;",
    "mov %eax, %ss;");
ROW(null_stack, 32, PROT32, GP, 0, "xor %eax, %eax;", "mov %eax, %ss;");
ROW(selector_beyond_the_table, 64, LONG64, GP, 0xf8, "mov $0xf8, %eax;",
    "mov %eax, %ds;");
ROW(noncanonical_address, 64, LONG64, GP, 0, "movabs $1 << 62, %rax;",
    "mov (%rax), %ebx;");
ROW(misaligned_sse_operand, 64, LONG64, GP, 0, "mov $0x50004, %eax;",
    "movaps (%rax), %xmm0;");
ROW(x87_error, 64, LONG64, MF, 0,
    "mov %cr0, %rax; or $0x20, %rax; mov %rax, %cr0; fninit;"
    "push $0x37b; fldcw (%rsp); fld1; fldz; fdivrp;",
    "fwait;");
ROW(reserved_bits_of_cr0, 64, LONG64, GP, 0, "mov %cr0, %rax; bts $40, %rax;",
    "mov %rax, %cr0;");
ROW(reserved_bits_of_dr7, 64, LONG64, GP, 0, "xor %eax, %eax; bts $40, %rax;",
    "mov %rax, %dr7;");
ROW(xsetbv_without_osxsave, 64, LONG64, UD, 0, "mov $1, %eax;", "xsetbv;");
ROW(unknown_msr, 32, PROT32, GP, 0, "mov $0x12345678, %ecx;", "rdmsr;");

/* The rest is not of one form. */
FIXTURE(events)
{
	struct machine m;
	struct guest_cpu *cpu;
};

FIXTURE_SETUP(events)
{
	machine_create(&self->m, 1);
	self->cpu = &self->m.cpu[0];
}

FIXTURE_TEARDOWN(events)
{
}

CODE(user_divide, 64,
     "push $0x23; push $0x30000; push $2; push $0x2b; push $" AT(
	     "1f") ";"
		   "iretq; 1: xor %ecx, %ecx; div %ecx;");

TEST_F(events, an_exception_at_level_3_switches_to_the_stack_of_the_tss)
{
	struct guest_event event;

	cpu_start(self->cpu, LONG64, user_divide);
	ASSERT_TRUE(cpu_raises(self->cpu, DE, &event));
	EXPECT_EQ(SEL_USER_CODE64, event.cs);
	EXPECT_EQ(GUEST_STACK0 - 6 * 8, *cpu_gpr(self->cpu, LODGE_RSP));
}

CODE(undefined, 64, "ud2;");

TEST_F(events, a_gate_with_a_stack_of_its_own_switches_to_it)
{
	cpu_start(self->cpu, LONG64, undefined);
	machine_gate(&self->m, LONG64, UD, GUEST_STUB64 + UD * 16, 1);
	ASSERT_TRUE(cpu_raises(self->cpu, UD, NULL));
	EXPECT_EQ(GUEST_STACK_IST - 6 * 8, *cpu_gpr(self->cpu, LODGE_RSP));
}

CODE(skipped, 64, "ud2; mov $8, %ebx;" DONE);

TEST_F(events, a_handler_returns_behind_the_instruction_when_it_says_so)
{
	cpu_start(self->cpu, LONG64, skipped);
	ASSERT_TRUE(cpu_raises(self->cpu, UD, NULL));
	*machine_u64(&self->m, *cpu_gpr(self->cpu, LODGE_RSP) + 8) += 2;
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(8, *cpu_gpr(self->cpu, LODGE_RBX));
}

CODE(misaligned, 64,
     "mov %cr0, %rax; bts $18, %rax; mov %rax, %cr0;"
     "push $0x23; push $0x30000; push $0x40002; push $0x2b;"
     "push $" AT("1f") "; iretq; 1: mov 0x50001, %eax; hlt;");

TEST_F(events, the_alignment_check_flag_survives_an_exit_at_level_3)
{
	const unsigned int flag = 1 << 18;

	/* Emulators do not check alignment: the access may succeed. */
	cpu_start(self->cpu, LONG64, misaligned);
	ASSERT_TRUE(cpu_writes(self->cpu, EVENT_PORT));
	EXPECT_EQ(flag, *machine_u64(&self->m, GUEST_STACK0 - 3 * 8) & flag);
}

/* The first event brings the IDT into the nested tables. */
CODE(divide, 64, "int $0x80; xor %ecx, %ecx; div %ecx;");

TEST_F(events, a_fault_of_the_guests_whose_gate_is_absent_is_a_double_fault)
{
	cpu_start(self->cpu, LONG64, divide);
	ASSERT_TRUE(cpu_raises(self->cpu, 0x80, NULL));
	*machine_u64(&self->m, GUEST_IDT + DE * 16) &= ~(1ULL << 47);
	ASSERT_TRUE(cpu_raises(self->cpu, DF, NULL));
}

TEST_F(events, an_undefined_opcode_whose_gate_is_absent_is_not)
{
	cpu_start(self->cpu, LONG64, undefined);
	*machine_u64(&self->m, GUEST_IDT + UD * 16) &= ~(1ULL << 47);
	ASSERT_TRUE(cpu_raises(self->cpu, NP, NULL));
}

/* The stack page is not in the nested tables when the event pushes to it. */
TEST_F(events, an_exception_is_delivered_on_a_stack_the_host_has_taken)
{
	struct guest_event event;

	cpu_start(self->cpu, LONG64, undefined);
	*cpu_gpr(self->cpu, LODGE_RSP) = 0x301000;
	ASSERT_EQ(0, madvise(self->m.memory + 0x300000, 4096, MADV_DONTNEED));
	ASSERT_TRUE(cpu_raises(self->cpu, UD, &event));
	EXPECT_EQ(GUEST_CODE_BASE, event.rip);
}

CODE(interrupt, 64, "int $0x80; mov $3, %ebx;" DONE);

TEST_F(events, int_n_is_delivered_once_on_a_stack_the_host_has_taken)
{
	struct guest_event event;

	cpu_start(self->cpu, LONG64, interrupt);
	*cpu_gpr(self->cpu, LODGE_RSP) = 0x301000;
	ASSERT_EQ(0, madvise(self->m.memory + 0x300000, 4096, MADV_DONTNEED));
	ASSERT_TRUE(cpu_raises(self->cpu, 0x80, &event));
	EXPECT_EQ(GUEST_CODE_BASE + 2, event.rip);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(3, *cpu_gpr(self->cpu, LODGE_RBX));
}

CODE(touch, 64, "mov 0x203000, %eax;");

TEST_F(events, a_page_fault_is_delivered_on_a_stack_the_host_has_taken)
{
	struct guest_event event;

	cpu_start(self->cpu, LONG64, touch);
	*machine_u64(&self->m, GUEST_PT + 3 * 8) = 0;
	*cpu_gpr(self->cpu, LODGE_RSP) = 0x301000;
	ASSERT_EQ(0, madvise(self->m.memory + 0x300000, 4096, MADV_DONTNEED));
	ASSERT_TRUE(cpu_raises(self->cpu, PF, &event));
	EXPECT_EQ(0, event.error);
	EXPECT_EQ(0x203000, self->cpu->run->regs.control.cr2);
}

/* Bit 16 of RFLAGS is RF. */
#define RESUME (1 << 16)

CODE(refused, 64, "mov $0x12345678, %ecx; rdmsr;");

TEST_F(events, a_fault_that_lodge_raises_has_the_resume_flag)
{
	struct guest_event event;

	cpu_start(self->cpu, LONG64, refused);
	ASSERT_TRUE(cpu_raises(self->cpu, GP, &event));
	EXPECT_EQ(RESUME, event.rflags & RESUME);
}

CODE(stepped, 64,
     "push $0x102; popf; out %al, $0x80; push $2; popf; nop;" DONE);

TEST_F(events, a_trap_that_lodge_raises_has_no_resume_flag)
{
	struct guest_event event;

	cpu_start(self->cpu, LONG64, stepped);
	ASSERT_TRUE(cpu_writes(self->cpu, 0x80));
	ASSERT_TRUE(cpu_raises(self->cpu, DB, &event));
	EXPECT_EQ(0, event.rflags & RESUME);
}

CODE(nothing, 64, "nop;" DONE);

TEST_F(events, an_exception_set_by_the_caller_is_delivered)
{
	struct guest_event event;

	cpu_start(self->cpu, LONG64, nothing);
	self->cpu->run->regs.events.flags = LODGE_EVENT_EXCEPTION |
					    LODGE_EVENT_ERROR_CODE;
	self->cpu->run->regs.events.exception = GP;
	self->cpu->run->regs.events.error_code = 0x58;
	self->cpu->run->load |= LODGE_GROUP_EVENTS;
	ASSERT_TRUE(cpu_raises(self->cpu, GP, &event));
	EXPECT_EQ(0x58, event.error);
	EXPECT_EQ(GUEST_CODE_BASE, event.rip);
	ASSERT_TRUE(cpu_done(self->cpu));
}

/* Nobody has touched the stack yet: the host's page comes in the delivery. */
TEST_F(events, a_trap_set_by_the_caller_survives_a_fault_in_its_delivery)
{
	static const uint8_t traps[] = { BP, OF };
	struct guest_event event;
	size_t i;

	for (i = 0; i < sizeof(traps); i++) {
		cpu_start(self->cpu, LONG64, nothing);
		ASSERT_EQ(0, madvise(self->m.memory + GUEST_STACK - 0x1000,
				     0x1000, MADV_DONTNEED));
		self->cpu->run->regs.events.flags = LODGE_EVENT_EXCEPTION;
		self->cpu->run->regs.events.exception = traps[i];
		self->cpu->run->load |= LODGE_GROUP_EVENTS;
		ASSERT_TRUE(cpu_raises(self->cpu, traps[i], &event));
		EXPECT_EQ(GUEST_CODE_BASE, event.rip);
		ASSERT_TRUE(cpu_done(self->cpu));
	}
}

TEST_HARNESS_MAIN
