/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Directed yield: a spinning vCPU gives its time to one that may hold the lock.
 */
#ifndef LODGE_YIELD_H
#define LODGE_YIELD_H

struct lodge_vcpu;

/**
 * lodge_yield() - give way to a vCPU of the same VM that waits for a processor
 *
 * Called by the owner, with interrupts on.  If no vCPU waits, other threads may run
 * first: the guest may spin for something that its controller has to do.
 */
void lodge_yield(struct lodge_vcpu *vcpu);

#endif
