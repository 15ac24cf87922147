/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Handles an exit.
 */
#ifndef LODGE_EXIT_H
#define LODGE_EXIT_H

#include <linux/types.h>

struct lodge_vcpu;
struct lodge_vmexit;

/**
 * enum lodge_outcome - what the run loop does next
 * @LODGE_ENTER_AGAIN: the guest goes on
 * @LODGE_TO_USER: the caller of lodge_vcpu_run() hears of it: vcpu->answer is filled in
 * @LODGE_CANNOT_EMULATE: the same, with LODGE_EXIT_CANNOT_EMULATE
 *
 * Functions that answer one are of type int: they answer a negative errno, too.
 */
enum lodge_outcome {
	LODGE_ENTER_AGAIN,
	LODGE_TO_USER,
	LODGE_CANNOT_EMULATE,
};

/**
 * lodge_exit_handle() - answer an exit
 *
 * Return: enum lodge_outcome, or -errno.
 */
int lodge_exit_handle(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit);

/**
 * lodge_exit_quick() - answer an exit, if nothing but the vCPU and a short time is
 * needed for that
 *
 * Interrupts are off.
 *
 * Return: true if it is answered; the guest can go on.
 */
bool lodge_exit_quick(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit);

#endif
