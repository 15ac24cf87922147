// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's hook for a crash: each CPU calls it, mostly in an NMI, before it
 * stops for ever or starts the kernel that saves the dump.
 *
 * There is room for one hook, and the kernel warns when a second one comes.  It
 * is ours from the first VM on, and stays so for as long as nobody can want it.
 * KVM wants it
 *
 *  - for as long as its vendor's part is loaded, or
 *  - (lodge_kvm_asks_late()) when it is about to take the processor, which may
 *    be ours.  It then asks for the hook, finds the processor taken, and gives
 *    the hook back.  So while the hook is ours, probes keep such a request from
 *    the kernel, which would warn, and park it here until KVM withdraws it or we
 *    let go of the hook.
 *
 * KVM's hook does the same as ours: one of the two is enough.
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/namei.h>
#include <linux/path.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <asm/ptrace.h>

#include "compat.h"
#include "crash.h"

typedef void crash_hook_t(void);

static crash_hook_t *crash_hook;

/* Guards the next three and is held across taking and leaving the hook. */
static DEFINE_MUTEX(crash_mutex);
/* There are VMs; the vendor's part of KVM is loaded. */
static bool crash_wanted;
static bool crash_has_kvm;
/* The thread that takes or leaves the hook: its own calls are no requests. */
static struct task_struct *crash_task;

/* Guards the rest, also in a probe.  Nobody sleeps under it. */
static DEFINE_RAW_SPINLOCK(crash_lock);
/* The hook is ours. */
static bool crash_held;
/* KVM's hook, while it is parked here; while it is in the place of ours. */
static crash_hook_t *crash_parked;
static crash_hook_t *crash_others;

/* Runs in the place of the kernel's function for a parked request. */
static noinline void crash_do_nothing(crash_hook_t *hook)
{
}

/*
 * Somebody registers a hook, or takes it back.  Return: 1 if the kernel is to do
 * nothing.
 */
static int crash_called(struct pt_regs *regs, bool registers)
{
	crash_hook_t *hook = (crash_hook_t *)regs_get_kernel_argument(regs, 0);
	unsigned long flags;
	bool divert;

	if (READ_ONCE(crash_task) == current)
		return 0;
	raw_spin_lock_irqsave(&crash_lock, flags);
	divert = registers ? crash_held : crash_parked == hook;
	if (divert)
		crash_parked = registers ? hook : NULL;
	else
		crash_others = registers ? hook : NULL;
	raw_spin_unlock_irqrestore(&crash_lock, flags);
	if (divert)
		instruction_pointer_set(regs, (unsigned long)crash_do_nothing);
	return divert;
}

static int crash_asked(struct kprobe *probe, struct pt_regs *regs)
{
	return crash_called(regs, true);
}

static int crash_withdrawn(struct kprobe *probe, struct pt_regs *regs)
{
	return crash_called(regs, false);
}

/*
 * Does nothing.  The kernel never replaces a probe that has a post_handler by a jump,
 * and a jump could not divert the call.
 */
static void crash_probed(struct kprobe *probe, struct pt_regs *regs,
			 unsigned long flags)
{
}

static struct kprobe crash_probe_asked = {
	.symbol_name = "cpu_emergency_register_virt_callback",
	.pre_handler = crash_asked,
	.post_handler = crash_probed,
};

static struct kprobe crash_probe_withdrawn = {
	.symbol_name = "cpu_emergency_unregister_virt_callback",
	.pre_handler = crash_withdrawn,
	.post_handler = crash_probed,
};

static bool crash_has_probes;

/* Return: true if the hook is ours now. */
static bool crash_acquire(void)
{
	unsigned long flags;

	WRITE_ONCE(crash_task, current);
	raw_spin_lock_irqsave(&crash_lock, flags);
	if (!crash_others) {
		crash_held = true;
		lodge_crash_hook_register(crash_hook);
	}
	raw_spin_unlock_irqrestore(&crash_lock, flags);
	WRITE_ONCE(crash_task, NULL);
	return crash_held;
}

/* Waits for all CPUs.  A parked request gets what it has asked for. */
static void crash_release(void)
{
	unsigned long flags;

	WRITE_ONCE(crash_task, current);
	lodge_crash_hook_unregister(crash_hook);
	raw_spin_lock_irqsave(&crash_lock, flags);
	crash_held = false;
	if (crash_parked)
		lodge_crash_hook_register(crash_parked);
	crash_others = crash_parked;
	crash_parked = NULL;
	raw_spin_unlock_irqrestore(&crash_lock, flags);
	WRITE_ONCE(crash_task, NULL);
}

/* True if the hook is to become ours, or may stay ours. */
static bool crash_may_hold(void)
{
	if (!crash_has_kvm)
		return true;
	return lodge_kvm_asks_late() && crash_wanted;
}

/* Return: 0, or -EBUSY when the hook is to be ours and is not. */
static int crash_settle(void)
{
	lockdep_assert_held(&crash_mutex);
	if (crash_held && !crash_may_hold())
		crash_release();
	if (!crash_held && crash_wanted && crash_may_hold() && !crash_acquire())
		return -EBUSY;
	return 0;
}

int lodge_crash_take(void)
{
	int error;

	mutex_lock(&crash_mutex);
	crash_wanted = true;
	error = crash_settle();
	if (error)
		crash_wanted = false;
	mutex_unlock(&crash_mutex);
	return error;
}

void lodge_crash_leave(void)
{
	mutex_lock(&crash_mutex);
	crash_wanted = false;
	crash_settle();
	mutex_unlock(&crash_mutex);
}

/* The vendor's part of KVM; it also goes when it has failed. */
static int crash_module(struct notifier_block *unused, unsigned long state,
			void *data)
{
	const struct module *module = data;

	if (strcmp(module->name, "kvm_amd") &&
	    strcmp(module->name, "kvm_intel"))
		return NOTIFY_DONE;
	mutex_lock(&crash_mutex);
	if (state == MODULE_STATE_COMING)
		crash_has_kvm = true;
	else if (state == MODULE_STATE_GOING)
		crash_has_kvm = false;
	crash_settle();
	mutex_unlock(&crash_mutex);
	return NOTIFY_OK;
}

static struct notifier_block crash_module_notifier = {
	.notifier_call = crash_module,
};

static bool crash_module_is_loaded(const char *directory)
{
	struct path path;

	if (kern_path(directory, LOOKUP_DIRECTORY, &path))
		return false;
	path_put(&path);
	return true;
}

/* KVM may be loaded already, or be loading, when the notifier is registered. */
static void crash_find_kvm(void)
{
	register_module_notifier(&crash_module_notifier);
	mutex_lock(&crash_mutex);
	if (crash_module_is_loaded("/sys/module/kvm_amd") ||
	    crash_module_is_loaded("/sys/module/kvm_intel"))
		crash_has_kvm = true;
	mutex_unlock(&crash_mutex);
}

/* On a kernel without kprobes, a late request of KVM makes the kernel warn. */
static void crash_probe(void)
{
	if (!lodge_kvm_asks_late() || register_kprobe(&crash_probe_asked))
		return;
	crash_has_probes = !register_kprobe(&crash_probe_withdrawn);
	if (!crash_has_probes)
		unregister_kprobe(&crash_probe_asked);
}

void lodge_crash_init(void (*hook)(void))
{
	crash_hook = hook;
	crash_find_kvm();
	crash_probe();
}

void lodge_crash_exit(void)
{
	unregister_module_notifier(&crash_module_notifier);
	mutex_lock(&crash_mutex);
	if (crash_held)
		crash_release();
	mutex_unlock(&crash_mutex);
	if (!crash_has_probes)
		return;
	unregister_kprobe(&crash_probe_withdrawn);
	unregister_kprobe(&crash_probe_asked);
}
