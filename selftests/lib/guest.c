// SPDX-License-Identifier: GPL-2.0
/*
 * Machines whose vCPUs begin in any mode: see guest.h.
 */
#include "guest.h"

#include <cpuid.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kselftest.h"

#include "guest_cpuid.h"

#define DATA_ATTR (LODGE_SEG_P | LODGE_SEG_S | 3)
#define CODE_ATTR (LODGE_SEG_P | LODGE_SEG_S | 11)
#define FLAT (LODGE_SEG_G | LODGE_SEG_DB)

#define PTE_PRESENT 0x01
#define PTE_ALL 0x07 /* present, writable, user's */
#define PTE_LARGE 0x80

#define LARGE_2M 0x200000ULL
#define LARGE_4M 0x400000ULL

static const uint64_t gdt[] = {
	[SEL_CODE64 / 8] = 0x00af9b000000ffff,
	[SEL_DATA / 8] = 0x00cf93000000ffff,
	[SEL_USER_CODE32 / 8] = 0x00cffb000000ffff,
	[SEL_USER_DATA / 8] = 0x00cff3000000ffff,
	[SEL_USER_CODE64 / 8] = 0x00affb000000ffff,
	[SEL_CODE32 / 8] = 0x00cf9b000000ffff,
	[SEL_CODE16 / 8] = 0x00009b010000ffff,
	[SEL_TSS / 8] = 0x0000890000000067 | (uint64_t)GUEST_TSS << 16,
	[SEL_ABSENT / 8] = 0x00cf13000000ffff,
	[SEL_DATA16 / 8] = 0x000093000000ffff,
};

static void die(const char *what, int error)
{
	printf("# %s: %s\n", what, strerror(-error));
	exit(KSFT_FAIL);
}

static bool has_error(unsigned int vector)
{
	return vector == DF || (vector >= TS && vector <= PF) || vector == AC;
}

/* PUSH of the vector, OUT to EVENT_PORT, ADD to the stack pointer, IRET. */
static void make_stub(unsigned char *to, unsigned int bits, unsigned int vector)
{
	unsigned int words = 1 + (bits > 16 && has_error(vector));

	*to++ = 0x68;
	memcpy(to, &vector, 4);
	to += bits == 16 ? 2 : 4;
	*to++ = 0xe6;
	*to++ = EVENT_PORT;
	if (bits == 64)
		*to++ = 0x48;
	*to++ = 0x83;
	*to++ = 0xc4;
	*to++ = words * bits / 8;
	if (bits == 64)
		*to++ = 0x48;
	*to = 0xcf;
}

static void make_stubs(struct machine *m)
{
	unsigned int i;

	for (i = 0; i < 256; i++) {
		make_stub(m->memory + GUEST_STUB16 + i * 16, 16, i);
		make_stub(m->memory + GUEST_STUB32 + i * 16, 32, i);
		make_stub(m->memory + GUEST_STUB64 + i * 16, 64, i);
		*machine_u32(m, GUEST_IVT + i * 4) = GUEST_STUB16 / 16 << 16 |
						     i * 16;
	}
}

static void make_page_tables(struct machine *m)
{
	unsigned int i;

	*machine_u64(m, GUEST_PML4) = GUEST_PDPT | PTE_ALL;
	for (i = 0; i < 4; i++) {
		uint64_t pd = GUEST_PD + i * 4096;

		*machine_u64(m, GUEST_PDPT + i * 8) = pd | PTE_ALL;
		*machine_u64(m, GUEST_PDPT_PAE + i * 8) = pd | PTE_PRESENT;
	}
	for (i = 0; i < 2048; i++)
		*machine_u64(m, GUEST_PD + i * 8) = i * LARGE_2M | PTE_ALL |
						    PTE_LARGE;
	*machine_u64(m, GUEST_PD + 8) = GUEST_PT | PTE_ALL;
	for (i = 0; i < 512; i++)
		*machine_u64(m, GUEST_PT + i * 8) = (GUEST_PAGES + i * 4096) |
						    PTE_ALL;
	for (i = 0; i < 1024; i++)
		*machine_u32(m, GUEST_PD32 + i * 4) = i * LARGE_4M | PTE_ALL |
						      PTE_LARGE;
}

void machine_create(struct machine *m, unsigned int cpus)
{
	int error = machine_open(m, GUEST_MEMORY, cpus);
	unsigned int i;

	if (error)
		die("machine", error);
	make_stubs(m);
	make_page_tables(m);
	memcpy(m->memory + GUEST_GDT, gdt, sizeof(gdt));
	for (i = 0; i < cpus; i++)
		m->cpu[i].run->save = LODGE_GROUPS_INLINE;
}

bool machine_is_intel(void)
{
	unsigned int eax, ebx, ecx, edx;

	return __get_cpuid(0, &eax, &ebx, &ecx, &edx) &&
	       ebx == signature_INTEL_ebx;
}

void machine_gate(struct machine *m, enum guest_mode mode, unsigned int vector,
		  uint64_t address, unsigned int ist)
{
	uint64_t user = vector == BP || vector == OF || vector == 0x80 ? 3 : 0;
	uint64_t selector = mode == LONG64 ? SEL_CODE64 : SEL_CODE32;
	uint64_t gate = (address & 0xffff) | selector << 16 |
			(uint64_t)ist << 32 | 0x8eULL << 40 | user << 45 |
			(address & 0xffff0000) << 32;

	if (mode == LONG64) {
		*machine_u64(m, GUEST_IDT + vector * 16) = gate;
		*machine_u64(m, GUEST_IDT + vector * 16 + 8) = address >> 32;
	} else {
		*machine_u64(m, GUEST_IDT + vector * 8) = gate;
	}
}

/* The IDT and the TSS have one form in long mode and another elsewhere. */
static void make_tables(struct machine *m, enum guest_mode mode)
{
	unsigned int stubs = mode == LONG64 ? GUEST_STUB64 : GUEST_STUB32;
	unsigned int i;

	for (i = 0; i < 256; i++)
		machine_gate(m, mode, i, stubs + i * 16, 0);
	if (mode == LONG64) {
		*machine_u64(m, GUEST_TSS + 4) = GUEST_STACK0;
		*machine_u64(m, GUEST_TSS + 36) = GUEST_STACK_IST;
	} else {
		*machine_u32(m, GUEST_TSS + 4) = GUEST_STACK0;
		*machine_u32(m, GUEST_TSS + 8) = SEL_DATA;
	}
}

static void set_segments(struct guest_cpu *cpu, enum guest_mode mode,
			 uint64_t code)
{
	struct lodge_segments *s = &cpu->run->regs.segments;
	struct lodge_segment *cs = &s->seg[LODGE_CS];
	unsigned int i;

	for (i = LODGE_ES; i <= LODGE_GS; i++)
		s->seg[i] = (struct lodge_segment){
			.limit = mode == REAL16 ? 0xffff : 0xffffffff,
			.selector = mode == REAL16 ? 0 : SEL_DATA,
			.attr = mode == REAL16 ? DATA_ATTR : DATA_ATTR | FLAT,
		};
	cs->attr = CODE_ATTR;
	if (mode == REAL16) {
		cs->selector = code >> 4;
		cs->base = code;
		s->seg[LODGE_SS].selector = 0x3000;
		s->seg[LODGE_SS].base = 0x30000;
		/* Not every emulator looks at the limit, but processors do. */
		s->idt.limit = 0x3ff;
		return;
	}
	cs->selector = mode == LONG64 ? SEL_CODE64 : SEL_CODE32;
	cs->attr |= mode == LONG64 ? LODGE_SEG_G | LODGE_SEG_L : FLAT;
	s->seg[LODGE_TR] = (struct lodge_segment){
		.base = GUEST_TSS,
		.limit = 0x67,
		.selector = SEL_TSS,
		.attr = LODGE_SEG_P | 11,
	};
	s->gdt.base = GUEST_GDT;
	s->gdt.limit = sizeof(gdt) - 1;
	s->idt.base = GUEST_IDT;
	s->idt.limit = mode == LONG64 ? 4095 : 2047;
}

static void set_control(struct guest_cpu *cpu, enum guest_mode mode)
{
	struct lodge_control *c = &cpu->run->regs.control;

	c->cr0 = 0x10;
	c->cr4 = X86_CR4_OSFXSR;
	c->efer &= ~(X86_EFER_LME | X86_EFER_LMA);
	switch (mode) {
	case REAL16:
		return;
	case PROT32:
		c->cr0 |= X86_CR0_PE;
		return;
	case PAGED32:
		c->cr3 = GUEST_PD32;
		c->cr4 |= X86_CR4_PSE;
		break;
	case PAE32:
		c->cr3 = GUEST_PDPT_PAE;
		c->cr4 |= X86_CR4_PAE;
		break;
	case LONG64:
		c->cr3 = GUEST_PML4;
		c->cr4 |= X86_CR4_PAE;
		c->efer |= X86_EFER_LME | X86_EFER_LMA;
		break;
	}
	c->cr0 |= X86_CR0_PE | X86_CR0_PG;
}

void cpu_start(struct guest_cpu *cpu, enum guest_mode mode,
	       struct guest_code code)
{
	struct machine *m = cpu->machine;
	uint64_t base = GUEST_CODE_BASE + cpu->id * 0x8000;
	struct lodge_general *general = &cpu->run->regs.general;
	struct lodge_state state = {
		.groups = LODGE_GROUP_EVENTS,
		.regs.events.mp_state = LODGE_MP_RUNNABLE,
	};
	int error = lodge_state_set(cpu->fd, &state);

	state.groups = LODGE_GROUPS_INLINE;
	if (!error)
		error = lodge_state_get(cpu->fd, &state);
	if (error)
		die("state", error);
	cpu->run->regs = state.regs;
	memcpy(m->memory + base, code.start, code.end - code.start);
	if (mode != REAL16)
		make_tables(m, mode);
	set_segments(cpu, mode, base);
	set_control(cpu, mode);
	memset(general, 0, sizeof(*general));
	general->rip = mode == REAL16 ? 0 : base;
	general->rflags = 2;
	*cpu_gpr(cpu, LODGE_RSP) = GUEST_STACK - cpu->id * 4096 - 16;
	if (mode == REAL16)
		*cpu_gpr(cpu, LODGE_RSP) -= 0x30000;
	cpu->run->load = LODGE_GROUP_GENERAL | LODGE_GROUP_SEGMENTS |
			 LODGE_GROUP_CONTROL;
}

int cpu_run(struct guest_cpu *cpu)
{
	int error;

	do
		error = lodge_run(cpu->fd);
	while (error == -EINTR);
	return error ? error : (int)cpu->run->reason;
}

static void *thread_main(void *opaque)
{
	struct guest_cpu *cpu = opaque;

	cpu->answer = cpu_run(cpu);
	return NULL;
}

void cpu_run_aside(struct guest_cpu *cpu)
{
	int error = pthread_create(&cpu->thread, NULL, thread_main, cpu);

	if (error)
		die("thread", -error);
}

int cpu_join(struct guest_cpu *cpu)
{
	pthread_join(cpu->thread, NULL);
	return cpu->answer;
}

static uint64_t stack_word(const struct guest_cpu *cpu, unsigned int index,
			   unsigned int size)
{
	const struct lodge_regs *regs = &cpu->run->regs;
	uint64_t address = regs->general.gpr[LODGE_RSP];
	uint64_t word = 0;

	if (size < 8)
		address += regs->segments.seg[LODGE_SS].base;
	address += index * size;
	if (address <= GUEST_MEMORY - size)
		memcpy(&word, cpu->machine->memory + address, size);
	return word;
}

static void read_event(const struct guest_cpu *cpu, struct guest_event *e)
{
	const struct lodge_control *c = &cpu->run->regs.control;
	unsigned int size = c->efer & X86_EFER_LMA ? 8 :
			    c->cr0 & X86_CR0_PE	   ? 4 :
						     2;
	unsigned int i = 0;

	memset(e, 0, sizeof(*e));
	e->vector = stack_word(cpu, i++, size);
	if (size > 2 && has_error(e->vector))
		e->error = stack_word(cpu, i++, size);
	e->rip = stack_word(cpu, i++, size);
	e->cs = stack_word(cpu, i++, size);
	e->rflags = stack_word(cpu, i++, size);
}

static void explain_rules(const struct lodge_run *run)
{
	const struct lodge_rule *rule = (const void *)run->data;
	unsigned int i;

	for (i = 0; i < run->exit.fail_entry.count; i++)
		printf("#   %s = 0x%llx: %s\n", rule[i].field, rule[i].value,
		       rule[i].text);
}

static void explain_exit(const struct lodge_run *run)
{
	switch (run->reason) {
	case LODGE_EXIT_IO:
		printf("# exit IO: port 0x%x, %s, size %u, count %u\n",
		       run->exit.io.port, run->exit.io.in ? "in" : "out",
		       run->exit.io.size, run->exit.io.count);
		break;
	case LODGE_EXIT_MMIO:
		printf("# exit MMIO: 0x%llx, %s, size %u\n", run->exit.mmio.gpa,
		       run->exit.mmio.write ? "write" : "read",
		       run->exit.mmio.size);
		break;
	case LODGE_EXIT_FAIL_ENTRY:
		printf("# exit FAIL_ENTRY\n");
		explain_rules(run);
		break;
	case LODGE_EXIT_CANNOT_EMULATE:
		printf("# exit CANNOT_EMULATE: %u bytes, %02x %02x %02x %02x\n",
		       run->exit.emulate.length, run->exit.emulate.bytes[0],
		       run->exit.emulate.bytes[1], run->exit.emulate.bytes[2],
		       run->exit.emulate.bytes[3]);
		break;
	case LODGE_EXIT_UNKNOWN:
		printf("# exit UNKNOWN: code 0x%llx\n", run->exit.unknown.code);
		break;
	default:
		printf("# exit %u (enum lodge_exit_reason)\n", run->reason);
	}
}

void cpu_explain(const struct guest_cpu *cpu)
{
	const struct lodge_run *run = cpu->run;
	const struct lodge_regs *r = &run->regs;
	unsigned int i;
	struct guest_event e;

	printf("# vCPU %u\n", cpu->id);
	explain_exit(run);
	if (run->reason == LODGE_EXIT_IO && run->exit.io.port == EVENT_PORT) {
		read_event(cpu, &e);
		printf("# vector %u, error 0x%lx, from rip 0x%lx cs 0x%lx rflags 0x%lx\n",
		       e.vector, e.error, e.rip, e.cs, e.rflags);
	}
	printf("# rip 0x%llx cs 0x%x rflags 0x%llx cr0 0x%llx cr2 0x%llx cr4 0x%llx efer 0x%llx\n",
	       r->general.rip, r->segments.seg[LODGE_CS].selector,
	       r->general.rflags, r->control.cr0, r->control.cr2,
	       r->control.cr4, r->control.efer);
	for (i = 0; i < 16; i += 4)
		printf("# r%u..%u: 0x%llx 0x%llx 0x%llx 0x%llx\n", i, i + 3,
		       r->general.gpr[i], r->general.gpr[i + 1],
		       r->general.gpr[i + 2], r->general.gpr[i + 3]);
}

bool cpu_exits(struct guest_cpu *cpu, int reason)
{
	int got = cpu_run(cpu);

	if (got == reason)
		return true;
	if (got < 0)
		printf("# vCPU %u: %s\n", cpu->id, strerror(-got));
	else
		cpu_explain(cpu);
	return false;
}

bool cpu_writes(struct guest_cpu *cpu, uint16_t port)
{
	const struct lodge_exit_io *io = &cpu->run->exit.io;

	if (!cpu_exits(cpu, LODGE_EXIT_IO))
		return false;
	if (io->port == port && !io->in)
		return true;
	cpu_explain(cpu);
	return false;
}

bool cpu_done(struct guest_cpu *cpu)
{
	return cpu_writes(cpu, DONE_PORT);
}

bool cpu_raises(struct guest_cpu *cpu, unsigned int vector,
		struct guest_event *event)
{
	struct guest_event e;

	if (!cpu_writes(cpu, EVENT_PORT))
		return false;
	read_event(cpu, &e);
	if (event)
		*event = e;
	if (e.vector == vector)
		return true;
	cpu_explain(cpu);
	return false;
}

int machine_msi(struct machine *m, unsigned int id, uint32_t data)
{
	return lodge_msi_send(m->vm, 0xfee00000 | id << 12, data);
}

uint32_t cpu_feature(const struct guest_cpu *cpu, uint32_t leaf,
		     uint32_t subleaf, unsigned int reg)
{
	return vcpu_cpuid(cpu->fd, leaf, subleaf, reg);
}

CODE(returns, 64,
     "push $0x10; push %rsp; addq $8, (%rsp); pushf; push $8; call 1f; jmp 2f;"
     "1: iretq; 2:" DONE);

bool cpu_unblock_nmis(struct guest_cpu *cpu)
{
	cpu_start(cpu, LONG64, returns);
	return cpu_done(cpu);
}
