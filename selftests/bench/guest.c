// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's memory and segments at the start: long mode, with 4 GiB mapped.
 */
#include "guest.h"

#include <string.h>

#define PAGE_TABLE 0x3ULL /* present, writable */
#define PAGE_LARGE 0x83ULL
#define LARGE_SIZE 0x200000ULL
#define GATE_INTERRUPT 0x8e00ULL

#define CODE_ATTR (0xb | LODGE_SEG_S | LODGE_SEG_P | LODGE_SEG_L | LODGE_SEG_G)
#define DATA_ATTR (0x3 | LODGE_SEG_S | LODGE_SEG_P | LODGE_SEG_DB | LODGE_SEG_G)
#define TASK_ATTR (0xb | LODGE_SEG_P)
#define TASK_LIMIT 0x67

const struct lodge_segment guest_code_segment = { .limit = 0xffffffff,
						  .selector = GUEST_CS,
						  .attr = CODE_ATTR };
const struct lodge_segment guest_data_segment = { .limit = 0xffffffff,
						  .selector = GUEST_SS,
						  .attr = DATA_ATTR };
const struct lodge_segment guest_task_segment = { .base = GUEST_TSS,
						  .limit = TASK_LIMIT,
						  .selector = GUEST_TR,
						  .attr = TASK_ATTR };

extern const char guest_code[], guest_code_end[], guest_interrupt[];

uint64_t guest_rip(const char *start)
{
	return GUEST_CODE + (start - guest_code);
}

/* The descriptor of a flat segment: base 0, limit 0xfffff. */
static uint64_t flat_descriptor(uint64_t attr)
{
	return 0xffff | (attr & 0xff) << 40 | 0xfULL << 48 | (attr >> 8) << 52;
}

void guest_fill(void *memory)
{
	uint64_t *pml4 = memory + GUEST_PML4;
	uint64_t *pdpt = memory + GUEST_PDPT;
	uint64_t *pd = memory + GUEST_PD;
	uint64_t *gdt = memory + GUEST_GDT;
	uint64_t *gate = memory + GUEST_IDT + 16 * GUEST_VECTOR;
	uint64_t handler = guest_rip(guest_interrupt);
	int i;

	pml4[0] = GUEST_PDPT | PAGE_TABLE;
	for (i = 0; i < 4; i++)
		pdpt[i] = (GUEST_PD + 0x1000 * i) | PAGE_TABLE;
	for (i = 0; i < 4 * 512; i++)
		pd[i] = LARGE_SIZE * i | PAGE_LARGE;
	gdt[GUEST_CS / 8] = flat_descriptor(CODE_ATTR);
	gdt[GUEST_SS / 8] = flat_descriptor(DATA_ATTR);
	gdt[GUEST_TR / 8] = TASK_LIMIT | (uint64_t)GUEST_TSS << 16 |
			    (uint64_t)TASK_ATTR << 40;
	gate[0] = (handler & 0xffff) | (uint64_t)GUEST_CS << 16 |
		  GATE_INTERRUPT << 32 | (handler >> 16) << 48;
	memcpy(memory + GUEST_CODE, guest_code, guest_code_end - guest_code);
}
