// SPDX-License-Identifier: GPL-2.0
/*
 * Far branches and returns whose pointer or stack frame is on a device, or whose
 * descriptors, or page tables, are in memory that cannot be written.
 */
#include <string.h>
#include <sys/mman.h>

#include "kselftest_harness.h"

#include "guest.h"

#define PAGE 0x1000
#define ROM_SLOT 1
#define GATE 0x58
#define HANDLER (GUEST_DATA + 0x100)
#define FRAME (GUEST_HOLE + 0x800)

FIXTURE(branches)
{
	struct machine m;
	struct guest_cpu *cpu;
	struct lodge_run *run;
};

FIXTURE_SETUP(branches)
{
	machine_create(&self->m, 1);
	self->cpu = &self->m.cpu[0];
	self->run = self->cpu->run;
}

FIXTURE_TEARDOWN(branches)
{
}

/* Run to a read at @gpa, and answer it with the lowest @size bytes of @value. */
static bool reads(struct guest_cpu *cpu, uint64_t gpa, uint32_t size,
		  uint64_t value)
{
	struct lodge_exit_mmio *mmio = &cpu->run->exit.mmio;

	if (!cpu_exits(cpu, LODGE_EXIT_MMIO))
		return false;
	memcpy(mmio->data, &value, sizeof(value));
	return mmio->gpa == gpa && mmio->size == size && !mmio->write;
}

/* The frame of an IRET of 64 bits: to RIP, with interrupts off. */
static bool reads_frame(struct guest_cpu *cpu, uint64_t rip, uint64_t rsp)
{
	return reads(cpu, FRAME, 8, rip) &&
	       reads(cpu, FRAME + 8, 8, SEL_CODE64) &&
	       reads(cpu, FRAME + 16, 8, 2) && reads(cpu, FRAME + 24, 8, rsp) &&
	       reads(cpu, FRAME + 32, 8, SEL_DATA);
}

static void put_code(struct machine *m, uint64_t gpa, struct guest_code code)
{
	memcpy(m->memory + gpa, code.start, code.end - code.start);
}

CODE(out, 64, DONE);
CODE(frame_on_device, 64, "mov $0xd0000800, %esp; iretq;");

/* The second one would wait for ever if the IRET had not let it in. */
TEST_F(branches, iret_with_its_frame_on_a_device_ends_an_nmi)
{
	int i;

	ASSERT_TRUE(cpu_unblock_nmis(self->cpu));
	cpu_start(self->cpu, LONG64, out);
	machine_gate(&self->m, LONG64, NMI, HANDLER, 0);
	put_code(&self->m, HANDLER, frame_on_device);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, lodge_nmi(self->cpu->fd));
		ASSERT_TRUE(reads_frame(self->cpu, GUEST_CODE_BASE,
					GUEST_STACK - 32));
		ASSERT_TRUE(cpu_done(self->cpu));
		EXPECT_EQ(GUEST_STACK - 32, *cpu_gpr(self->cpu, LODGE_RSP));
		EXPECT_FALSE(self->run->regs.events.flags &
			     LODGE_EVENT_NMI_BLOCKED);
		self->run->regs.general.rip = GUEST_CODE_BASE;
		self->run->load = LODGE_GROUP_GENERAL;
	}
}

/* At level 3, and then through the gate. */
CODE(call_gate, 64,
     "mov %rsp, %rbx; push $0x23; push %rbx; pushf; push $0x2b;"
     "push $" AT("1f") "; iretq; 1: lcall *(%rdi);");

TEST_F(branches, call_through_a_pointer_on_a_device_enters_a_gate)
{
	uint64_t *stack = machine_u64(&self->m, GUEST_STACK0 - 32);

	cpu_start(self->cpu, LONG64, call_gate);
	/* DPL 3, of two entries. */
	*machine_u64(&self->m, GUEST_GDT + GATE) =
		(HANDLER & 0xffff) | SEL_CODE64 << 16 | 0xecULL << 40 |
		(uint64_t)(HANDLER >> 16) << 48;
	*machine_u64(&self->m, GUEST_GDT + GATE + 8) = 0;
	put_code(&self->m, HANDLER, out);
	*cpu_gpr(self->cpu, LODGE_RDI) = GUEST_HOLE;
	ASSERT_TRUE(
		reads(self->cpu, GUEST_HOLE, 6, (uint64_t)(GATE | 3) << 32));
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(HANDLER + 2, self->run->regs.general.rip);
	EXPECT_EQ(GUEST_STACK0 - 32, *cpu_gpr(self->cpu, LODGE_RSP));
	EXPECT_EQ(SEL_CODE64, self->run->regs.segments.seg[LODGE_CS].selector);
	EXPECT_EQ(0, self->run->regs.segments.seg[LODGE_SS].selector);
	EXPECT_EQ(SEL_USER_CODE64, stack[1]);
	EXPECT_EQ(*cpu_gpr(self->cpu, LODGE_RBX), stack[2]);
	EXPECT_EQ(SEL_USER_DATA, stack[3]);
}

CODE(halt, 64, "hlt;");
/* To level 3, where HLT is a #GP. */
CODE(outer_return, 64,
     "mov $0x10, %eax; mov %eax, %ds; mov $0xd0000800, %esp; lretq;");

TEST_F(branches, return_to_level_3_takes_its_stack_from_a_device)
{
	struct guest_event event;

	cpu_start(self->cpu, LONG64, outer_return);
	put_code(&self->m, HANDLER, halt);
	ASSERT_TRUE(reads(self->cpu, FRAME, 8, HANDLER));
	ASSERT_TRUE(reads(self->cpu, FRAME + 8, 8, SEL_USER_CODE64));
	ASSERT_TRUE(reads(self->cpu, FRAME + 16, 8, GUEST_STACK - 64));
	ASSERT_TRUE(reads(self->cpu, FRAME + 24, 8, SEL_USER_DATA));
	ASSERT_TRUE(cpu_raises(self->cpu, GP, &event));
	EXPECT_EQ(HANDLER, event.rip);
	EXPECT_EQ(SEL_USER_CODE64, event.cs);
	EXPECT_EQ(0, self->run->regs.segments.seg[LODGE_DS].selector);
}

CODE(branch_to_task, 32, "ljmp *(%edi);");

TEST_F(branches, task_switch_by_a_pointer_on_a_device_is_refused)
{
	cpu_start(self->cpu, PROT32, branch_to_task);
	*machine_u64(&self->m, GUEST_GDT + GATE) = 0x0000850000400000;
	*cpu_gpr(self->cpu, LODGE_RDI) = GUEST_HOLE;
	ASSERT_TRUE(reads(self->cpu, GUEST_HOLE, 6, (uint64_t)GATE << 32));
	ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_CANNOT_EMULATE));
	EXPECT_EQ(GUEST_HOLE, self->run->exit.emulate.gpa);
	EXPECT_EQ(GUEST_CODE_BASE, self->run->regs.general.rip);
}

static unsigned char *rom_create(struct machine *m)
{
	unsigned char *rom = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (rom == MAP_FAILED ||
	    lodge_memory_set(m->vm, ROM_SLOT, LODGE_MEM_READONLY, GUEST_HOLE,
			     PAGE, rom))
		return NULL;
	return rom;
}

CODE(rom_table, 64,
     "lgdt (%rsi); mov $0x10, %eax; mov %eax, %ss;"
     "mov %rsp, %rbx; push $0x10; push %rbx; pushf; push $8;"
     "push $" AT("1f") "; iretq; 1: push $8; push $" AT(
	     "2f") "; lretq;"
		   "2: mov $0x40, %eax; ltr %ax; ljmp *10(%rsi); 3:" DONE);

/*
 * The processor writes that a descriptor was used: firmware whose table is in flash
 * does not mind that it cannot.  Not every emulator writes it in each branch.
 */
TEST_F(branches, descriptors_in_read_only_memory_can_be_loaded)
{
	struct lodge_exit_mmio *mmio = &self->run->exit.mmio;
	unsigned char *rom = rom_create(&self->m);
	int reason, writes = 0;

	ASSERT_NE(NULL, rom);
	memcpy(rom, self->m.memory + GUEST_GDT, 0x68);
	rom[SEL_CODE64 + 5] &= ~1;
	rom[SEL_DATA + 5] &= ~1;
	cpu_start(self->cpu, LONG64, rom_table);
	*cpu_gpr(self->cpu, LODGE_RSI) = GUEST_DATA;
	*machine_u64(&self->m, GUEST_DATA) = 0x67 | (uint64_t)GUEST_HOLE << 16;
	/* The end of the code: an OUT of two bytes. */
	*machine_u32(&self->m, GUEST_DATA + 10) =
		GUEST_CODE_BASE + (rom_table_end - rom_table_start) - 2;
	*machine_u32(&self->m, GUEST_DATA + 14) = SEL_CODE64;
	while ((reason = cpu_run(self->cpu)) == LODGE_EXIT_MMIO) {
		ASSERT_EQ(GUEST_HOLE, mmio->gpa & ~0xfffULL);
		EXPECT_TRUE(mmio->write);
		EXPECT_EQ(5, mmio->gpa & 7);
		ASSERT_GT(10, ++writes);
	}
	if (reason != LODGE_EXIT_IO)
		cpu_explain(self->cpu);
	ASSERT_EQ(LODGE_EXIT_IO, reason);
	EXPECT_EQ(DONE_PORT, self->run->exit.io.port);
	printf("# %d writes\n", writes);
	fflush(stdout);
	EXPECT_LT(0, writes);
	EXPECT_EQ(SEL_CODE64, self->run->regs.segments.seg[LODGE_CS].selector);
	EXPECT_EQ(0x9a, rom[SEL_CODE64 + 5]);
}

/* Accessed and dirty bits cannot be set: what Lodge knows it carries out. */
CODE(rom_paging, 64,
     "mov %rdi, %cr3; mov %eax, 0x50000; mov 0x50000, %ecx; paddb %mm0, %mm1;" DONE);

TEST_F(branches, page_tables_in_read_only_memory_are_walked_by_what_is_known)
{
	unsigned char *rom = rom_create(&self->m);
	const struct lodge_exit_emulate *emulate = &self->run->exit.emulate;
	int reason;

	ASSERT_NE(NULL, rom);
	memcpy(rom, self->m.memory + GUEST_PML4, PAGE);
	rom[0] &= ~0x20;
	cpu_start(self->cpu, LONG64, rom_paging);
	*cpu_gpr(self->cpu, LODGE_RDI) = GUEST_HOLE;
	*cpu_gpr(self->cpu, LODGE_RAX) = 0x12345678;
	reason = cpu_run(self->cpu);
	EXPECT_EQ(0x12345678, *cpu_gpr(self->cpu, LODGE_RCX));
	if (reason == LODGE_EXIT_IO)
		SKIP(return, "the processor does not mind");
	ASSERT_EQ(LODGE_EXIT_CANNOT_EMULATE, reason);
	EXPECT_EQ(GUEST_HOLE, emulate->gpa & ~0xfffULL);
	EXPECT_EQ(0, memcmp(emulate->bytes, "\x0f\xfc\xc8", 3));
}

TEST_HARNESS_MAIN
