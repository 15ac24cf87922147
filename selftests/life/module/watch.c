// SPDX-License-Identifier: GPL-2.0
/*
 * Looks at all processors once those who hear of a reboot have heard of it: from
 * then on none may have virtualization on, whatever programs do until they are
 * stopped, and whichever processor comes online.
 */
#include "watch.h"

#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/mc146818rtc.h>
#include <linux/module.h>
#include <linux/reboot.h>
#include <linux/smp.h>
#include <asm/msr.h>
#include <asm/msr-index.h>
#include <asm/processor.h>
#include <asm/special_insns.h>

/* A byte that no firmware uses: how many reboots, and whether one was bad. */
#define WATCH_CMOS 0x7e
#define WATCH_ROUNDS 0x0f
#define WATCH_BAD 0x10
/* Of a byte that is ours. */
#define WATCH_OURS 0xa0
#define WATCH_MASK 0xe0

#define WATCH_LOOKS 50
#define WATCH_LOOK_MS 10

static uint watch_round;
module_param_named(round, watch_round, uint, 0400);
MODULE_PARM_DESC(round, "reboots that were watched");

static bool watch_found;
module_param_named(found, watch_found, bool, 0400);
MODULE_PARM_DESC(found, "in one of them virtualization was on");

static bool watch_is_on(void)
{
	u64 efer = 0;

	if (boot_cpu_data.x86_vendor != X86_VENDOR_AMD)
		return __read_cr4() & X86_CR4_VMXE;
	rdmsrq_safe(MSR_EFER, &efer);
	return efer & EFER_SVME;
}

static void watch_look_here(void *unused)
{
	if (watch_is_on())
		WRITE_ONCE(watch_found, true);
}

static void watch_store(void)
{
	unsigned char value = WATCH_OURS | (watch_round & WATCH_ROUNDS);

	if (watch_found)
		value |= WATCH_BAD;
	spin_lock_irq(&rtc_lock);
	CMOS_WRITE(value, WATCH_CMOS);
	spin_unlock_irq(&rtc_lock);
}

static void watch_load(void)
{
	unsigned char value;

	spin_lock_irq(&rtc_lock);
	value = CMOS_READ(WATCH_CMOS);
	spin_unlock_irq(&rtc_lock);
	if ((value & WATCH_MASK) != WATCH_OURS)
		return;
	watch_round = value & WATCH_ROUNDS;
	watch_found = value & WATCH_BAD;
}

static void watch_come_online(void)
{
	unsigned int cpu = cpumask_last(cpu_online_mask);

	if (cpu && !remove_cpu(cpu))
		add_cpu(cpu);
}

static int watch_reboot(struct notifier_block *unused, unsigned long action,
			void *command)
{
	int looks = WATCH_LOOKS;

	watch_come_online();
	while (looks--) {
		msleep(WATCH_LOOK_MS);
		on_each_cpu(watch_look_here, NULL, 1);
	}
	watch_round++;
	watch_store();
	return NOTIFY_OK;
}

/* After all others. */
static struct notifier_block watch_notifier = {
	.notifier_call = watch_reboot,
	.priority = INT_MIN,
};

void watch_begin(void)
{
	watch_load();
	register_reboot_notifier(&watch_notifier);
}

void watch_end(void)
{
	unregister_reboot_notifier(&watch_notifier);
}
