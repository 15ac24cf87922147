/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Accesses that a device answers, in the kernel or in user space.
 */
#ifndef LODGE_IOBUS_H
#define LODGE_IOBUS_H

#include <linux/types.h>

struct lodge_vcpu;
struct lodge_vmexit;

/* iobus.c: accesses that a device answers */

/**
 * lodge_iobus_port() - IN, OUT, INS, OUTS
 *
 * Return: as lodge_exit_handle().
 */
int lodge_iobus_port(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit);

/**
 * lodge_iobus_mmio() - an instruction touched @gpa, behind which is no memory
 */
int lodge_iobus_mmio(struct lodge_vcpu *vcpu, u64 gpa);

/**
 * lodge_iobus_complete() - user space has answered: finish the instruction
 */
int lodge_iobus_complete(struct lodge_vcpu *vcpu);

/**
 * lodge_iobus_instruction() - carry out vcpu->emul.insn
 *
 * After lodge_insn_fetch().  Return: as lodge_exit_handle().
 */
int lodge_iobus_instruction(struct lodge_vcpu *vcpu);

#endif
