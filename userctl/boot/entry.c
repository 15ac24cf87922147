// SPDX-License-Identifier: GPL-2.0
/*
 * The state in which vCPU 0 starts.
 *
 * Registers that no protocol sets have their values after reset (AMD APM vol. 2,
 * table 14-1), except that the caches are on.
 */
#include "boot/entry.h"

#include <string.h>

#include "boot/bios.h"
#include "processor.h"

#define XCR0_X87 (1ULL << 0)
#define APIC_BASE_BSP (1ULL << 8)
#define APIC_BASE_ON (1ULL << 11)
#define APIC_BASE_RESET 0xfee00000ULL

/* Attributes of segments, as struct lodge_segment has them. */
#define ATTR_CODE16 0x09b
#define ATTR_DATA16 0x093
#define ATTR_CODE32 0xc9b
#define ATTR_CODE64 0xa9b
#define ATTR_DATA 0xc93
#define ATTR_LDT 0x082
#define ATTR_TSS 0x08b

/* Descriptors of flat segments: base 0, limit 4 GiB. */
#define DESC_CODE32 0x00cf9b000000ffffULL
#define DESC_CODE64 0x00af9b000000ffffULL
#define DESC_DATA 0x00cf93000000ffffULL

/* Page-table entries: present, writable, and for a page of 2 MiB. */
#define PTE_TABLE 0x03ULL
#define PTE_HUGE 0x83ULL
#define HUGE_SIZE (2ULL << 20)
#define TABLE_ENTRIES 512
#define TABLE_SIZE 4096
#define TABLE_COVERS (1ULL << 30)

static void entry_reset(struct boot_entry *entry, uint64_t address)
{
	struct lodge_regs *regs = &entry->regs;

	memset(entry, 0, sizeof(*entry));
	entry->groups = LODGE_GROUP_GENERAL | LODGE_GROUP_SEGMENTS |
			LODGE_GROUP_CONTROL;
	regs->general.rip = address;
	regs->general.rflags = X86_EFLAGS_FIXED;
	regs->segments.seg[LODGE_LDTR] = (struct lodge_segment){
		.limit = 0xffff,
		.attr = ATTR_LDT,
	};
	regs->control.cr0 = X86_CR0_ET;
	regs->control.xcr0 = XCR0_X87;
	regs->control.apic_base = APIC_BASE_RESET | APIC_BASE_ON |
				  APIC_BASE_BSP;
}

void entry_real(struct boot_entry *entry, uint32_t address)
{
	struct lodge_segment *seg = entry->regs.segments.seg;
	uint32_t base = address > 0xffff ? address & ~0xfU : 0;
	unsigned int i;

	entry_reset(entry, address - base);
	for (i = LODGE_ES; i <= LODGE_GS; i++)
		seg[i] = (struct lodge_segment){
			.base = base,
			.limit = 0xffff,
			.selector = base >> 4,
			.attr = i == LODGE_CS ? ATTR_CODE16 : ATTR_DATA16,
		};
	seg[LODGE_TR] = (struct lodge_segment){
		.limit = 0xffff,
		.attr = ATTR_TSS,
	};
	entry->regs.general.gpr[LODGE_RSP] = base ? 0 : address;
	entry->regs.segments.gdt.limit = 0xffff;
	entry->regs.segments.idt.limit = 0x3ff;
}

void entry_waking(struct boot_entry *entry, uint32_t vector)
{
	struct lodge_segment *cs = &entry->regs.segments.seg[LODGE_CS];

	entry_real(entry, 0);
	cs->selector = vector >> 4;
	cs->base = vector & ~0xfU;
	entry->regs.general.rip = vector & 0xf;
}

/* Sets flat segments; CS is @cs, with the attributes @code and descriptor @desc. */
static void entry_flat(const struct ram *ram, struct boot_entry *entry,
		       uint16_t cs, uint64_t desc, uint16_t code)
{
	const uint16_t ds = cs + sizeof(desc);
	struct lodge_segments *segments = &entry->regs.segments;
	uint64_t gdt[ENTRY_DS / sizeof(desc) + 1] = { 0 };
	unsigned int i;

	gdt[cs / sizeof(desc)] = desc;
	gdt[ds / sizeof(desc)] = DESC_DATA;

	for (i = LODGE_ES; i <= LODGE_GS; i++)
		segments->seg[i] = (struct lodge_segment){
			.limit = 0xffffffff,
			.selector = i == LODGE_CS ? cs : ds,
			.attr = i == LODGE_CS ? code : ATTR_DATA,
		};
	segments->seg[LODGE_TR] = (struct lodge_segment){
		.limit = 0x67,
		.attr = ATTR_TSS,
	};
	segments->gdt.base = ENTRY_GDT;
	segments->gdt.limit = sizeof(gdt) - 1;
	memcpy(ram_write_at(ram, ENTRY_GDT, sizeof(gdt)), gdt, sizeof(gdt));

	entry->regs.general.gpr[LODGE_RSP] = BIOS_EBDA;
	entry->regs.control.cr0 |= X86_CR0_PE;
}

void entry_protected(const struct ram *ram, struct boot_entry *entry,
		     uint32_t address, uint16_t cs)
{
	entry_reset(entry, address);
	entry_flat(ram, entry, cs, DESC_CODE32, ATTR_CODE32);
}

/*
 * Writes the root table, the table below it, and the tables of 2 MiB pages from
 * ENTRY_TABLES on.
 *
 * Return: the root's address.
 */
static uint64_t entry_map(const struct ram *ram)
{
	const unsigned int nr = ENTRY_MAPPED / TABLE_COVERS;
	const uint64_t dirs = ENTRY_TABLES + 2 * TABLE_SIZE;
	uint64_t *root, *next, *dir;
	unsigned int i;

	root = ram_write_at(ram, ENTRY_TABLES, (2 + nr) * TABLE_SIZE);
	next = root + TABLE_ENTRIES;
	dir = next + TABLE_ENTRIES;

	memset(root, 0, 2 * TABLE_SIZE);
	root[0] = (ENTRY_TABLES + TABLE_SIZE) | PTE_TABLE;
	for (i = 0; i < nr; i++)
		next[i] = (dirs + i * TABLE_SIZE) | PTE_TABLE;
	for (i = 0; i < nr * TABLE_ENTRIES; i++)
		dir[i] = (i * HUGE_SIZE) | PTE_HUGE;
	return ENTRY_TABLES;
}

void entry_long(const struct ram *ram, struct boot_entry *entry,
		uint64_t address)
{
	entry_reset(entry, address);
	entry_flat(ram, entry, ENTRY_CS, DESC_CODE64, ATTR_CODE64);
	entry->regs.control.cr0 |= X86_CR0_PG;
	entry->regs.control.cr3 = entry_map(ram);
	entry->regs.control.cr4 = X86_CR4_PAE;
	entry->regs.control.efer = EFER_LME | EFER_LMA;
}
