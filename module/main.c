// SPDX-License-Identifier: GPL-2.0
/*
 * Module init and exit, and /dev/lodge.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <asm/fpu/xstate.h>
#include <asm/tsc.h>

#include "backend.h"
#include "face.h"
#include "ioctl.h"
#include "mem.h"
#include "netlink.h"
#include "news.h"
#include "state.h"
#include "user.h"

static long lodge_main_info(void *unused, struct lodge_info *info)
{
	info->abi_version = LODGE_ABI_VERSION;
	info->status = lodge_backend_status();
	strscpy(info->message, lodge_backend_words(info->status),
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
	return lodge_face_create_vm(create->name);
}

/* clang-format off */
#define LODGE_MAIN_CALLS(CALL, GROWN, PLAIN)                                   \
	CALL(GET_INFO, lodge_info, LODGE_LOCK_NONE, 0, lodge_main_info)        \
	GROWN(CREATE_VM, lodge_vm_create, flags, LODGE_LOCK_NONE, 0,           \
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

static int __init lodge_main_init(void)
{
	int error = lodge_backend_init();

	if (error)
		return error;
	lodge_user_init();
	error = lodge_netlink_init();
	if (error)
		goto exit_backend;
	error = misc_register(&lodge_main_device);
	if (error)
		goto exit_netlink;
	return 0;

exit_netlink:
	lodge_netlink_exit();
	lodge_user_exit();
exit_backend:
	lodge_backend_exit();
	lodge_news_fini();
	return error;
}

static void __exit lodge_main_exit(void)
{
	misc_deregister(&lodge_main_device);
	lodge_netlink_exit();
	lodge_user_exit();
	lodge_backend_exit();
	lodge_news_fini();
}

module_init(lodge_main_init);
module_exit(lodge_main_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Lodge: a small hypervisor for testing");
MODULE_ALIAS("devname:lodge");
