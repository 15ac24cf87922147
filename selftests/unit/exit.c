// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of exits whose instruction has changed by the time it is read: nothing is
 * carried out, and the guest tries again.
 */
#include "fake_vcpu.h"

#include "kselftest_harness.h"

#define RIP 0x1000U

FIXTURE(exits)
{
	struct lodge_vcpu *vcpu;
	struct lodge_general *general;
	struct lodge_vmexit exit;
};

FIXTURE_SETUP(exits)
{
	memset(&fake_guest, 0, sizeof(fake_guest));
	memset(&self->exit, 0, sizeof(self->exit));
	self->vcpu = fake_vcpu_new();
	self->general = &self->vcpu->regs.general;
	self->general->rip = RIP;
}

FIXTURE_TEARDOWN(exits)
{
	fake_vcpu_free(self->vcpu);
}

#define CODE(...)                                                   \
	do {                                                        \
		const u8 _bytes[] = { __VA_ARGS__ };                \
                                                                    \
		memcpy(fake_guest.code[0], _bytes, sizeof(_bytes)); \
	} while (0)
#define HANDLE() lodge_exit_handle(self->vcpu, &self->exit)
/* The exit has had no effect: neither an exception nor a step. */
#define EXPECT_RETRY()                                                  \
	do {                                                            \
		EXPECT_EQ(LODGE_ENTER_AGAIN, HANDLE());                 \
		EXPECT_EQ(RIP, self->general->rip);                     \
		EXPECT_EQ(0U, fake_guest.events);                       \
		EXPECT_EQ(LODGE_COMPLETE_NONE, self->vcpu->completion); \
	} while (0)

/* The guest may retry any number of times: user space is not told of the instruction. */
#define EXPECT_RETRIES()              \
	for (int i = 0; i < 100; i++) \
	EXPECT_RETRY()

static void string_exit(struct lodge_vmexit *exit, bool in, u8 size, bool rep)
{
	exit->kind = LODGE_VMEXIT_IO;
	exit->io.port = 0x1f0;
	exit->io.string = true;
	exit->io.in = in;
	exit->io.size = size;
	exit->io.rep = rep;
	exit->next_rip = RIP + 2;
}

static void register_exit(struct lodge_vmexit *exit,
			  enum lodge_vmexit_kind kind, u8 number, bool write)
{
	exit->kind = kind;
	exit->reg.number = number;
	exit->reg.write = write;
	exit->reg.gpr = LODGE_VMEXIT_NO_GPR;
}

TEST_F(exits, string_io_of_another_size_is_tried_again)
{
	string_exit(&self->exit, false, 4, true);
	self->general->gpr[LODGE_RCX] = 2048;
	CODE(0xf3, 0x6e);
	EXPECT_RETRY();
	CODE(0xf3, 0x6f);
	ASSERT_EQ(LODGE_TO_USER, HANDLE());
	EXPECT_EQ(4, self->vcpu->answer.exit.io.size);
	EXPECT_EQ(512U, self->vcpu->answer.exit.io.count);
}

TEST_F(exits, string_io_in_the_other_direction_is_tried_again)
{
	string_exit(&self->exit, true, 1, false);
	CODE(0x6e);
	EXPECT_RETRIES();
	CODE(0x6c);
	ASSERT_EQ(LODGE_TO_USER, HANDLE());
	EXPECT_EQ(1, self->vcpu->answer.exit.io.in);
}

TEST_F(exits, string_io_that_repeats_by_now_is_tried_again)
{
	string_exit(&self->exit, false, 1, false);
	self->general->gpr[LODGE_RCX] = 5;
	CODE(0xf3, 0x6e);
	EXPECT_RETRY();
	self->exit.io.rep = true;
	CODE(0x6e);
	EXPECT_RETRY();
}

TEST_F(exits, string_io_of_another_address_size_is_tried_again)
{
	string_exit(&self->exit, false, 1, false);
	self->exit.io.address_size = 8;
	CODE(0x67, 0x6e);
	EXPECT_RETRY();
	self->exit.io.address_size = 4;
	EXPECT_EQ(LODGE_TO_USER, HANDLE());
}

TEST_F(exits, string_io_that_is_something_else_by_now_is_tried_again)
{
	string_exit(&self->exit, false, 1, false);
	CODE(0x88, 0x07);
	EXPECT_RETRIES();
	CODE(0x0f, 0xff);
	EXPECT_RETRY();
}

/* More often than it takes an emulated processor to go on with the new code. */
#define EXPECT_PATIENCE()                                              \
	do {                                                           \
		int tries = 0;                                         \
                                                                       \
		while (tries < 50000 && HANDLE() == LODGE_ENTER_AGAIN) \
			tries++;                                       \
		EXPECT_EQ(50000, tries);                               \
		EXPECT_EQ(RIP, (int)self->general->rip);               \
	} while (0)

TEST_F(exits, what_the_processor_has_described_is_waited_for)
{
	CODE(0x90);
	string_exit(&self->exit, false, 1, true);
	EXPECT_PATIENCE();
	self->exit.kind = LODGE_VMEXIT_CPUID;
	self->exit.next_rip = 0;
	self->vcpu->emulation->insn_bytes.changes = 0;
	EXPECT_PATIENCE();
	register_exit(&self->exit, LODGE_VMEXIT_CR, 0, true);
	self->vcpu->emulation->insn_bytes.changes = 0;
	EXPECT_PATIENCE();
}

TEST_F(exits, what_the_processor_has_described_is_not_waited_for_for_ever)
{
	unsigned int tries = 0;
	int outcome;

	CODE(0x90);
	string_exit(&self->exit, false, 1, true);
	while ((outcome = HANDLE()) == LODGE_ENTER_AGAIN)
		ASSERT_GT(1000000U, tries++);
	EXPECT_EQ(LODGE_CANNOT_EMULATE, outcome);
}

TEST_F(exits, a_device_is_tried_as_often_after_what_was_waited_for)
{
	int i;

	CODE(0x90);
	string_exit(&self->exit, false, 1, true);
	for (i = 0; i < 100; i++)
		ASSERT_EQ(LODGE_ENTER_AGAIN, HANDLE());
	self->exit.kind = LODGE_VMEXIT_FAULT;
	self->exit.fault.device = true;
	fake_guest.page[0] = FAKE_HOLE;
	CODE(0x0f, 0xff);
	EXPECT_RETRY();
}

TEST_F(exits, what_stays_unknown_is_refused_in_the_end)
{
	unsigned int tries = 0;
	int outcome;

	self->exit.kind = LODGE_VMEXIT_FAULT;
	self->exit.fault.device = true;
	fake_guest.page[0] = FAKE_HOLE;
	CODE(0x0f, 0xff);
	while ((outcome = HANDLE()) == LODGE_ENTER_AGAIN)
		ASSERT_GT(100U, tries++);
	EXPECT_EQ(LODGE_CANNOT_EMULATE, outcome);
	EXPECT_EQ(LODGE_EXIT_CANNOT_EMULATE, self->vcpu->answer.reason);
	EXPECT_EQ(0x0f, self->vcpu->answer.exit.emulate.bytes[0]);
}

TEST_F(exits, page_tables_that_keep_changing_are_walked_again)
{
	self->exit.kind = LODGE_VMEXIT_FAULT;
	self->exit.fault.device = true;
	fake_guest.page[0] = FAKE_HOLE;
	fake_guest.walks_busy = true;
	CODE(0x88, 0x07);
	EXPECT_RETRIES();
	fake_guest.walks_busy = false;
	EXPECT_EQ(LODGE_TO_USER, HANDLE());
}

TEST_F(exits, another_control_register_is_tried_again)
{
	register_exit(&self->exit, LODGE_VMEXIT_CR, 0, true);
	CODE(0x0f, 0x22, 0xd8); /* mov %rax, %cr3 */
	EXPECT_RETRY();
	CODE(0x0f, 0x20, 0xc0); /* mov %cr0, %rax */
	EXPECT_RETRY();
	CODE(0x0f, 0x21, 0xc0); /* mov %db0, %rax */
	EXPECT_RETRY();
	CODE(0x0f, 0x22, 0xc0); /* mov %rax, %cr0 */
	EXPECT_EQ(LODGE_ENTER_AGAIN, HANDLE());
	EXPECT_EQ(RIP + 3U, self->general->rip);
}

TEST_F(exits, another_general_register_is_tried_again)
{
	register_exit(&self->exit, LODGE_VMEXIT_CR, 3, true);
	self->exit.reg.gpr = LODGE_RBX;
	CODE(0x0f, 0x22, 0xd8); /* mov %rax, %cr3 */
	EXPECT_RETRY();
	CODE(0x0f, 0x22, 0xdb); /* mov %rbx, %cr3 */
	EXPECT_EQ(LODGE_ENTER_AGAIN, HANDLE());
	EXPECT_EQ(RIP + 3U, self->general->rip);
}

TEST_F(exits, another_debug_register_is_tried_again)
{
	register_exit(&self->exit, LODGE_VMEXIT_DR, 7, true);
	CODE(0x0f, 0x23, 0xf0); /* mov %rax, %db6 */
	EXPECT_RETRY();
	CODE(0x0f, 0x21, 0xf8); /* mov %db7, %rax */
	EXPECT_RETRY();
	CODE(0x0f, 0x23, 0xe8); /* mov %rax, %db5: another name of db7 */
	EXPECT_EQ(LODGE_ENTER_AGAIN, HANDLE());
	EXPECT_EQ(RIP + 3U, self->general->rip);
}

TEST_F(exits, what_is_another_instruction_by_now_has_no_effect)
{
	self->exit.kind = LODGE_VMEXIT_CPUID;
	CODE(0x0f, 0x32); /* rdmsr */
	EXPECT_RETRY();
	EXPECT_EQ(0U, self->general->gpr[LODGE_RAX]);
	CODE(0x0f, 0xa2);
	EXPECT_EQ(LODGE_ENTER_AGAIN, HANDLE());
	EXPECT_EQ(RIP + 2U, self->general->rip);
	EXPECT_EQ(0x5a5a5a5aU, self->general->gpr[LODGE_RAX]);
}

TEST_F(exits, the_last_instruction_below_4_gib_is_followed_by_the_first)
{
	struct lodge_segment *cs = &self->vcpu->regs.segments.seg[LODGE_CS];

	cs->attr = LODGE_SEG_P | LODGE_SEG_S | LODGE_SEG_DB | 0xb;
	self->general->rip = 0xfffffffe;
	self->exit.kind = LODGE_VMEXIT_INVD;
	CODE(0x0f, 0x08);
	ASSERT_EQ(LODGE_ENTER_AGAIN, HANDLE());
	EXPECT_EQ(0U, self->general->rip);
}

TEST_F(exits, an_msr_is_not_written_for_what_has_read_it)
{
	self->exit.kind = LODGE_VMEXIT_MSR;
	self->exit.msr.write = true;
	CODE(0x0f, 0x32);
	EXPECT_RETRY();
	CODE(0x0f, 0x30);
	EXPECT_EQ(LODGE_ENTER_AGAIN, HANDLE());
	EXPECT_EQ(RIP + 2U, self->general->rip);
}

TEST_F(exits, answers_of_a_device_are_forgotten_where_it_has_moved)
{
	struct lodge_exit_mmio *mmio = &self->vcpu->answer.exit.mmio;

	self->exit.kind = LODGE_VMEXIT_FAULT;
	self->exit.fault.device = true;
	fake_guest.page[1] = FAKE_HOLE;
	fake_guest.page[2] = FAKE_HOLE;
	self->general->gpr[LODGE_RDI] = 0x1ffe;
	CODE(0x8b, 0x07); /* mov (%rdi), %eax */
	ASSERT_EQ(LODGE_TO_USER, HANDLE());
	EXPECT_EQ(0x1ffeU, mmio->gpa);
	EXPECT_EQ(2U, mmio->size);
	memset(mmio->data, 0x11, 2);
	/* The first half becomes memory: the next access is for the second half. */
	fake_guest.page[1] = FAKE_RAM;
	ASSERT_EQ(LODGE_TO_USER, lodge_emulate_complete(self->vcpu));
	EXPECT_EQ(0x2000U, mmio->gpa);
	memset(mmio->data, 0x22, 2);
	ASSERT_EQ(LODGE_ENTER_AGAIN, lodge_emulate_complete(self->vcpu));
	EXPECT_EQ(0x22220000U, self->general->gpr[LODGE_RAX]);
}

static void device_exit(struct lodge_vmexit *exit)
{
	exit->kind = LODGE_VMEXIT_FAULT;
	exit->fault.device = true;
	fake_guest.page[3] = FAKE_HOLE;
}

/* Carries out one instruction, to which a device answers with zeros. */
#define ANSWER_ZERO()                                                       \
	do {                                                                \
		ASSERT_EQ(LODGE_TO_USER, HANDLE());                         \
		ASSERT_EQ(LODGE_EXIT_MMIO, (int)self->vcpu->answer.reason); \
		memset(self->vcpu->answer.exit.mmio.data, 0, 16);           \
		ASSERT_EQ(LODGE_ENTER_AGAIN,                                \
			  lodge_emulate_complete(self->vcpu));              \
		ASSERT_EQ(RIP + 2U, self->general->rip);                    \
		self->general->rip = RIP;                                   \
	} while (0)
#define SHADOW() (self->vcpu->regs.events.flags & LODGE_EVENT_SHADOW)

TEST_F(exits, an_interrupt_waits_behind_a_load_of_ss)
{
	device_exit(&self->exit);
	self->general->gpr[LODGE_RBX] = 0x3000;
	CODE(0x8e, 0x1b); /* mov (%rbx), %ds */
	ANSWER_ZERO();
	EXPECT_FALSE(SHADOW());
	CODE(0x8e, 0x13); /* mov (%rbx), %ss */
	ANSWER_ZERO();
	EXPECT_TRUE(SHADOW());
}

TEST_F(exits, a_single_step_waits_behind_a_load_of_ss)
{
	device_exit(&self->exit);
	self->general->gpr[LODGE_RBX] = 0x3000;
	self->general->rflags |= X86_EFLAGS_TF;
	CODE(0x8e, 0x13);
	ANSWER_ZERO();
	EXPECT_EQ(0U, fake_guest.events);
	CODE(0x8e, 0x1b);
	ANSWER_ZERO();
	EXPECT_EQ(1U, fake_guest.events);
}

TEST_F(exits, an_interrupt_waits_behind_a_pop_of_ss)
{
	device_exit(&self->exit);
	self->vcpu->regs.segments.seg[LODGE_CS].attr = 0xc9b;
	self->vcpu->regs.control.cr0 = 0;
	self->general->gpr[LODGE_RSP] = 0x3000;
	CODE(0x36, 0x17); /* pop %ss */
	ANSWER_ZERO();
	EXPECT_TRUE(SHADOW());
}

#define MMIO (&self->vcpu->answer.exit.mmio)
/* User space is told of an access; @_write: the bytes written, as a number. */
#define EXPECT_TOLD(outcome, _gpa, _size, _write)                           \
	do {                                                                \
		ASSERT_EQ(LODGE_TO_USER, outcome);                          \
		EXPECT_EQ(LODGE_EXIT_MMIO, (int)self->vcpu->answer.reason); \
		EXPECT_EQ(_gpa, MMIO->gpa);                                 \
		EXPECT_EQ(_size, MMIO->size);                               \
		EXPECT_EQ(_write, MMIO->write);                             \
	} while (0)
#define EXPECT_OVER(_rip)                                               \
	do {                                                            \
		EXPECT_EQ(_rip, self->general->rip);                    \
		EXPECT_EQ(LODGE_COMPLETE_NONE, self->vcpu->completion); \
	} while (0)
#define COMPLETE() lodge_emulate_complete(self->vcpu)

TEST_F(exits, a_write_to_a_device_is_over_when_it_is_told)
{
	device_exit(&self->exit);
	self->general->gpr[LODGE_RDI] = 0x3010;
	self->general->gpr[LODGE_RAX] = 0x11223344;
	CODE(0x89, 0x07); /* mov %eax, (%rdi) */
	EXPECT_TOLD(HANDLE(), 0x3010U, 4U, 1);
	EXPECT_EQ(0, memcmp(MMIO->data, "\x44\x33\x22\x11", 4));
	EXPECT_OVER(RIP + 2U);
}

/* Carries out an instruction: it reads segment registers besides CS and SS, or not. */
#define EXPECT_SEGMENTS(expected, ...)                                   \
	do {                                                             \
		CODE(__VA_ARGS__);                                       \
		fake_guest.groups = 0;                                   \
		self->general->rip = RIP;                                \
		self->vcpu->completion = LODGE_COMPLETE_NONE;            \
		EXPECT_LE(LODGE_ENTER_AGAIN, HANDLE());                  \
		EXPECT_EQ(expected,                                      \
			  !!(fake_guest.groups & LODGE_GROUP_SEGMENTS)); \
	} while (0)

TEST_F(exits, segment_registers_are_read_where_they_matter)
{
	device_exit(&self->exit);
	self->general->gpr[LODGE_RDI] = 0x3000;
	self->general->gpr[LODGE_RCX] = 1;
	self->general->gpr[LODGE_RSP] = 0x3100;
	EXPECT_SEGMENTS(0, 0x89, 0x07); /* mov %eax, (%rdi) */
	EXPECT_SEGMENTS(0, 0x0f, 0xb6, 0x07); /* movzbl (%rdi), %eax */
	EXPECT_SEGMENTS(0, 0x87, 0x07); /* xchg %eax, (%rdi) */
	EXPECT_SEGMENTS(1, 0x64, 0x89, 0x07); /* mov %eax, %fs:(%rdi) */
	EXPECT_SEGMENTS(1, 0x65, 0x8b, 0x07); /* mov %gs:(%rdi), %eax */
	EXPECT_SEGMENTS(1, 0x8c, 0x1f); /* mov %ds, (%rdi) */
	EXPECT_SEGMENTS(1, 0x8e, 0x1f); /* mov (%rdi), %ds */
	EXPECT_SEGMENTS(1, 0xff, 0x1f); /* lcall *(%rdi) */
	EXPECT_SEGMENTS(1, 0x0f, 0x01, 0x07); /* sgdt (%rdi) */
	EXPECT_SEGMENTS(1, 0xf3, 0xaa); /* rep stosb */
	self->vcpu->regs.segments.seg[LODGE_CS].attr = 0xc9b;
	EXPECT_SEGMENTS(1, 0x89, 0x07);
}

TEST_F(exits, a_write_to_two_devices_is_over_with_the_second)
{
	device_exit(&self->exit);
	fake_guest.page[4] = FAKE_HOLE;
	self->general->gpr[LODGE_RDI] = 0x3ffe;
	CODE(0x89, 0x07);
	EXPECT_TOLD(HANDLE(), 0x3ffeU, 2U, 1);
	EXPECT_EQ(RIP, self->general->rip);
	EXPECT_TOLD(COMPLETE(), 0x4000U, 2U, 1);
	EXPECT_OVER(RIP + 2U);
}

TEST_F(exits, a_write_waits_for_no_access_to_the_local_apic)
{
	device_exit(&self->exit);
	fake_guest.page[4] = FAKE_APIC;
	self->general->gpr[LODGE_RDI] = 0x3ffe;
	CODE(0x89, 0x07);
	EXPECT_TOLD(HANDLE(), 0x3ffeU, 2U, 1);
	EXPECT_EQ(0U, fake_guest.apic_writes);
	EXPECT_EQ(LODGE_ENTER_AGAIN, COMPLETE());
	EXPECT_EQ(1U, fake_guest.apic_writes);
	EXPECT_OVER(RIP + 2U);
}

TEST_F(exits, a_read_and_write_is_over_with_the_write)
{
	device_exit(&self->exit);
	self->general->gpr[LODGE_RDI] = 0x3000;
	self->general->gpr[LODGE_RAX] = 1;
	CODE(0x01, 0x07); /* add %eax, (%rdi) */
	EXPECT_TOLD(HANDLE(), 0x3000U, 4U, 0);
	EXPECT_EQ(RIP, self->general->rip);
	memset(MMIO->data, 0x10, 4);
	EXPECT_TOLD(COMPLETE(), 0x3000U, 4U, 1);
	EXPECT_EQ(0, memcmp(MMIO->data, "\x11\x10\x10\x10", 4));
	EXPECT_OVER(RIP + 2U);
}

TEST_F(exits, an_iteration_is_over_when_its_write_is_told)
{
	device_exit(&self->exit);
	self->general->gpr[LODGE_RDI] = 0x3000;
	self->general->gpr[LODGE_RCX] = 2;
	CODE(0xf3, 0xaa); /* rep stosb */
	EXPECT_TOLD(HANDLE(), 0x3000U, 1U, 1);
	EXPECT_OVER(RIP);
	EXPECT_EQ(1U, self->general->gpr[LODGE_RCX]);
	EXPECT_TOLD(HANDLE(), 0x3001U, 1U, 1);
	EXPECT_OVER(RIP + 2U);
}

TEST_F(exits, a_write_is_not_told_where_the_instruction_faults_behind_it)
{
	device_exit(&self->exit);
	fake_guest.page[4] = FAKE_ABSENT;
	self->vcpu->regs.segments.seg[LODGE_CS].attr = 0xc9b;
	self->general->gpr[LODGE_RSP] = 0x4008;
	CODE(0x60); /* pusha */
	EXPECT_EQ(LODGE_ENTER_AGAIN, HANDLE());
	EXPECT_EQ(1U, fake_guest.events);
	EXPECT_OVER(RIP);
}

TEST_F(exits, what_ins_has_received_is_stored_to_a_device_bit_by_bit)
{
	string_exit(&self->exit, true, 1, true);
	fake_guest.page[3] = FAKE_HOLE;
	self->general->gpr[LODGE_RDI] = 0x3000;
	self->general->gpr[LODGE_RCX] = 2;
	CODE(0xf3, 0x6c); /* rep insb */
	ASSERT_EQ(LODGE_TO_USER, HANDLE());
	ASSERT_EQ(LODGE_EXIT_IO, (int)self->vcpu->answer.reason);
	*(u8 *)self->vcpu->data = 0x77;
	EXPECT_TOLD(COMPLETE(), 0x3000U, 1U, 1);
	EXPECT_EQ(0x77, MMIO->data[0]);
	EXPECT_EQ(LODGE_COMPLETE_EMULATE, self->vcpu->completion);
}

/* Frame pointers are read from one device and pushed to another. */
TEST_F(exits, enter_may_meet_a_device_at_each_access)
{
	unsigned int reads = 0, writes = 0;
	int outcome;

	device_exit(&self->exit);
	fake_guest.page[4] = FAKE_HOLE;
	self->general->gpr[LODGE_RBP] = 0x4800;
	self->general->gpr[LODGE_RSP] = 0x3800;
	CODE(0xc8, 0x00, 0x00, 0x1f); /* enter $0, $31 */
	for (outcome = HANDLE();
	     self->vcpu->completion == LODGE_COMPLETE_EMULATE;
	     outcome = COMPLETE()) {
		reads += !MMIO->write;
		writes += MMIO->write;
	}
	EXPECT_EQ(LODGE_TO_USER, outcome);
	EXPECT_EQ(30U, reads);
	/* The last one is told when the instruction is over. */
	EXPECT_EQ(31U, writes);
	EXPECT_EQ(RIP + 4U, self->general->rip);
	EXPECT_EQ(0x3800U - 8 * 32, self->general->gpr[LODGE_RSP]);
}

/* Two flat segments of level 0, and a gate to the first with 31 parameters. */
static void gate_tables(struct lodge_segments *segs)
{
	const u64 gdt[] = { 0, 0x00cf9b000000ffff, 0x00cf93000000ffff,
			    0x0000ec1f00082000 };
	const u32 stack[] = { 0x3800, 0x10 };

	memcpy(fake_guest.memory + 0x8000, gdt, sizeof(gdt));
	memcpy(fake_guest.memory + 0x9004, stack, sizeof(stack));
	segs->gdt = (struct lodge_segment){ .base = 0x8000,
					    .limit = sizeof(gdt) - 1 };
	segs->seg[LODGE_TR] = (struct lodge_segment){ .base = 0x9000,
						      .limit = 0x67,
						      .attr = 0x8b };
	segs->seg[LODGE_CS].attr = 0xcfb;
	segs->seg[LODGE_CS].selector = 0x23;
	segs->seg[LODGE_SS].attr = 0xcf3;
	segs->seg[LODGE_SS].selector = 0x2b;
}

/* The pointer, the parameters and the stack that they go to are on devices. */
TEST_F(exits, a_call_through_a_gate_may_meet_a_device_at_each_access)
{
	static const u8 pointer[] = { 0, 0, 0, 0, 0x1b, 0 };
	unsigned int reads = 0, writes = 0;
	int outcome;

	device_exit(&self->exit);
	gate_tables(&self->vcpu->regs.segments);
	fake_guest.page[4] = FAKE_HOLE;
	fake_guest.page[5] = FAKE_HOLE;
	self->general->gpr[LODGE_RDI] = 0x5000;
	self->general->gpr[LODGE_RSP] = 0x4100;
	CODE(0xff, 0x1f); /* lcall *(%edi) */
	for (outcome = HANDLE(); outcome == LODGE_TO_USER &&
				 self->vcpu->answer.reason == LODGE_EXIT_MMIO &&
				 reads + writes < 99;
	     outcome = COMPLETE()) {
		reads += !MMIO->write;
		writes += MMIO->write;
		if (MMIO->gpa == 0x5000)
			memcpy(MMIO->data, pointer, sizeof(pointer));
		if (MMIO->gpa == 0x5004)
			memcpy(MMIO->data, pointer + 4, 2);
	}
	EXPECT_EQ(LODGE_ENTER_AGAIN, outcome);
	EXPECT_EQ(0U, fake_guest.events);
	EXPECT_LE(32U, reads);
	EXPECT_EQ(35U, writes);
	EXPECT_EQ(0x2000U, self->general->rip);
	EXPECT_EQ(0x3800U - 4 * 35, self->general->gpr[LODGE_RSP]);
}

/* Interrupts are off: nothing here may wait for the guest's memory. */
#define QUICK() lodge_exit_quick(self->vcpu, &self->exit)

TEST_F(exits, cpuid_is_quick_where_the_processor_says_what_follows)
{
	self->exit.kind = LODGE_VMEXIT_CPUID;
	self->exit.next_rip = RIP + 3;
	fake_guest.walks_busy = true;
	EXPECT_TRUE(QUICK());
	EXPECT_EQ(RIP + 3, self->general->rip);
	EXPECT_EQ(0x5a5a5a5aU, self->general->gpr[LODGE_RBX]);
}

TEST_F(exits, an_instruction_that_was_read_before_is_quick)
{
	self->exit.kind = LODGE_VMEXIT_CPUID;
	CODE(0x0f, 0xa2);
	EXPECT_FALSE(QUICK());
	EXPECT_EQ(RIP, self->general->rip);
	EXPECT_EQ(LODGE_ENTER_AGAIN, HANDLE());
	EXPECT_EQ(RIP + 2, self->general->rip);

	self->exit.next_rip = 0;
	EXPECT_TRUE(QUICK());
	EXPECT_EQ(RIP + 4, self->general->rip);
}

TEST_F(exits, another_instruction_than_the_one_read_before_is_not_quick)
{
	self->exit.kind = LODGE_VMEXIT_CPUID;
	CODE(0x0f, 0xa2);
	EXPECT_EQ(LODGE_ENTER_AGAIN, HANDLE());
	self->exit.next_rip = 0;
	CODE(0x66, 0x0f, 0xa2);
	EXPECT_FALSE(QUICK());
	EXPECT_EQ(RIP + 2, self->general->rip);
	/* Nor is one whose page tables do not hold still. */
	CODE(0x0f, 0xa2);
	fake_guest.walks_busy = true;
	EXPECT_FALSE(QUICK());
	EXPECT_EQ(RIP + 2, self->general->rip);
}

TEST_F(exits, an_instruction_that_has_not_caused_the_exit_is_not_quick)
{
	self->exit.kind = LODGE_VMEXIT_CPUID;
	CODE(0x0f, 0xa2);
	EXPECT_EQ(LODGE_ENTER_AGAIN, HANDLE());
	self->exit.kind = LODGE_VMEXIT_MSR;
	self->exit.next_rip = 0;
	fake_guest.msr_is_quick = true;
	EXPECT_FALSE(QUICK());
	EXPECT_EQ(RIP + 2, self->general->rip);
}

TEST_F(exits, an_instruction_is_not_read_with_the_guests_pkru)
{
	self->exit.kind = LODGE_VMEXIT_CPUID;
	CODE(0x0f, 0xa2);
	EXPECT_EQ(LODGE_ENTER_AGAIN, HANDLE());
	self->exit.next_rip = 0;
	kernel_has_pkru = true;
	EXPECT_FALSE(QUICK());
	kernel_has_pkru = false;
	EXPECT_TRUE(QUICK());
}

TEST_F(exits, an_msr_is_quick_where_the_local_apic_says_so)
{
	self->exit.kind = LODGE_VMEXIT_MSR;
	self->exit.next_rip = RIP + 2;
	self->general->gpr[LODGE_RCX] = 0x80b;
	EXPECT_FALSE(QUICK());
	EXPECT_EQ(RIP, self->general->rip);
	fake_guest.msr_is_quick = true;
	EXPECT_TRUE(QUICK());
	EXPECT_EQ(RIP + 2, self->general->rip);
	EXPECT_EQ(0x80bU, self->general->gpr[LODGE_RAX]);
}

TEST_F(exits, a_counter_of_another_rate_is_read_at_once)
{
	self->exit.kind = LODGE_VMEXIT_RDTSC;
	self->exit.next_rip = RIP + 2;
	self->exit.rdtsc.aux = false;
	self->general->gpr[LODGE_RCX] = 5;
	EXPECT_TRUE(QUICK());
	EXPECT_EQ(RIP + 2, self->general->rip);
	EXPECT_EQ((u32)FAKE_TSC, self->general->gpr[LODGE_RAX]);
	EXPECT_EQ(FAKE_TSC >> 32, self->general->gpr[LODGE_RDX]);
	EXPECT_EQ(5U, self->general->gpr[LODGE_RCX]);
	self->exit.rdtsc.aux = true;
	EXPECT_TRUE(QUICK());
	EXPECT_EQ(0U, self->general->gpr[LODGE_RCX]);
}

TEST_F(exits, no_other_exit_is_quick)
{
	enum lodge_vmexit_kind kind;

	fake_guest.msr_is_quick = true;
	self->exit.next_rip = RIP + 2;
	for (kind = 0; kind <= LODGE_VMEXIT_ANSWERED; kind++) {
		self->exit.kind = kind;
		if (kind == LODGE_VMEXIT_CPUID || kind == LODGE_VMEXIT_MSR ||
		    kind == LODGE_VMEXIT_RDTSC)
			continue;
		EXPECT_FALSE(QUICK());
		EXPECT_EQ(RIP, self->general->rip);
		EXPECT_EQ(0U, fake_guest.events);
	}
}

TEST_HARNESS_MAIN
