/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The instruction at RIP, for those who carry it out.
 */
#ifndef LODGE_INSN_H
#define LODGE_INSN_H

#include "exit.h"
#include "gva.h"

struct lodge_insn;
struct lodge_vcpu;
struct lodge_vmexit;

/**
 * enum lodge_execute - result of an instruction that the core carries out
 * @LODGE_EXECUTE_DONE: RIP is still at it
 * @LODGE_EXECUTE_GP: nothing changed, #GP(0) is to be raised
 * @LODGE_EXECUTE_RAISED: an exception is raised already
 * @LODGE_EXECUTE_UNKNOWN: it is another instruction
 */
enum lodge_execute {
	LODGE_EXECUTE_DONE,
	LODGE_EXECUTE_GP,
	LODGE_EXECUTE_RAISED,
	LODGE_EXECUTE_UNKNOWN,
};

/**
 * lodge_insn_fetch() - read and decode the instruction at RIP
 *
 * Brings CS and SS of SEGMENTS, and CONTROL, up to date.  The instruction is in
 * vcpu->emulation->emul.insn then, and its bytes are in ->insn_bytes.
 *
 * Return: 0; LODGE_FAULT an exception is raised; -EINVAL not known; -EFAULT not
 * readable; -EBUSY the page tables keep changing.  lodge_insn_doubt() or
 * lodge_insn_changed() acts on all but 0.
 */
int lodge_insn_fetch(struct lodge_vcpu *vcpu);

/**
 * lodge_insn_fetch_again() - the same for the instruction that was read last
 *
 * Never sleeps; interrupts may be off.
 *
 * Return: false if another one may be at RIP, or if that cannot be seen.
 */
bool lodge_insn_fetch_again(struct lodge_vcpu *vcpu);

/**
 * lodge_insn_causes() - compare an instruction with an exit
 *
 * Knows the exits of instructions that have no operands, such as CPUID or HLT.
 * Return: true if @insn can have caused @exit.
 */
bool lodge_insn_causes(const struct lodge_insn *insn,
		       const struct lodge_vmexit *exit);

/**
 * lodge_insn_done() - the instruction was carried out: go on at @next_rip
 *
 * Raises the single-step trap where RFLAGS.TF is set.
 */
void lodge_insn_done(struct lodge_vcpu *vcpu, u64 next_rip);

/**
 * lodge_insn_done_shadow() - the same for one behind which no interrupt comes, nor
 * the single-step trap, before another instruction
 */
void lodge_insn_done_shadow(struct lodge_vcpu *vcpu, u64 next_rip);

/**
 * lodge_insn_done_flags() - the same for one that has loaded RFLAGS
 * @old: RFLAGS before
 *
 * RF stays as it is.  The trap is for the TF with which the instruction began: a new
 * one counts from the next instruction on.
 */
void lodge_insn_done_flags(struct lodge_vcpu *vcpu, u64 next_rip, u64 old);

/**
 * lodge_insn_refuse() - fill in LODGE_EXIT_CANNOT_EMULATE
 * @gpa: what the instruction touched, or all ones
 *
 * Return: LODGE_CANNOT_EMULATE.
 */
enum lodge_outcome lodge_insn_refuse(struct lodge_vcpu *vcpu, u64 gpa);

/**
 * lodge_insn_doubt() - the instruction at RIP cannot be carried out
 * @answer: what lodge_insn_fetch() or lodge_emul_step() answered, not 0
 * @gpa: as for lodge_insn_refuse()
 *
 * Another vCPU may have written there between the exit and the fetch, so the guest
 * tries again; an instruction that is still there after many times is refused.
 */
enum lodge_outcome lodge_insn_doubt(struct lodge_vcpu *vcpu, int answer,
				    u64 gpa);

/**
 * lodge_insn_changed() - the instruction at RIP is not the one that has left the guest
 * @answer: what lodge_insn_fetch() answered, not 0
 *
 * As lodge_insn_doubt(), for an exit that tells which instruction it was.
 */
enum lodge_outcome lodge_insn_changed(struct lodge_vcpu *vcpu, int answer);

/**
 * lodge_insn_raise() - raise what an access has met with
 */
void lodge_insn_raise(struct lodge_vcpu *vcpu, const struct lodge_fault *fault);

#endif
