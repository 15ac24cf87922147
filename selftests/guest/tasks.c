// SPDX-License-Identifier: GPL-2.0
/*
 * Hardware task switches (Intel SDM vol. 3, chapter 8): what they save, load and
 * check, whoever carries them out, the processor or Lodge.
 *
 * A first task, whose TSS is that of the machine, switches to a second one, which
 * begins at OTHER_CODE.
 */
#include <string.h>

#include "kselftest_harness.h"

#include "machine.h"

#define OWN_GDT 0x50000
#define OTHER_TSS 0x51000
#define OTHER_TSS16 0x51200
#define OTHER_LDT 0x51400
#define THIRD_TSS 0x51600
#define OTHER_VALUE 0x52000
#define OTHER_STACK0 0x56000
#define OTHER_STACK 0x57000
#define OTHER_CODE 0x58000
#define THIRD_CODE 0x59000
#define OTHER_TABLES 0x5c000 /* a page directory, or page-directory pointers */

/* Selectors of OWN_GDT, behind those of the machine. */
#define SEL_OTHER 0x68
#define SEL_OTHER16 0x70
#define SEL_TASK_GATE 0x78
#define SEL_LDT 0x80
#define SEL_OTHER_CODE16 0x88
#define SEL_ABSENT_CODE 0x90
#define SEL_ABSENT_TSS 0x98
#define SEL_SHORT_TSS 0xa0
#define SEL_ABSENT_LDT 0xa8
#define SEL_CONFORMING 0xb0
#define SEL_EXECUTE_ONLY 0xb8
#define SEL_ABSENT_USER 0xc0
#define SEL_THIRD 0xc8
#define SEL_BEYOND 0x7f8
#define GDT_SIZE 0xd0
#define LDT_DATA 0x04 /* the LDT's first descriptor */

#define USER 3
#define EXT 1

#define FLAGS_ONE 0x2
#define FLAGS_NT (1U << 14)
#define FLAGS_RF (1U << 16)
#define FLAGS_VM (1U << 17)
#define FLAGS_IOPL 0x3000U
#define CR0_TS 8
#define DR6_BT (1U << 15)
#define DR7_GLOBAL 0x2U
#define DR7_LOCAL 0x101U
#define TYPE_BUSY 2

struct tss32 {
	uint32_t link;
	uint32_t esp0, ss0, esp1, ss1, esp2, ss2;
	uint32_t cr3, eip, eflags;
	uint32_t eax, ecx, edx, ebx, esp, ebp, esi, edi;
	uint32_t es, cs, ss, ds, fs, gs;
	uint32_t ldt;
	uint16_t trap, iomap;
};

struct tss16 {
	uint16_t link;
	uint16_t sp0, ss0, sp1, ss1, sp2, ss2;
	uint16_t ip, flags;
	uint16_t ax, cx, dx, bx, sp, bp, si, di;
	uint16_t es, cs, ss, ds;
	uint16_t ldt;
};

static uint64_t system_segment(uint64_t base, uint64_t limit, uint64_t attr)
{
	return (limit & 0xffff) | (base & 0xffffff) << 16 | attr << 40 |
	       (base >> 24 & 0xff) << 56;
}

FIXTURE(task)
{
	struct machine m;
	struct guest_cpu *cpu;
	uint64_t *gdt;
	struct tss32 *main;
	struct tss32 *other;
	struct tss32 *third;
	struct tss16 *other16;
};

FIXTURE_SETUP(task)
{
	machine_create(&self->m, 1);
	self->cpu = &self->m.cpu[0];
	self->gdt = machine_u64(&self->m, OWN_GDT);
	self->main = (void *)machine_u32(&self->m, GUEST_TSS);
	self->other = (void *)machine_u32(&self->m, OTHER_TSS);
	self->third = (void *)machine_u32(&self->m, THIRD_TSS);
	self->other16 = (void *)machine_u32(&self->m, OTHER_TSS16);
}

FIXTURE_TEARDOWN(task)
{
}

static void fill_gdt(FIXTURE_DATA(task) * self)
{
	uint64_t *gdt = self->gdt;

	memcpy(gdt, machine_u64(&self->m, GUEST_GDT), GDT_SIZE);
	gdt[SEL_TSS / 8] = system_segment(GUEST_TSS, 0x67, 0x8b);
	gdt[SEL_OTHER / 8] = system_segment(OTHER_TSS, 0x67, 0x89);
	gdt[SEL_OTHER16 / 8] = system_segment(OTHER_TSS16, 0x2b, 0x81);
	gdt[SEL_TASK_GATE / 8] = system_segment(SEL_OTHER, 0, 0x85);
	gdt[SEL_LDT / 8] = system_segment(OTHER_LDT, 0xf, 0x82);
	gdt[SEL_OTHER_CODE16 / 8] = system_segment(OTHER_CODE, 0xffff, 0x9b);
	gdt[SEL_ABSENT_CODE / 8] = 0x00cf7b000000ffff;
	gdt[SEL_ABSENT_TSS / 8] = system_segment(OTHER_TSS, 0x67, 0x09);
	gdt[SEL_SHORT_TSS / 8] = system_segment(OTHER_TSS, 0x66, 0x89);
	gdt[SEL_ABSENT_LDT / 8] = system_segment(OTHER_LDT, 0xf, 0x02);
	gdt[SEL_CONFORMING / 8] = 0x00cf9e000000ffff;
	gdt[SEL_EXECUTE_ONLY / 8] = 0x00cff9000000ffff;
	gdt[SEL_ABSENT_USER / 8] = 0x00cf73000000ffff;
	gdt[SEL_THIRD / 8] = system_segment(THIRD_TSS, 0x67, 0x89);
}

static void fill_tss(struct tss32 *tss, uint32_t cr3, uint32_t eip)
{
	*tss = (struct tss32){
		.esp0 = OTHER_STACK0,
		.ss0 = SEL_DATA,
		.cr3 = cr3,
		.eip = eip,
		.eflags = FLAGS_ONE,
		.eax = 0xa0a0a0a0,
		.ecx = 0xc0c0c0c0,
		.edx = 0xd0d0d0d0,
		.ebx = 0xb0b0b0b0,
		.esp = OTHER_STACK,
		.ebp = 0xb1b1b1b1,
		.esi = 0x51515151,
		.edi = 0xd1d1d1d1,
		.es = SEL_DATA,
		.cs = SEL_CODE32,
		.ss = SEL_DATA,
		.ds = SEL_DATA,
		.fs = SEL_DATA,
		.gs = SEL_DATA,
		.iomap = sizeof(*tss),
	};
}

static void fill_tss16(struct tss16 *tss)
{
	*tss = (struct tss16){
		.flags = FLAGS_ONE,
		.ax = 0xa0a0,
		.bx = 0xb0b0,
		.sp = 0xfff0,
		.cs = SEL_OTHER_CODE16,
		.ss = SEL_DATA16,
		.ds = SEL_DATA16,
		.es = SEL_DATA16,
	};
}

static void put_code(struct machine *m, uint64_t gpa, struct guest_code code)
{
	memcpy(m->memory + gpa, code.start, code.end - code.start);
}

/* Both tasks at level 0; what is in the TSSs is then the test's to change. */
static void begin(FIXTURE_DATA(task) * self, enum guest_mode mode,
		  struct guest_code code, struct guest_code other)
{
	struct lodge_regs *regs = &self->cpu->run->regs;

	cpu_start(self->cpu, mode, code);
	fill_gdt(self);
	regs->segments.gdt.base = OWN_GDT;
	regs->segments.gdt.limit = GDT_SIZE - 1;
	fill_tss(self->other, regs->control.cr3, OTHER_CODE);
	fill_tss(self->third, regs->control.cr3, THIRD_CODE);
	fill_tss16(self->other16);
	self->main->cr3 = regs->control.cr3;
	put_code(&self->m, OTHER_CODE, other);
}

/* The other task at level 3, whose faults find a stack. */
static void make_user(FIXTURE_DATA(task) * self)
{
	struct tss32 *tss = self->other;

	tss->eflags |= FLAGS_IOPL;
	tss->cs = SEL_USER_CODE32;
	tss->ss = tss->ds = tss->es = tss->fs = tss->gs = SEL_USER_DATA;
}

/* Let an event lead to a task. */
static void gate_to(FIXTURE_DATA(task) * self, unsigned int vector,
		    uint16_t selector)
{
	*machine_u64(&self->m, GUEST_IDT + vector * 8) =
		system_segment(selector, 0, 0xe5);
}

static bool is_busy(FIXTURE_DATA(task) * self, uint16_t selector)
{
	return self->gdt[selector / 8] >> 40 & TYPE_BUSY;
}

static uint16_t selector_of(FIXTURE_DATA(task) * self, enum lodge_seg seg)
{
	return self->cpu->run->regs.segments.seg[seg].selector;
}

static uint32_t flags_of(FIXTURE_DATA(task) * self)
{
	return self->cpu->run->regs.general.rflags;
}

static uint32_t gpr_of(FIXTURE_DATA(task) * self, enum lodge_gpr reg)
{
	return *cpu_gpr(self->cpu, reg);
}

#define STOP "out %al, $0x80;"
#define STOPPED 0x80

CODE(call_twice, 32,
     "mov $0x11111111, %ebx; mov $0x22222222, %edi; lcall $0x68, $0;" DONE
     "lcall $0x68, $0;" DONE);
CODE(return_twice, 32, STOP "iret; inc %esi; " STOP "iret;");

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
	/* What is loaded has been accessed. */
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

CODE(call_other, 32, "lcall $0x68, $0;" DONE);

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

CODE(load_beyond, 32, "mov $0x7fb, %ax; mov %ax, %es;" DONE);
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

CODE(wait_open, 32, "out %al, $0x81; sti; nop; nop; nop; cli;" DONE);

/* The APIC is on, and takes messages. */
static int switch_apic_on(struct guest_cpu *cpu)
{
	struct lodge_lapic lapic;
	struct lodge_state state = {
		.groups = LODGE_GROUP_LAPIC,
		.lapic = (uintptr_t)&lapic,
		.lapic_size = sizeof(struct lodge_lapic),
	};
	const uint32_t spurious = 0x1ff;
	int error = lodge_state_get(cpu->fd, &state);

	memcpy(lapic.regs + 0xf0, &spurious, sizeof(spurious));
	return error ? error : lodge_state_set(cpu->fd, &state);
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

/*
 * Faults.  In the old task nothing has changed; in the new one the handler finds
 * it as its TSS has it.
 */
static void fault_in_old(struct __test_metadata *_metadata,
			 FIXTURE_DATA(task) * self, unsigned int vector,
			 uint32_t error, uint64_t rip)
{
	struct guest_event event;

	ASSERT_TRUE(cpu_raises(self->cpu, vector, &event));
	EXPECT_EQ(error, event.error);
	EXPECT_EQ(rip, event.rip);
	EXPECT_EQ(SEL_TSS, selector_of(self, LODGE_TR));
	EXPECT_TRUE(is_busy(self, SEL_TSS));
	EXPECT_FALSE(self->cpu->run->regs.control.cr0 & CR0_TS);
}

CODE(call_absent, 32, "lcall $0x98, $0;" DONE);

TEST_F(task, a_tss_that_is_not_present_faults_in_the_old_task)
{
	begin(self, PROT32, call_absent, return_twice);
	fault_in_old(_metadata, self, NP, SEL_ABSENT_TSS, GUEST_CODE_BASE);
}

CODE(call_short, 32, "lcall $0xa0, $0;" DONE);

TEST_F(task, a_tss_that_is_too_short_faults_in_the_old_task)
{
	begin(self, PROT32, call_short, return_twice);
	fault_in_old(_metadata, self, TS, SEL_SHORT_TSS, GUEST_CODE_BASE);
}

CODE(call_itself, 32, "lcall $0x40, $0;" DONE);

TEST_F(task, a_busy_tss_cannot_be_called)
{
	begin(self, PROT32, call_itself, return_twice);
	fault_in_old(_metadata, self, GP, SEL_TSS, GUEST_CODE_BASE);
}

CODE(return_to_nobody, 32, "pushf; orl $0x4000, (%esp); popf; 9: iret;" DONE);

TEST_F(task, an_iret_to_a_tss_that_is_not_busy_is_an_invalid_tss)
{
	begin(self, PROT32, return_to_nobody, return_twice);
	self->main->link = SEL_OTHER;
	fault_in_old(_metadata, self, TS, SEL_OTHER, GUEST_CODE_BASE + 9);
}

TEST_F(task, a_tss_on_an_absent_page_faults_in_the_old_task)
{
	begin(self, PAGED32, call_other, return_twice);
	self->gdt[SEL_OTHER / 8] = system_segment(0x400000, 0x67, 0x89);
	*machine_u32(&self->m, GUEST_PD32 + 4) = 0;
	fault_in_old(_metadata, self, PF, 0, GUEST_CODE_BASE);
	EXPECT_EQ(0x400000, self->cpu->run->regs.control.cr2 & ~0xfffULL);
	EXPECT_FALSE(is_busy(self, SEL_OTHER));
}

TEST_F(task, a_tss_where_there_is_no_memory_ends_the_run)
{
	int reason;

	begin(self, PROT32, call_other, return_twice);
	self->gdt[SEL_OTHER / 8] = system_segment(GUEST_HOLE, 0x67, 0x89);
	reason = cpu_run(self->cpu);
	/* A processor that switches by itself meets the device by itself. */
	EXPECT_TRUE(reason == LODGE_EXIT_TASK_SWITCH ||
		    reason == LODGE_EXIT_CANNOT_EMULATE);
}

FIXTURE(new_task)
{
	FIXTURE_DATA(task) task;
};

FIXTURE_VARIANT(new_task)
{
	size_t field;
	uint32_t value;
	unsigned int vector;
	uint32_t error;
};

FIXTURE_SETUP(new_task)
{
	task_setup(_metadata, &self->task, NULL);
}

FIXTURE_TEARDOWN(new_task)
{
}

static void spoil(FIXTURE_DATA(task) * self, size_t field, uint32_t value)
{
	make_user(self);
	memcpy((char *)self->other + field, &value, sizeof(value));
}

TEST_F(new_task, has_the_fault_of_its_segments)
{
	FIXTURE_DATA(task) *task = &self->task;
	struct guest_event event;

	begin(task, PROT32, call_other, return_twice);
	spoil(task, variant->field, variant->value);
	ASSERT_TRUE(cpu_raises(task->cpu, variant->vector, &event));
	EXPECT_EQ(variant->error, event.error);
	EXPECT_EQ(OTHER_CODE, event.rip);
	EXPECT_EQ(task->other->cs & 0xffff, event.cs & 0xffff);
	EXPECT_EQ(SEL_OTHER, selector_of(task, LODGE_TR));
	EXPECT_TRUE(event.rflags & FLAGS_NT);
	EXPECT_TRUE(is_busy(task, SEL_OTHER));
	EXPECT_EQ(GUEST_CODE_BASE + 7, task->main->eip);
}

#define SPOILED(name, what, selector, number, code)                         \
	FIXTURE_VARIANT_ADD(new_task, name)                                 \
	{                                                                   \
		.field = offsetof(struct tss32, what), .value = (selector), \
		.vector = (number), .error = (code)                         \
	}

SPOILED(ldt_of_another_type, ldt, SEL_DATA, TS, SEL_DATA);
SPOILED(ldt_in_the_ldt, ldt, SEL_LDT | 4, TS, SEL_LDT | 4);
SPOILED(ldt_beyond_the_table, ldt, SEL_BEYOND, TS, SEL_BEYOND);
SPOILED(ldt_that_is_absent, ldt, SEL_ABSENT_LDT, TS, SEL_ABSENT_LDT);
SPOILED(null_cs, cs, 0 | USER, TS, 0);
SPOILED(cs_of_data, cs, SEL_USER_DATA, TS, SEL_USER_DATA & ~USER);
SPOILED(cs_of_another_level, cs, SEL_CODE32 | USER, TS, SEL_CODE32);
SPOILED(cs_beyond_the_table, cs, SEL_BEYOND | USER, TS, SEL_BEYOND);
SPOILED(cs_that_is_absent, cs, SEL_ABSENT_CODE | USER, NP, SEL_ABSENT_CODE);
SPOILED(null_ss, ss, 0 | USER, TS, 0);
SPOILED(ss_of_code, ss, SEL_USER_CODE32, TS, SEL_USER_CODE32 & ~USER);
SPOILED(ss_of_another_level, ss, SEL_DATA | USER, TS, SEL_DATA);
SPOILED(ss_with_another_rpl, ss, SEL_USER_DATA & ~USER, TS,
	SEL_USER_DATA & ~USER);
SPOILED(ss_that_is_absent, ss, SEL_ABSENT_USER | USER, SS, SEL_ABSENT_USER);
SPOILED(ds_of_another_level, ds, SEL_DATA | USER, TS, SEL_DATA);
SPOILED(ds_that_is_execute_only, ds, SEL_EXECUTE_ONLY | USER, TS,
	SEL_EXECUTE_ONLY);
SPOILED(es_that_is_absent, es, SEL_ABSENT_USER | USER, NP, SEL_ABSENT_USER);
SPOILED(fs_beyond_the_table, fs, SEL_BEYOND | USER, TS, SEL_BEYOND);
SPOILED(fs_in_the_ldt_without_one, fs, LDT_DATA | USER, TS, LDT_DATA);
SPOILED(gs_of_a_tss, gs, SEL_TSS | USER, TS, SEL_TSS);

/*
 * Who may switch (Intel SDM vol. 3, sections 7.2.5 and 8.3; AMD APM vol. 2, chapter
 * 12): the rights are those of a gate where there is one, and of the TSS where there is
 * none.  Interrupts and faults need none.
 */
FIXTURE(rights)
{
	FIXTURE_DATA(task) task;
};

FIXTURE_VARIANT(rights)
{
	const struct guest_code *code;
	unsigned int level; /* at which it begins */
	uint8_t tss; /* attributes of SEL_OTHER's descriptor */
	uint8_t gate; /* those of SEL_TASK_GATE's, and of the gates in the IDT */
	uint16_t gate_to;
	unsigned int vector; /* 0: the switch is made */
	uint32_t error;
};

FIXTURE_SETUP(rights)
{
	task_setup(_metadata, &self->task, NULL);
}

FIXTURE_TEARDOWN(rights)
{
}

#define TSS_OF(level) (0x89 | (level) << 5)
#define GATE_OF(level) (0x85 | (level) << 5)
#define ABSENT(attributes) ((attributes) & ~0x80)

static void enter_level_3(struct lodge_regs *regs)
{
	struct lodge_segment *seg = regs->segments.seg;
	unsigned int i;

	for (i = LODGE_ES; i <= LODGE_GS; i++) {
		seg[i].selector = i == LODGE_CS ? SEL_USER_CODE32 :
						  SEL_USER_DATA;
		seg[i].attr |= LODGE_SEG_DPL;
	}
}

static void begin_with_rights(FIXTURE_DATA(task) * self,
			      const FIXTURE_VARIANT(rights) * variant)
{
	static const unsigned int vectors[] = { BP, UD, 0x40 };
	unsigned int i;

	begin(self, PROT32, *variant->code, return_twice);
	self->gdt[SEL_OTHER / 8] =
		system_segment(OTHER_TSS, 0x67, variant->tss);
	self->gdt[SEL_TASK_GATE / 8] =
		system_segment(variant->gate_to, 0, variant->gate);
	for (i = 0; i < ARRAY_SIZE(vectors); i++)
		*machine_u64(&self->m, GUEST_IDT + vectors[i] * 8) =
			system_segment(variant->gate_to, 0, variant->gate);
	if (variant->level)
		enter_level_3(&self->cpu->run->regs);
}

TEST_F(rights, are_looked_at_before_the_switch)
{
	FIXTURE_DATA(task) *task = &self->task;
	struct guest_event event;

	begin_with_rights(task, variant);
	if (!variant->vector) {
		ASSERT_TRUE(cpu_writes(task->cpu, STOPPED));
		EXPECT_EQ(SEL_OTHER, selector_of(task, LODGE_TR) & ~USER);
		return;
	}
	ASSERT_TRUE(cpu_raises(task->cpu, variant->vector, &event));
	EXPECT_EQ(variant->error, event.error);
	EXPECT_EQ(GUEST_CODE_BASE, event.rip);
	EXPECT_EQ(SEL_TSS, selector_of(task, LODGE_TR));
	EXPECT_EQ(!!(variant->tss & TYPE_BUSY), is_busy(task, SEL_OTHER));
}

#define RIGHTS_TO(name, cpl, what, tss_attributes, gate_attributes, to, ...) \
	FIXTURE_VARIANT_ADD(rights, name)                                    \
	{                                                                    \
		.code = &(what), .level = (cpl), .tss = (tss_attributes),    \
		.gate = (gate_attributes), .gate_to = (to), ##__VA_ARGS__    \
	}
#define RIGHTS(name, cpl, what, tss_attributes, gate_attributes, ...)          \
	RIGHTS_TO(name, cpl, what, tss_attributes, gate_attributes, SEL_OTHER, \
		  ##__VA_ARGS__)
#define FAULTS(number, code) .vector = (number), .error = (code)

CODE(jump_other, 32, "ljmp $0x68, $0;");
CODE(jump_as_user, 32, "ljmp $0x6b, $0;");
CODE(call_as_user, 32, "lcall $0x6b, $0;");
CODE(jump_gate, 32, "ljmp $0x78, $0;");
CODE(jump_gate_as_user, 32, "ljmp $0x7b, $0;");
CODE(call_gate_as_user, 32, "lcall $0x7b, $0;");
CODE(software_interrupt, 32, "int $0x40;");
CODE(breakpoint, 32, "int3;");
CODE(invalid, 32, "ud2;");

/* Without a gate. */
RIGHTS(user_jumps_to_a_tss_of_level_0, 3, jump_as_user, TSS_OF(0), GATE_OF(3),
       FAULTS(GP, SEL_OTHER));
RIGHTS(user_calls_a_tss_of_level_0, 3, call_as_user, TSS_OF(0), GATE_OF(3),
       FAULTS(GP, SEL_OTHER));
RIGHTS(user_jumps_to_a_tss_of_level_3, 3, jump_as_user, TSS_OF(3), GATE_OF(0));
RIGHTS(user_calls_a_tss_of_level_3, 3, call_as_user, TSS_OF(3), GATE_OF(0));
RIGHTS(user_names_a_tss_of_level_2_with_rpl_0, 3, jump_other, TSS_OF(2),
       GATE_OF(3), FAULTS(GP, SEL_OTHER));
RIGHTS(rpl_above_the_level_of_the_tss, 0, jump_as_user, TSS_OF(2), GATE_OF(3),
       FAULTS(GP, SEL_OTHER));
RIGHTS(rights_come_before_presence, 3, jump_as_user, ABSENT(TSS_OF(0)),
       GATE_OF(3), FAULTS(GP, SEL_OTHER));
RIGHTS(absent_tss, 3, jump_as_user, ABSENT(TSS_OF(3)), GATE_OF(3),
       FAULTS(NP, SEL_OTHER));
RIGHTS(busy_tss, 3, call_as_user, TSS_OF(3) | TYPE_BUSY, GATE_OF(3),
       FAULTS(GP, SEL_OTHER));

/* Through a gate in the GDT. */
RIGHTS(user_jumps_through_a_gate_of_level_0, 3, jump_gate_as_user, TSS_OF(3),
       GATE_OF(0), FAULTS(GP, SEL_TASK_GATE));
RIGHTS(user_calls_through_a_gate_of_level_0, 3, call_gate_as_user, TSS_OF(3),
       GATE_OF(0), FAULTS(GP, SEL_TASK_GATE));
RIGHTS(user_jumps_through_a_gate_of_level_3, 3, jump_gate_as_user, TSS_OF(0),
       GATE_OF(3));
RIGHTS(user_calls_through_a_gate_of_level_3, 3, call_gate_as_user, TSS_OF(0),
       GATE_OF(3));
RIGHTS(rpl_above_the_level_of_the_gate, 0, call_gate_as_user, TSS_OF(3),
       GATE_OF(2), FAULTS(GP, SEL_TASK_GATE));
RIGHTS(kernel_jumps_through_a_gate_of_level_0, 0, jump_gate, TSS_OF(0),
       GATE_OF(0));
RIGHTS(absent_gate, 0, jump_gate, TSS_OF(0), ABSENT(GATE_OF(0)),
       FAULTS(NP, SEL_TASK_GATE));
RIGHTS(absent_gate_of_level_0, 3, jump_gate_as_user, TSS_OF(0),
       ABSENT(GATE_OF(0)), FAULTS(GP, SEL_TASK_GATE));
RIGHTS(gate_to_an_absent_tss, 0, jump_gate, ABSENT(TSS_OF(0)), GATE_OF(0),
       FAULTS(NP, SEL_OTHER));
RIGHTS(gate_to_a_busy_tss, 0, jump_gate, TSS_OF(0) | TYPE_BUSY, GATE_OF(0),
       FAULTS(GP, SEL_OTHER));
RIGHTS_TO(gate_to_a_data_segment, 0, jump_gate, TSS_OF(0), GATE_OF(0), SEL_DATA,
	  FAULTS(GP, SEL_DATA));
RIGHTS_TO(gate_to_a_tss_in_the_ldt, 0, jump_gate, TSS_OF(0), GATE_OF(0),
	  SEL_OTHER | 4, FAULTS(GP, SEL_OTHER | 4));
RIGHTS_TO(gate_to_a_tss_beyond_the_table, 0, jump_gate, TSS_OF(0), GATE_OF(0),
	  SEL_BEYOND, FAULTS(GP, SEL_BEYOND));

/* Through a gate in the IDT, whose error codes say so. */
#define IDT_CODE(number) ((number)*8 | 2)
RIGHTS(user_interrupts_through_a_gate_of_level_0, 3, software_interrupt,
       TSS_OF(3), GATE_OF(0), FAULTS(GP, IDT_CODE(0x40)));
RIGHTS(user_interrupts_through_a_gate_of_level_3, 3, software_interrupt,
       TSS_OF(0), GATE_OF(3));
RIGHTS(user_breaks_through_a_gate_of_level_0, 3, breakpoint, TSS_OF(3),
       GATE_OF(0), FAULTS(GP, IDT_CODE(BP)));
RIGHTS(user_faults_through_a_gate_of_level_0, 3, invalid, TSS_OF(0),
       GATE_OF(0));
RIGHTS(interrupt_through_an_absent_gate, 3, software_interrupt, TSS_OF(0),
       ABSENT(GATE_OF(3)), FAULTS(NP, IDT_CODE(0x40)));
RIGHTS(interrupt_to_a_busy_tss, 3, software_interrupt, TSS_OF(0) | TYPE_BUSY,
       GATE_OF(3), FAULTS(GP, SEL_OTHER));

TEST_F(task, an_instruction_pointer_beyond_its_segment_faults_in_the_new_task)
{
	struct guest_event event;

	begin(self, PROT32, call_other, return_twice);
	self->other->cs = SEL_CODE16;
	self->other->eip = 0x10000;
	ASSERT_TRUE(cpu_raises(self->cpu, GP, &event));
	EXPECT_EQ(0, event.error);
	EXPECT_EQ(0x10000, event.rip);
	EXPECT_EQ(SEL_OTHER, selector_of(self, LODGE_TR));
}

TEST_F(task, a_conforming_segment_may_have_a_lower_level)
{
	begin(self, PROT32, call_other, return_twice);
	make_user(self);
	self->other->cs = SEL_CONFORMING | USER;
	ASSERT_TRUE(cpu_writes(self->cpu, STOPPED));
	EXPECT_EQ(SEL_CONFORMING | USER, selector_of(self, LODGE_CS));
}

/* The error code tells that no instruction of the program is to blame. */
TEST_F(task, a_fault_in_the_delivery_of_an_interrupt_has_ext)
{
	struct guest_event event;

	begin(self, PROT32, wait_open, return_twice);
	spoil(self, offsetof(struct tss32, ds), SEL_BEYOND);
	gate_to(self, 0x40, SEL_OTHER);
	ASSERT_EQ(0, switch_apic_on(self->cpu));
	ASSERT_TRUE(cpu_writes(self->cpu, 0x81));
	ASSERT_EQ(0, machine_msi(&self->m, 0, 0x40));
	ASSERT_TRUE(cpu_raises(self->cpu, TS, &event));
	EXPECT_EQ(SEL_BEYOND | EXT, event.error);
	EXPECT_EQ(OTHER_CODE, event.rip);
}

TEST_F(task, a_fault_in_the_delivery_of_a_fault_is_a_double_fault)
{
	struct guest_event event;

	begin(self, PROT32, load_beyond, return_twice);
	spoil(self, offsetof(struct tss32, ds), SEL_BEYOND);
	gate_to(self, GP, SEL_OTHER);
	ASSERT_TRUE(cpu_raises(self->cpu, DF, &event));
	EXPECT_EQ(0, event.error);
	EXPECT_EQ(OTHER_CODE, event.rip);
	EXPECT_EQ(SEL_OTHER, selector_of(self, LODGE_TR));
}

TEST_HARNESS_MAIN
