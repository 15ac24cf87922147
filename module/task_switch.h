/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hardware task switches of a guest.
 */
#ifndef LODGE_TASK_SWITCH_H
#define LODGE_TASK_SWITCH_H

#include "exit.h"

struct lodge_vcpu;
struct lodge_vmexit;

/**
 * lodge_task_exit() - carry out the task switch that has left the guest
 *
 * A TSS or a descriptor in what is no memory makes it LODGE_EXIT_TASK_SWITCH.
 *
 * Return: enum lodge_outcome.
 */
enum lodge_outcome lodge_task_exit(struct lodge_vcpu *vcpu,
				   const struct lodge_vmexit *exit);

#endif
