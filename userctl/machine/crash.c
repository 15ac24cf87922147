// SPDX-License-Identifier: GPL-2.0
/*
 * What is to be known of a vCPU that cannot go on: its exit, its registers, and
 * the instruction it stands at.
 */
#include "machine/crash.h"

#include <string.h>

#include "lib/client.h"

#define CR0_PG (1ULL << 31)
#define CR4_PSE (1ULL << 4)
#define CR4_PAE (1ULL << 5)
#define CR4_LA57 (1ULL << 12)
#define EFER_LMA (1ULL << 10)

#define PTE_PRESENT (1ULL << 0)
#define PTE_LARGE (1ULL << 7)
/* Bits 51:12, where an entry holds an address. */
#define PTE_ADDRESS 0x000ffffffffff000ULL
/* Bits 20:13 of a large 32-bit entry are bits 39:32 of the address. */
#define PSE36_BITS 0x1fe000ULL
#define PSE36_SHIFT 19

#define PAGE_SHIFT 12

/**
 * struct paging - a format of page tables
 * @levels: tables to go through
 * @bits: of the address, that each level consumes
 * @entry: bytes an entry takes
 * @root: bits of CR3 that hold the first table's address
 */
struct paging {
	unsigned int levels;
	unsigned int bits;
	unsigned int entry;
	uint64_t root;
};

static struct paging paging_of(const struct lodge_control *control)
{
	if (control->efer & EFER_LMA)
		return (struct paging){ control->cr4 & CR4_LA57 ? 5 : 4, 9, 8,
					PTE_ADDRESS };
	if (control->cr4 & CR4_PAE)
		return (struct paging){ 3, 9, 8, 0xffffffe0 };
	return (struct paging){ 2, 10, 4, 0xfffff000 };
}

static bool is_large(const struct lodge_control *control,
		     const struct paging *paging, unsigned int level,
		     uint64_t entry)
{
	if (level == 1)
		return true;
	if (!(entry & PTE_LARGE))
		return false;
	if (paging->entry == 4)
		return control->cr4 & CR4_PSE;
	/* The top level of PAE and the two of five levels have no such bit. */
	return level == 2 || (level == 3 && paging->levels > 3);
}

static uint64_t page_of(const struct paging *paging, unsigned int level,
			uint64_t entry, uint64_t mask)
{
	uint64_t page = entry & PTE_ADDRESS & ~mask;

	if (paging->entry == 4 && level == 2)
		page |= (entry & PSE36_BITS) << PSE36_SHIFT;
	return page;
}

bool crash_translate(const struct ram *ram, const struct lodge_control *control,
		     uint64_t linear, uint64_t *gpa)
{
	const struct paging paging = paging_of(control);
	uint64_t table = control->cr3 & paging.root;

	if (!(control->cr0 & CR0_PG)) {
		*gpa = linear;
		return true;
	}
	for (unsigned int level = paging.levels; level; level--) {
		unsigned int shift = PAGE_SHIFT + (level - 1) * paging.bits;
		uint64_t index = linear >> shift & ((1U << paging.bits) - 1);
		uint64_t mask = (1ULL << shift) - 1;
		uint64_t entry = 0;
		const void *at;

		at = ram_at(ram, table + index * paging.entry, paging.entry);
		if (!at)
			return false;
		memcpy(&entry, at, paging.entry);
		if (!(entry & PTE_PRESENT))
			return false;
		if (is_large(control, &paging, level, entry)) {
			*gpa = page_of(&paging, level, entry, mask) |
			       (linear & mask);
			return true;
		}
		table = entry & PTE_ADDRESS;
	}
	return false;
}

static bool is_64bit(const struct lodge_regs *regs)
{
	return regs->control.efer & EFER_LMA &&
	       regs->segments.seg[LODGE_CS].attr & LODGE_SEG_L;
}

static void take_code(struct crash *crash, const struct ram *ram)
{
	const struct lodge_regs *regs = &crash->run.regs;
	uint64_t mask = is_64bit(regs) ? UINT64_MAX : UINT32_MAX;
	uint64_t gpa;

	crash->address = regs->general.rip;
	if (!is_64bit(regs))
		crash->address += regs->segments.seg[LODGE_CS].base;
	crash->address &= mask;
	for (size_t i = 0; i < CRASH_CODE_SIZE; i++) {
		uint64_t linear = (crash->address + i) & mask;
		const uint8_t *byte = NULL;

		if (crash_translate(ram, &regs->control, linear, &gpa))
			byte = ram_at(ram, gpa, 1);
		if (!byte)
			return;
		crash->code[crash->code_length++] = *byte;
	}
}

void crash_take(struct crash *crash, int vcpu, uint32_t id,
		const struct lodge_run *run, int error, const struct ram *ram)
{
	struct lodge_state state = { .groups = LODGE_GROUPS_INLINE };

	memset(crash, 0, sizeof(*crash));
	crash->vcpu = id;
	crash->error = error;
	crash->run = *run;
	if (lodge_state_get(vcpu, &state))
		return;
	crash->registers = true;
	crash->run.regs = state.regs;
	take_code(crash, ram);
}
