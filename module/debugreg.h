/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Instructions that reach debug registers.
 */
#ifndef LODGE_DEBUGREG_H
#define LODGE_DEBUGREG_H

#include <linux/types.h>

#include "insn.h"

/**
 * lodge_debugreg_same() - compare an instruction with what the processor said of it
 *
 * Return: true if @insn is one of MOV to and from debug registers
 * and can be the one that caused @exit.
 */
bool lodge_debugreg_same(const struct lodge_insn *insn,
			 const struct lodge_vmexit *exit);

/**
 * lodge_debugreg_execute() - carry out what lodge_insn_fetch() has decoded
 *
 * The instruction has no operand in memory.
 */
enum lodge_execute lodge_debugreg_execute(struct lodge_vcpu *vcpu);

/**
 * lodge_debugreg_trap() - a #DB exit's bits of DR6
 * @payload: what the #DB adds; bits that are fixed count as set while they are
 *	clear
 */
void lodge_debugreg_trap(struct lodge_vcpu *vcpu, u64 payload);

#endif
