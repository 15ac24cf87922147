// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses without memory: an access ends as the first one to that page did,
 * however often it is made, and memory that comes there is memory at once.
 */
#include <string.h>
#include <sys/mman.h>

#include "kselftest_harness.h"

#include "guest.h"

#define PAGE 0x1000
#define MIB2 0x200000
#define HOLE_SLOT 1

/* More places, 2 MiB apart, than a host would want to remember. */
#define PLACES 200

FIXTURE(hole)
{
	struct machine m;
	struct guest_cpu *cpu;
	struct lodge_run *run;
	unsigned char *memory;
};

FIXTURE_SETUP(hole)
{
	machine_create(&self->m, 1);
	self->cpu = &self->m.cpu[0];
	self->run = self->cpu->run;
	self->memory = mmap(NULL, 2 * MIB2, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->memory);
}

FIXTURE_TEARDOWN(hole)
{
}

/* Memory comes to the hole. */
static int hole_set(struct machine *m, size_t size, void *memory)
{
	return lodge_memory_set(m->vm, HOLE_SLOT, 0, GUEST_HOLE, size, memory);
}

/* Run to a read of 4 bytes at @gpa, and answer @value. */
static bool hole_reads(struct guest_cpu *cpu, uint64_t gpa, uint32_t value)
{
	struct lodge_exit_mmio *mmio = &cpu->run->exit.mmio;

	if (!cpu_exits(cpu, LODGE_EXIT_MMIO))
		return false;
	memcpy(mmio->data, &value, sizeof(value));
	return mmio->gpa == gpa && mmio->size == 4 && !mmio->write;
}

/* Run to a write of 4 bytes at @gpa, which should be @value. */
static bool hole_writes(struct guest_cpu *cpu, uint64_t gpa, uint32_t value)
{
	struct lodge_exit_mmio *mmio = &cpu->run->exit.mmio;

	return cpu_exits(cpu, LODGE_EXIT_MMIO) && mmio->gpa == gpa &&
	       mmio->size == 4 && mmio->write &&
	       !memcmp(mmio->data, &value, sizeof(value));
}

CODE(counter, 64,
     "mov $0xd0000000, %edi; mov $4, %ecx;"
     "1: mov 0x10(%rdi), %eax; inc %eax; mov %eax, 0x20(%rdi);"
     "dec %ecx; jnz 1b;" DONE);

TEST_F(hole, is_asked_for_at_every_access)
{
	uint32_t i;

	cpu_start(self->cpu, LONG64, counter);
	for (i = 0; i < 4; i++) {
		ASSERT_TRUE(hole_reads(self->cpu, GUEST_HOLE + 0x10, i * 100));
		ASSERT_TRUE(
			hole_writes(self->cpu, GUEST_HOLE + 0x20, i * 100 + 1));
	}
	ASSERT_TRUE(cpu_done(self->cpu));
}

/* Each time: read, and write one more. */
CODE(more, 64,
     "mov $0xd0000000, %edi;"
     "1: mov (%rdi), %eax; inc %eax; mov %eax, (%rdi);" DONE "jmp 1b;");

static bool hole_is_device(struct guest_cpu *cpu)
{
	return hole_reads(cpu, GUEST_HOLE, 7) &&
	       hole_writes(cpu, GUEST_HOLE, 8) && cpu_done(cpu);
}

TEST_F(hole, becomes_memory_and_a_hole_again)
{
	uint32_t *word = (uint32_t *)self->memory;
	uint32_t i;

	cpu_start(self->cpu, LONG64, more);
	for (i = 0; i < 3; i++) {
		ASSERT_TRUE(hole_is_device(self->cpu));
		ASSERT_TRUE(hole_is_device(self->cpu));
		ASSERT_EQ(0, hole_set(&self->m, PAGE, self->memory));
		ASSERT_TRUE(cpu_done(self->cpu));
		ASSERT_TRUE(cpu_done(self->cpu));
		EXPECT_EQ(2 * (i + 1), *word);
		ASSERT_EQ(0, lodge_memory_delete(self->m.vm, HOLE_SLOT));
	}
}

TEST_F(hole, becomes_memory_together_with_all_around_it)
{
	uintptr_t start = ((uintptr_t)self->memory + MIB2 - 1) & -MIB2;
	uint32_t *word = (uint32_t *)start;

	madvise((void *)start, MIB2, MADV_HUGEPAGE);
	cpu_start(self->cpu, LONG64, more);
	ASSERT_TRUE(hole_is_device(self->cpu));
	ASSERT_EQ(0, hole_set(&self->m, MIB2, word));
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(1, *word);
	ASSERT_EQ(0, lodge_memory_delete(self->m.vm, HOLE_SLOT));
	ASSERT_TRUE(hole_is_device(self->cpu));
}

TEST_F(hole, stays_one_beside_memory_that_comes)
{
	cpu_start(self->cpu, LONG64, more);
	ASSERT_TRUE(hole_is_device(self->cpu));
	ASSERT_EQ(0, lodge_memory_set(self->m.vm, HOLE_SLOT, 0,
				      GUEST_HOLE + PAGE, PAGE, self->memory));
	ASSERT_TRUE(hole_is_device(self->cpu));
}

CODE(everywhere, 64,
     "mov $2, %ebx; 1: mov $0x10000000, %edi; mov $200, %ecx;"
     "2: mov 0x40(%rdi), %eax; add $0x200000, %rdi; dec %ecx; jnz 2b;"
     "dec %ebx; jnz 1b;" DONE);

TEST_F(hole, may_be_touched_in_any_number_of_places)
{
	uint64_t gpa;
	int i;

	cpu_start(self->cpu, LONG64, everywhere);
	for (i = 0; i < 2 * PLACES; i++) {
		gpa = 0x10000040 + (uint64_t)(i % PLACES) * MIB2;
		ASSERT_TRUE(hole_reads(self->cpu, gpa, i));
	}
	ASSERT_TRUE(cpu_done(self->cpu));
}

/*
 * An instruction that cannot be emulated: again, after a read of the page
 */

CODE(jump, 64, "mov $0xd0000000, %eax; mov (%rax), %ecx; jmp *%rax;");

TEST_F(hole, has_no_code_after_a_read_either)
{
	cpu_start(self->cpu, LONG64, jump);
	ASSERT_TRUE(hole_reads(self->cpu, GUEST_HOLE, 0));
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_CANNOT_EMULATE));
	EXPECT_EQ(GUEST_HOLE, self->run->exit.emulate.gpa);
	EXPECT_EQ(0, self->run->exit.emulate.length);
	EXPECT_EQ(GUEST_HOLE, self->run->regs.general.rip);
}

TEST_F(hole, has_code_once_memory_with_code_has_come)
{
	cpu_start(self->cpu, LONG64, jump);
	ASSERT_TRUE(hole_reads(self->cpu, GUEST_HOLE, 0));
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_CANNOT_EMULATE));
	memcpy(self->memory, "\xe6\xd0", 2); /* DONE */
	ASSERT_EQ(0, hole_set(&self->m, PAGE, self->memory));
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(GUEST_HOLE + 2, self->run->regs.general.rip);
}

CODE(push, 64, "mov $0xd0000800, %esp; mov (%rsp), %eax; ud2;");

TEST_F(hole, takes_no_exceptions_frame_after_a_read_either)
{
	cpu_start(self->cpu, LONG64, push);
	ASSERT_TRUE(hole_reads(self->cpu, GUEST_HOLE + 0x800, 0));
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_CANNOT_EMULATE));
	EXPECT_EQ(GUEST_HOLE, self->run->exit.emulate.gpa & ~0xfffULL);
	EXPECT_EQ(0, self->run->exit.emulate.length);
}

CODE(fancy, 64,
     "mov $0xd0000000, %edi; mov (%rdi), %eax; paddb (%rdi), %xmm0;" DONE);

TEST_F(hole, shows_the_instruction_that_nobody_knows_after_a_read_too)
{
	const struct lodge_exit_emulate *emulate = &self->run->exit.emulate;

	cpu_start(self->cpu, LONG64, fancy);
	ASSERT_TRUE(hole_reads(self->cpu, GUEST_HOLE, 0));
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_CANNOT_EMULATE));
	EXPECT_EQ(GUEST_HOLE, emulate->gpa);
	EXPECT_LE(4, emulate->length);
	EXPECT_EQ(0, memcmp(emulate->bytes, "\x66\x0f\xfc\x07", 4));
	/* With memory there, the processor itself knows it. */
	ASSERT_EQ(0, hole_set(&self->m, PAGE, self->memory));
	ASSERT_TRUE(cpu_done(self->cpu));
}

TEST_HARNESS_MAIN
