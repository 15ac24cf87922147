// SPDX-License-Identifier: GPL-2.0
/*
 * Virtualization on and off per CPU.  It is on only while a VM exists; CPU
 * hotplug, suspend, reboot, kexec and the module's removal all leave each CPU
 * as it was found.
 *
 * The kernel's hook for a crash has room for one user and warns when a second one
 * comes.  It is ours from the first VM on, and KVM's as soon as that is loaded:
 * what KVM does there is the same.
 */
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/module.h>
#include <linux/reboot.h>
#include <linux/smp.h>

#include "hw.h"
#include "userreturn.h"
#include "vm.h"

/* Guards lodge_hw_users and is held across switching on or off. */
static DEFINE_MUTEX(lodge_hw_lock);
static unsigned int lodge_hw_users;
static int lodge_hw_hotplug_state;
/* The hook for a crash is ours; KVM is loaded.  Both under lodge_hw_lock. */
static bool lodge_hw_has_crash_hook;
static bool lodge_hw_has_kvm;

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

/* A CPU that comes up while VMs exist must be able to run them. */
static int lodge_hw_online(unsigned int cpu)
{
	unsigned long flags;
	int error = 0;

	mutex_lock(&lodge_hw_lock);
	if (lodge_hw_users) {
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
	return 0;
}

static void lodge_hw_resume(void)
{
	if (lodge_hw_users && lodge_hw_cpu_enable())
		pr_warn("lodge: another hypervisor took the processor during suspend\n");
}

static void lodge_hw_shutdown(void)
{
	on_each_cpu(lodge_hw_disable_here, NULL, 1);
}

/* Not every kernel's kexec calls what is registered with LODGE_SYSCORE(). */
static int lodge_hw_reboot(struct notifier_block *unused, unsigned long action,
			   void *command)
{
	lodge_hw_shutdown();
	return NOTIFY_OK;
}

static struct notifier_block lodge_hw_reboot_notifier = {
	.notifier_call = lodge_hw_reboot,
};

LODGE_SYSCORE(lodge_hw_syscore, lodge_hw_suspend, lodge_hw_resume,
	      lodge_hw_shutdown);

/* A crash, or a reboot that cannot wait: an NMI on each CPU. */
static void lodge_hw_crash(void)
{
	if (this_cpu_read(lodge_hw_on))
		lodge_backend->cpu_disable();
}

static void lodge_hw_take_crash_hook(void)
{
	if (lodge_hw_has_crash_hook || lodge_hw_has_kvm)
		return;
	lodge_crash_hook_register(lodge_hw_crash);
	lodge_hw_has_crash_hook = true;
}

/* Waits for all CPUs. */
static void lodge_hw_leave_crash_hook(void)
{
	if (lodge_hw_has_crash_hook)
		lodge_crash_hook_unregister(lodge_hw_crash);
	lodge_hw_has_crash_hook = false;
}

/* The vendor's part of KVM takes the hook; it also goes when it has failed. */
static int lodge_hw_module(struct notifier_block *unused, unsigned long state,
			   void *data)
{
	const struct module *module = data;

	if (strcmp(module->name, "kvm_amd") &&
	    strcmp(module->name, "kvm_intel"))
		return NOTIFY_DONE;
	mutex_lock(&lodge_hw_lock);
	if (state == MODULE_STATE_COMING) {
		lodge_hw_has_kvm = true;
		lodge_hw_leave_crash_hook();
	} else if (state == MODULE_STATE_GOING) {
		lodge_hw_has_kvm = false;
		if (lodge_hw_users)
			lodge_hw_take_crash_hook();
	}
	mutex_unlock(&lodge_hw_lock);
	return NOTIFY_OK;
}

static struct notifier_block lodge_hw_module_notifier = {
	.notifier_call = lodge_hw_module,
};

/* It may have come, or be coming, before we could hear of it. */
static void lodge_hw_find_kvm(void)
{
	register_module_notifier(&lodge_hw_module_notifier);
	mutex_lock(&lodge_hw_lock);
	if (lodge_kvm_is_loaded())
		lodge_hw_has_kvm = true;
	mutex_unlock(&lodge_hw_lock);
}

static void lodge_hw_all_off(void)
{
	on_each_cpu(lodge_hw_disable_here, NULL, 1);
}

static int lodge_hw_all_on(void)
{
	atomic_set(&lodge_hw_failed, 0);
	on_each_cpu(lodge_hw_enable_here, NULL, 1);
	if (atomic_read(&lodge_hw_failed)) {
		on_each_cpu(lodge_hw_disable_here, NULL, 1);
		return -EBUSY;
	}
	return 0;
}

int lodge_hw_get(void)
{
	int error = 0;

	cpus_read_lock();
	mutex_lock(&lodge_hw_lock);
	if (!lodge_hw_users)
		error = lodge_hw_all_on();
	if (!error) {
		lodge_hw_users++;
		lodge_hw_take_crash_hook();
	}
	mutex_unlock(&lodge_hw_lock);
	cpus_read_unlock();
	return error;
}

void lodge_hw_put(void)
{
	cpus_read_lock();
	mutex_lock(&lodge_hw_lock);
	if (!--lodge_hw_users)
		lodge_hw_all_off();
	mutex_unlock(&lodge_hw_lock);
	cpus_read_unlock();
}

/* Another hypervisor has all CPUs or none: this one stands for them. */
enum lodge_status lodge_hw_status(void)
{
	bool busy;

	preempt_disable();
	busy = !__this_cpu_read(lodge_hw_on) && lodge_backend->cpu_busy();
	preempt_enable();
	return busy ? LODGE_STATUS_BUSY : LODGE_STATUS_READY;
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
	lodge_hw_find_kvm();
	return 0;
}

void lodge_hw_exit(void)
{
	unregister_module_notifier(&lodge_hw_module_notifier);
	lodge_hw_leave_crash_hook();
	unregister_reboot_notifier(&lodge_hw_reboot_notifier);
	lodge_syscore_unregister(&lodge_hw_syscore);
	cpuhp_remove_state(lodge_hw_hotplug_state);
}
