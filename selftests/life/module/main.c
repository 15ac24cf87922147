// SPDX-License-Identifier: GPL-2.0
/*
 * lodge_life.ko: what befalls a host, and a program cannot do to it.
 *
 *	crash=1		it crashes now, on AMD-V as it would between CLGI and STGI,
 *			where a world switch has them
 *	tsc=VALUE	a suspend to memory, from now on, comes back at once, with
 *			this in the time stamp counter
 *	watch=1		a reboot looks at what it leaves to the firmware, and tells
 *			the next one
 */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/panic.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/msr-index.h>

#include "sleep.h"
#include "watch.h"

static bool life_crash;
module_param_named(crash, life_crash, bool, 0400);

static bool life_watch;
module_param_named(watch, life_watch, bool, 0400);

static bool life_has_svm_on(void)
{
	u64 efer = 0;

	if (boot_cpu_data.x86_vendor == X86_VENDOR_AMD)
		rdmsrq_safe(MSR_EFER, &efer);
	return efer & EFER_SVME;
}

static int __init life_init(void)
{
	if (life_watch) {
		watch_begin();
		return 0;
	}
	if (!life_crash) {
		sleep_begin();
		return 0;
	}
	local_irq_disable();
	if (life_has_svm_on())
		asm volatile("clgi");
	panic("lodge_life: this crash is meant");
}

static void __exit life_exit(void)
{
	if (life_watch)
		watch_end();
	else
		sleep_end();
}

module_init(life_init);
module_exit(life_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION(
	"A crash, a suspend that changes the time stamp counter, a watched reboot");
