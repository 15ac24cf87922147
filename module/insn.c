// SPDX-License-Identifier: GPL-2.0
/*
 * The instruction at RIP: reading it through the guest's page tables, decoding,
 * and going on behind it.
 */
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "backend.h"
#include "emulation.h"
#include "event.h"
#include "exit.h"
#include "insn.h"
#include "processor.h"
#include "request.h"
#include "state.h"
#include "translate.h"
#include "vcpu.h"

/* So often in a row an unknown instruction may be one that was just rewritten. */
#define LODGE_INSN_DOUBTS 16
/*
 * The same where the processor has told which one has left the guest: one that is known
 * here, so that what was read must be another.  A processor that goes on with old code
 * for a while, as an emulated one may, gets there often; nothing goes on for ever.
 */
#define LODGE_INSN_CHANGES 100000

/* Two words, which hold any instruction. */
#define LODGE_INSN_FETCH 16

void lodge_insn_raise(struct lodge_vcpu *vcpu, const struct lodge_fault *fault)
{
	if (fault->vector == X86_TRAP_PF)
		lodge_event_page_fault(&vcpu->delivery, fault->address,
				       fault->error);
	else
		lodge_event_raise(&vcpu->delivery, fault->vector, fault->error);
}

static u64 lodge_insn_word(const u8 *bytes)
{
	u64 word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

/* Compares 1 to 15 bytes by words, of which the second overlaps the first. */
static bool lodge_insn_alike(const u8 *a, const u8 *b, size_t length)
{
	const size_t last = length - sizeof(u64);
	u64 differ = lodge_insn_word(a) ^ lodge_insn_word(b);

	if (length < sizeof(u64))
		return !(differ << (8 * (sizeof(u64) - length)));
	return !differ &&
	       lodge_insn_word(a + last) == lodge_insn_word(b + last);
}

/* The bytes at RIP are those of the instruction that is decoded already. */
static bool lodge_insn_same(const struct lodge_vcpu *vcpu,
			    enum lodge_cpu_mode mode, const u8 *bytes,
			    size_t length)
{
	const struct lodge_insn_bytes *known = &vcpu->emulation->insn_bytes;
	const struct lodge_insn *insn = &vcpu->emulation->emul.insn;

	return known->decoded && insn->mode == mode && insn->length <= length &&
	       lodge_insn_alike(bytes, known->data, insn->length);
}

/* Decode the first @length bytes of an instruction, or all of it. */
static int lodge_insn_decode(struct lodge_vcpu *vcpu, enum lodge_cpu_mode mode,
			     const u8 *bytes, size_t length)
{
	struct lodge_insn_bytes *known = &vcpu->emulation->insn_bytes;
	struct lodge_insn *insn = &vcpu->emulation->emul.insn;
	int answer;

	if (lodge_insn_same(vcpu, mode, bytes, length)) {
		/* The bytes behind it may have changed. */
		known->length = insn->length;
		return 0;
	}
	answer = lodge_decode(insn, mode, bytes, length);
	known->decoded = !answer;
	known->length = min_t(size_t, length, LODGE_INSN_MAX_LENGTH);
	memcpy(known->data, bytes, known->length);
	return answer;
}

/* Return: the linear address of RIP, and in @mode how to decode what is there. */
static u64 lodge_insn_place(struct lodge_vcpu *vcpu, enum lodge_cpu_mode *mode)
{
	u64 rip = vcpu->regs.general.rip;

	vcpu->host_worked = true;
	lodge_backend->get_state(vcpu, LODGE_GROUP_MODE | LODGE_GROUP_CONTROL);
	*mode = lodge_state_mode(vcpu);
	if (*mode == LODGE_MODE_64)
		return rip;
	return (u32)(rip + vcpu->regs.segments.seg[LODGE_CS].base);
}

bool lodge_insn_fetch_again(struct lodge_vcpu *vcpu)
{
	struct lodge_emulation *emulation = vcpu->emulation;
	u8 bytes[LODGE_INSN_FETCH];
	enum lodge_cpu_mode mode;
	u64 linear = lodge_insn_place(vcpu, &mode);

	if (!lodge_translate_code_again(vcpu, linear, bytes) ||
	    !lodge_insn_same(vcpu, mode, bytes, sizeof(bytes)))
		return false;
	emulation->insn_bytes.length = emulation->emul.insn.length;
	return true;
}

int lodge_insn_fetch(struct lodge_vcpu *vcpu)
{
	u8 bytes[LODGE_INSN_FETCH] = {};
	struct lodge_fault fault;
	enum lodge_cpu_mode mode;
	size_t length = 0, got;
	u64 linear;
	int answer;

	linear = lodge_insn_place(vcpu, &mode);
	/* Twice at most: an instruction lies on one page, or on two. */
	do {
		answer = lodge_translate_code(vcpu, linear + length,
					      bytes + length,
					      sizeof(bytes) - length, &got,
					      &fault);
		if (answer == LODGE_FAULT) {
			lodge_insn_raise(vcpu, &fault);
			return LODGE_FAULT;
		}
		if (answer) {
			vcpu->emulation->insn_bytes.length = 0;
			return answer == -EBUSY ? answer : -EFAULT;
		}
		length += got;
		answer = lodge_insn_decode(vcpu, mode, bytes, length);
	} while (answer == -ENODATA && length < sizeof(bytes));

	if (answer == -E2BIG) {
		lodge_event_raise(&vcpu->delivery, X86_TRAP_GP, 0);
		return LODGE_FAULT;
	}
	return answer;
}

bool lodge_insn_causes(const struct lodge_insn *insn,
		       const struct lodge_vmexit *exit)
{
	enum lodge_op op = insn->op;

	switch (exit->kind) {
	case LODGE_VMEXIT_CPUID:
		return op == LODGE_OP_CPUID;
	case LODGE_VMEXIT_MSR:
		return op ==
		       (exit->msr.write ? LODGE_OP_WRMSR : LODGE_OP_RDMSR);
	case LODGE_VMEXIT_HLT:
		return op == LODGE_OP_HLT;
	case LODGE_VMEXIT_PAUSE:
		return op == LODGE_OP_PAUSE;
	case LODGE_VMEXIT_XSETBV:
		return op == LODGE_OP_XSETBV;
	case LODGE_VMEXIT_HYPERCALL:
		return op == LODGE_OP_VMCALL || op == LODGE_OP_VMMCALL;
	case LODGE_VMEXIT_RDPMC:
		return op == LODGE_OP_RDPMC;
	case LODGE_VMEXIT_RDTSC:
		/* QEMU (7.2) calls them by one name. */
		return op == LODGE_OP_RDTSCP ||
		       (op == LODGE_OP_RDTSC && !exit->rdtsc.aux);
	case LODGE_VMEXIT_INVD:
		return op == LODGE_OP_INVD || op == LODGE_OP_WBINVD;
	default:
		return false;
	}
}

static void lodge_insn_leave(struct lodge_vcpu *vcpu, u64 next_rip)
{
	struct lodge_insn_bytes *known = &vcpu->emulation->insn_bytes;

	lodge_backend_call(skip)(vcpu, next_rip);
	known->doubts = 0;
	known->changes = 0;
	vcpu->regs.general.rflags &= ~X86_EFLAGS_RF;
}

void lodge_insn_done_shadow(struct lodge_vcpu *vcpu, u64 next_rip)
{
	lodge_insn_leave(vcpu, next_rip);
	vcpu->regs.events.flags = lodge_backend->interruptibility(vcpu) |
				  LODGE_EVENT_SHADOW | LODGE_EVENT_SHADOW_SS;
	lodge_backend->set_state(vcpu, LODGE_GROUP_EVENTS);
	set_bit(LODGE_REQ_EVENT, &vcpu->requests);
}

static void lodge_insn_step(struct lodge_vcpu *vcpu)
{
	lodge_backend->get_state(vcpu, LODGE_GROUP_DEBUG);
	vcpu->regs.debug.dr6 |= DR_STEP;
	lodge_backend->set_state(vcpu, LODGE_GROUP_DEBUG);
	lodge_event_raise(&vcpu->delivery, X86_TRAP_DB, 0);
}

void lodge_insn_done(struct lodge_vcpu *vcpu, u64 next_rip)
{
	lodge_insn_leave(vcpu, next_rip);
	if (unlikely(vcpu->regs.general.rflags & X86_EFLAGS_TF))
		lodge_insn_step(vcpu);
}

void lodge_insn_done_flags(struct lodge_vcpu *vcpu, u64 next_rip, u64 old)
{
	u64 loaded = vcpu->regs.general.rflags;

	lodge_insn_leave(vcpu, next_rip);
	vcpu->regs.general.rflags = loaded;
	if (old & X86_EFLAGS_TF)
		lodge_insn_step(vcpu);
}

enum lodge_outcome lodge_insn_refuse(struct lodge_vcpu *vcpu, u64 gpa)
{
	struct lodge_exit_emulate *emulate = &vcpu->answer.exit.emulate;
	const struct lodge_insn_bytes *known = &vcpu->emulation->insn_bytes;

	emulate->gpa = gpa;
	emulate->length = known->length;
	memcpy(emulate->bytes, known->data, sizeof(emulate->bytes));
	vcpu->answer.reason = LODGE_EXIT_CANNOT_EMULATE;
	return LODGE_CANNOT_EMULATE;
}

/* @tries: how many there were; it begins anew once they have come to @limit. */
static enum lodge_outcome lodge_insn_retry(struct lodge_vcpu *vcpu, int answer,
					   u64 gpa, u32 *tries, u32 limit)
{
	if (answer == LODGE_FAULT || answer == -EBUSY)
		return LODGE_ENTER_AGAIN;
	if (answer != -EFAULT && ++*tries < limit)
		return LODGE_ENTER_AGAIN;
	*tries = 0;
	return lodge_insn_refuse(vcpu, gpa);
}

enum lodge_outcome lodge_insn_doubt(struct lodge_vcpu *vcpu, int answer,
				    u64 gpa)
{
	return lodge_insn_retry(vcpu, answer, gpa,
				&vcpu->emulation->insn_bytes.doubts,
				LODGE_INSN_DOUBTS);
}

enum lodge_outcome lodge_insn_changed(struct lodge_vcpu *vcpu, int answer)
{
	return lodge_insn_retry(vcpu, answer, ~0ULL,
				&vcpu->emulation->insn_bytes.changes,
				LODGE_INSN_CHANGES);
}
