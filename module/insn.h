/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The instruction at RIP, for those who carry it out.
 */
#ifndef LODGE_INSN_H
#define LODGE_INSN_H

#include "gva.h"

struct lodge_vcpu;
struct lodge_vmexit;

/**
 * lodge_insn_fetch() - read and decode the instruction at RIP
 *
 * Brings SEGMENTS and CONTROL up to date, and fills vcpu->emul.insn and
 * vcpu->insn_bytes.
 *
 * Return: 0; 1 an exception is raised; -EINVAL not known; -EFAULT not readable.
 */
int lodge_insn_fetch(struct lodge_vcpu *vcpu);

/**
 * lodge_insn_skip() - go to the next instruction
 *
 * Return: as lodge_exit_handle().
 */
int lodge_insn_skip(struct lodge_vcpu *vcpu, const struct lodge_vmexit *exit);

/**
 * lodge_insn_done() - the instruction was carried out: go on at @next_rip
 *
 * Raises the single-step trap where RFLAGS.TF is set.
 */
void lodge_insn_done(struct lodge_vcpu *vcpu, u64 next_rip);

/**
 * lodge_insn_refuse() - fill in LODGE_EXIT_CANNOT_EMULATE
 * @gpa: what the instruction touched, or all ones
 *
 * Return: 1, as lodge_exit_handle().
 */
int lodge_insn_refuse(struct lodge_vcpu *vcpu, u64 gpa);

/**
 * lodge_insn_raise() - raise what an access has met with
 */
void lodge_insn_raise(struct lodge_vcpu *vcpu, const struct lodge_fault *fault);

#endif
