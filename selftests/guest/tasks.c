// SPDX-License-Identifier: GPL-2.0
/*
 * Hardware task switches (Intel SDM vol. 3, chapter 8): what they save, load and
 * check, whoever carries them out, the processor or Lodge.
 *
 * A first task, whose TSS is that of the machine, switches to a second one, which
 * begins at OTHER_CODE.
 */
#include "kselftest_harness.h"

#include "task_fixture.h"

CODE(call_twice, 32,
     "mov $0x11111111, %ebx; mov $0x22222222, %edi; lcall $0x68, $0;" DONE
     "lcall $0x68, $0;" DONE);

TEST_F(task, a_call_loads_all_registers_and_an_iret_returns)
{
	begin(self, PROT32, call_twice, return_twice);
	ASSERT_TRUE(cpu_writes(self->cpu, STOPPED));
	EXPECT_EQ(SEL_OTHER, selector_of(self, LODGE_TR));
	EXPECT_EQ(SEL_TSS, self->other->link & 0xffff);
	EXPECT_EQ(FLAGS_NT | FLAGS_ONE, flags_of(self));
	EXPECT_EQ(0xa0a0a0a0, gpr_of(self, LODGE_RAX));
	EXPECT_EQ(0xc0c0c0c0, gpr_of(self, LODGE_RCX));
	EXPECT_EQ(0xd0d0d0d0, gpr_of(self, LODGE_RDX));
	EXPECT_EQ(0xb0b0b0b0, gpr_of(self, LODGE_RBX));
	EXPECT_EQ(OTHER_STACK, gpr_of(self, LODGE_RSP));
	EXPECT_EQ(0xb1b1b1b1, gpr_of(self, LODGE_RBP));
	EXPECT_EQ(0x51515151, gpr_of(self, LODGE_RSI));
	EXPECT_EQ(0xd1d1d1d1, gpr_of(self, LODGE_RDI));
	EXPECT_TRUE(is_busy(self, SEL_TSS));
	EXPECT_TRUE(is_busy(self, SEL_OTHER));
	EXPECT_TRUE(self->cpu->run->regs.control.cr0 & CR0_TS);

	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(SEL_TSS, selector_of(self, LODGE_TR));
	EXPECT_EQ(FLAGS_ONE, flags_of(self));
	EXPECT_EQ(0x11111111, gpr_of(self, LODGE_RBX));
	EXPECT_EQ(0x22222222, gpr_of(self, LODGE_RDI));
	EXPECT_TRUE(is_busy(self, SEL_TSS));
	EXPECT_FALSE(is_busy(self, SEL_OTHER));
	/* NT belongs to the nesting, not to the task that is saved. */
	EXPECT_EQ(FLAGS_ONE, self->other->eflags);

	ASSERT_TRUE(cpu_writes(self->cpu, STOPPED));
	EXPECT_EQ(0x51515152, gpr_of(self, LODGE_RSI));
	ASSERT_TRUE(cpu_done(self->cpu));
}

TEST_F(task, the_old_task_is_saved_with_what_follows_the_call)
{
	begin(self, PROT32, call_twice, return_twice);
	self->cpu->run->regs.general.gpr[LODGE_RBP] = 0x33333333;
	self->cpu->run->regs.segments.seg[LODGE_FS].selector = SEL_USER_DATA;
	ASSERT_TRUE(cpu_writes(self->cpu, STOPPED));
	EXPECT_EQ(GUEST_CODE_BASE + 17, self->main->eip);
	EXPECT_EQ(FLAGS_ONE, self->main->eflags);
	EXPECT_EQ(0x11111111, self->main->ebx);
	EXPECT_EQ(0x22222222, self->main->edi);
	EXPECT_EQ(0x33333333, self->main->ebp);
	EXPECT_EQ(GUEST_STACK - 16, self->main->esp);
	EXPECT_EQ(SEL_CODE32, self->main->cs & 0xffff);
	EXPECT_EQ(SEL_DATA, self->main->ss & 0xffff);
	EXPECT_EQ(SEL_DATA, self->main->ds & 0xffff);
	EXPECT_EQ(SEL_DATA, self->main->es & 0xffff);
	EXPECT_EQ(SEL_USER_DATA, self->main->fs & 0xffff);
	EXPECT_EQ(SEL_DATA, self->main->gs & 0xffff);
}

CODE(jump, 32, "mov $0x11111111, %ebx; ljmp $0x68, $0;" DONE);
CODE(jump_back, 32, STOP "ljmp $0x40, $0;");

TEST_F(task, a_jump_leaves_a_task_that_is_not_busy)
{
	begin(self, PROT32, jump, jump_back);
	ASSERT_TRUE(cpu_writes(self->cpu, STOPPED));
	EXPECT_EQ(SEL_OTHER, selector_of(self, LODGE_TR));
	EXPECT_EQ(FLAGS_ONE, flags_of(self));
	EXPECT_EQ(0, self->other->link);
	EXPECT_FALSE(is_busy(self, SEL_TSS));
	EXPECT_TRUE(is_busy(self, SEL_OTHER));
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0x11111111, gpr_of(self, LODGE_RBX));
	EXPECT_TRUE(is_busy(self, SEL_TSS));
	EXPECT_FALSE(is_busy(self, SEL_OTHER));
}

CODE(call_gate, 32, "lcall $0x78, $0;" DONE);

TEST_F(task, a_call_may_go_through_a_task_gate)
{
	begin(self, PROT32, call_gate, return_twice);
	ASSERT_TRUE(cpu_writes(self->cpu, STOPPED));
	EXPECT_EQ(SEL_OTHER, selector_of(self, LODGE_TR));
	EXPECT_TRUE(flags_of(self) & FLAGS_NT);
	ASSERT_TRUE(cpu_done(self->cpu));
}

CODE(call_by_memory, 32,
     "mov $0x52000, %esi; movw $0x68, 4(%esi); lcall *(%esi);" DONE);

TEST_F(task, a_call_may_find_its_task_in_memory)
{
	begin(self, PROT32, call_by_memory, return_twice);
	ASSERT_TRUE(cpu_writes(self->cpu, STOPPED));
	EXPECT_EQ(SEL_OTHER, selector_of(self, LODGE_TR));
	ASSERT_TRUE(cpu_done(self->cpu));
}

CODE(call_third, 32, "lcall $0xc8, $0;" STOP "iret;");

TEST_F(task, calls_nest)
{
	begin(self, PROT32, call_twice, call_third);
	put_code(&self->m, THIRD_CODE, return_twice);
	ASSERT_TRUE(cpu_writes(self->cpu, STOPPED));
	EXPECT_EQ(SEL_THIRD, selector_of(self, LODGE_TR));
	EXPECT_EQ(SEL_OTHER, self->third->link & 0xffff);
	EXPECT_TRUE(is_busy(self, SEL_TSS));
	EXPECT_TRUE(is_busy(self, SEL_OTHER));
	EXPECT_TRUE(is_busy(self, SEL_THIRD));
	EXPECT_TRUE(self->other->eflags & FLAGS_NT);
	ASSERT_TRUE(cpu_writes(self->cpu, STOPPED));
	EXPECT_EQ(SEL_OTHER, selector_of(self, LODGE_TR));
	EXPECT_FALSE(is_busy(self, SEL_THIRD));
	ASSERT_TRUE(cpu_done(self->cpu));
}

CODE(call16, 32,
     "mov $0x11112222, %ebx; mov $0x44445555, %ebp; lcall $0x70, $0;" DONE);
CODE(return16, 16, STOP "iret;");

TEST_F(task, a_16_bit_task_is_called_from_a_32_bit_one)
{
	begin(self, PROT32, call16, return16);
	ASSERT_TRUE(cpu_writes(self->cpu, STOPPED));
	EXPECT_EQ(SEL_OTHER16, selector_of(self, LODGE_TR));
	EXPECT_EQ(SEL_TSS, self->other16->link);
	EXPECT_EQ(FLAGS_NT | FLAGS_ONE, flags_of(self) & 0xffff);
	EXPECT_EQ(0xa0a0, gpr_of(self, LODGE_RAX) & 0xffff);
	EXPECT_EQ(0xb0b0, gpr_of(self, LODGE_RBX) & 0xffff);
	EXPECT_EQ(0xfff0, gpr_of(self, LODGE_RSP) & 0xffff);
	EXPECT_EQ(SEL_OTHER_CODE16, selector_of(self, LODGE_CS));
	EXPECT_EQ(0x11112222, self->main->ebx);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0x11112222, gpr_of(self, LODGE_RBX));
	EXPECT_EQ(0x44445555, gpr_of(self, LODGE_RBP));
	EXPECT_EQ(0xb0b0, self->other16->bx);
	EXPECT_EQ(3, self->other16->ip);
}

CODE(call32_from16, 16, "mov $0x3333, %si; lcall $0x68, $0;" STOP "iret;");

TEST_F(task, a_16_bit_task_calls_a_32_bit_one)
{
	begin(self, PROT32, call16, call32_from16);
	self->other->eip = THIRD_CODE;
	put_code(&self->m, THIRD_CODE, return_twice);
	ASSERT_TRUE(cpu_writes(self->cpu, STOPPED));
	EXPECT_EQ(SEL_OTHER, selector_of(self, LODGE_TR));
	EXPECT_EQ(SEL_OTHER16, self->other->link & 0xffff);
	EXPECT_EQ(0x3333, self->other16->si);
	EXPECT_EQ(8, self->other16->ip);
	EXPECT_TRUE(self->other16->flags & FLAGS_NT);
	ASSERT_TRUE(cpu_writes(self->cpu, STOPPED));
	EXPECT_EQ(SEL_OTHER16, selector_of(self, LODGE_TR));
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(SEL_TSS, selector_of(self, LODGE_TR));
}

CODE(read_other, 32, "mov 0x40051000, %eax;" STOP "iret;");

static void find_own_memory(struct __test_metadata *_metadata,
			    FIXTURE_DATA(task) * self)
{
	const uint64_t data = 0x00cf92001000ffff;

	*machine_u64(&self->m, OTHER_LDT) = data;
	*machine_u32(&self->m, OTHER_VALUE) = 0x12345678;
	self->other->cr3 = OTHER_TABLES;
	self->other->ldt = SEL_LDT;
	self->other->ds = LDT_DATA;
	ASSERT_TRUE(cpu_writes(self->cpu, STOPPED));
	EXPECT_EQ(0x12345678, gpr_of(self, LODGE_RAX));
	EXPECT_EQ(OTHER_TABLES, self->cpu->run->regs.control.cr3);
	EXPECT_EQ(SEL_LDT, selector_of(self, LODGE_LDTR));
	EXPECT_EQ(LDT_DATA, selector_of(self, LODGE_DS));
	/* A segment that is loaded has been accessed. */
	EXPECT_EQ(data | 1ULL << 40, *machine_u64(&self->m, OTHER_LDT));
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(self->main->cr3, self->cpu->run->regs.control.cr3);
	EXPECT_EQ(0, selector_of(self, LODGE_LDTR));
	EXPECT_EQ(SEL_DATA, selector_of(self, LODGE_DS));
}

TEST_F(task, a_task_has_page_tables_and_an_ldt_of_its_own)
{
	begin(self, PAGED32, call_twice, read_other);
	memcpy(self->m.memory + OTHER_TABLES, self->m.memory + GUEST_PD32,
	       4096);
	*machine_u32(&self->m, OTHER_TABLES + 4 * 256) =
		*machine_u32(&self->m, GUEST_PD32);
	find_own_memory(_metadata, self);
}

TEST_F(task, a_task_has_page_directory_pointers_of_its_own)
{
	begin(self, PAE32, call_twice, read_other);
	memcpy(self->m.memory + OTHER_TABLES, self->m.memory + GUEST_PDPT_PAE,
	       32);
	*machine_u64(&self->m, OTHER_TABLES + 8) =
		*machine_u64(&self->m, GUEST_PDPT_PAE);
	find_own_memory(_metadata, self);
}

CODE(undefined, 32, "mov $0x11111111, %ebx; ud2; nop; nop;" DONE);
CODE(step_over, 32, STOP "addl $2, 0x4820; iret;");

/* The task looks into the TSS of the one that it has interrupted. */
TEST_F(task, an_exception_may_lead_to_a_task)
{
	begin(self, PROT32, undefined, step_over);
	gate_to(self, UD, SEL_OTHER);
	ASSERT_TRUE(cpu_writes(self->cpu, STOPPED));
	EXPECT_EQ(SEL_OTHER, selector_of(self, LODGE_TR));
	EXPECT_EQ(SEL_TSS, self->other->link & 0xffff);
	EXPECT_TRUE(flags_of(self) & FLAGS_NT);
	EXPECT_EQ(GUEST_CODE_BASE + 5, self->main->eip);
	EXPECT_EQ(OTHER_STACK, gpr_of(self, LODGE_RSP));
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0x11111111, gpr_of(self, LODGE_RBX));
}

TEST_F(task, a_fault_is_saved_with_rf)
{
	begin(self, PROT32, undefined, step_over);
	gate_to(self, UD, SEL_OTHER);
	ASSERT_TRUE(cpu_writes(self->cpu, STOPPED));
	EXPECT_TRUE(self->main->eflags & FLAGS_RF);
}

CODE(drop_error, 32, STOP "pop %eax; addl $2, 0x4820; iret;");

TEST_F(task, an_error_code_is_on_the_new_tasks_stack)
{
	begin(self, PROT32, load_beyond, drop_error);
	gate_to(self, GP, SEL_OTHER);
	ASSERT_TRUE(cpu_writes(self->cpu, STOPPED));
	EXPECT_EQ(OTHER_STACK - 4, gpr_of(self, LODGE_RSP));
	EXPECT_EQ(SEL_BEYOND, *machine_u32(&self->m, OTHER_STACK - 4));
	EXPECT_EQ(GUEST_CODE_BASE + 4, self->main->eip);
	ASSERT_TRUE(cpu_done(self->cpu));
}

TEST_F(task, an_error_code_on_the_stack_of_a_16_bit_task_has_16_bits)
{
	begin(self, PROT32, load_beyond, return16);
	gate_to(self, GP, SEL_OTHER16);
	*machine_u32(&self->m, 0xffec) = 0x5a5a5a5a;
	ASSERT_TRUE(cpu_writes(self->cpu, STOPPED));
	EXPECT_EQ(0xffee, gpr_of(self, LODGE_RSP) & 0xffff);
	EXPECT_EQ(SEL_BEYOND << 16 | 0x5a5a, *machine_u32(&self->m, 0xffec));
}

/* As the one of a guest comes again after an exit. */
TEST_F(task, a_double_fault_may_lead_to_a_task)
{
	struct lodge_state state = {
		.groups = LODGE_GROUP_EVENTS,
		.regs.events.flags = LODGE_EVENT_EXCEPTION |
				     LODGE_EVENT_ERROR_CODE,
		.regs.events.exception = DF,
	};

	begin(self, PROT32, call_other, drop_error);
	gate_to(self, DF, SEL_OTHER);
	ASSERT_EQ(0, lodge_state_set(self->cpu->fd, &state));
	ASSERT_TRUE(cpu_writes(self->cpu, STOPPED));
	EXPECT_EQ(SEL_OTHER, selector_of(self, LODGE_TR));
	EXPECT_EQ(GUEST_CODE_BASE, self->main->eip);
	EXPECT_EQ(OTHER_STACK - 4, gpr_of(self, LODGE_RSP));
	EXPECT_EQ(0, *machine_u32(&self->m, OTHER_STACK - 4));
}

CODE(interrupt_itself, 32, "mov $0x11111111, %ebx; int $0x40;" DONE);

TEST_F(task, a_software_interrupt_may_lead_to_a_task)
{
	begin(self, PROT32, interrupt_itself, return_twice);
	gate_to(self, 0x40, SEL_OTHER);
	ASSERT_TRUE(cpu_writes(self->cpu, STOPPED));
	EXPECT_EQ(GUEST_CODE_BASE + 7, self->main->eip);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0x11111111, gpr_of(self, LODGE_RBX));
}

CODE(break_itself, 32, "mov $0x11111111, %ebx; int3;" DONE);

TEST_F(task, a_breakpoint_may_lead_to_a_task)
{
	begin(self, PROT32, break_itself, return_twice);
	gate_to(self, BP, SEL_OTHER);
	ASSERT_TRUE(cpu_writes(self->cpu, STOPPED));
	EXPECT_EQ(GUEST_CODE_BASE + 6, self->main->eip);
	ASSERT_TRUE(cpu_done(self->cpu));
}

TEST_F(task, an_interrupt_may_lead_to_a_task_and_comes_once)
{
	begin(self, PROT32, wait_open, return_twice);
	gate_to(self, 0x40, SEL_OTHER);
	ASSERT_EQ(0, switch_apic_on(self->cpu));
	ASSERT_TRUE(cpu_writes(self->cpu, 0x81));
	ASSERT_EQ(0, machine_msi(&self->m, 0, 0x40));
	ASSERT_TRUE(cpu_writes(self->cpu, STOPPED));
	EXPECT_EQ(SEL_OTHER, selector_of(self, LODGE_TR));
	EXPECT_FALSE(flags_of(self) & X86_FLAGS_IF);
	EXPECT_TRUE(self->main->eflags & X86_FLAGS_IF);
	ASSERT_TRUE(cpu_done(self->cpu));
}

CODE(wait_nmi, 32, "out %al, $0x81; nop; nop; nop; nop;" DONE);
CODE(handle_nmis, 32, STOP STOP "iret; " STOP "iret;");

TEST_F(task, a_task_that_handles_an_nmi_gets_the_next_one_after_its_iret)
{
	ASSERT_TRUE(cpu_unblock_nmis(self->cpu));
	begin(self, PROT32, wait_nmi, handle_nmis);
	gate_to(self, NMI, SEL_OTHER);
	ASSERT_TRUE(cpu_writes(self->cpu, 0x81));
	ASSERT_EQ(0, lodge_nmi(self->cpu->fd));
	ASSERT_TRUE(cpu_writes(self->cpu, STOPPED));
	EXPECT_EQ(SEL_OTHER, selector_of(self, LODGE_TR));
	ASSERT_EQ(0, lodge_nmi(self->cpu->fd));
	ASSERT_TRUE(cpu_writes(self->cpu, STOPPED));
	ASSERT_TRUE(cpu_writes(self->cpu, STOPPED));
	EXPECT_EQ(SEL_OTHER, selector_of(self, LODGE_TR));
	ASSERT_TRUE(cpu_done(self->cpu));
}

TEST_F(task, the_t_flag_traps_before_the_first_instruction)
{
	struct guest_event event;

	begin(self, PROT32, call_twice, return_twice);
	self->other->trap = 1;
	ASSERT_TRUE(cpu_raises(self->cpu, DB, &event));
	EXPECT_EQ(OTHER_CODE, event.rip);
	EXPECT_TRUE(event.rflags & FLAGS_NT);
	EXPECT_FALSE(event.rflags & FLAGS_RF);
	EXPECT_EQ(SEL_OTHER, selector_of(self, LODGE_TR));
	EXPECT_TRUE(self->cpu->run->regs.debug.dr6 & DR6_BT);
	ASSERT_TRUE(cpu_writes(self->cpu, STOPPED));
}

CODE(arm_and_call, 32,
     "mov $0x103, %eax; mov %eax, %dr7; lcall $0x68, $0;" DONE);

TEST_F(task, local_breakpoints_are_those_of_one_task)
{
	begin(self, PROT32, arm_and_call, return_twice);
	ASSERT_TRUE(cpu_writes(self->cpu, STOPPED));
	EXPECT_EQ(DR7_GLOBAL,
		  self->cpu->run->regs.debug.dr7 & (DR7_GLOBAL | DR7_LOCAL));
}

CODE(interrupt16, 16, "int $0x80;");

TEST_F(task, a_task_may_be_in_virtual_8086_mode)
{
	struct guest_event event;

	begin(self, PROT32, call_twice, interrupt16);
	self->other->eflags |= FLAGS_VM | FLAGS_IOPL;
	self->other->cs = OTHER_CODE >> 4;
	self->other->eip = 0;
	self->other->ss = 0x3000;
	self->other->ds = 0x1234;
	self->other->es = self->other->fs = self->other->gs = 0;
	ASSERT_TRUE(cpu_raises(self->cpu, 0x80, &event));
	EXPECT_EQ(2, event.rip);
	EXPECT_EQ(OTHER_CODE >> 4, event.cs);
	EXPECT_EQ(FLAGS_VM | FLAGS_IOPL,
		  event.rflags & (FLAGS_VM | FLAGS_IOPL));
	EXPECT_EQ(SEL_OTHER, selector_of(self, LODGE_TR));
}

TEST_HARNESS_MAIN
