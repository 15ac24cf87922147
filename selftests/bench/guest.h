/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest of the bench: one page of 64-bit code that repeats an event and stores
 * the ticks that each repetition took.  Both hypervisors run the same bytes from the
 * same registers.  Both the guest's code and its loader include this file.
 *
 * Linear addresses are guest physical addresses, from 0 to 4 GiB.
 */
#ifndef BENCH_GUEST_H
#define BENCH_GUEST_H

/* The number of times that a guest repeats its event. */
#define GUEST_SAMPLES 512

#define GUEST_PML4 0x1000
#define GUEST_PDPT 0x2000
#define GUEST_PD 0x3000 /* four pages */
#define GUEST_GDT 0x7000
#define GUEST_IDT 0x8000
#define GUEST_TSS 0x9000
#define GUEST_STACK 0xb000 /* the end of the stack */
#define GUEST_INTERRUPTS 0xc000 /* counts interrupts */
#define GUEST_CODE 0x10000
#define GUEST_RESULTS 0x20000 /* ticks of the TSC, 64 bits a sample */
#define GUEST_FAULTS 0x200000 /* a page for each sample */
#define GUEST_MEMORY (GUEST_FAULTS + GUEST_SAMPLES * 0x1000)
#define GUEST_BITMAP (GUEST_MEMORY / 0x1000 / 64) /* words of a bit a page */
#define GUEST_MMIO 0xd0000000 /* without memory */

#define GUEST_PORT 0x600
#define GUEST_DONE_PORT 0x601 /* written when all samples are taken */

#define GUEST_CS 0x08
#define GUEST_SS 0x10
#define GUEST_TR 0x18

#define GUEST_VECTOR 0x40
#define GUEST_MESSAGE_ADDRESS 0xfee00000U /* to the vCPU with APIC ID 0 */
/*
 * Ticks that a timer is set ahead.  KVM polls for up to 200 us (halt_poll_ns): this
 * is longer, so that both hypervisors sleep.
 */
#define GUEST_PERIOD 300000
/* The same for a guest that runs on until the interrupt. */
#define GUEST_TICK 20000

#ifndef __ASSEMBLER__
#include <stdint.h>

#include <lodge.h>

#define GUEST_CR0 0x80010033ULL /* PG, WP, NE, ET, MP, PE */
#define GUEST_CR4 0x620ULL /* OSXMMEXCPT, OSFXSR, PAE */
#define GUEST_EFER 0x500ULL /* LMA, LME */
#define GUEST_GDT_LIMIT 0x27
#define GUEST_IDT_LIMIT 0xfff

/* The segment registers at the start: CS; all others; TR. */
extern const struct lodge_segment guest_code_segment;
extern const struct lodge_segment guest_data_segment;
extern const struct lodge_segment guest_task_segment;

/*
 * The first instruction of each guest, which expects the number of samples in RDI
 * and GUEST_RESULTS in RSI.
 */
extern const char guest_nothing[], guest_cpuid[];
extern const char guest_port_write[], guest_port_read[];
extern const char guest_mmio_write[], guest_mmio_read[];
extern const char guest_wrmsr[], guest_rdmsr[], guest_fault[];
extern const char guest_self_ipi[], guest_tick[], guest_timer[], guest_wait[];
extern const char guest_done[];

/**
 * guest_rip() - the address of code in the guest
 * @start: one of the labels above
 */
uint64_t guest_rip(const char *start);

/**
 * guest_fill() - put code and tables into the guest's memory
 * @memory: its first GUEST_FAULTS bytes
 */
void guest_fill(void *memory);
#endif

#endif
