/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Instructions that reach control registers.
 */
#ifndef LODGE_CR_H
#define LODGE_CR_H

#include <linux/types.h>

#include "insn.h"

/**
 * lodge_cr_same() - compare an instruction with what the processor said of it
 *
 * Return: true if @insn is one of MOV to and from control registers, CLTS, LMSW and SMSW
 * and can be the one that caused @exit.
 */
bool lodge_cr_same(const struct lodge_insn *insn,
		   const struct lodge_vmexit *exit);

/**
 * lodge_cr_execute() - carry out what lodge_insn_fetch() has decoded
 *
 * The instruction has no operand in memory.
 */
enum lodge_execute lodge_cr_execute(struct lodge_vcpu *vcpu);

#endif
