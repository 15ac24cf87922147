// SPDX-License-Identifier: GPL-2.0
/*
 * Faults of a task switch.  In the old task nothing has changed; in the new one the
 * handler finds it as its TSS has it.
 *
 * Intel SDM vol. 3, section 7.3; AMD APM vol. 2, section 12.3.
 */
#include "kselftest_harness.h"

#include "task_fixture.h"

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
 * The right to switch (Intel SDM vol. 3, sections 7.2.5 and 8.3; AMD APM vol. 2, chapter
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
