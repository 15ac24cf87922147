/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Conditions that a test injects: rare moments made long.
 *
 * Each is a module parameter inject_NAME that only root may change.  Zero, the default,
 * injects nothing and costs a load on a slow path.
 */
#ifndef LODGE_INJECT_H
#define LODGE_INJECT_H

#include <linux/types.h>

/**
 * struct lodge_inject - the conditions
 * @publish_ms: delay, in milliseconds, between the moment at which the other threads
 *	of the VM can find a new vCPU and the return of its descriptor
 * @hollow_faults: the host's page faults succeed without providing a page
 */
struct lodge_inject {
	unsigned int publish_ms;
	bool hollow_faults;
};

extern struct lodge_inject lodge_inject;

/**
 * lodge_inject_delay() - sleep so long, or until a signal comes
 */
void lodge_inject_delay(const unsigned int *ms);

#endif
