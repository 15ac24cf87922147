/* SPDX-License-Identifier: GPL-2.0 */
/*
 * MSRs that the host needs only in user mode: the guest's value stays until the
 * thread, or another one on this CPU, returns there.
 */
#ifndef LODGE_USERRETURN_H
#define LODGE_USERRETURN_H

#include <linux/types.h>

enum lodge_userreturn_msr {
	LODGE_USERRETURN_TSC_AUX,
	/* of SYSCALL, where the world switch leaves them alone */
	LODGE_USERRETURN_STAR,
	LODGE_USERRETURN_LSTAR,
	LODGE_USERRETURN_SFMASK,
	LODGE_NR_USERRETURN,
};

/**
 * lodge_userreturn_set() - let the guest find @value in an MSR
 *
 * Preemption is off.  Without the MSR on this host: nothing.
 */
void lodge_userreturn_set(enum lodge_userreturn_msr msr, u64 value);

/**
 * lodge_userreturn_arm() - call lodge_backend->cpu_leave before this CPU returns
 * to user mode
 *
 * Preemption is off.  From that return on this CPU holds no vCPU's state.
 */
void lodge_userreturn_arm(void);

/**
 * lodge_userreturn_cpu_enable() - learn the host's values on this CPU
 *
 * When no hypervisor has put its own there: as virtualization goes on.
 */
void lodge_userreturn_cpu_enable(void);

/**
 * lodge_userreturn_cpu_disable() - this CPU keeps no guest's value
 */
void lodge_userreturn_cpu_disable(void);

#endif
