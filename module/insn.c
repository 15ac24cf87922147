// SPDX-License-Identifier: GPL-2.0
/*
 * The instruction at RIP: reading it through the guest's page tables, decoding,
 * and going on behind it.
 */
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "insn.h"
#include "vm.h"

#define LODGE_DR6_STEP	BIT(14)

static int lodge_insn_read_entry(void *opaque, u64 gpa, u64 *entry, size_t size)
{
	struct lodge_vcpu *vcpu = opaque;

	*entry = 0;
	return lodge_mem_read(vcpu->vm, gpa, entry, size);
}

/* In read-only memory accessed and dirty bits stay as they are. */
static int lodge_insn_update_entry(void *opaque, u64 gpa, u64 old, u64 new,
				   size_t size)
{
	struct lodge_vcpu *vcpu = opaque;
	int error = lodge_mem_cmpxchg(vcpu->vm, gpa, &old, &new, size);

	return error == -EROFS ? 0 : error;
}

void lodge_insn_paging(struct lodge_vcpu *vcpu, struct lodge_paging *paging)
{
	const struct lodge_control *c = &vcpu->regs.control;

	*paging = (struct lodge_paging){
		.cr0 = c->cr0,
		.cr3 = c->cr3,
		.cr4 = c->cr4,
		.efer = c->efer,
		.rflags = vcpu->regs.general.rflags,
		.pkru = vcpu->pkru,
		.cpl = lodge_state_cpl(vcpu),
		.phys_bits = vcpu->features.phys_bits,
		.huge_1g = true,
		.read = lodge_insn_read_entry,
		.update = lodge_insn_update_entry,
		.opaque = vcpu,
	};
}

void lodge_insn_raise(struct lodge_vcpu *vcpu, const struct lodge_fault *fault)
{
	if (fault->vector == X86_TRAP_PF)
		lodge_event_page_fault(vcpu, fault->address, fault->error);
	else
		lodge_event_raise(vcpu, fault->vector, fault->error);
}

/* Read as much of @size bytes at @linear as one page holds. */
static int lodge_insn_read_code(struct lodge_vcpu *vcpu,
				const struct lodge_paging *paging, u64 linear,
				u8 *bytes, size_t size, size_t *got)
{
	struct lodge_translation t;
	struct lodge_fault fault;
	int answer;

	answer = lodge_gva_walk(paging, linear, LODGE_ACCESS_FETCH, &t, &fault);
	if (answer == LODGE_FAULT) {
		lodge_insn_raise(vcpu, &fault);
		return 1;
	}
	if (answer)
		return answer;
	*got = min_t(size_t, size, PAGE_SIZE - offset_in_page(linear));
	return lodge_mem_read(vcpu->vm, t.gpa, bytes, *got);
}

int lodge_insn_fetch(struct lodge_vcpu *vcpu)
{
	struct lodge_insn_bytes *bytes = &vcpu->insn_bytes;
	struct lodge_paging paging;
	enum lodge_cpu_mode mode;
	size_t got;
	u64 linear;
	int answer = -ENODATA;

	lodge_backend->get_state(vcpu,
				 LODGE_GROUP_SEGMENTS | LODGE_GROUP_CONTROL);
	mode = lodge_state_mode(vcpu);
	linear = vcpu->regs.general.rip;
	if (mode != LODGE_MODE_64)
		linear = (u32)(linear + vcpu->regs.segments.seg[LODGE_CS].base);
	lodge_insn_paging(vcpu, &paging);

	for (bytes->length = 0; bytes->length < LODGE_INSN_MAX_LENGTH;
	     bytes->length += got) {
		answer = lodge_insn_read_code(
			vcpu, &paging, linear + bytes->length,
			bytes->data + bytes->length,
			LODGE_INSN_MAX_LENGTH - bytes->length, &got);
		if (answer)
			return answer < 0 ? -EFAULT : answer;
		answer = lodge_decode(&vcpu->emul.insn, mode, bytes->data,
				      bytes->length + got);
		if (answer != -ENODATA) {
			bytes->length += got;
			break;
		}
	}
	if (answer == -E2BIG) {
		lodge_event_raise(vcpu, X86_TRAP_GP, 0);
		return 1;
	}
	return answer;
}

void lodge_insn_done(struct lodge_vcpu *vcpu, u64 next_rip)
{
	struct lodge_general *general = &vcpu->regs.general;

	lodge_backend->skip(vcpu, next_rip);
	general->rflags &= ~X86_EFLAGS_RF;
	if (likely(!(general->rflags & X86_EFLAGS_TF)))
		return;
	lodge_backend->get_state(vcpu, LODGE_GROUP_DEBUG);
	vcpu->regs.debug.dr6 |= LODGE_DR6_STEP;
	lodge_backend->set_state(vcpu, LODGE_GROUP_DEBUG);
	lodge_event_raise(vcpu, X86_TRAP_DB, 0);
}

int lodge_insn_skip(struct lodge_vcpu *vcpu, const struct lodge_vmexit *exit)
{
	u64 next_rip = exit->next_rip;
	int answer;

	if (!next_rip) {
		answer = lodge_insn_fetch(vcpu);
		if (answer > 0)
			return 0;
		if (answer)
			return lodge_insn_refuse(vcpu, ~0ULL);
		next_rip = lodge_insn_next_rip(&vcpu->regs.general,
					       vcpu->emul.insn.mode,
					       vcpu->emul.insn.length);
	}
	lodge_insn_done(vcpu, next_rip);
	return 0;
}

int lodge_insn_refuse(struct lodge_vcpu *vcpu, u64 gpa)
{
	struct lodge_exit_emulate *emulate = &vcpu->run->exit.emulate;

	emulate->gpa = gpa;
	emulate->length = vcpu->insn_bytes.length;
	memcpy(emulate->bytes, vcpu->insn_bytes.data, sizeof(emulate->bytes));
	vcpu->run->reason = LODGE_EXIT_CANNOT_EMULATE;
	return 1;
}
