// SPDX-License-Identifier: GPL-2.0
/*
 * Port I/O: IN, OUT and the string forms.
 */
#include <errno.h>
#include <string.h>

#include "kselftest_harness.h"

#include "guest.h"

FIXTURE(port)
{
	struct machine m;
	struct guest_cpu *cpu;
	struct lodge_run *run;
};

FIXTURE_SETUP(port)
{
	machine_create(&self->m, 1);
	self->cpu = &self->m.cpu[0];
	self->run = self->cpu->run;
}

FIXTURE_TEARDOWN(port)
{
}

/* A run to an access of @port, with this size and count. */
static bool accesses(struct guest_cpu *cpu, bool in, uint16_t port,
		     uint8_t size, uint32_t count)
{
	const struct lodge_exit_io *io = &cpu->run->exit.io;

	if (!cpu_exits(cpu, LODGE_EXIT_IO))
		return false;
	if (io->port == port && io->in == in && io->size == size &&
	    io->count == count)
		return true;
	cpu_explain(cpu);
	return false;
}

CODE(outputs, 64,
     "mov $0x12345678, %eax; mov $0x3f8, %edx;"
     "out %al, $0x80; out %ax, %dx; out %eax, %dx;" DONE);

TEST_F(port, out_carries_one_two_and_four_bytes)
{
	cpu_start(self->cpu, LONG64, outputs);
	ASSERT_TRUE(accesses(self->cpu, false, 0x80, 1, 1));
	EXPECT_EQ(0x78, self->run->data[0]);
	ASSERT_TRUE(accesses(self->cpu, false, 0x3f8, 2, 1));
	EXPECT_EQ(0, memcmp(self->run->data, "\x78\x56", 2));
	ASSERT_TRUE(accesses(self->cpu, false, 0x3f8, 4, 1));
	EXPECT_EQ(0, memcmp(self->run->data, "\x78\x56\x34\x12", 4));
	ASSERT_TRUE(cpu_done(self->cpu));
}

CODE(inputs, 64,
     "mov $-1, %rax; in $0x60, %al; mov %rax, %rsi;"
     "mov $-1, %rax; mov $0xcfc, %edx; in %dx, %ax; mov %rax, %rdi;"
     "mov $-1, %rax; in %dx, %eax; mov %rax, %rbx;" DONE);

TEST_F(port, in_changes_as_much_of_rax_as_it_reads)
{
	cpu_start(self->cpu, LONG64, inputs);
	ASSERT_TRUE(accesses(self->cpu, true, 0x60, 1, 1));
	memset(self->run->data, 0x11, 8);
	ASSERT_TRUE(accesses(self->cpu, true, 0xcfc, 2, 1));
	memset(self->run->data, 0x22, 8);
	ASSERT_TRUE(accesses(self->cpu, true, 0xcfc, 4, 1));
	memset(self->run->data, 0x33, 8);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0xffffffffffffff11, *cpu_gpr(self->cpu, LODGE_RSI));
	EXPECT_EQ(0xffffffffffff2222, *cpu_gpr(self->cpu, LODGE_RDI));
	EXPECT_EQ(0x33333333, *cpu_gpr(self->cpu, LODGE_RBX));
}

TEST_F(port, rip_is_behind_an_out_and_at_an_in)
{
	cpu_start(self->cpu, LONG64, inputs);
	ASSERT_TRUE(accesses(self->cpu, true, 0x60, 1, 1));
	EXPECT_EQ(0xe4, self->m.memory[self->run->regs.general.rip]);
	cpu_start(self->cpu, LONG64, outputs);
	ASSERT_TRUE(accesses(self->cpu, false, 0x80, 1, 1));
	EXPECT_EQ(0xe6, self->m.memory[self->run->regs.general.rip - 2]);
}

TEST_F(port, an_answered_in_survives_an_interrupted_run)
{
	cpu_start(self->cpu, LONG64, inputs);
	ASSERT_TRUE(accesses(self->cpu, true, 0x60, 1, 1));
	self->run->data[0] = 0x44;
	self->run->immediate_exit = 1;
	ASSERT_EQ(-EINTR, lodge_run(self->cpu->fd));
	EXPECT_EQ(0x44, *cpu_gpr(self->cpu, LODGE_RAX) & 0xff);
	self->run->immediate_exit = 0;
	self->run->data[0] = 0x55;
	ASSERT_TRUE(accesses(self->cpu, true, 0xcfc, 2, 1));
	EXPECT_EQ(0x44, *cpu_gpr(self->cpu, LODGE_RSI) & 0xff);
}

CODE(outsb, 64,
     "mov $0x50000, %esi; mov $5, %ecx; mov $0x3f8, %edx;"
     "rep outsb;" DONE);

TEST_F(port, rep_outsb_hands_over_all_bytes_at_once)
{
	memcpy(self->m.memory + GUEST_DATA, "lodge", 5);
	cpu_start(self->cpu, LONG64, outsb);
	ASSERT_TRUE(accesses(self->cpu, false, 0x3f8, 1, 5));
	EXPECT_EQ(0, memcmp(self->run->data, "lodge", 5));
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(GUEST_DATA + 5, *cpu_gpr(self->cpu, LODGE_RSI));
	EXPECT_EQ(0, *cpu_gpr(self->cpu, LODGE_RCX));
}

CODE(outsw_down, 64,
     "std; mov $0x50006, %esi; mov $4, %ecx;"
     "mov $0x3f8, %edx; rep outsw;" DONE);

TEST_F(port, outsw_with_the_direction_flag_goes_downwards)
{
	memcpy(self->m.memory + GUEST_DATA, "aabbccdd", 8);
	cpu_start(self->cpu, LONG64, outsw_down);
	ASSERT_TRUE(accesses(self->cpu, false, 0x3f8, 2, 4));
	EXPECT_EQ(0, memcmp(self->run->data, "ddccbbaa", 8));
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(GUEST_DATA - 2, *cpu_gpr(self->cpu, LODGE_RSI));
}

CODE(outsl_many, 64,
     "mov $0x50ffe, %esi; mov $1500, %ecx;"
     "mov $0x1f0, %edx; rep outsl;" DONE);

TEST_F(port, a_long_rep_outsl_arrives_whole_in_several_exits)
{
	uint32_t seen = 0, i;

	for (i = 0; i < 1500; i++)
		memcpy(self->m.memory + 0x50ffe + i * 4, &i, 4);
	cpu_start(self->cpu, LONG64, outsl_many);
	while (seen < 1500) {
		ASSERT_TRUE(cpu_writes(self->cpu, 0x1f0));
		ASSERT_EQ(4, self->run->exit.io.size);
		ASSERT_LE(self->run->exit.io.count, LODGE_RUN_DATA_SIZE / 4U);
		for (i = 0; i < self->run->exit.io.count; i++, seen++)
			ASSERT_EQ(0, memcmp(self->run->data + i * 4, &seen, 4));
	}
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0x50ffe + 6000, *cpu_gpr(self->cpu, LODGE_RSI));
}

CODE(insb, 64,
     "mov $0x50ffe, %edi; mov $6, %ecx; mov $0x1f0, %edx;"
     "rep insb;" DONE);

TEST_F(port, rep_insb_stores_over_a_page_boundary)
{
	static const char text[] = "abcdef";
	uint32_t seen = 0;

	cpu_start(self->cpu, LONG64, insb);
	while (seen < 6) {
		ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_IO));
		ASSERT_TRUE(self->run->exit.io.in);
		ASSERT_EQ(0x1f0, self->run->exit.io.port);
		memcpy(self->run->data, text + seen, self->run->exit.io.count);
		seen += self->run->exit.io.count;
	}
	ASSERT_EQ(6, seen);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0, memcmp(self->m.memory + 0x50ffe, text, 6));
	EXPECT_EQ(0x51004, *cpu_gpr(self->cpu, LODGE_RDI));
}

CODE(none, 64,
     "mov $0x50000, %esi; xor %ecx, %ecx; mov $0x3f8, %edx;"
     "rep outsb; mov $0x50000, %edi; rep insl; mov $3, %ebx;" DONE);

TEST_F(port, a_repeat_count_of_zero_accesses_nothing)
{
	cpu_start(self->cpu, LONG64, none);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(3, *cpu_gpr(self->cpu, LODGE_RBX));
	EXPECT_EQ(0x50000, *cpu_gpr(self->cpu, LODGE_RDI));
}

CODE(outs_segment, 32, "mov $4, %esi; mov $0x3f8, %edx; fs outsb;" DONE);

TEST_F(port, outs_obeys_a_segment_override)
{
	self->m.memory[GUEST_DATA + 4] = 0x99;
	cpu_start(self->cpu, PROT32, outs_segment);
	self->run->regs.segments.seg[LODGE_FS].base = GUEST_DATA;
	ASSERT_TRUE(accesses(self->cpu, false, 0x3f8, 1, 1));
	EXPECT_EQ(0x99, self->run->data[0]);
}

CODE(real_ins, 16,
     "mov $0x5000, %ax; mov %ax, %es; mov $0x1ffff0, %edi;"
     "mov $2, %cx; mov $0x1f0, %dx; rep insw;" DONE);

TEST_F(port, insw_in_real_mode_counts_in_16_bits)
{
	cpu_start(self->cpu, REAL16, real_ins);
	ASSERT_TRUE(accesses(self->cpu, true, 0x1f0, 2, 2));
	memcpy(self->run->data, "wxyz", 4);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0, memcmp(self->m.memory + 0x5fff0, "wxyz", 4));
	EXPECT_EQ(0x1ffff4, *cpu_gpr(self->cpu, LODGE_RDI));
}

CODE(ins_unmapped, 64, "mov $0x203000, %edi; mov $0x1f0, %edx; insb;");

TEST_F(port, insb_to_an_unmapped_page_faults_before_the_port_is_read)
{
	struct guest_event event;

	*machine_u64(&self->m, GUEST_PT + 3 * 8) = 0;
	cpu_start(self->cpu, LONG64, ins_unmapped);
	ASSERT_TRUE(cpu_raises(self->cpu, PF, &event));
	EXPECT_EQ(2, event.error);
	EXPECT_EQ(0x203000, self->run->regs.control.cr2);
}

CODE(outs_part, 64,
     "mov $0x202ffe, %esi; mov $4, %ecx; mov $0x1f0, %edx;"
     "rep outsb;");

TEST_F(port, rep_outsb_faults_where_the_page_ends)
{
	*machine_u64(&self->m, GUEST_PT + 3 * 8) = 0;
	cpu_start(self->cpu, LONG64, outs_part);
	ASSERT_TRUE(accesses(self->cpu, false, 0x1f0, 1, 2));
	ASSERT_TRUE(cpu_raises(self->cpu, PF, NULL));
	EXPECT_EQ(0x203000, self->run->regs.control.cr2);
	EXPECT_EQ(2, *cpu_gpr(self->cpu, LODGE_RCX));
}

/* LTR makes the TSS known in the form that the processor itself keeps. */
CODE(user_out, 64,
     "mov $0x40, %eax; ltr %ax; push $0x23; push $0x30000; push $2; push $0x2b; push $" AT(
	     "1f") ";"
		   "iretq; 1: mov $0x3f8, %edx; out %al, %dx;" DONE);

TEST_F(port, level_3_without_permission_faults)
{
	struct guest_event event;

	cpu_start(self->cpu, LONG64, user_out);
	ASSERT_TRUE(cpu_raises(self->cpu, GP, &event));
	EXPECT_EQ(SEL_USER_CODE64, event.cs);
}

TEST_F(port, the_permission_map_of_the_tss_lets_level_3_through)
{
	cpu_start(self->cpu, LONG64, user_out);
	/* The map begins behind the TSS and allows every port there is in it. */
	*(uint16_t *)(self->m.memory + GUEST_TSS + 0x66) = 0x68;
	*(uint16_t *)(self->m.memory + GUEST_GDT + SEL_TSS) = 0x100;
	ASSERT_TRUE(accesses(self->cpu, false, 0x3f8, 1, 1));
}

CODE(last_port, 64, "mov $0xffff, %edx; in %dx, %al; out %al, %dx;" DONE);

TEST_F(port, the_last_port_is_like_any_other)
{
	cpu_start(self->cpu, LONG64, last_port);
	ASSERT_TRUE(accesses(self->cpu, true, 0xffff, 1, 1));
	self->run->data[0] = 0xa5;
	ASSERT_TRUE(accesses(self->cpu, false, 0xffff, 1, 1));
	EXPECT_EQ(0xa5, self->run->data[0]);
}

/*
 * Memory operands that are no memory
 */

/* A run to an access of @size bytes at @gpa; a read is answered by @answer. */
static bool touches(struct guest_cpu *cpu, uint64_t gpa, uint32_t size,
		    bool write, uint32_t answer)
{
	struct lodge_exit_mmio *mmio = &cpu->run->exit.mmio;

	if (!cpu_exits(cpu, LODGE_EXIT_MMIO))
		return false;
	if (mmio->gpa != gpa || mmio->size != size || mmio->write != write) {
		cpu_explain(cpu);
		return false;
	}
	if (!write)
		memcpy(mmio->data, &answer, sizeof(answer));
	return true;
}

CODE(ins_to_hole, 64,
     "mov $0xd0000010, %edi; mov $0x1f0, %edx; mov $2, %ecx; rep insl;" DONE);

TEST_F(port, insl_to_a_device_goes_element_by_element)
{
	cpu_start(self->cpu, LONG64, ins_to_hole);
	for (uint32_t i = 0; i < 2; i++) {
		ASSERT_TRUE(accesses(self->cpu, true, 0x1f0, 4, 1));
		memcpy(self->run->data, "wxyz", 4);
		ASSERT_TRUE(touches(self->cpu, GUEST_HOLE + 0x10 + 4 * i, 4,
				    true, 0));
		EXPECT_EQ(0, memcmp(self->run->exit.mmio.data, "wxyz", 4));
	}
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(GUEST_HOLE + 0x18, *cpu_gpr(self->cpu, LODGE_RDI));
	EXPECT_EQ(0, *cpu_gpr(self->cpu, LODGE_RCX));
}

TEST_F(port, what_ins_has_got_stays_while_a_device_is_asked)
{
	cpu_start(self->cpu, LONG64, ins_to_hole);
	ASSERT_TRUE(accesses(self->cpu, true, 0x1f0, 4, 1));
	memcpy(self->run->data, "wxyz", 4);
	self->run->immediate_exit = 1;
	ASSERT_TRUE(touches(self->cpu, GUEST_HOLE + 0x10, 4, true, 0));
	self->run->immediate_exit = 0;
	memset(self->run->data, 0xee, 4);
	ASSERT_TRUE(accesses(self->cpu, true, 0x1f0, 4, 1));
	EXPECT_EQ(GUEST_HOLE + 0x14, *cpu_gpr(self->cpu, LODGE_RDI));
}

CODE(ins_over_end, 64, "mov $0xd0000ffe, %edi; mov $0x1f0, %edx; insl;" DONE);

TEST_F(port, insl_over_the_end_of_a_devices_page_asks_twice)
{
	cpu_start(self->cpu, LONG64, ins_over_end);
	ASSERT_TRUE(accesses(self->cpu, true, 0x1f0, 4, 1));
	memcpy(self->run->data, "wxyz", 4);
	ASSERT_TRUE(touches(self->cpu, GUEST_HOLE + 0xffe, 2, true, 0));
	EXPECT_EQ(0, memcmp(self->run->exit.mmio.data, "wx", 2));
	ASSERT_TRUE(touches(self->cpu, GUEST_HOLE + 0x1000, 2, true, 0));
	EXPECT_EQ(0, memcmp(self->run->exit.mmio.data, "yz", 2));
	ASSERT_TRUE(cpu_done(self->cpu));
}

CODE(outs_from_hole, 64,
     "mov $0xd0000100, %esi; mov $0x3f8, %edx; mov $100, %ecx;"
     "rep outsw;" DONE);

TEST_F(port, outsw_from_a_device_goes_element_by_element)
{
	cpu_start(self->cpu, LONG64, outs_from_hole);
	for (uint32_t i = 0; i < 100; i++) {
		ASSERT_TRUE(touches(self->cpu, GUEST_HOLE + 0x100 + 2 * i, 2,
				    false, 0x4000 + i));
		ASSERT_TRUE(accesses(self->cpu, false, 0x3f8, 2, 1));
		EXPECT_EQ(0x4000 + i, *(uint16_t *)self->run->data);
	}
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(GUEST_HOLE + 0x100 + 200, *cpu_gpr(self->cpu, LODGE_RSI));
}

CODE(outs_down_hole, 64,
     "std; mov $0xd0000ffc, %esi; mov $0x3f8, %edx; mov $3, %ecx;"
     "rep outsl;" DONE);

TEST_F(port, outsl_downwards_from_a_device_does_too)
{
	cpu_start(self->cpu, LONG64, outs_down_hole);
	for (uint32_t i = 0; i < 3; i++) {
		ASSERT_TRUE(touches(self->cpu, GUEST_HOLE + 0xffc - 4 * i, 4,
				    false, i));
		ASSERT_TRUE(accesses(self->cpu, false, 0x3f8, 4, 1));
		EXPECT_EQ(i, *(uint32_t *)self->run->data);
	}
	ASSERT_TRUE(cpu_done(self->cpu));
}

/* The version register is the APIC's fourth. */
CODE(outs_from_apic, 32,
     "mov $0xfee00030, %esi; mov $0x80, %edx; mov $2048, %ecx; rep outsb;");

TEST_F(port, outsb_from_the_apic_page_goes_element_by_element)
{
	uint32_t version;

	cpu_start(self->cpu, PROT32, outs_from_apic);
	for (int i = 0; i < 0x400; i++) {
		ASSERT_TRUE(accesses(self->cpu, false, 0x80, 1, 1));
		if (i < 4)
			((uint8_t *)&version)[i] = self->run->data[0];
	}
	EXPECT_EQ(0x14, version & 0xf4);
	EXPECT_EQ(2048 - 0x400, *cpu_gpr(self->cpu, LODGE_RCX));
}

CODE(ins_to_apic, 32,
     "mov $0xfee00000, %edi; mov $0x80, %edx; mov $1024, %ecx; rep insb;" DONE);

TEST_F(port, insb_to_the_apic_page_goes_element_by_element)
{
	cpu_start(self->cpu, PROT32, ins_to_apic);
	for (int i = 0; i < 1024; i++) {
		ASSERT_TRUE(accesses(self->cpu, true, 0x80, 1, 1));
		self->run->data[0] = 0;
	}
	ASSERT_TRUE(cpu_done(self->cpu));
}

#define ROM 0x900000

static uint8_t rom[0x1000] __attribute__((aligned(0x1000)));

CODE(ins_to_rom, 32,
     "mov $0x900ff0, %edi; mov $0x1f0, %edx; mov $8, %ecx; rep insl;" DONE);
CODE(outs_from_rom, 32,
     "mov $0x900100, %esi; mov $0x1f0, %edx; mov $64, %ecx; rep outsl;" DONE);

/* The ROM's page, and the hole behind it. */
TEST_F(port, insl_to_a_read_only_slot_goes_element_by_element)
{
	ASSERT_EQ(0, lodge_memory_set(self->m.vm, 5, LODGE_MEM_READONLY, ROM,
				      sizeof(rom), rom));
	cpu_start(self->cpu, PROT32, ins_to_rom);
	for (uint32_t i = 0; i < 8; i++) {
		ASSERT_TRUE(accesses(self->cpu, true, 0x1f0, 4, 1));
		memcpy(self->run->data, &i, 4);
		ASSERT_TRUE(
			touches(self->cpu, ROM + 0xff0 + 4 * i, 4, true, 0));
		EXPECT_EQ(i, *(uint32_t *)self->run->exit.mmio.data);
	}
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0, *(uint32_t *)(rom + 0xff0));
}

TEST_F(port, outsl_from_a_read_only_slot_goes_at_once)
{
	ASSERT_EQ(0, lodge_memory_set(self->m.vm, 5, LODGE_MEM_READONLY, ROM,
				      sizeof(rom), rom));
	memset(rom + 0x100, 0x77, 256);
	cpu_start(self->cpu, PROT32, outs_from_rom);
	ASSERT_TRUE(accesses(self->cpu, false, 0x1f0, 4, 64));
	EXPECT_EQ(0, memcmp(rom + 0x100, self->run->data, 256));
	ASSERT_TRUE(cpu_done(self->cpu));
}

/* The task priority: one word, and nothing of the 2 KiB around it. */
CODE(apic_ins, 32,
     "mov $0xfee00080, %edi; mov $0x80, %edx; insl;"
     "mov 0xfee00080, %eax;" DONE);

TEST_F(port, insl_to_the_apic_page_writes_its_register)
{
	cpu_start(self->cpu, PROT32, apic_ins);
	ASSERT_TRUE(accesses(self->cpu, true, 0x80, 4, 1));
	memcpy(self->run->data, "\x70\0\0", 4);
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0x70, *cpu_gpr(self->cpu, LODGE_RAX));
}

CODE(ins_vanishing, 64,
     "mov $0x400000, %edi; mov $3, %ecx; mov $0x1f0, %edx; rep insb;" DONE);

TEST_F(port, insb_into_memory_that_goes_meanwhile_goes_to_the_device)
{
	struct machine *m = &self->m;
	const struct lodge_exit_mmio *mmio = &self->run->exit.mmio;
	int i;

	ASSERT_EQ(0, lodge_memory_set(m->vm, 0, 0, 0, 0x400000, m->memory));
	ASSERT_EQ(0, lodge_memory_set(m->vm, 1, 0, 0x400000, 0x1000,
				      m->memory + 0x400000));
	cpu_start(self->cpu, LONG64, ins_vanishing);
	ASSERT_TRUE(accesses(self->cpu, true, 0x1f0, 1, 3));
	memcpy(self->run->data, "abc", 3);
	ASSERT_EQ(0, lodge_memory_delete(m->vm, 1));
	for (i = 0; i < 3; i++) {
		ASSERT_TRUE(cpu_exits(self->cpu, LODGE_EXIT_MMIO));
		EXPECT_EQ(0x400000 + i, mmio->gpa);
		EXPECT_EQ(1, mmio->size);
		EXPECT_EQ('a' + i, mmio->data[0]);
	}
	ASSERT_TRUE(cpu_done(self->cpu));
}

/*
 * String I/O with a device, not memory: element by element.  The device is at
 * GUEST_HOLE; RCX elements, with FS (OUTS) and ES (INS) at its beginning.
 */

FIXTURE(device)
{
	struct machine m;
	struct guest_cpu *cpu;
	struct lodge_run *run;
};

FIXTURE_VARIANT(device)
{
	enum guest_mode mode;
	const struct guest_code *outs;
	const struct guest_code *ins;
};

FIXTURE_SETUP(device)
{
	machine_create(&self->m, 1);
	self->cpu = &self->m.cpu[0];
	self->run = self->cpu->run;
}

FIXTURE_TEARDOWN(device)
{
}

#define DEVICE(name, bits, where)                                            \
	CODE(device_##name##_outs, bits,                                     \
	     "mov $0x80, %edx; rep outsb %fs:(%esi), %dx;" DONE);            \
	CODE(device_##name##_ins, bits, "mov $0x1f0, %edx; rep insw;" DONE); \
	FIXTURE_VARIANT_ADD(device, name)                                    \
	{                                                                    \
		.mode = where, .outs = &device_##name##_outs,                \
		.ins = &device_##name##_ins                                  \
	}

DEVICE(real, 16, REAL16);
DEVICE(protected, 32, PROT32);
DEVICE(long64, 64, LONG64);

/* In 64-bit mode only FS has a base; ES has the address in RDI. */
static void device_start(struct guest_cpu *cpu, enum guest_mode mode,
			 struct guest_code code, uint64_t count)
{
	struct lodge_regs *regs = &cpu->run->regs;

	cpu_start(cpu, mode, code);
	regs->general.gpr[LODGE_RCX] = count;
	regs->segments.seg[LODGE_FS].base = GUEST_HOLE;
	if (mode == LONG64)
		regs->general.gpr[LODGE_RDI] = GUEST_HOLE;
	else
		regs->segments.seg[LODGE_ES].base = GUEST_HOLE;
}

TEST_F(device, outsb_reads_as_often_as_it_writes)
{
	static const uint32_t counts[] = { 1, 2, 16, 17, 32, 255 };
	uint32_t i, at;

	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		device_start(self->cpu, variant->mode, *variant->outs,
			     counts[i]);
		for (at = 0; at < counts[i]; at++) {
			ASSERT_TRUE(touches(self->cpu, GUEST_HOLE + at, 1,
					    false, at ^ 0x5a));
			ASSERT_TRUE(accesses(self->cpu, false, 0x80, 1, 1));
			ASSERT_EQ(at ^ 0x5a, self->run->data[0]);
		}
		ASSERT_TRUE(cpu_done(self->cpu));
		EXPECT_EQ(0, *cpu_gpr(self->cpu, LODGE_RCX));
		EXPECT_EQ(counts[i], *cpu_gpr(self->cpu, LODGE_RSI));
	}
}

TEST_F(device, outsb_reads_downwards_with_the_direction_flag)
{
	int i;

	device_start(self->cpu, variant->mode, *variant->outs, 8);
	*cpu_gpr(self->cpu, LODGE_RSI) = 7;
	self->run->regs.general.rflags |= 0x400;
	for (i = 7; i >= 0; i--) {
		ASSERT_TRUE(touches(self->cpu, GUEST_HOLE + i, 1, false, i));
		ASSERT_TRUE(accesses(self->cpu, false, 0x80, 1, 1));
		ASSERT_EQ(i, self->run->data[0]);
	}
	ASSERT_TRUE(cpu_done(self->cpu));
}

TEST_F(device, insw_reads_the_port_once_for_each_that_it_writes)
{
	uint16_t i, value;

	device_start(self->cpu, variant->mode, *variant->ins, 20);
	for (i = 0; i < 20; i++) {
		ASSERT_TRUE(accesses(self->cpu, true, 0x1f0, 2, 1));
		value = 0x1111 * i;
		memcpy(self->run->data, &value, sizeof(value));
		ASSERT_TRUE(touches(self->cpu, GUEST_HOLE + 2 * i, 2, true, 0));
		EXPECT_EQ(0, memcmp(self->run->exit.mmio.data, &value, 2));
		/* Memory that is taken away belongs to nobody. */
		memset(self->run->data, 0xee, 8);
	}
	ASSERT_TRUE(cpu_done(self->cpu));
	EXPECT_EQ(0, *cpu_gpr(self->cpu, LODGE_RCX));
}

TEST_HARNESS_MAIN
