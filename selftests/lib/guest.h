/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Machines with 8 MiB of memory at address 0, whose vCPUs begin in any mode with
 * tables prepared, and a way to hear of their events.
 *
 * Every interrupt and exception leads to a stub that writes to EVENT_PORT; after
 * a further run it returns with IRET.  A test's code ends by DONE, a write to
 * DONE_PORT.  So a test starts a vCPU, runs it to its next stop, and looks.
 *
 * Each test is a process: its end takes the machine away, and the harness's
 * alarm ends a guest that hangs.  What a vCPU did in place of what was expected
 * is printed.
 */
#ifndef LODGE_LIB_GUEST_H
#define LODGE_LIB_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lodge.h>

#include "lib/client.h"
#include "machine.h"

/* Guest physical addresses. */
#define GUEST_IVT 0x0000
#define GUEST_STUB16 0x1000 /* 256 stubs of 16 bytes for each mode */
#define GUEST_STUB32 0x2000
#define GUEST_STUB64 0x3000
#define GUEST_GDT 0x4000
#define GUEST_TSS 0x4800
#define GUEST_IDT 0x5000
#define GUEST_PML4 0x6000
#define GUEST_PDPT 0x7000
#define GUEST_PD 0x8000 /* four pages: 4 GiB in pages of 2 MiB */
#define GUEST_PDPT_PAE 0xc000
#define GUEST_PT 0xd000 /* 2 to 4 MiB in pages of 4 KiB */
#define GUEST_PD32 0xe000 /* 4 GiB in pages of 4 MiB */
#define GUEST_CODE_BASE 0x10000 /* 32 KiB for each vCPU */
#define GUEST_STACK 0x40000 /* 4 KiB downwards for each vCPU */
#define GUEST_STACK0 0x48000 /* of level 0 when level 3 is interrupted */
#define GUEST_STACK_IST 0x4c000
#define GUEST_DATA 0x50000
#define GUEST_PAGES 0x200000 /* mapped in pages of 4 KiB */
#define GUEST_MEMORY 0x800000
#define GUEST_HOLE 0xd0000000 /* mapped, but there is no memory */

/* Selectors. */
#define SEL_CODE64 0x08
#define SEL_DATA 0x10
#define SEL_USER_CODE32 0x1b
#define SEL_USER_DATA 0x23
#define SEL_USER_CODE64 0x2b
#define SEL_CODE32 0x30
#define SEL_CODE16 0x38 /* begins at GUEST_CODE_BASE */
#define SEL_TSS 0x40
#define SEL_ABSENT 0x50 /* a data segment that is not present */
#define SEL_DATA16 0x60 /* real mode's attributes */

#define DONE_PORT 0xd0
#define EVENT_PORT 0xee
#define DONE "out %al, $0xd0;"

#define X86_CR0_PE (1ULL << 0)
#define X86_CR0_PG (1ULL << 31)
#define X86_CR4_PSE (1ULL << 4)
#define X86_CR4_PAE (1ULL << 5)
#define X86_CR4_MCE (1ULL << 6)
#define X86_CR4_OSFXSR (1ULL << 9)
#define X86_EFER_LME (1ULL << 8)
#define X86_EFER_LMA (1ULL << 10)
#define X86_FLAGS_IF (1ULL << 9)

/* Exceptions. */
enum {
	DE,
	DB,
	NMI,
	BP,
	OF,
	BR,
	UD,
	NM,
	DF,
	TS = 10,
	NP,
	SS,
	GP,
	PF,
	MF = 16,
	AC,
	MC,
	XM,
};

/**
 * struct guest_code - instructions to be copied into a guest
 * @start: first byte
 * @end: behind the last one
 */
struct guest_code {
	const char *start;
	const char *end;
};

/*
 * CODE(name, 16 | 32 | 64, "instructions;") defines instructions at file scope.
 * AT("1f") is the guest's address of a numeric label in the code of vCPU 0 (for
 * another one it has to be moved); label 0 is taken.
 */
#define CODE(name, bits, text)                                      \
	asm(".pushsection .rodata.guest, \"a\", @progbits\n"        \
	    ".code" #bits "\n" #name "_start: 0:\n" text "\n" #name \
	    "_end:\n.code64\n.popsection\n");                       \
	extern const char name##_start[], name##_end[];             \
	static const struct guest_code name = { name##_start, name##_end }
#define AT(label) "(0x10000 + " label " - 0b)"

enum guest_mode {
	REAL16, /* segments at 0, CS at the code */
	PROT32, /* flat, no paging */
	PAGED32, /* pages of 4 MiB */
	PAE32,
	LONG64,
};

/* The stack that a stub finds. */
struct guest_event {
	unsigned int vector;
	uint64_t error;
	uint64_t rip;
	uint64_t cs;
	uint64_t rflags;
};

/**
 * machine_create() - make a machine with @cpus vCPUs, the first of them
 * runnable; prints the reason and ends the test when it cannot
 */
void machine_create(struct machine *m, unsigned int cpus);

/**
 * cpu_start() - let a vCPU begin with @code in @mode at its next run
 *
 * All registers but RSP are zero, interrupts are off, DS, ES and SS are flat,
 * no event waits.  The run page then holds all groups of registers, to be
 * changed before the run, which loads GENERAL, SEGMENTS and CONTROL.
 */
void cpu_start(struct guest_cpu *cpu, enum guest_mode mode,
	       struct guest_code code);

/**
 * cpu_run() - LODGE_RUN, again after signals, with all registers stored
 *
 * Return: enum lodge_exit_reason, or -errno.
 */
int cpu_run(struct guest_cpu *cpu);

/**
 * cpu_exits() - run to the next exit, which should have this @reason
 */
bool cpu_exits(struct guest_cpu *cpu, int reason);

/**
 * cpu_writes() - run to the next exit, which should be a write to @port
 */
bool cpu_writes(struct guest_cpu *cpu, uint16_t port);

/**
 * cpu_done() - run to the next exit, which should be DONE
 */
bool cpu_done(struct guest_cpu *cpu);

/**
 * cpu_raises() - run to the next exit, which should be the stub of @vector
 * @event: filled in; may be NULL
 */
bool cpu_raises(struct guest_cpu *cpu, unsigned int vector,
		struct guest_event *event);

/**
 * cpu_run_aside() - as cpu_run(), in a thread
 */
void cpu_run_aside(struct guest_cpu *cpu);

/**
 * cpu_join() - wait for the end of cpu_run_aside(); answers as cpu_run()
 */
int cpu_join(struct guest_cpu *cpu);

/**
 * cpu_unblock_nmis() - execute an IRET, which lets NMIs in
 *
 * Bochs keeps them blocked from one VM to the next.
 *
 * Return: true if that went well.
 */
bool cpu_unblock_nmis(struct guest_cpu *cpu);

/**
 * cpu_explain() - print the last exit and the registers
 */
void cpu_explain(const struct guest_cpu *cpu);

/**
 * machine_is_intel() - true on an Intel processor, which has VMCALL
 */
bool machine_is_intel(void);

/**
 * machine_gate() - let a vector lead elsewhere than to its stub
 * @ist: stack of the TSS, in long mode; 0: none
 */
void machine_gate(struct machine *m, enum guest_mode mode, unsigned int vector,
		  uint64_t address, unsigned int ist);

/**
 * machine_msi() - an edge-triggered message to APIC @id; 0xff: all
 */
int machine_msi(struct machine *m, unsigned int id, uint32_t data);

/**
 * cpu_feature() - one register of a CPUID leaf as the guest has it
 * @reg: 0 EAX, 1 EBX, 2 ECX, 3 EDX
 */
uint32_t cpu_feature(const struct guest_cpu *cpu, uint32_t leaf,
		     uint32_t subleaf, unsigned int reg);

static inline __u64 *cpu_gpr(struct guest_cpu *cpu, enum lodge_gpr reg)
{
	return &cpu->run->regs.general.gpr[reg];
}

static inline uint32_t *machine_u32(struct machine *m, uint64_t gpa)
{
	return (uint32_t *)(m->memory + gpa);
}

static inline uint64_t *machine_u64(struct machine *m, uint64_t gpa)
{
	return (uint64_t *)(m->memory + gpa);
}

#endif
