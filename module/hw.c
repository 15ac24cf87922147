// SPDX-License-Identifier: GPL-2.0
/*
 * Virtualization on and off per CPU.  It is on only while a VM exists; CPU
 * hotplug, suspend, reboot, kexec, a crash and the module's removal all leave
 * each CPU as it was found.
 */
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/kernel.h>
#include <linux/reboot.h>
#include <linux/smp.h>
#include <asm/tsc.h>

#include "backend.h"
#include "compat.h"
#include "crash.h"
#include "hw.h"
#include "notify.h"
#include "tsc.h"
#include "userreturn.h"

/* Guards lodge_hw_users and is held across switching on or off. */
static DEFINE_MUTEX(lodge_hw_lock);
static unsigned int lodge_hw_users;
static int lodge_hw_hotplug_state;
/* The host goes down; under lodge_hw_lock.  It does not change its mind. */
static bool lodge_hw_down;

DEFINE_PER_CPU(bool, lodge_hw_on);
/* CPUs that could not be switched on. */
static atomic_t lodge_hw_failed;

static int lodge_hw_cpu_enable(void)
{
	int error;

	if (this_cpu_read(lodge_hw_on))
		return 0;
	error = lodge_backend->cpu_enable();
	if (error)
		return error;
	this_cpu_write(lodge_hw_on, true);
	lodge_userreturn_cpu_enable();
	return 0;
}

static void lodge_hw_cpu_disable(void)
{
	if (!this_cpu_read(lodge_hw_on))
		return;
	this_cpu_write(lodge_hw_on, false);
	lodge_userreturn_cpu_disable();
	lodge_backend->cpu_disable();
}

static void lodge_hw_enable_here(void *unused)
{
	if (lodge_hw_cpu_enable())
		atomic_inc(&lodge_hw_failed);
}

static void lodge_hw_disable_here(void *unused)
{
	lodge_hw_cpu_disable();
}

/*
 * From then on virtualization stays off.  With it on, a processor may ignore the
 * firmware's INIT, and the next kernel's first steps may fault.  If Lodge was loaded
 * after that point, only system_state tells.
 */
static bool lodge_hw_goes_down(void)
{
	return lodge_hw_down || system_state == SYSTEM_HALT ||
	       system_state == SYSTEM_POWER_OFF ||
	       system_state == SYSTEM_RESTART;
}

/*
 * A CPU that comes up while VMs exist must be able to run them, except on the way
 * to another kernel, where kexec still lets CPUs come up.
 */
static int lodge_hw_online(unsigned int cpu)
{
	unsigned long flags;
	int error = 0;

	mutex_lock(&lodge_hw_lock);
	if (lodge_hw_users && !lodge_hw_goes_down()) {
		local_irq_save(flags);
		error = lodge_hw_cpu_enable();
		local_irq_restore(flags);
	}
	mutex_unlock(&lodge_hw_lock);
	return error;
}

static int lodge_hw_offline(unsigned int cpu)
{
	unsigned long flags;

	mutex_lock(&lodge_hw_lock);
	local_irq_save(flags);
	lodge_hw_cpu_disable();
	local_irq_restore(flags);
	mutex_unlock(&lodge_hw_lock);
	return 0;
}

/* Suspend and resume run on one CPU, with all others offline. */
static int lodge_hw_suspend(void)
{
	lodge_hw_cpu_disable();
	lodge_tsc_suspend();
	return 0;
}

static void lodge_hw_resume(void)
{
	lodge_tsc_resume();
	if (lodge_hw_users && lodge_hw_cpu_enable())
		pr_warn("lodge: another hypervisor took the processor during suspend\n");
}

static void lodge_hw_all_off(void)
{
	on_each_cpu(lodge_hw_disable_here, NULL, 1);
}

/*
 * The kexec of some kernels does not call what is registered with LODGE_SYSCORE().
 * The mutex waits for a thread that is just switching virtualization on.
 */
static int lodge_hw_reboot(struct notifier_block *unused, unsigned long action,
			   void *command)
{
	mutex_lock(&lodge_hw_lock);
	lodge_hw_down = true;
	lodge_hw_all_off();
	mutex_unlock(&lodge_hw_lock);
	return NOTIFY_OK;
}

static struct notifier_block lodge_hw_reboot_notifier = {
	.notifier_call = lodge_hw_reboot,
};

LODGE_SYSCORE(lodge_hw_syscore, lodge_hw_suspend, lodge_hw_resume,
	      lodge_hw_all_off);

/*
 * A crash, or a reboot that cannot wait: mostly an NMI, which may have stopped
 * lodge_hw_cpu_enable() half way.
 */
static void lodge_hw_crash(void)
{
	lodge_backend->cpu_disable();
}

static int lodge_hw_all_on(void)
{
	atomic_set(&lodge_hw_failed, 0);
	on_each_cpu(lodge_hw_enable_here, NULL, 1);
	if (atomic_read(&lodge_hw_failed)) {
		lodge_hw_all_off();
		return -EBUSY;
	}
	return 0;
}

/* True if somebody else has this CPU; others have all CPUs or none. */
static bool lodge_hw_busy(void)
{
	bool busy;

	preempt_disable();
	busy = !__this_cpu_read(lodge_hw_on) && lodge_backend->cpu_busy();
	preempt_enable();
	return busy;
}

/* The hook first: a crash may come while virtualization goes on. */
static int lodge_hw_begin(void)
{
	int error;

	if (lodge_hw_goes_down() || lodge_hw_busy())
		return -EBUSY;
	error = lodge_crash_take();
	if (error)
		return error;
	error = lodge_hw_all_on();
	if (error)
		lodge_crash_leave();
	else
		lodge_notify_hardware(true);
	return error;
}

static void lodge_hw_end(void)
{
	lodge_hw_all_off();
	lodge_crash_leave();
	lodge_notify_hardware(false);
}

int lodge_hw_get(void)
{
	int error = 0;

	cpus_read_lock();
	mutex_lock(&lodge_hw_lock);
	if (!lodge_hw_users)
		error = lodge_hw_begin();
	else if (lodge_hw_goes_down())
		error = -EBUSY;
	if (!error)
		lodge_hw_users++;
	mutex_unlock(&lodge_hw_lock);
	cpus_read_unlock();
	return error;
}

void lodge_hw_put(void)
{
	cpus_read_lock();
	mutex_lock(&lodge_hw_lock);
	if (!--lodge_hw_users)
		lodge_hw_end();
	mutex_unlock(&lodge_hw_lock);
	cpus_read_unlock();
}

enum lodge_status lodge_hw_status(void)
{
	if (!tsc_khz)
		return LODGE_STATUS_NO_TSC_RATE;
	return lodge_hw_busy() ? LODGE_STATUS_BUSY : LODGE_STATUS_READY;
}

int lodge_hw_init(void)
{
	int state = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "lodge:online",
				      lodge_hw_online, lodge_hw_offline);

	if (state < 0)
		return state;
	lodge_hw_hotplug_state = state;
	lodge_syscore_register(&lodge_hw_syscore);
	register_reboot_notifier(&lodge_hw_reboot_notifier);
	lodge_crash_init(lodge_hw_crash);
	return 0;
}

void lodge_hw_exit(void)
{
	lodge_crash_exit();
	unregister_reboot_notifier(&lodge_hw_reboot_notifier);
	lodge_syscore_unregister(&lodge_hw_syscore);
	cpuhp_remove_state(lodge_hw_hotplug_state);
}
