// SPDX-License-Identifier: GPL-2.0
/*
 * lodge_life.ko: what befalls a host, and a program cannot do to it.
 *
 * It crashes when it is loaded, on AMD-V as it would between CLGI and STGI, where
 * a world switch has them.
 */
#include <linux/module.h>
#include <linux/panic.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/msr-index.h>

static bool life_has_svm_on(void)
{
	u64 efer = 0;

	if (boot_cpu_data.x86_vendor == X86_VENDOR_AMD)
		rdmsrl_safe(MSR_EFER, &efer);
	return efer & EFER_SVME;
}

static int __init life_init(void)
{
	local_irq_disable();
	if (life_has_svm_on())
		asm volatile("clgi");
	panic("lodge_life: this crash is meant");
	return -EIO;
}

module_init(life_init);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A crash");
