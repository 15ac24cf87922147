// SPDX-License-Identifier: GPL-2.0
/*
 * The report on a vCPU that cannot go on: its exit, its registers, and the
 * instruction at RIP.
 */
#include "machine/crash.h"

#include <errno.h>
#include <string.h>

#include "gva.h"
#include "lib/client.h"
#include "processor.h"

#define PHYS_BITS_MAX 52

static int read_entry(void *opaque, u64 gpa, u64 *entry, size_t size)
{
	const void *at = ram_at(opaque, gpa, size);

	if (!at)
		return -EFAULT;
	*entry = 0;
	memcpy(entry, at, size);
	return 0;
}

/* Leaves the accessed bits in the guest's page tables. */
static int leave_entry(void *opaque, u64 gpa, u64 old, u64 new, size_t size)
{
	(void)opaque;
	(void)gpa;
	(void)old;
	(void)new;
	(void)size;
	return 0;
}

bool crash_translate(const struct ram *ram, const struct lodge_control *control,
		     uint64_t linear, uint64_t *gpa)
{
	/* Walk as a supervisor without SMAP: no permission prevents the read. */
	const struct lodge_paging paging = {
		.cr0 = control->cr0,
		.cr3 = control->cr3,
		.cr4 = control->cr4,
		.efer = control->efer | EFER_NX,
		.rflags = X86_EFLAGS_AC,
		.phys_bits = PHYS_BITS_MAX,
		.huge_1g = true,
		.read = read_entry,
		.update = leave_entry,
		.opaque = (void *)ram,
	};
	struct lodge_translation translation;
	struct lodge_fault fault;

	if (lodge_gva_walk(&paging, linear, LODGE_ACCESS_READ, &translation,
			   &fault))
		return false;
	*gpa = translation.gpa;
	return true;
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
