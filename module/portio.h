/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Exits for ports.
 */
#ifndef LODGE_PORTIO_H
#define LODGE_PORTIO_H

#include <linux/types.h>

struct lodge_vcpu;
struct lodge_vmexit;

/**
 * lodge_portio_exit() - IN, OUT, INS, OUTS
 *
 * Return: enum lodge_outcome, or -errno.
 */
int lodge_portio_exit(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit);

/**
 * lodge_portio_finish_in() - user space has answered IN
 */
void lodge_portio_finish_in(struct lodge_vcpu *vcpu);

/**
 * lodge_portio_finish_ins() - user space has answered INS
 *
 * Return: enum lodge_outcome, or -errno.
 */
int lodge_portio_finish_ins(struct lodge_vcpu *vcpu);

/**
 * lodge_portio_resume() - a device has answered INS's or OUTS's access to memory
 *
 * Return: enum lodge_outcome, or -errno.
 */
int lodge_portio_resume(struct lodge_vcpu *vcpu);

/**
 * lodge_portio_quick() - let a device in the kernel take OUT, if it can do so at once
 *
 * Never sleeps; interrupts may be off.
 *
 * Return: true if it is done; false: call lodge_portio_exit().
 */
bool lodge_portio_quick(struct lodge_vcpu *vcpu,
			const struct lodge_vmexit *exit);

#endif
