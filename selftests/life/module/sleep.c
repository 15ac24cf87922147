// SPDX-License-Identifier: GPL-2.0
/*
 * A suspend to memory without the firmware: of what that does to a processor only
 * the time stamp counter matters.
 */
#include "sleep.h"

#include <linux/module.h>
#include <linux/suspend.h>
#include <asm/msr.h>
#include <asm/msr-index.h>
#include <asm/x86_init.h>

static unsigned long sleep_tsc;
module_param_named(tsc, sleep_tsc, ulong, 0600);

/* With interrupts off, on the only CPU. */
static int sleep_enter(suspend_state_t state)
{
	x86_platform.save_sched_clock_state();
	wrmsrq(MSR_IA32_TSC, sleep_tsc);
	x86_platform.restore_sched_clock_state();
	return 0;
}

static const struct platform_suspend_ops sleep_ops = {
	.valid = suspend_valid_only_mem,
	.enter = sleep_enter,
};

void sleep_begin(void)
{
	suspend_set_ops(&sleep_ops);
}

void sleep_end(void)
{
	suspend_set_ops(NULL);
}
