// SPDX-License-Identifier: GPL-2.0
/*
 * Exits from which a guest does not come back by itself: each says why, and the
 * registers are those of the moment.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "kselftest_harness.h"

#include "guest.h"

FIXTURE(ends)
{
	struct machine m;
	struct guest_cpu *cpu;
	struct lodge_run *run;
};

FIXTURE_SETUP(ends)
{
	machine_create(&self->m, 1);
	self->cpu = &self->m.cpu[0];
	self->run = self->cpu->run;
}

FIXTURE_TEARDOWN(ends)
{
}

CODE(no_table, 64,
     "lidt 1f(%rip); mov $0x77, %ebx; ud2;"
     "1: .word 0; .quad 0;");

TEST_F(ends, a_triple_fault_is_a_shutdown)
{
	cpu_start(self->cpu, LONG64, no_table);
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_SHUTDOWN));
	EXPECT_EQ(0x77, *cpu_gpr(self->cpu, LODGE_RBX));
	EXPECT_EQ(0x77, self->run->regs.general.gpr[LODGE_RBX]);
}

CODE(no_table_msr, 64,
     "lidt 1f(%rip); mov $0x12345678, %ecx; rdmsr;"
     "1: .word 0; .quad 0;");

TEST_F(ends, a_triple_fault_that_begins_in_lodge_is_a_shutdown_too)
{
	cpu_start(self->cpu, LONG64, no_table_msr);
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_SHUTDOWN));
	EXPECT_EQ(0x12345678, *cpu_gpr(self->cpu, LODGE_RCX));
}

CODE(fresh, 64, "mov $8, %ebx;" DONE);

TEST_F(ends, a_vcpu_with_new_registers_runs_after_a_shutdown)
{
	cpu_start(self->cpu, LONG64, no_table);
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_SHUTDOWN));
	cpu_start(self->cpu, LONG64, fresh);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(8, *cpu_gpr(self->cpu, LODGE_RBX));
}

CODE(fancy, 64, "mov $0xd0000000, %edi; paddb (%rdi), %xmm0;" DONE);

TEST_F(ends, an_unknown_instruction_on_a_device_comes_back_with_its_bytes)
{
	const struct lodge_exit_emulate *emulate = &self->run->exit.emulate;

	cpu_start(self->cpu, LONG64, fancy);
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_CANNOT_EMULATE));
	EXPECT_EQ(GUEST_HOLE, emulate->gpa);
	EXPECT_LE(4, emulate->length);
	EXPECT_EQ(0, memcmp(emulate->bytes, "\x66\x0f\xfc\x07", 4));
	EXPECT_EQ(GUEST_CODE_BASE + 5, self->run->regs.general.rip);
	/* The caller may do it itself and go on. */
	self->run->regs.general.rip += 4;
	self->run->load = LODGE_GROUP_GENERAL;
	ASSERT_TRUE(cpu_done(self->cpu));
}

CODE(into_hole, 64, "mov $0xd0000000, %eax; jmp *%rax;");

TEST_F(ends, code_where_there_is_no_memory_cannot_be_emulated)
{
	cpu_start(self->cpu, LONG64, into_hole);
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_CANNOT_EMULATE));
	EXPECT_EQ(GUEST_HOLE, self->run->exit.emulate.gpa);
	EXPECT_EQ(0, self->run->exit.emulate.length);
	EXPECT_EQ(GUEST_HOLE, self->run->regs.general.rip);
}

CODE(stack_in_hole, 64, "mov $0xd0000800, %esp; ud2;");

TEST_F(ends, an_exception_pushed_where_there_is_no_memory_cannot_be_emulated)
{
	cpu_start(self->cpu, LONG64, stack_in_hole);
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_CANNOT_EMULATE));
	EXPECT_EQ(GUEST_HOLE, self->run->exit.emulate.gpa & ~0xfffULL);
	EXPECT_EQ(GUEST_CODE_BASE + 5, self->run->regs.general.rip);
}

static const struct lodge_rule *find_rule(const struct lodge_run *run,
					  const char *field)
{
	const struct lodge_rule *rule = (const void *)run->data;
	uint32_t i;

	for (i = 0; i < run->exit.fail_entry.count; i++)
		if (!strcmp(rule[i].field, field))
			return &rule[i];
	return NULL;
}

CODE(nothing, 64, DONE);

TEST_F(ends, an_entry_that_is_refused_names_the_rule_the_field_and_its_value)
{
	const struct lodge_rule *rule;

	/* 64-bit code with a default operand size of 32 bits. */
	cpu_start(self->cpu, LONG64, nothing);
	self->run->regs.segments.seg[LODGE_CS].attr |= LODGE_SEG_DB;
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_FAIL_ENTRY));
	ASSERT_LE(1U, self->run->exit.fail_entry.count);
	rule = find_rule(self->run,
			 machine_is_intel() ? "CS.access" : "CS.attrib");
	ASSERT_NE(NULL, rule);
	EXPECT_NE(0, rule->id);
	EXPECT_NE(0, rule->value);
	EXPECT_NE('\0', rule->text[0]);
}

CODE(reads, 64, "mov 0x300008, %eax;" DONE);

TEST_F(ends, a_hole_in_the_hosts_mapping_is_a_memory_error)
{
	const struct lodge_exit_memory *memory = &self->run->exit.memory;

	ASSERT_EQ(0, munmap(self->m.memory + 0x300000, 4096));
	cpu_start(self->cpu, LONG64, reads);
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_MEMORY_ERROR));
	EXPECT_EQ(0x300000, memory->gpa & ~0xfffULL);
	EXPECT_EQ((uintptr_t)self->m.memory + 0x300000,
		  memory->hva & ~0xfffULL);
	EXPECT_EQ(EFAULT, memory->error);
	EXPECT_EQ(0, memory->write);
	/* Mapped again, it is ordinary memory. */
	ASSERT_NE(MAP_FAILED,
		  mmap(self->m.memory + 0x300000, 4096, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	ASSERT_TRUE(cpu_done(self->cpu));
}

TEST_F(ends, memory_the_host_may_not_touch_is_a_memory_error)
{
	ASSERT_EQ(0, mprotect(self->m.memory + 0x300000, 4096, PROT_NONE));
	cpu_start(self->cpu, LONG64, reads);
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_MEMORY_ERROR));
	EXPECT_EQ(EFAULT, self->run->exit.memory.error);
}

TEST_F(ends, a_fresh_vcpu_starts_at_the_reset_vector)
{
	struct guest_cpu *cpu = self->cpu;

	ASSERT_EQ(0, lodge_memory_set(self->m.vm, 1, 0, 0xfffff000, 4096,
				      self->m.memory + 0x300000));
	/* OUT to DONE_PORT at FFFF:FFF0. */
	memcpy(self->m.memory + 0x300ff0, "\xe6\xd0", 2);
	ASSERT_TRUE(cpu_done(cpu));
	EXPECT_EQ(0xfff2, self->run->regs.general.rip);
	EXPECT_EQ(0xf000, self->run->regs.segments.seg[LODGE_CS].selector);
	EXPECT_EQ(0xffff0000, self->run->regs.segments.seg[LODGE_CS].base);
	EXPECT_EQ(0x60000010, self->run->regs.control.cr0);
	EXPECT_EQ(cpu_feature(cpu, 1, 0, 0), *cpu_gpr(cpu, LODGE_RDX));
}

TEST_HARNESS_MAIN
