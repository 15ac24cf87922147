/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A table of ioctls: each row names the call, the lock it needs and what carries
 * it out; structures of any caller's size are taken and given back in one place.
 */
#ifndef LODGE_IOCTL_H
#define LODGE_IOCTL_H

#include <linux/mutex.h>
#include <linux/types.h>

/* The largest argument of any call. */
#define LODGE_IOCTL_MAX 1024

/**
 * struct lodge_call - one ioctl
 * @cmd: its number, as <lodge.h> has it
 * @first: size of its structure in the first version that had the call
 * @locked: hold the object's lock meanwhile
 * @handle: carry it out; @argument has the kernel's size of the structure, zero
 *	where the caller gave less; answers what the ioctl returns
 */
struct lodge_call {
	unsigned int cmd;
	size_t first;
	bool locked;
	long (*handle)(void *object, void *argument);
};

#define LODGE_CALL(name, type, lock, function)                                 \
	{                                                                      \
		.cmd = (name), .first = sizeof(struct type), .locked = (lock), \
		.handle = (function),                                          \
	}

/**
 * lodge_ioctl() - find a call in a table and carry it out
 * @object: first argument of the handler
 * @lock: the object's
 * @cmd: as received: its size bits are the caller's
 * @argument: as received
 *
 * Return: what the handler answers; -ENOTTY no such call; -EINVAL a structure
 * smaller than the first version's; -E2BIG one with bytes set that the kernel
 * does not know; -EFAULT; -EINTR killed while waiting for the lock.
 */
long lodge_ioctl(const struct lodge_call *calls, size_t count, void *object,
		 struct mutex *lock, unsigned int cmd, unsigned long argument);

#endif
