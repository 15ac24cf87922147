// SPDX-License-Identifier: GPL-2.0
/*
 * Module init and exit, the choice of the backend, and /dev/lodge.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <asm/fpu/xstate.h>
#include <asm/tsc.h>

#include "face.h"
#include "hw.h"
#include "ioctl.h"
#include "mem.h"
#include "policy.h"
#include "state.h"
#include "vm.h"

const struct lodge_backend *lodge_backend;

/* Why there is no backend, for LODGE_GET_INFO. */
static enum lodge_status lodge_status;

static const char *const lodge_status_words[] = {
	[LODGE_STATUS_READY] = "ready",
	[LODGE_STATUS_NO_VIRTUALIZATION] =
		"the processor has neither AMD-V nor VT-x",
	[LODGE_STATUS_FIRMWARE_DISABLED] =
		"the firmware has switched virtualization off",
	[LODGE_STATUS_NO_NESTED_PAGING] = "the processor has no nested paging",
	[LODGE_STATUS_BUSY] = "another hypervisor holds the processor",
	[LODGE_STATUS_NO_UNRESTRICTED_GUEST] =
		"the processor's VT-x has no unrestricted guest",
	[LODGE_STATUS_FRED] = "the host kernel uses FRED",
	[LODGE_STATUS_KVM_ONLY] = "this kernel lets only KVM use VT-x",
};

static enum lodge_status lodge_main_status(void)
{
	return lodge_backend ? lodge_hw_status() : lodge_status;
}

static long lodge_main_info(void *unused, struct lodge_info *info)
{
	info->abi_version = LODGE_ABI_VERSION;
	info->status = lodge_main_status();
	strscpy(info->message, lodge_status_words[info->status],
		sizeof(info->message));
	info->groups = LODGE_GROUPS_ALL;
	info->max_vcpus = LODGE_MAX_VCPUS;
	info->max_slots = LODGE_MAX_SLOTS;
	info->run_size = LODGE_RUN_SIZE;
	info->tsc_khz = tsc_khz;
	info->xsave_size = lodge_state_xsave_size();
	if (lodge_backend) {
		strscpy(info->backend, lodge_backend->name,
			sizeof(info->backend));
		info->phys_bits = lodge_mem_phys_bits();
		info->flags = lodge_backend->info_flags;
	}
	return 0;
}

static long lodge_main_create_vm(void *unused,
				 const struct lodge_vm_create *create)
{
	if (create->flags)
		return -EINVAL;
	if (!lodge_backend)
		return -ENODEV;
	return lodge_face_create_vm();
}

/* clang-format off */
#define LODGE_MAIN_CALLS(CALL, PLAIN)                                          \
	CALL(GET_INFO, lodge_info, LODGE_LOCK_NONE, 0, lodge_main_info)        \
	CALL(CREATE_VM, lodge_vm_create, LODGE_LOCK_NONE, 0,                   \
	     lodge_main_create_vm)
/* clang-format on */

LODGE_CALLS(lodge_main_calls, LODGE_MAIN_CALLS);

static long lodge_main_ioctl(struct file *file, unsigned int cmd,
			     unsigned long argument)
{
	static const struct lodge_subject subject;

	return lodge_ioctl(lodge_main_calls, ARRAY_SIZE(lodge_main_calls),
			   &subject, cmd, argument);
}

static const struct file_operations lodge_main_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = lodge_main_ioctl,
	.compat_ioctl = lodge_main_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice lodge_main_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "lodge",
	.fops = &lodge_main_fops,
	.mode = 0660,
};

static const struct lodge_backend *const lodge_backends[] = {
	&lodge_svm_backend,
	&lodge_vmx_backend,
};

/* The first one that has anything to say of this processor. */
static void lodge_main_probe(void)
{
	unsigned int i;

	lodge_status = LODGE_STATUS_NO_VIRTUALIZATION;
	for (i = 0; i < ARRAY_SIZE(lodge_backends); i++) {
		lodge_status = lodge_backends[i]->probe();
		if (lodge_status == LODGE_STATUS_READY)
			lodge_backend = lodge_backends[i];
		if (lodge_status != LODGE_STATUS_NO_VIRTUALIZATION)
			return;
	}
}

/* The module loads on any machine, so that LODGE_GET_INFO can say what is wrong. */
static int lodge_main_choose(void)
{
	int error;

	lodge_main_probe();
	if (!lodge_backend) {
		pr_info("lodge: no virtual machines here: %s\n",
			lodge_status_words[lodge_status]);
		return 0;
	}

	lodge_state_init();
	error = lodge_msr_rules_init();
	if (!error)
		error = lodge_backend->setup();
	if (error)
		return error;
	error = lodge_hw_init();
	if (error)
		lodge_backend->teardown();
	return error;
}

static void lodge_main_leave(void)
{
	if (!lodge_backend)
		return;
	lodge_hw_exit();
	lodge_backend->teardown();
}

static int __init lodge_main_init(void)
{
	int error = lodge_main_choose();

	if (error)
		return error;
	error = misc_register(&lodge_main_device);
	if (error)
		lodge_main_leave();
	return error;
}

static void __exit lodge_main_exit(void)
{
	misc_deregister(&lodge_main_device);
	lodge_main_leave();
}

module_init(lodge_main_init);
module_exit(lodge_main_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Lodge: a small hypervisor for testing");
MODULE_ALIAS("devname:lodge");
