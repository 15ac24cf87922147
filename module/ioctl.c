// SPDX-License-Identifier: GPL-2.0
/*
 * A table of ioctls: see ioctl.h.
 */
#include <linux/ioctl.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "ioctl.h"

/*
 * Two numbers for the same call differ in nothing but the size of its structure;
 * a call without one has only one number.
 */
static bool lodge_ioctl_same(unsigned int known, unsigned int cmd)
{
	if (!_IOC_SIZE(known))
		return known == cmd;
	return !((known ^ cmd) & ~(_IOC_SIZEMASK << _IOC_SIZESHIFT));
}

static const struct lodge_call *lodge_ioctl_find(const struct lodge_call *calls,
						 size_t count, unsigned int cmd)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (lodge_ioctl_same(calls[i].cmd, cmd))
			return &calls[i];
	return NULL;
}

static int lodge_ioctl_take(const struct lodge_call *call, unsigned int cmd,
			    void *argument, void __user *user)
{
	size_t size = _IOC_SIZE(cmd);

	if (size < call->first)
		return -EINVAL;
	memset(argument, 0, _IOC_SIZE(call->cmd));
	if (!(_IOC_DIR(cmd) & _IOC_WRITE))
		return 0;
	return copy_struct_from_user(argument, _IOC_SIZE(call->cmd), user,
				     size);
}

static int lodge_ioctl_give(const struct lodge_call *call, unsigned int cmd,
			    const void *argument, void __user *user)
{
	size_t known = _IOC_SIZE(call->cmd);
	size_t size = _IOC_SIZE(cmd);

	if (!(_IOC_DIR(cmd) & _IOC_READ))
		return 0;
	if (copy_to_user(user, argument, min(known, size)))
		return -EFAULT;
	if (size > known && clear_user(user + known, size - known))
		return -EFAULT;
	return 0;
}

static bool lodge_ioctl_gives(const struct lodge_call *call, long answer)
{
	return answer >= 0 ||
	       (answer == -ENOSPC && call->flags & LODGE_CALL_TELLS_SIZE);
}

static long lodge_ioctl_structure(const struct lodge_call *call,
				  const struct lodge_subject *subject,
				  unsigned int cmd, void __user *user)
{
	u64 copy[LODGE_IOCTL_MAX / sizeof(u64)];
	long answer;
	int error;

	error = lodge_ioctl_take(call, cmd, copy, user);
	if (error)
		return error;
	answer = lodge_ioctl_locked(call, subject->object,
				    subject->lock[call->lock], copy);
	if (!lodge_ioctl_gives(call, answer))
		return answer;
	error = lodge_ioctl_give(call, cmd, copy, user);
	return error ? error : answer;
}

long lodge_ioctl(const struct lodge_call *calls, size_t count,
		 const struct lodge_subject *subject, unsigned int cmd,
		 unsigned long argument)
{
	const struct lodge_call *call = lodge_ioctl_find(calls, count, cmd);

	if (!call)
		return -ENOTTY;
	if (!_IOC_SIZE(call->cmd))
		return lodge_ioctl_locked(call, subject->object,
					  subject->lock[call->lock], NULL);
	return lodge_ioctl_structure(call, subject, cmd,
				     (void __user *)argument);
}
