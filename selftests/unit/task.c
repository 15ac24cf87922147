// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the hardware task switch, with 1 MiB of flat memory that can fault at any
 * access (Intel SDM vol. 3, chapter 8).
 */
#include <stdlib.h>

#include "task.h"

#undef ARRAY_SIZE
#include "kselftest_harness.h"

#define MEMORY 0x100000
#define GDT 0x1000
#define OLD_TSS 0x2000
#define NEW_TSS 0x3000
#define LDT 0x4000
#define STACK 0x8000

#define SEL_CODE 0x08
#define SEL_DATA 0x10
#define SEL_OLD 0x18
#define SEL_NEW 0x20
#define SEL_LDT 0x28
#define SEL_CODE_3 0x33
#define SEL_DATA_3 0x3b
#define SEL_CONFORMING_3 0x40
#define SEL_BEYOND 0x80
#define GDT_LIMIT 0x47

#define DESC_CODE 0x00cf9a000000ffffULL
#define DESC_DATA 0x00cf92000000ffffULL

#define CR0_TS 8
#define CR0_PG (1ULL << 31)
#define FLAGS_NT 0x4000
#define FLAGS_VM 0x20000

#define TS 10
#define NP 11
#define SS 12
#define GP 13
#define PF 14

FIXTURE(task)
{
	u8 memory[MEMORY];
	u8 before[MEMORY];
	struct lodge_regs regs;
	struct lodge_regs regs_before;
	struct lodge_regs start;
	struct lodge_task t;
	int accesses; /* number of accesses so far */
	int fault_at; /* number, from 1, of the access that faults */
	int busy; /* number of exchanges that find another byte */
	u64 cr3;
	int cr3_answer;
};

static int fault_now(FIXTURE_DATA(task) * self, struct lodge_fault *fault)
{
	if (++self->accesses != self->fault_at)
		return 0;
	*fault = (struct lodge_fault){ .vector = PF, .has_error = true };
	return LODGE_FAULT;
}

static int fake_read(void *opaque, u64 linear, void *data, size_t size,
		     struct lodge_fault *fault)
{
	FIXTURE_DATA(task) *self = opaque;

	if (linear > MEMORY - size)
		return -ENXIO;
	memcpy(data, self->memory + linear, size);
	return fault_now(self, fault);
}

static int fake_write(void *opaque, u64 linear, const void *data, size_t size,
		      unsigned int access, struct lodge_fault *fault)
{
	FIXTURE_DATA(task) *self = opaque;
	int answer = fault_now(self, fault);

	if (answer)
		return answer;
	if (linear > MEMORY - size)
		return -ENXIO;
	memcpy(self->memory + linear, data, size);
	return 0;
}

static int fake_exchange(void *opaque, u64 linear, u8 old, u8 new,
			 struct lodge_fault *fault)
{
	FIXTURE_DATA(task) *self = opaque;
	int answer = fault_now(self, fault);

	if (answer)
		return answer;
	if (self->busy) {
		self->busy--;
		return -EBUSY;
	}
	if (linear >= MEMORY)
		return -ENXIO;
	if (self->memory[linear] != old)
		return -EBUSY;
	self->memory[linear] = new;
	return 0;
}

static int fake_probe(void *opaque, u64 linear, size_t size,
		      unsigned int access, struct lodge_fault *fault)
{
	if (linear > MEMORY - size)
		return -ENXIO;
	return fault_now(opaque, fault);
}

static int fake_cr3(void *opaque, u64 cr3)
{
	FIXTURE_DATA(task) *self = opaque;

	self->cr3 = cr3;
	return self->cr3_answer;
}

static const struct lodge_task_ops ops = {
	.read = fake_read,
	.write = fake_write,
	.exchange = fake_exchange,
	.probe = fake_probe,
	.load_cr3 = fake_cr3,
};

static void put(FIXTURE_DATA(task) * self, u32 address, u32 value)
{
	memcpy(self->memory + address, &value, sizeof(value));
}

static u32 get(FIXTURE_DATA(task) * self, u32 address)
{
	u32 value;

	memcpy(&value, self->memory + address, sizeof(value));
	return value;
}

static void describe(FIXTURE_DATA(task) * self, u16 selector, u64 descriptor)
{
	memcpy(self->memory + GDT + (selector & ~7), &descriptor, 8);
}

static u8 type_of(FIXTURE_DATA(task) * self, u16 selector)
{
	return self->memory[GDT + (selector & ~7) + 5];
}

static u64 system_segment(u64 base, u64 limit, u64 attr)
{
	return limit | base << 16 | attr << 40;
}

/* Fills a 32-bit TSS with a different value for each register. */
static void fill(FIXTURE_DATA(task) * self)
{
	u32 at = NEW_TSS;

	put(self, at + 0x1c, 0x7000);
	put(self, at + 0x20, 0x1234);
	put(self, at + 0x24, 2);
	for (u32 i = 0; i < 8; i++)
		put(self, at + 0x28 + 4 * i, 0x10000000 + i);
	put(self, at + 0x38, STACK);
	for (u32 i = 0; i < 6; i++)
		put(self, at + 0x48 + 4 * i, i == 1 ? SEL_CODE : SEL_DATA);
	put(self, at + 0x60, 0);
}

FIXTURE_SETUP(task)
{
	struct lodge_segments *segs = &self->regs.segments;

	memset(self, 0, sizeof(*self));
	describe(self, SEL_CODE, DESC_CODE);
	describe(self, SEL_DATA, DESC_DATA);
	describe(self, SEL_OLD, system_segment(OLD_TSS, 0x67, 0x8b));
	describe(self, SEL_NEW, system_segment(NEW_TSS, 0x67, 0x89));
	describe(self, SEL_LDT, system_segment(LDT, 0xf, 0x82));
	describe(self, SEL_CODE_3, DESC_CODE | 3ULL << 45);
	describe(self, SEL_DATA_3, DESC_DATA | 3ULL << 45);
	describe(self, SEL_CONFORMING_3, DESC_CODE | 3ULL << 45 | 4ULL << 40);
	fill(self);
	segs->gdt.base = GDT;
	segs->gdt.limit = GDT_LIMIT;
	segs->seg[LODGE_TR] = (struct lodge_segment){
		.selector = SEL_OLD,
		.base = OLD_TSS,
		.limit = 0x67,
		.attr = LODGE_SEG_P | 11,
	};
	for (int i = LODGE_ES; i <= LODGE_GS; i++)
		segs->seg[i].selector = 0x100 + i;
	for (int i = 0; i < 8; i++)
		self->regs.general.gpr[i] = 0x20000000 + i;
	self->regs.control.cr0 = CR0_PG | 1;
	self->regs.debug.dr7 = 0x7ff;
	self->start = self->regs;
	self->t = (struct lodge_task){
		.cause = LODGE_TASK_CALL,
		.selector = SEL_NEW,
		.rip = 0x5678,
		.rflags = FLAGS_NT | 2,
		.regs = &self->regs,
		.ops = &ops,
		.opaque = self,
	};
}

FIXTURE_TEARDOWN(task)
{
}

/* Saves the state and calls lodge_task_switch().  Return: its result. */
static int switch_task(FIXTURE_DATA(task) * self)
{
	memcpy(self->before, self->memory, MEMORY);
	self->regs_before = self->regs;
	self->accesses = 0;
	return lodge_task_switch(&self->t);
}

TEST_F(task, a_call_saves_loads_and_links)
{
	struct lodge_general *general = &self->regs.general;

	ASSERT_EQ(0, switch_task(self));
	EXPECT_TRUE(self->t.committed);
	EXPECT_EQ(0x5678, get(self, OLD_TSS + 0x20));
	EXPECT_EQ(FLAGS_NT | 2, get(self, OLD_TSS + 0x24));
	EXPECT_EQ(0x20000007, get(self, OLD_TSS + 0x44));
	EXPECT_EQ(0x101, get(self, OLD_TSS + 0x4c));
	EXPECT_EQ(SEL_OLD, get(self, NEW_TSS));
	EXPECT_EQ(0x1234, general->rip);
	EXPECT_EQ(FLAGS_NT | 2, general->rflags);
	EXPECT_EQ(0x10000003, general->gpr[LODGE_RBX]);
	EXPECT_EQ(0x8b, type_of(self, SEL_OLD));
	EXPECT_EQ(0x8b, type_of(self, SEL_NEW));
	EXPECT_EQ(0x9b, type_of(self, SEL_CODE));
	EXPECT_EQ(0x93, type_of(self, SEL_DATA));
	EXPECT_EQ(SEL_NEW, self->regs.segments.seg[LODGE_TR].selector);
	EXPECT_EQ(NEW_TSS, self->regs.segments.seg[LODGE_TR].base);
	EXPECT_TRUE(self->regs.control.cr0 & CR0_TS);
	EXPECT_EQ(0x7000, self->cr3);
	EXPECT_EQ(0x6aa, self->regs.debug.dr7);
}

TEST_F(task, without_paging_cr3_stays)
{
	self->regs.control.cr0 = 1;
	ASSERT_EQ(0, switch_task(self));
	EXPECT_EQ(0, self->cr3);
}

TEST_F(task, a_jump_frees_the_old_task)
{
	self->t.cause = LODGE_TASK_JMP;
	ASSERT_EQ(0, switch_task(self));
	EXPECT_EQ(0x89, type_of(self, SEL_OLD));
	EXPECT_EQ(0x8b, type_of(self, SEL_NEW));
	EXPECT_EQ(0, get(self, NEW_TSS));
	EXPECT_EQ(2, self->regs.general.rflags);
}

TEST_F(task, an_iret_frees_the_old_task_and_its_nt)
{
	self->t.cause = LODGE_TASK_IRET;
	EXPECT_EQ(LODGE_FAULT, switch_task(self));
	EXPECT_EQ(TS, self->t.fault.vector);
	describe(self, SEL_NEW, system_segment(NEW_TSS, 0x67, 0x8b));
	ASSERT_EQ(0, switch_task(self));
	EXPECT_EQ(0x89, type_of(self, SEL_OLD));
	EXPECT_EQ(0x8b, type_of(self, SEL_NEW));
	EXPECT_EQ(2, get(self, OLD_TSS + 0x24));
	EXPECT_EQ(0, get(self, NEW_TSS));
}

/* Only the fields' 16 bits change, not the bytes around them. */
TEST_F(task, a_16_bit_tss_is_saved_in_16_bits)
{
	self->regs.segments.seg[LODGE_TR].attr = LODGE_SEG_P | 3;
	self->regs.segments.seg[LODGE_TR].limit = 0x2b;
	memset(self->memory + OLD_TSS, 0x5a, 0x68);
	ASSERT_EQ(0, switch_task(self));
	EXPECT_EQ(0x56785a5a, get(self, OLD_TSS + 0x0c));
	EXPECT_EQ(0x00004002, get(self, OLD_TSS + 0x10));
	EXPECT_EQ(0x01000007, get(self, OLD_TSS + 0x20));
	EXPECT_EQ(0x5a5a0103, get(self, OLD_TSS + 0x28));
	EXPECT_EQ(0x5a5a5a5a, get(self, OLD_TSS + 0x2c));
}

TEST_F(task, a_16_bit_tss_has_neither_cr3_nor_fs_nor_gs)
{
	memset(self->memory + NEW_TSS, 0, 0x68);
	describe(self, SEL_NEW, system_segment(NEW_TSS, 0x2b, 0x81));
	put(self, NEW_TSS + 0x0e, 0x4321);
	put(self, NEW_TSS + 0x12, 0xfffe);
	put(self, NEW_TSS + 0x22, SEL_CODE << 16 | SEL_DATA);
	put(self, NEW_TSS + 0x26, SEL_DATA << 16 | SEL_DATA);
	ASSERT_EQ(0, switch_task(self));
	EXPECT_EQ(0x4321, self->regs.general.rip);
	EXPECT_EQ(0xfffe, self->regs.general.gpr[LODGE_RAX]);
	EXPECT_EQ(SEL_DATA, self->regs.segments.seg[LODGE_DS].selector);
	EXPECT_EQ(0, self->regs.segments.seg[LODGE_FS].selector);
	EXPECT_EQ(0, self->regs.segments.seg[LODGE_FS].attr);
	EXPECT_EQ(0, self->cr3);
}

TEST_F(task, what_flags_cannot_hold_does_not_get_there)
{
	put(self, NEW_TSS + 0x24, 0xffffffff & ~FLAGS_VM);
	ASSERT_EQ(0, switch_task(self));
	EXPECT_EQ(0x3d7fd7, self->regs.general.rflags);
}

TEST_F(task, virtual_8086_mode_needs_no_descriptors)
{
	put(self, NEW_TSS + 0x24, FLAGS_VM | 2);
	for (u32 i = 0; i < 6; i++)
		put(self, NEW_TSS + 0x48 + 4 * i, 0x1000 * i);
	ASSERT_EQ(0, switch_task(self));
	EXPECT_EQ(0x10000, self->regs.segments.seg[LODGE_CS].base);
	EXPECT_EQ(0xf3, self->regs.segments.seg[LODGE_CS].attr);
	EXPECT_EQ(0x50000, self->regs.segments.seg[LODGE_GS].base);
	EXPECT_EQ(0xffff, self->regs.segments.seg[LODGE_GS].limit);
}

TEST_F(task, the_t_flag_asks_for_a_trap)
{
	put(self, NEW_TSS + 0x64, 1);
	ASSERT_EQ(0, switch_task(self));
	EXPECT_TRUE(self->t.trap);
}

TEST_F(task, an_error_code_is_pushed_in_words_of_the_tss)
{
	self->t.cause = LODGE_TASK_GATE;
	self->t.external = true;
	self->t.has_error = true;
	self->t.error = 0xabcd1234;
	ASSERT_EQ(0, switch_task(self));
	EXPECT_EQ(STACK - 4, self->regs.general.gpr[LODGE_RSP]);
	EXPECT_EQ(0xabcd1234, get(self, STACK - 4));
}

TEST_F(task, a_stack_without_room_for_the_error_code_is_a_stack_fault)
{
	describe(self, SEL_DATA, 0x00409200000007ff);
	self->t.cause = LODGE_TASK_GATE;
	self->t.external = true;
	self->t.has_error = true;
	ASSERT_EQ(LODGE_FAULT, switch_task(self));
	EXPECT_TRUE(self->t.committed);
	EXPECT_EQ(SS, self->t.fault.vector);
	EXPECT_EQ(1, self->t.fault.error);
}

/* Return: true if the switch raises this fault, with nothing changed. */
static bool faults_before(FIXTURE_DATA(task) * self, u8 vector, u32 error)
{
	return switch_task(self) == LODGE_FAULT && !self->t.committed &&
	       self->t.fault.vector == vector && self->t.fault.error == error &&
	       !memcmp(self->before, self->memory, MEMORY) &&
	       !memcmp(&self->regs_before, &self->regs, sizeof(self->regs));
}

TEST_F(task, what_is_wrong_with_the_new_tss_changes_nothing)
{
	self->t.selector = 0;
	EXPECT_TRUE(faults_before(self, GP, 0));
	self->t.selector = SEL_BEYOND;
	EXPECT_TRUE(faults_before(self, GP, SEL_BEYOND));
	self->t.selector = SEL_NEW | 4;
	EXPECT_TRUE(faults_before(self, GP, SEL_NEW | 4));
	self->t.selector = SEL_OLD;
	EXPECT_TRUE(faults_before(self, GP, SEL_OLD));
	self->t.selector = SEL_DATA;
	EXPECT_TRUE(faults_before(self, GP, SEL_DATA));
	self->t.selector = SEL_NEW | 3;
	describe(self, SEL_NEW, system_segment(NEW_TSS, 0x67, 0x09));
	EXPECT_TRUE(faults_before(self, NP, SEL_NEW));
	describe(self, SEL_NEW, system_segment(NEW_TSS, 0x66, 0x89));
	EXPECT_TRUE(faults_before(self, TS, SEL_NEW));
	describe(self, SEL_NEW, system_segment(NEW_TSS, 0x2a, 0x81));
	EXPECT_TRUE(faults_before(self, TS, SEL_NEW));
	self->t.external = true;
	EXPECT_TRUE(faults_before(self, TS, SEL_NEW | 1));
}

TEST_F(task, an_old_tss_without_room_changes_nothing)
{
	self->regs.segments.seg[LODGE_TR].limit = 0x66;
	EXPECT_TRUE(faults_before(self, TS, SEL_OLD));
}

/* Each access faults in turn.  A fault before the first write changes nothing. */
TEST_F(task, a_fault_at_any_access_is_of_the_old_task_or_of_the_new_one)
{
	static u8 memory[MEMORY];
	const struct lodge_regs regs = self->regs;
	int before = 0, after = 0;

	memcpy(memory, self->memory, MEMORY);
	for (self->fault_at = 1;; self->fault_at++) {
		memcpy(self->memory, memory, MEMORY);
		self->regs = regs;
		if (!switch_task(self))
			break;
		EXPECT_EQ(PF, self->t.fault.vector);
		if (self->t.committed) {
			after++;
			EXPECT_EQ(0x1234, self->regs.general.rip);
			continue;
		}
		before++;
		EXPECT_EQ(0, memcmp(&self->regs_before, &self->regs,
				    sizeof(self->regs)));
		/* The next attempt succeeds. */
		self->fault_at += 1000;
		EXPECT_EQ(0, switch_task(self));
		self->fault_at -= 1000;
	}
	EXPECT_LT(4, before);
	EXPECT_LT(6, after);
}

TEST_F(task, what_is_not_memory_ends_the_switch_with_nothing_changed)
{
	describe(self, SEL_NEW, system_segment(0xffff00, 0x67, 0x89));
	EXPECT_EQ(-ENXIO, switch_task(self));
	EXPECT_FALSE(self->t.committed);
	EXPECT_EQ(0, memcmp(self->before, self->memory, MEMORY));
}

TEST_F(task, descriptors_that_change_are_read_again)
{
	self->busy = 1;
	self->t.cause = LODGE_TASK_JMP;
	EXPECT_EQ(0, switch_task(self));
}

TEST_F(task, descriptors_that_keep_changing_end_the_switch)
{
	self->busy = 1 << 20;
	EXPECT_EQ(-EBUSY, switch_task(self));
	EXPECT_FALSE(self->t.committed);
}

TEST_F(task, page_tables_that_are_bad_fault_in_the_new_task)
{
	self->cr3_answer = -EINVAL;
	EXPECT_EQ(LODGE_FAULT, switch_task(self));
	EXPECT_TRUE(self->t.committed);
	EXPECT_EQ(GP, self->t.fault.vector);
	EXPECT_EQ(SEL_NEW, self->regs.segments.seg[LODGE_TR].selector);
}

/* Return: true if this selector in the new TSS raises this fault. */
static bool faults_after(FIXTURE_DATA(task) * self, u32 field, u16 selector,
			 u8 vector, u32 error)
{
	const struct lodge_segment *cs = &self->regs.segments.seg[LODGE_CS];

	describe(self, SEL_NEW, system_segment(NEW_TSS, 0x67, 0x89));
	fill(self);
	put(self, NEW_TSS + field, selector);
	self->regs = self->start;
	return switch_task(self) == LODGE_FAULT && self->t.committed &&
	       self->t.fault.vector == vector && self->t.fault.error == error &&
	       self->regs.general.rip == 0x1234 &&
	       /* A processor can be entered with this state. */
	       (cs->attr & 0x98) == 0x98 &&
	       ((cs->attr >> 5 & 3) == (cs->selector & 3) || cs->limit);
}

#define ES_FIELD 0x48
#define CS_FIELD 0x4c
#define SS_FIELD 0x50
#define GS_FIELD 0x5c
#define LDT_FIELD 0x60

TEST_F(task, what_is_wrong_with_the_segments_is_the_new_tasks)
{
	EXPECT_TRUE(faults_after(self, LDT_FIELD, SEL_DATA, TS, SEL_DATA));
	EXPECT_TRUE(faults_after(self, LDT_FIELD, 4, TS, 4));
	EXPECT_TRUE(faults_after(self, CS_FIELD, 0, TS, 0));
	EXPECT_TRUE(faults_after(self, CS_FIELD, SEL_DATA, TS, SEL_DATA));
	EXPECT_TRUE(faults_after(self, CS_FIELD, SEL_CODE | 3, TS, SEL_CODE));
	EXPECT_TRUE(faults_after(self, CS_FIELD, SEL_CONFORMING_3, TS,
				 SEL_CONFORMING_3));
	EXPECT_TRUE(faults_after(self, CS_FIELD, SEL_CODE_3, TS, SEL_DATA));
	EXPECT_TRUE(faults_after(self, SS_FIELD, 0, TS, 0));
	EXPECT_TRUE(faults_after(self, SS_FIELD, SEL_CODE, TS, SEL_CODE));
	EXPECT_TRUE(
		faults_after(self, SS_FIELD, SEL_DATA_3, TS, SEL_DATA_3 & ~3));
	EXPECT_TRUE(faults_after(self, ES_FIELD, SEL_BEYOND, TS, SEL_BEYOND));
	EXPECT_TRUE(faults_after(self, GS_FIELD, SEL_OLD, TS, SEL_OLD));
	EXPECT_TRUE(
		faults_after(self, GS_FIELD, SEL_DATA | 4, TS, SEL_DATA | 4));
	self->t.external = true;
	EXPECT_TRUE(faults_after(self, GS_FIELD, SEL_OLD, TS, SEL_OLD | 1));
}

TEST_F(task, segments_that_are_absent_have_exceptions_of_their_own)
{
	describe(self, SEL_CODE_3, DESC_CODE & ~(1ULL << 47));
	describe(self, SEL_DATA_3, DESC_DATA & ~(1ULL << 47));
	EXPECT_TRUE(faults_after(self, CS_FIELD, SEL_CODE_3 & ~3, NP,
				 SEL_CODE_3 & ~3));
	EXPECT_TRUE(faults_after(self, SS_FIELD, SEL_DATA_3 & ~3, SS,
				 SEL_DATA_3 & ~3));
	EXPECT_TRUE(faults_after(self, ES_FIELD, SEL_DATA_3 & ~3, NP,
				 SEL_DATA_3 & ~3));
	describe(self, SEL_LDT, system_segment(LDT, 0xf, 0x02));
	EXPECT_TRUE(faults_after(self, LDT_FIELD, SEL_LDT, TS, SEL_LDT));
}

TEST_F(task, an_instruction_pointer_beyond_cs_is_a_general_protection_fault)
{
	describe(self, SEL_CODE, 0x00409a0000000fff);
	ASSERT_EQ(LODGE_FAULT, switch_task(self));
	EXPECT_TRUE(self->t.committed);
	EXPECT_EQ(GP, self->t.fault.vector);
	EXPECT_EQ(0, self->t.fault.error);
}

TEST_F(task, segments_come_from_the_new_ldt)
{
	u64 data = DESC_DATA;

	memcpy(self->memory + LDT + 8, &data, sizeof(data));
	put(self, NEW_TSS + LDT_FIELD, SEL_LDT);
	put(self, NEW_TSS + GS_FIELD, 8 | 4);
	ASSERT_EQ(0, switch_task(self));
	EXPECT_EQ(LDT, self->regs.segments.seg[LODGE_LDTR].base);
	EXPECT_EQ(8 | 4, self->regs.segments.seg[LODGE_GS].selector);
	EXPECT_EQ(0xffffffff, self->regs.segments.seg[LODGE_GS].limit);
	EXPECT_EQ(0x93, self->memory[LDT + 8 + 5]);
}

/* Switching between two tasks does not change either. */
TEST_F(task, thousands_of_switches_lose_nothing)
{
	struct lodge_regs *regs = &self->regs;

	for (int i = LODGE_ES; i <= LODGE_GS; i++)
		regs->segments.seg[i].selector = i == LODGE_CS ? SEL_CODE :
								 SEL_DATA;
	memcpy(self->memory + OLD_TSS, self->memory + NEW_TSS, 0x68);
	ASSERT_EQ(0, switch_task(self));
	for (u32 i = 0; i < 10000; i++) {
		bool back = !(i & 1);

		regs->general.gpr[LODGE_RSI] = i;
		self->t.cause = back ? LODGE_TASK_IRET : LODGE_TASK_CALL;
		self->t.selector = back ? SEL_OLD : SEL_NEW;
		self->t.rip = regs->general.rip + 1;
		self->t.rflags = regs->general.rflags;
		ASSERT_EQ(0, lodge_task_switch(&self->t));
		if (i)
			ASSERT_EQ(i - 1, regs->general.gpr[LODGE_RSI]);
	}
	EXPECT_EQ(0x89, type_of(self, SEL_NEW) & ~2);
}

TEST_HARNESS_MAIN
