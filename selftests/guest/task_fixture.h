/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest with tasks: a GDT of its own, a TSS for each task, and the code that each
 * runs.
 */
#ifndef LODGE_GUEST_TASK_FIXTURE_H
#define LODGE_GUEST_TASK_FIXTURE_H

#include <string.h>

#include "kselftest_harness.h"

#include "guest.h"

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

static inline uint64_t system_segment(uint64_t base, uint64_t limit,
				      uint64_t attr)
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

static inline void fill_gdt(FIXTURE_DATA(task) * self)
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

static inline void fill_tss(struct tss32 *tss, uint32_t cr3, uint32_t eip)
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

static inline void fill_tss16(struct tss16 *tss)
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

static inline void put_code(struct machine *m, uint64_t gpa,
			    struct guest_code code)
{
	memcpy(m->memory + gpa, code.start, code.end - code.start);
}

/* Both tasks at level 0; what is in the TSSs is then the test's to change. */
static inline void begin(FIXTURE_DATA(task) * self, enum guest_mode mode,
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
static inline void make_user(FIXTURE_DATA(task) * self)
{
	struct tss32 *tss = self->other;

	tss->eflags |= FLAGS_IOPL;
	tss->cs = SEL_USER_CODE32;
	tss->ss = tss->ds = tss->es = tss->fs = tss->gs = SEL_USER_DATA;
}

/* Let an event lead to a task. */
static inline void gate_to(FIXTURE_DATA(task) * self, unsigned int vector,
			   uint16_t selector)
{
	*machine_u64(&self->m, GUEST_IDT + vector * 8) =
		system_segment(selector, 0, 0xe5);
}

static inline bool is_busy(FIXTURE_DATA(task) * self, uint16_t selector)
{
	return self->gdt[selector / 8] >> 40 & TYPE_BUSY;
}

static inline uint16_t selector_of(FIXTURE_DATA(task) * self,
				   enum lodge_seg seg)
{
	return self->cpu->run->regs.segments.seg[seg].selector;
}

static inline uint32_t flags_of(FIXTURE_DATA(task) * self)
{
	return self->cpu->run->regs.general.rflags;
}

static inline uint32_t gpr_of(FIXTURE_DATA(task) * self, enum lodge_gpr reg)
{
	return *cpu_gpr(self->cpu, reg);
}

#define STOP "out %al, $0x80;"
#define STOPPED 0x80

CODE(return_twice, 32, STOP "iret; inc %esi; " STOP "iret;");
CODE(call_other, 32, "lcall $0x68, $0;" DONE);
CODE(wait_open, 32, "out %al, $0x81; sti; nop; nop; nop; cli;" DONE);
CODE(load_beyond, 32, "mov $0x7fb, %ax; mov %ax, %es;" DONE);

/* The APIC is on, and takes messages. */
static inline int switch_apic_on(struct guest_cpu *cpu)
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

#endif
