// SPDX-License-Identifier: GPL-2.0
/*
 * Conditions that a test injects: see inject.h.
 */
#include <linux/compiler.h>
#include <linux/delay.h>
#include <linux/moduleparam.h>

#include "inject.h"

struct lodge_inject lodge_inject;

module_param_named(inject_publish_ms, lodge_inject.publish_ms, uint, 0600);
MODULE_PARM_DESC(inject_publish_ms,
		 "for tests: delay in publishing a new vCPU, ms (0)");

module_param_named(inject_hollow_faults, lodge_inject.hollow_faults, bool,
		   0600);
MODULE_PARM_DESC(inject_hollow_faults,
		 "for tests: the host's page faults bring no page (N)");

void lodge_inject_delay(const unsigned int *ms)
{
	unsigned int wait = READ_ONCE(*ms);

	if (wait)
		msleep_interruptible(wait);
}
