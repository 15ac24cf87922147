/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A vCPU without a kernel: the functions that module/exit.c, insn.c, emulate.c and
 * portio.c call, with a guest of sixteen pages of any kind.  Only one file of a program
 * may include this header, because it defines functions of the module.
 */
#ifndef LODGE_UNIT_FAKE_VCPU_H
#define LODGE_UNIT_FAKE_VCPU_H

#include <stdio.h>

#include "kernel.h"

#include "apic.h"
#include "emulate.h"
#include "emulation.h"
#include "event.h"
#include "insn.h"
#include "iobus.h"
#include "mem.h"
#include "policy.h"
#include "pv.h"
#include "simd.h"
#include "state.h"
#include "task_switch.h"
#include "translate.h"
#include "vcpu.h"
#include "vm.h"
#include "x87.h"
#include "yield.h"

#define FAKE_PAGES 16

/* Kinds of pages.  Only bits 15:0 of a linear address are used. */
enum fake_page {
	FAKE_RAM,
	FAKE_ROM,
	FAKE_HOLE,
	FAKE_APIC,
	FAKE_ABSENT, /* page fault */
	FAKE_READ_ONLY, /* page fault at a write */
	FAKE_LOST, /* the host has no page */
	FAKE_NR_PAGE_KINDS,
};

/**
 * struct fake_guest - the guest
 * @page: enum fake_page
 * @memory: contents of each page
 * @code: the instruction at any RIP: as executed, and as read later
 * @rewritten: reads get the second one
 * @walks_busy: the page tables change faster than they can be walked
 * @msr_is_quick: every MSR is one of the local APIC's
 * @events: number of exceptions raised
 * @vector: vector of the last exception
 * @apic_writes: number of writes to the local APIC
 * @cr8: the task priority
 * @groups: groups of registers that were read from the backend
 */
static struct fake_guest {
	u8 page[FAKE_PAGES];
	u8 memory[FAKE_PAGES * PAGE_SIZE];
	u8 code[2][16];
	bool rewritten;
	bool walks_busy;
	bool msr_is_quick;
	unsigned int events;
	u8 vector;
	unsigned int apic_writes;
	u8 cr8;
	u64 groups;
} fake_guest;

static void fake_require_at(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "not so: %s\n", what);
	abort();
}

#define fake_require(condition) fake_require_at(condition, #condition)

static enum fake_page fake_page_of(u64 address)
{
	return fake_guest.page[address / PAGE_SIZE % FAKE_PAGES];
}

/* Accesses of the module must not cross a page. */
static u8 *fake_memory_at(u64 gpa, size_t size)
{
	fake_require(size && offset_in_page(gpa) + size <= PAGE_SIZE);
	return &fake_guest.memory[gpa % sizeof(fake_guest.memory)];
}

static int fake_reach(u64 gpa, bool write)
{
	switch (fake_page_of(gpa)) {
	case FAKE_RAM:
	case FAKE_READ_ONLY:
		return 0;
	case FAKE_ROM:
		return write ? -EROFS : 0;
	case FAKE_LOST:
		return -EFAULT;
	default:
		return -ENXIO;
	}
}

int lodge_mem_read(struct lodge_vm *vm, u64 gpa, void *data, size_t size)
{
	const u8 *from = fake_memory_at(gpa, size);
	int error = fake_reach(gpa, false);

	if (!error)
		memcpy(data, from, size);
	return error;
}

int lodge_mem_write(struct lodge_vm *vm, u64 gpa, const void *data, size_t size)
{
	u8 *to = fake_memory_at(gpa, size);
	int error = fake_reach(gpa, true);

	if (!error)
		memcpy(to, data, size);
	return error;
}

int lodge_mem_cmpxchg(struct lodge_vm *vm, u64 gpa, void *old, const void *new,
		      size_t size)
{
	u8 *where = fake_memory_at(gpa, size);
	int error = fake_reach(gpa, true);

	fake_require(size <= 16);
	if (error)
		return error;
	if (memcmp(where, old, size))
		return -EAGAIN;
	memcpy(where, new, size);
	return 0;
}

void *lodge_mem_user(struct lodge_vm *vm, u64 gpa, bool write)
{
	int error = fake_reach(gpa, write);

	return error && error != -EFAULT ? NULL : fake_memory_at(gpa, 1);
}

int lodge_mem_fault(struct lodge_vcpu *vcpu, u64 gpa, u32 error, u64 *hva)
{
	return fake_reach(gpa, error & LODGE_PF_WRITE) ? -ENXIO : 0;
}

int lodge_translate(struct lodge_vcpu *vcpu, u64 linear, unsigned int access,
		    u64 *gpa, struct lodge_fault *fault)
{
	enum fake_page page = fake_page_of(linear);

	*gpa = linear % sizeof(fake_guest.memory);
	if (page != FAKE_ABSENT &&
	    (page != FAKE_READ_ONLY || !(access & LODGE_ACCESS_WRITE)))
		return 0;
	*fault = (struct lodge_fault){ X86_TRAP_PF, true, 2, linear };
	return LODGE_FAULT;
}

bool lodge_translate_missed(const struct lodge_vcpu *vcpu, u64 gpa)
{
	return false;
}

bool lodge_translate_code_again(struct lodge_vcpu *vcpu, u64 linear, u8 *bytes)
{
	if (fake_guest.walks_busy)
		return false;
	memcpy(bytes, fake_guest.code[fake_guest.rewritten], 16);
	return true;
}

int lodge_translate_code(struct lodge_vcpu *vcpu, u64 linear, u8 *bytes,
			 size_t size, size_t *got, struct lodge_fault *fault)
{
	fake_require(size <= sizeof(fake_guest.code[0]));
	if (fake_guest.walks_busy)
		return -EBUSY;
	*got = size;
	memcpy(bytes, fake_guest.code[fake_guest.rewritten], size);
	return 0;
}

bool lodge_lapic_claims(const struct lodge_apic *apic, u64 gpa)
{
	return fake_page_of(gpa) == FAKE_APIC;
}

void lodge_lapic_read(struct lodge_apic *apic, u32 offset, void *data,
		      size_t size)
{
	fake_require(size >= 1 && size <= 16 && offset + size <= PAGE_SIZE);
	memset(data, (u8)offset, size);
}

void lodge_lapic_write(struct lodge_apic *apic, u32 offset, const void *data,
		       size_t size)
{
	u8 copy[16];

	fake_require(size >= 1 && size <= 16 && offset + size <= PAGE_SIZE);
	memcpy(copy, data, size);
	fake_guest.apic_writes++;
}

u8 lodge_lapic_cr8(const struct lodge_apic *apic)
{
	return fake_guest.cr8;
}

void lodge_lapic_set_cr8(struct lodge_apic *apic, u8 cr8)
{
	fake_require(cr8 <= 15);
}

void lodge_lapic_deadline(struct lodge_apic *apic)
{
}

void lodge_event_raise(struct lodge_delivery *d, u8 vector, u32 error)
{
	fake_guest.events++;
	fake_guest.vector = vector;
}

void lodge_event_page_fault(struct lodge_delivery *d, u64 address, u32 error)
{
	lodge_event_raise(d, X86_TRAP_PF, error);
}

enum lodge_cpu_mode lodge_state_mode(const struct lodge_vcpu *vcpu)
{
	const struct lodge_segment *cs = &vcpu->regs.segments.seg[LODGE_CS];

	if (cs->attr & LODGE_SEG_L)
		return LODGE_MODE_64;
	return cs->attr & LODGE_SEG_DB ? LODGE_MODE_32 : LODGE_MODE_16;
}

u8 lodge_state_cpl(const struct lodge_vcpu *vcpu)
{
	return vcpu->regs.segments.seg[LODGE_CS].selector & 3;
}

bool lodge_control_set_cr0(struct lodge_vcpu *vcpu, u64 value)
{
	vcpu->regs.control.cr0 = value;
	return 0;
}

bool lodge_control_set_cr3(struct lodge_vcpu *vcpu, u64 value)
{
	vcpu->regs.control.cr3 = value;
	return 0;
}

bool lodge_control_set_cr4(struct lodge_vcpu *vcpu, u64 value)
{
	vcpu->regs.control.cr4 = value;
	return 0;
}

bool lodge_control_set_xcr0(struct lodge_vcpu *vcpu, u64 value)
{
	return 1;
}

const u32 *lodge_cpuid_answer(struct lodge_vcpu *vcpu, u32 leaf, u32 subleaf)
{
	static const u32 answer[4] = { 0x5a5a5a5a, 0x5a5a5a5a, 0x5a5a5a5a,
				       0x5a5a5a5a };

	return answer;
}

bool lodge_lapic_msr_quick(u32 index, bool write, u64 value)
{
	return fake_guest.msr_is_quick;
}

/* What the guest's counter shows. */
#define FAKE_TSC 0x1234567890abcdefULL

bool lodge_msr_read(struct lodge_vcpu *vcpu, u32 index, u64 *value)
{
	*value = index;
	return 0;
}

u64 lodge_msr_tsc_now(const struct lodge_vcpu *vcpu)
{
	return FAKE_TSC;
}

bool lodge_msr_write(struct lodge_vcpu *vcpu, u32 index, u64 value)
{
	return 0;
}

enum lodge_outcome lodge_task_exit(struct lodge_vcpu *vcpu,
				   const struct lodge_vmexit *exit)
{
	return 0;
}

void lodge_pv_hypercall(struct lodge_vcpu *vcpu)
{
}

void lodge_yield(struct lodge_vcpu *vcpu)
{
}

void lodge_vm_break(struct lodge_vm *vm)
{
	vm->state = LODGE_VM_BROKEN;
}

void lodge_simd_get_xmm(void *opaque, unsigned int reg, u8 data[16])
{
	fake_require(reg < 16);
	memset(data, (u8)reg, 16);
}

void lodge_simd_set_xmm(void *opaque, unsigned int reg, const u8 data[16])
{
	fake_require(reg < 16);
}

void lodge_simd_get_ymm(void *opaque, unsigned int reg, u8 data[16])
{
	lodge_simd_get_xmm(opaque, reg, data);
}

void lodge_simd_set_ymm(void *opaque, unsigned int reg, const u8 data[16])
{
	lodge_simd_set_xmm(opaque, reg, data);
}

void lodge_simd_get_mmx(void *opaque, unsigned int reg, u64 *data)
{
	fake_require(reg < 8);
	*data = reg;
}

void lodge_simd_set_mmx(void *opaque, unsigned int reg, u64 data)
{
	fake_require(reg < 8);
}

void lodge_simd_get_fpu(void *opaque, struct lodge_fxsave *state)
{
	memset(state, 0, sizeof(*state));
}

void lodge_simd_set_fpu(void *opaque, const struct lodge_fxsave *state)
{
}

static void fake_get_state(struct lodge_vcpu *vcpu, u64 groups)
{
	fake_guest.groups |= groups;
}

static void fake_set_state(struct lodge_vcpu *vcpu, u64 groups)
{
}

static void fake_skip(struct lodge_vcpu *vcpu, u64 rip)
{
	vcpu->regs.general.rip = rip;
}

static u32 fake_interruptibility(struct lodge_vcpu *vcpu)
{
	return vcpu->regs.events.flags;
}

static u32 fake_check(struct lodge_vcpu *vcpu, struct lodge_rule *rules,
		      u32 max)
{
	return 0;
}

static const struct lodge_backend fake_backend = {
	.get_state = fake_get_state,
	.set_state = fake_set_state,
	.skip = fake_skip,
	.interruptibility = fake_interruptibility,
	.check = fake_check,
};

const struct lodge_backend *lodge_backend = &fake_backend;

/* Makes a vCPU in flat 64-bit mode; each part is allocated separately. */
static inline struct lodge_vcpu *fake_vcpu_new(void)
{
	struct lodge_vcpu *vcpu = calloc(1, sizeof(*vcpu));
	int i;

	fake_require(vcpu);
	vcpu->vm = calloc(1, sizeof(*vcpu->vm));
	vcpu->data = calloc(1, LODGE_RUN_DATA_SIZE);
	vcpu->emulation = calloc(1, sizeof(*vcpu->emulation));
	fake_require(vcpu->vm && vcpu->data && vcpu->emulation);
	for (i = 0; i < LODGE_NR_SEGS; i++)
		vcpu->regs.segments.seg[i] =
			(struct lodge_segment){ .limit = 0xffffffff,
						.attr = 0xc93 };
	vcpu->regs.segments.seg[LODGE_CS].attr = 0xa9b;
	vcpu->regs.control.cr0 = X86_CR0_PE;
	vcpu->regs.general.rflags = 2;
	return vcpu;
}

static inline void fake_vcpu_free(struct lodge_vcpu *vcpu)
{
	lodge_iobus_fini(vcpu->vm);
	free(vcpu->emulation);
	free(vcpu->data);
	free(vcpu->vm);
	free(vcpu);
}

#endif
