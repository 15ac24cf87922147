/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Carries out an instruction that the processor cannot: one that touches a device,
 * or that the processor does not describe.
 */
#ifndef LODGE_EMULATE_H
#define LODGE_EMULATE_H

#include <linux/types.h>

struct lodge_vcpu;
struct lodge_vmexit;

/**
 * lodge_emulate_init() - make vcpu->emulation
 *
 * Return: 0 or -ENOMEM.
 */
int lodge_emulate_init(struct lodge_vcpu *vcpu);

/**
 * lodge_emulate_fini() - undo it; also after an init that failed
 */
void lodge_emulate_fini(struct lodge_vcpu *vcpu);

/**
 * lodge_emulate_mmio() - an instruction touched exit->fault.gpa, which has no memory
 *
 * Return: enum lodge_outcome, or -errno.
 */
int lodge_emulate_mmio(struct lodge_vcpu *vcpu,
		       const struct lodge_vmexit *exit);

/**
 * lodge_emulate_store_again() - carry out the MOV that rang a doorbell before
 *
 * Its bytes are not read again.  It is known by its place, its length, as the processor
 * tells it, and the address that it touches.  So a guest is answered wrongly that has,
 * by now or in another address space, another instruction there, of the same length,
 * which touches the same doorbell, be it a load: that one rings it, too, and does nothing
 * else.
 *
 * Never sleeps; interrupts may be off.
 *
 * Return: true if it is done; false: it may be another instruction, or it is not a
 * doorbell that any write rings.
 */
bool lodge_emulate_store_again(struct lodge_vcpu *vcpu,
			       const struct lodge_vmexit *exit);

/**
 * lodge_emulate_forget_store() - the guest may have been replaced by another one
 *
 * The next MOV to a doorbell is read.
 */
void lodge_emulate_forget_store(struct lodge_vcpu *vcpu);

/**
 * lodge_emulate_instruction() - carry out what lodge_insn_fetch() has decoded
 *
 * Return: enum lodge_outcome, or -errno.
 */
int lodge_emulate_instruction(struct lodge_vcpu *vcpu);

/**
 * lodge_emulate_complete() - user space has answered: finish the instruction
 *
 * Return: enum lodge_outcome, or -errno.
 */
int lodge_emulate_complete(struct lodge_vcpu *vcpu);

/* For portio.c, which applies INS and OUTS in pieces. */

/**
 * lodge_emulate_prepare() - give the emulator what it needs beside the instruction
 *
 * After lodge_insn_fetch().
 */
void lodge_emulate_prepare(struct lodge_vcpu *vcpu);

/**
 * lodge_emulate_outcome() - act on an answer of the emulator that is not 0
 *
 * Return: enum lodge_outcome, or -errno.
 */
int lodge_emulate_outcome(struct lodge_vcpu *vcpu, int answer);

/**
 * lodge_emulate_advance() - part of the instruction at @rip is carried out
 *
 * Return: true if the guest must run now: the instruction is over, or an
 * iteration of it is and the guest single-steps.
 */
bool lodge_emulate_advance(struct lodge_vcpu *vcpu, u64 rip);

/**
 * lodge_emulate_sound() - end the VM unless @sound
 *
 * An access of a size that no device can have is a defect of the emulator.
 * Return: @sound; if false no byte may be copied.
 */
bool lodge_emulate_sound(struct lodge_vcpu *vcpu, bool sound);

#endif
