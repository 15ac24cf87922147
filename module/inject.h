/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Conditions that a test injects: rare moments made long.
 *
 * Each is a module parameter inject_NAME that only root may change; zero, as it is
 * by itself, injects nothing and costs a load where nobody is in a hurry.
 */
#ifndef LODGE_INJECT_H
#define LODGE_INJECT_H

#include <linux/types.h>

/**
 * struct lodge_inject - the conditions
 * @publish_ms: wait so many milliseconds between the moment in which the rest of
 *	its VM finds a new vCPU and that in which its caller does
 * @hollow_faults: the host's page faults are served in word only
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
